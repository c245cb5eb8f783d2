"""Sampled Fourier coefficients against the exact series, the frequencies of repeated embeddings, and determinants."""

import numpy as np
import pytest

from hqnn.papers.hqnn.circuits import reuploading, strongly_entangling
from hqnn.views import expressivity
from hqnn.views.aer import expectations
from hqnn.views.fourier import fourier_series


def test_sampled_coefficients_are_those_of_the_series() -> None:
    pc = strongly_entangling(n_qubits=2, n_layers=1)
    weights = expressivity.random_weights(pc, 3)
    sampled = expressivity.coefficients(pc, weights)
    series = fourier_series(pc)
    exact = series.at_weights(weights)  # [S, F, outputs], of e^{+iωx}
    for output in range(2):
        expected = np.zeros((3, 3, 3), complex)
        for f, (a, b) in enumerate(series.input_frequencies.astype(int)):
            expected[:, 1 - a, 1 - b] = exact[:, f, output]
        np.testing.assert_allclose(sampled[output], expected, atol=1e-12)


def test_coefficients_give_back_the_function() -> None:
    pc = strongly_entangling(n_qubits=3, n_layers=2)
    weights = expressivity.random_weights(pc, 2)
    found = expressivity.coefficients(pc, weights)[-1]
    frequencies = expressivity.frequencies(found)
    x = np.random.default_rng(1).uniform(0, 2 * np.pi, (4, 3))
    values = (np.exp(-1j * x @ frequencies.T) @ found[1].ravel()).real
    np.testing.assert_allclose(values, expectations(pc, x, weights[1])[:, -1], atol=1e-10)


@pytest.mark.parametrize("d", range(1, 6))
def test_an_input_embedded_d_times_has_2d_plus_1_terms(d: int) -> None:
    pc = reuploading(d)
    (found,) = expressivity.coefficients(pc, expressivity.random_weights(pc, 8), degree=d + 2, method="state")
    present = np.abs(found).max(axis=0) > 1e-9
    assert np.flatnonzero(present).tolist() == list(range(2, 2 * d + 3))


@pytest.mark.parametrize("d", range(1, 6))
def test_without_rotations_between_them_embeddings_add_up(d: int) -> None:
    pc = reuploading(d, trained=False)
    (found,) = expressivity.coefficients(pc, expressivity.random_weights(pc, 8), degree=d, method="state")
    assert np.flatnonzero(np.abs(found).max(axis=0) > 1e-9).tolist() == [0, d, 2 * d]
    with pytest.raises(ValueError, match="at least once"):
        reuploading(0)


def test_the_rest_of_the_inputs_is_held_at_zero_or_averaged() -> None:
    pc = strongly_entangling(n_qubits=3, n_layers=2)
    weights = expressivity.random_weights(pc, 2)
    found = expressivity.coefficients(pc, weights)[-1]
    grid = 2 * np.pi * np.arange(3) / 3
    x = np.array([[a, b, 0.0] for a in grid for b in grid])
    at_zero = np.fft.fftshift(np.fft.ifftn(expectations(pc, x, weights[0])[:, -1].reshape(3, 3)))
    np.testing.assert_allclose(expressivity.of_first_inputs(found, 2)[0], at_zero, atol=1e-10)
    mean = expressivity.of_first_inputs(found, 2, others="mean")
    np.testing.assert_allclose(mean, found[..., 1])
    np.testing.assert_allclose(mean[:, 1, 1], 0, atol=1e-12)  # averaged inputs leave a qubit in no direction at all


def test_every_number_once() -> None:
    pc = strongly_entangling(n_qubits=2, n_layers=2)
    found = expressivity.coefficients(pc, expressivity.random_weights(pc, 50))[-1]
    np.testing.assert_allclose(found, found[:, ::-1, ::-1].conj(), atol=1e-12)
    once = expressivity.independent_parts(found)
    assert once.shape == (50, 9)
    assert expressivity.all_parts(found).shape == (50, 18)
    spectra = [expressivity.covariance_spectrum(v) for v in (once, expressivity.all_parts(found))]
    assert expressivity.dimension(spectra[0]) == expressivity.dimension(spectra[1])


def test_determinant_and_dimension_of_known_samples() -> None:
    rng = np.random.default_rng(0)
    free = rng.normal(size=(20_000, 4))
    assert expressivity.correlation_determinant(free) == pytest.approx(1, abs=0.01)
    assert expressivity.correlation_determinant(np.c_[free, free[:, 0], np.ones(len(free))]) == pytest.approx(0)
    spectrum = expressivity.covariance_spectrum(free)
    assert expressivity.dimension(spectrum) == 4
    assert expressivity.effective_dimension(spectrum) == pytest.approx(4, abs=0.01)
    assert expressivity.effective_dimension(np.array([1.0, 0.0])) == 1
