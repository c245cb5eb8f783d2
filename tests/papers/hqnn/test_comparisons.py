"""Comparisons and tuning as pages show them, against records read by hand; and this paper's own figures."""

import json
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hqnn import experiments, records
from hqnn.errors import HqnnError
from hqnn.papers.hqnn import comparisons, figures, tuning
from hqnn.papers.hqnn.quanv_experiments import ABLATIONS, MODELS, RATES
from hqnn.storage import DATA

SEARCHED = "hqnn-search/cnn-one-cycle-batch-64-lr-0.003"


def curve(series: str, seed: int, name: str = "test_accuracy") -> list[float]:
    found: dict[str, Any] = json.loads((DATA / "runs" / series / f"seed-{seed}.json").read_bytes())["result"]
    values: list[float] = found["history"][name]
    return values


def test_curves_and_their_ends_are_the_records() -> None:
    curves, ends = comparisons.curves("hqnn-medical"), comparisons.ends("hqnn-medical")
    assert set(curves) == set(comparisons.CURVES)
    written = [curve("hqnn-medical/cnn", seed, "test_loss") for seed in range(3)]
    assert curves["test_loss"]["cnn"].to_numpy().tolist() == written
    assert ends["cnn"]["test_loss"].mean == pytest.approx(np.mean([run[-1] for run in written]))
    assert comparisons.printed("H3") == {
        "train_loss": {"hqnn": 0.0204, "cnn": 0.0205},
        "test_loss": {"hqnn": 0.0274, "cnn": 0.0449},
        "test_accuracy": {"hqnn": 99.21, "cnn": 98.71},
    }


def test_leads_are_paired_by_the_seeds_that_both_have() -> None:
    found = comparisons.lead("hqnn-mnist-rates/hqnn", "hqnn-mnist/cnn")
    assert found.index.tolist() == [0, 1, 2]  # of three and of five
    first, second = (curve(series, 2)[-1] for series in ("hqnn-mnist-rates/hqnn", "hqnn-mnist/cnn"))
    assert found[2] == pytest.approx(first - second)
    variants = set(experiments.get("hqnn-parts").variants)
    assert set(comparisons.CHANGES) == variants - {"hqnn"} == set(comparisons.changes())


def test_accuracy_on_all_images_is_that_of_the_run() -> None:
    wrong = comparisons.misclassified("hqnn-mnist/hqnn")
    final = [curve("hqnn-mnist/hqnn", seed)[-1] for seed in range(5)]
    assert comparisons.accuracy_on(range(10_000), wrong) == pytest.approx(final, abs=1e-6)
    assert comparisons.accuracy_on({0, 1, 2, 3}, [{1, 9}, set(), {0, 1, 2, 3}]).tolist() == [0.75, 1.0, 0.0]


def test_what_was_timed_is_the_benchmarks(tmp_path: Any) -> None:
    shares, parts = comparisons.shares(), comparisons.steps()["parts"]
    assert sum(shares.values()) == pytest.approx(1)
    both = parts["convolution 1"] + parts["convolution 2"]
    assert shares["convolution"] / shares["scores"] == pytest.approx(both / parts["scores"])
    times = comparisons.gradients()
    assert list(times.columns) == ["one patch (1)", "one image (16)", "32 images (512)"]
    assert "the quantum layer, backpropagation" in times.index and (times > 0).all(axis=None)
    with pytest.raises(HqnnError, match=r"benchmarks\.training_step"):
        records.measured("training_step", tmp_path, kind="benchmark")


def test_records_are_found_by_rate_and_draw() -> None:
    for name in (*MODELS, *ABLATIONS):
        for rate, series in tuning.series_by_rate(name).items():
            assert experiments.config(series).learning_rate == rate
    means = {rate: values.mean() for rate, values in tuning.by_rate("cnn4", "val_accuracy").items()}
    assert list(means) == list(RATES) and means[tuning.best_rate("cnn4")] == max(means.values())
    drawn = tuning.by_draw("cnn4")
    assert drawn.shape == (20, 3) and drawn[7, 2] == curve("hqnn-quanv-draws/cnn4-draw-7", 2)[-1]


def test_every_circuit_and_every_choice_that_was_run_is_shown() -> None:
    tried = tuning.by_circuit()
    assert len(tried) == 15 and {tuple(rates) for rates in tried.values()} == {(0.01, 0.03)}
    star = curve("hqnn-quanv-readings/quanv-x-star-cnots-first-lr-0.03", 1, "all_accuracy")[-1]
    assert tried["RX, star, CNOTs, rotations"][0.03][1] == star
    words, rate, values = tuning.best_circuit()
    assert values.tolist() == tried[words][rate].tolist()
    assert values.mean() == max(v.mean() for rates in tried.values() for v in rates.values())
    found = tuning.by_choice()
    assert sum(map(len, found.values())) == 3 * 5 + 2 * 2 and set(found["kernel with bias"]) == {"cnn4", "cnn1"}
    assert found["batches of 8"]["cnn1"][4] == curve("hqnn-quanv-readings/cnn1-batch-8", 4, "all_accuracy")[-1]


def test_the_search_chooses_the_settings_and_each_models_own_rate() -> None:
    losses = tuning.search()
    assert losses.shape == (12, 2)
    assert losses.loc[("one-cycle", 64, 0.003), "cnn"] == curve(SEARCHED, 0, "val_loss")[-1]
    chosen = experiments.config("hqnn-mnist/hqnn")
    assert losses.mean(axis=1).idxmin() == (chosen.schedule, chosen.batch_size, chosen.learning_rate)
    own = tuning.at_own_rates()
    series = {"hqnn": "hqnn-mnist-rates/hqnn", "cnn": "hqnn-mnist/cnn"}
    assert {name: own[name].name for name in series} == series
    both = [np.mean(records.final(f"{one}/blocks", "test_accuracy")) for one in ("hqnn-mnist", "hqnn-mnist-rates")]
    assert np.mean(own["blocks"].to_numpy()) == max(both)


def test_networks_are_compared_when_they_first_fit_as_well_as_the_papers() -> None:
    found = tuning.when_fitted("hqnn-mnist/cnn", 0.03)
    for record in records.load("hqnn-mnist/cnn"):
        first = next(k for k, loss in enumerate(record.history["train_loss"]) if loss < 0.03)
        there = [record.history[curve][first] for curve in ("test_loss", "test_accuracy")]
        assert found.to_numpy()[record.seed] == pytest.approx([first + 1, *there])
    assert tuning.when_fitted("hqnn-mnist/cnn", 1e-9).empty


def test_what_is_left_open_moves_both_models_as_the_records_say() -> None:
    found = {one.words: one for one in tuning.left_open()}
    means = [records.final(f"{one}/cnn", "test_accuracy").mean() for one in ("hqnn-mnist", "hqnn-mnist-rates")]
    assert found["rate 0.003 or 0.01: MNIST"].cnn == pytest.approx(means)
    assert [len(one.hybrid) for one in found.values()] == [12, 2, 2, 30, 6, 20]
    assert [len(one.cnn) for one in found.values()] == [12, 2, 2, 0, 6, 20]


def test_accuracies_are_drawn_in_per_cent_and_losses_as_they_are(house_style: None) -> None:
    figure, axes = plt.subplots(1, 2)
    runs = pd.DataFrame([[0.5, 0.9], [0.7, 0.7]])
    curves = {"test_loss": {"hqnn": runs}, "test_accuracy": {"hqnn": runs}}
    figures.training_curves(axes, curves, {"test_loss": {}, "test_accuracy": {"hqnn": 99.0}}, "as they are")
    loss, accuracy = ([line.get_ydata() for line in ax.lines] for ax in axes)
    assert np.allclose(loss[0], [0.6, 0.8]) and np.allclose(accuracy[0], [60, 80])
    assert [99.0] in [list(np.atleast_1d(line)) for line in accuracy]
    plt.close(figure)


def test_coefficients_stand_above_their_frequencies(ax: Any) -> None:
    values = np.zeros((5, 3, 3), complex)
    values[:, 0, 2] = 3 - 4j
    figures.coefficient_violins(ax, values)
    assert [label.get_text() for label in ax.get_xticklabels()][2] == "(−1, 1)"
    drawn = {(line.get_xdata()[1], line.get_ydata()[0]) for line in ax.lines if len(line.get_xdata())}
    assert {(1.6, 3.0), (2.4, -4.0)} <= drawn
