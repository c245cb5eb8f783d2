"""The circuits of HQNN-Parallel, of HQNN-Quanv, and of the appendix on Fourier series."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from qiskit.circuit import ParameterVector, QuantumCircuit

from hqnn.circuit import Circuit, pauli_on_each_qubit

Cnots = Literal["chain", "reversed", "star", "none"]
"""Which three CNOTs the quanvolution has, in time order: 01 12 23, or 23 12 01, or 01 02 03; or none (the ablation)."""


def strongly_entangling(
    *, n_qubits: int = 5, n_layers: int = 3, pauli: Literal["X", "Y", "Z"] = "Y", entangle: bool = True
) -> Circuit:
    r"""One of the parallel circuits of HQNN-Parallel [hqnn, §2.2.3, eq. 1].

    $$v_j = \langle 0|\,R_X(\phi)^\dagger\,U(\theta)^\dagger\,Y_j\,U(\theta)\,R_X(\phi)\,|0\rangle$$

    U has `n_layers` layers like PennyLane's `StronglyEntanglingLayers`: in layer l each qubit is rotated by RZ(α),
    RY(β), RZ(γ) in time order, then a CNOT goes from every qubit q to qubit (q + r) mod n, r = (l mod (n - 1)) + 1.
    Labelled barriers mark the end of the embedding and of each layer; `entangle=False` leaves out all CNOTs.

    Returns:
        Inputs φ[0..n-1], radians; weights θ in the order of PennyLane's array [n_layers, n_qubits, 3] (α, β, γ);
        one observable per qubit, qubit 0 first.
    """
    if n_qubits < 1 or n_layers < 1:
        raise ValueError(f"n_qubits is {n_qubits}, n_layers is {n_layers}; use 1 or more of each")
    phi = ParameterVector("φ", n_qubits)
    theta = ParameterVector("θ", 3 * n_qubits * n_layers)
    circuit = QuantumCircuit(n_qubits, name="strongly entangling")
    for q in range(n_qubits):
        circuit.rx(phi[q], q)
    circuit.barrier(label="embedding")
    angles = iter(theta)
    for layer in range(n_layers):
        for q in range(n_qubits):
            circuit.rz(next(angles), q)
            circuit.ry(next(angles), q)
            circuit.rz(next(angles), q)
        if entangle and n_qubits > 1:
            reach = layer % (n_qubits - 1) + 1
            for q in range(n_qubits):
                circuit.cx(q, (q + reach) % n_qubits)
        circuit.barrier(label=f"layer {layer + 1}")
    return Circuit(circuit=circuit, inputs=phi, weights=theta, observables=pauli_on_each_qubit(n_qubits, pauli))


_QUANVOLUTION_CNOTS: Mapping[Cnots, Sequence[tuple[int, int]]] = {
    "chain": ((0, 1), (1, 2), (2, 3)),
    "reversed": ((2, 3), (1, 2), (0, 1)),
    "star": ((0, 1), (0, 2), (0, 3)),
    "none": (),
}


def quanvolution(
    axis: Literal["x", "y", "z"] = "y", cnots: Cnots = "chain", *, rotations_first: bool = True
) -> Circuit:
    r"""The kernel of HQNN-Quanv: 2x2 pixels on four qubits, one output each [hqnn, section 2.3.2, fig. 7].

    $$f_k(x) = \langle 0|\,R_Y(\pi x)^\dagger\,U(\theta)^\dagger\,Z_k\,U(\theta)\,R_Y(\pi x)\,|0\rangle$$

    U is one trainable rotation per qubit and three CNOTs. The text leaves open the axis of the rotations, which qubits
    the CNOTs join, and which of the two comes first. Labelled barriers mark the ends of the three parts.

    Returns:
        Inputs x[0..3], the pixels in [0, 1] row by row; weights θ[0..3], radians; Z on each qubit, qubit 0 first.
    """
    if axis not in ("x", "y", "z"):
        raise ValueError(f"axis is {axis!r}; use 'x', 'y' or 'z'")
    if cnots not in _QUANVOLUTION_CNOTS:
        raise ValueError(f"cnots is {cnots!r}; use one of {', '.join(_QUANVOLUTION_CNOTS)}")
    n_qubits = 4
    x, theta = ParameterVector("x", n_qubits), ParameterVector("θ", n_qubits)
    circuit = QuantumCircuit(n_qubits, name="quanvolution")
    for q in range(n_qubits):
        circuit.ry(math.pi * x[q], q)
    circuit.barrier(label="embedding")
    for part in ("rotations", "CNOTs") if rotations_first else ("CNOTs", "rotations"):
        if part == "rotations":
            for q in range(n_qubits):
                getattr(circuit, f"r{axis}")(theta[q], q)
        else:
            for control, target in _QUANVOLUTION_CNOTS[cnots]:
                circuit.cx(control, target)
        circuit.barrier(label=part)
    return Circuit(circuit=circuit, inputs=x, weights=theta, observables=pauli_on_each_qubit(n_qubits))


def reuploading(n_embeddings: int, *, trained: bool = True) -> Circuit:
    """One input x embedded `n_embeddings` times, as RX(x), on one qubit whose Y is measured [hqnn, app. A.2].

    A free rotation RZ RY RZ stands before the first of them and after the last, and between them if it is `trained`.
    """
    if n_embeddings < 1:
        raise ValueError(f"n_embeddings is {n_embeddings}; embed the input at least once")
    x = ParameterVector("x", 1)
    theta = ParameterVector("θ", 3 * (n_embeddings + 1 if trained else 2))
    angles = iter(theta)
    circuit = QuantumCircuit(1, name="re-uploading")
    for k in range(n_embeddings + 1):
        if trained or k in (0, n_embeddings):
            circuit.rz(next(angles), 0)
            circuit.ry(next(angles), 0)
            circuit.rz(next(angles), 0)
        if k < n_embeddings:
            circuit.rx(x[0], 0)
    return Circuit(circuit=circuit, inputs=x, weights=theta, observables=pauli_on_each_qubit(1, "Y"))
