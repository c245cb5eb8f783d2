"""The states of all samples, one layer of commuting rotations after the other: circuits of any shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
import torch
from qiskit.quantum_info import SparsePauliOp
from scipy.linalg import hadamard
from torch import Tensor

from hqnn.views import memory
from hqnn.views.evaluators.base import Constants, Evaluator, clean, join, readout_of, split
from hqnn.views.pauli_rotations import Eigenbasis, PauliRotations

MAX_HADAMARDS = 5  # gates taken in one product
LONG = 2**7  # entries of a diagonal from which two of half the qubits are found sooner
SMALL = 2**12  # amplitudes of a state up to which nobody runs out of memory


class StateEvaluator(Evaluator):
    """Turn and change basis, layer by layer; the states are kept for the way back."""

    quiet = torch.inference_mode
    signs: Tensor | None = None  # probabilities are what is asked for

    def __init__(
        self,
        rotations: PauliRotations,
        observables: Sequence[SparsePauliOp] | None,
        copies: int,
        measured_in: Sequence[Eigenbasis] = (),
    ) -> None:
        """Measure the observables, or the probabilities in some bases; without either those of basis states."""
        moving = range(len(rotations.constant)) if measured_in else rotations.effective(observables)
        layers = rotations.commuting_layers(moving) or [[]]
        n, dim = rotations.n_qubits, 2.0**rotations.n_qubits
        constants = dim * (28 * len(moving) + 96 * (len(layers) + len(measured_in)))
        memory.require(constants, f"a layer of {n} qubits and {len(layers)} layers of rotations", "use fewer of both")
        bases = [rotations.eigenbasis(layer) for layer in layers]
        readout, signs = readout_of(observables, n)
        readout = list(measured_in) or readout
        per_sample = [bool(rotations.input_slopes[layer].any()) for layer in layers]
        targets = [*([b] for b in bases[1:]), readout]
        self.layers = [_Layer(b, t, p) for b, t, p in zip(bases, targets, per_sample, strict=True)]
        self.sizes = [len(layer) for layer in layers]
        self.sizes_x = [len(layer) if p else 0 for layer, p in zip(layers, per_sample, strict=True)]
        order = [k for layer in layers for k in layer]
        order_x = [k for layer, p in zip(layers, per_sample, strict=True) if p for k in layer]
        super().__init__(
            copies,
            input_slopes=rotations.input_slopes[order_x],
            weight_slopes=rotations.weight_slopes[order],
            constant=clean(rotations.constant[order, None]),
            start=clean(bases[0].enter(rotations.initial[:, None]))[:, None],  # [dim, 1, 1]
            **({} if signs is None else {"signs": signs}),
        )

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """The constants, and those of each layer."""
        super().place(dtype, device)
        for layer in self.layers:
            layer.place(dtype, device)

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """Turn and change basis, layer by layer; the states are kept for the way back."""
        copies, batch = self.copies, x.shape[0]
        if len(self.start) > SMALL:
            each = self.start.element_size() * len(self.start) * copies
            what = f"a batch of {batch} in a layer of {len(self.start).bit_length() - 1} qubits"
            memory.require(batch * each * (2 * len(self.layers) + 4), what, "take fewer samples at a time", x.device)
        columns = split(x, copies).flatten(0, 1)  # [C * B, n_inputs]
        shared = torch.addmm(self.constant, self.weight_slopes, w.t()).unsqueeze(2)  # angles [R, C, 1]
        varied = torch.mm(self.input_slopes, columns.t()).view(len(self.input_slopes), copies, batch)
        state, turns, states = self.start, [], []  # [dim, C, B], B = 1 until the first input acts
        rooms = self._rooms(state, batch)
        for layer, angles, more in zip(self.layers, shared.split(self.sizes), varied.split(self.sizes_x), strict=True):
            turns.append(layer.turn(angles + more if layer.per_sample else angles))
            states.append(torch.mul(state, turns[-1], out=next(rooms)))
            state = layer.change(states[-1])
        p = (state.real.square() + state.imag.square()).expand(-1, -1, batch).flatten(1).t()  # [C * B, rows]
        return join(p if self.signs is None else torch.mm(p, self.signs), copies), (turns, states, state)

    def _rooms(self, state: Tensor, batch: int) -> Iterator[Tensor | None]:
        """Where the turned states go: one piece of memory, which the system leaves to the process from step to step.

        Pieces of their own would be given back, and their pages made anew, in every step. None where autograd looks on,
        a compiler, or a transform of torch.func.
        """
        watched = torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
        if watched or not torch.is_inference_mode_enabled():
            return repeat(None)
        each = [layer.per_sample for layer in self.layers]
        alike = each.index(True) if True in each else len(each)  # states that all samples share
        rooms = state.new_empty(len(each) - alike, len(state), self.copies, batch)
        return chain(repeat(None, alike), rooms)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Undo the layers from the last to the first, the gradient of the state in hand."""
        turns, states, state = saved
        copies = self.copies
        d_p = 2 * split(grad, copies).flatten(0, 1)
        d_p = (d_p if self.signs is None else torch.mm(d_p, self.signs.t())).t().reshape(len(state), copies, len(grad))
        # The conjugate of the state's gradient, so that going back through a matrix is multiplying by its transpose.
        d_state = state.conj() * d_p
        d_shared: list[Tensor] = []
        d_varied: list[Tensor] = []
        for layer, turn, state in zip(reversed(self.layers), reversed(turns), reversed(states), strict=True):
            d_state = layer.change_back(d_state)
            if state.shape[2] < d_state.shape[2]:  # before the first input acts, all samples share one state
                d_state = d_state.sum(2, keepdim=True)
            d_angles = layer.turn_back(d_state, state)
            d_shared.append(d_angles.sum(2))
            if layer.per_sample:
                d_varied.append(d_angles.flatten(1))
            d_state = d_state.mul_(turn)
        dw = torch.mm(torch.cat(d_shared[::-1]).t(), self.weight_slopes)
        d_angles = torch.cat(d_varied[::-1] or [grad.new_zeros(0, copies * len(grad))])
        return join(torch.mm(d_angles.t(), self.input_slopes), copies), dw


class _Layer(Constants):
    """Commuting rotations in their eigenbasis, and the change from it to the next one, or to the readout's several."""

    def __init__(self, basis: Eigenbasis, targets: Sequence[Eigenbasis], per_sample: bool) -> None:
        self.per_sample = per_sample
        self.before, self.after = _products(basis.n_hadamards), [_products(b.n_hadamards) for b in targets]
        where = np.argsort(basis.source)
        source = np.concatenate([where[b.source] for b in targets])
        inverse = np.concatenate([k * len(where) + np.argsort(where[b.source]) for k, b in enumerate(targets)])
        factors = clean(np.concatenate([b.phase for b in targets]) * basis.phase.conj()[source])
        phases = -basis.eigenvalues.T / 2  # [dim, K]
        n_low = 2 ** (len(phases).bit_length() // 2)
        high, low = phases[::n_low], phases[:n_low] - phases[0]
        # A diagonal for each sample is the product of two short ones, if no rotation looks at both ends of the index.
        self.in_two = per_sample and len(phases) >= LONG and np.array_equal(phases, np.vstack(high[:, None] + low))
        super().__init__(
            phases=phases,
            high=high,
            low=low,
            source=source,
            inverse=inverse,
            factors=factors[:, None, None],
            back_factors=factors[inverse, None, None],
            **{f"hadamards_{k}": hadamard(2**k) / 2 ** (k / 2) for k in {*self.before, *chain(*self.after)}},
        )

    def turn(self, angles: Tensor) -> Tensor:
        """Angles [K, C, B] to the diagonal [dim, C, B]."""
        if self.in_two:
            high, low = (_turn(phases, angles) for phases in (self.high, self.low))
            return (high.unsqueeze(1) * low).flatten(0, 1)
        return _turn(self.phases, angles)

    def turn_back(self, d_state: Tensor, state: Tensor) -> Tensor:
        """Gradient [K, C, B] of the angles, given the conjugate of that of the turned state."""
        d_phase = d_state * state  # a loss changes by Re(i · d_state · state) per unit of a diagonal's phase
        d_phase = d_phase.imag if self.per_sample else d_phase.sum(2, keepdim=True).imag
        return torch.mm(self.phases.t(), d_phase.flatten(1)).neg_().unflatten(1, d_phase.shape[1:])

    def change(self, state: Tensor) -> Tensor:
        """States [dim, C, B] in the next basis, or one after the other in several."""
        state = self._hadamards(state, self.before).index_select(0, self.source).mul_(self.factors)
        return self._each_hadamards(state)

    def change_back(self, d_state: Tensor) -> Tensor:
        """The transpose of `change`."""
        d_state = self._each_hadamards(d_state).index_select(0, self.inverse).mul_(self.back_factors)
        if len(self.after) > 1:
            d_state = d_state.unflatten(0, (len(self.after), -1)).sum(0)
        return self._hadamards(d_state, self.before)

    def _each_hadamards(self, state: Tensor) -> Tensor:
        if len(self.after) == 1:
            return self._hadamards(state, self.after[0])
        parts = state.chunk(len(self.after))
        return torch.cat([self._hadamards(part, sizes) for part, sizes in zip(parts, self.after, strict=True)])

    def _hadamards(self, state: Tensor, sizes: list[int]) -> Tensor:
        """Hadamard gates on the highest bits of the first index, `sizes` of them in one product."""
        if not sizes:
            return state
        flat, done = torch.view_as_real(state), 0
        for size in sizes:
            flat = torch.matmul(getattr(self, f"hadamards_{size}"), flat.reshape(2**done, 2**size, -1))
            done += size
        return torch.view_as_complex(flat.view(*state.shape, 2))


def _turn(phases: Tensor, angles: Tensor) -> Tensor:
    phase = torch.mm(phases, angles.flatten(1)).unflatten(1, angles.shape[1:])
    return torch.complex(phase.cos(), phase.sin())


def _products(n_hadamards: int) -> list[int]:
    """Gates on so many bits, dealt evenly to as few products as allowed."""
    n_products = -(-n_hadamards // MAX_HADAMARDS)
    return [(n_hadamards + k) // n_products for k in range(n_products)]
