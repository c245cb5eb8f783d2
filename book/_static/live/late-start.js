/* The late start: the range of a network's score, whatever the image, and when it reaches both sides of zero. */
live.page.mount("late-start", function (root, data) {
  "use strict";
  const { button, choice, draw, make, named, number, sized, slider, voice } = live.page;
  const { range, sample } = live.scoreRange;
  const say = voice(root), names = Object.keys(data.datasets);
  const titles = { mnist: "MNIST", fashion: "FashionMNIST" };
  const state = { dataset: "fashion", run: 0, epoch: 0, network: null };
  const dataset = () => data.datasets[state.dataset];
  const run = () => dataset().runs[state.run];
  const percent = (share) => `${Math.round(100 * share)} %`;

  // --- choices: dataset, run, epoch

  const pickers = make("div.live-pickers", {});
  let epochPicker;
  function choices() {
    epochPicker = choice({
      legend: "Weights after epoch", chosen: state.epoch, changed: (epoch) => load({ epoch }),
      options: dataset().epochs.map((epoch) => ({ value: epoch, label: epoch ? String(epoch) : "start", said: epoch ? `epoch ${epoch}` : "untrained" })),
    });
    pickers.replaceChildren(
      choice({ legend: "Images", chosen: state.dataset, options: names.map((value) => ({ value, label: [titles[value], make("small", {}, dataset0(value))] })),
        changed: (value) => { state.dataset = value; choices(); load({}); } }).box,
      choice({ legend: "Run, by its random seed; below, its test accuracy after one epoch", chosen: state.run, changed: (which) => load({ run: which }),
        options: dataset().runs.map(({ seed, accuracy }, which) => ({ value: which, label: [String(seed), make("small", {}, percent(accuracy[0]))],
          said: `seed ${seed}, ${percent(accuracy[0])} after one epoch` })) }).box,
      epochPicker.box);
  }
  function dataset0(name) {
    return data.datasets[name].classes.join(" or ");
  }

  // --- the score's range on its axis

  const scale = { limit: 1 };
  let W = 640;
  const at = (f) => W / 2 + (f / scale.limit) * (W / 2 - 18);
  const axis = draw("svg.live-axis", { role: "img" });
  const verdict = make("p.live-verdict", {});

  function density(scores) {
    const BINS = 80, counts = new Array(BINS).fill(0), width = (2 * scale.limit) / BINS;
    for (const f of scores) counts[Math.min(BINS - 1, Math.max(0, Math.floor((f + scale.limit) / width)))] += 1;
    const highest = Math.max(...counts);
    return draw("g.live-density", {}, ...counts.map((count, k) => draw("rect", { x: at(-scale.limit + k * width), width: at(width) - at(0) + 0.5,
      y: 110 - (80 * count) / highest, height: (80 * count) / highest })).filter((_, k) => counts[k]));
  }

  function showAxis([low, high]) {
    const { network } = state, [first, second] = dataset().classes, misses = low > 0 || high < 0;
    scale.limit = [1, 2, 4, 8, 16].find((one) => one > 1.06 * Math.max(high, -low)) || 32;
    const ticks = [-1, -0.5, 0.5, 1].map((share) => share * scale.limit * 0.95).map((f) => Math.round(f * 4) / 4 || f);
    axis.setAttribute("viewBox", `0 0 ${W} 178`);
    axis.replaceChildren(density(sample(data.forms, data.n_inputs, network, 3000)),
      draw("line.dashed", { x1: at(network.offset), x2: at(network.offset), y1: 26, y2: 150 }),
      draw("text", { x: at(network.offset), y: 20 }, "b"),
      draw("line.axis", { x1: 8, x2: W - 8, y1: 150, y2: 150, stroke: "currentColor" }),
      draw("line.zero", { x1: at(0), x2: at(0), y1: 34, y2: 156 }), draw("text", { x: at(0), y: 172 }, "0"),
      ...ticks.map((f) => draw("text.quiet", { x: at(f), y: 172 }, number(f))),
      draw(`line.live-range${misses ? ".misses" : ""}`, { x1: at(low), x2: at(high), y1: 130, y2: 130 }),
      draw("text.start.quiet", { x: 4, y: 44 }, `← ${first}`), draw("text.end.quiet", { x: W - 4, y: 44 }, `${second} →`));
    const always = low > 0 ? second : first, [shortest] = [Math.min(high, -low)];
    const text = misses
      ? `The range misses zero by ${number(-shortest)}: every image whatsoever is a ${always}.`
      : `The range reaches ${number(shortest)} beyond zero: both answers are possible.`;
    verdict.classList.toggle("misses", misses);
    verdict.textContent = text;
    axis.setAttribute("aria-label", `The score lies between ${number(low)} and ${number(high)}. ${text}`);
    Object.assign(root.dataset, { low, high });
    say(text);
  }

  // --- the first epochs of the run: range above, accuracy below

  const LATEST = Math.max(...dataset().epochs), HIGH = 250, course = draw("svg.live-course", { role: "img" });
  const column = (epoch) => 78 + (epoch * (W - 98)) / LATEST, half = () => Math.min(20, (column(1) - column(0)) / 2);
  const ranges = new Map();
  function rangeAt(epoch) {
    const key = `${state.dataset} ${state.run} ${epoch}`;
    if (!ranges.has(key)) ranges.set(key, range(data.forms, data.n_inputs, run().networks[dataset().epochs.indexOf(epoch)]));
    return ranges.get(key);
  }
  function showCourse() {
    const { epochs } = dataset(), all = epochs.map(rangeAt), most = Math.max(...all.flat().map(Math.abs));
    const up = (f) => 62 - (48 * f) / most, level = (share) => 216 - (share - 0.4) * 130;
    course.setAttribute("viewBox", `0 0 ${W} ${HIGH}`);
    course.replaceChildren(
      draw("text.start", { x: 0, y: 16 }, "score"), draw("text.start", { x: 0, y: 66 }, "0"),
      draw("text.start", { x: 0, y: 122 }, "accuracy"), draw("text.start", { x: 0, y: HIGH - 8 }, "epoch"),
      ...[0.5, 1].flatMap((share) => [draw("line.dashed", { x1: column(0) - half(), x2: W, y1: level(share), y2: level(share) }),
        draw("text.start", { x: 0, y: level(share) + 4 }, percent(share))]),
      ...epochs.map((epoch, k) => {
        const [low, high] = all[k], x = column(epoch), misses = low > 0 || high < 0;
        return draw(`g.live-epoch${epoch === state.epoch ? ".chosen" : ""}`, { onclick: () => load({ epoch }) },
          draw("rect", { x: x - half(), y: 2, width: 2 * half(), height: HIGH - 4, rx: 4 }),
          draw(`line.live-range${misses ? ".misses" : ""}`, { x1: x, x2: x, y1: up(low), y2: up(high) }),
          draw("text", { x, y: HIGH - 8 }, String(epoch)));
      }),
      draw("line.zero", { x1: column(0) - half(), x2: W, y1: up(0), y2: up(0) }),
      draw("path.live-curve", { d: run().accuracy.map((share, k) => `${k ? "L" : "M"}${column(k + 1)} ${level(share)}`).join("") }),
      ...run().accuracy.map((share, k) => draw("circle", { cx: column(k + 1), cy: level(share), r: 3.5, fill: "var(--pst-color-primary)" })));
    course.setAttribute("aria-label", `Seed ${run().seed}. ` + epochs.map((epoch, k) =>
      `${epoch ? `After epoch ${epoch}` : "At the start"} the score lies between ${number(all[k][0])} and ${number(all[k][1])}${epoch ? `, test accuracy ${percent(run().accuracy[epoch - 1])}` : ""}.`).join(" "));
  }

  // --- what the reader moves

  const parts = { slopes: ["v", "readout weight"], offset: ["b", "offset"], weights: ["θ", "circuit angle"] };
  const sliders = { slopes: [], weights: [] };
  for (const part of ["slopes", "weights"]) {
    for (let k = 0; k < data.n_inputs; k++) {
      const [name, said] = parts[part], most = part === "slopes" ? 3 : 3.14;
      sliders[part].push(slider({ label: named(name, k), said: `${said} ${name} ${k}`, role: part === "weights" ? "trained" : "plain", min: -most, max: most,
        step: 0.01, changed: (value) => { state.network[part][k] = value; update(); } }));
    }
  }
  const offset = slider({ label: "b", said: "offset b", min: -1.5, max: 1.5, step: 0.01, changed: (value) => { state.network.offset = value; update(); } });

  function load(change) {
    Object.assign(state, change);
    const recorded = run().networks[dataset().epochs.indexOf(state.epoch)];
    state.network = structuredClone(recorded);
    epochPicker.set(state.epoch);
    sliders.slopes.forEach((one, k) => one.set(recorded.slopes[k]));
    sliders.weights.forEach((one, k) => one.set(recorded.weights[k] - 2 * Math.PI * Math.round(recorded.weights[k] / (2 * Math.PI))));
    offset.set(recorded.offset);
    showCourse();
    update();
  }
  function update() {
    showAxis(range(data.forms, data.n_inputs, state.network));
  }

  root.append(pickers, verdict, make("p.live-legend", {}, "Scores of 3000 random feature vectors, and their whole range as a bar"), axis,
    make("div.live-sliders", {}, make("div", {}, offset.row, ...sliders.slopes.slice(0, 2).map((s) => s.row)), make("div", {}, ...sliders.slopes.slice(2).map((s) => s.row),
      make("div.live-buttons.tight", {}, button("as recorded", () => load({}))))),
    make("details", {}, make("summary", {}, "The circuit's angles too"), make("div.live-sliders", {},
      make("div", {}, ...sliders.weights.slice(0, 2).map((s) => s.row)), make("div", {}, ...sliders.weights.slice(2).map((s) => s.row)))),
    make("p.live-title", {}, "This run's first epochs: the range of its score, and its test accuracy"), course);
  choices();
  load({});
  sized(root, (width) => {
    W = width;
    showCourse();
    update();
  });
});
