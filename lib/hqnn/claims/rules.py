r"""The decision rule: when a printed number counts as reproduced.

A paper prints one number p, most often from one run with one seed and one random draw of test images. We have n runs
with seeds of their own: mean m, standard deviation s. The question is not whether m equals p but whether p could have
been one of our runs.

**A value.** If the paper's procedure is ours, p - m varies with variance

$$V = \frac{s^2}{n} + \frac{s_p^2}{r} + v,$$

where r is the number of runs behind p (1 unless the paper says otherwise), s_p the spread the paper states (else our
s), and v the variance due to the test images: the paper drew k of the K available ones, we drew another k, and all
our seeds share ours, so s does not contain it: v = 2 a (1 - a) / k · (K - k) / (K - 1) for an accuracy a. With h = t
· sqrt(V), t the 97.5 % point of Student's distribution with n - 1 degrees of freedom, the value is *reproduced* if

$$|p - m| \le \max(h, \tau) + \rho .$$

ρ is half a unit of p's last printed digit. τ is a practical tolerance, stated per claim in the ledger: near 100 % the
spread of the seeds collapses, and a difference of two images in 1,024 (0.2 points) should not decide anything. With r
= 1 and v = 0, m ± h is the usual 95 % prediction interval for one more run. An interval so wide that it would agree
with almost anything confirms nothing: if p lies inside but h exceeds the claim's stated resolution, the verdict is
*not checkable*.

**A bound** ("by epoch 6", "over 90 %"). Reproduced if the interval m ± (max(h, τ) + ρ) reaches the claimed side of p.

**A comparison** ("A is better than B"). Differences are paired by seed. The sign and the size are separate claims.
The sign is reproduced if the 95 % confidence interval of the mean difference lies wholly on the claimed side of zero;
an interval that contains zero, or lies on the other side, does not reproduce it, and the note says which. This
interval is conditional on the test images drawn. The size is a value claim about the difference of two single runs,
with v = 2 (e_A + e_B - (e_A - e_B)²) / k · (K - k) / (K - 1), the largest it can be for error rates e_A and e_B (no
image that both get wrong), and with the size itself as the resolution: an interval which cannot tell the claimed
difference from none cannot confirm it.

**A speed-up** ("75 % faster") is a ratio of epochs and is judged on its logarithm, on which twice as fast and half as
fast are equally far from no effect. (This was settled after the first runs: in percent a speed-up is unbounded below,
and an interval around our own, negative ones took in every value.)

**Equality** ("no difference"). Reproduced if the 95 % confidence interval of the mean paired difference lies inside
±τ, not reproduced if it lies outside, not checkable if it straddles the limit.

**Exact quantities** (gates, parameter counts, identities): equal or not.

*Contradicted by the paper itself* needs no run of ours: two places of the paper exclude each other, and the row names
both. *Not checkable* also covers what the paper leaves undefined. *Not yet evaluated* is the absence of a verdict: no
quantity, no record, or fewer than `MIN_SEEDS` seeds (all seeds of an experiment that has fewer, but never fewer than
`LEAST_SEEDS`).

About one in twenty true value claims fails a 95 % rule by chance; a verdict is about its row, and the pattern over
rows says more than any one of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hqnn.claims.quantity import LEAST_SEEDS, Missing, Printed, Quantity
from hqnn.errors import HqnnError
from hqnn.stats import Interval, mean_interval, student_t

Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]


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
    """A verdict with the numbers it rests on, in the claim's own unit.

    Args:
        verdict: The verdict.
        ours: Our mean, an exact value, or a short description; None if nothing was measured.
        ci95: Half width of the 95 % confidence interval of our mean; None without a spread.
        n_seeds: Number of independent runs; None if none were needed.
        difference: Ours minus the paper's; None unless both are numbers.
        margin: The largest distance from our mean that still counts as reproduced; None for exact quantities.
        evidence: Records, analysis, function or place in the paper behind the verdict.
        note: One sentence for the reader; may be empty.
    """

    verdict: Verdict
    ours: float | str | None = None
    ci95: float | None = None
    n_seeds: int | None = None
    difference: float | None = None
    margin: float | None = None
    evidence: str = ""
    note: str = ""


class Rule(BaseModel):
    """How a quantity is held against what is printed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    name: str

    @property
    def needs_number(self) -> bool:
        """Whether the paper must print a number."""
        return isinstance(self, Value)

    def judge(self, quantity: Quantity, printed: Printed) -> Judgement:
        """Decide; a quantity that is open is not checkable under any rule.

        Raises:
            Missing: There are fewer than `LEAST_SEEDS` runs.
            HqnnError: The rule does not fit the quantity.
        """
        if quantity.value is None:
            judgement = Judgement(verdict=Verdict.NOT_CHECKABLE, ours=quantity.text or None)
        else:
            judgement = self.decide(quantity, printed)
        return replace(
            judgement,
            n_seeds=judgement.n_seeds or quantity.n_seeds,
            evidence=quantity.evidence or ", ".join(f"data/runs/{series}" for series in quantity.series),
            note="; ".join(filter(None, (judgement.note, quantity.note))),
        )

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """The verdict on a quantity that is not open."""
        raise NotImplementedError

    def _interval(self, quantity: Quantity) -> Interval:
        if not isinstance(quantity.value, Interval):
            raise HqnnError(f"rule: {self.name!r} needs a mean over runs, and the quantity is {quantity.value!r}.")
        if quantity.value.n < LEAST_SEEDS:
            raise Missing(f"a verdict needs at least {LEAST_SEEDS} seeds, not {quantity.value.n}")
        return quantity.value


class Value(Rule):
    """Could the printed value be one of our runs?"""

    name: Literal["value"] = "value"
    tolerance: Size = 0.0
    """Differences up to this never count as a failure."""
    resolution: Size | Literal["its size"] | None = None
    """Largest half width at which agreement still means something; any does, unless given."""
    rounding: Size | None = None
    """Half a unit of the last printed digit, unless given."""
    spread: Size | None = None
    """Standard deviation over the paper's own runs, if it states one."""
    runs: int = Field(default=1, ge=1)
    """Number of runs behind the printed value."""
    of: Literal["run", "mean"] = "run"
    """What is printed: one run's value, or a mean."""
    scale: Literal["linear", "ratio"] = "linear"
    """`ratio`: a gain of Q % is judged on the logarithm of what remains, 1 - Q / 100."""

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """`margin` is what |difference| was compared with."""
        ours, paper = self._interval(quantity), printed.number
        rounding = printed.rounding if self.rounding is None else self.rounding
        resolution = abs(paper) if self.resolution == "its size" else self.resolution
        if self.scale == "ratio":
            return self._ratio(quantity, paper, rounding)
        half = _half_width(ours, self.spread, self.runs, quantity.variance)
        margin = max(half, self.tolerance) + rounding
        difference = ours.mean - paper
        note = ""
        if abs(difference) > margin * (1 + 1e-12):
            verdict = Verdict.NOT_REPRODUCED
        elif resolution is not None and half > resolution:
            verdict = Verdict.NOT_CHECKABLE
            note = f"one run lies within ±{half:.3g} of our mean, too wide to confirm {paper:g}"
            note += f" (resolution {resolution:g})"
        else:
            verdict = Verdict.REPRODUCED
        return _measured(ours, verdict, difference, margin, note)

    def _ratio(self, quantity: Quantity, paper: float, rounding: float) -> Judgement:
        remaining = 100 - paper
        if remaining <= 0:
            raise HqnnError("printed: a speed-up in the sense of eq. 9 cannot be 100 % or more.")
        tolerance, rounding = (math.log1p(size / remaining) for size in (self.tolerance, rounding))
        rule = Value(tolerance=tolerance, rounding=rounding, resolution=self.resolution)
        ratios = mean_interval([math.log(1 - gain / 100) for gain in quantity.samples.values()])
        judgement = rule.decide(replace(quantity, value=ratios), Printed(value=math.log(remaining / 100)))
        ours, note = self._interval(quantity), ""
        if judgement.verdict == Verdict.NOT_CHECKABLE:
            factor = math.exp(judgement.margin or 0.0)
            note = f"E_A / E_B of one run scatters by a factor of {factor:.1f}, too widely to tell"
        return _measured(ours, judgement.verdict, ours.mean - paper, None, note)


class Bound(Rule):
    """Could one of our runs keep the printed bound?"""

    name: Literal["bound"] = "bound"
    side: Literal["at most", "at least"]
    """On which side of it the paper's run lies."""
    bound: float | None = Field(default=None, allow_inf_nan=False)
    """What stands for a bound in words; that printed, unless given."""
    tolerance: Size = 0.0
    """Overshoot up to this never counts as a failure."""
    rounding: Size | None = None
    """Half a unit of the last printed digit, unless given; none for a bound in words."""
    of: Literal["run", "mean"] = "run"
    """What keeps the bound: one run, or the mean over runs."""
    otherwise: Literal["not reproduced", "not checkable"] = "not reproduced"
    """The verdict if it is not kept; the second where the paper leaves open what the bound is of."""

    @property
    def needs_number(self) -> bool:
        """Unless the row gives one."""
        return self.bound is None

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """The bound may be missed by what one run scatters."""
        ours = self._interval(quantity)
        paper, rounding = (printed.number, printed.rounding) if self.bound is None else (self.bound, 0.0)
        rounding = rounding if self.rounding is None else self.rounding
        margin = max(_half_width(ours, None, 1, quantity.variance), self.tolerance) + rounding
        difference = ours.mean - paper
        overshoot = difference if self.side == "at most" else -difference
        verdict = Verdict.REPRODUCED if overshoot <= margin * (1 + 1e-12) else Verdict(self.otherwise)
        return _measured(ours, verdict, difference if self.bound is None else None, margin, "")


class Sign(Rule):
    """Is the mean difference positive? Differences are oriented so that the claim says so."""

    name: Literal["sign"] = "sign"

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """The note says whether a failure is a tie or the opposite sign."""
        ours = self._interval(quantity)
        if ours.low > 0:
            verdict, note = Verdict.REPRODUCED, ""
        elif ours.high < 0:
            verdict, note = Verdict.NOT_REPRODUCED, "our difference has the opposite sign"
        else:
            verdict, note = Verdict.NOT_REPRODUCED, "our interval contains zero: no difference found"
        return _measured(ours, verdict, None, None, "; ".join(filter(None, (note, quantity.test))))


class Equality(Rule):
    """Is the mean difference negligible?"""

    name: Literal["equality"] = "equality"
    tolerance: Size
    """Differences up to this are negligible."""

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """Not checkable if the interval straddles the limit."""
        ours = self._interval(quantity)
        nearest = max(0.0, abs(ours.mean) - ours.half_width)
        farthest = abs(ours.mean) + ours.half_width
        note = ""
        if farthest <= self.tolerance:
            verdict = Verdict.REPRODUCED
        elif nearest > self.tolerance:
            verdict = Verdict.NOT_REPRODUCED
        else:
            verdict = Verdict.NOT_CHECKABLE
            note = f"the interval straddles the limit of ±{self.tolerance:g}"
        return _measured(ours, verdict, ours.mean, self.tolerance, note)


class Exact(Rule):
    """Is an exact quantity the printed one, or does a property hold?"""

    name: Literal["exact"] = "exact"
    rounded: bool = False
    """Whether it is compared to the digits printed."""

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """Equal or not."""
        ours = quantity.value
        if isinstance(ours, bool):
            return Judgement(verdict=_holds(ours), ours=quantity.text or None)
        if isinstance(ours, Interval):
            if ours.n > 1:
                raise HqnnError(f"rule: 'exact' needs a count, and the quantity is a mean of {ours.n} runs.")
            ours = ours.mean
        if self.rounded and not isinstance(ours, str | None):
            ours = round(ours, printed.decimals or None)
        numbers = not isinstance(ours, str | None) and not isinstance(printed.value, str | None)
        return Judgement(
            verdict=_holds(ours == printed.value),
            ours=ours,
            difference=float(ours) - printed.number if numbers else None,  # type: ignore[arg-type]
        )


class AgainstItself(Rule):
    """Does the paper, or what follows from it, exclude the sentence?"""

    name: Literal["against itself"] = "against itself"

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """A property that does not hold contradicts."""
        if not isinstance(quantity.value, bool):
            raise HqnnError(f"rule: {self.name!r} needs a property, and the quantity is {quantity.value!r}.")
        verdict = Verdict.REPRODUCED if quantity.value else Verdict.CONTRADICTED
        return Judgement(verdict=verdict, ours=quantity.text or None)


class NotCheckable(Rule):
    """The paper does not say enough."""

    name: Literal["not checkable"] = "not checkable"

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """Nothing is decided, whatever the quantity."""
        return Judgement(verdict=Verdict.NOT_CHECKABLE)


RULES: Mapping[str, type[Rule]] = {
    rule.model_fields["name"].default: rule
    for rule in (Value, Bound, Sign, Equality, Exact, AgainstItself, NotCheckable)
}
"""By name."""


def _half_width(ours: Interval, spread: float | None, runs: int, extra_variance: float) -> float:
    """How far the paper's value may lie from our mean: h = t · sqrt(V)."""
    t = student_t(ours.n)
    variance_of_mean = (ours.half_width / t) ** 2
    paper_variance = variance_of_mean * ours.n if spread is None else spread**2
    return t * math.sqrt(variance_of_mean + paper_variance / runs + extra_variance)


def _holds(so: bool) -> Verdict:
    return Verdict.REPRODUCED if so else Verdict.NOT_REPRODUCED


def _measured(ours: Interval, verdict: Verdict, difference: float | None, margin: float | None, note: str) -> Judgement:
    return Judgement(
        verdict=verdict,
        ours=ours.mean,
        ci95=ours.half_width,
        n_seeds=ours.n,
        difference=difference,
        margin=margin,
        note=note,
    )
