"""A circuit says what does not fit, splits at its barriers, and has a digest of what it does."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import Gate, Parameter, QuantumCircuit
from qiskit.circuit import library as gates
from qiskit.quantum_info import Pauli, SparsePauliOp, Statevector, random_clifford

import hqnn
from hqnn.circuit import Circuit, parity, pauli_on_each_qubit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.transfer.circuits import transfer_circuit
from hqnn.views.layer import QuantumLayer

Z = pauli_on_each_qubit(1)


def test_observables_count_qubits_from_the_right() -> None:
    assert [o.paulis[0].to_label() for o in pauli_on_each_qubit(3, "Y")] == ["IIY", "IYI", "YII"]
    assert parity(2) == SparsePauliOp("ZZ")


def test_stages_are_the_circuit_up_to_each_labelled_barrier() -> None:
    flip = QuantumCircuit(1, name="barrier")  # a gate of that name is none
    flip.x(0)
    circuit = QuantumCircuit(1)
    circuit.append(flip.to_gate(), [0])
    circuit.barrier(label="flipped")
    circuit.barrier()
    circuit.x(0)
    circuit.barrier(label="and back")
    circuit.h(0)
    stages = Circuit(circuit=circuit, inputs=[], weights=[], observables=Z).stages()
    assert list(stages) == ["flipped", "and back"]
    assert Statevector(stages["flipped"]) == Statevector([0, 1])
    assert Statevector(stages["and back"]) == Statevector([1, 0])


def gate_by_gate(*build: tuple[Any, ...]) -> QuantumCircuit:
    """A circuit on one qubit with a classical bit, by names of methods and their arguments."""
    circuit = QuantumCircuit(1, 1)
    for name, *arguments in build:
        getattr(circuit, name)(*arguments)
    return circuit


def composite_with(angle: float) -> QuantumCircuit:
    """A gate with that angle inside another gate."""
    inner = QuantumCircuit(1, name="inner")
    inner.ry(angle, 0)
    circuit = QuantumCircuit(2)
    circuit.append(inner.to_gate(), [1])
    return circuit


def branching() -> QuantumCircuit:
    """A gate that depends on a classical bit."""
    circuit = QuantumCircuit(1, 1)
    with circuit.if_test((circuit.clbits[0], True)):
        circuit.x(0)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "sentence"),
    [
        (composite_with(math.nan), r"gate 'ry' on qubits \[1\] has an angle that is NaN or infinite"),
        (composite_with(math.inf), "NaN or infinite"),
        (gate_by_gate(), "classical bits"),
        (gate_by_gate(("h", 0), ("measure", 0, 0)), "'measure' is not a unitary gate"),
        (gate_by_gate(("reset", 0)), "'reset' is not a unitary gate"),
        (gate_by_gate(("append", Gate("mystery", 1, []), [0])), "'mystery' is not a unitary gate with a definition"),
        (gate_by_gate(("append", random_clifford(1, seed=0), [0])), "is not a unitary gate with a definition"),
        (branching(), "'if_else' is not a unitary gate"),
    ],
)
def test_circuits_that_are_not_of_unitary_gates_are_named(circuit: QuantumCircuit, sentence: str) -> None:
    observables = pauli_on_each_qubit(circuit.num_qubits)
    with pytest.raises(ValueError, match=sentence):
        Circuit(circuit=circuit, inputs=[], weights=[], observables=observables)


def infinite() -> SparsePauliOp:
    """An observable with a coefficient that its constructor would warn of."""
    observable = SparsePauliOp(["Z", "X"])
    observable.coeffs = np.array([1.0, math.inf])
    return observable


A, B = Parameter("a"), Parameter("b")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"inputs": []}, "'a' is neither an input nor a weight"),
        ({"weights": [A]}, "'a' is listed twice"),
        ({"weights": [B]}, "'b' does not occur"),
        ({"observables": []}, "no observables"),
        ({"observables": [SparsePauliOp("ZZ")]}, "acts on 2 qubits but the circuit has 1"),
        ({"observables": [SparsePauliOp("Z", [1j])]}, "Hermitian"),
        ({"observables": [*Z, infinite()]}, "observable 1 has a coefficient that is not a finite"),
        ({"observables": [SparsePauliOp("Z", np.array([B]))]}, "observable 0 has a coefficient that is not a finite"),
    ],
)
def test_what_does_not_fit_a_circuit_is_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        one_rotation(**fields)


def one_rotation(**fields: Any) -> Circuit:
    """RX(a) measured in Z, with other fields in the place of some."""
    circuit = QuantumCircuit(1)
    circuit.rx(A, 0)
    return Circuit(**{"circuit": circuit, "inputs": [A], "weights": [], "observables": Z} | fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"circuit": "rx"}, "circuit is a str; pass a QuantumCircuit"),
        ({"inputs": Parameter("a")}, r"inputs is a single Parameter; put it in a list"),
        ({"inputs": 2 * Parameter("a")}, "inputs is a single ParameterExpression; put it in a list"),
        ({"inputs": ["a"]}, r"inputs\[0\] is a str; pass a Parameter"),
        ({"inputs": {Parameter("a")}}, "inputs is a set, which has no order"),
        ({"observables": SparsePauliOp(["Z", "X"])}, "observables is a single SparsePauliOp; put it in a list"),
        ({"observables": [*Z, Pauli("Z")]}, r"observables\[1\] is a Pauli; pass a SparsePauliOp"),
    ],
)
def test_things_of_another_type_are_named(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        one_rotation(**fields)


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


def test_the_front_door_opens_without_torch() -> None:
    """`import hqnn` costs nothing; a circuit needs Qiskit, and only the layer needs PyTorch."""
    program = (
        "import sys, hqnn; assert not {'torch', 'qiskit', 'numpy'} & set(sys.modules), 'import hqnn'; "
        "from hqnn import Circuit; assert 'torch' not in sys.modules, 'Circuit'; print(Circuit.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("hqnn.circuit", "")
    assert hqnn.QuantumLayer is QuantumLayer
    with pytest.raises(AttributeError, match="module 'hqnn' has no attribute 'Nothing'"):
        _ = hqnn.Nothing
