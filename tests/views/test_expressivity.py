"""Measures of expressivity where their values are known, and against Qiskit's."""

import math

import numpy as np
import pytest
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector, random_statevector

from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.views import expressivity
from hqnn.views.gradients import jacobian
from tests.exact import states


def single(gate: str) -> Circuit:
    """One qubit, one rotation."""
    w = ParameterVector("w", 1)
    circuit = QuantumCircuit(1)
    getattr(circuit, gate)(w[0], 0)
    return Circuit(circuit=circuit, inputs=(), weights=w, observables=[SparsePauliOp("Z")])


@pytest.mark.parametrize("pc", [strongly_entangling(n_qubits=3, n_layers=2), quanvolution("x", "star")])
def test_states_are_qiskits(pc: Circuit) -> None:
    inputs, weights = expressivity.random_angles(pc, 4, 1)
    found = expressivity.states(pc, inputs, weights)
    for k in range(4):
        (expected,) = states(pc, inputs[k : k + 1], weights[k])
        assert abs(np.vdot(expected.data, found[k])) == pytest.approx(1, abs=1e-12)


def test_random_states_are_expressive_and_one_state_is_not() -> None:
    many = np.array([random_statevector(4, seed=k).data for k in range(2000)])
    assert expressivity.expressibility(many) < 0.06
    fixed = np.tile([1, 0, 0, 0], (50, 1)).astype(complex)
    # All fidelities fall into the last bin, where a random state's are with probability 1/75**3.
    assert expressivity.expressibility(fixed) == pytest.approx(3 * math.log(75))
    with pytest.raises(ValueError, match="at least two"):
        expressivity.expressibility(fixed[:1])


def test_one_axis_covers_less_than_the_sphere() -> None:
    """The fidelities cos²(δ/2) of uniform angles have the arcsine distribution; those of random states are uniform."""
    around = single("ry")
    found = expressivity.expressibility(expressivity.states(around, *expressivity.random_angles(around, 40_000, 0)))
    parts = np.diff(np.arcsin(np.sqrt(np.linspace(0, 1, 76)))) * 2 / math.pi
    assert found == pytest.approx((parts * np.log(75 * parts)).sum(), abs=0.01)


def test_entanglement_of_known_states() -> None:
    product = np.kron([1, 1], np.kron([1, 1j], [3, 4])) / 10
    ghz = np.zeros(8)
    ghz[[0, 7]] = math.sqrt(0.5)
    w = np.zeros(8)
    w[[1, 2, 4]] = math.sqrt(1 / 3)
    bell_and_one = Statevector.from_label("0").tensor(Statevector([1, 0, 0, 1]) / math.sqrt(2)).data
    for vector, expected in ((product, 0), (ghz, 1), (w, 8 / 9), (bell_and_one, 2 / 3)):
        assert expressivity.entangling_capability(np.array([vector], complex)) == pytest.approx(expected, abs=1e-12)


def test_the_slope_of_a_cosine_varies_by_a_half() -> None:
    for axis, expected in (("ry", 0.5), ("rz", 0)):
        pc = single(axis)
        slopes = jacobian(pc, *expressivity.random_angles(pc, 4000, 0))[..., pc.n_inputs :]
        assert expressivity.gradient_variance(slopes) == pytest.approx(expected, abs=0.02 if expected else 1e-30)


def test_effective_dimension_counts_the_weights_that_matter() -> None:
    """Without end all that have any effect, each of them at finite data less than wholly."""
    two_of_three = np.tile(np.diag([1.5, 1.5, 0.0]), (5, 1, 1))
    assert expressivity.effective_dimension(two_of_three, 10**30) == pytest.approx(2, abs=0.02)
    assert expressivity.effective_dimension(np.zeros((5, 3, 3)), 1000) == 0
    all_three = np.tile(np.eye(3), (5, 1, 1))
    counted = 1000 / (2 * math.pi * math.log(1000))
    expected = 3 * math.log(1 + counted) / math.log(counted)
    assert expressivity.effective_dimension(all_three, 1000) == pytest.approx(expected)
    slopes = np.random.default_rng(0).normal(size=(7, 2, 3))
    np.testing.assert_allclose(expressivity.fisher(slopes), sum(s.T @ s for s in slopes) / 7)
