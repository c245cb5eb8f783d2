"""Verification: nothing altered passes, and a run again reproduces its record."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from synthetic import constant, write_records

from hqnn import experiments, records, runs, storage, tasks, verification
from hqnn.__main__ import main
from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig
from tests.toy import VARIANTS, edit, experiment, record_path, register

WEIGHTS = "seed-0.safetensors is not as it was written: restore it from the repository or run that seed again."
STRAY = "seed-9.safetensors belongs to no record."


def problems(root: Path) -> list[str]:
    return verification.verify(root).problems


def test_good_records_pass_and_their_weights_are_measured(root: Path) -> None:
    assert verification.verify(root) == verification.Verification([], n_records=4, n_measured=2, planned=[])
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


def test_an_experiment_of_which_nothing_has_run_is_planned(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(experiments.get("toy"), name="later")
    monkeypatch.setitem(experiments.EXPERIMENTS, "later", later)
    found = verification.verify(root, measure=False)
    assert (found.problems, found.planned) == ([], ["later"])


def test_records_of_nothing_registered(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, {"plain": VARIANTS["plain"]})
    assert [problem for problem in problems(root) if "no such experiment or variant" in problem]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda path: shutil.copy(path.with_name("seed-1.safetensors"), path.with_suffix(".safetensors")), WEIGHTS),
        (lambda path: shutil.copy(path.with_suffix(".safetensors"), path.with_name("seed-9.safetensors")), STRAY),
        (lambda path: path.write_text(path.read_text().replace('"val_loss": [', '"val_loss": [NaN, ')), "valid JSON"),
        (lambda path: path.write_text(path.read_text().replace('"seed": 0', '"seed": 1')), "its checksum differs"),
    ],
)
def test_files_that_are_not_as_they_were_written_are_noticed(
    root: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    spoil(record_path(root))
    assert complaint in problems(root)[0]


OTHER_IMAGES = {"provenance": {"dataset": {"subset": "0" * 64}}}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"result": {"history": {"val_loss": None}}}, "its curves are"),
        ({"result": {"history": {"val_loss": [1.0] * 3}}}, "val_loss has 3 values for 4 epochs"),
        ({"result": {"history": {"val_accuracy": [1.5] * 4}}}, "val_accuracy leaves the range from 0 to 1"),
        ({"result": {"history": {"test_accuracy": [0.0] * 4}}}, "its weights of epoch 4 give a test_accuracy of"),
        ({"result": {"n_parameters": {"total": 3, "quantum": 4}}}, "parameter counts"),
        (OTHER_IMAGES, "not trained on the same images"),
        ({"seed": 1}, "holds the paper-scale run toy/hybrid/seed-1, which belongs elsewhere"),
        ({"scale": "quick"}, "holds the quick-scale run toy/hybrid/seed-0, which belongs elsewhere"),
        ({"config_hash": "0" * 64}, "stale, the registry now differs in the type of config"),
        ({"weights": {}}, "belongs to no record"),
        ({"weights": {}}, "keeps the weights of epochs [], not [0, 4]"),
        ({"schema": 0}, "is not a record of format 2"),
        ({"comment": "very good"}, "lacks a field of a record or has one too many"),
    ],
)
def test_every_inconsistency_is_noticed(root: Path, change: dict[str, Any], complaint: str) -> None:
    """Whoever wrote it, with a matching checksum."""
    edit(record_path(root), partial(amend, change=change))
    assert [problem for problem in problems(root) if complaint in problem], problems(root)


def amend(record: dict[str, Any], change: dict[str, Any]) -> None:
    """Change what is named, at any depth; None takes it out."""
    for key, value in change.items():
        if value is None:
            del record[key]
        elif isinstance(value, dict) and value:
            amend(record[key], value)
        else:
            record[key] = value


def test_other_images_than_the_config_draws_are_noticed(root: Path) -> None:
    for seed in (0, 1):
        edit(record_path(root, seed=seed), partial(amend, change=OTHER_IMAGES))
    assert problems(root) == ["toy/hybrid: its seeds were not trained on the images that its config draws."]
    assert verification.verify(root, measure=False).problems == []


def test_a_run_from_scratch_reproduces_its_record(root: Path) -> None:
    again = verification.rerun(record_path(root, seed=1), root=root, progress=False)
    assert again.identical
    assert again.reproduces
    before = {name: value for name, value in again.record.result.items() if name != "errors"}
    assert replace(again, record=replace(again.record, result=before)).identical

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


# --- a claim run again

CLAIM = "L6-fashion-cnn4-25"


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ledger, and ten made-up records that this claim rests on."""
    monkeypatch.undo()  # the real registry
    shutil.copytree(storage.DATA / "claims", tmp_path / "claims")
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9] * 10)})
    return tmp_path


@pytest.mark.parametrize(("accuracy", "status"), [(0.905, 0), (0.95, 1)])
def test_a_claim_is_judged_by_the_repetitions(
    accuracy: float, status: int, judged: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def execute(_config: object, seed: int, **_: Any) -> tasks.Outcome:
        curve = [accuracy] * 50
        result = {"history": {"test_accuracy": curve, "val_accuracy": curve}}
        return tasks.Outcome(result=result, snapshots={}, dataset={}, seconds=1.0)

    monkeypatch.setattr(runs, "execute", execute)
    before = {path: path.read_bytes() for path in judged.rglob("*.json")}
    assert main(["verify", "--rerun", CLAIM, "--root", str(judged)]) == status
    shown = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("lcqhnn-fashion/cnn-4/") for line in shown) == 10
    assert shown[-2].startswith(f"{CLAIM}, stored: 90.0")
    assert shown[-1].startswith(f"{CLAIM}, repeated: {100 * accuracy:.1f}")
    assert {path: path.read_bytes() for path in judged.rglob("*.json")} == before


@pytest.mark.parametrize("claim", ["T1-nothing", "L1"])
def test_a_claim_that_is_none(claim: str, judged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--rerun", claim, "--root", str(judged)]) == 2
    assert claim in capsys.readouterr().err
