/* The circuit explorer: four features and four angles, and what they do to the state, step by step. */
live.page.mount("circuit", function (root, data) {
  "use strict";
  const { button, choice, draw, make, named, number, slider, voice } = live.page;
  const { bloch, closed, run, score, term } = live.quantum;
  const whole = data.circuits["11"], N = whole.n_qubits, qubits = [...Array(N).keys()];
  const stages = whole.gates.filter(([gate]) => gate === "barrier").map(([, , label]) => label);
  const lower = (label) => named(label[0], Number(label.slice(1)));
  const wrap = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
  const state = { values: [], network: data.networks.trained, stage: stages.at(-1), first: true, second: true };
  const say = voice(root);

  // --- the circuit as a drawing; a click on a dashed line shows the state there

  const STEP = 33, LEFT = 24, TOP = 26;
  const y = (q) => TOP + 12 + 34 * q;
  const lines = {}, ladders = [[], []];

  function drawing() {
    const svg = draw("svg.live-circuit", { "aria-hidden": "true" });
    let base = 0, free = qubits.map(() => 0), met = 0;
    const at = (column) => LEFT + 18 + STEP * column + 9 * met;
    const marks = [], gates = [];
    for (const [gate, on, label] of whole.gates) {
      const column = Math.max(...on.map((q) => free[q]));
      if (gate === "barrier") {
        const x = at(column) - STEP / 2 + 4;
        lines[label] = draw("g.live-stage", { onclick: () => choose(label) },
          draw("rect", { x: x - 12, y: 0, width: 24, height: y(N - 1) + 22 }),
          draw("line", { x1: x, x2: x, y1: 18, y2: y(N - 1) + 18 }),
          draw("text", { x, y: 13 }, lower(label)));
        marks.push(lines[label]);
        base = column;
        free = qubits.map(() => base);
        met += 1;
        continue;
      }
      const x = at(column);
      if (gate === "cx") {
        const [a, b] = on.map(y);
        const one = draw("g.live-cnot", {}, draw("line", { x1: x, x2: x, y1: a, y2: b }), draw("circle.dot", { cx: x, cy: a, r: 4 }),
          draw("circle.sum", { cx: x, cy: b, r: 9 }), draw("path", { d: `M${x - 9} ${b}h18M${x} ${b - 9}v18` }));
        gates.push(one);
        ladders[met > 2 ? 1 : 0].push(one);
      } else {
        const role = !label ? "fixed" : label[1][0] < whole.n_inputs ? "data" : "trained";
        const name = { h: "H", p: "U₁", ry: "Rʏ", rx: "Rx", rz: "Rz" }[gate];
        gates.push(draw(`g.live-gate.${role}`, {}, draw("rect", { x: x - 13, y: y(on[0]) - 13, width: 26, height: 26, rx: 3 }),
          draw("text", { x, y: y(on[0]) + 5 }, name)));
      }
      for (const q of on) free[q] = column + 1;
    }
    const width = at(base) + 4;
    svg.setAttribute("viewBox", `0 0 ${width} ${y(N - 1) + 24}`);
    for (const q of qubits) {
      svg.append(draw("line.wire", { x1: LEFT, x2: width - 8, y1: y(q), y2: y(q) }), draw("text.wire", { x: 2, y: y(q) + 4 }, named("q", q)));
    }
    svg.append(...marks, ...gates);
    return svg;
  }

  // --- what the reader moves

  const said = { x: "feature", θ: "trained angle" };
  const sliders = ["x", "θ"].flatMap((name, of) => qubits.map((q) => slider({
    label: named(name, q), said: `${said[name]} ${name} ${q}, radians`, role: of ? "trained" : "data",
    min: -3.14, max: 3.14, step: 0.01, changed: (value) => { state.values[N * of + q] = value; update(); },
  })));
  const after = ["H", "data", "CNOTs", "trained", "CNOTs", "H"];
  const stagePicker = choice({
    legend: "State shown, after", chosen: state.stage, changed: choose,
    options: stages.map((value, k) => ({ value, label: [lower(value), make("small", {}, after[k])], said: `psi ${k + 1}, after ${after[k]}` })),
  });
  const ladderBoxes = [["first", "CNOTs before the rotations"], ["second", "CNOTs after them"]].map(([key, text]) => {
    const input = make("input", { type: "checkbox", onchange: () => { state[key] = input.checked; terms(); update(); } });
    input.checked = true;
    return [key, input, make("label.live-check", {}, input, text)];
  });

  function choose(stage) {
    state.stage = stage;
    stagePicker.set(stage);
    update();
  }

  function set(values) {
    state.values = values.slice();
    sliders.forEach((one, k) => one.set(wrap(values[k])));
    update();
  }

  function load(name, which) {
    state.network = data.networks[name];
    set([...state.network.features[which], ...state.network.weights]);
  }

  const presets = make("div.live-buttons", { role: "group", "aria-label": "Set features and angles" },
    ...Object.keys(data.networks).reverse().flatMap((name) => data.classes.map((digit, which) =>
      button(`${name}: a ${digit}`, () => load(name, which)))),
    button("θ = 0", () => set(state.values.map((value, k) => (k < N ? value : 0)))),
    button("x → −x", () => set(state.values.map((value, k) => (k < N ? -value : value)))),
    button("random", () => set(state.values.map(() => 2 * Math.PI * (Math.random() - 0.5)))));

  // --- what follows: Bloch vectors, amplitudes, outputs, the closed form

  const AZIMUTH = 0.52, ELEVATION = 0.33, R = 38;
  function place([a, b, c]) {
    const right = b * Math.cos(AZIMUTH) - a * Math.sin(AZIMUTH), near = a * Math.cos(AZIMUTH) + b * Math.sin(AZIMUTH);
    return [50 + R * right, 50 - R * (c * Math.cos(ELEVATION) - near * Math.sin(ELEVATION))];
  }
  function segment(kind, from, to) {
    const [x1, y1] = place(from), [x2, y2] = place(to);
    return draw(`line.${kind}`, { x1, y1, x2, y2 });
  }
  const spheres = qubits.map((q) => {
    const arrow = draw("g.arrow", {}), caption = make("figcaption", {});
    const [xAt, yAt] = [place([1.28, 0, 0]), place([0, 1.2, 0])];
    const svg = draw("svg", { viewBox: "0 0 100 100", role: "img" },
      draw("circle.ball", { cx: 50, cy: 50, r: R }), draw("ellipse.ball", { cx: 50, cy: 50, rx: R, ry: R * Math.sin(ELEVATION) }),
      segment("axis", [-1, 0, 0], [1, 0, 0]), segment("axis", [0, -1, 0], [0, 1, 0]), segment("axis", [0, 0, -1], [0, 0, 1]),
      draw("text", { x: 50, y: 10 }, "0"), draw("text", { x: 50, y: 99 }, "1"),
      draw("text", { x: xAt[0], y: xAt[1] + 4 }, "x"), draw("text", { x: yAt[0], y: yAt[1] + 4 }, "y"), arrow);
    function show(vector) {
      const length = Math.hypot(...vector), [x, top] = place(vector);
      arrow.replaceChildren(segment("drop", vector, [vector[0], vector[1], 0]), segment("shadow", [0, 0, 0], [vector[0], vector[1], 0]),
        segment("vector", [0, 0, 0], vector), draw("circle", { cx: x, cy: top, r: 4.5 }));
      svg.setAttribute("aria-label", `Bloch vector of qubit ${q}: x ${number(vector[0])}, y ${number(vector[1])}, z ${number(vector[2])}, length ${number(length)}`);
      caption.textContent = `${named("q", q)}: ${number(length)}`;
    }
    return { show, box: make("figure.live-sphere", {}, svg, caption) };
  });

  const CELL = 48;
  const amplitudes = draw("svg.live-amplitudes", { viewBox: `0 0 ${8 * CELL} ${2 * CELL + 32}`, role: "img" });
  function showAmplitudes({ re, im }) {
    let largest = 0;
    amplitudes.replaceChildren(...Array.from(re, (a, i) => {
      const b = im[i], modulus = Math.hypot(a, b), phase = Math.atan2(b, a), r = 22 * Math.sqrt(modulus);
      const x = CELL * (i % 8 + 0.5), top = (CELL + 16) * (i >> 3) + CELL / 2;
      if (modulus > Math.hypot(re[largest], im[largest]) + 1e-9) largest = i;
      const cell = draw("g", {}, draw("circle.full", { cx: x, cy: top, r: 22 }),
        draw("text", { x, y: top + CELL / 2 + 11 }, i.toString(2).padStart(N, "0")));
      if (modulus > 1e-3) {
        cell.append(draw("circle", { cx: x, cy: top, r, style: `fill:oklch(0.74 0.13 ${(phase * 180) / Math.PI + 250})` }),
          draw("line", { x1: x, y1: top, x2: x + r * Math.cos(phase), y2: top - r * Math.sin(phase) }));
      }
      return cell;
    }));
    amplitudes.setAttribute("aria-label", `Sixteen amplitudes. The largest, of ${largest.toString(2).padStart(N, "0")}, has modulus ${number(Math.hypot(re[largest], im[largest]))} and phase ${number(Math.atan2(im[largest], re[largest]))}.`);
  }

  /** A bar from the middle, as long as the value is large; 1 fills its half. */
  function bar() {
    const inner = make("span", {});
    const show = (value) => {
      const share = 50 * Math.min(1, Math.abs(value));
      inner.style.cssText = `left:${value < 0 ? 50 - share : 50}%;width:${share}%`;
      inner.classList.toggle("negative", value < 0);
    };
    return { show, box: make("span.live-bar", { "aria-hidden": "true" }, inner) };
  }

  const outputs = qubits.map((q) => {
    const one = bar(), value = make("td", {}), weight = make("td", {}), share = make("td", {});
    const row = make("tr", {}, make("th", { scope: "row" }, `⟨${named("Z", q)}⟩`), make("td.wide", {}, one.box), value, weight, share);
    return { row, show(z, v) {
      one.show(z);
      [value.textContent, weight.textContent, share.textContent] = [number(z), `× ${number(v)}`, number(z * v)];
    } };
  });
  const offset = make("td", {}), total = make("td", {}), verdict = make("td", { colspan: 3 });
  const table = make("table.live-table", {},
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "output"), make("td", {}), make("th", { scope: "col" }, "value"),
      make("th", { scope: "col" }, "weight"), make("th", { scope: "col" }, "share"))),
    make("tbody", {}, ...outputs.map(({ row }) => row),
      make("tr", {}, make("th", { scope: "row" }, "b"), make("td", { colspan: 3 }), offset),
      make("tr.sum", {}, make("th", { scope: "row" }, "score"), verdict, total)));

  const formulas = make("div.live-forms", {});
  let shownTerms = [];
  function factor([wave, k, slope]) {
    const weight = k >= N;
    return make(`span.${weight ? "trained" : "data"}`, {}, `${wave} ${slope === 1 ? "" : slope}${named(weight ? "θ" : "x", weight ? k - N : k)}`);
  }
  function variant() {
    return `${Number(state.first)}${Number(state.second)}`;
  }
  function terms() {
    shownTerms = [];
    formulas.replaceChildren(...data.forms[variant()].map((sum, q) => {
      const value = make("b", {});
      const items = sum.map((one) => {
        const mark = bar(), number = make("span.value", {});
        shownTerms.push({ one, mark, number });
        const ordered = [...one.factors].sort((a, b) => (b[1] >= N) - (a[1] >= N));
        return make("li", {}, make("span.formula", {}, one.value < 0 ? "− " : "+ ", ...ordered.flatMap((one) => [factor(one), " "])), mark.box, number);
      });
      shownTerms.push({ q, number: value });
      return make("div", {}, make("p", {}, `⟨${named("Z", q)}⟩ = `, value), make("ul", {}, ...items));
    }));
    for (const [key, , label] of ladderBoxes) label.classList.toggle("off", !state[key]);
    ladders.forEach((gates, which) => gates.forEach((gate) => gate.classList.toggle("off", !state[which ? "second" : "first"])));
  }

  function update() {
    const circuit = data.circuits[variant()], { values, network } = state;
    const shown = run(circuit, values, state.stage), end = run(circuit, values);
    const z = qubits.map((q) => bloch(end, q)[2]), f = score(network, z), parts = closed(data.forms[variant()], values);
    for (const [label, line] of Object.entries(lines)) line.classList.toggle("chosen", label === state.stage);
    spheres.forEach(({ show }, q) => show(bloch(shown, q)));
    showAmplitudes(shown);
    outputs.forEach(({ show }, q) => show(z[q], network.slopes[q]));
    for (const { one, mark, q, number: text } of shownTerms) {
      const value = one ? term(one, values) : parts[q];
      if (mark) mark.show(value);
      text.textContent = number(value, 3);
    }
    const name = data.classes[f > 0 ? 1 : 0];
    [offset.textContent, total.textContent, verdict.textContent] = [number(network.offset), number(f), `the network says: ${name}`];
    Object.assign(root.dataset, { z: JSON.stringify(z), closed: JSON.stringify(parts), score: f });
    say(`Outputs ${z.map((one) => number(one)).join(", ")}. Score ${number(f)}: the network says ${name}.`);
  }

  root.append(presets,
    make("div.live-halves.uneven", {}, make("div", {}, drawing(), stagePicker.box, make("div", {}, ...ladderBoxes.map(([, , label]) => label))),
      make("div", {}, make("p.live-legend", {}, "Bloch vectors and their lengths"), make("div.live-spheres", {}, ...spheres.map((s) => s.box)))),
    make("div.live-halves", {},
      make("div", {}, make("div.live-sliders", {}, make("div", {}, ...sliders.slice(0, N).map((s) => s.row)),
        make("div", {}, ...sliders.slice(N).map((s) => s.row)))),
      make("div", {}, make("p.live-legend", {}, "Amplitudes: area is modulus, hand and colour are phase"), amplitudes)),
    make("p.live-title", {}, "What the network makes of it"), table,
    make("p.live-title", {}, "The same outputs from the formula"), formulas);
  terms();
  load("trained", 0);
});
