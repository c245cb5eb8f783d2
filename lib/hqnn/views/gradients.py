r"""Derivatives of a circuit, and which of its parameters make a difference.

The parameter-shift rule takes derivatives from evaluations alone, on a simulator or on hardware [hqnn, §2.2.4]:

$$\partial_\theta \langle Y\rangle = \tfrac12\left(\langle Y\rangle_{\theta + \pi/2}
- \langle Y\rangle_{\theta - \pi/2}\right) .$$

Derivatives of the state itself tell which parameters are needed. A direction in the space of the weights is redundant
if moving along it changes nothing. For the state that is a null direction of the quantum Fisher information F, for the
measured outputs one of their Jacobian J:

$$F_{jk} = 4\,\mathrm{Re}\big(\langle\partial_j\psi|\partial_k\psi\rangle
- \langle\partial_j\psi|\psi\rangle\langle\psi|\partial_k\psi\rangle\big), \qquad
J_{ok} = 2\,\mathrm{Re}\,\langle\psi|O_o|\partial_k\psi\rangle .$$

Both have their largest rank at almost all points, so random points decide; taken over many inputs at once they speak of
the function, not of one of its values.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hqnn.circuit import Circuit
from hqnn.views.layer import QuantumLayer
from hqnn.views.pauli_rotations import lower_affine, pauli_action

RELATIVE_ZERO = 1e-9
"""A singular value below this part of the largest one counts as zero."""


@torch.no_grad()
def parameter_shift(outputs: Callable[[Tensor], Tensor], weights: Tensor) -> Tensor:
    """Derivatives of any function of angles that enter by rotations only.

    Args:
        outputs: Expectation values [...] at some weights, however they are found.
        weights: Angles [..., n_weights], radians; the axes before the last are those of separate circuits, which are
            shifted together.

    Returns:
        Derivatives [n_weights, ...], at the price of two evaluations each.
    """
    slopes = []
    for k in range(weights.shape[-1]):
        shift = torch.zeros_like(weights)
        shift[..., k] = math.pi / 2
        slopes.append((outputs(weights + shift) - outputs(weights - shift)) / 2)
    return torch.stack(slopes)


def shift_gradient(layer: QuantumLayer, inputs: Tensor, upstream: Tensor) -> Tensor:
    """The gradient of a layer's weights by the parameter-shift rule.

    Args:
        layer: Its weights enter by rotations only.
        inputs: Features [B, copies * n_inputs].
        upstream: The loss's gradient with respect to the outputs [B, copies * n_observables].

    Returns:
        The loss's gradient with respect to the weights [copies, n_weights].
    """
    slopes = parameter_shift(
        lambda weights: torch.func.functional_call(layer, {"weights": weights}, (inputs,)), layer.weights.detach()
    )
    return torch.stack([(slope * upstream).sum(0).reshape(layer.copies, -1).sum(1) for slope in slopes], 1)


def evaluations(n_weights: int, n_inputs: int, batch_size: int) -> int:
    """Circuits that one training step evaluates by the rule: each sample once, and twice for every angle.

    The inputs are angles, too, and the layers before them need the gradient with respect to them.
    """
    return batch_size * (1 + 2 * (n_weights + n_inputs))


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
    rotations = lower_affine(pc)
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
