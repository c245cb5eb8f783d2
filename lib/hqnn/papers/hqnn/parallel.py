"""HQNN-Parallel and its classical rivals [hqnn, §2.2]: one network, whose middle part is circuits or something else.

Module `counts` derives the sizes from the printed numbers of parameters; every choice is a field of `ParallelConfig`.
"""

import itertools
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.views.exchange import with_circuit
from hqnn.views.free_series import FreeSeries, embedded
from hqnn.views.layer import QuantumLayer

MIDDLES = ("circuits", "frozen", "no-entanglement", "series", "random-waves", "blocks", "dense", "identity")


class Convolutions(nn.Module):
    """Blocks of convolution (padding keeps the size), batch normalisation, ReLU and max-pooling [hqnn, §2.2.1]."""

    def __init__(self, config: ParallelConfig) -> None:
        super().__init__()
        widths = (config.in_channels, *config.channels)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, config.kernel, padding=config.kernel // 2) for a, b in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(width) if config.batch_norm else nn.Identity() for width in config.channels
        )
        self.pools = config.pools
        self.to(memory_format=torch.channels_last)  # a step takes two thirds of the time in this layout

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] to features [B, n]."""
        x = images.contiguous(memory_format=torch.channels_last)
        for convolution, norm, pool in zip(self.convolutions, self.norms, self.pools, strict=True):
            # Pooling before ReLU gives the same numbers, ReLU is monotone, and leaves it less to do.
            x = norm(convolution(x))
            x = functional.relu(functional.max_pool2d(x, pool) if pool > 1 else x)
        return x.flatten(1)


class Blocks(nn.Module):
    """A classical map with as many parameters as the circuits and the same blocks: tanh between two small matrices.

    The number of parameters of a block decides how many hidden units it has, and whether these have biases.
    """

    def __init__(self, n_blocks: int, width: int, n_parameters: int) -> None:
        super().__init__()
        fitting = [
            (hidden, bias)
            for hidden in range(1, n_parameters)
            for bias in (True, False)
            if (2 * width + bias) * hidden + width == n_parameters
        ]
        if not fitting:
            raise ValueError(f"no block of width {width} has {n_parameters} parameters; choose another depth")
        hidden, bias = fitting[0]
        self.into = nn.Parameter(_uniform(n_blocks, width, hidden, fan_in=width))
        self.bias = nn.Parameter(_uniform(n_blocks, 1, hidden, fan_in=width)) if bias else None
        self.out = nn.Parameter(_uniform(n_blocks, hidden, width, fan_in=hidden))
        self.offset = nn.Parameter(_uniform(n_blocks, 1, width, fan_in=hidden))

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, n_blocks * width] to as many."""
        blocks = x.unflatten(1, (len(self.into), -1)).transpose(0, 1)
        hidden = torch.bmm(blocks, self.into)
        hidden = torch.tanh(hidden if self.bias is None else hidden + self.bias)
        return torch.baddbmm(self.offset, hidden, self.out).transpose(0, 1).flatten(1)


class Parallel(nn.Module):
    """Convolutions, dense layers, a middle part that keeps n features, class scores [hqnn, fig. 4].

    Where the configuration has batch normalisation it follows each convolution, the dense layers and the middle part,
    each time before a ReLU; without it there is only the ReLU. The class scores have neither.

    `middle` says what maps n features to n features:

    - `circuits`: the parallel circuits; the features are their angles, radians;
    - `frozen`: the same, their weights stay as drawn;
    - `no-entanglement`: the same without CNOTs;
    - `series`: the Fourier series of the circuits, which it starts as, with free coefficients;
    - `random-waves`: as many waves with frequencies drawn at random [Rahimi and Recht, NeurIPS 2007];
    - `blocks`: a classical map with as many parameters, in as many blocks;
    - `dense`: a dense layer from n to n;
    - `identity`: nothing, not even the normalisation and the ReLU that would follow.
    """

    def __init__(self, config: ParallelConfig) -> None:
        super().__init__()
        self.convolutions = Convolutions(config)
        side = config.size
        for pool in config.pools:
            side //= pool
        widths = (config.channels[-1] * side**2, *config.hidden)
        self.dense = nn.Sequential()
        for a, b in itertools.pairwise(widths):
            self.dense.append(nn.Linear(a, b)).extend(_activation(config, b))
        self.middle = _middle(config, widths[-1])
        behind = [] if config.middle == "identity" else _activation(config, widths[-1])
        self.activation = nn.Sequential(*behind)
        self.scores = nn.Linear(widths[-1], config.n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] in [0, 1] to class scores [B, n_classes]."""
        angles = self.angles(images)  # [B, 20], radians
        expectations = self.middle(angles)  # [B, 20], ⟨Y⟩ of each qubit of four circuits
        return self.classify(expectations)  # [B, n_classes]

    def angles(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] to the features [B, n] that enter the middle part."""
        features: Tensor = self.dense(self.convolutions(images))
        return features

    def classify(self, features: Tensor) -> Tensor:
        """What the middle part yields [B, n] to class scores [B, n_classes]."""
        scores: Tensor = self.scores(self.activation(features))
        return scores


def circuit(config: ParallelConfig) -> Circuit:
    """One of the parallel circuits of a configuration."""
    entangle = config.middle != "no-entanglement"
    return strongly_entangling(n_qubits=config.n_qubits, n_layers=config.n_layers, entangle=entangle)


def build(config: ParallelConfig, pc: Circuit | None = None) -> Parallel:
    """Build the network of a config, or with circuits in the place of its own, from torch's current random state.

    Raises:
        ValueError: The middle part is unknown, its width is not that of the last dense layer, or the circuit's is not.
    """
    if config.middle not in MIDDLES:
        raise ValueError(f"middle is {config.middle!r}; use one of {', '.join(map(repr, MIDDLES))}")
    width = config.n_circuits * config.n_qubits
    if config.middle not in ("dense", "identity") and config.hidden[-1] != width:
        raise ValueError(
            f"{config.n_circuits} circuits of {config.n_qubits} qubits take {width} features, "
            f"but the last dense layer yields {config.hidden[-1]}"
        )
    return Parallel(config) if pc is None else with_circuit(Parallel(config), pc)


def _activation(config: ParallelConfig, width: int) -> list[nn.Module]:
    return [nn.BatchNorm1d(width), nn.ReLU()] if config.batch_norm else [nn.ReLU()]


def _middle(config: ParallelConfig, width: int) -> nn.Module:
    if config.middle == "identity":
        return nn.Identity()
    if config.middle == "dense":
        return nn.Linear(width, width)
    if config.middle == "blocks":
        return Blocks(config.n_circuits, config.n_qubits, 3 * config.n_layers * config.n_qubits)
    if config.middle == "random-waves":
        spectrum = embedded(circuit(config))
        widths = np.sqrt((spectrum**2).sum(0) / (len(spectrum) - 0.5))  # with the other half of the spectrum
        drawn = torch.randn(spectrum.shape).double().numpy() * widths
        drawn[0] = 0.0  # the constant
        return FreeSeries(drawn, n_outputs=config.n_qubits, copies=config.n_circuits)
    layer = QuantumLayer(circuit(config), copies=config.n_circuits)
    if config.middle == "series":
        return FreeSeries.of(layer)
    return layer.requires_grad_(config.middle != "frozen")


def _uniform(*shape: int, fan_in: int) -> Tensor:
    """Drawn as torch draws the weights and biases of a dense layer."""
    return torch.empty(shape).uniform_(-1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))
