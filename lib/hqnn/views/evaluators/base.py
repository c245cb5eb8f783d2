"""What the three evaluators share: constants on a device, waves of the inputs, and the readout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from hqnn.views.pauli_propagation import ZERO, scales
from hqnn.views.pauli_rotations import Eigenbasis, commute, eigenbasis


class Constants:
    """Arrays found when a circuit is compiled, and used as tensors of one dtype on one device."""

    def __init__(self, **arrays: NDArray[Any]) -> None:
        self.arrays = arrays

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """Make each array a tensor attribute of its name."""
        kinds = {"f": dtype, "c": dtype.to_complex(), "i": torch.int64}
        for name, array in self.arrays.items():
            setattr(self, name, torch.tensor(array, dtype=kinds[array.dtype.kind], device=device))


def clean(array: NDArray[Any], scale: Any = 1.0) -> NDArray[Any]:
    """An array whose entries are of size `scale`, with rounding residues made zero.

    Left in, their squares are subnormal numbers, a hundred times slower than others.
    """
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
    return x.unsqueeze(0) if copies == 1 else x.view(len(x), copies, x.shape[1] // copies).transpose(0, 1)


def join(x: Tensor, copies: int) -> Tensor:
    """[C * B, n] to [B, C * n]."""
    return x if copies == 1 else x.view(copies, len(x) // copies, x.shape[1]).transpose(0, 1).flatten(1)


def wave_constants(frequencies: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Constants for the waves of frequencies [F, n_inputs]: the F cosines, then the F sines, of the phases ω·x."""
    return {
        "freq_x": np.concatenate([frequencies, frequencies]).T,
        "shift_x": np.repeat([0.0, -math.pi / 2], len(frequencies)),
        "back_x": frequencies,
    }


def waves_of(x: Tensor, frequencies: Tensor, shifts: Tensor, copies: int) -> Tensor:
    """Inputs [B, C * n] to waves [C, B, 2 F]."""
    waves = torch.addmm(shifts, x.reshape(len(x) * copies, len(frequencies)), frequencies).cos_()
    return waves.view(len(x), copies, len(shifts)).transpose(0, 1)


def waves_gradient(d_waves: Tensor, waves: Tensor, frequencies: Tensor) -> Tensor:
    """Gradient [C * B, n] of the inputs, given that [C, B, 2 F] of their waves, which is overwritten."""
    cosines, sines = waves.chunk(2, -1)
    d_cosines, d_sines = d_waves.chunk(2, -1)
    d_phase = d_sines.mul_(cosines).addcmul_(d_cosines, sines, value=-1)
    return torch.mm(d_phase.view(-1, len(frequencies)), frequencies)


def half_space(frequencies: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[tuple[int, float]]]:
    """Frequencies up to their sign.

    Args:
        frequencies: Distinct frequencies [N, n].

    Returns:
        One of each pair ω, -ω [F, n]; and for each of the N frequencies its row there and the sign that it differs by.
    """
    rows: dict[tuple[float, ...], int] = {}
    places = []
    for frequency in frequencies:
        sign = next((math.copysign(1.0, f) for f in frequency if f), 1.0)
        places.append((rows.setdefault(tuple((sign * frequency + 0.0).tolist()), len(rows)), sign))
    return np.array(list(rows)).reshape(len(rows), frequencies.shape[1]), places


def readout_of(
    observables: Sequence[SparsePauliOp] | None, n_qubits: int
) -> tuple[list[Eigenbasis], NDArray[np.float64] | None]:
    """Bases in which the observables are diagonal, and the matrix from probabilities in them to expectation values."""
    if observables is None:
        return [eigenbasis([], [], n_qubits)], None
    bits = 1 << np.arange(n_qubits)
    coefficients: dict[tuple[int, int], NDArray[np.float64]] = {}
    for o, observable in enumerate(observables):
        for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
            row = coefficients.setdefault((int(pauli.x @ bits), int(pauli.z @ bits)), np.zeros(len(observables)))
            row[o] += coefficient
    groups: list[list[tuple[int, int]]] = []
    for pauli in coefficients:
        group = next((g for g in groups if all(commute(pauli, other) for other in g)), None)
        if group is None:
            groups.append([pauli])
        else:
            group.append(pauli)
    bases = [eigenbasis([x for x, _ in g], [z for _, z in g], n_qubits) for g in groups]
    signs = [b.eigenvalues.T @ np.array([coefficients[p] for p in g]) for b, g in zip(bases, groups, strict=True)]
    return bases, clean(np.concatenate(signs), scales(observables))
