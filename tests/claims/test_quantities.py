"""Every kind of quantity, on records where its value is known."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from claiming import judged
from synthetic import constant, step, write_record, write_records

from hqnn import experiments, records
from hqnn.claims import Verdict, ledger
from hqnn.errors import HqnnError
from hqnn.stats import Interval, mean_interval

FIRST, SECOND = "lcqhnn-fashion/lcqhnn", "lcqhnn-fashion/cnn-4"
PAIR = {"of": FIRST, "over": SECOND}
CLIMB = [[0.5] * 9 + [0.9 + 0.001 * seed] + [0.8] * 39 + [0.99] for seed in range(10)]
EXACTLY = {"name": "value", "rounding": 0}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Records of two series: a curve with a peak at epoch 10, one that starts higher and has other losses."""
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": CLIMB}, validation=constant([0.8] * 10))
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.85 - 0.002 * seed for seed in range(10)])})
    for seed in range(5):
        for variant, loss in (("hqnn", 0.02), ("cnn", 0.04)):
            history = {"test_loss": [9.0, loss + 0.001 * seed * (variant == "cnn")]}
            write_record(tmp_path, f"hqnn-mnist/{variant}", seed, {"history": history})
    return tmp_path


@pytest.mark.parametrize(
    ("ours", "samples", "unit"),
    [
        ({"curve": "test_accuracy", "of": FIRST, "epoch": 10}, [90 + 0.1 * k for k in range(10)], ""),
        ({"curve": "test_accuracy", "of": FIRST, "epoch": 9}, [50.0] * 10, ""),
        ({"curve": "test_accuracy", "of": FIRST}, [99.0] * 10, ""),
        ({"curve": "test_loss", "of": "hqnn-mnist/cnn"}, [0.04 + 0.001 * k for k in range(5)], ""),
        ({"lead": "test_accuracy", **PAIR, "epoch": 10}, [5 + 0.3 * k for k in range(10)], "points"),
        ({"lead": "test_accuracy", **PAIR}, [14 + 0.2 * k for k in range(10)], "points"),
        (
            {"lead": "test_loss", "of": "hqnn-mnist/hqnn", "over": "hqnn-mnist/cnn"},
            [0.02 + 0.001 * k for k in range(5)],
            "",
        ),
        ({"epochs_to": 0.9, "of": FIRST}, [10.0] * 10, "epochs"),
        ({"epochs_to": 0.9025, "of": FIRST}, [50.0] * 3 + [10.0] * 7, "epochs"),
        ({"epochs_to": 0.843, "of": SECOND}, [1.0] * 4 + [51.0] * 6, "epochs"),
        ({"epochs_saved": 0.843, **PAIR}, [1 - 10.0] * 4 + [51 - 10.0] * 6, "epochs"),
        ({"speed_gain": 0.843, **PAIR}, [-900.0] * 4 + [100 * 41 / 51] * 6, "%"),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "",
)
def test_a_quantity_of_records(data: Path, ours: dict[str, Any], samples: Sequence[float], unit: str) -> None:
    found = judged(data, ours, "sign")
    assert found.quantity is not None
    assert found.quantity.samples == pytest.approx(dict(enumerate(samples)))
    assert found.quantity.value == mean_interval(list(found.quantity.samples.values()))
    assert found.quantity.series == tuple(ours[key] for key in ("of", "over") if key in ours)
    assert found.claim.unit == unit
    assert found.judgement.evidence == ", ".join(f"data/runs/{series}" for series in found.quantity.series)
    if "over" in ours:
        assert list(found.quantity.compared) == [ours["of"], ours["over"]]


def test_notes_say_which_runs_never_reach_a_threshold(data: Path) -> None:
    assert judged(data, {"epochs_to": 0.843, "of": SECOND}, "sign").judgement.note.endswith(
        "6 of 10 runs never reach 84.3 % and count as 51 epochs"
    )
    never = "6 of 10 runs never reach 84.3 % and count as 51 epochs"
    assert judged(data, {"speed_gain": 0.843, **PAIR}, EXACTLY, "10 %").judgement.note.endswith(f"cnn-4: {never}")
    saved = judged(data, {"epochs_saved": 0.843, **PAIR}, "sign").judgement
    assert saved.note.endswith(f"cnn-4: {never}")
    assert "exact sign-flip permutation: p = 0.0" in saved.note


def test_another_test_of_a_lead_is_noted_only_where_its_sign_is_judged(data: Path) -> None:
    lead = {"lead": "test_accuracy", **PAIR, "epoch": 10}
    assert judged(data, lead, "sign").judgement.note == "exact sign-flip permutation: p = 0.002"
    assert judged(data, lead, EXACTLY, "6.35 points").judgement.note == ""


def test_the_draw_of_test_images_counts_for_values_where_there_is_one(data: Path) -> None:
    def variance(ours: dict[str, Any]) -> float:
        found = judged(data, ours, "sign").quantity
        assert found is not None
        return found.variance

    per_draw = (2000 - 1024) / 1999 / 1024
    assert variance({"curve": "test_accuracy", "of": FIRST}) == pytest.approx(2e4 * 0.99 * 0.01 * per_draw)
    gap = 0.99 - 0.841
    assert variance({"lead": "test_accuracy", **PAIR}) == pytest.approx(2e4 * (0.01 + 0.159 - gap**2) * per_draw)
    assert variance({"curve": "val_accuracy", "of": FIRST}) == pytest.approx(2e4 * 0.16 * (12000 - 512) / 11999 / 512)
    assert variance({"curve": "test_loss", "of": "hqnn-mnist/cnn"}) == 0
    assert variance({"epochs_to": 0.9, "of": FIRST}) == 0


def test_another_reading_that_alone_agrees_has_a_verdict_of_its_own(data: Path) -> None:
    ours = {"curve": "test_accuracy", "of": FIRST, "epoch": 10, "otherwise": {"curve": "val_accuracy"}}
    found = judged(data, ours, "value", "80 %").judgement
    assert (found.verdict, found.ours) == (Verdict.OTHER_READING, pytest.approx(90.45))
    assert found.note == "1 of 2 readings tried agree, on the validation images; the first is not reproduced"
    assert judged(data, ours, "value", "20 %").judgement.verdict == Verdict.NOT_REPRODUCED
    unclear = judged(
        data, ours, "value", "78 %", against=79.0
    ).judgement  # another draw of 512 images may differ by 4.4
    assert (unclear.verdict, unclear.ours) == (Verdict.UNDECIDED, pytest.approx(90.45))
    told = "0 of 2 readings tried agree, and on the validation images it is undecided; the first is not reproduced"
    assert unclear.note == told
    first = judged(data, ours, "value", "90.5 %").judgement
    assert first.verdict == Verdict.REPRODUCED
    assert first.note == "on the validation images the verdict would be: not reproduced"
    ours["otherwise"] = {"of": FIRST}
    assert judged(data, ours, "value", "90.5 %").judgement.verdict == Verdict.REPRODUCED  # both agree: the first counts
    ours["otherwise"] = {"of": SECOND}
    assert "agree, in lcqhnn-fashion;" in judged(data, ours, "value", "84 %").judgement.note
    ours["otherwise"] = {"of": "lcqhnn-mnist/cnn-4"}
    assert judged(data, ours, "value", "84 %").judgement.verdict == Verdict.NOT_YET
    lead = {"lead": "test_accuracy", "of": SECOND, "over": FIRST, "otherwise": {"lead": "val_accuracy"}}
    found = judged(data, lead, "sign").judgement
    assert (found.verdict, found.ours) == (Verdict.OTHER_READING, pytest.approx(-14.9))
    lead["otherwise"] = {"of": FIRST, "over": SECOND}
    assert judged(data, lead, "sign").judgement.verdict == Verdict.OTHER_READING
    with pytest.raises(ValueError, match="extra"):
        judged(data, ours | {"otherwise": {"colour": 1}}, "value", "84 %")


def test_of_many_readings_those_that_agree_are_named_and_counted(data: Path) -> None:
    ours = {"curve": "test_accuracy", "of": FIRST, "among": ["lcqhnn-fashion"]}
    judgement = judged(data, ours, "value", "84 %").judgement
    assert judgement.verdict == Verdict.OTHER_READING
    assert judgement.note == "1 of 2 readings tried agree, lcqhnn-fashion/cnn-4; the first is not reproduced"
    assert judged(data, ours, "value", "20 %").judgement.note == "0 of 2 readings tried agree"
    elsewhere = ours | {"of": "lcqhnn-mnist/lcqhnn"}
    write_records(data, "lcqhnn-mnist", {"lcqhnn": constant([0.7] * 10)})
    assert judged(data, elsewhere, "value", "20 %").judgement.note == "0 of 3 readings tried agree"


@pytest.mark.parametrize(
    ("of", "over", "stored"),
    [
        ("hqnn-mnist/hqnn", "hqnn-mnist/cnn", "lists"),
        ("hqnn-mnist/hqnn", "hqnn-mnist/cnn", "characters"),
        ("transfer-hadamards/relu-inputs", "transfer-hadamards/linear-inputs", "characters"),
    ],
)
def test_a_lead_is_paired_by_image_where_errors_are_stored(data: Path, of: str, over: str, stored: str) -> None:
    lead = {"lead": "test_accuracy", "of": of, "over": over}
    for seed in range(5):
        for series, wrong in ((of, 20), (over, 40 + seed)):
            lists = {"images": list(range(wrong)), "predicted": [0] * wrong}
            errors = lists if stored == "lists" else "0" * wrong + "." * (10_000 - wrong)
            history = {"test_accuracy": [1 - wrong / 10_000]}
            write_record(data, series, seed, {"history": history, "errors": errors})
    note = judged(data, lead, "sign").judgement.note
    assert "on other images too the lead is 0.220 ± 0.0" in note  # seeds 20 to 24 images in 10,000
    assert note.endswith("McNemar's test of these networks: p = 1.2e-07")  # 24 images for, none against
    assert "other images" not in judged(data, lead, EXACTLY, "0.2 points").judgement.note


def test_settings_are_those_of_every_recorded_run(data: Path) -> None:
    ours = {"settings": {"batch_size": 64, "classes": [1, 6]}, "of": ["lcqhnn-fashion"]}
    assert judged(data, ours, "exact").judgement.note == "fewer than 10 current records of lcqhnn-fashion/cnn-8"
    for variant in experiments.get("lcqhnn-fashion").variants:
        write_records(data, "lcqhnn-fashion", {variant: constant([0.9] * (12 if variant == "cnn-16" else 10))})
    found = judged(data, ours, "exact").judgement
    assert (found.verdict, found.n_seeds, found.evidence) == (Verdict.REPRODUCED, 10, "data/runs/lcqhnn-fashion")
    wrong = judged(data, {"settings": {"batch_size": 65}, "of": ["lcqhnn-fashion"]}, "exact").judgement
    assert wrong.verdict == Verdict.NOT_REPRODUCED
    assert wrong.ours == "lcqhnn has batch_size 64"


def test_what_was_measured_is_taken_as_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"measured": "focus", "key": "share"}
    found = judged(tmp_path, ours, "sign").judgement
    assert (found.verdict, found.note) == (Verdict.NOT_YET, "the analysis 'focus' is not recorded yet")
    (tmp_path / "analyses").mkdir()
    (tmp_path / "analyses" / "focus.json").touch()

    stored = SimpleNamespace(result={"share": Interval(0.7, 0.1, 5), "count": Interval(7.0, 0.0, 1)})
    monkeypatch.setattr(records, "measured", lambda name, root: stored)
    found = judged(tmp_path, ours, "sign").judgement
    assert (found.ours, found.ci95, found.n_seeds) == (0.7, 0.1, 5)
    assert found.evidence == "data/analyses/focus.json: share"
    counted = [judged(tmp_path, ours | {"key": "count"}, "exact", n).judgement.verdict for n in (7, 8)]
    assert counted == [Verdict.REPRODUCED, Verdict.NOT_REPRODUCED]
    with pytest.raises(HqnnError, match=r"L6-x: ours\.key: focus has no number 'shares'"):
        judged(tmp_path, ours | {"key": "shares"}, "sign")


# --- too little to judge by


def test_too_few_records_give_no_verdict(tmp_path: Path) -> None:
    ours = {"curve": "test_accuracy", "of": SECOND}
    for n in (0, 9, 10):
        write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9] * n)})
        found = judged(tmp_path, ours, "value", "90 %").judgement
        if n < 10:
            assert (found.verdict, found.ours) == (Verdict.NOT_YET, None)
            assert found.note == "fewer than 10 current records of lcqhnn-fashion/cnn-4"
        else:
            assert found.verdict == Verdict.REPRODUCED


def test_an_experiment_with_few_seeds_needs_all_of_them(tmp_path: Path) -> None:
    ours = {"curve": "test_loss", "of": "hqnn-mnist/hqnn"}
    for seed in range(5):
        assert judged(tmp_path, ours, "value", "0.1").judgement.verdict == Verdict.NOT_YET
        write_record(tmp_path, "hqnn-mnist/hqnn", seed, {"history": {"test_loss": [0.1]}})
    assert judged(tmp_path, ours, "value", "0.1").judgement.verdict == Verdict.REPRODUCED


def test_stale_records_do_not_count(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {"curve": "test_accuracy", "of": FIRST}
    assert judged(data, ours, "value", "99 %").judgement.verdict == Verdict.REPRODUCED
    monkeypatch.setattr(records, "stale", lambda record, _root: "another model" if record.seed == 3 else None)
    assert judged(data, ours, "value", "99 %").judgement.verdict == Verdict.NOT_YET


def test_pairs_share_their_seeds(tmp_path: Path) -> None:
    common = np.linspace(0.6, 0.9, 10)
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": constant([*(common + 0.05), 0.1])})
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.2, *common])}, first_seed=-1)
    found = judged(tmp_path, {"lead": "test_accuracy", **PAIR}, "sign")
    assert found.quantity is not None
    assert found.quantity.samples == pytest.approx(dict.fromkeys(range(10), 5.0))
    write_records(tmp_path, "lcqhnn-mnist", {"lcqhnn": constant([0.9] * 10)}, first_seed=5)
    other = {"lead": "test_accuracy", "of": "lcqhnn-mnist/lcqhnn", "over": SECOND}
    assert judged(tmp_path, other, "sign").judgement.note == f"{other['of']} and {SECOND} share fewer than 10 seeds"


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ({"curve": "test_accuracy", "of": FIRST, "epoch": 51}, "has 50 epochs, not 51"),
        ({"curve": "test_acuracy", "of": FIRST}, "test_acuracy"),
        ({"curve": "test_accuracy", "of": "lcqhnn-fashion/cnn-5"}, "has no variant 'cnn-5'"),
        ({"curve": "test_accuracy", "of": "lcqhnn-fashon/cnn-4"}, "There is no experiment 'lcqhnn-fashon'"),
    ],
)
def test_what_cannot_exist_is_a_mistake_of_the_row(data: Path, ours: dict[str, Any], message: str) -> None:
    with pytest.raises(HqnnError, match=f"^lcqhnn.yaml, L6-x: .*{message}"):
        judged(data, ours, "value", "90 %")


def test_learning_curves_that_step_up_are_told_by_their_epochs(tmp_path: Path) -> None:
    first, second = [2, 3, 4, 5, 6, 6, 5, 4, 3, 2], [20, 22, 24, 26, 28, 20, 22, 24, 26, 28]
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": step(first), "cnn-4": step(second)})
    rows: list[tuple[dict[str, Any], object, str, Verdict]] = [
        ({"epochs_to": 0.99, "of": FIRST}, EXACTLY, "4 epochs", Verdict.REPRODUCED),
        ({"epochs_to": 0.99, "of": FIRST}, EXACTLY, "12 epochs", Verdict.NOT_REPRODUCED),
        ({"epochs_to": 0.99, "of": FIRST}, {"name": "bound", "side": "at most"}, "12 epochs", Verdict.REPRODUCED),
        ({"epochs_to": 0.99, "of": FIRST}, {"name": "bound", "side": "at least"}, "12 epochs", Verdict.NOT_REPRODUCED),
        ({"epochs_saved": 0.99, **PAIR}, EXACTLY, "20 epochs", Verdict.REPRODUCED),
        ({"speed_gain": 0.99, **PAIR}, {"name": "value", "scale": "ratio"}, "83 %", Verdict.REPRODUCED),
        ({"speed_gain": 0.99, **PAIR}, {"name": "value", "scale": "ratio"}, "30 %", Verdict.NOT_REPRODUCED),
    ]
    for ours, rule, printed, verdict in rows:
        assert judged(tmp_path, ours, rule, printed).judgement.verdict == verdict, (ours, printed)


# --- the paper against itself


@pytest.mark.parametrize(
    ("ours", "verdict", "evidence"),
    [
        ({"places": ["eq. 1", "eq. 2"], "finding": "no"}, Verdict.CONTRADICTED, "lcqhnn: eq. 1 against eq. 2"),
        ({"prints": {"a": 2.0, "b": 2.5}}, Verdict.CONTRADICTED, "lcqhnn: a (2) against b (2.5)"),
        ({"prints": {"a": 2.0, "b": 2.0}}, Verdict.NOT_YET, ""),
        (
            {"smaller": {"a": 2.0, "c": 0.0}, "larger": {"b": 1.0}},
            Verdict.CONTRADICTED,
            "lcqhnn: table 1 against a (2), c (0) and b (1)",
        ),
        ({"smaller": {"a": 2.0}, "larger": {"b": 3.0}}, Verdict.NOT_YET, ""),
        ({"unstated": "it is not said"}, Verdict.NOT_CHECKABLE, "lcqhnn: table 1"),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "",
)
def test_the_text_decides(tmp_path: Path, ours: dict[str, Any], verdict: Verdict, evidence: str) -> None:
    judgement = judged(tmp_path, ours, "not checkable" if "unstated" in ours else "against itself").judgement
    assert (judgement.verdict, judgement.evidence) == (verdict, evidence)


def test_a_row_without_a_quantity_waits_for_one(tmp_path: Path) -> None:
    assert judged(tmp_path, None, None, book=ledger.read()).judgement.verdict == Verdict.NOT_YET
