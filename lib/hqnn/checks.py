"""How claims are evaluated: one function per kind of claim, named in the ledger.

Every evaluator takes the claim, what there is to judge it by, and the row's arguments as keywords; it returns a
judgement by the rules of `hqnn.verdicts`. It raises `Missing` when the records or the analysis it needs do not exist
yet.
Accuracies are percentages throughout, as the papers print them.
"""

import inspect
import math
import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_origin, get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.exceptions import CircuitError

from hqnn import aer, analyses, bloch, circuits, experiments, runs
from hqnn.circuits import ParametricCircuit
from hqnn.ledger import Claim, Ledger, LedgerError
from hqnn.quantum_layer import QuantumLayer
from hqnn.runs import Record
from hqnn.stats import Interval, epochs_to_reach, mean_interval, paired_difference
from hqnn.verdicts import (
    MIN_SEEDS,
    Judgement,
    Verdict,
    draw_variance,
    draw_variance_of_gap,
    judge_bound,
    judge_equality,
    judge_exact,
    judge_sign,
    judge_value,
)

Evaluator = Callable[..., Judgement]

DENOMINATORS: Mapping[str, int] = {"validation": 512, "test": 1024, "training": 2048}
"""Sizes of lcqhnn's three sets [lcqhnn, section 3.1.2]."""

_DRAWS = 32
_EXACT = 1e-9


class Missing(Exception):  # noqa: N818 - not an error: the row has no verdict yet
    """What a claim would be judged by does not exist yet; the message says what."""


@dataclass(frozen=True)
class Context:
    """What claims are judged by."""

    ledger: Ledger
    root: Path
    """The data folder, which holds the records and the analyses."""


EVALUATORS: dict[str, Evaluator] = {}
_NEEDS_NUMBER: set[str] = set()
_ON_TEST_IMAGES: set[str] = set()


def _evaluator(*, number: bool, test_images: bool = False) -> Callable[[Evaluator], Evaluator]:
    """Register an evaluator, and whether it needs a number as value or the size of the draw of test images."""

    def register(function: Evaluator) -> Evaluator:
        EVALUATORS[function.__name__] = function
        if number:
            _NEEDS_NUMBER.add(function.__name__)
        if test_images:
            _ON_TEST_IMAGES.add(function.__name__)
        return function

    return register


def validate(claim: Claim, ledger: Ledger) -> None:
    """Check that a row's evaluator exists and takes the row's value and arguments.

    Args:
        claim: The row.
        ledger: The ledger it belongs to.

    Raises:
        LedgerError: It does not; the message names the row.
    """
    if claim.evaluator is None:
        return
    if claim.evaluator not in EVALUATORS:
        known = ", ".join(sorted(EVALUATORS))
        raise LedgerError(f"Claim {claim.id}: there is no evaluator {claim.evaluator!r}; choose from {known}.")
    if claim.evaluator in _NEEDS_NUMBER:
        _ = claim.number
    function = EVALUATORS[claim.evaluator]
    hints = get_type_hints(function)
    accepted = list(inspect.signature(function).parameters.values())[2:]
    for parameter in accepted:
        if parameter.default is parameter.empty and parameter.name not in claim.arguments:
            raise LedgerError(
                f"Claim {claim.id}: the evaluator {claim.evaluator!r} needs the argument {parameter.name!r}."
            )
    for name, value in claim.arguments.items():
        if name not in {parameter.name for parameter in accepted}:
            raise LedgerError(f"Claim {claim.id}: the evaluator {claim.evaluator!r} takes no argument {name!r}.")
        if not _fits(value, hints[name]):
            raise LedgerError(f"Claim {claim.id}: the argument {name!r} is {value!r}, which is of the wrong kind.")
    if claim.evaluator in _ON_TEST_IMAGES and claim.arguments["experiment"] not in ledger.samples:
        raise LedgerError(
            f"Claim {claim.id}: the ledger's 'samples' do not say how the images of "
            f"{claim.arguments['experiment']!r} were drawn; add that experiment."
        )


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in hint.__args__
    if origin is not None:
        return isinstance(value, origin) and not isinstance(value, str)
    return isinstance(value, (int, float) if hint is float else hint) and not isinstance(value, bool)


def judge(claim: Claim, context: Context) -> Judgement:
    """Evaluate one claim.

    Args:
        claim: A row of the ledger.
        context: What to judge it by.

    Returns:
        The judgement; "not yet evaluated" if the row has no evaluator or what it needs does not exist yet.
    """
    if claim.evaluator is None:
        return Judgement(verdict=Verdict.NOT_YET)
    try:
        judgement = EVALUATORS[claim.evaluator](claim, context, **claim.arguments)
    except Missing as missing:
        return Judgement(verdict=Verdict.NOT_YET, note=str(missing))
    return judgement if judgement.evidence else replace(judgement, evidence=f"hqnn.checks.{claim.evaluator}")


# --- the paper against itself


@_evaluator(number=False)
def not_checkable(claim: Claim, context: Context, *, reason: str) -> Judgement:
    """The paper does not say enough to check it."""
    return Judgement(verdict=Verdict.NOT_CHECKABLE, evidence=f"{claim.paper}: {claim.place}", note=reason)


@_evaluator(number=False)
def reading(claim: Claim, context: Context, *, places: Sequence[str], finding: str) -> Judgement:
    """Two places of the paper exclude each other, as anyone can read."""
    return Judgement(verdict=Verdict.CONTRADICTED, evidence=f"{claim.paper}: {' against '.join(places)}", note=finding)


@_evaluator(number=False)
def printed_values(claim: Claim, context: Context, *, printed: Mapping[str, float]) -> Judgement:
    """One quantity printed at several places must have one value."""
    evidence = f"{claim.paper}: " + " against ".join(f"{place} ({value:g})" for place, value in printed.items())
    if max(printed.values()) - min(printed.values()) <= 2 * claim.rounding * _EXACT:
        raise Missing("the printed values agree, and there is nothing of ours yet")
    return Judgement(verdict=Verdict.CONTRADICTED, evidence=evidence)


@_evaluator(number=False)
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


def denominators(
    percentage: float, *, decimals: int = 2, candidates: Sequence[int] = tuple(DENOMINATORS.values())
) -> list[int]:
    """Numbers of images that a printed percentage can come from.

    Args:
        percentage: As printed.
        decimals: Digits printed after the point.
        candidates: Set sizes to try.

    Returns:
        Those N for which some whole number k of correct images gives 100 k / N as printed.
    """
    half = 0.5 * 10.0**-decimals + 1e-9
    return [n for n in candidates if abs(100 * round(percentage * n / 100) / n - percentage) <= half]


@_evaluator(number=False)
def printed_grid(claim: Claim, context: Context, *, group: str, unit: str, stated: int, alternative: int) -> Judgement:
    """Do a table's percentages come from the stated number of images, or from half as many?

    Accuracies on `stated` images are multiples of 1/stated. If all of them are multiples of 1/alternative, a coarser
    grid contained in that one, then chance did this for each value below 100 %, or fewer images were used.
    """
    values = [c for c in context.ledger.claims if c.group == group and c.unit == unit]
    below = [c for c in values if c.number < 100]
    coarse = [c for c in below if denominators(c.number, decimals=c.decimals, candidates=[alternative])]
    chance = (alternative / stated) ** len(below)
    ours = f"{len(coarse)} of {len(below)} values below 100 % are multiples of 1/{alternative}"
    note = f"if they came from {stated} images, chance would do that once in {round(1 / chance):,} tables"
    contradicted = len(coarse) == len(below) and chance < 1e-3
    verdict = Verdict.CONTRADICTED if contradicted else Verdict.NOT_CHECKABLE
    return Judgement(verdict=verdict, ours=ours, note=note if contradicted else "")


# --- the circuit


def _gate_text(pc: ParametricCircuit) -> str:
    """A circuit as text, neighbouring gates of one kind taken together."""
    names = {"p": "U1"}
    groups: list[tuple[str, list[str]]] = []
    for instruction in pc.circuit.data:
        gate = instruction.operation
        if gate.name == "barrier":
            continue
        qubits = [pc.circuit.find_bit(qubit).index for qubit in instruction.qubits]
        label = names.get(gate.name, gate.name.upper())
        for angle in gate.params:
            match = re.fullmatch(r"(?:(\d+)\*)?(\w+)\[(\d+)\]", str(angle))
            own = match is not None and qubits == [int(match[3])]
            label += f"({(match[1] or '') + match[2] if match and own else angle})"
        if not groups or groups[-1][0] != label:
            groups.append((label, []))
        groups[-1][1].append("".join(map(str, qubits)))
    return " ".join(f"{label}({' '.join(qubits)})" for label, qubits in groups)


@_evaluator(number=False)
def gate_sequence(claim: Claim, context: Context) -> Judgement:
    """The gates of `circuits.lcqhnn` are the printed ones, in the printed order."""
    return judge_exact(_gate_text(circuits.lcqhnn()), str(claim.value))


@_evaluator(number=True)
def weight_count(claim: Claim, context: Context) -> Judgement:
    """The circuit has as many trainable parameters as printed."""
    return judge_exact(circuits.lcqhnn().n_weights, claim.number)


def _random_angles(pc: ParametricCircuit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inputs [draws, n_inputs] and one setting of the weights [n_weights], uniform in [0, 2π)."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 2 * np.pi, (_DRAWS, pc.n_inputs)), rng.uniform(0, 2 * np.pi, pc.n_weights)


def _change(first: ParametricCircuit, second: ParametricCircuit) -> float:
    """Largest difference between two circuits' expectation values at random inputs and equal weights."""
    outputs = [aer.expectations(pc, *_random_angles(pc)) for pc in (first, second)]
    return float(np.abs(outputs[0] - outputs[1]).max())


def _bloch_vectors(stage: str) -> NDArray[np.float64]:
    """Reduced Bloch vectors [draws, n_qubits, 3] of the paper's circuit after one of its printed states."""
    pc = circuits.lcqhnn()
    return bloch.bloch_vectors(pc, *_random_angles(pc), stage=stage)


@_evaluator(number=False)
def printed_order(claim: Claim, context: Context) -> Judgement:
    """Do the two readings of the printed CNOT products, in time and as operators, give the same outputs?"""
    change = _change(circuits.lcqhnn("time"), circuits.lcqhnn("product"))
    return Judgement(
        verdict=Verdict.REPRODUCED if change < _EXACT else Verdict.CONTRADICTED,
        ours=f"the two readings differ by up to {change:.2f} in an expectation value",
    )


@_evaluator(number=False)
def ladders_cancel(claim: Claim, context: Context) -> Judgement:
    """Does the circuit compute what it would without its CNOTs?"""
    change = _change(circuits.lcqhnn(), circuits.lcqhnn(entangle=False))
    return Judgement(
        verdict=Verdict.REPRODUCED if change < _EXACT else Verdict.NOT_REPRODUCED,
        ours=f"leaving both ladders out changes an expectation value by up to {change:.2f}",
    )


@_evaluator(number=True)
def equator(claim: Claim, context: Context) -> Judgement:
    """After the encoding every reduced Bloch vector has the printed z component and length 1."""
    vectors = _bloch_vectors("ψ2")
    z = float(np.abs(vectors[..., 2]).max())
    length_error = float(np.abs(bloch.lengths(vectors) - 1).max())
    judgement = judge_exact(round(z, 9), claim.number)
    return judgement if length_error < _EXACT else replace(judgement, verdict=Verdict.NOT_REPRODUCED)


@_evaluator(number=True)
def bloch_length(claim: Claim, context: Context) -> Judgement:
    """Mean length of the reduced Bloch vectors after the RY gates, to the digits printed."""
    length = float(bloch.lengths(_bloch_vectors("ψ4")).mean())
    return judge_exact(round(length, claim.decimals), claim.number)


@_evaluator(number=False)
def entangled(claim: Claim, context: Context) -> Judgement:
    """After the RY gates the reduced states are mixed: the pure state of all qubits is entangled."""
    length = float(bloch.lengths(_bloch_vectors("ψ4")).mean())
    return Judgement(
        verdict=Verdict.REPRODUCED if length < 1 - _EXACT else Verdict.NOT_REPRODUCED,
        ours=f"mean length of the reduced Bloch vectors {length:.2f}",
    )


@_evaluator(number=False)
def aer_gradients(claim: Claim, context: Context) -> Judgement:
    """PyTorch's gradients of the layer equal the parameter-shift rule evaluated by Aer."""
    pc = circuits.lcqhnn()
    layer = QuantumLayer(pc, dtype=torch.float64)
    inputs, weights = _random_angles(pc)
    with torch.no_grad():
        layer.weights.copy_(torch.from_numpy(weights)[None])
    outputs = layer(torch.from_numpy(inputs)).sum(0)
    ours = torch.stack([torch.autograd.grad(o, layer.weights, retain_graph=True)[0][0] for o in outputs], dim=1).numpy()
    shifts = np.pi / 2 * np.eye(pc.n_weights)
    up, down = (
        np.stack([aer.expectations(pc, inputs, weights + sign * shift).sum(0) for shift in shifts]) for sign in (1, -1)
    )  # [n_weights, n_observables], as ours
    error = float(np.abs(ours - (up - down) / 2).max())
    return Judgement(
        verdict=Verdict.REPRODUCED if error < _EXACT else Verdict.NOT_REPRODUCED,
        ours="PyTorch's gradients equal parameter shift on Aer"
        if error < _EXACT
        else f"gradients differ by {error:.1e}",
    )


@_evaluator(number=False)
def torch_tensors(claim: Claim, context: Context) -> Judgement:
    """Does a tensor that is part of a PyTorch graph survive being put into a Qiskit circuit?"""
    tensor = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    angle = Parameter("a")
    template = QuantumCircuit(1)
    template.ry(angle, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns that turning the tensor into a number loses its gradient
        bound = template.assign_parameters({angle: tensor})
    kept = isinstance(bound.data[0].operation.params[0], torch.Tensor)
    try:
        template.ry(tensor, 0)
        refused = False
    except CircuitError:
        refused = True
    if kept or not refused:
        return Judgement(verdict=Verdict.REPRODUCED, ours="a circuit keeps a tensor as it is")
    return Judgement(
        verdict=Verdict.NOT_REPRODUCED,
        ours="a gate refuses a tensor, and binding one turns it into a number without a gradient",
    )


# --- the front end


@dataclass(frozen=True)
class FrontEnd:
    """Two convolutions with a pooling window each; sides in pixels."""

    paddings: tuple[int, int]
    pools: tuple[int, int]
    channels: int
    """Channels of the second convolution."""
    side: int
    """Side of the maps that are flattened."""


def front_ends(n_features: int = 256, *, image: int = 28, kernel: int = 3) -> list[FrontEnd]:
    """Which paddings and pooling windows can give a number of flattened features.

    Args:
        n_features: Channels times the area of the last maps.
        image: Side of the input, pixels.
        kernel: Side of both convolutions' kernels.

    Returns:
        The choices among paddings 0, 1, 2 and pooling windows 2, 3 (stride as wide as the window) whose last maps have
        an area that divides `n_features`.
    """
    found = []
    for p1 in range(3):
        for w1 in (2, 3):
            first = (image + 2 * p1 - kernel + 1) // w1
            for p2 in range(3):
                for w2 in (2, 3):
                    side = (first + 2 * p2 - kernel + 1) // w2
                    if side > 0 and n_features % side**2 == 0:
                        found.append(FrontEnd((p1, p2), (w1, w2), n_features // side**2, side))
    return found


@_evaluator(number=True)
def front_end_exists(claim: Claim, context: Context) -> Judgement:
    """Some choice of padding and pooling gives the printed number of features."""
    found = front_ends(int(claim.number))
    usual = [f for f in found if f.pools == (2, 2) and max(f.paddings) < 2]
    note = (
        f"{len(found)} of 36 choices of padding 0-2 and pooling 2-3 do; "
        f"{len(usual) or 'none'} with 2x2 pooling and padding 0 or 1"
    )
    return Judgement(
        verdict=Verdict.REPRODUCED if found else Verdict.NOT_REPRODUCED,
        ours=int(claim.number) if found else None,
        evidence="hqnn.checks.front_ends",
        note=note,
    )


# --- training records

Metric = Literal["test_accuracy", "val_accuracy"]


@dataclass(frozen=True)
class _Curves:
    """One metric of one variant, in percent."""

    seeds: tuple[int, ...]
    values: NDArray[np.float64]
    """[seeds, epochs]"""
    evidence: str


def _records(context: Context, experiment: str, variant: str) -> list[Record]:
    """The records of a variant that were made with its current config.

    Raises:
        Missing: There are fewer than `MIN_SEEDS` of them.
        HqnnError: There is no such experiment or variant, or a record is damaged.
    """
    config = experiments.select(experiments.get(experiment), [variant])[variant]
    stored = runs.load(experiment, variant, root=context.root)
    current = [record for record in stored if record.config_hash == experiments.config_hash(config)]
    if len(current) < MIN_SEEDS:
        raise Missing(f"fewer than {MIN_SEEDS} current records of {experiment}/{variant}")
    return current


def _curves(context: Context, experiment: str, variant: str, metric: Metric) -> _Curves:
    records = _records(context, experiment, variant)
    return _Curves(
        tuple(record.seed for record in records),
        100 * np.array([record.history[metric] for record in records]),
        f"data/runs/{experiment}/{variant}",
    )


def _pair(context: Context, experiment: str, first: str, second: str, metric: Metric) -> tuple[_Curves, _Curves, str]:
    """Two variants over the seeds they share."""
    a, b = (_curves(context, experiment, variant, metric) for variant in (first, second))
    common = sorted(set(a.seeds) & set(b.seeds))
    if len(common) < MIN_SEEDS:
        raise Missing(f"{first} and {second} of {experiment} share fewer than {MIN_SEEDS} seeds")
    a, b = (replace(c, seeds=tuple(common), values=c.values[[c.seeds.index(seed) for seed in common]]) for c in (a, b))
    return a, b, f"{a.evidence}, {b.evidence}"


def _at(curves: _Curves, epoch: int, claim: Claim) -> NDArray[np.float64]:
    if not 1 <= epoch <= curves.values.shape[1]:
        raise LedgerError(f"Claim {claim.id}: {curves.evidence} has {curves.values.shape[1]} epochs, not {epoch}.")
    return curves.values[:, epoch - 1]


def _accuracy(claim: Claim, context: Context, experiment: str, variant: str, epoch: int, metric: Metric) -> Judgement:
    curves = _curves(context, experiment, variant, metric)
    ours = mean_interval(_at(curves, epoch, claim))
    draw = context.ledger.samples[experiment][metric]
    judgement = judge_value(
        ours,
        claim.number,
        rounding=claim.rounding,
        tolerance=claim.tolerance,
        resolution=claim.resolution,
        spread=claim.spread,
        runs=claim.runs,
        extra_variance=1e4 * draw_variance(ours.mean / 100, draw.drawn, draw.of),
    )
    return replace(judgement, evidence=curves.evidence)


@_evaluator(number=True, test_images=True)
def accuracy(claim: Claim, context: Context, *, experiment: str, variant: str, epoch: int) -> Judgement:
    """The test accuracy after an epoch, in percent; a note if the validation accuracy would be judged otherwise."""
    judgement = _accuracy(claim, context, experiment, variant, epoch, "test_accuracy")
    other = _accuracy(claim, context, experiment, variant, epoch, "val_accuracy")
    if other.verdict == judgement.verdict:
        return judgement
    note = f"on the validation images ours is {other.ours:.2f} and the verdict would be: {other.verdict}"
    return replace(judgement, note="; ".join(filter(None, (judgement.note, note))))


def _gap(
    claim: Claim, context: Context, experiment: str, first: str, second: str, epoch: int
) -> tuple[Interval, float, str]:
    """Paired difference in test accuracy (points), its variance from the draw of test images, and the evidence."""
    a, b, evidence = _pair(context, experiment, first, second, "test_accuracy")
    x, y = _at(a, epoch, claim), _at(b, epoch, claim)
    draw = context.ledger.samples[experiment]["test_accuracy"]
    variance = 1e4 * draw_variance_of_gap(float(x.mean()) / 100, float(y.mean()) / 100, draw.drawn, draw.of)
    return mean_interval(x - y), variance, evidence


@_evaluator(number=False, test_images=True)
def better(claim: Claim, context: Context, *, experiment: str, first: str, second: str, epoch: int) -> Judgement:
    """The first variant has the higher test accuracy."""
    a, b, evidence = _pair(context, experiment, first, second, "test_accuracy")
    return _noted(*_compared(_at(a, epoch, claim), _at(b, epoch, claim)), evidence=evidence)


@_evaluator(number=True, test_images=True)
def gap(claim: Claim, context: Context, *, experiment: str, first: str, second: str, epoch: int) -> Judgement:
    """The first variant's lead in test accuracy, in points."""
    ours, variance, evidence = _gap(claim, context, experiment, first, second, epoch)
    judgement = judge_value(
        ours,
        claim.number,
        rounding=claim.rounding,
        tolerance=claim.tolerance,
        resolution=abs(claim.number),
        extra_variance=variance,
    )
    return replace(judgement, evidence=evidence)


@_evaluator(number=False, test_images=True)
def equal_accuracy(
    claim: Claim, context: Context, *, experiment: str, first: str, second: str, epoch: int
) -> Judgement:
    """The two variants' test accuracies differ by no more than the tolerance."""
    ours, _, evidence = _gap(claim, context, experiment, first, second, epoch)
    return replace(judge_equality(ours, claim.tolerance), evidence=evidence)


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


@_evaluator(number=True)
def epochs_to(claim: Claim, context: Context, *, experiment: str, variant: str, threshold: float) -> Judgement:
    """The first epoch at which the test accuracy passes a threshold (percent)."""
    curves = _curves(context, experiment, variant, "test_accuracy")
    epochs, note = _epochs(curves, threshold)
    judgement = judge_value(mean_interval(epochs), claim.number, tolerance=claim.tolerance, resolution=claim.resolution)
    return _noted(judgement, note, evidence=curves.evidence)


@_evaluator(number=True)
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
    curves = _curves(context, experiment, variant, "test_accuracy")
    epochs, note = _epochs(curves, threshold)
    judgement = judge_bound(mean_interval(epochs), claim.number, side=side, tolerance=claim.tolerance)
    return _noted(judgement, note, evidence=curves.evidence)


@_evaluator(number=False)
def reached_sooner(
    claim: Claim, context: Context, *, experiment: str, first: str, second: str, threshold: float
) -> Judgement:
    """The first variant needs fewer epochs to a threshold (percent) of test accuracy; ours is how many fewer."""
    a, b, evidence = _pair(context, experiment, first, second, "test_accuracy")
    (x, note_a), (y, note_b) = _epochs(a, threshold), _epochs(b, threshold)
    judgement, p_value = _compared(y, x)
    return _noted(judgement, p_value, *_labelled({first: note_a, second: note_b}), evidence=evidence)


@_evaluator(number=True)
def speed_gain(
    claim: Claim, context: Context, *, experiment: str, first: str, second: str, threshold: float
) -> Judgement:
    """Q = (E_B - E_A) / E_B in percent [lcqhnn, eq. 9], E the epochs to a threshold, A the first variant.

    Q = 1 - E_A / E_B is judged on the logarithm of that ratio.
    """
    a, b, evidence = _pair(context, experiment, first, second, "test_accuracy")
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


@_evaluator(number=False)
def settings(claim: Claim, context: Context, *, names: Sequence[str], expected: Mapping[str, Any]) -> Judgement:
    """Every record of some experiments was made with the printed settings."""
    records = [
        record
        for name in names
        for variant in experiments.get(name).variants
        for record in _records(context, name, variant)
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


def _analysed(claim: Claim, context: Context, analysis: str, key: str) -> tuple[Interval, str]:
    stored = analyses.load(analysis, root=context.root)
    if stored is None:
        raise Missing(f"the analysis {analysis!r} is not recorded yet")
    if key not in stored.result:
        raise LedgerError(f"Claim {claim.id}: the analysis {analysis!r} has no result {key!r}.")
    return stored.result[key], f"data/analyses/{analysis}.json: {key}"


@_evaluator(number=True)
def analysis_value(claim: Claim, context: Context, *, analysis: str, key: str) -> Judgement:
    """A recorded result has the stated value."""
    ours, evidence = _analysed(claim, context, analysis, key)
    judgement = judge_value(
        ours,
        claim.number,
        rounding=claim.rounding if claim.decimals else 0.0,
        tolerance=claim.tolerance,
        resolution=claim.resolution,
    )
    return replace(judgement, evidence=evidence)


@_evaluator(number=False)
def analysis_positive(claim: Claim, context: Context, *, analysis: str, key: str) -> Judgement:
    """A recorded result is greater than zero."""
    ours, evidence = _analysed(claim, context, analysis, key)
    return replace(judge_sign(ours), evidence=evidence)
