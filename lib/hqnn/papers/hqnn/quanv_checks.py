"""Evaluators of what hqnn claims about its quanvolution."""

import json
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision.transforms import v2

from hqnn import datasets, experiments, runs
from hqnn.checks.registry import EXACT, Context, evaluator
from hqnn.checks.shared import current_records, judge_printed
from hqnn.ledger import Claim
from hqnn.papers.hqnn import quanv, quanv_series
from hqnn.papers.hqnn.circuits import quanvolution
from hqnn.papers.hqnn.quanv_experiments import MODELS, N_DRAWS, USUAL_RATE, QuanvConfig
from hqnn.stats import mean_interval
from hqnn.verdicts import Judgement, Missing, Verdict, judge_equality, judge_exact, judge_sign
from hqnn.views.pauli_rotations import lower

Model = Literal["quanv", "cnn4", "cnn1"]

TIMES = "benchmarks/gradients.json"


@evaluator(number=True)
def quanv_resize(claim: Claim, context: Context) -> Judgement:
    """Images are resized to the printed side, as torchvision's `Resize` does it."""
    images = torch.randint(0, 256, (8, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ours = datasets.to_float(images, QuanvConfig().size)
    error = float((ours - v2.Resize(QuanvConfig().size)(images.float() / 255)).abs().max())
    return replace(
        judge_exact(ours.shape[-1] if error < 1e-5 else f"differs from torchvision by {error:.1g}", int(claim.number)),
        note="whether the transform averaged over all covered pixels, as it does today, is not said",
    )


@evaluator(number=False)
def quanv_circuit(claim: Claim, context: Context) -> Judgement:
    """The circuit has the printed embedding, rotations and CNOTs."""
    pc = quanvolution()
    gates = dict(pc.circuit.count_ops())
    by_pixel = lower(pc).input_slopes
    sound = (
        (pc.n_qubits, pc.n_weights, gates.get("cx")) == (4, 4, 3)
        and gates.get("ry") == 8
        and np.abs(by_pixel[by_pixel != 0] - np.pi).max() < EXACT
    )
    return Judgement(
        verdict=Verdict.REPRODUCED if sound else Verdict.NOT_REPRODUCED,
        ours=f"{pc.n_qubits} qubits, RY(π · pixel), {pc.n_weights} trained rotations, {gates.get('cx')} CNOTs",
        note="the axis of the rotations, the pairs of the CNOTs and their order are not said; ours is one reading",
    )


@evaluator(number=True)
def quanv_maps(claim: Claim, context: Context) -> Judgement:
    """Each channel has the printed number of pixels; a note says what the stride leaves out."""
    config = QuanvConfig()
    maps = quanv.Quanv(config).maps(torch.zeros(1, 1, config.size, config.size))
    seen, total = 4 * config.side**2, config.size**2
    return replace(
        judge_exact(maps[0, 0].numel(), int(claim.number)),
        note=f"only a stride of {config.stride} does this, and the kernel then sees {seen} of the {total} pixels",
    )


@evaluator(number=False)
def quanv_readout(claim: Claim, context: Context) -> Judgement:
    """One linear layer follows the channels."""
    (linear,) = (module for module in quanv.Quanv(QuanvConfig()).modules() if isinstance(module, nn.Linear))
    right = (linear.in_features, linear.out_features) == (64, 10)
    return Judgement(
        verdict=Verdict.REPRODUCED if right else Verdict.NOT_REPRODUCED,
        ours=f"one linear layer, {linear.in_features} to {linear.out_features}",
    )


@evaluator(number=False)
def quanv_sizes(claim: Claim, context: Context) -> Judgement:
    """The recorded runs have the printed sizes."""
    experiment = experiments.get("hqnn-quanv")
    (sizes,) = {(c.n_train, c.n_test, c.epochs) for c in experiment.variants.values()}
    n_seeds = min(len(current_records(context, "hqnn-quanv", name)) for name in MODELS)
    return Judgement(
        verdict=Verdict.REPRODUCED if sizes == (500, 100, 20) else Verdict.NOT_REPRODUCED,
        ours=f"{sizes[0]} and {sizes[1]} images, {sizes[2]} epochs, {n_seeds} seeds",
        evidence="data/runs/hqnn-quanv",
        note="besides, each model is tested on all 10,000 test images",
    )


@evaluator(number=True)
def quanv_kernel(claim: Claim, context: Context, *, model: Model) -> Judgement:
    """The kernel has the printed number of weights; a note counts those of the linear layer behind it."""
    network = quanv.build(MODELS[model])
    kernel, scores = (network.get_submodule(name) for name in ("kernel", "scores"))
    return replace(
        judge_exact(sum(p.numel() for p in kernel.parameters()), int(claim.number)),
        note=f"the linear layer behind it has {sum(p.numel() for p in scores.parameters())}",
    )


@evaluator(number=True)
def quanv_accuracy(claim: Claim, context: Context, *, model: Model) -> Judgement:
    """The final test accuracy, where one run is the whole procedure: images drawn, several initialisations, mean."""
    _demand(context, *(f"hqnn-quanv-draws/{model}-draw-{k}" for k in range(N_DRAWS)))
    _demand(context, *quanv_series.series_by_rate(model).values())
    per_draw = quanv_series.by_draw(model, root=context.root).mean(axis=1)
    judgement = judge_printed(claim, mean_interval(per_draw), spread=None, runs=1)  # both are of initialisations
    best = quanv_series.best_rate(model, root=context.root)
    there = quanv_series.by_rate(model, "all_accuracy", root=context.root)[best].mean()
    tuned = f"at the rate that validation prefers ({best:g}) it is {there:.3f} on all 10,000 test images"
    return replace(
        judgement,
        evidence="data/runs/hqnn-quanv-draws",
        note="; ".join(filter(None, (judgement.note, f"{len(per_draw)} draws of images at {USUAL_RATE:g}", tuned))),
    )


def _demand(context: Context, *series: str) -> None:
    """Raise `Missing` unless each series has as many current records as a verdict needs."""
    for one in series:
        current_records(context, *one.split("/"))


def _tuned(context: Context, curve: str, *models: str) -> tuple[list[NDArray[np.float64]], str]:
    """A curve's last values at each model's own best rate, over the same seeds, and which rates these are."""
    for model in models:
        _demand(context, *quanv_series.series_by_rate(model).values())
    rates = {model: quanv_series.best_rate(model, root=context.root) for model in models}
    series = [quanv_series.series_by_rate(model)[rate] for model, rate in rates.items()]
    values = [history[:, -1] for history in runs.paired(curve, *series, root=context.root)]
    return values, " and ".join(f"{rate:g}" for rate in rates.values())


def _usual(context: Context, first: str, second: str) -> str:
    """The difference at the rate that all models share, in words."""
    series = [f"hqnn-quanv/{model}" for model in (first, second)]
    a, b = (history[:, -1] for history in runs.paired("all_accuracy", *series, root=context.root))
    gap = mean_interval(a - b)
    return f"with {USUAL_RATE:g} for both the difference is {gap.mean:+.3f} ± {gap.half_width:.3f}"


@evaluator(number=False)
def quanv_equal(claim: Claim, context: Context, *, first: Model, second: Model) -> Judgement:
    """The two models' accuracies on all test images do not differ, each at its best learning rate."""
    (a, b), rates = _tuned(context, "all_accuracy", first, second)
    judgement = judge_equality(mean_interval(a - b), claim.tolerance)
    note = f"learning rates {rates}, chosen on validation images; {_usual(context, first, second)}"
    return replace(judgement, evidence="data/runs/hqnn-quanv-rates", note=note)


@evaluator(number=False)
def quanv_better(claim: Claim, context: Context, *, first: Model, second: Model) -> Judgement:
    """The first model has the higher accuracy on all test images, each at its best learning rate."""
    (a, b), rates = _tuned(context, "all_accuracy", first, second)
    judgement = judge_sign(mean_interval(a - b))
    note = f"learning rates {rates}, chosen on validation images; {_usual(context, first, second)}"
    return replace(
        judgement, evidence="data/runs/hqnn-quanv-rates", note="; ".join(filter(None, (judgement.note, note)))
    )


@evaluator(number=False)
def quickest_gradient(claim: Claim, context: Context) -> Judgement:
    """In the paper's framework backpropagation is the quickest of the three for the patches of an image or more."""
    path = context.root / TIMES
    if not path.exists():
        raise Missing("the three ways to differentiate have not been timed")
    ratios: dict[int, dict[str, float]] = {}
    for workload in json.loads(path.read_bytes())["workloads"].values():
        times = workload["median_ms"]
        ratios[workload["batch"]] = {
            method: min(ms for name, ms in times.items() if name.startswith("PennyLane") and method in name)
            / times["PennyLane default.qubit, backpropagation"]
            for method in ("adjoint differentiation", "parameter shift")
        }
    single = ratios.pop(1)["adjoint differentiation"]
    text = [
        f"for {batch} patches adjoint differentiation takes {found['adjoint differentiation']:.2g} times as long, "
        f"parameter shift {found['parameter shift']:.2g} times"
        for batch, found in ratios.items()
    ]
    return Judgement(
        verdict=Verdict.REPRODUCED if min(min(r.values()) for r in ratios.values()) > 1 else Verdict.NOT_REPRODUCED,
        ours="; ".join(text),
        evidence=f"data/{TIMES}",
        note=(
            "PennyLane on one thread, all patches in one call, the faster of two simulators for each method; for a "
            f"single patch adjoint differentiation in C++ takes {single:.2g} times as long as backpropagation"
        ),
    )
