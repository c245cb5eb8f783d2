"""Derivatives against Qiskit's states a little further on, and ranks where they are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import gradients
from hqnn.views.layer import QuantumLayer
from tests.exact import Array, circuit_of, draw, expectations, states

SMALL = strongly_entangling(n_qubits=2, n_layers=1)
STEP = 1e-5


@pytest.mark.parametrize(
    "pc",
    [
        SMALL,
        quanvolution(),
        replace(lcqhnn_circuit(), observables=[SparsePauliOp(["ZIII", "XYZI"], [0.3, -2.0]), SparsePauliOp("IIZZ")]),
    ],
    ids=lambda pc: pc.circuit.name,
)
def test_a_jacobian_is_the_difference_quotient_of_each_sample(pc: Circuit) -> None:
    inputs, weights = draw(pc, 3)
    point = np.concatenate([inputs, np.tile(weights, (3, 1))], 1)

    def at(point: Array) -> Array:
        return np.concatenate([expectations(pc, row[None, : pc.n_inputs], row[pc.n_inputs :]) for row in point])

    steps = STEP * np.eye(point.shape[1])
    expected = np.stack([(at(point + step) - at(point - step)) / (2 * STEP) for step in steps], -1)
    np.testing.assert_allclose(gradients.jacobian(pc, inputs, weights), expected, atol=1e-8)


def test_fisher_information_is_how_fast_states_become_distinct() -> None:
    """To second order, the overlap of neighbouring states is 1 - dᵀFd/4."""
    inputs, weights = draw(SMALL, 2)
    fisher = gradients.quantum_fisher(SMALL, inputs, weights)
    direction = np.random.default_rng(1).normal(size=SMALL.n_weights)
    pairs = zip(states(SMALL, inputs, weights), states(SMALL, inputs, weights + 1e-3 * direction), strict=True)
    lost = np.mean([1 - abs(np.vdot(a.data, b.data)) ** 2 for a, b in pairs])
    assert direction @ fisher @ direction == pytest.approx(4e6 * lost, rel=1e-2)
    np.testing.assert_allclose(fisher, fisher.T, atol=1e-12)


def test_the_papers_layer_has_full_rank_over_many_inputs_and_not_at_one() -> None:
    pc, rng = strongly_entangling(), np.random.default_rng(0)
    inputs, weights = rng.uniform(0, 2 * np.pi, (32, 5)), rng.uniform(0, 2 * np.pi, 45)
    assert gradients.rank(gradients.jacobian(pc, inputs, weights)[:, :, 5:]) == 45
    assert gradients.rank(gradients.quantum_fisher(pc, inputs, weights)) == 45
    # At one input each qubit of the first layer is in a pure state of its own: two numbers, three angles.
    assert gradients.rank(gradients.quantum_fisher(pc, inputs[:1], weights)) == 45 - 5


def test_a_repeated_rotation_is_redundant_and_one_about_the_measured_axis_has_no_effect() -> None:
    theta = ParameterVector("θ", 3)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0], 0)
    circuit.rx(theta[1], 0)
    circuit.rz(theta[2], 0)
    pc, point = circuit_of(circuit), (np.zeros((1, 0)), np.array([0.3, 0.4, 0.5]))
    assert gradients.rank(gradients.jacobian(pc, *point)) == 1
    assert gradients.rank(gradients.jacobian(pc, *point)[..., 2:]) == 0
    assert gradients.rank(gradients.quantum_fisher(pc, *point)) == 2
    product = QuantumCircuit(1)
    product.rx(theta[0] * theta[1], 0)
    with pytest.raises(ValueError, match="not an affine function"):
        gradients.quantum_fisher(circuit_of(product), np.zeros((1, 0)), np.array([0.3, 0.4]))


def test_the_parameter_shift_rule_is_the_derivative_on_any_simulator() -> None:
    inputs, weights = draw(SMALL, 3)
    found = gradients.parameter_shift(
        lambda weights: torch.from_numpy(expectations(SMALL, inputs, weights.numpy())), torch.from_numpy(weights)
    )
    by_weight = gradients.jacobian(SMALL, inputs, weights)[:, :, SMALL.n_inputs :]
    np.testing.assert_allclose(found, np.moveaxis(by_weight, -1, 0), atol=1e-10)


def test_the_rule_gives_a_layers_gradient() -> None:
    layer = QuantumLayer(SMALL, copies=3, dtype=torch.float64)
    inputs, upstream = torch.randn(2, 5, 6, dtype=torch.float64)
    found = gradients.shift_gradient(layer, inputs, upstream)
    (expected,) = torch.autograd.grad(layer(inputs), layer.weights, upstream)
    torch.testing.assert_close(found, expected)
    assert gradients.evaluations(n_weights=45, n_inputs=5, batch_size=64) == 64 * 101
