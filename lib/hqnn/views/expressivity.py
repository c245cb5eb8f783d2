r"""How freely the weights of a circuit move its Fourier coefficients [hqnn, app. A.2, fig. 10].

$$f_\theta(x) = \sum_\omega c_\omega(\theta)\, e^{-i\,\omega\cdot x}, \qquad \omega_j \in \{-d_j, \dots, d_j\}$$

for a circuit that embeds input j by d_j rotations. Such a sum is fixed by its values at 2 d_j + 1 equidistant points of
each input, so the coefficients follow from a discrete Fourier transform, without an approximation. Where the series is
short, `fourier` writes it down for all weights at once; here it is sampled, for circuits with too many weights.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hqnn.circuit import Circuit
from hqnn.views.evaluators import Method
from hqnn.views.layer import QuantumLayer

CHUNK = 100
"""Settings of the weights evaluated side by side."""


def random_weights(pc: Circuit, n: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw settings of the weights [n, n_weights], uniform in [0, 2π) and independent."""
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, pc.n_weights))


def coefficients(
    pc: Circuit, weights: NDArray[np.float64], *, degree: int = 1, method: Method = "auto"
) -> list[NDArray[np.complex128]]:
    """Fourier coefficients of every output in all inputs.

    Args:
        pc: A circuit whose input frequencies are integers up to `degree`.
        weights: Settings of the weights [S, n_weights], radians.
        degree: The highest frequency d of each input.
        method: How the circuit is evaluated; see `QuantumLayer`.

    Returns:
        For each output the coefficients [S, 2d + 1, ..., 2d + 1], one axis for each input, its frequencies from -d to
        d.
    """
    n_points = 2 * degree + 1
    points = 2 * np.pi * np.arange(n_points) / n_points
    grid = np.stack(np.meshgrid(*[points] * pc.n_inputs, indexing="ij"), -1).reshape(-1, pc.n_inputs)
    axes = tuple(range(1, 1 + pc.n_inputs))
    parts: list[list[NDArray[np.complex128]]] = []
    for part in np.split(weights, range(CHUNK, len(weights), CHUNK)):
        layer = QuantumLayer(pc, copies=len(part), dtype=torch.float64, method=method)
        with torch.no_grad():
            layer.weights.copy_(torch.from_numpy(part))
            values = layer(torch.from_numpy(grid).repeat(1, len(part))).numpy()  # [points, S * n_observables]
        by_output = values.reshape(len(grid), len(part), pc.n_observables).transpose(2, 1, 0)
        functions = by_output.reshape(pc.n_observables, len(part), *[n_points] * pc.n_inputs)
        # The series has e^{-iωx}, so its coefficients are numpy's inverse transform.
        parts.append([np.fft.fftshift(np.fft.ifftn(f, axes=axes), axes=axes) for f in functions])
    return [np.concatenate(chunks) for chunks in zip(*parts, strict=True)]


def of_first_inputs(
    coefficients: NDArray[np.complex128], n_inputs: int = 2, *, others: Literal["zero", "mean"] = "zero"
) -> NDArray[np.complex128]:
    """Coefficients in the first inputs alone.

    Args:
        coefficients: Of all inputs [S, 2d + 1, ..., 2d + 1].
        n_inputs: How many inputs remain.
        others: What becomes of the rest: each held at 0 (its frequencies are added up), or averaged over a turn (its
            frequency is 0).

    Returns:
        [S, 2d + 1, ...] with `n_inputs` axes of frequencies.
    """
    axes = tuple(range(1 + n_inputs, coefficients.ndim))
    if others == "zero":
        return coefficients.sum(axis=axes)
    degree = coefficients.shape[1] // 2
    return coefficients[(..., *[degree] * len(axes))]


def frequencies(coefficients: NDArray[np.complex128]) -> NDArray[np.int64]:
    """The frequencies that belong to flattened coefficients [(2d + 1)**n, n], in the same order."""
    degree, n_inputs = coefficients.shape[1] // 2, coefficients.ndim - 1
    axis = np.arange(-degree, degree + 1)
    return np.stack(np.meshgrid(*[axis] * n_inputs, indexing="ij"), -1).reshape(-1, n_inputs)


def independent_parts(coefficients: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Real numbers that fix the coefficients of a real function, each of them once.

    Since c(-ω) is the conjugate of c(ω), half of the numbers repeat the other half: what is left is c(0), and real and
    imaginary part of one coefficient of each pair.

    Args:
        coefficients: [S, 2d + 1, ..., 2d + 1].

    Returns:
        [S, (2d + 1)**n].
    """
    flat = coefficients.reshape(len(coefficients), -1)
    half = flat[:, flat.shape[1] // 2 :]  # c(0), then the later one of each pair
    return np.concatenate([half.real, half[:, 1:].imag], axis=1)


def all_parts(coefficients: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Real and imaginary parts of all coefficients, duplicates included, as figure 10 shows them [S, 2 (2d + 1)**n]."""
    flat = coefficients.reshape(len(coefficients), -1)
    return np.concatenate([flat.real, flat.imag], axis=1)


def correlation_determinant(values: NDArray[np.float64] | NDArray[np.complex128]) -> float:
    """Determinant of the correlation matrix of columns that vary [S, N]; 0 if one is a linear function of others.

    For uncorrelated columns it is 1. With no more samples than columns it is 0 whatever they are.
    """
    varying = values[:, values.std(axis=0) > 1e-12]
    return float(np.linalg.det(np.atleast_2d(np.corrcoef(varying, rowvar=False))).real) if varying.size else 1.0


def covariance_spectrum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvalues of the covariance matrix of columns [S, N], largest first."""
    return np.clip(np.linalg.eigvalsh(np.cov(values, rowvar=False))[::-1], 0, None)


def dimension(spectrum: NDArray[np.float64]) -> int:
    """Number of directions in which there is any variance."""
    return int((spectrum > 1e-12 * spectrum[0]).sum())


def effective_dimension(spectrum: NDArray[np.float64]) -> float:
    """Number of equally strong directions with the same concentration of variance (participation ratio)."""
    return float(spectrum.sum() ** 2 / (spectrum**2).sum())
