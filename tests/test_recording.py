"""The record that a benchmark writes."""

import sys
from pathlib import Path

import pytest

from benchmarks import recording
from hqnn import records
from hqnn.errors import HqnnError


def test_a_benchmark_writes_what_it_measured_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "benchmarks" / "toy.json"
    monkeypatch.setattr(sys, "argv", ["benchmark", "--seconds", "0.25", "--output", str(target)])
    recording.make("toy", lambda seconds: {"asked": seconds}, description=None, packages=("numpy", "no-such-package"))
    record = records.measured("toy", tmp_path, kind="benchmark")
    assert record.result == {"asked": 0.25}
    assert set(record.provenance["peers"]) == {"numpy"}
    assert record.provenance["threads"] == 1
    assert str(target) in capsys.readouterr().out
    target.write_text(target.read_text().replace("0.25", "0.125"))
    with pytest.raises(HqnnError, match=r"its checksum differs: .* make it with `python -m benchmarks\.toy`"):
        records.measured("toy", tmp_path, kind="benchmark")
