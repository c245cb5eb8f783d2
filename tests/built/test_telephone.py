"""Equations and tables on a telephone, 390 pixels wide: none has to be moved sideways, and no command is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import weight
from tools.repository import ROOT

STATIC = ROOT / "book/_static"
FAULTS = """async () => {
  await document.fonts.ready;
  await window.MathJax?.startup?.promise;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));  // `wide.js` has looked
  const all = (places, wrong) =>
    [...document.querySelectorAll(places)].filter((one) => one.checkVisibility() && wrong(one));
  const places = ["div.math", "mjx-container[display='true']", ".pst-scrollable-table-container", "div.output"];
  return [
    ...all(places.map((one) => `article ${one}`).join(), (one) => one.scrollWidth > one.clientWidth + 1),
    ...all("article mjx-container", (one) => one.textContent.includes("\\\\")),
  ].map((one) => one.textContent.slice(0, 80));
}"""
"""The first letters of each equation and table that is wider than its place, or shows the name of a command."""


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Any]:
    """A page as wide as a telephone."""
    opened = chromium.new_page(viewport={"width": 390, "height": 844})
    yield opened
    opened.close()


def test_every_equation_and_table_fits(html: Path, tab: Any) -> None:
    found = {}
    for page in weight.pages(html / "book"):
        if re.search('class="math|<table', page.read_text(encoding="utf-8")):
            tab.goto(page.as_uri(), wait_until="load")
            found[page.name] = tab.evaluate(FAULTS)
    assert len(found) > 30
    wide = {name: faults for name, faults in found.items() if faults}
    assert wide == {}, "break equations with `aligned`, and shorten what cannot be broken in a table's columns"


@pytest.mark.parametrize("box", ['div class="math"', 'mjx-container display="true"'])
def test_a_wide_equation_is_found(tab: Any, box: str) -> None:
    style = "display: block; overflow-x: auto"
    tab.set_content(f'<article><{box} style="{style}"><p style="width: 500px">x = 1</p></article>')
    assert tab.evaluate(FAULTS) == ["x = 1"]


def test_an_unknown_command_is_found(tab: Any) -> None:
    tab.set_content(r"<article><mjx-container>\boldsymbol x</mjx-container></article>")
    assert tab.evaluate(FAULTS) == [r"\boldsymbol x"]


def table(words: str, numbers: str, kind: str) -> str:
    """A table of a name and six columns as the book has them, in its place."""
    head = '<th class="head"><p>name</p></th>' + f'<th class="head {kind}"><p>{words}</p></th>' * 6
    row = "<td><p>first</p></td>" + f'<td class="{kind}"><p>{numbers}</p></td>' * 6
    rows = f"<thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody>"
    return f'<div class="pst-scrollable-table-container"><table class="table">{rows}</table></div>'


@pytest.mark.parametrize(
    ("made", "kind", "faults"),
    [
        (table("a", "0.12 \u00b1\u00a00.34", "text-right"), "table", 0),  # the intervals go below
        (table("contradicted by", "1", "text-right"), "table turned", 0),
        (table("contradicted by", "1,234,567,890", "text-right"), "table turned", 1),
        (table("what", "incomprehensibilities", ""), "table stacked", 0),
    ],
)
def test_a_table_makes_itself_narrow_before_it_is_moved(tab: Any, made: str, kind: str, faults: int) -> None:
    tab.set_content(
        f"<style>{(STATIC / 'book.css').read_text(encoding='utf-8')}</style>"
        f"<script>{(STATIC / 'wide.js').read_text(encoding='utf-8')}</script>"
        f'<main><article class="bd-article">{made}</article></main>'
    )
    assert len(tab.evaluate(FAULTS)) == faults
    assert tab.locator("table").get_attribute("class") == kind
    box = tab.locator(".pst-scrollable-table-container")
    assert box.get_attribute("tabindex") == ("0" if faults else None)
    if "stacked" in kind:
        heads = tab.locator("td").evaluate_all("cells => cells.map(cell => getComputedStyle(cell, '::before').content)")
        assert heads == ["none", *['"what: "'] * 6]
    tab.set_viewport_size({"width": 1400, "height": 844})
    tab.evaluate(FAULTS)
    assert tab.locator("table").get_attribute("class") == "table"
    tab.set_viewport_size({"width": 390, "height": 844})
