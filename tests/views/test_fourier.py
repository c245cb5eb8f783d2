"""The closed forms, the exact Fourier series and the sampled one, against Qiskit's state vectors and each other."""

import math
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from qiskit.circuit import Parameter, ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.hqnn.circuits import reuploading, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import fourier
from tests.exact import circuit_of, draw, expectations


def value_of(latex: str, x: NDArray[np.float64], w: NDArray[np.float64]) -> float:
    """Evaluate a closed form, by turning its LaTeX into Python."""
    code = latex.replace(r"\theta", "w").replace(r"\,", " * ")
    code = re.sub(r"_\{(\d+)\}", r"[\1]", code)
    code = re.sub(r"(?<=\d)(?=[xw\\])", " * ", code)  # 2x_{0} and 0.5\cos
    angle = r"(\([^()]*\)|(?:[\d.]+ \* )?[xw]\[\d+\])"
    code = re.sub(rf"\\(sin|cos)(?:\^(\d+))? {angle}", lambda m: f"{m[1]}({m[3]})**{m[2] or 1}", code)
    return float(eval(code, {"sin": np.sin, "cos": np.cos, "x": x, "w": w}))


def test_closed_forms_are_sums_of_products_and_zero_where_there_is_none() -> None:
    assert fourier.closed_forms(lcqhnn_circuit(n_qubits=2, entangle=False)) == [
        r"\cos \theta_{0}\,\cos 2x_{0}",
        r"-\sin \theta_{1}\,\cos 2x_{1}",
    ]
    twice = QuantumCircuit(1)  # about perpendicular axes
    x = Parameter("x[0]")
    twice.ry(x, 0)
    twice.rx(x, 0)
    assert fourier.closed_forms(circuit_of(twice, 1)) == [r"\cos^2 x_{0}"]
    assert fourier.closed_forms(circuit_of(twice, 1, [SparsePauliOp("I", [0.0])])) == ["0"]


def test_closed_forms_with_powers_sums_constants_signs_and_numbers() -> None:
    x, w = ParameterVector("x", 2), ParameterVector("θ", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.rx(x[0], 0)
    circuit.h(0)
    circuit.ry(w[0] - x[1] + 0.25, 0)
    circuit.cx(0, 1)
    circuit.rx(-0.5 * w[1], 1)
    observables = [*pauli_on_each_qubit(2), SparsePauliOp(["XY", "ZZ", "II"], [0.5, -2.0, 0.125])]
    pc = Circuit(circuit=circuit, inputs=x, weights=w, observables=observables)
    forms = fourier.closed_forms(pc)
    assert any("(" in form for form in forms)
    x, w = draw(pc, 5)
    values = [[value_of(form, row, w) for form in forms] for row in x]
    np.testing.assert_allclose(values, expectations(pc, x, w), atol=2e-6)


def test_spectrum_is_the_mean_square_over_random_weights() -> None:
    series = fourier.fourier_series(lcqhnn_circuit(n_qubits=2))
    frequencies, strengths = series.spectrum()
    assert len(series.input_frequencies) == 2 * len(frequencies)  # each has its mirror image in the other half
    assert np.array_equal(series.input_frequencies[: len(frequencies)], -frequencies[::-1])
    grid = np.stack(np.meshgrid(*[2 * np.pi * np.arange(4) / 4] * 2), axis=-1).reshape(-1, 2)  # exact for these waves
    mean_square = (np.abs(series.at_weights(grid)) ** 2).mean(axis=0)[len(frequencies) :]
    assert strengths == pytest.approx(np.sqrt(mean_square), abs=1e-12)


@pytest.mark.parametrize("unit", [1.0, 1e-11])
def test_frequencies_that_differ_by_rounding_are_one(unit: float) -> None:
    """0.1 + 0.2 is not 0.3 to a computer; the two reach the output beside different waves of the weights."""
    x, w = ParameterVector("x", 1), ParameterVector("w", 1)
    circuit = QuantumCircuit(2)
    circuit.ry(0.1 * unit * x[0], 0)
    circuit.ry(0.2 * unit * x[0], 0)
    circuit.ry(0.3 * unit * x[0] + w[0], 1)
    observables = [SparsePauliOp(["IZ", "ZI"], [1.0, 1.0])]
    pc = Circuit(circuit=circuit, inputs=x, weights=w, observables=observables)
    frequencies, strengths = fourier.fourier_series(pc).spectrum()
    assert frequencies == pytest.approx(np.array([[0.3 * unit]]), rel=1e-9)
    assert strengths == pytest.approx(np.array([[math.sqrt(1 / 4 + 1 / 4)]]))  # 1/2 at ν = 0 and 1/2 at ν = 1
    points = np.array([[0.4], [5.0]]) / unit
    found = fourier.fourier_series(pc)(points, np.array([0.3]))
    np.testing.assert_allclose(found, expectations(pc, points, np.array([0.3])), atol=1e-9)


def test_the_series_is_real_and_equals_the_circuit_anywhere() -> None:
    x, w = ParameterVector("x", 2), ParameterVector("w", 3)
    circuit = QuantumCircuit(2)
    circuit.t(0)
    circuit.rx(0.3 * x[0] + w[0], 0)
    circuit.crz(np.pi * x[1], 0, 1)
    circuit.ry(w[1] - 0.7, 1)
    circuit.rzz(x[0], 0, 1)
    circuit.u(0.4, w[2], x[1], 1)
    observables = [SparsePauliOp(["XY", "ZI", "II"], [1.0, -0.5, 0.25]), SparsePauliOp("YZ")]
    pc = Circuit(circuit=circuit, inputs=x, weights=w, observables=observables)
    series = fourier.fourier_series(pc)
    inputs, weights = draw(pc, 6)
    inputs *= 3
    np.testing.assert_allclose(series(inputs, weights), expectations(pc, inputs, weights), atol=1e-10)
    np.testing.assert_allclose(series.input_frequencies, -series.input_frequencies[::-1], atol=1e-12)
    np.testing.assert_allclose(series.weight_frequencies, -series.weight_frequencies[::-1], atol=1e-12)
    np.testing.assert_allclose(series.coefficients, series.coefficients[::-1, ::-1].conj(), atol=1e-12)


def test_without_an_angle_there_is_the_frequency_zero_alone() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(0.3, 0)
    series = fourier.fourier_series(circuit_of(circuit, observables=[SparsePauliOp("Z"), SparsePauliOp("X")]))
    assert series.input_frequencies.shape == series.weight_frequencies.shape == (1, 0)
    assert series.coefficients == pytest.approx(np.array([[[np.cos(0.3), 0.0]]]))


def test_too_many_terms_and_angles_that_are_not_affine_are_named() -> None:
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(1)
    circuit.ry(x[0].sin() + x[1], 0)
    for build in (fourier.fourier_series, fourier.closed_forms):
        with pytest.raises(ValueError, match="terms; use fewer rotations"):
            build(strongly_entangling())
        with pytest.raises(ValueError, match="not an affine function"):
            build(circuit_of(circuit, 2))


# --- sampled coefficients


def test_sampled_coefficients_are_those_of_the_exact_series_and_give_back_the_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fourier, "CHUNK", 2)
    pc = strongly_entangling(n_qubits=2, n_layers=1)
    weights = fourier.random_weights(pc, 3)
    sampled = fourier.coefficients(pc, weights)
    series = fourier.fourier_series(pc)
    exact = series.at_weights(weights)  # [S, F, outputs], of e^{+iωx}
    np.testing.assert_allclose(exact[1], series.at_weights(weights[1]), atol=1e-12)
    expected = np.zeros((2, 3, 3, 3), complex)
    for f, (a, b) in enumerate(series.input_frequencies.astype(int)):
        expected[:, :, 1 - a, 1 - b] = exact[:, f].T
    np.testing.assert_allclose(sampled, expected, atol=1e-12)
    x, _ = draw(pc, 4)
    values = (np.exp(-1j * x @ fourier.frequencies(sampled[-1]).T) @ sampled[-1][1].ravel()).real
    np.testing.assert_allclose(values, expectations(pc, x, weights[1])[:, -1], atol=1e-10)


@pytest.mark.parametrize("trained", [True, False])
def test_an_input_embedded_d_times_has_2d_plus_1_terms_if_it_is_turned_in_between(trained: bool) -> None:
    d = 3
    pc = reuploading(d, trained=trained)
    (found,) = fourier.coefficients(pc, fourier.random_weights(pc, 8), degree=d + 1, method="state")
    present = np.flatnonzero(np.abs(found).max(axis=0) > 1e-9) - (d + 1)
    assert present.tolist() == (list(range(-d, d + 1)) if trained else [-d, 0, d])


def test_the_rest_of_the_inputs_is_held_at_zero_or_averaged() -> None:
    pc = strongly_entangling(n_qubits=3, n_layers=2)
    weights = fourier.random_weights(pc, 2)
    found = fourier.coefficients(pc, weights)[-1]
    grid = 2 * np.pi * np.arange(3) / 3
    x = np.array([[a, b, 0.0] for a in grid for b in grid])
    at_zero = np.fft.fftshift(np.fft.ifftn(expectations(pc, x, weights[0])[:, -1].reshape(3, 3)))
    np.testing.assert_allclose(fourier.of_first_inputs(found, 2)[0], at_zero, atol=1e-10)
    mean = fourier.of_first_inputs(found, 2, others="mean")
    np.testing.assert_allclose(mean, found[..., 1])
    np.testing.assert_allclose(mean[:, 1, 1], 0, atol=1e-12)  # averaged inputs leave a qubit in no direction at all


def test_every_number_once() -> None:
    pc = strongly_entangling(n_qubits=2, n_layers=2)
    found = fourier.coefficients(pc, fourier.random_weights(pc, 50))[-1]
    once, twice = fourier.independent_parts(found), fourier.all_parts(found)
    assert (once.shape, twice.shape) == ((50, 9), (50, 18))
    np.testing.assert_array_equal(once[:, 0], found[:, 1, 1].real)  # c(0) first
    spectra = [fourier.covariance_spectrum(v) for v in (once, twice)]
    assert fourier.dimension(spectra[0]) == fourier.dimension(spectra[1])


def test_determinant_and_dimension_of_known_samples() -> None:
    free = np.random.default_rng(0).normal(size=(20_000, 4))
    assert fourier.correlation_determinant(free) == pytest.approx(1, abs=0.01)
    assert fourier.correlation_determinant(np.c_[free, free[:, 0], np.ones(len(free))]) == pytest.approx(0)
    spectrum = fourier.covariance_spectrum(free)
    assert fourier.dimension(spectrum) == 4
    assert fourier.effective_dimension(spectrum) == pytest.approx(4, abs=0.01)
    assert fourier.effective_dimension(np.array([1.0, 0.0])) == 1
