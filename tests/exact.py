"""What circuits and their views are held against: Qiskit's state vectors, and PennyLane."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import torch
from numpy.typing import NDArray
from qiskit.circuit import Parameter, ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from torch import Tensor

from hqnn.circuit import Circuit, pauli_on_each_qubit

Array = NDArray[np.float64]


def circuit_of(
    circuit: QuantumCircuit, n_inputs: int = 0, observables: list[SparsePauliOp] | tuple[SparsePauliOp, ...] = ()
) -> Circuit:
    """A circuit whose first parameters, in Qiskit's order, are inputs; Z on each qubit unless told otherwise."""
    parameters: list[Parameter] = list(circuit.parameters)
    return Circuit(
        circuit=circuit,
        inputs=parameters[:n_inputs],
        weights=parameters[n_inputs:],
        observables=observables or pauli_on_each_qubit(circuit.num_qubits),
    )


def draw(pc: Circuit, n_samples: int, seed: int = 0) -> tuple[Array, Array]:
    """Inputs [B, n_inputs] and weights [n_weights], uniform in [-π, π)."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-math.pi, math.pi, (n_samples, pc.n_inputs)), rng.uniform(-math.pi, math.pi, pc.n_weights)


def states(pc: Circuit, x: Array, w: Array) -> list[Statevector]:
    """The state of every sample; parameters that do not occur in the circuit are passed over."""
    parameters = [*pc.inputs, *pc.weights]
    bound = [{p: v for p, v in zip(parameters, [*row, *w], strict=True) if p in pc.circuit.parameters} for row in x]
    return [Statevector(pc.circuit.assign_parameters(values)) for values in bound]


def expectations(pc: Circuit, x: Array, w: Array) -> Array:
    """Expectation values [B, n_observables]."""
    found = [[state.expectation_value(o).real for o in pc.observables] for state in states(pc, x, w)]
    return np.array(found).reshape(len(x), pc.n_observables)


def entangling(n_qubits: int = 3, n_layers: int = 2) -> Circuit:
    """RX embedding, layers of RZ RY RZ and a ring of CNOTs, Y on every qubit."""
    x, w = ParameterVector("x", n_qubits), ParameterVector("w", 3 * n_qubits * n_layers)
    angle = iter(w)
    circuit = QuantumCircuit(n_qubits)
    for q in range(n_qubits):
        circuit.rx(x[q], q)
    for layer in range(n_layers):
        for q in range(n_qubits):
            circuit.rz(next(angle), q)
            circuit.ry(next(angle), q)
            circuit.rz(next(angle), q)
        for q in range(n_qubits):
            circuit.cx(q, (q + layer % (n_qubits - 1) + 1) % n_qubits)
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=pauli_on_each_qubit(n_qubits, "Y"))


def pennylanes(n_qubits: int, n_layers: int) -> Callable[[Tensor, Tensor], Tensor]:
    """PennyLane's strongly entangling layers after RX(x): a function of x [B, n] and theta [3 n n_layers] to ⟨Y⟩."""

    @qml.qnode(qml.device("default.qubit", wires=n_qubits), interface="torch", diff_method="backprop")
    def circuit(x: Tensor, theta: Tensor) -> list[Any]:
        qml.AngleEmbedding(x, wires=range(n_qubits), rotation="X")
        qml.StronglyEntanglingLayers(theta.view(n_layers, n_qubits, 3), wires=range(n_qubits))
        return [qml.expval(qml.PauliY(q)) for q in range(n_qubits)]

    return lambda x, theta: torch.stack(list(circuit(x, theta)), -1)
