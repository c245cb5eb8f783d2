"""A circuit as one matrix of amplitudes that depends on the weights alone: few qubits, inputs first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from hqnn.views.evaluators.base import (
    Evaluator,
    clean,
    half_space,
    join,
    readout_of,
    split,
    wave_constants,
    waves_gradient,
    waves_of,
)
from hqnn.views.pauli_propagation import ZERO
from hqnn.views.pauli_rotations import PauliRotations

MAX_MATRIX_QUBITS = 6  # from 7 on, the 64 samples of a usual batch are fewer states than the columns of M
MAX_FREQUENCIES = 128  # of the embedded state


class MatrixEvaluator(Evaluator):
    r"""f(x, w) = |z M(w)|² S: the amplitudes of a circuit whose inputs act first.

    The embedded state is a sum of waves, A z with z = cos(xG + b). Each layer of commuting weight rotations is diagonal
    in an eigenbasis of its own, so that the transpose of M is R D_L C_L ... D_2 C_2 D_1 A: diagonals D of the weights
    between constant changes of basis.
    """

    quiet = torch.inference_mode
    freq_x: Tensor
    shift_x: Tensor
    back_x: Tensor
    freq_w: Tensor
    shift_w: Tensor
    back_w: Tensor
    start: Tensor
    changes: Tensor
    readout: Tensor
    signs: Tensor
    back_signs: Tensor

    def __init__(self, rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int) -> None:
        n, dim = rotations.n_qubits, 2**rotations.n_qubits
        if n > MAX_MATRIX_QUBITS:
            raise ValueError(f"the circuit has {n} qubits; the matrix method serves up to {MAX_MATRIX_QUBITS}")
        embedding, trainable = _inputs_first(rotations)
        frequencies, start = _embedding_waves(rotations, embedding)
        layers = rotations.commuting_layers(trainable) or [[]]
        bases = [rotations.eigenbasis(layer) for layer in layers]
        readout, signs = readout_of(observables, n)
        identity = np.eye(dim, dtype=complex)
        halves = [(-b.eigenvalues.T / 2, layer) for b, layer in zip(bases, layers, strict=True)]
        phases = np.concatenate([half @ rotations.weight_slopes[layer] for half, layer in halves])
        phases = clean(phases, np.abs(phases).max(0))
        shifts = np.concatenate([half @ rotations.constant[layer] for half, layer in halves])
        changes = [after.enter(before.leave(identity)) for before, after in pairwise(bases)]
        signs = np.repeat(np.eye(dim) if signs is None else signs, 2, axis=0)  # for real and imaginary parts apart
        super().__init__(
            copies,
            **wave_constants(frequencies),
            # Cosine and sine of each phase are the parts of a complex number.
            freq_w=np.repeat(phases, 2, axis=0).T,  # [n_weights, L · 2**n · 2]
            shift_w=clean(shifts[:, None] - [0.0, math.pi / 2]).ravel(),
            back_w=-phases,
            start=clean(bases[0].enter(start)),  # A [dim, waves]
            changes=clean(np.array(changes, complex)).reshape(-1, 1, dim, dim),
            readout=clean(np.concatenate([b.enter(bases[-1].leave(identity)) for b in readout])).T[None],
            signs=signs,
            back_signs=2 * signs.T,
        )

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """The constants, and views of them for all copies."""
        super().place(dtype, device)
        self.steps = self.changes.expand(-1, self.copies, -1, -1).unbind()
        self.readout = self.readout.expand(self.copies, -1, -1)

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """Amplitudes of all samples in one product with M(w), then their squares times the signs."""
        copies, (dim, _) = self.copies, self.start.shape
        waves_w = torch.addmm(self.shift_w, w, self.freq_w).cos_()
        first, *turns = torch.view_as_complex(waves_w.view(copies, -1, dim, 1, 2)).unbind(1)
        states = [self.start * first]  # [C, dim, waves]
        for step, turn in zip(self.steps, turns, strict=True):
            states.append(torch.bmm(step, states[-1]).mul_(turn))
        matrix = torch.view_as_real(torch.bmm(states[-1].mT, self.readout)).flatten(2)
        waves = waves_of(x, self.freq_x, self.shift_x, copies)
        psi = torch.bmm(waves, matrix)  # [C, B, rows · 2]
        out = torch.mm((psi * psi).flatten(0, 1), self.signs)
        return join(out, copies), (waves, turns, states, matrix, psi)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Back through the squares, then to the inputs by M(w), and to the weights through its diagonals."""
        waves, turns, states, matrix, psi = saved
        d_psi = torch.mm(split(grad, self.copies).flatten(0, 1), self.back_signs).view_as(psi).mul_(psi)
        dx = join(waves_gradient(torch.bmm(d_psi, matrix.mT), waves, self.back_x), self.copies) if need_x else None
        if not need_w:
            return dx, None
        d_matrix = torch.view_as_complex(torch.bmm(waves.mT, d_psi).unflatten(2, (-1, 2)))
        # The conjugate of the state's gradient, so that going back through a matrix is multiplying by its transpose.
        d_state = torch.bmm(self.readout, d_matrix.mH)
        d_phases = []
        for step, turn, state in zip(reversed(self.steps), reversed(turns), reversed(states), strict=False):
            d_phases.append((d_state * state).sum(-1))
            d_state = torch.bmm(step.mT, d_state.mul_(turn))
        d_phases.append((d_state * states[0]).sum(-1))
        # A loss changes by Re(i · d_state · state) per unit of a diagonal's phase.
        return dx, torch.mm(torch.cat(d_phases[::-1], 1).imag, self.back_w)


def _inputs_first(rotations: PauliRotations) -> tuple[list[int], list[int]]:
    """Rotations up to the last input and those after it, letting inputs pass weights that they commute with."""
    on_inputs, on_weights = (np.any(slopes, axis=1) for slopes in (rotations.input_slopes, rotations.weight_slopes))
    embedding: list[int] = []
    trainable: list[int] = []
    for k in range(len(on_inputs)):
        if not on_weights[k] and all(rotations.commute(j, k) for j in trainable):
            embedding.append(k)
        elif on_inputs[k]:
            raise ValueError("a weight acts before an input; the matrix method needs all inputs first")
        else:
            trainable.append(k)
    return embedding, trainable


def _embedding_waves(
    rotations: PauliRotations, embedding: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """The embedded state as a sum of waves.

    Returns:
        Frequencies [F, n_inputs], and the amplitudes [2**n, 2 F] of their cosines and then of their sines.
    """
    frequencies = np.zeros((1, rotations.input_slopes.shape[1]))
    unit = np.abs(rotations.input_slopes).max(0, initial=0)
    unit[unit == 0] = 1.0
    states = rotations.initial[:, None]  # [2**n, frequencies]
    for layer in rotations.commuting_layers(embedding):
        basis = rotations.eigenbasis(layer)
        states = basis.enter(states) * np.exp(-0.5j * basis.eigenvalues.T @ rotations.constant[layer])[:, None]
        slopes = -basis.eigenvalues.T @ rotations.input_slopes[layer] / 2  # [2**n, n_inputs]
        exact: dict[tuple[float, ...], NDArray[np.float64]] = {}  # sums that should be equal differ in rounding
        grown: dict[tuple[float, ...], NDArray[np.complex128]] = {}
        for b, s in np.argwhere(np.abs(states) > ZERO):
            frequency = frequencies[s] + slopes[b]
            key = tuple((frequency / unit).round(12) + 0.0)
            exact.setdefault(key, frequency)
            grown.setdefault(key, np.zeros(len(states), complex))[b] += states[b, s]
        if len(grown) > MAX_FREQUENCIES:
            raise ValueError(f"the embedded state has more than {MAX_FREQUENCIES} frequencies; use another method")
        frequencies, states = np.array(list(exact.values())), basis.leave(np.stack(list(grown.values()), 1))
    half, places = half_space(clean(frequencies, np.abs(frequencies).max(0)))
    waves = np.zeros((len(states), 2, len(half)), complex)
    for (row, sign), state in zip(places, states.T, strict=True):  # e^{±ia} = cos a ± i sin a
        waves[:, 0, row] += state
        waves[:, 1, row] += 1j * sign * state
    return half, waves.reshape(len(states), -1)
