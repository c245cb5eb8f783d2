"""How far the score of an lcqhnn network can go, whatever the image.

The score is the difference of the two class scores; its sign is the predicted class. A circuit's expectation values are
bounded, so with a given readout the score is too, and if its whole range lies on one side of zero, the network puts
every image into one class.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hqnn import experiments, records
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.lcqhnn.model import N_QUBITS, Cnn, Lcqhnn, Scaled, build
from hqnn.stats import epochs_to_reach
from hqnn.storage import DATA
from hqnn.training import seed_epoch
from hqnn.views.layer import QuantumLayer

N_STARTS = 64
N_SWEEPS = 30


class Range(NamedTuple):
    """Between which values a score lies."""

    low: float
    high: float

    @property
    def margin(self) -> float:
        """How far the range extends beyond zero on its shorter side; negative if only one class can be predicted."""
        return min(self.high, -self.low)


def untrained(config: LcqhnnConfig, seed: int) -> nn.Module:
    """The network that a run starts from."""
    seed_epoch(seed, 0)
    return build(config)


def margins(config: LcqhnnConfig, seeds: Iterable[int]) -> NDArray[np.float64]:
    """The margin of every run's untrained network [seeds] (see `score_range`)."""
    return np.array([score_range(untrained(config, seed)).margin for seed in seeds])


def starts(series: str, *, above: float = 0.6, root: Path = DATA) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The margin of every recorded run's untrained network, and when the run begins to tell the classes apart.

    Args:
        series: `experiment/variant`.
        above: The test accuracy of a run that has begun, a fraction.
        root: The data folder.

    Returns:
        Margins [seeds], and first epochs [seeds], one more than there are for a run that never begins.

    Raises:
        HqnnError: There are no such records.
    """
    experiment, _, variant = series.partition("/")
    curves = records.curves(series, "test_accuracy", root)
    margin = margins(experiments.get(experiment).variants[variant], curves.index)
    return margin, epochs_to_reach(curves.to_numpy(), above).counted


def has_one_sign(model: Cnn) -> bool:
    """Whether the score of a rival with outputs h of 0 or more before its last layer has one sign for every image.

    The score is v · h, without an offset, where v is the difference of the last matrix's two rows: that is so if all v
    have the same sign.
    """
    v = model.scores.weight[1] - model.scores.weight[0]
    return bool((v > 0).all() or (v < 0).all())


def score_range(model: nn.Module) -> Range:
    """The range of a network's score over all features, with its present angles and readout.

    Every expectation value is a + b cos 2x_k + c sin 2x_k in each feature alone, so with the others fixed the best x_k
    follows from three values. Repeating this feature by feature climbs to a maximum; of 64 random starts the best
    counts.

    Args:
        model: A hybrid network whose readout is `linear` or `pair`, with a circuit or one of the ablations.

    Returns:
        The smallest and the largest score of the second class minus that of the first; infinite without a circuit.

    Raises:
        ValueError: It is not a hybrid network, or its score is not linear in what is measured.
    """
    if not isinstance(model, Lcqhnn):
        raise ValueError(f"expected a hybrid network, not {type(model).__name__}")
    if model.readout not in ("linear", "pair"):
        raise ValueError(f"the readout is {model.readout!r}, but only 'linear' and 'pair' are linear in the outputs")
    with torch.no_grad():
        if isinstance(model.quantum, QuantumLayer):
            return Range(-_highest(model, -1.0), _highest(model, 1.0))
        outputs = torch.eye(N_QUBITS)
        bias = _score(model, torch.zeros(1, N_QUBITS))
        reach = float((_score(model, outputs) - bias).abs().sum()) if isinstance(model.quantum, Scaled) else np.inf
        return Range(float(bias) - reach, float(bias) + reach)


def _score(model: Lcqhnn, outputs: Tensor) -> Tensor:
    scores = model.classify(outputs)
    return scores[:, 1] - scores[:, 0]


def _highest(model: Lcqhnn, sign: float) -> float:
    x = torch.rand(N_STARTS, N_QUBITS, generator=torch.Generator().manual_seed(0)) * torch.pi
    for step in range(N_SWEEPS * N_QUBITS):
        k = step % N_QUBITS
        x[:, k] = 0
        at_0, at_45, at_90 = (
            sign * _score(model, model.quantum(x + angle * torch.eye(N_QUBITS)[k]))
            for angle in (0, torch.pi / 4, torch.pi / 2)
        )
        middle = (at_0 + at_90) / 2
        x[:, k] = torch.atan2(at_45 - middle, at_0 - middle) / 2
    return float((sign * _score(model, model.quantum(x))).max())
