"""The sheets to print: one page each, with the ledger's numbers as text that can be selected, linked from the pages."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

import matplotlib as mpl
import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.application import Sphinx

from hqnn import claims, figures, papers, stats
from hqnn.papers import together
from tools import leads, sheets

APP: Sphinx = None  # type: ignore[assignment]  # link asks nothing of the application


def objects(pdf: bytes) -> dict[int, bytes]:
    """The objects of a PDF by number, their streams unpacked."""
    found = {}
    for number, body in re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL):
        head, _, stream = body.partition(b"\nstream\n")
        stream = stream.removesuffix(b"\nendstream")
        found[int(number)] = head + b"\n" + (zlib.decompress(stream) if b"/FlateDecode" in head else stream)
    return found


def readable(of: Mapping[int, bytes], font: int) -> dict[int, str]:
    """Code -> sign, as a font tells those who select its text."""
    (table,) = re.findall(rb"/ToUnicode (\d+) 0 R", of[font])
    found: dict[int, str] = {}
    for first, last, signs in re.findall(rb"<(\w+)> <(\w+)> \[(.*?)\]", of[int(table)]):
        codes = range(int(first, 16), int(last, 16) + 1)
        found |= {
            c: bytes.fromhex(s.decode()).decode("utf-16-be")
            for c, s in zip(codes, re.findall(rb"<(\w+)>", signs), strict=True)
        }
    return found


def texts(pdf: bytes) -> list[str]:
    """Every line of text, as a reader's selection would hold it."""
    of = objects(pdf)
    named = {name: int(number) for body in of.values() for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body)}
    fonts = {name: readable(of, number) for name, number in named.items()}
    found = []
    for content in of.values():
        for block in re.findall(rb"\nBT\n(.*?)\nET", content, re.DOTALL):
            line, signs = "", {}
            for font, shown in re.findall(rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\)", block, re.DOTALL):
                if font:
                    signs = fonts[font]
                    continue
                codes = re.sub(rb"\\(\d{3})", lambda m: bytes([int(m[1], 8)]), shown)
                codes = re.sub(rb"\\(.)", lambda m: {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(m[1], m[1]), codes)
                line += "".join(signs[codes[k] << 8 | codes[k + 1]] for k in range(0, len(codes), 2))
            found.append(line)
    return found


@pytest.fixture(scope="module", params=sheets.with_card())
def made(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    return request.param, sheets.as_pdf(request.param)


def test_every_paper_has_a_sheet_that_says_all_four_things() -> None:
    assert sheets.with_card() == list(papers.names())
    for paper in papers.names():
        card = sheets.card(paper)
        assert tuple(card) == sheets.WORDS
        assert all(len(text) > 60 and not re.search(r"[\]*`$>\[]", text) for text in card.values())


def test_a_sheet_is_one_page_of_text_with_the_ledgers_numbers(made: tuple[str, bytes]) -> None:
    paper, pdf = made
    assert len(re.findall(rb"/Type /Page\b", b"\n".join(objects(pdf).values()))) == 1
    lines = texts(pdf)
    text = " ".join(lines)
    for told in sheets.card(paper).values():
        assert told in text
    results = [one for one in claims.stored(paper) if one.claim.kind == "result"]
    verdicts = [str(one.judgement.verdict) for one in results]
    assert f"its {len(results)} printed results" in text
    for verdict in set(verdicts):
        assert f"{verdicts.count(verdict)} {verdict}" in text
    names = [row.name for row in leads.rows() if row.result.claim.paper == paper]
    for name in names:
        one = together.load()[name]
        assert lines.count(name) == 2  # in the figure and in the table
        assert leads.signed(one.printed_lead) in lines
        assert f"{leads.signed(float(one.lead.mean()))} ± {stats.mean_interval(one.lead).half_width:.2f}" in lines
    assert len(names) >= 2
    assert f"/{sheets.first_page(paper)}.html".encode() in pdf  # as a link
    assert pdf == sheets.as_pdf(paper)


def test_nothing_on_a_sheet_is_cut_or_overlaps(made: tuple[str, bytes]) -> None:
    with mpl.rc_context(dict(figures.STYLE)):
        figure = sheets.draw(made[0])
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in figure.texts]
        wide, high = figure.get_size_inches() * figure.dpi
        assert all(box.x0 > 0.4 * figure.dpi and box.x1 < wide - 0.3 * figure.dpi for box in boxes)
        assert all(box.y0 > 0.4 * figure.dpi and box.y1 < high - 0.4 * figure.dpi for box in boxes)
        (ax,) = figure.axes
        drawn = ax.get_tightbbox()
        assert drawn is not None
        assert drawn.x0 > 0.3 * figure.dpi
        boxes = [box.padded(-1) for box in (*boxes, drawn)]
        cut = [(a, b) for k, a in enumerate(boxes) for b in boxes[:k] if a.overlaps(b)]
        assert cut == []


def test_sheets_are_linked_from_their_card_and_where_a_page_asks() -> None:
    first = new_document("first")
    first += nodes.block_quote("", nodes.paragraph("", "Claimed."))
    sheets.link(APP, first, sheets.first_page("hqnn"))
    assert re.findall('href="(.*?)"', first.astext()) == ["../../sheets/hqnn.pdf"]
    other = new_document("other")
    other += [nodes.block_quote("", nodes.paragraph("", "Said.")), nodes.raw("", sheets.PLACE, format="html")]
    sheets.link(APP, other, "book/intro")
    assert re.findall('href="(.*?)"', other.astext()) == [f"../sheets/{paper}.pdf" for paper in papers.names()]
    told = re.sub("<.*?>", "", other.astext())
    assert told.endswith("LCQHNN, HQNN-Parallel and HQNN-Quanv, Quantum transfer learning (PDF).")
