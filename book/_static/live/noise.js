/* The noise slider: depth, strength of errors and number of shots move the scores of real images to the threshold. */
live.page.mount("noise", function (root, data) {
  "use strict";
  const { choice, draw, make, number, sized, slider, voice } = live.page;
  const { probabilities, sampled, scores } = live.noisy;
  const say = voice(root), depths = Object.keys(data.circuits);
  const state = { depth: depths[0], p2: data.today.depolarising, shots: 0, reset: false };
  const percent = (share) => `${number(100 * share, 1)}\u00a0%`;
  const deviceOf = (p2) => ({ p1: data.p1_over_p2 * p2, p2, pulses: data.pulses });
  const perfect = scores(data.circuits[depths[0]], data.network, data.features, deviceOf(0));

  function midpoint(of) {
    const means = [0, 1].map((label) => {
      const those = of.filter((_, i) => data.labels[i] === label);
      return those.reduce((sum, f) => sum + f, 0) / those.length;
    });
    return (means[0] + means[1]) / 2;
  }
  const accuracy = (of, threshold) => of.filter((f, i) => (f > threshold ? 1 : 0) === data.labels[i]).length / of.length;
  let seed = 1;
  function random() { // of the mulberry32 kind: the same shots for the same settings
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  function noisy(depth, p2, shots) {
    const circuit = data.circuits[depth], device = deviceOf(p2);
    if (!shots) return scores(circuit, data.network, data.features, device);
    seed = 1;
    return sampled(probabilities(circuit, data.network, data.features, device), data.network, shots, random);
  }

  // --- scores as dots, one lane per class

  let W = 640;
  const limit = 1.08 * Math.max(...perfect.map(Math.abs)), at = (f) => W / 2 + (f / limit) * (W / 2 - 10);
  const lane = (label, i) => 44 + 66 * label + 44 * ((i * 0.618034) % 1);
  const cloud = draw("svg.live-cloud", { role: "img" });
  const verdict = make("p.live-verdict", {});
  function showCloud(found, threshold) {
    const wrong = found.filter((f, i) => (f > threshold ? 1 : 0) !== data.labels[i]).length, share = accuracy(found, threshold);
    cloud.setAttribute("viewBox", `0 0 ${W} 204`);
    cloud.replaceChildren(
      draw("text.start.quiet", { x: 4, y: 14 }, `← says ${data.classes[0]}`), draw("text.end.quiet", { x: W - 4, y: 14 }, `says ${data.classes[1]} →`),
      draw("line.dashed", { x1: at(data.network.offset), x2: at(data.network.offset), y1: 34, y2: 172 }),
      draw("line.zero", { x1: at(threshold), x2: at(threshold), y1: 22, y2: 178 }),
      draw("text", { x: at(threshold), y: 14 }, "threshold"),
      ...found.map((f, i) => {
        const off = (f > threshold ? 1 : 0) !== data.labels[i];
        return draw(`circle.live-score${data.labels[i] ? ".second" : ""}${off ? ".wrong" : ""}`, { cx: at(Math.max(-limit, Math.min(limit, f))), cy: lane(data.labels[i], i), r: off ? 4.5 : 3.2 });
      }),
      draw("line.axis", { x1: 8, x2: W - 8, y1: 178, y2: 178, stroke: "currentColor" }),
      ...[-4, -2, 0, 2, 4].map((f) => draw("text.quiet", { x: at(f), y: 196 }, number(f, 0))));
    const text = `${percent(share)} right, ${wrong} of ${found.length} wrong; without noise ${percent(accuracy(perfect, 0))}.`;
    cloud.setAttribute("aria-label", `Scores of ${found.length} test images, each class in its own lane. ${text}`);
    verdict.textContent = text;
    verdict.classList.toggle("misses", share < 0.9);
    Object.assign(root.dataset, { accuracy: share, scores: JSON.stringify(found) });
    say(text);
  }

  // --- accuracy against strength, one line per depth

  const strengths = data.p2, [least, most] = [strengths[0], strengths.at(-1)];
  const across = (p2) => 56 + ((W - 138) * Math.log(p2 / least)) / Math.log(most / least), level = (share) => 150 - 250 * (share - 0.48);
  const chart = draw("svg.live-chart", { role: "img" });
  const fine = Array.from({ length: 33 }, (_, k) => least * (most / least) ** (k / 32));
  const curves = {};
  function curve(depth) {
    const key = `${depth} ${state.reset}`;
    return curves[key] ||= fine.map((p2) => {
      const found = noisy(depth, p2, 0);
      return accuracy(found, state.reset ? midpoint(found) : 0);
    });
  }
  function showChart() {
    chart.setAttribute("viewBox", `0 0 ${W} 190`);
    chart.replaceChildren(
      ...[0.5, 0.75, 1].flatMap((share) => [draw("line.dashed", { x1: 48, x2: W - 80, y1: level(share), y2: level(share), opacity: 0.5 }),
        draw("text.end.quiet", { x: 42, y: level(share) + 4 }, `${Math.round(100 * share)} %`)]),
      ...[0.001, 0.01, 0.1, 0.5].map((p2) => draw("text.quiet", { x: across(p2), y: 170 }, `${number(100 * p2, p2 < 0.01 ? 1 : 0)} %`)),
      draw("line.dashed", { x1: across(data.today.depolarising), x2: across(data.today.depolarising), y1: 12, y2: 154 }),
      draw("text.quiet", { x: across(data.today.depolarising), y: 184 }, "hardware today"),
      draw("line.zero", { x1: across(state.p2), x2: across(state.p2), y1: 12, y2: 154 }),
      ...depths.map((depth, k) => draw("path.live-curve", { d: curve(depth).map((share, i) => `${i ? "L" : "M"}${across(fine[i]).toFixed(1)} ${level(share).toFixed(1)}`).join(""),
        opacity: depth === state.depth ? 1 : 0.35, "stroke-dasharray": ["none", "9 3", "5 3", "2 3"][k], "stroke-width": depth === state.depth ? 3 : 2 })),
      ...depths.map((depth, k) => draw("g", {}, draw("line.live-curve", { x1: W - 74, x2: W - 46, y1: 30 + 22 * k, y2: 30 + 22 * k, "stroke-dasharray": ["none", "9 3", "5 3", "2 3"][k] }),
        draw("text.start", { x: W - 40, y: 34 + 22 * k }, depth === "1" ? "1 block" : `${depth}`))));
    chart.setAttribute("aria-label", `Accuracy against the strength of errors, with exact expectation values. It falls below 75 % at ` +
      depths.map((depth) => { const k = curve(depth).findIndex((share) => share < 0.75); return `${k < 0 ? "no strength shown" : percent(fine[k])} with ${depth} blocks`; }).join(", ") + ".");
  }

  // --- what the reader moves

  const depthPicker = choice({ legend: "Blocks: the same function, deeper", chosen: state.depth, options: depths.map((value) => ({ value, label: value, said: `${value} blocks` })),
    changed: (depth) => { state.depth = depth; update(); } });
  const shotPicker = choice({ legend: "Shots per image", chosen: 0, changed: (shots) => { state.shots = shots; update(); },
    options: [1, 4, 16, 64, 256, 1024].filter((shots) => data.shots.includes(shots)).concat(0).map((value) => ({ value, label: value ? String(value) : "exact" })) });
  const strength = slider({ label: "p₂", said: "strength of errors after a CNOT", min: Math.log10(least), max: Math.log10(most), step: 0.01,
    format: (log) => percent(10 ** log), changed: (log) => { state.p2 = 10 ** log; update(); } });
  strength.row.classList.add("wide");
  const box = make("input", { type: "checkbox", onchange: () => { state.reset = box.checked; update(); } });

  function update() {
    const found = noisy(state.depth, state.p2, state.shots);
    showCloud(found, state.reset ? midpoint(found) : 0);
    showChart();
  }

  root.append(make("div.live-halves", {}, make("div", {}, depthPicker.box), make("div", {}, shotPicker.box)), strength.row,
    make("label.live-check", {}, box, "Set the threshold anew, half way between the means of the classes"), verdict,
    make("p.live-legend", {}, `${data.features.length} test images by score: ${data.classes[0]}s above, ${data.classes[1]}s below; rings are wrong, the dashed line is the offset b`), cloud,
    make("p.live-title", {}, "Accuracy against p₂, with exact expectation values"), chart);
  strength.set(Math.log10(state.p2));
  sized(root, (width) => {
    W = width;
    update();
  });
});
