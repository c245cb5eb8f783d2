"""The variants in words, each beside the model it departs from, and the searches among their records."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from hqnn import experiments, records
from hqnn.errors import HqnnError
from hqnn.papers.lcqhnn import variants as found_by
from hqnn.papers.lcqhnn.variants import variants


@pytest.mark.parametrize("kind", ["readings", "rates", "ablations"])
def test_every_variant_of_the_registry_has_words_of_its_own(kind: str) -> None:
    for dataset in ("mnist", "fashion"):
        name = f"lcqhnn-{kind}-{dataset}"
        registered = experiments.get(name).variants if name in experiments.EXPERIMENTS else {}
        found = variants(kind, dataset)
        assert [variant.series for variant in found] == [f"{name}/{variant}" for variant in registered]
        assert len({(variant.base, variant.words) for variant in found}) == len(found)
        for variant in found:
            assert variant.choice and variant.words
            base = experiments.get(f"lcqhnn-{dataset}").variants[variant.base.partition("/")[2]]
            changed = {f.name for f in fields(base) if getattr(variant.config, f.name) != getattr(base, f.name)}
            assert changed - {"snapshots"} <= set(found_by._CHOICES)


def test_a_variant_names_its_model_and_what_was_changed() -> None:
    found = {variant.series.partition("/")[2]: variant for variant in variants("readings", "fashion")}
    both = found["cnn-4-relu-dropout-at-bottleneck"]
    assert both.base == "lcqhnn-fashion/cnn-4"
    assert both.choice == "place of dropout and fully connected module"
    assert both.words == "dropout behind the reduction, ReLU between the last layers"
    assert found["lcqhnn-dropout-0.25"].base == "lcqhnn-fashion/lcqhnn"
    assert found["lcqhnn-k3-p2-pool22"].words == "padding 2, pooling by 2 and 2"
    assert found["lcqhnn-k5-p0-pool22"].words == "5 × 5 kernels, padding 0, pooling by 2 and 2"
    assert found["cnn-4-single-16"].words == "16 units before the scores, one score"
    assert found["cnn-4-single-16"].choice == "fully connected module"
    ablation = variants("ablations", "fashion")[0]
    assert (ablation.base, ablation.choice) == ("lcqhnn-fashion/lcqhnn", "circuit")
    assert variants("rates", "fashion", "cnn-16")[0].words == "learning rate 0.0001"
    assert {variant.base for variant in variants("rates", "fashion", "cnn-16")} == {"lcqhnn-fashion/cnn-16"}


def test_what_the_paper_prints_is_not_open() -> None:
    closed = [v.series.partition("/")[2] for v in variants("readings", "fashion") if not v.as_printed]
    assert closed == ["lcqhnn-k5-p0-pool22", "cnn-4-k5-p0-pool22", "cnn-4-sgd"]
    assert not any(v.as_printed for kind in ("rates", "ablations") for v in variants(kind, "fashion"))


def test_readings_that_apply_to_both_models() -> None:
    found = found_by.shared("fashion")
    assert next(iter(found.items())) == ("primary reading", ("lcqhnn-fashion/lcqhnn", "lcqhnn-fashion/cnn-4"))
    assert found["dropout rate 0"] == tuple(f"lcqhnn-readings-fashion/{m}-dropout-0" for m in ("lcqhnn", "cnn-4"))
    assert len(found) == 7


def runs_of(series: str, curve: str) -> np.ndarray:
    return np.array([record.history[curve] for record in records.load(series)])


def test_changes_are_means_over_the_seeds_that_both_have() -> None:
    (found,) = found_by.changes("fashion", "lcqhnn")["order of the CNOTs"]
    other = runs_of("lcqhnn-readings-fashion/lcqhnn-order-product", "test_accuracy")
    base = runs_of("lcqhnn-fashion/lcqhnn", "test_accuracy")[: len(other)]
    assert len(other) < 10
    np.testing.assert_allclose(found, 100 * (other - base).mean(0), atol=1e-9)


def test_rates_are_compared_over_the_same_seeds_by_validation() -> None:
    by_rate = found_by.series_by_rate("fashion")["cnn-4"]
    assert list(by_rate) == [1e-4, 1e-3, 3e-3, 1e-2]
    assert by_rate[1e-3] == "lcqhnn-fashion/cnn-4"
    ends = {rate: runs_of(series, "val_accuracy")[:3, -1].mean() for rate, series in by_rate.items()}
    assert ends[found_by.best_rate(by_rate)] == max(ends.values())
    best = found_by.best_rate(by_rate)
    assert found_by.best_rate({rate: series for rate, series in by_rate.items() if rate != best}) != best


def test_distances_are_of_single_runs_from_printed_values() -> None:
    printed = {10: 59.93, 25: 90.0, 50: 95.0}
    ranking = found_by.distances("fashion", "cnn-4", printed)
    found = ranking["primary reading"]
    at = 100 * runs_of("lcqhnn-fashion/cnn-4", "test_accuracy")[:, [9, 24, 49]]
    off = np.abs(at - list(printed.values())).max(1)
    np.testing.assert_allclose(found.off, off)
    np.testing.assert_allclose(found.nearest, at[np.argsort(off)[0]])
    assert found.as_printed and not ranking["plain gradient descent"].as_printed
    assert len(ranking) == 1 + len(variants("readings", "fashion", "cnn-4")) + len(
        variants("rates", "fashion", "cnn-4")
    )
    nearest = [found.off.min() for found in ranking.values()]
    assert nearest == sorted(nearest)


def test_spreads_are_of_every_reading_in_per_cent() -> None:
    found = {spread.words: spread for spread in found_by.spreads("fashion", "cnn-4")}
    assert next(iter(found)) == "primary reading" and len(found) == 1 + len(variants("readings", "fashion", "cnn-4"))
    single = found["ReLU between the last layers"]
    np.testing.assert_allclose(single.accuracies, 100 * runs_of("lcqhnn-readings-fashion/cnn-4-relu", "test_accuracy"))
    assert np.isinf(single.latest) == bool((single.accuracies.max(axis=1) < 90).any())
    assert found["primary reading"].latest == 1


def test_nothing_recorded_is_nothing_found(tmp_path: Path) -> None:
    with pytest.raises(HqnnError, match="run lcqhnn-fashion"):
        found_by.distances("fashion", "cnn-4", {10: 59.93}, root=tmp_path)
    assert variants("rates", "nowhere") == []
