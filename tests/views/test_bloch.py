"""Reduced Bloch vectors, against partial traces and closed forms, and the sphere they are handed to."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import qutip
import torch
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector, partial_trace

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import bloch
from tests.exact import Array, draw


@pytest.mark.parametrize("stage", ["ψ2", "ψ4", None])
def test_vectors_are_those_of_the_partial_trace(stage: str | None) -> None:
    pc = lcqhnn_circuit()
    x, w = draw(pc, 4)
    random_numbers = torch.get_rng_state()
    found = bloch.bloch_vectors(pc, torch.tensor(x), torch.tensor(w, requires_grad=True), stage=stage)
    assert torch.equal(random_numbers, torch.get_rng_state())  # a layer draws weights, but not from these
    part = pc.circuit if stage is None else pc.stages()[stage]
    parameters = [*pc.inputs, *pc.weights]
    assert found.shape == (4, 4, 3)
    for row, vectors in zip(x, found, strict=True):
        values = dict(zip(parameters, [*row, *w], strict=True))
        state = Statevector(part.assign_parameters({p: v for p, v in values.items() if p in part.parameters}))
        for q in range(4):
            reduced = partial_trace(state, [other for other in range(4) if other != q])
            expected = [reduced.expectation_value(Pauli(p)).real for p in "XYZ"]
            np.testing.assert_allclose(vectors[q], expected, rtol=0, atol=1e-10)
            assert (1 + bloch.lengths(vectors)[q] ** 2) / 2 == pytest.approx(reduced.purity().real)


def test_a_stage_takes_the_parameters_that_act_before_it_wherever_they_are_listed() -> None:
    a, b, x, y = (Parameter(name) for name in "abxy")
    circuit = QuantumCircuit(2)
    circuit.rx(x, 0)
    circuit.ry(b, 0)
    circuit.barrier(label="half")
    circuit.rx(y, 1)
    circuit.ry(a, 1)
    pc = Circuit(circuit=circuit, inputs=[y, x], weights=[a, b], observables=pauli_on_each_qubit(2))
    found = bloch.bloch_vectors(pc, np.array([[9.0, 0.4]]), np.array([7.0, 1.1]), stage="half")
    turned = [np.cos(0.4) * np.sin(1.1), -np.sin(0.4), np.cos(0.4) * np.cos(1.1)]
    np.testing.assert_allclose(found, [[turned, [0, 0, 1]]], atol=1e-12)


def test_mistakes_are_named() -> None:
    pc = lcqhnn_circuit()
    x, w = draw(pc, 2)
    with pytest.raises(ValueError, match="no stage 'psi2'; this circuit has ψ1, ψ2, ψ3, ψ4, ψ5, ψ6"):
        bloch.bloch_vectors(pc, x, w, stage="psi2")
    with pytest.raises(ValueError, match=r"expects \[4\]"):  # though this stage has no weights
        bloch.bloch_vectors(pc, x, w[:3], stage="ψ2")
    with pytest.raises(ValueError, match="NaN"):
        bloch.bloch_vectors(pc, np.full_like(x, np.nan), w, stage="ψ1")
    bare = Circuit(circuit=QuantumCircuit(1), inputs=[], weights=[], observables=pauli_on_each_qubit(1))
    with pytest.raises(ValueError, match="no stage 'ψ1'; this circuit has no labelled barriers"):
        bloch.bloch_vectors(bare, np.zeros((1, 0)), [], stage="ψ1")


def test_a_sphere_holds_one_set_of_points_per_group() -> None:
    vectors = np.array([[1, 0, 0], [0, 0.5, 0], [0, 0, -1], [0.1, 0.2, 0.3]])
    sphere = bloch.to_qutip(vectors, [5, 2, 5, 2], colours=["red", "blue"], size=9, alpha=0.3)
    assert isinstance(sphere, qutip.Bloch)
    assert not plt.get_fignums()  # nothing is drawn yet
    np.testing.assert_array_equal(sphere.points[0], vectors[[1, 3]].T)
    np.testing.assert_array_equal(sphere.points[1], vectors[[0, 2]].T)
    (points,) = bloch.to_qutip(np.zeros((7, 3))).points
    assert points.shape == (3, 7)


@pytest.mark.parametrize(
    ("vectors", "groups", "message"),
    [
        (np.zeros((2, 4, 3)), None, r"shape \(2, 4, 3\); pass those of one qubit"),
        (np.zeros((3, 2)), None, r"shape \(3, 2\)"),
        (np.ones((1, 3)), None, "longer than 1"),
        (np.full((1, 3), np.nan), None, "not a number"),
        (np.zeros((2, 3)), [0], r"groups have shape \(1,\); give one per vector, \[2\]"),
        (np.zeros((5, 3)), range(5), "5 groups but 4 colours"),
    ],
)
def test_what_is_no_set_of_bloch_vectors_is_named(vectors: Array, groups: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bloch.to_qutip(vectors, groups)
