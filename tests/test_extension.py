"""The Sphinx extension: a notebook's two outputs become one figure, and assets are shipped with the pages."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docutils import nodes
from docutils.utils import new_document
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

from tools import extension

APP = cast("Sphinx", None)  # join_figures asks nothing of the application


def bundle(**contents: nodes.Node) -> nodes.container:
    """An output as myst-nb stores it: one container per MIME type (its slash written as two underscores)."""
    output = nodes.container(nb_element="mime_bundle")
    for mime_type, content in contents.items():
        output += nodes.container("", content, mime_type=mime_type.replace("__", "/"))
    return output


def image_output(alt: str = "A line that rises.") -> nodes.container:
    return bundle(image__png=nodes.image(uri="a.png"), text__plain=nodes.literal_block("", alt))


def caption_output(text: str) -> nodes.container:
    return bundle(text__markdown=nodes.paragraph("", text), text__plain=nodes.literal_block("", text))


def document(*outputs: nodes.Node) -> nodes.document:
    page = new_document("page")
    page += nodes.container("", *outputs, nb_element="cell_code_output")
    return page


def test_image_and_caption_become_one_figure() -> None:
    page = document(image_output(), caption_output("A line."), caption_output("A table."))
    extension.join_figures(APP, page)
    (figure,) = page.findall(nodes.figure)
    (image,) = figure.findall(nodes.image)
    (caption,) = figure.findall(nodes.caption)
    assert (image["alt"], image["uri"], caption.astext()) == ("A line that rises.", "a.png", "A line.")
    assert [node.astext() for node in page.findall(nodes.paragraph)] == ["A table."]


def test_figures_of_a_page_are_numbered() -> None:
    page = document(image_output("1"), caption_output("one"), image_output("2"), caption_output("two"))
    extension.join_figures(APP, page)
    assert [figure["ids"] for figure in page.findall(nodes.figure)] == [["figure-1"], ["figure-2"]]
    assert [caption.astext() for caption in page.findall(nodes.caption)] == ["one", "two"]


def test_outputs_without_an_image_stay_as_they_are() -> None:
    page = document(caption_output("A table."), bundle(text__plain=nodes.literal_block("", "2")))
    before = page.pformat()
    extension.join_figures(APP, page)
    assert page.pformat() == before


def test_assets_are_complete_and_the_fonts_unchanged(tmp_path: Path) -> None:
    config = SimpleNamespace(html_static_path=["own"])
    extension.ship_assets(cast("Sphinx", SimpleNamespace(outdir=tmp_path / "html", config=config)))
    own, shipped = config.html_static_path
    assert own == "own"
    assert (Path(shipped) / "mathjax" / extension.COMPONENT).stat().st_size > 1_000_000
    assert list((Path(shipped) / "mathjax/output/chtml/fonts/woff-v2").glob("MathJax_Main-Regular.woff"))
    for package, names in extension.FONTS.items():
        assert (
            "SIL OPEN FONT LICENSE"
            in (Path(shipped) / f"fonts/{package}-LICENSE.txt").read_text(encoding="utf-8").upper()
        )
        for name in names:
            source: Any = TTFont(extension._package(package) / "files" / f"{name}.otf")
            target: Any = TTFont(Path(shipped) / "fonts" / f"{name}.woff")
            assert target.flavor == "woff"
            assert target.getGlyphOrder() == source.getGlyphOrder()


def test_style_sheet_asks_for_shipped_fonts_only() -> None:
    css = (Path(__file__).parents[1] / "book/_static/book.css").read_text(encoding="utf-8")
    shipped = {f'url("fonts/{name}.woff")' for names in extension.FONTS.values() for name in names}
    assert {part.split(")")[0] + ")" for part in ("url(" + rest for rest in css.split("url(")[1:])} == shipped


def test_missing_package_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        extension._package("no_such_package")
