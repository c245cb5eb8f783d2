"""The ledger's shape, and that a wrong row is named, with its field, in one clear sentence."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from claiming import ROW

from hqnn import claims
from hqnn.claims import ledger
from hqnn.claims.ledger import LedgerError, as_printed
from hqnn.errors import HqnnError

CURVE = {"curve": "test_accuracy", "of": "lcqhnn-mnist/lcqhnn", "epoch": 10}
VALUE = {"name": "value", "tolerance": 0.2}
SOUND: dict[str, Any] = ROW | {"printed": "99.0 %", "against": 50.0, "ours": CURVE, "rule": VALUE}
LEAD = {"lead": "test_accuracy", "of": "a/b", "over": "a/c"}
SIGN: dict[str, Any] = ROW | {"ours": LEAD, "rule": "sign"}
SIZE: dict[str, Any] = {"computed": "hqnn.papers.hqnn.quantities.size", "of": "hqnn-mnist/hqnn", "part": "qubits"}


def written(folder: Path, row: object, paper: str = "lcqhnn", name: str = "L6-a", **top: Any) -> Path:
    """A ledger of one row."""
    document = {"groups": {"L6": "table 1"}, "claims": {name: row}} | top
    text = yaml.safe_dump(copy.deepcopy(document), allow_unicode=True, sort_keys=False)
    (folder / f"{paper}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "value", "decimals", "unit"),
    [
        ("91.41 %", 91.41, 2, "%"),
        ("100.00 %", 100, 2, "%"),
        ("0.020", 0.02, 3, ""),
        ("16 pixels per channel", 16, 0, "pixels per channel"),
        (45194, 45194, 0, ""),
        ("-0.5", -0.5, 1, ""),
        ("H(0 1) CX(01)", "H(0 1) CX(01)", 0, ""),
    ],
)
def test_what_is_printed_is_kept_digit_for_digit(text: object, value: object, decimals: int, unit: str) -> None:
    found = as_printed(text)
    assert (found.value, found.decimals, found.unit, found.text) == (value, decimals, unit, str(text))
    assert type(found.value) is type(value)
    assert found.rounding == 0.5 / 10**decimals


def test_a_row_has_defaults_and_a_unit(tmp_path: Path) -> None:
    (claim,) = ledger.read(written(tmp_path, SOUND)).claims
    assert (claim.id, claim.group, claim.paper, claim.note, claim.unit) == ("L6-a", "L6", "lcqhnn", "", "%")
    (bare,) = ledger.read(written(tmp_path, ROW)).claims
    assert (bare.printed.text, bare.printed.value, bare.ours, bare.rule) == ("", None, None, None)
    (sign,) = ledger.read(written(tmp_path, SIGN)).claims
    assert sign.unit == "points"
    assert ledger.read(written(tmp_path, ROW | {"unit": "days"})).claims[0].unit == "days"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"place": None}, "place: input should be a valid string, not None"),
        ({"says": "  "}, "says: string should have at least 1 character"),
        ({"kind": "idea"}, "kind: input should be 'setup', 'theory', 'result', 'slip' or 'question', not 'idea'"),
        ({"printed": [1, 2]}, "printed: must be a text"),
        ({"printed": 99.0}, "printed: .*quotation marks, so that its digits are kept"),
        ({"printed": True}, "printed: must be a text"),
        ({"printed": "about all"}, "printed must be a number, for the rule 'value' needs one"),
        ({"printed": None}, "printed: "),
        ({"verdict": "reproduced"}, "verdict: extra inputs are not permitted"),
        ({"ours": None}, "ours and rule go together"),
        ({"rule": None}, "ours and rule go together"),
        ({"ours": {"curves": "x"}}, "ours: must be a mapping that begins with one of curve, lead"),
        ({"ours": {"of": "a/b", "curve": "x"}}, "ours: must be a mapping that begins with one of curve, lead"),
        ({"ours": CURVE | {"epoch": "ten"}}, "ours.epoch: input should be a valid integer, not 'ten'"),
        ({"ours": CURVE | {"epoch": 0}}, "ours.epoch: input should be greater than or equal to 1, not 0"),
        ({"ours": CURVE | {"of": "lcqhnn"}}, "ours.of: string should match pattern"),
        ({"ours": CURVE | {"colour": 1}}, "ours.colour: extra inputs are not permitted"),
        ({"ours": {"curve": "x"}}, "ours.of: field required"),
        ({"ours": {"epochs_to": 99, "of": "a/b"}}, "ours.epochs_to: input should be less than 1, not 99"),
        ({"ours": {"epochs_to": 0.9, "of": "a/b"}}, "printed is in '%', but ours in 'epochs'"),
        ({"ours": {"places": ["one"], "finding": "x"}}, "ours.places: tuple should have at least 2 items"),
        ({"rule": "magic"}, "rule: must be, or have as its name, one of value, bound, sign, equality, exact"),
        ({"rule": {"name": "value", "tolerance": -1}}, "rule.tolerance: input should be greater than or equal to 0"),
        ({"rule": {"name": "value", "tolerance": float("nan")}}, "rule.tolerance: "),
        ({"rule": {"name": "value", "of": "both"}}, "rule.of: input should be 'run' or 'mean', not 'both'"),
        ({"lead": 3.0}, "lead is the size of what the rule 'sign' decides, and the row has another rule"),
        ({"rule": {"name": "equality", "tolerance": 1}}, "against gives the rule 'value' its resolution"),
        ({"against": float("inf")}, "against: "),
        ({"power": 0.8}, "power is stated of a question of our own"),
        ({"kind": "question"}, "power is stated of a question of our own"),
        ({"kind": "question", "power": 1.0}, "power: input should be less than 1"),
        ({"against": None}, "it has no resolution: name its comparison in `compared`, or a value in `against`"),
        ({"rule": VALUE | {"resolution": 10}}, "rule.resolution: extra inputs are not permitted"),
        ({"against": 99.0}, "its resolution would be 0: name in `compared` or `against` a value that differs"),
        ({"rule": {"name": "value", "side": "at most"}}, "rule.side: extra inputs are not permitted"),
        ({"rule": {"name": "bound", "side": "around"}}, "rule.side: input should be 'at most' or 'at least'"),
        ({"rule": "bound"}, "rule.side: field required"),
        ({"rule": "equality"}, "rule.tolerance: field required"),
    ],
)
def test_a_wrong_field_is_named_with_its_row(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(LedgerError, match=rf"^lcqhnn\.yaml, L6-a: {message}"):
        ledger.read(written(tmp_path, SOUND | change))


def book(folder: Path, **rows: dict[str, Any]) -> ledger.Ledger:
    """A ledger of several rows, L6-a and so on."""
    return ledger.read(written(folder, {}, claims={f"L6-{name}": row for name, row in rows.items()}))


def test_a_values_resolution_is_the_smallest_difference_of_its_comparison(tmp_path: Path) -> None:
    def cell(printed: str, **more: object) -> dict[str, Any]:
        return ROW | {"printed": printed, "ours": CURVE, "rule": VALUE, "compared": "table 1"} | more

    rows = {"a": cell("99.0 %"), "b": cell("96.5 %"), "c": cell("97.75 %"), "d": cell("99.00 %")}
    found = book(tmp_path, **rows, e=cell("99.5 %", compared="table 2"), f=cell("98 %", compared="table 2"))
    assert [found.printed(claim).resolution for claim in found.claims] == [1.25] * 4 + [1.5] * 2
    close = book(tmp_path, a=cell("99.0 %"), b=cell("99.01 %"))
    assert [close.printed(claim).resolution for claim in close.claims] == pytest.approx([0.05, 0.01])  # half of 0.1
    stated = book(tmp_path, a=cell("99.0 %", against=50.0), b=cell("96.5 %"), c=cell("96.0 %"))
    assert stated.printed(stated.find("L6-a")).resolution == 49
    with pytest.raises(LedgerError, match=r"lcqhnn\.yaml, L6-a: its resolution would be 0"):
        book(tmp_path, a=cell("99.0 %"), b=cell("99.00 %"))


def test_a_leads_resolution_is_its_own_size_and_a_sign_knows_its_lead(tmp_path: Path) -> None:
    gap = ROW | {"printed": "-0.50 points", "ours": LEAD, "rule": VALUE}
    found = book(tmp_path, gap=gap, x=SIGN | {"lead": "L6-gap"}, y=SIGN | {"lead": 3}, z=SIGN)
    told = {claim.id: found.printed(claim) for claim in found.claims}
    assert [one.lead for one in told.values()] == [None, -0.5, 3, None]
    assert [one.resolution for one in told.values()] == [0.5, None, None, None]
    for kind in ("epochs_saved", "speed_gain"):
        speed = {kind: 0.9, "of": "a/b", "over": "a/c"}
        (claim,) = book(tmp_path, a=gap | {"printed": "18", "ours": speed}).claims
        assert book(tmp_path, a=gap | {"printed": "18", "ours": speed}).printed(claim).resolution == 18
    with pytest.raises(LedgerError, match=r"L6-x: There is no claim 'L6-gop': did you mean L6-gap"):
        book(tmp_path, gap=gap, x=SIGN | {"lead": "L6-gop"})
    with pytest.raises(LedgerError, match=r"L6-x: printed: the rule needs a number, not ''"):
        book(tmp_path, z=SIGN, x=SIGN | {"lead": "L6-z"})


def test_a_question_of_our_own_states_its_power(tmp_path: Path) -> None:
    question = SIGN | {"kind": "question", "place": "book/hqnn/02-mnist", "power": 0.8, "lead": 0.5}
    (claim,) = book(tmp_path, a=question).claims
    assert (claim.kind, claim.power, claim.lead) == ("question", 0.8, 0.5)


@pytest.mark.parametrize("missing", ["place", "says", "kind"])
def test_a_missing_field_is_named(tmp_path: Path, missing: str) -> None:
    row = {key: value for key, value in ROW.items() if key != missing}
    with pytest.raises(LedgerError, match=rf"^lcqhnn\.yaml, L6-a: {missing}: field required\.$"):
        ledger.read(written(tmp_path, row))


@pytest.mark.parametrize(("name", "message"), [("L6", "id: "), ("L7-a", "there is no group 'L7'; choose from L6")])
def test_an_id_is_a_group_and_a_name(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(LedgerError, match=rf"lcqhnn\.yaml, {name}: {message}"):
        ledger.read(written(tmp_path, ROW, name=name))


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ({"samples": {"e": {"test_accuracy": {"drawn": 10, "of": 5}}}}, "10 images cannot be drawn out of 5"),
        ({"samples": {"e": {"test_accuracy": {"drawn": 0, "of": 5}}}}, "samples.e.test_accuracy.drawn"),
        ({"samples": {"e": 3}}, "samples.e"),
        ({"groups": {}}, "groups"),
        ({"other": 1}, "other"),
        ({"claims": {"L6-a": 3}}, "a row is a mapping of fields, not 3"),
    ],
)
def test_the_rest_of_a_file_is_checked_too(tmp_path: Path, top: dict[str, Any], message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        ledger.read(written(tmp_path, ROW, **top))


def test_an_id_occurs_once(tmp_path: Path) -> None:
    written(tmp_path, ROW, "lcqhnn")
    with pytest.raises(LedgerError, match=r"hqnn\.yaml, L6-a: it is in another file too"):
        ledger.read(written(tmp_path, ROW, "hqnn"))
    (tmp_path / "hqnn.yaml").write_text("groups: {L6: x}\nclaims:\n  L6-b: {}\n  L6-b: {}\n")
    with pytest.raises(LedgerError, match=r"hqnn\.yaml is not valid YAML: 'L6-b' occurs twice.*line 3"):
        ledger.read(tmp_path)


def test_files_that_are_no_ledger_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="There is no ledger in"):
        ledger.read(tmp_path)
    path = tmp_path / "lcqhnn.yaml"
    for content, message in ((b"a: [", "not valid YAML"), (b"\xff\xfe\x00", "not valid YAML"), (b"- 1", "yaml: ")):
        path.write_bytes(content)
        with pytest.raises(LedgerError, match=message):
            ledger.read(tmp_path)
    path.rename(tmp_path / "nature.yaml")
    with pytest.raises(LedgerError, match=r"nature\.yaml is about no paper: make the folder nature"):
        ledger.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"computed": "hqnn.nowhere.size"}, "ours.computed: there is no function hqnn.nowhere.size"),
        ({"computed": "hqnn.papers.hqnn.quantities.sise"}, "ours.computed: there is no function"),
        ({"colour": 1}, r"ours\.colour: hqnn\.papers\.hqnn\.quantities\.size takes no such argument"),
        ({"part": "everything"}, "ours.part: Input should be 'features', .* not 'everything'"),
        ({"of": 3}, "ours.of: Input should be a valid string, not 3"),
    ],
)
def test_what_a_function_is_given_is_checked(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    assert len(claims.load(written(tmp_path, ROW | {"ours": SIZE, "rule": "exact"})).claims) == 1
    with pytest.raises(LedgerError, match=rf"^lcqhnn\.yaml, L6-a: {message}"):
        claims.load(written(tmp_path, ROW | {"ours": SIZE | change, "rule": "exact"}))
    needs = {key: value for key, value in SIZE.items() if key != "part"}
    with pytest.raises(LedgerError, match=r"ours\.part: .* needs this argument"):
        claims.load(written(tmp_path, ROW | {"ours": needs, "rule": "exact"}))


def test_claims_are_found_by_paper_group_and_id(tmp_path: Path) -> None:
    written(tmp_path, ROW, "transfer", "S1-a", groups={"S1": "x"})
    book = ledger.read(written(tmp_path, ROW))
    assert list(book.groups) == ["lcqhnn", "transfer"]  # the book's order
    assert [claim.id for claim in book.of()] == ["L6-a", "S1-a"]
    assert [claim.id for claim in book.of("transfer")] == [claim.id for claim in book.of(groups=["S1"])] == ["S1-a"]
    assert book.of(groups=()) == ()
    with pytest.raises(HqnnError, match="There is no paper 'other': choose from lcqhnn, transfer"):
        book.of("other")
    for paper, group in ((None, "L7"), ("transfer", "L6")):
        with pytest.raises(HqnnError, match=f"There is no group {group!r} here: choose from"):
            book.of(paper, [group])
    assert book.find("L6-a").paper == "lcqhnn"
    with pytest.raises(HqnnError, match="There is no claim 'L6-b': did you mean L6-a"):
        book.find("L6-b")
