r"""Circuits and trained networks on noisy devices: many inputs at little cost, and equal deeper circuits.

**Noise adds no frequencies.** Let every input x_i enter once, in a phase gate with angle r_i x_i. On hardware that gate
is a change of the reference frame and free of errors. Whatever acts before and after it, unitary or noisy, is linear
and does not depend on x, so the probability of each outcome is

$$p(x) = \sum_{k\in\{0,1,2\}^n} c_k \prod_i b_{k_i}(r_i x_i), \qquad b(\varphi) = (1, \cos\varphi, \sin\varphi),$$

the Fourier series of the noiseless circuit with other coefficients. They follow from 3^n runs, however many inputs
there are.

**Equal circuits of any depth.** The trained block C† R(θ) C of lcqhnn's circuit, repeated L times with θ/L, is the same
unitary, because C C† cancels in between and angles add. Only what the noise does differs.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qiskit import transpile
from qiskit.circuit import ParameterExpression, QuantumCircuit
from qiskit.transpiler.passes import RemoveBarriers
from torch import nn

from hqnn.circuit import Circuit
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit
from hqnn.papers.lcqhnn.model import Lcqhnn
from hqnn.views import aer
from hqnn.views.layer import QuantumLayer
from hqnn.views.noise import Noise

_PHASE_GATES = ("p", "rz", "u1")

Values = NDArray[np.float64]


@dataclass(frozen=True)
class OutcomeSeries:
    """The probabilities of a circuit's outcomes as a function of its inputs, with fixed weights on a fixed device.

    Args:
        rates: r [n_inputs]; input i turns a qubit by r_i x_i.
        coefficients: c [3**n_inputs, 2**n_qubits]; the last input's waves vary fastest.
    """

    rates: Values
    coefficients: Values

    def __call__(self, inputs: ArrayLike) -> Values:
        """Features [B, n_inputs] to probabilities [B, 2**n_qubits] (bit q of the last index: outcome of qubit q)."""
        found = (_waves(np.asarray(inputs, float) * self.rates) @ self.coefficients).clip(0)
        return found / found.sum(1, keepdims=True)


def outcome_series(pc: Circuit, weights: ArrayLike, *, noise: Noise | None = None) -> OutcomeSeries:
    """Find the outcome probabilities of a circuit for all inputs, from 3**n_inputs exact runs on Aer.

    Args:
        pc: A circuit into which each input enters once, in a phase gate.
        weights: Trainable angles [n_weights], radians.
        noise: The device, None for a perfect one.

    Returns:
        The series, exact up to rounding.

    Raises:
        ValueError: An input enters otherwise, or the weights have another shape.
    """
    rates = _rates(pc)
    angles = np.array(list(product(2 * math.pi / 3 * np.arange(3), repeat=pc.n_inputs)))
    measured = aer.probabilities(pc, angles / rates, weights, noise=noise)
    return OutcomeSeries(rates, np.asarray(np.linalg.solve(_waves(angles), measured), np.float64))


def _waves(angles: Values) -> Values:
    """All products of one of 1, cos, sin of every angle: [B, n] to [B, 3**n]."""
    waves = np.ones((len(angles), 1))
    for angle in angles.T:
        of_one = np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)], 1)
        waves = (waves[:, :, None] * of_one[:, None]).reshape(len(angles), -1)
    return waves


def _rates(pc: Circuit) -> Values:
    """The factor of every input in its phase gate."""
    rates = []
    for x in pc.inputs:
        uses = [
            (instruction.operation.name, angle.gradient(x))
            for instruction in pc.circuit.data
            for angle in instruction.operation.params
            if isinstance(angle, ParameterExpression) and x in angle.parameters
        ]
        gates = [gate for gate, _ in uses]
        if len(uses) != 1 or gates[0] not in _PHASE_GATES or getattr(uses[0][1], "parameters", None):
            raise ValueError(
                f"input {x.name!r} enters {' and '.join(gates)}; the series needs every input in one phase gate only, "
                "as a multiple"
            )
        rates.append(float(uses[0][1]))
    return np.array(rates)


def outcome_values(pc: Circuit) -> Values:
    """What each outcome contributes to the observables: probabilities @ this = expectation values.

    Returns:
        Eigenvalues [2**n_qubits, n_observables].

    Raises:
        ValueError: An observable contains X or Y.
    """
    for k, observable in enumerate(pc.observables):
        if observable.paulis.x.any():
            raise ValueError(f"observable {k} contains X or Y; outcomes in the computational basis do not determine it")
    return np.stack([observable.to_matrix().diagonal().real for observable in pc.observables], 1)


def frequencies(probabilities: Values, shots: int, rng: np.random.Generator) -> Values:
    """Relative frequencies of outcomes in some independent shots per row of probabilities [B, 2**n]."""
    return rng.multinomial(shots, probabilities) / shots


def light_cone(circuit: QuantumCircuit, qubit: int) -> Counter[str]:
    """Count the gates that can influence what is measured on one qubit.

    Going back in time from the measurement, a gate counts if it acts on a qubit that is already in the cone, and draws
    its other qubits in. If each of these gates is followed by depolarising noise of strength p on its qubits,
    (1 - p)^count is the factor that is left of an expectation value whose Pauli string meets all of them; strings that
    miss some keep more.

    Args:
        circuit: Gates, such as `aer.physical` returns; barriers and delays do not count.
        qubit: The measured qubit.

    Returns:
        Name of the gate -> how many there are in the cone.
    """
    cone, met = {qubit}, Counter[str]()
    for instruction in reversed(circuit.data):
        name = instruction.operation.name
        on = {circuit.find_bit(q).index for q in instruction.qubits}
        if name not in ("barrier", "delay") and cone & on:
            cone |= on
            met[name] += 1
    return met


def repeated(weights: ArrayLike, n_layers: int, *, order: Order = "time") -> tuple[Circuit, Values]:
    """The circuit of lcqhnn with its trained block repeated, each repetition turning by an equal share of the angles.

    Args:
        weights: Trained angles θ [4] of the circuit with one block, radians.
        n_layers: How many blocks L.
        order: The reading of the CNOT ladders, as in `lcqhnn_circuit`.

    Returns:
        The circuit and its weights θ/L [4 L]; without noise it computes what the one with one block does.
    """
    return lcqhnn_circuit(order, n_layers=n_layers), np.tile(np.asarray(weights, float) / n_layers, n_layers)


class Cost(NamedTuple):
    """What a device executes."""

    pulses: int
    cnots: int
    microseconds: float
    cnots_if_optimised: int
    """What is left for a compiler that may merge whatever cancels."""


def cost(n_layers: int, device: Noise) -> Cost:
    """The gates of the circuit with some blocks on a device, and how long they take.

    Args:
        n_layers: How many blocks.
        device: One with known durations.
    """
    pc, weights = repeated(np.ones(4), n_layers)
    executed = aer.physical(pc.circuit, device)
    gates, time = executed.count_ops(), executed.estimate_duration(device.target(pc.n_qubits), "u")
    bound = RemoveBarriers()(pc.circuit.assign_parameters(dict(zip(pc.weights, weights, strict=True))))
    merged = transpile(bound, basis_gates=["rz", "sx", "x", "cx"], optimization_level=3, seed_transpiler=0)
    return Cost(gates["sx"], gates["cx"], time, merged.count_ops()["cx"])


@dataclass(frozen=True, kw_only=True)
class QuantumHead:
    """What a trained hybrid network is behind its classical front end: circuit and linear readout.

    Args:
        weights: The circuit's trained angles θ [4], radians.
        slopes: a [4] of the score s = a · z + b, by which class 1 leads class 0; z are the expectation values of Z.
        offset: b.
        order: The reading of the CNOT ladders.
    """

    weights: Values
    slopes: Values
    offset: float
    order: Order = "time"

    @classmethod
    def of(cls, model: Lcqhnn, order: Order = "time") -> QuantumHead:
        """The head of a model.

        Raises:
            ValueError: The model has no circuit, or no linear readout.
        """
        if not (isinstance(model.quantum, QuantumLayer) and isinstance(model.scores, nn.Linear)):
            raise ValueError("the model has no circuit with a linear readout; build it with quantum='circuit'")
        matrix, offsets = (p.detach().double().numpy() for p in (model.scores.weight, model.scores.bias))
        return cls(
            weights=model.quantum.weights[0].detach().double().numpy(),
            slopes=matrix[1] - matrix[0],
            offset=float(offsets[1] - offsets[0]),
            order=order,
        )

    def on(self, noise: Noise | None, *, n_layers: int = 1) -> OutcomeSeries:
        """The circuit with some blocks on a device."""
        pc, weights = repeated(self.weights, n_layers, order=self.order)
        return outcome_series(pc, weights, noise=noise)

    def scores(self, probabilities: Values) -> Values:
        """Scores [B] from probabilities or frequencies of outcomes [B, 16]; where positive, class 1 is chosen."""
        return probabilities @ outcome_values(lcqhnn_circuit(self.order)) @ self.slopes + self.offset


class LabelledFeatures(NamedTuple):
    """Images as the circuit meets them."""

    features: Values
    """Inputs x [N, 4], radians."""
    labels: NDArray[np.int64]
    """Classes 0 and 1 [N]."""


def accuracy(scores: Values, labels: NDArray[np.int64], *, threshold: float = 0.0) -> float:
    """Share of scores [B] on the right side of a threshold: class 1 above it, class 0 at or below."""
    return float(((scores > threshold) == labels).mean())


def midpoint(scores: Values, labels: NDArray[np.int64]) -> float:
    """The threshold half way between the mean scores of the two classes."""
    return float(scores[labels == 0].mean() + scores[labels == 1].mean()) / 2
