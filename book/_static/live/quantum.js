/* A few qubits as a state vector. Circuits come from the library as lists of gates, so none is written here.
 * Qubit q is bit q of an index, as in Qiskit. No function here touches the page. */
globalThis.live = globalThis.live || { data: {} };

live.quantum = (function () {
  "use strict";
  const HALF = Math.SQRT1_2;

  /** The matrix [[a, b], [c, d]] of a one-qubit gate, as [re a, im a, re b, im b, re c, im c, re d, im d]. */
  function matrix(gate, angle) {
    const c = Math.cos(angle / 2), s = Math.sin(angle / 2);
    switch (gate) {
      case "h": return [HALF, 0, HALF, 0, HALF, 0, -HALF, 0];
      case "p": return [1, 0, 0, 0, 0, 0, Math.cos(angle), Math.sin(angle)];
      case "rx": return [c, 0, 0, -s, 0, -s, c, 0];
      case "ry": return [c, 0, -s, 0, s, 0, c, 0];
      case "rz": return [c, -s, 0, 0, 0, 0, c, s];
    }
    throw new Error("no such gate: " + gate);
  }

  function applyMatrix(state, q, m) {
    const { re, im } = state, bit = 1 << q;
    for (let i = 0; i < re.length; i++) {
      if (i & bit) continue;
      const j = i | bit, ar = re[i], ai = im[i], br = re[j], bi = im[j];
      re[i] = m[0] * ar - m[1] * ai + m[2] * br - m[3] * bi;
      im[i] = m[0] * ai + m[1] * ar + m[2] * bi + m[3] * br;
      re[j] = m[4] * ar - m[5] * ai + m[6] * br - m[7] * bi;
      im[j] = m[4] * ai + m[5] * ar + m[6] * bi + m[7] * br;
    }
  }

  function applyCnot(state, control, target) {
    for (const part of [state.re, state.im]) {
      for (let i = 0; i < part.length; i++) {
        if (!(i >> control & 1) || i >> target & 1) continue;
        const j = i | 1 << target, kept = part[i];
        part[i] = part[j];
        part[j] = kept;
      }
    }
  }

  /** An angle [constant, [parameter, slope], …] in radians; parameters are inputs, then weights. */
  function angleOf(angle, values) {
    return angle.slice(1).reduce((sum, [k, slope]) => sum + slope * values[k], angle[0]);
  }

  /** The state after a circuit, or at its barrier `until`: amplitudes re [2^n] and im [2^n]. */
  function run(circuit, values, until) {
    const size = 1 << circuit.n_qubits;
    const state = { re: new Float64Array(size), im: new Float64Array(size) };
    state.re[0] = 1;
    for (const [gate, qubits, angle] of circuit.gates) {
      if (gate === "barrier") {
        if (angle === until) break;
      } else if (gate === "cx") {
        applyCnot(state, qubits[0], qubits[1]);
      } else {
        applyMatrix(state, qubits[0], matrix(gate, angle ? angleOf(angle, values) : 0));
      }
    }
    return state;
  }

  /** The Bloch vector of one qubit: expectation values of X, Y and Z. */
  function bloch({ re, im }, q) {
    let x = 0, y = 0, z = 0;
    for (let i = 0; i < re.length; i++) {
      z += (i >> q & 1 ? -1 : 1) * (re[i] * re[i] + im[i] * im[i]);
      if (i >> q & 1) continue;
      const j = i | 1 << q;
      x += 2 * (re[i] * re[j] + im[i] * im[j]);
      y += 2 * (re[i] * im[j] - im[i] * re[j]);
    }
    return [x, y, z];
  }

  /** The expectation values of the circuit's Pauli matrix, one per qubit. */
  function outputs(circuit, values) {
    const state = run(circuit, values), axis = "XYZ".indexOf(circuit.measured);
    return Array.from({ length: circuit.n_qubits }, (_, q) => bloch(state, q)[axis]);
  }

  /** One product of a closed form, {value, factors: [[wave, parameter, slope], …]}. */
  function term({ value, factors }, values) {
    return factors.reduce((product, [wave, k, slope]) => product * Math[wave](slope * values[k]), value);
  }

  /** Expectation values from their closed forms [outputs][terms]. */
  function closed(forms, values) {
    return forms.map((terms) => terms.reduce((sum, one) => sum + term(one, values), 0));
  }

  /** The score b + v · z, positive for the second class. */
  function score({ slopes, offset }, z) {
    return slopes.reduce((sum, v, k) => sum + v * z[k], offset);
  }

  return { angleOf, bloch, closed, outputs, run, score, term };
})();
