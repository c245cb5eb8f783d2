"""What the paper's circuit does, written out by hand for its first reading (`order="time"`), without a simulator.

Features x and weights θ are angles in radians; feature k becomes the phase 2 x_k of qubit k.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.quantum_info import Clifford, PauliList

from hqnn.circuit import Circuit
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit
from hqnn.views import aer, gradients

Angles = NDArray[np.float64]


def states(x: Angles, theta: Angles) -> dict[str, NDArray[np.complex128]]:
    """The printed states ψ1 to ψ6 of x [4] and θ [4] [lcqhnn, eq. 2-7]: [16], bit k of an index is qubit k."""
    b = np.arange(16)[:, None] >> np.arange(4) & 1  # bits [basis state, qubit]
    prefix = b.cumsum(axis=1) % 2  # s(b): the parity of all bits up to a qubit's own
    s = prefix @ (1 << np.arange(4))  # s(b) as a number
    c, h = np.cos(theta / 2), np.sin(theta / 2)
    r = np.array([[c, -h], [h, c]])  # the matrices of RY [t_k, s_k, qubit]

    psi1 = np.full(16, 1 / 4, dtype=complex)  # H on every qubit
    psi2 = np.exp(2j * b @ x) / 4  # U1(2x)
    psi3 = psi2[np.argsort(s)]  # the ladder: what was at b is now at s(b)
    psi4 = r[b[:, None], prefix, np.arange(4)].prod(axis=2) @ psi2  # RY(θ)
    psi5 = psi4[s]  # the ladder back: what was at s(b) is now at b
    zero, one = psi5.reshape(8, 2).T  # qubit 0 is the last bit
    psi6 = np.stack([zero + one, zero - one], 1).ravel() / np.sqrt(2)  # H on qubit 0
    return {"ψ1": psi1, "ψ2": psi2, "ψ3": psi3, "ψ4": psi4, "ψ5": psi5, "ψ6": psi6}


def ladder(order: Order) -> QuantumCircuit:
    """The CNOTs of eq. 4 alone, in one of its two readings (see `lcqhnn_circuit`)."""
    circuit = lcqhnn_circuit(order).circuit
    return QuantumCircuit.from_instructions(circuit.get_instructions("cx")[:3], qubits=circuit.qubits)


def generators(order: Order) -> PauliList:
    """What the rotation about Y on each qubit becomes between the ladders, P_k = C† Y_k C, qubit 0 first."""
    return PauliList(["IIIY", "IIYI", "IYII", "YIII"]).evolve(Clifford(ladder(order)), frame="h")


def outputs(x: Angles, theta: Angles) -> Angles:
    """The expectation values ⟨Z⟩ of each qubit [N, 4] as sums of products of waves, of x [N, 4] and θ [4]."""
    c, s = np.cos(2 * x).T, np.sin(2 * x).T  # of δ = 2x
    C, S = np.cos(theta), np.sin(theta)  # noqa: N806
    z0 = C[0] * C[1] * C[2] * C[3] * c[0]
    z0 -= C[0] * S[1] * C[2] * C[3] * s[0] * s[1] * c[2]
    z0 -= S[0] * C[1] * S[2] * C[3] * s[1] * s[2] * c[3]
    z0 -= C[0] * S[1] * C[2] * S[3] * c[0] * c[1] * s[2] * s[3]
    z1 = S[0] * (C[1] * s[0] * s[1] + S[1] * c[0] * c[2])
    z2 = S[1] * S[2] * c[1] * c[3]
    z3 = S[2] * S[3] * c[2]
    return np.stack([z0, z1, z2, z3], axis=1)


def bloch_after_ladder(x: Angles) -> Angles:
    """The Bloch vectors [N, 4, 3] of single qubits in the state ψ3 of x [N, 4] [lcqhnn, fig. 3]."""
    c = np.cos(2 * x)
    vectors = np.zeros((len(x), 4, 3))
    vectors[:, :3, 0] = c[:, :3] * c[:, 1:]
    vectors[:, 3, 0] = c[:, 3]
    vectors[:, 0, 1] = np.sin(2 * x[:, 0]) * c[:, 1]
    return vectors


def same_score(v: Angles, theta: Angles, first: float) -> tuple[Angles, Angles]:
    """Readout v [4] and angles θ [4] of another network with the same score v · ⟨Z⟩, given its θ0.

    It exists because θ0 and θ2 count only through tan θ0 tan θ2.
    """
    other = theta.copy()
    product = np.tan(theta[0]) * np.tan(theta[2])
    other[0], other[2] = first, np.arctan(product / np.tan(first))
    c, s = np.cos(theta) / np.cos(other), np.sin(theta) / np.sin(other)
    return v * np.array([c[0] * c[2], s[0], s[2], s[2]]), other


def directions(pc: Circuit, x: Angles, theta: Angles, v: Angles) -> tuple[int, int]:
    """In how many independent directions, as a function of x, the score v · ⟨Z⟩ + bias can move.

    Functions are compared at features x [N, n_inputs]. The first number is that of v and the bias alone, the second
    that with the circuit's weights as well.
    """
    outer = np.column_stack([aer.expectations(pc, x, theta), np.ones(len(x))])
    inner = (gradients.jacobian(pc, x, theta)[..., pc.n_inputs :] * v[:, None]).sum(axis=1)
    return int(np.linalg.matrix_rank(outer)), int(np.linalg.matrix_rank(np.column_stack([outer, inner])))
