"""Captions in the book's HTML: a notebook's table takes its caption, and figures and tables are numbered page by page.

A notebook's table is one Markdown output, a paragraph and the table it is about (see `hqnn.tables.table`); a Markdown
page has the directive `table`. Sphinx goes on counting where another part's page of the same number has stopped, and
knows nothing of tables that are written as HTML; so its `numfig` is off, and each finished page is counted here.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

_CAPTION = re.compile(r'<caption>|<figcaption>\s*<p>(?=<span class="caption-text">)')


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", count_here, priority=600)  # behind Jupyter Book's, which switches `numfig` on
    app.connect("doctree-read", join_tables)
    app.connect("html-page-context", number)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def count_here(_app: Sphinx, config: Config) -> None:
    """Switch Sphinx's own numbers off."""
    config["numfig"] = False


def join_tables(_app: Sphinx, document: nodes.document) -> None:
    """Make the paragraph in front of each table of a notebook's Markdown output the caption of the table, in place."""
    outputs = [one for one in document.findall(nodes.container) if one.get("mime_type") == "text/markdown"]
    tables = [table for output in outputs for table in output.children if isinstance(table, nodes.table)]
    for number, table in enumerate(tables, 1):
        table["ids"].append(f"table-{number}")
        caption = table.previous_sibling()
        if isinstance(caption, nodes.paragraph):
            caption.parent.remove(caption)
            table.insert(0, nodes.title(caption.rawsource, "", *caption.children))


def number(app: Sphinx, page: str, _template: str, context: dict[str, Any], document: nodes.document | None) -> None:
    """Number the captions of a page, figures and tables each from 1, behind the page's own number in its part."""
    if document is not None:
        own = app.env.toc_secnumbers.get(page, {}).get("", ())
        context["body"] = numbered(context["body"], "".join(f"{level}." for level in own))


def numbered(body: str, prefix: str) -> str:
    """The HTML of a page with a number in each caption."""
    found: Counter[str] = Counter()

    def with_number(match: re.Match[str]) -> str:
        kind = "Table" if match[0] == "<caption>" else "Fig."
        found[kind] += 1
        return f'{match[0]}<span class="caption-number">{kind} {prefix}{found[kind]} </span>'

    return _CAPTION.sub(with_number, body)
