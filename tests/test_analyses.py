"""Recorded analyses: stored whole, read back, and found out when they are stale."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from synthetic import constant, write_records

from hqnn import analyses, runs
from hqnn.analyses import Findings
from hqnn.errors import HqnnError
from hqnn.stats import Interval, mean_interval

SERIES = "lcqhnn-mnist/cnn-4"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with ten records, and one recipe: the mean of their first accuracies."""
    monkeypatch.setattr(analyses, "RECIPES", {})
    monkeypatch.setattr(analyses, "recipes", lambda: analyses.RECIPES)
    write_records(tmp_path, "lcqhnn-mnist", {"cnn-4": constant([0.9 + 0.001 * seed for seed in range(10)])})
    register()
    return tmp_path


def register(**settings: Any) -> None:
    def compute(series: analyses.Series, settings: Any) -> Findings:
        first = [record.history["test_accuracy"][0] for record in series[SERIES]]
        return Findings(result={"first": mean_interval(first)}, data={"settings": dict(settings), "values": first})

    analyses.recipe("example", inputs=[SERIES], **settings)(compute)


def path(root: Path) -> Path:
    return root / "analyses" / "example.json"


def test_an_analysis_is_stored_and_read_back(root: Path) -> None:
    assert analyses.load("example", root=root) is None
    made = analyses.make("example", root=root)
    assert analyses.load("example", root=root) == made
    assert made.result["first"].mean == pytest.approx(0.9045)
    assert made.result["first"].n == 10
    assert made.data["values"][0] == 0.9
    assert set(made.inputs) == {SERIES}
    assert "versions" in made.provenance
    assert analyses.problems(root) == []


def test_a_missing_analysis_is_a_problem(root: Path) -> None:
    (problem,) = analyses.problems(root)
    assert problem.startswith("The analysis 'example' is not recorded: make it again with")


def test_a_changed_record_makes_it_stale(root: Path) -> None:
    analyses.make("example", root=root)
    write_records(root, "lcqhnn-mnist", {"cnn-4": constant([0.8])})
    (problem,) = analyses.problems(root)
    assert f"is stale, the records of {SERIES} changed" in problem


def test_other_weights_make_it_stale_and_another_machine_does_not(root: Path) -> None:
    records = runs.load("lcqhnn-mnist", "cnn-4", root=root)
    before = analyses.fingerprint(records)
    first, *others = records
    elsewhere = dataclasses.replace(first, provenance={"processor": "another"})
    assert analyses.fingerprint([elsewhere, *others]) == before
    retrained = dataclasses.replace(first, weights={"file": "seed-0.safetensors", "sha256": "0" * 64})
    assert analyses.fingerprint([retrained, *others]) != before
    assert analyses.fingerprint(others) != before


def test_a_further_record_makes_it_stale(root: Path) -> None:
    analyses.make("example", root=root)
    write_records(root, "lcqhnn-mnist", {"cnn-4": constant([0.8])}, first_seed=10)
    assert "the records of" in analyses.problems(root)[0]


def test_changed_settings_make_it_stale(root: Path) -> None:
    analyses.make("example", root=root)
    register(shots=100)
    assert "its settings changed" in analyses.problems(root)[0]
    analyses.make("example", root=root)
    assert analyses.problems(root) == []


def test_damaged_records_are_a_problem(root: Path) -> None:
    analyses.make("example", root=root)
    next((root / "runs").rglob("*.json")).write_text("{")
    assert "cannot be compared with its records" in analyses.problems(root)[0]


def test_without_records_there_is_nothing_to_analyse(root: Path) -> None:
    for record in (root / "runs").rglob("*.json"):
        record.unlink()
    with pytest.raises(HqnnError, match=f"There are no records of {SERIES}"):
        analyses.make("example", root=root)


def test_a_stray_file_is_a_problem(root: Path) -> None:
    analyses.make("example", root=root)
    (root / "analyses" / "stray.json").write_text("{}")
    assert analyses.problems(root) == [f"{root / 'analyses' / 'stray.json'}: there is no analysis of this name."]


def test_an_altered_analysis_is_refused(root: Path) -> None:
    analyses.make("example", root=root)
    stored = json.loads(path(root).read_text())
    stored["result"]["first"]["mean"] = 0.99
    path(root).write_text(json.dumps(stored))
    with pytest.raises(HqnnError, match="its checksum differs: make it again"):
        analyses.load("example", root=root)
    assert "its checksum differs" in analyses.problems(root)[0]
    path(root).write_text("{")
    with pytest.raises(HqnnError, match="not valid JSON"):
        analyses.load("example", root=root)
    path(root).write_text('{"schema": 0}')
    with pytest.raises(HqnnError, match="not an analysis of format 1"):
        analyses.load("example", root=root)


def test_an_unknown_analysis_is_refused_with_the_known_ones(root: Path) -> None:
    with pytest.raises(HqnnError, match="There is no analysis 'sample': choose from example"):
        analyses.make("sample", root=root)


def test_a_result_that_is_not_finite_is_not_stored(root: Path) -> None:
    analyses.recipe("example", inputs=[SERIES])(lambda *_: Findings(result={"one run": Interval(1.0, float("inf"), 1)}))
    with pytest.raises(ValueError, match="'one run' of the analysis 'example'"):
        analyses.make("example", root=root)
    assert not path(root).exists()
