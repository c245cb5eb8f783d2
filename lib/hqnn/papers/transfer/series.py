"""Which recorded runs belong to a reading of the transfer paper's circuit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, runs
from hqnn.errors import HqnnError
from hqnn.papers.transfer.experiments import TransferConfig

COMPARED = ("transfer-readings", "transfer-shots")
"""The experiments whose variants differ from each other in the reading alone."""


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


def accuracies(**fields: Any) -> NDArray[np.float64]:
    """The final test accuracies [seeds], per cent, of the reading with these fields.

    Raises:
        HqnnError: None was trained, or its records are missing.
    """
    experiment, variant = series(**fields).split("/")
    return 100 * runs.history(experiment, variant, "test_accuracy")[:, -1]


def _used(config: TransferConfig) -> dict[str, Any]:
    names = ["inputs"]
    if config.inputs != "latents":
        names += ["reading", "scale"]
    if config.inputs == "measured":
        names += ["outcome", "shots", "entangle"]
    return {name: getattr(config, name) for name in names}
