"""What the recorded measurements measure, on small networks where the answer is known."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from qiskit.quantum_info import Statevector, partial_trace
from scipy.stats import kstest
from torch import Tensor
from torch.nn import functional

from hqnn import datasets, experiments, measurements, robustness, runs, tasks
from hqnn.measurements import Series
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn import noise_robustness, saliency, studies
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.transfer import studies as transfer_studies
from hqnn.papers.transfer import tasks as transfer
from hqnn.papers.transfer.studies import chi_squared
from hqnn.views import aer, noise
from hqnn.views.layer import QuantumLayer


def test_every_recipe_reads_series_that_exist() -> None:
    recipes = measurements.everything()
    assert "lcqhnn-bloch" in recipes
    for series in (one for recipe in recipes.values() for one in recipe.inputs):
        experiment, variant = series.split("/")
        assert variant in experiments.get(experiment).variants


def test_encoders_come_from_the_data_folder_of_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class AskedError(Exception):
        pass

    def ask(series: str, seed: int, *, root: Path) -> None:
        raise AskedError(seed, root)

    monkeypatch.setattr(runs, "kept_weights", ask)
    monkeypatch.setattr(transfer, "encoded", lambda _config, session: session.kept("a/b", session.seed))
    for recipe in measurements.everything().values():
        if recipe.compute.__module__ == transfer_studies.__name__ and recipe.name != "transfer-compression":
            seed = recipe.settings.get("seed", 3)
            series: Any = {
                one: [SimpleNamespace(seed=seed, path=tmp_path / "runs" / one / "seed-3.json")] for one in recipe.inputs
            }
            with pytest.raises(AskedError) as asked:
                recipe.compute(series, recipe.settings)
            assert asked.value.args == (seed, tmp_path)


# --- counts against probabilities

RATES = {
    "even": np.full((20, 32), 1 / 32),
    "falling": np.tile(0.6 ** np.arange(32) * 0.4 / (1 - 0.6**32), (20, 1)),
    "one outcome and 31 rare ones": np.tile([1 - 31 * 2e-4, *[2e-4] * 31], (20, 1)),
    "of every kind": np.random.default_rng(0).dirichlet(np.full(32, 0.1), 20),
}
"""Outcomes expected from 0 to 1,018 times in 1,024 shots."""


@pytest.mark.parametrize("kind", RATES)
def test_p_values_of_counts_are_uniform_where_the_probabilities_are_right_and_only_there(kind: str) -> None:
    rng = np.random.default_rng(0)
    found = [chi_squared(rng.multinomial(1024, RATES[kind]), RATES[kind]) for _ in range(400)]
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.03)
    for _ in range(20):
        other = 0.8 * RATES[kind] + 0.2 * rng.dirichlet(np.ones(32), 20)
        assert chi_squared(rng.multinomial(1024, other), RATES[kind]) < 1e-6


def test_an_impossible_outcome_refutes_and_one_that_never_occurs_does_not() -> None:
    probabilities = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0]])
    counts = np.array([[52, 48, 0, 0], [0, 23, 77, 0]])
    # (2² / 50 · 2, then 2² / 25 + 2² / 75), two degrees of freedom: exp(-statistic / 2)
    assert chi_squared(counts, probabilities) == pytest.approx(math.exp(-(0.16 + 16 / 75) / 2))
    counts[1] = [1, 23, 76, 0]
    assert chi_squared(counts, probabilities) == 0


def test_every_cell_of_the_test_is_expected_five_times() -> None:
    # Expected 2, 2, 2, 3, 91 times: 2 + 2 + 2 + 3 go together. Expected 1, 2, 6, 91 times: 1 + 2 + 6 do.
    for probabilities in ([0.02, 0.02, 0.02, 0.03, 0.91], [0.0, 0.01, 0.02, 0.06, 0.91]):
        found = chi_squared(np.array([[0, 0, 0, 14, 86]]), np.array([probabilities]))
        assert found == pytest.approx(math.erfc(math.sqrt((25 / 9 + 25 / 91) / 2)))  # one degree of freedom


@pytest.mark.parametrize(
    ("probabilities", "shots", "message"),
    [([0.5, 0.6], 100, r"must sum to 1, but sums lie from 1\.1"), ([0.5, 0.5], 8, "take more shots")],
)
def test_counts_that_cannot_be_tested_are_refused(probabilities: list[float], shots: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chi_squared(np.array([[shots, 0]]), np.array([probabilities]))


# --- the measurements of lcqhnn, each on two seeds of networks that were trained for two epochs

STAGES = (0, 1, 2)
SEEDS = (1, 2)
"""Of runs that get better at once; a run that stays at chance has no correlation."""


class Trained(NamedTuple):
    """Small networks under the registry's names, and what their recipes should have seen."""

    series: Series
    configs: dict[str, LcqhnnConfig]
    accuracies: dict[str, NDArray[np.float64]]
    """Test accuracy after epochs 1 and 2 [seeds, 2], as training measured it."""

    def images(self, name: str, split: str = "test") -> tuple[Tensor, Tensor]:
        """Images and labels of a series."""
        config, digits = self.configs[name], datasets.load("digits")
        subset = datasets.subset(digits, classes=config.classes, n_train=96, n_val=20, n_test=50)
        part = getattr(subset, split)
        return part.images.float() / 255, part.labels

    def network(self, name: str, seed: int, epoch: int) -> Any:
        """A series' network as it was after an epoch."""
        model = lcqhnn.build(self.configs[name]).eval()
        (record,) = (record for record in self.series[name] if record.seed == seed)
        model.load_state_dict(record.snapshot(epoch))
        return model


@pytest.fixture(scope="module")
def outcomes() -> dict[str, tuple[LcqhnnConfig, list[tasks.Outcome]]]:
    found = {}
    for experiment, classes in (("lcqhnn-mnist", (0, 1)), ("lcqhnn-fashion", (1, 6))):
        for variant in ("lcqhnn", "cnn-4"):
            quick = experiments.get(experiment).quick[variant]
            config = replace(quick, classes=classes, n_train=96, n_val=20, n_test=50, epochs=2, snapshots=STAGES)
            config = replace(config, learning_rate=0.01)
            found[f"{experiment}/{variant}"] = config, [runs.execute(config, seed) for seed in SEEDS]
    return found


@pytest.fixture
def trained(outcomes: dict[str, tuple[LcqhnnConfig, list[tasks.Outcome]]], monkeypatch: pytest.MonkeyPatch) -> Trained:
    monkeypatch.setattr(saliency, "STAGES", STAGES)
    configs = {name: config for name, (config, _) in outcomes.items()}
    for experiment in ("lcqhnn-mnist", "lcqhnn-fashion"):
        small = {variant: configs[f"{experiment}/{variant}"] for variant in ("lcqhnn", "cnn-4")}
        monkeypatch.setitem(experiments.EXPERIMENTS, experiment, replace(experiments.get(experiment), variants=small))
    series: dict[str, Any] = {
        name: [SimpleNamespace(seed=seed, snapshot=one.weights) for seed, one in zip(SEEDS, found, strict=True)]
        for name, (_, found) in outcomes.items()
    }
    accuracies = {name: np.array([o.history["test_accuracy"] for o in found]) for name, (_, found) in outcomes.items()}
    return Trained(series, configs, accuracies)


def measured(recipe: str, trained: Trained, settings: dict[str, Any]) -> tuple[Any, Any]:
    """What a measurement yields of the small networks."""
    found = measurements.everything()[recipe]
    return found.compute({name: trained.series[name] for name in found.inputs}, settings)


def test_encoded_features_and_weights_reproduce_the_networks_scores(trained: Trained) -> None:
    name = "lcqhnn-mnist/lcqhnn"
    model, config = trained.network(name, 1, 2), trained.configs[name]
    for split in ("test", "val"):
        network, (images, labels) = studies.encoded(config, model.state_dict(), split), trained.images(name, split)
        layer = QuantumLayer(lcqhnn.circuit(config), dtype=torch.float64)
        layer.load_state_dict({"weights": torch.from_numpy(network.weights)[None]}, strict=False)
        scores = model.classify(layer(torch.from_numpy(network.features)).float())
        assert scores.detach().numpy() == pytest.approx(model(images).detach().numpy(), abs=1e-5)
        assert network.labels.tolist() == labels.tolist()


def test_bloch_numbers_are_those_of_the_reduced_states(trained: Trained) -> None:
    made, data = measured("lcqhnn-bloch", trained, {"untrained": 0, "trained": 2})
    name, pc = "lcqhnn-mnist/lcqhnn", lcqhnn_circuit()
    for stage, epoch in {"untrained": 0, "trained": 2}.items():
        assert made[f"mnist/{stage}/not-uniform"].mean == 1.0  # fresh features are all alike
        features, lengths = [], np.zeros((2, 50, 4))
        for s, record in enumerate(trained.series[name]):
            network = studies.encoded(trained.configs[name], record.snapshot(epoch))
            features.append(network.features)
            for k, x in enumerate(network.features):
                values = dict(zip([*pc.inputs, *pc.weights], [*x, *network.weights], strict=True))
                state = Statevector(pc.stages()["ψ4"].assign_parameters(values))
                others = [[q for q in range(4) if q != qubit] for qubit in range(4)]
                lengths[s, k] = [math.sqrt(max(0.0, 2 * partial_trace(state, o).purity().real - 1)) for o in others]
        assert made[f"mnist/{stage}/length-after-ry"].mean == pytest.approx(lengths.mean(), abs=1e-6)
        phases = 2 * np.array(features)
        assert made[f"mnist/{stage}/resultant-length"].mean == pytest.approx(np.abs(np.exp(1j * phases).mean(1)).mean())
        assert made[f"mnist/{stage}/abs-cosine"].mean == pytest.approx(np.abs(np.cos(phases)).mean())
        assert data["mnist"][stage]["seed"] == SEEDS[0]
        assert np.array(data["mnist"][stage]["features"]) == pytest.approx(features[0], abs=1e-4)
    per_seed = lengths.mean((1, 2))
    assert data["mnist"]["length-after-ry"] == pytest.approx(per_seed, abs=1e-6)
    assert data["mnist"]["most-entangled"]["seed"] == SEEDS[per_seed.argmin()]


def heat_by_hand(model: Any, images: Tensor, labels: Tensor) -> Tensor:
    """Grad-CAM of each image's own class on the image's grid [N, 28, 28]: eq. 10-12 of lcqhnn over the whole map."""
    pools = model.features.pools
    seen = functional.relu(functional.max_pool2d(model.features.conv1(images), pools[0]))
    activations = model.features.conv2(seen).detach().requires_grad_()
    behind = functional.relu(functional.max_pool2d(activations, pools[1])).flatten(1)
    hybrid = isinstance(model, lcqhnn.Lcqhnn)
    scores = model.classify(model.quantum(model.reduce(behind))) if hybrid else model.scores(model.reduce(behind))
    (slopes,) = torch.autograd.grad(scores[range(len(labels)), labels].sum(), activations)
    heat = (slopes.mean((2, 3), keepdim=True) * activations.detach()).sum(1).clamp_min(0)
    return functional.interpolate(heat[:, None], (28, 28), mode="bilinear")[:, 0]


def test_the_focus_is_that_of_every_run_at_every_stage(trained: Trained) -> None:
    made, data = measured("lcqhnn-focus", trained, {})
    for name in trained.series:
        key = name.removeprefix("lcqhnn-")
        stored = saliency.arrays(data["series"][key])
        assert data["series"][key]["epochs"] == list(STAGES)
        np.testing.assert_allclose(stored["accuracy"][:, 1:], trained.accuracies[name], atol=1e-5)
        images, labels = trained.images(name)
        mask, focus = images[:, 0] > 0.1, np.zeros((2, 3))
        area = float(mask.double().mean())
        assert data["images"][key.split("/")[0]]["area"] == pytest.approx(area)
        for row, seed in enumerate(SEEDS):
            for epoch in STAGES:
                heat = heat_by_hand(trained.network(name, seed, epoch), images, labels)
                total = heat.sum((1, 2))
                share = torch.where(total > 0, (heat * mask).sum((1, 2)) / total, mask.float().mean((1, 2)))
                focus[row, epoch] = float(share.mean())
        np.testing.assert_allclose(stored["grad-cam"]["focus"], focus, atol=2e-5)
        prefix = key.removesuffix("/lcqhnn")
        assert made[f"{prefix}/focus-2-minus-1"].mean == pytest.approx((focus[:, 2] - focus[:, 1]).mean(), abs=2e-5)
        assert made[f"{prefix}/focus-0-minus-area"].mean == pytest.approx(focus[:, 0].mean() - area, abs=2e-5)
        model = trained.network(name, SEEDS[1], 1)
        seen = saliency.attribute(model, images, labels, layer=model.features.conv2)
        agreed = saliency.consistency(seen.gradients, labels)
        assert stored["consistency"][1, 1] == pytest.approx(agreed, abs=1e-5)
        for method, window, rectify in (("grad-cam-relu", None, True), ("window-3", 3, False), ("window-1", 1, False)):
            found = saliency.focus(saliency.heat(seen, window, rectify=rectify), mask)
            assert stored[method]["focus"][1, 1] == pytest.approx(float(found.mean()), abs=1e-5)
    last = [np.array(data["series"][f"{d}/lcqhnn"]["grad-cam"]["saturation"])[:, -1] for d in ("mnist", "fashion")]
    assert made["saturation-mnist-minus-fashion"].mean == pytest.approx((last[0] - last[1]).mean(), abs=2e-5)


def test_heat_maps_are_those_of_the_first_images_of_each_class(
    trained: Trained, watched: Callable[[str], list[Any]]
) -> None:
    drawn = watched("heat_gallery")
    _, data = measured("lcqhnn-heatmaps", trained, {"per_class": [3, 1], "seed": 2, "window": 3})
    assert [(name, picture[:11]) for name, picture in data.items()] == [
        (name, "iVBORw0KGgo") for name in ("mnist", "fashion", "seeds")
    ]
    compared: list[Tensor] = []
    by_seed: dict[str, list[Tensor]] = {f"seed {seed}": [] for seed in SEEDS}
    for name, (_, shown, rows, outlines) in zip(("lcqhnn-mnist/lcqhnn", "lcqhnn-fashion/lcqhnn"), drawn, strict=False):
        images, labels = trained.images(name)
        of_class = [[k for k, label in enumerate(labels.tolist()) if label == c] for c in (0, 1)]
        first, few = (torch.tensor([*of_class[0][:n], *of_class[1][:n]]) for n in (3, 1))
        np.testing.assert_array_equal(shown, images[first, 0])
        np.testing.assert_array_equal(outlines, images[first, 0] > 0.1)
        stages = ("untrained", "epoch 1", "epoch 2")
        assert list(rows) == [f"{method}, {stage}" for method in ("Grad-CAM", "3 × 3") for stage in stages]
        for epoch, stage in enumerate(stages):
            model = trained.network(name, 2, epoch)
            expected = heat_by_hand(model, images[first], labels[first])
            np.testing.assert_allclose(rows[f"Grad-CAM, {stage}"], expected, atol=1e-6)
            seen = saliency.attribute(model, images[first], labels[first], layer=model.features.conv2)
            np.testing.assert_allclose(rows[f"3 × 3, {stage}"], saliency.upsample(saliency.heat(seen, 3)), atol=1e-6)
        compared.append(images[few, 0])
        for seed in SEEDS:
            by_seed[f"seed {seed}"].append(heat_by_hand(trained.network(name, seed, 2), images[few], labels[few]))
    _, shown, rows, _ = drawn[-1]
    np.testing.assert_array_equal(shown, torch.cat(compared))
    assert list(rows) == list(by_seed)
    for label, maps in by_seed.items():
        np.testing.assert_allclose(rows[label], torch.cat(maps), atol=1e-6)


NOISE: dict[str, Any] = {
    "epoch": 2,
    "depths": [1, 2],
    "deeper": 2,
    "p2": [0.01],
    "p1_over_p2": 0.5,
    "gates": [],
    "readout": [],
    "t1_us": [50],
    "t2_over_t1": 0.7,
    "today": {"depolarising": 0.01, "thermal": 50},
    "shots": [4],
    "repetitions": 2,
    "reset_shots": 64,
    "kept_at": 0.01,
    "pictured": 9,
    "pictured_at": 0.1,
}


def test_noise_befalls_the_trained_networks_on_the_test_images(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thresholds set on the validation images; `noise_robustness.robustness` is tested by itself."""
    name, recipes = "lcqhnn-fashion/lcqhnn", measurements.everything()
    recipe, other = recipes["lcqhnn-noise-fashion"], recipes["lcqhnn-noise-mnist"]
    assert (recipe.inputs, other.inputs) == ((name,), ("lcqhnn-mnist/lcqhnn",))
    assert (other.compute, other.settings) == (recipe.compute, recipe.settings)
    assert recipe.settings.keys() == NOISE.keys()
    robustness, asked, answers = noise_robustness.robustness, [], []

    def watching(*arguments: Any) -> Any:
        asked.append(arguments)
        answers.append(robustness(*arguments))
        return answers[-1]

    monkeypatch.setattr(noise_robustness, "robustness", watching)
    made, data = measured("lcqhnn-noise-fashion", trained, NOISE)
    assert {key: value for key, value in data.items() if key != "scores"} == noise_robustness.by_seed(answers)
    for seed, (head, *parts, settings, given) in zip(SEEDS, asked, strict=True):
        model = trained.network(name, seed, 2)
        assert (settings, given) == (NOISE, seed)
        np.testing.assert_array_equal(head.weights, model.quantum.weights[0].detach().double())
        for split, (features, labels) in zip(("val", "test"), parts, strict=True):
            images, expected = trained.images(name, split)
            np.testing.assert_allclose(features, model.angles(images).detach(), atol=1e-6)
            np.testing.assert_array_equal(labels, expected)
    images, labels = trained.images(name)
    scores = trained.network(name, SEEDS[0], 2)(images[:9]).detach()
    np.testing.assert_allclose(data["scores"]["perfect"], scores[:, 1] - scores[:, 0], atol=2e-4)
    assert data["scores"]["labels"] == labels[:9].tolist()
    assert made["perfect/accuracy"].mean == pytest.approx(100 * trained.accuracies[name][:, 1].mean(), abs=1e-3)
    today = np.array(data["perfect"]) - np.array(data["trained"]["depolarising"]["2"])[:, 0]
    assert made["depolarising/today/loss-2"].mean == pytest.approx(100 * today.mean(), abs=0.02)


def test_robustness_is_paired_and_weighs_kinds_of_corruption_alike(trained: Trained) -> None:
    settings = {"epoch": 2, "strengths": {"noise": [0.4], "shift": [1, 6]}, "attacks": [0.3]}
    made, _ = measurements.everything()["lcqhnn-robustness"].compute(trained.series, settings)
    lost: dict[str, NDArray[np.float64]] = {}
    for variant in ("lcqhnn", "cnn-4"):
        name = f"lcqhnn-fashion/{variant}"
        images, labels = trained.images(name)
        rows = []
        for seed in SEEDS:
            model = trained.network(name, seed, 2)

            def right(corrupted: Tensor, model: Any = model, labels: Tensor = labels) -> float:
                return 100 * float((model(corrupted).argmax(1) == labels).double().mean())

            noise = right(robustness.noisy(images, 0.4, seed))
            shift = (right(robustness.shifted(images, 1, seed)) + right(robustness.shifted(images, 6, seed))) / 2
            signs = robustness.uphill(model, images, labels)
            rows.append([right(images), noise, shift, right(robustness.attacked(images, signs, 0.3))])
        clean, noise, shift, attack = np.array(rows).T
        for key, values in {"clean": clean, "noise-0.4": noise, "attack-0.3": attack}.items():
            assert made[f"fashion/{variant}/{key}"].mean == pytest.approx(values.mean())
        lost[variant] = clean - (noise + shift) / 2
    assert made["fashion/saved-over-cnn-4"].mean == pytest.approx((lost["cnn-4"] - lost["lcqhnn"]).mean())
    both = [made[f"{dataset}/saved-over-cnn-4"].mean for dataset in ("mnist", "fashion")]
    assert made["saved"].mean == pytest.approx(np.mean(both))
    assert made["saved"].n == len(SEEDS)
    assert 0 <= made["mnist/lcqhnn/calibration"].mean <= 100


def test_networks_trained_with_some_noise_are_used_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracies as Aer has them, of untrained networks on the bundled digits."""
    experiment = experiments.get("lcqhnn-noise-aware-fashion")
    monkeypatch.setitem(experiments.EXPERIMENTS, experiment.name, replace(experiment, variants=experiment.quick))
    devices: dict[str, Any] = {"none": None, "device": noise.manila(), "strong": noise.depolarising(0.05, 0.5)}
    networks: dict[str, list[Any]] = {}
    for k, name in enumerate(devices):
        for seed in SEEDS:
            torch.manual_seed(10 * k + seed)
            networks.setdefault(name, []).append(lcqhnn.build(experiment.quick[name]).eval())
    series: Any = {
        f"{experiment.name}/{name}": [SimpleNamespace(snapshot=lambda _epoch, m=m: m.state_dict()) for m in models]
        for name, models in networks.items()
    }
    made, _ = measurements.everything()["lcqhnn-noise-aware"].compute(series, {"epoch": 8})
    parts = tasks.of(experiment.quick["none"]).images(experiment.quick["none"])[0]
    expected: dict[str, NDArray[np.float64]] = {}
    for trained, models in networks.items():
        for used, device in devices.items():
            rows = []
            for model in models:
                scores = {}
                for split in ("val", "test"):
                    angles = model.angles(parts[split].inputs).detach().double().numpy()
                    weights = model.quantum.weights[0].detach().double().numpy()
                    values = aer.expectations(model.quantum.pc, angles, weights, noise=device)
                    found = model.classify(torch.from_numpy(values).float()).detach().numpy()
                    scores[split] = found[:, 1] - found[:, 0]
                labels = parts["val"].targets.numpy()
                threshold = (scores["val"][labels == 0].mean() + scores["val"][labels == 1].mean()) / 2
                above = np.stack([scores["test"] > 0, scores["test"] > threshold])
                rows.append(100 * (above == parts["test"].targets.numpy()).mean(1))
            expected[f"{trained}/{used}"], expected[f"{trained}/{used}/reset"] = np.transpose(rows)
    for key, values in expected.items():
        assert made[key].mean == pytest.approx(values.mean(), abs=1e-6), key
        assert made[key].n == len(SEEDS)
    for key, rival in {"gain": "none/strong", "gain-over-reset": "none/strong/reset", "left": "none/none"}.items():
        gain = expected["strong/strong"] - expected[rival]
        assert made[f"{key}/strong"].mean == pytest.approx(gain.mean(), abs=1e-6)
    assert made["gain/none"].mean == made["left/none"].mean == 0
    assert len({made[f"{name}/strong"].mean for name in devices} | {made["none/none"].mean}) > 1
