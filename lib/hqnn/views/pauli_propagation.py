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

from hqnn.views.pauli_rotations import PauliRotations, commute, pauli_action

ZERO = 1e-12  # coefficients of rotations are sums of products of 0, 1 and -1: what is smaller is rounding


def series(
    rotations: PauliRotations, observables: Sequence[SparsePauliOp], *, max_terms: int = 100_000
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.complex128]]:
    """The exact Fourier series of expectation values.

    Args:
        rotations: The circuit.
        observables: What is measured.
        max_terms: Give up beyond this many terms; their number doubles with each rotation that an observable meets.

    Returns:
        Distinct frequencies of inputs ω [F, n_inputs] and of weights ν [V, n_weights], and the coefficients
        C [F, V, n_observables], complex, with C(-ω, -ν) the conjugate of C(ω, ν).

    Raises:
        ValueError: The series has more than `max_terms` terms.
    """
    slopes, n_in = rotations.slopes, rotations.input_slopes.shape[1]
    frequencies, terms = [np.zeros((1, slopes.shape[1]))], [np.zeros((1, len(observables)), complex)]
    n_terms = 0
    for o, observable in enumerate(observables):
        for label, coefficient in zip(observable.paulis, observable.coeffs, strict=True):
            for value, cosines, sines in propagate(rotations, label.x, label.z, max_terms):
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
    kept = (np.abs(sums) > ZERO * scales(observables)).any(axis=1)
    if not kept.any():
        kept = (places == 0).all(axis=1)
    omegas, row = _distinct(places[kept, :n_in])
    nus, column = _distinct(places[kept, n_in:])
    coefficients = np.zeros((len(omegas), len(nus), len(observables)), complex)
    coefficients[row, column] = sums[kept]
    return omegas, nus, coefficients


def propagate(
    rotations: PauliRotations, x: NDArray[np.bool_], z: NDArray[np.bool_], max_terms: int
) -> list[tuple[float, tuple[int, ...], tuple[int, ...]]]:
    """Carry one Pauli string backwards through the rotations to the state that they start from.

    Args:
        rotations: The circuit.
        x: Which qubits have X or Y [n_qubits].
        z: Which qubits have Z or Y [n_qubits].
        max_terms: Give up beyond this many terms.

    Returns:
        Terms of the expectation value: (number, rotations that enter by cosine, rotations that enter by sine).

    Raises:
        ValueError: There are more than `max_terms` terms.
    """
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
                grown += [(value * c, ox, oz, cosines, sines)] if abs(c) > ZERO else []
                grown += [(turned * s, qx, qz, cosines, sines)] if abs(s) > ZERO else []
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
        if abs(expectations[ox, oz]) > ZERO:
            result.append((value * expectations[ox, oz], cosines, sines))
    return result


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
    return ValueError(f"the Fourier series has more than {max_terms} terms; raise max_terms or use fewer rotations")
