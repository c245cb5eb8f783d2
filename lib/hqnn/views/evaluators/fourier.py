"""A circuit as its truncated Fourier series: few rotations, inputs anywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from hqnn.views.evaluators.base import (
    Evaluator,
    clean,
    half_space,
    join,
    split,
    wave_constants,
    waves_gradient,
    waves_of,
)
from hqnn.views.pauli_propagation import scales, series
from hqnn.views.pauli_rotations import PauliRotations

MAX_SERIES_SIZE = 2**18  # entries of the Fourier tensor
MAX_SERIES_TERMS = 20_000  # terms met on the way there


class FourierEvaluator(Evaluator):
    """f(x, w) = cos(xG + b) · T cos(wG' + b'): the Fourier series in real form, pruned."""

    freq_x: Tensor
    shift_x: Tensor
    back_x: Tensor
    freq_w: Tensor
    shift_w: Tensor
    back_w: Tensor
    tensor: Tensor

    def __init__(self, rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int) -> None:
        if observables is None:
            raise ValueError("probabilities are not the expectation values of observables; use another method")
        omegas, nus, coefficients = series(rotations, observables, max_terms=MAX_SERIES_TERMS)
        rows, row_of = half_space(omegas)
        columns, column_of = half_space(nus)
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
            **wave_constants(rows),
            freq_w=freq_w,
            shift_w=np.repeat([0.0, -math.pi / 2], len(columns))[used],
            back_w=-freq_w.T,
            tensor=flat[used],
        )

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """Waves of the inputs times a matrix made of waves of the weights."""
        phase_w = torch.addmm(self.shift_w, w, self.freq_w)
        matrix = torch.mm(phase_w.cos(), self.tensor).view(self.copies, *self.shape)
        waves = waves_of(x, self.freq_x, self.shift_x, self.copies)
        return join(torch.bmm(waves, matrix).flatten(0, 1), self.copies), (waves, phase_w, matrix)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Back through the product, then through the waves of each."""
        waves, phase_w, matrix = saved
        grad = split(grad, self.copies)
        dx = dw = None
        if need_x:
            dx = join(waves_gradient(torch.bmm(grad, matrix.mT), waves, self.back_x), self.copies)
        if need_w:
            d_matrix = torch.bmm(waves.mT, grad).flatten(1)
            dw = torch.mm(torch.mm(d_matrix, self.tensor.t()).mul_(phase_w.sin()), self.back_w)
        return dx, dw
