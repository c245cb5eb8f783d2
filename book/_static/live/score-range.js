/* How far the score of a network can go, whatever the image: the largest and smallest value of b + Σ v_k ⟨Z_k⟩(x).
 * The score is affine in (cos, sin) of each feature's angle alone, so the best angle of one feature, with the others
 * fixed, follows at once. Repeating this feature by feature climbs to a maximum; the best of several starts counts. */
live.scoreRange = (function () {
  "use strict";
  const STARTS = 24, SWEEPS = 200, STILL = 1e-12;

  /** The score as products of cosines and sines of features: [{value, waves: [[feature, 0 for cos, 1 for sin], …]}, …]. */
  function products(forms, nInputs, network) {
    const values = [...Array(nInputs).fill(0), ...network.weights];
    return forms.flatMap((terms, k) => terms.map(({ value, factors }) => ({
      value: live.quantum.term({ value: value * network.slopes[k], factors: factors.filter(([, j]) => j >= nInputs) }, values),
      waves: factors.filter(([, j]) => j < nInputs).map(([wave, j]) => [j, wave === "sin" ? 1 : 0]),
    })));
  }

  function at(terms, points) {
    let sum = 0;
    for (const { value, waves } of terms) sum += waves.reduce((product, [k, part]) => product * points[k][part], value);
    return sum;
  }

  /** Pseudo-random numbers in [0, 1), the same every time. */
  function generator(seed) {
    let state = seed >>> 0;
    return function next() {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 4294967296;
    };
  }

  function randomPoints(n, random) {
    return Array.from({ length: n }, () => {
      const angle = 2 * Math.PI * random();
      return [Math.cos(angle), Math.sin(angle)];
    });
  }

  function highest(terms, n) {
    const random = generator(1);
    let best = -Infinity;
    for (let start = 0; start < STARTS; start++) {
      const points = randomPoints(n, random);
      let reached = at(terms, points);
      for (let sweep = 0; sweep < SWEEPS; sweep++) {
        for (let k = 0; k < n; k++) {
          points[k] = [0, 0];
          const rest = at(terms, points);
          points[k] = [1, 0];
          const along = at(terms, points) - rest;
          points[k] = [0, 1];
          const across = at(terms, points) - rest, length = Math.hypot(along, across);
          points[k] = length ? [along / length, across / length] : [1, 0];
        }
        const now = at(terms, points), gain = now - reached;
        reached = now;
        if (gain < STILL) break;
      }
      best = Math.max(best, reached);
    }
    return best;
  }

  /** The smallest and the largest score. */
  function range(forms, nInputs, network) {
    const terms = products(forms, nInputs, network), mirrored = terms.map((one) => ({ ...one, value: -one.value }));
    return [network.offset - highest(mirrored, nInputs), network.offset + highest(terms, nInputs)];
  }

  /** Scores of features drawn evenly from the circle. */
  function sample(forms, nInputs, network, count) {
    const terms = products(forms, nInputs, network), random = generator(2);
    return Array.from({ length: count }, () => network.offset + at(terms, randomPoints(nInputs, random)));
  }

  return { generator, range, sample };
})();
