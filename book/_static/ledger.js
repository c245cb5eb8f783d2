/* The ledger's filter: which rows are shown is in the address behind "#", so that a choice of rows can be linked. */
(function () {
  "use strict";
  const place = document.querySelector(".ledger-tools");
  const rows = [...document.querySelectorAll(".claims tr[data-verdict]")];
  if (!place || !rows.length) return;
  const plain = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();
  const texts = new Map(rows.map((row) => [row, plain(row.textContent)]));

  function make(tag, attributes, ...children) {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  }

  /** A paper's name is in the label of its table. */
  function named(field, value) {
    const table = rows.find((row) => row.dataset[field] === value).closest("table");
    return field === "paper" ? table.getAttribute("aria-label").replace(/^Claims of /, "") : value;
  }

  function select(field) {
    const values = [...new Set(rows.map((row) => row.dataset[field]))];
    const options = values.map((value) => make("option", { value }, named(field, value)));
    return make("select", { name: field }, make("option", { value: "" }, "all"), ...options);
  }

  const controls = { paper: select("paper"), kind: select("kind"), verdict: select("verdict") };
  controls.text = make("input", { type: "search", name: "text", placeholder: "a phrase or an id" });
  const said = make("output", {});
  said.setAttribute("role", "status");
  const form = make("form", { className: "ledger-filter" });
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "claims");
  for (const [name, control] of Object.entries(controls)) {
    control.id = `ledger-${name}`;
    form.append(make("div", {}, make("label", { htmlFor: control.id }, name), control));
  }
  form.append(make("button", { type: "reset" }, "show all"), said);
  place.prepend(form);

  /** Show the rows that are asked for, and say how many. */
  function show() {
    const text = plain(controls.text.value);
    const wanted = (row) =>
      ["paper", "kind", "verdict"].every((name) => !controls[name].value || row.dataset[name] === controls[name].value) &&
      texts.get(row).includes(text);
    let shown = 0;
    for (const row of rows) shown += !(row.hidden = !wanted(row));
    for (const table of document.querySelectorAll(".claims table:has(tr[data-verdict])"))
      table.hidden = !table.querySelector("tr[data-verdict]:not([hidden])");
    said.textContent = `${shown} of ${rows.length} rows shown`;
  }

  function remember() {
    const asked = new URLSearchParams();
    for (const [name, control] of Object.entries(controls)) if (control.value.trim()) asked.set(name, control.value.trim());
    history.replaceState(null, "", String(asked) ? `#${asked}` : location.pathname + location.search);
  }

  function choose(asked) {
    for (const [name, control] of Object.entries(controls)) {
      control.value = asked.get(name) || "";
      if (control.selectedIndex === -1) control.value = ""; // no such option
    }
    show();
  }

  /** Show what the address asks for: one row, or a choice of rows. */
  function follow() {
    const fragment = decodeURIComponent(location.hash.slice(1));
    const row = rows.find((one) => one.id === fragment);
    if (row) {
      if (row.hidden) choose(new URLSearchParams());
      row.scrollIntoView();
      return;
    }
    const asked = new URLSearchParams(location.hash.slice(1));
    if (!Object.keys(controls).some((name) => asked.has(name))) return;
    choose(asked);
    place.scrollIntoView();
  }

  form.addEventListener("input", () => (show(), remember()));
  form.addEventListener("reset", () => setTimeout(() => (show(), remember())));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  show();
  follow();
})();
