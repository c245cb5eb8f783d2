"""Noise on trained circuits: the outcome series against Aer, and depolarising noise against a Pauli-path sum."""

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
import torch
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn import noisy_network
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.views import aer, noise
from hqnn.views.noise import Noise

THETA = np.array([0.4, 1.3, -0.8, 2.1])
FEATURES = np.random.default_rng(0).uniform(-4, 4, (5, 4))


@pytest.mark.parametrize(
    "model",
    [None, noise.depolarising(0.01, 0.1), noise.readout(0.1), noise.thermal(20e-6, 15e-6), noise.manila()],
    ids=lambda model: model.name if model else "perfect",
)
@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_series_gives_what_aer_gives(model: Noise | None, n_layers: int) -> None:
    pc, weights = noisy_network.repeated(THETA, n_layers)
    series = noisy_network.outcome_series(pc, weights, noise=model)
    found = series(FEATURES)
    np.testing.assert_allclose(found, aer.probabilities(pc, FEATURES, weights, noise=model), rtol=0, atol=1e-8)
    values = found @ noisy_network.outcome_values(pc)
    np.testing.assert_allclose(values, aer.expectations(pc, FEATURES, weights, noise=model), rtol=0, atol=1e-8)


@pytest.mark.parametrize(("n_layers", "order"), [(2, "product"), (8, "time")])
def test_repetition_changes_no_unitary(n_layers: int, order: Order) -> None:
    once, deep = lcqhnn_circuit(order), noisy_network.repeated(THETA, n_layers, order=order)
    x = FEATURES[0]
    matrices = [
        Operator(pc.circuit.assign_parameters(dict(zip([*pc.inputs, *pc.weights], [*x, *weights], strict=True))))
        for pc, weights in ((once, THETA), deep)
    ]
    np.testing.assert_allclose(matrices[0].data, matrices[1].data, atol=1e-12)
    assert deep[0].circuit.count_ops()["cx"] == 6 * n_layers


def test_depolarising_noise_damps_every_pauli_path_by_the_gates_it_meets() -> None:
    p1, p2 = 0.02, 0.07
    pc, weights = noisy_network.repeated(THETA, 2)
    found = aer.expectations(pc, FEATURES[:2], weights, noise=noise.depolarising(p1, p2))
    expected = [[damped(pc, x, weights, qubit, p1, p2) for qubit in range(4)] for x in FEATURES[:2]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def damped(pc: Circuit, x: np.ndarray, weights: np.ndarray, qubit: int, p1: float, p2: float) -> float:
    """⟨Z⟩ of one qubit, by carrying the Pauli string back to |0⟩ and damping it at every gate that it meets."""
    values = dict(zip([*pc.inputs, *pc.weights], [*x, *weights], strict=True))
    strings = {"".join("Z" if q == qubit else "I" for q in range(pc.n_qubits)): 1.0}  # qubit 0 is the first letter here
    for instruction in reversed(pc.circuit.assign_parameters(values).data):
        gate, on = instruction.operation, [pc.circuit.find_bit(q).index for q in instruction.qubits]
        if gate.name == "barrier":
            continue
        strength = {"cx": 1 - p2, "h": 1 - p1, "ry": (1 - p1) ** 2, "p": 1.0}[gate.name]
        unitary, before = Operator(gate), defaultdict[str, float](float)
        for string, value in strings.items():
            local = "".join(string[q] for q in reversed(on))
            if set(local) == {"I"}:
                before[string] += value
                continue
            moved = SparsePauliOp.from_operator(unitary & Operator(SparsePauliOp(local)) & unitary.adjoint())
            for label, coefficient in moved.to_list():
                letters = list(string)
                for q, letter in zip(reversed(on), label, strict=True):
                    letters[q] = letter
                before["".join(letters)] += strength * value * coefficient.real
        strings = before
    return sum(value for string, value in strings.items() if set(string) <= {"I", "Z"})


def test_the_light_cone_is_what_can_reach_the_qubit() -> None:
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    circuit.cx(0, 1)
    circuit.barrier()
    circuit.cx(1, 2)
    circuit.x(0)
    circuit.cx(2, 3)
    assert noisy_network.light_cone(circuit, 0) == Counter(x=1, cx=1, h=2)
    assert noisy_network.light_cone(circuit, 1) == Counter(cx=2, h=3)
    assert noisy_network.light_cone(circuit, 3) == Counter(cx=3, h=4)


def test_shots_scatter_as_the_binomial_distribution_says() -> None:
    probabilities = np.tile([0.1, 0.2, 0.3, 0.4], (4000, 1))
    found = noisy_network.frequencies(probabilities, 25, np.random.default_rng(1))
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_allclose(found.mean(0), probabilities[0], atol=0.006)
    np.testing.assert_allclose(found.var(0), probabilities[0] * (1 - probabilities[0]) / 25, rtol=0.15)


def test_a_circuit_with_other_inputs_has_no_such_series() -> None:
    a, w = Parameter("a"), Parameter("w")
    z = [SparsePauliOp("Z")]

    for gates in ([("ry", a), ("ry", w)], [("p", a), ("ry", w), ("p", a)], [("p", a * w)]):
        circuit = QuantumCircuit(1)
        for name, angle in gates:
            getattr(circuit, name)(angle, 0)
        with pytest.raises(ValueError, match="input 'a' enters"):
            noisy_network.outcome_series(Circuit(circuit=circuit, inputs=[a], weights=[w], observables=z), [0.3])


def test_observables_must_be_diagonal() -> None:
    pc = lcqhnn_circuit()
    turned = Circuit(circuit=pc.circuit, inputs=pc.inputs, weights=pc.weights, observables=pauli_on_each_qubit(4, "X"))
    with pytest.raises(ValueError, match="observable 0 contains X or Y"):
        noisy_network.outcome_values(turned)
    assert noisy_network.outcome_values(pc)[5].tolist() == [-1, 1, -1, 1]


@pytest.mark.parametrize("order", ["time", "product"])
def test_a_model_and_its_head_decide_alike(order: Order) -> None:
    model = lcqhnn.Lcqhnn(LcqhnnConfig(order=order)).eval()
    images = torch.rand(6, 1, 28, 28)
    with torch.no_grad():
        scores, angles = model(images), model.angles(images).double().numpy()
    head = noisy_network.QuantumHead.of(model, order)
    for depth in (1, 3):
        behind = head.scores(head.on(None, n_layers=depth)(angles))
        np.testing.assert_allclose(behind, scores[:, 1] - scores[:, 0], atol=1e-5)


@pytest.mark.parametrize("changes", [{"quantum": "classical"}, {"readout": "pair"}])
def test_a_model_without_circuit_or_readout_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no circuit with a linear readout"):
        noisy_network.QuantumHead.of(lcqhnn.Lcqhnn(LcqhnnConfig(**changes)))


def test_cost_grows_with_the_blocks_unless_a_compiler_may_merge_them() -> None:
    once, four = (noisy_network.cost(n_layers, noise.manila()) for n_layers in (1, 4))
    assert (once.cnots, four.cnots) == (6, 24)
    assert four.pulses > once.pulses and four.microseconds > 2 * once.microseconds
    assert once.cnots_if_optimised == four.cnots_if_optimised
