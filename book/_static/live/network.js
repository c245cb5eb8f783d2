/* HQNN-Parallel and its rivals, layer by layer, where they look, and how a drawing becomes an image like those of MNIST.
 * Weights come from the records; what follows a batch normalisation has it multiplied in. A network keeps what its layers
 * made of an image, so that an image changed in a few places costs little. No function here touches the page. */
live.network = (function () {
  "use strict";
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const SIDE = 28, COVER = 4, STEP = 2;

  function bytes(text) {
    const found = [];
    let held = 0, bits = 0;
    for (const letter of text.replace(/=+$/, "")) {
      held = (held << 6 | DIGITS.indexOf(letter)) & 0xffff;
      bits += 6;
      if (bits >= 8) found.push(held >> (bits -= 8) & 255);
    }
    return found;
  }

  /** Numbers of single precision from Base64 of all their lowest bytes, then all the next ones, …: so they compress best. */
  function singles(text) {
    const all = bytes(text), n = all.length / 4, view = new DataView(new ArrayBuffer(4));
    return Float64Array.from({ length: n }, (_, k) => {
      for (let plane = 0; plane < 4; plane++) view.setUint8(plane, all[plane * n + k]);
      return view.getFloat32(0, true);
    });
  }

  /** The tensors of a network by name, from {shapes: {name: [sizes]}, values: Base64}. */
  function unpack({ shapes, values }) {
    const all = singles(values), tensors = {};
    let start = 0;
    for (const [name, shape] of Object.entries(shapes)) {
      const size = shape.reduce((a, b) => a * b, 1);
      tensors[name] = all.subarray(start, start += size);
    }
    return tensors;
  }

  /** A network ready to run: its tensors, its convolutions, and what they make of an image without ink. */
  function prepare(network) {
    const tensors = unpack(network), layers = [], dark = { sums: [], maps: [], features: tensors["dense.bias"].slice() };
    let changes = [];
    for (let k = 0, side = SIDE, nIn = 1; `convolution.${k}.weight` in tensors; k++, side >>= 1) {
      const weight = tensors[`convolution.${k}.weight`], bias = tensors[`convolution.${k}.bias`], nOut = bias.length;
      const each = (area, of) => Float64Array.from({ length: nOut * area }, (_, i) => of(bias[Math.floor(i / area)]));
      layers.push({ weight, side, nIn, nOut, kernel: Math.round(Math.sqrt(weight.length / nOut / nIn)) });
      dark.sums.push(each(side * side, (value) => value));
      dark.maps.push(each(side * side / 4, (value) => Math.max(0, value)));
      convolve(layers[k], dark.sums[k], dark.maps[k], changes);
      changes = inked(dark.maps[k]);
      nIn = nOut;
    }
    weigh(tensors["dense.weight"], dark.features, changes);
    return { ...network, tensors, layers, dark };
  }

  /** What is not zero: [[place, value], …]. */
  function inked(values) {
    return Array.from(values, (value, place) => [place, value]).filter(([, value]) => value);
  }

  /** Changes [[place, by], …] of the input, added to a convolution's `sums` and, pooled 2 × 2 and rectified, to its `maps`.
   * Places count channel by channel, row by row. Returns the changes of the maps. */
  function convolve({ weight, side, nIn, nOut, kernel }, sums, maps, changes) {
    const area = side * side, half = side >> 1, pad = kernel >> 1, touched = new Uint8Array(half * half), changed = [];
    for (const [place, by] of changes) {
      const c = Math.floor(place / area), x0 = place % side + pad, y0 = (place % area - place % side) / side + pad;
      for (let i = Math.max(0, y0 - side + 1); i < Math.min(kernel, y0 + 1); i++) {
        for (let j = Math.max(0, x0 - side + 1); j < Math.min(kernel, x0 + 1); j++) {
          const y = y0 - i, x = x0 - j;
          touched[(y >> 1) * half + (x >> 1)] = 1;
          for (let out = 0; out < nOut; out++) sums[out * area + y * side + x] += weight[((out * nIn + c) * kernel + i) * kernel + j] * by;
        }
      }
    }
    touched.forEach((yes, cell) => {
      const corner = 2 * side * Math.floor(cell / half) + 2 * (cell % half);
      for (let out = 0; yes && out < nOut; out++) {
        const at = out * area + corner, place = out * half * half + cell;
        const value = Math.max(0, sums[at], sums[at + 1], sums[at + side], sums[at + side + 1]);
        if (value !== maps[place]) changed.push([place, value - maps[place]]);
        maps[place] = value;
      }
    });
    return changed;
  }

  function weigh(weight, sums, changes) {
    const nIn = weight.length / sums.length;
    for (const [place, by] of changes) {
      for (let k = 0; k < sums.length; k++) sums[k] += weight[k * nIn + place] * by;
    }
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
  function run(network, image) {
    return add(network, network.dark, inked(image));
  }

  /** The same for an image that differs from one whose `state` is known. */
  function add({ tensors, layers, ...network }, before, changes) {
    const state = { sums: before.sums.map((one) => one.slice()), maps: before.maps.map((one) => one.slice()), features: before.features.slice() };
    layers.forEach((layer, k) => { changes = convolve(layer, state.sums[k], state.maps[k], changes); });
    weigh(tensors["dense.weight"], state.features, changes);
    const angles = Array.from(state.features, (value) => Math.max(0, value)), outputs = middles[network.middle](angles, tensors, network);
    const after = tensors["after.scale"] ? outputs.map((value, k) => Math.max(0, tensors["after.scale"][k] * value + tensors["after.shift"][k])) : outputs;
    return { angles, outputs, scores: dense(after, tensors["scores.weight"], tensors["scores.bias"]), state };
  }

  /** The logarithm of a class's odds against all others. */
  function odds(scores, digit) {
    const others = scores.filter((_, k) => k !== digit), most = Math.max(...others);
    return scores[digit] - most - Math.log(others.reduce((sum, score) => sum + Math.exp(score - most), 0));
  }

  /** Where a network looks: by how much the odds of its answer fall, as logarithms, if a place of the image is covered.
   * Squares of 4 × 4 pixels are made black, every two pixels; a pixel has the mean [28²] of the four that cover it.
   * Yields after each square, so that a page can do other things meanwhile; `seen` is what `run` found. */
  function* looking(network, image, seen) {
    const heat = new Float64Array(image.length), answer = seen.scores.indexOf(Math.max(...seen.scores)), whole = odds(seen.scores, answer);
    for (let top = STEP - COVER; top < SIDE; top += STEP) {
      for (let left = STEP - COVER; left < SIDE; left += STEP) {
        const square = Array.from({ length: COVER * COVER }, (_, k) => [left + k % COVER, top + Math.floor(k / COVER)])
          .filter(([x, y]) => x >= 0 && y >= 0 && x < SIDE && y < SIDE).map(([x, y]) => y * SIDE + x);
        const ink = square.filter((pixel) => image[pixel]);
        if (!ink.length) continue;
        const drop = whole - odds(add(network, seen.state, ink.map((pixel) => [pixel, -image[pixel]])).scores, answer);
        for (const pixel of square) heat[pixel] += drop * (STEP / COVER) ** 2;
        yield;
      }
    }
    return heat;
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

  return { bytes, centre, looking, prepare, run, softmax };
})();
