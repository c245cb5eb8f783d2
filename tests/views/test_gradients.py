"""Derivatives of states and outputs against automatic differentiation and Qiskit, and ranks where they are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import aer, gradients
from hqnn.views.layer import QuantumLayer
from tests.exact import circuit_of, draw, states

PCS = [
    strongly_entangling(n_qubits=3, n_layers=2),
    quanvolution(),
    replace(lcqhnn_circuit(), observables=[SparsePauliOp(["ZIII", "XYZI"], [0.3, -2.0]), SparsePauliOp("IIZZ", 1.5)]),
]


@pytest.mark.parametrize("pc", PCS, ids=lambda pc: pc.circuit.name)
def test_the_jacobian_is_autograds(pc: Circuit) -> None:
    inputs, weights = draw(pc, 3)
    layer = QuantumLayer(pc, dtype=torch.float64)
    x, w = torch.from_numpy(inputs), torch.from_numpy(weights)[None]

    def outputs(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": w}, (x,))

    by_x, by_w = torch.autograd.functional.jacobian(outputs, (x, w))
    diagonal = torch.stack([by_x[b, :, b] for b in range(len(x))])
    expected = torch.cat([diagonal, by_w[:, :, 0]], -1)
    np.testing.assert_allclose(gradients.jacobian(pc, inputs, weights), expected, atol=1e-10)


def test_states_and_tangents_are_those_of_qiskit() -> None:
    pc = PCS[0]
    inputs, weights = draw(pc, 1)
    (state,), (slopes,) = gradients.tangents(pc, inputs, weights)
    exact = states(pc, inputs, weights)[0].data
    phase = np.vdot(exact, state)
    assert abs(phase) == pytest.approx(1)
    h = 1e-6 * np.eye(pc.n_weights)[4]
    up, down = (states(pc, inputs, weights + sign * h)[0].data for sign in (1, -1))
    np.testing.assert_allclose(slopes[pc.n_inputs + 4], phase * (up - down) / 2e-6, atol=1e-8)


def test_one_rotation_has_fisher_information_one() -> None:
    theta = ParameterVector("θ", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    pc = circuit_of(circuit)
    fisher = gradients.quantum_fisher(pc, np.zeros((1, 0)), np.array([0.7]))
    np.testing.assert_allclose(fisher, [[1.0]], atol=1e-12)


def test_the_papers_layer_has_full_rank_over_many_inputs_and_not_at_one() -> None:
    pc, rng = strongly_entangling(), np.random.default_rng(0)
    inputs, weights = rng.uniform(0, 2 * np.pi, (32, 5)), rng.uniform(0, 2 * np.pi, 45)
    assert gradients.rank(gradients.jacobian(pc, inputs, weights)[:, :, 5:]) == 45
    assert gradients.rank(gradients.quantum_fisher(pc, inputs, weights)) == 45
    # At one input each qubit of the first layer is in a pure state of its own: two numbers, three angles.
    assert gradients.rank(gradients.quantum_fisher(pc, inputs[:1], weights)) == 45 - 5


@pytest.mark.parametrize(("axis", "rank"), [("y", 4), ("x", 4), ("z", 0)])
def test_rank_of_the_quanvolution(axis: str, rank: int) -> None:
    pc = quanvolution(axis)  # type: ignore[arg-type]
    inputs, weights = draw(pc, 16)
    assert gradients.rank(gradients.jacobian(pc, inputs, weights)[:, :, 4:]) == rank


def test_a_repeated_rotation_is_redundant() -> None:
    theta = ParameterVector("θ", 2)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0], 0)
    circuit.rx(theta[1], 0)
    pc = circuit_of(circuit)
    point = (np.zeros((1, 0)), np.array([0.3, 0.4]))
    assert gradients.rank(gradients.jacobian(pc, *point)) == gradients.rank(gradients.quantum_fisher(pc, *point))
    assert gradients.rank(gradients.jacobian(pc, *point)) == 1


def test_an_angle_that_is_not_affine_is_refused() -> None:
    theta = ParameterVector("θ", 2)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0] * theta[1], 0)
    with pytest.raises(ValueError, match="affine"):
        gradients.tangents(circuit_of(circuit), np.zeros((1, 0)), np.array([0.3, 0.4]))


def test_the_parameter_shift_rule_is_the_derivative_on_any_simulator() -> None:
    pc = strongly_entangling(n_qubits=2, n_layers=1)
    inputs, weights = draw(pc, 3)

    def outputs(weights: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(aer.expectations(pc, inputs, weights))

    found = gradients.parameter_shift(outputs, torch.from_numpy(weights))
    by_weight = gradients.jacobian(pc, inputs, weights)[:, :, pc.n_inputs :]
    np.testing.assert_allclose(found, np.moveaxis(by_weight, -1, 0), atol=1e-10)


def test_the_rule_gives_a_layers_gradient() -> None:
    layer = QuantumLayer(strongly_entangling(n_qubits=2, n_layers=1), copies=3, dtype=torch.float64)
    inputs, upstream = torch.randn(2, 5, 6, dtype=torch.float64)
    found = gradients.shift_gradient(layer, inputs, upstream)
    (expected,) = torch.autograd.grad(layer(inputs), layer.weights, upstream)
    torch.testing.assert_close(found, expected)
    assert gradients.evaluations(n_weights=45, n_inputs=5, batch_size=64) == 64 * 101
