"""A claim run again: its value stored, and its value by the repetitions."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from synthetic import constant, write_records

from hqnn import runs, tasks
from hqnn.__main__ import main
from hqnn.storage import DATA

CLAIM = "L6-fashion-cnn4-25"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The ledger, and ten made-up records that this claim rests on."""
    shutil.copytree(DATA / "claims", tmp_path / "claims")
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9] * 10)})
    return tmp_path


@pytest.mark.parametrize(("accuracy", "status"), [(0.9, 0), (0.905, 0), (0.95, 1)])
def test_a_claim_is_judged_by_the_repetitions(
    accuracy: float, status: int, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def execute(_config: object, seed: int, **_: Any) -> tasks.Outcome:
        curve = [accuracy] * 50
        result = {"history": {"test_accuracy": curve, "val_accuracy": curve}}
        return tasks.Outcome(result=result, snapshots={}, dataset={}, seconds=1.0)

    monkeypatch.setattr(runs, "execute", execute)
    before = {path: path.read_bytes() for path in root.rglob("*.json")}
    assert main(["verify", "--rerun", CLAIM, "--root", str(root)]) == status
    shown = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("lcqhnn-fashion/cnn-4/") for line in shown) == 10
    assert shown[-2].startswith(f"{CLAIM}, stored: 90.0")
    assert shown[-1].startswith(f"{CLAIM}, repeated: {100 * accuracy:.1f}")
    assert {path: path.read_bytes() for path in root.rglob("*.json")} == before


@pytest.mark.parametrize(("claim", "complaint"), [("T1-nothing", "T1-nothing"), ("L1", "L1")])
def test_a_claim_that_is_none(claim: str, complaint: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--rerun", claim, "--root", str(root)]) == 2
    assert complaint in capsys.readouterr().err
