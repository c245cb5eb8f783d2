"""How far the score of an lcqhnn network can go, whatever the image.

The score is the difference of the two class scores; its sign is the predicted class. A circuit's expectation values are
bounded, so with a given readout the score is too, and if its whole range lies on one side of zero, the network puts
every image into one class.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hqnn import experiments, records
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.lcqhnn.model import N_QUBITS, Cnn, Lcqhnn, Scaled, build
from hqnn.papers.lcqhnn.results import variants
from hqnn.stats import epochs_to_reach
from hqnn.training import seed_epoch
from hqnn.views.layer import QuantumLayer

ABOVE = 0.6
"""The test accuracy of a run that has begun to tell the classes apart."""
RECTIFIED = ("relu", "sigmoid", "relu-scores")
"""Heads of CNN-4 whose outputs, before its last layer or behind it, are never negative."""


class Range(NamedTuple):
    """Between which values a score lies."""

    low: float
    high: float

    @property
    def margin(self) -> float:
        """How far the range extends beyond zero on its shorter side; negative if only one class can be predicted."""
        return min(self.high, -self.low)


def score_range(model: nn.Module) -> Range:
    """The range of a hybrid's second class score minus the first over all features, with its present weights.

    Every expectation value is a + b cos 2x_k + c sin 2x_k in each feature alone, so with the others fixed the best x_k
    follows from three values. Repeating this feature by feature climbs to a maximum; of 64 random starts the best
    counts. The range is infinite without a circuit.

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
        bias = _score(model, torch.zeros(1, N_QUBITS))
        slopes = _score(model, torch.eye(N_QUBITS)) - bias
        reach = float(slopes.abs().sum()) if isinstance(model.quantum, Scaled) else np.inf
        return Range(float(bias) - reach, float(bias) + reach)


def _score(model: Lcqhnn, outputs: Tensor) -> Tensor:
    scores = model.classify(outputs)
    return scores[:, 1] - scores[:, 0]


def _highest(model: Lcqhnn, sign: float) -> float:
    n_starts, n_sweeps = 64, 30
    x = torch.rand(n_starts, N_QUBITS, generator=torch.Generator().manual_seed(0)) * torch.pi
    for k in n_sweeps * list(range(N_QUBITS)):
        x[:, k] = 0
        at_0, at_45, at_90 = (
            sign * _score(model, model.quantum(x + angle * torch.eye(N_QUBITS)[k]))
            for angle in (0, torch.pi / 4, torch.pi / 2)
        )
        middle = (at_0 + at_90) / 2
        x[:, k] = torch.atan2(at_45 - middle, at_0 - middle) / 2
    return float((sign * _score(model, model.quantum(x))).max())


def untrained(config: LcqhnnConfig, seed: int) -> Lcqhnn | Cnn:
    """The network that a run starts from."""
    seed_epoch(seed, 0)
    return build(config)


Starts = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Of each run, the margin of its untrained network and the first epoch above `ABOVE`, or the epoch after the last."""


def starts(series: str) -> Starts:
    """Where the recorded runs of a series `experiment/variant` start from, and when they begin."""
    config = experiments.config(series)
    curves = records.curves(series, "test_accuracy")
    margins = [score_range(untrained(config, seed)).margin for seed in curves.index]
    return np.array(margins), epochs_to_reach(curves.to_numpy(), ABOVE).counted


def starts_by_circuit(dataset: str) -> dict[str, Starts]:
    """The `starts` of the hybrid, and of its ablations whose score is bounded: what was done to the circuit -> both."""
    changed = {one.words: one.series for one in variants("ablations", dataset) if one.config.quantum != "none"}
    return {words: starts(one) for words, one in {"circuit": f"lcqhnn-{dataset}/lcqhnn", **changed}.items()}


class Trained(NamedTuple):
    """How a run of a network ended whose score, before training, may have one sign for every image."""

    words: str  # the reading
    seed: int
    one_sign: bool | None  # None where the activation is on the scores, and the question another
    accuracy: float  # on the test images at the end, a fraction
    loss: float  # in training at the end


def rectified_runs(dataset: str) -> list[Trained]:
    """The recorded runs of CNN-4's readings with an activation between its last layers or on its scores."""
    found = []
    for variant in variants("readings", dataset, "cnn-4"):
        for record in records.load(variant.series) if variant.config.head in RECTIFIED else ():
            start = untrained(variant.config, record.seed)
            one_sign = None if variant.config.head == "relu-scores" else has_one_sign(start)
            accuracy, loss = (record.history[curve][-1] for curve in ("test_accuracy", "train_loss"))
            found.append(Trained(variant.words, record.seed, one_sign, accuracy, loss))
    return found


def has_one_sign(model: nn.Module) -> bool:
    """Whether the score of a rival with outputs h of 0 or more before its last layer has one sign for every image.

    The score is v · h with v the difference of the last matrix's two rows: it does if all v have the same sign.
    """
    first, second = model.get_parameter("scores.weight")
    v = second - first
    return bool((v > 0).all() or (v < 0).all())
