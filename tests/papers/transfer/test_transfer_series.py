"""Series are found by what distinguishes them, and only if they were trained."""

import pytest

from hqnn import experiments, runs
from hqnn.errors import HqnnError
from hqnn.papers.transfer.series import COMPARED, accuracies, series


def test_every_variant_is_found_by_its_own_fields() -> None:
    for name in COMPARED:
        for variant, config in experiments.get(name).variants.items():
            fields = {f: getattr(config, f) for f in ("inputs", "reading", "scale", "outcome", "shots", "entangle")}
            assert series(**fields) == f"{name}/{variant}"


def test_accuracies_are_those_after_the_last_epoch_in_per_cent() -> None:
    found = accuracies(inputs="measured", reading="pca-5", outcome="marginals", shots=1024)
    last = [r.history["test_accuracy"][-1] for r in runs.load("transfer-readings", "pca-5-marginals-1024")]
    assert found.tolist() == pytest.approx([100 * accuracy for accuracy in last])
    assert len(found) == 5


def test_fields_of_a_measurement_play_no_part_without_one() -> None:
    assert series(inputs="latents", shots=100) == "transfer-readings/latents"
    assert series(inputs="encoded", reading="pca-5", outcome="string") == "transfer-readings/pca-5-inputs"


def test_what_was_not_trained_is_not_found() -> None:
    with pytest.raises(HqnnError, match="was trained with"):
        series(inputs="measured", shots=17)
