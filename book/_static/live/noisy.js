/* Four noisy qubits, exactly. Each product of Z is carried backwards through the circuit as a sum of Pauli strings;
 * depolarising noise of strength p after a gate multiplies a string by 1 − p where it acts on the gate's qubits. What
 * arrives at the data is a short Fourier series in the features, the same for all images. No function here touches
 * the page. A string is the index x · 16 + z: bit q of x stands for X on qubit q, of z for Z, both for Y. */
globalThis.live = globalThis.live || { data: {} };

live.noisy = (function () {
  "use strict";

  const carry = {
    h(from, q) {
      const to = new Float64Array(from.length), bit = 1 << q, n = Math.log2(from.length) / 2;
      from.forEach((value, s) => {
        const x = s >> n & bit, z = s & bit;
        to[s & ~(bit << n | bit) | (z ? bit << n : 0) | (x ? bit : 0)] += x && z ? -value : value;
      });
      return to;
    },
    ry(from, q, angle) {
      const to = from.slice(), bit = 1 << q, n = Math.log2(from.length) / 2, c = Math.cos(angle), s = Math.sin(angle);
      from.forEach((value, i) => {
        if (i >> n & bit || i & bit) return;
        const x = i | bit << n, z = i | bit; // X turns into cos X + sin Z, Z into cos Z − sin X
        to[x] = c * from[x] - s * from[z];
        to[z] = c * from[z] + s * from[x];
      });
      return to;
    },
    cx(from, control, target) {
      const to = new Float64Array(from.length), n = Math.log2(from.length) / 2;
      from.forEach((value, i) => {
        const xc = i >> n + control & 1, zc = i >> control & 1, xt = i >> n + target & 1, zt = i >> target & 1;
        const sign = xc && zt && xt === zc ? -1 : 1;
        to[i ^ xc << n + target ^ zt << control] += sign * value;
      });
      return to;
    },
  };

  function fade(strings, qubits, factor) {
    const n = Math.log2(strings.length) / 2, on = qubits.reduce((mask, q) => mask | 1 << q, 0);
    strings.forEach((value, i) => { if ((i >> n | i) & on) strings[i] = value * factor; });
  }

  /** The expectation value of the product of Z over `mask` as a series: [{value, waves: [[feature, 0 cos | 1 sin], …]}, …]. */
  function series(circuit, values, mask, { p1, p2, pulses }) {
    const n = circuit.n_qubits;
    let strings = new Float64Array(1 << 2 * n);
    strings[mask] = 1;
    const encoded = new Map();
    for (const [gate, qubits, angle] of circuit.gates.slice().reverse()) {
      if (gate === "barrier") continue;
      if (gate === "p") {
        encoded.set(qubits[0], angle[1]); // [feature, slope]
      } else if (encoded.has(qubits[0])) {
        fade(strings, qubits, (1 - p1) ** pulses[gate]); // the Hadamard gate before the data: it leads to X
      } else {
        fade(strings, qubits, gate === "cx" ? 1 - p2 : (1 - p1) ** pulses[gate]);
        strings = carry[gate](strings, ...qubits, angle && angle.slice(1).reduce((sum, [k, slope]) => sum + slope * values[k], angle[0]));
      }
    }
    const terms = [];
    strings.forEach((value, i) => {
      const x = i >> n, z = i & (1 << n) - 1;
      if (value === 0 || z & ~x) return; // a Z alone has the value 0 where the data are
      const waves = [];
      for (let q = 0; q < n; q++) if (x >> q & 1) waves.push([...encoded.get(q), z >> q & 1]);
      terms.push({ value, waves });
    });
    return terms;
  }

  function valueOf(terms, features) {
    return terms.reduce((sum, { value, waves }) =>
      sum + waves.reduce((product, [k, slope, part]) => product * (part ? Math.sin : Math.cos)(slope * features[k]), value), 0);
  }

  /** The network's scores [N] from exact expectation values. */
  function scores(circuit, network, features, device) {
    const values = weightsOf(circuit, network);
    const each = network.slopes.map((_, q) => series(circuit, values, 1 << q, device));
    return features.map((x) => network.slopes.reduce((sum, v, q) => sum + v * valueOf(each[q], x), network.offset));
  }

  /** The probabilities [N][16] of the circuit's outcomes; bit q of an outcome is what is measured on qubit q. */
  function probabilities(circuit, network, features, device) {
    const values = weightsOf(circuit, network), size = 1 << circuit.n_qubits;
    const each = Array.from({ length: size }, (_, mask) => (mask ? series(circuit, values, mask, device) : []));
    return features.map((x) => {
      const z = each.map((terms, mask) => (mask ? valueOf(terms, x) : 1));
      for (let bit = 1; bit < size; bit <<= 1) {
        for (let i = 0; i < size; i++) if (!(i & bit)) [z[i], z[i | bit]] = [z[i] + z[i | bit], z[i] - z[i | bit]];
      }
      return z.map((value) => Math.max(0, value / size));
    });
  }

  /** Scores [N] from a number of shots each; `random` yields numbers in [0, 1). */
  function sampled(distributions, network, shots, random) {
    const ofOutcome = distributions[0].map((_, outcome) =>
      network.slopes.reduce((sum, v, q) => sum + (outcome >> q & 1 ? -v : v), network.offset));
    return distributions.map((chances) => {
      let sum = 0;
      for (let shot = 0; shot < shots; shot++) {
        let left = random(), outcome = 0;
        while (outcome < chances.length - 1 && left >= chances[outcome]) left -= chances[outcome++];
        sum += ofOutcome[outcome];
      }
      return sum / shots;
    });
  }

  /** Inputs (unused here) and the trained angles, each an equal share in every block. */
  function weightsOf(circuit, network) {
    const blocks = circuit.gates.filter(([gate]) => gate === "ry").length / network.weights.length;
    const shares = Array.from({ length: blocks }, () => network.weights.map((angle) => angle / blocks)).flat();
    return [...Array(circuit.n_inputs).fill(0), ...shares];
  }

  return { probabilities, sampled, scores };
})();
