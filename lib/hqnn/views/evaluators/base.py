"""What the evaluators share: constants on a device, copies side by side, rounding, and the readout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from hqnn.views.pauli_propagation import ZERO, scales
from hqnn.views.pauli_rotations import Eigenbasis, Masks, commute, eigenbasis, strings


class Constants:
    """Arrays found when a circuit is compiled, as tensor attributes of one dtype on one device once they are placed."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Tensor: ...

    def __init__(self, **arrays: NDArray[Any]) -> None:
        self.arrays = arrays

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """Make each array a tensor attribute of its name."""
        kinds = {"f": dtype, "c": dtype.to_complex(), "i": torch.int64}
        for name, array in self.arrays.items():
            setattr(self, name, torch.tensor(array, dtype=kinds[array.dtype.kind], device=device))


def clean(array: NDArray[Any], scale: Any = 1.0) -> NDArray[Any]:
    """Make zero what is rounding beside `scale`: its squares are subnormal numbers, a hundred times slower."""
    parts = [np.where(np.abs(part) < ZERO * scale, 0, part) for part in (array.real, array.imag)]
    return np.asarray(parts[0] + 1j * parts[1] if array.dtype.kind == "c" else parts[0])


class Evaluator(Constants):
    """A compiled circuit, C copies of it side by side."""

    quiet: type[AbstractContextManager[Any]] = nullcontext
    """How to run without autograd: `torch.inference_mode` keeps no account of views, but its results must be copied."""

    def __init__(self, copies: int, **arrays: NDArray[Any]) -> None:
        super().__init__(**arrays)
        self.copies = copies

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """Outputs [B, C * n_outputs] of inputs [B, C * n_inputs] and weights [C, n_weights]; what `pull_back` needs."""
        raise NotImplementedError

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of inputs and weights, given those of the outputs."""
        raise NotImplementedError


def split(x: Tensor, copies: int) -> Tensor:
    """[B, C * n] to [C, B, n]."""
    # Here and below not `len(x)`, which would fix the batch size of an exported graph.
    return x.unsqueeze(0) if copies == 1 else x.view(x.shape[0], copies, x.shape[1] // copies).transpose(0, 1)


def join(x: Tensor, copies: int) -> Tensor:
    """[C * B, n] to [B, C * n]."""
    return x if copies == 1 else x.view(copies, x.shape[0] // copies, x.shape[1]).transpose(0, 1).flatten(1)


def agree(one: Masks, other: Masks) -> bool:
    """Whether two Pauli strings have one letter wherever neither is I, so that reading each qubit once gives both."""
    both = (one[0] | one[1]) & (other[0] | other[1])
    return not ((one[0] ^ other[0]) | (one[1] ^ other[1])) & both


def readout_of(
    observables: Sequence[SparsePauliOp] | None, n_qubits: int, together: Callable[[Masks, Masks], bool] = commute
) -> tuple[list[Eigenbasis], NDArray[np.float64] | None]:
    """Bases in which the observables are diagonal, and the matrix from probabilities in them to expectation values.

    Strings share a basis if all pairs of them may, which have to commute for that.
    """
    if observables is None:
        return [eigenbasis([], n_qubits)], None
    measured = strings(observables)
    groups: list[list[Masks]] = []
    for pauli in measured:
        group = next((g for g in groups if all(together(pauli, other) for other in g)), None)
        if group is None:
            groups.append([pauli])
        else:
            group.append(pauli)
    bases = [eigenbasis(group, n_qubits) for group in groups]
    signs = [b.eigenvalues.T @ np.array([measured[p] for p in g]) for b, g in zip(bases, groups, strict=True)]
    return bases, clean(np.concatenate(signs), scales(observables))
