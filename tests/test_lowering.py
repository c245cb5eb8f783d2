"""The lowering to Pauli rotations and the bases that diagonalise them, against Qiskit's own operators."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from qiskit.circuit import (
    AnnotatedOperation,
    ClassicalRegister,
    Gate,
    InverseModifier,
    Parameter,
    ParameterExpression,
    ParameterVector,
    QuantumCircuit,
    QuantumRegister,
)
from qiskit.circuit.library import CXGate, CZGate, HGate, QFTGate, RXGate, efficient_su2, zz_feature_map
from qiskit.quantum_info import Pauli, PauliList, SparsePauliOp, Statevector, random_clifford, random_pauli_list

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import aer, zx
from hqnn.views.noise import depolarising
from hqnn.views.pauli_rotations import PauliRotations, commute, eigenbasis, lower, pauli_action

a, b, c = Parameter("a"), Parameter("b"), Parameter("c")


def measured(circuit: QuantumCircuit, n_inputs: int = 0) -> Circuit:
    """A circuit whose first parameters, in Qiskit's order, are inputs."""
    parameters = list(circuit.parameters)
    observables = pauli_on_each_qubit(circuit.num_qubits)
    return Circuit(
        circuit=circuit, inputs=parameters[:n_inputs], weights=parameters[n_inputs:], observables=observables
    )


def masks(paulis: PauliList) -> tuple[list[int], list[int]]:
    bits = 1 << np.arange(paulis.num_qubits)
    return (paulis.x @ bits).tolist(), (paulis.z @ bits).tolist()


def angles(rotations: PauliRotations, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angles at values of [inputs | weights]."""
    columns = torch.from_numpy(values)
    n_inputs = rotations.input_slopes.shape[1] - len(rotations.derived_inputs)
    more_inputs, more_weights = (
        [float(d.function(*columns[list(d.arguments)])) for d in derived]
        for derived in (rotations.derived_inputs, rotations.derived_weights)
    )
    inputs, weights = [*values[:n_inputs], *more_inputs], [*values[n_inputs:], *more_weights]
    return rotations.input_slopes @ inputs + rotations.weight_slopes @ weights + rotations.constant


def run(rotations: PauliRotations, values: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Multiply the rotations out."""
    state = rotations.initial
    for x, z, angle in zip(rotations.x_masks, rotations.z_masks, angles(rotations, values), strict=True):
        source, phase = pauli_action(int(x), int(z), rotations.n_qubits)
        state = np.cos(angle / 2) * state - 1j * np.sin(angle / 2) * phase * state[source]
    return state


def assert_same_state(circuit: QuantumCircuit, n_inputs: int = 0) -> None:
    values = np.random.default_rng(len(circuit.data)).uniform(0.2, 1.0, circuit.num_parameters)
    expected = Statevector(circuit.assign_parameters(values.tolist())).data
    overlap = np.vdot(expected, run(lower(measured(circuit, n_inputs)), values))
    assert abs(overlap) == pytest.approx(1, abs=1e-12)


def composite() -> QuantumCircuit:
    inner = QuantumCircuit(2, name="inner")
    inner.ry(a, 0)
    inner.cx(1, 0)
    outer = QuantumCircuit(3, name="outer")
    outer.append(inner.to_gate(), [2, 0])
    outer.append(inner.to_gate({a: 2 * b}).control(1), [1, 2, 0])
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    circuit.append(outer.to_instruction(), [3, 1, 0])
    circuit.barrier()
    circuit.append(QFTGate(3).inverse(), [2, 3, 0])
    circuit.append(outer.to_gate().inverse(), [0, 1, 2])
    return circuit


def test_composite_instructions_are_opened() -> None:
    assert_same_state(composite(), n_inputs=1)


def test_qiskits_own_ansatz_circuits_work() -> None:
    circuit = zz_feature_map(3, reps=2)  # its angles hold products (π - x)(π - y)
    circuit.compose(efficient_su2(3, reps=1), inplace=True)
    assert_same_state(circuit, n_inputs=3)
    assert len(lower(measured(circuit, n_inputs=3)).derived_inputs) > 0


def test_registers_are_read_in_the_order_of_the_circuit() -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "first"), QuantumRegister(2, "second"))
    circuit.rx(a, 2)
    circuit.cx(2, 0)
    circuit.ry(b, 0)
    assert_same_state(circuit)


@pytest.mark.parametrize(
    "angle",
    [
        *(a * b, a / b, a**2, a**b, a.sin() * b.cos(), a.tan(), a.arcsin(), a.arccos(), a.arctan(), a.exp(), a.log()),
        *(abs(a - b), (a - b).sign() + c, a.conjugate() + 1),
        *(2 * a - b / 3 + 0.5, a * b / b, (a * b) / (a * b) + c, a - a),  # affine, some of them in disguise
    ],
    ids=str,
)
def test_every_function_of_parameters_that_qiskit_has(angle: ParameterExpression) -> None:
    circuit = QuantumCircuit(1)
    for parameter in (a, b, c):
        circuit.rz(parameter, 0)
        circuit.h(0)
    circuit.ry(angle, 0)
    for n_inputs in (0, 2, 3):
        assert_same_state(circuit, n_inputs)


def test_an_angle_without_inputs_counts_as_a_weight() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(a * b, 0)
    circuit.rz(b * c, 0)
    circuit.ry(a + 2 * b, 0)
    rotations = lower(measured(circuit, n_inputs=1))
    assert [d.arguments for d in rotations.derived_inputs] == [(0, 1)]
    assert [d.arguments for d in rotations.derived_weights] == [(1, 2)]
    np.testing.assert_array_equal(rotations.input_slopes, [[0, 1], [0, 0], [1, 0]])
    np.testing.assert_array_equal(rotations.weight_slopes, [[0, 0, 0], [0, 0, 1], [2, 0, 0]])


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_pauli_action_is_that_of_the_matrix(seed: int, n_qubits: int) -> None:
    (pauli,) = random_pauli_list(n_qubits, 1, seed=seed, phase=False)
    (x,), (z,) = masks(PauliList([pauli]))
    source, phase = pauli_action(x, z, n_qubits)
    state = np.random.default_rng(seed).normal(size=2**n_qubits)
    np.testing.assert_allclose(phase * state[source], pauli.to_matrix() @ state, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(0, 8))
def test_eigenbasis_diagonalises_commuting_strings(seed: int, n_qubits: int, n_strings: int) -> None:
    rng = np.random.default_rng(seed)
    strings = ["".join(rng.choice(list("IZ"), n_qubits)) for _ in range(n_strings)]
    paulis = PauliList([*strings, "I" * n_qubits]).evolve(random_clifford(n_qubits, seed=rng))
    paulis.phase = 0
    basis = eigenbasis(*masks(paulis), n_qubits)
    identity = np.eye(2**n_qubits, dtype=complex)
    change = basis.enter(identity)
    np.testing.assert_allclose(change @ change.conj().T, identity, atol=1e-12)
    np.testing.assert_allclose(basis.leave(identity), change.conj().T, atol=1e-12)
    for pauli, eigenvalues in zip(paulis, basis.eigenvalues, strict=True):
        np.testing.assert_allclose(change @ pauli.to_matrix() @ change.conj().T, np.diag(eigenvalues), atol=1e-12)


def test_eigenbasis_of_diagonal_strings_is_the_computational_one() -> None:
    basis = eigenbasis([0, 0], [0b01, 0b11], 2)
    np.testing.assert_array_equal(basis.enter(np.eye(4, dtype=complex)), np.eye(4))
    np.testing.assert_array_equal(basis.eigenvalues, [[1, -1, 1, -1], [1, -1, -1, 1]])


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 12))
def test_layers_commute_and_keep_the_order_of_what_does_not(seed: int, n_qubits: int, n_rotations: int) -> None:
    paulis = random_pauli_list(n_qubits, n_rotations, seed=seed, phase=False)
    circuit, parameters = QuantumCircuit(n_qubits), ParameterVector("w", n_rotations)
    for pauli, parameter in zip(paulis, parameters, strict=True):
        circuit.append(evolution(pauli, parameter), range(n_qubits))
    rotations = lower(measured(circuit))
    layers = rotations.commuting_layers(range(len(rotations.constant)))
    place = {k: position for position, layer in enumerate(layers) for k in layer}
    assert sorted(place) == list(range(len(rotations.constant)))
    for k in place:
        for j in range(k):
            assert rotations.commute(j, k) or place[j] < place[k]
        assert all(rotations.commute(j, k) for j in layers[place[k]])


def evolution(pauli: Pauli, angle: Parameter) -> QuantumCircuit:
    """exp(-i angle/2 P) in standard gates."""
    circuit = QuantumCircuit(pauli.num_qubits)
    support = [q for q in range(pauli.num_qubits) if pauli.x[q] or pauli.z[q]]
    if not support:
        circuit.rz(angle, 0)
        circuit.rz(-angle, 0)
        return circuit
    into = QuantumCircuit(pauli.num_qubits)
    for q in support:
        if pauli.x[q]:
            into.sdg(q) if pauli.z[q] else None
            into.h(q)
    for q in support[:-1]:
        into.cx(q, support[-1])
    circuit.compose(into, inplace=True)
    circuit.rz(angle, support[-1])
    circuit.compose(into.inverse(), inplace=True)
    return circuit


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_commute_is_that_of_qiskit(seed: int, n_qubits: int) -> None:
    paulis = random_pauli_list(n_qubits, 2, seed=seed)
    (x1, x2), (z1, z2) = masks(paulis)
    assert commute((x1, z1), (x2, z2)) == paulis[0].commutes(paulis[1])


def test_clifford_gates_are_no_rotations() -> None:
    rotations = lower(lcqhnn_circuit())
    assert len(rotations.constant) == 8  # four phase gates and four RY; the other eleven gates are Clifford
    assert rotations.input_slopes.any(axis=1).sum() == 4


def unknown() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, []), [0])
    return circuit


def mid_circuit() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.x(0)
    return circuit


def branching() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.add_register(ClassicalRegister(1, "flag"))
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.x(0)
    return circuit


def resetting() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.reset(0)
    return circuit


@pytest.mark.parametrize(
    ("build", "culprit"),
    [(unknown, "'mystery'"), (mid_circuit, "'measure'"), (branching, "'if_else'"), (resetting, "'reset'")],
)
def test_what_is_no_unitary_gate_is_named(build: Callable[[], QuantumCircuit], culprit: str) -> None:
    with pytest.raises(ValueError, match=culprit):
        lower(measured(build()))


def borrowed(name: str) -> tuple[QuantumCircuit, QuantumCircuit]:
    """A circuit with a composite gate of that name inside another one, and the same gates written out."""
    inner = QuantumCircuit(2, name=name)
    inner.ry(a, 0)
    inner.cx(0, 1)
    inner.h(1)
    outer = QuantumCircuit(2, name="outer")
    outer.append(inner.to_gate(), [1, 0])
    composed, plain = QuantumCircuit(2), QuantumCircuit(2)
    composed.append(outer.to_gate(), [0, 1])
    composed.append(inner.to_gate(), [0, 1])
    for first, second in ((1, 0), (0, 1)):
        plain.ry(a, first)
        plain.cx(first, second)
        plain.h(second)
    return composed, plain


NAMES = ("h", "t", "rx", "p", "u", "cx", "swap", "rzz", "id", "barrier", "delay", "global_phase", "unitary", "cx_o0")


@pytest.mark.parametrize("name", NAMES)
def test_a_gate_is_what_it_is_defined_as_and_not_what_it_is_called(name: str) -> None:
    composed, plain = (measured(circuit, n_inputs=1) for circuit in borrowed(name))
    values = np.array([0.7])
    np.testing.assert_allclose(run(lower(composed), values), run(lower(plain), values), atol=1e-12)
    for noise in (None, depolarising(0.02, 0.1)):
        found, expected = (aer.expectations(pc, [values], [], noise=noise) for pc in (composed, plain))
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_diagrams_go_by_definitions_too(name: str) -> None:
    composed, plain = (zx.diagram(measured(circuit, n_inputs=1)) for circuit in borrowed(name))
    assert zx.is_equal(composed, plain)


def test_a_gate_controlled_by_zeros_is_not_the_one_controlled_by_ones() -> None:
    circuit = QuantumCircuit(2)
    circuit.ry(a, 0)
    circuit.append(CXGate(ctrl_state=0), [0, 1])
    circuit.append(CZGate(ctrl_state=0), [1, 0])
    circuit.ry(b, 0)
    assert_same_state(circuit)
    circuit = circuit.copy_empty_like()
    circuit.append(CXGate(ctrl_state=0), [0, 1])
    with pytest.raises(ValueError, match="no translation"):
        zx.diagram(measured(circuit))


class Doubled(RXGate):
    """A gate of one's own that inherits a standard gate's name."""

    def _define(self) -> None:
        self.definition = QuantumCircuit(1)
        self.definition.rx(2 * self.params[0], 0)


def test_a_subclass_of_a_standard_gate_is_what_it_defines() -> None:
    circuit, plain = QuantumCircuit(1), QuantumCircuit(1)
    circuit.append(Doubled(a), [0])
    plain.rx(2 * a, 0)
    np.testing.assert_array_equal(lower(measured(circuit)).slopes, lower(measured(plain)).slopes)


def test_an_expression_with_nan_in_it_is_named() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx((a + b).assign(b, math.nan), 0)
    with pytest.raises(ValueError, match="is NaN or infinite"):
        lower(measured(circuit))


def test_operations_that_are_no_instructions_are_named() -> None:
    for operation in (random_clifford(1, seed=0), AnnotatedOperation(HGate(), [InverseModifier()])):
        circuit = QuantumCircuit(1)
        circuit.append(operation, [0])
        with pytest.raises(ValueError, match=f"'{operation.name}' is not a unitary gate with a definition"):
            measured(circuit)


def test_twelve_qubits_and_no_more() -> None:
    circuit = QuantumCircuit(12)
    circuit.ry(a, 11)
    assert lower(measured(circuit)).initial.shape == (4096,)
    with pytest.raises(ValueError, match="13 qubits"):
        lower(Circuit(circuit=QuantumCircuit(13), inputs=[], weights=[], observables=[SparsePauliOp("Z" * 13)]))
