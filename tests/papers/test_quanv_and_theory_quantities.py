"""What hqnn claims of its quanvolution and in its appendix: right on what is so, and changed by what is not."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from claiming import claim, judged

from hqnn import datasets, experiments, records
from hqnn.claims import Context, Result, Verdict, ledger
from hqnn.claims.quantity import Missing
from hqnn.papers.hqnn import quanv_quantities, theory_quantities, tuning
from hqnn.papers.hqnn.circuits import quanvolution, reuploading, strongly_entangling
from hqnn.papers.hqnn.tuning import best_rate, by_draw, by_rate
from hqnn.records import read_record
from hqnn.stats import Interval
from hqnn.storage import DATA
from hqnn.views import zx

NAMES: tuple[quanv_quantities.Model, ...] = ("quanv", "cnn4", "cnn1")
CONTEXT = Context(ledger=ledger.read(), claim=claim(None, None), root=DATA)


def test_a_layer_without_cnots_has_redundant_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    properties = (theory_quantities.no_redundancy, theory_quantities.every_parameter_acts, theory_quantities.diagram)
    assert [one().value for one in properties] == [True] * 3
    bare = strongly_entangling(entangle=False)
    wrong = zx.diagram(bare)
    with monkeypatch.context() as patch:
        patch.setattr(zx, "diagram", lambda _pc: wrong)
        assert theory_quantities.diagram().value is False
    circuit, jacobian = theory_quantities._jacobian()
    jacobian[:, :, 7] = 0
    with monkeypatch.context() as patch:
        patch.setattr(theory_quantities, "_jacobian", lambda: (circuit, jacobian))
        assert theory_quantities.every_parameter_acts().value is False
    monkeypatch.setattr(theory_quantities, "strongly_entangling", lambda: bare)
    found = theory_quantities.no_redundancy()
    assert found.value is False and "rank 10 of 45" in found.text
    idle = "40, 40, 40, 40, 40 weights have no effect on outputs 1 to 5"
    assert idle in theory_quantities.every_parameter_acts().note
    assert theory_quantities.coefficient_spread().text.startswith("1 of 18 parts vary")


def test_seventeen_coefficients_spread_and_a_zero_determinant_tells_nothing() -> None:
    found = theory_quantities.coefficient_spread()
    assert found.value is False and found.text.startswith("17 of 18 parts vary")
    assert theory_quantities.determinant().value == 0
    assert theory_quantities.zero_determinant().value is False


def test_terms_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert theory_quantities.terms_by_embedding().value is True
    real = reuploading
    monkeypatch.setattr(theory_quantities, "reuploading", lambda d, trained=True: real(d, trained=False))
    found = theory_quantities.terms_by_embedding()
    assert found.value is False and found.text.startswith("3 terms for d = 1, 3 terms for d = 2")


def test_sizes_of_the_quanvolution(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (quanv_quantities.resized().value, quanv_quantities.maps().value) == (14, 16)
    assert "64 of the 196 pixels" in quanv_quantities.maps().note
    assert [quanv_quantities.kernel_size(name).value for name in NAMES] == [4, 16, 4]
    assert quanv_quantities.size_ratio("cnn4", "quanv").value == 666 / 654
    assert quanv_quantities.readout().value is quanv_quantities.circuit().value is True
    bare = quanvolution(cnots="none")
    monkeypatch.setattr(quanv_quantities, "quanvolution", lambda: bare)
    assert quanv_quantities.circuit().value is False
    real = datasets.to_float
    monkeypatch.setattr(datasets, "to_float", lambda images, size: real(images, size) + 1e-3)
    assert quanv_quantities.resized().value == "differs from torchvision by 0.001"


def of_records(function: str, root: Path = DATA, **given: Any) -> Result:
    ours = {"computed": f"hqnn.papers.hqnn.quanv_quantities.{function}", **given}
    return judged(root, ours, "exact", id="Q2-x", paper="hqnn")


def test_leads_are_taken_at_each_models_best_rate() -> None:
    found = quanv_quantities.tuned_lead(CONTEXT, "quanv", "cnn4")
    a, b = (by_rate(name, "all_accuracy")[best_rate(name)] for name in ("quanv", "cnn4"))
    assert list(found.samples.values()) == pytest.approx(list(a - b))
    usual = [records.final(f"hqnn-quanv/{name}", "all_accuracy").mean() for name in ("quanv", "cnn4")]
    assert f"with 0.01 for both the difference is {usual[0] - usual[1]:+.3f} ±" in found.note


def test_accuracies_and_their_spread_are_means_over_draws_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    value = quanv_quantities.accuracy_over_draws(CONTEXT, "cnn4").value
    assert isinstance(value, Interval) and value.n == 20 and value.mean == pytest.approx(by_draw("cnn4").mean())
    drawn = np.random.default_rng(0).normal(0.5, 0.04, (20_000, 3))
    monkeypatch.setattr(tuning, "by_draw", lambda *_, **__: drawn)
    spread = quanv_quantities.spread_over_starts(CONTEXT, "cnn4", 10)
    assert isinstance(spread.value, Interval) and spread.value.mean == pytest.approx(0.04, rel=0.02)
    tens = np.random.default_rng(1).normal(0.5, 0.04, (20_000, 10)).std(axis=1, ddof=1)
    assert spread.variance == pytest.approx(tens.var(), rel=0.05)


@pytest.mark.parametrize(
    ("function", "given", "missing"),
    [
        ("tuned_lead", {"of": "quanv", "over": "cnn1"}, "hqnn-quanv-rates"),
        ("accuracy_over_draws", {"model": "quanv"}, "hqnn-quanv-draws"),
        ("spread_over_starts", {"model": "quanv", "n_starts": 10}, "hqnn-quanv-draws"),
        ("sizes", {}, "hqnn-quanv"),
    ],
)
def test_fewer_seeds_than_planned_give_no_verdict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, function: str, given: dict[str, Any], missing: str
) -> None:
    assert of_records(function, tmp_path, **given).judgement.verdict == Verdict.NOT_YET
    load, seeds = records.load, experiments.get(missing).seeds

    def all_but_the_last(series: str, *rest: Any, **options: Any) -> list[records.Record]:
        return [r for r in load(series, *rest, **options) if r.seed < seeds[-1] or r.experiment != missing]

    monkeypatch.setattr(records, "load", all_but_the_last)
    note = of_records(function, **given).judgement.note
    assert note.startswith(f"fewer than {len(seeds)} current records of {missing}/")


def test_a_slower_backpropagation_changes_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Missing):
        quanv_quantities.quickest_gradient(replace(CONTEXT, root=tmp_path))
    assert quanv_quantities.quickest_gradient(CONTEXT).value is True
    timed = copy.deepcopy(read_record(DATA / quanv_quantities.TIMES))
    timed.result["workloads"]["one image"]["median_ms"]["PennyLane default.qubit, backpropagation"] = 1e6
    monkeypatch.setattr(quanv_quantities, "read_record", lambda _path: timed)
    assert quanv_quantities.quickest_gradient(CONTEXT).value is False
