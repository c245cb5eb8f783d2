"""Evaluators that any paper's rows can use."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from hqnn import analyses, experiments, records
from hqnn.checks.registry import EXACT, Context, evaluator
from hqnn.ledger import Claim, LedgerError
from hqnn.record import Record
from hqnn.stats import Interval, epochs_to_reach, mean_interval, paired_difference
from hqnn.verdicts import (
    LEAST_SEEDS,
    MIN_SEEDS,
    Judgement,
    Missing,
    Verdict,
    draw_variance,
    draw_variance_of_gap,
    judge_bound,
    judge_equality,
    judge_exact,
    judge_sign,
    judge_value,
)

# --- the paper against itself


@evaluator(number=False)
def not_checkable(claim: Claim, context: Context, *, reason: str) -> Judgement:
    """The paper does not say enough to check it."""
    return Judgement(verdict=Verdict.NOT_CHECKABLE, evidence=f"{claim.paper}: {claim.place}", note=reason)


@evaluator(number=False)
def reading(claim: Claim, context: Context, *, places: Sequence[str], finding: str) -> Judgement:
    """Two places of the paper exclude each other, as anyone can read."""
    return Judgement(verdict=Verdict.CONTRADICTED, evidence=f"{claim.paper}: {' against '.join(places)}", note=finding)


@evaluator(number=False)
def printed_values(claim: Claim, context: Context, *, printed: Mapping[str, float]) -> Judgement:
    """One quantity printed at several places must have one value."""
    evidence = f"{claim.paper}: " + " against ".join(f"{place} ({value:g})" for place, value in printed.items())
    if max(printed.values()) - min(printed.values()) <= 2 * claim.rounding * EXACT:
        raise Missing("the printed values agree, and there is nothing of ours yet")
    return Judgement(verdict=Verdict.CONTRADICTED, evidence=evidence)


@evaluator(number=False)
def printed_order_of_values(
    claim: Claim, context: Context, *, smaller: Mapping[str, float], larger: Mapping[str, float]
) -> Judgement:
    """A quantity said to be smaller must not be printed larger."""
    if max(smaller.values()) < min(larger.values()):
        raise Missing("the printed values are in the order stated, and there is nothing of ours yet")
    text = [", ".join(f"{place} ({value:g})" for place, value in side.items()) for side in (smaller, larger)]
    return Judgement(
        verdict=Verdict.CONTRADICTED,
        evidence=f"{claim.paper}: {claim.place} against {' and '.join(text)}",
    )


Metric = Literal["test_accuracy", "val_accuracy"]
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class _Curves:
    """One curve of one variant, in percent if it is an accuracy."""

    seeds: tuple[int, ...]
    values: NDArray[np.float64]
    """[seeds, epochs]"""
    evidence: str


def config_of(claim: Claim, experiment: str, variant: str, kind: type[_Kind]) -> _Kind:
    """The config of a variant, which must be of a certain kind.

    Raises:
        LedgerError: It is of another.
        HqnnError: There is no such experiment or variant.
    """
    config = experiments.select(experiments.get(experiment), [variant])[variant]
    if not isinstance(config, kind):
        raise LedgerError(
            f"Claim {claim.id}: the evaluator {claim.evaluator!r} needs a run with a {kind.__name__}, but "
            f"{experiment}/{variant} has a {type(config).__name__}."
        )
    return config


def results(claim: Claim, records: Sequence[Record], name: str) -> list[Any]:
    """One entry of the result of each of some records.

    Raises:
        LedgerError: One has no such entry.
    """
    for record in records:
        if name not in record.result:
            raise LedgerError(
                f"Claim {claim.id}: the evaluator {claim.evaluator!r} needs the {name!r} of "
                f"{record.experiment}/{record.variant}, whose records hold {', '.join(record.result)}."
            )
    return [record.result[name] for record in records]


def current_records(context: Context, experiment: str, variant: str) -> list[Record]:
    """The records of a variant that were made with its current config.

    Raises:
        Missing: There are fewer of them than `needed` says.
        HqnnError: There is no such experiment or variant, or a record is damaged.
    """
    stored = records.load(f"{experiment}/{variant}", context.root)
    current = [record for record in stored if not records.stale(record, context.root)]
    if len(current) < needed(experiment):
        raise Missing(f"fewer than {needed(experiment)} current records of {experiment}/{variant}")
    return current


def needed(experiment: str) -> int:
    """How many seeds a verdict needs: `MIN_SEEDS`, or all of an experiment that has fewer, at least `LEAST_SEEDS`."""
    return max(LEAST_SEEDS, min(MIN_SEEDS, len(experiments.get(experiment).seeds)))


def _curves(claim: Claim, context: Context, experiment: str, variant: str, curve: str) -> _Curves:
    known = experiments.select(experiments.get(experiment), [variant])[variant].curves
    if curve not in known:
        raise LedgerError(
            f"Claim {claim.id}: the evaluator {claim.evaluator!r} needs the curve {curve!r} of {experiment}/{variant}, "
            f"whose records hold {', '.join(known)}."
        )
    records = current_records(context, experiment, variant)
    scale = 100 if curve.endswith("_accuracy") else 1
    return _Curves(
        tuple(record.seed for record in records),
        scale * np.array([record.history[curve] for record in records]),
        f"data/runs/{experiment}/{variant}",
    )


def pair(claim: Claim, context: Context, first: str, second: str, curve: str) -> tuple[_Curves, _Curves, str]:
    """Two series, each `experiment/variant`, over the seeds they share; and the evidence."""
    a, b = (_curves(claim, context, *series.partition("/")[::2], curve) for series in (first, second))
    common = sorted(set(a.seeds) & set(b.seeds))
    least = min(needed(series.partition("/")[0]) for series in (first, second))
    if len(common) < least:
        raise Missing(f"{first} and {second} share fewer than {least} seeds")
    a, b = (replace(c, seeds=tuple(common), values=c.values[[c.seeds.index(seed) for seed in common]]) for c in (a, b))
    return a, b, f"{a.evidence}, {b.evidence}"


def _pair(
    claim: Claim, context: Context, experiment: str, first: str, second: str, curve: str
) -> tuple[_Curves, _Curves, str]:
    return pair(claim, context, f"{experiment}/{first}", f"{experiment}/{second}", curve)


def _at(curves: _Curves, epoch: int, claim: Claim) -> NDArray[np.float64]:
    if not 1 <= epoch <= curves.values.shape[1]:
        raise LedgerError(f"Claim {claim.id}: {curves.evidence} has {curves.values.shape[1]} epochs, not {epoch}.")
    return curves.values[:, epoch - 1]


def judge_printed(claim: Claim, ours: Interval, **changes: float | None) -> Judgement:
    """`judge_value` with what the claim says of its own value, but for the changes."""
    of_claim: dict[str, Any] = {
        name: getattr(claim, name) for name in ("rounding", "tolerance", "resolution", "spread", "runs")
    }
    return judge_value(ours, claim.number, **of_claim | changes)


def _accuracy(claim: Claim, context: Context, experiment: str, variant: str, epoch: int, metric: Metric) -> Judgement:
    curves = _curves(claim, context, experiment, variant, metric)
    ours = mean_interval(_at(curves, epoch, claim))
    draw = context.ledger.samples[experiment][metric]
    variance = 1e4 * draw_variance(ours.mean / 100, draw.drawn, draw.of)
    judgement = judge_printed(claim, ours, extra_variance=variance)
    return replace(judgement, evidence=curves.evidence)


@evaluator(number=True, test_images=True)
def accuracy(claim: Claim, context: Context, *, experiment: str, variant: str, epoch: int) -> Judgement:
    """The test accuracy after an epoch, in percent; a note if the validation accuracy, if any, is judged otherwise."""
    judgement = _accuracy(claim, context, experiment, variant, epoch, "test_accuracy")
    if "val_accuracy" not in context.ledger.samples[experiment]:
        return judgement
    other = _accuracy(claim, context, experiment, variant, epoch, "val_accuracy")
    if other.verdict == judgement.verdict:
        return judgement
    note = f"on the validation images ours is {other.ours:.2f} and the verdict would be: {other.verdict}"
    return replace(judgement, note="; ".join(filter(None, (judgement.note, note))))


def _gap(
    claim: Claim, context: Context, experiment: str, first: str, second: str, epoch: int
) -> tuple[Interval, float, str]:
    """Paired difference in test accuracy (points), its variance from the draw of test images, and the evidence."""
    a, b, evidence = _pair(claim, context, experiment, first, second, "test_accuracy")
    x, y = _at(a, epoch, claim), _at(b, epoch, claim)
    draw = context.ledger.samples[experiment]["test_accuracy"]
    variance = 1e4 * draw_variance_of_gap(float(x.mean()) / 100, float(y.mean()) / 100, draw.drawn, draw.of)
    return mean_interval(x - y), variance, evidence


@evaluator(number=False, test_images=True)
def better(claim: Claim, context: Context, *, experiment: str, first: str, second: str, epoch: int) -> Judgement:
    """The first variant has the higher test accuracy."""
    a, b, evidence = _pair(claim, context, experiment, first, second, "test_accuracy")
    return _noted(*_compared(_at(a, epoch, claim), _at(b, epoch, claim)), evidence=evidence)


@evaluator(number=True, test_images=True)
def gap(claim: Claim, context: Context, *, experiment: str, first: str, second: str, epoch: int) -> Judgement:
    """The first variant's lead in test accuracy, in points."""
    ours, variance, evidence = _gap(claim, context, experiment, first, second, epoch)
    judgement = judge_printed(claim, ours, resolution=abs(claim.number), extra_variance=variance)
    return replace(judgement, evidence=evidence)


@evaluator(number=False, test_images=True)
def equal_accuracy(
    claim: Claim, context: Context, *, experiment: str, first: str, second: str, epoch: int
) -> Judgement:
    """The two variants' test accuracies differ by no more than the tolerance."""
    ours, _, evidence = _gap(claim, context, experiment, first, second, epoch)
    return replace(judge_equality(ours, claim.tolerance), evidence=evidence)


Curve = Literal["train_loss", "train_accuracy", "test_loss", "test_accuracy"]


@evaluator(number=True)
def final_value(
    claim: Claim, context: Context, *, experiment: str, variant: str, curve: Curve, reading: str = ""
) -> Judgement:
    """The last value of a curve, percent for an accuracy; a note if another experiment, `reading`, decides otherwise.

    The ledger's samples say whether test images were drawn.
    """
    curves = _curves(claim, context, experiment, variant, curve)
    ours = mean_interval(curves.values[:, -1])
    draw = context.ledger.samples.get(experiment, {}).get(curve)
    variance = 1e4 * draw_variance(ours.mean / 100, draw.drawn, draw.of) if draw else 0.0
    judgement = judge_printed(claim, ours, extra_variance=variance)
    note = ""
    if reading:
        other = final_value(claim, context, experiment=reading, variant=variant, curve=curve)
        if other.verdict != judgement.verdict:
            note = f"in {reading} ours is {other.ours:.4g} and the verdict would be: {other.verdict}"
    return _noted(judgement, note, evidence=curves.evidence)


@evaluator(number=True)
def final_lead(claim: Claim, context: Context, *, experiment: str, first: str, second: str) -> Judgement:
    """The first variant's lead in test accuracy after the last epoch, in points."""
    a, b, evidence = _pair(claim, context, experiment, first, second, "test_accuracy")
    x, y = a.values[:, -1], b.values[:, -1]
    draw = context.ledger.samples.get(experiment, {}).get("test_accuracy")
    variance = 0.0
    if draw:
        variance = 1e4 * draw_variance_of_gap(float(x.mean()) / 100, float(y.mean()) / 100, draw.drawn, draw.of)
    judgement = judge_printed(claim, mean_interval(x - y), resolution=abs(claim.number), extra_variance=variance)
    return replace(judgement, evidence=evidence)


@evaluator(number=False)
def ends_better(claim: Claim, context: Context, *, experiment: str, first: str, second: str, curve: Curve) -> Judgement:
    """After the last epoch the first variant has the higher accuracy, or the lower loss; ours is by how much."""
    a, b, evidence = _pair(claim, context, experiment, first, second, curve)
    if curve.endswith("_loss"):
        a, b = b, a
    return _noted(*_compared(a.values[:, -1], b.values[:, -1]), evidence=evidence)


@evaluator(number=False)
def better_on_all(
    claim: Claim, context: Context, *, experiments: Sequence[str], first: str, second: str, curve: Curve
) -> Judgement:
    """`ends_better` in each of some experiments."""
    found = [
        ends_better(claim, context, experiment=name, first=first, second=second, curve=curve) for name in experiments
    ]
    n = sum(judgement.verdict == Verdict.REPRODUCED for judgement in found)
    return Judgement(
        verdict=Verdict.REPRODUCED if n == len(found) else Verdict.NOT_REPRODUCED,
        ours=f"on {n} of {len(found)} datasets",
        evidence="; ".join(judgement.evidence for judgement in found),
    )


def _epochs(curves: _Curves, threshold: float) -> tuple[NDArray[np.float64], str]:
    """First epoch above a threshold [seeds], and a note; a run that never gets there counts as one after the last."""
    reach = epochs_to_reach(curves.values, threshold)
    never = len(curves.seeds) - reach.n_reached
    note = f"{never} of {len(curves.seeds)} runs never reach {threshold:g} % and count as {reach.n_epochs + 1} epochs"
    return np.where(np.isfinite(reach.epochs), reach.epochs, reach.n_epochs + 1.0), note if never else ""


def _compared(larger: NDArray[np.float64], smaller: NDArray[np.float64]) -> tuple[Judgement, str]:
    """Whether the first of two paired sets of values is larger, and a note with the p-value of another test."""
    comparison = paired_difference(larger, smaller)
    return judge_sign(comparison.difference), f"{comparison.test}: p = {comparison.p_value:.2g}"


def _noted(judgement: Judgement, *notes: str, evidence: str) -> Judgement:
    return replace(judgement, evidence=evidence, note="; ".join(filter(None, (judgement.note, *dict.fromkeys(notes)))))


@evaluator(number=True)
def epochs_to(claim: Claim, context: Context, *, experiment: str, variant: str, threshold: float) -> Judgement:
    """The first epoch at which the test accuracy passes a threshold (percent)."""
    curves = _curves(claim, context, experiment, variant, "test_accuracy")
    epochs, note = _epochs(curves, threshold)
    judgement = judge_printed(claim, mean_interval(epochs), rounding=0.0)
    return _noted(judgement, note, evidence=curves.evidence)


@evaluator(number=True)
def epoch_bound(
    claim: Claim,
    context: Context,
    *,
    experiment: str,
    variant: str,
    threshold: float,
    side: Literal["at most", "at least"],
) -> Judgement:
    """The test accuracy passes a threshold (percent) by an epoch."""
    curves = _curves(claim, context, experiment, variant, "test_accuracy")
    epochs, note = _epochs(curves, threshold)
    judgement = judge_bound(mean_interval(epochs), claim.number, side=side, tolerance=claim.tolerance)
    return _noted(judgement, note, evidence=curves.evidence)


@evaluator(number=False)
def reached_sooner(
    claim: Claim, context: Context, *, experiment: str, first: str, second: str, threshold: float
) -> Judgement:
    """The first variant needs fewer epochs to a threshold (percent) of test accuracy; ours is how many fewer."""
    a, b, evidence = _pair(claim, context, experiment, first, second, "test_accuracy")
    (x, note_a), (y, note_b) = _epochs(a, threshold), _epochs(b, threshold)
    judgement, p_value = _compared(y, x)
    return _noted(judgement, p_value, *_labelled({first: note_a, second: note_b}), evidence=evidence)


@evaluator(number=True)
def speed_gain(
    claim: Claim, context: Context, *, experiment: str, first: str, second: str, threshold: float
) -> Judgement:
    """Q = (E_B - E_A) / E_B in percent [lcqhnn, eq. 9], E the epochs to a threshold, A the first variant.

    Q = 1 - E_A / E_B is judged on the logarithm of that ratio.
    """
    a, b, evidence = _pair(claim, context, experiment, first, second, "test_accuracy")
    (x, note_a), (y, note_b) = _epochs(a, threshold), _epochs(b, threshold)
    remaining = 100 - claim.number  # 100 E_A / E_B
    if remaining <= 0:
        raise LedgerError(f"Claim {claim.id}: a speed-up in the sense of eq. 9 cannot be 100 % or more.")
    judgement = judge_value(
        mean_interval(np.log(x / y)),
        math.log(remaining / 100),
        rounding=math.log1p(claim.rounding / remaining),
        tolerance=math.log1p(claim.tolerance / remaining),
        resolution=abs(math.log(remaining / 100)),
    )
    ours = mean_interval(100 * (y - x) / y)
    judgement = replace(
        judgement,
        ours=ours.mean,
        ci95=ours.half_width,
        difference=ours.mean - claim.number,
        margin=None,
        note=f"E_A / E_B of one run scatters by a factor of {math.exp(judgement.margin or 0.0):.1f}, too widely to tell"
        if judgement.verdict == Verdict.NOT_CHECKABLE
        else "",
    )
    return _noted(judgement, *_labelled({first: note_a, second: note_b}), evidence=evidence)


def _labelled(notes: Mapping[str, str]) -> list[str]:
    return [f"{variant}: {note}" for variant, note in notes.items() if note]


@evaluator(number=False)
def settings(claim: Claim, context: Context, *, names: Sequence[str], expected: Mapping[str, Any]) -> Judgement:
    """Every record of some experiments was made with the printed settings."""
    records = [
        record
        for name in names
        for variant in experiments.get(name).variants
        for record in current_records(context, name, variant)
    ]
    wrong = [
        f"{record.variant} has {key} {record.config.get(key)!r}"
        for record in records
        for key, value in expected.items()
        if record.config.get(key) != value
    ]
    return Judgement(
        verdict=Verdict.NOT_REPRODUCED if wrong else Verdict.REPRODUCED,
        ours=wrong[0] if wrong else "every recorded run has these settings",
        n_seeds=min(Counter((record.experiment, record.variant) for record in records).values()),
        evidence=", ".join(f"data/runs/{name}" for name in names),
    )


# --- analyses of records


def analysed(claim: Claim, context: Context, analysis: str, key: str) -> tuple[Interval, str]:
    """A result of a recorded analysis, and where it is.

    Raises:
        Missing: The analysis is not recorded.
        LedgerError: It has no such result.
    """
    stored = analyses.load(analysis, root=context.root)
    if stored is None:
        raise Missing(f"the analysis {analysis!r} is not recorded yet")
    if key not in stored.result:
        raise LedgerError(f"Claim {claim.id}: the analysis {analysis!r} has no result {key!r}.")
    return stored.result[key], f"data/analyses/{analysis}.json: {key}"


@evaluator(number=True)
def analysis_value(claim: Claim, context: Context, *, analysis: str, key: str) -> Judgement:
    """A recorded result has the stated value."""
    ours, evidence = analysed(claim, context, analysis, key)
    judgement = judge_printed(claim, ours, rounding=claim.rounding if claim.decimals else 0.0)
    return replace(judgement, evidence=evidence)


@evaluator(number=True)
def analysis_exact(claim: Claim, context: Context, *, analysis: str, key: str) -> Judgement:
    """A recorded count is the printed one."""
    ours, evidence = analysed(claim, context, analysis, key)
    if ours.n > 1:
        raise LedgerError(
            f"Claim {claim.id}: {evidence} is a mean of {ours.n} runs, not a count: use 'analysis_value'."
        )
    return replace(judge_exact(ours.mean, claim.number), evidence=evidence)


@evaluator(number=False)
def analysis_positive(claim: Claim, context: Context, *, analysis: str, key: str) -> Judgement:
    """A recorded result is greater than zero."""
    ours, evidence = analysed(claim, context, analysis, key)
    return replace(judge_sign(ours), evidence=evidence)
