"""Which images a run's network gets wrong, as its record keeps them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hqnn import experiments, runs, tasks
from hqnn.errors import HqnnError
from hqnn.records import Record, errors_of


def a_record(**result: object) -> Record:
    return Record(
        path=Path("seed-1.json"), kind="run", experiment="e", config={}, config_hash="", result=result, provenance={}
    )


def test_images_taken_for_what_they_are_not() -> None:
    stored = tasks.errors(torch.tensor([3, 11, 0, 7, 2]), torch.tensor([3, 4, 1, 7, 12]))
    assert stored == ".b0.2"
    first_form = {"images": [1, 2, 4], "predicted": [11, 0, 2]}
    assert a_record(errors=stored).errors == a_record(errors=first_form).errors == {1: 11, 2: 0, 4: 2}
    with pytest.raises(HqnnError, match="seed-1"):
        len(a_record(history={}).errors)


@pytest.mark.parametrize(
    ("series", "split", "changes"),
    [
        ("hqnn-mnist/cnn", "test", {"n_train": 200}),
        ("hqnn-mnist/cnn", "val", {"n_train": 200, "n_val": 100, "n_test": 0}),
        ("hqnn-quanv/cnn1", "all", {}),
        ("lcqhnn-mnist/cnn-4", "test", {}),
        ("transfer-classical/latents", "test", {}),
    ],
)
def test_a_run_keeps_as_many_errors_as_its_accuracy_says(series: str, split: str, changes: dict[str, int]) -> None:
    experiment, _, variant = series.partition("/")
    config = replace(experiments.get(experiment).quick[variant], epochs=1, snapshots=(), **changes)
    outcome = runs.execute(config, seed=1)
    targets = tasks.of(config).images(config)[0][split].targets
    assert len(outcome.result["errors"]) == len(targets)
    wrong = errors_of(outcome.result["errors"])
    assert all(found != targets[image] for image, found in wrong.items())
    assert 1 - len(wrong) / len(targets) == pytest.approx(outcome.history[f"{split}_accuracy"][-1], abs=1e-5)
