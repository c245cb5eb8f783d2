r"""The Fourier series of a circuit's expectation values: exact, written out, or sampled.

An expectation value of a circuit whose gates rotate by its parameters is a finite trigonometric sum
[Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021); hqnn, app. A.2]

$$f_o(x, w) = \sum_{\omega,\nu} C_{\omega\nu o}\; e^{i\,\omega\cdot x}\, e^{i\,\nu\cdot w},$$

where an input that is embedded by d rotations has frequencies from -d to d. `fourier_series` computes it by Pauli
propagation, for all weights at once. With too many weights for that, `coefficients` samples: at given weights the sum
is fixed by its values at 2d + 1 equidistant points of each input, so that a discrete Fourier transform is exact, too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from hqnn.circuit import Circuit
from hqnn.views.evaluators import Method
from hqnn.views.layer import QuantumLayer
from hqnn.views.pauli_propagation import ZERO, propagate, scales, series
from hqnn.views.pauli_rotations import lower_affine, masks

CHUNK = 100
"""Settings of the weights evaluated side by side."""


@dataclass(frozen=True)
class FourierSeries:
    """The trigonometric sum that a circuit computes: distinct frequencies in ascending order, and coefficients."""

    input_frequencies: NDArray[np.float64]
    """ω [F, n_inputs]."""
    weight_frequencies: NDArray[np.float64]
    """ν [V, n_weights]."""
    coefficients: NDArray[np.complex128]
    """C [F, V, n_observables], with C(-ω, -ν) the conjugate of C(ω, ν)."""

    def __call__(self, inputs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expectation values [B, n_observables] at inputs [B, n_inputs] and weights [n_weights], radians."""
        waves = np.exp(1j * inputs @ self.input_frequencies.T)
        return np.einsum("bf,fo->bo", waves, self.at_weights(weights)).real

    def at_weights(self, weights: NDArray[np.float64]) -> NDArray[np.complex128]:
        """The coefficients c_ω [..., F, n_observables] at fixed weights [..., n_weights], radians."""
        waves = np.exp(1j * np.asarray(weights) @ self.weight_frequencies.T)
        return np.einsum("...v,fvo->...fo", waves, self.coefficients)

    def spectrum(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One of each pair of input frequencies ±ω [H, n_inputs], and how strong it is in each output.

        That is the root mean square of |c_ω| [H, n_observables] over weights that are uniform and independent.
        """
        half = len(self.input_frequencies) // 2  # sorted, so that the second half mirrors the first
        strengths = np.sqrt((np.abs(self.coefficients[half:]) ** 2).sum(axis=1))  # Parseval
        return self.input_frequencies[half:], strengths


def fourier_series(pc: Circuit) -> FourierSeries:
    """The exact Fourier series of all observables in inputs and weights.

    >>> from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
    >>> series = fourier_series(lcqhnn_circuit())
    >>> series.coefficients.shape, len(series.spectrum()[0])
    ((48, 28, 4), 24)

    Raises:
        ValueError: An angle is not an affine function of the parameters, or the series has more than 100,000 terms.
    """
    return FourierSeries(*series(lower_affine(pc), pc.observables))


def closed_forms(pc: Circuit) -> list[str]:
    r"""Each expectation value in LaTeX, as a sum of products of sines and cosines, for people to read.

    Weights stand before inputs, and products with few input factors come first, such as
    `\sin \theta_{0}\,\cos 2x_{1}`.

    >>> from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
    >>> print(closed_forms(lcqhnn_circuit())[3])
    \sin \theta_{2}\,\sin \theta_{3}\,\cos 2x_{2}

    Raises:
        ValueError: An angle is not an affine function of the parameters, or an observable has more than 1,000 products.
    """
    rotations = lower_affine(pc)
    names = [_latex(parameter.name) for parameter in (*pc.inputs, *pc.weights)]
    forms = []
    for observable in pc.observables:
        sums: dict[tuple[_Factor, ...], float] = defaultdict(float)
        for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
            for value, cosines, sines in propagate(rotations, masks(pauli), 1000):
                factors = []
                for k, wave in [*((k, "cos") for k in cosines), *((k, "sin") for k in sines)]:
                    angle, sign = _angle(rotations.slopes[k], rotations.constant[k], names)
                    value *= sign if wave == "sin" else 1.0
                    factors.append((bool(rotations.input_slopes[k].any()), angle, wave))
                sums[tuple(sorted(factors))] += coefficient * value
        smallest = ZERO * float(scales([observable])[0])
        kept = [factors for factors, value in sums.items() if abs(value) > smallest]
        terms = sorted(kept, key=lambda factors: (sum(of_input for of_input, *_ in factors), factors))
        forms.append(_sum([_product(factors, sums[factors]) for factors in terms]))
    return forms


def random_weights(pc: Circuit, n: int, seed: int = 0) -> NDArray[np.float64]:
    """Draw settings of the weights [n, n_weights], uniform in [0, 2π) and independent."""
    return np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, pc.n_weights))


def coefficients(
    pc: Circuit, weights: NDArray[np.float64], *, degree: int = 1, method: Method = "auto"
) -> list[NDArray[np.complex128]]:
    """Fourier coefficients of every output in all inputs, sampled.

    Args:
        pc: A circuit whose input frequencies are integers up to `degree`.
        weights: Settings of the weights [S, n_weights], radians.
        degree: The highest frequency d of each input.
        method: How the circuit is evaluated; see `QuantumLayer`.

    Returns:
        For each output [S, 2d + 1, ..., 2d + 1], one axis for each input, its frequencies from -d to d.
    """
    n_points = 2 * degree + 1
    points = 2 * np.pi * np.arange(n_points) / n_points
    grid = np.stack(np.meshgrid(*[points] * pc.n_inputs, indexing="ij"), -1).reshape(-1, pc.n_inputs)
    axes = tuple(range(1, 1 + pc.n_inputs))
    parts: list[list[NDArray[np.complex128]]] = []
    for part in np.split(weights, range(CHUNK, len(weights), CHUNK)):
        layer = QuantumLayer.at(pc, part, method=method)
        with torch.no_grad():
            values = layer(torch.from_numpy(grid).repeat(1, len(part))).numpy()  # [points, S * n_observables]
        by_output = values.reshape(len(grid), len(part), pc.n_observables).transpose(2, 1, 0)
        functions = by_output.reshape(pc.n_observables, len(part), *[n_points] * pc.n_inputs)
        # The series has e^{-iωx}, so its coefficients are numpy's inverse transform.
        parts.append([np.fft.fftshift(np.fft.ifftn(f, axes=axes), axes=axes) for f in functions])
    return [np.concatenate(chunks) for chunks in zip(*parts, strict=True)]


def of_first_inputs(
    coefficients: NDArray[np.complex128], n_inputs: int = 2, *, others: Literal["zero", "mean"] = "zero"
) -> NDArray[np.complex128]:
    """Coefficients in the first inputs alone [S, 2d + 1, ...]: all others held at 0, or averaged over a turn."""
    axes = tuple(range(1 + n_inputs, coefficients.ndim))
    if others == "zero":  # e^{iω0} = 1
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

    Since c(-ω) is the conjugate of c(ω), half of the numbers repeat the other half: what is left [S, (2d + 1)**n] is
    c(0), and real and imaginary part of one coefficient of each pair.
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


_Factor = tuple[bool, str, str]  # whether an input is in the angle, the angle, "cos" or "sin"


def _latex(name: str) -> str:
    """A parameter's name with its index as a subscript."""
    stem, bracket, index = name.partition("[")
    stem = stem.replace("θ", r"\theta")
    return f"{stem}_{{{index.removesuffix(']')}}}" if bracket else stem


def _angle(row: NDArray[np.float64], constant: float, names: list[str]) -> tuple[str, float]:
    """An angle as LaTeX, made to start with a plus, and the sign that was taken out of it."""
    values = [*((value, name) for value, name in zip(row, names, strict=True) if value), (constant, "")]
    sign = float(np.sign(next((value for value, _ in values if value), 1.0)))
    parts = [_scaled(sign * value, name) for value, name in values if value]
    text = _sum(parts)
    return (f"({text})" if len(parts) > 1 else text), sign


def _scaled(value: float, name: str) -> str:
    """A number times a symbol; the number is left out where it is one."""
    if name and abs(abs(value) - 1) < ZERO:
        return f"{'-' if value < 0 else ''}{name}"
    return f"{value:.6g}{name}"


def _product(factors: tuple[_Factor, ...], value: float) -> str:
    """A product of sines and cosines with its coefficient; equal factors become powers."""
    powers = Counter(factors)
    waves = [rf"\{wave}{'' if n == 1 else f'^{n}'} {angle}" for (_, angle, wave), n in powers.items()]
    return _scaled(value, r"\,".join(waves))


def _sum(terms: list[str]) -> str:
    """Terms with their signs between them; an empty sum is 0."""
    return " + ".join(terms).replace("+ -", "- ") or "0"
