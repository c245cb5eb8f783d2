"""Runs: the same result however a run is made, chosen as asked, and refused in one sentence."""

import errno
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hqnn import datasets, experiments, provenance, records, runs, storage, tasks
from hqnn.errors import HqnnError
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from tests.toy import BASE, VARIANTS, edit, record_path, results


def test_execute_is_a_function_of_config_and_seed() -> None:
    """Also beside another run: a Dask worker with two threads shares torch's generator between them."""
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = [runs.execute(BASE, seed) for seed in (5, 6)]
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    with ThreadPoolExecutor(2) as pool:
        second = list(pool.map(lambda seed: runs.execute(BASE, seed), (5, 6)))
    assert [one.result for one in first] == [one.result for one in second]
    assert first[0].result != first[1].result
    for a, b in zip(first, second, strict=True):
        assert all(torch.equal(a.snapshots[name], b.snapshots[name]) for name in a.snapshots)


@pytest.mark.parametrize(("quantum", "n_quantum"), [("circuit", 4), ("frozen", 0)])
def test_an_outcome_holds_what_figures_need(quantum: Any, n_quantum: int) -> None:
    config = replace(VARIANTS["hybrid"], quantum=quantum, epochs=2, snapshots=(0, 2))
    outcome = runs.execute(config, 0)
    assert set(outcome.history) == set(config.curves)
    floats = [value for values in outcome.history.values() for value in values]
    assert floats == [float(f"{value:.6g}") for value in floats]
    model = lcqhnn.build(config)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert outcome.result["n_parameters"] == {"total": trained, "quantum": n_quantum}
    model.load_state_dict(outcome.weights(2))
    same = torch.equal(outcome.weights(0)["quantum.weights"], outcome.weights(2)["quantum.weights"])
    assert same == (quantum == "frozen")
    assert not torch.equal(outcome.weights(0)["reduce.weight"], outcome.weights(2)["reduce.weight"])
    assert outcome.dataset["name"] == "digits"
    assert outcome.dataset["fingerprint"] == datasets.load("digits").fingerprint


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
    for owner, name, other in ((provenance, "model", lambda _config: "changed"), (torch, "__version__", "0.1")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, other)
            runs.execute(BASE, 0)
    assert len(set(keys)) == len(keys) == 6


@pytest.mark.parametrize(("device", "n_gpus"), [("foo", 0), ("", 0), ("cpu:3", 0), ("cuda", 0), ("cuda:7", 1)])
def test_a_device_that_is_not_there_is_found_before_anything_runs(
    device: str, n_gpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)
    devices = "cpu, cuda, cuda:0" if n_gpus else "cpu"
    complaint = rf"^There is no device '{device}' on .*: choose from {devices}\.$"
    with pytest.raises(HqnnError, match=complaint):
        runs.execute(BASE, 0, device=device)
    with pytest.raises(HqnnError, match=complaint):
        runs.run("toy", device=device, root=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_record_says_everything_and_nothing_else_is_left_behind(stored: Path) -> None:
    record = records.read_record(record_path(stored))
    assert (record.experiment, record.variant, record.scale, record.seed) == ("toy", "hybrid", "paper", 0)
    assert record.config == experiments.as_json(VARIANTS["hybrid"])
    origin = record.provenance
    assert origin["processor"]
    assert origin["versions"]["torch"] in torch.__version__
    assert origin["device"] == "cpu"
    assert origin["seconds"] > 0
    assert origin["dataset"].keys() == {"name", "fingerprint", "subset"}
    assert origin["code"] == provenance.code_digest()
    assert {type(origin["git_commit"]), type(origin["git_dirty"])} in ({str, bool}, {type(None)})
    lcqhnn.build(VARIANTS["hybrid"]).load_state_dict(record.snapshot(4))
    lines = record.path.read_text().splitlines()
    assert sum('"test_accuracy": [' in line and line.rstrip(",").endswith("]") for line in lines) == 1
    assert len(lines) < 90
    names = sorted(str(path.relative_to(stored / "runs/toy")) for path in stored.rglob("*") if path.is_file())
    kept = [f"hybrid/seed-{seed}.{kind}" for seed in (0, 1) for kind in ("json", "safetensors")]
    assert names == [*kept, "plain/seed-0.json", "plain/seed-1.json"]


def test_a_run_builds_on_the_last_weights_that_a_record_keeps(stored: Path) -> None:
    kept = runs.kept_weights("toy/hybrid", 1, root=stored)
    last = records.read_record(record_path(stored, seed=1)).snapshot(4)
    assert kept.keys() == last.keys()
    assert all(torch.equal(kept[name], last[name]) for name in last)


def test_whether_the_code_was_changed_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when git takes too long to tell."""
    monkeypatch.setattr(provenance, "_git", lambda command, *_: "0" * 40 if command == "rev-parse" else None)
    assert provenance.environment.__wrapped__()["git_dirty"] is None


def test_records_and_curves_are_in_the_order_of_their_seeds(root: Path, tmp_path: Path) -> None:
    for seed in (10, 2):
        copy = record_path(root, seed=seed)
        shutil.copy(record_path(root), copy)
        edit(copy, lambda record, seed=seed: record.update(seed=seed))  # type: ignore[misc]
    found = records.load("toy/hybrid", root)
    curves = records.curves("toy/hybrid", "test_loss", root)
    assert [record.seed for record in found] == curves.index.to_numpy().tolist() == [0, 1, 2, 10]
    assert curves.columns.to_numpy().tolist() == [1, 2, 3, 4]
    assert curves.to_numpy().tolist() == [record.history["test_loss"] for record in found]
    assert records.load("toy/plain", tmp_path / "nowhere") == []
    with pytest.raises(HqnnError, match="no records of toy/plain: run `python -m hqnn run toy`"):
        records.curves("toy/plain", "test_loss", tmp_path / "nowhere")
    with pytest.raises(HqnnError, match="no curve 'loss' in toy: choose from train_loss"):
        records.curves("toy/plain", "loss", root)
    with pytest.raises(HqnnError, match="There is no record"):
        records.read_record(record_path(root, seed=7))


# --- what is run


@pytest.mark.usefixtures("no_training")
def test_what_is_done_is_skipped(root: Path) -> None:
    assert runs.run("toy", root=root, progress=False) == runs.Summary(done=0, skipped=4)
    assert records.count(experiments.get("toy"), root=root) == {"hybrid": (2, 0), "plain": (2, 0)}


@pytest.mark.parametrize("damage", ["gone", "json", "truncated", "weights", "no weights", "stale", "altered"])
def test_only_what_is_missing_damaged_or_stale_is_run(root: Path, damage: str) -> None:
    before, untouched = results(root), record_path(root, seed=1).stat().st_mtime_ns
    path = record_path(root)
    weights = path.with_suffix(".safetensors")
    spoil: dict[str, Callable[[], object]] = {
        "gone": path.unlink,
        "json": lambda: path.write_text("{"),
        "truncated": lambda: path.write_bytes(path.read_bytes()[:-200]),
        "weights": lambda: weights.write_bytes(weights.read_bytes()[:-8]),
        "no weights": weights.unlink,
        "stale": lambda: edit(path, lambda record: record.update(config_hash="0" * 64)),
        "altered": lambda: edit(path, lambda r: r["result"]["history"]["test_loss"].reverse(), honest_checksum=False),
    }
    spoil[damage]()
    stale = int(damage != "gone")
    assert records.count(experiments.get("toy"), root=root) == {"hybrid": (1, stale), "plain": (2, 0)}
    assert runs.run("toy", root=root, progress=False) == runs.Summary(done=1, skipped=3)
    assert results(root) == before
    assert record_path(root, seed=1).stat().st_mtime_ns == untouched


def test_seeds_variants_and_scale_can_be_chosen(tmp_path: Path) -> None:
    for seeds in ((7, 7), np.array([2**63 - 1]), iter([8])):
        assert runs.run(["toy", "toy"], seeds, variants=["plain"], root=tmp_path, progress=False).done == 1
    assert [one.seed for one in records.load("toy/plain", tmp_path)] == [7, 8, 2**63 - 1]
    runs.run("toy", (0,), variants=["plain"], scale="quick", root=tmp_path, progress=False)
    (record,) = records.load("toy/plain", tmp_path, scale="quick")
    assert record.path == tmp_path / "quick" / "toy" / "plain" / "seed-0.json"
    assert len(records.load("toy/plain", tmp_path)) == 3


@pytest.mark.parametrize(
    ("names", "options", "complaint"),
    [
        (["toy", "toi"], {}, "no experiment 'toi': did you mean toy"),
        ("toy", {"variants": ["plan"]}, "toy has no variant 'plan': did you mean plain"),
        ("toy", {"jobs": 0}, "jobs must be at least 1, not 0"),
        ("toy", {"seeds": count()}, "More than 10,000 seeds are too many for one call"),
        *(
            ("toy", {"seeds": seeds}, f"{seeds[0]!r} is no seed: choose whole numbers from 0 to 9223372036854775")
            for seeds in ((-1,), (True,), (2**63,), (0.5,), "0")
        ),
    ],
)
def test_what_cannot_be_run_is_found_before_anything_runs(
    names: str, options: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises((HqnnError, ValueError), match=complaint):
        runs.run(names, root=tmp_path, progress=False, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", [".", "runs", "runs/toy/plain", "checkpoints", "read-only"])
@pytest.mark.usefixtures("no_training")
def test_a_folder_that_takes_no_records_is_found_before_anything_runs(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    if file == "read-only":
        monkeypatch.setattr(storage, "TemporaryFile", refuse)  # chmod would not stop root
    else:
        path = tmp_path / "data" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    why = r"\((Not a directory|File exists|Read-only file system)\)"
    with pytest.raises(HqnnError, match=rf"{tmp_path}/data.* {why}: .*another folder"):
        runs.run("toy", root=tmp_path / "data", progress=False)


def test_a_missing_dataset_or_task_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise datasets.MissingDatasetError(f"{name} is not here")

    tasks.drawn.cache_clear()
    monkeypatch.setattr(datasets, "load", absent)
    with pytest.raises(datasets.MissingDatasetError, match="digits is not here"):
        runs.run("toy", root=tmp_path, progress=False)
    with pytest.raises(TypeError, match="No task is registered for int"):
        tasks.of(3)
