"""The recorded runs of the transfer paper as its pages show them: found by their choices, in words, paired by seed.

Accuracies are those on the test images after the last epoch. Functions that read records raise an HqnnError if a series
is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, records, stats
from hqnn.errors import HqnnError
from hqnn.papers.transfer.experiments import TransferConfig
from hqnn.papers.transfer.features import InputRange, Statistic

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd

INPUTS: Mapping[str, str] = {
    "first-5": "first 5 latents",
    "blocks": "13 blocks",
    "re-uploading": "re-uploading",
    "pca-5": "5 components",
}
"""How latents meet the circuit, by the name that experiments give it."""
KEPT: Mapping[Statistic, str] = {
    "string": "most frequent string",
    "marginals": "marginals",
    "probabilities": "probabilities",
}
"""What is kept of a measurement, likewise."""

CLASSICAL = "transfer-classical/latents"
"""The classical network on the latents of images as they are."""
CHANGES: Mapping[str, str] = {
    CLASSICAL: "images as they are",
    "transfer-causes/flips": "half of the training images mirrored",
    "transfer-causes/rotations": "training images rotated by up to 15°",
    "transfer-augmented/augmented": "training images mirrored, rotated, shifted",
    "transfer-augmented/augmented-test-too": "training and test images mirrored, rotated, shifted",
    "transfer-causes/untrained-encoder": "encoder never trained",
    "transfer-causes/sigmoid-layers": "sigmoid instead of ReLU",
    "transfer-causes/relu-scores": "ReLU on the class scores",
    "transfer-causes/double-softmax": "softmax twice",
    "transfer-causes/dropout-0.5": "dropout 0.5",
    "transfer-causes/dropout-0.8": "dropout 0.8",
    "transfer-causes/lr-1e-1": "learning rate 0.1",
    "transfer-causes/lr-1e-5": "learning rate 0.00001",
    "transfer-causes/sgd": "plain gradient descent, rate 0.01",
    "transfer-causes/unscaled": "latents not scaled",
}
"""Series of the classical network -> what is different in it."""


def words(config: TransferConfig) -> str:
    """What a classifier gets, in words, as `13 blocks, probabilities, 1,024 shots`."""
    if config.inputs == "latents":
        return "64 latents"
    if config.inputs == "encoded":
        return f"{INPUTS[config.reading]}, no circuit"
    shots = "exact" if config.shots is None else f"{config.shots:,} shots"
    return f"{INPUTS[config.reading]}, {KEPT[config.outcome]}, {shots}"


def device(name: str) -> str:
    """A device of the measurement `transfer-noise`, in words."""
    kind, _, strength = name.partition("/")
    return {
        "none": "perfect device",
        "manila": "simulation of ibm_manila, by its calibration",
        "depolarising": f"depolarising, two-qubit strength {strength}",
        "readout": f"each bit misread with probability {strength}",
    }[kind]


def series(**fields: Any) -> str:
    """The series, as `experiment/variant`, of the reading with these fields of `TransferConfig`; the rest is default.

    Fields that a config does not use are ignored: those of the measurement if nothing is measured.

    Raises:
        HqnnError: None was trained.
    """
    wanted = _used(TransferConfig(**fields))
    for name in ("transfer-readings", "transfer-shots"):  # their variants differ in the reading alone
        for variant, config in experiments.get(name).variants.items():
            if _used(config) == wanted:
                return f"{name}/{variant}"
    raise HqnnError(f"No variant of transfer-readings or transfer-shots was trained with {fields}.")


def _used(config: TransferConfig) -> tuple[Any, ...]:
    if config.inputs == "latents":
        return ("latents",)
    measured = (config.outcome, config.shots, config.entangle) if config.inputs == "measured" else ()
    return (config.inputs, config.reading, config.scale, *measured)


def on_fashion(encoder: str, kind: str) -> str:
    """The series of FashionMNIST behind an encoder, `mnist`, `fashion` or `untrained`; `latents`, `blocks`, `pca-5`."""
    return f"transfer-fashion{'-own' if encoder == 'fashion' else ''}/{encoder}-{kind}"


def accuracies(**fields: Any) -> NDArray[np.float64]:
    """The accuracies [seeds], per cent, of the reading with these fields (`series`)."""
    return 100 * np.asarray(records.final(series(**fields), "test_accuracy"), np.float64)


def by_shots(reading: str, outcome: Statistic) -> pd.DataFrame:
    """Accuracies of a reading, per cent: a row per seed, a column per number of shots; the last, infinite, is exact."""
    import pandas as pd

    fields = {"inputs": "measured", "reading": reading, "outcome": outcome}
    columns = {
        float(shots or np.inf): 100 * records.final(series(**fields, shots=shots), "test_accuracy")
        for shots in (100, 1024, 8192, None)
    }
    return pd.DataFrame(columns).dropna()


def by_choice() -> dict[str, dict[str, list[float]]]:
    """What each choice that the paper leaves open does: choice -> what stays -> mean accuracies, per cent, exact."""

    def mean(**fields: Any) -> float:
        return float(accuracies(inputs="measured", **fields).mean())

    scales = get_args(InputRange)
    return {
        "what goes in": {t: [mean(reading=r, outcome=o) for r in INPUTS] for o, t in KEPT.items()},
        "what is kept": {t: [mean(reading=r, outcome=o) for o in KEPT] for r, t in INPUTS.items()},
        "scaling, probabilities kept": {t: [mean(reading=r, scale=s) for s in scales] for r, t in INPUTS.items()},
    }


def distance(one: str, training: float, test: float) -> float:
    """How far the nearest run of a series is from a pair of printed accuracies (per cent), points."""
    ours = [100 * records.final(one, f"{split}_accuracy") for split in ("train", "test")]
    return float(np.hypot(ours[0] - training, ours[1] - test).min())


class Pair(NamedTuple):
    """Accuracies of two series over the seeds that both have, fractions."""

    one: stats.Interval
    other: stats.Interval
    lead: stats.Interval
    """Of the first over the second, paired by seed."""

    def cells(self) -> list[str]:
        """The three in a table, in per cent and points."""
        return [f"{self.one:.2p}", f"{self.other:.2p}", f"{self.lead:+z.2p}"]


def compare(one: str, other: str) -> Pair:
    """Two series, `experiment/variant`, and the lead of the first."""
    a, b = records.final(one, "test_accuracy").align(records.final(other, "test_accuracy"), join="inner")
    return Pair(stats.mean_interval(a), stats.mean_interval(b), stats.mean_interval(a - b))
