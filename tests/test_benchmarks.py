"""The benchmarks measure the circuits that they name, compare equal things only, and do without absent peers."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

import pytest
import torch
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Operator

from benchmarks import gradients, memory, peers, quantum_layer
from benchmarks.workloads import WORKLOADS, Workload, reuploading, steps
from hqnn import records
from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.views.layer import QuantumLayer
from tests.exact import circuit_of

SMALL = Workload(title="small", pc=strongly_entangling(n_qubits=2, n_layers=1), copies=2, batch=4)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS.keys())
def test_steps_are_the_circuit(workload: Workload) -> None:
    pc = workload.pc
    values = dict(zip([*pc.inputs, *pc.weights], torch.rand(pc.n_inputs + pc.n_weights).tolist(), strict=True))
    rebuilt = QuantumCircuit(pc.n_qubits)
    for step in steps(pc):
        angle = () if step.column is None else (step.factor * list(values.values())[step.column],)
        getattr(rebuilt, step.gate)(*angle, *step.qubits)
    assert Operator(rebuilt) == Operator(pc.circuit.assign_parameters(values))


def test_features_embedded_in_every_layer_have_as_many_frequencies() -> None:
    torch.manual_seed(0)
    layer = QuantumLayer(reuploading(n_qubits=2, n_layers=3), dtype=torch.float64)
    inputs = torch.full((16, 2), 0.3, dtype=torch.float64)
    inputs[:, 0] = torch.arange(16, dtype=torch.float64) * 2 * torch.pi / 16
    amplitudes = torch.fft.rfft(layer(inputs).detach(), dim=0).abs().amax(1) / 16
    assert amplitudes[3] > 1e-3
    assert amplitudes[4:].max() < 1e-12


def test_an_angle_that_no_peer_could_build_is_named() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(a + b, 0)
    with pytest.raises(ValueError, match=r"a \+ b|b \+ a"):
        list(steps(circuit_of(circuit, 1)))


def test_calls_take_turns_and_slow_ones_are_few() -> None:
    order: list[str] = []
    now = 0.0

    def take(name: str, seconds: float) -> None:
        nonlocal now
        order.append(name)
        now += seconds

    functions = {"fast": partial(take, "fast", 1 / 1024), "slow": partial(take, "slow", 1 / 8)}
    taken = quantum_layer.in_turns(functions, quantum_layer.TURNS * 4 / 1024, clock=lambda: now)
    # The fast one fills each of ten turns with four calls, of which the first is not timed; nor is the slow one's.
    assert taken == {"fast": [1000 / 1024] * 30, "slow": [125.0] * 3}
    turn = ["fast"] * 4
    assert order == [*turn, "slow", "slow", *turn, "slow", *turn, "slow", *turn * 7]
    result = quantum_layer.summary({"a": [3.0, 1.0, 2.0]})
    assert result == {"median_ms": {"a": 2.0}, "p10_ms": {"a": 1.2}, "calls": {"a": 3}}


def test_absent_peers_are_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(pc: Circuit, copies: int) -> Any:
        return importlib.import_module("no_such_framework")

    monkeypatch.setitem(peers.PEERS, "absent", absent)
    result = quantum_layer.measure(SMALL, ("hqnn", "hqnn, method 'state'", "absent", "torch.nn.Linear"), 0.01)
    assert result["left_out"] == {"absent": "no_such_framework is not installed"}
    assert list(result["median_ms"]) == ["hqnn", "hqnn, method 'state'", "torch.nn.Linear"]


@pytest.mark.parametrize("name", ["TorchQuantum-NG", "FastQML", "PyQTorch", "DeepQuantum", "FlagQuantum", "QANDLE"])
@pytest.mark.filterwarnings("ignore")  # their own
def test_peers_in_pytorch_compute_the_same(name: str) -> None:
    result = quantum_layer.measure(SMALL, ("hqnn", name), 0.001)
    if name in result["left_out"]:
        pytest.skip(result["left_out"][name])


def test_the_memory_of_a_step_is_that_of_its_batch() -> None:
    found = memory.of("quanvolution", "hqnn, method 'state'")
    if found is None:
        pytest.skip("this system does not tell")
    states = 2450 * 2**4 * 8 / 1e6  # of one layer of gates
    assert states < found < 100 * states
    assert memory.of("quanvolution", "no such contender") is None


def test_our_layer_in_pennylane_computes_the_same() -> None:
    names = ("hqnn", "PennyLane default.qubit")
    assert not quantum_layer.measure(SMALL, names, 0.001)["left_out"]


def test_contenders_that_differ_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(pc: Circuit, copies: int) -> peers.Contender:
        right = peers.hqnn(pc, copies)
        return lambda inputs, weights: 1.001 * right(inputs, weights)

    monkeypatch.setitem(peers.PEERS, "wrong", wrong)
    with pytest.raises(RuntimeError, match="wrong differs from hqnn"):
        quantum_layer.measure(SMALL, ("hqnn", "wrong"), 0.01)


def test_slow_sample_by_sample_peers_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantum_layer, "SAMPLE_BY_SAMPLE", ("hqnn, method 'state'",))
    monkeypatch.setattr(quantum_layer, "PATIENCE", 0.0)
    result = quantum_layer.measure(SMALL, ("hqnn", "hqnn, method 'state'"), 0.01)
    assert "one step would take" in result["left_out"]["hqnn, method 'state'"]


def test_a_slow_contender_is_not_asked_for_more_qubits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def measure(workload: Workload, names: tuple[str, ...], seconds: float) -> dict[str, Any]:
        asked.append(names)
        taken = {"hqnn": 1.0, "slow": 400.0 * len(asked)}
        return {"median_ms": {name: taken[name] for name in names if name in taken}}

    monkeypatch.setattr(quantum_layer, "measure", measure)
    monkeypatch.setattr(quantum_layer, "SCALED", ("hqnn", "slow", "absent"))
    monkeypatch.setattr(quantum_layer, "QUBITS", range(2, 6))
    result = quantum_layer.scaling(1.0)
    assert asked == [("hqnn", "slow", "absent"), ("hqnn", "slow"), ("hqnn", "slow"), ("hqnn",)]
    assert result["median_ms"] == {"hqnn": [1.0] * 4, "slow": [400.0, 800.0, 1200.0, None], "absent": [None] * 4}


def test_all_ways_to_differentiate_agree_and_unequal_ones_are_not_compared() -> None:
    ways = gradients.ours() | gradients.pennylane()
    result = gradients.measure(ways, 2, 0.001)
    assert result["batch"] == 2
    assert result["median_ms"].keys() == ways.keys()
    ours = gradients.ours()
    layer = ours["hqnn layer, backpropagation"]
    ours["wrong"] = lambda inputs, weights, upstream: 1.01 * layer(inputs, weights, upstream)
    with pytest.raises(RuntimeError, match="wrong differs"):
        gradients.measure(ours, 2, 0.001)


def test_the_record_has_every_contender_at_every_batch() -> None:
    workloads = records.measured("gradients", kind="benchmark").result["workloads"]
    assert {name: w["batch"] for name, w in workloads.items()} == gradients.BATCHES
    names = [set(w["median_ms"]) for w in workloads.values()]
    assert names[0] == names[1] == names[2] == set(gradients.ours() | gradients.pennylane())
