"""What the theme leaves out of a page: its description, the preview of links to it, its part of the book, the imprint.

When all pages are written, the markup that screen readers stumble over is put right in them.
"""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

import hqnn
from tools.repository import BRANCH, ROOT, address

LONGEST = 200
"""Characters of a description."""
PREVIEW = "_static/leads.png"
"""The picture of pages without one."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("config-inited", give_address)
    app.connect("html-page-context", describe)
    app.connect("build-finished", repair_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def give_address(app: Sphinx, config: Config) -> None:
    """Let each page name its public address, and the imprint the version."""
    config.html_baseurl = f"{address().pages}/"
    config.html_context |= {"version": hqnn.__version__, "repository": f"{address().url}/blob/{BRANCH}"}


def describe(app: Sphinx, page: str, _template: str, context: dict[str, Any], document: nodes.document | None) -> None:
    """Give a page its part in its title, and its description and preview."""
    part = parts().get(page)
    if part:
        context["docstitle"] = f"{part} \N{EM DASH} {context['docstitle']}"
    if document is not None:
        shown = (posixpath.basename(str(one["uri"])) for one in document.findall(nodes.image))
        picture = next((f"_images/{name}" for name in shown if name.endswith(".png")), PREVIEW)
        title = re.sub(r"<[^>]*>", "", str(context["title"]))
        context["metatags"] += tags(html.unescape(title), summary(document), f"{page}.html", picture)


def tags(title: str, description: str, page: str, picture: str) -> str:
    """The description of a page and the preview of links to it; `page` and `picture` are paths below the address."""
    base = address().pages
    named = {"og:type": "article", "og:site_name": str(_book()["title"]), "og:title": title}
    named |= {"og:description": description, "og:url": f"{base}/{page}", "og:image": f"{base}/{picture}"}
    lines = [f'<meta name="description" content="{html.escape(description)}"/>']
    lines += [f'<meta property="{name}" content="{html.escape(text)}"/>' for name, text in named.items() if text]
    return "\n".join(["", *lines, '<meta name="twitter:card" content="summary_large_image"/>', ""])


def summary(document: nodes.document) -> str:
    """The first paragraph of a page's own prose, cut at a word; one without mathematics before one with."""
    prose = [one for one in document.findall(nodes.paragraph) if isinstance(one.parent, nodes.section)]
    plain = [one for one in prose[:3] if not list(one.findall(nodes.math))]
    text = " ".join((plain or prose)[0].astext().split()) if prose else ""
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rpartition(' ')[0].rstrip(',;:')}…"


@cache
def _book() -> Mapping[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    return found


@cache
def parts() -> dict[str, str]:
    """The short name of the part that each numbered page is in: its caption up to a colon."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {
        chapter["file"]: part["caption"].partition(":")[0]
        for part in toc["parts"]
        if part.get("numbered")
        for chapter in part["chapters"]
    }


REPAIRS = (
    # The head of a column that has no name is no head.
    (re.compile(r"<th\b([^>]*?)(?: scope=\"\w+\")?>(\s*<p>\s*</p>\s*)?</th>"), r"<td\1></td>"),
    # An entry of a list of references is an entry of a list.
    (re.compile(r'role="doc-biblioentry"'), 'role="listitem"'),
    # "1 \u00b1 2", "5 %" and "1 to 5" stand on one line; in a table's cell the interval may go below.
    (re.compile(r"(?<=\d) \u00b1 (?=\d)"), "\N{NO-BREAK SPACE}\u00b1\N{NO-BREAK SPACE}"),
    (re.compile(r'(<td class="text-right"><p>[-+\d.,]+)\N{NO-BREAK SPACE}\u00b1'), "\\1 \u00b1"),
    (re.compile(r"(?<=\d) %"), "\N{NO-BREAK SPACE}%"),
    (re.compile(r"(?<=\b\d) to (?=\d(?![.,]?\d))"), "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"),
    # All that is seen is in a landmark, the book's name too.
    (
        re.compile(r'<div id="pst-primary-sidebar"(?! role)'),
        '<div id="pst-primary-sidebar" role="complementary" aria-label="The book"',
    ),
)
"""Patterns of markup, and what takes their place."""


def repaired(page: str) -> str:
    """The markup of a page with all `REPAIRS`."""
    for pattern, better in REPAIRS:
        page = pattern.sub(better, page)
    return page


def repair_pages(app: Sphinx, error: Exception | None) -> None:
    """Repair every page of a finished build."""
    if error is None:
        for path in Path(app.outdir).rglob("*.html"):
            text = path.read_text(encoding="utf-8")
            if (better := repaired(text)) != text:
                path.write_text(better, encoding="utf-8")
