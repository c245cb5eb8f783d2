r"""Circuits as waves of the inputs times a matrix M(w) of the weights, built once for all samples.

Either their Fourier series itself, z M(w), or amplitudes, |z M(w)|² S, with z = cos(xG + b).
"""

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

from hqnn.views.evaluators.base import Evaluator, clean, join, readout_of, split
from hqnn.views.pauli_propagation import ZERO, scales, series
from hqnn.views.pauli_rotations import PauliRotations

MAX_SERIES_SIZE = 2**18  # entries of the Fourier tensor
MAX_SERIES_TERMS = 20_000  # terms met on the way there
MAX_MATRIX_QUBITS = 6  # from 7 on, the 64 samples of a usual batch are fewer states than the columns of M
MAX_FREQUENCIES = 128  # of the embedded state


class WaveEvaluator(Evaluator):
    """Cosines and sines of F frequencies of the inputs, times a matrix of the weights, and what is read off that."""

    def __init__(self, copies: int, frequencies: NDArray[np.float64], **arrays: NDArray[Any]) -> None:
        super().__init__(
            copies,
            freq_x=np.concatenate([frequencies, frequencies]).T,  # F cosines, then F sines
            shift_x=np.repeat([0.0, -math.pi / 2], len(frequencies)),
            back_x=frequencies,
            **arrays,
        )

    def _matrix(self, w: Tensor) -> tuple[Tensor, Any]:
        """M [C, 2 F, N] of the weights [C, n_weights]; what `_matrix_back` needs."""
        raise NotImplementedError

    def _matrix_back(self, d_matrix: Tensor, saved: Any) -> Tensor:
        """Gradient [C, n_weights] of the weights."""
        raise NotImplementedError

    def _readout(self, product: Tensor) -> tuple[Tensor, Any]:
        """Outputs [C * B, n_outputs] of waves times M [C, B, N]; what `_readout_back` needs."""
        return product.flatten(0, 1), None

    def _readout_back(self, grad: Tensor, saved: Any) -> Tensor:
        """Gradient [C, B, N] of the product."""
        return grad

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """One product for all samples."""
        copies, batch = self.copies, x.shape[0]
        matrix, of_matrix = self._matrix(w)
        waves = torch.addmm(self.shift_x, x.reshape(batch * copies, len(self.freq_x)), self.freq_x).cos_()
        waves = waves.view(batch, copies, len(self.shift_x)).transpose(0, 1)
        out, of_readout = self._readout(torch.bmm(waves, matrix))
        return join(out, copies), (waves, matrix, of_matrix, of_readout)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Back through the product, then through the waves and through M."""
        waves, matrix, of_matrix, of_readout = saved
        d_product = self._readout_back(split(grad, self.copies), of_readout)
        dx = dw = None
        if need_x:
            cosines, sines = waves.chunk(2, -1)
            d_cosines, d_sines = torch.bmm(d_product, matrix.mT).chunk(2, -1)
            d_phase = d_sines.mul_(cosines).addcmul_(d_cosines, sines, value=-1)
            dx = join(torch.mm(d_phase.view(-1, len(self.back_x)), self.back_x), self.copies)
        if need_w:
            dw = self._matrix_back(torch.bmm(waves.mT, d_product), of_matrix)
        return dx, dw


class FourierEvaluator(WaveEvaluator):
    """f(x, w) = cos(xG + b) · T cos(wG' + b'): the Fourier series in real form, pruned."""

    def __init__(self, rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int) -> None:
        if observables is None:
            raise ValueError("probabilities are not the expectation values of observables; use another method")
        omegas, nus, coefficients = series(rotations, observables, max_terms=MAX_SERIES_TERMS)
        rows, row_of = _half_space(omegas)
        columns, column_of = _half_space(nus)
        tensor = np.zeros((2, len(columns), 2, len(rows), len(observables)))  # 2: cosine, sine
        for f, v in np.argwhere(coefficients.any(2)):
            (row, sx), (column, sw), c = row_of[f], column_of[v], coefficients[f, v]
            # Re(c e^{i(a + a')}) in products of cosines and sines of a = ω·x and a' = ν·w
            tensor[:, column, :, row] += np.array([[c.real, -sx * c.imag], [-sw * c.imag, -sx * sw * c.real]])
        if tensor.size > MAX_SERIES_SIZE:
            raise ValueError(f"the Fourier tensor has {tensor.size} entries, more than {MAX_SERIES_SIZE}")
        self.shape = (2 * len(rows), len(observables))
        flat = clean(tensor, scales(observables)).reshape(2 * len(columns), -1)
        used = np.flatnonzero(flat.any(1))
        freq_w = np.concatenate([columns, columns])[used].T
        super().__init__(
            copies,
            rows,
            freq_w=freq_w,
            shift_w=np.repeat([0.0, -math.pi / 2], len(columns))[used],
            back_w=-freq_w.T,
            tensor=flat[used],
        )

    def _matrix(self, w: Tensor) -> tuple[Tensor, Tensor]:
        phases = torch.addmm(self.shift_w, w, self.freq_w)
        return torch.mm(phases.cos(), self.tensor).view(self.copies, *self.shape), phases

    def _matrix_back(self, d_matrix: Tensor, saved: Tensor) -> Tensor:
        return torch.mm(torch.mm(d_matrix.flatten(1), self.tensor.t()).mul_(saved.sin()), self.back_w)


class MatrixEvaluator(WaveEvaluator):
    r"""f(x, w) = |z M(w)|² S: the amplitudes of a circuit whose inputs act first.

    The embedded state is a sum of waves, A z with z = cos(xG + b). Each layer of commuting weight rotations is diagonal
    in an eigenbasis of its own, so that the transpose of M is R D_L C_L ... D_2 C_2 D_1 A: diagonals D of the weights
    between constant changes of basis.
    """

    quiet = torch.inference_mode

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
            frequencies,
            # Cosine and sine of each phase are the parts of a complex number.
            freq_w=np.repeat(phases, 2, axis=0).T,  # [n_weights, L · 2**n · 2]
            shift_w=clean(shifts[:, None] - [0.0, math.pi / 2]).ravel(),
            back_w=-phases,
            start=clean(bases[0].enter(start)),  # A [dim, waves]
            changes=clean(np.array(changes, complex)).reshape(-1, 1, dim, dim),
            last=clean(np.concatenate([b.enter(bases[-1].leave(identity)) for b in readout])).T[None],
            signs=signs,
            back_signs=2 * signs.T,
        )

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """The constants, and views of them for all copies."""
        super().place(dtype, device)
        self.steps = self.changes.expand(-1, self.copies, -1, -1).unbind()
        self.ends = self.last.expand(self.copies, -1, -1)

    def _matrix(self, w: Tensor) -> tuple[Tensor, Any]:
        copies, (dim, _) = self.copies, self.start.shape
        diagonals = torch.addmm(self.shift_w, w, self.freq_w).cos_()
        first, *turns = torch.view_as_complex(diagonals.view(copies, -1, dim, 1, 2)).unbind(1)
        states = forth(self.start * first, self.steps, turns)
        return torch.view_as_real(torch.bmm(states[-1].mT, self.ends)).flatten(2), (turns, states)

    def _matrix_back(self, d_matrix: Tensor, saved: Any) -> Tensor:
        turns, states = saved
        # The conjugate of the state's gradient, so that going back through a matrix is multiplying by its transpose.
        d_state = torch.bmm(self.ends, torch.view_as_complex(d_matrix.unflatten(2, (-1, 2))).mH)
        return torch.mm(back(d_state, self.steps, turns, states), self.back_w)

    def _readout(self, product: Tensor) -> tuple[Tensor, Tensor]:
        return torch.mm((product * product).flatten(0, 1), self.signs), product

    def _readout_back(self, grad: Tensor, saved: Tensor) -> Tensor:
        return torch.mm(grad.flatten(0, 1), self.back_signs).view_as(saved).mul_(saved)


def forth(first: Tensor, steps: Sequence[Tensor], turns: Sequence[Tensor]) -> list[Tensor]:
    """States [N, dim, S] after each of the turns [N, dim, 1], before which a step [N, dim, dim] changes the basis."""
    states = [first]
    for step, turn in zip(steps, turns, strict=True):
        states.append(torch.bmm(step, states[-1]).mul_(turn))
    return states


def back(d_state: Tensor, steps: Sequence[Tensor], turns: Sequence[Tensor], states: Sequence[Tensor]) -> Tensor:
    """Gradient [N, (1 + turns) · dim] of all phases, given the conjugate of that of the last state."""
    d_phases = []
    for step, turn, state in zip(reversed(steps), reversed(turns), reversed(states), strict=False):
        d_phases.append((d_state * state).sum(-1))
        d_state = torch.bmm(step.mT, d_state.mul_(turn))
    d_phases.append((d_state * states[0]).sum(-1))
    # A loss changes by Re(i · d_state · state) per unit of a diagonal's phase.
    return torch.cat(d_phases[::-1], 1).imag


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
    """The embedded state as waves: frequencies [F, n_inputs], and amplitudes [2**n, 2 F] of their cosines and sines."""
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
    half, places = _half_space(clean(frequencies, np.abs(frequencies).max(0)))
    waves = np.zeros((len(states), 2, len(half)), complex)
    for (row, sign), state in zip(places, states.T, strict=True):  # e^{±ia} = cos a ± i sin a
        waves[:, 0, row] += state
        waves[:, 1, row] += 1j * sign * state
    return half, waves.reshape(len(states), -1)


def _half_space(frequencies: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[tuple[int, float]]]:
    """One of each pair ω, -ω [F, n] of distinct frequencies [N, n]; for each of these, its row there and its sign."""
    rows: dict[tuple[float, ...], int] = {}
    places = []
    for frequency in frequencies:
        sign = next((math.copysign(1.0, f) for f in frequency if f), 1.0)
        places.append((rows.setdefault(tuple((sign * frequency + 0.0).tolist()), len(rows)), sign))
    return np.array(list(rows)).reshape(len(rows), frequencies.shape[1]), places
