"""HQNN-Parallel beside its rivals, and beside itself with other circuits: as recorded, and as printed.

Every function raises an HqnnError if a series is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from hqnn import claims, experiments, records
from hqnn.stats import Interval, mean_interval
from hqnn.storage import DATA

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd

CURVES: Mapping[str, str] = MappingProxyType(
    {"train_loss": "train-loss", "test_loss": "test-loss", "test_accuracy": "accuracy"}
)
"""What the paper draws and prints for each of its three datasets -> the word for it in the ids of claims."""

CHANGES: Mapping[str, str] = MappingProxyType(
    {
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
)
"""Variants of `hqnn-parts` -> what is in the place of the hybrid's four circuits of depth 3."""
REPLACED = ("frozen", "no-entanglement", "blocks", "dense", "identity")
"""The variants in which as many features pass as in the hybrid, through something else than trained circuits."""


def curves(experiment: str, *, root: Path = DATA) -> dict[str, dict[str, pd.DataFrame]]:
    """Every run of every network of an experiment: curve -> model -> losses or fractions [seeds, epochs]."""
    models = experiments.get(experiment).variants
    return {
        curve: {model: records.curves(f"{experiment}/{model}", curve, root) for model in models} for curve in CURVES
    }


def ends(experiment: str, *, root: Path = DATA) -> dict[str, dict[str, Interval]]:
    """How training ended: model -> curve -> mean loss or fraction over the runs."""
    found = curves(experiment, root=root)
    return {
        model: {curve: mean_interval(by_model[model].iloc[:, -1]) for curve, by_model in found.items()}
        for model in experiments.get(experiment).variants
    }


def printed(group: str) -> dict[str, dict[str, float]]:
    """What the paper prints for the end of training: curve -> model -> loss, or accuracy in per cent.

    Args:
        group: Of claims: H3 for MNIST, H4 for Medical MNIST, H5 for CIFAR-10.
    """
    ledger = claims.load()
    return {
        curve: {model: ledger.find(f"{group}-{word}-{model}").printed.number for model in ("hqnn", "cnn")}
        for curve, word in CURVES.items()
    }


def lead(of: str, over: str, curve: str = "test_accuracy", *, root: Path = DATA) -> pd.Series[float]:
    """By how much the last value of a curve is higher in one series than in another, by seed.

    Args:
        of: `experiment/variant`.
        over: Another, of which some seeds are the same; only those are compared.
        curve: Which one; accuracies are fractions.
        root: The data folder.
    """
    return (records.final(of, curve, root) - records.final(over, curve, root)).dropna()


def changes(*, root: Path = DATA) -> dict[str, pd.Series[float]]:
    """By how much each of `CHANGES` raises the hybrid's test accuracy on 10,000 images of MNIST: fractions, by seed."""
    return {variant: lead(f"hqnn-parts/{variant}", "hqnn-parts/hqnn", root=root) for variant in CHANGES}
