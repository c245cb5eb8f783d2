"""ZX-diagrams: equal to the circuits they come from, before and after reduction, and every parameter followed."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import Parameter, ParameterVector, QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.views import gradients, zx

TURNS = ["rx", "ry", "rz", "p", "rzz", "rxx"]
PAIRS = ["cx", "cz", "cy", "swap", "ecr", "rzz", "rxx"]
FIXED = ["h", "x", "y", "z", "s", "sdg", "sx", "sxdg"]


def _circuit(gates: list[tuple[str, int]], n_qubits: int = 3) -> Circuit:
    """A circuit of named gates on qubits; those on two go to the next qubit."""
    theta = ParameterVector("θ", sum(name in TURNS for name, _ in gates))
    angles = iter(theta)
    circuit = QuantumCircuit(n_qubits)
    for name, q in gates:
        qubits = [q, (q + 1) % n_qubits] if name in PAIRS else [q]
        getattr(circuit, name)(*([next(angles)] if name in TURNS else []), *qubits)
    return Circuit(circuit=circuit, inputs=[], weights=theta, observables=pauli_on_each_qubit(n_qubits))


def _proportional(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(abs(np.vdot(a, b)) > (1 - 1e-9) * np.linalg.norm(a) * np.linalg.norm(b))


gate_lists = st.lists(
    st.tuples(st.sampled_from(sorted({*TURNS, *PAIRS, *FIXED})), st.integers(0, 2)), min_size=1, max_size=12
)


def _values(pc: Circuit) -> tuple[QuantumCircuit, dict[str, float]]:
    """A circuit with numbers for its parameters, and these numbers by name."""
    values = dict(zip(pc.weights, np.random.default_rng(1).uniform(0, 2 * np.pi, pc.n_weights), strict=True))
    return pc.circuit.assign_parameters(values), {parameter.name: value for parameter, value in values.items()}


@settings(max_examples=20)
@given(gate_lists)
def test_a_diagram_is_its_circuit_before_and_after_reduction(gates: list[tuple[str, int]]) -> None:
    """Open at both ends, and as the state that the circuit makes of zeros."""
    pc = _circuit(gates)
    full = zx.diagram(pc)
    reduced = zx.reduce(full)
    bound, names = _values(pc)
    expected = Operator(bound.reverse_bits()).data
    for diagram in (full, reduced, zx.extract(reduced)[1]):
        assert _proportional(zx.with_values(diagram, names).to_matrix(preserve_scalar=False), expected)
    assert zx.is_equal(full, reduced)
    on_zero = zx.diagram(pc, on_zero=True)
    for diagram in (on_zero, zx.reduce(on_zero)):
        found = zx.with_values(diagram, names).to_matrix(preserve_scalar=False)
        assert found.shape == (8, 1)  # no wire is open at its start
        assert _proportional(found.ravel(), expected[:, 0])


@settings(max_examples=20)
@given(gate_lists, st.text("IXYZ", min_size=3, max_size=3))
def test_a_closed_diagram_is_the_expectation_value(gates: list[tuple[str, int]], pauli: str) -> None:
    pc = dataclasses.replace(_circuit(gates), observables=[SparsePauliOp("ZZZ"), SparsePauliOp(pauli)])
    bound, names = _values(pc)
    expected = Statevector(bound).expectation_value(pc.observables[1])
    number = zx.with_values(zx.expectation(pc, 1), names).to_matrix(preserve_scalar=True)
    np.testing.assert_allclose(number, [[(-1j) ** pauli.count("Y") * expected]], atol=1e-9)


def test_two_rotations_about_one_axis_share_a_spider_and_one_of_zero_about_its_own_is_gone() -> None:
    pc = _circuit([("rx", 0), ("rx", 0), ("rz", 1)])
    reduced = zx.reduce(zx.diagram(pc))
    places = zx.places(reduced)
    assert places["θ[0]"] == places["θ[1]"] == [("θ[0]", "θ[1]")]
    assert places["θ[2]"] == [("θ[2]",)]
    assert ((1, "θ[0]"), (1, "θ[1]")) in zx.nodes(reduced).values()
    assert zx.places(zx.reduce(zx.diagram(pc, on_zero=True)))["θ[2]"] == []


def test_a_rotation_about_what_is_measured_is_gone() -> None:
    pc = _circuit([("ry", 0), ("rz", 0)], n_qubits=1)
    assert not zx.is_equal(zx.diagram(pc), zx.diagram(_circuit([("rz", 0), ("ry", 0)], n_qubits=1)))
    assert zx.places(zx.reduce(zx.expectation(pc, 0)))["θ[1]"] == []
    measured_x = dataclasses.replace(pc, observables=[SparsePauliOp("X")])
    assert zx.places(zx.reduce(zx.expectation(measured_x, 0)))["θ[1]"] != []


def test_the_papers_layer_keeps_every_parameter_on_a_spider_of_its_own() -> None:
    pc = strongly_entangling()
    full = zx.diagram(pc)
    reduced = zx.reduce(full)
    assert zx.size(full) == zx.Size(spiders=110, edges=130, non_clifford=50)
    assert zx.size(reduced).non_clifford == 50
    assert zx.places(reduced) == {p.name: [(p.name,)] for p in (*pc.inputs, *pc.weights)}
    assert sum(gate.name == "ZPhase" for gate in zx.extract(reduced)[0].gates) == 50


def test_what_vanishes_from_an_outputs_diagram_has_no_derivative() -> None:
    output = 3
    pc, rng = strongly_entangling(), np.random.default_rng(0)
    jacobian = gradients.jacobian(pc, rng.uniform(0, 6, (16, 5)), rng.uniform(0, 6, 45))[:, output]
    places = zx.places(zx.reduce(zx.expectation(pc, output)))
    assert [bool(held) for held in places.values()] == (np.abs(jacobian).max(axis=0) > 1e-9).tolist()


def test_what_has_no_diagram_is_named() -> None:
    a, b = Parameter("a"), Parameter("b")
    for build, message in (
        (lambda c: c.rx(a + b, 0), "2 parameters"),
        (lambda c: (c.rx(a, 0), c.rx(2 * a, 0), c.rx(b, 0)), "enters as"),
        (lambda c: (c.crz(a, 0, 1), c.rx(b, 0)), "enters as"),
        (lambda c: (c.rx(a, 0), c.rx(b, 0), c.t(1)), "the fixed angle 0.785.* is no multiple of π/2"),
    ):
        circuit = QuantumCircuit(2)
        build(circuit)
        pc = Circuit(circuit=circuit, inputs=[a], weights=[b], observables=pauli_on_each_qubit(2))
        with pytest.raises(ValueError, match=message):
            zx.diagram(pc)
    pc = _circuit([("rx", 0)], n_qubits=1)
    with pytest.raises(ValueError, match="not a product of Pauli matrices"):
        zx.expectation(dataclasses.replace(pc, observables=[SparsePauliOp(["X", "Z"])]), 0)
    diagram = zx.diagram(_circuit([("rx", 0)]))
    diagram.graph.set_phase(next(iter(zx.nodes(diagram))), Fraction(1, 3))
    with pytest.raises(ValueError, match="not a sum"):
        zx.nodes(diagram)
