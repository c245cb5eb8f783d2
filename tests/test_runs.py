"""Runs and records: the same result however a run is made, and nothing altered passes verification."""

import errno
import json
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
import torch
from distributed import Client, LocalCluster

from hqnn import (
    datasets,
    digests,
    experiments,
    measurements,
    progress,
    provenance,
    records,
    runs,
    storage,
    tasks,
    training,
    verification,
)
from hqnn.errors import HqnnError
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig
from hqnn.provenance import code_digest
from hqnn.runs import Run
from hqnn.training import DivergedError
from tests.toy import (
    BASE,
    PATIENCE,
    ROOT,
    VARIANTS,
    experiment,
    holding,
    labels,
    reached,
    request,
    started,
    stored_runs,
    wait_for,
)


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


def register(
    monkeypatch: pytest.MonkeyPatch, variants: dict[str, LcqhnnConfig] | None = None, seeds: range = range(2)
) -> None:
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"toy": experiment(variants or VARIANTS, seeds)})
    monkeypatch.setattr(measurements, "everything", dict)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy's four records, made once in this process."""
    root = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        register(patch)
        assert runs.run("toy", root=root, progress=False) == runs.Summary(done=4, skipped=0)
    return root


@pytest.fixture
def root(stored: Path, tmp_path: Path) -> Path:
    """A copy of the toy's records to play with."""
    shutil.copytree(stored, tmp_path / "data")
    return tmp_path / "data"


def record_path(root: Path, variant: str = "hybrid", seed: int = 0) -> Path:
    return root / "runs" / "toy" / variant / f"seed-{seed}.json"


def results(root: Path) -> dict[str, Any]:
    """Everything a record says that must not depend on how it was made."""
    records = runs.load("toy", root=root)
    return {f"{r.variant}/{r.seed}": (r.config_hash, r.result, r.weights) for r in records}


def edit(path: Path, change: Callable[[dict[str, Any]], None], *, honest_checksum: bool = True) -> None:
    """Change a record; with a matching checksum, as a program would that writes wrong records."""
    record = json.loads(path.read_text())
    checksum = record.pop("checksum")
    change(record)
    path.write_text(json.dumps({**record, "checksum": storage.digest(record) if honest_checksum else checksum}))


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a model was trained")

    monkeypatch.setattr(runs, "execute", refuse)


# --- one run


def test_execute_is_a_function_of_config_and_seed() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = runs.execute(BASE, 5)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    second = runs.execute(BASE, 5)
    assert first.result == second.result
    assert all(torch.equal(first.snapshots[name], second.snapshots[name]) for name in first.snapshots)
    assert runs.execute(BASE, 6).result != first.result


def test_runs_in_one_process_do_not_disturb_each_other() -> None:
    """A Dask worker with two threads shares torch's generator between them."""
    alone = [runs.execute(BASE, seed).result for seed in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        together = [outcome.result for outcome in pool.map(lambda seed: runs.execute(BASE, seed), (0, 1))]
    assert together == alone


def test_an_outcome_holds_what_figures_need() -> None:
    config = VARIANTS["hybrid"]
    outcome = runs.execute(config, 0)
    assert set(outcome.history) == set(config.curves)
    floats = [value for values in outcome.history.values() for value in values]
    assert floats == [float(f"{value:.6g}") for value in floats]
    assert outcome.result["n_parameters"]["quantum"] == 4
    model = lcqhnn.build(config)
    assert outcome.result["n_parameters"]["total"] == sum(p.numel() for p in model.parameters())
    model.load_state_dict(outcome.weights(4))
    assert outcome.dataset["name"] == "digits"
    assert outcome.dataset["fingerprint"] == datasets.load("digits").fingerprint
    with pytest.raises(KeyError, match=r"no weights of epoch 3; kept are those of \[0, 4\]"):
        outcome.weights(3)


def test_a_frozen_circuit_has_no_quantum_parameters_to_train() -> None:
    config = replace(VARIANTS["hybrid"], quantum="frozen", epochs=2, snapshots=(0, 2))
    outcome = runs.execute(config, 0)
    assert outcome.result["n_parameters"]["quantum"] == 0
    assert torch.equal(outcome.weights(0)["quantum.weights"], outcome.weights(2)["quantum.weights"])
    assert not torch.equal(outcome.weights(0)["reduce.weight"], outcome.weights(2)["reduce.weight"])


def test_a_checkpoint_is_taken_up_by_the_same_run_of_the_same_model_only(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    def run(_task: object, _config: LcqhnnConfig, session: tasks.Session) -> tasks.Outcome:
        keys.append(session.key)
        return tasks.Outcome(result={}, snapshots={}, dataset={}, seconds=0.0)

    monkeypatch.setattr(tasks.Task, "run", run)
    monkeypatch.setattr(runs, "check_device", lambda _device: None)
    other_config = replace(BASE, epochs=5)
    for config, seed, device in ((BASE, 0, "cpu"), (BASE, 1, "cpu"), (other_config, 0, "cpu"), (BASE, 0, "meta")):
        runs.execute(config, seed, device=device)
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "code_digest", lambda: "edited, but it builds the same")
        runs.execute(BASE, 0)
    assert keys[0] == keys.pop()
    for owner, name, other in ((digests, "model", lambda _config: "changed"), (torch, "__version__", "0.1")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, other)
            runs.execute(BASE, 0)
    assert len(set(keys)) == len(keys) == 6


@pytest.mark.parametrize(
    ("device", "n_gpus"),
    [("foo", 0), ("", 0), ("meta", 0), ("mps", 0), ("cpu:3", 0), ("cuda", 0), ("cuda:7", 1), ("cuda:-1", 1)],
)
def test_a_device_that_is_not_there_is_found_before_anything_runs(
    device: str, n_gpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)
    devices = "cpu, cuda, cuda:0" if n_gpus else "cpu"
    complaint = rf"^There is no device '{device}' on .*: choose from {devices}\.$"
    with pytest.raises(HqnnError, match=complaint):
        runs.execute(BASE, 0, device=device)
    with pytest.raises(HqnnError, match=complaint):
        runs.run("toy", device=device, root=tmp_path)
    assert capsys.readouterr().err == ""
    assert not list(tmp_path.iterdir())


def test_a_config_without_a_task() -> None:
    with pytest.raises(TypeError, match="No task is registered for int"):
        tasks.of(3)


# --- records


def test_the_record_says_everything(stored: Path) -> None:
    record = records.read_record(record_path(stored))
    assert (record.experiment, record.variant, record.scale, record.seed) == ("toy", "hybrid", "paper", 0)
    assert record.config == experiments.as_json(VARIANTS["hybrid"])
    origin = record.provenance
    assert origin["processor"]
    assert origin["versions"]["torch"] in torch.__version__
    assert origin["device"] == "cpu"
    assert origin["seconds"] > 0
    assert origin["dataset"].keys() == {"name", "fingerprint", "subset"}
    assert origin["code"] == code_digest()
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if head.returncode == 0:
        assert len(origin["git_commit"]) == 40
        assert isinstance(origin["git_dirty"], bool)
    model = lcqhnn.build(VARIANTS["hybrid"])
    model.load_state_dict(record.snapshot(4))
    assert records.read_record(record_path(stored, "plain")).weights is None


def test_a_run_builds_on_the_last_weights_that_a_record_keeps(stored: Path) -> None:
    for seed in (0, 1):
        kept = runs.kept_weights("toy/hybrid", seed, root=stored)
        last = records.read_record(record_path(stored, seed=seed)).snapshot(4)
        assert kept.keys() == last.keys()
        assert all(torch.equal(kept[name], last[name]) for name in last)


def test_whether_the_code_was_changed_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when git takes too long to tell."""
    monkeypatch.setattr(provenance, "_git", lambda command, *_: "0" * 40 if command == "rev-parse" else None)
    assert provenance.environment.__wrapped__()["git_dirty"] is None


def test_the_record_is_readable(stored: Path) -> None:
    lines = record_path(stored).read_text().splitlines()
    assert sum('"test_accuracy": [' in line and line.rstrip(",").endswith("]") for line in lines) == 1
    assert len(lines) < 80


def test_nothing_else_is_left_behind(stored: Path) -> None:
    names = sorted(str(path.relative_to(stored)) for path in stored.rglob("*") if path.is_file())
    assert names == [
        "runs/toy/hybrid/seed-0.json",
        "runs/toy/hybrid/seed-0.safetensors",
        "runs/toy/hybrid/seed-1.json",
        "runs/toy/hybrid/seed-1.safetensors",
        "runs/toy/plain/seed-0.json",
        "runs/toy/plain/seed-1.json",
    ]


def test_load_and_history_order_by_variant_and_seed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, seeds=range(12))
    for seed in (10, 2):
        copy = record_path(root, seed=seed)
        shutil.copy(record_path(root), copy)
        edit(copy, lambda record, seed=seed: record.update(seed=seed))  # type: ignore[misc]
        shutil.copy(record_path(root).with_suffix(".safetensors"), copy.with_suffix(".safetensors"))
    assert [(r.variant, r.seed) for r in runs.load("toy", root=root)] == [
        ("hybrid", 0),
        ("hybrid", 1),
        ("hybrid", 2),
        ("hybrid", 10),
        ("plain", 0),
        ("plain", 1),
    ]
    curves = runs.history("toy", "hybrid", "test_loss", root=root)
    assert curves.shape == (4, 4)
    assert np.array_equal(curves[0], curves[2])
    assert curves[1].tolist() == runs.load("toy", "hybrid", root=root)[1].history["test_loss"]
    hybrid, plain = runs.paired("test_loss", "toy/hybrid", "toy/plain", root=root)
    assert np.array_equal(hybrid, curves[:2])
    assert np.array_equal(plain, runs.history("toy", "plain", "test_loss", root=root))
    record_path(root, seed=0).unlink()
    hybrid, plain = runs.paired("test_loss", "toy/hybrid", "toy/plain", root=root)
    assert np.array_equal(hybrid, curves[1:2])
    assert plain[0].tolist() == runs.load("toy", "plain", root=root)[1].history["test_loss"]
    record_path(root, seed=1).unlink()
    with pytest.raises(HqnnError, match="toy/hybrid, toy/plain share no seed"):
        runs.paired("test_loss", "toy/hybrid", "toy/plain", root=root)


def test_asking_for_records_that_are_not_there(root: Path, tmp_path: Path) -> None:
    assert runs.load("toy", root=tmp_path / "nowhere") == []
    with pytest.raises(HqnnError, match="no records of toy/plain: run `python -m hqnn run toy`"):
        runs.history("toy", "plain", "test_loss", root=tmp_path / "nowhere")
    with pytest.raises(HqnnError, match="no curve 'loss' in toy: choose from train_loss"):
        runs.history("toy", "plain", "loss", root=root)
    with pytest.raises(HqnnError, match="There is no record"):
        records.read_record(record_path(root, seed=7))


@pytest.mark.usefixtures("no_training")
def test_what_is_done_is_skipped(root: Path) -> None:
    assert runs.run("toy", root=root, progress=False) == runs.Summary(done=0, skipped=4)
    assert records.count(experiments.get("toy"), root=root) == {"hybrid": (2, 0), "plain": (2, 0)}


def test_only_what_is_missing_is_run(root: Path) -> None:
    untouched = record_path(root, seed=0).read_bytes()
    before = results(root)
    record_path(root, seed=1).unlink()
    assert records.count(experiments.get("toy"), root=root) == {"hybrid": (1, 0), "plain": (2, 0)}
    assert runs.run("toy", root=root, progress=False) == runs.Summary(done=1, skipped=3)
    assert record_path(root, seed=0).read_bytes() == untouched
    assert results(root) == before


def test_seeds_and_variants_can_be_chosen(tmp_path: Path) -> None:
    assert runs.run(["toy", "toy"], (7, 7), variants=["plain"], root=tmp_path, progress=False).done == 1
    assert [path.name for path in tmp_path.rglob("*.json")] == ["seed-7.json"]


def test_quick_runs_are_kept_apart(tmp_path: Path) -> None:
    runs.run("toy", (0,), variants=["plain"], scale="quick", root=tmp_path, progress=False)
    (record,) = runs.load("toy", scale="quick", root=tmp_path)
    assert record.path == tmp_path / "quick" / "toy" / "plain" / "seed-0.json"
    assert runs.load("toy", root=tmp_path) == []


@pytest.mark.parametrize("damage", ["json", "truncated", "weights", "no weights", "stale", "altered"])
def test_a_damaged_or_stale_record_is_run_again(root: Path, damage: str) -> None:
    before = results(root)
    path = record_path(root)
    weights = path.with_suffix(".safetensors")
    if damage == "json":
        path.write_text("{")
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == "weights":
        weights.write_bytes(weights.read_bytes()[:-8])
    elif damage == "no weights":
        weights.unlink()
    elif damage == "stale":
        edit(path, lambda record: record.update(config_hash="0" * 64))
    else:
        edit(path, lambda record: record["result"]["history"]["test_loss"].reverse(), honest_checksum=False)
    assert runs.run("toy", root=root, progress=False) == runs.Summary(done=1, skipped=3)
    assert results(root) == before


def test_unknown_names_are_found_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(HqnnError, match="no experiment 'toi': did you mean toy"):
        runs.run(["toy", "toi"], root=tmp_path, progress=False)
    with pytest.raises(HqnnError, match="toy has no variant 'plan': did you mean plain"):
        runs.run("toy", variants=["plan"], root=tmp_path, progress=False)
    with pytest.raises(ValueError, match="jobs must be at least 1, not 0"):
        runs.run("toy", jobs=0, root=tmp_path, progress=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seeds", [(-1,), (True,), (2**63,), (0.5,), "0"])
def test_seeds_that_are_none(seeds: Any, tmp_path: Path) -> None:
    with pytest.raises(HqnnError, match=rf"^{seeds[0]!r} is no seed: choose whole numbers from 0 to 9223372036854775"):
        runs.run("toy", seeds, root=tmp_path, progress=False)
    assert not list(tmp_path.iterdir())


def test_more_seeds_than_anybody_needs(tmp_path: Path) -> None:
    with pytest.raises(HqnnError, match="More than 10,000 seeds are too many for one call"):
        runs.run("toy", count(), root=tmp_path, progress=False)


@pytest.mark.parametrize("seeds", [np.array([2**63 - 1]), iter([2**63 - 1])])
def test_a_large_seed_of_any_kind(seeds: Any, tmp_path: Path) -> None:
    runs.run("toy", seeds, variants=["plain"], root=tmp_path, progress=False)
    (record,) = runs.load("toy", root=tmp_path)
    assert record.seed == 2**63 - 1


@pytest.mark.parametrize("file", [".", "runs", "runs/toy/plain", "checkpoints"])
@pytest.mark.usefixtures("no_training")
def test_a_folder_that_takes_no_records_is_found_before_anything_runs(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with pytest.raises(HqnnError, match=rf"{tmp_path}/data.* \((Not a directory|File exists)\): .*another folder"):
        runs.run("toy", root=tmp_path / "data")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("no_training")
def test_a_folder_without_permission_is_found_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(storage, "TemporaryFile", refuse)  # chmod would not stop root
    with pytest.raises(HqnnError, match=r"^Nothing can be written to .*runs/toy.* \(Read-only file system\)"):
        runs.run("toy", root=tmp_path, progress=False)


def test_a_missing_dataset_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise datasets.MissingDatasetError(f"{name} is not here")

    tasks.drawn.cache_clear()
    monkeypatch.setattr(datasets, "load", absent)
    with pytest.raises(datasets.MissingDatasetError, match="digits is not here"):
        runs.run("toy", root=tmp_path, progress=False)


# --- interruptions


def test_interrupted_and_continued_equals_uninterrupted(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    reached: list[tuple[str, int]] = []

    def interrupt(_bar: object, label: str, epoch: int) -> None:
        reached.append((label, epoch))
        if (label, epoch) == ("toy/hybrid/seed-1", 3):
            raise KeyboardInterrupt

    again = tmp_path / "again"
    with monkeypatch.context() as patched:
        patched.setattr(progress.Bar, "reach", interrupt)
        with pytest.raises(KeyboardInterrupt, match="1 of 4 runs are stored; repeat the command to continue"):
            runs.run("toy", root=again, progress=False)
        reached.clear()
        patched.setattr(progress.Bar, "reach", lambda _bar, label, epoch: reached.append((label, epoch)))
        assert runs.run("toy", root=again, progress=False) == runs.Summary(done=3, skipped=1)
    assert reached[0] == ("toy/hybrid/seed-1", 3)  # epochs 1 and 2 are not repeated
    assert results(again) == results(root)
    assert not list((again / "checkpoints").rglob("*.safetensors"))


def command(root: Path, *options: str) -> list[str]:
    """`hqnn run toy`, in a process of its own."""
    return ["-m", "tests.toy", "run", "toy", "--root", str(root), "--quiet", *options]


ONE = ("--variants", "hybrid", "--seeds", "0")
"""Of one run; with `--jobs 2` one worker process is started for it."""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_and_continued_equals_uninterrupted(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    """And no worker process outlives a command that is killed."""
    again = tmp_path / "again"
    held = {"toy/hybrid/seed-0": 2}
    request(tmp_path, "hold-0")
    with started(*command(again, *ONE, "--jobs", jobs), events=tmp_path) as process:
        wait_for(lambda: reached(again) == held or process.poll() is not None)
        process.kill()
        process.communicate(timeout=PATIENCE)  # until every process that can write there is gone
    assert stored_runs(again) == []
    assert reached(again) == held

    first: dict[str, int] = {}
    with monkeypatch.context() as patched:
        patched.setattr(progress.Bar, "reach", lambda _bar, label, epoch: first.setdefault(label, epoch))
        runs.run("toy", root=again, progress=False)
    assert first == {label: held.get(label, 0) + 1 for label in labels()}
    assert results(again) == results(root)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt_from_the_keyboard(root: Path, tmp_path: Path, jobs: str) -> None:
    again = tmp_path / "again"
    done, held = ["toy/hybrid/seed-0"], {"toy/hybrid/seed-1": 2}
    request(tmp_path, "hold-1")
    with started(*command(again, "--variants", "hybrid", "--jobs", jobs), events=tmp_path) as process:
        wait_for(lambda: (stored_runs(again) == done and reached(again) == held) or process.poll() is not None)
        os.killpg(process.pid, signal.SIGINT)  # the terminal tells the workers, too
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", interrupted(1, 2))
    assert reached(again) == held
    assert runs.run("toy", root=again, progress=False).skipped == 1
    assert results(again) == results(root)


def interrupted(n_done: int, n_runs: int) -> str:
    return (
        f"Interrupted: {n_done} of {n_runs} runs are stored; repeat the command to continue the others from where "
        "they were.\n"
    )


@pytest.mark.parametrize(
    ("request_to_stop", "again"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True)]
)
def test_an_interrupt_while_a_worker_starts(tmp_path: Path, request_to_stop: signal.Signals, again: bool) -> None:
    """For the first time, or again because it was killed."""
    request(tmp_path, "hold-0", *([] if again else ["hold-start"]))
    with started(*command(tmp_path, *ONE, "--jobs", "2"), events=tmp_path) as process:
        if again:
            wait_for(lambda: reached(tmp_path) or process.poll() is not None)
            request(tmp_path, "hold-start", "kill-0")
        wait_for(lambda: (tmp_path / "starting").exists() or process.poll() is not None)
        os.killpg(process.pid, request_to_stop)
        (tmp_path / "hold-start").unlink()
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", interrupted(0, 1))


# --- Dask


def test_records_made_by_worker_processes_are_the_same(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a run that diverges on a worker is named here, while the others go on."""
    again = tmp_path / "again"
    register(monkeypatch, {"wild": replace(BASE, learning_rate=1e30), **VARIANTS})
    with pytest.raises(HqnnError, match=r"2 of 6 runs diverged, .* toy/wild/seed-\d: The loss is no longer a finite"):
        runs.run("toy", root=again, jobs=2, progress=False)
    assert results(again) == results(root)
    assert not list((again / "checkpoints").rglob("*.safetensors"))


@pytest.mark.parametrize("event", ["kill-start", "kill-0"])
def test_a_worker_process_that_is_killed_is_replaced(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """While it starts or in the middle, and however long it takes until it is back."""
    again = tmp_path / "again"
    request(tmp_path, event, "remind")
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "0.1s")
    with started(*command(again, *ONE, "--jobs", "2"), events=tmp_path) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "1 runs done, 0 were there already.\n")
    assert not (tmp_path / event).exists()
    assert results(again) == {"hybrid/0": results(root)["hybrid/0"]}
    said = {re.sub(r"tcp://[\d.:]+\d", "ADDRESS", line) for line in err.splitlines()}
    word = "No worker is connected to the Dask scheduler at ADDRESS: a new one is starting; Ctrl-C stops waiting."
    assert said <= {word}
    assert said or event != "kill-0"  # while it starts, the cluster usually waits for it and says nothing


def test_a_run_of_which_workers_die_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request(tmp_path, "kill-0")
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    with started(*command(tmp_path, *ONE, "--jobs", "2"), events=tmp_path) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert err == (
        "error: Several workers died while they ran toy/hybrid/seed-0: see their logs, then repeat the command.\n"
    )


@dataclass
class Cluster:
    """A real scheduler and two real workers on loopback."""

    address: str
    workers: list["subprocess.Popen[str]"]
    events: Path


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    common = ("--scheduler-file", str(file), "--no-dashboard")
    scheduler = ("-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", *common)
    worker = ("-m", "dask", "worker", "--nthreads", "1", "--no-nanny", "--preload", "tests.toy", *common)
    with (folder / "log").open("a") as log, ExitStack() as stack:
        stack.enter_context(started(*scheduler, output=log))
        wait_for(lambda: file.exists() and file.read_text())
        address = json.loads(file.read_text())["address"]
        workers = [stack.enter_context(started(*worker, events=folder, output=log)) for _ in range(2)]
        with Client(address) as client:
            client.wait_for_workers(2)
        yield Cluster(address, workers, folder)


def test_an_interrupt_reaches_the_workers_of_a_scheduler(tmp_path: Path, cluster: Cluster) -> None:
    """They are free again although their runs would never have ended, and keep the checkpoints."""
    with holding(cluster.events):
        with started(*command(tmp_path, "--scheduler", cluster.address)) as process:
            wait_for(lambda: list(reached(tmp_path).values()) == [2, 2] or process.poll() is not None)
            held = reached(tmp_path)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (130, interrupted(0, 4))
        with Client(cluster.address) as client:
            wait_for(lambda: not any(client.run(lambda dask_worker: len(dask_worker.active_threads)).values()))
    assert reached(tmp_path) == held
    assert [worker.poll() for worker in cluster.workers] == [None, None]


def test_a_lost_workers_seeds_run_again_elsewhere(root: Path, tmp_path: Path, cluster: Cluster) -> None:
    again = tmp_path / "again"

    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        held.enter_context(holding(cluster.events))

        def kill_one_when_both_are_busy() -> None:
            with held:
                wait_for(lambda: len(reached(again)) == 2)
                cluster.workers[0].kill()

        killed = pool.submit(kill_one_when_both_are_busy)
        summary = runs.run("toy", root=again, scheduler=cluster.address, progress=False)
        killed.result()
    assert summary == runs.Summary(done=4, skipped=0)
    assert [worker.poll() is None for worker in cluster.workers] == [False, True]
    assert results(again) == results(root)
    assert not list((again / "checkpoints").rglob("*.safetensors"))


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The addresses of some who are no schedulers."""

    class Website(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(b"HTTP/1.0 400 What?\r\n\r\n")

    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        website = stack.enter_context(socketserver.TCPServer(("127.0.0.1", 0), Website))
        thread = threading.Thread(target=website.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        stack.callback(thread.join)
        stack.callback(website.shutdown)
        local = stack.enter_context(LocalCluster(1, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"))
        yield {
            "silent": f"tcp://127.0.0.1:{silent.getsockname()[1]}",
            "website": f"tcp://127.0.0.1:{website.server_address[1]}",
            "worker": local.workers[0].address,
        }


@pytest.mark.parametrize(
    "address",
    [
        "",
        "foo",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:9",
        "tcp://127.0.0.1:x",
        "tcp://127.0.0.1:99999",
        "http://127.0.0.1:9",
        "inproc://127.0.0.1:9",
        "tls://127.0.0.1:9",
        "ucx://127.0.0.1:9",
        "silent",
        "website",
        "worker",
    ],
)
def test_no_scheduler_at_that_address(
    address: str, others: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hqnn import cluster

    def loops() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "IO loop"}

    address = others.get(address, address)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    before = loops()
    with pytest.raises(HqnnError, match=rf"^No Dask scheduler answers at '{re.escape(address)}': start one with"):
        runs.run("toy", root=tmp_path, scheduler=address, progress=False)
    assert loops() == before  # what is left could hang when it is collected


def test_a_scheduler_without_workers_is_said_again_and_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And as soon as a worker comes, it is given work."""
    from hqnn import cluster

    monkeypatch.setattr(cluster, "REMIND_SECONDS", 0.1)
    said: list[str] = []

    def said_twice() -> bool:
        said.append(capsys.readouterr().err)
        return "".join(said).count("No worker is connected") > 1

    def send_a_worker() -> None:
        wait_for(said_twice)
        dask_cluster.scale(1)

    local = LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=None)
    with local as dask_cluster, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send_a_worker)
        summary = runs.run("toy", root=tmp_path / "again", scheduler=dask_cluster.scheduler_address)
        sent.result()
        address = dask_cluster.scheduler_address
    sentence = (
        f"No worker is connected to the Dask scheduler at {address}: start one with `dask worker {address}`; "
        "Ctrl-C stops waiting."
    )
    assert summary == runs.Summary(done=4, skipped=0)
    assert "".join(said).replace("\r", "\n").splitlines().count(sentence) > 1  # on lines of their own
    assert results(tmp_path / "again") == results(root)


def test_worker_processes_that_never_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hqnn import cluster

    request(tmp_path, "kill-start")
    monkeypatch.setenv("TOY_EVENTS", str(tmp_path))
    monkeypatch.setattr(cluster, "START_ATTEMPTS", 1)
    with (
        dask.config.set({"distributed.worker.preload": ["tests.toy"]}),
        pytest.raises(HqnnError, match=r"^A worker process does not start: use fewer"),
        cluster.connect(1),
    ):
        pass


# --- what goes wrong


def test_a_diverging_run_is_named_and_the_others_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wild = replace(BASE, learning_rate=1e30, snapshots=())
    register(monkeypatch, {"wild": wild, "plain": VARIANTS["plain"]}, range(1))
    with pytest.raises(HqnnError, match="1 of 2 runs diverged, the others are stored") as caught:
        runs.run("toy", root=tmp_path, progress=False)
    assert "toy/wild/seed-0: The loss is no longer a finite number at epoch 1, step 2 of 4" in str(caught.value)
    assert [r.variant for r in runs.load("toy", root=tmp_path)] == ["plain"]
    assert not list(tmp_path.rglob("model.safetensors"))


def test_divergence_reaches_the_caller_of_execute() -> None:
    with pytest.raises(DivergedError, match="epoch 1, step 2 of 4"):
        runs.execute(replace(VARIANTS["hybrid"], learning_rate=1e30), 0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_loses_nothing_computed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    again = tmp_path / "again"
    real = os.fsync
    full = False

    def fsync(descriptor: int) -> None:
        nonlocal full
        full = full or Path(f"/proc/self/fd/{descriptor}").readlink().name.startswith(".seed-1.json")
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        with pytest.raises(HqnnError, match=r"No space left to write .*seed-1\.json") as caught:
            runs.run("toy", jobs=jobs, root=again, progress=False)
    (lost,) = (label for label in labels() if f"/{label}.json" in str(caught.value))
    before = stored_runs(again)
    assert lost not in before
    assert reached(again)[lost] == BASE.epochs

    first: dict[str, int] = {}
    with monkeypatch.context() as patched:
        patched.setattr(progress.Bar, "reach", lambda _bar, label, epoch: first.setdefault(label, epoch))
        assert runs.run("toy", root=again, progress=False).skipped == len(before)
    assert first[lost] == BASE.epochs  # only the bar's last step: the finished run was stored, not repeated
    assert results(again) == results(root)


# --- verification


def problems(root: Path) -> list[str]:
    return verification.verify(root).problems


def test_good_records_pass_and_their_weights_are_measured(root: Path) -> None:
    assert verification.verify(root) == verification.Verification([], n_records=4, n_measured=2)
    assert verification.verify(root, measure=False).n_measured == 0


def test_a_changed_config_makes_records_stale(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, {**VARIANTS, "plain": replace(VARIANTS["plain"], dropout=0.25, hidden=2)})
    found = problems(root)
    assert len(found) == 2
    assert all("plain/seed-" in problem and "stale" in problem and "dropout, hidden" in problem for problem in found)


def test_missing_seeds_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, seeds=range(1, 5))
    assert problems(root) == [
        f"{record_path(root, 'hybrid', 0)}: seed 0 is not one of the experiment's.",
        f"{record_path(root, 'plain', 0)}: seed 0 is not one of the experiment's.",
        "toy/hybrid lacks the seeds 2, 3, 4.",
        "toy/plain lacks the seeds 2, 3, 4.",
    ]


def test_records_of_nothing_registered(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, {"plain": VARIANTS["plain"]})
    assert [problem for problem in problems(root) if "no such experiment or variant" in problem]


def test_an_alteration_by_hand_is_noticed(root: Path) -> None:
    def better(record: dict[str, Any]) -> None:
        record["result"]["history"]["test_accuracy"][-1] += 0.0625

    path = record_path(root, "plain")
    edit(path, better, honest_checksum=False)
    (found, missing) = problems(root)
    assert found.startswith(f"{path} is not as it was written, its checksum differs")
    assert missing == "toy/plain lacks the seeds 0."
    with pytest.raises(HqnnError, match="checksum differs"):
        runs.load("toy", root=root)


def test_an_alteration_with_a_matching_checksum_is_noticed_by_measuring(root: Path) -> None:
    def better(record: dict[str, Any]) -> None:
        record["result"]["history"]["test_accuracy"][-1] -= 0.0625

    edit(record_path(root), better)
    (found,) = problems(root)
    assert "its weights of epoch 4 give a test_accuracy of" in found


def test_other_weights_are_noticed(root: Path) -> None:
    first, second = (record_path(root, seed=seed).with_suffix(".safetensors") for seed in (0, 1))
    shutil.copy(second, first)
    (found,) = problems(root)
    assert found == (
        f"{record_path(root)}: {first} is not as it was written: restore it from the repository or run that seed again."
    )


def _drop_curve(record: dict[str, Any]) -> None:
    del record["result"]["history"]["val_loss"]


def _shorten(record: dict[str, Any]) -> None:
    record["result"]["history"]["val_loss"].pop()


def _impossible(record: dict[str, Any]) -> None:
    record["result"]["history"]["val_accuracy"][0] = 1.5


def _no_counts(record: dict[str, Any]) -> None:
    record["result"]["n_parameters"] = {"total": 3, "quantum": 4}


def _other_images(record: dict[str, Any]) -> None:
    record["provenance"]["dataset"]["subset"] = "0" * 64


def _moved(record: dict[str, Any]) -> None:
    record["seed"] = 1


def _quick(record: dict[str, Any]) -> None:
    record["scale"] = "quick"


def _other_config(record: dict[str, Any]) -> None:
    record["config_hash"] = "0" * 64


def _no_weights(record: dict[str, Any]) -> None:
    record["weights"] = None


def _other_schema(record: dict[str, Any]) -> None:
    record["schema"] = 0


def _extra_field(record: dict[str, Any]) -> None:
    record["comment"] = "very good"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_drop_curve, "its curves are"),
        (_shorten, "val_loss has 3 values for 4 epochs"),
        (_impossible, "val_accuracy leaves the range from 0 to 1"),
        (_no_counts, "parameter counts"),
        (_other_images, "not trained on the same images"),
        (_moved, "holds the paper-scale run toy/hybrid/seed-1, which belongs elsewhere"),
        (_quick, "holds the quick-scale run toy/hybrid/seed-0, which belongs elsewhere"),
        (_other_config, "stale, the registry now differs in the type of config"),
        (_no_weights, "belongs to no record"),
        (_no_weights, "keeps the weights of epochs [], not [0, 4]"),
        (_other_schema, "is not a record of format 2"),
        (_extra_field, "lacks a field of a record or has one too many"),
    ],
)
def test_every_inconsistency_is_noticed(root: Path, change: Callable[[dict[str, Any]], None], complaint: str) -> None:
    edit(record_path(root), change)
    assert [problem for problem in problems(root) if complaint in problem], problems(root)


def test_other_images_than_the_config_draws_are_noticed(root: Path) -> None:
    for seed in (0, 1):
        edit(record_path(root, seed=seed), _other_images)
    assert problems(root) == ["toy/hybrid: its seeds were not trained on the images that its config draws."]
    assert verification.verify(root, measure=False).problems == []


def test_values_that_are_not_finite_are_noticed(root: Path) -> None:
    """JSON has no NaN; Python's reader would take it all the same."""
    path = record_path(root, "plain")
    path.write_text(path.read_text().replace('"val_loss": [', '"val_loss": [NaN, '))
    assert "is not valid JSON" in problems(root)[0]


def test_stray_weights_are_noticed(root: Path) -> None:
    stray = record_path(root, seed=9).with_suffix(".safetensors")
    shutil.copy(record_path(root).with_suffix(".safetensors"), stray)
    assert problems(root) == [f"{stray} belongs to no record."]


def test_a_run_from_scratch_reproduces_its_record(root: Path) -> None:
    again = verification.rerun(record_path(root, seed=1), root=root, progress=False)
    assert again.identical
    assert again.reproduces
    assert set(again.differences.values()) == {0.0}

    def worse(record: dict[str, Any]) -> None:
        record["result"]["history"]["val_accuracy"][-1] -= 0.25

    edit(record_path(root, seed=1), worse)
    again = verification.rerun(record_path(root, seed=1), root=root, progress=False)
    assert not again.identical
    assert not again.reproduces
    assert again.final_accuracy == pytest.approx(0.25)


def test_a_repetition_builds_on_the_records_beside_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coder = AutoencoderConfig(dataset="digits", epochs=1, snapshots=(1,))
    upper = TransferConfig(dataset="digits", encoder=coder, epochs=1, hidden=(8,))
    for name, config in {"coder": coder, "upper": upper}.items():
        found = replace(experiment({"it": config}), name=name)  # type: ignore[dict-item]
        monkeypatch.setitem(experiments.EXPERIMENTS, name, found)
    runs.run(["coder", "upper"], [1], root=tmp_path, progress=False)
    assert verification.rerun(records.path_of("upper/it", 1, tmp_path), root=tmp_path, progress=False).identical


def test_labels_are_unique_paths() -> None:
    one = Run(experiment="toy", variant="plain", scale="paper", seed=3, config=BASE)
    assert one.path(Path("data")) == Path("data/runs/toy/plain/seed-3.json")
    assert one.checkpoint(Path("data")) == Path("data/checkpoints/paper/toy/plain/seed-3")
    assert replace(one, scale="quick").checkpoint(Path("data")) != one.checkpoint(Path("data"))
