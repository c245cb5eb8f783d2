/* What every live figure is made of: elements, rows with a slider, drawings, a voice for screen readers. */
live.page = (function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  /** An element: its tag with classes ("div.row"), attributes or handlers (onclick …), children or text. */
  function make(kind, attributes, ...children) {
    const [tag, ...classes] = kind.split(".");
    return fill(document.createElement(tag), classes, attributes, children);
  }

  /** The same for a drawing. */
  function draw(kind, attributes, ...children) {
    const [tag, ...classes] = kind.split(".");
    return fill(document.createElementNS(SVG, tag), classes, attributes, children);
  }

  function fill(element, classes, attributes, children) {
    for (const name of classes) element.classList.add(name);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /** A number of fixed width, with a real minus sign. */
  function number(value, digits = 2) {
    const text = Math.abs(value).toFixed(digits);
    return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
  }

  /** A name with its index set low: x₀. */
  function named(name, index) {
    return name + String.fromCharCode(0x2080 + index);
  }

  /** A labelled slider with its value behind it; `set` shows a value without calling `changed`. */
  function slider({ label, said, role, min, max, step, digits = 2, format, changed }) {
    const show = format || ((value) => number(value, digits));
    const shown = make("output.live-value", {});
    const input = make("input", { type: "range", min, max, step, "aria-label": said || label });
    const row = make(`label.live-slider.${role || "plain"}`, {}, make("span", { "aria-hidden": "true" }, label), input, shown);
    function set(value) {
      input.value = value;
      input.setAttribute("aria-valuetext", show(value));
      shown.textContent = show(value);
    }
    input.addEventListener("input", () => {
      set(Number(input.value));
      changed(Number(input.value));
    });
    return { row, set, input };
  }

  /** One choice of a few, as radio buttons that look like a row of keys. */
  function choice({ legend, options, chosen, changed, hidden }) {
    const name = `live-${choice.count = (choice.count || 0) + 1}`;
    const box = make("fieldset.live-choice", {}, make(hidden ? "legend.live-hidden" : "legend", {}, legend));
    const inputs = options.map(({ value, label, said, title }) => {
      const input = make("input", { type: "radio", name, value, "aria-label": said, onchange: () => changed(value) });
      input.checked = value === chosen;
      box.append(make("label", { title }, input, make("span", {}, ...[].concat(label))));
      return input;
    });
    return { box, set: (value) => inputs.forEach((input) => { input.checked = input.value === String(value); }) };
  }

  function button(label, onclick) {
    return make("button.live-button", { type: "button", onclick }, label);
  }

  /** A line that a screen reader speaks once the reader has stopped moving things. */
  function voice(root) {
    const line = make("p.live-hidden", { role: "status" });
    let timer;
    root.append(line);
    return function say(text) {
      clearTimeout(timer);
      timer = setTimeout(() => { line.textContent = text; }, 600);
    };
  }

  /** Call `redraw(width)` now and whenever a figure's width in pixels changes, so that its letters keep their size. */
  function sized(root, redraw) {
    let width = 0;
    const measure = () => {
      const style = getComputedStyle(root), now = Math.round(root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
      if (now > 0 && now !== width) redraw(width = now);
    };
    measure();
    new ResizeObserver(measure).observe(root);
  }

  /** Call `build(root, data)` in every placeholder of a figure on this page. */
  function mount(name, build) {
    for (const root of document.querySelectorAll(`[data-live="${name}"]`)) {
      root.replaceChildren();
      build(root, live.data[name]);
      root.classList.add("live-ready");
    }
  }

  return { button, choice, draw, make, mount, named, number, sized, slider, voice };
})();
