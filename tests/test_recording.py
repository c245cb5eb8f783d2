"""The record that a benchmark writes."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import recording


def test_a_benchmark_writes_what_it_measured_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "record.json"
    monkeypatch.setattr(sys, "argv", ["benchmark", "--seconds", "0.25", "--output", str(target)])
    recording.make("toy", lambda seconds: {"asked": seconds}, description=None, packages=("numpy", "no-such-package"))
    record = json.loads(target.read_text())
    assert record["asked"] == 0.25
    assert set(record["provenance"]["peers"]) == {"numpy"}
    assert record["provenance"]["threads"] == 1
    assert str(target) in capsys.readouterr().out
