"""Records as they would look if training had given certain curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hqnn import experiments, provenance, records

EPOCHS = 50


def constant(accuracies: Sequence[float]) -> list[list[float]]:
    """One flat curve per seed."""
    return [[accuracy] * EPOCHS for accuracy in accuracies]


def step(epochs: Sequence[int], before: float = 0.5, after: float = 0.995) -> list[list[float]]:
    """One curve per seed that steps up at an epoch (epoch 1 first); never, if that lies after the last epoch."""
    return [[before if e < first else after for e in range(1, EPOCHS + 1)] for first in epochs]


def write_records(
    root: Path,
    experiment: str,
    curves: Mapping[str, ArrayLike],
    *,
    first_seed: int = 0,
    validation: ArrayLike | None = None,
) -> None:
    """Write a record per variant and seed.

    Args:
        root: The data folder.
        experiment: A registered experiment.
        curves: Variant -> test accuracies [seeds, epochs], fractions.
        first_seed: Seed of the first row.
        validation: Validation accuracies, the same for all variants; by default the test accuracies.
    """
    for variant, values in curves.items():
        for k, row in enumerate(np.asarray(values, dtype=float).tolist()):
            val = row if validation is None else np.asarray(validation, dtype=float)[k].tolist()
            history = {"test_accuracy": row, "val_accuracy": val}
            write_record(root, f"{experiment}/{variant}", first_seed + k, {"history": history})


def write_record(root: Path, series: str, seed: int, result: Mapping[str, Any]) -> None:
    """Write one record of a registered series as the code would make it now, without weights."""
    (experiment, variant), config = experiments.split(series), experiments.config(series)
    document = {
        "kind": "run",
        "experiment": experiment,
        "variant": variant,
        "seed": seed,
        "config": experiments.as_json(config),
        "config_hash": experiments.config_hash(config),
        "model": provenance.model(config),
        "result": result,
        "provenance": {},
    }
    records.write(records.path_of(series, seed, root), document)
