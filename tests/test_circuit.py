"""Tests of the circuits: structure, validation, and the closed forms that follow from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.circuit import library as gates
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp, Statevector

from hqnn.circuit import Circuit, parity, pauli_on_each_qubit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit
from hqnn.papers.transfer.circuits import transfer_circuit

Z = pauli_on_each_qubit(1)


def gate_list(circuit: QuantumCircuit) -> list[tuple[str, tuple[int, ...]]]:
    """Names and qubits of the gates, barriers left out."""
    return [
        (i.operation.name, tuple(circuit.find_bit(q).index for q in i.qubits))
        for i in circuit.data
        if i.operation.name != "barrier"
    ]


def test_lcqhnn_has_the_gates_of_the_text_in_their_order() -> None:
    every: list[tuple[int, ...]] = [(0,), (1,), (2,), (3,)]
    expected: list[tuple[str, tuple[int, ...]]] = [("h", q) for q in every] + [("p", q) for q in every]
    expected += [("cx", pair) for pair in ((0, 1), (1, 2), (2, 3))] + [("ry", q) for q in every]
    expected += [("cx", pair) for pair in ((2, 3), (1, 2), (0, 1))] + [("h", (0,))]
    assert gate_list(lcqhnn_circuit().circuit) == expected
    product = [g for g in gate_list(lcqhnn_circuit("product").circuit) if g[0] == "cx"]
    assert [pair for _, pair in product] == [(2, 3), (1, 2), (0, 1), (0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("order", ["time", "product"])
def test_layers_of_the_same_block_add_up_their_angles(order: Order) -> None:
    deep, flat = lcqhnn_circuit(order, n_layers=3), lcqhnn_circuit(order)
    rng = np.random.default_rng(0)
    x, theta = rng.normal(size=4), rng.normal(size=(3, 4))

    def unitary(pc: Circuit, weights: np.ndarray) -> Operator:
        values = dict(zip(pc.inputs, x, strict=True)) | dict(zip(pc.weights, weights, strict=True))
        return Operator(pc.circuit.assign_parameters(values))

    assert unitary(deep, theta.ravel()) == unitary(flat, theta.sum(0))


def test_stages_are_the_circuit_up_to_each_printed_state() -> None:
    stages = lcqhnn_circuit().stages()
    assert list(stages) == ["ψ1", "ψ2", "ψ3", "ψ4", "ψ5", "ψ6"]
    assert [len(gate_list(stage)) for stage in stages.values()] == [4, 8, 11, 15, 18, 19]


def test_without_entanglement_no_gate_has_two_qubits() -> None:
    assert {len(qubits) for _, qubits in gate_list(lcqhnn_circuit(entangle=False).circuit)} == {1}


def test_observables_count_qubits_from_the_right() -> None:
    assert [o.paulis[0].to_label() for o in pauli_on_each_qubit(3, "Y")] == ["IIY", "IYI", "YII"]
    assert parity(2) == SparsePauliOp("ZZ")


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("rotations_first", [True, False])
def test_the_quanvolution_has_its_parts_in_the_order_asked_for(
    axis: Literal["x", "y", "z"], rotations_first: bool
) -> None:
    """The pixels enter by RY(pi x) in either case [hqnn, section 2.3.2]."""
    pc = quanvolution(axis, "chain", rotations_first=rotations_first)
    rotations = [(f"r{axis}", (q,)) for q in range(4)]
    cnots = [("cx", pair) for pair in ((0, 1), (1, 2), (2, 3))]
    parts = [*rotations, *cnots] if rotations_first else [*cnots, *rotations]
    assert gate_list(pc.circuit) == [*(("ry", (q,)) for q in range(4)), *parts]
    first = [i.operation.params[0] for i in pc.circuit.data if i.operation.name == "ry"][:4]
    assert [float(angle.gradient(x)) for angle, x in zip(first, pc.inputs, strict=True)] == [np.pi] * 4


def test_a_parametric_circuit_names_what_does_not_fit() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(a, 0)
    with pytest.raises(ValueError, match="'a' is neither"):
        Circuit(circuit=circuit, inputs=[], weights=[], observables=Z)
    with pytest.raises(ValueError, match="'a' is listed twice"):
        Circuit(circuit=circuit, inputs=[a], weights=[a], observables=Z)
    with pytest.raises(ValueError, match="'b' does not occur"):
        Circuit(circuit=circuit, inputs=[a], weights=[b], observables=Z)
    with pytest.raises(ValueError, match="no observables"):
        Circuit(circuit=circuit, inputs=[a], weights=[], observables=[])
    with pytest.raises(ValueError, match="acts on 2 qubits but the circuit has 1"):
        Circuit(circuit=circuit, inputs=[a], weights=[], observables=[SparsePauliOp("ZZ")])
    with pytest.raises(ValueError, match="Hermitian"):
        Circuit(circuit=circuit, inputs=[a], weights=[], observables=[SparsePauliOp("Z", [1j])])
    with pytest.raises(ValueError, match="order is 'forwards'"):
        lcqhnn_circuit("forwards")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        lcqhnn_circuit(n_layers=0)


def one_rotation(**fields: Any) -> Circuit:
    """RX(a) measured in Z, with other fields in the place of some."""
    a = Parameter("a")
    circuit = QuantumCircuit(1)
    circuit.rx(a, 0)
    return Circuit(**{"circuit": circuit, "inputs": [a], "weights": [], "observables": Z} | fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"circuit": "rx"}, "circuit is a str; pass a QuantumCircuit"),
        ({"inputs": Parameter("a")}, r"inputs is a single Parameter; put it in a list"),
        ({"inputs": 2 * Parameter("a")}, "inputs is a single ParameterExpression; put it in a list"),
        ({"inputs": "a"}, "inputs is a single str; put it in a list"),
        ({"inputs": ["a"]}, r"inputs\[0\] is a str; pass a Parameter"),
        ({"inputs": {Parameter("a")}}, "inputs is a set, which has no order"),
        ({"weights": 3}, "weights is a single int; put it in a list"),
        ({"observables": SparsePauliOp(["Z", "X"])}, "observables is a single SparsePauliOp; put it in a list"),
        ({"observables": "Z"}, "observables is a single str; put it in a list"),
        ({"observables": ["Z"]}, r"observables\[0\] is a str; pass a SparsePauliOp"),
        ({"observables": [*Z, Pauli("Z")]}, r"observables\[1\] is a Pauli; pass a SparsePauliOp"),
        ({"observables": [Operator(Pauli("Z"))]}, r"observables\[0\] is a Operator; pass a SparsePauliOp"),
    ],
)
def test_things_of_another_type_are_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        one_rotation(**fields)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, complex(0, math.nan)])
def test_observables_that_are_no_finite_numbers_are_named(value: complex) -> None:
    unchecked = SparsePauliOp(["Z", "X"])
    unchecked.coeffs = np.array([1.0, value])  # its constructor multiplies, which warns
    with pytest.raises(ValueError, match="observable 1 has a coefficient that is not a finite number"):
        one_rotation(observables=[*Z, unchecked])


def test_a_parametric_coefficient_is_named() -> None:
    with pytest.raises(ValueError, match="observable 0 has a coefficient that is not a finite number; bind"):
        one_rotation(observables=[SparsePauliOp("Z", np.array([Parameter("c")]))])


@pytest.mark.parametrize("angle", [math.nan, math.inf])
def test_bound_angles_that_are_no_finite_numbers_are_named(angle: float) -> None:
    inner = QuantumCircuit(1, name="inner")
    inner.ry(angle, 0)
    circuit = QuantumCircuit(2)
    circuit.append(inner.to_gate(), [1])
    with pytest.raises(ValueError, match=r"gate 'ry' on qubits \[1\] has an angle that is NaN or infinite"):
        Circuit(circuit=circuit, inputs=[], weights=[], observables=pauli_on_each_qubit(2))


def test_classical_bits_are_refused() -> None:
    circuit = QuantumCircuit(1, 1)
    with pytest.raises(ValueError, match="classical bits"):
        Circuit(circuit=circuit, inputs=[], weights=[], observables=Z)
    circuit.measure(0, 0)
    with pytest.raises(ValueError, match="'measure' is not a unitary gate"):
        Circuit(circuit=circuit, inputs=[], weights=[], observables=Z)


def test_a_gate_named_barrier_belongs_to_its_stage() -> None:
    flip = QuantumCircuit(1, name="barrier")
    flip.x(0)
    circuit = QuantumCircuit(1)
    circuit.append(flip.to_gate(), [0])
    circuit.barrier(label="end")
    pc = Circuit(circuit=circuit, inputs=[], weights=[], observables=Z)
    assert Statevector(pc.stages()["end"]) == Statevector([0, 1])


def rotation(pauli: str, angle: float) -> np.ndarray:
    """exp(-i angle P / 2)."""
    matrix = {"X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}[pauli]
    return np.asarray(np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * np.array(matrix))


def strongly_entangled(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """⟨Y⟩ on each qubit by tensors with one axis per qubit; x [n], theta [layers, n, 3]."""
    n = len(x)
    state = np.zeros((2,) * n, dtype=complex)
    state[(0,) * n] = 1

    def rotate(state: np.ndarray, q: int, pauli: str, angle: float) -> np.ndarray:
        return np.moveaxis(np.tensordot(rotation(pauli, angle), state, axes=(1, q)), 0, q)

    for q in range(n):
        state = rotate(state, q, "X", x[q])
    for layer, angles in enumerate(theta):
        for q in range(n):
            for pauli, angle in zip("ZYZ", angles[q], strict=True):
                state = rotate(state, q, pauli, angle)
        for q in range(n) if n > 1 else ():
            target, before = (q + layer % (n - 1) + 1) % n, state
            indices = [1 - bits if axis == target else bits for axis, bits in enumerate(np.indices(state.shape))]
            state = np.where(np.indices(state.shape)[q] == 1, before[tuple(indices)], before)
    y = np.array([[0, -1j], [1j, 0]])
    return np.array([np.vdot(state, np.moveaxis(np.tensordot(y, state, axes=(1, q)), 0, q)).real for q in range(n)])


@pytest.mark.parametrize(("n_qubits", "n_layers"), [(1, 2), (2, 3), (3, 4), (5, 3)])
def test_strongly_entangling_agrees_with_tensors(n_qubits: int, n_layers: int) -> None:
    pc = strongly_entangling(n_qubits=n_qubits, n_layers=n_layers)
    rng = np.random.default_rng(n_qubits)
    x, theta = rng.uniform(-4, 4, n_qubits), rng.uniform(-4, 4, (n_layers, n_qubits, 3))
    values = dict(zip([*pc.inputs, *pc.weights], np.concatenate([x, theta.ravel()]), strict=True))
    state = Statevector(pc.circuit.assign_parameters(values))
    measured = [state.expectation_value(observable).real for observable in pc.observables]
    np.testing.assert_allclose(measured, strongly_entangled(x, theta), atol=1e-12)


def test_strongly_entangling_is_pennylanes() -> None:
    qml = pytest.importorskip("pennylane")
    rng = np.random.default_rng(0)
    x, theta = rng.uniform(-4, 4, 5), rng.uniform(-4, 4, (3, 5, 3))

    @qml.qnode(qml.device("default.qubit", wires=5))
    def layer() -> list[object]:
        qml.AngleEmbedding(x, wires=range(5), rotation="X")
        qml.StronglyEntanglingLayers(theta, wires=range(5))
        return [qml.expval(qml.PauliY(q)) for q in range(5)]

    np.testing.assert_allclose(np.array(layer(), dtype=float), strongly_entangled(x, theta), atol=1e-12)


def test_strongly_entangling_has_the_papers_size() -> None:
    pc = strongly_entangling()
    assert (pc.n_inputs, pc.n_weights, pc.n_observables) == (5, 45, 5)
    assert list(pc.stages()) == ["embedding", "layer 1", "layer 2", "layer 3"]
    cnots = [qubits for name, qubits in gate_list(pc.circuit) if name == "cx"]
    assert [(target - control) % 5 for control, target in cnots] == [1] * 5 + [2] * 5 + [3] * 5
    flat = strongly_entangling(entangle=False)
    assert {len(qubits) for _, qubits in gate_list(flat.circuit)} == {1}
    with pytest.raises(ValueError, match="n_layers is 0"):
        strongly_entangling(n_layers=0)


def digested(
    build: Callable[[QuantumCircuit, Parameter, Parameter], object],
    *,
    names: tuple[str, str] = ("a", "b"),
    observables: Sequence[SparsePauliOp] = pauli_on_each_qubit(2),
) -> str:
    """The digest of a circuit on two qubits with one input and one weight."""
    a, b = map(Parameter, names)
    circuit = QuantumCircuit(2)
    build(circuit, a, b)
    return Circuit(circuit=circuit, inputs=[a], weights=[b], observables=observables).digest


def plain(c: QuantumCircuit, a: Parameter, b: Parameter) -> None:
    """An embedding, an entangler and a trained rotation."""
    c.ry(2 * a, 0)
    c.h(1)
    c.cx(0, 1)
    c.rx(b + 0.5, 1)


def extended(c: QuantumCircuit, a: Parameter, b: Parameter) -> list[object]:
    """The same, to be followed by more gates."""
    plain(c, a, b)
    return []


def in_another_order(c: QuantumCircuit, a: Parameter, b: Parameter) -> None:
    """Independent gates, and the terms of sums, the other way round."""
    c.h(1)
    c.ry(a + a, 0)
    c.cx(0, 1)
    c.rx(0.1 + b + 0.4, 1)


def decorated(c: QuantumCircuit, a: Parameter, b: Parameter) -> None:
    """Names, labels, barriers, a global phase, and a composite gate that bears the name of a standard one."""
    c.name, c.global_phase = "another", 0.3
    c.ry(2 * a, 0, label="embedding")
    c.barrier(label="here")
    inner = QuantumCircuit(2, name="swap")
    inner.h(1)
    inner.cx(0, 1)
    c.append(inner.to_gate(), [0, 1])
    c.append(gates.GlobalPhaseGate(0.1), [])
    c.rx(b + 0.5, 1)
    c.barrier()


@pytest.mark.parametrize("same", [in_another_order, decorated])
def test_a_digest_is_left_alone_by_what_changes_nothing_physical(
    same: Callable[[QuantumCircuit, Parameter, Parameter], None],
) -> None:
    assert digested(same) == digested(plain)
    assert digested(plain, names=("z", "θ")) == digested(plain)  # sorted by name, the parameters change places
    observables = [SparsePauliOp(["ZI", "IZ"], [1, 2]), SparsePauliOp("XX")]
    again = [SparsePauliOp(["IZ", "ZI", "IZ", "YY"], [1, 1, 1, 0]), SparsePauliOp("XX")]
    assert digested(plain, observables=again) == digested(plain, observables=observables)


def test_a_digest_is_changed_by_whatever_is_physical() -> None:
    pc = strongly_entangling(n_qubits=2, n_layers=1)
    circuits = {
        "plain": digested(plain),
        "gate": digested(lambda c, a, b: [c.rx(2 * a, 0), c.h(1), c.cx(0, 1), c.rx(b + 0.5, 1)]),
        "factor": digested(lambda c, a, b: [c.ry(2 * (1 + 1e-9) * a, 0), c.h(1), c.cx(0, 1), c.rx(b + 0.5, 1)]),
        "constant": digested(lambda c, a, b: [c.ry(2 * a, 0), c.h(1), c.cx(0, 1), c.rx(b + 0.25, 1)]),
        "sign": digested(lambda c, a, b: [c.ry(2 * a, 0), c.h(1), c.cx(0, 1), c.rx(0.5 - b, 1)]),
        "qubits": digested(lambda c, a, b: [c.ry(2 * a, 0), c.h(1), c.cx(1, 0), c.rx(b + 0.5, 1)]),
        "control": digested(lambda c, a, b: [c.ry(2 * a, 0), c.h(1), c.cx(0, 1, ctrl_state=0), c.rx(b + 0.5, 1)]),
        "order": digested(lambda c, a, b: [c.ry(2 * a, 0), c.h(1), c.rx(b + 0.5, 1), c.cx(0, 1)]),
        "roles": digested(lambda c, a, b: [c.ry(2 * b, 0), c.h(1), c.cx(0, 1), c.rx(a + 0.5, 1)]),
        "wait": digested(lambda c, a, b: [*extended(c, a, b), c.delay(100, 0)]),
        "time": digested(lambda c, a, b: [*extended(c, a, b), c.delay(100, 0, unit="ns")]),
        "matrix": digested(lambda c, a, b: [*extended(c, a, b), c.unitary([[0, 1], [1, 0]], 0)]),
        "other matrix": digested(lambda c, a, b: [*extended(c, a, b), c.unitary([[0, -1j], [1j, 0]], 0)]),
        "product": digested(lambda c, a, b: [c.ry(a * b, 0), c.rx(b, 0)]),
        "quotient": digested(lambda c, a, b: [c.ry(a / b, 0), c.rx(b, 0)]),
        "arccosine": digested(lambda c, a, b: [c.ry(2 * a.arccos(), 0), c.rx(b, 0)]),
        "arcsine": digested(lambda c, a, b: [c.ry(2 * a.arcsin(), 0), c.rx(b, 0)]),
        "absolute": digested(lambda c, a, b: [c.ry(a.abs(), 0), c.rx(b, 0)]),
        "straight": digested(lambda c, a, b: [c.ry(a, 0), c.rx(b, 0)]),
        "observable": digested(plain, observables=pauli_on_each_qubit(2, "X")),
        "coefficient": digested(plain, observables=[2 * o for o in pauli_on_each_qubit(2)]),
        "order of observables": digested(plain, observables=pauli_on_each_qubit(2)[::-1]),
        "fewer observables": digested(plain, observables=pauli_on_each_qubit(2)[:1]),
        "weights": pc.digest,
        "inputs swapped": replace(pc, inputs=pc.inputs[::-1]).digest,
        "an input trained": replace(pc, inputs=pc.inputs[:1], weights=[*pc.inputs[1:], *pc.weights]).digest,
        "an idle qubit": Circuit(
            circuit=QuantumCircuit(1), inputs=[], weights=[], observables=[SparsePauliOp("I")]
        ).digest,
        "two idle qubits": Circuit(
            circuit=QuantumCircuit(2), inputs=[], weights=[], observables=[SparsePauliOp("II")]
        ).digest,
    }
    assert len(set(circuits.values())) == len(circuits), circuits


def test_a_digest_outlives_the_process_and_the_version() -> None:
    """Stored records are held against these."""
    assert {
        "lcqhnn": lcqhnn_circuit().digest[:16],
        "strongly entangling": strongly_entangling().digest[:16],
        "quanvolution": quanvolution().digest[:16],
        "transfer": transfer_circuit().digest[:16],
    } == {
        "lcqhnn": "2a833be19e92b625",
        "strongly entangling": "641931bed5f2ddc1",
        "quanvolution": "625aa3e1d55c35ab",
        "transfer": "ba8309e6cb198621",
    }
