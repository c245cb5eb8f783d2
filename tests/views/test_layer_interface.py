"""What the layer offers besides values: first weights, names, leading axes, outcomes, shots, wide circuits, graphs."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor, nn

from hqnn import provenance
from hqnn.circuit import Circuit, outcomes, parity, pauli_on_each_qubit
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import aer, memory
from hqnn.views.evaluators import Method
from hqnn.views.layer import QuantumLayer
from hqnn.views.noise import depolarising
from tests.exact import entangling, expectations, states

by_every_method = pytest.mark.parametrize("method", ["fourier", "matrix", "dense", "state"])


# --- weights


def test_weights_may_be_given_in_any_form() -> None:
    pc = lcqhnn_circuit()
    angles = np.arange(8.0).reshape(2, 4)
    for weights in (angles, angles.tolist(), torch.from_numpy(angles).requires_grad_()):
        layer = QuantumLayer(pc, copies=2, weights=weights)
        np.testing.assert_array_equal(layer.weights.detach(), angles)
        assert layer.weights.requires_grad
        assert layer.weights.is_leaf
    alike = QuantumLayer(pc, copies=2, weights=angles[0])
    np.testing.assert_array_equal(alike.weights.detach(), np.tile(angles[0], (2, 1)))
    source = torch.from_numpy(angles)
    layer = QuantumLayer(pc, copies=2, dtype=torch.float64, weights=source)
    source += 1
    np.testing.assert_array_equal(layer.weights.detach(), np.arange(8.0).reshape(2, 4))  # a copy


def test_weights_by_name_leave_the_others_drawn() -> None:
    pc = lcqhnn_circuit()
    torch.manual_seed(1)
    drawn = QuantumLayer(pc, copies=2).named_weights()
    torch.manual_seed(1)
    named = QuantumLayer(pc, copies=2, weights={"θ[2]": [0.1, 0.2], "θ[0]": 3}).named_weights()
    assert list(named) == ["θ[0]", "θ[1]", "θ[2]", "θ[3]"]
    assert named["θ[2]"].tolist() == pytest.approx([0.1, 0.2])
    assert named["θ[0]"].tolist() == [3, 3]
    assert all(torch.equal(named[name], drawn[name]) for name in ("θ[1]", "θ[3]"))
    assert named["θ[1]"].requires_grad


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": [1.0] * 3}, r"weights have shape \(3,\); pass \[4\] or \[1, 4\]"),
        ({"weights": [[1.0] * 4] * 2}, r"shape \(2, 4\)"),
        ({"weights": {"phi": 1.0}}, r"no weight 'phi'; it has θ\[0\], θ\[1\], θ\[2\], θ\[3\]"),
        ({"weights": "abc"}, "weights are not an array of real numbers"),
        ({"weights": [1, [2]]}, "weights are not an array of real numbers"),
        ({"weights": torch.zeros(4, dtype=torch.complex64)}, "weights are complex"),
        ({"weights": {"θ[0]": "a"}}, r"the angles of weight 'θ\[0\]' are not an array"),
        ({"weights": {"θ[0]": [1.0] * 3}, "copies": 2}, r"'θ\[0\]' have shape \(3,\); pass a number or \[2\]"),
        ({"dtype": "float32"}, "dtype is 'float32'; a quantum layer computes in torch.float32"),
        ({"copies": True}, "copies is True"),
        ({"shots": True}, "shots is True"),
        ({"shots": 0}, "shots is 0; measure at least once"),
        ({"shots": 1.5}, "shots is 1.5; measure at least once, in whole numbers"),
        ({"shots": "100"}, "shots is '100'; measure"),
        ({"copies": 2.5}, "copies is 2.5; a layer has at least one circuit, and a whole number"),
        ({"noise": "ibmq_manila"}, "noise is 'ibmq_manila'; pass a `hqnn.views.noise.Noise`"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QuantumLayer(lcqhnn_circuit(), **options)


# --- leading axes


@by_every_method
@pytest.mark.parametrize("leading", [(), (3,), (2, 3), (2, 0, 3), (1, 2, 1, 2)])
def test_any_number_of_leading_axes(leading: tuple[int, ...], method: Method) -> None:
    layer = QuantumLayer(lcqhnn_circuit(), copies=2, method=method)
    inputs = torch.randn(*leading, 8, requires_grad=True)
    flat = inputs.detach().reshape(math.prod(leading), 8)
    found = layer(inputs)
    torch.testing.assert_close(found, layer(flat).reshape(*leading, 8), rtol=0, atol=0)
    torch.testing.assert_close(layer.probabilities(inputs), layer.probabilities(flat).reshape(*leading, 2, 16))
    assert layer.sample(inputs, 5).shape == (*leading, 2, 16)
    found.sum().backward()
    assert inputs.grad is not None
    for wrong in (torch.tensor(1.0), torch.zeros(*leading, 7)):
        with pytest.raises(ValueError, match=r"this layer expects \[\.\.\., 8\]"):
            layer(wrong)


# --- outcomes as outputs


@pytest.mark.parametrize("qubits", [None, [0], [2, 0], []])
def test_outcomes_are_the_probabilities_of_the_qubits_named(qubits: list[int] | None) -> None:
    pc = replace(entangling(), observables=outcomes(3, qubits))
    layer = QuantumLayer(pc, dtype=torch.float64)
    inputs = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    exact = states(pc, inputs.detach().numpy(), layer.weights.detach().numpy()[0])
    np.testing.assert_allclose(layer(inputs).detach(), [s.probabilities(qubits) for s in exact], atol=1e-12)
    np.testing.assert_allclose(layer(inputs).sum(1).detach(), 1, atol=1e-12)
    assert torch.autograd.gradcheck(layer, inputs, fast_mode=True)


def test_parity_is_even_minus_odd() -> None:
    every = QuantumLayer(replace(entangling(), observables=outcomes(3)), weights=np.zeros(18) + 0.3)
    even = torch.tensor([(-1.0) ** index.bit_count() for index in range(8)])
    of_parity = QuantumLayer(replace(entangling(), observables=[parity(3)]), weights=np.zeros(18) + 0.3)
    inputs = torch.randn(4, 3)
    torch.testing.assert_close(of_parity(inputs)[:, 0], every(inputs) @ even)


@pytest.mark.parametrize("qubits", [[0, 0], [3], [-1]])
def test_outcomes_of_qubits_that_are_none(qubits: list[int]) -> None:
    with pytest.raises(ValueError, match="must be different ones of 3, from 0 on"):
        outcomes(3, qubits)


# --- shots


def mixed() -> Circuit:
    """Products of angles, an angle that is no affine function, a fixed rotation; sums that need three settings."""
    x, w = ParameterVector("x", 2), ParameterVector("w", 3)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0] + 0.3, 0)
    circuit.rx(2 * x[1] * w[0], 1)
    circuit.t(0)
    circuit.rzz(w[1], 0, 1)
    circuit.ry(w[2] + x[0], 1)
    observables = [SparsePauliOp(["XX", "ZZ", "IZ", "II"], [0.5, -1.0, 0.7, 0.2]), SparsePauliOp("YI")]
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=observables)


def estimates(layer: QuantumLayer, inputs: Tensor, upstream: Tensor, n: int) -> list[np.ndarray]:
    """Outputs and gradients of n independent steps, each [n, …]."""
    found = []
    for _ in range(n):
        x = inputs.clone().requires_grad_()
        out = layer(x)
        found.append([out.detach(), *torch.autograd.grad((out * upstream).sum(), (x, layer.weights))])
    return [np.array([step[k].numpy() for step in found]) for k in range(3)]


@pytest.mark.parametrize("pc", [mixed(), entangling(2, 1)], ids=["mixed", "entangling"])
def test_estimates_and_their_gradients_are_unbiased(pc: Circuit) -> None:
    """Against the exact layer, which others hold against state vectors: the mean of many lies within five errors."""
    n_copies, n_inputs = 2, 2
    exact = QuantumLayer(pc, copies=n_copies, dtype=torch.float64)
    layer = QuantumLayer(pc, copies=n_copies, dtype=torch.float64, weights=exact.weights, shots=20)
    inputs = torch.randn(3, n_copies * n_inputs, dtype=torch.float64)
    upstream = torch.randn(3, n_copies * pc.n_observables, dtype=torch.float64)
    x = inputs.clone().requires_grad_()
    out = exact(x)
    true = [out.detach(), *torch.autograd.grad((out * upstream).sum(), (x, exact.weights))]
    for found, expected in zip(estimates(layer, inputs, upstream, 120), true, strict=True):
        error = found.std(0) / math.sqrt(len(found))
        assert (np.abs(found.mean(0) - expected.numpy()) <= 5 * error + 1e-12).all()
        assert error.max() > 0


def test_the_spread_of_an_estimate_is_that_of_its_shots() -> None:
    """⟨Z⟩ of S shots has the variance (1 - ⟨Z⟩²)/S, and Aer's estimates have the same."""
    pc = replace(lcqhnn_circuit(), observables=pauli_on_each_qubit(4))
    layer = QuantumLayer(pc, dtype=torch.float64, shots=50)
    row = torch.randn(4, dtype=torch.float64)
    w = layer.weights.detach().numpy()[0]
    exact = expectations(pc, row.numpy()[None], w)[0]
    variance = (1 - exact**2) / 50
    many = row.expand(4000, 4)
    for found in (layer(many).detach().numpy(), aer.expectations(pc, many, w, shots=50, seed=1)):
        np.testing.assert_allclose(found.var(0), variance, rtol=0.12)


def test_each_setting_of_the_measured_axes_has_shots_of_its_own() -> None:
    """As on a device, which reads each qubit along one axis: XX, YY and ZZ commute, and yet are three settings."""
    gates = QuantumCircuit(2)
    gates.h(0)
    gates.cx(0, 1)
    gates.rz(0.3, 0)
    observables = [SparsePauliOp("XX"), SparsePauliOp("YY"), SparsePauliOp("ZZ"), SparsePauliOp("IZ")]
    pc = Circuit(circuit=gates, inputs=[], weights=[], observables=observables)
    found = QuantumLayer(pc, shots=10)(torch.zeros(4000, 0)).detach().numpy()
    np.testing.assert_allclose(found.mean(0), [math.cos(0.3), -math.cos(0.3), 1, 0], atol=0.03)
    assert abs(np.corrcoef(found.T[:2])[0, 1]) < 0.05  # read off one setting they would be the same number, negated


def test_shots_are_drawn_from_torchs_random_state() -> None:
    layer, inputs = QuantumLayer(lcqhnn_circuit(), shots=10), torch.randn(3, 4)

    def step(seed: int) -> list[Tensor]:
        torch.manual_seed(seed)
        out = layer(inputs)
        return [out.detach(), *torch.autograd.grad(out.sum(), layer.weights)]

    first, again, other = step(0), step(0), step(1)
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))
    exact = QuantumLayer(lcqhnn_circuit(), weights=layer.weights)(inputs)
    layer.shots = None
    torch.testing.assert_close(layer(inputs), exact, rtol=0, atol=0)
    layer.shots = 4
    assert ((layer(inputs) * 2) % 1 == 0).all()  # of four shots
    layer.shots = -1
    with pytest.raises(ValueError, match="shots is -1"):
        layer(inputs)


def test_a_network_trains_with_shots_and_in_both_precisions() -> None:
    layer = QuantumLayer(lcqhnn_circuit(), shots=100)
    network = nn.Sequential(nn.Linear(2, 4), layer, nn.Linear(4, 1))
    adam = torch.optim.Adam(network.parameters(), lr=0.05)
    inputs = torch.randn(64, 2)
    targets = inputs[:, :1].sin()
    losses = []
    for _ in range(60):
        adam.zero_grad()
        loss = (network(inputs) - targets).square().mean()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    assert network.double()(inputs.double()).dtype == torch.float64


def test_only_parameters_that_ask_for_a_gradient_are_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = QuantumLayer(lcqhnn_circuit(), shots=10)
    real = layer.measurement.estimate
    calls: list[int] = []

    def counted(angles: Tensor, shots: int) -> Tensor:
        calls.append(shots)
        return real(angles, shots)

    monkeypatch.setattr(layer.measurement, "estimate", counted)

    def evaluations(inputs: Tensor) -> int:
        calls.clear()
        layer(inputs).sum().backward()
        return len(calls)

    inputs = torch.randn(3, 4)
    assert evaluations(inputs) == 1 + 2 * 4
    assert evaluations(inputs.requires_grad_()) == 1 + 2 * 8
    layer.requires_grad_(False)
    assert evaluations(inputs) == 1 + 2 * 4


def test_shots_are_part_of_what_a_record_was_made_with() -> None:
    exact, measured = (provenance.describe(QuantumLayer(lcqhnn_circuit(), shots=shots)) for shots in (None, 10))
    assert measured[0][2] == exact[0][2] | {"shots": 10}


# --- many qubits


@settings(max_examples=3)
@given(st.integers(13, 14), st.integers(0, 100))
def test_more_than_twelve_qubits(n: int, seed: int) -> None:
    x, w = ParameterVector("x", 2), ParameterVector("w", n)
    circuit = QuantumCircuit(n)
    for q in range(n):
        circuit.ry(w[q] + x[q % 2], q)
        circuit.cx(q, (q + 5) % n)
    circuit.rxx(x[0], 0, n - 1)
    pc = Circuit(circuit=circuit, inputs=x, weights=w, observables=[parity(n), *pauli_on_each_qubit(n, "X")[-2:]])
    rng = np.random.default_rng(seed)
    rows, angles = rng.normal(size=(2, 2)), rng.normal(size=n)
    layer = QuantumLayer.at(pc, angles[None])
    assert layer.method == "state"
    inputs = torch.from_numpy(rows)
    np.testing.assert_allclose(layer(inputs).detach(), expectations(pc, rows, angles), atol=1e-10)
    direction = torch.from_numpy(rng.normal(size=(1, n)))
    (slope,) = torch.autograd.grad(layer(inputs)[0, 1], layer.weights)
    step = 1e-5
    ahead, behind = (QuantumLayer.at(pc, angles[None] + s * step * direction.numpy())(inputs)[0, 1] for s in (1, -1))
    assert (slope * direction).sum().item() == pytest.approx((ahead - behind).item() / (2 * step), abs=1e-8)


def test_what_does_not_fit_into_memory_is_refused_with_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    def rotations(n: int) -> Circuit:
        w = ParameterVector("w", n)
        circuit = QuantumCircuit(n)
        for q in range(n):
            circuit.ry(w[q], q)
        return Circuit(circuit=circuit, inputs=[], weights=w, observables=[parity(n)])

    with pytest.raises(
        ValueError, match=r"a state of 60 qubits.* would take about 7\.38e\+04 PB, and there are .* [GM]B; use"
    ):
        QuantumLayer(rotations(60))
    layer = QuantumLayer(rotations(13))
    monkeypatch.setattr(memory, "available", lambda _device=None: 5e6)
    with pytest.raises(
        ValueError, match=r"a batch of 90 in a layer of 13 qubits would take about .* MB, and there are 5 MB; ta"
    ):
        layer(torch.zeros(90, 0))
    layer(torch.zeros(1, 0))
    monkeypatch.setattr(memory, "available", lambda _device=None: 2e6)
    with pytest.raises(ValueError, match=r"a layer of 13 qubits and 1 layers of rotations would take about 3\.77 MB"):
        QuantumLayer(rotations(13))


# --- graphs of torch


@pytest.mark.filterwarnings("ignore:Guards may run slower")  # with one version of Python
@by_every_method
def test_export_and_compile_keep_the_function(method: Method) -> None:
    network = nn.Sequential(nn.Linear(3, 8), QuantumLayer(lcqhnn_circuit(), copies=2, method=method))
    inputs = torch.randn(5, 3)
    batch = torch.export.Dim("batch", min=2)
    exported = torch.export.export(network, (inputs,), dynamic_shapes=({0: batch},)).module()
    other = torch.randn(7, 3)
    torch.testing.assert_close(exported(other), network(other))
    torch._dynamo.reset()
    graph = torch.compile(network, fullgraph=True, backend="eager")  # without a C++ compiler
    torch.testing.assert_close(graph(other), network(other))
    wanted = tuple(network.parameters())
    got, expected = (torch.autograd.grad(f(other).square().sum(), wanted) for f in (graph, partial(network)))
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(
    "options", [{"method": "fourier"}, {"noise": depolarising(0.01, 0.02)}], ids=["fourier", "noise"]
)
def test_onnx_keeps_the_function(options: dict[str, Any]) -> None:
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package, reason=f"torch.onnx needs {package}, which is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="nothing here runs an ONNX file without onnxruntime")
    network = nn.Sequential(nn.Linear(3, 8), QuantumLayer(lcqhnn_circuit(), copies=2, **options)).eval()
    batch = torch.export.Dim("batch", min=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        program = torch.onnx.export(
            network, (torch.randn(5, 3),), dynamo=True, dynamic_shapes=({0: batch},), verbose=False
        )
    assert program is not None
    session = runtime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    other = torch.randn(7, 3)
    (found,) = session.run(None, {session.get_inputs()[0].name: other.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), network(other).detach())
