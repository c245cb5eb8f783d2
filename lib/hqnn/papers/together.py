"""The comparisons of a hybrid with a classical rival that the three papers make, as printed and as recorded."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, records, stats
from hqnn.claims import ledger
from hqnn.claims.quantity import Printed, Quantity
from hqnn.claims.rules import Sign
from hqnn.claims.verdict import Verdict
from hqnn.papers.hqnn import tuning

_SERIES = {
    "LCQHNN, MNIST 0/1": (
        "lcqhnn-mnist/lcqhnn",
        "lcqhnn-mnist/cnn-4",
        "L6-mnist-lcqhnn-50",
        "L6-mnist-cnn4-50",
        "L6-mnist-tie-cnn4",
    ),
    "LCQHNN, FashionMNIST": (
        "lcqhnn-fashion/lcqhnn",
        "lcqhnn-fashion/cnn-4",
        "L6-fashion-lcqhnn-50",
        "L6-fashion-cnn4-50",
        "L9-cnn4-gap",
    ),
    "HQNN-Parallel, MNIST": ("hqnn-mnist/hqnn", "hqnn-mnist/cnn", "H3-accuracy-hqnn", "H3-accuracy-cnn", "H3-gap"),
    "HQNN-Parallel, Medical MNIST": (
        "hqnn-medical/hqnn",
        "hqnn-medical/cnn",
        "H4-accuracy-hqnn",
        "H4-accuracy-cnn",
        "H4-gap",
    ),
    "HQNN-Parallel, CIFAR-10": (
        "hqnn-cifar10/hqnn",
        "hqnn-cifar10/cnn",
        "H5-accuracy-hqnn",
        "H5-accuracy-cnn",
        "H5-gap",
    ),
    "HQNN-Quanv, over CNN4": ("quanv", "cnn4", "Q2-accuracy-quanv", "Q2-accuracy-cnn4", "Q2-equal-cnn4"),
    "HQNN-Quanv, over CNN1": ("quanv", "cnn1", "Q2-accuracy-quanv", "Q2-accuracy-cnn1", "Q2-better-cnn1"),
    "transfer, version 1, best reading": (
        "transfer-hybrid/blocks-probabilities-1024",
        "transfer-classical/latents",
        "S5-validation-accuracy",
        "S3-validation-accuracy",
        "S5-validation-accuracy",
    ),
    "transfer, version 2": (
        "transfer-hybrid/pca-5-probabilities-exact",
        "transfer-classical/latents",
        "S8-hybrid",
        "S8-classical",
        "S8-hybrid",
    ),
}
"""Comparison -> series of the hybrid and the rival, claims with their accuracies, the claim about the lead, or the
hybrid's where none is; without experiment: a kernel."""

_TAKEN_OUT = {
    "LCQHNN, FashionMNIST: no circuit": ("lcqhnn-fashion/lcqhnn", "lcqhnn-ablations-fashion/none"),
    "HQNN-Parallel, MNIST: classical blocks": ("hqnn-mnist/hqnn", "hqnn-mnist/blocks"),
    "HQNN-Parallel, MNIST, 10,000 images: nothing": ("hqnn-parts/hqnn", "hqnn-parts/identity"),
    "HQNN-Quanv: bare pixels": ("quanv", "pixels"),
    "transfer, all latents: the latents": (
        "transfer-readings/blocks-positive-probabilities-exact",
        "transfer-readings/latents",
    ),
    "transfer, 5 components: the components": (
        "transfer-readings/pca-5-probabilities-exact",
        "transfer-readings/pca-5-inputs",
    ),
}
"""What stands in the circuit's place -> series of the hybrid, and of what is left of it."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Final test accuracies [seeds] of a hybrid and its rival of the same seeds, per cent."""

    hybrid: NDArray[np.float64]
    rival: NDArray[np.float64]
    printed: tuple[float, float]
    """Of the hybrid and of the rival."""
    claim: str = ""
    """The row of the ledger about the lead, or about the hybrid's accuracy where there is none."""

    @property
    def lead(self) -> NDArray[np.float64]:
        """The hybrid's, points [seeds]."""
        return self.hybrid - self.rival

    @property
    def is_ahead(self) -> bool:
        """Whether the rule of signs (`hqnn.claims.rules`) calls the hybrid better: the interval, and the exact test."""
        found = Sign().judge(
            Quantity(value=stats.mean_interval(self.lead), samples=dict(enumerate(self.lead))), Printed()
        )
        return found.verdict == Verdict.REPRODUCED

    @property
    def printed_lead(self) -> float:
        """The same as printed."""
        return self.printed[0] - self.printed[1]

    @property
    def has_weak_rival(self) -> bool:
        """Whether ours is the printed hybrid, within half a point, and our rival is better than printed by more."""
        hybrid, rival = self.hybrid.mean() - self.printed[0], self.rival.mean() - self.printed[1]
        return bool(rival > 0.5 > abs(hybrid))


class TakenOut(NamedTuple):
    """Final test accuracies [seeds] of a hybrid and of what is left of it without its circuit, per cent."""

    hybrid: NDArray[np.float64]
    without: NDArray[np.float64]

    @property
    def gain(self) -> stats.PairedDifference:
        """What the circuit gains, points."""
        return stats.paired_difference(self.hybrid, self.without)


def load() -> dict[str, Comparison]:
    """Every comparison by its name, in the order of the papers.

    Quanvolutions are each taken at its own best learning rate and tested on all images. A ledger of other papers alone,
    without any of the rows, has no comparisons.
    """
    book = ledger.read()
    if not {row for _, _, *rows in _SERIES.values() for row in rows} & {claim.id for claim in book.claims}:
        return {}
    found = {}
    for name, (hybrid, rival, *rows, claim) in _SERIES.items():
        printed = [book.find(row).printed for row in rows]
        first, second = (one.number if one.unit == "%" else 100 * one.number for one in printed)
        ours = finals(hybrid, rival)
        found[name] = Comparison(hybrid=ours[0], rival=ours[1], printed=(first, second), claim=claim)
    return found


def taken_out() -> dict[str, TakenOut]:
    """Hybrids with and without their circuit, by what stands in its place."""
    return {name: TakenOut(*finals(*series)) for name, series in _TAKEN_OUT.items()}


def leads(experiment: str, of: str) -> dict[str, NDArray[np.float64]]:
    """Variant -> by how much one variant of its experiment is better on test images, points [seeds].

    Raises:
        HqnnError: One is not recorded.
    """
    found = {}
    for variant in experiments.get(experiment).variants:
        if variant != of:
            first, second = finals(f"{experiment}/{of}", f"{experiment}/{variant}")
            found[variant] = first - second
    return found


def finals(*series: str) -> list[NDArray[np.float64]]:
    """The last test accuracies, per cent, of series over the seeds that they share; kernels at their best rates.

    Raises:
        HqnnError: A series is not recorded.
    """
    import pandas as pd

    curve = "test_accuracy"
    if "/" not in series[0]:
        curve = "all_accuracy"
        series = tuple(tuning.series_by_rate(kernel)[tuning.best_rate(kernel)] for kernel in series)
    shared = pd.concat([records.final(one, curve) for one in series], axis=1, join="inner")
    return [100 * shared.iloc[:, k].to_numpy(np.float64) for k in range(len(series))]
