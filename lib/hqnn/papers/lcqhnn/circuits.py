"""The circuit of the lean hybrid network, and equal deeper ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qiskit.circuit import ParameterVector, QuantumCircuit

from hqnn.circuit import Circuit, pauli_on_each_qubit

Order = Literal["time", "product"]
"""How a printed product of gates is read: left factor first in time, or as operators (right factor first)."""


def lcqhnn_circuit(
    order: Order = "time",
    *,
    n_qubits: int = 4,
    n_layers: int = 1,
    entangle: bool = True,
) -> Circuit:
    r"""The four-qubit circuit of the lean hybrid network [lcqhnn, eq. 2-7, fig. 2].

    $$|\psi_6\rangle = H_0\,C^\dagger\,\prod_i R_Y(\theta_i)\;C\;\prod_i U_1(2x_i)\;H^{\otimes 4}|0\rangle^{\otimes 4}$$

    where C is the ladder of CNOTs of eq. 4 and its inverse that of eq. 6. Labelled barriers mark the printed states.
    Inputs are features x (encoded with phase 2 x), weights θ in radians, observables Z on each qubit, 0 first. Order
    `"time"` applies the CNOTs of eq. 4 as 01, 12, 23 and those of eq. 6 as 23, 12, 01, as the text describes them;
    `"product"` reads both equations as operator products, which reverses the two ladders. A layer is a ladder, the
    rotations and the inverse ladder.

    Raises:
        ValueError: Unknown order, or fewer than one qubit or layer.
    """
    if order not in ("time", "product"):
        raise ValueError(f"order is {order!r}; use 'time' or 'product'")
    if n_qubits < 1 or n_layers < 1:
        raise ValueError(f"{n_qubits} qubits, {n_layers} layers: use 1 or more of each")
    x = ParameterVector("x", n_qubits)
    theta = ParameterVector("θ", n_qubits * n_layers)
    ladder = [(q, q + 1) for q in range(n_qubits - 1)] if entangle else []
    if order == "product":
        ladder = ladder[::-1]
    circuit = QuantumCircuit(n_qubits, name="lcqhnn")
    circuit.h(range(n_qubits))
    circuit.barrier(label="ψ1")
    for q in range(n_qubits):
        circuit.p(2 * x[q], q)
    circuit.barrier(label="ψ2")
    for layer in range(n_layers):
        mark = "" if n_layers == 1 else f".{layer + 1}"
        for control, target in ladder:
            circuit.cx(control, target)
        circuit.barrier(label=f"ψ3{mark}")
        for q in range(n_qubits):
            circuit.ry(theta[layer * n_qubits + q], q)
        circuit.barrier(label=f"ψ4{mark}")
        for control, target in reversed(ladder):
            circuit.cx(control, target)
        circuit.barrier(label=f"ψ5{mark}")
    circuit.h(0)
    circuit.barrier(label="ψ6")
    measured = pauli_on_each_qubit(n_qubits)
    return Circuit(circuit=circuit, inputs=x, weights=theta, observables=measured)


def repeated(
    weights: ArrayLike,
    n_layers: int,
    *,
    order: Order = "time",
) -> tuple[Circuit, NDArray[np.float64]]:
    """The circuit with its trained block repeated, each time turning by an equal share of the angles.

    A ladder cancels the inverse before it, so the angles of all L layers add up: without noise the circuit, with
    weights θ/L [4 L], computes what that with one block and weights θ [4] does.
    """
    shares = np.tile(np.asarray(weights, float) / n_layers, n_layers)
    return lcqhnn_circuit(order, n_layers=n_layers), shares
