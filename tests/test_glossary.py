"""Words of the glossary are explained where a page uses them first, from the primer's one copy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx import addnodes

from tools import glossary
from tools.repository import ROOT


def entry(term: str, *definition: nodes.Node) -> nodes.definition_list_item:
    anchor = f"term-{term.replace(' ', '-')}"
    return nodes.definition_list_item(
        "", nodes.term("", term, ids=[anchor]), nodes.definition("", nodes.paragraph("", "", *definition))
    )


@pytest.fixture
def known() -> dict[str, glossary.Word]:
    primer = new_document("primer")
    entries = [
        entry("shot", nodes.Text("One run.")),
        entry("Bloch vector", nodes.math("", "r"), nodes.Text(" of one qubit.")),
        entry("vector", nodes.Text("Numbers.")),
    ]
    primer += addnodes.glossary("", nodes.definition_list("", *entries))
    primer += nodes.definition_list("", entry("reproduced", nodes.Text("Not of the glossary.")))
    return glossary.words(primer)


def page(*parts: nodes.Node) -> nodes.document:
    document = new_document("page")
    document += parts
    return document


def read(document: nodes.document) -> str:
    return re.sub("<.*?>", "", document.astext())


def test_the_glossary_is_read_from_the_primer(known: dict[str, glossary.Word]) -> None:
    assert {name: word.anchor for name, word in known.items()} == {
        "shot": "term-shot",
        "bloch vector": "term-Bloch-vector",
        "vector": "term-vector",
    }
    assert known["shot"].definition.astext() == "One run."


def test_each_word_is_explained_once_where_it_comes_first(known: dict[str, glossary.Word]) -> None:
    text = nodes.paragraph("", "Ten shots, a Shot, one-shot; the Bloch-vectors and a vector.")
    document = page(nodes.title("", "One shot"), text, nodes.paragraph("", "More shots."))
    assert glossary.explain(document, known, "../primer.html") == ["shot", "bloch vector", "vector"]
    opened = [raw.astext() for raw in document.findall(nodes.raw) if "<a " in raw.astext()]
    assert opened[0] == (
        '<span class="glossed"><a href="../primer.html#term-shot" aria-describedby="gloss-shot">shots</a>'
        '<span class="gloss" role="tooltip" id="gloss-shot">'
    )
    assert [re.findall(">([^<]+)</a>", one)[0] for one in opened] == ["shots", "Bloch-vectors", "vector"]
    assert [math.astext() for math in document.findall(nodes.math)] == ["r"]  # a copy of the definition's
    assert read(document).replace("\n", "").startswith("One shotTen shotsOne run., a Shot, one-shot; the ")
    assert read(document).endswith("More shots.")


def test_the_longer_of_two_words_is_meant(known: dict[str, glossary.Word]) -> None:
    known["vector field"] = known["shot"]
    document = page(nodes.paragraph("", "A vector field, a vector."))
    assert glossary.explain(document, known, "p") == ["vector field", "vector"]


def test_links_titles_code_and_other_pages_words_stay(known: dict[str, glossary.Word]) -> None:
    parts: list[nodes.Node] = [
        nodes.title("", "Shot"),
        nodes.paragraph("", "", nodes.reference("", "a shot", refuri="x"), nodes.literal("", "shot")),
        nodes.literal_block("", "shot"),
        nodes.paragraph("", "Screenshots of vectorial things, reproduced."),
    ]
    document = page(*parts)
    before = document.pformat()
    assert glossary.explain(document, known, "p") == []
    assert document.pformat() == before


def test_the_primer_explains_what_pages_say_and_says_it_in_order() -> None:
    text = (ROOT / "book" / "primer.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(\w[\w ]*)\n  \w|^(\w[\w ]*)\n  \$", text[text.index(":::{glossary}") :], re.MULTILINE)
    terms = ["".join(pair) for pair in listed]
    assert terms == sorted(terms, key=str.lower)
    assert len(terms) >= 15
    pages = [path.read_text(encoding="utf-8").lower().replace("-", " ") for path in (ROOT / "book").rglob("*.py")]
    assert [term for term in terms if sum(term.lower() in one for one in pages) < 1] == []


def test_definitions_are_shown_to_pointer_and_keyboard(chromium: Any) -> None:
    style = (ROOT / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    words = "".join(
        f'<p>Text <span class="glossed"><a href="#x" aria-describedby="g{k}">word</a><span class="gloss" role="tooltip"'
        f' id="g{k}">definition {k}, as long as a telephone is wide, and longer.</span></span> text.</p>'
        for k in range(2)
    )
    for width in (390, 1400):
        page = chromium.new_page(viewport={"width": width, "height": 800}, java_script_enabled=False)
        page.set_content(f"<style>{style}</style><article class=bd-article>{words}</article>")
        shown = "all => all.filter((one) => one.checkVisibility()).map((one) => one.id)"
        assert page.locator(".gloss").evaluate_all(shown) == []
        page.get_by_text("word").first.hover()
        assert page.locator(".gloss").evaluate_all(shown) == ["g0"]
        box = page.locator("#g0").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        page.mouse.move(width - 1, 700)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.locator(".gloss").evaluate_all(shown) == ["g1"]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()


@pytest.mark.parametrize("width", [1400, 1000])
def test_an_explanation_can_be_pointed_at_and_put_away(
    chromium: Any, known: dict[str, glossary.Word], tmp_path: Path, width: int
) -> None:
    """What WCAG 2.1 asks of it (1.4.13): it can be dismissed, it can be hovered over, and it persists."""
    shown = "".join(node.astext() for node in glossary._shown("shot", known["shot"], "shot", "primer.html"))
    static = ROOT / "book/_static"
    (tmp_path / "page.html").write_text(
        f'<!doctype html><link rel="stylesheet" href="{(static / "book.css").as_uri()}">'
        f'<script src="{(static / "gloss.js").as_uri()}"></script><article class="bd-article" '
        f'style="font: 18px/1.65 serif; max-width: 30em"><p>{"Before it stand words. " * 9}A {shown} is what this is '
        f"about. {'Behind it stand words. ' * 30}</p></article>",
        encoding="utf-8",
    )
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.goto((tmp_path / "page.html").as_uri())
    word, told = page.locator(".glossed > a"), page.locator(".gloss")
    assert not told.is_visible()
    at = word.bounding_box()
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    there = told.bounding_box()
    assert 0 <= there["y"] - y < 40
    for step in range(int(there["y"] - y) + 8):
        page.mouse.move(x, y + step)
        assert told.is_visible()
    page.keyboard.press("Escape")
    assert not told.is_visible()
    page.mouse.move(0, 0)
    page.mouse.move(x, y)
    told.wait_for(state="visible")
    page.mouse.move(0, 0)
    assert not told.is_visible()
    page.keyboard.press("Tab")
    assert told.is_visible()
    page.keyboard.press("Escape")
    assert not told.is_visible()
    assert page.evaluate("document.activeElement.textContent") == "shot"
    word.blur()
    word.focus()
    told.wait_for(state="visible")
    page.close()
