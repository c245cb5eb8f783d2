"""Equations on a telephone, 390 pixels wide: none is cut or has to be moved sideways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import weight

WIDE = """async () => {
  await document.fonts.ready;
  await window.MathJax?.startup?.promise;
  return [...document.querySelectorAll("article div.math")]
    .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
    .map((box) => box.textContent.slice(0, 80));
}"""
"""The first letters of each equation that is wider than its place."""


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Any]:
    """A page as wide as a telephone."""
    opened = chromium.new_page(viewport={"width": 390, "height": 844})
    yield opened
    opened.close()


def test_every_equation_fits(html: Path, tab: Any) -> None:
    found = {}
    for page in (page for page in weight.pages(html) if page.is_relative_to(html / "book")):
        if 'class="math' in page.read_text(encoding="utf-8"):
            tab.goto(page.as_uri(), wait_until="load")
            found[page.name] = tab.evaluate(WIDE)
    assert len(found) > 20
    assert {name: wide for name, wide in found.items() if wide} == {}, "break it with `aligned`"


def test_a_wide_equation_is_found(tab: Any) -> None:
    tab.set_content(
        '<article><div class="math" style="overflow-x: auto"><p style="width: 500px">x = 1</p></div></article>'
    )
    assert tab.evaluate(WIDE) == ["x = 1"]
