/* Escape puts a word's explanation away; it comes back when the word is pointed at or focused anew. */
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const word of document.querySelectorAll(".glossed:is(:hover, :focus-within)")) {
    word.classList.add("dismissed");
    const left = () => word.classList.toggle("dismissed", word.matches(":is(:hover, :focus-within)"));
    for (const kind of ["pointerleave", "focusout"]) word.addEventListener(kind, () => setTimeout(left), { once: true });
  }
});
