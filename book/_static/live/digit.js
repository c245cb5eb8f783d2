/* A digit drawn by hand, and what the recorded networks make of it while the pen moves. */
live.page.mount("digit", function (root, data) {
  "use strict";
  const { button, draw, make, number, voice } = live.page;
  const { bytes, centre, looking, prepare, run, softmax } = live.network;
  const SIZE = 280, PEN = 24, STRIDE = 12, PIXELS = 28, REST = 150, SLICE = 12; // the last two in milliseconds
  const say = voice(root), classes = [...Array(10).keys()];
  const networks = data.networks.map(prepare);
  const called = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;
  const percent = (share) => `${number(100 * share, 0)}\u00a0%`;

  // --- the drawing: by finger, mouse or keys

  const canvas = make("canvas.live-draw", { width: SIZE, height: SIZE, tabindex: 0, role: "img",
    "aria-label": "Drawing area. With the keyboard, the arrow keys move the pen, and the space bar lowers and lifts it." });
  const cursor = make("span.live-pen", { hidden: "" }), ink = canvas.getContext("2d", { willReadFrequently: true });
  const START = { x: SIZE / 2, y: SIZE / 5, down: false }, pen = { ...START };
  let given = null; // a digit of MNIST that the networks get as it is

  function stroke(from, to) {
    given = null;
    ink.strokeStyle = getComputedStyle(canvas).color;
    Object.assign(ink, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    ink.beginPath();
    ink.moveTo(from.x, from.y);
    ink.lineTo(to.x, to.y + 0.01);
    ink.stroke();
    later();
  }
  function place(event) {
    const box = canvas.getBoundingClientRect(), unit = SIZE / box.width;
    return { x: (event.clientX - box.left - canvas.clientLeft) * unit, y: (event.clientY - box.top - canvas.clientTop) * unit };
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    Object.assign(pen, place(event), { down: true });
    stroke(pen, pen);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pen.down || !event.buttons) return;
    const all = event.getCoalescedEvents?.() || [];
    for (const one of all.length ? all : [event]) {
      const to = place(one);
      stroke(pen, to);
      Object.assign(pen, to);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { pen.down = false; });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    if (!step) pen.down = !pen.down;
    const [dx, dy] = step || [0, 0], kept = (value) => Math.min(SIZE - PEN / 2, Math.max(PEN / 2, value));
    const to = { x: kept(pen.x + STRIDE * dx), y: kept(pen.y + STRIDE * dy) };
    if (pen.down) stroke(pen, to);
    Object.assign(pen, to);
    cursor.hidden = false;
    cursor.style.cssText = `left:${(100 * pen.x) / SIZE}%;top:${(100 * pen.y) / SIZE}%`;
    cursor.classList.toggle("down", pen.down);
  });
  canvas.addEventListener("blur", () => {
    cursor.hidden = true;
    pen.down = false;
  });

  function clear() {
    ink.clearRect(0, 0, SIZE, SIZE);
    given = null;
    Object.assign(pen, START);
    later();
  }
  function picture(pixels, side, most) {
    const small = make("canvas", { width: side, height: side }), context = small.getContext("2d"), image = context.createImageData(side, side);
    const [r, g, b] = getComputedStyle(canvas).color.match(/\d+/g).map(Number);
    pixels.forEach((value, i) => image.data.set([r, g, b, Math.round((255 * value) / most)], 4 * i));
    context.putImageData(image, 0, 0);
    return small;
  }
  function show(small, margin, digit) {
    ink.clearRect(0, 0, SIZE, SIZE);
    ink.imageSmoothingQuality = "high";
    ink.drawImage(small, margin, margin, SIZE - 2 * margin, SIZE - 2 * margin);
    given = digit;
    update();
  }

  // --- what follows: the image, the angles, the classes

  const square = (kind, label) => make(`canvas.${kind}`, { width: PIXELS, height: PIXELS, role: "img", "aria-label": label });
  const seen = square("live-seen", "The drawing as the networks get it, 28 by 28 pixels");
  function paint(where, colour) {
    const context = where.getContext("2d"), pixels = context.createImageData(PIXELS, PIXELS);
    for (let i = 0; i < PIXELS * PIXELS; i++) pixels.data.set([...colour(i), 255], 4 * i);
    context.putImageData(pixels, 0, 0);
  }
  const FOR = [255, 170, 60], AGAINST = [70, 160, 255]; // orange and blue on a dark image, whatever the page's colours
  function paintHeat(where, image, heat, scale) {
    paint(where, (i) => {
      const grey = 150 * image[i], share = heat ? Math.min(1, Math.abs(heat[i]) / scale) : 0;
      return (heat && heat[i] < 0 ? AGAINST : FOR).map((one) => grey + share * (one - grey));
    });
  }

  const readers = networks.map(({ name, accuracy }, k) => {
    const rows = classes.map((digit) => {
      const bar = make("span", {}), value = make("span.value", {});
      return { bar, value, row: make("div.live-class", {}, make("b", {}, String(digit)), make("span.live-share", {}, bar), value) };
    });
    const answer = make("p.live-answer", {}), heat = square("live-heat", "");
    const box = make(`div.live-reader.of-${k}`, {}, make("p.live-name", {}, name), answer, heat, make("div.live-classes", {}, ...rows.map(({ row }) => row)),
      make("p.live-legend", {}, `right on ${number(100 * accuracy, 2)}\u00a0% of MNIST’s test digits`));
    return { answer, box, heat, rows };
  });
  const verdict = make("p.live-verdict", {}), key = make("p.live-legend.live-key", {});

  const hybrid = networks.findIndex(({ circuit }) => circuit), n = networks[hybrid].circuit.n_qubits;
  const dials = Array.from({ length: networks[hybrid].n_circuits * n }, () => {
    const hand = draw("line", { x1: 0, y1: 0 }), bar = make("span", {}), box = make("span.live-bar", {}, bar);
    return { row: make("div.live-dial", {}, draw("svg", { viewBox: "-12 -12 24 24" }, draw("circle", { r: 11 }), hand), box), show(angle, output) {
      hand.setAttribute("x2", 10 * Math.sin(angle));
      hand.setAttribute("y2", -10 * Math.cos(angle));
      bar.style.cssText = `left:${output < 0 ? 50 + 50 * output : 50}%;width:${50 * Math.abs(output)}%`;
      bar.classList.toggle("negative", output < 0);
    } };
  });
  const panels = make("div.live-panels", { role: "img", "aria-label": "The twenty angles that enter the four circuits, as hands, and the twenty values that leave them, as bars" },
    ...Array.from({ length: networks[hybrid].n_circuits }, (_, c) =>
      make("div", {}, make("p.live-legend", {}, `circuit ${c + 1}`), ...dials.slice(c * n, (c + 1) * n).map((one) => one.row))));

  let waiting = false;
  function later() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      update();
    });
  }
  function update() {
    const ink28 = () => {
      const pixels = ink.getImageData(0, 0, SIZE, SIZE).data;
      return centre(Float64Array.from({ length: SIZE * SIZE }, (_, i) => pixels[4 * i + 3] / 255), SIZE);
    };
    const image = given ? Float64Array.from(bytes(given.pixels), (grey) => grey / 255) : ink28();
    const empty = !image.some(Boolean), found = networks.map((network) => run(network, image));
    paint(seen, (i) => Array(3).fill(255 * image[i]));
    const shares = found.map((one) => softmax(one.scores)), answers = shares.map((share) => share.indexOf(Math.max(...share)));
    readers.forEach(({ answer, heat, rows }, k) => {
      const sure = percent(shares[k][answers[k]]);
      answer.replaceChildren(...empty ? [] : [make("b", {}, String(answers[k])), ` ${sure}`]);
      rows.forEach(({ bar, value, row }, digit) => {
        row.classList.toggle("answer", !empty && answers[k] === digit);
        bar.style.width = empty ? 0 : `${100 * shares[k][digit]}%`;
        value.textContent = empty ? "" : percent(shares[k][digit]);
      });
      paintHeat(heat, image);
      heat.setAttribute("aria-label", empty ? "no drawing yet" : `Where ${networks[k].name} looks: not computed yet`);
    });
    dials.forEach((one, k) => one.show(empty ? 0 : found[hybrid].angles[k], empty ? 0 : found[hybrid].outputs[k]));
    const alike = new Set(answers).size === 1;
    const read = alike ? `All three read ${called(answers[0])}.` : `They differ: ${networks.map(({ name }, k) => `${name} reads ${called(answers[k])}`).join(", ")}.`;
    verdict.textContent = empty ? "Draw a digit." : given ? `MNIST calls this ${called(given.label)}. ${read}` : read;
    verdict.classList.toggle("misses", Boolean(given));
    root.live = { image: [...image], found: found.map(({ angles, outputs, scores }) => ({ angles, outputs, scores })) };
    say(empty ? verdict.textContent : `${verdict.textContent} ${networks.map(({ name }, k) => `${name}: ${percent(shares[k][answers[k]])}`).join(", ")}`);
    look(image, found, empty);
  }

  /** The heat maps, once the pen has rested, a few milliseconds at a time, so that it never waits for them. */
  let turn = 0;
  function look(image, found, empty) {
    const mine = ++turn, steps = networks.map((network, k) => looking(network, image, found[k])), maps = [];
    key.textContent = "Where each looks: wait a moment.";
    function work() {
      const until = performance.now() + SLICE;
      while (mine === turn && maps.length < steps.length && performance.now() < until) {
        const { done, value } = steps[maps.length].next();
        if (done) maps.push(value);
      }
      if (mine === turn) maps.length < steps.length ? setTimeout(work) : showHeat();
    }
    function showHeat() {
      const scale = Math.max(...maps.flatMap((map) => Array.from(map, Math.abs)));
      const place = (map) => {
        const at = map.indexOf(Math.max(...map)), third = (n) => Math.min(2, Math.floor((3 * n) / PIXELS));
        return `${["top", "middle", "bottom"][third(Math.floor(at / PIXELS))]} ${["left", "centre", "right"][third(at % PIXELS)]}`;
      };
      readers.forEach(({ heat }, k) => {
        paintHeat(heat, image, maps[k], scale);
        heat.setAttribute("aria-label", `Where ${networks[k].name} looks: most at the ${place(maps[k])}`);
      });
      key.textContent = `Where each looks: orange speaks for its answer, blue against. Full colour: if that place is covered, the odds change ${Number(Math.exp(scale).toPrecision(2)).toLocaleString("en")}-fold.`;
      root.live.heat = maps.map((map) => [...map]);
    }
    if (empty) key.textContent = "";
    else setTimeout(work, REST);
  }

  const example = (label) => make("button.live-example", { type: "button", "aria-label": label });
  const scanned = data.examples.map((_, digit) => example(`a scanned ${digit}`));
  const hard = data.hard.map(({ label }) => example(`a hard ${label}`));
  root.append(make("div.live-halves", {},
    make("div", {}, make("div.live-pad", {}, canvas, cursor), make("div.live-buttons.tight", {}, button("clear", clear))),
    make("div", {}, make("p.live-legend", {}, "or take a scanned digit"), make("div.live-examples", {}, ...scanned),
      ...(hard.length ? [make("p.live-legend", {}, `or one of the ${data.wrong.all} test digits of MNIST’s ${data.wrong.of.toLocaleString("en")} that all three get wrong, ${data.wrong.alike} of them with one and the same answer`), make("div.live-examples", {}, ...hard)] : []),
      make("div.live-seen-row", {}, seen, make("p.live-legend", {}, "What the networks get: 28 × 28 pixels, the centre of mass in the middle")), verdict)),
  make("div.live-readers", {}, ...readers.map(({ box }) => box)), key,
  make("p.live-title", {}, `Inside ${networks[hybrid].name}, between the image and the answer: twenty angles in, twenty numbers out`), panels);
  function start() { // once the style sheet is there, from which the ink has its colour
    const fill = (buttons, pictures, margin, digits) => buttons.forEach((one, k) => {
      one.replaceChildren(pictures[k]);
      one.onclick = () => show(pictures[k], margin, digits[k]);
    });
    fill(scanned, data.examples.map((pixels) => picture(pixels, 8, 16)), 20, []);
    fill(hard, data.hard.map(({ pixels }) => picture(bytes(pixels), PIXELS, 255)), 0, data.hard);
    (hard[hard.length >> 1] ?? scanned[3]).click();
  }
  start();
  if (document.readyState !== "complete") addEventListener("load", start);
});
