"""What hqnn claims about its quanvolution, as quantities of ours."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import nn
from torchvision.transforms import v2

from hqnn import datasets, experiments
from hqnn.claims.quantity import EXACT, Context, Missing, Quantity, by_seed, curves, recorded
from hqnn.papers.hqnn import quanv, tuning
from hqnn.papers.hqnn.circuits import quanvolution
from hqnn.papers.hqnn.quanv_experiments import MODELS, N_DRAWS, USUAL_RATE, QuanvConfig
from hqnn.records import read_record
from hqnn.stats import mean_interval
from hqnn.views.pauli_rotations import lower

Model = Literal["quanv", "cnn4", "cnn1", "series", "cosines"]

TIMES = "benchmarks/gradients.json"


def resized() -> Quantity:
    """The side of the images as they are resized, if that is how torchvision's `Resize` does it."""
    images = torch.randint(0, 256, (8, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ours = datasets.to_float(images, QuanvConfig().size)
    error = float((ours - v2.Resize(QuanvConfig().size)(images.float() / 255)).abs().max())
    return Quantity(
        value=ours.shape[-1] if error < 1e-5 else f"differs from torchvision by {error:.1g}",
        note="whether the transform averaged over all covered pixels, as it does today, is not said",
    )


def circuit() -> Quantity:
    """Whether the circuit has the printed embedding, rotations and CNOTs."""
    pc = quanvolution()
    gates = dict(pc.circuit.count_ops())
    by_pixel = lower(pc).input_slopes
    sound = (
        (pc.n_qubits, pc.n_weights, gates.get("cx")) == (4, 4, 3)
        and gates.get("ry") == 8
        and bool(np.abs(by_pixel[by_pixel != 0] - np.pi).max() < EXACT)
    )
    return Quantity(
        value=sound,
        text=f"{pc.n_qubits} qubits, RY(π · pixel), {pc.n_weights} trained rotations, {gates.get('cx')} CNOTs",
        note="the axis of the rotations, the pairs of the CNOTs and their order are not said; ours is one reading",
    )


def maps() -> Quantity:
    """The number of pixels of each channel; a note says what the stride leaves out."""
    config = QuanvConfig()
    channels = quanv.Quanv(config).maps(torch.zeros(1, 1, config.size, config.size))
    seen, total = 4 * config.side**2, config.size**2
    return Quantity(
        value=channels[0, 0].numel(),
        note=f"only a stride of {config.stride} does this, and the kernel then sees {seen} of the {total} pixels",
    )


def readout() -> Quantity:
    """Whether one linear layer follows the channels."""
    (linear,) = (module for module in quanv.Quanv(QuanvConfig()).modules() if isinstance(module, nn.Linear))
    return Quantity(
        value=(linear.in_features, linear.out_features) == (64, 10),
        text=f"one linear layer, {linear.in_features} to {linear.out_features}",
    )


def sizes(context: Context) -> Quantity:
    """Whether the recorded runs have the printed sizes."""
    configs = experiments.get("hqnn-quanv").variants.values()
    ((n_train, n_test, epochs),) = {(config.n_train, config.n_test, config.epochs) for config in configs}
    n_seeds = min(len(recorded(f"hqnn-quanv/{name}", context.root)) for name in MODELS)
    return Quantity(
        value=(n_train, n_test, epochs) == (500, 100, 20),
        text=f"{n_train} and {n_test} images, {epochs} epochs, {n_seeds} seeds",
        evidence="data/runs/hqnn-quanv",
        note="besides, each model is tested on all 10,000 test images",
    )


def kernel_size(model: Model) -> Quantity:
    """The kernel's number of weights; a note counts those of the linear layer behind it."""
    network = quanv.build(MODELS[model])
    kernel, scores = (network.get_submodule(name) for name in ("kernel", "scores"))
    return Quantity(
        value=sum(p.numel() for p in kernel.parameters()),
        note=f"the linear layer behind it has {sum(p.numel() for p in scores.parameters())}",
    )


def accuracy_over_draws(context: Context, model: Model) -> Quantity:
    """The final test accuracy, where one run is the whole procedure: images drawn, several initialisations, mean."""
    draws = tuple(f"hqnn-quanv-draws/{model}-draw-{k}" for k in range(N_DRAWS))
    for series in (*draws, *tuning.series_by_rate(model).values()):
        recorded(series, context.root)
    per_draw = tuning.by_draw(model, root=context.root).mean(axis=1)
    best = tuning.best_rate(model, root=context.root)
    there = tuning.by_rate(model, "all_accuracy", root=context.root)[best].mean()
    tuned = f"at the rate that validation prefers ({best:g}) it is {there:.3f} on all 10,000 test images"
    return Quantity(
        value=mean_interval(per_draw),
        series=draws,
        evidence="data/runs/hqnn-quanv-draws",
        note=f"{len(per_draw)} draws of images at {USUAL_RATE:g}; {tuned}",
    )


def spread_over_starts(context: Context, model: Model, n_starts: int) -> Quantity:
    """The standard deviation of the final test accuracy over initialisations, on one draw of images.

    The mean over draws, each without bias (c4); and how much that of `n_starts` initialisations scatters.
    """
    for series in (draws := tuple(f"hqnn-quanv-draws/{model}-draw-{k}" for k in range(N_DRAWS))):
        recorded(series, context.root)
    found = tuning.by_draw(model, root=context.root)
    n = found.shape[1]
    c4 = math.sqrt(2 / (n - 1)) * math.gamma(n / 2) / math.gamma((n - 1) / 2)
    value = mean_interval(found.std(axis=1, ddof=1) / c4)
    return Quantity(
        value=value,
        variance=value.mean**2 / (2 * (n_starts - 1)),
        series=draws,
        evidence="data/runs/hqnn-quanv-draws",
        note=f"of {n} initialisations on each of {N_DRAWS} draws of images, at {USUAL_RATE:g}",
    )


def size_ratio(of: Model, over: Model) -> Quantity:
    """How many times the parameters of one whole network another has."""
    larger, smaller = (sum(p.numel() for p in quanv.build(MODELS[model]).parameters()) for model in (of, over))
    return Quantity(value=larger / smaller, note=f"{larger} against {smaller}; of the kernel alone it is so")


def tuned_lead(context: Context, of: Model, over: Model) -> Quantity:
    """One kernel's lead over another on all test images, each at the learning rate best on its validation images.

    The note has the lead at the rate that all models share. In fractions, as printed.
    """
    for model in (of, over):
        for series in tuning.series_by_rate(model).values():
            recorded(series, context.root)
    rates = [tuning.best_rate(model, root=context.root) for model in (of, over)]
    first, second = (tuning.series_by_rate(m)[rate] for m, rate in zip((of, over), rates, strict=True))
    lead = _lead(first, second, context)
    first_usual, second_usual = (tuning.series_by_rate(model)[USUAL_RATE] for model in (of, over))
    usual = mean_interval(_lead(first_usual, second_usual, context))
    return Quantity(
        value=mean_interval(lead),
        samples=by_seed(lead),
        series=(first, second),
        evidence=", ".join(dict.fromkeys(f"data/runs/{series.partition('/')[0]}" for series in (first, second))),
        note=f"learning rates {rates[0]:g} and {rates[1]:g}, chosen on validation images; with {USUAL_RATE:g} for both "
        f"the difference is {usual.mean:+.3f} ± {usual.half_width:.3f}",
    )


def _lead(first: str, second: str, context: Context) -> pd.Series[float]:
    a, b = curves(first, second, "all_accuracy", context.root)
    return (a - b).iloc[:, -1] / 100


def quickest_gradient(context: Context) -> Quantity:
    """Whether backpropagation in the paper's framework is the quickest of the three for an image or more."""
    path = context.root / TIMES
    if not path.exists():
        raise Missing("the three ways to differentiate have not been timed")
    ratios: dict[int, dict[str, float]] = {}
    for workload in read_record(path).result["workloads"].values():
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
    return Quantity(
        value=min(min(found.values()) for found in ratios.values()) > 1,
        text="; ".join(text),
        evidence=f"data/{TIMES}",
        note=(
            "PennyLane on one thread, all patches in one call, the faster of two simulators for each method; for a "
            f"single patch adjoint differentiation in C++ takes {single:.2g} times as long as backpropagation"
        ),
    )
