"""The checklist as a file to take away: the points of its page, without the rows of the ledger behind them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from tools import extension
from tools.repository import address

PAGE = "book/checklist"
FILE = "checklist.md"
PLACE = '<div class="checklist"></div>'
OFFER = (
    f'<p class="checklist"><a href="{FILE}" download>The list to take away</a>, as Markdown with boxes to tick: '
    "for an issue, or for the appendix of a paper.</p>"
)


def as_file(page: str) -> str:
    """The list with boxes to tick, from the text of its page."""
    lines = [f"{page.splitlines()[0]}\n"]
    for line in page.splitlines():
        if line.startswith("## "):
            lines += ["", line, ""]
        elif line.startswith("- "):
            point = re.sub(r"\*\*(.+?)\*\*", r"\1", line[2:].partition(" *Where it shows:*")[0])
            lines.append(f"- [ ] {point}")
    return "\n".join([*lines, "", f"From {address().pages}/{PAGE}.html", ""]).replace("\n\n\n", "\n\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", ship)
    app.connect("doctree-resolved", offer)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def ship(app: Sphinx) -> None:
    """Write the file beside its page, if the book has it."""
    source = Path(app.srcdir) / f"{PAGE}.md"
    if source.exists():
        extra = Path(app.outdir).parent / "checklist"
        target = extra / Path(PAGE).with_name(FILE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(as_file(source.read_text(encoding="utf-8")), encoding="utf-8")
        app.config.html_extra_path.append(str(extra))


def offer(app: Sphinx, document: nodes.document, page: str) -> None:
    """Link the file where its page has a place for it."""
    extension.fill(document, PLACE, lambda _: OFFER)
