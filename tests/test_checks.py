"""Every evaluator, on records and circuits where the right verdict is known."""

import inspect
import itertools
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import judge
from qiskit import QuantumCircuit
from synthetic import constant, step, write_records

from hqnn import checks, digests, experiments, ledger, measurements, runs
from hqnn.checks import Context
from hqnn.circuit import Circuit
from hqnn.errors import HqnnError
from hqnn.ledger import Claim, LedgerError
from hqnn.papers.lcqhnn import checks as lcqhnn_checks
from hqnn.papers.lcqhnn.checks import denominators, front_ends
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.stats import Interval
from hqnn.storage import DATA
from hqnn.verdicts import Judgement, Verdict

FASHION = {"experiment": "lcqhnn-fashion"}
PAIR = FASHION | {"first": "lcqhnn", "second": "cnn-4"}


judged = partial(judge, paper="lcqhnn", id="L6-x")


# --- the paper against itself


def test_sentences_that_exclude_each_other(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "reading", {"places": ["eq. 1", "eq. 2"], "finding": "they differ"})
    assert judgement.verdict == Verdict.CONTRADICTED
    assert judgement.evidence == "lcqhnn: eq. 1 against eq. 2"


@pytest.mark.parametrize(("other", "verdict"), [(2.5, Verdict.CONTRADICTED), (2.0, Verdict.NOT_YET)])
def test_one_quantity_printed_twice(tmp_path: Path, other: float, verdict: Verdict) -> None:
    assert judged(tmp_path, "printed_values", {"printed": {"table": 2.0, "text": other}}).verdict == verdict


@pytest.mark.parametrize(("larger", "verdict"), [(1.0, Verdict.CONTRADICTED), (3.0, Verdict.NOT_YET)])
def test_values_printed_in_the_wrong_order(tmp_path: Path, larger: float, verdict: Verdict) -> None:
    arguments = {"smaller": {"a": 2.0}, "larger": {"b": larger}}
    assert judged(tmp_path, "printed_order_of_values", arguments).verdict == verdict


@given(st.sampled_from([512, 1024, 2048]), st.data())
def test_a_printed_accuracy_names_the_set_it_came_from(n: int, data: st.DataObject) -> None:
    percentage = round(100 * data.draw(st.integers(0, n)) / n, 2)
    assert n in denominators(percentage)


def test_denominators_of_some_printed_values() -> None:
    assert denominators(99.02) == [512, 1024, 2048]
    assert denominators(99.12) == [1024, 2048]  # 1015 of 1024
    assert denominators(99.07) == [2048]  # 2029 of 2048
    assert denominators(99.0) == []
    assert denominators(99.0, decimals=0) == [512, 1024, 2048]


def grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: list[float]) -> Judgement:
    rows = tuple(
        Claim(
            id=f"L6-{k}", paper="lcqhnn", place="x", statement="x.", value=v, unit="%", decimals=2, evaluator="accuracy"
        )
        for k, v in enumerate(values)
    )
    book = ledger.Ledger(rows, {})
    arguments = {"group": "L6", "unit": "%", "stated": 1024, "alternative": 512}
    claim = Claim(id="L6-x", paper="lcqhnn", place="x", statement="x.", evaluator="printed_grid", arguments=arguments)
    return checks.judge(claim, Context(book, tmp_path))


def test_a_table_on_the_coarser_grid_did_not_come_from_the_stated_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    even = [round(100 * k / 512, 2) for k in range(500, 512)]
    assert grid(tmp_path, monkeypatch, even).verdict == Verdict.CONTRADICTED
    assert grid(tmp_path, monkeypatch, [*even, round(100 * 1015 / 1024, 2)]).verdict == Verdict.NOT_CHECKABLE
    assert grid(tmp_path, monkeypatch, even[:5]).verdict == Verdict.NOT_CHECKABLE  # chance enough
    assert grid(tmp_path, monkeypatch, [100.0] * 20).verdict == Verdict.NOT_CHECKABLE  # 100 % is on every grid


# --- the circuit


def test_the_gates_as_text_show_angles_that_are_not_the_qubits_own() -> None:
    pc = lcqhnn_circuit()
    crossed = pc.circuit.assign_parameters({pc.inputs[0]: pc.inputs[1], pc.inputs[1]: pc.inputs[0]})
    text = lcqhnn_checks._gate_text(
        Circuit(circuit=crossed, inputs=pc.inputs, weights=pc.weights, observables=pc.observables)
    )
    assert "U1(2*x[1])(0)" in text
    assert "U1(2x)(2 3)" in text


def test_a_changed_gate_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (claim,) = (c for c in ledger.read().claims if c.evaluator == "gate_sequence")
    assert judged(tmp_path, "gate_sequence", value=claim.value).verdict == Verdict.REPRODUCED
    true = lcqhnn_circuit()
    changed = true.circuit.copy()
    changed.h(1)
    wrong = Circuit(circuit=changed, inputs=true.inputs, weights=true.weights, observables=true.observables)
    monkeypatch.setattr(lcqhnn_checks, "lcqhnn_circuit", lambda *_, **__: wrong)
    assert judged(tmp_path, "gate_sequence", value=claim.value).verdict == Verdict.NOT_REPRODUCED


def test_the_circuits_claims(tmp_path: Path) -> None:
    assert judged(tmp_path, "weight_count", value=4).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "weight_count", value=5).verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "printed_order").verdict == Verdict.CONTRADICTED
    assert judged(tmp_path, "ladders_cancel").verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "equator", value=0).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "equator", value=1).verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "bloch_length", value=1, decimals=2).verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "entangled").verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "aer_gradients").verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "torch_tensors").verdict == Verdict.NOT_REPRODUCED


def test_the_circuits_claims_without_entanglement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    product = lcqhnn_circuit(entangle=False)
    monkeypatch.setattr(lcqhnn_checks, "lcqhnn_circuit", lambda *_, **__: product)
    assert judged(tmp_path, "printed_order").verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "ladders_cancel").verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "bloch_length", value=1, decimals=2).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "entangled").verdict == Verdict.NOT_REPRODUCED


def test_an_encoding_off_the_equator_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tilted = QuantumCircuit(4)
    tilted.ry(1.0, 0)
    monkeypatch.setattr(Circuit, "stages", lambda _: {"ψ2": tilted})
    assert judged(tmp_path, "equator", value=0).verdict == Verdict.NOT_REPRODUCED


# --- the front end


def test_front_ends_are_those_that_count_right_when_run() -> None:
    import torch
    from torch import nn

    found = front_ends()
    assert found
    expected = set()
    for p1, p2, w1, w2 in itertools.product(range(3), range(3), (2, 3), (2, 3)):
        maps = nn.Sequential(
            nn.Conv2d(1, 1, 3, padding=p1), nn.MaxPool2d(w1), nn.Conv2d(1, 1, 3, padding=p2), nn.MaxPool2d(w2)
        )
        area = maps(torch.zeros(1, 1, 28, 28)).numel()
        if 256 % area == 0:
            expected.add(((p1, p2), (w1, w2), 256 // area, int(area**0.5)))
    assert {(f.paddings, f.pools, f.channels, f.side) for f in found} == expected
    assert not [f for f in found if f.pools == (2, 2) and max(f.paddings) < 2]


def test_the_claim_about_the_front_end(tmp_path: Path) -> None:
    assert judged(tmp_path, "front_end_exists", value=256).verdict == Verdict.REPRODUCED
    assert "none with 2x2 pooling and padding 0 or 1" in judged(tmp_path, "front_end_exists", value=256).note
    assert judged(tmp_path, "front_end_exists", value=257).verdict == Verdict.NOT_REPRODUCED


# --- training records


def test_without_records_there_is_no_verdict(tmp_path: Path) -> None:
    arguments = FASHION | {"variant": "cnn-4", "epoch": 10}
    judgement = judged(tmp_path, "accuracy", arguments, value=76.56)
    assert (judgement.verdict, judgement.ours) == (Verdict.NOT_YET, None)
    assert judgement.note == "fewer than 10 current records of lcqhnn-fashion/cnn-4"
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9] * 9)})
    assert judged(tmp_path, "accuracy", arguments, value=76.56) == judgement


def test_records_of_another_model_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = FASHION | {"variant": "cnn-4", "epoch": 10}
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9] * 10)})
    assert judged(tmp_path, "accuracy", arguments, value=90).verdict == Verdict.REPRODUCED
    monkeypatch.setattr(digests, "model", lambda _: "another")
    assert judged(tmp_path, "accuracy", arguments, value=90).verdict == Verdict.NOT_YET


def test_an_accuracy_is_that_of_its_epoch_in_percent(tmp_path: Path) -> None:
    curves = [[0.5] * 9 + [0.9 + 0.001 * seed] + [0.99] * 40 for seed in range(10)]
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": curves})
    arguments = FASHION | {"variant": "cnn-4", "epoch": 10}
    judgement = judged(tmp_path, "accuracy", arguments, value=90.45, decimals=2)
    assert judgement.ours == pytest.approx(90.45)
    assert judgement.ci95 == pytest.approx(2.262157 * np.std([0.1 * k for k in range(10)], ddof=1) / 10**0.5)
    assert (judgement.verdict, judgement.n_seeds) == (Verdict.REPRODUCED, 10)
    assert judgement.evidence == "data/runs/lcqhnn-fashion/cnn-4"
    assert judged(tmp_path, "accuracy", arguments, value=99.0, decimals=2).verdict == Verdict.NOT_REPRODUCED
    with pytest.raises(LedgerError, match="has 50 epochs, not 51"):
        judged(tmp_path, "accuracy", arguments | {"epoch": 51}, value=90.0)


def test_the_draw_of_test_images_widens_an_accuracy(tmp_path: Path) -> None:
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.95] * 10)})
    judgement = judged(tmp_path, "accuracy", FASHION | {"variant": "cnn-4", "epoch": 1}, value=95.0)
    variance = 2 * 0.95 * 0.05 / 1024 * (2000 - 1024) / 1999
    assert judgement.margin == pytest.approx(100 * 2.262157 * variance**0.5 + 0.5)


def test_a_note_says_if_the_validation_images_would_decide_otherwise(tmp_path: Path) -> None:
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.95] * 10)}, validation=constant([0.8] * 10))
    arguments = FASHION | {"variant": "cnn-4", "epoch": 1}
    judgement = judged(tmp_path, "accuracy", arguments, value=80.0)
    assert judgement.verdict == Verdict.NOT_REPRODUCED
    assert judgement.note == "on the validation images ours is 80.00 and the verdict would be: reproduced"
    assert judged(tmp_path, "accuracy", arguments, value=20.0).note == ""


def test_a_lead_is_paired_by_seed(tmp_path: Path) -> None:
    common = np.linspace(0.6, 0.9, 10)
    write_records(
        tmp_path,
        "lcqhnn-fashion",
        {"lcqhnn": constant((common + 0.05).tolist()), "cnn-4": constant([*common.tolist(), 0.1])},
    )
    lead = judged(tmp_path, "better", PAIR | {"epoch": 50})
    assert (lead.verdict, lead.n_seeds) == (Verdict.REPRODUCED, 10)
    assert lead.ours == pytest.approx(5.0)
    assert judged(tmp_path, "gap", PAIR | {"epoch": 50}, value=5.0).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "gap", PAIR | {"epoch": 50}, value=50.0).verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "gap", PAIR | {"epoch": 50}, value=-5.0).verdict == Verdict.NOT_REPRODUCED
    swapped = FASHION | {"first": "cnn-4", "second": "lcqhnn", "epoch": 50}
    assert judged(tmp_path, "better", swapped).note.startswith(
        "our difference has the opposite sign; exact sign-flip permutation: p"
    )


def test_a_gap_smaller_than_its_interval_is_not_checkable(tmp_path: Path) -> None:
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": constant([0.976] * 10), "cnn-4": constant([0.97] * 10)})
    assert judged(tmp_path, "gap", PAIR | {"epoch": 50}, value=0.78, decimals=2).verdict == Verdict.NOT_CHECKABLE


def test_too_few_seeds_in_common(tmp_path: Path) -> None:
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": constant([0.9] * 10)})
    write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9] * 10)}, first_seed=5)
    assert "share fewer than 10 seeds" in judged(tmp_path, "better", PAIR | {"epoch": 50}).note


def test_equal_accuracies(tmp_path: Path) -> None:
    write_records(
        tmp_path,
        "lcqhnn-fashion",
        {"lcqhnn": constant([1.0] * 10), "cnn-4": constant([0.999] * 10), "cnn-8": constant([0.9] * 10)},
    )
    arguments = PAIR | {"epoch": 50}
    assert judged(tmp_path, "equal_accuracy", arguments, value=0, tolerance=0.2).verdict == Verdict.REPRODUCED
    arguments["second"] = "cnn-8"
    assert judged(tmp_path, "equal_accuracy", arguments, value=0, tolerance=0.2).verdict == Verdict.NOT_REPRODUCED


def test_convergence(tmp_path: Path) -> None:
    first, second = [2, 3, 4, 5, 6, 6, 5, 4, 3, 2], [20, 22, 24, 26, 28, 20, 22, 24, 26, 28]
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": step(first), "cnn-4": step(second)})
    one = FASHION | {"variant": "lcqhnn", "threshold": 99}
    assert judged(tmp_path, "epochs_to", one, value=4).ours == pytest.approx(4.0)
    assert judged(tmp_path, "epochs_to", one, value=4).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "epochs_to", one, value=12).verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "epoch_bound", one | {"side": "at most"}, value=12).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "epoch_bound", one | {"side": "at least"}, value=12).verdict == Verdict.NOT_REPRODUCED
    with pytest.raises(LedgerError, match="'side'"):
        judged(tmp_path, "epoch_bound", one | {"side": "around"}, value=12)
    sooner = judged(tmp_path, "reached_sooner", PAIR | {"threshold": 99})
    assert (sooner.verdict, sooner.note) == (Verdict.REPRODUCED, "exact sign-flip permutation: p = 0.002")
    assert sooner.ours == pytest.approx(20.0)
    speed = judged(tmp_path, "speed_gain", PAIR | {"threshold": 99}, value=83)
    assert speed.ours == pytest.approx(np.mean([100 * (b - a) / b for a, b in zip(first, second, strict=True)]))
    assert speed.verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "speed_gain", PAIR | {"threshold": 99}, value=30).verdict == Verdict.NOT_REPRODUCED


def test_a_speed_up_is_a_ratio(tmp_path: Path) -> None:
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": step([1, 2, 2, 2, 4] * 2), "cnn-4": step([1] * 10)})
    slower = judged(tmp_path, "speed_gain", PAIR | {"threshold": 99}, value=70.59)
    assert slower.ours == pytest.approx(np.mean([0, -100, -100, -100, -300]))
    assert slower.verdict == Verdict.NOT_REPRODUCED
    undecided = judged(tmp_path, "speed_gain", PAIR | {"threshold": 99}, value=-100)
    assert undecided.verdict == Verdict.NOT_CHECKABLE
    assert undecided.note == "E_A / E_B of one run scatters by a factor of 3.0, too widely to tell"
    assert judged(tmp_path, "speed_gain", PAIR | {"threshold": 99}, value=-300).verdict == Verdict.REPRODUCED
    with pytest.raises(LedgerError, match="cannot be 100 % or more"):
        judged(tmp_path, "speed_gain", PAIR | {"threshold": 99}, value=100)


def test_runs_that_never_converge_are_counted_and_named(tmp_path: Path) -> None:
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": step([2] * 10), "cnn-4": step([4] * 8 + [99, 99])})
    judgement = judged(tmp_path, "epochs_to", FASHION | {"variant": "cnn-4", "threshold": 99}, value=4)
    assert judgement.ours == pytest.approx((8 * 4 + 2 * 51) / 10)
    assert judgement.note == "2 of 10 runs never reach 99 % and count as 51 epochs"
    sooner = judged(tmp_path, "reached_sooner", PAIR | {"threshold": 99})
    assert sooner.note.endswith("cnn-4: 2 of 10 runs never reach 99 % and count as 51 epochs")


def test_settings(tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"names": ["lcqhnn-fashion"], "expected": {"epochs": 50, "classes": [1, 6]}}
    write_records(tmp_path, "lcqhnn-fashion", {"lcqhnn": constant([0.9] * 10)})
    assert judged(tmp_path, "settings", arguments).verdict == Verdict.NOT_YET
    write_records(
        tmp_path, "lcqhnn-fashion", {variant: constant([0.9] * 10) for variant in ("cnn-4", "cnn-8", "cnn-16")}
    )
    assert judged(tmp_path, "settings", arguments).verdict == Verdict.REPRODUCED
    arguments["expected"]["epochs"] = 49
    judgement = judged(tmp_path, "settings", arguments)
    assert (judgement.verdict, judgement.ours) == (Verdict.NOT_REPRODUCED, "lcqhnn has epochs 50")


# --- analyses


def test_recorded_analyses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = {"up": Interval(0.5, 0.1, 10), "down": Interval(-0.5, 0.1, 10)}
    monkeypatch.setattr(measurements, "MEASUREMENTS", {})
    monkeypatch.setattr(measurements, "everything", lambda: measurements.MEASUREMENTS)
    arguments = {"analysis": "focus", "key": "up"}
    assert judged(tmp_path, "analysis_positive", arguments).note == "the analysis 'focus' is not recorded yet"
    measurements.measurement("focus", inputs=())(lambda *_: (result, {}))
    measurements.make("focus", root=tmp_path)
    assert judged(tmp_path, "analysis_positive", arguments).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "analysis_positive", arguments).evidence == "data/analyses/focus.json: up"
    assert judged(tmp_path, "analysis_value", arguments, value=0.6).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "analysis_value", arguments, value=5).verdict == Verdict.NOT_REPRODUCED
    arguments["key"] = "down"
    assert judged(tmp_path, "analysis_positive", arguments).verdict == Verdict.NOT_REPRODUCED
    arguments["key"] = "sideways"
    with pytest.raises(LedgerError, match="has no result 'sideways'"):
        judged(tmp_path, "analysis_positive", arguments)


@pytest.mark.parametrize(("n", "verdict"), [(1, Verdict.NOT_YET), (2, Verdict.NOT_YET), (3, Verdict.REPRODUCED)])
def test_an_analysis_of_fewer_than_three_seeds_gives_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int, verdict: Verdict
) -> None:
    monkeypatch.setattr(measurements, "MEASUREMENTS", {})
    monkeypatch.setattr(measurements, "everything", lambda: measurements.MEASUREMENTS)
    measurements.measurement("focus", inputs=())(lambda *_: ({"up": Interval(0.5, 0.0, n)}, {}))
    measurements.make("focus", root=tmp_path)
    of = {"analysis": "focus", "key": "up"}
    for judgement in (
        judged(tmp_path, "analysis_positive", of),
        judged(tmp_path, "analysis_value", of, value=0.5, decimals=1),
        judged(tmp_path, "analysis_bound", of | {"side": "at least", "bound": 0.4}),
    ):
        assert judgement.verdict == verdict
        assert judgement.note == (f"a verdict needs at least 3 seeds, not {n}" if n < 3 else "")
    if n == 1:
        assert judged(tmp_path, "analysis_exact", of, value=0.5).verdict == Verdict.REPRODUCED
    else:
        with pytest.raises(LedgerError, match=f"L6-x: .*focus.json: up is a mean of {n} runs, not a count"):
            judged(tmp_path, "analysis_exact", of, value=0.5)


# --- every evaluator on every experiment


ANY: dict[str, Any] = {
    "epoch": 1,
    "threshold": 50.0,
    "at_least": 50.0,
    "n_test": 1,
    "kind": "none",
    "part": "qubits",
    "expected": {},
}
ON_EXPERIMENTS = {
    name: parameters
    for name, function in checks.EVALUATORS.items()
    if (parameters := inspect.signature(function, eval_str=True).parameters).keys()
    & {"experiment", "experiments", "names", "first"}
    and not name.startswith("quanv_")  # theirs are fixed
}


READ_ONCE = {runs: ("load", cache(runs.load)), ledger: ("read", cache(ledger.read))}


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed records and the ledger are read once for all evaluators."""
    for module, (name, function) in READ_ONCE.items():
        monkeypatch.setattr(module, name, function)


def arguments_for(name: str, experiment: str) -> Iterator[dict[str, Any]]:
    """What a row could say to an evaluator about an experiment, once for every value of a fixed choice."""
    variants = list(experiments.get(experiment).variants)
    series = f"{experiment}/" if name == "ends_higher" else ""
    given = ANY | {
        "experiment": experiment,
        "variant": variants[0],
        "first": series + variants[0],
        "second": series + variants[-1],
        "larger": variants[0],
        "smaller": variants[-1],
        "rivals": variants[-1:],
        **{several: [experiment] for several in ("experiments", "names", "others")},
    }
    parameters = {k: p for k, p in list(ON_EXPERIMENTS[name].items())[2:] if p.default is p.empty}
    choices = [k for k, p in parameters.items() if k not in given and get_origin(p.annotation) is Literal]
    for chosen in itertools.product(*(get_args(parameters[k].annotation) for k in choices)):
        yield {k: given[k] for k in parameters if k not in choices} | dict(zip(choices, chosen, strict=True))


@pytest.mark.parametrize("name", ON_EXPERIMENTS)
def test_an_evaluator_judges_an_experiment_or_says_which_row_does_not_fit_it(name: str, read_once: None) -> None:
    about_design = {"parallel_size", "parallel_split", "parallel_augmentation", "parallel_ratio"}
    about_design |= {"autoencoder_layers", "classifier_layers"}
    judgements = 0
    for experiment in experiments.EXPERIMENTS.values():
        for arguments in arguments_for(name, experiment.name):
            try:
                judgement = judged(DATA, name, arguments, value=1)
            except LedgerError as error:
                assert str(error).startswith("Claim L6-x: "), arguments
                continue
            judgements += 1
            if len(experiment.seeds) < 3 and name not in about_design:
                assert judgement.verdict == Verdict.NOT_YET, arguments
                assert "fewer than 3" in judgement.note
            elif name not in about_design:
                assert judgement.verdict != Verdict.NOT_YET, arguments
    assert judgements


def test_what_a_row_misses_is_named(tmp_path: Path) -> None:
    for name, arguments, message in (
        (
            "final_value",
            {"variant": "mnist", "curve": "test_accuracy"},
            "needs the curve 'test_accuracy'",
        ),
        (
            "parallel_size",
            {"variant": "mnist", "part": "qubits"},
            "needs a run with a ParallelConfig, but",
        ),
        ("final_value", {"variant": "mnits", "curve": "test_loss"}, "has no variant 'mnits': did you mean mnist"),
    ):
        with pytest.raises(HqnnError, match=f"^Claim L6-x: .*{message}"):
            judged(tmp_path, name, {"experiment": "transfer-autoencoder"} | arguments, value=1)
    with pytest.raises(LedgerError, match="Claim L6-x: there is no reading 'last-5'; choose from first-5"):
        judged(tmp_path, "reading_features", {"reading": "last-5"}, value=32)
    with pytest.raises(LedgerError, match="needs the 'errors' of lcqhnn-fashion/cnn-4, whose records hold history"):
        write_records(tmp_path, "lcqhnn-fashion", {"cnn-4": constant([0.9] * 10)})
        judged(tmp_path, "hard_images", FASHION | {"variant": "lcqhnn", "rivals": ["cnn-4"]}, value=32)


def test_an_accuracy_without_validation_images_has_no_note_about_them() -> None:
    medical = {"experiment": "hqnn-medical", "variant": "hqnn"}
    judgement = judged(DATA, "accuracy", medical | {"epoch": 4}, value=99.97, decimals=2)
    assert judgement == judged(DATA, "final_value", medical | {"curve": "test_accuracy"}, value=99.97, decimals=2)
    assert judgement.verdict == Verdict.REPRODUCED
