"""Tasks: how a config of one type is run, from its images and its model to a result.

A paper says it once for each type of its configs, in its module `tasks`, as `TASKS = {ItsConfig: ItsTask()}`. Nothing
else learns of it.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn import datasets
from hqnn.checkpoints import Checkpoint
from hqnn.circuit import Circuit
from hqnn.datasets.augmentation import flip_and_rotate, flip_and_shift
from hqnn.errors import HqnnError
from hqnn.training import (
    BatchTransform,
    Fit,
    Loss,
    Samples,
    Schedule,
    evaluate,
    fit,
    seed_epoch,
    weights_of,
)
from hqnn.views.layer import QuantumLayer

C = TypeVar("C")
"""A type of config."""

Images = tuple[dict[str, Samples], dict[str, str]]
"""Splits by name, and where they come from: `name` and `fingerprint` of the dataset, fingerprint of the `subset`."""

Network = nn.Module | Callable[[], nn.Module]
"""A network as it stands, or what builds one with weights drawn from torch's current random state."""

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


def _nothing_kept(series: str, seed: int) -> Mapping[str, Tensor]:
    raise HqnnError(f"This run needs the record of {series}, seed {seed}: give its session `kept`.")


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

    kept: Callable[[str, int], Mapping[str, Tensor]] = _nothing_kept
    """(series, seed) -> the last weights that the record of a paper-scale run keeps."""

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
        """Curve -> one value per epoch."""
        return self.result["history"]

    def weights(self, epoch: int) -> dict[str, Tensor]:
        """The state dict kept after `epoch`."""
        return weights_of(self.snapshots, epoch)


class Task(Generic[C]):
    """How configs of one type are run.

    As it stands here a task trains one network in one stage on all splits it draws; what a paper does otherwise it
    overrides. `build` and `images` every task has to say. Errors are those on the last of the splits.
    """

    def images(self, config: C) -> Images:
        """Draw the splits, among them `train` and `test`, ready for the network unless the task prepares its batches.

        Raises:
            MissingDatasetError: They are not here.
        """
        raise NotImplementedError

    def build(self, config: C) -> nn.Module:
        """Build the network that is trained, with weights drawn from torch's current random state."""
        raise NotImplementedError

    def parts(self, config: C) -> Mapping[str, nn.Module | Circuit]:
        """All that a run computes with, frozen networks and circuits too; when they change, its record is stale."""
        return {"model": self.build(config)}

    def upstream(self, config: C) -> str | None:
        """The series, if any, whose record of the same seed a run loads weights of."""
        return None

    def loss(self, config: C) -> Loss:
        """The mean loss of a batch."""
        return LOSSES[getattr(config, "loss", "cross_entropy")]

    def run(self, config: C, session: Session) -> Outcome:
        """Run a config with a seed."""
        splits, origin = self.images(config)
        here = placed(splits, session)
        seed_epoch(session.seed, 0)
        model = self.build(config).to(session.device)
        fitted = train(config, session, model, here.pop("train"), loss=self.loss(config), evaluate_on=here)
        last = list(here.values())[-1]
        return outcome(model, fitted, origin, errors=errors(predict(model, last), last.targets))

    def measure(self, config: C, weights: Mapping[str, Tensor]) -> dict[str, float] | None:
        """Measure stored weights on every split but the training images: values by curve; None without the dataset."""
        if not datasets.is_available(config.dataset):  # type: ignore[attr-defined]
            return None
        model = self.build(config)
        model.load_state_dict(dict(weights))
        return {
            f"{split}_{quantity}": value
            for split, samples in self.images(config)[0].items()
            if split != "train"
            for quantity, value in evaluate(model, samples, self.loss(config)).items()
        }


def of(config: Any, network: Network | None = None) -> Task[Any]:
    """The task of a config: what a paper says in the module `tasks` beside the config's own or an ancestor's.

    It trains the network given, else what the config's own method `build` makes if it has one, else the paper's.

    Raises:
        TypeError: There is none.
    """
    for kind in type(config).__mro__:
        package = kind.__module__.rpartition(".")[0]
        if package and find_spec(f"{package}.tasks"):
            found: dict[type, Task[Any]] = getattr(import_module(f"{package}.tasks"), "TASKS", {})
            if kind in found:
                own = getattr(config, "build", None) if network is None else network
                return found[kind] if own is None else _with(found[kind], own)
    raise TypeError(f"No task is registered for {type(config).__name__}; derive it from a paper's config.")


def _with(task: Task[C], network: Network) -> Task[C]:
    """The same task with another network, of which each run trains a copy."""

    def build(_config: C) -> nn.Module:
        built = deepcopy(network) if isinstance(network, nn.Module) else network()
        if not isinstance(built, nn.Module):
            raise TypeError(f"the network was built as a {type(built).__name__}; return an nn.Module")
        return built

    other = copy(task)
    vars(other)["build"] = build
    return other


@lru_cache(maxsize=2)
def drawn(
    name: str,
    classes: tuple[int, ...],
    sizes: tuple[int, int, int],
    seed: int,
    *,
    size: int,
    antialias: bool = True,
    all_too: bool = False,
) -> Images:
    """Draw images of some classes (`hqnn.datasets.subset`); kept, since runs of a series share them.

    Args:
        name: The dataset.
        classes: Which of its classes, in the order of their new labels.
        sizes: Of `train`, `val` and `test`.
        seed: Of the draw.
        size: Height and width of the float images [N, 1, size, size], in [0, 1].
        antialias: Whether resizing smooths.
        all_too: Whether all test images there are make a further split, `all`.
    """
    dataset = datasets.load(name)
    n_train, n_val, n_test = sizes
    subset = datasets.subset(dataset, classes=classes, n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    parts = {"train": subset.train, "val": subset.val, "test": subset.test} | ({"all": dataset.test} if all_too else {})
    splits = {
        split: Samples(datasets.to_float(part.images, size, antialias=antialias), part.labels)
        for split, part in parts.items()
    }
    return splits, {"name": name, "fingerprint": dataset.fingerprint, "subset": subset.fingerprint}


def placed(splits: Mapping[str, Samples], session: Session) -> dict[str, Samples]:
    """Splits on the session's device."""
    return {name: Samples(*(tensor.to(session.device) for tensor in samples)) for name, samples in splits.items()}


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
    """Train what requires a gradient in a model, in one stage, as its config and its session say; see `fit`.

    Args:
        config: Any paper's config.
        session: Gives the seed, the checkpoints and the progress.
        model: On the session's device.
        samples: What it learns from, on the session's device.
        loss: The mean loss of a batch.
        evaluate_on: Further splits by the name of their curves.
        stage: Names the checkpoint.
        **options: What else `hqnn.training.fit` takes.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return fit(
        model,
        samples,
        loss=loss,
        optimizer=OPTIMIZERS[config.optimizer](trainable, lr=config.learning_rate),
        epochs=config.epochs,
        batch_size=config.batch_size,
        shown=config.shown,
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


def predict(
    model: nn.Module, samples: Samples, *, prepare: BatchTransform | None = None, batch_size: int = 512
) -> Tensor:
    """The classes [N] that a model gives to samples in evaluation mode, as `hqnn.training.evaluate` counts them."""
    model.eval()
    with torch.no_grad():
        batches = samples.inputs.split(batch_size)
        return torch.cat([model(prepare(batch) if prepare else batch).argmax(1) for batch in batches])


def errors(predicted: Tensor, targets: Tensor) -> str:
    """One character for each of [N] images: a point, or the class that it is wrongly taken for (`a` is class 10)."""
    digits = string.digits + string.ascii_lowercase
    pairs = zip(predicted.tolist(), targets.tolist(), strict=True)
    return "".join("." if found == target else digits[found] for found, target in pairs)


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Count a model's trainable numbers, and those that are angles in a circuit."""

    def trainable(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters() if p.requires_grad)

    quantum = sum(trainable(module) for module in model.modules() if isinstance(module, QuantumLayer))
    return {"total": trainable(model), "quantum": quantum}
