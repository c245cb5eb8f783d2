r"""The decision rule, second edition: what the verdicts on the papers' sentences mean. It is stated here only.

*reproduced*, *not reproduced*: by the rule of its row, below. *undecided*: these runs cannot tell; the lack is ours.
*not checkable*: the paper leaves undefined what would have to be known; the lack is the paper's. *contradicted by the
paper itself*: two places of it exclude each other. *reproduced under another reading*: what the paper leaves open was
read in several ways, and not the first but another one reproduces it; the note says how many were tried. (If none does
and one is undecided, so is the row.) *not yet evaluated*: no quantity, no record, or fewer than `MIN_SEEDS` seeds (all
of an experiment that has fewer, but never fewer than `LEAST_SEEDS`).

Everywhere we have n runs with seeds of their own: mean m, standard deviation s; t is the 97.5 % point of Student's
distribution with n - 1 degrees of freedom, and the confidence interval of the mean is m ± t s / √n.

**A value** p. The question is not whether m equals p but whether p could have been one of our runs. p - m varies with

$$V = \frac{s^2}{n} + s^2 + v .$$

v is the variance due to the test images: the paper drew k of the K available ones, we drew another k, and all our
seeds share ours, so s does not contain it: v = 2 a (1 - a) / k · (K - k) / (K - 1) for an accuracy a, and
2 (e_A + e_B - (e_A - e_B)²) / k · (K - k) / (K - 1) for a gap between error rates e_A and e_B (its largest: no image
that both get wrong). A sentence about a mean (`of: mean`) leaves out s². With h = t · √V (a prediction interval;
without s² a confidence interval) p lies *inside* if

$$|p - m| \le \max(h, \tau) + \rho ,$$

ρ half a unit of p's last printed digit, τ a practical tolerance of the row: near 100 % the spread of the seeds
collapses, and two images in 1,024 should not decide anything. Outside: *not reproduced*. Inside: *reproduced*, unless
h exceeds the row's resolution: then *undecided*, for agreement with so wide an interval confirms nothing. The
**resolution** is the smallest difference from which the paper itself draws a conclusion there: the smallest one
between the values of the comparison that the row belongs to (`compared`), or the distance to the value that the
sentence argues against (`against`); of a lead, a gap or a gain its own size. It is computed, at least ρ, and no τ is
larger.

A speed-up ("75 % faster") is judged on the logarithm of the ratio of epochs, where twice as fast and half as fast are
equally far from no effect.

**A bound** ("by epoch 6"). *Reproduced* if the interval m ± (max(h, τ) + ρ) reaches the claimed side. For a mean:
*reproduced* if m ± h lies there, but for τ + ρ, *not reproduced* if it lies wholly elsewhere, else *undecided*.

**A sign** ("A is better than B"). Differences are paired by seed. *Reproduced* if their mean's confidence interval lies
above zero and the exact sign-flip test has p ≤ 0.05; with fewer than six pairs p cannot be so small whatever the
differences, the interval decides alone, and the floor is printed. With more than twelve pairs the test is Student's,
which says what the interval says; of a quantity that is stored as a mean with its interval there are no pairs to test,
and the interval decides alone. *Not reproduced* if the interval lies below zero, or
reaches from there to less than the lead that the paper prints (`lead`): a mean lead of that size is excluded. Else
*undecided*, with the power: how often n pairs that scatter like ours would show the printed lead. (An interval above
zero whose test does not agree is undecided, however large the printed lead: its size is another row's.) The interval
is about the test images at hand. Where each run's errors are stored the note gives the interval for other images too
(`stats.by_image`), which does not decide: it is not the narrower one, and covers 93 to 96 in 100.

**Equality** ("no difference"), within a margin stated in the row. *Reproduced* if two one-sided tests reject at 5 %,
that is, the 90 % interval lies inside it (TOST); *not reproduced* if the 95 % interval lies outside; else *undecided*.

**Exact quantities** (gates, parameter counts, identities): equal or not.

About one in twenty true value claims fails a 95 % rule by chance; a verdict is about its row, and the pattern over
rows says more than any one of them. What the first edition decided is frozen in `data/claims/first_rule.json`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hqnn.claims.quantity import LEAST_SEEDS, Missing, Printed, Quantity
from hqnn.claims.verdict import Judgement, Verdict
from hqnn.errors import HqnnError
from hqnn.stats import Interval, equivalence, floor, mean_interval, paired_difference, power, student_t

EDITION = 2
"""Of this rule; `hqnn.claims.registration` looks for it in the history."""
ALPHA = 0.05

Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Printing = Literal["run", "mean"]


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
    """Could the printed value be one of our runs, or our mean?"""

    name: Literal["value"] = "value"
    tolerance: Size = 0.0
    """Differences up to this never count as a failure."""
    rounding: Size | None = None
    """Half a unit of the last printed digit, unless given."""
    of: Printing = "run"
    """What is printed."""
    scale: Literal["linear", "ratio"] = "linear"
    """`ratio`: a gain of Q % is judged on the logarithm of what remains, 1 - Q / 100."""

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """Inside, outside, or inside an interval that is too wide."""
        ours, paper = self._interval(quantity), printed.number
        rounding = printed.rounding if self.rounding is None else self.rounding
        resolution = math.inf if printed.resolution is None else printed.resolution
        if self.scale == "ratio":
            return self._ratio(quantity, paper, rounding, resolution)
        half = _half_width(ours, self.of, quantity.variance)
        margin = max(half, min(self.tolerance, resolution)) + rounding
        difference = ours.mean - paper
        note = ""
        if abs(difference) > margin * (1 + 1e-12):
            verdict = Verdict.NOT_REPRODUCED
        elif half > resolution * (1 + 1e-12):
            verdict = Verdict.UNDECIDED
            what = "one run" if self.of == "run" else "the mean"
            note = f"{what} lies within ±{half:.3g} of ours, too wide to confirm {paper:g}: the paper "
            note += f"concludes from differences of {resolution:.3g}"
        else:
            verdict = Verdict.REPRODUCED
        return Judgement.of(ours, verdict, difference, margin, note)

    def _ratio(self, quantity: Quantity, paper: float, rounding: float, resolution: float) -> Judgement:
        remaining = 100 - paper
        if remaining <= 0:
            raise HqnnError("printed: a speed-up in the sense of eq. 9 cannot be 100 % or more.")
        tolerance, rounding, resolution = (
            math.log1p(size / remaining) for size in (self.tolerance, rounding, resolution)
        )
        ratios = mean_interval([math.log(1 - gain / 100) for gain in quantity.samples.values()])
        judgement = Value(tolerance=tolerance, rounding=rounding, of=self.of).decide(
            replace(quantity, value=ratios), Printed(value=math.log(remaining / 100), resolution=resolution)
        )
        ours, note = self._interval(quantity), ""
        if judgement.verdict == Verdict.UNDECIDED:
            factor = math.exp(judgement.margin or 0.0)
            note = f"E_A / E_B of one run scatters by a factor of {factor:.1f}, too widely to tell"
        return Judgement.of(ours, judgement.verdict, ours.mean - paper, None, note)


class Bound(Rule):
    """Could one of our runs, or our mean, keep the printed bound?"""

    name: Literal["bound"] = "bound"
    side: Literal["at most", "at least"]
    """On which side of it the paper's run lies."""
    bound: float | None = Field(default=None, allow_inf_nan=False)
    """What stands for a bound in words; that printed, unless given."""
    tolerance: Size = 0.0
    """Overshoot up to this never counts as a failure."""
    rounding: Size | None = None
    """Half a unit of the last printed digit, unless given; none for a bound in words."""
    of: Printing = "run"
    """What keeps the bound."""
    otherwise: Literal["not reproduced", "not checkable"] = "not reproduced"
    """The verdict if it is not kept; the second where the paper leaves open what the bound is of."""

    @property
    def needs_number(self) -> bool:
        """Unless the row gives one."""
        return self.bound is None

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """A run may miss the bound by what runs scatter, a mean only by the tolerance."""
        ours = self._interval(quantity)
        paper, rounding = (printed.number, printed.rounding) if self.bound is None else (self.bound, 0.0)
        rounding = rounding if self.rounding is None else self.rounding
        half = _half_width(ours, self.of, quantity.variance)
        allowed = self.tolerance + rounding
        margin = max(half, self.tolerance) + rounding if self.of == "run" else half + allowed
        difference = ours.mean - paper
        overshoot, note = (difference if self.side == "at most" else -difference), ""
        if overshoot > margin * (1 + 1e-12):
            verdict = Verdict(self.otherwise)
        elif self.of == "mean" and overshoot + half > allowed * (1 + 1e-12):
            verdict, note = Verdict.UNDECIDED, f"our mean is known within ±{half:.3g}, which reaches both sides"
        else:
            verdict = Verdict.REPRODUCED
        return Judgement.of(ours, verdict, difference if self.bound is None else None, margin, note)


class Sign(Rule):
    """Is the mean difference positive? Differences are oriented so that the claim says so."""

    name: Literal["sign"] = "sign"

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """The note gives the test, its floor, and the power where nothing is decided."""
        ours, lead = self._interval(quantity), printed.lead
        tested, agrees = "", True
        if len(quantity.samples) == ours.n:
            values = list(quantity.samples.values())
            found, least = paired_difference(values, [0.0] * ours.n), floor(ours.n)
            agrees = found.p_value <= ALPHA or least > ALPHA
            tested = f"{found.test}: p = {found.p_value:.2g}"
            if least > ALPHA:
                tested += f", and {ours.n} pairs cannot give less than {least:.2g}"
        note = ""
        if ours.low > 0 and agrees:
            verdict = Verdict.REPRODUCED
        elif ours.high < 0:
            verdict, note = Verdict.NOT_REPRODUCED, "our difference has the opposite sign"
        elif ours.low <= 0 and lead is not None and ours.high < lead:
            verdict = Verdict.NOT_REPRODUCED
            note = f"no difference seen, and a mean lead of the printed {lead:.3g} is excluded"
        else:
            verdict = Verdict.UNDECIDED
            note = "the test does not agree with the interval" if ours.low > 0 else "our interval contains zero"
            if lead is not None:
                chance = 100 * power(lead, ours.sd, ours.n)
                note += f", and {ours.n} pairs would show a mean lead of the printed {lead:.3g} in {chance:.0f} of 100"
        return Judgement.of(ours, verdict, None, None, "; ".join(filter(None, (note, tested, quantity.test))))


class Equality(Rule):
    """Is the mean difference negligible?"""

    name: Literal["equality"] = "equality"
    tolerance: Size
    """The margin: differences up to this are negligible."""

    def decide(self, quantity: Quantity, printed: Printed) -> Judgement:
        """The note gives the p-value of two one-sided tests, and the interval for other images where it is known."""
        ours = self._interval(quantity)
        p_value = equivalence(ours, self.tolerance)
        tested = f"two one-sided tests against ±{self.tolerance:g}: p = {p_value:.2g}"
        note = "; ".join(filter(None, (tested, quantity.test)))
        if p_value <= ALPHA:
            verdict = Verdict.REPRODUCED
        elif abs(ours.mean) - ours.half_width > self.tolerance:
            verdict = Verdict.NOT_REPRODUCED
        else:
            verdict = Verdict.UNDECIDED
        return Judgement.of(ours, verdict, ours.mean, self.tolerance, note)


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
        """Nothing is decided; a mean of ours is shown."""
        if isinstance(quantity.value, Interval):
            return Judgement.of(quantity.value, Verdict.NOT_CHECKABLE, None)
        return Judgement(verdict=Verdict.NOT_CHECKABLE)


RULES: Mapping[str, type[Rule]] = {
    rule.model_fields["name"].default: rule
    for rule in (Value, Bound, Sign, Equality, Exact, AgainstItself, NotCheckable)
}
"""By name."""


def _half_width(ours: Interval, of: Printing, variance: float) -> float:
    """How far the paper's value may lie from our mean: h = t · √V."""
    return student_t(ours.n) * math.sqrt(ours.sd**2 * (1 / ours.n + (of == "run")) + variance)


def _holds(so: bool) -> Verdict:
    return Verdict.REPRODUCED if so else Verdict.NOT_REPRODUCED
