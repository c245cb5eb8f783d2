"""Tests of the circuits: structure, validation, and the closed forms that follow from it."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

from hqnn import circuits
from hqnn.circuits import ParametricCircuit, pauli_on_each_qubit

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
    assert gate_list(circuits.lcqhnn().circuit) == expected
    product = [g for g in gate_list(circuits.lcqhnn("product").circuit) if g[0] == "cx"]
    assert [pair for _, pair in product] == [(2, 3), (1, 2), (0, 1), (0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("order", ["time", "product"])
def test_layers_of_the_same_block_add_up_their_angles(order: circuits.Order) -> None:
    deep, flat = circuits.lcqhnn(order, n_layers=3), circuits.lcqhnn(order)
    rng = np.random.default_rng(0)
    x, theta = rng.normal(size=4), rng.normal(size=(3, 4))

    def unitary(pc: ParametricCircuit, weights: np.ndarray) -> Operator:
        values = dict(zip(pc.inputs, x, strict=True)) | dict(zip(pc.weights, weights, strict=True))
        return Operator(pc.circuit.assign_parameters(values))

    assert unitary(deep, theta.ravel()) == unitary(flat, theta.sum(0))


def test_stages_are_the_circuit_up_to_each_printed_state() -> None:
    stages = circuits.lcqhnn().stages()
    assert list(stages) == ["ψ1", "ψ2", "ψ3", "ψ4", "ψ5", "ψ6"]
    assert [len(gate_list(stage)) for stage in stages.values()] == [4, 8, 11, 15, 18, 19]


def test_without_entanglement_no_gate_has_two_qubits() -> None:
    assert {len(qubits) for _, qubits in gate_list(circuits.lcqhnn(entangle=False).circuit)} == {1}


def test_observables_count_qubits_from_the_right() -> None:
    assert [o.paulis[0].to_label() for o in pauli_on_each_qubit(3, "Y")] == ["IIY", "IYI", "YII"]
    assert circuits.parity(2) == SparsePauliOp("ZZ")


def test_a_parametric_circuit_names_what_does_not_fit() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(a, 0)
    with pytest.raises(ValueError, match="'a' is neither"):
        ParametricCircuit(circuit=circuit, inputs=[], weights=[], observables=Z)
    with pytest.raises(ValueError, match="'a' is listed twice"):
        ParametricCircuit(circuit=circuit, inputs=[a], weights=[a], observables=Z)
    with pytest.raises(ValueError, match="'b' does not occur"):
        ParametricCircuit(circuit=circuit, inputs=[a], weights=[b], observables=Z)
    with pytest.raises(ValueError, match="no observables"):
        ParametricCircuit(circuit=circuit, inputs=[a], weights=[], observables=[])
    with pytest.raises(ValueError, match="acts on 2 qubits but the circuit has 1"):
        ParametricCircuit(circuit=circuit, inputs=[a], weights=[], observables=[SparsePauliOp("ZZ")])
    with pytest.raises(ValueError, match="Hermitian"):
        ParametricCircuit(circuit=circuit, inputs=[a], weights=[], observables=[SparsePauliOp("Z", [1j])])
    with pytest.raises(ValueError, match="order is 'forwards'"):
        circuits.lcqhnn("forwards")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1"):
        circuits.lcqhnn(n_layers=0)
