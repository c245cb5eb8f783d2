r"""Which parameters of a circuit make a difference, by the rank of two matrices.

A direction in the space of the weights is redundant if moving along it changes nothing. For the state that is a null
direction of the quantum Fisher information, for the measured outputs one of their Jacobian J:

$$F_{jk} = 4\,\mathrm{Re}\big(\langle\partial_j\psi|\partial_k\psi\rangle
- \langle\partial_j\psi|\psi\rangle\langle\psi|\partial_k\psi\rangle\big), \qquad
J_{ok} = 2\,\mathrm{Re}\,\langle\psi|O_o|\partial_k\psi\rangle .$$

Both have their largest rank at almost all points, so random points decide; taken over many inputs at once they speak of
the function, not of one of its values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hqnn.circuit import Circuit
from hqnn.views.pauli_rotations import lower, pauli_action

RELATIVE_ZERO = 1e-9
"""A singular value below this part of the largest one counts as zero."""


def tangents(
    pc: Circuit, inputs: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """States and their derivatives with respect to all parameters, inputs first.

    Args:
        pc: The circuit; every angle must be an affine function of the parameters.
        inputs: Features [B, n_inputs], radians.
        weights: Weights [n_weights], radians.

    Returns:
        States [B, 2**n] and derivatives [B, n_inputs + n_weights, 2**n].

    Raises:
        ValueError: An angle is not affine.
    """
    rotations = lower(pc)
    if rotations.derived_inputs or rotations.derived_weights:
        raise ValueError("an angle is not an affine function of the parameters")
    parameters = np.concatenate([inputs, np.broadcast_to(weights, (len(inputs), len(weights)))], axis=1)
    angles = parameters @ rotations.slopes.T + rotations.constant  # [B, R]
    n_parameters = parameters.shape[1]
    # Row 0 is the state, row 1 + p its derivative with respect to parameter p.
    rows = np.zeros((len(inputs), 1 + n_parameters, len(rotations.initial)), complex)
    rows[:, 0] = rotations.initial
    for k, (x, z) in enumerate(zip(rotations.x_masks, rotations.z_masks, strict=True)):
        source, phases = pauli_action(int(x), int(z), rotations.n_qubits)
        half = angles[:, k, None, None] / 2
        rows = np.cos(half) * rows - 1j * np.sin(half) * phases * rows[..., source]
        turned = -0.5j * phases * rows[:, 0, source]
        rows[:, 1:] += rotations.slopes[k][:, None] * turned[:, None]
    return rows[:, 0], rows[:, 1:]


def quantum_fisher(pc: Circuit, inputs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quantum Fisher information of the weights, the mean over inputs.

    Args:
        pc: As for `tangents`.
        inputs: Features [B, n_inputs], radians.
        weights: Weights [n_weights], radians.

    Returns:
        A positive semidefinite matrix [n_weights, n_weights].
    """
    states, slopes = tangents(pc, inputs, weights)
    slopes = slopes[:, pc.n_inputs :]
    along = np.einsum("bpd,bd->bp", slopes.conj(), states)
    products = np.einsum("bpd,bqd->bpq", slopes.conj(), slopes) - along[:, :, None] * along.conj()[:, None]
    return np.asarray(4 * products.real.mean(axis=0))


def jacobian(pc: Circuit, inputs: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Derivatives of the outputs with respect to all parameters, inputs first.

    Args:
        pc: As for `tangents`.
        inputs: Features [B, n_inputs], radians.
        weights: Weights [n_weights], radians.

    Returns:
        Derivatives [B, n_observables, n_inputs + n_weights].
    """
    states, slopes = tangents(pc, inputs, weights)
    bits = 1 << np.arange(pc.n_qubits)
    columns = []
    for observable in pc.observables:
        acted = np.zeros_like(states)
        for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
            source, phases = pauli_action(int(pauli.x @ bits), int(pauli.z @ bits), pc.n_qubits)
            acted += coefficient * phases * states[:, source]
        columns.append(2 * np.einsum("bd,bpd->bp", acted.conj(), slopes).real)
    return np.stack(columns, axis=1)


def rank(matrix: NDArray[np.float64], *, atol: float = 1e-12) -> int:
    """Number of singular values that are not zero within rounding.

    Args:
        matrix: [..., n]; all axes but the last count as rows.
        atol: Singular values below this are zero, too, even if there are no larger ones.
    """
    values = np.linalg.svd(matrix.reshape(-1, matrix.shape[-1]), compute_uv=False)
    return int((values > max(atol, RELATIVE_ZERO * values[0])).sum())
