"""Table 1 of the paper and the variants of what it leaves open, beside the records."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from hqnn import experiments, records
from hqnn.papers.lcqhnn import results

BOTH = ("lcqhnn-fashion/lcqhnn", "lcqhnn-fashion/cnn-4")


def runs_of(series: str, curve: str = "test_accuracy") -> NDArray[np.float64]:
    """A curve of each run [seeds, epochs]."""
    return np.array([record.history[curve] for record in records.load(series)])


def test_every_cell_of_table_1_is_in_the_ledger() -> None:
    printed = results.printed()
    assert printed["fashion"]["cnn-4"] == {10: 76.56, 25: 91.41, 50: 93.95}
    assert [len(by_epoch) for by_model in printed.values() for by_epoch in by_model.values()] == [3] * len(results.ROWS)


def test_series_are_paired_by_the_seeds_that_both_have() -> None:
    few, many = runs_of("lcqhnn-rates-fashion/cnn-4-lr-0.01")[:, 9], runs_of(BOTH[1])[:, 9]
    found = results.lead("lcqhnn-rates-fashion/cnn-4-lr-0.01", BOTH[1], 10).difference
    assert found.n == len(few) < len(many)
    assert found.mean == pytest.approx(np.mean(few - many[: len(few)]))
    ahead = results.differences(*BOTH, 50).to_numpy()
    assert ahead == pytest.approx(100 * (runs_of(BOTH[0]) - runs_of(BOTH[1]))[:, 49])


def test_validation_lead_is_a_mean_over_all_runs() -> None:
    gaps = [
        (runs_of(f"lcqhnn-mnist/{model}", "val_accuracy") - runs_of(f"lcqhnn-mnist/{model}"))[:, -1]
        for model in results.MODELS
    ]
    assert results.validation_lead("mnist") == pytest.approx(100 * np.mean(gaps))


def test_single_runs_scatter_by_seed_and_by_draw() -> None:
    found, values = results.scatter("fashion", "cnn-4"), runs_of(BOTH[1])[:, -1]
    assert found.seeds == pytest.approx(1.96 * 100 * np.std(np.subtract.outer(values, values)) * np.sqrt(10 / 9))
    right = round(2000 * float(np.mean(values)))
    drawn = np.random.default_rng(0).hypergeometric(right, 2000 - right, 1024, 9000)
    assert found.images == pytest.approx(1.96 * np.sqrt(2) * np.std(100 * drawn / 1024), rel=0.03)


@pytest.mark.parametrize(
    ("values", "words"), [([], ""), ([0.5], "+0.50"), ([0.1, -1, 2], "-1.00 to +2.00"), ([1.0, 1.0], "+1.00 to +1.00")]
)
def test_signed_span(values: list[float], words: str) -> None:
    assert results.signed_span(values) == words


@pytest.mark.parametrize("kind", ["readings", "rates", "ablations"])
def test_every_variant_of_the_registry_has_words_of_its_own(kind: str) -> None:
    name = f"lcqhnn-{kind}-fashion"
    found = results.variants(kind, "fashion")
    assert [variant.series for variant in found] == [f"{name}/{one}" for one in experiments.get(name).variants]
    assert len({(variant.base, variant.words) for variant in found}) == len(found)
    for variant in found:
        base = experiments.get("lcqhnn-fashion").variants[variant.base.partition("/")[2]]
        changed = {f.name for f in fields(base) if getattr(variant.config, f.name) != getattr(base, f.name)}
        assert variant.choice and variant.words and changed - {"snapshots"} <= set(results._CHOICES)
    assert results.variants(kind, "nowhere") == []


def test_a_variant_names_its_model_and_what_was_changed() -> None:
    found = {variant.series.partition("/")[2]: variant for variant in results.variants("readings", "fashion")}
    both = found["cnn-4-relu-dropout-at-bottleneck"]
    assert (both.base, both.choice) == ("lcqhnn-fashion/cnn-4", "place of dropout and fully connected module")
    assert both.words == "dropout behind the reduction, ReLU between the last layers"
    assert found["lcqhnn-dropout-0.25"].base == "lcqhnn-fashion/lcqhnn"
    assert found["lcqhnn-k3-p2-pool22"].words == "padding 2, pooling by 2 and 2"
    assert found["lcqhnn-k5-p0-pool22"].words == "5 × 5 kernels, padding 0, pooling by 2 and 2"
    assert found["cnn-4-single-16"].words == "16 units before the scores, one score"
    assert found["cnn-4-single-16"].choice == "fully connected module"
    assert results.variants("ablations", "fashion")[0].base == "lcqhnn-fashion/lcqhnn"
    rates = results.variants("rates", "fashion", "cnn-16")
    assert rates[0].words == "learning rate 0.0001" and {one.base for one in rates} == {"lcqhnn-fashion/cnn-16"}


def test_what_the_paper_prints_is_not_open() -> None:
    closed = [v.series.partition("/")[2] for v in results.variants("readings", "fashion") if not v.as_printed]
    assert closed == ["lcqhnn-k5-p0-pool22", "cnn-4-k5-p0-pool22", "cnn-4-sgd"]
    assert not any(v.as_printed for kind in ("rates", "ablations") for v in results.variants(kind, "fashion"))


def test_readings_that_apply_to_both_models() -> None:
    found = results.shared("fashion")
    assert next(iter(found.items())) == ("primary reading", BOTH)
    assert found["dropout rate 0"] == tuple(f"lcqhnn-readings-fashion/{m}-dropout-0" for m in ("lcqhnn", "cnn-4"))
    assert len(found) == 7


def test_changes_are_means_over_the_seeds_that_both_have() -> None:
    (found,) = results.changes("fashion", "lcqhnn")["order of the CNOTs"]
    other = runs_of("lcqhnn-readings-fashion/lcqhnn-order-product")
    assert len(other) < 10
    np.testing.assert_allclose(found, 100 * (other - runs_of(BOTH[0])[: len(other)]).mean(0), atol=1e-9)


def test_rates_are_compared_over_the_same_seeds_by_validation() -> None:
    by_rate = results.series_by_rate("fashion")["cnn-4"]
    assert list(by_rate) == [1e-4, 1e-3, 3e-3, 1e-2] and by_rate[1e-3] == BOTH[1]
    ends = {rate: runs_of(series, "val_accuracy")[:3, -1].mean() for rate, series in by_rate.items()}
    best = results.best_rate(by_rate)
    assert ends[best] == max(ends.values())
    assert results.best_rate({rate: series for rate, series in by_rate.items() if rate != best}) != best


def test_distances_are_of_single_runs_from_printed_values() -> None:
    ranking = results.distances("fashion", "cnn-4", {10: 59.93, 25: 90.0, 50: 95.0})
    found = ranking["primary reading"]
    at = 100 * runs_of(BOTH[1])[:, [9, 24, 49]]
    off = np.abs(at - [59.93, 90.0, 95.0]).max(1)
    np.testing.assert_allclose(found.off, off)
    np.testing.assert_allclose(found.nearest, at[np.argsort(off)[0]])
    assert found.as_printed and not ranking["plain gradient descent"].as_printed
    assert len(ranking) == 1 + sum(len(results.variants(kind, "fashion", "cnn-4")) for kind in ("readings", "rates"))
    nearest = [found.off.min() for found in ranking.values()]
    assert nearest == sorted(nearest)


def test_spreads_are_of_every_reading_in_per_cent() -> None:
    found = {words: (runs, latest) for words, runs, latest in results.spreads("fashion", "cnn-4")}
    assert list(found) == list(results.readings("fashion", "cnn-4"))
    runs, latest = found["ReLU between the last layers"]
    np.testing.assert_allclose(runs, 100 * runs_of("lcqhnn-readings-fashion/cnn-4-relu"))
    assert np.isinf(latest) == bool((runs.max(axis=1) < 90).any())
    assert found["primary reading"][1] == 1
