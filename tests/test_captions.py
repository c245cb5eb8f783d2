"""Captions in the HTML: a table takes the paragraph above it, and each page counts its figures and tables from 1."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx

from tools import captions

HERE = cast("Sphinx", SimpleNamespace(env=SimpleNamespace(toc_secnumbers={"a/b": {"": (2,)}, "c": {}})))
CAPTIONED = '<figcaption>\n<p><span class="caption-text">A line.</span></p></figcaption>'


def output(*children: nodes.Node, mime_type: str = "text/markdown") -> nodes.document:
    page = new_document("page")
    page += nodes.container("", nodes.container("", *children, mime_type=mime_type), nb_element="mime_bundle")
    return page


def test_a_table_takes_the_paragraph_above_it_with_its_markup() -> None:
    text = [nodes.Text("Leads of "), nodes.math("", "n"), nodes.Text(" pairs.")]
    page = output(nodes.paragraph("", "", *text), nodes.table("", nodes.tgroup()))
    captions.join_tables(HERE, page)
    (table,) = page.findall(nodes.table)
    title, group = table.children
    assert isinstance(title, nodes.title) and isinstance(group, nodes.tgroup)
    assert (title.astext(), len(list(title.findall(nodes.math))), table["ids"]) == ("Leads of n pairs.", 1, ["table-1"])
    assert not list(page.findall(nodes.paragraph))


@pytest.mark.parametrize("mime_type", ["text/html", "text/markdown"])
def test_what_is_no_caption_stays(mime_type: str) -> None:
    before = nodes.paragraph("", "Prose.") if mime_type == "text/html" else nodes.rubric("", "Head")
    page = output(before, nodes.table("", nodes.tgroup()), mime_type=mime_type)
    captions.join_tables(HERE, page)
    (table,) = page.findall(nodes.table)
    assert table.previous_sibling() is before
    assert [type(child) for child in table.children] == [nodes.tgroup]


@pytest.mark.parametrize(("page", "prefix"), [("a/b", "2."), ("c", ""), ("unknown", "")])
def test_captions_are_numbered_by_kind_behind_the_number_of_the_page(page: str, prefix: str) -> None:
    raw = "<figure><figcaption>drawn by hand</figcaption></figure>"
    context: dict[str, Any] = {"body": f"{CAPTIONED}<caption>One</caption>{CAPTIONED}{raw}<caption>Two</caption>"}
    captions.number(HERE, page, "", context, new_document(page))
    number = '<span class="caption-number">{} </span>'
    parts = context["body"].split(number.format(f"Fig. {prefix}2"))
    assert [number.format(f"{kind} {prefix}1") in parts[0] for kind in ("Fig.", "Table")] == [True, True]
    assert parts[1].endswith(f"{raw}<caption>{number.format(f'Table {prefix}2')}Two</caption>")
    assert context["body"].count("caption-number") == 4


def test_a_page_without_a_document_has_no_captions() -> None:
    context: dict[str, Any] = {}
    captions.number(HERE, "search", "", context, None)
    assert context == {}
