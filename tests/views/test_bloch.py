"""Reduced Bloch vectors, against partial traces and closed forms."""

import numpy as np
import pytest
import torch
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Pauli, partial_trace

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import bloch
from tests.exact import draw, states


def test_vectors_are_those_of_the_partial_trace() -> None:
    pc = lcqhnn_circuit()
    x, w = draw(pc, 4)
    random_numbers = torch.get_rng_state()
    found = bloch.bloch_vectors(pc, torch.tensor(x), torch.tensor(w, requires_grad=True))
    assert torch.equal(random_numbers, torch.get_rng_state())  # a layer draws weights, but not from these
    for state, vectors in zip(states(pc, x, w), found, strict=True):
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
    with pytest.raises(ValueError, match="no stage 'ψ1'; this circuit has half"):
        bloch.bloch_vectors(pc, np.zeros((1, 2)), np.zeros(2), stage="ψ1")
