"""Noise models on physical gates, against closed forms."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Kraus, SparsePauliOp, SuperOp, average_gate_fidelity

from hqnn.circuit import Circuit
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import aer, noise
from hqnn.views.noise import Noise

T1, T2 = 100e-6, 70e-6
TIMES = {"time_1q": 40e-9, "time_2q": 300e-9}


def assert_equal(found: ArrayLike, expected: ArrayLike) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=0, atol=1e-10)


def measure(circuit: QuantumCircuit, model: Noise | None, *strings: str) -> NDArray[np.float64]:
    """Exact expectation values of Pauli strings in a circuit without parameters."""
    observables = [SparsePauliOp([s]) for s in strings]
    pc = Circuit(circuit=circuit, inputs=[], weights=[], observables=observables)
    return aer.expectations(pc, np.zeros((1, 0)), [], noise=model)[0]


# --- depolarising


def test_a_rotation_is_two_pulses_whatever_its_angle_and_a_phase_is_none() -> None:
    theta = ParameterVector("θ", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    for _ in range(3):  # what undoes itself is executed all the same
        circuit.rx(0.4, 0)
        circuit.rx(-0.4, 0)
        circuit.x(0)
    circuit.x(0)
    circuit.rz(0.3, 0)
    circuit.p(0.2, 0)
    pc = Circuit(circuit=circuit, inputs=theta, weights=[], observables=[SparsePauliOp(["Z"])])
    found = aer.expectations(pc, [[0.0], [0.7], [math.pi]], [], noise=noise.depolarising(0.03, 0.5))
    assert_equal(found[:, 0], (1 - 0.03) ** 18 * np.cos([0, 0.7, math.pi]))


def test_a_bell_pair_and_the_turn_of_the_measured_axis_lose_what_they_should() -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    p1, p2 = 0.02, 0.05
    found = measure(circuit, noise.depolarising(p1, p2), "ZZ", "XX", "YY", "IZ")
    # ⟨ZZ⟩ does not see the error of the Hadamard gate; X and Y are measured after one more pulse on each qubit.
    shared = (1 - p1) ** 3 * (1 - p2)
    assert_equal(found, [1 - p2, shared, -shared, 0])


def test_deeper_circuits_keep_their_depth() -> None:
    n_layers = 3
    circuit = lcqhnn_circuit(n_layers=n_layers).circuit
    for model in (noise.depolarising(0, 0), noise.manila()):
        executed = aer.physical(circuit, model)
        assert executed.num_qubits == 4  # the device's other qubits are not simulated
        gates = executed.count_ops()
        # One pulse per Hadamard gate, two per RY, and every CNOT of both ladders.
        assert (gates["sx"], gates["cx"]) == (5 + 8 * n_layers, 6 * n_layers)


# --- readout


def test_a_misread_string_shrinks_once_per_qubit() -> None:
    p = 0.07
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.ry(0.8, 1)
    found = measure(circuit, noise.readout(p), "IIZ", "IZI", "ZZI", "ZZZ", "IIX", "III")
    ideal = measure(circuit, None, "IIZ", "IZI", "ZZI", "ZZZ", "IIX", "III")
    assert_equal(found, ideal * (1 - 2 * p) ** np.array([1, 1, 2, 3, 1, 0]))


# --- thermal relaxation


def test_qubits_relax_while_gates_run_and_while_they_wait() -> None:
    """Excited as late as it can be, both qubits of a gate for its duration, and a third until the next barrier."""
    model = noise.thermal(T1, T2, **TIMES)
    circuit = QuantumCircuit(4)
    circuit.x(0)
    circuit.barrier()
    circuit.cx(1, 2)
    circuit.barrier()
    circuit.cx(1, 2)
    circuit.x(3)  # nothing awaits it: it is excited just before the measurement
    found = measure(circuit, model, "IIIZ", "IIZI", "ZIII")
    assert_equal(found, [1 - 2 * math.exp(-(40e-9 + 600e-9) / T1), 1, 1 - 2 * math.exp(-40e-9 / T1)])
    pair = QuantumCircuit(2)
    pair.x(0)
    pair.cx(0, 1)
    # From here on either both qubits are excited or, having decayed before, neither is.
    single = 1 - 2 * math.exp(-(40e-9 + 300e-9) / T1)
    apart = 2 * math.exp(-(40e-9 + 300e-9) / T1) * (1 - math.exp(-300e-9 / T1))  # exactly one has decayed since
    assert_equal(measure(pair, model, "IZ", "ZI", "ZZ"), [single, single, 1 - 2 * apart])


def test_a_superposition_dephases() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.delay(30, 0, unit="us")
    circuit.h(0)
    pulse, time = 40e-9, 30e-6 + 40e-9
    found = measure(circuit, noise.thermal(T1, T2, **TIMES), "Z")
    assert_equal(found, 1 - (1 - math.exp(-time / T2)) * math.exp(-pulse / T1))


# --- the calibrated device


def test_every_channel_has_the_measured_error() -> None:
    device = noise.manila()
    measured: dict[noise.Place, float] = {("cx", (a, b)): error for a, b, error, _ in noise._MANILA_PAIRS}
    measured |= {(gate, (q,)): row[2] for gate in ("sx", "x") for q, row in enumerate(noise._MANILA_QUBITS)}
    assert (device.t1[0], device.t2[2]) == pytest.approx((131.5e-6, 25.15e-6))
    assert (device.durations["x", (4,)], device.durations["cx", (1, 0)]) == pytest.approx((35.56e-9, 312.9e-9))
    assert device.gate_errors.keys() == measured.keys()
    assert len(measured) == 18
    limited = set()
    for place, channel in device.gate_errors.items():
        times = [
            (device.durations[place] / device.t1[q], device.durations[place] / device.t2[q]) for q in place[1] or ()
        ]
        entanglement_fidelity = math.prod((1 + math.exp(-a) + 2 * math.exp(-b)) / 4 for a, b in times)
        dim = 2 ** len(times)
        from_relaxation = 1 - (dim * entanglement_fidelity + 1) / (dim + 1)
        error = 1 - average_gate_fidelity(SuperOp(channel))
        assert error == pytest.approx(max(measured[place], from_relaxation), rel=1e-6)
        if from_relaxation > measured[place]:
            limited.add(place)
    # Some gates were measured to err a little less than the T1 and T2 of that day alone would have it.
    assert limited == {("sx", (0,)), ("x", (0,)), ("sx", (3,)), ("x", (3,)), ("cx", (3, 4)), ("cx", (4, 3))}


def test_states_are_misread_as_calibrated() -> None:
    """All qubits stay in state 0: the chance to read 1 on each is the calibration's."""
    pc = Circuit(circuit=QuantumCircuit(5), inputs=[], weights=[], observables=[SparsePauliOp(["ZIIII"])])
    exact = aer.probabilities(pc, np.zeros((1, 0)), [], noise=noise.manila())[0]
    marginals = [exact[[k for k in range(32) if k >> q & 1]].sum() for q in range(5)]
    assert marginals == pytest.approx([row[3] for row in noise._MANILA_QUBITS], abs=1e-10)
    excited = QuantumCircuit(5)
    excited.x(2)
    (z,) = measure(excited, noise.manila(), "IIZII")
    assert z == pytest.approx(2 * noise._MANILA_QUBITS[2][4] - 1, abs=5e-3)  # the pulse errs a little, too


def test_the_device_does_gate_by_gate_what_its_calibration_says() -> None:
    pc = lcqhnn_circuit()
    device = noise.manila()
    rng = np.random.default_rng(0)
    x, w = rng.uniform(0, np.pi, 4), rng.uniform(0, 2 * np.pi, 4)
    executed = aer.physical(pc.circuit, device).assign_parameters(
        dict(zip([*pc.inputs, *pc.weights], [*x, *w], strict=True))
    )
    state, waited = DensityMatrix.from_int(0, 2**4), 0
    for instruction in executed.data:
        gate, qubits = instruction.operation, tuple(executed.find_bit(q).index for q in instruction.qubits)
        if gate.name == "delay":
            (q,) = qubits
            assert gate.unit == "dt"
            time = gate.duration * noise.CLOCK
            decay, coherence = math.exp(-time / device.t1[q]), math.exp(-time / device.t2[q])
            damp = Kraus([[[1, 0], [0, math.sqrt(decay)]], [[0, math.sqrt(1 - decay)], [0, 0]]])
            flip = (1 - coherence / math.sqrt(decay)) / 2
            state = state.evolve(damp, [q]).evolve(
                Kraus([np.sqrt(1 - flip) * np.eye(2), np.sqrt(flip) * np.diag([1, -1])]), [q]
            )
            waited += 1
        elif gate.name != "barrier":
            state = state.evolve(gate, qubits)
            if gate.name != "rz":
                state = state.evolve(SuperOp(device.gate_errors[gate.name, qubits]), qubits)
    assert waited > 10
    expected = device.misread(state.probabilities()[None], range(4))
    np.testing.assert_allclose(aer.probabilities(pc, x[None], w, noise=device), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: noise.depolarising(-0.1, 0), "p1 is -0.1; a probability lies between 0 and 1"),
        (lambda: noise.depolarising(0, 1.1), "p2 is 1.1"),
        (lambda: noise.readout(math.nan), "p is nan"),
        (lambda: noise.thermal(1e-6, 2.1e-6), "more than twice t1"),
        (lambda: noise.thermal(1e-6, 0.0), "t2 is 0.0 s; times are positive"),
        (lambda: noise.thermal(1e-6, 1e-6, time_2q=math.nan), "time_2q is nan"),
    ],
)
def test_strengths_are_probabilities_and_times_are_physical(build: Callable[[], Noise], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
