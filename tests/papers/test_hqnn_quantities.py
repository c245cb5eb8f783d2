"""What only hqnn claims of HQNN-Parallel: right on what is so, and changed by what is not."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from claiming import judged
from synthetic import write_record

from hqnn.claims import Result, Verdict
from hqnn.errors import HqnnError
from hqnn.papers.hqnn import counts, quantities
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.views import gradients

PATH = "hqnn.papers.hqnn.quantities."


@pytest.mark.parametrize(
    ("of", "part", "value"),
    [
        ("hqnn-mnist/hqnn", "features", 1568),
        ("hqnn-mnist/hqnn", "qubits", 20),
        ("hqnn-mnist/hqnn", "weights", 180),
        ("hqnn-mnist/hqnn", "parameters", 45_194),
        ("hqnn-mnist/hqnn", "convolutions", 2),
        ("hqnn-mnist/cnn", "qubits", 0),
        ("hqnn-mnist/cnn", "parameters", 372_234),
        ("hqnn-cifar10/hqnn", "convolutions", 3),
    ],
)
def test_sizes_of_networks(of: str, part: quantities.Part, value: int) -> None:
    assert quantities.size(of, part).value == value


def test_ratios_are_not_rounded_before_they_are_compared() -> None:
    found = quantities.size_ratio("hqnn-mnist/cnn", "hqnn-mnist/hqnn")
    assert found.value == 372_234 / 45_194
    assert found.note == "8.24 times"


@pytest.mark.parametrize(
    ("experiment", "n_test", "value"),
    [("hqnn-medical", 11_791, 47_163), ("hqnn-medical", 11_792, "[(47163, 11791)]"), ("hqnn-mnist", 10_000, 60_000)],
)
def test_the_split_is_that_of_every_network(experiment: str, n_test: int, value: object) -> None:
    assert quantities.split(experiment, n_test).value == value


def test_augmentation_is_that_of_all_networks() -> None:
    assert quantities.augmentation("hqnn-medical", "flip-rotate").value is True
    assert quantities.augmentation("hqnn-mnist", "flip-rotate").value is False
    with pytest.raises(HqnnError, match="does not train HQNN-Parallel"):
        quantities.augmentation("hqnn-quanv", "none")


def test_the_convolutions_were_not_kept_if_no_network_with_one_dense_layer_fits() -> None:
    found = quantities.kept_convolutions(372_234)
    assert (found.value, found.text) == (
        False,
        "0 of 113 networks of 372,234 parameters have a single dense layer",
    )
    front = counts.convolutions((1, 16, 32), 5, norm=True)
    assert quantities.kept_convolutions(front + counts.dense((counts.FEATURES, 100, 10))).value is True


def test_a_count_may_allow_normalisation_everywhere_somewhere_or_nowhere() -> None:
    fixed, parts = counts.optional_parts()
    everything = fixed + sum(parts.values())
    for total, value in ((45_194, None), (everything, True), (fixed, False), (everything + 1, False)):
        assert quantities.normalised_everywhere(total).value is value


@pytest.mark.parametrize(
    ("layers", "holds"),
    [
        (["conv 1-16 5 2", "norm 16", "conv 16-32 5 2", "norm 32", "dense 1568-20"], True),
        (["norm 16", "conv 1-16 5 2"], False),
        (["circuits 20-20", "dense 20-11"], False),
    ],
)
def test_layers_are_met_in_the_order_of_the_forward_pass(layers: list[str], holds: bool) -> None:
    assert quantities.layers(layers).value is holds


def test_the_circuit_is_described_by_its_gates() -> None:
    assert [quantities.circuit(n).value for n in (2, 3, 4)] == [False, True, False]


def test_gradients_equal_the_rules_and_nothing_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert quantities.gradients_of_rule().value is True
    rule = gradients.shift_gradient
    monkeypatch.setattr(gradients, "shift_gradient", lambda *arguments: rule(*arguments) + 1e-6)
    assert quantities.gradients_of_rule().value is False


def write(root: Path, series: str, accuracies: Sequence[float], wrong: Sequence[Sequence[int]] = ()) -> None:
    for seed, value in enumerate(accuracies):
        errors = "".join(".7"[image in wrong[seed]] for image in range(10)) if wrong else "." * 10
        write_record(root, series, seed, {"history": {"test_accuracy": [value] * 4}, "errors": errors})


def hard(root: Path, at_least: int) -> Result:
    ours = {"computed": f"{PATH}hard_images", "of": "hqnn-mnist/hqnn", "rivals": ["hqnn-mnist/cnn"]}
    rule = {"name": "bound", "side": "at least", "otherwise": "not checkable"}
    return judged(root, ours, rule, f"{at_least} %", paper="hqnn")


def test_hard_images_are_those_some_rival_gets_wrong(tmp_path: Path) -> None:
    write(tmp_path, "hqnn-mnist/cnn", [0.99] * 5, [[1, 2], [2, 3], [], [9], [2]])
    write(tmp_path, "hqnn-mnist/hqnn", [0.99] * 5, [[1, 2], [1, 2, 8], [3, 7, 9], [2, 9], [9, 1]])
    found = hard(tmp_path, 99)
    assert found.judgement.ours == pytest.approx(50.0)
    assert found.judgement.verdict == Verdict.NOT_CHECKABLE  # other images could be meant
    assert "the 4 that some run of cnn gets wrong" in found.judgement.note
    assert found.quantity is not None and found.quantity.samples == dict.fromkeys(range(5), 50.0)
    assert hard(tmp_path, 40).judgement.verdict == Verdict.REPRODUCED
    write(tmp_path, "hqnn-mnist/cnn", [1.0] * 5)
    none = hard(tmp_path, 40).judgement
    assert (none.verdict, none.note) == (Verdict.NOT_CHECKABLE, "no run of cnn gets an image wrong")


@pytest.mark.parametrize(("lead", "verdict"), [(0.002, Verdict.REPRODUCED), (-0.002, Verdict.NOT_REPRODUCED)])
def test_ahead_everywhere_needs_every_dataset(tmp_path: Path, lead: float, verdict: Verdict) -> None:
    base, noise = np.array([0.8, 0.81, 0.82]), np.array([1, -1, 0]) * 1e-5
    for experiment, by in (("hqnn-medical", 0.001), ("hqnn-cifar10", lead)):
        write(tmp_path, f"{experiment}/hqnn", (base + by + noise).tolist())
        write(tmp_path, f"{experiment}/cnn", base.tolist())
    ours = {"computed": f"{PATH}ahead_everywhere", "lead": "test_accuracy", "of": "hqnn", "over": "cnn"}
    found = judged(tmp_path, ours | {"across": ["hqnn-medical", "hqnn-cifar10"]}, "exact").judgement
    assert (found.verdict, found.ours) == (verdict, f"on {1 + (lead > 0)} of 2 datasets")
    assert found.evidence == "; ".join(
        f"data/runs/{name}/hqnn, data/runs/{name}/cnn" for name in ("hqnn-medical", "hqnn-cifar10")
    )


def test_the_rule_is_a_finite_difference_of_the_whole_loss() -> None:
    import torch

    from hqnn.views.layer import QuantumLayer

    layer = QuantumLayer(strongly_entangling(n_qubits=2, n_layers=1), copies=3, dtype=torch.float64)
    inputs, upstream = torch.randn(5, 6, dtype=torch.float64), torch.randn(5, 6, dtype=torch.float64)
    found = gradients.shift_gradient(layer, inputs, upstream)
    base = layer.weights.detach().clone()
    for copy, k in np.ndindex(3, 6):
        ends = []
        for step in (1e-5, -1e-5):
            weights = base.clone()
            weights[copy, k] += step
            ends.append((torch.func.functional_call(layer, {"weights": weights}, (inputs,)) * upstream).sum())
        assert float(found[copy, k]) == pytest.approx(float((ends[0] - ends[1]) / 2e-5), abs=1e-8)
    assert gradients.evaluations(n_weights=45, n_inputs=5, batch_size=64) == 64 * 101
