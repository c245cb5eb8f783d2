"""The classical layer that a circuit's embedding prescribes: its Fourier series, with coefficients that are free.

Whatever a circuit does between embedding and measurement, its expectation values are sums of the waves that the
embedding fixes [Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021)]; its weights only rule their coefficients.
A layer of the same waves that owns its coefficients can do all the circuit can, at any values of the weights, without
a quantum computer. What it lacks is the circuit's constraint; so trained in its place it tells whether that helps.
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hqnn.circuit import Circuit
from hqnn.views.evaluators.base import join, split
from hqnn.views.layer import QuantumLayer
from hqnn.views.pauli_rotations import lower_affine

MAX_WAVES = 3**8


class FreeSeries(nn.Module):
    """Copies of f(x) = M cos(G x + b) with fixed waves and a free matrix M each, side by side like a `QuantumLayer`."""

    frequencies: Tensor
    """G [N, n_inputs]: of a cosine and a sine each, but for the constant wave."""
    shift: Tensor
    """b [N], radians."""
    circuit: str = ""
    """The digest of the circuit that it was made from, if any: when that changes, what was trained is stale."""

    def __init__(self, frequencies: NDArray[np.float64], *, n_outputs: int, copies: int = 1) -> None:
        """The waves of distinct frequencies [F, n_inputs], none the negative of another; M drawn as a dense layer's."""
        super().__init__()
        waving = frequencies[frequencies.any(1)]
        waves = np.concatenate([np.zeros((1, frequencies.shape[1])), waving, waving])
        shift = np.repeat([0.0, 0.0, -math.pi / 2], [1, len(waving), len(waving)])
        self.register_buffer("frequencies", torch.tensor(waves, dtype=torch.get_default_dtype()))
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.get_default_dtype()))
        self.copies = copies
        bound = 1 / math.sqrt(len(waves))
        self.coefficients = nn.Parameter(torch.empty(copies, len(waves), n_outputs).uniform_(-bound, bound))

    @classmethod
    def of(cls, layer: QuantumLayer) -> Self:
        """The same functions as those of a layer now; draws no random numbers.

        Raises:
            ValueError: An angle is not an affine function of the parameters, or there are more than 6,561 waves.
        """
        pc = layer.pc
        found = embedded(pc)
        with torch.random.fork_rng(devices=[]):
            series = cls(found, n_outputs=pc.n_observables, copies=layer.copies)
        series.circuit = pc.digest
        frequencies, shift = series.frequencies.double().numpy(), series.shift.double().numpy()
        # The function lies in the span of the waves, so that values at enough points fix the coefficients.
        reach = math.pi / np.abs(found).min(0, initial=math.inf, where=found != 0)  # of the slowest wave of each input
        points = np.random.default_rng(0).uniform(-reach, reach, (4 * len(frequencies), pc.n_inputs))
        waves = np.cos(points @ frequencies.T + shift)
        exact = QuantumLayer.at(pc, layer.weights.detach().double().cpu().numpy())
        with torch.no_grad():
            values = exact(torch.tensor(np.tile(points, layer.copies))).numpy()
            fitted, *_ = np.linalg.lstsq(waves, values, rcond=None)
            series.coefficients.copy_(torch.tensor(fitted).unflatten(1, (layer.copies, -1)).transpose(0, 1))
        return series

    def forward(self, inputs: Tensor) -> Tensor:
        """Features [B, copies * n_inputs], radians, to values [B, copies * n_outputs], copy by copy."""
        x = split(inputs, self.copies)
        waves = torch.matmul(x, self.frequencies.T).add_(self.shift).cos()
        return join(torch.bmm(waves, self.coefficients).flatten(0, 1), self.copies)


def embedded(pc: Circuit) -> NDArray[np.float64]:
    """All frequencies [F, n_inputs] that rotations by the inputs can give an expectation value, one of each pair ±ω.

    Raises:
        ValueError: An angle is not an affine function of the parameters, or there are more than 6,561 waves.
    """
    slopes = lower_affine(pc).input_slopes
    found = np.zeros((1, pc.n_inputs))
    for slope in slopes[slopes.any(1)]:
        found = np.unique(np.round(np.concatenate([found - slope, found, found + slope]), 12) + 0.0, axis=0)
        if len(found) > MAX_WAVES:
            raise ValueError(
                f"the embedding has more than {MAX_WAVES:,} waves; a free series of them is no small layer"
            )
    return found[len(found) // 2 :]  # sorted, so that the second half mirrors the first
