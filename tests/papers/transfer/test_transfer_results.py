"""Recorded series are found by what distinguishes them, have words of their own, and numbers as read by hand."""

import math
from typing import Any

import numpy as np
import pytest

from hqnn import experiments, records
from hqnn.errors import HqnnError
from hqnn.papers.transfer import figures, results
from hqnn.papers.transfer.experiments import TransferConfig


def runs_of(one: str, curve: str = "test_accuracy") -> list[float]:
    return [100 * record.history[curve][-1] for record in records.load(one)]


def test_every_variant_is_found_by_its_own_fields() -> None:
    for name in ("transfer-readings", "transfer-shots"):
        for variant, config in experiments.get(name).variants.items():
            fields = {f: getattr(config, f) for f in ("inputs", "reading", "scale", "outcome", "shots", "entangle")}
            assert results.series(**fields) == f"{name}/{variant}"
    # fields of a measurement play no part without one
    assert results.series(inputs="latents", shots=100) == "transfer-readings/latents"
    assert results.series(inputs="encoded", reading="pca-5", outcome="string") == "transfer-readings/pca-5-inputs"
    with pytest.raises(HqnnError, match="was trained with"):
        results.series(inputs="measured", shots=17)
    for encoder, kind in (("mnist", "blocks"), ("fashion", "latents"), ("untrained", "pca-5")):
        experiment, _, variant = results.on_fashion(encoder, kind).partition("/")
        config = experiments.get(experiment).variants[variant]
        trained = config.encoder.dataset if config.encoder.epochs else "nothing"
        assert trained == {"mnist": "mnist", "fashion": "fashion_mnist", "untrained": "nothing"}[encoder]


def test_everything_has_words_of_its_own() -> None:
    for name in ("transfer-hybrid", "transfer-probes", "transfer-shots", "transfer-aer"):
        variants = experiments.get(name).variants.values()
        assert len({results.words(config) for config in variants}) == len(variants)
    config = TransferConfig(inputs="measured", reading="blocks", outcome="marginals", shots=1024)
    assert results.words(config) == "13 blocks, marginals, 1,024 shots"
    trained = {
        f"{name}/{variant}"
        for name in ("transfer-classical", "transfer-causes", "transfer-augmented")
        for variant in experiments.get(name).variants
    }
    assert set(results.CHANGES) == trained and len(set(results.CHANGES.values())) == len(trained)
    devices = {key.partition("/")[2] for key in records.measured("transfer-noise").data}
    assert len({results.device(name) for name in devices}) == len(devices)


def test_numbers_are_the_records() -> None:
    found = results.accuracies(inputs="measured", reading="pca-5", outcome="marginals", shots=1024)
    assert found.tolist() == pytest.approx(runs_of("transfer-readings/pca-5-marginals-1024"))
    table = results.by_shots("blocks", "marginals")
    assert list(table) == [100, 1024, 8192, np.inf] and len(table) == 3
    assert table[100].tolist() == pytest.approx(runs_of("transfer-shots/blocks-marginals-100"))
    assert table[np.inf].tolist() == pytest.approx(runs_of("transfer-readings/blocks-marginals-exact")[:3])
    one = "transfer-causes/sgd"
    both = zip(runs_of(one, "train_accuracy"), runs_of(one), strict=True)
    assert results.distance(one, 80.0, 70.0) == pytest.approx(min(np.hypot(a - 80, b - 70) for a, b in both))
    choices = results.by_choice()
    assert [len(rows) for rows in choices.values()] == [3, 4, 4]
    for choice, stays, names in (
        (
            "what goes in",
            "most frequent string",
            ("first-5-string", "blocks-string", "re-uploading-string", "pca-5-string"),
        ),
        ("what is kept", "5 components", ("pca-5-string", "pca-5-marginals", "pca-5-probabilities")),
        ("scaling, probabilities kept", "13 blocks", ("blocks-probabilities", "blocks-positive-probabilities")),
    ):
        means = [np.mean(runs_of(f"transfer-readings/{name}-exact")) for name in names]
        assert choices[choice][stays] == pytest.approx(means)


def test_series_are_compared_over_the_seeds_that_both_have() -> None:
    three, five = "transfer-causes/flips", "transfer-classical/latents"
    a, b = np.array(runs_of(three)) / 100, np.array(runs_of(five)[:3]) / 100
    found = results.compare(three, five)
    assert [found.one.mean, found.other.mean, found.lead.mean] == pytest.approx([a.mean(), b.mean(), (a - b).mean()])
    assert (len(a), found.lead.n, found.cells()[2]) == (3, 3, f"{found.lead:+.2p}")


def test_shots_end_with_the_exact_limit(ax: Any) -> None:
    few, many = np.array([10.0, 12.0]), np.array([20.0, 20.0])
    figures.accuracy_by_shots(ax, {"string": {100.0: few, math.inf: many}, "marginals": {math.inf: few, 100.0: many}})
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["100", "exact"]
    drawn = [bars.lines[0].get_xydata().tolist() for bars in ax.containers]
    assert drawn == [[[0, 11], [1, 20]], [[1, 11], [0, 20]]]
