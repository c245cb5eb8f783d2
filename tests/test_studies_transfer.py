"""What the analyses of the transfer paper measure, on small networks of the bundled digits, against NumPy and Aer."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh

from hqnn import experiments, measurements, runs, tasks
from hqnn.measurements import Measured
from hqnn.papers.transfer import studies
from hqnn.papers.transfer import tasks as transfer
from hqnn.papers.transfer.experiments import AutoencoderConfig
from hqnn.papers.transfer.features import EMBEDDINGS, aer_frequencies, quantum_features
from hqnn.papers.transfer.model import Autoencoder, Classifier
from hqnn.tasks import Session
from hqnn.training import Samples
from hqnn.views import aer, noise

Array = NDArray[np.float64]

CODER = AutoencoderConfig(dataset="digits", epochs=1, batch_size=16, learning_rate=3e-3, snapshots=(1,))
NAME = "transfer-autoencoder/mnist"


@pytest.fixture(scope="module")
def coders() -> dict[int, tasks.Outcome]:
    """An autoencoder of each seed."""
    return {seed: runs.execute(CODER, seed) for seed in (0, 1)}


@pytest.fixture(autouse=True)
def registry(coders: dict[int, tasks.Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry's autoencoder is the small one, its records are those outcomes, and MNIST's images the digits.

    The test images are in no order, so that a label is no other image's too.
    """
    experiment = replace(experiments.get("transfer-autoencoder"), variants={"mnist": CODER})
    monkeypatch.setitem(experiments.EXPERIMENTS, "transfer-autoencoder", experiment)
    monkeypatch.setattr(runs, "kept_weights", lambda series, seed, **_: coders[seed].weights(1))
    monkeypatch.setattr(runs, "_built_on", lambda *_: {})
    splits, origin = transfer.images("digits")
    order = np.random.default_rng(0).permutation(449)
    mixed = {**splits, "test": Samples(*(tensor[order] for tensor in splits["test"]))}
    monkeypatch.setattr(transfer, "images", lambda name: (mixed, origin))


def record(outcome: tasks.Outcome, seed: int, name: str) -> Any:
    experiment, variant = experiments.split(name)
    path = Path("data/runs", experiment, variant, f"seed-{seed}.json")
    return SimpleNamespace(path=path, seed=seed, experiment=experiment, variant=variant, snapshot=outcome.weights)


def compute(name: str, coders: dict[int, tasks.Outcome], **settings: Any) -> Measured:
    """The findings of a recipe that reads autoencoders; its settings are the registry's but for those given."""
    recipe = measurements.everything()[name]
    assert recipe.inputs == (NAME,) and settings.keys() <= recipe.settings.keys()
    records = [record(outcome, seed, NAME) for seed, outcome in coders.items()]
    return recipe.compute({NAME: records}, {**recipe.settings, **settings})


# --- by hand


def pixels(split: str) -> Array:
    return np.asarray(transfer.images("mnist")[0][split].inputs.flatten(1).double().numpy())


def labels() -> NDArray[np.int64]:
    return np.asarray(transfer.images("mnist")[0]["test"].targets.numpy())


def middle(n: int) -> NDArray[np.int64]:
    """The test image in the middle of each class, and the next of its class."""
    of_class = [np.flatnonzero(labels() == digit) for digit in range(10)]
    return np.concatenate([images[len(images) // 2 :][:n] for images in of_class])


def applied(outcome: tasks.Outcome, part: str, x: Array) -> Array:
    model = Autoencoder(CODER).eval()
    model.load_state_dict(outcome.weights(1))
    return np.asarray(getattr(model, part)(torch.from_numpy(x).float()).detach().double().numpy())


def inputs(outcome: tasks.Outcome, reading: str, scale: str) -> Array:
    """The training set's range of each value, stretched over the encoding's domain; what never varies becomes 0."""
    train, z = (applied(outcome, "encoder", pixels(split)) for split in ("train", "test"))
    if reading == "pca-5":
        _, _, rows = np.linalg.svd(train - train.mean(0), full_matrices=False)
        axes = rows[:5].T * np.sign(rows[np.arange(5), np.abs(rows[:5]).argmax(1)])
        train, z = train @ axes, z @ axes
    elif reading == "first-5":
        train, z = train[:, :5], z[:, :5]
    top = np.pi / 2 if reading == "pca-5" else 1.0
    ends = (-top, top) if scale == "symmetric" else (0.0, 2 * top if reading == "pca-5" else top)
    low, high = train.min(0), train.max(0)
    columns = [
        np.interp(column, (low[k], high[k]), ends) if high[k] > low[k] else np.zeros(len(z))
        for k, column in enumerate(z.T)
    ]
    return np.stack([*columns, *[np.zeros(len(z))] * (-len(columns) % 5)], 1)


def test_compression_is_compared_with_projections_on_principal_components(
    coders: dict[int, tasks.Outcome], watched: Callable[[str], list[Any]]
) -> None:
    drawn, least = watched("image_rows"), 3
    train, test = pixels("train"), pixels("test")
    rows = eigh(np.cov(train.T), subset_by_index=(784 - 8, 783))[1].T[::-1]
    projected = {k: train.mean(0) + (test - train.mean(0)) @ rows[:k].T @ rows[:k] for k in range(9)}
    errors = {k: ((test - one) ** 2).mean() for k, one in projected.items()}
    settings = {"components": [1, 4, 8], "printed": (errors[least - 1] + errors[least]) / 2, "compared": 50}
    made, data = compute("transfer-compression", coders, **settings)
    assert [made[f"pca/{k}"].mean for k in (1, 4, 8)] == pytest.approx([errors[k] for k in (1, 4, 8)], rel=1e-6)
    assert made["components"].mean == least
    expected: dict[str, list[float]] = {key: [] for key in ("test-loss", "dead", "dead-of-5", "zeros", "recognised")}
    for outcome in coders.values():
        z, dead = applied(outcome, "encoder", test), applied(outcome, "encoder", train).max(0) == 0
        loss = ((applied(outcome, "decoder", z) - test) ** 2).mean()
        assert loss == pytest.approx(outcome.history["test_loss"][-1], rel=1e-3)  # but for the weights' rounding
        chosen = np.arange(50) * (len(test) // 50)
        far = ((applied(outcome, "decoder", z[chosen])[:, None] - test[chosen]) ** 2).sum(2)
        again = (far.argmin(1) == np.arange(50)).mean()
        for key, value in zip(expected, (loss, dead.sum(), dead[:5].sum(), (z == 0).mean(), again), strict=True):
            expected[key].append(float(value))
    for key, values in expected.items():
        assert data[key] == pytest.approx(values, abs=1e-4), key
        assert (made[key].mean, made[key].n) == pytest.approx((np.mean(values), 2), abs=1e-4)
    assert 0 < np.mean(expected["zeros"]) < 1 and 0 < np.mean(expected["recognised"]) < 1
    # The picture: of each class the image in the middle, and what is left of it.
    shown = {
        "original": test[middle(1)],
        "autoencoder, seed 0": applied(coders[0], "decoder", applied(coders[0], "encoder", test[middle(1)])),
        "8 components": projected[8][middle(1)],
        f"{least} components": projected[least][middle(1)],
    }
    ((_, pictures),) = drawn
    assert list(pictures) == list(shown)
    for label, images in shown.items():
        np.testing.assert_allclose(pictures[label].reshape(10, 784), images, atol=1e-5)


def test_inputs_are_counted_by_their_most_frequent_strings(coders: dict[int, tasks.Outcome]) -> None:
    """RY, then H: a bit is likelier 1 where ⟨Z⟩ is negative, for x and for sin x alike where x is."""
    made, data = compute("transfer-inputs", coders, seed=1, per_class=2)
    assert data["labels"] == labels()[middle(2)].tolist() == np.repeat(np.arange(10), 2).tolist()
    for key in ("first-5/symmetric", "first-5/positive", "pca-5/symmetric", "pca-5/positive"):
        shares = []
        for outcome in coders.values():
            x = inputs(outcome, *key.split("/"))
            z = x * np.sqrt(1 - x**2) if key.startswith("first") else np.sin(x)
            _, counts = np.unique((z < -1e-9).cumsum(1) % 2, axis=0, return_counts=True)
            shares.append(counts / len(x))
        assert made[f"{key}/strings"].mean == np.mean([len(share) for share in shares])
        assert made[f"{key}/top"].mean == pytest.approx(np.mean([share.max() for share in shares]))
        np.testing.assert_allclose(data[key], x[middle(2)], atol=1e-4)  # those of the last seed


def test_the_layer_is_compared_with_aer_on_test_images_and_by_the_clock(
    coders: dict[int, tasks.Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With probabilities that are off by a known amount, and a clock that ticks whenever it is read."""
    seen: list[Array] = []
    exact, drawn = aer.probabilities, aer.counts

    def probabilities(pc: Any, x: Any, weights: Any, **options: Any) -> Array:
        seen.append(np.asarray(x))
        found = exact(pc, x, weights, **options)
        found[7, 3] += 0.25
        return found

    counted: list[tuple[int, int, int]] = []

    def counts(pc: Any, x: Any, weights: Any, *, shots: int, seed: int) -> NDArray[np.int64]:
        counted.append((len(x), shots, seed))
        return drawn(pc, x, weights, shots=shots, seed=seed)

    ticks = iter(range(10**6))
    monkeypatch.setattr(studies, "time", SimpleNamespace(process_time=lambda: float(next(ticks))))
    monkeypatch.setattr(aer, "probabilities", probabilities)
    monkeypatch.setattr(aer, "counts", counts)
    settings = {"readings": ["first-5", "pca-5"], "seed": 1, "compared": 20, "counted": 200, "naive": 3, "batched": 8}
    made, _ = compute("transfer-aer", coders, **settings, shots=[10, 30], repetitions=2, images=5000)
    result = {key: interval.mean for key, interval in made.items()}
    for x, reading in zip(seen, ("first-5", "pca-5"), strict=True):
        np.testing.assert_allclose(x, inputs(coders[1], reading, "symmetric")[:: 449 // 20], atol=1e-4)
        assert result[f"{reading}/deviation"] == pytest.approx(0.25, abs=1e-9)
        of_aer = drawn(EMBEDDINGS[reading].circuit(), x, [], shots=200, seed=1)
        ours = quantum_features(EMBEDDINGS[reading], torch.from_numpy(x), "probabilities").double().numpy()
        if reading == "pca-5":  # the other has strings that are equally probable, and which of them are rare is open
            assert result[f"{reading}/p"] == pytest.approx(studies.chi_squared(of_aer, ours), rel=1e-3)
    assert counted == [(len(x), 200, 1)] * 2 + [(8, shots, repetition) for shots in (10, 30) for repetition in (0, 1)]
    # Between two readings of the clock a second passes: before and after, and twice for each of 3 images' transpiling.
    assert result["transpile"] == pytest.approx(3 / 7)
    for shots in (10, 30):
        for way, seconds in {"naive": 7 / 3, "batched": 1 / 8, "layer": 1 / 8}.items():
            assert result[f"{way}/{shots}"] == pytest.approx(1e3 * seconds)
            assert result[f"hours/{way}/{shots}"] == pytest.approx(5000 * seconds / 3600)
            assert made[f"{way}/{shots}"].n == 2
        assert result[f"ratio/{shots}"] == pytest.approx(7 / 3 * 8)


def test_hybrids_are_read_from_noisy_devices(coders: dict[int, tasks.Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = measurements.everything()["transfer-noise"]
    small: dict[str, Any] = {"dataset": "digits", "encoder": CODER, "epochs": 4, "batch_size": 64, "hidden": (24,)}
    configs = {name: replace(experiments.config(name), **small, snapshots=(4,)) for name in recipe.inputs}
    variants = {experiments.split(name)[1]: config for name, config in configs.items()}
    hybrid = replace(experiments.get("transfer-hybrid"), variants=variants)
    monkeypatch.setitem(experiments.EXPERIMENTS, "transfer-hybrid", hybrid)
    outcomes = {name: runs.execute(config, 0) for name, config in configs.items()}
    settings = {"tested": 18, "seeds": 1, "depolarising": [0.3], "p1_over_p2": 0.2, "readout": [0.2]}
    unread = SimpleNamespace(seed=1)  # one seed is asked for
    series: Any = {name: [record(outcome, 0, name), unread] for name, outcome in outcomes.items()}
    used: list[noise.Noise | None] = []

    def watching(*arguments: Any, **options: Any) -> Array:
        used.append(options["noise"])
        return aer_frequencies(*arguments, **options)

    monkeypatch.setattr(studies, "aer_frequencies", watching)
    made, data = recipe.compute(series, settings)
    devices = {
        "none": None,
        "depolarising/0.3": noise.depolarising(0.06, 0.3),
        "readout/0.2": noise.readout(0.2),
        "manila": noise.manila(),
    }
    # No image need change sides where a strength is a little off: a device's name says how strong it is.
    assert [one and one.name for one in used] == [one and one.name for one in devices.values()] * 2
    expected: dict[str, list[float]] = {}
    for name, config in configs.items():
        reading, target = EMBEDDINGS[config.reading], labels()[:: 449 // 18]
        rows = inputs(coders[0], config.reading, "symmetric")[:: 449 // 18].reshape(-1, 5)
        session = Session(seed=0, key="", kept=runs.kept_weights)
        known = transfer.features(replace(config, standardise=False), session)[0].inputs.double().numpy()
        spread = known.std(0, ddof=1)
        model = Classifier(config, 32 * reading.n_circuits).eval()
        model.load_state_dict(outcomes[name].weights(4))
        for device, model_of_noise in devices.items():
            measured = aer.probabilities(reading.circuit(), rows, [], noise=model_of_noise).reshape(len(target), -1)
            scaled = np.divide(measured - known.mean(0), spread, out=np.zeros_like(measured), where=spread > 1e-6)
            told = model(torch.from_numpy(scaled).float()).argmax(1).numpy()
            expected[f"{config.reading}/{device}"] = [float((told == target).mean())]
    assert data == expected
    assert {key: interval.mean for key, interval in made.items()} == {k: v[0] for k, v in expected.items()}
    assert expected["pca-5/none"][0] > 0.25  # of ten classes
    assert len({values[0] for values in expected.values()}) > 3
