"""What a page of the built book costs to load: the bytes of everything it asks for, compressed as a server sends them.

    python -m tools.weight [_build/html]

lists the pages with and without their figures and names those that are too heavy.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin

from tools.extension import MATH_FONT
from tools.repository import ROOT

BARE, FULL = 1_000_000, 2_000_000
"""The most bytes of a page without and with its figures."""

_FIGURES = re.compile(r"_images/|_static/[\w-]+\.png$")
_URL = re.compile(r"url\(['\"]?([^'\")]+)")
_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_LOADED = re.compile(r'"loader": \{"load": \[([^\]]*)\]')


class Weight(NamedTuple):
    """Bytes of a page, compressed."""

    bare: int
    """Without its figures."""
    figures: int


class _Asked(HTMLParser):
    """Collects the addresses that a page's markup loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag in ("img", "script") and of.get("src"):
            self.found.append(of["src"])
        if tag == "link" and of.get("rel") in ("stylesheet", "preload", "icon"):
            self.found.append(of["href"])


def pages(html: Path) -> list[Path]:
    """The pages of a built book, those that only lead on to another left out."""
    found = (path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts)
    return [path for path in found if 'http-equiv="Refresh"' not in path.read_text(encoding="utf-8")]


def weight(page: Path, html: Path) -> Weight:
    """What a page asks for, itself included. All fonts of its style sheets and the usual ones of its mathematics count.

    Raises:
        FileNotFoundError: It asks for a file that is not there.
    """
    paths = {page, html / "searchindex.js", *asked(page, html)}
    figures = sum(compressed(path) for path in paths if _FIGURES.search(path.as_posix()))
    return Weight(sum(map(compressed, paths)) - figures, figures)


def asked(page: Path, html: Path) -> Iterator[Path]:
    """The files that a page loads."""
    text = page.read_text(encoding="utf-8")
    markup = _Asked()
    markup.feed(text)
    for path in _files(markup.found, page, html):
        yield path
        if path.name == "startup.js" and path.parent.name == "mathjax":
            loaded = _LOADED.search(text)
            for name in (MATH_FONT, *re.findall(r'"([^"]+)"', loaded[1] if loaded else "")):
                yield path.parent / f"{name.replace('[tex]', 'input/tex/extensions')}.js"
            fonts = path.parent / "output/chtml/fonts/woff-v2"
            yield from (font for kind in ("Main-R", "Main-B", "Math-I", "Size") for font in fonts.glob(f"*_{kind}*"))
        if path.suffix == ".css":
            faces = _FACE.findall(path.read_text(encoding="utf-8"))
            yield from _files([_URL.findall(face)[0] for face in faces], path, html)


def _files(addresses: list[str], base: Path, html: Path) -> Iterator[Path]:
    for address in addresses:
        if not address.startswith("data:"):
            there = urljoin("/" + base.relative_to(html).as_posix(), address.partition("?")[0].partition("#")[0])
            yield html / unquote(there).lstrip("/")


@cache
def compressed(path: Path) -> int:
    """The bytes of a file as a server sends it."""
    content = path.read_bytes()
    return min(len(content), len(gzip.compress(content, 6)))


def faults(weights: dict[str, Weight]) -> list[str]:
    """The pages that are too heavy, one sentence each."""
    return [
        f"{name} takes {size / 1e6:.2f} MB {what} its figures; {limit / 1e6:.1f} MB are the limit"
        for name, found in weights.items()
        for what, size, limit in (("without", found.bare, BARE), ("with", sum(found), FULL))
        if size > limit
    ]


def main(folder: str = "") -> int:
    """List the pages of a built book, the heaviest first."""
    html = Path(folder or ROOT / "_build/html")
    found = {page.relative_to(html).as_posix(): weight(page, html) for page in pages(html)}
    for name, size in sorted(found.items(), key=lambda item: -sum(item[1])):
        print(f"{size.bare / 1e6:5.2f} MB, with figures {sum(size) / 1e6:5.2f} MB  {name}")
    print("\n".join(faults(found)))
    return bool(faults(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
