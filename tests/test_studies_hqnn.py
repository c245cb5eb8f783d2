"""What the analyses of HQNN-Parallel measure, where the answer is known."""

import io
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from hqnn import datasets, experiments, robustness, runs
from hqnn.datasets import Dataset, Split
from hqnn.measurements import Series
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn import studies

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
    made, data = studies.medical_audit({}, settings)
    numbers = {key: interval.mean for key, interval in made.items()}
    assert numbers["images"] == 9
    assert numbers["channels"] == numbers["constant"] == numbers["copies"] == numbers["leaked"] == 1
    assert numbers["copies-across-classes"] == 0
    assert numbers["near/1"] == 1
    assert numbers["accuracy/neighbour"] == numbers["accuracy/quantisation"] == 100
    assert numbers["accuracy/majority"] == pytest.approx(100 / 3)
    assert data["leaked"] == [1]
    assert data["classes"] == {"dark": 4, "bright": 5}
    assert [sum(by.values()) for by in data["tables"].values()] == [4, 5]
    assert len({name for by in data["tables"].values() for name in by}) == 2


def test_pictures_are_made_of_every_dataset_asked_for(watched: Callable[[str], list[Any]]) -> None:
    drawn = watched("image_columns")
    made, data = studies.images({}, {"per_class": {"digits": 2}, "data_seed": 3})
    assert made["datasets"].mean == 1
    assert data["digits"].startswith(PNG)
    dataset = datasets.load("digits")
    order = np.random.default_rng(3).permutation(1348)
    labels = dataset.train.labels.numpy()
    ((_, columns),) = drawn
    assert list(columns) == list("0123456789")
    for digit, column in columns.items():
        first = [k for k in order if labels[k] == int(digit)][:2]
        np.testing.assert_array_equal(column[..., 0], dataset.train.images[first, 0])


def small(n: int, seed: int = 0) -> Tensor:
    return torch.randint(256, (n, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_copies_neighbours_and_majorities_are_those_of_brute_force() -> None:
    images = small(6)
    images[3] = images[5] = images[1].clone()
    assert studies.first_copies(images).tolist() == [0, 1, 2, 1, 4, 1]
    queries, candidates = small(700, 1), small(90, 2)
    for side in (4, 2):
        which, distance = studies.nearest(queries, candidates, side=side)
        q, c = (
            x.double().unflatten(2, (side, -1)).unflatten(4, (side, -1)).mean((3, 5)) for x in (queries, candidates)
        )
        distances = (q[:, None] - c[None]).pow(2).mean((2, 3, 4)).sqrt().numpy()
        np.testing.assert_array_equal(which, distances.argmin(1))
        np.testing.assert_allclose(distance, distances.min(1), rtol=1e-5)
    assert studies.nearest(queries, queries, side=4)[1].tolist() == [0.0] * 700  # a copy is at distance zero
    told = studies.majority(["a", "b", "b", "b", "b", "c"], np.array([0, 0, 1, 2, 2, 2]), ["a", "b", "c", "new"])
    assert told.tolist() == [0, 2, 2, 2]


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The experiment on MNIST as it would be on some of the bundled digits, after two epochs."""
    quick = experiments.get("hqnn-mnist").quick
    config = replace(quick["hqnn"], n_train=600, epochs=2, snapshots=(2,))
    experiment = replace(experiments.get("hqnn-mnist"), variants={"hqnn": config, "cnn": quick["cnn"]})
    monkeypatch.setitem(experiments.EXPERIMENTS, "hqnn-mnist", experiment)
    return config


def split_of(config: Any) -> Split:
    """What the experiment tests on."""
    sizes = {"n_train": config.n_train, "n_val": 0, "n_test": config.n_test}
    return datasets.partition(datasets.load("digits"), **sizes, seed=config.data_seed).test


def test_mistakes_are_counted_over_runs(digits: Any, watched: Callable[[str], list[Any]]) -> None:
    drawn = watched("titled_images")

    def run(predicted: dict[int, int]) -> Any:
        return SimpleNamespace(errors=predicted)

    series: Series = {
        "hqnn-mnist/hqnn": [run({1: 8, 2: 7, 5: 4}), run({2: 7, 5: 9})],
        "hqnn-mnist/cnn": [run({2: 1, 7: 6}), run({2: 1})],
    }
    made, data = studies.mistakes(series, {"most": 4})
    numbers = {key: interval.mean for key, interval in made.items()}
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
    assert list(data) == ["both", "hqnn", "cnn"] and all(picture.startswith(PNG) for picture in data.values())
    # Four test images each: those wrong most often, and those that one model gets wrong more often than the other.
    test = split_of(digits)
    guesses = {1: "8, ✓", 2: "7, 1", 5: "4, ✓", 7: "✓, 6"}
    for (_, images, titles), shown in zip(drawn, ([2, 5, 1, 7], [5, 1, 0, 2], [7, 0, 2, 3]), strict=True):
        np.testing.assert_array_equal(images[..., 0], test.images[shown, 0])
        assert titles == [f"{test.labels[k]} ({guesses.get(k, '✓, ✓')})" for k in shown]


def test_hard_digits_are_those_that_all_networks_of_the_seed_get_wrong(digits: Any) -> None:
    test = split_of(digits)
    first, *others = (int(k) for k in (test.labels == 3).nonzero()[:3, 0])
    last = int((test.labels == 8).nonzero()[0, 0])

    def runs_of(errors: dict[int, int]) -> Any:
        return [SimpleNamespace(seed=4, errors={0: 1}), SimpleNamespace(seed=0, errors=errors)]

    series: Series = {
        "hqnn-mnist/hqnn": runs_of({first: 5, others[0]: 5, others[1]: 9, last: 1}),
        "hqnn-mnist-weights/blocks": runs_of({others[0]: 5, others[1]: 9, last: 2}),
        "hqnn-mnist-weights/identity": runs_of({first: 5, others[0]: 5, others[1]: 2, last: 1}),
    }
    made, data = studies.hard_digits(series, {"seed": 0})
    numbers = {key: interval.mean for key, interval in made.items()}
    assert numbers == {"wrong/hqnn": 4, "wrong/blocks": 3, "wrong/identity": 4, "wrong/all": 3, "alike": 1}
    found = [(digit["image"], digit["label"], digit["said"]) for digit in data["digits"]]
    assert found == [(others[0], 3, [5, 5, 5]), (last, 8, [1, 2, 1])]


def test_every_fourth_image_is_made_worse(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def record(variant: str, seed: int) -> Any:
        torch.manual_seed(seed)
        weights = hqnn.build(experiments.config(f"hqnn-mnist/{variant}")).state_dict()
        return SimpleNamespace(seed=seed, variant=variant, snapshot=lambda _epoch: weights)

    seen: list[robustness.Trained] = []

    def watching(networks: Any, hybrid: str, settings: Any) -> dict[str, list[float]]:
        assert (hybrid, settings) == ("hqnn", {"every": 4})
        seen.extend(networks)
        return {"saved": [1.0, 3.0]}

    monkeypatch.setattr(robustness, "compare", watching)
    series = {f"hqnn-mnist/{variant}": [record(variant, seed) for seed in (3, 4)] for variant in ("hqnn", "cnn")}
    made, _ = studies.worse_images(series, {"every": 4})
    assert (made["saved"].mean, made["saved"].n) == (2, 2)
    assert [(one.series, one.seed) for one in seen] == [(f"digits/{v}", s) for v in ("hqnn", "cnn") for s in (3, 4)]
    test = split_of(digits)
    for one, found in zip(seen, [found for records in series.values() for found in records], strict=True):
        torch.testing.assert_close(one.images, test.images[::4] / 255)
        assert torch.equal(one.labels, test.labels[::4])
        assert not one.model.training
        assert torch.equal(one.model.state_dict()["scores.weight"], found.snapshot(2)["scores.weight"])


def test_nothing_goes_past_the_circuits(digits: Any) -> None:
    """The same by changing what the circuits return while the whole network runs."""
    outcomes = {seed: runs.execute(digits, seed) for seed in range(2)}
    records: Any = [SimpleNamespace(seed=seed, snapshot=outcome.weights) for seed, outcome in outcomes.items()]
    result = studies.layer({"hqnn-mnist/hqnn": records}, {"batch": 100})[0]
    assert result["accuracy/shuffled"].mean < 25 < result["accuracy"].mean
    test = split_of(digits)
    expected: dict[str, list[float]] = {key: [] for key in result}
    for seed, outcome in outcomes.items():
        model = hqnn.build(digits).eval()
        model.load_state_dict(outcome.weights(2))
        order = torch.randperm(400, generator=torch.Generator().manual_seed(seed))

        def accuracy(own: slice | None, *, bypassed: bool = False, model: Any = model, order: Tensor = order) -> float:
            def changed(_module: Any, inputs: Any, outputs: Tensor) -> Tensor:
                outputs = inputs[0] if bypassed else outputs.clone()
                if own:
                    outputs[:, own] = outputs[order][:, own]
                return outputs

            with torch.no_grad(), model.middle.register_forward_hook(changed):
                return 100 * float((model(test.images / 255).argmax(1) == test.labels).double().mean())

        with torch.no_grad():
            angles = model.angles(test.images / 255)
            outputs = model.middle(angles)
        values = {
            "accuracy": accuracy(None),
            "accuracy/shuffled": accuracy(slice(0, 20)),
            "accuracy/one-circuit-shuffled": np.mean([accuracy(slice(5 * c, 5 * c + 5)) for c in range(4)]),
            "accuracy/bypassed": accuracy(None, bypassed=True),
            "spread/in": angles.numpy().std(0, ddof=1).mean(),
            "spread/out": outputs.numpy().std(0, ddof=1).mean(),
        }
        assert values["accuracy"] == pytest.approx(100 * outcome.history["test_accuracy"][-1], abs=1e-3)
        for key, value in values.items():
            expected[key].append(float(value))
    for key, found in expected.items():
        assert result[key].mean == pytest.approx(np.mean(found), rel=1e-5), key
