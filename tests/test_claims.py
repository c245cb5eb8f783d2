"""The verdicts as a whole: evaluated, shown in three forms, and guarded by a snapshot."""

import io
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from synthetic import constant, write_records

from hqnn import claims, ledger, storage
from hqnn.__main__ import main
from hqnn.errors import HqnnError
from hqnn.verdicts import Verdict

KEYS = ["id", "paper", "claim", "paper_value", "ours", "ci95", "n_seeds", "verdict", "evidence", "note"]
ROOT = storage.DATA.parent


@pytest.fixture(scope="module")
def results() -> list[claims.Result]:
    """The committed ledger judged by the committed records."""
    return claims.evaluate()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder with records of one experiment, good to judge the rows about CNN-4 on FashionMNIST."""
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9 + 0.001 * seed for seed in range(10)])})
    yield tmp_path


def row(results: list[claims.Result], name: str) -> claims.Result:
    (found,) = (result for result in results if result.claim.id == name)
    return found


# --- the snapshot


def test_the_stored_verdicts_are_current(results: list[claims.Result]) -> None:
    assert claims.changes(results) == [], "look at the changes, then run `python -m hqnn claims --update`"


def test_the_scoreboard_shows_the_current_verdicts(results: list[claims.Result]) -> None:
    notebook = json.loads((ROOT / "book" / "scoreboard.ipynb").read_text(encoding="utf-8"))
    shown = [
        "".join(output["data"]["text/html"])
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    for paper in ledger.GROUPS:
        assert claims.to_html([result for result in results if result.claim.paper == paper]) in shown
    assert claims.counts_to_html(results) in shown


def test_a_changed_record_changes_the_verdicts(data: Path, tmp_path: Path) -> None:
    before = claims.evaluate("lcqhnn", root=data)
    claims.write_snapshot(before, tmp_path / "verdicts.json")
    assert claims.changes(before, tmp_path / "verdicts.json") == []
    write_records(data, "lcqhnn-fashion", {"cnn-4": constant([0.5])})
    found = claims.changes(claims.evaluate("lcqhnn", root=data), tmp_path / "verdicts.json")
    assert any(line.startswith("L6-fashion-cnn4-25: ours was 90.45 and is 86.45") for line in found)


def test_a_changed_claim_changes_the_verdicts(data: Path, tmp_path: Path) -> None:
    claims.write_snapshot(claims.evaluate(root=data), tmp_path / "verdicts.json")
    document = yaml.safe_load(ledger.PATH.read_text(encoding="utf-8"))
    (changed,) = (r for r in document["claims"]["lcqhnn"] if r["id"] == "L6-fashion-cnn4-25")
    changed["value"] = 81.41
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    found = claims.changes(claims.evaluate(path=path, root=data), tmp_path / "verdicts.json")
    assert "L6-fashion-cnn4-25: paper_value was 91.41 and is 81.41." in found
    assert "L6-fashion-cnn4-25: verdict was 'reproduced' and is 'not reproduced'." in found


def test_rows_that_come_and_go_are_changes(data: Path, tmp_path: Path) -> None:
    some = claims.evaluate("transfer", root=data)
    claims.write_snapshot(some[1:], tmp_path / "verdicts.json")
    assert claims.changes(some[:-1], tmp_path / "verdicts.json") == [
        f"{some[0].claim.id} is new.",
        f"{some[-1].claim.id} is gone.",
    ]


def test_a_damaged_snapshot_says_how_to_write_it(tmp_path: Path) -> None:
    for text in (None, "{", "[1]"):
        if text:
            (tmp_path / "verdicts.json").write_text(text)
        with pytest.raises(HqnnError, match="write it with `python -m hqnn claims --update`"):
            claims.changes([], tmp_path / "verdicts.json")


# --- evaluation


def test_without_any_record_every_row_still_has_a_verdict(tmp_path: Path) -> None:
    found = claims.evaluate(root=tmp_path)
    assert len(found) == len(ledger.read().claims)
    assert row(found, "L6-fashion-cnn4-25").judgement.verdict == Verdict.NOT_YET
    assert row(found, "L6-test-images").judgement.verdict == Verdict.CONTRADICTED
    assert row(found, "S6-lower").judgement.verdict == Verdict.CONTRADICTED
    assert row(found, "H4-table-hqnn").judgement.verdict == Verdict.CONTRADICTED
    assert row(found, "L1-gates").judgement.verdict == Verdict.REPRODUCED


def test_a_verdict_always_has_evidence(results: list[claims.Result]) -> None:
    for result in results:
        assert result.judgement.evidence or result.judgement.verdict == Verdict.NOT_YET, result.claim.id


def test_evidence_in_the_repository_exists(results: list[claims.Result]) -> None:
    named = {place for result in results for place in re.findall(r"data/[\w./-]*\w", result.judgement.evidence)}
    assert [place for place in named if not (ROOT / place).exists()] == []


def test_table_1_is_on_the_grid_of_the_validation_images(results: list[claims.Result]) -> None:
    judgement = row(results, "L6-test-images").judgement
    assert judgement.ours == "16 of 16 values below 100 % are multiples of 1/512"
    assert "once in 65,536 tables" in judgement.note


def test_one_paper_at_a_time(tmp_path: Path) -> None:
    parts = [result.claim.id for paper in ledger.GROUPS for result in claims.evaluate(paper, root=tmp_path)]
    assert parts == [claim.id for claim in ledger.read().claims]
    with pytest.raises(HqnnError, match="There is no paper 'other': choose from lcqhnn, hqnn, transfer"):
        claims.evaluate("other")


def test_some_groups_of_claims(tmp_path: Path) -> None:
    found = claims.evaluate("lcqhnn", groups=("L1", "L13"), root=tmp_path)
    names = [c.id for c in ledger.read().claims if c.id.startswith(("L1-", "L13-"))]
    assert [result.claim.id for result in found] == names
    assert claims.evaluate(groups=(), root=tmp_path) == []
    with pytest.raises(HqnnError, match=r"There is no group 'L14' here: choose from L1, .*, S8\."):
        claims.evaluate(groups=("L14",))
    with pytest.raises(HqnnError, match=r"There is no group 'L1' here: choose from S1, "):
        claims.evaluate("transfer", groups=("L1",))


def test_the_samples_in_the_ledger_are_those_of_the_experiments() -> None:
    from hqnn import experiments

    for experiment, metrics in ledger.read().samples.items():
        for config in experiments.get(experiment).variants.values():
            sizes = {"test_accuracy": config.n_test, "val_accuracy": config.n_val}
            assert {metric: draw.drawn for metric, draw in metrics.items()} == {
                metric: sizes[metric] for metric in metrics
            }
            assert "test_accuracy" in metrics


def test_medical_mnists_test_images_are_drawn_from_all() -> None:
    from hqnn import analyses

    draw = ledger.read().samples["hqnn-medical"]["test_accuracy"]
    audit = analyses.load("hqnn-medical-audit")
    assert audit is not None
    assert draw.of == audit.result["images"].mean


@pytest.mark.parametrize("name", ["lcqhnn-mnist", "lcqhnn-fashion"])
def test_the_samples_in_the_ledger_are_drawn_from_what_the_datasets_hold(name: str) -> None:
    from hqnn import datasets, experiments

    config = experiments.get(name).variants["lcqhnn"]
    if not datasets.is_available(config.dataset):
        pytest.skip(f"{config.dataset} is not here")
    dataset, metrics = datasets.load(config.dataset), ledger.read().samples[name]
    for split, metric in ((dataset.test, "test_accuracy"), (dataset.train, "val_accuracy")):
        assert metrics[metric].of == sum(int((split.labels == label).sum()) for label in config.classes)


# --- forms


def test_as_dict_has_exactly_the_documented_keys(results: list[claims.Result]) -> None:
    for result in results:
        assert list(result.as_dict()) == KEYS


def test_json_is_a_list_of_the_same_objects(results: list[claims.Result]) -> None:
    text = claims.to_json(results)
    assert json.loads(text) == [result.as_dict() for result in results]
    assert len(text.splitlines()) == len(results) + 2


def test_numbers_of_a_measured_claim(data: Path) -> None:
    result = row(claims.evaluate("lcqhnn", root=data), "L6-fashion-cnn4-25")
    assert result.as_dict() == {
        "id": "L6-fashion-cnn4-25",
        "paper": "lcqhnn",
        "claim": "CNN-4 classifies 91.41 % of the FashionMNIST trouser/shirt test images correctly after epoch 25.",
        "paper_value": 91.41,
        "ours": 90.45,
        "ci95": pytest.approx(0.216581, rel=1e-4),
        "n_seeds": 10,
        "verdict": "reproduced",
        "evidence": "data/runs/lcqhnn-fashion/cnn-4",
        "note": None,
    }
    assert result.ours() == "90.45 ± 0.22 %"
    assert result.difference().startswith("-0.96, allowed ±2.")


def test_the_text_table_has_a_line_per_claim_and_the_counts(results: list[claims.Result]) -> None:
    lines = claims.format_table(results).splitlines()
    assert len(lines) == 2 + len(results) + len(ledger.GROUPS)
    assert [line.split()[0] for line in lines[2 : 2 + len(results)]] == [result.claim.id for result in results]
    total = sum(int(n) for line in lines[-len(ledger.GROUPS) :] for n in re.findall(r"\b(\d+) [a-z]", line))
    assert total == len(results)


def test_counts_list_every_verdict(results: list[claims.Result]) -> None:
    counts = claims.counts(results)
    assert list(counts) == list(ledger.GROUPS)
    assert all(set(verdicts) == set(Verdict) for verdicts in counts.values())
    assert sum(sum(verdicts.values()) for verdicts in counts.values()) == len(results)


def test_subjects_divide_the_claims_by_verdict(results: list[claims.Result]) -> None:
    own = [r for r in results if r.claim.paper == "lcqhnn"]
    groups = sorted({r.claim.group for r in own})
    lines = claims.by_subject(own, {"first": groups[:1], "others": groups[1:]}).data.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    counts = claims.counts(own)["lcqhnn"]
    assert cells[-1] == ["all", *(str(n) for n in counts.values() if n), str(len(own))]
    assert cells[2][-1] == str(sum(r.claim.group == groups[0] for r in own))
    with pytest.raises(ValueError, match="must belong to one subject"):
        claims.by_subject(own, {"first": groups[:1]})


def test_contradictions_name_both_sides(results: list[claims.Result]) -> None:
    own = [r for r in results if r.claim.paper == "lcqhnn"]
    rows = claims.contradictions(own).data.splitlines()[2:]
    assert len(rows) == claims.counts(own)["lcqhnn"][Verdict.CONTRADICTED]
    assert all(all(cell.strip() for cell in row.strip("|").split("|")[:2]) for row in rows)


def test_the_html_table_has_a_row_per_claim_and_escapes_text(results: list[claims.Result]) -> None:
    text = claims.to_html(results)
    rows = re.findall(r'<tr data-claim="([^"]+)" data-verdict="([^"]+)">', text)
    assert rows == [(result.claim.id, str(result.judgement.verdict)) for result in results]
    tricky = claims.Result(
        claim=ledger.Claim(id="L1-x", paper="lcqhnn", place="a", statement="x < y & z.", evaluator=None),
        judgement=results[0].judgement,
    )
    assert "x &lt; y &amp; z." in claims.to_html([tricky])


# --- the command line


def test_the_command_prints_the_table_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--paper", "transfer"]) == 0
    table = capsys.readouterr().out
    assert "S6-lower" in table
    assert "L1-gates" not in table
    assert main(["claims", "--json"]) == 0
    assert [list(row) for row in json.loads(capsys.readouterr().out)] == [KEYS] * len(ledger.read().claims)


def test_the_command_stores_the_verdicts_of_all_papers(
    results: list[claims.Result], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ledger.PATH, tmp_path)
    assert main(["claims", "--update", "--root", str(tmp_path)]) == 0
    assert [row["id"] for row in json.loads((tmp_path / "verdicts.json").read_bytes())] == [r.claim.id for r in results]
    (tmp_path / "verdicts.json").unlink()
    assert main(["claims", "--update", "--paper", "hqnn", "--root", str(tmp_path)]) == 2
    assert "Leave out --paper with --update" in capsys.readouterr().err
    assert not (tmp_path / "verdicts.json").exists()


def test_the_command_judges_the_records_of_another_folder_by_its_ledger(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = yaml.safe_load(ledger.PATH.read_text(encoding="utf-8"))
    document["claims"] = {paper: [] for paper in ledger.GROUPS} | {
        "lcqhnn": [row for row in document["claims"]["lcqhnn"] if row["id"] == "L6-fashion-cnn4-25"]
    }
    (data / "claims.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert main(["claims", "--json", "--root", str(data)]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["id"], found["ours"]) == ("L6-fashion-cnn4-25", 90.45)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_the_command_prints_in_any_encoding(
    encoding: str, form: list[str], results: list[claims.Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = io.BytesIO()
    stdout = io.TextIOWrapper(page, encoding)
    monkeypatch.setattr(claims, "evaluate", lambda *_, **__: results)
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "__stdout__", stdout)
    assert main(["claims", *form]) == 0
    shown = page.getvalue().decode(encoding)
    if form:
        assert json.loads(shown) == [result.as_dict() for result in results]
    else:
        replaced = claims.format_table(results).encode(encoding, "replace").decode(encoding)
        assert shown == f"{replaced}\n"
        assert "?" in shown


def test_the_command_refuses_an_unknown_paper(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--paper", "nature"]) == 2
    assert capsys.readouterr().err == "error: There is no paper 'nature': choose from lcqhnn, hqnn, transfer.\n"
