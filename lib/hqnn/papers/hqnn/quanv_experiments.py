"""The experiments of HQNN-Quanv, the second model of hqnn: three kernels, learning rates, draws of images, readings."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from hqnn.experiments import Config, Experiment

if TYPE_CHECKING:  # Qiskit takes a second
    from hqnn.papers.hqnn.circuits import Cnots

RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
USUAL_RATE = 1e-2
"""The paper gives none; this is the default of PennyLane's Adam."""
N_DRAWS = 20


@dataclass(frozen=True, kw_only=True)
class QuanvConfig(Config):
    """One model around a 2x2 kernel and how it is trained [hqnn, section 2.3]."""

    splits: ClassVar[tuple[str, ...]] = (*Config.splits, "all")
    """The last is every test image there is."""

    model: Literal["quanv", "cnn"] = "quanv"
    channels: int = 4
    """Output channels of a CNN's kernel."""
    n_train: int = 500
    n_val: int = 500
    """The paper has none; they choose learning rates."""
    n_test: int = 100
    data_seed: int = 42
    epochs: int = 20
    size: int = 14
    stride: int = 4
    """The only one that makes 4x4 of 14x14 pixels with a 2x2 kernel."""

    # What the paper leaves open; modules `quanv` and `circuits` say what each value means.
    batch_size: int = 32
    learning_rate: float = USUAL_RATE
    antialias: bool = True
    axis: Literal["x", "y", "z"] = "y"
    cnots: Cnots = "chain"
    rotations_first: bool = True
    quantum: Literal["circuit", "frozen", "series", "cosines", "none"] = "circuit"
    bias: bool = False
    activation: Literal["none", "relu"] = "none"

    @property
    def side(self) -> int:
        """Side of an output channel, pixels."""
        return (self.size - 2) // self.stride + 1


MODELS: Mapping[str, QuanvConfig] = {
    "quanv": QuanvConfig(),
    "cnn4": QuanvConfig(model="cnn"),
    "cnn1": QuanvConfig(model="cnn", channels=1),
}
"""The three models of figure 8."""

ABLATIONS: Mapping[str, QuanvConfig] = {
    "no-cnots": QuanvConfig(cnots="none"),
    "frozen": QuanvConfig(quantum="frozen"),
    "pixels": QuanvConfig(quantum="none"),
}
"""The hybrid with its kernel changed or removed."""

DEQUANTISED: Mapping[str, QuanvConfig] = {name: QuanvConfig(quantum=name) for name in ("series", "cosines")}
"""Classical kernels that start as the circuit."""


_RATES = {
    f"{name}-lr-{rate:g}": replace(config, learning_rate=rate)
    for name, config in {**MODELS, **ABLATIONS}.items()
    for rate in RATES
    if name not in MODELS or rate != USUAL_RATE
}
"""The same learning rates for models and ablations; the models at the usual rate are in `hqnn-quanv`."""
_DRAWS = {
    f"{name}-draw-{draw}": replace(config, data_seed=draw) for draw in range(N_DRAWS) for name, config in MODELS.items()
}
"""The three models on other training and test images."""
_KEPT = {name: replace(config, snapshots=(0, 20)) for name, config in MODELS.items()}


def _readings() -> dict[str, QuanvConfig]:
    """What the paper leaves open: every kernel that fits the text at two rates, then one choice at a time."""
    found: dict[str, QuanvConfig] = {}
    axes: tuple[Literal["y", "x", "z"], ...] = ("y", "x", "z")
    patterns: tuple[Cnots, ...] = ("chain", "reversed", "star")
    for axis, cnots, first, rate in itertools.product(axes, patterns, (True, False), (USUAL_RATE, 3e-2)):
        kernel = f"{axis}-{cnots}-{'rotations' if first else 'cnots'}-first"
        primary = kernel == "y-chain-rotations-first"
        if (first or axis != "z") and not primary:  # rotations about z do nothing in either place
            found[f"quanv-{kernel}-lr-{rate:g}"] = QuanvConfig(
                axis=axis, cnots=cnots, rotations_first=first, learning_rate=rate
            )
    choices: dict[str, dict[str, Any]] = {
        "plain-resize": {"antialias": False},
        "batch-8": {"batch_size": 8},
        "batch-128": {"batch_size": 128},
        "sgd-0.1": {"optimizer": "sgd", "learning_rate": 0.1},
        "sgd-1": {"optimizer": "sgd", "learning_rate": 1.0},
    }
    for name, config in MODELS.items():
        found |= {f"{name}-{choice}": replace(config, **change) for choice, change in choices.items()}
    for name in ("cnn4", "cnn1"):
        found[f"{name}-relu"] = replace(MODELS[name], activation="relu")
        found[f"{name}-bias"] = replace(MODELS[name], bias=True)
    return found


def _quick(config: QuanvConfig) -> QuanvConfig:
    """The same run on the bundled digits, with fewer images and epochs."""
    kept = tuple(epoch for epoch in config.snapshots if epoch < 8) + (8,) * bool(config.snapshots)
    small = replace(config, dataset="digits", n_train=200, n_val=100, batch_size=config.batch_size // 2)
    return replace(small, epochs=8, snapshots=kept)


def _experiment(name: str, title: str, variants: Mapping[str, QuanvConfig], seeds: range = range(10)) -> Experiment:
    quick = {variant: _quick(config) for variant, config in variants.items()}
    return Experiment(name=name, paper="hqnn", title=title, variants=variants, quick=quick, seeds=seeds)


_DEQUANTISED = {
    f"{name}-lr-{rate:g}": replace(config, learning_rate=rate) for name, config in DEQUANTISED.items() for rate in RATES
}

EXPERIMENTS = (
    _experiment("hqnn-quanv", "Quanvolution, CNN4 and CNN1 on 500 images of MNIST", _KEPT),
    _experiment("hqnn-quanv-rates", "Learning rates for the three models and the ablations", _RATES),
    _experiment("hqnn-quanv-dequantised", "Classical kernels that start as the circuit", _DEQUANTISED),
    _experiment("hqnn-quanv-draws", "The three models on other draws of images", _DRAWS, range(3)),
    _experiment("hqnn-quanv-readings", "What the paper leaves open about the three models", _readings(), range(5)),
)
