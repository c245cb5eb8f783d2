"""What can be said of a claim, with the numbers it rests on; which of them is said, `hqnn.claims.rules` decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from hqnn.stats import Interval


class Verdict(StrEnum):
    """What can be said of a claim."""

    REPRODUCED = "reproduced"
    OTHER_READING = "reproduced under another reading"
    NOT_REPRODUCED = "not reproduced"
    UNDECIDED = "undecided"
    CONTRADICTED = "contradicted by the paper itself"
    NOT_CHECKABLE = "not checkable"
    NOT_YET = "not yet evaluated"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A verdict with the numbers it rests on, in the claim's own unit."""

    verdict: Verdict
    ours: float | str | None = None
    """Our mean, an exact value, or a short description."""
    ci95: float | None = None
    """Half width of the 95 % confidence interval of our mean."""
    n_seeds: int | None = None
    difference: float | None = None
    """Ours minus the paper's."""
    margin: float | None = None
    """The largest distance from our mean that still counts as reproduced."""
    evidence: str = ""
    """Records, analysis, function or place in the paper."""
    note: str = ""

    @classmethod
    def of(
        cls, ours: Interval, verdict: Verdict, difference: float | None, margin: float | None = None, note: str = ""
    ) -> Self:
        """A verdict on a mean."""
        return cls(
            verdict=verdict,
            ours=ours.mean,
            ci95=ours.half_width,
            n_seeds=ours.n,
            difference=difference,
            margin=margin,
            note=note,
        )
