"""What the book's HTML needs beyond Jupyter Book: captioned figures, and mathematics and fonts of its own.

A notebook's figure is two outputs (see `hqnn.figures.show`): an image whose plain text is its alternative text, and a
Markdown caption. Here they become one figure. MathJax and the fonts come from installed packages and are shipped in
`_static`, so that the built pages ask no other host.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.config import Config

COMPONENT = "tex-chtml-full.js"  # holds every TeX extension, so that none is fetched later
FONTS = {
    "font_source_serif_pro": ("SourceSerifPro-Regular", "SourceSerifPro-It", "SourceSerifPro-Semibold"),
    "font_source_sans_pro": ("SourceSansPro-Regular", "SourceSansPro-It", "SourceSansPro-Semibold"),
}


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
    _copy(mathjax / COMPONENT, static / "mathjax" / COMPONENT)
    for font in sorted((mathjax / "output" / "chtml" / "fonts" / "woff-v2").iterdir()):
        _copy(font, static / "mathjax" / font.relative_to(mathjax))
    for package, names in FONTS.items():
        files = _package(package) / "files"
        _copy(files / "LICENSE.txt", static / "fonts" / f"{package}-LICENSE.txt")
        for name in names:
            _rewrap(files / f"{name}.otf", static / "fonts" / f"{name}.woff")
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
        figure = nodes.figure("", image.deepcopy(), align="center", ids=[f"figure-{number}"])
        following = output.next_node(descend=False, siblings=True)
        if following is not None and _is_mime_bundle(following):
            for container in _of_type(following, "text/markdown"):
                for paragraph in list(container.findall(nodes.paragraph)):
                    figure += nodes.caption(
                        paragraph.rawsource, "", *(child.deepcopy() for child in paragraph.children)
                    )
            following.parent.remove(following)
        output.replace_self(figure)


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


def _rewrap(source: Path, target: Path) -> None:
    """Compress a font as WOFF, its glyphs and tables unchanged."""
    if not target.exists():
        font = TTFont(source)
        font.flavor = "woff"
        font.save(target)
