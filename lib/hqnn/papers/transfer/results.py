"""The recorded results of the transfer paper as its pages show them: in words, and paired by seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from hqnn import records, stats
from hqnn.papers.transfer.experiments import TransferConfig
from hqnn.storage import DATA

INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "first-5": "first 5 latents",
        "blocks": "13 blocks",
        "re-uploading": "re-uploading",
        "pca-5": "5 components",
    }
)
"""How latents meet the circuit, by the name that experiments give it."""

KEPT: Mapping[str, str] = MappingProxyType(
    {"string": "most frequent string", "marginals": "marginals", "probabilities": "probabilities"}
)
"""What is kept of a measurement, likewise."""

CLASSICAL = "transfer-classical/latents"
"""The classical network on the latents of images as they are."""

CHANGES: Mapping[str, str] = MappingProxyType(
    {
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
)
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


class Pair(NamedTuple):
    """Final test accuracies of two series over the seeds that both have, fractions."""

    one: stats.Interval
    other: stats.Interval
    lead: stats.Interval
    """Of the first over the second, paired by seed."""

    def cells(self) -> list[str]:
        """The three in a table, in per cent and points."""
        return [f"{self.one:.2p}", f"{self.other:.2p}", f"{self.lead:+z.2p}"]


def compare(one: str, other: str, root: Path = DATA) -> Pair:
    """Final test accuracies of two series, `experiment/variant`, and the lead of the first.

    Raises:
        HqnnError: A series is not recorded.
    """
    a, b = records.final(one, "test_accuracy", root).align(records.final(other, "test_accuracy", root), join="inner")
    return Pair(stats.mean_interval(a), stats.mean_interval(b), stats.paired_difference(a, b).difference)
