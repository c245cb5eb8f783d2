"""The layer against Qiskit's state vectors, PennyLane, parameter shift and finite differences, by every method."""

from __future__ import annotations

import math
import pickle
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import Gate, ParameterVector, QuantumCircuit
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import SparsePauliOp, random_unitary
from scipy.stats import chisquare, kstest
from torch import Tensor
from torch.autograd import forward_ad
from torch.func import functional_call

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.errors import NonFiniteError
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views.evaluators import Method, dense
from hqnn.views.gradients import parameter_shift
from hqnn.views.layer import QuantumLayer
from hqnn.views.pauli_rotations import lower
from tests.exact import entangling, expectations, pennylanes, states

METHODS: tuple[Method, ...] = ("fourier", "matrix", "dense", "state")
by_every_method = pytest.mark.parametrize("method", METHODS)
KINDS = [g for g in get_standard_gate_name_mapping().values() if isinstance(g, Gate) and g.num_qubits in (1, 2)]


@st.composite
def random_circuits(draw: st.DrawFn) -> tuple[Circuit, int]:
    """Any standard gates, with float angles, parameters, and sums and products of them."""
    seed = draw(st.integers(0, 2**32 - 1))
    n_qubits = draw(st.integers(1, 4))
    rng = np.random.default_rng(seed)
    x, w = (ParameterVector(name, draw(st.integers(0, 2))) for name in "xw")

    def angle() -> object:
        scale = float(rng.uniform(-2, 2))
        a, b = rng.choice([*x, *w, scale], 2)
        return [scale, a, scale * a + b + 0.5, a * b][rng.integers(4)]

    circuit = QuantumCircuit(n_qubits)
    for parameter in [*x, *w]:  # so that every one occurs
        circuit.rx(parameter, int(rng.integers(n_qubits)))
    for _ in range(draw(st.integers(1, 12))):
        if rng.integers(5):
            kind = KINDS[rng.integers(len(KINDS))]
            gate = kind.base_class(*(angle() for _ in kind.params))
        else:
            gate = UnitaryGate(random_unitary(2 ** int(rng.integers(1, min(n_qubits, 2) + 1)), seed=rng))
        if gate.num_qubits <= n_qubits:
            circuit.append(gate, rng.permutation(n_qubits)[: gate.num_qubits].tolist())
    labels = ["".join(rng.choice(list("IXYZ"), n_qubits)) for _ in range(4)]
    observables = [SparsePauliOp(labels[:3], rng.normal(size=3)), SparsePauliOp(labels[3])]
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=observables), seed


def of_weights(layer: QuantumLayer, x: Tensor, weights: Tensor) -> Tensor:
    """The layer as a function of inputs and weights."""
    outputs: Tensor = functional_call(layer, {"weights": weights}, (x,))
    return outputs


# --- values


@settings(max_examples=16)
@given(random_circuits())
def test_random_circuits_and_their_gradients(case: tuple[Circuit, int]) -> None:
    pc, seed = case
    rng = np.random.default_rng(seed)
    n = pc.n_inputs
    inputs, weights = rng.uniform(-2, 2, (2, 2 * n)), rng.uniform(0, 2 * np.pi, (2, pc.n_weights))
    expected = np.concatenate([expectations(pc, inputs[:, n * c : n * c + n], weights[c]) for c in range(2)], 1)
    tried = []
    for method in METHODS:
        try:
            layer = QuantumLayer(pc, copies=2, dtype=torch.float64, method=method)
        except ValueError:
            continue  # this method is not for this circuit
        tried.append(method)
        arguments = [torch.from_numpy(a).requires_grad_(a.size > 0) for a in (inputs, weights)]
        np.testing.assert_allclose(of_weights(layer, *arguments).detach(), expected, atol=1e-10)
        assert layer(arguments[0][:0]).shape == (0, 2 * pc.n_observables)
        if not inputs.size + weights.size:
            continue
        assert torch.autograd.gradcheck(partial(of_weights, layer), arguments, fast_mode=True)
        if seed % 4 == 0:  # the slow part
            assert torch.autograd.gradgradcheck(partial(of_weights, layer), arguments, fast_mode=True)
    assert tried[-2:] == ["dense", "state"]  # of so few qubits these take any


@by_every_method
def test_strongly_entangling_layers_are_pennylanes(method: Method) -> None:
    """Expectation values and gradients, of inputs and of weights, by backpropagation in PennyLane."""
    n, n_layers = (2, 1) if method == "fourier" else (3, 2)
    layer = QuantumLayer(strongly_entangling(n_qubits=n, n_layers=n_layers), dtype=torch.float64, method=method)
    inputs = torch.randn(4, n, dtype=torch.float64, requires_grad=True)
    weights = layer.weights.detach().clone().requires_grad_()
    expected, found = pennylanes(n, n_layers)(inputs, weights), layer(inputs)
    torch.testing.assert_close(found, expected)
    upstream = torch.randn_like(found)
    torch.testing.assert_close(
        torch.autograd.grad(found, (inputs, layer.weights), upstream),
        torch.autograd.grad(expected, (inputs, weights), upstream),
    )


def wide(n_qubits: int) -> Circuit:
    """Weights before, between and after the inputs, Clifford gates in between; observables without a common basis."""
    x, w = ParameterVector("x", n_qubits), ParameterVector("w", 3 * n_qubits)
    circuit = QuantumCircuit(n_qubits)
    for q in range(n_qubits):
        circuit.ry(w[q], q)
        circuit.cz(q, (q + 1) % n_qubits)
    for q in range(n_qubits):
        circuit.rx(x[q] + w[n_qubits + q], q)
        circuit.ecr(q, (q + 2) % n_qubits)
    for q in range(n_qubits):
        circuit.rzx(w[2 * n_qubits + q], q, (q + 3) % n_qubits)
    labels = ["XYZ" + "I" * (n_qubits - 3), "Z" * n_qubits, "I" * (n_qubits - 2) + "YX", "Y" * n_qubits]
    observables = [SparsePauliOp(labels[:3], [0.5, -1.0, 2.0]), SparsePauliOp(labels[3]), SparsePauliOp(labels[2])]
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=observables)


@pytest.mark.parametrize("n_qubits", [7, 12])
def test_wide_circuits_and_their_derivatives_by_parameter_shift(n_qubits: int) -> None:
    layer = QuantumLayer(wide(n_qubits), dtype=torch.float64)
    inputs = torch.randn(2, n_qubits, dtype=torch.float64, requires_grad=True)
    weights = layer.weights.detach()
    outputs = layer(inputs)
    exact = expectations(layer.pc, inputs.detach().numpy(), weights.numpy()[0])
    np.testing.assert_allclose(outputs.detach(), exact, atol=1e-10)
    (d_inputs, d_weights) = torch.autograd.grad(outputs[1, 0], (inputs, layer.weights))
    shifted = parameter_shift(partial(of_weights, layer, inputs.detach()), weights)
    torch.testing.assert_close(d_weights[0], shifted[:, 1, 0])
    assert d_inputs[0].abs().max() == 0  # the other sample does not enter
    torch.testing.assert_close(d_inputs[1], d_weights[0, n_qubits : 2 * n_qubits])  # the angle is x + w


@pytest.mark.parametrize("n_qubits", [6, 7, 8])
def test_rotations_that_change_no_output_are_left_out(n_qubits: int) -> None:
    """The last RZ on each qubit before a ring of CNOTs and a measurement of Z, or of all qubits; but not of Y."""
    pc = strongly_entangling(n_qubits=n_qubits, n_layers=2, pauli="Z")
    rotations = lower(pc)
    everything = list(range(len(rotations.paulis)))
    last = everything[: -3 * n_qubits : -3]  # each qubit has RZ, RY, RZ in turn
    for observables in (pc.observables, None):
        assert [*rotations.effective(observables), *last] == [*(k for k in everything if k not in last), *last]
    assert rotations.effective(pauli_on_each_qubit(n_qubits, "Y")) == everything
    layer = QuantumLayer(pc, dtype=torch.float64, method="state")
    inputs = torch.randn(3, n_qubits, dtype=torch.float64, requires_grad=True)
    outputs = layer(inputs)
    exact = expectations(pc, inputs.detach().numpy(), layer.weights.detach().numpy()[0])
    np.testing.assert_allclose(outputs.detach(), exact, atol=1e-12)
    outputs.square().sum().backward()
    assert layer.weights.grad is not None
    idle = (layer.weights.grad[0] == 0).nonzero().flatten().tolist()
    assert idle == rotations.weight_slopes[sorted(last)].nonzero()[1].tolist()


@pytest.mark.parametrize("n_qubits", [5, 6])
@torch.inference_mode()
def test_transforms_work_without_autograd(n_qubits: int) -> None:
    layer = QuantumLayer(wide(n_qubits), dtype=torch.float64)
    inputs = torch.randn(3, n_qubits, dtype=torch.float64)
    mapped = torch.func.vmap(lambda row: layer(row.unsqueeze(0)).squeeze(0))(inputs)
    torch.testing.assert_close(mapped, layer(inputs))


@by_every_method
def test_small_numbers_are_not_rounding(method: Method) -> None:
    """An observable in joules, and an input in another unit."""
    x, w = ParameterVector("x", 2), ParameterVector("w", 1)
    circuit = QuantumCircuit(2)
    circuit.ry(1e-13 * x[0], 0)
    circuit.ry(x[1], 1)
    circuit.cx(0, 1)
    circuit.ry(1e-14 * w[0], 1)
    observables = [SparsePauliOp(["ZI", "IX"], [1e-20, 2e-20]), SparsePauliOp("ZZ")]
    pc = Circuit(circuit=circuit, inputs=x, weights=w, observables=observables)
    inputs, weights = np.array([[0.4e13, 0.2], [2e13, -0.5]]), np.array([[0.7e14]])
    found = QuantumLayer.at(pc, weights, method=method)(torch.from_numpy(inputs))
    np.testing.assert_allclose(found.detach(), expectations(pc, inputs, weights[0]), rtol=1e-9)


def untrained() -> Circuit:
    """Two inputs on one qubit, and a third that changes nothing."""
    x = ParameterVector("x", 3)
    circuit = QuantumCircuit(1)
    circuit.rx(x[0], 0)
    circuit.ry(x[1], 0)
    circuit.rz(x[2], 0)
    return Circuit(circuit=circuit, inputs=x, weights=[], observables=pauli_on_each_qubit(1))


@by_every_method
def test_what_changes_nothing_has_a_slope_of_zero(method: Method) -> None:
    layer = QuantumLayer(untrained(), dtype=torch.float64, method=method)
    inputs = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(layer(inputs).sum(), inputs)
    x, y, _ = inputs.detach().unbind(1)  # ⟨Z⟩ = cos x₀ cos x₁
    expected = torch.stack([-x.sin() * y.cos(), -x.cos() * y.sin(), 0 * x], 1)
    torch.testing.assert_close(slopes, expected)
    x, circuit = ParameterVector("x", 1), QuantumCircuit(1)
    circuit.rz(x[0], 0)
    still = Circuit(circuit=circuit, inputs=x, weights=[], observables=pauli_on_each_qubit(1))
    inputs = torch.zeros(2, 1, requires_grad=True)
    assert not torch.autograd.grad(QuantumLayer(still, method=method)(inputs).sum(), inputs)[0].any()


def test_the_method_suits_the_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert QuantumLayer(lcqhnn_circuit()).method == "fourier"
    assert QuantumLayer(entangling(5, 3)).method == "matrix"
    assert QuantumLayer(wide(5)).method == "dense"
    assert QuantumLayer(entangling(7, 1)).method == "state"
    monkeypatch.setattr(dense, "MAX_CONSTANTS", 1000)
    assert QuantumLayer(wide(5)).method == "state"
    with pytest.raises(ValueError, match="up to 5"):
        QuantumLayer(entangling(6, 1), method="dense")
    with pytest.raises(ValueError, match="2 layers of rotations, too many"):  # constants for every copy
        QuantumLayer(untrained(), copies=200, method="dense")
    with pytest.raises(ValueError, match="a weight acts before an input"):
        QuantumLayer(wide(5), method="matrix")
    with pytest.raises(ValueError, match="'tensor'"):
        QuantumLayer(lcqhnn_circuit(), method="tensor")  # type: ignore[arg-type]


@pytest.mark.parametrize("pc", [entangling(), wide(4), wide(6)], ids=["matrix", "dense", "state"])
def test_probabilities_and_samples(pc: Circuit) -> None:
    layer = QuantumLayer(pc, copies=2, dtype=torch.float64)
    n = pc.n_inputs
    inputs = torch.randn(3, 2 * n, dtype=torch.float64, requires_grad=True)
    got = layer.probabilities(inputs)
    for copy, weights in enumerate(layer.weights.detach().numpy()):
        exact = states(pc, inputs.detach().numpy()[:, n * copy : n * copy + n], weights)
        np.testing.assert_allclose(got.detach()[:, copy], [state.probabilities() for state in exact], atol=1e-12)
    assert torch.autograd.gradcheck(layer.probabilities, inputs, fast_mode=True)
    shots = 20_000
    counts = layer.sample(inputs, shots, generator=0)
    p = [chisquare(c, shots * e / e.sum()).pvalue for c, e in zip(counts[0], got.detach().numpy()[0], strict=True)]
    assert min(p) > 1e-3
    np.testing.assert_array_equal(counts, layer.sample(inputs, shots, generator=0))
    single = layer.float().probabilities(inputs.float())  # compiled again in the other dtype
    torch.testing.assert_close(single.double(), got, atol=1e-5, rtol=0)


# --- one node among torch's


@by_every_method
def test_torchs_transforms_see_the_same_function(method: Method) -> None:
    layer = QuantumLayer(lcqhnn_circuit(n_qubits=2), dtype=torch.float64, method=method)
    inputs, direction = torch.randn(2, 3, 2, dtype=torch.float64)
    mapped = torch.func.vmap(lambda row: layer(row.unsqueeze(0)).squeeze(0))(inputs)
    torch.testing.assert_close(mapped, layer(inputs))
    weights = layer.weights.detach()

    def output(weights: Tensor) -> Tensor:
        return of_weights(layer, inputs, weights).sum()

    torch.testing.assert_close(torch.func.hessian(output)(weights), torch.autograd.functional.hessian(output, weights))
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(layer(forward_ad.make_dual(inputs, direction))).tangent
    assert tangent is not None
    torch.testing.assert_close(tangent, torch.einsum("bobi,bi->bo", torch.func.jacrev(layer)(inputs), direction))


@by_every_method
def test_only_what_asks_for_a_gradient_gets_one(method: Method) -> None:
    layer = QuantumLayer(entangling(2, 1), method=method)
    layer(torch.randn(3, 2)).sum().backward()
    assert layer.weights.grad is not None
    (layer.weights * layer.weights.grad).sum()  # which autograd saves: it refuses a tensor of inference mode
    inputs = torch.randn(3, 2, requires_grad=True)
    layer.requires_grad_(False)(inputs).sum().backward()
    assert inputs.grad is not None
    assert not layer(torch.randn(3, 2)).requires_grad


@by_every_method
def test_inference_tensors_are_taken(method: Method) -> None:
    with torch.inference_mode():
        inputs = torch.randn(3, 4)
        born_there = QuantumLayer(lcqhnn_circuit(), method=method)
        born_there.probabilities(inputs)
    for layer in (QuantumLayer(lcqhnn_circuit(), method=method), born_there):
        torch.testing.assert_close(layer(inputs), layer(inputs.clone()), rtol=0, atol=0)
        x = inputs.clone().requires_grad_()
        (first,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x)
        assert second.isfinite().all()
        layer.probabilities(x)[..., 0].sum().backward()
        assert x.grad is not None


@by_every_method
def test_second_derivatives_where_an_output_depends_on_nothing(method: Method) -> None:
    x, w = ParameterVector("x", 1), ParameterVector("w", 1)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.ry(w[0], 1)
    for observable in ("ZI", "IZ", "II"):
        pc = Circuit(circuit=circuit, inputs=x, weights=w, observables=[SparsePauliOp(observable)])
        layer = QuantumLayer(pc, dtype=torch.float64, method=method)
        inputs = torch.tensor([[0.4]], dtype=torch.float64, requires_grad=True)
        first = torch.autograd.grad(layer(inputs).sum(), (inputs, layer.weights), create_graph=True)
        for derivative, variable, acts in zip(first, (inputs, layer.weights), ("IZ", "ZI"), strict=True):
            (second,) = torch.autograd.grad(derivative.sum(), variable, retain_graph=True)
            torch.testing.assert_close(second, -variable.cos() if observable == acts else torch.zeros_like(variable))


@by_every_method
def test_autocast_leaves_the_precision_alone(method: Method) -> None:
    layer = QuantumLayer(lcqhnn_circuit(), method=method)
    inputs = torch.randn(5, 4, requires_grad=True)
    wanted = (inputs, layer.weights)

    def everything(x: Tensor) -> list[Tensor]:
        first = torch.autograd.grad(layer(x).square().sum(), wanted, create_graph=True)
        return [layer(x), layer.probabilities(x), *first, *torch.autograd.grad(layer(x).square().sum(), wanted)]

    expected = everything(inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = everything(inputs)
        half = layer(inputs.bfloat16())  # what a linear layer before it would pass on
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(half, layer(inputs.bfloat16().float()), rtol=0, atol=0)


# --- weights, dtypes and devices


@by_every_method
def test_conversion_follows_the_network_and_the_weights(method: Method) -> None:
    layer = QuantumLayer(entangling(2, 1), copies=2, method=method)
    inputs = torch.randn(3, 4, dtype=torch.float64)
    single = layer(inputs.float())
    double = deepcopy(torch.nn.Sequential(layer)).double()
    rows, weights = inputs[:, :2].numpy(), layer.weights.detach().numpy()[0]
    np.testing.assert_allclose(double(inputs).detach()[:, :2], expectations(layer.pc, rows, weights), atol=1e-12)
    assert (single - double(inputs)).abs().max() < 2e-6
    torch.testing.assert_close(deepcopy(double).float()(inputs.float()), single)
    other = cast(QuantumLayer, double[0]).weights.detach()
    torch.testing.assert_close(of_weights(layer, inputs, other), double(inputs), rtol=0, atol=0)
    assert layer(inputs.float()).dtype == torch.float32
    layer.load_state_dict({"weights": other}, assign=True)
    torch.testing.assert_close(layer(inputs), double(inputs), rtol=0, atol=0)
    layer.load_state_dict({"weights": other.half()}, assign=True)
    for _ in range(2):
        with pytest.raises(ValueError, match="float16"):
            layer(inputs.half())
    with pytest.raises(ValueError, match=r"weights have shape \(6,\); this layer expects \(2, 6\)"):
        of_weights(layer, inputs, other[0])


@by_every_method
def test_a_layer_can_be_pickled(method: Method) -> None:
    x, w = ParameterVector("x", 2), ParameterVector("w", 2)
    circuit = QuantumCircuit(2)
    circuit.rx(x[0] * x[1], 0)  # as in Qiskit's ZZ feature map
    circuit.ry(w[0].sin() * w[1], 1)
    circuit.cx(0, 1)
    layer = QuantumLayer(
        Circuit(circuit=circuit, inputs=x, weights=w, observables=pauli_on_each_qubit(2)), method=method
    )
    inputs = torch.randn(3, 2)
    torch.testing.assert_close(pickle.loads(pickle.dumps(layer))(inputs), layer(inputs), rtol=0, atol=0)


def test_weights_are_drawn_evenly_from_a_whole_turn_and_apart_for_every_copy() -> None:
    weights = QuantumLayer(entangling(), copies=500).weights.detach().numpy()
    assert kstest(weights.ravel(), "uniform", (0, 2 * np.pi)).pvalue > 1e-3
    assert len(np.unique(weights)) > 0.99 * weights.size


def test_weights_of_another_circuit_are_refused(tmp_path: Path) -> None:
    """In a network, through a file, and under another name of the same circuit they are taken."""

    def network(pc: Circuit) -> torch.nn.Sequential:
        return torch.nn.Sequential(torch.nn.Linear(4, 4), QuantumLayer(pc))

    original = lcqhnn_circuit()
    stored = network(original)
    assert list(stored.state_dict()) == ["0.weight", "0.bias", "1.weights"]
    torch.save(stored.state_dict(), tmp_path / "weights.pt")
    for state in (stored.state_dict(), torch.load(tmp_path / "weights.pt", weights_only=True)):
        network(replace(original, circuit=original.circuit.copy("other"))).load_state_dict(state)
        for pc in (lcqhnn_circuit("product"), replace(original, observables=pauli_on_each_qubit(4, "X"))):
            other = network(pc)
            before = deepcopy(other.state_dict()["1.weights"])
            with pytest.raises(RuntimeError, match=r"the weights 1\.weights belong to another circuit"):
                other.load_state_dict(state)
            torch.testing.assert_close(other.state_dict()["1.weights"], before, rtol=0, atol=0)
    network(quanvolution()).load_state_dict(dict(stored.state_dict()))  # bare tensors say nothing


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_the_same_on_a_gpu() -> None:
    layer = QuantumLayer(entangling(), copies=2)
    inputs = torch.randn(5, 6)
    expected = layer(inputs), layer.probabilities(inputs)
    found = layer.cuda()(inputs.cuda()).cpu(), layer.probabilities(inputs.cuda()).cpu()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


# --- what is refused


@pytest.mark.parametrize(
    ("kind", "message", "inputs"),
    [
        (ValueError, r"shape \(3, 5\).*\[\.\.\., 4\]", torch.zeros(3, 5)),
        (TypeError, r"torch\.float64.*torch\.float32", torch.zeros(3, 4, dtype=torch.float64)),
        (NonFiniteError, "first in row 2", torch.tensor([[0.0] * 4, [1.0] * 4, [0.0, -math.inf, 0.0, 0.0]])),
        (ValueError, "meta", torch.zeros(3, 4, device="meta")),
    ],
)
def test_wrong_inputs_are_named(kind: type[Exception], message: str, inputs: Tensor) -> None:
    for method in METHODS:
        with pytest.raises(kind, match=message):
            QuantumLayer(lcqhnn_circuit(), method=method)(inputs)
    nonsense = QuantumLayer.at(lcqhnn_circuit(), np.full((1, 4), math.nan))
    assert nonsense(torch.ones(2, 4, dtype=torch.float64)).isnan().any()  # not the inputs' fault


def test_wrong_options_are_named() -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [("float16", {"dtype": torch.float16}), ("at least one", {"copies": 0})]
    for message, options in [*wrong, ("wrap", {"pc": QuantumCircuit(1)})]:
        with pytest.raises((ValueError, TypeError), match=message):
            QuantumLayer(**{"pc": lcqhnn_circuit(), **options})
    with pytest.raises(ValueError, match="at least once"):
        QuantumLayer(lcqhnn_circuit()).sample(torch.zeros(1, 4), 0)
