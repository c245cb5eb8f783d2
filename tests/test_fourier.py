"""The closed forms and the exact Fourier series, against Qiskit's state vectors."""

import math
import re

import numpy as np
import pytest
from numpy.typing import NDArray
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit
from hqnn.views import fourier


def expectations(pc: Circuit, x: NDArray[np.float64], w: NDArray[np.float64]) -> list[float]:
    values = dict(zip([*pc.inputs, *pc.weights], [*x, *w], strict=True))
    state = Statevector(pc.circuit.assign_parameters(values))
    return [state.expectation_value(observable).real for observable in pc.observables]


def value_of(latex: str, x: NDArray[np.float64], w: NDArray[np.float64]) -> float:
    """Evaluate a closed form, by turning its LaTeX into Python."""
    code = latex.replace(r"\theta", "w").replace(r"\,", " * ")
    code = re.sub(r"_\{(\d+)\}", r"[\1]", code)
    code = re.sub(r"(?<=\d)(?=[xw\\])", " * ", code)  # 2x_{0} and 0.5\cos
    angle = r"(\([^()]*\)|(?:[\d.]+ \* )?[xw]\[\d+\])"
    code = re.sub(rf"\\(sin|cos)(?:\^(\d+))? {angle}", lambda m: f"{m[1]}({m[3]})**{m[2] or 1}", code)
    return float(eval(code, {"sin": np.sin, "cos": np.cos, "x": x, "w": w}))


@pytest.mark.parametrize("order", ["time", "product"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_closed_forms_of_the_paper_give_its_expectation_values(order: Order, n_layers: int) -> None:
    pc = lcqhnn_circuit(order, n_qubits=3, n_layers=n_layers)
    rng = np.random.default_rng(n_layers)
    x, w = rng.uniform(-4, 4, 3), rng.uniform(-4, 4, pc.n_weights)
    values = [value_of(form, x, w) for form in fourier.closed_forms(pc)]
    assert values == pytest.approx(expectations(pc, x, w), abs=1e-12)


def test_closed_forms_without_entanglement_are_one_wave_each() -> None:
    assert fourier.closed_forms(lcqhnn_circuit(n_qubits=2, entangle=False)) == [
        r"\cos \theta_{0}\,\cos 2x_{0}",
        r"-\sin \theta_{1}\,\cos 2x_{1}",
    ]


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
    assert any("^2" in form for form in fourier.closed_forms(reuploaded()))
    assert any("(" in form for form in forms)
    rng = np.random.default_rng(0)
    for _ in range(5):
        values = rng.uniform(-4, 4, 2), rng.uniform(-4, 4, 2)
        assert [value_of(form, *values) for form in forms] == pytest.approx(expectations(pc, *values), abs=2e-6)


def reuploaded() -> Circuit:
    """One qubit that takes its input twice about perpendicular axes: <Z> = cos² x."""
    x = ParameterVector("x", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(x[0], 0)
    circuit.rx(x[0], 0)
    return Circuit(circuit=circuit, inputs=x, weights=(), observables=pauli_on_each_qubit(1))


def test_an_expectation_value_that_vanishes_is_written_as_zero() -> None:
    pc = reuploaded()
    pc = Circuit(circuit=pc.circuit, inputs=pc.inputs, weights=(), observables=[SparsePauliOp("I", [0.0])])
    assert fourier.closed_forms(pc) == ["0"]
    assert fourier.closed_forms(reuploaded()) == [r"\cos^2 x_{0}"]


def test_no_closed_form_for_products_of_parameters() -> None:
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(1)
    circuit.ry(x[0] * x[1], 0)
    pc = Circuit(circuit=circuit, inputs=x, weights=(), observables=pauli_on_each_qubit(1))
    with pytest.raises(ValueError, match="not an affine function"):
        fourier.closed_forms(pc)


def test_jacobian_is_that_of_parameter_shift() -> None:
    pc = lcqhnn_circuit()
    series = fourier.fourier_series(pc)
    rng = np.random.default_rng(7)
    x, w = rng.uniform(-4, 4, (3, 4)), rng.uniform(-4, 4, 4)
    for b, k in np.ndindex(3, 4):
        shift = np.pi / 2 * np.eye(4)[k]
        up, down = (np.array(expectations(pc, x[b], w + sign * shift)) for sign in (1, -1))
        assert series.jacobian(x, w)[b, :, k] == pytest.approx((up - down) / 2, abs=1e-12)


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
    exact = [expectations(pc, row, np.array([0.3])) for row in points]
    np.testing.assert_allclose(fourier.fourier_series(pc)(points, np.array([0.3])), exact, atol=1e-9)


def test_small_observables_are_not_rounding() -> None:
    pc = lcqhnn_circuit(n_qubits=2)
    small = [1e-20 * observable for observable in pc.observables]
    tiny = Circuit(circuit=pc.circuit, inputs=pc.inputs, weights=pc.weights, observables=[*small, pc.observables[0]])
    x, w = np.array([[0.3, 0.7]]), np.array([0.2, 0.9])
    values, expected = fourier.fourier_series(tiny)(x, w)[0], fourier.fourier_series(pc)(x, w)[0]
    np.testing.assert_allclose(values, [*(1e-20 * expected), expected[0]], rtol=1e-12)
    assert "0" not in fourier.closed_forms(tiny)


@pytest.mark.parametrize("order", ["time", "product"])
def test_coefficients_are_those_of_sampling(order: Order) -> None:
    pc = lcqhnn_circuit(order, n_qubits=3)
    series = fourier.fourier_series(pc)
    w = np.random.default_rng(3).uniform(-4, 4, 3)
    grid = 2 * np.pi * np.arange(5) / 5 / 2  # every feature enters as 2x, with frequencies -2, 0 and 2
    points = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, 3)
    values = np.array([expectations(pc, x, w) for x in points]).reshape(5, 5, 5, 3)
    sampled = np.fft.fftn(values, axes=(0, 1, 2)) / 125
    exact = np.zeros_like(sampled)
    for frequency, c in zip(series.input_frequencies, series.at_weights(w), strict=True):
        exact[tuple((frequency / 2).astype(int))] = c
    np.testing.assert_allclose(exact, sampled, atol=1e-12)


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
    rng = np.random.default_rng(4)
    for _ in range(5):
        inputs, weights = rng.uniform(-9, 9, (3, 2)), rng.uniform(-9, 9, 3)
        exact = [expectations(pc, row, weights) for row in inputs]
        np.testing.assert_allclose(series(inputs, weights), exact, atol=1e-10)
    np.testing.assert_allclose(series.input_frequencies, -series.input_frequencies[::-1], atol=1e-12)
    np.testing.assert_allclose(series.weight_frequencies, -series.weight_frequencies[::-1], atol=1e-12)
    np.testing.assert_allclose(series.coefficients, series.coefficients[::-1, ::-1].conj(), atol=1e-12)


def test_at_weights_takes_several_sets() -> None:
    series = fourier.fourier_series(lcqhnn_circuit(n_qubits=2))
    sets = np.random.default_rng(5).uniform(-4, 4, (3, 2))
    np.testing.assert_array_equal(series.at_weights(sets), [series.at_weights(w) for w in sets])


def test_a_constant_circuit_has_the_frequency_zero_alone() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(0.3, 0)
    pc = Circuit(circuit=circuit, inputs=(), weights=(), observables=[SparsePauliOp("Z"), SparsePauliOp("X")])
    series = fourier.fourier_series(pc)
    assert series.input_frequencies.shape == series.weight_frequencies.shape == (1, 0)
    assert series.coefficients == pytest.approx(np.array([[[np.cos(0.3), 0.0]]]))


def test_too_many_terms_and_angles_that_are_not_affine_are_named() -> None:
    with pytest.raises(ValueError, match="more than 10 terms; raise max_terms"):
        fourier.fourier_series(lcqhnn_circuit(), max_terms=10)
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(1)
    circuit.ry(x[0].sin() + x[1], 0)
    with pytest.raises(ValueError, match="not an affine function"):
        fourier.fourier_series(Circuit(circuit=circuit, inputs=x, weights=(), observables=pauli_on_each_qubit(1)))
