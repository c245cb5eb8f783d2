"""Circuits on Aer, against state vectors and the statistics of finite samples."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.circuit.library import QFTGate
from qiskit.quantum_info import SparsePauliOp
from scipy.stats import chi2

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import aer, noise
from hqnn.views.noise import Noise
from tests.exact import Array, circuit_of, draw, expectations, states

LINE = Noise(name="line", coupling=((0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)))
NOTHING = np.zeros((1, 0))


def awkward() -> Circuit:
    """Distant gates, re-uploaded inputs, a product as an angle, composite gates, several measured settings."""
    x, w = ParameterVector("x", 3), ParameterVector("w", 2)
    circuit = QuantumCircuit(4, name="awkward")
    circuit.h([0, 2])
    circuit.rx(2 * x[0] + 0.3, 1)
    circuit.crx(w[0], 0, 3)
    circuit.u(x[1], w[1], x[0] * w[1], 2)
    circuit.cx(3, 0)
    circuit.append(QFTGate(3), [2, 0, 1])
    circuit.rzz(x[2], 1, 3)
    circuit.ry(x[0] - w[0], 0)
    circuit.global_phase = x[1]
    observables = [
        SparsePauliOp(["IIIZ", "ZIII"], [1.0, -0.4]),
        SparsePauliOp(["IXYI"]),
        SparsePauliOp(["YIIX", "IIII", "ZZII"], [0.5, 2.0, 0.25]),
        SparsePauliOp(["XYZI"]),
    ]
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=observables)


def fit(counts: NDArray[np.int64], probabilities: Array) -> float:
    """The p value of Pearson's test that counts [B, K] are draws from probabilities [B, K]."""
    expected = counts.sum(1, keepdims=True) * probabilities
    possible = expected > 1e-6
    freedom = int(possible.sum()) - len(counts)
    return float(chi2.sf(((counts - expected)[possible] ** 2 / expected[possible]).sum(), freedom))


@pytest.mark.parametrize("device", [None, LINE], ids=["perfect", "line"])
def test_values_equal_those_of_state_vectors_wherever_qubits_are_routed(
    device: Noise | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aer, "CHUNK", 2)
    pc = awkward()
    x, w = draw(pc, 3)
    executed = aer.physical(pc.circuit, device)
    if device is not None:
        pairs = {tuple(executed.find_bit(q).index for q in i.qubits) for i in executed.data if i.operation.name == "cx"}
        assert pairs <= set(device.coupling or ())
        assert executed.layout.final_index_layout() != [0, 1, 2, 3]  # or the test would not see a wrong order
    tensors = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)  # parts of a graph
    np.testing.assert_allclose(aer.expectations(pc, *tensors, noise=device), expectations(pc, x, w), atol=1e-10)
    exact = [state.probabilities() for state in states(pc, x, w)]  # qubit 0 is the last bit
    np.testing.assert_allclose(aer.probabilities(pc, x, w, noise=device), exact, atol=1e-10)
    assert aer.expectations(pc, x[:0], w, shots=3).shape == (0, 4)


def test_a_routed_qubit_is_misread_where_it_is_measured() -> None:
    pc = awkward()
    x, w = draw(pc, 3)
    flips = np.array([0.0, 0.1, 0.2, 0.4])
    readout = np.stack([np.stack([1 - flips, flips], -1), np.stack([flips, 1 - flips], -1)], 1)
    line = replace(LINE, readout=readout)
    counts = aer.counts(pc, x, w, shots=20_000, noise=line, seed=3)
    assert fit(counts, aer.probabilities(pc, x, w, noise=line)) > 1e-3
    straight = replace(line, readout=readout[aer.physical(pc.circuit, line).layout.final_index_layout()])
    assert fit(counts, aer.probabilities(pc, x, w, noise=straight)) < 1e-6


@pytest.mark.parametrize("model", [None, noise.manila()], ids=["perfect", "manila"])
def test_counts_follow_the_exact_distribution(model: Noise | None) -> None:
    pc = lcqhnn_circuit()
    x, w = draw(pc, 20)
    counts = aer.counts(pc, x, w, shots=4000, noise=model, seed=7)
    assert (counts.sum(1) == 4000).all()
    assert 1e-3 < fit(counts, aer.probabilities(pc, x, w, noise=model)) < 1 - 1e-3
    # The test has the power to tell the device from a perfect one.
    other = noise.manila() if model is None else None
    assert fit(counts, aer.probabilities(pc, x, w, noise=other)) < 1e-6


def test_expectations_scatter_as_their_variance_says() -> None:
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.rx(x[1], 1)
    circuit.cx(0, 1)
    strings = ["IX", "ZY", "XX", "ZI"]  # three settings
    pc = Circuit(circuit=circuit, inputs=x, weights=[], observables=[SparsePauliOp([s]) for s in strings])
    rows = np.repeat(draw(pc, 1)[0], 300, axis=0)
    shots = 200
    exact = aer.expectations(pc, rows[:1], [])
    scores = (aer.expectations(pc, rows, [], shots=shots, seed=2) - exact) / np.sqrt((1 - exact**2) / shots)
    assert np.abs(scores.mean(0) * math.sqrt(len(rows))).max() < 4
    assert scores.std(0) == pytest.approx(np.ones(4), abs=0.2)


def test_the_seed_decides_and_samples_and_settings_are_independent() -> None:
    plus = QuantumCircuit(1)
    # |0⟩ measured along X and along Y: with common random numbers both would always agree.
    pc = circuit_of(plus, observables=[SparsePauliOp(["X"]), SparsePauliOp(["Y"])])
    found, same, other = (aer.expectations(pc, np.zeros((200, 0)), [], shots=1, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(found, same)
    assert (found != other).any()
    assert set(found.ravel()) == {-1.0, 1.0}
    assert np.abs(found.mean(0)).max() < 4 / math.sqrt(200)  # no sample repeats the one before
    assert abs(np.mean(found[:, 0] * found[:, 1])) < 4 / math.sqrt(200)


@pytest.mark.parametrize(
    ("inputs", "weights", "options", "message"),
    [
        (np.zeros((2, 3)), np.zeros(4), {}, r"inputs have shape \(2, 3\); this circuit expects \[B, 4\]"),
        (np.zeros((2, 4)), np.zeros((1, 4)), {}, r"weights have shape \(1, 4\); this circuit expects \[4\]"),
        (np.full((2, 4), np.nan), np.zeros(4), {}, "inputs contain NaN"),
        (np.zeros((2, 4)), np.full(4, np.inf), {}, "weights contain NaN or infinity"),
        (np.zeros((2, 4)), np.zeros(4), {"shots": 0}, "shots is 0; measure at least once"),
    ],
)
def test_mistakes_are_named(inputs: Array, weights: Array, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aer.expectations(lcqhnn_circuit(), inputs, weights, **options)


def test_a_device_that_is_too_small_and_what_aer_refuses_are_named() -> None:
    six = circuit_of(QuantumCircuit(6))
    with pytest.raises(ValueError, match="6 qubits but ibmq_manila has 5"):
        aer.expectations(six, NOTHING, [], noise=noise.manila())
    circuit = QuantumCircuit(20, name="wide")  # whose density matrix does not fit any memory
    circuit.h(range(20))
    pc = circuit_of(circuit, observables=pauli_on_each_qubit(20)[:1])
    with pytest.raises(RuntimeError, match=r"Aer could not run circuit 'wide': .*[Mm]emory"):
        aer.counts(pc, NOTHING, [], shots=1, noise=noise.readout(0.1))
