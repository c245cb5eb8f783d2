"""What the book's HTML needs beyond Jupyter Book: captioned figures, and mathematics and fonts of its own.

A notebook's figure is two outputs (see `hqnn.figures.show`): an image whose plain text is its alternative text, and a
Markdown caption. Here they become one figure. MathJax and the fonts come from installed packages and are shipped in
`_static`, so that the built pages ask no other host; of MathJax only the components that the configuration loads, and
of the fonts the letters of European languages and the signs of prose.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.config import Config

from hqnn.figures.theme import LINES, WIDTH
from tools.lean import cut

MATH_FONT = "output/chtml/fonts/tex"  # which `output/chtml` loads by itself
FONTS = {
    "font_source_serif_pro": ("Book Serif", ("SourceSerifPro-Regular", "SourceSerifPro-It", "SourceSerifPro-Semibold")),
    "font_source_sans_pro": ("Book Sans", ("SourceSansPro-Regular", "SourceSansPro-It", "SourceSansPro-Semibold")),
}
"""The family that is made of some fonts of a package; the licence keeps the fonts' own name for the unchanged ones."""
_BLOCKS = ((0x20, 0x7F), (0xA0, 0x180), (0x370, 0x400), (0x2000, 0x20A0), (0x2190, 0x2300), (0x2500, 0x2600))
LETTERS = frozenset(point for first, end in _BLOCKS for point in range(first, end)) | {0x20AC, 0x2713, 0x2717}
"""Latin and Greek letters, punctuation, arrows, signs of mathematics, boxes and ticks."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", drop_thebe)
    app.connect("builder-inited", ship_assets)
    app.connect("doctree-read", join_figures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def drop_thebe(app: Sphinx, config: Config) -> None:
    """Silence Thebe, which Jupyter Book always loads: the book has no such button, and its script names a host."""
    for listeners in app.events.listeners.values():
        listeners[:] = [listener for listener in listeners if listener.handler.__module__ != "sphinx_thebe"]
    app.registry.css_files[:] = [entry for entry in app.registry.css_files if entry[0] != "sphinx-thebe.css"]


def ship_assets(app: Sphinx) -> None:
    """Copy MathJax and the fonts into a static folder of the build."""
    static = Path(app.outdir).parent / "assets"
    mathjax = _package("sphinx-mathjax-offline") / "static" / "mathjax"
    for name in ("startup", MATH_FONT, *app.config.mathjax3_config["loader"]["load"]):
        component = f"{name.replace('[tex]', 'input/tex/extensions')}.js"
        _copy(mathjax / component, static / "mathjax" / component)
    for font in sorted((mathjax / "output" / "chtml" / "fonts" / "woff-v2").iterdir()):
        _copy(font, static / "mathjax" / font.relative_to(mathjax))
    for package, (family, names) in FONTS.items():
        files = _package(package) / "files"
        _copy(files / "LICENSE.txt", static / "fonts" / f"{package}-LICENSE.txt")
        for name in names:
            target = static / "fonts" / shipped(name)
            if not target.exists():
                cut(files / f"{name}.otf", target, LETTERS, family)
    app.config.html_static_path.append(str(static))


def join_figures(app: Sphinx, document: nodes.document) -> None:
    """Join each image output of a notebook with the caption output behind it into one figure, in place."""
    number = 0
    for output in list(document.findall(_is_mime_bundle)):
        containers = (container for mime in ("image/png", "image/svg+xml") for container in _of_type(output, mime))
        images = [image for container in containers for image in container.findall(nodes.image)]
        if not images:
            continue
        (image,) = images
        image["alt"] = "".join(text.astext() for text in _of_type(output, "text/plain"))
        number += 1
        shown: nodes.Element = image.deepcopy()
        lines, wide = kind(Path(app.srcdir) / str(image["uri"]).lstrip("/"))
        if wide:
            shown = nodes.container("", shown, classes=["wide"])
        figure = nodes.figure("", shown, align="center", ids=[f"figure-{number}"], classes=["lines"] * lines)
        following = output.next_node(descend=False, siblings=True)
        if following is not None and _is_mime_bundle(following):
            for container in _of_type(following, "text/markdown"):
                for paragraph in list(container.findall(nodes.paragraph)):
                    figure += nodes.caption(
                        paragraph.rawsource, "", *(child.deepcopy() for child in paragraph.children)
                    )
            following.parent.remove(following)
        output.replace_self(figure)


def fill(document: nodes.document, place: str, made: Callable[[re.Match[str]], str]) -> None:
    """Put HTML where a page has a place for it; `place` is a regular expression, and its match says which one."""
    for raw in list(document.findall(nodes.raw)):
        if re.search(place, raw.astext()):
            raw.replace_self(nodes.raw("", re.sub(place, made, raw.astext()), format="html"))


def kind(path: Path) -> tuple[bool, bool]:
    """Whether an image holds lines on white only, which a dark page inverts, and whether a telephone must scroll it."""
    if path.suffix == ".svg":
        return True, True
    with Image.open(path) as picture:
        inches = picture.width / picture.info["dpi"][0]
        return picture.info.get("Subject") == LINES, inches > WIDTH + 0.4


def shipped(font: str) -> str:
    """The file that a font of `FONTS` becomes."""
    return f"{font.replace('Source', 'Book').replace('Pro', '')}.woff"


def _is_mime_bundle(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def _of_type(bundle: nodes.Node, mime_type: str) -> Iterator[nodes.Element]:
    assert isinstance(bundle, nodes.Element)
    for child in bundle.children:
        if isinstance(child, nodes.Element) and child.get("mime_type") == mime_type:
            yield child


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"the package `{name}` is not installed; run: make venv")
    return Path(spec.origin).parent


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
