"""Equations on a telephone, 390 pixels wide: none is cut or has to be moved sideways, and no command is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import weight

FAULTS = """async () => {
  await document.fonts.ready;
  await window.MathJax?.startup?.promise;
  const all = (places, wrong) =>
    [...document.querySelectorAll(places)].filter((one) => one.checkVisibility() && wrong(one));
  return [
    ...all("article div.math, article mjx-container[display='true']", (one) => one.scrollWidth > one.clientWidth + 1),
    ...all("article mjx-container", (one) => one.textContent.includes("\\\\")),
  ].map((one) => one.textContent.slice(0, 80));
}"""
"""The first letters of each equation that is wider than its place, or shows the name of a command."""


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Any]:
    """A page as wide as a telephone."""
    opened = chromium.new_page(viewport={"width": 390, "height": 844})
    yield opened
    opened.close()


def test_every_equation_fits(html: Path, tab: Any) -> None:
    found = {}
    for page in weight.pages(html / "book"):
        if 'class="math' in page.read_text(encoding="utf-8"):
            tab.goto(page.as_uri(), wait_until="load")
            found[page.name] = tab.evaluate(FAULTS)
    assert len(found) > 20
    assert {name: faults for name, faults in found.items() if faults} == {}, "break it with `aligned`"


@pytest.mark.parametrize("box", ['div class="math"', 'mjx-container display="true"'])
def test_a_wide_equation_is_found(tab: Any, box: str) -> None:
    style = "display: block; overflow-x: auto"
    tab.set_content(f'<article><{box} style="{style}"><p style="width: 500px">x = 1</p></article>')
    assert tab.evaluate(FAULTS) == ["x = 1"]


def test_an_unknown_command_is_found(tab: Any) -> None:
    tab.set_content(r"<article><mjx-container>\boldsymbol x</mjx-container></article>")
    assert tab.evaluate(FAULTS) == [r"\boldsymbol x"]
