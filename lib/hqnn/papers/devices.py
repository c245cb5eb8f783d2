"""What one training and one inference of each paper's hybrid would ask of a quantum computer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hqnn import experiments, records
from hqnn.papers.hqnn import parallel, quanv
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.transfer.circuits import transfer_circuit
from hqnn.views import noise
from hqnn.views.device import PAUSE, executions, seconds_per_shot

SHOTS = 1024
"""The transfer paper's number, for each circuit."""


SERIES: Mapping[str, str] = {
    "LCQHNN": "lcqhnn-fashion/lcqhnn",
    "HQNN-Parallel, MNIST": "hqnn-mnist/hqnn",
    "HQNN-Quanv": "hqnn-quanv/quanv",
    "transfer, five latents": "transfer-hybrid/first-5-probabilities-1024",
}
"""Hybrid -> the series that it is trained as."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """Of one hybrid, as its record trains it."""

    training: int
    """Circuits for the gradients of all steps of one training, or for all features where the circuit is not trained."""
    inference: int
    """Circuits for the scores of one image."""
    shot: float
    """Duration on ibmq_manila, with the pause, seconds."""
    recorded: float
    """The median time of one recorded training on one core, all of it, seconds."""

    def seconds(self, circuits: int, *, pause: bool = True) -> float:
        """How long so many circuits take on the device, `SHOTS` shots each."""
        return circuits * SHOTS * (self.shot if pause else self.shot - PAUSE)


def needs() -> Mapping[str, Need]:
    """Hybrid -> what it needs, in the order of the papers."""
    manila = noise.manila()
    small, large, kernel = (experiments.config(one) for one in [*SERIES.values()][:3])
    five = transfer_circuit()
    cases = (
        (lcqhnn.circuit(small), executions(lcqhnn.circuit(small)), small.n_train * small.epochs),
        (
            parallel.circuit(large),
            executions(parallel.circuit(large), copies=large.n_circuits),
            large.n_train * large.epochs,
        ),
        (
            quanv.circuit(kernel),
            executions(quanv.circuit(kernel), copies=kernel.side**2, inputs=False),
            kernel.n_train * kernel.epochs,
        ),
        (five, executions(five, weights=False, inputs=False), 60_000),
    )
    found = {}
    for (name, series), (pc, runs, samples) in zip(SERIES.items(), cases, strict=True):
        found[name] = Need(
            training=samples * (runs.forward + runs.gradient),
            inference=runs.forward,
            shot=seconds_per_shot(pc, manila),
            recorded=float(np.median([record.provenance["seconds"] for record in records.load(series)])),
        )
    return found
