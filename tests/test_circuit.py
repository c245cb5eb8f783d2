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
from qiskit.quantum_info import Pauli, SparsePauliOp, Statevector

import hqnn
from hqnn.circuit import Circuit, parity, pauli_on_each_qubit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.transfer.circuits import transfer_circuit
from hqnn.views.layer import QuantumLayer

A, B = Parameter("a"), Parameter("b")
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


def built(method: str, *arguments: Any) -> QuantumCircuit:
    """One instruction on a qubit, beside a classical bit."""
    circuit = QuantumCircuit(1, 1)
    getattr(circuit, method)(*arguments)
    return circuit


def composite_with(angle: float) -> QuantumCircuit:
    """A gate with that angle inside another gate."""
    inner = QuantumCircuit(1, name="inner")
    inner.ry(angle, 0)
    circuit = QuantumCircuit(2)
    circuit.append(inner.to_gate(), [1])
    return circuit


def infinite() -> SparsePauliOp:
    """An observable with a coefficient that its constructor would warn of."""
    observable = SparsePauliOp(["Z", "X"])
    observable.coeffs = np.array([1.0, math.inf])
    return observable


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"circuit": composite_with(math.nan)}, r"gate 'ry' on qubits \[1\] has an angle that is NaN or infinite"),
        ({"circuit": built("h", 0)}, "classical bits"),
        ({"circuit": built("measure", 0, 0)}, "'measure' is not a unitary gate"),
        ({"circuit": built("append", Gate("mystery", 1, []), [0])}, "'mystery' is not a unitary gate with a defin"),
        ({"circuit": built("if_test", (0, True), QuantumCircuit(1), [0], [])}, "'if_else' is not a unitary gate"),
        ({"inputs": []}, "'a' is neither an input nor a weight"),
        ({"weights": [A]}, "'a' is listed twice"),
        ({"weights": [B]}, "'b' does not occur"),
        ({"observables": []}, "no observables"),
        ({"observables": [SparsePauliOp("ZZ")]}, "acts on 2 qubits but the circuit has 1"),
        ({"observables": [SparsePauliOp("Z", [1j])]}, "Hermitian"),
        ({"observables": [*Z, infinite()]}, "observable 1 has a coefficient that is not a finite"),
        ({"observables": [SparsePauliOp("Z", np.array([B]))]}, "observable 0 has a coefficient that is not a finite"),
        ({"circuit": "rx"}, "circuit is a str; pass a QuantumCircuit"),
        ({"inputs": 2 * A}, "inputs is a single ParameterExpression; put it in a list"),
        ({"inputs": ["a"]}, r"inputs\[0\] is a str; pass a Parameter"),
        ({"inputs": {A}}, "inputs is a set, which has no order"),
        ({"observables": SparsePauliOp(["Z", "X"])}, "observables is a single SparsePauliOp; put it in a list"),
        ({"observables": ["ZI"]}, r"observables\[0\] is a str; pass SparsePauliOp\('ZI'\)"),
        ({"observables": [*Z, Pauli("Z")]}, r"observables\[1\] is a Pauli; pass a SparsePauliOp"),
    ],
)
def test_what_does_not_fit_a_circuit_is_named(fields: dict[str, Any], sentence: str) -> None:
    plain = QuantumCircuit(1)
    plain.rx(A, 0)
    with pytest.raises((ValueError, TypeError), match=sentence):
        Circuit(**{"circuit": plain, "inputs": [A], "weights": [], "observables": Z} | fields)


Build = Callable[[QuantumCircuit, Parameter, Parameter], object]


def digested(
    build: Build, names: tuple[str, str] = ("a", "b"), observables: Sequence[SparsePauliOp] = pauli_on_each_qubit(2)
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


def test_a_digest_is_left_alone_by_what_changes_nothing_physical() -> None:
    assert digested(in_another_order) == digested(decorated) == digested(plain)
    assert digested(plain, names=("z", "θ")) == digested(plain)  # sorted by name, the parameters change places
    observables = [SparsePauliOp(["ZI", "IZ"], [1, 2]), SparsePauliOp("XX")]
    again = [SparsePauliOp(["IZ", "ZI", "IZ", "YY"], [1, 1, 1, 0]), SparsePauliOp("XX")]
    assert digested(plain, observables=again) == digested(plain, observables=observables)


def test_a_digest_is_changed_by_whatever_is_physical() -> None:
    def with_more(more: Callable[[QuantumCircuit], object]) -> Build:
        def build(c: QuantumCircuit, a: Parameter, b: Parameter) -> None:
            plain(c, a, b)
            more(c)

        return build

    builds: list[Build] = [
        plain,
        lambda c, a, b: (c.rx(2 * a, 0), c.h(1), c.cx(0, 1), c.rx(b + 0.5, 1)),  # a gate
        lambda c, a, b: (c.ry(2 * (1 + 1e-9) * a, 0), c.h(1), c.cx(0, 1), c.rx(b + 0.5, 1)),  # a factor
        lambda c, a, b: (c.ry(2 * a, 0), c.h(1), c.cx(0, 1), c.rx(b + 0.25, 1)),  # a constant
        lambda c, a, b: (c.ry(2 * a, 0), c.h(1), c.cx(1, 0), c.rx(b + 0.5, 1)),  # qubits
        lambda c, a, b: (c.ry(2 * a, 0), c.h(1), c.cx(0, 1, ctrl_state=0), c.rx(b + 0.5, 1)),
        lambda c, a, b: (c.ry(2 * a, 0), c.h(1), c.rx(b + 0.5, 1), c.cx(0, 1)),  # the order
        lambda c, a, b: (c.ry(2 * b, 0), c.h(1), c.cx(0, 1), c.rx(a + 0.5, 1)),  # who is input and who weight
        with_more(lambda c: c.delay(100, 0)),
        with_more(lambda c: c.delay(100, 0, unit="ns")),
        with_more(lambda c: c.unitary([[0, 1], [1, 0]], 0)),
        with_more(lambda c: c.unitary([[0, -1j], [1j, 0]], 0)),
        *(
            lambda c, a, b, angle=angle: (c.ry(angle(a, b), 0), c.rx(b, 0))
            for angle in (
                *(lambda a, b: a * b, lambda a, b: a / b, lambda a, b: a, lambda a, b: a.abs()),
                *(lambda a, b: 2 * a.arccos(), lambda a, b: 2 * a.arcsin()),
            )
        ),
    ]
    z, pc = pauli_on_each_qubit(2), strongly_entangling(n_qubits=2, n_layers=1)
    digests = [digested(build) for build in builds]
    digests += [digested(plain, observables=o) for o in (pauli_on_each_qubit(2, "X"), [2 * z[0], z[1]], z[::-1], z[:1])]
    digests += [p.digest for p in (pc, replace(pc, inputs=pc.inputs[::-1]))]
    digests.append(replace(pc, inputs=pc.inputs[:1], weights=[*pc.inputs[1:], *pc.weights]).digest)
    for idle in (1, 2):
        identity = SparsePauliOp("I" * idle)
        digests.append(Circuit(circuit=QuantumCircuit(idle), inputs=[], weights=[], observables=[identity]).digest)
    assert [k for k, digest in enumerate(digests) if digest in digests[:k]] == []


def test_a_digest_outlives_the_process_and_the_version() -> None:
    """Stored records are held against these."""
    assert [pc.digest[:16] for pc in (lcqhnn_circuit(), strongly_entangling(), quanvolution(), transfer_circuit())] == [
        *("2a833be19e92b625", "641931bed5f2ddc1", "625aa3e1d55c35ab", "ba8309e6cb198621")
    ]


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
