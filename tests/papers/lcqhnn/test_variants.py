"""The readings in words, each beside the model it departs from."""

import pytest

from hqnn import experiments
from hqnn.papers.lcqhnn.variants import readings

KINDS = ("readings", "rates", "ablations")


@pytest.mark.parametrize("kind", KINDS)
def test_every_variant_of_the_registry_has_words_of_its_own(kind: str) -> None:
    for dataset in ("mnist", "fashion"):
        name = f"lcqhnn-{kind}-{dataset}"
        variants = experiments.get(name).variants if name in experiments.EXPERIMENTS else {}
        found = readings(kind, dataset)
        assert [reading.series for reading in found] == [f"{name}/{variant}" for variant in variants]
        assert len({(reading.base, reading.words) for reading in found}) == len(found)
        assert all(reading.choice and reading.words for reading in found)


def test_a_reading_names_its_model_and_what_was_changed() -> None:
    found = {reading.series.partition("/")[2]: reading for reading in readings("readings", "fashion")}
    both = found["cnn-4-relu-dropout-at-bottleneck"]
    assert both.base == "lcqhnn-fashion/cnn-4"
    assert both.choice == "place of dropout and fully connected module"
    assert both.words == "dropout behind the reduction, ReLU between the last layers"
    assert found["lcqhnn-dropout-0.25"].base == "lcqhnn-fashion/lcqhnn"
    assert found["lcqhnn-k3-p2-pool22"].words == "padding 2, pooling by 2 and 2"
    assert found["cnn-4-single-16"].words == "16 units before the scores, one score"
    assert found["cnn-4-single-16"].choice == "fully connected module"
    ablation = readings("ablations", "fashion")[0]
    assert (ablation.base, ablation.choice) == ("lcqhnn-fashion/lcqhnn", "circuit")


def test_what_the_paper_prints_is_not_open() -> None:
    found = {reading.series.partition("/")[2]: reading.as_printed for reading in readings("readings", "fashion")}
    assert [name for name, open_choice in found.items() if not open_choice] == [
        "lcqhnn-k5-p0-pool22",
        "cnn-4-k5-p0-pool22",
        "cnn-4-sgd",
    ]
    assert not any(reading.as_printed for kind in ("rates", "ablations") for reading in readings(kind, "fashion"))


def test_readings_of_one_model() -> None:
    chosen = readings("rates", "fashion", "cnn-16")
    assert {reading.base for reading in chosen} == {"lcqhnn-fashion/cnn-16"}
    assert chosen[0].words == "learning rate 0.0001"
    assert readings("rates", "nowhere") == []
