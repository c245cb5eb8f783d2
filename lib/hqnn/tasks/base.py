"""What every task shares: what it is told, what it yields, and how it is found by the type of its config."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, singledispatch
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn.datasets.augmentation import flip_and_rotate, flip_and_shift
from hqnn.errors import HqnnError
from hqnn.records import weights_of
from hqnn.training import BatchTransform, Checkpoint, Fit, Loss, Samples, Schedule, fit
from hqnn.views.layer import QuantumLayer

LOSSES: dict[str, Loss] = {
    "cross_entropy": functional.cross_entropy,
    "double_softmax": lambda scores, target: functional.cross_entropy(scores.softmax(1), target),  # a common slip
}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),  # one kernel instead of a dozen per weight tensor
    "sgd": torch.optim.SGD,
}
WARM_UP = 0.2
"""The part of training during which the rate of the one-cycle schedule rises."""


def one_cycle(done: float) -> float:
    """The factor of the learning rate: from 0.04 up to 1 in a straight line, then down to 0 along a cosine."""
    if done < WARM_UP:
        return 0.04 + 0.96 * done / WARM_UP
    return (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2


SCHEDULES: dict[str, Schedule | None] = {
    "constant": None,
    "one-cycle": one_cycle,
    "halvings": lambda done: 0.5 ** int(5 * done + 1e-9),  # four of them
}
AUGMENTATIONS: dict[str, BatchTransform | None] = {
    "none": None,
    "flip-rotate": flip_and_rotate,
    "flip-shift": flip_and_shift,
}


def _nothing_kept(experiment: str, variant: str, seed: int) -> Mapping[str, Tensor]:
    raise HqnnError(f"This run needs the record of {experiment}/{variant}, seed {seed}: give its session `kept`.")


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

    kept: Callable[[str, str, int], Mapping[str, Tensor]] = _nothing_kept
    """(experiment, variant, seed) -> the last weights that the record of a paper-scale run keeps."""

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


def _registered(generic: Any, config: Any) -> Any:
    """What a paper registered for its type of config, in the module `tasks` beside it."""
    kind, default = type(config), generic.dispatch(object)
    if generic.dispatch(kind) is default:
        with suppress(ModuleNotFoundError, TypeError):
            import_module(f"{kind.__module__.rpartition('.')[0]}.tasks")
    if generic.dispatch(kind) is default:
        raise TypeError(f"No task is registered for {kind.__name__}.")
    return generic.dispatch(kind)


@singledispatch
def perform(config: Any, session: Session) -> Outcome:
    """Run a config with a seed."""
    return _registered(perform, config)(config, session)


@singledispatch
def origin(config: Any) -> dict[str, str]:
    """Which images a config draws: the `dataset` of its outcomes.

    Raises:
        MissingDatasetError: They are not here.
    """
    return _registered(origin, config)(config)


@singledispatch
def measure(config: Any, weights: Mapping[str, Tensor]) -> dict[str, float] | None:
    """Measure stored weights again.

    Returns:
        Values by the name of the curve they lie on; None if that would need a download.
    """
    return _registered(measure, config)(config, weights)


def train(
    config: Any,
    session: Session,
    model: nn.Module,
    samples: Samples,
    *,
    loss: Loss,
    evaluate_on: Mapping[str, Samples],
    stage: str = "model",
    **options: Any,
) -> Fit:
    """Train a model in one stage, as its config and its session say.

    Args:
        config: Any paper's config with `optimizer`, `learning_rate`, `epochs`, `batch_size` and `snapshots`.
        session: Gives the seed, the checkpoints and the progress.
        model: On the session's device; only what requires a gradient is trained.
        samples: What it learns from, on the session's device.
        loss: The mean loss of a batch.
        evaluate_on: Further splits by the name of their curves.
        stage: Names the checkpoint.
        **options: What else `hqnn.training.fit` takes.

    Returns:
        The history, the snapshots and the time taken.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return fit(
        model,
        samples,
        loss=loss,
        optimizer=OPTIMIZERS[config.optimizer](trainable, lr=config.learning_rate),
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=session.seed,
        evaluate_on=evaluate_on,
        snapshots=config.snapshots,
        checkpoint=session.checkpoint(stage),
        on_epoch=lambda epoch, _history: session.on_epoch(epoch),
        progress=session.progress,
        **options,
    )


def outcome(model: nn.Module, fitted: Fit, dataset: dict[str, str], **results: Any) -> Outcome:
    """What a trained model yields: its history and size, and further results by name."""
    return Outcome(
        result={"history": fitted.history, "n_parameters": count_parameters(model), **results},
        snapshots=fitted.snapshots,
        dataset=dataset,
        seconds=fitted.seconds,
    )


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Count a model's trainable numbers, and those that are angles in a circuit."""

    def trainable(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters() if p.requires_grad)

    quantum = sum(trainable(module) for module in model.modules() if isinstance(module, QuantumLayer))
    return {"total": trainable(model), "quantum": quantum}
