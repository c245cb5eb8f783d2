"""The committed ledger judged by the committed records, once."""

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from hqnn import claims, experiments, measurements, records, storage
from hqnn.claims import Result, Verdict, ledger
from hqnn.claims.ledger import Claim
from hqnn.claims.quantities import Curve, Lead, Measured

ROOT = storage.DATA.parent


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return claims.evaluate()


def test_the_stored_verdicts_are_current(results: list[Result]) -> None:
    assert claims.changes(results) == [], "look at the changes, then run `python -m hqnn claims --update`"
    assert [one.as_dict() for one in claims.stored()] == [one.as_dict() for one in results]


def test_evidence_exists(results: list[Result]) -> None:
    for one in results:
        evidence = one.judgement.evidence
        assert evidence or one.judgement.verdict == Verdict.NOT_YET, one.claim.id
        for place in re.findall(r"data/[\w./-]*\w", evidence):
            assert (ROOT / place).exists(), one.claim.id
        for name in re.findall(r"\bhqnn(?:\.\w+)+", evidence):
            module, _, function = name.rpartition(".")
            assert callable(getattr(import_module(module), function)), one.claim.id


def test_every_group_has_a_row_and_every_statement_is_a_sentence() -> None:
    book = ledger.read()
    assert {(claim.paper, claim.group) for claim in book.claims} == {
        (paper, group) for paper, groups in book.groups.items() for group in groups
    }
    for claim in book.claims:
        assert re.fullmatch(r"[A-Z].*\.", claim.says), claim.id


def cells(paper: str) -> dict[str, Claim]:
    return {claim.id: claim for claim in ledger.read().of(paper)}


def test_table_1_of_lcqhnn_is_complete_and_each_cell_is_that_of_its_model_and_epoch() -> None:
    found = {name: claim for name, claim in cells("lcqhnn").items() if re.fullmatch(r"L6-\w+-\w+-\d+", name)}
    assert len(found) == 2 * 4 * 3
    for name, claim in found.items():
        _, dataset, model, epoch = name.split("-")
        variant = model if model == "lcqhnn" else model.replace("cnn", "cnn-")
        assert isinstance(claim.ours, Curve) and claim.ours.otherwise, name
        assert (claim.ours.curve, claim.ours.of) == ("test_accuracy", f"lcqhnn-{dataset}/{variant}")
        assert claim.ours.epoch == int(epoch)
        assert claim.ours.otherwise == {"curve": "val_accuracy"}
        assert f"{claim.printed.number:g} %" in claim.says and f"after epoch {epoch}." in claim.says
    assert found["L6-fashion-cnn4-25"].printed.text == "91.41 %"


def test_every_accuracy_on_drawn_images_is_judged_with_their_draw() -> None:
    book = ledger.read()
    for experiment, curves in book.samples.items():
        for config in experiments.get(experiment).variants.values():
            sizes = {"test_accuracy": config.n_test, "val_accuracy": config.n_val}
            assert {curve: draw.drawn for curve, draw in curves.items()} == {curve: sizes[curve] for curve in curves}
    assert {"lcqhnn-mnist", "lcqhnn-fashion", "hqnn-medical"} <= set(book.samples)
    audit = records.measured("hqnn-medical-audit").result
    assert book.samples["hqnn-medical"]["test_accuracy"].of == audit["images"].mean


@pytest.mark.parametrize("name", ["lcqhnn-mnist", "lcqhnn-fashion"])
def test_the_samples_in_the_ledger_are_drawn_from_what_the_datasets_hold(name: str) -> None:
    from hqnn import datasets

    config = experiments.get(name).variants["lcqhnn"]
    if not datasets.is_available(config.dataset):
        pytest.skip(f"{config.dataset} is not here")
    dataset, curves = datasets.load(config.dataset), ledger.read().samples[name]
    for split, curve in ((dataset.test, "test_accuracy"), (dataset.train, "val_accuracy")):
        assert curves[curve].of == sum(int((split.labels == label).sum()) for label in config.classes)


def test_rows_that_name_a_gap_agree_with_the_accuracies_printed_for_it() -> None:
    """The printed leads are the differences of the printed accuracies, of the same two series in the same order."""
    found = [claim for paper in ledger.read().groups for claim in cells(paper).values()]
    printed = {
        (claim.ours.of, claim.ours.epoch): claim.printed.number
        for claim in found
        if isinstance(claim.ours, Curve) and claim.ours.curve == "test_accuracy"
    }
    gaps = [claim for claim in found if isinstance(claim.ours, Lead) and "-gap" in claim.id]
    assert len(gaps) == 6
    for claim in gaps:
        assert isinstance(claim.ours, Lead)
        first, second = (printed[series, claim.ours.epoch] for series in (claim.ours.of, claim.ours.over))
        assert claim.printed.number == pytest.approx(first - second), claim.id


def test_measurements_hold_what_claims_ask_for() -> None:
    for claim in ledger.read().claims:
        if isinstance(claim.ours, Measured):
            assert claim.ours.measured in measurements.everything(), claim.id
            if (storage.DATA / "analyses" / f"{claim.ours.measured}.json").exists():
                assert claim.ours.key in records.measured(claim.ours.measured).result, claim.id


def test_claims_are_of_three_kinds() -> None:
    kinds = Counter(claim.kind for claim in ledger.read().claims)
    assert set(kinds) <= {"setup", "theory", "result", "slip", "question"}
    assert kinds["result"] > kinds["setup"] > kinds["theory"]


def test_the_table_on_the_scoreboard_is_the_stored_one() -> None:
    notebook = json.loads((ROOT / "book" / "scoreboard.ipynb").read_text(encoding="utf-8"))
    shown = "".join(
        "".join(output["data"].get("text/html", ""))
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "data" in output
    )
    rows = re.findall(r'<tr id="([^"]+)" [^>]*data-verdict="([^"]+)">', shown)
    stored = claims.stored()
    assert rows == [(one.claim.id, str(one.judgement.verdict)) for one in stored]


def test_a_changed_record_or_row_changes_the_verdicts(results: list[Result], tmp_path: Path) -> None:
    claims.write_snapshot(results[1:], tmp_path / "verdicts.json")
    assert claims.changes(results[1:], tmp_path / "verdicts.json") == []
    found = claims.changes(results[:-1], tmp_path / "verdicts.json")
    assert found == [f"{results[0].claim.id} is new.", f"{results[-1].claim.id} is gone."]
    rows = json.loads((tmp_path / "verdicts.json").read_bytes())
    rows[3]["ours"] = 7
    (tmp_path / "verdicts.json").write_text(json.dumps(rows))
    (change,) = claims.changes(results[1:], tmp_path / "verdicts.json")
    assert change == f"{rows[3]['id']}: ours was 7 and is {results[4].as_dict()['ours']!r}."
