"""Qiskit's primitives against state vectors: exact, with shots, and on a device with couplings of its own."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, StatevectorEstimator, StatevectorSampler
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap, generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import EstimatorV2 as AerEstimator
from scipy.stats import chisquare

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.views import aer, primitives
from tests.exact import circuit_of, draw, entangling, expectations, states

LINE = CouplingMap([[4, 2], [2, 0], [0, 3], [3, 1]])


def borrowed() -> Circuit:
    """A gate called `h` that is none, which transpilers take by its name, and no parameters at all."""
    gate = QuantumCircuit(1, name="h")
    gate.rx(0.4, 0)
    circuit = QuantumCircuit(2)
    circuit.append(gate.to_gate(), [0])
    circuit.cx(0, 1)
    return Circuit(circuit=circuit, inputs=[], weights=[], observables=pauli_on_each_qubit(2))


@pytest.mark.parametrize("estimator", [StatevectorEstimator(), AerEstimator()], ids=["statevector", "aer"])
@pytest.mark.parametrize("pc", [entangling(3, 1), borrowed()], ids=["entangling", "no parameters"])
def test_an_exact_estimator_gives_the_exact_values(pc: Circuit, estimator: StatevectorEstimator) -> None:
    x, w = draw(pc, 3)
    found = primitives.expectations(pc, x, w, estimator=estimator)
    np.testing.assert_allclose(found, expectations(pc, x, w), atol=1e-9)
    np.testing.assert_allclose(found, aer.expectations(pc, x, w), atol=1e-9)


def test_a_device_of_other_gates_and_couplings() -> None:
    """The circuit is laid on qubits of the device's choice, and the observables follow."""
    device = GenericBackendV2(5, basis_gates=["cz", "id", "rz", "sx", "x"], coupling_map=LINE, noise_info=False, seed=1)
    pc = entangling(3, 1)
    x, w = draw(pc, 3)
    passes = generate_preset_pass_manager(1, backend=device, initial_layout=[3, 1, 0], seed_transpiler=1)
    assert passes.run(pc.circuit).layout.initial_index_layout()[:3] != [0, 1, 2]
    exact = primitives.expectations(pc, x, w, estimator=StatevectorEstimator(), passes=passes)
    np.testing.assert_allclose(exact, expectations(pc, x, w), atol=1e-9)
    precision = 0.01
    simulator = AerSimulator(seed_simulator=1)
    found = primitives.expectations(
        pc, x, w, estimator=BackendEstimatorV2(backend=simulator), passes=passes, precision=precision
    )
    assert 0 < np.abs(found - exact).max() < 5 * precision
    sampled = primitives.counts(pc, x, w, sampler=BackendSamplerV2(backend=simulator), passes=passes, shots=4000)
    _are_of(sampled, pc, x, w)


def _are_of(counts: np.ndarray, pc: Circuit, x: np.ndarray, w: np.ndarray) -> None:
    for row, state in zip(counts, states(pc, x, w), strict=True):
        p = state.probabilities()
        possible = p > 1e-12
        assert row[~possible].sum() == 0
        assert chisquare(row[possible], row.sum() * p[possible] / p.sum()).pvalue > 1e-3


@pytest.mark.parametrize("pc", [entangling(3, 1), borrowed()], ids=["entangling", "no parameters"])
def test_samplers_read_qubit_q_into_bit_q(pc: Circuit) -> None:
    x, w = draw(pc, 3)
    for sampler in (StatevectorSampler(seed=1), BackendSamplerV2(backend=AerSimulator(seed_simulator=1))):
        counts = primitives.counts(pc, x, w, sampler=sampler, shots=4000)
        assert counts.sum(1).tolist() == [4000] * 3
        _are_of(counts, pc, x, w)


def test_what_is_wrong_is_said_before_anything_runs() -> None:
    pc = circuit_of(entangling(2, 1).circuit, n_inputs=2)
    x, w = draw(pc, 2)
    for message, inputs, weights, shots in (
        (r"inputs have shape \(2, 1\)", x[:, :1], w, 1),
        ("weights contain NaN", x, w * np.nan, 1),
        ("measure at least once", x, w, 0),
    ):
        with pytest.raises(ValueError, match=message):
            primitives.counts(pc, inputs, weights, shots=shots, sampler=StatevectorSampler())
