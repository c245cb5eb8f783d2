"""The lean hybrid network and its classical rivals [lcqhnn, §2 and §3].

The paper leaves several choices open. Each is a field of `LcqhnnConfig`, and this module says what its values mean; the
defaults are the book's primary reading, the others are the readings whose effect the book measures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn.circuit import Circuit, parity
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.views.exchange import with_circuit
from hqnn.views.free_series import FreeSeries
from hqnn.views.layer import QuantumLayer

if TYPE_CHECKING:
    from hqnn.views.noise import Noise

SIDE = 28
"""Of an image, pixels."""
N_FEATURES = 256
N_QUBITS = 4
N_CLASSES = 2


class FrontEnd(NamedTuple):
    """Two convolutions, each followed by ReLU and max-pooling, that turn 28x28 pixels into 256 features."""

    kernel: int
    padding: int
    pools: tuple[int, int]
    channels: tuple[int, int]


FRONT_ENDS = {
    "k3-p1-pool23": FrontEnd(3, 1, (2, 3), (8, 16)),  # 28 -> 14 -> 4: 16 maps of 4x4
    "k3-p2-pool22": FrontEnd(3, 2, (2, 2), (2, 4)),  # 28 -> 15 -> 8: 4 maps of 8x8, the only one with two 2x2 pools
    "k3-p0-pool33": FrontEnd(3, 0, (3, 3), (32, 64)),  # 28 -> 8 -> 2: 64 maps of 2x2
    "k5-p0-pool22": FrontEnd(5, 0, (2, 2), (8, 16)),  # 28 -> 12 -> 4: contradicts k = 3, but common in tutorials
}

SCALES: dict[str, Callable[[Tensor], Tensor]] = {
    "raw": lambda x: x,
    "tanh": lambda x: torch.pi / 2 * torch.tanh(x),  # phases 2x fill one turn
    "relu": torch.relu,
}
"""What happens to the four features before they become angles."""


class Features(nn.Module):
    """The convolutional front end [lcqhnn, eq. 1], a key of `FRONT_ENDS`."""

    def __init__(self, front_end: str) -> None:
        super().__init__()
        kernel, padding, self.pools, (first, second) = FRONT_ENDS[front_end]
        self.conv1 = nn.Conv2d(1, first, kernel, padding=padding)
        self.conv2 = nn.Conv2d(first, second, kernel, padding=padding)
        self.to(memory_format=torch.channels_last)  # pooling is three times faster in this layout

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] to features [B, 256]; sizes on the way are those of `k3-p1-pool23`."""
        images = images.contiguous(memory_format=torch.channels_last)
        first, second = self.pools
        # Pooling before ReLU gives the same numbers and leaves ReLU less to do.
        x = functional.max_pool2d(self.conv1(images), first).relu()  # [B, 8, 14, 14]
        x = functional.max_pool2d(self.conv2(x), second).relu()  # [B, 16, 4, 4]
        return x.flatten(1)


class _Network(nn.Module):
    """What the hybrid and its rivals share: the front end, dropout, and 256 features reduced to a few."""

    def __init__(self, config: LcqhnnConfig, width: int) -> None:
        super().__init__()
        self.features = Features(config.front_end)
        self.dropout = nn.Dropout(config.dropout)
        self.dropout_at = config.dropout_at
        self.reduce = nn.Linear(N_FEATURES, width)

    def reduced(self, images: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] to few features [B, width]."""
        x = self.features(images)  # [B, 256]
        if self.dropout_at == "features":
            return self.reduce(self.dropout(x))
        return self.dropout(self.reduce(x))


class Lcqhnn(_Network):
    """Convolutions, 256 -> 4, the four-qubit circuit, two class scores [lcqhnn, fig. 1].

    `readout` says how the measured qubits become class scores:

    - `linear`: a 4 -> 2 layer on the four expectation values of Z;
    - `qubit0`: log-probabilities of outcomes 0 and 1 of qubit 0, on which the paper's last Hadamard gate sits;
    - `parity`: log-probabilities of an even and an odd number of ones;
    - `pair`: the expectation values on qubits 0 and 1 are the scores.

    `quantum` swaps the circuit for an ablation:

    - `circuit`: none, the paper's circuit;
    - `frozen`: its four weights stay as drawn;
    - `no-entanglement`: it has no CNOTs;
    - `closed-form`: its outputs written out with sines and cosines, of the same four weights;
    - `products`: the same eight products of the inputs' sines and cosines with free factors instead;
    - `series`: all waves that its embedding allows, with free coefficients;
    - `classical`: tanh(w x) with four trained weights w instead;
    - `none`: the four features themselves.

    With `shots` the circuit is measured so often for each image, and for each gradient at each shifted angle. `noise`
    is what its gates do wrong, in training and afterwards:

    - `none`: nothing;
    - `device`: what those of a calibrated device do, `hqnn.views.noise.manila`;
    - `strong`: depolarisation by 50 % after each CNOT and 5 % after each pulse, fifty times a device's.
    """

    def __init__(self, config: LcqhnnConfig) -> None:
        super().__init__(config, N_QUBITS)
        self.scale = SCALES[config.scale]
        self.readout = config.readout
        self.quantum = _quantum(config)
        linear = config.readout == "linear"
        self.scores = nn.Linear(N_QUBITS, N_CLASSES) if linear else nn.Identity()

    def angles(self, images: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] to the circuit's inputs x [B, 4], radians (each is encoded with phase 2 x)."""
        return self.scale(self.reduced(images))

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] to class scores [B, 2]."""
        angles = self.angles(images)  # [B, 4], radians
        expectations = self.quantum(angles)  # [B, 4], ⟨Z⟩ of each qubit
        return self.classify(expectations)  # [B, 2]

    def classify(self, expectations: Tensor) -> Tensor:
        """Measured expectation values [B, n_observables] to class scores [B, 2]."""
        if self.readout in ("qubit0", "parity"):
            signs = torch.tensor([1.0, -1.0], dtype=expectations.dtype, device=expectations.device)
            return ((1 + signs * expectations) / 2).clamp_min(1e-6).log()
        return self.scores(expectations)


class Cnn(_Network):
    """The paper's rival: the same front end, then a small fully connected module [lcqhnn, §3.2].

    `head` says what "fully connected modules with 4, 8 and 16 parameters" means:

    - `linear`: 256 -> hidden -> 2, so that the last layer has 2 hidden weights;
    - `single`: 256 -> hidden -> 1, the score of the second class, so that it has `hidden` weights;
    - `relu`, `sigmoid`: as `linear`, with that activation between the two layers;
    - `relu-scores`: as `linear`, with a ReLU on the class scores, a common slip.
    """

    def __init__(self, config: LcqhnnConfig) -> None:
        super().__init__(config, config.hidden)
        self.head = config.head
        n_scores = 1 if config.head == "single" else N_CLASSES
        self.scores = nn.Linear(config.hidden, n_scores, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] to class scores [B, 2]."""
        x = self.reduced(images)  # [B, hidden]
        if self.head in ("relu", "sigmoid"):
            x = getattr(torch, self.head)(x)
        x = self.scores(x)  # [B, 2], or [B, 1] for "single"
        if self.head == "single":
            x = torch.cat([torch.zeros_like(x), x], 1)
        return x.relu() if self.head == "relu-scores" else x


class ClosedForm(nn.Module):
    """What the circuit computes in the primary reading, without a simulator: eight products of waves, with factors.

    The factors are those that the layer's four angles give, or, `free`, eight numbers that start as these.
    """

    def __init__(self, layer: QuantumLayer, *, free: bool) -> None:
        super().__init__()
        self.free = free
        angles = layer.weights.detach()[0]
        self.weights = nn.Parameter(self.factors(angles) if free else angles.clone())

    @staticmethod
    def factors(angles: Tensor) -> Tensor:
        """The angles θ [4], radians, to the factors [8] of the products; see `hqnn.papers.lcqhnn.closed_forms`."""
        (c0, c1, c2, c3), (s0, s1, s2, s3) = angles.cos(), angles.sin()
        first = (c0 * c1 * c2 * c3, -c0 * s1 * c2 * c3, -s0 * c1 * s2 * c3, -c0 * s1 * c2 * s3)
        return torch.stack([*first, s0 * c1, s0 * s1, s1 * s2, s2 * s3])

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, 4] to values [B, 4]."""
        c0, c1, c2, c3 = (2 * x).cos().unbind(1)
        s0, s1, s2, s3 = (2 * x).sin().unbind(1)
        products = (c0, s0 * s1 * c2, s1 * s2 * c3, c0 * c1 * s2 * s3, s0 * s1, c0 * c2, c1 * c3, c2)
        terms = torch.stack(products, 1) * (self.weights if self.free else self.factors(self.weights))
        return torch.stack([terms[:, :4].sum(1), terms[:, 4:6].sum(1), terms[:, 6], terms[:, 7]], 1)


class Scaled(nn.Module):
    """The four-parameter classical map that stands in for the circuit: tanh(w x)."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(N_QUBITS))

    def forward(self, x: Tensor) -> Tensor:
        """Features [B, 4] to values [B, 4] in (-1, 1)."""
        return torch.tanh(self.weights * x)


def circuit(config: LcqhnnConfig) -> Circuit:
    """The circuit of a config: four inputs, four weights, and the observables that its readout needs."""
    pc = lcqhnn_circuit(config.order, entangle=config.quantum != "no-entanglement")
    observables = {
        "linear": pc.observables,
        "pair": pc.observables[:2],
        "qubit0": pc.observables[:1],
        "parity": [parity(pc.n_qubits)],
    }
    return dataclasses.replace(pc, observables=observables[config.readout])


def _quantum(config: LcqhnnConfig) -> nn.Module:
    if config.quantum == "none":
        return nn.Identity()
    if config.quantum == "classical":
        return Scaled()
    layer = QuantumLayer(circuit(config), shots=config.shots, noise=_noise(config.noise))
    if config.quantum in WRITTEN_OUT:
        return ClosedForm(layer, free=config.quantum == "products")
    if config.quantum == "series":
        return FreeSeries.of(layer)
    return layer.requires_grad_(config.quantum != "frozen")


def _noise(name: str) -> Noise | None:
    if name == "none":
        return None
    noise = import_module("hqnn.views.noise")  # needs Qiskit Aer, which takes a second
    found: Noise = noise.manila() if name == "device" else noise.depolarising(0.05, 0.5)
    return found


WRITTEN_OUT = ("closed-form", "products")
"""Values of `quantum` for the primary reading of the circuit alone."""
_ALLOWED = {
    "model": ("lcqhnn", "cnn"),
    "front_end": tuple(FRONT_ENDS),
    "dropout_at": ("features", "bottleneck"),
    "scale": tuple(SCALES),
    "order": ("time", "product"),
    "readout": ("linear", "qubit0", "parity", "pair"),
    "quantum": ("circuit", "frozen", "no-entanglement", *WRITTEN_OUT, "series", "classical", "none"),
    "noise": ("none", "device", "strong"),
    "head": ("linear", "single", "relu", "sigmoid", "relu-scores"),
}


def build(config: LcqhnnConfig, pc: Circuit | None = None) -> Lcqhnn | Cnn:
    """Build the model of a config, or with a circuit in the place of its own, from torch's current random state.

    Returns:
        A module from images [B, 1, 28, 28] in [0, 1] to class scores [B, 2]; its last convolution is `features.conv2`.

    Raises:
        ValueError: A field has a value that is not listed in this module, or the circuit does not fit.
    """
    for field, values in _ALLOWED.items():
        if getattr(config, field) not in values:
            raise ValueError(f"{field} is {getattr(config, field)!r}; use one of {', '.join(map(repr, values))}")
    if config.quantum in WRITTEN_OUT and (config.order, config.readout) != ("time", "linear"):
        raise ValueError(
            f"{config.quantum!r} writes out the circuit of order 'time' and readout 'linear', and no other"
        )
    if config.noise != "none" and config.quantum not in ("circuit", "frozen", "no-entanglement"):
        raise ValueError(
            f"{config.quantum!r} is no circuit, and noise {config.noise!r} is a circuit's; leave it 'none'"
        )
    network = Lcqhnn(config) if config.model == "lcqhnn" else Cnn(config)
    return network if pc is None else with_circuit(network, pc)
