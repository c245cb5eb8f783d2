"""Measurements: stored whole like runs, read back, and found out when they are stale."""

import json
from pathlib import Path
from typing import Any

import pytest
from synthetic import constant, write_records

from hqnn import measurements, provenance, records, verification
from hqnn.__main__ import main
from hqnn.errors import HqnnError
from hqnn.stats import Interval, mean_interval

SERIES = "lcqhnn-mnist/cnn-4"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with ten records, and one measurement: the mean of their first accuracies."""
    monkeypatch.setattr(measurements, "MEASUREMENTS", {})
    monkeypatch.setattr(measurements, "everything", lambda: measurements.MEASUREMENTS)
    write_records(tmp_path, "lcqhnn-mnist", {"cnn-4": constant([0.9 + 0.001 * seed for seed in range(10)])})
    register()
    return tmp_path


def register(**settings: Any) -> None:
    @measurements.measurement("example", inputs=[SERIES], **settings)
    def compute(series: measurements.Series, settings: measurements.Settings) -> measurements.Measured:
        first = [record.history["test_accuracy"][0] for record in series[SERIES]]
        return {"first": mean_interval(first)}, {"settings": dict(settings), "values": first}


def problem(root: Path) -> str:
    return measurements.problem("example", root) or ""


def test_a_measurement_is_stored_and_read_back(root: Path) -> None:
    with pytest.raises(HqnnError, match=r"There is no record .*: make it with `python -m hqnn run example`"):
        records.measured("example", root)
    assert "There is no record" in problem(root)
    made = measurements.make("example", root=root)
    assert records.measured("example", root) == made
    assert (made.kind, made.result["first"].n, made.data["values"][0]) == ("measurement", 10, 0.9)
    assert made.result["first"].mean == pytest.approx(0.9045)
    assert set(made.built_on) == {SERIES}
    assert "versions" in made.provenance
    assert not problem(root)


def test_what_it_was_made_of_makes_it_stale_and_the_machine_does_not(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurements.make("example", root=root)
    one = records.path_of(SERIES, 3, root)
    stored = json.loads(one.read_text())
    records.write(one, stored | {"provenance": {"processor": "another"}})
    assert not problem(root)
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "model", lambda _config: "another")
        assert f"a record of {SERIES}, which it builds on, is stale" in problem(root)
    records.write(one, stored | {"weights": {"file": "seed-3.safetensors", "sha256": "0" * 64}})
    assert "is another now" in problem(root)
    records.write(one, stored)
    register(shots=100)
    assert "its settings are others now" in problem(root)
    measurements.make("example", root=root)
    assert not problem(root)
    measurements.measurement("example", inputs=[], shots=100)(lambda *_: ({}, {}))
    assert "it reads other records now" in problem(root)


@pytest.mark.parametrize("first_seed", [0, 10])
def test_another_record_or_a_further_one_makes_it_stale(
    root: Path, first_seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    measurements.make("example", root=root)
    main(["list", "--root", str(root)])
    assert f"  {'example':<24} made\n" in capsys.readouterr().out
    write_records(root, "lcqhnn-mnist", {"cnn-4": constant([0.8])}, first_seed=first_seed)
    assert f"the record of {SERIES} that it builds on is another now" in problem(root)
    main(["list", "--root", str(root)])
    assert f"  {'example':<24} stale, the record of {SERIES} that" in capsys.readouterr().out


def test_without_its_records_nothing_is_measured(root: Path) -> None:
    measurements.make("example", root=root)
    for one in (root / "runs").rglob("*.json"):
        one.write_text("{")
    assert "cannot be read" in problem(root)
    for one in (root / "runs").rglob("*.json"):
        one.unlink()
    with pytest.raises(HqnnError, match=f"There are no records of {SERIES}"):
        measurements.make("example", root=root)


def test_whatever_lies_there_is_verified(root: Path) -> None:
    made = measurements.make("example", root=root)
    assert not [p for p in verification.verify(root).problems if "example" in p]
    for name in ("analyses/stray", "benchmarks/other"):
        stray = root / f"{name}.json"
        stray.parent.mkdir(exist_ok=True)
        stray.write_bytes(made.path.read_bytes())
    found = verification.verify(root).problems
    assert f"{root / 'analyses' / 'stray.json'}: there is no measurement of this name." in found
    assert f"{root / 'benchmarks' / 'other.json'} holds another record than its name says: move it away." in found


@pytest.mark.parametrize(
    ("read", "at_home", "expected"),
    [
        ([SERIES], True, True),
        ([SERIES], False, True),
        (["hqnn-mnist/hqnn"], True, False),
        ([], True, True),
        ([], False, False),
    ],
)
def test_a_measurement_is_expected_once_what_it_reads_has_begun(
    read: list[str], at_home: bool, expected: bool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurements.measurement("example", inputs=read)(lambda *_: ({}, {}))
    if at_home:
        monkeypatch.setattr(verification, "DATA", root)
    found = verification.verify(root, measure=False).problems
    assert any("run example" in problem for problem in found) == expected


def test_a_measurement_that_cannot_be_is_refused(root: Path) -> None:
    path = measurements.make("example", root=root).path
    path.write_text(path.read_text().replace('"mean": 0.9045', '"mean": 0.99'))
    assert "its checksum differs" in problem(root)
    with pytest.raises(HqnnError, match="There is no measurement 'sample': did you mean example"):
        measurements.make("sample", root=root)
    path.unlink()
    measurements.measurement("example", inputs=[SERIES])(lambda *_: ({"one run": Interval(1.0, float("inf"), 1)}, {}))
    with pytest.raises(ValueError, match="'one run' of 'example'"):
        measurements.make("example", root=root)
    assert not path.exists()
