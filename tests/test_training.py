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


def train(
    seed: int = 3,
    *,
    epochs: int = EPOCHS,
    checkpoint: Path | None = None,
    key: str = "key",
    on_epoch: Callable[[int, History], None] | None = None,
) -> tuple[Fit, nn.Module]:
    with deterministic():
        model = build(seed)
        fitted = fit(
            model,
            TRAIN,
            loss=functional.cross_entropy,
            optimizer=torch.optim.Adam(model.parameters(), lr=0.02),
            epochs=epochs,
            batch_size=16,
            seed=seed,
            evaluate_on={"test": TEST},
            snapshots=(0, 2, EPOCHS),
            checkpoint=Checkpoint(path=checkpoint, key=key) if checkpoint else None,
            on_epoch=on_epoch,
        )
    return fitted, model


def assert_same(a: Fit, b: Fit) -> None:
    assert a.history == b.history
    assert a.snapshots.keys() == b.snapshots.keys()
    for name in a.snapshots:
        assert torch.equal(a.snapshots[name], b.snapshots[name]), name


def test_a_seed_decides_everything() -> None:
    first, _ = train()
    torch.manual_seed(12345)  # what happened before must not matter
    torch.rand(7)
    second, _ = train()
    other, _ = train(seed=4)
    assert_same(first, second)
    assert first.history != other.history


def test_it_learns_and_history_has_one_value_per_epoch() -> None:
    fitted, _ = train()
    assert set(fitted.history) == {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    assert {len(values) for values in fitted.history.values()} == {EPOCHS}
    assert fitted.history["train_loss"][-1] < 0.8 * fitted.history["train_loss"][0]
    assert fitted.history["test_accuracy"][-1] > 0.75


def test_training_curves_are_means_over_samples_not_over_batches() -> None:
    """With a learning rate of zero and no randomness, the running mean is the mean over the split."""
    model = nn.Linear(5, 2)
    fitted = fit(
        model,
        TRAIN,  # 50 samples in batches of 16: the last has 2
        loss=functional.cross_entropy,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.0),
        epochs=1,
        batch_size=16,
        seed=0,
    )
    expected = evaluate(model, TRAIN, functional.cross_entropy)
    assert fitted.history["train_loss"][0] == pytest.approx(expected["loss"], rel=1e-6)
    assert fitted.history["train_accuracy"][0] == expected["accuracy"]


def test_evaluation_is_in_batches_without_dropout_and_restores_the_mode() -> None:
    _, model = train(epochs=2)
    model.train()
    small = evaluate(model, TEST, functional.cross_entropy, batch_size=7)
    whole = evaluate(model, TEST, functional.cross_entropy, batch_size=1000)
    assert model.training
    model.eval()
    with torch.no_grad():
        outputs = model(TEST.inputs)
    assert small["accuracy"] == whole["accuracy"] == (outputs.argmax(1) == TEST.targets).sum().item() / 30
    assert small["loss"] == pytest.approx(functional.cross_entropy(outputs, TEST.targets).item(), rel=1e-6)
    assert small["loss"] == pytest.approx(whole["loss"], rel=1e-6)


def test_snapshots_are_the_weights_of_their_epochs() -> None:
    fitted, model = train()
    assert {name.partition("/")[0] for name in fitted.snapshots} == {"epoch-0", "epoch-2", f"epoch-{EPOCHS}"}
    with deterministic():
        untrained = build(3)
    for name, tensor in untrained.state_dict().items():
        assert torch.equal(fitted.snapshots[f"epoch-0/{name}"], tensor)
    for name, tensor in model.state_dict().items():
        assert torch.equal(fitted.snapshots[f"epoch-{EPOCHS}/{name}"], tensor)
    _, shorter = train(epochs=2)
    for name, tensor in shorter.state_dict().items():
        assert torch.equal(fitted.snapshots[f"epoch-2/{name}"], tensor)


def test_regression_has_no_accuracy() -> None:
    model = nn.Linear(5, 5)
    fitted = fit(
        model,
        Samples(TRAIN.inputs, TRAIN.inputs),
        loss=functional.mse_loss,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.05),
        epochs=5,
        batch_size=10,
        seed=0,
        evaluate_on={"val": Samples(TEST.inputs, TEST.inputs)},
        accuracy=False,
    )
    assert set(fitted.history) == {"train_loss", "val_loss"}
    assert fitted.history["val_loss"][-1] < fitted.history["val_loss"][0]


# --- resuming


class Killed(Exception):  # noqa: N818 - stands for a signal
    """The process ends here."""


@pytest.mark.parametrize("killed_in", [1, 2, 4, EPOCHS])
def test_resumed_equals_uninterrupted(tmp_path: Path, killed_in: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    whole, _ = train()

    def die(epoch: int, _history: History) -> None:
        if epoch == killed_in:
            raise Killed

    path = tmp_path / "run" / "model.safetensors"
    with pytest.raises(Killed):
        train(checkpoint=path, on_epoch=die)
    epochs: list[int] = []
    resumed, _ = train(checkpoint=path, on_epoch=lambda epoch, _: epochs.append(epoch))
    assert epochs == list(range(killed_in, EPOCHS + 1))  # the epoch that died is repeated, none before it
    assert_same(whole, resumed)


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


def test_learning_rate_changed_by_the_callback_survives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)

    def run(checkpoint: Path | None, die_in: int | None) -> Fit:
        with deterministic():
            model = build(0)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

            def decay(epoch: int, _history: History) -> None:
                if epoch == die_in:
                    raise Killed
                optimizer.param_groups[0]["lr"] *= 0.5

            return fit(
                model,
                TRAIN,
                loss=functional.cross_entropy,
                optimizer=optimizer,
                epochs=5,
                batch_size=16,
                seed=0,
                checkpoint=Checkpoint(path=checkpoint, key="") if checkpoint else None,
                on_epoch=decay,
            )

    path = tmp_path / "c.safetensors"
    with pytest.raises(Killed):
        run(path, 3)
    assert_same(run(None, None), run(path, None))


def test_weights_that_are_not_row_major_resume_exactly(tmp_path: Path) -> None:
    """Fused kernels walk through memory: they mix up a weight and its momenta if these are laid out differently."""
    images = Samples(TRAIN.inputs[:, :4].reshape(50, 1, 2, 2).expand(50, 3, 2, 2), TRAIN.targets)

    def run(epochs: int, checkpoint: Path | None) -> Fit:
        with deterministic():
            seed_epoch(0, 0)
            model = nn.Sequential(nn.Conv2d(3, 6, 2), nn.Flatten(), nn.Linear(6, 2))
            model.to(memory_format=torch.channels_last)
            return fit(
                model,
                images,
                loss=functional.cross_entropy,
                optimizer=torch.optim.Adam(model.parameters(), lr=0.02, fused=True),
                epochs=epochs,
                batch_size=16,
                seed=0,
                snapshots=(4,),
                checkpoint=Checkpoint(path=checkpoint, key="") if checkpoint else None,
            )

    path = tmp_path / "model.safetensors"
    run(2, path)
    assert_same(run(4, path), run(4, None))


def test_a_checkpoint_of_another_key_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    train(checkpoint=path, epochs=3, key="other config")
    fresh, _ = train()
    started: list[int] = []
    got, _ = train(checkpoint=path, on_epoch=lambda epoch, _: started.append(epoch))
    assert started[0] == 1
    assert_same(fresh, got)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_checkpoint_is_done_again(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "model.safetensors"
    train(checkpoint=path, epochs=3)
    content = path.read_bytes()
    path.write_bytes({"truncated": content[:-100], "garbage": b"x" * 300, "empty": b""}[damage])
    fresh, _ = train()
    with caplog.at_level(logging.WARNING):
        got, _ = train(checkpoint=path)
    assert "Starting this run afresh" in caplog.text
    assert_same(fresh, got)


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
            epoch: int = read_tensors(path)[1]["epoch"]
            return epoch
        return 0

    with started("-c", textwrap.dedent(SCRIPT), str(path)) as process:
        wait_for(lambda: reached() >= 3 or process.poll() is not None)
    epoch = reached()
    assert epoch >= 3
    resumed, _ = train(epochs=epoch + 2, checkpoint=path)
    whole, _ = train(epochs=epoch + 2)
    assert_same(whole, resumed)


def test_a_checkpoint_that_goes_while_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when another process has stored the run's record in between."""
    path = tmp_path / "model.safetensors"
    train(checkpoint=path, epochs=3)

    def gone(path: Path) -> NoReturn:
        path.unlink()
        raise FileNotFoundError(path)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "read_tensors", gone)
        got, _ = train(checkpoint=path)
    assert_same(train()[0], got)


# --- what goes wrong


def diverge(loss: training.Loss, inputs: Tensor | None = None, lr: float = 0.01, model: nn.Module | None = None) -> str:
    model = model or build(0)
    with pytest.raises(DivergedError) as caught:
        fit(
            model,
            TRAIN if inputs is None else Samples(inputs, TRAIN.targets),
            loss=loss,
            optimizer=torch.optim.SGD(model.parameters(), lr=lr),
            epochs=3,
            batch_size=10,
            seed=0,
            evaluate_on={"test": TEST},
        )
    return str(caught.value)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_loss_names_epoch_and_step(bad: float) -> None:
    calls = 0

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        nonlocal calls
        calls += torch.is_grad_enabled()
        value = functional.cross_entropy(outputs, targets)
        return value * bad if calls == 8 else value  # the third step of epoch 2, at five steps an epoch

    message = diverge(loss)
    assert "epoch 2, step 3 of 5" in message
    assert "\n" not in message


class Strict(nn.Module):
    """A layer that refuses what is not finite, as the quantum layer does."""

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        if not torch.isfinite(x).all():
            raise NonFiniteError("input is not finite")
        return x


@pytest.mark.parametrize(("batch", "step"), [(10, "step 2 of 5"), (50, "step 1 of 1")])
def test_divergence_is_named_even_if_a_layer_refuses_to_go_on(batch: int, step: str) -> None:
    """In the next step, or in the evaluation after the epoch."""
    model = nn.Sequential(nn.Linear(5, 2), Strict())
    with pytest.raises(DivergedError, match=f"epoch 1, {step}"):
        fit(
            model,
            TRAIN,
            loss=lambda outputs, targets: 1e30 * functional.cross_entropy(outputs, targets),
            optimizer=torch.optim.SGD(model.parameters(), lr=1e30),
            epochs=2,
            batch_size=batch,
            seed=0,
            evaluate_on={"test": TEST},
        )


def test_weights_that_explode_in_the_last_step_are_noticed() -> None:
    """The step's own loss is finite, its gradient is not; the evaluation after the epoch shows it."""
    calls = 0

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        nonlocal calls
        calls += torch.is_grad_enabled()
        value = functional.cross_entropy(outputs, targets)
        return value + 1e38 * (outputs - outputs.detach()).sum() if calls == 5 else value

    assert "epoch 1, step 5 of 5" in diverge(loss, lr=10.0, model=nn.Linear(5, 2))


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
    assert_same(train(checkpoint=path)[0], train()[0])


def test_other_write_errors_are_not_disguised(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write_atomically(tmp_path / "file" / "below", b"")


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
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    with deterministic():
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
        torch.rand(5)
    assert torch.equal(torch.rand(1), expected)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == (threads, strict)


def test_progress_bar_counts_steps(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Linear(5, 2)
    fit(
        model,
        TRAIN,
        loss=functional.cross_entropy,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        epochs=2,
        batch_size=25,
        seed=0,
        progress=True,
    )
    shown = capsys.readouterr()
    assert "/4 " in shown.err
    assert shown.out == ""


def test_samples_are_shuffled_anew_in_every_epoch_as_seed_and_epoch_say() -> None:
    seen: list[int] = []
    numbered = Samples(torch.arange(20.0)[:, None].expand(-1, 5), torch.arange(20) % 2)

    def prepare(inputs: Tensor) -> Tensor:
        seen.extend(inputs[:, 0].int().tolist())
        return inputs

    model = build(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    fit(
        model,
        numbered,
        loss=functional.cross_entropy,
        optimizer=optimizer,
        epochs=3,
        batch_size=8,
        seed=3,
        prepare=prepare,
    )
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


def test_the_schedule_sets_the_rate_of_every_step_and_survives_a_resume(tmp_path: Path) -> None:
    def run(checkpoint: Path | None, stop: int | None) -> tuple[list[float], list[float], Fit | None]:
        seen: list[float] = []
        rates: list[float] = []

        def schedule(done: float) -> float:
            seen.append(done)
            return 1 - done / 2

        model = build(3)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

        def on_epoch(epoch: int, _history: History) -> None:
            rates.append(optimizer.param_groups[0]["lr"])
            if epoch == stop:
                raise Killed

        try:
            fitted = fit(
                model,
                TRAIN,
                loss=functional.cross_entropy,
                optimizer=optimizer,
                epochs=EPOCHS,
                batch_size=10,
                seed=3,
                schedule=schedule,
                checkpoint=Checkpoint(path=checkpoint, key="key") if checkpoint else None,
                on_epoch=on_epoch,
            )
        except Killed:
            return seen, rates, None
        return seen, rates, fitted

    seen, rates, whole = run(None, None)
    assert seen == pytest.approx([step / 30 for step in range(30)])
    assert rates == pytest.approx([0.02 * (1 - last / 60) for last in range(4, 30, 5)])
    run(tmp_path / "c", 3)
    again, _, resumed = run(tmp_path / "c", None)
    assert again[0] in (seen[5], seen[10], seen[15])
    assert whole is not None and resumed is not None
    assert_same(whole, resumed)


def test_inputs_are_prepared_everywhere_and_augmented_in_training_only() -> None:
    def fitted(train: Samples, test: Samples, **transforms: Any) -> Fit:
        model = build(1)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        return fit(
            model,
            train,
            loss=functional.cross_entropy,
            optimizer=optimizer,
            epochs=2,
            batch_size=16,
            seed=1,
            evaluate_on={"test": test},
            snapshots=(2,),
            **transforms,
        )

    halves = [Samples(samples.inputs / 2, samples.targets) for samples in (TRAIN, TEST)]
    assert_same(fitted(*halves, prepare=lambda x: 2 * x), fitted(TRAIN, TEST))
    sizes: list[int] = []

    def augment(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return 3 * x

    tripled = fitted(*halves, prepare=lambda x: 2 * x, augment=augment)
    assert sizes == 2 * [16, 16, 16, 2]
    other = fitted(Samples(3 * TRAIN.inputs, TRAIN.targets), TEST)
    assert_same(tripled, other)


def test_watched_gradients_are_mean_norms_over_the_steps() -> None:
    model = nn.Linear(5, 2)
    weight, bias = model.weight.detach().clone(), model.bias.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watch: dict[str, list[Tensor]] = {"both": [model.weight, model.bias], "bias": [model.bias]}
    fitted = fit(
        model,
        TRAIN,
        loss=functional.cross_entropy,
        optimizer=optimizer,
        epochs=1,
        batch_size=len(TRAIN.inputs),
        seed=0,
        watch=watch,
    )
    scores = (TRAIN.inputs @ weight.T + bias).softmax(1) - functional.one_hot(TRAIN.targets, 2)
    of_bias = scores.mean(0)
    of_weight = scores.T @ TRAIN.inputs / len(TRAIN.inputs)
    assert fitted.history["gradient_bias"] == pytest.approx([float(of_bias.norm())], rel=1e-4)
    both = math.hypot(float(of_bias.norm()), float(of_weight.norm()))
    assert fitted.history["gradient_both"] == pytest.approx([both], rel=1e-4)
