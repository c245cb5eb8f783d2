"""Comparisons and costs as pages show them, against records read by hand."""

import json
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hqnn import experiments
from hqnn.errors import HqnnError
from hqnn.papers.hqnn import comparisons, costs, tuning
from hqnn.papers.hqnn.figures import picture, training_curves
from hqnn.papers.hqnn.quanv_experiments import MODELS
from hqnn.storage import DATA


def result(series: str, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "runs" / series / f"seed-{seed}.json").read_bytes())["result"]
    return found


def test_curves_and_their_ends_are_the_records() -> None:
    curves, ends = comparisons.curves("hqnn-medical"), comparisons.ends("hqnn-medical")
    assert set(curves) == set(comparisons.CURVES)
    for model in experiments.get("hqnn-medical").variants:
        written = [result(f"hqnn-medical/{model}", seed)["history"]["test_loss"] for seed in range(3)]
        assert curves["test_loss"][model].to_numpy().tolist() == written
        assert ends[model]["test_loss"].mean == pytest.approx(np.mean([run[-1] for run in written]))


def test_leads_are_paired_by_the_seeds_that_both_have() -> None:
    found = comparisons.lead("hqnn-mnist-rates/hqnn", "hqnn-mnist/cnn")
    assert found.index.tolist() == [0, 1, 2]  # of three and of five
    first, second = (
        result(series, 2)["history"]["test_accuracy"][-1] for series in ("hqnn-mnist-rates/hqnn", "hqnn-mnist/cnn")
    )
    assert found[2] == pytest.approx(first - second)
    assert comparisons.lead("hqnn-mnist/cnn", "hqnn-mnist-rates/hqnn")[2] == pytest.approx(second - first)


def test_every_change_of_the_circuits_has_its_words() -> None:
    variants = set(experiments.get("hqnn-parts").variants)
    assert set(comparisons.CHANGES) == variants - {"hqnn"} == set(comparisons.changes())
    assert set(comparisons.REPLACED) < variants


def test_printed_values_are_in_the_units_of_the_paper() -> None:
    assert comparisons.printed("H3") == {
        "train_loss": {"hqnn": 0.0204, "cnn": 0.0205},
        "test_loss": {"hqnn": 0.0274, "cnn": 0.0449},
        "test_accuracy": {"hqnn": 99.21, "cnn": 98.71},
    }


def test_every_other_choice_that_was_run_is_shown() -> None:
    found = tuning.by_choice()
    assert sum(map(len, found.values())) == 3 * 5 + 2 * 2
    assert set(found["batches of 8"]) == set(MODELS)
    assert set(found["kernel with bias"]) == {"cnn4", "cnn1"}
    assert (
        found["batches of 8"]["cnn1"][4] == result("hqnn-quanv-readings/cnn1-batch-8", 4)["history"]["all_accuracy"][-1]
    )


def test_shares_of_a_step_add_up() -> None:
    shares, parts = costs.shares(), costs.steps()["parts"]
    assert sum(shares.values()) == pytest.approx(1)
    both = parts["convolution 1"] + parts["convolution 2"]
    assert shares["convolution"] / shares["scores"] == pytest.approx(both / parts["scores"])


def test_gradients_are_timed_for_every_workload() -> None:
    times = costs.gradients()
    assert list(times.columns) == ["one patch (1)", "one image (16)", "32 images (512)"]
    assert times.notna().all(axis=None) and (times > 0).all(axis=None)
    assert "the quantum layer, backpropagation" in times.index


def test_a_missing_benchmark_says_how_to_make_it(tmp_path: Any) -> None:
    with pytest.raises(HqnnError, match=r"benchmarks\.training_step"):
        costs.steps(root=tmp_path)


def test_accuracies_are_drawn_in_per_cent_and_losses_as_they_are() -> None:
    figure, axes = plt.subplots(1, 2)
    runs = pd.DataFrame([[0.5, 0.9], [0.7, 0.7]])
    curves = {"test_loss": {"hqnn": runs}, "test_accuracy": {"hqnn": runs}}
    training_curves(axes, curves, {"test_loss": {}, "test_accuracy": {"hqnn": 99.0}}, "as they are")
    loss, accuracy = ([line.get_ydata() for line in ax.lines] for ax in axes)
    assert np.allclose(loss[0], [0.6, 0.8]) and np.allclose(accuracy[0], [60, 80])
    assert [99.0] in [list(np.atleast_1d(line)) for line in accuracy]
    assert axes[1].get_title(loc="left") + axes[1].get_title() == "test accuracy, as they are"
    plt.close(figure)


def test_pictures_are_images() -> None:
    assert picture("hqnn-images", "mnist").startswith(b"\x89PNG")
