"""Records as they would look if training had given certain curves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from hqnn import experiments, runs, storage

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
        config = experiments.get(experiment).variants[variant]
        for k, row in enumerate(np.asarray(values, dtype=float).tolist()):
            val = row if validation is None else np.asarray(validation, dtype=float)[k].tolist()
            record = {
                "schema": runs.SCHEMA,
                "experiment": experiment,
                "variant": variant,
                "scale": "paper",
                "seed": first_seed + k,
                "config": experiments.as_json(config),
                "config_hash": experiments.config_hash(config),
                "result": {"history": {"test_accuracy": row, "val_accuracy": val}},
                "provenance": {},
                "weights": None,
            }
            path = root / "runs" / experiment / variant / f"seed-{first_seed + k}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({**record, "checksum": storage.digest(record)}))
