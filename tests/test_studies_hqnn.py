"""What the analyses of HQNN-Parallel measure, where the answer is known."""

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from hqnn import datasets, experiments, runs
from hqnn.analyses import Series
from hqnn.datasets import Dataset, Split
from hqnn.studies import hqnn as studies

PNG = "iVBORw0KGgo"
"""How every PNG image begins in base64."""


def jpeg(image: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_the_audit_finds_copies_and_what_gives_the_class_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two classes, dark and bright, with their own JPEG tables; image 7 is a copy of image 1, image 3 is constant."""
    rng = np.random.default_rng(0)
    pixels = np.concatenate([rng.integers(0, 90, (4, 64, 64)), rng.integers(160, 250, (5, 64, 64))]).astype(np.uint8)
    pixels[3] = 40
    labels = torch.tensor([0] * 4 + [1] * 5)
    pixels[7] = pixels[4]
    whole = Split(torch.from_numpy(pixels)[:, None], labels)
    dataset = Dataset("medical_mnist", ("dark", "bright"), whole, Split(whole.images[:0], labels[:0]), "")
    files = [jpeg(image, 60 if label == 0 else 90) for image, label in zip(pixels, labels, strict=True)]
    monkeypatch.setattr(datasets, "load", lambda name: dataset)
    monkeypatch.setattr(datasets, "published_files", lambda name: files)
    chosen = {"train": np.array([0, 1, 3, 4, 5, 6]), "val": np.array([], int), "test": np.array([2, 7, 8])}
    monkeypatch.setattr(datasets, "partition_indices", lambda dataset, **sizes: chosen)
    settings = {"near": [1], "side": 32, "data_seed": 0, "n_train": 6, "n_test": 3}
    found = studies.medical_audit({}, settings)
    numbers = {key: interval.mean for key, interval in found.result.items()}
    assert numbers["images"] == 9
    assert numbers["channels"] == numbers["constant"] == numbers["copies"] == numbers["leaked"] == 1
    assert numbers["copies-across-classes"] == 0
    assert numbers["near/1"] == 1
    assert numbers["accuracy/neighbour"] == numbers["accuracy/quantisation"] == 100
    assert numbers["accuracy/majority"] == pytest.approx(100 / 3)
    assert found.data is not None
    assert found.data["leaked"] == [1]
    assert found.data["classes"] == {"dark": 4, "bright": 5}
    assert [sum(by.values()) for by in found.data["tables"].values()] == [4, 5]
    assert len({name for by in found.data["tables"].values() for name in by}) == 2


def test_pictures_are_made_of_every_dataset_asked_for() -> None:
    found = studies.images({}, {"per_class": {"digits": 2}, "data_seed": 0})
    assert found.result["datasets"].mean == 1
    assert found.data is not None
    assert found.data["digits"].startswith(PNG)


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The experiment on MNIST as it would be on the bundled digits, after four epochs."""
    quick = experiments.get("hqnn-mnist").quick
    config = replace(quick["hqnn"], snapshots=(4,))
    experiment = replace(experiments.get("hqnn-mnist"), variants={"hqnn": config, "cnn": quick["cnn"]})
    monkeypatch.setitem(experiments.EXPERIMENTS, "hqnn-mnist", experiment)
    return config


def test_mistakes_are_counted_over_runs(digits: Any) -> None:
    def run(images: list[int]) -> Any:
        return SimpleNamespace(result={"errors": {"images": images, "predicted": [3] * len(images)}})

    series: Series = {
        "hqnn-mnist/hqnn": [run([1, 2, 5]), run([2, 5])],
        "hqnn-mnist/cnn": [run([2, 7]), run([2])],
    }
    found = studies.mistakes(series, {"most": 4})
    numbers = {key: interval.mean for key, interval in found.result.items()}
    assert numbers == {
        "always/hqnn": 2,
        "always/cnn": 1,
        "ever/hqnn": 3,
        "ever/cnn": 2,
        "always/both": 1,
        "ever/both": 1,
        "ever/only-hqnn": 2,
        "ever/only-cnn": 1,
    }
    assert found.data is not None
    assert {name for name, picture in found.data.items() if picture.startswith(PNG)} == {"both", "hqnn", "cnn"}


def test_nothing_goes_past_the_circuits(digits: Any) -> None:
    outcomes = {seed: runs.execute(digits, seed) for seed in range(2)}
    records: Any = [SimpleNamespace(seed=seed, snapshot=outcome.weights) for seed, outcome in outcomes.items()]
    result = studies.layer({"hqnn-mnist/hqnn": records}, {"batch": 100}).result
    final = np.mean([100 * outcome.history["test_accuracy"][-1] for outcome in outcomes.values()])
    assert result["accuracy"].mean == pytest.approx(final, abs=1e-3)
    assert result["accuracy/shuffled"].mean < 25 < result["accuracy"].mean
    assert result["accuracy/shuffled"].mean < result["accuracy/one-circuit-shuffled"].mean
    assert 0 < result["spread/out"].mean < 1
