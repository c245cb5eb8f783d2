"""Table 1 of the paper beside the records."""

import numpy as np
import pytest

from hqnn import records
from hqnn.papers.lcqhnn import results


def test_every_cell_of_table_1_is_in_the_ledger() -> None:
    printed = results.printed()
    assert printed["fashion"]["cnn-4"] == {10: 76.56, 25: 91.41, 50: 93.95}
    assert [len(by_epoch) for by_model in printed.values() for by_epoch in by_model.values()] == [3] * len(results.ROWS)


def test_series_are_paired_by_the_seeds_that_both_have() -> None:
    few, many = "lcqhnn-rates-fashion/cnn-4-lr-0.01", "lcqhnn-fashion/cnn-4"
    first, second = results.paired(few, many)
    assert list(first.index) == list(second.index) == list(records.curves(few, "test_accuracy").index)
    found = results.lead(few, many, 10).difference
    assert found.n == len(first) < len(records.curves(many, "test_accuracy"))
    assert found.mean == pytest.approx(np.mean(first[10] - second[10]))


@pytest.mark.parametrize(("value", "words"), [(0.5, "below all"), (1, "among them"), (4, "above all")])
def test_place(value: float, words: str) -> None:
    assert results.place(value, [3, 1, 2]) == words


def test_differences_are_those_of_the_lead() -> None:
    pair = ("lcqhnn-fashion/lcqhnn", "lcqhnn-fashion/cnn-4")
    assert results.differences(*pair, 50).mean() == pytest.approx(100 * results.lead(*pair, 50).difference.mean)


def test_validation_lead_is_a_mean_over_all_runs() -> None:
    runs = [record.history for model in results.MODELS for record in records.load(f"lcqhnn-mnist/{model}")]
    expected = np.mean([run["val_accuracy"][-1] - run["test_accuracy"][-1] for run in runs])
    assert results.validation_lead("mnist") == pytest.approx(100 * expected)


def test_single_runs_scatter_by_seed_and_by_draw() -> None:
    found = results.scatter("fashion", "cnn-4")
    values = [record.history["test_accuracy"][-1] for record in records.load("lcqhnn-fashion/cnn-4")]
    assert found.seeds == pytest.approx(1.96 * 100 * np.std(np.subtract.outer(values, values)) * np.sqrt(10 / 9))
    right = round(2000 * float(np.mean(values)))
    drawn = np.random.default_rng(0).hypergeometric(right, 2000 - right, 1024, 9000)
    assert found.images == pytest.approx(1.96 * np.sqrt(2) * np.std(100 * drawn / 1024), rel=0.03)


@pytest.mark.parametrize(
    ("values", "words"), [([], ""), ([0.5], "+0.50"), ([0.1, -1, 2], "-1.00 to +2.00"), ([1.0, 1.0], "+1.00 to +1.00")]
)
def test_signed_span(values: list[float], words: str) -> None:
    assert results.signed_span(values) == words
