r"""The exact Fourier series of a circuit's expectation values.

An expectation value of a circuit whose gates rotate by its parameters is a finite trigonometric sum
[Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021); hqnn, app. A.2]

$$f_o(x, w) = \sum_{\omega,\nu} C_{\omega\nu o}\; e^{i\,\omega\cdot x}\, e^{i\,\nu\cdot w}.$$

Here it is not sampled but computed: each observable is carried backwards through the rotations (Heisenberg picture),
where a rotation about P turns a Pauli string O that anticommutes with P into cos φ · O + sin φ · iPO and leaves every
other one alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from hqnn.circuit import Circuit
from hqnn.views.pauli_rotations import PauliRotations, commute, lower, pauli_action

_ZERO = 1e-12  # coefficients of rotations are sums of products of 0, 1 and -1: what is smaller is rounding


@dataclass(frozen=True)
class FourierSeries:
    """The trigonometric sum that a circuit computes.

    Args:
        input_frequencies: Distinct frequencies ω of the inputs [F, n_inputs].
        weight_frequencies: Distinct frequencies ν of the weights [V, n_weights].
        coefficients: C [F, V, n_observables], complex, with C(-ω, -ν) the conjugate of C(ω, ν).
    """

    input_frequencies: NDArray[np.float64]
    weight_frequencies: NDArray[np.float64]
    coefficients: NDArray[np.complex128]

    def __call__(self, inputs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate the series.

        Args:
            inputs: Features [B, n_inputs], radians.
            weights: Weights [n_weights], radians.

        Returns:
            Expectation values [B, n_observables].
        """
        waves = np.exp(1j * inputs @ self.input_frequencies.T)
        return np.einsum("bf,fo->bo", waves, self.at_weights(weights)).real

    def at_weights(self, weights: NDArray[np.float64]) -> NDArray[np.complex128]:
        """The input coefficients c_ω of every observable at fixed weights.

        Args:
            weights: Weights [n_weights], or several sets of them [S, n_weights], radians.

        Returns:
            Coefficients [F, n_observables], or [S, F, n_observables].
        """
        waves = np.exp(1j * np.asarray(weights) @ self.weight_frequencies.T)
        return np.einsum("...v,fvo->...fo", waves, self.coefficients)

    def jacobian(self, inputs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives of the expectation values with respect to the weights.

        Args:
            inputs: Features [B, n_inputs], radians.
            weights: Weights [n_weights], radians.

        Returns:
            Derivatives [B, n_observables, n_weights].
        """
        waves = np.exp(1j * inputs @ self.input_frequencies.T)
        slopes = 1j * self.weight_frequencies * np.exp(1j * self.weight_frequencies @ weights)[:, None]
        return np.einsum("bf,fvo,vk->bok", waves, self.coefficients, slopes, optimize=True).real

    def spectrum(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How strong each input frequency is, over all weights.

        Returns:
            Frequencies [H, n_inputs], one of each pair ±ω, and the root mean square of |c_ω| over weights that are
            uniform and independent [H, n_observables].
        """
        half = len(self.input_frequencies) // 2  # sorted, so that the second half mirrors the first
        strengths = np.sqrt((np.abs(self.coefficients[half:]) ** 2).sum(axis=1))  # Parseval
        return self.input_frequencies[half:], strengths


def fourier_series(pc: Circuit, *, max_terms: int = 100_000) -> FourierSeries:
    """Compute the exact Fourier series of a circuit in its inputs and weights.

    Args:
        pc: The circuit; every angle must be an affine function of the parameters.
        max_terms: Give up beyond this many terms; their number doubles with each rotation that an observable meets.

    Returns:
        The series of all observables.

    Raises:
        ValueError: An angle is not affine, or the series has more than `max_terms` terms.
    """
    rotations = lower(pc)
    if rotations.derived_inputs or rotations.derived_weights:
        raise ValueError("an angle is not an affine function of the parameters, so there is no finite Fourier series")
    return series_of_rotations(rotations, pc.observables, max_terms=max_terms)


def series_of_rotations(
    rotations: PauliRotations, observables: Sequence[SparsePauliOp], *, max_terms: int = 100_000
) -> FourierSeries:
    """The series of a circuit already written as Pauli rotations; see `fourier_series`.

    Raises:
        ValueError: The series has more than `max_terms` terms.
    """
    slopes, n_in = rotations.slopes, rotations.input_slopes.shape[1]
    frequencies, terms = [np.zeros((1, slopes.shape[1]))], [np.zeros((1, len(observables)), complex)]
    n_terms = 0
    for o, observable in enumerate(observables):
        for label, coefficient in zip(observable.paulis, observable.coeffs, strict=True):
            for value, cosines, sines in _propagate(rotations, label.x, label.z, max_terms):
                factors = np.array([*cosines, *sines], dtype=np.int64)
                n_terms += 2 ** len(factors)
                if n_terms > max_terms:
                    raise _too_many(max_terms)
                scale = coefficient.real * value / 2 ** len(factors) / 1j ** len(sines)
                signs = np.array(list(product((1.0, -1.0), repeat=len(factors))))
                frequencies.append(signs @ slopes[factors])
                terms.append(np.zeros((len(signs), len(observables)), complex))
                phases = np.exp(1j * (signs @ rotations.constant[factors]))
                terms[-1][:, o] = scale * phases * signs[:, len(cosines) :].prod(axis=1)
    places, where = _distinct(_merge_rounding(np.concatenate(frequencies)))
    sums = np.zeros((len(places), len(observables)), complex)
    np.add.at(sums, where, np.concatenate(terms))
    kept = (np.abs(sums) > _ZERO * scales(observables)).any(axis=1)
    if not kept.any():
        kept = (places == 0).all(axis=1)
    omegas, row = _distinct(places[kept, :n_in])
    nus, column = _distinct(places[kept, n_in:])
    coefficients = np.zeros((len(omegas), len(nus), len(observables)), complex)
    coefficients[row, column] = sums[kept]
    return FourierSeries(omegas, nus, coefficients)


def scales(observables: Sequence[SparsePauliOp]) -> NDArray[np.float64]:
    """How large each observable's coefficients are [n_observables]: what is rounding is judged beside that."""
    return np.array([np.abs(observable.coeffs).max() for observable in observables])


def _merge_rounding(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make those entries of each column of [N, n] equal that differ by rounding, up to their signs."""
    merged = np.zeros_like(frequencies)
    for column, values in zip(merged.T, frequencies.T, strict=True):
        sizes, where = np.unique(np.append(0.0, np.abs(values)), return_inverse=True)
        first = np.diff(sizes, prepend=-1.0) > _ZERO * sizes[-1]  # of those that are one number
        column[:] = np.sign(values) * sizes[first][first.cumsum() - 1][where[1:]] + 0.0  # + 0.0: no negative zero
    return merged


def _distinct(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distinct rows of [N, n] in ascending order, and the place of each row among them [N]."""
    keys = list(map(tuple, rows.tolist()))
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return np.array(list(places)).reshape(len(places), rows.shape[1]), np.array([places[key] for key in keys])


def closed_forms(pc: Circuit, *, max_terms: int = 1000) -> list[str]:
    r"""The expectation values written out, each as a sum of products of sines and cosines, for people to read.

    Args:
        pc: The circuit; every angle must be an affine function of the parameters.
        max_terms: Give up on an observable beyond this many products.

    Returns:
        LaTeX of each observable's expectation value, such as `\sin \theta_{0}\,\cos 2x_{1}`;
        weights stand before inputs, and products with few input factors come first.

    Raises:
        ValueError: An angle is not affine, or there are more than `max_terms` products.
    """
    rotations = lower(pc)
    if rotations.derived_inputs or rotations.derived_weights:
        raise ValueError("an angle is not an affine function of the parameters, so there is no such closed form")
    names = [_latex(parameter.name) for parameter in (*pc.inputs, *pc.weights)]
    forms = []
    for observable in pc.observables:
        sums: dict[tuple[_Factor, ...], float] = defaultdict(float)
        for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
            for value, cosines, sines in _propagate(rotations, pauli.x, pauli.z, max_terms):
                factors = []
                for k, wave in [*((k, "cos") for k in cosines), *((k, "sin") for k in sines)]:
                    angle, sign = _angle(rotations.slopes[k], rotations.constant[k], names)
                    value *= sign if wave == "sin" else 1.0
                    factors.append((bool(rotations.input_slopes[k].any()), angle, wave))
                sums[tuple(sorted(factors))] += coefficient * value
        smallest = _ZERO * float(scales([observable])[0])
        kept = [factors for factors, value in sums.items() if abs(value) > smallest]
        terms = sorted(kept, key=lambda factors: (sum(of_input for of_input, *_ in factors), factors))
        forms.append(_sum([_product(factors, sums[factors]) for factors in terms]))
    return forms


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
    if name and abs(abs(value) - 1) < _ZERO:
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


def _too_many(max_terms: int) -> ValueError:
    return ValueError(f"the Fourier series has more than {max_terms} terms; raise max_terms or use fewer rotations")


def _propagate(
    rotations: PauliRotations, x: NDArray[np.bool_], z: NDArray[np.bool_], max_terms: int
) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Carry one Pauli string back to ψ₀: terms (value, rotations entering by cosine, rotations entering by sine)."""
    bits = 1 << np.arange(rotations.n_qubits)
    terms: list[tuple[float, int, int, tuple[int, ...], tuple[int, ...]]] = [
        (1.0, int(x @ bits), int(z @ bits), (), ())
    ]
    for k in reversed(range(len(rotations.constant))):
        px, pz = int(rotations.x_masks[k]), int(rotations.z_masks[k])
        fixed = not rotations.slopes[k].any()
        grown = []
        for value, ox, oz, cosines, sines in terms:
            if commute((px, pz), (ox, oz)):
                grown.append((value, ox, oz, cosines, sines))
                continue
            qx, qz = px ^ ox, pz ^ oz
            # P = i^{y_P} X^px Z^pz and so on, hence iPO = ± Q with the sign collected here.
            power = 1 + (px & pz).bit_count() + (ox & oz).bit_count() - (qx & qz).bit_count()
            power += 2 * (pz & ox).bit_count()
            turned = value if power % 4 == 0 else -value
            if fixed:
                c, s = np.cos(rotations.constant[k]), np.sin(rotations.constant[k])
                grown += [(value * c, ox, oz, cosines, sines)] if abs(c) > _ZERO else []
                grown += [(turned * s, qx, qz, cosines, sines)] if abs(s) > _ZERO else []
            else:
                grown += [(value, ox, oz, (*cosines, k), sines), (turned, qx, qz, cosines, (*sines, k))]
        if len(grown) > max_terms:
            raise _too_many(max_terms)
        terms = grown
    result = []
    expectations: dict[tuple[int, int], float] = {}
    for value, ox, oz, cosines, sines in terms:
        if (ox, oz) not in expectations:
            source, phases = pauli_action(ox, oz, rotations.n_qubits)
            expectations[ox, oz] = float(np.vdot(rotations.initial, phases * rotations.initial[source]).real)
        if abs(expectations[ox, oz]) > _ZERO:
            result.append((value * expectations[ox, oz], cosines, sines))
    return result
