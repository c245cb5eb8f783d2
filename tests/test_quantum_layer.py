"""The layer against independent oracles: Qiskit's Statevector, exact Aer, parameter shift, finite differences."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from qiskit.circuit import Gate, Parameter, ParameterVector, QuantumCircuit
from qiskit.circuit import library as gates
from qiskit.quantum_info import SparsePauliOp, Statevector, random_unitary
from scipy.stats import kstest
from torch.autograd import forward_ad

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.errors import NonFiniteError
from hqnn.papers.hqnn.circuits import quanvolution
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.transfer.studies import chi_squared
from hqnn.views import aer
from hqnn.views.evaluators import Method
from hqnn.views.layer import QuantumLayer

METHODS: tuple[Method, ...] = ("fourier", "matrix", "state")
# Every standard gate of Qiskit on one or two qubits, by its number of angles.
FIXED = """
    X Y Z H S Sdg T Tdg SX SXdg I CX CY CZ CH CS CSdg CSX DCX ECR Swap iSwap
"""
ONE_ANGLE = """
    RX RY RZ Phase U1 CRX CRY CRZ CPhase CU1 RXX RYY RZZ RZX
"""
MORE_ANGLES = [
    (gates.RGate, 2),
    (gates.U2Gate, 2),
    (gates.XXPlusYYGate, 2),
    (gates.XXMinusYYGate, 2),
    (gates.UGate, 3),
    (gates.U3Gate, 3),
    (gates.CU3Gate, 3),
    (gates.CUGate, 4),
]


def expectations(pc: Circuit, inputs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expectation values [B, n_observables] by Qiskit."""
    rows = []
    for row in inputs:
        values = dict(zip(pc.inputs, row, strict=True)) | dict(zip(pc.weights, weights, strict=True))
        state = Statevector(pc.circuit.assign_parameters(values))
        rows.append([state.expectation_value(o).real for o in pc.observables])
    return np.array(rows)


def entangling(n_qubits: int = 3, n_layers: int = 2, *, seed: int | None = None) -> Circuit:
    """RX embedding, layers of RZ RY RZ and a ring of CNOTs, Y on every qubit."""
    x, w = ParameterVector("x", n_qubits), ParameterVector("w", 3 * n_qubits * n_layers)
    angle = iter(w)
    circuit = QuantumCircuit(n_qubits)
    for q in range(n_qubits):
        circuit.rx(x[q], q)
    for layer in range(n_layers):
        for q in range(n_qubits):
            circuit.rz(next(angle), q)
            circuit.ry(next(angle), q)
            circuit.rz(next(angle), q)
        for q in range(n_qubits):
            circuit.cx(q, (q + layer % (n_qubits - 1) + 1) % n_qubits)
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=pauli_on_each_qubit(n_qubits, "Y"))


def reuploading() -> Circuit:
    """Inputs encoded twice with weights between, one angle a product of input and weight."""
    x, w = ParameterVector("x", 2), ParameterVector("w", 3)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.rx(w[0], 0)
    circuit.cx(0, 1)
    circuit.rz(x[1] * w[1] + 0.3, 1)
    circuit.ry(x[0] - 2 * w[2], 1)
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=[SparsePauliOp("XZ"), SparsePauliOp("ZI")])


@st.composite
def random_circuits(draw: st.DrawFn) -> tuple[Circuit, int]:
    """Any standard gates, with float angles, parameters, and sums and products of them."""
    seed = draw(st.integers(0, 2**32 - 1))
    n_qubits = draw(st.integers(1, 4))
    n_gates = draw(st.integers(1, 12))
    rng = np.random.default_rng(seed)
    x, w = ParameterVector("x", 2), ParameterVector("w", 2)

    def angle() -> object:
        a, b = rng.choice([*x, *w], 2, replace=False)
        scale = float(rng.uniform(-2, 2))
        return [scale, a, scale * a + b + 0.5, a * b, scale * a][rng.integers(5)]

    circuit = QuantumCircuit(n_qubits)
    for parameter in [*x, *w]:  # so that every one occurs
        circuit.rx(parameter, int(rng.integers(n_qubits)))
    for _ in range(n_gates):
        kind = rng.integers(4)
        if kind == 0:
            gate = getattr(gates, f"{rng.choice(FIXED.split())}Gate")()
        elif kind == 1:
            gate = getattr(gates, f"{rng.choice(ONE_ANGLE.split())}Gate")(angle())
        elif kind == 2:
            family, count = MORE_ANGLES[rng.integers(len(MORE_ANGLES))]
            gate = family(*(angle() for _ in range(count)))
        else:
            gate = gates.UnitaryGate(random_unitary(2 ** int(rng.integers(1, min(n_qubits, 2) + 1)), seed=rng))
        if gate.num_qubits <= n_qubits:
            circuit.append(gate, rng.permutation(n_qubits)[: gate.num_qubits].tolist())
    labels = ["".join(rng.choice(list("IXYZ"), n_qubits)) for _ in range(4)]
    observables = [SparsePauliOp(labels[:3], rng.normal(size=3)), SparsePauliOp(labels[3])]
    return Circuit(circuit=circuit, inputs=x, weights=w, observables=observables), seed


@settings(max_examples=60)
@given(random_circuits())
def test_random_circuits_agree_with_statevector(case: tuple[Circuit, int]) -> None:
    pc, seed = case
    inputs = np.random.default_rng(seed).uniform(-4, 4, (2, 2))
    tried = 0
    for method in ("auto", *METHODS):
        try:
            layer = QuantumLayer(pc, dtype=torch.float64, method=method)
        except ValueError:
            continue  # this method is not for this circuit
        tried += 1
        got = layer(torch.from_numpy(inputs)).detach().numpy()
        expected = expectations(pc, inputs, layer.weights.detach().numpy()[0])
        np.testing.assert_allclose(got, expected, atol=1e-10)
    assert tried >= 2  # auto, and at least the general one


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pc", [lcqhnn_circuit(), entangling(2, 1)], ids=["lcqhnn", "entangling"])
def test_gradients_and_second_derivatives(pc: Circuit, method: Method) -> None:
    layer = QuantumLayer(pc, copies=2, dtype=torch.float64, method=method)
    inputs = torch.randn(2, 2 * pc.n_inputs, dtype=torch.float64, requires_grad=True)

    def function(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": weights}, (x,))

    assert torch.autograd.gradcheck(function, (inputs, layer.weights))
    assert torch.autograd.gradgradcheck(function, (inputs, layer.weights))


@settings(max_examples=25)
@given(random_circuits())
def test_gradients_of_random_circuits(case: tuple[Circuit, int]) -> None:
    pc, seed = case
    for method in METHODS:
        try:
            layer = QuantumLayer(pc, copies=2, dtype=torch.float64, method=method)
        except ValueError:
            continue  # this method is not for this circuit
        inputs = torch.from_numpy(np.random.default_rng(seed).uniform(-2, 2, (2, 4))).requires_grad_()

        def function(x: torch.Tensor, weights: torch.Tensor, layer: QuantumLayer = layer) -> torch.Tensor:
            return torch.func.functional_call(layer, {"weights": weights}, (x,))

        assert torch.autograd.gradcheck(function, (inputs, layer.weights), fast_mode=True)
        assert torch.autograd.gradgradcheck(function, (inputs, layer.weights), fast_mode=True)


def test_gradients_equal_the_parameter_shift_rule() -> None:
    pc = entangling()
    layer = QuantumLayer(pc, dtype=torch.float64)
    inputs = np.random.default_rng(1).normal(size=(1, pc.n_inputs))
    layer(torch.from_numpy(inputs))[0, 1].backward()
    weights = layer.weights.detach().numpy()[0]
    shifts = np.pi / 2 * np.eye(pc.n_weights)
    shifted = [expectations(pc, inputs, weights + s) - expectations(pc, inputs, weights - s) for s in shifts]
    assert layer.weights.grad is not None
    np.testing.assert_allclose(layer.weights.grad[0], [s[0, 1] / 2 for s in shifted], atol=1e-12)


def test_outputs_equal_exact_aer() -> None:
    pc = lcqhnn_circuit()
    layer = QuantumLayer(pc, dtype=torch.float64)
    inputs = np.random.default_rng(2).normal(size=(5, 4))
    exact = aer.expectations(pc, inputs, layer.weights.detach().numpy()[0])
    np.testing.assert_allclose(layer(torch.from_numpy(inputs)).detach(), exact, atol=1e-10)


@pytest.mark.parametrize("method", ["auto", "state"])
def test_inputs_may_enter_again_and_multiply_weights(method: Method) -> None:
    pc = reuploading()
    layer = QuantumLayer(pc, dtype=torch.float64, method=method)
    inputs = np.random.default_rng(3).normal(size=(4, 2))
    expected = expectations(pc, inputs, layer.weights.detach().numpy()[0])
    np.testing.assert_allclose(layer(torch.from_numpy(inputs)).detach(), expected, atol=1e-10)
    with pytest.raises(ValueError, match="input"):
        QuantumLayer(pc, method="matrix")


@pytest.mark.parametrize("method", METHODS)
def test_copies_are_separate_circuits_side_by_side(method: Method) -> None:
    pc = entangling(2, 1)
    together = QuantumLayer(pc, copies=3, dtype=torch.float64, method=method)
    inputs = torch.randn(4, 6, dtype=torch.float64)
    alone = QuantumLayer(pc, dtype=torch.float64, method=method)
    for copy in range(3):
        with torch.no_grad():
            alone.weights.copy_(together.weights[copy : copy + 1])
        expected = alone(inputs[:, 2 * copy : 2 * copy + 2])
        torch.testing.assert_close(together(inputs)[:, 2 * copy : 2 * copy + 2], expected)


def test_qubit_order_is_that_of_qiskit() -> None:
    x = Parameter("x")
    circuit = QuantumCircuit(3)
    circuit.ry(x, 2)
    pc = Circuit(circuit=circuit, inputs=[x], weights=[], observables=pauli_on_each_qubit(3))
    layer = QuantumLayer(pc, dtype=torch.float64)
    flip = torch.tensor([[math.pi]], dtype=torch.float64)
    torch.testing.assert_close(layer(flip), torch.tensor([[1.0, 1.0, -1.0]], dtype=torch.float64))
    assert layer.probabilities(flip)[0, 0].argmax() == 0b100


@pytest.mark.parametrize("method", METHODS)
def test_vmap_jacrev_and_hessian_see_the_same_function(method: Method) -> None:
    pc = lcqhnn_circuit()
    layer = QuantumLayer(pc, dtype=torch.float64, method=method)
    inputs = torch.randn(3, 4, dtype=torch.float64)
    mapped = torch.func.vmap(lambda row: layer(row.unsqueeze(0)).squeeze(0))(inputs)
    torch.testing.assert_close(mapped, layer(inputs))

    def output(weights: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": weights}, (inputs,)).sum()

    weights = layer.weights.detach()
    by_func = torch.func.jacrev(output)(weights)
    by_autograd = torch.autograd.functional.jacobian(output, weights)
    torch.testing.assert_close(by_func, by_autograd)
    second = torch.func.hessian(output)(weights)
    torch.testing.assert_close(second, torch.autograd.functional.hessian(output, weights))


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


@pytest.mark.parametrize("n_qubits", [5, 7, 9, 12])
def test_wide_circuits_agree_with_statevector(n_qubits: int) -> None:
    pc = wide(n_qubits)
    layer = QuantumLayer(pc, dtype=torch.float64)
    assert layer.method == "state"
    inputs = torch.randn(2, n_qubits, dtype=torch.float64, requires_grad=True)
    weights = layer.weights.detach().numpy()[0].copy()
    outputs = layer(inputs)
    np.testing.assert_allclose(outputs.detach(), expectations(pc, inputs.detach().numpy(), weights), atol=1e-10)
    (d_inputs, d_weights) = torch.autograd.grad(outputs[1, 0], (inputs, layer.weights))
    for k in (0, n_qubits, 3 * n_qubits - 1):  # an angle on every input's path, one beside an input, the last
        shifted = [weights + sign * np.pi / 2 * np.eye(len(weights))[k] for sign in (1, -1)]
        up, down = (expectations(pc, inputs.detach().numpy(), s)[1, 0] for s in shifted)
        assert d_weights[0, k].item() == pytest.approx((up - down) / 2, abs=1e-10)
    assert d_inputs[0].abs().max() == 0  # the other sample does not enter
    torch.testing.assert_close(d_inputs[1], d_weights[0, n_qubits : 2 * n_qubits])  # the angle is x + w


def test_the_method_suits_the_circuit() -> None:
    assert QuantumLayer(lcqhnn_circuit()).method == "fourier"
    assert QuantumLayer(reuploading()).method == "fourier"
    assert QuantumLayer(entangling(5, 3)).method == "matrix"
    assert QuantumLayer(entangling(7, 1)).method == "state"
    with pytest.raises(ValueError, match="'tensor'"):
        QuantumLayer(lcqhnn_circuit(), method="tensor")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
def test_circuits_without_inputs_or_without_weights(method: Method) -> None:
    x, w = ParameterVector("x", 2), ParameterVector("w", 2)
    for inputs, weights in ((x, w), (x, []), ([], w), ([], [])):
        circuit = QuantumCircuit(2)
        circuit.h(0)
        for k, angle in enumerate([*inputs, *weights]):
            circuit.ry(angle, k % 2)
        circuit.cx(0, 1)
        pc = Circuit(circuit=circuit, inputs=inputs, weights=weights, observables=[SparsePauliOp("XZ")])
        layer = QuantumLayer(pc, copies=2, dtype=torch.float64, method=method)
        values = torch.randn(3, 2 * len(inputs), dtype=torch.float64, requires_grad=True)
        outputs = layer(values)
        outputs.sum().backward()
        for copy in range(2):
            rows = values.detach().numpy()[:, copy * len(inputs) : (copy + 1) * len(inputs)]
            expected = expectations(pc, rows, layer.weights.detach().numpy()[copy])
            np.testing.assert_allclose(outputs.detach()[:, copy : copy + 1], expected, atol=1e-12)
        assert layer(values[:0]).shape == (0, 2)
        assert layer.probabilities(values[:0]).shape == (0, 2, 4)


def test_only_what_asks_for_a_gradient_gets_one() -> None:
    for method in METHODS:
        layer = QuantumLayer(entangling(2, 1), method=method)
        layer(torch.randn(3, 2)).sum().backward()
        assert layer.weights.grad is not None
        layer.requires_grad_(False)
        inputs = torch.randn(3, 2, requires_grad=True)
        layer(inputs).sum().backward()
        assert inputs.grad is not None
        assert not layer(torch.randn(3, 2)).requires_grad
        with torch.inference_mode():
            torch.testing.assert_close(layer(inputs), layer(inputs.detach()))


def test_conversion_follows_the_network_around_the_layer() -> None:
    for method in METHODS:
        layer = QuantumLayer(entangling(2, 1), copies=2, method=method)
        inputs = torch.randn(3, 4, dtype=torch.float64)
        single = layer(inputs.float())
        network = torch.nn.Sequential(layer).double()
        double = network(inputs)
        exact = deepcopy(layer)(inputs)
        rows, weights = inputs[:, :2].numpy(), layer.weights.detach().numpy()[0]
        np.testing.assert_allclose(exact.detach()[:, :2], expectations(layer.pc, rows, weights), atol=1e-12)
        torch.testing.assert_close(double, exact, rtol=0, atol=0)
        torch.testing.assert_close(network.to(torch.float32)(inputs.float()), single)
        with pytest.raises(ValueError, match="float16"):
            network.half()


def test_single_precision_is_accurate_to_its_rounding() -> None:
    pc = entangling(5, 3)
    double = QuantumLayer(pc, copies=4, dtype=torch.float64)
    single = QuantumLayer(pc, copies=4)
    with torch.no_grad():
        single.weights.copy_(double.weights)
    inputs = torch.randn(8, 20, dtype=torch.float64)
    assert (single(inputs.float()) - double(inputs)).abs().max() < 2e-5


def test_weights_are_drawn_evenly_from_a_whole_turn_and_apart_for_every_copy() -> None:
    weights = QuantumLayer(entangling(), copies=500, dtype=torch.float64).weights.detach().numpy()
    assert kstest(weights.ravel(), "uniform", (0, 2 * np.pi)).pvalue > 1e-3
    assert np.abs(np.corrcoef(weights[:-1].ravel(), weights[1:].ravel())[0, 1]) < 0.05


def test_probabilities_and_samples() -> None:
    pc = entangling()
    layer = QuantumLayer(pc, copies=2, dtype=torch.float64)
    inputs = torch.randn(3, 6, dtype=torch.float64)
    got = layer.probabilities(inputs).detach().numpy()
    for copy in range(2):
        for row, x in enumerate(inputs[:, 3 * copy : 3 * copy + 3].numpy()):
            values = dict(zip(pc.inputs, x, strict=True))
            values |= dict(zip(pc.weights, layer.weights.detach().numpy()[copy], strict=True))
            state = Statevector(pc.circuit.assign_parameters(values))
            np.testing.assert_allclose(got[row, copy], state.probabilities(), atol=1e-12)
    shots = 20_000
    counts = layer.sample(inputs, shots, generator=0)
    assert (counts.sum(-1) == shots).all()
    assert 1e-3 < chi_squared(counts.reshape(-1, 8), got.reshape(-1, 8)) < 1 - 1e-3
    np.testing.assert_array_equal(counts, layer.sample(inputs, shots, generator=0))


def test_a_layer_trains_inside_a_network_and_is_saved_with_its_weights_alone() -> None:
    torch.manual_seed(0)
    layer = QuantumLayer(lcqhnn_circuit())
    assert list(layer.state_dict()) == ["weights"]
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), layer)
    x, y = torch.randn(64, 4), torch.rand(64, 4) - 0.5
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        loss = (network(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_wrong_inputs_are_named() -> None:
    layer = QuantumLayer(lcqhnn_circuit())
    with pytest.raises(ValueError, match=r"shape \(3, 5\).*\[B, 4\]"):
        layer(torch.zeros(3, 5))
    with pytest.raises(TypeError, match=r"torch\.float64.*torch\.float32"):
        layer(torch.zeros(3, 4, dtype=torch.float64))
    with pytest.raises(ValueError, match="first in row 2"):
        layer(torch.tensor([[0.0] * 4, [1.0] * 4, [0.0, math.nan, 0.0, 0.0]]))
    for method in METHODS:
        with pytest.raises(NonFiniteError, match="first in row 0"):
            QuantumLayer(lcqhnn_circuit(), method=method)(torch.full((2, 4), -math.inf))
    with torch.no_grad():
        layer.weights[0, 1] = math.nan
    assert layer(torch.ones(2, 4)).isnan().any()  # not the inputs' fault
    with pytest.raises(ValueError, match="meta"):
        layer(torch.zeros(3, 4, device="meta"))
    with pytest.raises(ValueError, match="at least once"):
        layer.sample(torch.zeros(1, 4), 0)
    with pytest.raises(ValueError, match="float16"):
        QuantumLayer(lcqhnn_circuit(), dtype=torch.float16)
    with pytest.raises(ValueError, match="at least one"):
        QuantumLayer(lcqhnn_circuit(), copies=0)
    with pytest.raises(TypeError, match="pc is a QuantumCircuit; wrap"):
        QuantumLayer(QuantumCircuit(1))


def test_circuits_that_cannot_be_compiled_are_named() -> None:
    def wrap(circuit: QuantumCircuit) -> Circuit:
        return Circuit(circuit=circuit, inputs=[], weights=[], observables=pauli_on_each_qubit(circuit.num_qubits))

    unknown = QuantumCircuit(1)
    unknown.append(Gate("mystery", 1, []), [0])
    with pytest.raises(ValueError, match="'mystery'"):
        QuantumLayer(wrap(unknown))
    measured = QuantumCircuit(1, 1)
    measured.measure(0, 0)
    with pytest.raises(ValueError, match="'measure'"):
        QuantumLayer(wrap(measured))
    with pytest.raises(ValueError, match="13 qubits"):
        QuantumLayer(wrap(QuantumCircuit(13)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_autocast_leaves_the_precision_alone(method: Method, dtype: torch.dtype) -> None:
    layer = QuantumLayer(lcqhnn_circuit(), dtype=dtype, method=method)
    inputs = torch.randn(5, 4, dtype=dtype, requires_grad=True)

    def everything(x: torch.Tensor) -> list[torch.Tensor]:
        outputs = layer(x)
        first = torch.autograd.grad(outputs.square().sum(), (inputs, layer.weights), create_graph=True)
        plain = torch.autograd.grad(layer(x).square().sum(), (inputs, layer.weights))
        return [outputs, layer.probabilities(x), *first, *plain]

    def second(of: list[torch.Tensor]) -> list[torch.Tensor]:
        return list(torch.autograd.grad(of[3].sum(), (inputs, layer.weights)))

    expected = everything(inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = everything(inputs)
        half = layer(inputs.bfloat16())  # what a linear layer before it would pass on
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(second(found), second(expected), rtol=0, atol=0)
    assert half.dtype == dtype
    torch.testing.assert_close(half, layer(inputs.bfloat16().to(dtype)), rtol=0, atol=0)


@pytest.mark.parametrize("method", METHODS)
def test_inference_tensors_are_taken(method: Method) -> None:
    with torch.inference_mode():
        inputs = torch.randn(3, 4)
        born_there = QuantumLayer(lcqhnn_circuit(), method=method)
    for layer in (QuantumLayer(lcqhnn_circuit(), method=method), born_there):
        outputs = layer(inputs)
        torch.testing.assert_close(outputs, layer(inputs.clone()), rtol=0, atol=0)
        x = inputs.clone().requires_grad_()
        (first,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x)
        assert second.isfinite().all()
    layer = QuantumLayer(lcqhnn_circuit(), method=method)
    layer(inputs).sum().backward()
    assert layer.weights.grad is not None


@pytest.mark.parametrize("method", METHODS)
def test_weights_put_in_another_dtype(method: Method) -> None:
    layer = QuantumLayer(lcqhnn_circuit(), method=method)
    inputs = torch.randn(3, 4, dtype=torch.float64)
    double = deepcopy(layer).double()
    weights = double.weights.detach()
    by_call = torch.func.functional_call(layer, {"weights": weights}, (inputs,))
    torch.testing.assert_close(by_call, double(inputs), rtol=0, atol=0)
    assert layer(inputs.float()).dtype == torch.float32
    layer.load_state_dict({"weights": weights}, assign=True)
    torch.testing.assert_close(layer(inputs), double(inputs), rtol=0, atol=0)
    layer.load_state_dict({"weights": weights.half()}, assign=True)
    for _ in range(2):
        with pytest.raises(ValueError, match="float16"):
            layer(inputs.half())
    with pytest.raises(ValueError, match=r"weights have shape \(4,\); this layer expects \(1, 4\)"):
        torch.func.functional_call(double, {"weights": weights[0]}, (inputs,))


@pytest.mark.parametrize("method", METHODS)
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
            expected = -variable.cos() if observable == acts else torch.zeros_like(variable)
            torch.testing.assert_close(second, expected)
    no_inputs = QuantumCircuit(1)
    no_inputs.ry(w[0], 0)
    pc = Circuit(circuit=no_inputs, inputs=[], weights=w, observables=[SparsePauliOp("Z")])
    layer = QuantumLayer(pc, dtype=torch.float64, method=method).requires_grad_(False)
    nothing = torch.zeros(2, 0, dtype=torch.float64, requires_grad=True)
    (first_of_nothing,) = torch.autograd.grad(layer(nothing).sum(), nothing, create_graph=True)
    assert first_of_nothing.shape == (2, 0)


@pytest.mark.parametrize("method", METHODS)
def test_forward_mode_derivatives(method: Method) -> None:
    layer = QuantumLayer(lcqhnn_circuit(), dtype=torch.float64, method=method)
    inputs, direction = torch.randn(2, 3, 4, dtype=torch.float64)
    with forward_ad.dual_level():
        outputs = layer(forward_ad.make_dual(inputs, direction))
        tangent = forward_ad.unpack_dual(outputs).tangent
    jacobian = torch.func.jacrev(layer)(inputs)
    assert tangent is not None
    torch.testing.assert_close(tangent, torch.einsum("bobi,bi->bo", jacobian, direction))
    torch.testing.assert_close(torch.func.jacfwd(layer)(inputs), jacobian)


def test_weights_of_another_circuit_are_refused(tmp_path: Path) -> None:
    """In a network, through a file, and under another name of the same circuit they are taken."""

    def network(pc: Circuit) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(4, 4), QuantumLayer(pc))

    original = lcqhnn_circuit()
    renamed = original.circuit.copy("other")
    stored = network(original)
    torch.save(stored.state_dict(), tmp_path / "weights.pt")
    for state in (stored.state_dict(), torch.load(tmp_path / "weights.pt", weights_only=True)):
        network(replace(original, circuit=renamed)).load_state_dict(state)
        others = [
            lcqhnn_circuit("product"),
            quanvolution(),
            replace(original, observables=pauli_on_each_qubit(4, "X")),
            replace(original, inputs=original.inputs[::-1]),
        ]
        for pc in others:
            other = network(pc)
            before = other[1].weights.detach().clone()  # type: ignore[index]
            with pytest.raises(RuntimeError, match=r"the weights 1\.weights belong to another circuit"):
                other.load_state_dict(state)
            torch.testing.assert_close(other[1].weights.detach(), before, rtol=0, atol=0)  # type: ignore[index]
    network(quanvolution()).load_state_dict(dict(stored.state_dict()))  # bare tensors say nothing


@pytest.mark.parametrize("method", METHODS)
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
    layer = QuantumLayer(pc, dtype=torch.float64, method=method)
    with torch.no_grad():
        layer.weights.fill_(0.7e14)
    inputs = np.array([[0.4e13, 0.2], [2e13, -0.5]])
    expected = expectations(pc, inputs, np.array([0.7e14]))
    np.testing.assert_allclose(layer(torch.from_numpy(inputs)).detach(), expected, rtol=1e-9)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_the_same_on_a_gpu() -> None:
    layer = QuantumLayer(entangling(), copies=2)
    inputs = torch.randn(5, 6)
    expected = layer(inputs)
    torch.testing.assert_close(layer.cuda()(inputs.cuda()).cpu(), expected, atol=1e-5, rtol=1e-4)
