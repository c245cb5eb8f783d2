"""One page to print on each paper: what is claimed, what we find, why, how sure, with one figure and the verdicts.

The sentences are those of the card on the first page of the paper's part, the numbers those of the records and the
ledger, all as they are when the book is built.
"""

from __future__ import annotations

import io
import re
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
import nbformat
from docutils import nodes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from sphinx.application import Sphinx

from hqnn import claims, figures, papers
from hqnn.claims import Verdict
from tools import cite, extension, leads
from tools.repository import ROOT, address

FOLDER = "sheets"
PLACE = '<div class="sheets"></div>'
WORDS = ("Claimed", "Found", "Why", "How sure")
WIDE, HIGH, MARGIN = 8.27, 11.69, 0.75
"""A page of A4 and its margin, inches."""
_COLUMNS = (0.0, 2.35, 2.95, 4.05, 4.5, 4.98)
"""Where the columns of the table begin, inches from the margin."""


def first_page(paper: str) -> str:
    """The page that a paper's part opens with, without its suffix."""
    return min((ROOT / "book" / paper).glob("*.ipynb")).relative_to(ROOT).with_suffix("").as_posix()


def card(paper: str) -> dict[str, str]:
    """What the card on that page says, by `WORDS`; empty if the page has none."""
    opening: str = nbformat.read(ROOT / f"{first_page(paper)}.ipynb", as_version=4).cells[0].source
    plain = " ".join(line[1:].strip() for line in opening.splitlines() if line.startswith(">"))
    found = re.split(rf"\*\*({'|'.join(WORDS)})\.\*\* *", plain)[1:]
    said = dict(zip(found[::2], found[1::2], strict=True))
    if WORDS[-1] in said:  # the links behind it are the page's
        said[WORDS[-1]] = said[WORDS[-1]].partition("[")[0]
    return {word: text.strip() for word, text in said.items()}


def with_card() -> list[str]:
    """The papers that have a sheet, in the order of the parts."""
    return [paper for paper in papers.names() if any((ROOT / "book" / paper).glob("*.ipynb")) and card(paper)]


class _Page:
    """A page that is filled from the top."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDE, HIGH), layout=None)
        self.figure.set_layout_engine("none")
        FigureCanvasPdf(self.figure)
        self.y = HIGH - MARGIN

    def write(self, text: str, size: float = 9.5, *, left: float = 0, width: int = 96, **style: Any) -> None:
        """Put a paragraph, and go below it."""
        lines = textwrap.wrap(text, width)
        where = ((MARGIN + left) / WIDE, self.y / HIGH)
        self.figure.text(*where, "\n".join(lines), size=size, va="top", linespacing=1.35, **style)
        self.y -= len(lines) * size * 1.42 / 72

    def row(self, cells: list[str], **style: Any) -> None:
        """Put a line of a table."""
        for left, cell in zip(_COLUMNS, cells, strict=True):
            self.figure.text((MARGIN + left) / WIDE, self.y / HIGH, cell, size=8.5, va="top", **style)
        self.y -= 0.19


def title(paper: str) -> str:
    """Authors, title and number of a paper, as the bibliography has them."""
    entries = (ROOT / "book" / "references.bib").read_text(encoding="utf-8").split("\n@")
    entry = next(one for one in entries if f"{{Cited in this book as {paper}}}" in one)
    said = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
    authors = ", ".join(" ".join(reversed(one.split(", "))) for one in said["author"].split(" and "))
    return f"{authors}: {re.sub('[{}]', '', said['title'])} ({said['year']}), arXiv:{said['eprint']}"


def draw(paper: str) -> Figure:
    """The sheet of a paper."""
    page, url = _Page(), f"{address().pages}/{first_page(paper)}.html"
    shown = [row for row in leads.rows() if row.result.claim.paper == paper]
    page.write(papers.title(paper), 20, weight="bold")
    page.y -= 0.1
    page.write(title(paper), 9)
    page.y -= 0.15
    for word, text in card(paper).items():
        page.write(word, 11, weight="bold", color=figures.BLUE)
        page.write(text)
        page.y -= 0.13
    if shown:
        _leads(page, shown)
    _verdicts(page, paper)
    page.y = MARGIN + 0.45
    page.write(f"{cite.citation()['title']}, version {cite.citation()['version']}. The runs and all verdicts:", 8.5)
    page.write(url, 8.5, url=url, color=figures.BLUE)
    return page.figure


def _leads(page: _Page, shown: list[leads.Row]) -> None:
    """The hybrid's leads as a figure, and as a table below it."""
    high = 0.5 + 0.32 * len(shown)
    page.write(
        "The hybrid's lead in test accuracy over its classical rival, points", 11, weight="bold", color=figures.BLUE
    )
    ax = page.figure.add_axes((0.36, (page.y - high + 0.35) / HIGH, 0.55, (high - 0.4) / HIGH))
    found = {row.name: row.compared.lead for row in shown}
    figures.leads(ax, found, printed={row.name: row.compared.printed_lead for row in shown})
    ax.tick_params(labelsize=8.5)
    page.y -= high + 0.05
    page.write("Hollow: as printed. Filled: as found, mean and 95 % interval. Faint: single pairs of runs.", 8.5)
    page.y -= 0.12
    page.row(["comparison", "printed", "found", "pairs", "p", "the claim about it is"], weight="bold")
    for row in shown:
        lead = row.found.difference
        ours = f"{leads.signed(lead.mean)} ± {lead.half_width:.2f}"
        numbers = [leads.signed(row.compared.printed_lead), ours, f"{lead.n}", f"{row.found.p_value:.2g}"]
        page.row([row.name, *numbers, str(row.result.judgement.verdict)])
    page.y -= 0.15


def _verdicts(page: _Page, paper: str) -> None:
    """How many printed results, and how many other rows, got which verdict."""
    stored = claims.stored(paper)
    results, rows = (claims.counts(stored, kind)[paper] for kind in ("result", None))
    page.write(f"What became of its {sum(results.values())} printed results", 11, weight="bold", color=figures.BLUE)
    for counted, what in ((results, "."), (rows, f", of all {sum(rows.values())} rows of the ledger.")):
        page.write(", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict]) + what)


def as_pdf(paper: str) -> bytes:
    """The sheet as a PDF of one page, whose text can be selected; always the same bytes."""
    buffer = io.BytesIO()
    with mpl.rc_context({**figures.STYLE, "pdf.fonttype": 42}):
        about = {"Title": papers.title(paper), "CreationDate": None}
        draw(paper).savefig(buffer, format="pdf", bbox_inches=None, metadata=about)
    return buffer.getvalue()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", ship)
    app.connect("doctree-resolved", link)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def ship(app: Sphinx) -> None:
    """Write the sheets beside the pages."""
    extra = Path(app.outdir).parent / FOLDER
    (extra / FOLDER).mkdir(parents=True, exist_ok=True)
    for paper in with_card():
        (extra / FOLDER / f"{paper}.pdf").write_bytes(as_pdf(paper))
    app.config.html_extra_path.append(str(extra))


def link(app: Sphinx, document: nodes.document, page: str) -> None:
    """Link each sheet from the card that it is made of, and all where a page has a place for them."""
    up, shown = "../" * page.count("/"), with_card()
    for paper in shown:
        if page == first_page(paper):
            quote = next(iter(document.findall(nodes.block_quote)))
            there = _to(up, paper, "This on one page, to print (PDF)")
            quote.append(nodes.raw("", f"<p>{there}</p>", format="html"))
    every = ", ".join(_to(up, paper, papers.title(paper)) for paper in shown)
    extension.fill(document, PLACE, lambda _: f"<p>On one page each, to print: {every} (PDF).</p>")


def _to(up: str, paper: str, text: str) -> str:
    return f'<a class="reference internal" href="{up}{FOLDER}/{paper}.pdf">{text}</a>'
