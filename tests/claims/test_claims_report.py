"""Claims shown: as text, JSON, HTML and Markdown, on the command line."""

import io
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from claiming import judged
from IPython.display import Markdown
from synthetic import constant, write_records

from hqnn import claims, papers
from hqnn.__main__ import main
from hqnn.claims import Result, Verdict, ledger, report
from hqnn.claims.registration import STATUSES
from hqnn.errors import HqnnError

KEYS = [
    "id",
    "paper",
    "kind",
    "claim",
    "paper_value",
    "ours",
    "ci95",
    "n_seeds",
    "verdict",
    "evidence",
    "note",
    "first_rule",
    "registration",
]
VALUE = {"name": "value", "tolerance": 0.2}
CURVE = {"curve": "test_accuracy", "of": "lcqhnn-fashion/cnn-4", "epoch": 25}


@pytest.fixture(scope="module")
def stored() -> list[Result]:
    return claims.stored()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two rows, what is stored of them, and records good to judge them by."""
    (tmp_path / "claims").mkdir()
    document = yaml.safe_load((ledger.PATH / "lcqhnn.yaml").read_text(encoding="utf-8"))
    document["claims"] = {name: document["claims"][name] for name in ("L6-fashion-cnn4-25", "L6-eq8")}
    document["claims"]["L6-fashion-cnn4-25"] |= {"compared": None, "against": 50.0, "rule": VALUE}
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    (tmp_path / "claims" / "lcqhnn.yaml").write_text(text, encoding="utf-8")
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9 + 0.001 * seed for seed in range(10)])})
    assert main(["claims", "--update", "--root", str(tmp_path)]) == 0
    return tmp_path


def n_claims(results: list[Result]) -> int:
    """How many are sentences of the papers, not questions of our own."""
    return sum(one.claim.kind != "question" for one in results)


# --- forms


def test_numbers_of_a_measured_claim(data: Path) -> None:
    found = claims.result(ledger.read().find("L6-fashion-cnn4-25"), ledger.read(), data)
    assert found.as_dict() == {
        "id": "L6-fashion-cnn4-25",
        "paper": "lcqhnn",
        "kind": "result",
        "claim": "CNN-4 classifies 91.41 % of the FashionMNIST trouser/shirt test images correctly after epoch 25.",
        "paper_value": 91.41,
        "ours": 90.45,
        "ci95": pytest.approx(0.216581, rel=1e-4),
        "n_seeds": 10,
        "verdict": "undecided",
        "evidence": "data/runs/lcqhnn-fashion/cnn-4",
        "note": "One run lies within ±2.18 of ours, too wide to confirm 91.41: the paper concludes from differences of "
        "1.36.",
        "first_rule": "not reproduced",
        "registration": None,
    }
    assert list(found.as_dict()) == KEYS
    assert found.ours() == "90.45 ± 0.22 %"
    assert found.difference().startswith("-0.96, allowed ±2.")


def test_notes_are_sentences_of_the_evaluation_then_of_the_ledger(data: Path) -> None:
    claim = judged(data, CURVE, VALUE, "90.5 %").claim.model_copy(update={"note": "it is so.", "against": 90.4})
    noted = claims.result(claim, ledger.read(), data)
    assert noted.judgement.verdict == Verdict.UNDECIDED
    assert re.fullmatch(
        r"One run lies within .*: the paper concludes from differences of 0\.1\. It is so\.", noted.note
    )


def test_the_text_table_has_a_line_per_claim_and_the_counts(stored: list[Result]) -> None:
    lines = report.format_table(stored).splitlines()
    papers = list(ledger.read().groups)
    assert [line.split()[0] for line in lines[2 : 2 + len(stored)]] == [one.claim.id for one in stored]
    assert [line.split(":")[0] for line in lines[2 + len(stored) :]] == papers
    assert sum(int(n) for line in lines[-len(papers) :] for n in re.findall(r"\b(\d+) [a-z]", line)) == n_claims(stored)
    assert max(len(re.split(r"\s{2,}", line)[1]) for line in lines[2 : 2 + len(stored)]) <= 44


def test_the_html_table_has_a_row_per_claim_and_escapes_text(stored: list[Result]) -> None:
    text = report.to_html(stored)
    rows = re.findall(r'<tr id="(.+?)" data-paper="(.+?)" data-kind="(.+?)" data-verdict="(.+?)">', text)
    assert rows == [(o.claim.id, o.claim.paper, o.claim.kind, str(o.judgement.verdict)) for o in stored]
    assert text.count("<table") == text.count("<caption>") == len(ledger.read().groups)
    claim = stored[0].claim.model_copy(update={"says": "x < y & z."})
    (row,) = re.findall("<tr id.*</tr>", report.to_html([replace(stored[0], claim=claim)]), re.DOTALL)
    assert "<br>x &lt; y &amp; z.<br>evidence: <code>hqnn.papers.lcqhnn.quantities.gates</code>" in row
    number = next(one for one in stored if one.claim.id == "L6-mnist-lcqhnn-10")
    (row,) = re.findall("<tr id.*</tr>", report.to_html([number]), re.DOTALL)
    for shown in ("<td>100.00 %</td>", f"<td>{number.ours()} (n = 10)", "(result; table 1)<br>", "&nbsp;<strong>"):
        assert shown in row
    for shown in (
        "data/runs/lcqhnn-mnist/lcqhnn",
        "hqnn.claims.quantities.Curve",
        f"python -m hqnn claims {number.claim.id}",
    ):
        assert f"<code>{shown}</code>" in row
    noted = replace(number, note="H3-better: undecided. 2 < 3.")
    assert "<em><code>H3-better</code>: undecided. 2 &lt; 3.</em>" in report.to_html([noted])
    assert sum(n for verdicts in claims.counts(stored).values() for n in verdicts.values()) == n_claims(stored)


def test_claims_in_short_stand_with_their_verdict(stored: list[Result]) -> None:
    text = report.in_short("H6-medical", "L1", "L6").data
    found: dict[str, str] = {}
    for verdict, ids in re.findall(r"<strong>(.+?)</strong>:\n(.*?)</p>", text):
        found |= dict.fromkeys(re.findall("<code>(.+?)</code>", ids), verdict)
    chosen = {one.claim.id: one for one in stored if one.claim.group in ("L1", "L6") or one.claim.id == "H6-medical"}
    assert found == {name: str(one.judgement.verdict) for name, one in chosen.items()}
    assert report.in_short("L1-gates").data.count("<p ") == 1
    with pytest.raises(HqnnError, match=r"no claim or group 'L1-gate': did you mean L1-gates"):
        report.in_short("L1-gate")


def cells_of(shown: Markdown) -> list[list[str]]:
    """The lines of a Markdown table by their cells, without the caption above it."""
    caption, _, table = shown.data.partition("\n\n")
    assert caption.endswith(".")
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_subjects_divide_the_claims_by_verdict(stored: list[Result]) -> None:
    own = [one for one in stored if one.claim.paper == "lcqhnn"]
    groups = sorted({one.claim.group for one in own})
    cells = cells_of(report.by_subject(own, {"first": groups[:1], "others": groups[1:]}))
    counts = claims.counts(own)["lcqhnn"]
    assert cells[-1] == ["all", *(str(n) for n in counts.values() if n), str(n_claims(own))]
    assert cells[2][-1] == str(sum(one.claim.group == groups[0] for one in own))
    with pytest.raises(ValueError, match="must belong to one subject"):
        report.by_subject(own, {"first": groups[:1]})


def test_what_the_second_rule_changed_is_counted_by_both_verdicts(stored: list[Result]) -> None:
    header, _, *rows = cells_of(report.changed(stored))
    found = {(row[0], now): int(n) for row in rows for now, n in zip(header[1:], row[1:], strict=True) if n}
    changed = [(o.first_rule, str(o.judgement.verdict)) for o in stored if o.first_rule]
    assert found == Counter(pair for pair in changed if len(set(pair)) == 2)
    first = replace(stored[0], first_rule="undecided")
    shown = report.to_html([first, replace(stored[0], registration="amended")])
    assert shown.count("by the first rule: undecided") == shown.count("<br>amended</td>") == 1
    assert "by the first rule" not in report.to_html([replace(stored[0], first_rule="")])


def test_registrations_are_counted_by_paper(stored: list[Result]) -> None:
    given = [replace(one, registration=("registered", "no run")[k % 2]) for k, one in enumerate(stored)]
    header, *_, total = cells_of(report.registrations(given))
    assert header == ["rows of", *STATUSES]
    assert total == ["all", str((len(stored) + 1) // 2), "0", "0", str(len(stored) // 2)]


def test_headlines_count_results_and_no_questions_of_ours(stored: list[Result]) -> None:
    found = claims.counts(stored, "result")
    for paper, verdicts in found.items():
        own = [one for one in stored if one.claim.paper == paper and one.claim.kind == "result"]
        assert verdicts == {v: sum(one.judgement.verdict == v for one in own) for v in Verdict}
    asked = replace(stored[0], claim=stored[0].claim.model_copy(update={"kind": "question"}))
    assert sum(claims.counts([asked])["lcqhnn"].values()) == 0


def test_contradictions_name_both_sides() -> None:
    own = claims.evaluate("transfer", groups=["S3", "S6"])
    rows = cells_of(report.contradictions(own))[2:]
    assert len(rows) == claims.counts(own)["transfer"][Verdict.CONTRADICTED] == 3
    assert all(all(row[:2]) for row in rows)


# --- the command line


def test_the_command_shows_what_is_stored_and_evaluates_nothing(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(data / "runs")
    capsys.readouterr()
    assert main(["claims", "--json", "--root", str(data)]) == 0
    shown = capsys.readouterr().out
    assert shown == (data / "verdicts.json").read_text(encoding="utf-8")
    assert [row["ours"] for row in json.loads(shown)] == [90.45, None]
    assert main(["claims", "--root", str(data)]) == 0
    assert "90.45 ± 0.22 %" in capsys.readouterr().out
    assert main(["claims", "--json", "--check", "--root", str(data)]) == 1
    checked = capsys.readouterr()
    assert [row["ours"] for row in json.loads(checked.out)] == [None, None]
    assert "L6-fashion-cnn4-25: verdict was 'reproduced' and is 'not yet evaluated'." in checked.err
    assert "Store them with `python -m hqnn claims --update`." in checked.err
    monkeypatch.setattr(claims, "evaluate", lambda *_, **__: claims.stored(root=data))
    assert main(["claims", "--check", "--root", str(data)]) == 0
    assert capsys.readouterr().err == f"2 claims evaluated, 0 changes against {data / 'verdicts.json'}.\n"
    monkeypatch.undo()
    assert main(["claims", "--update", "--root", str(data)]) == 0
    assert "L6-fashion-cnn4-25: verdict was 'reproduced' and is 'not yet evaluated'." in capsys.readouterr().out


def test_a_fresh_evaluation_asks_the_history(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = "exploratory"
    monkeypatch.setattr(claims, "registered", lambda rows, _root: [replace(one, registration=found) for one in rows])
    assert main(["claims", "--check", "--root", str(data)]) == 1
    assert main(["claims", "--update", "--root", str(data)]) == 0
    assert {one.registration for one in claims.stored(root=data)} == {found}


def test_stored_verdicts_are_shown_without_what_makes_them() -> None:
    program = "import sys; from hqnn.__main__ import main; main(['claims', '--paper', 'transfer']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "S6-lower" in done.stdout
    assert not {"torch", "qiskit", "pandas", "scipy", "IPython"} & set(done.stdout.splitlines()[-1].split())


def test_one_claim_is_explained_run_by_run(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["claims", "L6-fashion-cnn4-25", "--root", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    fields = dict(re.findall(r"^([\w ]+?)\s{2,}(.*)$", "\n".join(lines[1:]), re.MULTILINE))
    assert fields["quantity"].startswith("curve: test_accuracy, of: lcqhnn-fashion/cnn-4, epoch: 25")
    assert fields["rule"] == "value, tolerance: 0.2"
    assert fields["by the first rule"] == "no such row"  # this ledger keeps none
    assert "registration" not in fields  # nor is it in a clone
    assert (fields["printed"], fields["ours"]) == ("91.41 %", "90.45 ± 0.22 % (n = 10)")
    assert fields["again"] == "python -m hqnn verify --rerun L6-fashion-cnn4-25"
    runs = [line.split() for line in lines[-10:]]
    assert [run[:3] for run in runs] == [["lcqhnn-fashion/cnn-4", str(k), f"{90 + k / 10:g}"] for k in range(10)]
    assert main(["claims", "L6-eq8", "--root", str(data)]) == 0
    assert "≠ contradicted by the paper itself" in capsys.readouterr().out
    assert main(["claims", "L6-fashion-cnn4", "--root", str(data)]) == 2
    assert "error: There is no claim 'L6-fashion-cnn4': did you mean L6-fashion-cnn4-25" in capsys.readouterr().err


def test_a_lead_is_explained_by_both_series(data: Path) -> None:
    write_records(data, "lcqhnn-fashion", {"lcqhnn": constant([0.95] * 10)})
    claim = ledger.read().find("L9-cnn4-gap")
    lines = report.explain(claim, ledger.read(), data).splitlines()
    assert lines[-20].split()[:4] == ["lcqhnn-fashion/lcqhnn", "0", "95", "5"]
    assert lines[-1].split()[:3] == ["lcqhnn-fashion/cnn-4", "9", "90.9"]


def test_the_command_stores_the_verdicts_of_all_papers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--update", "--paper", "hqnn", "--root", str(tmp_path)]) == 2
    assert "Leave out --paper with --update" in capsys.readouterr().err
    assert not (tmp_path / "verdicts.json").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_the_command_prints_in_any_encoding(
    encoding: str, form: list[str], stored: list[Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = io.BytesIO()
    stdout = io.TextIOWrapper(page, encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "__stdout__", stdout)
    assert main(["claims", *form]) == 0
    shown = page.getvalue().decode(encoding)
    if form:
        assert json.loads(shown) == [one.as_dict() for one in stored]
    else:
        assert shown == report.format_table(stored).encode(encoding, "replace").decode(encoding) + "\n"
        assert "?" in shown


def test_what_is_wrong_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--paper", "nature"]) == 2
    assert capsys.readouterr().err == f"error: There is no paper 'nature': choose from {', '.join(papers.names())}.\n"
    rows = json.loads((data / "verdicts.json").read_bytes())
    (data / "verdicts.json").write_text(json.dumps(rows[1:]))
    with pytest.raises(HqnnError, match=r"No verdict of L6-fashion-cnn4-25 is stored: store it with"):
        claims.stored(root=data)
    for text in ("{", "[1]", None):
        (data / "verdicts.json").unlink() if text is None else (data / "verdicts.json").write_text(text)
        for look in (lambda: claims.stored(root=data), lambda: claims.changes([], data / "verdicts.json")):
            with pytest.raises(HqnnError, match="write it with `python -m hqnn claims --update`"):
                look()
