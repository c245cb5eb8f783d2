"""Table 1: its rows, what the paper prints in them, and the recorded runs beside it [lcqhnn, section 3.2]."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hqnn import claims, records, stats
from hqnn.claims.quantity import draw_variance
from hqnn.papers.lcqhnn.figures import MODELS as SHOWN
from hqnn.storage import DATA

if TYPE_CHECKING:
    import pandas as pd

DATASETS: Mapping[str, str] = MappingProxyType({"mnist": "MNIST", "fashion": "FashionMNIST"})
MODELS = ("lcqhnn", "cnn-4", "cnn-8", "cnn-16")
EPOCHS = (10, 25, 50)
"""At which the table prints test accuracies."""
ROWS: Mapping[tuple[str, str], str] = MappingProxyType(
    {(key, model): f"{title}, {SHOWN[model].label}" for key, title in DATASETS.items() for model in MODELS}
)
"""Dataset and model of each row, as experiments name them -> the row's words."""


def printed() -> dict[str, dict[str, dict[int, float]]]:
    """The paper's test accuracies in per cent, by dataset, model and epoch, from the ledger."""
    values = {claim.id: claim.printed for claim in claims.load().claims}
    return {
        key: {model: {e: values[f"L6-{key}-{model.replace('-', '')}-{e}"].number for e in EPOCHS} for model in MODELS}
        for key in DATASETS
    }


def accuracies(dataset: str, root: Path = DATA) -> dict[str, pd.DataFrame]:
    """The test accuracies of each model on a dataset, fractions, one row per seed and one column per epoch."""
    return {model: records.curves(f"lcqhnn-{dataset}/{model}", "test_accuracy", root) for model in MODELS}


def paired(*series: str, root: Path = DATA) -> list[pd.DataFrame]:
    """The test accuracies of some series, fractions, over the seeds that all of them have."""
    found = [records.curves(one, "test_accuracy", root) for one in series]
    shared = sorted(set.intersection(*(set(table.index) for table in found)))
    return [table.loc[shared] for table in found]


def lead(first: str, second: str, epoch: int, root: Path = DATA) -> stats.Comparison:
    """By how much the first series is ahead of the second in test accuracy, fractions, paired by seed.

    Args:
        first: `experiment/variant`.
        second: Another.
        epoch: After which epoch.
        root: The data folder.

    Raises:
        HqnnError: A series is not recorded.
    """
    a, b = paired(first, second, root=root)
    return stats.paired_difference(a[epoch], b[epoch])


def place(value: float, among: ArrayLike) -> str:
    """Where a value lies beside some runs, in words."""
    if value < np.min(among):
        return "below all"
    return "above all" if value > np.max(among) else "among them"


def differences(first: str, second: str, epoch: int, root: Path = DATA) -> pd.Series[float]:
    """By how much each run of the first series is ahead of its pair, points, by seed; see `lead`."""
    a, b = paired(first, second, root=root)
    return 100 * (a[epoch] - b[epoch])


def validation_lead(dataset: str, root: Path = DATA) -> float:
    """By how many points the four models are better on the validation than on the test images after training."""
    runs = records.frame(*(f"lcqhnn-{dataset}/{model}" for model in MODELS), root=root)
    return float(100 * (runs["val_accuracy"] - runs["test_accuracy"]).mean())


class Scatter(NamedTuple):
    """By how many points two runs of one model differ in nineteen of twenty cases."""

    seeds: float
    """With other initial weights, order of images and dropout masks."""
    images: float
    """With other test images, drawn from the same set."""


def scatter(dataset: str, model: str, root: Path = DATA) -> Scatter:
    """How much of a difference between two single runs means nothing.

    Args:
        dataset: A key of `DATASETS`.
        model: One of `MODELS`.
        root: The data folder.

    Raises:
        HqnnError: The series is not recorded.
    """
    final = records.final(f"lcqhnn-{dataset}/{model}", "test_accuracy", root)
    draw = claims.load().samples[f"lcqhnn-{dataset}"]["test_accuracy"]
    variance = draw_variance(final.mean(), draw.drawn, draw.of)
    return Scatter(196 * np.sqrt(2) * final.std(ddof=1), 196 * np.sqrt(variance))


def signed_span(values: ArrayLike) -> str:
    """From the lowest to the highest of some changes, signed; one change alone; nothing for none."""
    changes = np.sort(np.atleast_1d(values))
    return " to ".join(f"{end:+.2f}" for end in (changes if len(changes) < 2 else changes[[0, -1]]))
