"""What a quantum computer would have to run for a circuit as a layer, and how long that takes at published times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from hqnn.circuit import Circuit
from hqnn.views import aer
from hqnn.views.noise import Noise
from hqnn.views.pauli_rotations import lower

READOUT = 5.351e-6
"""A measurement on ibmq_manila, seconds, from the calibration that `hqnn.views.noise.manila` is made of."""
PAUSE = 250e-6
"""Between two shots on the same device by default, seconds, while its qubits relax."""


@dataclass(frozen=True, kw_only=True)
class Executions:
    """Circuits to run for one sample, each with as many shots as one wants precision."""

    forward: int
    """For the expectation values."""
    gradient: int
    """For their derivatives, besides."""


def executions(pc: Circuit, *, copies: int = 1, weights: bool = True, inputs: bool = True) -> Executions:
    """How many circuits one sample takes by the parameter-shift rule.

    Every rotation that a derivative is asked for is run at two shifted angles, whatever the number of outputs; every
    run is repeated for each basis that the observables need.

    Args:
        pc: The circuit.
        copies: How many of them, with features and weights of their own, a sample goes through.
        weights: Whether the weights are trained.
        inputs: Whether the gradient goes on to layers before the circuit.
    """
    rotations = lower(pc)
    asked = np.zeros(len(rotations.constant), np.bool_)
    if weights:
        asked |= rotations.weight_slopes.any(1)
    if inputs:
        asked |= rotations.input_slopes.any(1)
    strings = SparsePauliOp.sum(list(pc.observables)).paulis
    bases = len(strings.group_commuting(qubit_wise=True))
    return Executions(forward=copies * bases, gradient=2 * int(asked.sum()) * copies * bases)


def seconds_per_shot(pc: Circuit, device: Noise) -> float:
    """How long one shot takes on a device with known durations: gates, measurement and pause."""
    gates: float = aer.physical(pc.circuit, device).estimate_duration(device.target(pc.n_qubits), "s")
    return gates + READOUT + PAUSE
