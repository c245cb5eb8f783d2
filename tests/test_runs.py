"""Runs and records: the same result however a run is made, and nothing altered passes verification."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from distributed import Client
from toy import BASE, LONG, ROOT, VARIANTS, environment, experiment

from hqnn import datasets, experiments, runs, storage, tasks, training
from hqnn.errors import HqnnError
from hqnn.experiments import AutoencoderConfig, LcqhnnConfig, TransferConfig
from hqnn.models import lcqhnn
from hqnn.runs import Run
from hqnn.training import DivergedError


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


def register(
    monkeypatch: pytest.MonkeyPatch, variants: dict[str, LcqhnnConfig] | None = None, seeds: range = range(2)
) -> None:
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"toy": experiment(variants or VARIANTS, seeds)})


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


def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(HqnnError, match="no device 'cuda' here"):
        runs.execute(BASE, 0, device="cuda")


def test_a_config_without_a_task() -> None:
    with pytest.raises(TypeError, match="No task is registered for int"):
        tasks.perform(3, tasks.Session(seed=0, key=""))


# --- records


def test_the_record_says_everything(stored: Path) -> None:
    record = runs.read_record(record_path(stored))
    assert (record.experiment, record.variant, record.scale, record.seed) == ("toy", "hybrid", "paper", 0)
    assert record.config == experiments.as_json(VARIANTS["hybrid"])
    provenance = record.provenance
    assert provenance["processor"]
    assert provenance["versions"]["torch"] in torch.__version__
    assert provenance["device"] == "cpu"
    assert provenance["seconds"] > 0
    assert provenance["dataset"].keys() == {"name", "fingerprint", "subset"}
    assert provenance["code"] == runs.code_digest()
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    if head.returncode == 0:
        assert len(provenance["git_commit"]) == 40
        assert isinstance(provenance["git_dirty"], bool)
    model = lcqhnn.build(VARIANTS["hybrid"])
    model.load_state_dict(record.snapshot(4))
    assert runs.read_record(record_path(stored, "plain")).weights is None


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
    ten = record_path(root, seed=10)
    shutil.copy(record_path(root), ten)
    edit(ten, lambda record: record.update(seed=10))
    shutil.copy(record_path(root).with_suffix(".safetensors"), ten.with_suffix(".safetensors"))
    assert [(r.variant, r.seed) for r in runs.load("toy", root=root)] == [
        ("hybrid", 0),
        ("hybrid", 1),
        ("hybrid", 10),
        ("plain", 0),
        ("plain", 1),
    ]
    curves = runs.history("toy", "hybrid", "test_loss", root=root)
    assert curves.shape == (3, 4)
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
        runs.read_record(record_path(root, seed=7))


@pytest.mark.usefixtures("no_training")
def test_what_is_done_is_skipped(root: Path) -> None:
    assert runs.run("toy", root=root, progress=False) == runs.Summary(done=0, skipped=4)
    assert runs.count(experiments.get("toy"), root=root) == {"hybrid": 2, "plain": 2}


def test_only_what_is_missing_is_run(root: Path) -> None:
    untouched = record_path(root, seed=0).read_bytes()
    before = results(root)
    record_path(root, seed=1).unlink()
    assert runs.count(experiments.get("toy"), root=root) == {"hybrid": 1, "plain": 2}
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


def test_a_missing_dataset_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise datasets.MissingDatasetError(f"{name} is not here")

    tasks.lcqhnn._splits.cache_clear()
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
        patched.setattr(runs._Bar, "reach", interrupt)
        with pytest.raises(KeyboardInterrupt, match="1 of 4 runs are stored; repeat the command to continue"):
            runs.run("toy", root=again, progress=False)
        reached.clear()
        patched.setattr(runs._Bar, "reach", lambda _bar, label, epoch: reached.append((label, epoch)))
        assert runs.run("toy", root=again, progress=False) == runs.Summary(done=3, skipped=1)
    assert reached[0] == ("toy/hybrid/seed-1", 3)  # epochs 1 and 2 are not repeated
    assert results(again) == results(root)
    assert not list((again / "checkpoints").rglob("*.safetensors"))


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start the command line with the toy's long variant registered, as a terminal would: in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.toy", *arguments],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def epochs_stored(root: Path) -> list[int]:
    """How far each unfinished run is."""
    epochs = []
    for path in root.glob("checkpoints/**/model.safetensors"):
        with suppress(FileNotFoundError):  # finished a moment ago
            epochs.append(storage.read_tensors(path)[1]["epoch"])
    return epochs


@pytest.fixture(scope="module")
def long_results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What uninterrupted runs of the long variant, seeds 0 to 2, yield."""
    root = tmp_path_factory.mktemp("long")
    with pytest.MonkeyPatch.context() as patch:
        register(patch, {"long": LONG}, range(3))
        runs.run("toy", root=root, progress=False)
        return results(root)


def test_killed_and_continued_equals_uninterrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_results: dict[str, Any]
) -> None:
    process = start("run", "toy", "--seeds", "0", "--root", str(tmp_path), "--quiet")
    wait_for(lambda: [epoch for epoch in epochs_stored(tmp_path) if epoch > 1] or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list(tmp_path.rglob("*.json"))
    (killed_after,) = epochs_stored(tmp_path)
    assert 1 < killed_after < LONG.epochs

    register(monkeypatch, {"long": LONG})
    reached: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(runs._Bar, "reach", lambda _bar, _label, epoch: reached.append(epoch))
        runs.run("toy", (0,), root=tmp_path, progress=False)
    assert reached[0] == killed_after + 1
    assert results(tmp_path) == {"long/0": long_results["long/0"]}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt_from_the_keyboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long_results: dict[str, Any], jobs: str
) -> None:
    command = ("run", "toy", "--seeds", "0-2", "--jobs", jobs, "--root", str(tmp_path))
    process = start(*command)
    wait_for(lambda: (list(tmp_path.rglob("*.json")) and epochs_stored(tmp_path)) or process.poll() is not None)
    os.killpg(process.pid, signal.SIGINT)  # the terminal tells the workers, too
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    stored = len(list(tmp_path.rglob("*.json")))
    assert 1 <= stored < 3
    last = err.splitlines()[-1]
    assert last == (
        f"Interrupted: {stored} of 3 runs are stored; repeat the command to continue the others from where they were."
    )
    assert "Traceback" not in err
    assert out == ""
    assert epochs_stored(tmp_path)

    register(monkeypatch, {"long": LONG}, range(3))
    assert runs.run("toy", root=tmp_path, progress=False).skipped == stored
    assert results(tmp_path) == long_results


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


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, "list[subprocess.Popen[bytes]]"]]:
    """A real scheduler and two real workers on loopback: its address and the workers."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"

    def dask(*arguments: str) -> "subprocess.Popen[bytes]":
        with (folder / "log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "dask", *arguments], env=environment(), stderr=log)

    processes = [dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))]
    try:
        wait_for(file.exists)
        worker = ("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--no-dashboard")
        processes += [dask(*worker) for _ in range(2)]
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_an_interrupt_reaches_the_workers_of_a_scheduler(
    tmp_path: Path, cluster: tuple[str, "list[subprocess.Popen[bytes]]"]
) -> None:
    """They are free again long before their runs would have ended, and keep the checkpoints."""
    address, workers = cluster
    process = start("run", "toy", "--scheduler", address, "--root", str(tmp_path), "--quiet")
    wait_for(lambda: epochs_stored(tmp_path) or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130
    assert err.startswith("Interrupted: 0 of 4 runs are stored;")
    with Client(address) as client:
        wait_for(lambda: not any(client.run(lambda dask_worker: len(dask_worker.active_threads)).values()))
    assert 0 < max(epochs_stored(tmp_path)) < LONG.epochs
    assert [worker.poll() for worker in workers] == [None, None]


def test_a_lost_workers_seeds_run_again_elsewhere(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    long_results: dict[str, Any],
    cluster: tuple[str, "list[subprocess.Popen[bytes]]"],
) -> None:
    address, workers = cluster
    root = tmp_path / "data"
    register(monkeypatch, {"long": LONG}, range(3))

    def kill_one_when_both_are_busy() -> None:
        wait_for(lambda: len(epochs_stored(root)) == 2)
        workers[0].kill()

    killer = threading.Thread(target=kill_one_when_both_are_busy)
    killer.start()
    summary = runs.run("toy", root=root, scheduler=address, progress=False)
    killer.join()
    assert summary == runs.Summary(done=3, skipped=0)
    assert [worker.poll() is None for worker in workers] == [False, True]
    assert results(root) == long_results
    assert not list((root / "checkpoints").rglob("*.safetensors"))


def test_no_scheduler_at_that_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hqnn import cluster

    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(HqnnError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        runs.run("toy", root=tmp_path, scheduler="tcp://127.0.0.1:9", progress=False)


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


def test_a_full_disk_loses_nothing_computed(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        with pytest.raises(HqnnError, match=r"No space left to write .*seed-1\.json"):
            runs.run("toy", root=again, progress=False)
    assert [r.seed for r in runs.load("toy", root=again)] == [0]

    reached: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(runs._Bar, "reach", lambda _bar, label, _epoch: reached.append(label))
        runs.run("toy", variants=["hybrid"], root=again, progress=False)
    assert reached == ["toy/hybrid/seed-1"]  # only the bar's last step: the finished run was stored, not repeated
    assert runs.run("toy", root=again, progress=False) == runs.Summary(done=2, skipped=2)
    assert results(again) == results(root)


# --- verification


def problems(root: Path) -> list[str]:
    return runs.verify(root).problems


def test_good_records_pass_and_their_weights_are_measured(root: Path) -> None:
    assert runs.verify(root) == runs.Verification([], n_records=4, n_measured=2)
    assert runs.verify(root, measure=False).n_measured == 0


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
        (_other_schema, "is not a record of format 1"),
        (_extra_field, "lacks a field of a record or has one too many"),
    ],
)
def test_every_inconsistency_is_noticed(root: Path, change: Callable[[dict[str, Any]], None], complaint: str) -> None:
    edit(record_path(root), change)
    assert [problem for problem in problems(root) if complaint in problem], problems(root)


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
    again = runs.rerun("toy", "hybrid", 1, root=root, progress=False)
    assert again.identical
    assert again.reproduces
    assert set(again.differences.values()) == {0.0}

    def worse(record: dict[str, Any]) -> None:
        record["result"]["history"]["val_accuracy"][-1] -= 0.25

    edit(record_path(root, seed=1), worse)
    again = runs.rerun("toy", "hybrid", 1, root=root, progress=False)
    assert not again.identical
    assert not again.reproduces
    assert again.final_accuracy == pytest.approx(0.25)


def test_a_repetition_builds_on_the_records_beside_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coder = AutoencoderConfig(dataset="digits", epochs=1, snapshots=(1,))
    upper = TransferConfig(dataset="digits", encoder=coder, epochs=1, hidden=(8,))
    for name, config in {"coder": coder, "upper": upper}.items():
        found = replace(experiment({"it": config}), name=name)
        monkeypatch.setitem(experiments.EXPERIMENTS, name, found)
    runs.run(["coder", "upper"], [1], root=tmp_path, progress=False)
    assert runs.rerun("upper", "it", 1, root=tmp_path, progress=False).identical


def test_labels_are_unique_paths() -> None:
    one = Run(experiment="toy", variant="plain", scale="paper", seed=3, config=BASE)
    assert one.record(Path("data")) == Path("data/runs/toy/plain/seed-3.json")
    assert one.checkpoint(Path("data")) == Path("data/checkpoints/paper/toy/plain/seed-3")
    assert replace(one, scale="quick").checkpoint(Path("data")) != one.checkpoint(Path("data"))
