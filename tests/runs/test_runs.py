"""Runs: the same result however a run is made, chosen as asked, and refused in one sentence."""

import errno
import shutil
import subprocess
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
from hqnn.provenance import code_digest
from tests.toy import BASE, ROOT, VARIANTS, edit, record_path, results


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
    for owner, name, other in ((provenance, "model", lambda _config: "changed"), (torch, "__version__", "0.1")):
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


def test_records_and_curves_are_in_the_order_of_their_seeds(root: Path) -> None:
    for seed in (10, 2):
        copy = record_path(root, seed=seed)
        shutil.copy(record_path(root), copy)
        edit(copy, lambda record, seed=seed: record.update(seed=seed))  # type: ignore[misc]
    found = records.load("toy/hybrid", root)
    assert [record.seed for record in found] == [0, 1, 2, 10]
    curves = records.curves("toy/hybrid", "test_loss", root)
    assert curves.index.to_numpy().tolist() == [0, 1, 2, 10]
    assert curves.columns.to_numpy().tolist() == [1, 2, 3, 4]
    assert curves.to_numpy().tolist() == [record.history["test_loss"] for record in found]
    assert found[0].history != found[1].history


def test_asking_for_records_that_are_not_there(root: Path, tmp_path: Path) -> None:
    assert records.load("toy/plain", tmp_path / "nowhere") == []
    with pytest.raises(HqnnError, match="no records of toy/plain: run `python -m hqnn run toy`"):
        records.curves("toy/plain", "test_loss", tmp_path / "nowhere")
    with pytest.raises(HqnnError, match="no curve 'loss' in toy: choose from train_loss"):
        records.curves("toy/plain", "loss", root)
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
    (record,) = records.load("toy/plain", tmp_path, scale="quick")
    assert record.path == tmp_path / "quick" / "toy" / "plain" / "seed-0.json"
    assert records.load("toy/plain", tmp_path) == []


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
    (record,) = records.load("toy/plain", tmp_path)
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
