"""What hqnn claims of its quanvolution and in its appendix: right on what is so, and changed by what is not."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from claiming import claim, judged

from hqnn import datasets, experiments, records
from hqnn.claims import Context, Result, Verdict, ledger
from hqnn.claims.quantity import Missing
from hqnn.papers.hqnn import quanv_quantities, theory_quantities
from hqnn.papers.hqnn.circuits import quanvolution, reuploading, strongly_entangling
from hqnn.papers.hqnn.quanv_experiments import USUAL_RATE
from hqnn.papers.hqnn.tuning import best_rate, by_draw, by_rate
from hqnn.records import read_record
from hqnn.stats import mean_interval
from hqnn.storage import DATA
from hqnn.views import zx

QUANV = "hqnn.papers.hqnn.quanv_quantities."


# --- the appendix


def test_a_layer_without_cnots_has_redundant_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    assert theory_quantities.no_redundancy().value is True
    assert theory_quantities.every_parameter_acts().value is True
    bare = strongly_entangling(entangle=False)
    monkeypatch.setattr(theory_quantities, "strongly_entangling", lambda: bare)
    found = theory_quantities.no_redundancy()
    assert found.value is False
    assert "rank 10 of 45" in found.text
    assert theory_quantities.coefficient_spread().value is False
    assert (
        "40, 40, 40, 40, 40 weights have no effect on outputs 1 to 5" in theory_quantities.every_parameter_acts().note
    )


def test_an_output_that_nothing_acts_on_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert theory_quantities.every_parameter_acts().value is True
    circuit, jacobian = theory_quantities._jacobian()
    jacobian[:, :, 7] = 0
    monkeypatch.setattr(theory_quantities, "_jacobian", lambda: (circuit, jacobian))
    assert theory_quantities.every_parameter_acts().value is False


def test_a_diagram_of_another_circuit_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert theory_quantities.diagram().value is True
    wrong = zx.diagram(strongly_entangling(entangle=False))
    monkeypatch.setattr(zx, "diagram", lambda _pc: wrong)
    assert theory_quantities.diagram().value is False


def test_coefficients_spread_and_a_zero_determinant_tells_nothing() -> None:
    assert theory_quantities.coefficient_spread().value is True
    assert theory_quantities.determinant().value == 0
    assert theory_quantities.zero_determinant().value is False


def test_terms_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert theory_quantities.terms_by_embedding().value is True
    real = reuploading
    monkeypatch.setattr(theory_quantities, "reuploading", lambda d, trained=True: real(d, trained=False))
    found = theory_quantities.terms_by_embedding()
    assert found.value is False
    assert found.text.startswith("3 terms for d = 1, 3 terms for d = 2")


# --- the quanvolution


def test_sizes_of_the_quanvolution(monkeypatch: pytest.MonkeyPatch) -> None:
    assert quanv_quantities.resized().value == 14
    assert quanv_quantities.maps().value == 16
    assert "64 of the 196 pixels" in quanv_quantities.maps().note
    assert quanv_quantities.readout().value is True
    assert {name: quanv_quantities.kernel_size(name).value for name in ("quanv", "cnn4", "cnn1")} == {
        "quanv": 4,
        "cnn4": 16,
        "cnn1": 4,
    }
    assert quanv_quantities.circuit().value is True
    bare = quanvolution(cnots="none")
    monkeypatch.setattr(quanv_quantities, "quanvolution", lambda: bare)
    assert quanv_quantities.circuit().value is False


def test_a_resize_that_is_not_torchvisions_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = datasets.to_float
    monkeypatch.setattr(datasets, "to_float", lambda images, size: real(images, size) + 1e-3)
    assert quanv_quantities.resized().value == "differs from torchvision by 0.001"


def of_records(function: str, root: Path = DATA, rule: object = "sign", printed: object = None, **given: Any) -> Result:
    return judged(root, {"computed": f"{QUANV}{function}", **given}, rule, printed, id="Q2-x", paper="hqnn")


def test_leads_are_taken_at_each_models_best_rate() -> None:
    found = of_records("tuned_lead", of="quanv", over="cnn4")
    rates = [best_rate(name) for name in ("quanv", "cnn4")]
    a, b = (by_rate(name, "all_accuracy")[rate] for name, rate in zip(("quanv", "cnn4"), rates, strict=True))
    assert found.quantity is not None
    assert list(found.quantity.samples.values()) == pytest.approx(list(a - b))
    assert found.judgement.note.startswith("our difference has the opposite sign")
    assert "; learning rates 0." in found.judgement.note
    at_usual = mean_interval(by_rate("quanv", "all_accuracy")[USUAL_RATE] - by_rate("cnn4", "all_accuracy")[USUAL_RATE])
    assert f"the difference is {at_usual.mean:+.3f} ± {at_usual.half_width:.3f}" in found.judgement.note
    assert of_records("tuned_lead", of="cnn4", over="quanv").judgement.verdict == Verdict.REPRODUCED


def test_accuracies_are_means_over_draws_of_images() -> None:
    value = {"name": "value", "tolerance": 0.01, "resolution": 0.065}
    for printed, verdict in (("0.30", Verdict.NOT_REPRODUCED), ("0.66", Verdict.UNDECIDED)):
        found = of_records("accuracy_over_draws", rule=value, printed=printed, model="cnn4")
        assert found.judgement.verdict == verdict
        assert found.judgement.ours == pytest.approx(by_draw("cnn4").mean())
        assert found.judgement.n_seeds == 20


@pytest.mark.parametrize(
    ("function", "given", "missing"),
    [
        ("tuned_lead", {"of": "quanv", "over": "cnn1"}, "hqnn-quanv-rates"),
        ("accuracy_over_draws", {"model": "quanv"}, "hqnn-quanv-draws"),
        ("sizes", {}, "hqnn-quanv"),
    ],
)
def test_fewer_seeds_than_planned_give_no_verdict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, function: str, given: dict[str, Any], missing: str
) -> None:
    assert of_records(function, tmp_path, "exact", **given).judgement.verdict == Verdict.NOT_YET
    load = records.load

    def all_but_the_last(series: str, *rest: Any, **options: Any) -> list[records.Record]:
        experiment = series.partition("/")[0]
        last = experiments.get(experiment).seeds[-1]
        return [r for r in load(series, *rest, **options) if r.seed < last or experiment != missing]

    monkeypatch.setattr(records, "load", all_but_the_last)
    least = len(experiments.get(missing).seeds)
    note = of_records(function, DATA, "exact", **given).judgement.note
    assert note.startswith(f"fewer than {least} current records of {missing}/")


def test_a_slower_backpropagation_changes_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(ledger=ledger.read(), claim=claim(None, None), root=tmp_path)
    with pytest.raises(Missing):
        quanv_quantities.quickest_gradient(context)
    context = replace(context, root=DATA)
    assert quanv_quantities.quickest_gradient(context).value is True
    timed = copy.deepcopy(read_record(DATA / quanv_quantities.TIMES))
    timed.result["workloads"]["one image"]["median_ms"]["PennyLane default.qubit, backpropagation"] = 1e6
    monkeypatch.setattr(quanv_quantities, "read_record", lambda _path: timed)
    assert quanv_quantities.quickest_gradient(context).value is False
