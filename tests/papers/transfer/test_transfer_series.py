"""Series are found by what distinguishes them, and only if they were trained; their numbers are the records'."""

import numpy as np
import pytest

from hqnn import experiments, records
from hqnn.errors import HqnnError
from hqnn.papers.transfer import series as found_by
from hqnn.papers.transfer.series import COMPARED, accuracies, series


def runs_of(one: str, curve: str = "test_accuracy") -> list[float]:
    return [100 * record.history[curve][-1] for record in records.load(one)]


def test_every_variant_is_found_by_its_own_fields() -> None:
    for name in COMPARED:
        for variant, config in experiments.get(name).variants.items():
            fields = {f: getattr(config, f) for f in ("inputs", "reading", "scale", "outcome", "shots", "entangle")}
            assert series(**fields) == f"{name}/{variant}"
    # fields of a measurement play no part without one
    assert series(inputs="latents", shots=100) == "transfer-readings/latents"
    assert series(inputs="encoded", reading="pca-5", outcome="string") == "transfer-readings/pca-5-inputs"
    with pytest.raises(HqnnError, match="was trained with"):
        series(inputs="measured", shots=17)


def test_accuracies_are_those_after_the_last_epoch_in_per_cent() -> None:
    found = accuracies(inputs="measured", reading="pca-5", outcome="marginals", shots=1024)
    assert found.tolist() == pytest.approx(runs_of("transfer-readings/pca-5-marginals-1024"))
    assert len(found) == 5


def test_numbers_of_shots_are_compared_over_the_seeds_that_all_have() -> None:
    found = found_by.by_shots("blocks", "marginals")
    assert list(found) == [100, 1024, 8192, np.inf]
    assert found[100].tolist() == pytest.approx(runs_of("transfer-shots/blocks-marginals-100"))
    assert found[np.inf].tolist() == pytest.approx(runs_of("transfer-readings/blocks-marginals-exact")[: len(found)])
    assert len(found) == 3


def test_every_choice_that_is_left_open_has_its_means() -> None:
    found = found_by.by_choice()
    assert len(found) == 3 + 4 + 4
    for choice, names in (
        ("what goes in (string kept)", ("first-5-string", "blocks-string", "re-uploading-string", "pca-5-string")),
        ("what is kept (5 components in)", ("pca-5-string", "pca-5-marginals", "pca-5-probabilities")),
        ("scaling (13 blocks, probabilities)", ("blocks-probabilities", "blocks-positive-probabilities")),
    ):
        means = [np.mean(runs_of(f"transfer-readings/{name}-exact")) for name in names]
        assert found[choice] == pytest.approx(means)


def test_series_on_fashion_mnist_are_registered() -> None:
    for encoder in ("mnist", "fashion", "untrained"):
        for kind in ("latents", "blocks", "pca-5"):
            experiment, _, variant = found_by.on_fashion(encoder, kind).partition("/")
            config = experiments.get(experiment).variants[variant]
            assert config.dataset == "fashion_mnist"
            trained = config.encoder.dataset if config.encoder.epochs else "nothing"
            assert trained == {"mnist": "mnist", "fashion": "fashion_mnist", "untrained": "nothing"}[encoder]


def test_the_distance_is_that_of_the_nearest_run_in_both_accuracies() -> None:
    one = "transfer-causes/sgd"
    both = zip(runs_of(one, "train_accuracy"), runs_of(one), strict=True)
    assert found_by.distance(one, 80.0, 70.0) == pytest.approx(min(np.hypot(a - 80, b - 70) for a, b in both))
