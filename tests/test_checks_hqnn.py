"""The evaluators of HQNN-Parallel's claims, and those of whole test sets, where the right verdict is known."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from judging import judge
from synthetic import write_record

from hqnn import experiments, measurements
from hqnn.papers.hqnn import counts
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.stats import Interval
from hqnn.verdicts import Verdict
from hqnn.views import parameter_shift
from hqnn.views.layer import QuantumLayer

MNIST = {"experiment": "hqnn-mnist"}
PAIR = MNIST | {"first": "hqnn", "second": "cnn"}


judged = partial(judge, paper="hqnn", id="H3-x")


def write(
    root: Path,
    variant: str,
    final: Mapping[str, Sequence[float]],
    wrong: Sequence[Sequence[int]] = (),
    experiment: str = "hqnn-mnist",
) -> None:
    """One record per seed, whose curves are flat; `wrong` are the images each seed gets wrong."""
    config = experiments.get(experiment).variants[variant]
    for seed in range(len(next(iter(final.values())))):
        history = {curve: [values[seed]] * config.epochs for curve, values in final.items()}
        errors = {"images": list(wrong[seed]) if wrong else [], "predicted": []}
        write_record(root, f"{experiment}/{variant}", seed, {"history": history, "errors": errors})


# --- whole test sets


@pytest.mark.parametrize(("paper", "verdict"), [(99.21, Verdict.REPRODUCED), (98.5, Verdict.NOT_REPRODUCED)])
def test_a_final_accuracy_is_judged_in_percent(tmp_path: Path, paper: float, verdict: Verdict) -> None:
    write(tmp_path, "hqnn", {"test_accuracy": [0.9918, 0.9921, 0.9924, 0.9920, 0.9922]})
    arguments = MNIST | {"variant": "hqnn", "curve": "test_accuracy"}
    judgement = judged(tmp_path, "final_value", arguments, value=paper, decimals=2, tolerance=0.1)
    assert judgement.verdict == verdict
    assert judgement.ours == pytest.approx(99.21)
    assert judgement.n_seeds == 5


def test_a_final_loss_is_judged_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, "hqnn", {"test_loss": [0.0270, 0.0280, 0.0275, 0.0272, 0.0278]})
    arguments = MNIST | {"variant": "hqnn", "curve": "test_loss"}
    assert judged(tmp_path, "final_value", arguments, value=0.0274, decimals=4).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "final_value", arguments, value=0.0449, decimals=4).verdict == Verdict.NOT_REPRODUCED


def test_another_reading_is_noted_where_it_decides_otherwise(tmp_path: Path) -> None:
    write(tmp_path, "hqnn", {"test_accuracy": [0.77, 0.771, 0.772]}, experiment="hqnn-cifar10")
    write(tmp_path, "hqnn", {"test_accuracy": [0.826, 0.828, 0.830]}, experiment="hqnn-cifar10-augmented")
    arguments = {"experiment": "hqnn-cifar10", "variant": "hqnn", "curve": "test_accuracy"}
    for value, verdict in ((82.78, Verdict.NOT_REPRODUCED), (77.1, Verdict.REPRODUCED), (60.0, Verdict.NOT_REPRODUCED)):
        both = judged(
            tmp_path, "final_value", arguments | {"reading": "hqnn-cifar10-augmented"}, value=value, decimals=2
        )
        assert both.verdict == verdict
        assert ("in hqnn-cifar10-augmented ours is 82.8 and" in both.note) == (value != 60.0)


def test_an_experiment_with_few_seeds_needs_all_of_them(tmp_path: Path) -> None:
    write(tmp_path, "hqnn", {"test_loss": [0.1, 0.2, 0.3, 0.4]})
    arguments = MNIST | {"variant": "hqnn", "curve": "test_loss"}
    judgement = judged(tmp_path, "final_value", arguments, value=0.25, decimals=2)
    assert judgement.verdict == Verdict.NOT_YET
    assert judgement.note == "fewer than 5 current records of hqnn-mnist/hqnn"


def test_leads_are_paired_by_seed(tmp_path: Path) -> None:
    base = np.array([0.980, 0.990, 0.985, 0.970, 0.995])
    noise = np.array([1, -1, 2, -2, 0]) * 1e-4
    write(tmp_path, "hqnn", {"test_accuracy": list(base + 0.005 + noise), "test_loss": [0.02] * 5})
    write(tmp_path, "cnn", {"test_accuracy": list(base), "test_loss": [0.04, 0.05, 0.04, 0.03, 0.04]})
    lead = judged(tmp_path, "final_lead", PAIR, value=0.5, decimals=2, tolerance=0.1)
    assert lead.verdict == Verdict.REPRODUCED
    assert lead.ours == pytest.approx(0.5)
    assert judged(tmp_path, "final_lead", PAIR, value=0.7, decimals=2).verdict == Verdict.NOT_REPRODUCED
    for curve, first, second, verdict in (
        ("test_accuracy", "hqnn", "cnn", Verdict.REPRODUCED),
        ("test_accuracy", "cnn", "hqnn", Verdict.NOT_REPRODUCED),
        ("test_loss", "hqnn", "cnn", Verdict.REPRODUCED),
        ("test_loss", "cnn", "hqnn", Verdict.NOT_REPRODUCED),
    ):
        arguments = MNIST | {"first": first, "second": second, "curve": curve}
        assert judged(tmp_path, "ends_better", arguments).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(7, Verdict.REPRODUCED), (8, Verdict.NOT_REPRODUCED)])
def test_recorded_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: int, verdict: Verdict) -> None:
    monkeypatch.setattr(measurements, "MEASUREMENTS", dict(measurements.everything()))
    measurements.measurement("toy", inputs=())(lambda series, settings: ({"n": Interval(7.0, 0.0, 1)}, {}))
    measurements.make("toy", root=tmp_path)
    assert judged(tmp_path, "analysis_exact", {"analysis": "toy", "key": "n"}, value=value).verdict == verdict


def test_hard_images_are_those_some_rival_gets_wrong(tmp_path: Path) -> None:
    write(tmp_path, "cnn", {"test_accuracy": [0.99] * 5}, [[1, 2], [2, 3], [], [9], [2]])
    write(tmp_path, "hqnn", {"test_accuracy": [0.99] * 5}, [[1, 2], [1, 2, 8], [3, 7, 9], [2, 9], [9, 1]])
    judgement = judged(tmp_path, "hard_images", MNIST | {"variant": "hqnn", "rivals": ["cnn"]}, value=99)
    assert judgement.ours == pytest.approx(50.0)
    assert judgement.verdict == Verdict.NOT_CHECKABLE  # other images could be meant
    assert "the 4 that some run of cnn" in judgement.note
    easy = judged(tmp_path, "hard_images", MNIST | {"variant": "hqnn", "rivals": ["cnn"]}, value=40)
    assert easy.verdict == Verdict.REPRODUCED
    write(tmp_path, "cnn", {"test_accuracy": [1.0] * 5}, [[]] * 5)
    none = judged(tmp_path, "hard_images", MNIST | {"variant": "hqnn", "rivals": ["cnn"]}, value=40)
    assert (none.verdict, none.note) == (Verdict.NOT_CHECKABLE, "no run of cnn gets an image wrong")


def test_a_lead_within_its_own_size_confirms_nothing(tmp_path: Path) -> None:
    base = np.array([0.980, 0.990, 0.985, 0.970, 0.995])
    noise = np.array([1, -1, 2, -2, 0]) * 1e-3
    write(tmp_path, "hqnn", {"test_accuracy": list(base + 0.001 + noise)})
    write(tmp_path, "cnn", {"test_accuracy": list(base)})
    assert judged(tmp_path, "final_lead", PAIR, value=0.1, decimals=2, tolerance=1.0).verdict == Verdict.NOT_CHECKABLE


def test_the_draw_of_test_images_counts_where_there_is_one(tmp_path: Path) -> None:
    values = [0.9990, 0.99901, 0.99899]
    for experiment, variants in (("hqnn-medical", ("hqnn", "cnn")), ("hqnn-cifar10", ("hqnn", "cnn"))):
        for variant in variants:
            write(tmp_path, variant, {"test_accuracy": values}, experiment=experiment)
    margins = {}
    for experiment in ("hqnn-medical", "hqnn-cifar10"):
        of = {"experiment": experiment}
        value = judged(
            tmp_path, "final_value", of | {"variant": "hqnn", "curve": "test_accuracy"}, value=99.9, decimals=2
        )
        lead = judged(tmp_path, "final_lead", of | {"first": "hqnn", "second": "cnn"}, value=0.5, decimals=2)
        margins[experiment] = (value.margin, lead.margin)
    (drawn, drawn_lead), (every, every_lead) = margins["hqnn-medical"], margins["hqnn-cifar10"]
    error = 100 * 4.303 * np.sqrt(2 * 0.999 * 0.001 * (58954 - 11791) / 58953 / 11791)  # Student's t, two degrees
    assert drawn == pytest.approx(np.hypot(every - 0.005, error) + 0.005, rel=1e-3)
    assert drawn_lead > every_lead == pytest.approx(0.005)


@pytest.mark.parametrize(("lead", "verdict"), [(0.002, Verdict.REPRODUCED), (-0.002, Verdict.NOT_REPRODUCED)])
def test_better_on_all_needs_every_dataset(tmp_path: Path, lead: float, verdict: Verdict) -> None:
    base, noise = np.array([0.8, 0.81, 0.82]), np.array([1, -1, 0]) * 1e-5
    for experiment, by in (("hqnn-medical", 0.001), ("hqnn-cifar10", lead)):
        write(tmp_path, "hqnn", {"test_accuracy": list(base + by + noise)}, experiment=experiment)
        write(tmp_path, "cnn", {"test_accuracy": list(base)}, experiment=experiment)
    arguments = {"first": "hqnn", "second": "cnn", "curve": "test_accuracy"}
    judgement = judged(tmp_path, "better_on_all", arguments | {"experiments": ["hqnn-medical", "hqnn-cifar10"]})
    assert judgement.verdict == verdict
    assert judgement.ours == f"on {1 + (lead > 0)} of 2 datasets"


# --- structure and sizes


@pytest.mark.parametrize(
    ("part", "value"),
    [("features", 1568), ("qubits", 20), ("weights", 180), ("parameters", 45_194), ("convolutions", 2)],
)
def test_sizes_of_the_hybrid(tmp_path: Path, part: str, value: int) -> None:
    arguments = MNIST | {"variant": "hqnn", "part": part}
    assert judged(tmp_path, "parallel_size", arguments, value=value).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "parallel_size", arguments, value=value + 1).verdict == Verdict.NOT_REPRODUCED


def test_a_network_without_circuits_has_no_qubits(tmp_path: Path) -> None:
    arguments = MNIST | {"variant": "cnn", "part": "qubits"}
    assert judged(tmp_path, "parallel_size", arguments, value=0).verdict == Verdict.REPRODUCED


@pytest.mark.parametrize(
    ("experiment", "verdict"), [("hqnn-medical", Verdict.REPRODUCED), ("hqnn-mnist", Verdict.NOT_REPRODUCED)]
)
def test_augmentation_is_that_of_all_networks(tmp_path: Path, experiment: str, verdict: Verdict) -> None:
    arguments = {"experiment": experiment, "kind": "flip-rotate"}
    assert judged(tmp_path, "parallel_augmentation", arguments).verdict == verdict


def test_the_convolutions_were_not_kept_if_no_network_with_one_dense_layer_fits(tmp_path: Path) -> None:
    found = judged(tmp_path, "kept_convolutions", {"total": 372_234})
    assert found.verdict == Verdict.NOT_REPRODUCED
    assert found.ours == "0 of 113 networks of 372,234 parameters have a single dense layer"
    front = counts.convolutions((1, 16, 32), 5, norm=True)
    possible = front + counts.dense((counts.FEATURES, 100, 10))
    assert judged(tmp_path, "kept_convolutions", {"total": possible}).verdict == Verdict.REPRODUCED


def test_ratios_are_rounded_as_printed(tmp_path: Path) -> None:
    arguments = MNIST | {"larger": "cnn", "smaller": "hqnn"}
    for value, decimals, verdict in (
        (8, 0, Verdict.REPRODUCED),
        (8.24, 2, Verdict.REPRODUCED),
        (8.2, 2, Verdict.NOT_REPRODUCED),
    ):
        assert judged(tmp_path, "parallel_ratio", arguments, value=value, decimals=decimals).verdict == verdict


@pytest.mark.parametrize(
    ("layers", "verdict"),
    [
        (["conv 1-16 5 2", "norm 16", "conv 16-32 5 2", "norm 32", "dense 1568-20"], Verdict.REPRODUCED),
        (["norm 16", "conv 1-16 5 2"], Verdict.NOT_REPRODUCED),
        (["circuits 20-20", "dense 20-11"], Verdict.NOT_REPRODUCED),
    ],
)
def test_layers_are_met_in_the_order_of_the_forward_pass(tmp_path: Path, layers: list, verdict: Verdict) -> None:
    assert judged(tmp_path, "parallel_layers", {"layers": layers}).verdict == verdict


def test_the_split_is_that_of_every_network(tmp_path: Path) -> None:
    arguments = {"experiment": "hqnn-medical", "n_test": 11_791}
    assert judged(tmp_path, "parallel_split", arguments, value=47_163).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "parallel_split", arguments, value=47_164).verdict == Verdict.NOT_REPRODUCED


def test_a_count_may_allow_normalisation_everywhere_or_nowhere(tmp_path: Path) -> None:
    fixed, parts = counts.optional_parts()
    everything = fixed + sum(parts.values())
    for total, verdict in (
        (45_194, Verdict.NOT_CHECKABLE),
        (everything, Verdict.REPRODUCED),
        (fixed, Verdict.CONTRADICTED),
        (everything + 1, Verdict.CONTRADICTED),
    ):
        assert judged(tmp_path, "norm_by_count", {"total": total}).verdict == verdict


@pytest.mark.parametrize(("n_layers", "verdict"), [(3, Verdict.REPRODUCED), (4, Verdict.NOT_REPRODUCED)])
def test_the_circuit_is_described_by_its_gates(tmp_path: Path, n_layers: int, verdict: Verdict) -> None:
    assert judged(tmp_path, "parallel_circuit", {"n_layers": n_layers}).verdict == verdict


# --- gradients


def test_gradients_equal_the_rules(tmp_path: Path) -> None:
    assert judged(tmp_path, "shift_gradients").verdict == Verdict.REPRODUCED


def test_gradients_of_something_else_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = parameter_shift.gradient
    monkeypatch.setattr(parameter_shift, "gradient", lambda *arguments: rule(*arguments) + 1e-6)
    assert judged(tmp_path, "shift_gradients").verdict == Verdict.NOT_REPRODUCED


def test_the_rule_is_a_finite_difference_of_the_whole_loss() -> None:
    torch.manual_seed(0)
    layer = QuantumLayer(strongly_entangling(n_qubits=2, n_layers=1), copies=3, dtype=torch.float64)
    inputs, upstream = torch.randn(5, 6, dtype=torch.float64), torch.randn(5, 6, dtype=torch.float64)
    found = parameter_shift.gradient(layer, inputs, upstream)
    base = layer.weights.detach().clone()
    for copy in range(3):
        for k in range(6):
            ends = []
            for step in (1e-5, -1e-5):
                weights = base.clone()
                weights[copy, k] += step
                ends.append((torch.func.functional_call(layer, {"weights": weights}, (inputs,)) * upstream).sum())
            assert float(found[copy, k]) == pytest.approx(float((ends[0] - ends[1]) / 2e-5), abs=1e-8)


def test_the_rule_costs_two_circuits_per_angle() -> None:
    assert parameter_shift.evaluations(n_weights=45, n_inputs=5, batch_size=64) == 64 * 101
