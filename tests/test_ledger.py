"""The ledger's shape, and that a wrong row is named in one clear sentence."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from hqnn import claims, ledger
from hqnn.ledger import GROUPS, LedgerError

ROW: dict[str, Any] = {"id": "L6-a", "place": "table 1", "statement": "It says so.", "evaluator": None}
DOCUMENT: dict[str, Any] = {"samples": {}, "claims": {paper: [] for paper in GROUPS}}


def written(folder: Path, *rows: Any, **top: Any) -> Path:
    document = copy.deepcopy(DOCUMENT) | top
    if rows:
        document["claims"]["lcqhnn"] = list(rows)
    path = folder / "claims.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def test_every_group_of_every_paper_has_a_row() -> None:
    found = {(claim.paper, claim.group) for claim in ledger.read().claims}
    assert found == {(paper, group) for paper, groups in GROUPS.items() for group in groups}


def test_table_1_of_lcqhnn_is_complete() -> None:
    cells = {claim.id: claim.value for claim in ledger.read().claims if claim.evaluator == "accuracy"}
    assert len(cells) == 2 * 4 * 3
    assert cells["L6-fashion-cnn4-25"] == 91.41
    assert cells["L6-mnist-cnn16-10"] == 99.8


def test_statements_are_sentences() -> None:
    for claim in ledger.read().claims:
        assert claim.statement.endswith("."), claim.id
        assert claim.statement[0].isupper(), claim.id


def test_a_row_has_defaults(tmp_path: Path) -> None:
    (claim,) = ledger.read(written(tmp_path, ROW)).claims
    assert (claim.group, claim.paper, claim.runs, claim.tolerance) == ("L6", "lcqhnn", 1, 0.0)
    assert claim.printed() == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "H6-a"}, "Claim H6-a: an id of lcqhnn is one of its groups"),
        ({"id": "L14-a"}, "Claim L14-a: an id of lcqhnn"),
        ({"id": "L6"}, "Claim L6: an id of lcqhnn"),
        ({"place": None}, "Claim L6-a: 'place' is None, but it must be str"),
        ({"statement": "  "}, "Claim L6-a: 'statement' is empty"),
        ({"value": [1, 2]}, r"Claim L6-a: 'value' is \[1, 2\], but it must be int or float or str or null"),
        ({"value": True}, "Claim L6-a: 'value' is True"),
        ({"decimals": 1.5}, "Claim L6-a: 'decimals' is 1.5, but it must be int"),
        ({"tolerance": -1}, "Claim L6-a: 'tolerance' is -1, but it cannot be negative"),
        ({"tolerance": float("nan")}, "Claim L6-a: 'tolerance' is nan"),
        ({"runs": 0}, "Claim L6-a: 'runs' is 0"),
        ({"verdict": "reproduced"}, "Claim L6-a has an unknown field 'verdict'"),
        ({"arguments": {"epoch": 1}}, "Claim L6-a has arguments but no evaluator"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        ledger.read(written(tmp_path, ROW | change))


@pytest.mark.parametrize("missing", ["place", "statement", "evaluator"])
def test_a_missing_field_is_named(tmp_path: Path, missing: str) -> None:
    row = {key: value for key, value in ROW.items() if key != missing}
    with pytest.raises(LedgerError, match=f"Claim L6-a has no '{missing}'"):
        ledger.read(written(tmp_path, row))


def test_a_row_without_an_id_is_counted(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="Claim number 2 of lcqhnn has no id"):
        ledger.read(written(tmp_path, ROW, {"place": "table 1"}))


def test_a_repeated_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="Claim L6-a occurs twice"):
        ledger.read(written(tmp_path, ROW, ROW))


@pytest.mark.parametrize(
    "samples",
    [{"lcqhnn-mnist": {"test_accuracy": {"drawn": 10, "of": 5}}}, {"lcqhnn-mnist": 3}, [1], {"a": {"b": {"c": 1}}}],
)
def test_impossible_samples_are_refused(tmp_path: Path, samples: Any) -> None:
    with pytest.raises(LedgerError, match="The ledger's 'samples' must map"):
        ledger.read(written(tmp_path, samples=samples))


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    with pytest.raises(LedgerError, match="There is no ledger"):
        ledger.read(path)
    for text, message in (
        ("a: [", "not valid YAML"),
        (b"\xff\xfe\x00", "not valid YAML"),
        ("- 1", "exactly the keys"),
        ("claims: {}\nsamples: {}", "must be lists grouped"),
        ("claims: {lcqhnn: 1, hqnn: [], transfer: []}\nsamples: {}", "must be lists grouped"),
    ):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(LedgerError, match=message):
            ledger.read(path)


ACCURACY: dict[str, Any] = ROW | {
    "value": 99.0,
    "evaluator": "accuracy",
    "arguments": {"experiment": "lcqhnn-mnist", "variant": "lcqhnn", "epoch": 10},
}
SAMPLES = {"lcqhnn-mnist": {"test_accuracy": {"drawn": 1024, "of": 2115}, "val_accuracy": {"drawn": 512, "of": 12665}}}


def test_a_row_that_can_be_evaluated_is_accepted(tmp_path: Path) -> None:
    assert len(claims.load(written(tmp_path, ACCURACY, samples=SAMPLES)).claims) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"evaluator": "magic"}, "Claim L6-a: there is no evaluator 'magic'; choose from accuracy"),
        ({"value": None}, "Claim L6-a: its evaluator 'accuracy' needs a number"),
        ({"arguments": {"experiment": "lcqhnn-mnist", "variant": "lcqhnn"}}, "needs the argument 'epoch'"),
        ({"arguments": ACCURACY["arguments"] | {"colour": 1}}, "takes no argument 'colour'"),
        ({"arguments": ACCURACY["arguments"] | {"epoch": "ten"}}, "the argument 'epoch' is 'ten'"),
        ({"arguments": ACCURACY["arguments"] | {"experiment": "lcqhnn-fashion"}}, "do not say how the images"),
    ],
)
def test_a_row_that_cannot_be_evaluated_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        claims.load(written(tmp_path, ACCURACY | change, samples=SAMPLES))
