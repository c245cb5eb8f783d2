"""The status of the book: when its pages were last run and compared with what they show, and what the tests found.

`make unit` and `make notebooks` leave a report in `_build/reports`; the build reads what is there. What no report says,
the page says is not known.
"""

from __future__ import annotations

import datetime
import html
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any
from xml.etree import ElementTree as ET

import nbformat
from docutils import nodes
from packaging.requirements import Requirement
from sphinx.application import Sphinx

from tools import cite, extension
from tools.repository import ROOT

PLACE = r'<div class="status" data-part="(\w+)"></div>'
REPORTS = {"unit tests": "_build/reports/unit.xml", "notebooks": "_build/reports/notebooks.xml"}
"""What was tested -> the report of it, as pytest writes it for `--junitxml`."""
NOTHING = "—"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a run of tests found."""

    day: datetime.datetime
    """When it began."""
    passed: int
    failed: int
    skipped: int
    seconds: float

    def told(self) -> str:
        """The numbers as text."""
        return f"{self.passed:,} passed, {self.failed} failed, {self.skipped} skipped"


def read(path: Path) -> tuple[Tally, dict[str, Tally]] | None:
    """A report: all of it, and by the module or notebook of each test; None if there is no report."""
    if not path.exists():
        return None
    suite = next(ET.parse(path).getroot().iter("testsuite"))
    day = datetime.datetime.fromisoformat(suite.attrib["timestamp"])
    by_module: dict[str, list[ET.Element]] = {}
    for case in suite.iter("testcase"):
        by_module.setdefault(case.attrib["classname"], []).append(case)
    found = {name: _tally(cases, day) for name, cases in by_module.items()}
    whole = _tally([case for cases in by_module.values() for case in cases], day, float(suite.attrib["time"]))
    return whole, found


def _tally(cases: list[ET.Element], day: datetime.datetime, seconds: float | None = None) -> Tally:
    outcomes = [{part.tag for part in case} for case in cases]
    failed = sum(bool(tags & {"failure", "error"}) for tags in outcomes)
    skipped = sum("skipped" in tags for tags in outcomes)
    spent = sum(float(case.attrib["time"]) for case in cases) if seconds is None else seconds
    return Tally(day=day, passed=len(cases) - failed - skipped, failed=failed, skipped=skipped, seconds=spent)


def verdict(tally: Tally | None, touched: datetime.datetime) -> str:
    """Whether what a page shows is what a fresh run shows, as a word, and since when.

    Args:
        tally: Of the page's cells; None if no report has them.
        touched: When its file was last written.
    """
    if tally is None:
        return "not known here"
    if tally.failed:
        return f"differs, {tally.day:%Y-%m-%d %H:%M} UTC"
    return "changed since" if touched > tally.day else f"the same, {tally.day:%Y-%m-%d %H:%M} UTC"


def pages(folder: Path, cells: dict[str, Tally]) -> list[list[str]]:
    """Every notebook: its name, code cells, figures, last change, what a fresh run showed, and its seconds."""
    rows = []
    for path in sorted((folder / "book").rglob("*.ipynb")):
        name = path.relative_to(folder).with_suffix("")
        code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        drawn = [
            out for cell in code for out in cell.outputs if any(m.startswith("image/") for m in out.get("data", ()))
        ]
        tally = cells.get(f"{'.'.join(name.parts)}.ipynb")
        touched = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
        seconds = f"{tally.seconds:.0f}" if tally else NOTHING
        day = cite.of_page(name.as_posix()).isoformat()
        rows.append([name.as_posix(), f"{len(code)}", f"{len(drawn)}", day, verdict(tally, touched), seconds])
    return rows


def versions(root: Path = ROOT) -> list[list[str]]:
    """Python and each package that the library depends on, with the version that the book was built with."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = [["Python", python_version()]]
    for line in project["dependencies"]:
        name = Requirement(line).name
        try:
            rows.append([name, version(name)])
        except PackageNotFoundError:
            rows.append([name, NOTHING])
    return rows


def table(head: list[str], rows: list[list[str]], caption: str) -> str:
    """A table as HTML; cells are HTML."""
    header = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    return (
        '<div class="pst-scrollable-table-container" tabindex="0" role="group" aria-label="a table">'
        f'<table class="table"><caption>{caption}</caption>'
        f"<thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def parts(root: Path, titles: dict[str, str], up: str) -> dict[str, str]:
    """The page's tables by name, as HTML.

    Args:
        root: The repository.
        titles: Page -> its title.
        up: From the page to the root of the book.
    """
    found = {what: read(root / path) for what, path in REPORTS.items()}
    tested = []
    for what, one in found.items():
        told = [one[0].told(), f"{one[0].day:%Y-%m-%d %H:%M} UTC", f"{one[0].seconds:.0f}"] if one else None
        tested.append([what, *(told or ["not run in the copy that this was built from", NOTHING, NOTHING])])
    notebooks = found["notebooks"]
    shown = [
        [f'<a href="{up}{name}.html">{html.escape(titles.get(name, name))}</a>', *rest]
        for name, *rest in pages(root, notebooks[1] if notebooks else {})
    ]
    head = ["page", "code cells", "figures", "last change", "a fresh run shows", "seconds"]
    return {
        "tests": table(
            ["what ran", "result", "begun", "seconds"], tested, "What the tests found, and how long they took."
        ),
        "pages": table(head, shown, "The notebooks, in the order of their files, and what a fresh run of each showed."),
        "versions": table(["package", "version"], versions(root), "The packages that this copy was built with."),
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("doctree-resolved", fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def fill(app: Sphinx, document: nodes.document, page: str) -> None:
    """Put each table where a page has a place for it."""

    @cache
    def made() -> dict[str, str]:
        titles = {name: re.sub(r"\s+", " ", title.astext()) for name, title in app.env.titles.items()}
        return parts(Path(app.srcdir), titles, "../" * page.count("/"))

    extension.fill(document, PLACE, lambda match: made()[match[1]])
