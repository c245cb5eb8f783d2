"""Evaluators of the quanvolution and of the appendix: right on what is so, and changed by what is not."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judging import judge

from hqnn import experiments, runs
from hqnn.papers.hqnn import quanv_checks, theory_checks
from hqnn.papers.hqnn.circuits import quanvolution, reuploading, strongly_entangling
from hqnn.papers.hqnn.quanv_experiments import MODELS, RATES
from hqnn.papers.hqnn.quanv_series import best_rate, by_draw, by_rate, kernels, series_by_rate
from hqnn.record import Record
from hqnn.storage import DATA
from hqnn.verdicts import Judgement, Verdict
from hqnn.views import zx


def judged(evaluator: str, root: Path = DATA, value: float | None = None, **arguments: Any) -> Judgement:
    fields = {"value": value, "tolerance": 0.02, "resolution": 0.065, "decimals": 2}
    return judge(root, evaluator, arguments, paper="hqnn", id="Q2-x", **fields)


@pytest.mark.parametrize("name", ["zx_diagram", "zx_no_redundancy", "every_parameter_acts", "coefficient_spread"])
def test_what_the_appendix_gets_right(name: str) -> None:
    assert judged(name).verdict == Verdict.REPRODUCED


def test_a_layer_without_cnots_has_redundant_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = strongly_entangling(entangle=False)
    monkeypatch.setattr(theory_checks, "strongly_entangling", lambda: bare)
    judgement = judged("zx_no_redundancy")
    assert judgement.verdict == Verdict.NOT_REPRODUCED
    assert "rank 10 of 45" in str(judgement.ours)


def test_a_diagram_of_another_circuit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = zx.diagram(strongly_entangling(entangle=False))
    monkeypatch.setattr(zx, "diagram", lambda _pc: wrong)
    assert judged("zx_diagram").verdict == Verdict.NOT_REPRODUCED


def test_a_zero_determinant_tells_nothing() -> None:
    assert judged("coefficient_determinant", value=0).verdict == Verdict.REPRODUCED
    assert judged("zero_determinant").verdict == Verdict.NOT_REPRODUCED


def test_terms_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged("terms_by_embedding").verdict == Verdict.REPRODUCED
    real = reuploading
    monkeypatch.setattr(theory_checks, "reuploading", lambda d, trained=True: real(d, trained=False))
    assert judged("terms_by_embedding").verdict == Verdict.NOT_REPRODUCED


@pytest.mark.parametrize(("name", "value", "wrong"), [("quanv_resize", 14, 16), ("quanv_maps", 16, 25)])
def test_sizes_of_the_quanvolution(name: str, value: int, wrong: int) -> None:
    assert judged(name, value=value).verdict == Verdict.REPRODUCED
    assert judged(name, value=wrong).verdict == Verdict.NOT_REPRODUCED


def test_the_circuit_and_the_readout_of_the_quanvolution(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judged("quanv_circuit").verdict == judged("quanv_readout").verdict == Verdict.REPRODUCED
    bare = quanvolution(cnots="none")
    monkeypatch.setattr(quanv_checks, "quanvolution", lambda: bare)
    assert judged("quanv_circuit").verdict == Verdict.NOT_REPRODUCED


def test_weights_of_a_kernel_are_counted() -> None:
    assert judged("quanv_kernel", value=16, model="cnn4").verdict == Verdict.REPRODUCED
    assert judged("quanv_kernel", value=16, model="cnn1").verdict == Verdict.NOT_REPRODUCED


def test_without_records_there_is_no_verdict(tmp_path: Path) -> None:
    for name, arguments in (
        ("quanv_accuracy", {"model": "quanv", "value": 0.67}),
        ("quanv_equal", {"first": "quanv", "second": "cnn4"}),
        ("quanv_better", {"first": "quanv", "second": "cnn1"}),
        ("quickest_gradient", {}),
        ("quanv_sizes", {}),
    ):
        assert judged(name, tmp_path, **arguments).verdict == Verdict.NOT_YET


@pytest.mark.parametrize(
    ("name", "arguments", "missing"),
    [
        ("quanv_equal", {"first": "quanv", "second": "cnn4"}, "hqnn-quanv-rates"),
        ("quanv_better", {"first": "quanv", "second": "cnn1"}, "hqnn-quanv-rates"),
        ("quanv_accuracy", {"model": "quanv", "value": 0.67}, "hqnn-quanv-draws"),
        ("quanv_sizes", {}, "hqnn-quanv"),
    ],
)
def test_fewer_seeds_than_planned_give_no_verdict(
    monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any], missing: str
) -> None:
    load = runs.load

    def all_but_the_last(experiment: str, *names: str, **options: Any) -> list[Record]:
        last = experiments.get(experiment).seeds[-1]
        return [r for r in load(experiment, *names, **options) if r.seed < last or experiment != missing]

    monkeypatch.setattr(runs, "load", all_but_the_last)
    judgement = judged(name, **arguments)
    assert judgement.verdict == Verdict.NOT_YET
    least = len(experiments.get(missing).seeds)
    assert judgement.note.startswith(f"fewer than {least} current records of {missing}/")


def test_the_recorded_comparison() -> None:
    assert judged("quanv_sizes").verdict == Verdict.REPRODUCED
    assert judged("quanv_equal", first="quanv", second="cnn4").verdict == Verdict.NOT_REPRODUCED
    assert judged("quanv_better", first="cnn4", second="quanv").verdict == Verdict.REPRODUCED
    judgement = judged("quanv_accuracy", value=0.3, model="cnn4")
    assert judgement.verdict == Verdict.NOT_REPRODUCED
    assert judgement.ours == pytest.approx(by_draw("cnn4").mean())
    assert judged("quanv_accuracy", value=0.66, model="cnn4").verdict == Verdict.NOT_CHECKABLE


def test_a_slower_backpropagation_changes_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    path = tmp_path / "benchmarks" / "gradients.json"
    shutil.copy(DATA / "benchmarks" / "gradients.json", path)
    assert judged("quickest_gradient", tmp_path).verdict == Verdict.REPRODUCED
    record = json.loads(path.read_text())
    record["workloads"]["one image"]["median_ms"]["PennyLane default.qubit, backpropagation"] = 1e6
    path.write_text(json.dumps(record))
    assert judged("quickest_gradient", tmp_path).verdict == Verdict.NOT_REPRODUCED


def test_records_are_found_by_rate_draw_and_reading() -> None:
    for name in MODELS:
        assert list(series_by_rate(name)) == list(RATES)
        means = {rate: values.mean() for rate, values in by_rate(name, "val_accuracy").items()}
        assert means[best_rate(name)] == max(means.values())
        assert by_draw(name).shape == (20, 3)
    found = kernels()
    assert len(found) == 15
    np.testing.assert_array_equal(found["RY, chain, rotations, CNOTs"][0.03], by_rate("quanv", "all_accuracy")[0.03])
