"""Which verdicts hang on a choice that the rule makes."""

from __future__ import annotations

from collections.abc import Iterable

from hqnn.claims import Result
from hqnn.claims.ledger import Ledger
from hqnn.claims.quantity import Printed
from hqnn.claims.rules import Bound, Equality, Sign, Value
from hqnn.claims.verdict import Verdict
from hqnn.stats import Interval


def as_single_runs(results: Iterable[Result], book: Ledger) -> dict[str, Verdict]:
    """Rows that are judged as sentences about a mean -> what they would be if one run were printed, where that differs.

    Left out are those whose quantity counts how what is printed scatters.
    """
    found: dict[str, Verdict] = {}
    for one in results:
        rule, quantity = one.claim.rule, one.quantity
        if isinstance(rule, Value | Bound) and rule.of == "mean" and quantity and not quantity.variance:
            verdict = rule.model_copy(update={"of": "run"}).judge(quantity, book.printed(one.claim)).verdict
            found |= {one.claim.id: verdict} if verdict != one.judgement.verdict else {}
    return found


def smaller_leads(results: Iterable[Result], book: Ledger) -> dict[str, bool]:
    """Rows where a mean lead of the printed size is excluded and a smaller one is not -> if one pair could show it."""
    found: dict[str, bool] = {}
    for one in results:
        printed, quantity = book.printed(one.claim), one.quantity
        excluded = isinstance(one.claim.rule, Sign) and one.judgement.verdict == Verdict.NOT_REPRODUCED
        if excluded and quantity and isinstance(quantity.value, Interval) and quantity.value.high > 0:
            pair = Value(rounding=0.0).judge(quantity, Printed(value=printed.lead, resolution=printed.lead))
            found[one.claim.id] = pair.verdict != Verdict.NOT_REPRODUCED
    return found


def small_differences(results: Iterable[Result]) -> list[str]:
    """Rows where an equality holds within its margin though zero is outside the interval."""
    return [
        one.claim.id
        for one in results
        if isinstance(one.claim.rule, Equality)
        and one.judgement.verdict == Verdict.REPRODUCED
        and one.quantity
        and isinstance(one.quantity.value, Interval)
        and 0.0 not in one.quantity.value
    ]
