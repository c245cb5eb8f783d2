"""What was tried where the paper is silent, and what was best: learning rates, circuits, draws of images.

Accuracies here are those of the last epoch, fractions. Of HQNN-Quanv, `test_accuracy` is on the 100 images that the
paper tests on, `all_accuracy` on the 10,000 that they were drawn from. Every function raises an HqnnError if a series
is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, records
from hqnn.papers.hqnn.quanv_experiments import DEQUANTISED, MODELS, N_DRAWS, RATES, USUAL_RATE
from hqnn.storage import DATA

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd

Finals = NDArray[np.float64]
"""The last value of a curve of every seed."""


def series_by_rate(name: str) -> dict[float, str]:
    """Where the runs of a model or an ablation are, by learning rate, as `experiment/variant`."""
    others = "hqnn-quanv-dequantised" if name in DEQUANTISED else "hqnn-quanv-rates"
    return {
        rate: f"hqnn-quanv/{name}" if name in MODELS and rate == USUAL_RATE else f"{others}/{name}-lr-{rate:g}"
        for rate in RATES
    }


def final(series: str, curve: str, *, root: Path = DATA) -> Finals:
    """The last value of a curve of every seed."""
    return np.asarray(records.final(series, curve, root), np.float64)


def by_rate(name: str, curve: str, *, root: Path = DATA) -> dict[float, Finals]:
    """The last value of a curve, for each learning rate."""
    return {rate: final(series, curve, root=root) for rate, series in series_by_rate(name).items()}


def best_rate(name: str, *, root: Path = DATA) -> float:
    """The learning rate with the highest mean accuracy on the validation images, which serve nothing else."""
    means = {rate: values.mean() for rate, values in by_rate(name, "val_accuracy", root=root).items()}
    return max(means, key=means.__getitem__)


def by_draw(model: str, *, root: Path = DATA) -> NDArray[np.float64]:
    """The test accuracies on other draws of training and test images, [draws, seeds]."""
    return np.array([final(f"hqnn-quanv-draws/{model}-draw-{k}", "test_accuracy", root=root) for k in range(N_DRAWS)])


def series_by_circuit() -> dict[str, dict[float, str]]:
    """Every circuit that fits the text: in words -> learning rate -> its runs, as `experiment/variant`; ours first."""
    readings = [name for name in experiments.get("hqnn-quanv-readings").variants if "-first-" in name]
    ours = series_by_rate("quanv")
    tried: dict[str, dict[float, str]] = {}
    for series in (ours[1e-2], ours[3e-2], *(f"hqnn-quanv-readings/{name}" for name in readings)):
        config: Any = experiments.config(series)
        order = "rotations, CNOTs" if config.rotations_first else "CNOTs, rotations"
        tried.setdefault(f"R{config.axis.upper()}, {config.cnots}, {order}", {})[config.learning_rate] = series
    return tried


def by_circuit() -> dict[str, dict[float, Finals]]:
    """The same with the accuracies on all test images in place of the runs."""
    return {
        words: {rate: final(series, "all_accuracy") for rate, series in runs.items()}
        for words, runs in series_by_circuit().items()
    }


def best_circuit() -> tuple[str, float, Finals]:
    """Of all circuits and rates the one that is best on all test images: words, rate, accuracies [seeds]."""
    every = [(words, rate, values) for words, rates in by_circuit().items() for rate, values in rates.items()]
    return max(every, key=lambda one: one[2].mean())


CHOICES: Mapping[str, str] = {
    "plain-resize": "resized without averaging",
    "batch-8": "batches of 8",
    "batch-128": "batches of 128",
    "sgd-0.1": "plain gradient descent, 0.1",
    "sgd-1": "plain gradient descent, 1",
    "relu": "ReLU behind the kernel",
    "bias": "kernel with bias",
}
"""What else the paper leaves open: the end of a variant's name -> in words."""


def by_choice() -> dict[str, dict[str, Finals]]:
    """One other choice at a time: in words -> model, if it has that choice -> accuracies on all test images."""
    known = experiments.get("hqnn-quanv-readings").variants
    return {
        words: {
            name: final(f"hqnn-quanv-readings/{name}-{choice}", "all_accuracy")
            for name in MODELS
            if f"{name}-{choice}" in known
        }
        for choice, words in CHOICES.items()
    }


def search(curve: str = "val_loss") -> pd.DataFrame:
    """The search for what the paper does not give, judged on held-out images of MNIST: last values of a curve.

    One row per setting (schedule, batch size, learning rate), one column per model. The best setting for all is
    `search().mean(axis=1).idxmin()`, that of each model `search().idxmin()`.
    """
    found = records.frame(*(f"hqnn-search/{variant}" for variant in experiments.get("hqnn-search").variants))
    found["model"] = [series.partition("/")[2].partition("-")[0] for series in found.index.get_level_values("series")]
    setting = ["schedule", "batch_size", "learning_rate"]
    return found.pivot_table(index=setting, columns="model", values=curve, sort=False)


def at_own_rates() -> dict[str, pd.Series[float]]:
    """Final test accuracies on MNIST by seed, each model at the learning rate that suits it.

    The hybrid and the CNN have the rate that the search prefers for them; the classical blocks were not searched, and
    have the better of the two that were run.
    """
    run = {
        experiments.config(f"{one}/hqnn").learning_rate: {
            name: records.final(f"{one}/{name}", "test_accuracy") for name in ("hqnn", "cnn", "blocks")
        }
        for one in ("hqnn-mnist", "hqnn-mnist-rates")
    }
    preferred: dict[Any, Any] = search().idxmin().to_dict()
    own = {name: run[rate][name] for name, (_, _, rate) in preferred.items()}
    return own | {"blocks": max((at["blocks"] for at in run.values()), key=lambda values: values.mean())}


def when_fitted(series: str, training_loss: float) -> pd.DataFrame:
    """How good the networks of a series are when their training loss first is below the paper's.

    One row per seed that comes below it: `epoch`, and the `test_loss` and `test_accuracy` there.
    """
    import pandas as pd

    below = records.curves(series, "train_loss") < training_loss
    there = below[below.any(axis=1)].idxmax(axis=1)  # the first
    cells = pd.MultiIndex.from_arrays([there.index, there])
    tested = {curve: records.curves(series, curve).stack().reindex(cells) for curve in ("test_loss", "test_accuracy")}
    return pd.DataFrame({"epoch": there.to_numpy(), **tested}).droplevel(1)


class LeftOpen(NamedTuple):
    """Something that the paper leaves open, and how far the choice moves the result."""

    words: str
    n_tried: int
    hybrid: list[float]
    """Accuracies of the hybrid, fractions, one or more for each choice."""
    cnn: list[float]
    """Those of its rival; none where the choice is the hybrid's alone."""


def left_open() -> list[LeftOpen]:
    """What was tried of HQNN-Parallel (means over seeds; the search: single runs) and of HQNN-Quanv, on all images."""
    found, circuits = search("val_accuracy"), by_circuit()
    rows = [LeftOpen("schedule, batch, rate: MNIST, 10,000 images", len(found), [*found["hqnn"]], [*found["cnn"]])]
    for words, *experiment in (
        ("rate 0.003 or 0.01: MNIST", "hqnn-mnist", "hqnn-mnist-rates"),
        ("images flipped and shifted, or not: CIFAR-10", "hqnn-cifar10", "hqnn-cifar10-augmented"),
    ):
        hybrid, cnn = (
            [float(final(f"{one}/{name}", "test_accuracy").mean()) for one in experiment] for name in ("hqnn", "cnn")
        )
        rows.append(LeftOpen(words, len(experiment), hybrid, cnn))
    means = [float(values.mean()) for rates in circuits.values() for values in rates.values()]
    rates = [[float(v.mean()) for v in by_rate(name, "all_accuracy").values()] for name in ("quanv", "cnn4")]
    draws = [by_draw(name).mean(axis=1).tolist() for name in ("quanv", "cnn4")]
    return [
        *rows,
        LeftOpen("which rotations, which CNOTs, in which order: HQNN-Quanv", len(circuits), means, []),
        LeftOpen("rate: HQNN-Quanv and CNN4", len(RATES), *rates),
        LeftOpen("draw of 600 images: HQNN-Quanv and CNN4", N_DRAWS, *draws),
    ]
