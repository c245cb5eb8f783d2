"""Searches among the recorded runs of the transfer paper: by what was measured, and by what comes nearest to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, records
from hqnn.errors import HqnnError
from hqnn.papers.transfer.experiments import TransferConfig
from hqnn.papers.transfer.features import EMBEDDINGS, InputRange, Statistic
from hqnn.papers.transfer.results import INPUTS
from hqnn.storage import DATA

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd

COMPARED = ("transfer-readings", "transfer-shots")
"""The experiments whose variants differ from each other in the reading alone."""
SCALES, OUTCOMES = get_args(InputRange), get_args(Statistic)


def series(**fields: Any) -> str:
    """The series, as `experiment/variant`, of the reading with these fields of `TransferConfig`; the rest is default.

    Fields that a config does not use are ignored: those of the measurement if nothing is measured.

    Raises:
        HqnnError: None was trained.
    """
    wanted = _used(TransferConfig(**fields))
    for name in COMPARED:
        for variant, config in experiments.get(name).variants.items():
            if _used(config) == wanted:
                return f"{name}/{variant}"
    raise HqnnError(f"No variant of {' or '.join(COMPARED)} was trained with {fields}.")


def _used(config: TransferConfig) -> dict[str, Any]:
    names = ["inputs"]
    if config.inputs != "latents":
        names += ["reading", "scale"]
    if config.inputs == "measured":
        names += ["outcome", "shots", "entangle"]
    return {name: getattr(config, name) for name in names}


def accuracies(*, root: Path = DATA, **fields: Any) -> NDArray[np.float64]:
    """The final test accuracies [seeds], per cent, of the reading with these fields.

    Raises:
        HqnnError: None was trained, or its records are missing.
    """
    return 100 * np.asarray(records.final(series(**fields), "test_accuracy", root), np.float64)


def by_shots(reading: str, outcome: Statistic, *, root: Path = DATA) -> pd.DataFrame:
    """Final test accuracies of a reading, per cent, over the seeds that every number of shots has.

    Returns:
        One row per seed, one column per number of shots, ascending; the last, infinite, is exact.

    Raises:
        HqnnError: A series is not recorded.
    """
    import pandas as pd

    fields = {"inputs": "measured", "reading": reading, "outcome": outcome}
    columns = {
        float(shots or np.inf): 100 * records.final(series(**fields, shots=shots), "test_accuracy", root)
        for shots in (100, 1024, 8192, None)
    }
    return pd.DataFrame(columns).dropna()


def by_choice(*, root: Path = DATA) -> dict[str, list[float]]:
    """What each choice that the paper leaves open does: the choice in words -> mean test accuracies, per cent.

    All are measured exactly.

    Raises:
        HqnnError: A series is not recorded.
    """

    def mean(**fields: Any) -> float:
        return float(accuracies(inputs="measured", root=root, **fields).mean())

    fed = {f"what goes in ({o} kept)": [mean(reading=r, outcome=o) for r in EMBEDDINGS] for o in OUTCOMES}
    kept = {f"what is kept ({INPUTS[r]} in)": [mean(reading=r, outcome=o) for o in OUTCOMES] for r in EMBEDDINGS}
    scaled = {f"scaling ({INPUTS[r]}, probabilities)": [mean(reading=r, scale=s) for s in SCALES] for r in EMBEDDINGS}
    return fed | kept | scaled


def on_fashion(encoder: str, kind: str) -> str:
    """The series of a classifier of FashionMNIST behind a frozen encoder.

    Args:
        encoder: `mnist`, `fashion` or `untrained`.
        kind: `latents`, `blocks` or `pca-5`.
    """
    return f"transfer-fashion{'-own' if encoder == 'fashion' else ''}/{encoder}-{kind}"


def distance(one: str, training: float, test: float, *, root: Path = DATA) -> float:
    """How far the nearest run of a series is from a pair of printed accuracies, points.

    Args:
        one: The series, `experiment/variant`.
        training: On the training images, per cent.
        test: On the test images, per cent.
        root: The data folder.

    Raises:
        HqnnError: The series is not recorded.
    """
    ours = [100 * records.final(one, f"{split}_accuracy", root) for split in ("train", "test")]
    return float(np.hypot(ours[0] - training, ours[1] - test).min())
