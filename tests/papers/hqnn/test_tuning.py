"""What was tried is all found, and the best of it is the best."""

import numpy as np
import pytest

from hqnn import experiments, records
from hqnn.papers.hqnn import tuning
from hqnn.papers.hqnn.quanv_experiments import ABLATIONS, MODELS, RATES


def test_records_are_found_by_rate_and_draw() -> None:
    for name in (*MODELS, *ABLATIONS):
        assert list(tuning.series_by_rate(name)) == list(RATES)
        for rate, series in tuning.series_by_rate(name).items():
            experiment, _, variant = series.partition("/")
            assert experiments.get(experiment).variants[variant].learning_rate == rate
        means = {rate: values.mean() for rate, values in tuning.by_rate(name, "val_accuracy").items()}
        assert means[tuning.best_rate(name)] == max(means.values())
    drawn = tuning.by_draw("cnn4")
    assert drawn.shape == (20, 3)
    last = [record.history["test_accuracy"][-1] for record in records.load("hqnn-quanv-draws/cnn4-draw-7")]
    assert drawn[7].tolist() == last


def test_every_circuit_that_fits_the_text_was_tried_at_two_rates() -> None:
    tried = tuning.by_circuit()
    assert len(tried) == 15
    assert {tuple(rates) for rates in tried.values()} == {(0.01, 0.03)}
    np.testing.assert_array_equal(
        tried["RY, chain, rotations, CNOTs"][0.03], tuning.by_rate("quanv", "all_accuracy")[0.03]
    )
    star = records.final("hqnn-quanv-readings/quanv-x-star-cnots-first-lr-0.03", "all_accuracy")
    assert tried["RX, star, CNOTs, rotations"][0.03].tolist() == star.tolist()
    words, rate, values = tuning.best_circuit()
    assert values.tolist() == tried[words][rate].tolist()
    assert values.mean() == max(v.mean() for rates in tried.values() for v in rates.values())


def test_the_search_has_one_loss_per_setting_and_model() -> None:
    losses = tuning.search()
    assert losses.shape == (12, 2)
    (record,) = records.load("hqnn-search/cnn-one-cycle-batch-64-lr-0.003")
    assert losses.loc[("one-cycle", 64, 0.003), "cnn"] == record.history["val_loss"][-1]
    chosen = experiments.get("hqnn-mnist").variants["hqnn"]
    assert losses.mean(axis=1).idxmin() == (chosen.schedule, chosen.batch_size, chosen.learning_rate)


def test_each_model_at_the_rate_that_suits_it() -> None:
    own = tuning.at_own_rates()
    series = {"hqnn": "hqnn-mnist-rates/hqnn", "cnn": "hqnn-mnist/cnn"}
    assert {name: own[name].name for name in series} == series
    both = [records.final(f"{one}/blocks", "test_accuracy").mean() for one in ("hqnn-mnist", "hqnn-mnist-rates")]
    assert float(own["blocks"].to_numpy().mean()) == max(both)


def test_networks_are_compared_when_they_first_fit_as_well_as_the_papers() -> None:
    found = tuning.when_fitted("hqnn-mnist/cnn", 0.03)
    for record in records.load("hqnn-mnist/cnn"):
        first = next(k for k, loss in enumerate(record.history["train_loss"]) if loss < 0.03)
        there = [record.history[curve][first] for curve in ("test_loss", "test_accuracy")]
        assert found.to_numpy()[record.seed] == pytest.approx([first + 1, *there])
    assert tuning.when_fitted("hqnn-mnist/cnn", 1e-9).empty


def test_what_is_left_open_moves_both_models_as_the_records_say() -> None:
    found = {one.words: one for one in tuning.left_open()}
    rates = found["rate 0.003 or 0.01: MNIST"]
    assert rates.cnn == [
        pytest.approx(records.final(f"{one}/cnn", "test_accuracy").mean()) for one in ("hqnn-mnist", "hqnn-mnist-rates")
    ]
    assert all(len(one.hybrid) in (one.n_tried, 2 * one.n_tried) for one in found.values())  # circuits: at two rates
    assert [len(one.cnn) for one in found.values()] == [12, 2, 2, 0, 6, 20]
    assert max(max(one.hybrid) for one in found.values()) < 1
