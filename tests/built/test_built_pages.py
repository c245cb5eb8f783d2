"""The pages as they are built: light enough to load over a telephone's line."""

from __future__ import annotations

from pathlib import Path

from tools import weight


def test_no_page_is_too_heavy(html: Path) -> None:
    found = {page.relative_to(html).as_posix(): weight.weight(page, html) for page in weight.pages(html)}
    assert len(found) > 20
    assert weight.faults(found) == []


def test_every_table_has_a_caption(html: Path) -> None:
    found = {}
    for page in weight.pages(html / "book"):  # the index, which Sphinx makes, is laid out in tables
        text = page.read_text(encoding="utf-8")
        found[page.name] = [text.count(f"<{tag}") for tag in ("table", "caption")]
    assert sum(tables for tables, _ in found.values()) > 80
    assert {name: counts for name, counts in found.items() if counts[0] != counts[1]} == {}
