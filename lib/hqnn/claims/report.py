"""The claims shown: as text for a terminal, as HTML and Markdown for the book."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hqnn import claims, papers
from hqnn.claims import registration
from hqnn.claims.ledger import Claim, Ledger
from hqnn.claims.quantities import Computed, Measured
from hqnn.claims.quantity import Ours, Quantity
from hqnn.claims.rules import Rule
from hqnn.claims.verdict import Verdict
from hqnn.errors import unknown

if TYPE_CHECKING:
    from IPython.display import HTML, Markdown

    from hqnn.claims import Result

SIGNS = {
    Verdict.REPRODUCED: "✓",
    Verdict.OTHER_READING: "(✓)",
    Verdict.NOT_REPRODUCED: "✗",
    Verdict.UNDECIDED: "~",
    Verdict.CONTRADICTED: "≠",
    Verdict.NOT_CHECKABLE: "?",
    Verdict.NOT_YET: "·",
}
COLOURS = {
    Verdict.REPRODUCED: "#009e73",
    Verdict.OTHER_READING: "#56b4e9",
    Verdict.NOT_REPRODUCED: "#d55e00",
    Verdict.UNDECIDED: "#e69f00",
    Verdict.CONTRADICTED: "#cc79a7",
    Verdict.NOT_CHECKABLE: "#8c8c8c",
    Verdict.NOT_YET: "transparent",
}
_HERE = Path(__file__).parent


# --- as text


def format_table(results: Sequence[Result]) -> str:
    """A table for a terminal: a line per claim, then one of counts per paper."""
    from tabulate import tabulate

    rows = [
        (
            one.claim.id,
            _short(one.claim.printed.text),
            _short(one.ours()),
            f"{SIGNS[one.judgement.verdict]} {one.judgement.verdict}",
            one.judgement.evidence,
        )
        for one in results
    ]
    head = ("claim", "paper", "ours", "verdict", "evidence")
    lines = [tabulate(rows, head, "simple", disable_numparse=True)]
    for paper, verdicts in claims.counts(results).items():
        lines.append(f"{paper}: " + ", ".join(f"{n} {verdict}" for verdict, n in verdicts.items() if n))
    return "\n".join(lines)


def _short(text: str, width: int = 44) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def explain(claim: Claim, book: Ledger, root: Path) -> str:
    """Everything about one claim: the sentence, our quantity run by run, the rule with its numbers, and the verdict."""
    from tabulate import tabulate

    found = claims.result(claim, book, root)
    j = found.judgement
    rows = [
        ("says", claim.says),
        ("place", f"{claim.paper}, {claim.place}"),
        ("printed", claim.printed.text),
        ("kind", f"{claim.kind}; {claim.group}, {book.groups[claim.paper][claim.group]}"),
        ("quantity", _fields(claim.ours)),
        ("ours", found.ours() + (f" (n = {j.n_seeds})" if j.n_seeds else "")),
        ("rule", _fields(claim.rule)),
        ("difference", found.difference()),
        ("verdict", f"{SIGNS[j.verdict]} {j.verdict}"),
        ("by the first rule", found.first_rule or "no such row"),
        ("registration", _registration(found, root)),
        ("note", found.note),
        ("evidence", j.evidence),
        ("again", _again(found)),
    ]
    shown = tabulate([row for row in rows if row[1]], tablefmt="plain", maxcolwidths=[None, 100], disable_numparse=True)
    runs = _runs(found.quantity, root) if found.quantity else []
    return "\n".join((claim.id, shown, *(["", tabulate(runs, "keys", "simple", floatfmt=".6g")] if runs else ())))


def _registration(found: Result, root: Path) -> str:
    """What the history says of a row, and since when it stands as it is."""
    (one,) = claims.registered([found], root)
    if one.registration != "amended":
        return one.registration
    since = registration.since(one.claim.id, one.claim.paper, root.parent)
    return f"amended; row and rule stand as they are since {since[:10] or 'a change that is not committed'}"


def _fields(part: Ours | Rule | None) -> str:
    """What a quantity or a rule was given, as in the ledger."""
    if part is None:
        return ""
    given = part.model_dump(exclude_defaults=True, exclude_none=True)
    words = [part.name] if isinstance(part, Rule) else []
    return ", ".join(words + [f"{name}: {_plain(value)}" for name, value in given.items() if name != "name"])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({', '.join(f'{name}: {_plain(item)}' for name, item in value.items())})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"({', '.join(map(_plain, value))})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _again(found: Result) -> str:
    """The command that makes what a claim rests on once more."""
    if found.quantity and found.quantity.series:
        return f"python -m hqnn verify --rerun {found.claim.id}"
    if isinstance(found.claim.ours, Measured):
        return f"python -m hqnn run {found.claim.ours.measured} --again"
    return f"python -m hqnn claims {found.claim.id}"


def _runs(quantity: Quantity, root: Path) -> list[dict[str, object]]:
    """One row per run behind a quantity: its series, seed and value, what that gives, and what made the record."""
    from hqnn import records

    rows: list[dict[str, object]] = []
    for series in quantity.series:
        for record in records.load(series, root):
            row: dict[str, object] = {"series": series, "seed": record.seed}
            if quantity.compared:
                row["value"] = quantity.compared[series].get(record.seed)
            if quantity.samples:
                row["ours"] = quantity.samples.get(record.seed) if series == quantity.series[0] else None
            row["commit"] = (record.provenance.get("git_commit") or "")[:10]
            row["machine"] = record.provenance.get("processor")
            rows.append(row)
    return rows


# --- as HTML


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(
        signs=SIGNS,
        colours=COLOURS,
        css=(_HERE / "report.css").read_text(encoding="utf-8"),
        classes=list(Verdict).index,
        fields=_fields,
        quantity=_quantity,
        title=papers.title,
    )
    environment.filters["coded"] = _coded
    return environment.get_template("report.html.jinja").module


def _quantity(ours: Ours) -> str:
    """What measures a quantity, by its importable name, and what it was given."""
    name = "" if isinstance(ours, Computed) else f"{type(ours).__module__}.{type(ours).__qualname__}, "
    return name + _fields(ours)


_NAMES = re.compile(r"\bdata/[\w./-]*\w|\bhqnn(?:\.\w+)+|\b[A-Z]\d+(?:-[a-z0-9]+)+\b")


def _coded(text: str) -> str:
    """HTML with the names of records, functions and claims in it marked as code."""
    return _NAMES.sub(r"<code>\g<0></code>", str(text))


def to_html(results: Sequence[Result]) -> str:
    """One table per paper, as HTML that brings its own style and inherits the page's colours.

    A row's anchor is its claim's id; it carries `data-paper`, `data-kind` and `data-verdict`. Names of claims, records
    and functions are marked as code.
    """
    papers = dict.fromkeys(one.claim.paper for one in results)
    return str(_template().claims({paper: [r for r in results if r.claim.paper == paper] for paper in papers}))


def in_short(*names: str) -> HTML:
    """The stored verdicts of some claims: a line per verdict that occurs, with the ids that got it.

    Args:
        names: Claims by their ids or their groups, such as `L4` and `H6-medical`.

    Raises:
        HqnnError: There is no such claim or group.
    """
    from IPython.display import HTML

    results = claims.stored()
    known = [name for one in results for name in (one.claim.group, one.claim.id)]
    for name in names:
        if name not in known:
            raise unknown("There is no claim or group", name, known)
    chosen = [one for one in results if {one.claim.id, one.claim.group} & {*names}]
    found = {v: [one.claim.id for one in chosen if one.judgement.verdict == v] for v in Verdict}
    return HTML(str(_template().in_short({verdict: ids for verdict, ids in found.items() if ids})))


# --- as Markdown


def by_subject(results: Sequence[Result], subjects: Mapping[str, Sequence[str]]) -> Markdown:
    """How many claims about each subject got which verdict, as a table: a column per verdict that occurs.

    Questions of our own are no claims.

    Args:
        results: Of one paper.
        subjects: Groups of claims by what they are about; together they are all groups of the paper.

    Raises:
        ValueError: A group belongs to no subject or to several.
    """
    from hqnn import tables

    listed = sorted(group for groups in subjects.values() for group in groups)
    if listed != sorted({one.claim.group for one in results}):
        raise ValueError(f"each group of claims must belong to one subject; listed are {', '.join(listed)}")
    found = {
        subject: Counter(
            one.judgement.verdict for one in results if one.claim.group in groups and one.claim.kind != "question"
        )
        for subject, groups in subjects.items()
    }
    found = {subject: n for subject, n in found.items() if n}
    found["all"] = sum(found.values(), Counter())
    shown = [verdict for verdict in Verdict if found["all"][verdict]]
    rows = [[subject, *(n[v] or "" for v in shown), n.total()] for subject, n in found.items()]
    caption = "Rows of the ledger by what they are about and by verdict, counted; questions of our own are left out."
    return tables.table(["claims about", *map(str, shown), "all"], rows, caption=caption)


def changed(results: Sequence[Result]) -> Markdown:
    """How many rows the first rule judged otherwise, as a table: a row per verdict by it, a column per verdict now."""
    from hqnn import tables

    found = Counter(
        (Verdict(one.first_rule), one.judgement.verdict)
        for one in results
        if one.first_rule not in ("", one.judgement.verdict)
    )
    now = [verdict for verdict in Verdict if any(after == verdict for _, after in found)]
    before = [verdict for verdict in Verdict if any(first == verdict for first, _ in found)]
    rows = [[first, *(found[first, after] or "" for after in now)] for first in before]
    caption = (
        "Rows on which the editions of the rule differ, counted: down, the verdict by the first; across, by the second."
    )
    return tables.table(["by the first rule", *now], rows, caption=caption)


def registrations(results: Sequence[Result]) -> Markdown:
    """How many rows of each paper were stated before the runs that decide them, as a table."""
    from hqnn import tables

    found: dict[str, Counter[str]] = {}
    for one in results:
        found.setdefault(papers.title(one.claim.paper), Counter())[one.registration] += 1
    found["all"] = sum(found.values(), Counter())
    rows = [[paper, *(n[status] for status in registration.STATUSES)] for paper, n in found.items()]
    caption = "Rows of the ledger by whether the history holds them before the runs that decide them, counted."
    return tables.table(["rows of", *registration.STATUSES], rows, caption=caption)


def contradictions(results: Sequence[Result]) -> Markdown:
    """What the paper says and what in the paper, or about it, excludes that, as a table."""
    from hqnn import tables

    rows = []
    for one in results:
        j = one.judgement
        if j.verdict == Verdict.CONTRADICTED:
            prefix = f"{one.claim.paper}: "
            against = j.evidence if j.evidence.startswith(prefix) else one.ours()
            note = "; ".join(filter(None, (against.removeprefix(prefix), j.note)))
            rows.append([f"`{one.claim.id}`: {one.claim.says}", note])
    caption = "Rows of the ledger that the paper itself contradicts: what it says, and what stands against that."
    return tables.table(["the paper says", "against"], rows, caption=caption)
