"""Derivatives of states and outputs against automatic differentiation and Qiskit, and ranks where they are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import rank as redundancy
from hqnn.views.layer import QuantumLayer

PCS = [
    strongly_entangling(n_qubits=3, n_layers=2),
    quanvolution(),
    replace(lcqhnn_circuit(), observables=[SparsePauliOp(["ZIII", "XYZI"], [0.3, -2.0]), SparsePauliOp("IIZZ", 1.5)]),
]


def _angles(pc: Circuit, n: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(0, 2 * np.pi, (n, pc.n_inputs)), rng.uniform(0, 2 * np.pi, pc.n_weights)


@pytest.mark.parametrize("pc", PCS, ids=lambda pc: pc.circuit.name)
def test_the_jacobian_is_autograds(pc: Circuit) -> None:
    inputs, weights = _angles(pc)
    layer = QuantumLayer(pc, dtype=torch.float64)
    x, w = torch.from_numpy(inputs), torch.from_numpy(weights)[None]

    def outputs(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": w}, (x,))

    by_x, by_w = torch.autograd.functional.jacobian(outputs, (x, w))
    diagonal = torch.stack([by_x[b, :, b] for b in range(len(x))])
    expected = torch.cat([diagonal, by_w[:, :, 0]], -1)
    np.testing.assert_allclose(redundancy.jacobian(pc, inputs, weights), expected, atol=1e-10)


def test_states_and_tangents_are_those_of_qiskit() -> None:
    pc = PCS[0]
    inputs, weights = _angles(pc, 1)
    states, slopes = redundancy.tangents(pc, inputs, weights)

    def state(values: np.ndarray) -> np.ndarray:
        return Statevector(pc.circuit.assign_parameters(dict(zip([*pc.inputs, *pc.weights], values, strict=True)))).data

    values = np.concatenate([inputs[0], weights])
    assert abs(np.vdot(states[0], state(values))) == pytest.approx(1)
    k, h = 7, 1e-6
    up, down = (state(values + sign * h * np.eye(len(values))[k]) for sign in (1, -1))
    derivative = (up - down) / (2 * h)
    phase = np.vdot(state(values), states[0])
    np.testing.assert_allclose(slopes[0, k], phase * derivative, atol=1e-8)


def test_one_rotation_has_fisher_information_one() -> None:
    theta = ParameterVector("θ", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    pc = Circuit(circuit=circuit, inputs=[], weights=theta, observables=pauli_on_each_qubit(1))
    fisher = redundancy.quantum_fisher(pc, np.zeros((1, 0)), np.array([0.7]))
    np.testing.assert_allclose(fisher, [[1.0]], atol=1e-12)


def test_the_papers_layer_has_full_rank_over_many_inputs_and_not_at_one() -> None:
    pc, rng = strongly_entangling(), np.random.default_rng(0)
    inputs, weights = rng.uniform(0, 2 * np.pi, (32, 5)), rng.uniform(0, 2 * np.pi, 45)
    assert redundancy.rank(redundancy.jacobian(pc, inputs, weights)[:, :, 5:]) == 45
    assert redundancy.rank(redundancy.quantum_fisher(pc, inputs, weights)) == 45
    # At one input each qubit of the first layer is in a pure state of its own: two numbers, three angles.
    assert redundancy.rank(redundancy.quantum_fisher(pc, inputs[:1], weights)) == 45 - 5


@pytest.mark.parametrize(("axis", "rank"), [("y", 4), ("x", 4), ("z", 0)])
def test_rank_of_the_quanvolution(axis: str, rank: int) -> None:
    pc = quanvolution(axis)  # type: ignore[arg-type]
    inputs, weights = _angles(pc, 16)
    assert redundancy.rank(redundancy.jacobian(pc, inputs, weights)[:, :, 4:]) == rank


def test_a_repeated_rotation_is_redundant() -> None:
    theta = ParameterVector("θ", 2)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0], 0)
    circuit.rx(theta[1], 0)
    pc = Circuit(circuit=circuit, inputs=[], weights=theta, observables=pauli_on_each_qubit(1))
    point = (np.zeros((1, 0)), np.array([0.3, 0.4]))
    assert redundancy.rank(redundancy.jacobian(pc, *point)) == redundancy.rank(redundancy.quantum_fisher(pc, *point))
    assert redundancy.rank(redundancy.jacobian(pc, *point)) == 1


def test_an_angle_that_is_not_affine_is_refused() -> None:
    theta = ParameterVector("θ", 2)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0] * theta[1], 0)
    pc = Circuit(circuit=circuit, inputs=[], weights=theta, observables=pauli_on_each_qubit(1))
    with pytest.raises(ValueError, match="affine"):
        redundancy.tangents(pc, np.zeros((1, 0)), np.array([0.3, 0.4]))
