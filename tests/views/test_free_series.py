"""A circuit's own waves with free coefficients: which waves, and that it starts as the circuit, copy by copy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import ParameterVector, QuantumCircuit

from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import quanvolution, reuploading, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views.fourier import fourier_series
from hqnn.views.free_series import MAX_WAVES, FreeSeries, embedded
from hqnn.views.layer import QuantumLayer
from tests.exact import circuit_of, expectations


@st.composite
def uploads(draw: st.DrawFn) -> Circuit:
    """Inputs that enter through rotations of any slope, some repeatedly, between weights."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_inputs = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    x, w = ParameterVector("x", n_inputs), ParameterVector("w", 3)
    circuit = QuantumCircuit(n)
    for k in range(3):
        getattr(circuit, rng.choice(["rx", "ry", "rz"]))(float(rng.choice([-2, 0.5, 1, 3])) * x[k % n_inputs], k % n)
        circuit.h(k % n)
        circuit.ry(w[k], k % n)
        if n > 1:
            circuit.cx(k % n, (k + 1) % n)
    return circuit_of(circuit, n_inputs)


@given(uploads(), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_it_starts_as_the_circuit(pc: Circuit, copies: int) -> None:
    layer = QuantumLayer(pc, copies=copies).double()
    series = FreeSeries.of(layer).double()
    x = torch.rand(5, copies * pc.n_inputs, dtype=torch.float64) * 8 - 4
    torch.testing.assert_close(
        series(x), layer(x), atol=2e-5, rtol=0
    )  # frequencies and coefficients in single precision


@pytest.mark.parametrize("n_waves", [243])
def test_five_rotated_qubits_have_the_papers_waves(n_waves: int) -> None:
    layer = QuantumLayer(strongly_entangling(n_layers=1), copies=2)
    series = FreeSeries.of(layer)
    assert series.coefficients.shape == (2, n_waves, 5)
    x, w = torch.rand(3, 10), layer.weights.detach().double().numpy()
    theirs = np.hstack([expectations(layer.pc, x[:, 5 * c : 5 * c + 5].double().numpy(), w[c]) for c in range(2)])
    np.testing.assert_allclose(series(x).detach(), theirs, atol=2e-6)


def test_the_waves_contain_those_of_the_circuit_at_any_weights() -> None:
    for pc in (lcqhnn_circuit(), lcqhnn_circuit("product"), quanvolution("x", "star"), reuploading(2, trained=False)):
        ours = {tuple(row) for row in embedded(pc).round(9)}
        theirs, _ = fourier_series(pc).spectrum()
        assert {max(tuple(row), tuple(-row)) for row in theirs.round(9) + 0.0} <= ours
        assert not any(tuple(-np.array(row) + 0.0) in ours - {(0.0,) * pc.n_inputs} for row in ours)


def test_no_random_number_is_drawn_and_every_coefficient_learns() -> None:
    layer = QuantumLayer(lcqhnn_circuit())
    before = torch.get_rng_state()
    series = FreeSeries.of(layer)
    assert torch.equal(before, torch.get_rng_state())
    x = torch.rand(200, 4, requires_grad=True)
    series(x).square().sum().backward()
    assert series.coefficients.grad is not None
    assert x.grad is not None
    assert (series.coefficients.grad != 0).all()
    torch.testing.assert_close(x.grad, torch.autograd.grad(layer(x).square().sum(), x)[0], atol=1e-4, rtol=1e-3)


def test_too_many_waves_are_refused() -> None:
    n = 9
    circuit, x = QuantumCircuit(n), ParameterVector("x", n)
    for q in range(n):
        circuit.rx(x[q], q)
    with pytest.raises(ValueError, match=f"more than {MAX_WAVES:,} waves"):
        FreeSeries.of(QuantumLayer(circuit_of(circuit, n)))
