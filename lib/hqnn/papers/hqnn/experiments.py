"""The experiments of hqnn's first part: HQNN-Parallel and its rivals on three datasets, and what the circuits add."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from hqnn.experiments import Config, Experiment
from hqnn.papers.hqnn import quanv_experiments


@dataclass(frozen=True, kw_only=True)
class ParallelConfig(Config):
    """One network of the hqnn paper's first part and how it is trained [hqnn, §2.2]."""

    n_classes: int = 10
    n_train: int = 60_000
    n_val: int = 0
    """Held out of the training split, and measured instead of the test images if there are any."""
    n_test: int = 10_000
    data_seed: int | None = 42
    """Of the images drawn; None draws others for every seed."""
    augment: Literal["none", "flip-rotate", "flip-shift"] = "none"

    size: int = 28
    """Height and width of the images the network takes, pixels; others are resized."""
    in_channels: int = 1
    channels: tuple[int, ...] = (16, 32)
    kernel: int = 5
    pools: tuple[int, ...] = (2, 2)
    hidden: tuple[int, ...] = (20,)
    """Widths of the dense layers before the middle part."""
    middle: str = "circuits"
    """What maps n features to n features; `hqnn.papers.hqnn.parallel` says what the values mean."""
    n_circuits: int = 4
    n_qubits: int = 5
    n_layers: int = 3
    batch_norm: bool = True

    # The paper gives none of these. A search on MNIST chose schedule, batch size and rate (`hqnn-search`).
    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 3e-3
    schedule: Literal["constant", "one-cycle"] = "one-cycle"

    @property
    def curves(self) -> tuple[str, ...]:
        """Losses and accuracies, then the norms of gradients."""
        splits = ("train", "val" if self.n_val else "test")
        trained = ("convolution", "dense", *(("middle",) if self.middle not in ("frozen", "identity") else ()))
        return (
            *(f"{split}_{quantity}" for split in splits for quantity in ("loss", "accuracy")),
            *(f"gradient_{name}" for name in trained),
        )


def _quick(config: ParallelConfig) -> ParallelConfig:
    """The same run on the bundled digits, with fewer epochs and images."""
    n_train = config.n_train // 50 if config.shown else 1000
    small = replace(config, dataset="digits", n_classes=10, n_train=n_train, n_val=min(config.n_val, 300), n_test=400)
    small = replace(small, shown=config.shown and 1000)
    return replace(small, epochs=4, snapshots=(4,) * bool(config.snapshots))


def _parallel(name: str, title: str, variants: Mapping[str, ParallelConfig], seeds: range) -> Experiment:
    quick = {variant: _quick(config) for variant, config in variants.items()}
    return Experiment(name=name, paper="hqnn", title=title, variants=variants, quick=quick, seeds=seeds)


_DIGITS = ParallelConfig()
_MEDICAL = ParallelConfig(
    dataset="medical_mnist",
    n_classes=6,
    n_train=47_163,
    n_test=11_791,
    augment="flip-rotate",
    size=64,
    channels=(10, 12),
    kernel=3,
    pools=(2, 1),
    n_layers=4,
    epochs=4,
)
_MEDICAL_FAITHFUL = replace(_MEDICAL, size=28, in_channels=3, channels=(22, 160), kernel=5, pools=(2, 2))
_CIFAR = ParallelConfig(
    dataset="cifar10",
    n_train=50_000,
    size=32,
    in_channels=3,
    channels=(27, 43, 98),
    kernel=3,
    pools=(2, 2, 2),
    n_layers=5,
    epochs=20,
)
_SMALL = replace(_DIGITS, n_train=10_000)
_CNN: dict[str, Any] = {"hidden": (224, 32), "middle": "identity", "batch_norm": False}
_THREE = {"hqnn": _DIGITS, "cnn": replace(_DIGITS, **_CNN), "blocks": replace(_DIGITS, middle="blocks")}
_PARTS = {
    "hqnn": _SMALL,
    **{m: replace(_SMALL, middle=m) for m in ("frozen", "no-entanglement", "blocks", "dense", "identity")},
    **{f"depth-{n}": replace(_SMALL, n_layers=n) for n in (1, 2, 6)},
    **{f"circuits-{n}": replace(_SMALL, n_circuits=n, hidden=(5 * n,)) for n in (1, 2, 8)},
}
"""The hybrid with its circuits changed, replaced or removed, on a sixth of the images."""
_DEQUANTISED = ("circuits", "series", "random-waves", "blocks", "identity")
SIZES = (100, 300, 1_000, 3_000, 10_000, 60_000)
"""Numbers of training images."""
_SIZES = {
    f"{middle}-{n}": replace(_SMALL, middle=middle, n_train=n, shown=_SMALL.n_train, data_seed=None)
    for n in SIZES
    for middle in ("circuits", "series", "blocks", "identity")
}
"""The hybrid and rivals on ever fewer images, in as many steps, with images drawn anew for each seed."""
_HELD_OUT = replace(_SMALL, n_val=5_000, n_test=0)
_SEARCH = {
    f"{model}-{schedule}-batch-{batch}-lr-{rate:g}": replace(
        _HELD_OUT, **change, schedule=schedule, batch_size=batch, learning_rate=rate
    )
    for model, change in (("hqnn", {}), ("cnn", _CNN))
    for schedule in ("constant", "one-cycle")
    for batch in (64, 256)
    for rate in (1e-3, 3e-3, 1e-2)
}
"""Every combination of what the paper does not give, for both models alike; judged on held-out images."""
_EQUAL_RATES = (1e-3, 3e-3, 1e-2, 3e-2)


def _rivals(hybrid: ParallelConfig) -> dict[str, ParallelConfig]:
    """The hybrid, the paper's classical network, and one with the hybrid's number of parameters."""
    return {"hqnn": hybrid, "cnn": replace(hybrid, middle="dense"), "blocks": replace(hybrid, middle="blocks")}


def _equal_search() -> dict[str, ParallelConfig]:
    """Every model of a comparison at the same rates, judged on the same held-out images."""
    bases = {
        "mnist": _HELD_OUT,
        "cifar10": replace(_CIFAR, n_train=10_000, n_val=2_000, n_test=0, epochs=4),
        "medical": replace(_MEDICAL, n_train=2_000, n_val=2_000, n_test=0),
    }
    variants: dict[str, ParallelConfig] = {}
    for dataset, base in bases.items():
        models = _rivals(base) | {"nothing": replace(base, middle="identity")}
        if dataset == "mnist":
            models["cnn"] = replace(base, **_CNN)
        variants |= {
            f"{dataset}-{model}-lr-{rate:g}": replace(config, learning_rate=rate)
            for rate in _EQUAL_RATES
            for model, config in models.items()
        }
    return variants


_KEPT = _THREE | {"hqnn": replace(_DIGITS, snapshots=(_DIGITS.epochs,))}
_FASTER = {name: replace(config, learning_rate=1e-2) for name, config in _THREE.items()}
_AUGMENTED = {name: replace(_rivals(_CIFAR)[name], augment="flip-shift") for name in ("hqnn", "cnn")}

EXPERIMENTS = (
    _parallel("hqnn-search", "What the paper does not give, chosen on held-out images", _SEARCH, range(1)),
    _parallel("hqnn-mnist", "HQNN-Parallel and its rivals on MNIST", _KEPT, range(5)),
    _parallel("hqnn-mnist-rates", "The same at the hybrid's best learning rate", _FASTER, range(3)),
    _parallel("hqnn-cifar10", "HQNN-Parallel and its rivals on CIFAR-10", _rivals(_CIFAR), range(3)),
    _parallel(
        "hqnn-cifar10-augmented",
        "HQNN-Parallel and the paper's CNN on CIFAR-10, flipped and shifted in training",
        _AUGMENTED,
        range(3),
    ),
    _parallel("hqnn-medical", "HQNN-Parallel and its rivals on Medical MNIST", _rivals(_MEDICAL), range(3)),
    _parallel(
        "hqnn-medical-faithful",
        "The same with MNIST's kernels and last maps, on three channels of 28 x 28 pixels",
        _rivals(_MEDICAL_FAITHFUL),
        range(10),
    ),
    _parallel(
        "hqnn-mnist-weights",
        "What stands in the circuits' place, with the weights it is trained to, on MNIST",
        {m: replace(_DIGITS, middle=m, snapshots=(_DIGITS.epochs,)) for m in ("blocks", "identity")},
        range(5),
    ),
    _parallel(
        "hqnn-equal-search",
        "Learning rates for every model of a comparison alike, chosen on held-out images",
        _equal_search(),
        range(3),
    ),
    _parallel("hqnn-parts", "The circuits changed, replaced or removed, on 10,000 images of MNIST", _PARTS, range(5)),
    _parallel(
        "hqnn-dequantised",
        "What can stand in the circuits' place, on 10,000 images of MNIST, over seeds that were in no other experiment",
        {middle: replace(_SMALL, middle=middle) for middle in _DEQUANTISED},
        range(10, 20),
    ),
    _parallel("hqnn-sizes", "Few images of MNIST to learn from", _SIZES, range(10)),
    *quanv_experiments.EXPERIMENTS,
)
