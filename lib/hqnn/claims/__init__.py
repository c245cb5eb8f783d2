"""Claims: quantity × rule = verdict. Every sentence of the papers, held against what was recorded.

The ledger is `data/claims/<paper>.yaml` (`hqnn.claims.ledger`); a row names a quantity of ours
(`hqnn.claims.quantities`) and the rule that decides (`hqnn.claims.rules`). `data/verdicts.json` holds the verdicts as
they were last looked at: they are what is shown where nothing is to be recomputed, and the tests compare them with a
fresh evaluation, so that no claim, record or line of code can change a verdict unnoticed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hqnn import storage
from hqnn.claims import ledger, registration
from hqnn.claims.ledger import Claim, Draw, Ledger
from hqnn.claims.quantities import Computed
from hqnn.claims.quantity import Context, Missing, Ours, Quantity
from hqnn.claims.rules import Rule
from hqnn.claims.verdict import Judgement, Verdict
from hqnn.errors import HqnnError
from hqnn.storage import DATA

__all__ = ["Claim", "Context", "Draw", "Judgement", "Ledger", "Quantity", "Result", "Verdict", "evaluate", "load"]

SNAPSHOT = DATA / "verdicts.json"


@dataclass(frozen=True, kw_only=True)
class Result:
    """A claim and what became of it."""

    claim: Claim
    judgement: Judgement
    note: str
    """What the evaluation has to say, then what the ledger has to say, as sentences."""
    quantity: Quantity | None = None
    """What was judged; None in a stored verdict, and where it does not exist yet."""
    first_rule: str = ""
    """The verdict by the rule's first edition; empty for a row that is newer."""
    registration: str = ""
    """As last stored (`hqnn.claims.registration`)."""

    def ours(self) -> str:
        """Our value with its 95 % interval, as text; empty if there is none."""
        j, unit = self.judgement, self.claim.unit
        if j.ours is None or isinstance(j.ours, str):
            return j.ours or ""
        if j.ci95 is None:
            return f"{j.ours:g} {unit}".rstrip()
        return f"{j.ours:.{_digits(j.ci95)}f} ± {j.ci95:.{_digits(j.ci95)}f} {unit}".rstrip()

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
            `id`, `paper`, `kind`, `claim` (the statement), `paper_value`, `ours`, `ci95` (half width of the 95 %
            interval of our mean), `n_seeds`, `verdict`, `evidence`, `note`, `first_rule` (the verdict by it) and
            `registration`; None where there is nothing. The two values are numbers, in the unit that the statement
            names and with at most six significant digits, or short texts.
        """
        j = self.judgement
        return {
            "id": self.claim.id,
            "paper": self.claim.paper,
            "kind": self.claim.kind,
            "claim": self.claim.says,
            "paper_value": self.claim.printed.value,
            "ours": _rounded(j.ours),
            "ci95": _rounded(j.ci95),
            "n_seeds": j.n_seeds,
            "verdict": str(j.verdict),
            "evidence": j.evidence or None,
            "note": self.note or None,
            "first_rule": self.first_rule or None,
            "registration": self.registration or None,
        }


def _digits(scale: float) -> int:
    """Decimals that show two significant digits of `scale`, two at least and six at most."""
    return 2 if scale <= 0 else next((d for d in range(2, 6) if scale * 10**d >= 10), 6)


def _rounded(value: float | str | None) -> float | str | None:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def load(path: Path = ledger.PATH) -> Ledger:
    """Read the ledger and check that every row can be evaluated.

    Raises:
        LedgerError: A row has the wrong shape, or names a function that does not exist or does not take its arguments;
            the message names row and field.
    """
    book = ledger.read(path)
    for claim in book.claims:
        if isinstance(claim.ours, Computed):
            _named(claim, claim.ours.function)
    return book


def _named(claim: Claim, function: Any, *arguments: Any) -> Any:
    """Call a function; what it complains of is the claim's."""
    try:
        return function(*arguments)
    except HqnnError as error:
        raise ledger.LedgerError(f"{claim.paper}.yaml, {claim.id}: {error}") from error


def evaluate(
    paper: str | None = None,
    *,
    groups: Sequence[str] | None = None,
    path: Path | None = None,
    root: Path = DATA,
) -> list[Result]:
    """Evaluate the claims, in the ledger's order.

    Args:
        paper: Only those of this paper.
        groups: Only those of these groups, such as `L4`.
        path: The folder of the ledger's files; by default the repository's.
        root: The data folder, whose records are the evidence.

    Raises:
        HqnnError: There is no such paper or group, the ledger is malformed, or a record is damaged.
    """
    book = ledger.read(path or ledger.PATH)
    known = _stored_rows(root / "verdicts.json") if (root / "verdicts.json").exists() else {}
    return [
        replace(result(claim, book, root), registration=known.get(claim.id, {}).get("registration") or "")
        for claim in book.of(paper, groups)
    ]


def result(claim: Claim, book: Ledger, root: Path = DATA) -> Result:
    """Hold a claim's quantity against what is printed, by its rule.

    It is "not yet evaluated" if the row names no quantity or what that is taken from does not exist yet.

    Raises:
        HqnnError: The row names something that cannot exist, or a record is damaged; the message names the row.
    """
    context = Context(ledger=book, claim=claim, root=root)
    quantity, judgement = None, Judgement(verdict=Verdict.NOT_YET)
    try:
        if claim.ours and claim.rule:
            quantity, judgement = _named(claim, _judge, claim.ours, claim.rule, context)
    except Missing as missing:
        judgement = Judgement(verdict=Verdict.NOT_YET, note=str(missing))
    parts = filter(None, (judgement.note, claim.note))
    note = " ".join(f"{part[0].upper()}{part[1:].removesuffix('.')}." for part in parts)
    first = book.first_rule.get(claim.id, "")
    return Result(claim=claim, judgement=judgement, note=note, quantity=quantity, first_rule=first)


def _judge(ours: Ours, rule: Rule, context: Context) -> tuple[Quantity, Judgement]:
    """Judge the first reading; another one counts only where that one fails."""
    printed = context.ledger.printed(context.claim)
    quantity = ours.measure(context)
    judgement = rule.judge(quantity, printed)
    verdict, found, many = judgement.verdict, {}, bool(getattr(ours, "among", ()))
    for words, reading in ours.readings().items():
        try:
            found[words] = rule.judge(reading.measure(context), printed)
        except Missing:
            if not many:
                raise
    tried = len(found) + (getattr(ours, "of", "") not in found)  # many may include the first
    agree = _with(found, Verdict.REPRODUCED)
    told = [f"{len(agree)} of {tried} readings tried agree"] if many else []
    if verdict in (Verdict.NOT_REPRODUCED, Verdict.UNDECIDED) and agree:
        told = [f"{len(agree)} of {tried} readings tried agree, {', '.join(agree)}; the first is {verdict}"]
        verdict = Verdict.OTHER_READING
    elif verdict == Verdict.NOT_REPRODUCED and (open_ := _with(found, Verdict.UNDECIDED)):
        told = [f"0 of {tried} readings tried agree, and {', '.join(open_)} it is undecided; the first is {verdict}"]
        verdict = Verdict.UNDECIDED
    elif not many:
        told = [f"{words} the verdict would be: {o.verdict}" for words, o in found.items() if o.verdict != verdict]
    note = "; ".join(filter(None, (judgement.note, *told)))
    return quantity, replace(judgement, verdict=verdict, note=note)


def _with(found: Mapping[str, Judgement], verdict: Verdict) -> list[str]:
    return [words for words, one in found.items() if one.verdict == verdict]


def counts(results: Iterable[Result], kind: str | None = None) -> dict[str, dict[Verdict, int]]:
    """How many claims of each paper got which verdict, every verdict listed; questions of our own are no claims.

    Args:
        results: What `evaluate` or `stored` returned.
        kind: Only those rows; the headline is of `result`.
    """
    found: dict[str, Counter[Verdict]] = {}
    for one in results:
        counter = found.setdefault(one.claim.paper, Counter())
        counter[one.judgement.verdict] += one.claim.kind == kind if kind else one.claim.kind != "question"
    return {paper: {verdict: counter[verdict] for verdict in Verdict} for paper, counter in found.items()}


def registered(results: Sequence[Result], root: Path = DATA) -> list[Result]:
    """The results with what the history says of their registration; as they are where there is no full history."""
    rows = [(one.claim.id, one.claim.paper, one.claim.kind, one.judgement.evidence) for one in results]
    try:
        found = registration.statuses(rows, root.parent)
    except HqnnError:
        return list(results)
    return [replace(one, registration=found[one.claim.id]) for one in results]


# --- stored verdicts


def to_json(results: Sequence[Result], *, ensure_ascii: bool = False) -> str:
    """A JSON list of the results' dictionaries, one per line."""
    rows = ",\n".join(json.dumps(one.as_dict(), ensure_ascii=ensure_ascii, allow_nan=False) for one in results)
    return f"[\n{rows}\n]\n"


def write_snapshot(results: Sequence[Result], path: Path = SNAPSHOT) -> None:
    """Store the verdicts of all papers as those to compare with."""
    storage.write_atomically(path, to_json(results).encode())


def _stored_rows(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return {row["id"]: row for row in json.loads(path.read_bytes())}
    except (FileNotFoundError, ValueError, TypeError, KeyError) as error:
        raise HqnnError(f"{path} is missing or damaged: write it with `python -m hqnn claims --update`.") from error


def stored(paper: str | None = None, *, root: Path = DATA) -> list[Result]:
    """The verdicts as they were last stored in `root`, without evaluating anything.

    Raises:
        HqnnError: There is no such paper, no ledger, or no stored verdict of a row.
    """
    book, rows = ledger.read(root / "claims"), _stored_rows(root / "verdicts.json")
    chosen = book.of(paper)
    for claim in chosen:
        if claim.id not in rows:
            raise HqnnError(f"No verdict of {claim.id} is stored: store it with `python -m hqnn claims --update`.")
    return [
        Result(
            claim=claim,
            judgement=Judgement(
                verdict=Verdict(row["verdict"]),
                **{name: row[name] for name in ("ours", "ci95", "n_seeds")},
                evidence=row["evidence"] or "",
            ),
            note=row["note"] or "",
            first_rule=book.first_rule.get(claim.id, ""),
            registration=row.get("registration") or "",
        )
        for claim in chosen
        for row in [rows[claim.id]]
    ]


def changes(results: Sequence[Result], path: Path = SNAPSHOT, *, paper: str | None = None) -> list[str]:
    """How a fresh evaluation of all papers, or of one, differs from the stored verdicts: sentences.

    Raises:
        HqnnError: The snapshot is missing or not JSON.
    """
    before = {name: row for name, row in _stored_rows(path).items() if paper in (None, row["paper"])}
    fresh = {one.claim.id: one.as_dict() for one in results}
    found = [f"{name} is new." for name in fresh if name not in before]
    found += [f"{name} is gone." for name in before if name not in fresh]
    for name in fresh.keys() & before.keys():
        for key in fresh[name]:
            if fresh[name][key] != before[name].get(key):
                found.append(f"{name}: {key} was {before[name].get(key)!r} and is {fresh[name][key]!r}.")
    return sorted(found)
