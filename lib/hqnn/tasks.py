"""From a config and a seed to a result: one task per type of config.

A task builds the data and the model, trains (in as many stages as its paper has) and returns an `Outcome`. Another
paper registers its own tasks for its own config type; nothing else learns of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial, singledispatch
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn import datasets
from hqnn.experiments import LcqhnnConfig
from hqnn.models import lcqhnn
from hqnn.quantum_layer import QuantumLayer
from hqnn.training import Checkpoint, Loss, Samples, evaluate, fit, seed_epoch

LOSSES: dict[str, Loss] = {
    "cross_entropy": functional.cross_entropy,
    "double_softmax": lambda scores, target: functional.cross_entropy(scores.softmax(1), target),  # a common slip
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),  # one kernel instead of a dozen per weight tensor
    "sgd": torch.optim.SGD,
}


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a task is told besides its config."""

    seed: int
    key: str
    """Identifies config, seed and code: a checkpoint stored under another key is not taken up."""
    folder: Path | None = None
    """Where checkpoints go, if anywhere."""
    device: str = "cpu"
    progress: bool = False
    on_epoch: Callable[[int], object] = lambda _epoch: None
    """Called with the number of epochs done, over all stages."""

    def checkpoint(self, stage: str = "model") -> Checkpoint | None:
        """Where one stage of training is kept."""
        return Checkpoint(path=self.folder / f"{stage}.safetensors", key=self.key) if self.folder else None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run yields."""

    result: dict[str, Any]
    """`history` (curve -> one value per epoch) and `n_parameters` (trainable: `total`, `quantum`)."""
    snapshots: dict[str, Tensor]
    """Weights by `epoch-<e>/<name in the state dict>`."""
    dataset: dict[str, str]
    """`name` and `fingerprint` of the dataset, and the fingerprint of the `subset` drawn from it."""
    seconds: float
    """Time spent training."""

    @property
    def history(self) -> dict[str, list[float]]:
        """The curves."""
        curves: dict[str, list[float]] = self.result["history"]
        return curves

    def weights(self, epoch: int) -> dict[str, Tensor]:
        """The state dict kept after `epoch`."""
        return weights_of(self.snapshots, epoch)


def weights_of(snapshots: Mapping[str, Tensor], epoch: int) -> dict[str, Tensor]:
    """The state dict of one epoch.

    Raises:
        KeyError: No weights were kept at that epoch.
    """
    prefix = f"epoch-{epoch}/"
    weights = {name.removeprefix(prefix): tensor for name, tensor in snapshots.items() if name.startswith(prefix)}
    if not weights:
        kept = sorted({int(name.partition("/")[0].removeprefix("epoch-")) for name in snapshots})
        raise KeyError(f"no weights of epoch {epoch}; kept are those of {kept}")
    return weights


@singledispatch
def perform(config: Any, session: Session) -> Outcome:
    """Run a config with a seed."""
    raise TypeError(f"No task is registered for {type(config).__name__}.")


@singledispatch
def measure(config: Any, weights: Mapping[str, Tensor]) -> dict[str, float] | None:
    """Measure stored weights again.

    Returns:
        Values by the name of the curve they lie on; None if that would need a download.
    """
    raise TypeError(f"No measurement is registered for {type(config).__name__}.")


@perform.register
def _(config: LcqhnnConfig, session: Session) -> Outcome:
    splits, dataset = _splits(
        config.dataset, config.classes, config.n_train, config.n_val, config.n_test, config.data_seed
    )
    on_device = {name: Samples(*(t.to(session.device) for t in samples)) for name, samples in splits.items()}
    seed_epoch(session.seed, 0)
    model = lcqhnn.build(config).to(session.device)
    fitted = fit(
        model,
        on_device["train"],
        loss=LOSSES[config.loss],
        optimizer=OPTIMIZERS[config.optimizer](model.parameters(), lr=config.learning_rate),
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=session.seed,
        evaluate_on={"val": on_device["val"], "test": on_device["test"]},
        snapshots=config.snapshots,
        checkpoint=session.checkpoint(),
        on_epoch=lambda epoch, _history: session.on_epoch(epoch),
        progress=session.progress,
    )
    return Outcome(
        result={"history": fitted.history, "n_parameters": count_parameters(model)},
        snapshots=fitted.snapshots,
        dataset=dataset,
        seconds=fitted.seconds,
    )


@measure.register
def _(config: LcqhnnConfig, weights: Mapping[str, Tensor]) -> dict[str, float] | None:
    if not datasets.is_available(config.dataset):
        return None
    splits, _ = _splits(config.dataset, config.classes, config.n_train, config.n_val, config.n_test, config.data_seed)
    model = lcqhnn.build(config)
    model.load_state_dict(dict(weights))
    means = evaluate(model, splits["test"], LOSSES[config.loss])
    return {f"test_{quantity}": value for quantity, value in means.items()}


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Count a model's trainable numbers, and those that are angles in a circuit."""

    def trainable(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters() if p.requires_grad)

    quantum = sum(trainable(module) for module in model.modules() if isinstance(module, QuantumLayer))
    return {"total": trainable(model), "quantum": quantum}


@lru_cache(maxsize=2)
def _splits(
    name: str, classes: tuple[int, ...], n_train: int, n_val: int, n_test: int, seed: int
) -> tuple[dict[str, Samples], dict[str, str]]:
    """The three splits as float tensors, and where they come from; kept, since runs of a series share them."""
    dataset = datasets.load(name)
    subset = datasets.subset(dataset, classes=classes, n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    splits = {
        split: Samples(datasets.to_float(part.images, 28), part.labels)
        for split, part in (("train", subset.train), ("val", subset.val), ("test", subset.test))
    }
    return splits, {"name": name, "fingerprint": dataset.fingerprint, "subset": subset.fingerprint}
