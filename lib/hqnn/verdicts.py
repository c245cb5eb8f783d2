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
evaluator, no record, or fewer than `MIN_SEEDS` seeds (all seeds of an experiment that has fewer, but never fewer than
`LEAST_SEEDS`).

About one in twenty true value claims fails a 95 % rule by chance; a verdict is about its row, and the pattern over
rows says more than any one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from scipy.stats import t as student_t

from hqnn.stats import Interval

MIN_SEEDS = 10
LEAST_SEEDS = 3
LEVEL = 0.95


class Missing(Exception):  # noqa: N818 - not an error: the row has no verdict yet
    """What a claim would be judged by does not exist yet; the message says what."""


class Verdict(StrEnum):
    """What can be said of a claim."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
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


def draw_variance(accuracy: float, drawn: int, of: int) -> float:
    """Variance of the difference between one model's accuracies on two independent draws of test images.

    Args:
        accuracy: Fraction of images classified correctly, in [0, 1].
        drawn: Images in each draw.
        of: Images they are drawn from, without replacement.

    Returns:
        Variance of the difference of the two fractions; 0 if every image is drawn.
    """
    return 2 * accuracy * (1 - accuracy) * _per_draw(drawn, of)


def draw_variance_of_gap(accuracy_a: float, accuracy_b: float, drawn: int, of: int) -> float:
    """The same for the gap between two models tested on the same images, at its largest (no image that both get wrong).

    Args:
        accuracy_a: Fraction in [0, 1] for the first model.
        accuracy_b: Fraction in [0, 1] for the second model.
        drawn: Images in each draw.
        of: Images they are drawn from, without replacement.

    Returns:
        Variance of the difference of the two gaps.
    """
    errors = (1 - accuracy_a) + (1 - accuracy_b)
    return 2 * max(0.0, errors - (accuracy_a - accuracy_b) ** 2) * _per_draw(drawn, of)


def _per_draw(drawn: int, of: int) -> float:
    if not 0 < drawn <= of or of < 2:
        raise ValueError(f"cannot draw {drawn} images out of {of}")
    return (of - drawn) / (of - 1) / drawn


def judge_value(
    ours: Interval,
    paper: float,
    *,
    rounding: float = 0.0,
    tolerance: float = 0.0,
    resolution: float = math.inf,
    spread: float | None = None,
    runs: int = 1,
    extra_variance: float = 0.0,
) -> Judgement:
    """Could the printed value be one of our runs?

    Args:
        ours: Mean over our runs with its 95 % interval.
        paper: The printed value.
        rounding: Half a unit of its last printed digit.
        tolerance: Differences up to this never count as a failure.
        resolution: Largest half width at which agreement still means something.
        spread: Standard deviation over the paper's own runs, if it states one.
        runs: Number of runs behind the printed value.
        extra_variance: Variance that the seeds do not show (the draw of test images), in squared units.

    Returns:
        The judgement; `margin` is what |difference| was compared with.

    Raises:
        Missing: There are fewer than `LEAST_SEEDS` runs.
    """
    half = _half_width(ours, spread, runs, extra_variance)
    margin = max(half, tolerance) + rounding
    difference = ours.mean - paper
    note = ""
    if abs(difference) > margin * (1 + 1e-12):
        verdict = Verdict.NOT_REPRODUCED
    elif half > resolution:
        verdict = Verdict.NOT_CHECKABLE
        note = f"one run lies within ±{half:.3g} of our mean, too wide to confirm {paper:g} (resolution {resolution:g})"
    else:
        verdict = Verdict.REPRODUCED
    return _measured(ours, verdict, difference, margin, note)


def judge_bound(
    ours: Interval,
    paper: float,
    *,
    side: Literal["at most", "at least"],
    rounding: float = 0.0,
    tolerance: float = 0.0,
    extra_variance: float = 0.0,
) -> Judgement:
    """Could one of our runs keep the printed bound?

    Args:
        ours: Mean over our runs with its 95 % interval.
        paper: The printed bound.
        side: On which side of it the paper's run lies.
        rounding: Half a unit of its last printed digit.
        tolerance: Overshoot up to this never counts as a failure.
        extra_variance: Variance that the seeds do not show, in squared units of the bound.

    Returns:
        The judgement.

    Raises:
        Missing: There are fewer than `LEAST_SEEDS` runs.
    """
    margin = max(_half_width(ours, None, 1, extra_variance), tolerance) + rounding
    difference = ours.mean - paper
    overshoot = difference if side == "at most" else -difference
    verdict = Verdict.REPRODUCED if overshoot <= margin * (1 + 1e-12) else Verdict.NOT_REPRODUCED
    return _measured(ours, verdict, difference, margin, "")


def judge_sign(differences: Interval) -> Judgement:
    """Is the mean difference positive?

    Args:
        differences: Paired differences, oriented so that the claim says positive.

    Returns:
        The judgement; its note says whether a failure is a tie or the opposite sign.

    Raises:
        Missing: There are fewer than `LEAST_SEEDS` runs.
    """
    if differences.low > 0:
        verdict, note = Verdict.REPRODUCED, ""
    elif differences.high < 0:
        verdict, note = Verdict.NOT_REPRODUCED, "our difference has the opposite sign"
    else:
        verdict, note = Verdict.NOT_REPRODUCED, "our interval contains zero: no difference found"
    return _measured(differences, verdict, None, None, note)


def judge_equality(differences: Interval, tolerance: float) -> Judgement:
    """Is the mean difference negligible?

    Args:
        differences: Paired differences.
        tolerance: Differences up to this are negligible.

    Returns:
        The judgement.

    Raises:
        Missing: There are fewer than `LEAST_SEEDS` runs.
    """
    nearest = max(0.0, abs(differences.mean) - differences.half_width)
    farthest = abs(differences.mean) + differences.half_width
    note = ""
    if farthest <= tolerance:
        verdict = Verdict.REPRODUCED
    elif nearest > tolerance:
        verdict = Verdict.NOT_REPRODUCED
    else:
        verdict = Verdict.NOT_CHECKABLE
        note = f"the interval straddles the limit of ±{tolerance:g}"
    return _measured(differences, verdict, differences.mean, tolerance, note)


def judge_exact(ours: float | str, paper: float | str) -> Judgement:
    """Is an exact quantity the printed one?

    Args:
        ours: Our value.
        paper: The printed value.

    Returns:
        The judgement.
    """
    numbers = isinstance(ours, int | float) and isinstance(paper, int | float)
    return Judgement(
        verdict=Verdict.REPRODUCED if ours == paper else Verdict.NOT_REPRODUCED,
        ours=ours,
        difference=float(ours) - float(paper) if numbers else None,
    )


def _half_width(ours: Interval, spread: float | None, runs: int, extra_variance: float) -> float:
    t = float(student_t.ppf(0.5 + LEVEL / 2, ours.n - 1))
    variance_of_mean = (ours.half_width / t) ** 2
    paper_variance = variance_of_mean * ours.n if spread is None else spread**2
    return t * math.sqrt(variance_of_mean + paper_variance / runs + extra_variance)


def _measured(ours: Interval, verdict: Verdict, difference: float | None, margin: float | None, note: str) -> Judgement:
    if ours.n < LEAST_SEEDS:
        raise Missing(f"a verdict needs at least {LEAST_SEEDS} seeds, not {ours.n}")
    return Judgement(
        verdict=verdict,
        ours=ours.mean,
        ci95=ours.half_width,
        n_seeds=ours.n,
        difference=difference,
        margin=margin,
        note=note,
    )
