"""The experiments of lcqhnn: four models on two pairs of classes, and what becomes of them when a choice changes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from hqnn.experiments import Config, Experiment

_KEPT = (0, 1, 2, 3, 5, 10, 15, 25, 50)
"""Epochs whose weights are kept of the models that are looked into."""


@dataclass(frozen=True, kw_only=True)
class LcqhnnConfig(Config):
    """One model of the lcqhnn paper and how it is trained [lcqhnn, §3.1]."""

    model: Literal["lcqhnn", "cnn"] = "lcqhnn"
    classes: tuple[int, int] = (0, 1)
    n_train: int = 2048
    n_val: int = 512
    n_test: int = 1024
    data_seed: int | None = 42
    """Of the images drawn; None draws others for every seed."""
    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 1e-3

    # What the paper leaves open; hqnn.papers.lcqhnn.model says what each value means.
    front_end: str = "k3-p1-pool23"
    dropout: float = 0.5
    dropout_at: str = "features"
    order: Literal["time", "product"] = "time"
    readout: str = "linear"
    quantum: str = "circuit"
    shots: int | None = None
    noise: str = "none"
    scale: str = "raw"
    hidden: int = 4
    head: str = "linear"
    loss: str = "cross_entropy"


def _quick(config: LcqhnnConfig) -> LcqhnnConfig:
    """The same run on the bundled digits: an eighth of the data, smaller batches, faster steps."""
    return replace(
        config,
        dataset="digits",
        n_train=max(2, 3 * config.n_train // 64 * 2) if config.shown else 192,
        shown=config.shown and 192,
        n_val=64,
        n_test=64,
        epochs=8,
        batch_size=16,
        learning_rate=4 * config.learning_rate,
        snapshots=tuple(epoch for epoch in config.snapshots if epoch < 8) + (8,) * bool(config.snapshots),
    )


def _experiment(name: str, title: str, variants: Mapping[str, LcqhnnConfig], seeds: range = range(10)) -> Experiment:
    quick = {variant: _quick(config) for variant, config in variants.items()}
    return Experiment(name=name, paper="lcqhnn", title=title, variants=variants, quick=quick, seeds=seeds)


def _four_models(base: LcqhnnConfig) -> dict[str, LcqhnnConfig]:
    """Table 1: the hybrid, and networks whose last layer, `hidden` x 2 weights, has 4, 8 and 16 parameters."""
    return {
        "lcqhnn": replace(base, model="lcqhnn", snapshots=_KEPT),
        "cnn-4": replace(base, model="cnn", hidden=2, snapshots=_KEPT),
        "cnn-8": replace(base, model="cnn", hidden=4, snapshots=(50,)),
        "cnn-16": replace(base, model="cnn", hidden=8, snapshots=(50,)),
    }


def _readings(base: LcqhnnConfig) -> dict[str, LcqhnnConfig]:
    """What the paper leaves open, one choice changed at a time from the variants lcqhnn and cnn-4."""
    both: dict[str, dict[str, Any]] = {
        "k3-p2-pool22": {"front_end": "k3-p2-pool22"},
        "k3-p0-pool33": {"front_end": "k3-p0-pool33"},
        "k5-p0-pool22": {"front_end": "k5-p0-pool22"},
        "dropout-0": {"dropout": 0.0},
        "dropout-0.25": {"dropout": 0.25},
        "dropout-at-bottleneck": {"dropout_at": "bottleneck"},
    }
    hybrid: dict[str, dict[str, Any]] = both | {
        "order-product": {"order": "product"},
        "readout-qubit0": {"readout": "qubit0"},
        "readout-parity": {"readout": "parity"},
        "readout-pair": {"readout": "pair"},
        "scale-tanh": {"scale": "tanh"},
        "scale-relu": {"scale": "relu"},
    }
    classical: dict[str, dict[str, Any]] = both | {
        "width-4": {"hidden": 4},
        "width-8": {"hidden": 8},
        "width-16": {"hidden": 16},
        "single-4": {"hidden": 4, "head": "single"},
        "single-8": {"hidden": 8, "head": "single"},
        "single-16": {"hidden": 16, "head": "single"},
        "relu": {"head": "relu"},
        "sigmoid": {"head": "sigmoid"},
        "relu-scores": {"head": "relu-scores"},
        "relu-dropout-at-bottleneck": {"head": "relu", "dropout_at": "bottleneck"},
        "double-softmax": {"loss": "double_softmax"},
        "sgd": {"optimizer": "sgd"},
    }
    return {f"lcqhnn-{name}": replace(base, model="lcqhnn", **change) for name, change in hybrid.items()} | {
        f"cnn-4-{name}": replace(base, model="cnn", **{"hidden": 2} | change) for name, change in classical.items()
    }


def _rates(base: LcqhnnConfig) -> dict[str, LcqhnnConfig]:
    """The same learning rates for all four models; 1e-3 is in the main experiment."""
    return {
        f"{name}-lr-{rate:g}": replace(config, learning_rate=rate, snapshots=())
        for name, config in _four_models(base).items()
        for rate in (1e-4, 3e-3, 1e-2)
    }


def _ablations(base: LcqhnnConfig) -> dict[str, LcqhnnConfig]:
    """The hybrid with its circuit changed, replaced or removed; to be paired with the variant lcqhnn seed by seed."""
    return {name: replace(base, quantum=name) for name in ("no-entanglement", "frozen", "classical", "none")}


def _sizes(base: LcqhnnConfig) -> dict[str, LcqhnnConfig]:
    """Circuit and rivals on ever fewer training images, in as many steps, with images drawn anew for each seed."""
    shown = base.n_train
    return {
        f"{name}-{n}": replace(base, quantum=name, n_train=n, shown=shown, data_seed=None)
        for name in ("circuit", "products", "classical", "none")
        for n in SIZES
    }


SIZES = (16, 64, 256, 1024, 2048)
"""Numbers of training images."""
SHOTS = (1, 10, 100, 1000)
"""Measurements of each circuit."""
_DEQUANTISED = ("circuit", "closed-form", "products", "series", "classical", "none")
_MNIST = LcqhnnConfig(dataset="mnist", classes=(0, 1))
_FASHION = LcqhnnConfig(dataset="fashion_mnist", classes=(1, 6))  # trouser, shirt

EXPERIMENTS = (
    _experiment("lcqhnn-mnist", "Four models on MNIST's digits 0 and 1", _four_models(_MNIST)),
    _experiment("lcqhnn-fashion", "Four models on FashionMNIST's trousers and shirts", _four_models(_FASHION)),
    _experiment(
        "lcqhnn-ablations-fashion",
        "The circuit changed, replaced or removed, on FashionMNIST",
        _ablations(_FASHION),
    ),
    _experiment(
        "lcqhnn-readings-fashion", "What the paper leaves open, on FashionMNIST", _readings(_FASHION), range(3)
    ),
    _experiment(
        "lcqhnn-dequantised-fashion",
        "What can stand in the circuit's place, on FashionMNIST, over seeds that were in no other experiment",
        {name: replace(_FASHION, quantum=name) for name in _DEQUANTISED},
        range(10, 30),
    ),
    _experiment("lcqhnn-sizes-fashion", "Few images to learn from, on FashionMNIST", _sizes(_FASHION)),
    _experiment(
        "lcqhnn-shots-fashion",
        "Few measurements of each circuit, in training and afterwards, on FashionMNIST",
        {f"shots-{n}": replace(_FASHION, shots=n) for n in SHOTS},
        range(10, 20),
    ),
    _experiment(
        "lcqhnn-noise-aware-fashion",
        "Trained without noise, with a device's, and with fifty times as much, on FashionMNIST",
        {name: replace(_FASHION, noise=name, snapshots=(50,)) for name in ("none", "device", "strong")},
        range(30, 50),
    ),
    _experiment("lcqhnn-rates-fashion", "Learning rates, on FashionMNIST", _rates(_FASHION), range(3)),
)
