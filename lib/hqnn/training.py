"""One training loop for every paper: deterministic per seed, and resumable to the same result to the last bit.

At the start of epoch e the random generator is seeded from (seed, e); epoch 0 stands for the model's initial
weights. Shuffling, dropout and everything else random in an epoch draw from that one stream. So the state after
an epoch is a function of the weights, the optimiser's state and e alone, and these three are what a checkpoint
holds.
"""

import math
import os
import platform
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from hqnn.checkpoints import Checkpoint, History, State, restore, store
from hqnn.errors import HqnnError, NonFiniteError

Loss = Callable[[Tensor, Tensor], Tensor]
"""(outputs, targets) -> the mean loss of the batch, a scalar."""

Schedule = Callable[[float], float]
"""The part of training that is done, from 0 to 1 -> the factor of the learning rate for the next step."""

BatchTransform = Callable[[Tensor], Tensor]
"""Inputs of a batch -> inputs of a batch."""

CHECKPOINT_SECONDS = 2.0
"""A checkpoint is written after an epoch if the last one is at least this old."""

_FINITE_CHECK_STEPS = 50


class DivergedError(HqnnError):
    """The loss became NaN or infinite."""


class Samples(NamedTuple):
    """One split of a dataset, held in memory as two tensors."""

    inputs: Tensor
    """[N, ...]"""
    targets: Tensor
    """[N] class indices, or [N, ...] values to regress on."""


@dataclass(frozen=True)
class Fit:
    """What training left behind, besides the model trained in place."""

    history: History
    snapshots: dict[str, Tensor]
    """The weights kept, as `epoch-<e>/<name in the state dict>`."""
    seconds: float
    """Wall-clock time spent training, over all sessions of an interrupted run."""


def seed_epoch(seed: int, epoch: int) -> None:
    """Seed torch's generator for one epoch of one run; epoch 0 is the initialisation of the model."""
    state = np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)
    torch.manual_seed(int(state[0]))


@contextmanager
def deterministic() -> Iterator[None]:
    """Compute with one thread and deterministic algorithms only; leave torch's settings and generators as they were.

    One thread, because sums split over threads are rounded differently.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with this
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    benchmark = torch.backends.cudnn.benchmark
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        try:
            torch.set_num_threads(1)
            torch.use_deterministic_algorithms(True)
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
            torch.backends.cudnn.benchmark = False
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)
            torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
            torch.backends.cudnn.benchmark = benchmark


def check_device(device: str) -> None:
    """See that torch can compute there; an HqnnError names the devices there are."""
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if device not in devices:
        raise HqnnError(f"There is no device {device!r} on {platform.node()}: choose from {', '.join(devices)}.")


def count_correct(outputs: Tensor, targets: Tensor) -> Tensor:
    """Count the samples whose largest of [B, classes] outputs is the target class."""
    return (outputs.argmax(1) == targets).sum()


def evaluate(
    model: nn.Module,
    samples: Samples,
    loss: Loss,
    *,
    accuracy: bool = True,
    batch_size: int = 512,
    prepare: BatchTransform | None = None,
) -> dict[str, float]:
    """A model's mean `loss`, and its `accuracy` (a fraction), on one split, in evaluation mode and without gradients.

    Args:
        model: Maps inputs [B, ...] to outputs; its training mode is restored afterwards.
        samples: The split, on the model's device.
        loss: The mean loss of a batch.
        accuracy: Whether the targets are classes, so that an accuracy exists.
        batch_size: Samples per forward pass; it bounds the memory used.
        prepare: Makes the model's inputs of the stored ones.
    """
    n = len(samples.inputs)
    device = samples.inputs.device
    total = torch.zeros((), device=device, dtype=torch.float64)
    correct = torch.zeros((), device=device, dtype=torch.int64)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for inputs, targets in zip(
                samples.inputs.split(batch_size), samples.targets.split(batch_size), strict=True
            ):
                outputs = model(prepare(inputs) if prepare else inputs)
                total += loss(outputs, targets) * len(inputs)
                if accuracy:
                    correct += count_correct(outputs, targets)
    finally:
        model.train(was_training)
    means = {"loss": total.item() / n}
    if accuracy:
        means["accuracy"] = correct.item() / n
    return means


def fit(
    model: nn.Module,
    train: Samples,
    *,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batch_size: int,
    seed: int,
    shown: int | None = None,
    evaluate_on: Mapping[str, Samples] | None = None,
    accuracy: bool = True,
    schedule: Schedule | None = None,
    prepare: BatchTransform | None = None,
    augment: BatchTransform | None = None,
    watch: Mapping[str, Sequence[Tensor]] | None = None,
    snapshots: Collection[int] = (),
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[int, History], object] | None = None,
    progress: bool = False,
) -> Fit:
    """Train a model in place.

    Samples are reshuffled in every epoch. `train_loss` and `train_accuracy` are running means over the epoch's steps,
    with dropout on and the weights still moving; the other curves are measured after it, in evaluation mode.

    Args:
        model: Maps inputs [B, ...] to outputs, e.g. logits [B, classes].
        train: The samples to learn from, on the model's device.
        loss: The mean loss of a batch.
        optimizer: Over the model's parameters. Its state must be tensors (true of Adam and SGD).
        epochs: Passes over the data.
        batch_size: Samples per step; the last of an epoch may have fewer.
        seed: Seeds every epoch, together with its number.
        shown: Samples that an epoch shows, in whole passes and a part of one, each reshuffled; one pass by default.
        evaluate_on: Further splits; each adds `<name>_loss` and `<name>_accuracy` to the history.
        accuracy: Whether the targets are classes, so that accuracies exist.
        schedule: The factor of the optimiser's learning rate at each step; without it the rate stays.
        prepare: Makes the model's inputs of the stored ones, in training and in evaluation.
        augment: Changes the prepared inputs of a training batch at random.
        watch: Groups of parameters; each adds `gradient_<name>` to the history, the mean over the epoch's steps of the
            norm of the loss's gradient with respect to them.
        snapshots: Epochs after which the weights are kept; 0 stands for the untrained model.
        checkpoint: Where to store the state every few seconds, and to resume from if a state is there.
        on_epoch: Called after each epoch with its number and the history so far. It may change the optimiser's
            learning rate, which checkpoints hold.
        progress: Whether to show a bar on stderr.

    Raises:
        DivergedError: The loss became NaN or infinite; the message names the epoch and the step.
        HqnnError: A checkpoint cannot be written.
    """
    shown = len(train.inputs) if shown is None else shown
    starts = range(0, shown, batch_size)
    rates = [group["lr"] for group in optimizer.param_groups]

    def adjust(step: int) -> None:
        if schedule:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * schedule(step / (epochs * len(starts)))

    loop = _Loop(model, train, shown, loss, optimizer, batch_size, accuracy, adjust, prepare, augment, watch or {})
    state = (restore(checkpoint, model, optimizer) if checkpoint else None) or State()
    if state.epoch == 0 and 0 in snapshots:
        state.snapshots |= _snapshot(model, 0)
    began = time.monotonic() - state.seconds
    stored = -math.inf  # so that the first epoch is stored at once

    with tqdm(
        total=epochs * len(starts), initial=state.epoch * len(starts), unit="step", disable=not progress, leave=False
    ) as bar:
        for epoch in range(state.epoch + 1, epochs + 1):
            seed_epoch(seed, epoch)
            row = _train_epoch(loop, epoch, bar)
            try:
                for name, samples in (evaluate_on or {}).items():
                    means = evaluate(model, samples, loss, accuracy=accuracy, prepare=prepare)
                    row |= {f"{name}_{quantity}": value for quantity, value in means.items()}
            except NonFiniteError:
                _diverged(epoch, len(starts), len(starts))
            if not all(map(math.isfinite, row.values())):
                _diverged(epoch, len(starts), len(starts))
            for curve, value in row.items():
                state.history.setdefault(curve, []).append(value)
            state.epoch = epoch
            if epoch in snapshots:
                state.snapshots |= _snapshot(model, epoch)
            if on_epoch:
                on_epoch(epoch, state.history)
            state.seconds = time.monotonic() - began
            if checkpoint and (time.monotonic() - stored >= CHECKPOINT_SECONDS or epoch == epochs):
                store(checkpoint, model, optimizer, state)
                stored = time.monotonic()
    return Fit(state.history, state.snapshots, state.seconds)


@dataclass(frozen=True)
class _Loop:
    """What every epoch of a run needs; see `fit`."""

    model: nn.Module
    train: Samples
    shown: int
    loss: Loss
    optimizer: torch.optim.Optimizer
    batch_size: int
    accuracy: bool
    adjust: Callable[[int], None]
    """Sets the learning rate for a step, counted from the start of training."""
    prepare: BatchTransform | None
    augment: BatchTransform | None
    watch: Mapping[str, Sequence[Tensor]]


def _train_epoch(loop: _Loop, epoch: int, bar: "tqdm[Any]") -> dict[str, float]:
    """Take every step of one epoch and return its running means. Nothing here waits for the device at each step."""
    inputs, targets = loop.train
    passes = [torch.randperm(len(inputs)) for _ in range(0, loop.shown, len(inputs))]
    batches = torch.cat(passes)[: loop.shown].to(inputs.device).split(loop.batch_size)
    losses = torch.zeros(len(batches), device=inputs.device)
    gradients = {name: torch.zeros(len(batches), device=inputs.device) for name in loop.watch}
    correct = torch.zeros((), device=inputs.device, dtype=torch.int64)
    loop.model.train()
    for step, batch in enumerate(batches):
        x, y = inputs[batch], targets[batch]
        x = loop.prepare(x) if loop.prepare else x
        x = loop.augment(x) if loop.augment else x
        loop.adjust((epoch - 1) * len(batches) + step)
        loop.optimizer.zero_grad(set_to_none=True)
        try:
            outputs = loop.model(x)
        except NonFiniteError:
            _diverged(epoch, step + 1, len(batches))
        value = loop.loss(outputs, y)
        value.backward()
        loop.optimizer.step()
        losses[step] = value.detach()
        for name, parameters in loop.watch.items():
            gradients[name][step] = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if loop.accuracy:
            correct += count_correct(outputs.detach(), y)
        bar.update()
        if step % _FINITE_CHECK_STEPS == 0 or step + 1 == len(batches):
            bad = (~torch.isfinite(losses[: step + 1])).nonzero()
            if len(bad):
                _diverged(epoch, int(bad[0]) + 1, len(batches))
    sizes = torch.tensor([len(batch) for batch in batches], dtype=torch.float64)
    means = {"train_loss": float(losses.cpu().double() @ sizes) / loop.shown}
    if loop.accuracy:
        means["train_accuracy"] = correct.item() / loop.shown
    return means | {f"gradient_{name}": norms.mean().item() for name, norms in gradients.items()}


def _diverged(epoch: int, step: int, steps: int) -> NoReturn:
    raise DivergedError(
        f"The loss is no longer a finite number at epoch {epoch}, step {step} of {steps}: "
        "try a smaller learning rate, and check the inputs for NaN."
    )


def _snapshot(model: nn.Module, epoch: int) -> dict[str, Tensor]:
    return {f"epoch-{epoch}/{name}": tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}


def weights_of(snapshots: Mapping[str, Tensor], epoch: int) -> dict[str, Tensor]:
    """The state dict of one epoch; a KeyError names those that were kept."""
    prefix = f"epoch-{epoch}/"
    weights = {name.removeprefix(prefix): tensor for name, tensor in snapshots.items() if name.startswith(prefix)}
    if not weights:
        raise KeyError(f"no weights of epoch {epoch}; kept are those of {epochs_of(snapshots)}")
    return weights


def epochs_of(snapshots: Mapping[str, Tensor]) -> list[int]:
    """The epochs of which there are weights, ascending."""
    return sorted({int(name.partition("/")[0].removeprefix("epoch-")) for name in snapshots})
