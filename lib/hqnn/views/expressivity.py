r"""What is said to make a circuit good: how widely it spreads its states, how it entangles them, how well it trains.

All are averages over random inputs and weights, angles in radians, and none needs data or training. Expressibility and
entangling capability are those of Sim, Johnson and Aspuru-Guzik [Adv. Quantum Technol. 2, 1900070 (2019)]; the variance
of a derivative that of McClean et al. [Nat. Commun. 9, 4812 (2018)]; the effective dimension that of Abbas et al.
[Nat. Comput. Sci. 1, 403 (2021)], for outputs with unit noise, so that the Fisher information is $J^T J$.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hqnn.circuit import Circuit
from hqnn.views.pauli_rotations import lower_affine, pauli_action

Reals = NDArray[np.float64]
BINS = 75
"""Of the histogram of fidelities [Sim et al., § 3.1]."""
NOTHING = 1e-20
"""A trace of squared slopes below this is rounding."""


def random_angles(pc: Circuit, samples: int, seed: int) -> tuple[Reals, Reals]:
    """Inputs [samples, n_inputs] and weights [samples, n_weights], uniform over a turn."""
    drawn = np.random.default_rng(seed).uniform(0, 2 * math.pi, (samples, pc.n_inputs + pc.n_weights))
    return drawn[:, : pc.n_inputs], drawn[:, pc.n_inputs :]


def states(pc: Circuit, inputs: Reals, weights: Reals) -> NDArray[np.complex128]:
    """State vectors [B, 2**n_qubits] at inputs [B, n_inputs] and weights [B, n_weights].

    Raises:
        ValueError: An angle is not an affine function of the parameters.
    """
    rotations = lower_affine(pc)
    halves = (inputs @ rotations.input_slopes.T + weights @ rotations.weight_slopes.T + rotations.constant) / 2
    found = np.tile(rotations.initial.astype(complex), (len(inputs), 1))
    for pauli, half in zip(rotations.paulis, halves.T[..., None], strict=True):
        source, phases = pauli_action(pauli, rotations.n_qubits)
        found = np.cos(half) * found - 1j * np.sin(half) * phases * found[:, source]
    return found


def expressibility(vectors: NDArray[np.complex128]) -> float:
    """How far the fidelities of pairs of states [B, dim] are from those of uniformly random ones, nats.

    The Kullback-Leibler divergence of their histograms: 0 for states spread evenly over all there are. From a finite
    number of pairs the estimate lies above the truth, by about `BINS` / B.

    Raises:
        ValueError: There are fewer than two states.
    """
    if len(vectors) < 2:
        raise ValueError(f"there are {len(vectors)} states; pairs need at least two")
    half = len(vectors) // 2
    overlaps = np.abs(np.einsum("bd,bd->b", vectors[:half].conj(), vectors[half : 2 * half])) ** 2
    edges = np.linspace(0, 1, BINS + 1)
    found = np.histogram(overlaps.clip(0, 1), edges)[0] / half
    haar = -np.diff((1 - edges) ** (vectors.shape[1] - 1))
    seen = found > 0
    return float((found[seen] * np.log(found[seen] / haar[seen])).sum())


def entangling_capability(vectors: NDArray[np.complex128]) -> float:
    """The mean over states [B, dim] of Meyer and Wallach's measure, from 0 (product states) to 1."""
    n = vectors.shape[1].bit_length() - 1
    purities = []
    for q in range(n):
        parts = np.moveaxis(vectors.reshape(-1, 2 ** (n - 1 - q), 2, 2**q), 2, 1).reshape(len(vectors), 2, -1)
        reduced = np.einsum("bid,bjd->bij", parts, parts.conj())
        purities.append(np.einsum("bij,bji->b", reduced, reduced).real)
    return float(2 * (1 - np.mean(purities)))


def gradient_variance(slopes: Reals) -> float:
    """The variance over samples of a derivative of an output: from a Jacobian [B, n_outputs, W], mean over the rest."""
    return float(slopes.var(axis=0, ddof=1).mean())


def fisher(slopes: Reals) -> Reals:
    """The Fisher information [W, W] of outputs with unit noise, from their Jacobian [B, n_outputs, W] at B inputs."""
    return np.asarray(np.einsum("bow,bov->wv", slopes, slopes) / len(slopes))


def effective_dimension(matrices: Reals, n_data: int) -> float:
    """How many of W weights n_data samples can tell apart: from Fisher informations [S, W, W] at random weights.

    Equation 2 of Abbas et al. with gamma 1; the matrices are scaled to a mean trace of W. Zero if no weight matters.
    """
    n_weights = matrices.shape[-1]
    trace = np.trace(matrices, axis1=1, axis2=2).mean()
    if trace < NOTHING:
        return 0.0
    scaled = matrices * n_weights / trace
    counted = n_data / (2 * math.pi * math.log(n_data))
    halves = np.linalg.slogdet(np.eye(n_weights) + counted * scaled)[1] / 2
    top = halves.max()
    return float(2 * (top + math.log(np.exp(halves - top).mean())) / math.log(counted))
