"""What pages say of themselves to previews and to screen readers."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx

from tools import finish
from tools.repository import address


def page(*paragraphs: nodes.Node) -> nodes.document:
    document = new_document("page")
    document += nodes.section("", nodes.title("", "Title"), *paragraphs)
    return document


def test_a_page_is_described_by_its_first_prose() -> None:
    card = nodes.block_quote("", nodes.paragraph("", "Claimed. Much."))
    with_mathematics = nodes.paragraph("", "A state ", nodes.math("", r"\psi"), nodes.Text(" first."))
    document = page(card, with_mathematics, nodes.paragraph("", "This page\ndraws it."))
    assert finish.summary(document) == "This page draws it."
    assert finish.summary(page(with_mathematics)) == r"A state \psi first."
    assert finish.summary(page()) == ""


def test_a_long_description_ends_with_a_word() -> None:
    found = finish.summary(page(nodes.paragraph("", "word, " * 100)))
    assert found.endswith("word…")
    assert finish.LONGEST - 6 <= len(found) <= finish.LONGEST


def test_previews_name_public_addresses_and_quote_what_they_say() -> None:
    found = finish.tags('1. "A" & B', "<i>", "book/a.html", "_images/b.png")
    said = dict(re.findall(r'<meta (?:name|property)="([\w:]+)" content="([^"]*)"/>', found))
    assert said["og:title"] == "1. &quot;A&quot; &amp; B"
    assert said["description"] == said["og:description"] == "&lt;i&gt;"
    assert said["og:url"] == f"{address().pages}/book/a.html"
    assert said["og:image"] == f"{address().pages}/_images/b.png"


APP = cast("Sphinx", None)  # nothing is asked of the application


@pytest.mark.parametrize(
    ("uri", "picture"), [("../_images/b.png", "_images/b.png"), ("../_images/c.svg", finish.PREVIEW)]
)
def test_a_page_in_a_part_says_so_in_its_title_and_shows_its_first_figure(uri: str, picture: str) -> None:
    context: dict[str, Any] = {"title": "1. The <i>circuit</i>", "docstitle": "Book", "metatags": ""}
    finish.describe(APP, "book/lcqhnn/01-circuit", "", context, page(nodes.image(uri=uri)))
    assert context["docstitle"] == "LCQHNN — Book"
    assert f'content="{address().pages}/{picture}"' in context["metatags"]
    assert 'content="1. The circuit"' in context["metatags"]
    finish.describe(APP, "search", "", context, None)
    assert context["docstitle"] == "LCQHNN — Book"


def test_markup_is_repaired_once() -> None:
    broken = (
        '<div id="pst-primary-sidebar" class="a"><th class="head text-left"><p></p></th>'
        '<th scope="col"></th><th scope="row">x</th>'
        '<div role="doc-biblioentry"><td>+1.00 \u00b1 0.02 %, 1 to 6, 1 to 60</td>'
        '<td class="text-right"><p>-1 \u00b1 2</p>'
    )
    better = (
        '<div id="pst-primary-sidebar" role="complementary" aria-label="The book" class="a"><td class="head text-left">'
        '</td><td></td><th scope="row">x</th><div role="listitem">'
        "<td>+1.00\u00a0\u00b1\u00a00.02\u00a0%, 1\u00a0to\u00a06, 1 to 60</td>"
        '<td class="text-right"><p>-1 \u00b1\u00a02</p>'
    )
    assert finish.repaired(broken) == better
    assert finish.repaired(better) == better
