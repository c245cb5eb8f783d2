"""The training loop: determinism, exact resume, divergence, and what a checkpoint holds."""

import errno
import logging
import math
import os
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
import safetensors
import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn import checkpoints, training
from hqnn.checkpoints import Checkpoint, History, State
from hqnn.errors import HqnnError, NonFiniteError
from hqnn.storage import pack_tensors, read_tensors, write_atomically
from hqnn.tasks import SCHEDULES
from hqnn.training import DivergedError, Fit, Samples, deterministic, evaluate, fit, seed_epoch
from tests.toy import started, wait_for

EPOCHS = 6


def blobs(n: int, seed: int) -> Samples:
    """Two overlapping clouds of points."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % 2
    return Samples(torch.randn(n, 5, generator=generator) + targets[:, None], targets)


TRAIN, TEST = blobs(50, 0), blobs(30, 1)


def build(seed: int) -> nn.Module:
    """A model with every kind of state: weights, running statistics, and randomness in the forward pass."""
    seed_epoch(seed, 0)
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.4), nn.Linear(8, 2))


def fit_to(model: nn.Module, samples: Samples = TRAIN, **options: Any) -> Fit:
    """Train with little said."""
    lr = options.pop("lr", 0.01)
    usual: dict[str, Any] = {"loss": functional.cross_entropy, "epochs": 1, "batch_size": 16, "seed": 0}
    optimizer = options.pop("optimizer", None) or torch.optim.SGD(model.parameters(), lr=lr)
    return fit(model, samples, optimizer=optimizer, **(usual | options))


def train(
    seed: int = 3,
    *,
    checkpoint: Path | None = None,
    key: str = "key",
    epochs: int = EPOCHS,
    on_epoch: Callable[[int, History], None] | None = None,
    **options: Any,
) -> tuple[Fit, nn.Module]:
    with deterministic():
        model = build(seed)
        fitted = fit_to(
            model,
            optimizer=torch.optim.Adam(model.parameters(), lr=0.02),
            seed=seed,
            epochs=epochs,
            evaluate_on={"test": TEST},
            snapshots=(0, 2, EPOCHS),
            checkpoint=Checkpoint(path=checkpoint, key=key) if checkpoint else None,
            on_epoch=on_epoch,
            **options,
        )
    return fitted, model


def assert_same(a: Fit, b: Fit) -> None:
    assert a.history == b.history
    assert a.snapshots.keys() == b.snapshots.keys()
    for name in a.snapshots:
        assert torch.equal(a.snapshots[name], b.snapshots[name]), name


def test_a_seed_decides_everything_and_it_learns() -> None:
    first, _ = train()
    torch.manual_seed(12345)  # what happened before must not matter
    torch.rand(7)
    assert_same(first, train()[0])
    assert first.history != train(seed=4)[0].history
    assert set(first.history) == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    assert {len(values) for values in first.history.values()} == {EPOCHS}
    assert first.history["train_loss"][-1] < 0.8 * first.history["train_loss"][0]
    assert first.history["test_accuracy"][-1] > 0.75


def test_training_curves_are_means_over_samples_not_over_batches() -> None:
    """With a learning rate of zero and no randomness, the running mean is the mean over the split."""
    model = nn.Linear(5, 2)
    fitted = fit_to(model, lr=0.0)  # 50 samples in batches of 16: the last has 2
    expected = evaluate(model, TRAIN, functional.cross_entropy)
    assert fitted.history["train_loss"][0] == pytest.approx(expected["loss"], rel=1e-6)
    assert fitted.history["train_accuracy"][0] == expected["accuracy"]


def test_evaluation_is_in_batches_without_dropout_and_restores_the_mode() -> None:
    _, model = train(epochs=2)
    model.train()
    found = evaluate(model, TEST, functional.cross_entropy, batch_size=7)
    assert model.training
    model.eval()
    with torch.no_grad():
        outputs = model(TEST.inputs)
    assert found["accuracy"] == (outputs.argmax(1) == TEST.targets).sum().item() / 30
    assert found["loss"] == pytest.approx(functional.cross_entropy(outputs, TEST.targets).item(), rel=1e-6)


def test_snapshots_are_the_weights_of_their_epochs() -> None:
    fitted, model = train()
    assert training.epochs_of(fitted.snapshots) == [0, 2, EPOCHS]
    for epoch, there in ((0, build(3)), (EPOCHS, model), (2, train(epochs=2)[1])):
        kept = training.weights_of(fitted.snapshots, epoch)
        assert kept.keys() == there.state_dict().keys()
        assert all(torch.equal(kept[name], tensor) for name, tensor in there.state_dict().items())
    with pytest.raises(KeyError, match=r"no weights of epoch 3; kept are those of \[0, 2, 6\]"):
        training.weights_of(fitted.snapshots, 3)


def test_regression_has_no_accuracy() -> None:
    inputs, val = TRAIN.inputs, Samples(TEST.inputs, TEST.inputs)
    fitted = fit_to(
        nn.Linear(5, 5),
        Samples(inputs, inputs),
        loss=functional.mse_loss,
        lr=0.2,
        epochs=5,
        evaluate_on={"val": val},
        accuracy=False,
    )
    assert set(fitted.history) == {"train_loss", "val_loss"}
    assert fitted.history["val_loss"][-1] < fitted.history["val_loss"][0]


# --- resuming


class Killed(Exception):  # noqa: N818 - stands for a signal
    """The process ends here."""


@pytest.fixture
def at_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)


@pytest.mark.usefixtures("at_every_epoch")
@pytest.mark.parametrize("schedule", [None, lambda done: 1 - done / 2])
@pytest.mark.parametrize("killed_in", [1, 2, EPOCHS])
def test_resumed_equals_uninterrupted(
    tmp_path: Path, killed_in: int, schedule: Callable[[float], float] | None
) -> None:
    def die(epoch: int, _history: History) -> None:
        if epoch == killed_in:
            raise Killed

    path = tmp_path / "run" / "model.safetensors"
    with pytest.raises(Killed):
        train(checkpoint=path, on_epoch=die, schedule=schedule)
    epochs: list[int] = []
    resumed, _ = train(checkpoint=path, on_epoch=lambda epoch, _: epochs.append(epoch), schedule=schedule)
    assert epochs == list(range(killed_in, EPOCHS + 1))  # the epoch that died is repeated, none before it
    assert_same(train(schedule=schedule)[0], resumed)


def test_a_finished_run_is_restored_without_a_step(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    first, trained = train(checkpoint=path)
    epochs: list[int] = []
    again, restored = train(checkpoint=path, on_epoch=lambda epoch, _: epochs.append(epoch))
    assert epochs == []
    assert_same(first, again)
    assert again.seconds >= first.seconds
    for a, b in zip(trained.state_dict().values(), restored.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.usefixtures("at_every_epoch")
def test_learning_rate_changed_by_the_callback_survives(tmp_path: Path) -> None:
    def run(path: Path | None, die_in: int | None) -> Fit:
        with deterministic():
            model = build(0)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

            def decay(epoch: int, _history: History) -> None:
                if epoch == die_in:
                    raise Killed
                optimizer.param_groups[0]["lr"] *= 0.5

            there = Checkpoint(path=path, key="") if path else None
            return fit_to(model, optimizer=optimizer, epochs=5, checkpoint=there, on_epoch=decay)

    path = tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        run(path, 3)
    assert_same(run(None, None), run(path, None))


def test_weights_that_are_not_row_major_resume_exactly(tmp_path: Path) -> None:
    """Fused kernels walk through memory: they mix up a weight and its momenta if these are laid out differently."""
    images = Samples(TRAIN.inputs[:, :4].reshape(50, 1, 2, 2).expand(50, 3, 2, 2), TRAIN.targets)

    def run(epochs: int, path: Path | None) -> Fit:
        with deterministic():
            seed_epoch(0, 0)
            model = nn.Sequential(nn.Conv2d(3, 6, 2), nn.Flatten(), nn.Linear(6, 2))
            model.to(memory_format=torch.channels_last)
            optimizer = torch.optim.Adam(model.parameters(), lr=0.02, fused=True)
            there = Checkpoint(path=path, key="") if path else None
            return fit_to(model, images, optimizer=optimizer, epochs=epochs, snapshots=(4,), checkpoint=there)

    path = tmp_path / "model.safetensors"
    run(2, path)
    assert_same(run(4, path), run(4, None))


@pytest.mark.parametrize("what", ["another key", "truncated", "garbage", "empty", "gone while it is looked for"])
def test_a_checkpoint_that_is_of_no_use_is_done_again(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    train(checkpoint=path, epochs=3, key="other config" if what == "another key" else "key")
    content = path.read_bytes()
    if what.startswith("gone"):  # as when another process has stored the run's record in between

        def gone(path: Path) -> NoReturn:
            raise FileNotFoundError(path)

        monkeypatch.setattr(checkpoints, "read_tensors", gone)
    elif what != "another key":
        path.write_bytes({"truncated": content[:-100], "garbage": b"x" * 300, "empty": b""}[what])
    epochs: list[int] = []
    with caplog.at_level(logging.WARNING):
        got, _ = train(checkpoint=path, on_epoch=lambda epoch, _: epochs.append(epoch))
    assert epochs[0] == 1
    assert ("Starting this run afresh" in caplog.text) == (what in ("truncated", "garbage", "empty"))
    assert_same(train()[0], got)


def test_checkpoints_are_limited_in_time_but_the_first_and_last_epoch_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[int] = []
    real = checkpoints.store

    def spy(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
        stored.append(state.epoch)
        real(checkpoint, model, optimizer, state)

    monkeypatch.setattr(training, "store", spy)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 1e6)
    train(checkpoint=tmp_path / "model.safetensors")
    assert stored == [1, EPOCHS]


SCRIPT = """
    import sys
    from pathlib import Path
    from hqnn import training
    from tests.test_training import train
    training.CHECKPOINT_SECONDS = 0.0
    train(epochs=100_000, checkpoint=Path(sys.argv[1]))
"""


def test_killed_at_any_moment_and_resumed(tmp_path: Path) -> None:
    """A process killed while it stores a checkpoint after every epoch leaves a state from which the rest is exact."""
    path = tmp_path / "c" / "model.safetensors"

    def reached() -> int:
        with suppress(FileNotFoundError):
            return int(read_tensors(path)[1]["epoch"])
        return 0

    with started("-c", textwrap.dedent(SCRIPT), str(path)) as process:
        wait_for(lambda: reached() >= 3 or process.poll() is not None)
    epoch = reached()
    assert epoch >= 3
    assert_same(train(epochs=epoch + 2)[0], train(epochs=epoch + 2, checkpoint=path)[0])


# --- what goes wrong


def spoiled(step: int, spoil: Callable[[Tensor, Tensor], Tensor]) -> training.Loss:
    """The usual loss, but at one training step: its value and the outputs to what it is then."""
    calls = 0

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        nonlocal calls
        calls += torch.is_grad_enabled()
        value = functional.cross_entropy(outputs, targets)
        return spoil(value, outputs) if calls == step else value

    return loss


class Strict(nn.Module):
    """A layer that refuses what is not finite, as the quantum layer does."""

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        if not torch.isfinite(x).all():
            raise NonFiniteError("input is not finite")
        return x


@pytest.mark.parametrize(
    ("model", "options", "where"),
    [
        (build(0), {"loss": spoiled(8, lambda value, _: value * math.nan)}, "epoch 2, step 3 of 5"),
        (build(0), {"loss": spoiled(8, lambda value, _: value * math.inf)}, "epoch 2, step 3 of 5"),
        # the last step's own loss is finite, its gradient is not; the evaluation after the epoch shows it
        (
            nn.Linear(5, 2),
            {"loss": spoiled(5, lambda value, out: value + 1e38 * (out - out.detach()).sum()), "lr": 10.0},
            "epoch 1, step 5 of 5",
        ),
        # a layer refuses to go on, in the next step or in the evaluation
        (nn.Sequential(nn.Linear(5, 2), Strict()), {"lr": math.inf}, "epoch 1, step 2 of 5"),
        (nn.Sequential(nn.Linear(5, 2), Strict()), {"lr": math.inf, "batch_size": 50}, "epoch 1, step 1 of 1"),
    ],
)
def test_divergence_names_epoch_and_step(model: nn.Module, options: dict[str, Any], where: str) -> None:
    with pytest.raises(DivergedError, match=where) as caught:
        fit_to(model, **{"epochs": 3, "batch_size": 10, "evaluate_on": {"test": TEST}, **options})
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_sentence_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    train(checkpoint=path, epochs=2)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(HqnnError, match="No space left to write"):
            train(checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
    assert path.read_bytes() == before
    with pytest.raises(OSError, match="Not a directory"):  # other errors are not disguised
        write_atomically(path / "below", b"")


def test_tensors_and_metadata_round_trip_to_the_bit(tmp_path: Path) -> None:
    weights = torch.arange(12.0).reshape(3, 4)
    tensors = {"a": weights.T, "b": weights, "scalar": torch.tensor(3, dtype=torch.int64)}  # shared, transposed
    metadata = {"loss": 0.1 + 0.2, "name": "ü"}
    data = pack_tensors(tensors, metadata)
    assert data == pack_tensors(dict(reversed(tensors.items())), metadata)
    path = tmp_path / "t.safetensors"
    write_atomically(path, data)
    read, meta = read_tensors(path)
    assert meta == metadata
    assert {name: tensor.tolist() for name, tensor in read.items()} == {n: t.tolist() for n, t in tensors.items()}


def test_settings_are_restored() -> None:
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    before = torch.random.get_rng_state()
    with deterministic():
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
        torch.rand(5)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (threads, strict)


def test_progress_bar_counts_steps(capsys: pytest.CaptureFixture[str]) -> None:
    fit_to(nn.Linear(5, 2), epochs=2, batch_size=25, progress=True)
    shown = capsys.readouterr()
    assert "/4 " in shown.err
    assert shown.out == ""


# --- options


def test_samples_are_shuffled_anew_in_every_epoch_as_seed_and_epoch_say() -> None:
    seen: list[int] = []
    numbered = Samples(torch.arange(20.0)[:, None].expand(-1, 5), torch.arange(20) % 2)

    def prepare(inputs: Tensor) -> Tensor:
        seen.extend(inputs[:, 0].int().tolist())
        return inputs

    fit_to(build(3), numbered, epochs=3, batch_size=8, seed=3, prepare=prepare)
    for epoch in (1, 2, 3):
        seed_epoch(3, epoch)
        assert seen[20 * (epoch - 1) : 20 * epoch] == torch.randperm(20).tolist()
    assert seen[:20] != seen[20:40]


@pytest.mark.parametrize(
    ("name", "factors"),
    [
        ("one-cycle", {0.0: 0.04, 0.1: 0.52, 0.2: 1.0, 0.4: (1 + math.sqrt(0.5)) / 2, 0.6: 0.5, 1.0: 0.0}),
        ("halvings", {0.0: 1.0, 0.19: 1.0, 0.2: 0.5, 0.4: 0.25, 0.6: 0.125, 0.8: 0.0625, 0.999: 0.0625}),
    ],
)
def test_schedules_rise_and_fall_as_described(name: str, factors: dict[float, float]) -> None:
    schedule = SCHEDULES[name]
    assert schedule is not None
    assert [schedule(done) for done in factors] == pytest.approx(list(factors.values()), abs=1e-12)


def test_the_schedule_sets_the_rate_of_every_step() -> None:
    seen, rates, model = [], [], build(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

    def schedule(done: float) -> float:
        seen.append(done)
        return 1 - done / 2

    def note(_epoch: int, _history: History) -> None:
        rates.append(optimizer.param_groups[0]["lr"])

    fit_to(model, optimizer=optimizer, epochs=EPOCHS, batch_size=10, schedule=schedule, on_epoch=note)
    assert seen == pytest.approx([step / 30 for step in range(30)])
    assert rates == pytest.approx([0.02 * (1 - last / 60) for last in range(4, 30, 5)])


def test_inputs_are_prepared_everywhere_and_augmented_in_training_only() -> None:
    def fitted(samples: Samples, test: Samples, **transforms: Any) -> Fit:
        return fit_to(build(1), samples, epochs=2, evaluate_on={"test": test}, snapshots=(2,), **transforms)

    halves = [Samples(samples.inputs / 2, samples.targets) for samples in (TRAIN, TEST)]
    assert_same(fitted(*halves, prepare=lambda x: 2 * x), fitted(TRAIN, TEST))
    sizes: list[int] = []

    def augment(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return 3 * x

    tripled = fitted(*halves, prepare=lambda x: 2 * x, augment=augment)
    assert sizes == 2 * [16, 16, 16, 2]
    assert_same(tripled, fitted(Samples(3 * TRAIN.inputs, TRAIN.targets), TEST))


def test_watched_gradients_are_mean_norms_over_the_steps() -> None:
    model = nn.Linear(5, 2)
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    watch = {"both": [model.weight, model.bias], "bias": [model.bias]}
    fitted = fit_to(model, lr=0.0, batch_size=len(TRAIN.inputs), watch=watch)
    scores = (TRAIN.inputs @ weight.T + bias).softmax(1) - functional.one_hot(TRAIN.targets, 2)
    of_bias, of_weight = scores.mean(0), scores.T @ TRAIN.inputs / len(TRAIN.inputs)
    assert fitted.history["gradient_bias"] == pytest.approx([float(of_bias.norm())], rel=1e-4)
    both = math.hypot(float(of_bias.norm()), float(of_weight.norm()))
    assert fitted.history["gradient_both"] == pytest.approx([both], rel=1e-4)


def test_a_file_removed_while_it_is_opened_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a checkpoint's folder goes because its run is done; torch raises an error of its own then."""

    def vanish(path: Path, **_: object) -> None:
        path.unlink()
        raise RuntimeError(f"unable to open file <{path}>")

    monkeypatch.setattr(safetensors, "safe_open", vanish)
    path = tmp_path / "model.safetensors"
    path.touch()
    with pytest.raises(FileNotFoundError, match="There is no "):
        read_tensors(path)


@pytest.mark.parametrize(("shown", "per_sample"), [(None, {1}), (6, {1}), (4, {0, 1}), (15, {2, 3}), (18, {3})])
def test_an_epoch_shows_whole_passes_and_a_part_of_one(shown: int | None, per_sample: set[int]) -> None:
    seen: list[Tensor] = []

    def note(batch: Tensor) -> Tensor:
        seen.append(batch)
        return batch

    inputs = torch.arange(6.0)[:, None]
    model = nn.Linear(1, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    samples = Samples(inputs, torch.zeros(6, dtype=torch.int64))
    fitted = fit(
        model, samples, loss=functional.cross_entropy, optimizer=optimizer, epochs=2, batch_size=4, seed=1, shown=shown,
        augment=note,
    )  # fmt: skip
    n = shown or 6
    steps = -(-n // 4)
    assert len(seen) == 2 * steps
    first, second = torch.cat(seen[:steps])[:, 0], torch.cat(seen[steps:])[:, 0]
    for epoch in (first, second):
        counts = torch.bincount(epoch.long(), minlength=6)
        assert set(counts.tolist()) == per_sample
        assert counts.sum() == n
    assert not torch.equal(first, second)
    with torch.no_grad():  # the running mean is over what was shown
        expected = functional.cross_entropy(model(first[:, None]), torch.zeros(n, dtype=torch.int64))
    assert fitted.history["train_loss"][0] == pytest.approx(expected.item(), rel=1e-5)
