r"""Observables carried backwards through a circuit of Pauli rotations (Heisenberg picture).

A rotation about P turns a Pauli string O that anticommutes with P into cos φ · O + sin φ · iPO and leaves every other
one alone. Followed to the start, this gives an expectation value as a finite sum of products of cosines and sines.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from hqnn.views.pauli_rotations import Masks, PauliRotations, commute, pauli_action, strings

ZERO = 1e-12  # coefficients of rotations are sums of products of 0, 1 and -1: what is smaller is rounding


def series(
    rotations: PauliRotations, observables: Sequence[SparsePauliOp], *, max_terms: int = 100_000
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.complex128]]:
    """The exact Fourier series of expectation values.

    Returns:
        Distinct frequencies of inputs ω [F, n_inputs] and of weights ν [V, n_weights], and the coefficients
        C [F, V, n_observables], complex, with C(-ω, -ν) the conjugate of C(ω, ν).

    Raises:
        ValueError: The series has more than `max_terms` terms; their number doubles with each rotation that an
            observable meets.
    """
    slopes, n_in = rotations.slopes, rotations.input_slopes.shape[1]
    frequencies, terms = [np.zeros((1, slopes.shape[1]))], [np.zeros((1, len(observables)), complex)]
    n_terms = 0
    for pauli, row in strings(observables).items():
        for value, cosines, sines in propagate(rotations, pauli, max_terms):
            factors = np.array([*cosines, *sines], dtype=np.int64)
            n_terms += 2 ** len(factors)
            if n_terms > max_terms:
                raise _too_many(max_terms)
            signs = np.array(list(product((1.0, -1.0), repeat=len(factors))))
            frequencies.append(signs @ slopes[factors])
            waves = np.exp(1j * (signs @ rotations.constant[factors])) * signs[:, len(cosines) :].prod(axis=1)
            terms.append(np.outer(waves, row * value / 2 ** len(factors) / 1j ** len(sines)))
    places, where = _distinct(_merge_rounding(np.concatenate(frequencies)))
    sums = np.zeros((len(places), len(observables)), complex)
    np.add.at(sums, where, np.concatenate(terms))
    kept = (np.abs(sums) > ZERO * scales(observables)).any(axis=1)
    if not kept.any():
        kept = (places == 0).all(axis=1)
    omegas, row_of = _distinct(places[kept, :n_in])
    nus, column_of = _distinct(places[kept, n_in:])
    coefficients = np.zeros((len(omegas), len(nus), len(observables)), complex)
    coefficients[row_of, column_of] = sums[kept]
    return omegas, nus, coefficients


def propagate(
    rotations: PauliRotations, pauli: Masks, max_terms: int
) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Carry one Pauli string backwards through the rotations to the state that they start from.

    Returns:
        Terms of the expectation value: (number, rotations that enter by cosine, rotations that enter by sine).

    Raises:
        ValueError: There are more than `max_terms` terms.
    """
    terms: list[tuple[float, Masks, tuple[int, ...], tuple[int, ...]]] = [(1.0, pauli, (), ())]
    for k, (px, pz) in reversed(list(enumerate(rotations.paulis))):
        fixed = not rotations.slopes[k].any()
        grown = []
        for value, carried, cosines, sines in terms:
            if commute((px, pz), carried):
                grown.append((value, carried, cosines, sines))
                continue
            ox, oz = carried
            qx, qz = px ^ ox, pz ^ oz
            # P = i^{y_P} X^px Z^pz and so on, hence iPO = ± Q with the sign collected here.
            power = 1 + (px & pz).bit_count() + (ox & oz).bit_count() - (qx & qz).bit_count()
            power += 2 * (pz & ox).bit_count()
            turned = value if power % 4 == 0 else -value
            if fixed:
                c, s = np.cos(rotations.constant[k]), np.sin(rotations.constant[k])
                grown += [(value * c, carried, cosines, sines)] if abs(c) > ZERO else []
                grown += [(turned * s, (qx, qz), cosines, sines)] if abs(s) > ZERO else []
            else:
                grown += [(value, carried, (*cosines, k), sines), (turned, (qx, qz), cosines, (*sines, k))]
        if len(grown) > max_terms:
            raise _too_many(max_terms)
        terms = grown
    expectations: dict[Masks, float] = {}
    for carried in {carried for _, carried, _, _ in terms}:
        source, phases = pauli_action(carried, rotations.n_qubits)
        expectations[carried] = float(np.vdot(rotations.initial, phases * rotations.initial[source]).real)
    return [
        (value * expectations[carried], cosines, sines)
        for value, carried, cosines, sines in terms
        if abs(expectations[carried]) > ZERO
    ]


def scales(observables: Sequence[SparsePauliOp]) -> NDArray[np.float64]:
    """How large each observable's coefficients are [n_observables]: what is rounding is judged beside that."""
    return np.array([np.abs(observable.coeffs).max() for observable in observables])


def _merge_rounding(frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Make those entries of each column of [N, n] equal that differ by rounding, up to their signs."""
    merged = np.zeros_like(frequencies)
    for column, values in zip(merged.T, frequencies.T, strict=True):
        sizes, where = np.unique(np.append(0.0, np.abs(values)), return_inverse=True)
        first = np.diff(sizes, prepend=-1.0) > ZERO * sizes[-1]  # of those that are one number
        column[:] = np.sign(values) * sizes[first][first.cumsum() - 1][where[1:]] + 0.0  # + 0.0: no negative zero
    return merged


def _distinct(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distinct rows of [N, n] in ascending order, and the place of each row among them [N]."""
    keys = list(map(tuple, rows.tolist()))
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    return np.array(list(places)).reshape(len(places), rows.shape[1]), np.array([places[key] for key in keys])


def _too_many(max_terms: int) -> ValueError:
    return ValueError(f"the Fourier series has more than {max_terms} terms; use fewer rotations")
