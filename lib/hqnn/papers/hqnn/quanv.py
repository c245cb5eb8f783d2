"""HQNN-Quanv and the two classical networks it is compared with [hqnn, section 2.3].

What the paper leaves open is a field of `QuanvConfig`; the defaults are the book's primary reading.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import quanvolution
from hqnn.papers.hqnn.quanv_experiments import QuanvConfig
from hqnn.views import fourier
from hqnn.views.exchange import with_circuit
from hqnn.views.free_series import FreeSeries
from hqnn.views.gradients import jacobian, rank
from hqnn.views.layer import QuantumLayer

KERNEL = 2
"""Side of the kernel, pixels."""
N_CLASSES = 10


def patches(images: Tensor, stride: int) -> Tensor:
    """The windows of a 2x2 kernel on images [B, 1, H, W]: [B, windows, 4], windows and pixels row by row."""
    return functional.unfold(images, KERNEL, stride=stride).transpose(1, 2)


class Quanv(nn.Module):
    """A quanvolution with four output channels, then one linear layer [hqnn, fig. 7].

    `quantum` says what the kernel is: the paper's `circuit`, the same `frozen` as drawn, the `series` of its waves with
    free coefficients, which starts as the circuit, its products of `cosines` with ten phases instead of four angles, or
    `none`: the four pixels themselves are the four channels. That the circuit has no CNOTs is a value of `cnots`.
    """

    def __init__(self, config: QuanvConfig) -> None:
        super().__init__()
        self.stride, self.side = config.stride, config.side
        self.kernel: nn.Module = nn.Identity()
        if config.quantum != "none":
            layer = QuantumLayer(circuit(config)).requires_grad_(config.quantum != "frozen")
            rivals = {"series": FreeSeries.of, "cosines": Cosines}
            self.kernel = rivals[config.quantum](layer) if config.quantum in rivals else layer
        self.scores = nn.Linear(KERNEL**2 * self.side**2, N_CLASSES)

    def maps(self, images: Tensor) -> Tensor:
        """Images [B, 1, size, size] to the four output channels [B, 4, side, side]."""
        windows = patches(images, self.stride)  # [B, windows, 4]
        values = self.kernel(windows.flatten(0, 1))  # one circuit for all windows, ⟨Z⟩ of each qubit
        return values.view(windows.shape).transpose(1, 2).unflatten(2, (self.side, self.side))

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, size, size] to class scores [B, 10]."""
        scores: Tensor = self.scores(self.maps(images).flatten(1))
        return scores


class Cosines(nn.Module):
    """What the primary reading's kernel computes, with phases of its own for each output: ∏_{j ≤ k} cos(π x_j + φ_kj).

    In the circuit φ_kj is θ_j for all k. It starts as the layer.
    """

    def __init__(self, layer: QuantumLayer) -> None:
        super().__init__()
        self.phases = nn.Parameter(layer.weights.detach().expand(KERNEL**2, -1).clone())

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels [B, 4] to values [B, 4]."""
        factors = torch.cos(torch.pi * pixels[:, None] + self.phases)  # [B, k, j]
        later = torch.ones_like(self.phases, dtype=torch.bool).triu(1)
        return factors.masked_fill(later, 1.0).prod(-1)


class Cnn(nn.Module):
    """A convolution with a 2x2 kernel of the same stride, then one linear layer [hqnn, section 2.3.3].

    CNN1 has one output channel, CNN4 has four. The counts of 4 and 16 kernel weights leave no room for a bias; whether
    a ReLU follows is not said.
    """

    def __init__(self, config: QuanvConfig) -> None:
        super().__init__()
        self.kernel = nn.Conv2d(1, config.channels, KERNEL, stride=config.stride, bias=config.bias)
        self.activation = nn.ReLU() if config.activation == "relu" else nn.Identity()
        self.scores = nn.Linear(config.channels * config.side**2, N_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, size, size] to class scores [B, 10]."""
        scores: Tensor = self.scores(self.activation(self.kernel(images)).flatten(1))
        return scores


def circuit(config: QuanvConfig) -> Circuit:
    """The kernel of a configuration."""
    return quanvolution(config.axis, config.cnots, rotations_first=config.rotations_first)


def build(config: QuanvConfig, pc: Circuit | None = None) -> nn.Module:
    """Build the model of a config, or with a circuit in the place of its own, from torch's current random state.

    Raises:
        ValueError: A field has an unknown value, or the circuit does not fit.
    """
    allowed = {
        "model": ("quanv", "cnn"),
        "quantum": ("circuit", "frozen", "series", "cosines", "none"),
        "activation": ("none", "relu"),
    }
    for field, values in allowed.items():
        if getattr(config, field) not in values:
            raise ValueError(f"{field} is {getattr(config, field)!r}; use one of {', '.join(map(repr, values))}")
    if config.quantum == "cosines" and (config.axis, config.cnots, config.rotations_first) != ("y", "chain", True):
        raise ValueError("the product of cosines is what the primary reading of the circuit computes, and no other")
    network = Quanv(config) if config.model == "quanv" else Cnn(config)
    return network if pc is None else with_circuit(network, pc)


def equivalent_linear(cnn: Cnn) -> tuple[Tensor, Tensor]:
    """The linear map of pixels that a CNN without an activation computes: its kernel and its linear layer as one.

    Returns:
        Matrix [10, windows * 4] and offsets [10]: scores = matrix @ patches.flatten() + offsets.

    Raises:
        ValueError: There is an activation between the two.
    """
    if not isinstance(cnn.activation, nn.Identity):
        raise ValueError("a network with an activation is not a linear map of its pixels")
    kernel = cnn.kernel.weight.flatten(1)  # [channels, 4]
    head = cnn.scores.weight.unflatten(1, (len(kernel), -1))  # [10, channels, windows]
    matrix = torch.einsum("ncw,cp->nwp", head, kernel).flatten(1)
    offsets: Tensor = cnn.scores.bias
    if cnn.kernel.bias is not None:
        offsets = offsets + torch.einsum("ncw,c->n", head, cnn.kernel.bias)
    return matrix, offsets


class Freedom(NamedTuple):
    """In how many directions the weights of a kernel can change its outputs."""

    outputs: int
    shape: int
    """The same for what no factor in front of an output can undo, as the linear layer behind the kernel could."""


def freedom(kernel: Circuit, pixels: NDArray[np.float64], weights: NDArray[np.float64]) -> Freedom:
    """Count what training can change about a kernel, from random pixels [B, 4] in [0, 1] and angles [4], radians."""
    series = fourier.fourier_series(kernel)
    slopes = np.moveaxis(jacobian(kernel, pixels, weights)[:, :, kernel.n_inputs :], 1, 0)  # [outputs, B, weights]
    values = series(pixels, weights).T  # [outputs, B]
    along = [np.outer(v, v @ j / (v @ v)) for v, j in zip(values, slopes, strict=True)]
    return Freedom(rank(slopes, atol=1e-9), rank(slopes - along, atol=1e-9))
