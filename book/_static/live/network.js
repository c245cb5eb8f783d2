/* HQNN-Parallel and its rivals, layer by layer, and how a drawing becomes an image like those of MNIST. Weights come
 * from the records in half precision; what follows a batch normalisation has it multiplied in. No function here touches
 * the page. */
live.network = (function () {
  "use strict";
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  /** Numbers of half precision from Base64. */
  function halves(text) {
    const bytes = [];
    let held = 0, bits = 0;
    for (const letter of text.replace(/=+$/, "")) {
      held = (held << 6 | DIGITS.indexOf(letter)) & 0xffff;
      bits += 6;
      if (bits >= 8) bytes.push(held >> (bits -= 8) & 255);
    }
    return Float64Array.from({ length: bytes.length / 2 }, (_, k) => {
      const half = bytes[2 * k] | bytes[2 * k + 1] << 8, power = half >> 10 & 31, rest = half & 1023;
      return (half >> 15 ? -1 : 1) * (power ? (1 + rest / 1024) * 2 ** (power - 15) : rest * 2 ** -24);
    });
  }

  /** The tensors of a network by name, from {shapes: {name: [sizes]}, values: Base64}. */
  function unpack({ shapes, values }) {
    const all = halves(values), tensors = {};
    let start = 0;
    for (const [name, shape] of Object.entries(shapes)) {
      const size = shape.reduce((a, b) => a * b, 1);
      tensors[name] = all.subarray(start, start += size);
    }
    return tensors;
  }

  /** Maps [channels][side²], convolved to as many sides, then the largest of 2 × 2, then ReLU. */
  function convolve(maps, side, weight, bias) {
    const nIn = maps.length, kernel = Math.round(Math.sqrt(weight.length / bias.length / nIn)), pad = kernel >> 1, half = side >> 1;
    return Array.from(bias, (offset, out) => {
      const sums = new Float64Array(side * side).fill(offset);
      for (let c = 0; c < nIn; c++) {
        for (let i = 0; i < kernel; i++) {
          for (let j = 0; j < kernel; j++) {
            const w = weight[((out * nIn + c) * kernel + i) * kernel + j], up = i - pad, along = j - pad;
            for (let y = Math.max(0, -up); y < Math.min(side, side - up); y++) {
              for (let x = Math.max(0, -along); x < Math.min(side, side - along); x++) {
                sums[y * side + x] += w * maps[c][(y + up) * side + x + along];
              }
            }
          }
        }
      }
      return Float64Array.from({ length: half * half }, (_, k) => {
        const at = 2 * side * Math.floor(k / half) + 2 * (k % half);
        return Math.max(0, sums[at], sums[at + 1], sums[at + side], sums[at + side + 1]);
      });
    });
  }

  function dense(x, weight, bias) {
    return Array.from(bias, (offset, k) => x.reduce((sum, value, j) => sum + weight[k * x.length + j] * value, offset));
  }

  const middles = {
    circuits(x, tensors, { circuit, n_circuits }) {
      const n = circuit.n_qubits, per = tensors["middle.weights"].length / n_circuits;
      return Array.from({ length: n_circuits }, (_, c) => live.quantum.outputs(circuit,
        [...x.slice(c * n, (c + 1) * n), ...tensors["middle.weights"].subarray(c * per, (c + 1) * per)])).flat();
    },
    blocks(x, tensors, { n_circuits }) {
      const width = x.length / n_circuits, hidden = tensors["middle.into"].length / x.length;
      return Array.from({ length: n_circuits }, (_, c) => {
        const inner = Array.from({ length: hidden }, (_, h) => Math.tanh(x.slice(c * width, (c + 1) * width).reduce(
          (sum, value, j) => sum + value * tensors["middle.into"][(c * width + j) * hidden + h], tensors["middle.bias"] ? tensors["middle.bias"][c * hidden + h] : 0)));
        return Array.from({ length: width }, (_, k) => inner.reduce(
          (sum, value, h) => sum + value * tensors["middle.out"][(c * hidden + h) * width + k], tensors["middle.offset"][c * width + k]));
      }).flat();
    },
    identity: (x) => x,
  };

  /** An image [28²] in [0, 1] to {angles, outputs, scores}: what enters the middle part, what leaves it, the classes. */
  function run(network, tensors, image) {
    let maps = [image], side = 28;
    for (let k = 0; `convolution.${k}.weight` in tensors; k++) {
      maps = convolve(maps, side, tensors[`convolution.${k}.weight`], tensors[`convolution.${k}.bias`]);
      side >>= 1;
    }
    const angles = dense(maps.flatMap((map) => [...map]), tensors["dense.weight"], tensors["dense.bias"]).map((value) => Math.max(0, value));
    const outputs = middles[network.middle](angles, tensors, network);
    const after = tensors["after.scale"] ? outputs.map((value, k) => Math.max(0, tensors["after.scale"][k] * value + tensors["after.shift"][k])) : outputs;
    return { angles, outputs, scores: dense(after, tensors["scores.weight"], tensors["scores.bias"]) };
  }

  function softmax(scores) {
    const most = Math.max(...scores), powers = scores.map((score) => Math.exp(score - most)), sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  /** Ink [size²] in [0, 1] as MNIST has it: fitted into 20 × 20 pixels, the centre of mass in the middle of 28 × 28. */
  function centre(ink, size) {
    let [left, right, top, bottom] = [size, -1, size, -1];
    ink.forEach((value, i) => {
      if (value < 0.05) return;
      const x = i % size, y = (i - x) / size;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    });
    const image = new Float64Array(28 * 28);
    if (right < 0) return image;
    const scale = Math.max(right - left + 1, bottom - top + 1) / 20, fitted = (x0, y0) => {
      let sum = 0;
      const [x1, y1] = [x0 + scale, y0 + scale];
      for (let y = Math.floor(y0); y < y1; y++) {
        for (let x = Math.floor(x0); x < x1; x++) {
          if (x < 0 || y < 0 || x >= size || y >= size) continue;
          sum += ink[y * size + x] * (Math.min(x + 1, x1) - Math.max(x, x0)) * (Math.min(y + 1, y1) - Math.max(y, y0));
        }
      }
      return sum / (scale * scale);
    };
    let mass = 0, mx = 0, my = 0;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const value = ink[y * size + x];
        [mass, mx, my] = [mass + value, mx + value * (x + 0.5), my + value * (y + 0.5)];
      }
    }
    const x0 = mx / mass - 14 * scale, y0 = my / mass - 14 * scale;
    return image.map((_, k) => Math.min(1, fitted(x0 + scale * (k % 28), y0 + scale * Math.floor(k / 28))));
  }

  return { centre, run, softmax, unpack };
})();
