"""Circuits of few qubits whose inputs act again and again: between the inputs, matrices of the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from hqnn.views.evaluators.base import Evaluator, clean, join, readout_of, split
from hqnn.views.evaluators.waves import back, forth
from hqnn.views.pauli_rotations import PauliRotations

MAX_DENSE_QUBITS = 5  # beyond, building the matrices takes longer than carrying the states of a usual batch
MAX_CONSTANTS = 2**20  # entries of the matrix from weights to phases, and of all changes of basis


class DenseEvaluator(Evaluator):
    r"""f(x, w) = |ψ₀ D_1(x) M_1(w) ⋯ D_K(x) M_K(w)|² S, amplitudes in rows.

    Layers of commuting rotations are diagonal in eigenbases of their own. A block of them begins with one that takes
    inputs and ends before the next: D has its turns by inputs, and M, built once for all samples, the turns by weights
    and the changes of basis. The blocks are built side by side, shorter ones with idle layers at their ends.
    """

    quiet = torch.inference_mode

    def __init__(self, rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int) -> None:
        n, dim = rotations.n_qubits, 2**rotations.n_qubits
        if n > MAX_DENSE_QUBITS:
            raise ValueError(f"the circuit has {n} qubits; the dense method serves up to {MAX_DENSE_QUBITS}")
        layers = rotations.commuting_layers(rotations.effective(observables)) or [[]]
        blocks: list[list[list[int]]] = []
        for layer in layers:
            if not blocks or rotations.input_slopes[layer].any():
                blocks.append([])
            blocks[-1].append(layer)
        idle = int(not rotations.input_slopes[layers[0]].any())  # the first block may be without inputs
        self.n_fed = len(blocks) - idle
        n_weights = rotations.weight_slopes.shape[1]
        shape = (len(blocks), max(map(len, blocks)), dim)
        if math.prod(shape) * max(2 * n_weights, dim * copies) > MAX_CONSTANTS:
            raise ValueError(f"the circuit has {len(layers)} layers of rotations, too many for the dense method")
        identity = np.eye(dim, dtype=complex)
        steps = np.tile(identity, (shape[1] - 1, len(blocks), 1, 1))  # into each layer of a block but the first
        ends = np.tile(identity, (len(blocks), 1, 1))  # from each block into the next, transposed
        phases_w, phases_x, shifts = np.zeros((*shape, n_weights)), [], np.zeros(shape)
        first = before = rotations.eigenbasis(layers[0])
        for k, block in enumerate(blocks):
            for j, layer in enumerate(block):
                basis = rotations.eigenbasis(layer)
                change, half = basis.enter(before.leave(identity)), -basis.eigenvalues.T / 2
                phases_w[k, j], shifts[k, j] = half @ rotations.weight_slopes[layer], half @ rotations.constant[layer]
                if j:
                    steps[j - 1, k] = change
                else:
                    phases_x.append(half @ rotations.input_slopes[layer])
                    ends[k - 1] = change.T  # what this gives the last block, at k = 0, changes nothing
                before = basis
        readout, signs = readout_of(observables, n)
        signs = np.repeat(np.eye(dim) if signs is None else signs, 2, axis=0)  # for real and imaginary parts apart
        by_weights, by_inputs = phases_w.reshape(math.prod(shape), n_weights), np.concatenate(phases_x)[dim * idle :]
        super().__init__(
            copies,
            # Cosine and sine of each phase are the parts of a complex number.
            freq_w=np.repeat(by_weights, 2, axis=0).T,
            shift_w=clean(shifts.reshape(-1, 1) - [0.0, np.pi / 2]).ravel(),
            back_w=-by_weights,
            freq_x=np.repeat(by_inputs, 2, axis=0).T,
            shift_x=np.tile([0.0, -np.pi / 2], len(by_inputs)),
            back_x=-by_inputs,
            identity=identity,
            steps=clean(np.tile(steps, (1, copies, 1, 1))),
            ends=clean(np.tile(ends, (copies, 1, 1))),
            start=clean(first.enter(rotations.initial[:, None])).T,
            last=clean(np.concatenate([b.enter(before.leave(identity)) for b in readout])).T,
            signs=signs,
            back_signs=2 * signs.T * np.tile([1.0, -1.0], len(signs) // 2),  # to the conjugate
        )

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """The constants, and a view of each step."""
        super().place(dtype, device)
        self.each_step = self.steps.unbind()

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """All blocks first; then every sample's amplitudes from block to block, kept for the way back."""
        copies, batch, dim = self.copies, x.shape[0], len(self.identity)
        diagonals = torch.addmm(self.shift_w, w, self.freq_w).cos_()
        first, *turns = torch.view_as_complex(diagonals.view(len(self.ends), -1, dim, 1, 2)).unbind(1)
        states = forth(self.identity * first, self.each_step, turns)
        *matrices, end = torch.bmm(states[-1].mT, self.ends).view(copies, -1, dim, dim).unbind(1)
        matrices.append(torch.matmul(end, self.last))
        waves = torch.addmm(self.shift_x, split(x, copies).flatten(0, 1), self.freq_x).cos_()
        of_inputs = torch.view_as_complex(waves.view(copies, batch, self.n_fed, dim, 2)).unbind(2)
        rows, kept = self.start.expand(copies, batch, -1), []
        for k, matrix in enumerate(matrices, start=self.n_fed - len(matrices)):
            kept.append(rows if k < 0 else rows * of_inputs[k])
            rows = torch.bmm(kept[-1], matrix)
        amplitudes = torch.view_as_real(rows).flatten(2)
        out = torch.mm((amplitudes * amplitudes).flatten(0, 1), self.signs)
        return join(out, copies), (turns, states, matrices, of_inputs, kept, amplitudes)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """From block to block, then through all blocks at once."""
        turns, states, matrices, of_inputs, kept, amplitudes = saved
        d_end = torch.mm(split(grad, self.copies).flatten(0, 1), self.back_signs).view_as(amplitudes).mul_(amplitudes)
        # The conjugate of the rows' gradient, so that going back through a matrix is multiplying by its transpose.
        d_rows = torch.view_as_complex(d_end.unflatten(2, (-1, 2)))
        d_matrices, d_phases = [], []
        for k, (matrix, state) in enumerate(zip(reversed(matrices), reversed(kept), strict=True), start=1):
            d_matrices.append(torch.bmm(state.mT, d_rows))
            if k <= self.n_fed:
                d_rows = torch.bmm(d_rows, matrix.mT)
                d_phases.append(d_rows * state)
                d_rows = d_rows * of_inputs[-k]
        dx = dw = None
        if need_x:  # a loss changes by Re(i · d_rows · state) per unit of a phase
            d_phase = torch.cat(d_phases[::-1] or [d_rows[..., :0]], 2).imag
            dx = join(torch.mm(d_phase.flatten(0, 1), self.back_x), self.copies)
        if need_w:
            d_matrices[0] = torch.matmul(d_matrices[0], self.last.t())
            d_matrix = torch.stack(d_matrices[::-1], 1).flatten(0, 1)
            d_phases_w = back(torch.bmm(self.ends, d_matrix.mT), self.each_step, turns, states)
            dw = torch.mm(d_phases_w.view(self.copies, -1), self.back_w)
        return dx, dw
