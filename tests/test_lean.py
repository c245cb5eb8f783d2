"""The theme's files are cut down to what the pages show, and what a page weighs is counted in full."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

from tools import lean, weight

SOURCES = (("woff2", "woff2"), ("ttf", "truetype"))
CSS = (
    "@font-face{font-family:Icons;src:"
    + ",".join(f'url(../{lean.ICONS}/fa-solid-900.{suffix}) format("{kind}")' for suffix, kind in SOURCES)
    + '}.fa-sun{color:red}.fa-day:before,.fa-sun:before{content:"\\f185"}.fa-sun-cloud:before{content:"\\f186"}'
    + '.note:before{content:"\uf05a"}'
)
SCRIPT = '<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>'


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A book of one page that shows one icon by its class; its theme has three, and one that a style sheet writes."""
    static = tmp_path / "_static"
    for folder in (lean.ICONS, "styles", "scripts"):
        (static / folder).mkdir(parents=True)
    (static / lean.STYLES).write_text(CSS, encoding="utf-8")
    (static / lean.SCRIPT).write_text('"fa-sun-cloud"', encoding="utf-8")
    (static / "scripts/theme.js.map").write_text("{}", encoding="utf-8")
    (tmp_path / "page.html").write_text(f'<i class="fas fa-sun"></i>{SCRIPT}', encoding="utf-8")
    names = {0xF185: "sun", 0xF186: "cloud", 0xF05A: "info", 0x41: "A"}
    builder = FontBuilder(1024)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    builder.setupGlyf({name: Glyph() for name in [".notdef", *names.values()]})
    builder.setupHorizontalMetrics({name: (500, 0) for name in [".notdef", *names.values()]})
    builder.setupHorizontalHeader()
    builder.setupNameTable({"familyName": "Reserved", "styleName": "Solid", "trademark": "Reserved is one"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(static / lean.ICONS / "fa-solid-900.ttf")
    (static / lean.ICONS / "fa-solid-900.woff2").touch()
    return tmp_path


def test_icons_that_no_page_shows_are_gone(built: Path) -> None:
    static = built / "_static"
    for _ in range(2):  # a second time nothing is left to do
        lean.trim(static, [built / "page.html"])
        css = (static / lean.STYLES).read_text(encoding="utf-8")
        assert "\\f185" in css
        assert "\\f186" not in css
        assert [path.name for path in (static / lean.ICONS).iterdir()] == ["fa-solid-900.woff"]
        font = TTFont(static / lean.ICONS / "fa-solid-900.woff")
        assert set(font.getBestCmap()) == {0xF185, 0xF05A}
        assert not any("Reserved" in str(record) for record in font["name"].names)
        assert (built / "page.html").read_text(encoding="utf-8") == '<i class="fas fa-sun"></i>'
        assert list((static / "scripts").iterdir()) == []


def test_only_a_page_with_mathematics_loads_mathjax(built: Path) -> None:
    script, page = '<script defer="defer" src="_static/mathjax/startup.js?v=1"></script>', built / "page.html"
    for text, needed in (
        ("<p>mathematics, class math</p>", ""),
        ('<span class="aftermath">.</span>', ""),
        ('<span class="math notranslate">x</span>', script),
        ('<div class="wide math">x</div>', script),
    ):
        page.write_text(script + text, encoding="utf-8")
        lean.trim(built / "_static", [page])
        assert page.read_text(encoding="utf-8") == needed + text


def test_a_page_weighs_all_that_it_asks_for(built: Path) -> None:
    lean.trim(built / "_static", [built / "page.html"])
    sizes = {"searchindex.js": 10, "_static/a.js": 20, "_static/mathjax/startup.js": 40, "_static/mathjax/core.js": 80}
    sizes["_static/mathjax/output/chtml/fonts/tex.js"] = 640
    sizes |= {"_static/mathjax/output/chtml/fonts/woff-v2/MathJax_Main-Regular.woff": 160, "_images/a.png": 320}
    for name, size in sizes.items():
        (built / name).parent.mkdir(parents=True, exist_ok=True)
        (built / name).write_bytes(os.urandom(size))
    page = built / "page.html"
    markup = (
        '<link rel="stylesheet" href="_static/styles/pydata-sphinx-theme.css?v=1"><script src="_static/a.js"></script>'
        '<script>window.MathJax = {"loader": {"load": ["core"]}}</script><img src="_images/a.png"><img src="data:,x">'
    )
    page.write_text(markup, encoding="utf-8")
    styles = weight.compressed(built / "_static" / lean.STYLES)
    icons = weight.compressed(built / "_static" / lean.ICONS / "fa-solid-900.woff")
    text = weight.weight(page, built)
    assert text == (styles + icons + 10 + 20 + weight.compressed(page), 320)
    weight.compressed.cache_clear()
    page.write_text(f'{markup}<script src="_static/mathjax/startup.js"></script>', encoding="utf-8")
    mathematics = weight.weight(page, built)
    assert mathematics.bare - text.bare == 40 + 80 + 160 + 640 + weight.compressed(page) - len(
        gzip.compress(markup.encode(), 6)
    )
    (built / "_static/a.js").unlink()
    weight.compressed.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"a\.js"):
        weight.weight(page, built)


def test_heavy_pages_are_named() -> None:
    weights = {"light": weight.Weight(900_000, 900_000), "text": weight.Weight(1_100_000, 0)}
    weights["both"] = weight.Weight(990_000, 1_300_000)
    assert weight.faults(weights) == [
        "text takes 1.10 MB without its figures; 1.0 MB are the limit",
        "both takes 2.29 MB with its figures; 2.0 MB are the limit",
    ]
