"""The figure on the book's first page: every comparison's lead, as printed and as found, drawn when the book is built.

It is a picture that needs no script: each row is a link to its claim, and pointing at it or moving to it with the
keyboard shows its numbers. `<div class="leads"></div>` on a page says where it is to stand.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from hqnn import claims, stats
from hqnn.claims import Result
from hqnn.papers import together
from tools import extension, ledger, readme

PLACE = '<div class="leads"></div>'
WIDTH, ROW, TOP = 560, 46, 34
"""Sizes in units of which 560 are the figure's width; a telephone shows the letters of 15 units at nearly 10 pixels."""
TICKS = (-30, -10, -3, -1, 0, 1, 3, 10, 30)
_STYLE = """
.leads svg { display: block; width: 100%; height: auto; overflow: visible; font-family: var(--book-sans, sans-serif); }
.leads svg text { font-size: 15px; fill: var(--pst-color-text-base, #1f2933); }
.leads svg .faint { fill: var(--pst-color-text-muted, #5b6875); font-size: 14px; }
.leads svg .grid { stroke: var(--pst-color-border, #dfe4e9); }
.leads svg .zero { stroke: var(--pst-color-text-base, #1f2933); }
.leads svg .ours { stroke: var(--pst-color-primary, #0072b2); fill: var(--pst-color-primary, #0072b2); }
.leads svg .pair { fill: var(--pst-color-primary, #0072b2); fill-opacity: 0.3; }
.leads svg .printed { stroke: var(--pst-color-text-base, #1f2933); fill: none; stroke-width: 1.6; }
.leads svg a { text-decoration: none; outline: none; }
.leads svg a .field { fill: transparent; rx: 6px; }
.leads svg a:is(:hover, :focus-visible) .field { fill: var(--pst-color-primary, #0072b2); fill-opacity: 0.1; }
.leads svg a:focus-visible .field { stroke: var(--pst-color-primary, #0072b2); stroke-width: 2; }
.leads svg .told { visibility: hidden; pointer-events: none; }
.leads svg .told rect { fill: var(--pst-color-surface, #f5f7f9); stroke: currentColor; stroke-opacity: 0.4; rx: 6px; }
.leads details { margin-top: 0.6rem; text-align: left; font: 0.95rem/1.4 var(--book-sans, sans-serif); }
.leads details > div { overflow-x: auto; }
@media print { .leads details { display: none; } }
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A comparison as it is shown."""

    name: str
    compared: together.Comparison
    result: Result
    """What became of the claim about it."""

    @property
    def found(self) -> stats.PairedDifference:
        """Our lead, points, and its test."""
        return stats.paired_difference(self.compared.hybrid, self.compared.rival)

    def told(self) -> list[str]:
        """Its numbers, as three short lines."""
        lead, least = self.found.difference, self.found.p_value <= stats.floor(self.found.difference.n)
        return [
            f"printed {signed(self.compared.printed_lead)} points, found {signed(lead.mean)}",
            f"95 % interval {signed(lead.low)} to {signed(lead.high)}, {lead.n} pairs",
            f"exact test: p = {self.found.p_value:.2g}{f', the least of {lead.n} pairs' if least else ''}",
        ]


def signed(points: float) -> str:
    """A number of points with its sign and two decimals."""
    return f"{points + 0:+.2f}".replace("-", "−") if abs(points) >= 0.005 else "0.00"


def rows() -> list[Row]:
    """Every comparison with its claim, in the order of the papers."""
    by_id = {one.claim.id: one for one in claims.stored()}
    return [Row(name=n, compared=one, result=by_id[one.claim]) for n, one in together.load().items()]


def across(points: float) -> float:
    """Where a lead lies from left to right: in proportion up to ±1 point, by its logarithm beyond."""
    bent = points if abs(points) <= 1 else math.copysign(1 + math.log10(abs(points)), points)
    return WIDTH * (0.5 + 0.94 * bent / (2 * (1 + math.log10(60))))


def picture(shown: list[Row], address: Callable[[str], str], alt: str) -> str:
    """The figure as SVG.

    Args:
        shown: Its rows.
        address: Of a claim, from the page that shows it.
        alt: What a reader who cannot see it needs to know.
    """
    bottom = TOP + ROW * len(shown)
    marked = "".join(
        f'<path class="{"zero" if tick == 0 else "grid"}" d="M{across(tick):.1f} {TOP}V{bottom}"/>'
        f'<text class="faint" text-anchor="middle" x="{across(tick):.1f}" y="{bottom + 18}">'
        f"{f'{tick:+d}'.replace('-', '−') if tick else 0}</text>"
        for tick in TICKS
    )
    links = "".join(_link(k, row, address(row.result.claim.id)) for k, row in enumerate(shown))
    told = "".join(_told(k, row, last=k > len(shown) - 3) for k, row in enumerate(shown))
    style = "".join(
        f".leads svg .lead-{k}:is(:hover, :focus-visible) ~ .told-{k} {{ visibility: visible; }}\n"
        for k in range(len(shown))
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {bottom + 46}" role="group" aria-label="{html.escape(alt)}">'
        f"<style>{_STYLE}{style}</style>{_legend()}{marked}"
        f'<text class="faint" text-anchor="middle" x="{WIDTH / 2}" y="{bottom + 40}">'
        f"lead of the hybrid, points (logarithmic beyond ±1)</text>{links}{told}</svg>"
    )


def _legend() -> str:
    return (
        '<g aria-hidden="true"><path class="printed" d="M14 5l7 7l-7 7l-7 -7z"/><text x="27" y="17">printed</text>'
        '<g class="ours"><path d="M102 12h36"/><circle cx="120" cy="12" r="5"/></g>'
        '<text x="145" y="17">found: mean, 95 % interval</text>'
        '<circle class="pair" cx="368" cy="12" r="4"/><text x="380" y="17">single pairs of runs</text></g>'
    )


def _link(k: int, row: Row, address: str) -> str:
    y, lead = TOP + ROW * k, row.found.difference
    line, middle = y + 32, across(row.compared.printed_lead)
    pairs = "".join(f'<circle class="pair" cx="{across(one):.1f}" cy="{line}" r="3"/>' for one in row.compared.lead)
    label = f"{row.name}: {'; '.join(row.told())}. Claim {row.result.claim.id}: {row.result.judgement.verdict}."
    return (
        f'<a class="lead-{k}" href="{html.escape(address)}" aria-label="{html.escape(label)}">'
        f'<rect class="field" x="0" y="{y}" width="{WIDTH}" height="{ROW}"/>'
        f'<text x="6" y="{y + 17}">{html.escape(row.name)}</text>'
        f'<text class="faint" text-anchor="end" x="{WIDTH - 6}" y="{y + 17}">n = {lead.n}</text>{pairs}'
        f'<g class="ours"><path stroke-width="2" d="M{across(lead.low):.1f} {line}H{across(lead.high):.1f}"/>'
        f'<circle cx="{across(lead.mean):.1f}" cy="{line}" r="5"/></g>'
        f'<path class="printed" d="M{middle:.1f} {line - 7}l7 7l-7 7l-7 -7z"/></a>'
    )


def _told(k: int, row: Row, *, last: bool) -> str:
    y = TOP + ROW * k + (-92 if last else ROW + 2)
    claim = f"claim {row.result.claim.id}: {row.result.judgement.verdict}"
    lines = "".join(
        f'<text x="62" y="{y + 21 + 20 * j}">{html.escape(text)}</text>' for j, text in enumerate([*row.told(), claim])
    )
    return f'<g class="told told-{k}" aria-hidden="true"><rect x="50" y="{y}" width="460" height="90"/>{lines}</g>'


def numbers(shown: list[Row], address: Callable[[str], str]) -> str:
    """The same as a table, folded."""
    head = ("comparison", "printed", "found", "95 % interval", "pairs", "p", "claim")
    body = ""
    for row in shown:
        lead, claim = row.found.difference, row.result.claim.id
        cells = (
            signed(row.compared.printed_lead),
            signed(lead.mean),
            f"{signed(lead.low)} to {signed(lead.high)}",
            f"{lead.n}",
            f"{row.found.p_value:.2g}",
            f'<a href="{html.escape(address(claim))}">{claim}</a>, {row.result.judgement.verdict}',
        )
        body += f'<tr><th scope="row">{html.escape(row.name)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    header = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        '<details><summary>The numbers</summary><div tabindex="0" role="region" aria-label="The numbers">'
        '<table class="table"><caption>The leads in points of test accuracy: as printed, and as found (mean, 95 % '
        "interval, pairs of runs, exact p-value). <em>Recorded runs.</em></caption>"
        f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def figure(address: Callable[[str], str], more: str, alt: str) -> str:
    """The figure with its caption and its numbers, as HTML.

    Args:
        address: Of a claim, from the page that shows it.
        more: The address of the page that explains it.
        alt: What a reader who cannot see it needs to know.
    """
    shown = rows()
    pairs = [row.found.difference.n for row in shown]
    caption = (
        "The lead in test accuracy of each hybrid over its classical rival: as printed, and in our runs, "
        f"{min(pairs)} to {max(pairs)} pairs of one seed each. Point at a row, or move to it with the Tab key, for its "
        f'numbers; it leads to its claim. <a href="{html.escape(more)}">A page of its own</a> explains it.'
    )
    return (
        f'<figure class="leads align-center">{picture(shown, address, alt)}'
        f"<figcaption><p>{caption}</p></figcaption>{numbers(shown, address)}</figure>"
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", draw)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def draw(app: Sphinx, document: nodes.document, page: str) -> None:
    """Put the figure where the page has a place for it."""
    there, more = (app.builder.get_relative_uri(page, name) for name in (ledger.PAGE, "book/together"))
    extension.fill(document, PLACE, lambda _: figure(f"{there}#{{}}".format, more, readme.picture()[1]))
