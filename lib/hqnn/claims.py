"""The verdicts: evaluate every claim of the ledger, and show the result as text, JSON or HTML.

The ledger is `data/claims.yaml` (`hqnn.ledger`), the rule is in `hqnn.verdicts`, what is evaluated and how in
`hqnn.checks`. `data/verdicts.json` holds the verdicts as they were last looked at: the tests compare it with a fresh
evaluation, so that no claim, record or line of code can change a verdict unnoticed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from IPython.display import Markdown

from hqnn import checks, ledger, storage, tables
from hqnn.checks import Context
from hqnn.errors import HqnnError
from hqnn.ledger import GROUPS, Claim, Ledger
from hqnn.storage import DATA
from hqnn.verdicts import Judgement, Verdict

SNAPSHOT = DATA / "verdicts.json"

_SIGNS = {
    Verdict.REPRODUCED: "✓",
    Verdict.NOT_REPRODUCED: "✗",
    Verdict.CONTRADICTED: "≠",
    Verdict.NOT_CHECKABLE: "?",
    Verdict.NOT_YET: "·",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """A claim and what became of it."""

    claim: Claim
    judgement: Judgement

    @property
    def note(self) -> str:
        """What the evaluation has to say, then what the ledger has to say, as sentences."""
        parts = filter(None, (self.judgement.note, self.claim.note))
        return " ".join(f"{part[0].upper()}{part[1:].removesuffix('.')}." for part in parts)

    def ours(self) -> str:
        """Our value with its 95 % interval, as text; empty if there is none."""
        j = self.judgement
        if j.ours is None or isinstance(j.ours, str):
            return j.ours or ""
        if j.ci95 is None:
            return f"{j.ours:g} {self.claim.unit}".rstrip()
        return f"{j.ours:.{_digits(j.ci95)}f} ± {j.ci95:.{_digits(j.ci95)}f} {self.claim.unit}".rstrip()

    def difference(self) -> str:
        """Ours minus the paper's, and how far it may be from zero; empty if there is none or it is exactly 0."""
        j = self.judgement
        if j.difference is None or (j.margin is None and j.difference == 0):
            return ""
        if j.margin is None:
            return f"{j.difference:+.3g}"
        return f"{j.difference:+.{_digits(j.margin)}f}, allowed ±{j.margin:.{_digits(j.margin)}f}"

    def as_dict(self) -> dict[str, Any]:
        """The result for machines.

        Returns:
            `id`, `paper`, `claim` (the statement), `paper_value`, `ours`, `ci95` (half width of the 95 % interval of
            our mean), `n_seeds`, `verdict`, `evidence` and `note`; None where there is nothing. The two values are
            numbers, in the unit that the statement names and with at most six significant digits, or short texts.
        """
        j = self.judgement
        return {
            "id": self.claim.id,
            "paper": self.claim.paper,
            "claim": self.claim.statement,
            "paper_value": self.claim.value,
            "ours": _rounded(j.ours),
            "ci95": _rounded(j.ci95),
            "n_seeds": j.n_seeds,
            "verdict": str(j.verdict),
            "evidence": j.evidence or None,
            "note": self.note or None,
        }


def _digits(scale: float) -> int:
    """Decimals that show two significant digits of `scale`, two at least and six at most."""
    return 2 if scale <= 0 else next((d for d in range(2, 6) if scale * 10**d >= 10), 6)


def _rounded(value: float | str | None) -> float | str | None:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def load(path: Path = ledger.PATH) -> Ledger:
    """Read the ledger and check that every row can be evaluated.

    Args:
        path: The ledger's file.

    Returns:
        The ledger.

    Raises:
        LedgerError: A row has the wrong shape, names an evaluator that does not exist, or gives it wrong arguments; the
            message names the row.
    """
    book = ledger.read(path)
    for claim in book.claims:
        checks.validate(claim, book)
    return book


def evaluate(
    paper: str | None = None,
    *,
    groups: Sequence[str] | None = None,
    path: Path = ledger.PATH,
    root: Path = DATA,
) -> list[Result]:
    """Evaluate the claims.

    Args:
        paper: Only those of this paper: `lcqhnn`, `hqnn` or `transfer`; all by default.
        groups: Only those of these groups, such as `L4`.
        path: The ledger's file.
        root: The data folder, whose `runs/` and `analyses/` are the evidence.

    Returns:
        One result per row, in the ledger's order.

    Raises:
        HqnnError: There is no such paper or group, the ledger is malformed, or a record is damaged.
    """
    if paper is not None and paper not in GROUPS:
        raise HqnnError(f"There is no paper {paper!r}: choose from {', '.join(GROUPS)}.")
    known = [group for of, its in GROUPS.items() if paper in (None, of) for group in its]
    for group in groups or ():
        if group not in known:
            raise HqnnError(f"There is no group {group!r} here: choose from {', '.join(known)}.")
    context = Context(load(path), root)
    chosen = [c for c in context.ledger.claims if c.group in (known if groups is None else groups)]
    return [Result(claim=claim, judgement=checks.judge(claim, context)) for claim in chosen]


def counts(results: Iterable[Result]) -> dict[str, dict[Verdict, int]]:
    """How many claims of each paper got which verdict, every verdict listed."""
    found: dict[str, Counter[Verdict]] = {}
    for result in results:
        found.setdefault(result.claim.paper, Counter())[result.judgement.verdict] += 1
    return {paper: {verdict: counter[verdict] for verdict in Verdict} for paper, counter in found.items()}


# --- as Markdown


def by_subject(results: Sequence[Result], subjects: Mapping[str, Sequence[str]]) -> Markdown:
    """How many claims about each subject got which verdict, as a table.

    Args:
        results: What `evaluate` returned for one paper.
        subjects: Groups of claims by what they are about; together they are all groups of the paper.

    Returns:
        One row per subject and one for all, one column per verdict that occurs.

    Raises:
        ValueError: A group belongs to no subject or to several.
    """
    listed = sorted(group for groups in subjects.values() for group in groups)
    if listed != sorted({result.claim.group for result in results}):
        raise ValueError(f"each group of claims must belong to one subject; listed are {', '.join(listed)}")
    found = {
        subject: Counter(r.judgement.verdict for r in results if r.claim.group in groups)
        for subject, groups in subjects.items()
    }
    found["all"] = sum(found.values(), Counter())
    shown = [verdict for verdict in Verdict if found["all"][verdict]]
    rows = [[subject, *(n[v] or "" for v in shown), n.total()] for subject, n in found.items()]
    return tables.table(["claims about", *map(str, shown), "all"], rows)


def contradictions(results: Sequence[Result]) -> Markdown:
    """What the paper says and what in the paper, or about it, excludes that, as a table."""
    rows = []
    for r in results:
        if r.judgement.verdict == Verdict.CONTRADICTED:
            prefix = f"{r.claim.paper}: "
            against = r.judgement.evidence if r.judgement.evidence.startswith(prefix) else r.ours()
            note = "; ".join(filter(None, (against.removeprefix(prefix), r.judgement.note)))
            rows.append([f"{r.claim.id}: {r.claim.statement}", note])
    return tables.table(["the paper says", "against"], rows)


# --- as JSON


def to_json(results: Sequence[Result], *, ensure_ascii: bool = False) -> str:
    """A JSON list of the results' dictionaries, one per line."""
    rows = ",\n".join(json.dumps(result.as_dict(), ensure_ascii=ensure_ascii, allow_nan=False) for result in results)
    return f"[\n{rows}\n]\n"


def write_snapshot(results: Sequence[Result], path: Path = SNAPSHOT) -> None:
    """Store the verdicts of all papers as those to compare with."""
    storage.write_atomically(path, to_json(results).encode())


def changes(results: Sequence[Result], path: Path = SNAPSHOT) -> list[str]:
    """How the verdicts differ from the stored ones.

    Args:
        results: A fresh evaluation of all papers.
        path: The snapshot.

    Returns:
        One sentence per claim that appeared, disappeared or changed.

    Raises:
        HqnnError: The snapshot is missing or not JSON.
    """
    try:
        stored = {row["id"]: row for row in json.loads(path.read_bytes())}
    except (FileNotFoundError, ValueError, TypeError, KeyError) as error:
        raise HqnnError(f"{path} is missing or damaged: write it with `python -m hqnn claims --update`.") from error
    fresh = {result.claim.id: result.as_dict() for result in results}
    found = [f"{name} is new." for name in fresh if name not in stored]
    found += [f"{name} is gone." for name in stored if name not in fresh]
    for name in fresh.keys() & stored.keys():
        for key in fresh[name]:
            if fresh[name][key] != stored[name].get(key):
                found.append(f"{name}: {key} was {stored[name].get(key)!r} and is {fresh[name][key]!r}.")
    return sorted(found)


# --- as text


def format_table(results: Sequence[Result]) -> str:
    """A table for a terminal, with the counts below it.

    Args:
        results: What `evaluate` returned.

    Returns:
        Lines of id, paper's value, ours, verdict and evidence; then one line per paper.
    """
    head = ("claim", "paper", "ours", "verdict", "evidence")
    rows = [
        (
            r.claim.id,
            r.claim.printed(),
            r.ours(),
            f"{_SIGNS[r.judgement.verdict]} {r.judgement.verdict}",
            r.judgement.evidence,
        )
        for r in results
    ]
    widths = [min(44, max(len(row[k]) for row in (head, *rows))) for k in range(4)]
    lines = ["  ".join((*(_cell(row[k], widths[k]) for k in range(4)), row[4])).rstrip() for row in (head, *rows)]
    lines.insert(1, "  ".join("-" * width for width in (*widths, len(head[4]))))
    for paper, verdicts in counts(results).items():
        lines.append(f"{paper}: " + ", ".join(f"{n} {verdict}" for verdict, n in verdicts.items() if n))
    return "\n".join(lines)


def _cell(text: str, width: int) -> str:
    return f"{text:{width}}" if len(text) <= width else f"{text[: width - 1]}…"


# --- as HTML

_COLOURS = {
    Verdict.REPRODUCED: "#009e73",
    Verdict.NOT_REPRODUCED: "#d55e00",
    Verdict.CONTRADICTED: "#cc79a7",
    Verdict.NOT_CHECKABLE: "#8c8c8c",
    Verdict.NOT_YET: "transparent",
}
_RULE = "1px solid rgba(128, 128, 128, 0.4)"
_STYLE = "\n".join(
    (
        "<style>",
        ".claims { overflow-x: auto; color: var(--pst-color-text-base, inherit); }",
        ".claims table { border-collapse: collapse; width: 100%; font-size: 0.85em; line-height: 1.4; }",
        f".claims th, .claims td {{ padding: 0.35em 0.6em; border-bottom: {_RULE}; }}",
        ".claims th, .claims td { text-align: left; vertical-align: top; overflow-wrap: anywhere; color: inherit; }",
        ".claims table, .claims tr { background: none !important; color: inherit; }",
        ".claims td:first-child { min-width: 13em; }",
        ".claims td:nth-child(n+2) { min-width: 6.4em; }",
        ".claims td:nth-child(4) { min-width: 11em; }",
        *(f".claims .v{k} {{ border-left: 4px solid {colour}; }}" for k, colour in enumerate(_COLOURS.values())),
        "</style>",
    )
)


def to_html(results: Sequence[Result]) -> str:
    """The full table as HTML that brings its own style and inherits the page's colours.

    Args:
        results: What `evaluate` returned.

    Returns:
        One `<table>` per paper; each row carries its claim's id as `data-claim` and its verdict as `data-verdict`.
    """
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Claim", "Paper", "Ours", "Verdict and evidence"))
    tables = []
    for paper in dict.fromkeys(result.claim.paper for result in results):
        rows = "\n".join(_html_row(result) for result in results if result.claim.paper == paper)
        tables.append(
            f'<table aria-label="Claims of {escape(paper)}">\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
        )
    return _framed("\n".join(tables))


def _html_row(result: Result) -> str:
    claim, judgement = result.claim, result.judgement
    ours = [escape(result.ours() + (f" (n = {judgement.n_seeds})" if judgement.n_seeds else ""))]
    if result.difference():
        ours.append(f"difference {escape(result.difference())}")
    verdict = [f"{_SIGNS[judgement.verdict]}&nbsp;<strong>{judgement.verdict}</strong>"]
    if judgement.evidence:
        verdict.append(escape(judgement.evidence))
    text = [f"<strong>{escape(claim.id)}</strong> ({escape(claim.place)})", escape(claim.statement)]
    if result.note:
        text.append(f"<em>{escape(result.note)}</em>")
    cells = (
        f"<td>{'<br>'.join(text)}</td>",
        f"<td>{escape(claim.printed())}</td>",
        f"<td>{'<br>'.join(ours)}</td>",
        f'<td class="{_css_class(judgement.verdict)}">{"<br>".join(verdict)}</td>',
    )
    return f'<tr data-claim="{escape(claim.id)}" data-verdict="{judgement.verdict}">{"".join(cells)}</tr>'


def counts_to_html(results: Sequence[Result]) -> str:
    """The number of claims per paper and verdict as an HTML table of the same make."""
    head = "".join(f'<th scope="col" class="{_css_class(v)}">{_SIGNS[v]} {v}</th>' for v in Verdict)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(paper)}</th>' + "".join(f"<td>{n}</td>" for n in verdicts.values()) + "</tr>"
        for paper, verdicts in counts(results).items()
    )
    return _framed(f"<table><thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>")


def _css_class(verdict: Verdict) -> str:
    return f"v{list(_COLOURS).index(verdict)}"


def _framed(table: str) -> str:
    return f'{_STYLE}\n<div class="claims">\n{table}\n</div>'
