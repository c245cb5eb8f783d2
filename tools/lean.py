"""What the book's theme ships beyond what the pages show is taken out of the build: icons, and MathJax from some pages.

The theme brings two thousand icons as fonts, and again as a script of half a megabyte. The pages show two dozen. Once a
page is written, only their glyphs and rules stay, and the script goes; so does MathJax where a page has no mathematics.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

STYLES = "styles/pydata-sphinx-theme.css"
ICONS = "vendor/fontawesome/webfonts"
SCRIPT = "scripts/fontawesome.js"
FEATURES = ("ccmp", "kern", "liga", "lnum", "locl", "mark", "mkmk", "tnum")
"""What the style sheets ask of a font: kerning, ligatures, accents, figures of equal height and width."""

_NAME = re.compile(r"\bfa-[a-z0-9-]+")
_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:{1,2}before,?)+)\{content:"[^"]*"\}')
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{2,6})")
_SOURCE = re.compile(r'url\(([^()]*/)([\w-]+)\.woff2\) format\("woff2"\),url\([^()]*\.ttf\) format\("truetype"\)')
_TAG = re.compile(r'\s*<script defer src="[^"]*scripts/fontawesome\.js[^"]*"></script>')
_MATHJAX = re.compile(r"\s*<script [^>]*mathjax/startup\.js[^>]*></script>")
_MATHS = re.compile(r'class="(?:[^"]* )?math[ "]')


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("build-finished", make_lean)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def make_lean(app: Sphinx, error: Exception | None) -> None:
    """Trim the theme's files in a finished build of HTML."""
    static = Path(app.outdir) / "_static"
    if error is None and (static / STYLES).exists():
        trim(static, sorted(Path(app.outdir).rglob("*.html")))


def trim(static: Path, pages: Iterable[Path]) -> None:
    """Take out of a static folder the icons that no page shows, and out of the pages the scripts that they do not need.

    A second call finds nothing more to do.
    """
    script, used = static / SCRIPT, set[str]()
    for page in pages:
        text = page.read_text(encoding="utf-8")
        used |= set(_NAME.findall(text))
        needed = _TAG.sub("", text) if _MATHS.search(text) else _MATHJAX.sub("", _TAG.sub("", text))
        if needed != text:
            page.write_text(needed, encoding="utf-8")
    for other in static.rglob("*.js"):
        used |= set(_NAME.findall(other.read_text(encoding="utf-8"))) if other != script else set()
    styles = static / STYLES
    styles.write_text(only_used(styles.read_text(encoding="utf-8"), used), encoding="utf-8")
    shown = {point for sheet in static.rglob("*.css") for point in private(sheet.read_text(encoding="utf-8"))}
    for source in sorted((static / ICONS).glob("*.ttf")):
        cut(source, source.with_suffix(".woff"), shown, "Book Icons")
        source.unlink()
    maps = (path for folder in ("scripts", "styles") for path in (static / folder).glob("*.map"))
    for left in (script, *maps, *(static / ICONS).glob("*.woff2")):
        left.unlink(missing_ok=True)


def only_used(css: str, names: set[str]) -> str:
    """A style sheet without the rules of icons that are not among the names, its icon fonts being `.woff` files."""
    css = _RULE.sub(lambda rule: rule[0] if names & set(_NAME.findall(rule[1])) else "", css)
    return _SOURCE.sub(r'url(\1\2.woff) format("woff")', css)


def private(css: str) -> set[int]:
    """The code points for private use, which are those of icons, in a style sheet, escaped or not."""
    points = {int(digits, 16) for digits in _ESCAPE.findall(css)} | {ord(letter) for letter in css}
    return {point for point in points if 0xE000 <= point <= 0xF8FF}


def cut(source: Path, target: Path, points: Iterable[int], family: str) -> None:
    """Write those glyphs of a font that show the code points, as WOFF, under another name, as its licence asks."""
    options = subset.Options(layout_features=[*FEATURES], name_IDs=["*"], notdef_outline=True)
    font, subsetter = TTFont(source), subset.Subsetter(options)
    subsetter.populate(unicodes=points)
    subsetter.subset(font)
    style = source.stem.rpartition("-")[2]
    for name in (1, 16):
        font["name"].removeNames(nameID=name)
    for number, text in {1: family, 3: f"{family}-{style}", 4: f"{family} {style}", 6: f"{family}-{style}"}.items():
        font["name"].removeNames(nameID=number)
        font["name"].setName(text.replace(" ", "") if number == 6 else text, number, 3, 1, 0x409)
    font["name"].removeNames(nameID=7)  # the trademark that the other name was
    font.flavor = "woff"
    font.save(target)
