// What is wider than its place is moved sideways, by keyboard too, and fades at the edge behind which there is more.
addEventListener("DOMContentLoaded", () => {
  const places = "div.math, mjx-container[display='true'], .pst-scrollable-table-container, figure div.wide, div.cell_output div.output, div.highlight pre";
  const kinds = { "div.math, mjx-container": "equation", "figure *": "figure", "pre": "code" };
  const isWide = (box) => box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX === "auto";
  // On a telephone, where the style sheet says how: numbers have their heads turned, words are set row by row.
  const fit = (box) => {
    const table = box.querySelector(":scope > table.table");
    table?.classList.remove("turned", "stacked");
    if (!table || !isWide(box)) return;
    const words = !table.querySelector("td.text-right");
    const heads = [...(table.tHead?.rows[0]?.cells ?? [])].map((head) => head.textContent.trim());
    for (const row of words ? table.tBodies[0].rows : [])
      [...row.cells].forEach((cell, i) => { cell.dataset.head = heads[i] ?? ""; });
    table.classList.add(words ? "stacked" : "turned");
  };
  const look = (box) => {
    const wide = isWide(box);
    box.classList.toggle("more", wide && box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
    if (wide && box.tabIndex < 0) {
      const kind = Object.keys(kinds).find((which) => box.matches(which));
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `wide ${kind ? kinds[kind] : "table"}, can be moved sideways`);
      box.addEventListener("scroll", () => look(box), { passive: true });
    }
  };
  const all = () => {
    const boxes = [...document.querySelectorAll(places)];
    boxes.forEach(fit);
    boxes.forEach(look);
  };
  new ResizeObserver(all).observe(document.querySelector("article") || document.body);
  addEventListener("load", all);
  document.fonts.ready.then(all);
});
