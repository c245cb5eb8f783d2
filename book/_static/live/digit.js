/* A digit drawn by hand, and what the recorded networks make of it while the pen moves. */
live.page.mount("digit", function (root, data) {
  "use strict";
  const { button, draw, make, number, voice } = live.page;
  const { centre, run, softmax, unpack } = live.network;
  const SIZE = 280, PEN = 24, STRIDE = 12;
  const say = voice(root), classes = [...Array(10).keys()];
  const networks = data.networks.map((network) => ({ ...network, tensors: unpack(network) }));
  const percent = (share) => `${number(100 * share, 0)}\u00a0%`;

  // --- the drawing: by finger, mouse or keys

  const canvas = make("canvas.live-draw", { width: SIZE, height: SIZE, tabindex: 0, role: "img",
    "aria-label": "Drawing area. With the keyboard, the arrow keys move the pen, and the space bar lowers and lifts it." });
  const cursor = make("span.live-pen", { hidden: "" }), ink = canvas.getContext("2d", { willReadFrequently: true });
  const START = { x: SIZE / 2, y: SIZE / 5, down: false }, pen = { ...START };

  function stroke(from, to) {
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
    Object.assign(pen, START);
    later();
  }
  function picture(pixels) {
    const small = make("canvas", { width: 8, height: 8 }), context = small.getContext("2d"), image = context.createImageData(8, 8);
    const [r, g, b] = getComputedStyle(canvas).color.match(/\d+/g).map(Number);
    pixels.forEach((value, i) => image.data.set([r, g, b, Math.round((255 * value) / 16)], 4 * i));
    context.putImageData(image, 0, 0);
    return small;
  }
  function show(pixels) {
    ink.clearRect(0, 0, SIZE, SIZE);
    ink.imageSmoothingQuality = "high";
    ink.drawImage(picture(pixels), 20, 20, SIZE - 40, SIZE - 40);
    update();
  }

  // --- what follows: the image, the angles, the classes

  const seen = make("canvas.live-seen", { width: 28, height: 28, role: "img", "aria-label": "The drawing as the network gets it, 28 by 28 pixels" });
  function showSeen(image) {
    const context = seen.getContext("2d"), pixels = context.createImageData(28, 28);
    image.forEach((value, i) => pixels.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
    context.putImageData(pixels, 0, 0);
  }

  const scores = classes.map((digit) => {
    const bars = networks.map((_, k) => make(`span.live-share.of-${k}`, {}, make("span", {}))), values = networks.map(() => make("span.value", {}));
    return { bars, values, row: make("div.live-class", {}, make("b", {}, String(digit)), make("div", {}, ...bars), make("div", {}, ...values)) };
  });
  const verdict = make("p.live-verdict", {});

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
    const pixels = ink.getImageData(0, 0, SIZE, SIZE).data, image = centre(Float64Array.from({ length: SIZE * SIZE }, (_, i) => pixels[4 * i + 3] / 255), SIZE);
    const empty = !image.some(Boolean), found = networks.map((network) => run(network, network.tensors, image));
    showSeen(image);
    const shares = found.map((one) => softmax(one.scores)), answers = shares.map((share) => share.indexOf(Math.max(...share)));
    scores.forEach(({ bars, values, row }, digit) => {
      row.classList.toggle("answer", !empty && answers.includes(digit));
      bars.forEach((bar, k) => {
        bar.firstChild.style.width = empty ? 0 : percent(shares[k][digit]).replace("\u00a0", "");
        values[k].textContent = empty ? "" : percent(shares[k][digit]);
      });
    });
    dials.forEach((one, k) => one.show(empty ? 0 : found[hybrid].angles[k], empty ? 0 : found[hybrid].outputs[k]));
    verdict.textContent = empty ? "Draw a digit." : networks.map((network, k) => `${network.name}: ${answers[k]} (${percent(shares[k][answers[k]])})`).join(" · ");
    root.live = { image: [...image], found };
    say(verdict.textContent);
  }

  const examples = data.examples.map((pixels, digit) => make("button.live-example", { type: "button", "aria-label": `a scanned ${digit}`, onclick: () => show(pixels) }));
  root.append(make("div.live-halves", {},
    make("div", {}, make("div.live-pad", {}, canvas, cursor), make("div.live-buttons.tight", {}, button("clear", clear)),
      make("p.live-legend", {}, "or take a scanned digit"), make("div.live-examples", {}, ...examples)),
    make("div", {}, verdict, make("div.live-seen-row", {}, seen, make("p.live-legend", {}, "What the network gets: 28 × 28 pixels, the centre of mass in the middle")),
      make("div.live-classes", {}, ...scores.map(({ row }) => row)))),
  make("p.live-title", {}, "Between the image and the answer: twenty angles in, twenty numbers out"), panels);
  function start() { // once the style sheet is there, from which the ink has its colour
    examples.forEach((one, digit) => one.replaceChildren(picture(data.examples[digit])));
    show(data.examples[3]);
  }
  start();
  if (document.readyState !== "complete") addEventListener("load", start);
});
