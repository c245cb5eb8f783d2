"""HQNN-Parallel beside its rivals and beside itself with other circuits: as recorded, as printed, as timed on a thread.

Every function raises an HqnnError if a series or a benchmark is not recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hqnn import claims, experiments, records
from hqnn.stats import Interval, mean_interval

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd

CURVES: Mapping[str, str] = {"train_loss": "train-loss", "test_loss": "test-loss", "test_accuracy": "accuracy"}
"""What the paper draws and prints for each of its three datasets -> the word for it in the ids of claims."""

CHANGES: Mapping[str, str] = {
    "frozen": "circuits frozen at random",
    "no-entanglement": "circuits without CNOTs",
    "blocks": "classical blocks of as many parameters",
    "dense": "dense layer of 20 to 20 features",
    "identity": "nothing",
    **{f"depth-{n}": f"circuits of depth {n}" for n in (1, 2, 6)},
    "circuits-1": "one circuit",
    "circuits-2": "two circuits",
    "circuits-8": "eight circuits",
}
"""Variants of `hqnn-parts` -> what is in the place of the hybrid's four circuits of depth 3."""
REPLACED = tuple(CHANGES)[:5]
"""The variants in which as many features pass as in the hybrid, through something else than trained circuits."""


def curves(experiment: str) -> dict[str, dict[str, pd.DataFrame]]:
    """Every run of every network of an experiment: curve -> model -> losses or fractions [seeds, epochs]."""
    models = experiments.get(experiment).variants
    return {curve: {model: records.curves(f"{experiment}/{model}", curve) for model in models} for curve in CURVES}


def ends(experiment: str) -> dict[str, dict[str, Interval]]:
    """How training ended: model -> curve -> mean loss or fraction over the runs."""
    found = curves(experiment)
    return {
        model: {curve: mean_interval(by_model[model].iloc[:, -1]) for curve, by_model in found.items()}
        for model in experiments.get(experiment).variants
    }


def printed(group: str) -> dict[str, dict[str, float]]:
    """What the paper prints for the end of training: curve -> model -> loss, or accuracy in per cent.

    The claims' group is H3 for MNIST, H4 for Medical MNIST, H5 for CIFAR-10.
    """
    ledger = claims.load()
    return {
        curve: {model: ledger.find(f"{group}-{word}-{model}").printed.number for model in ("hqnn", "cnn")}
        for curve, word in CURVES.items()
    }


def lead(of: str, over: str) -> pd.Series[float]:
    """By how much one series ends with a higher test accuracy than another, fractions, by the seeds that both have."""
    return (records.final(of, "test_accuracy") - records.final(over, "test_accuracy")).dropna()


def changes() -> dict[str, pd.Series[float]]:
    """By how much each of `CHANGES` raises the hybrid's test accuracy on 10,000 images of MNIST: fractions, by seed."""
    return {variant: lead(f"hqnn-parts/{variant}", "hqnn-parts/hqnn") for variant in CHANGES}


def misclassified(series: str) -> list[set[int]]:
    """The positions of the test images that each run of a series gets wrong, by seed."""
    return [set(record.errors) for record in records.load(series)]


def accuracy_on(images: Collection[int], wrong: Sequence[set[int]]) -> NDArray[np.float64]:
    """The share of some test images that each run gets right, from all that it gets wrong: fractions [runs]."""
    return np.array([1 - len(one.intersection(images)) / len(images) for one in wrong])


def steps() -> dict[str, dict[str, float]]:
    """Medians of a training step with a batch of 64, milliseconds: what was compared -> which of them -> time.

    What was compared are the networks for a dataset (`hqnn-mnist`), those in `a tenth of an epoch`, the hybrid's
    `settings`, its `parts`, and two ways (`shift`) to the gradient of its angles.
    """
    medians: dict[str, dict[str, float]] = records.measured("training_step", kind="benchmark").result["median_ms"]
    return medians


def shares() -> dict[str, float]:
    """The parts of the hybrid's step by their kind, as fractions of the whole."""
    parts = steps()["parts"]
    kinds: defaultdict[str, float] = defaultdict(float)
    for part, ms in parts.items():
        kinds[part.rstrip(" 0123456789")] += ms / sum(parts.values())
    return dict(kinds)


def gradients() -> pd.DataFrame:
    """Medians of values and gradient of the quanvolution, milliseconds: a row per method, a column per workload."""
    import pandas as pd

    workloads = records.measured("gradients", kind="benchmark").result["workloads"]
    table = pd.DataFrame({f"{name} ({one['batch']})": one["median_ms"] for name, one in workloads.items()})
    return table.rename(index=lambda method: method.replace("hqnn layer", "the quantum layer"))
