"""What is measured on trained weights and the papers' own images.

Each function takes the series of records it reads and its settings, and returns named numbers over seeds. Run them with
`python -m hqnn run NAME`; the results are stored by `hqnn.measurements` and judged by `hqnn.claims`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hqnn import experiments, robustness, tasks
from hqnn.circuit import Circuit
from hqnn.measurements import Measured, Series, Settings, intervals, measurement, picture
from hqnn.papers.lcqhnn import circular, noise_robustness, saliency
from hqnn.papers.lcqhnn import figures as drawing
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.stats import Interval, mean_interval
from hqnn.views import bloch

PICTURED = 256
"""Test images whose four angles an analysis keeps for figures."""


class Encoded(NamedTuple):
    """What a network hands to its circuit for some images."""

    features: NDArray[np.float64]  # inputs x [N, 4], radians; each is encoded with phase 2 x
    labels: NDArray[np.int64]  # classes 0 and 1 [N]
    weights: NDArray[np.float64]  # RY angles θ [4], radians


def encoded(config: LcqhnnConfig, weights: Mapping[str, Tensor], split: str = "test") -> Encoded:
    """Run the classical part of a hybrid network, given its state dict, on its test or other images."""
    images, labels = _images(config, split)
    model = lcqhnn.Lcqhnn(config).eval()
    model.load_state_dict(dict(weights))
    with torch.no_grad():
        features = model.angles(images).double().numpy()
    return Encoded(features, labels.numpy(), model.get_parameter("quantum.weights")[0].detach().double().numpy())


def _images(config: LcqhnnConfig, split: str = "test") -> tuple[Tensor, Tensor]:
    """Images [N, 1, 28, 28] and labels [N] of one split."""
    return tasks.of(config).images(config)[0][split]


def _config(series: str) -> tuple[LcqhnnConfig, str, str]:
    """The config of a series, and its dataset and variant by name."""
    experiment, variant = experiments.split(series)
    return experiments.config(series), experiment.removeprefix("lcqhnn-"), variant


@measurement("lcqhnn-bloch", inputs=("lcqhnn-mnist/lcqhnn", "lcqhnn-fashion/lcqhnn"), untrained=0, trained=50)
def lcqhnn_bloch(series: Series, settings: Settings) -> Measured:
    """How the test images' features fill the Bloch spheres, before and after training [lcqhnn, fig. 3].

    For each dataset and stage of training, one number per seed, a mean over the four qubits (and the images, where it
    is defined for one image):

    - `resultant-length` and `kuiper-distance` of the encoded phases 2 x, and `not-uniform`, the share of qubits for
      which Kuiper's test excludes uniform phases with p < 0.001;
    - `abs-cosine`, the mean of |cos 2x|: 2/π for uniform phases, 1 if every qubit is in an eigenstate of X;
    - `length-after-ry`, the length of the reduced Bloch vectors after the RY gates.

    The data are `abs-cosine` and `length-after-ry` of every trained network, and the features of `PICTURED` images from
    the first seed's network, untrained and trained, and from the trained network with the shortest Bloch vectors.
    """
    result: dict[str, Interval] = {}
    data: dict[str, dict[str, Any]] = {}
    for name, records in series.items():
        config, dataset, _ = _config(name)
        pictured: dict[str, Any] = {}
        for stage, epoch in settings.items():
            networks = [encoded(config, record.snapshot(epoch)) for record in records]
            numbers = [_numbers(lcqhnn.circuit(config), network) for network in networks]
            result |= {f"{dataset}/{stage}/{key}": mean_interval([n[key] for n in numbers]) for key in numbers[0]}
            shortest = min(range(len(records)), key=lambda k: numbers[k]["length-after-ry"])
            pictured[stage] = _pictured(records[0].seed, networks[0])
        data[dataset] = pictured | {
            "most-entangled": _pictured(records[shortest].seed, networks[shortest]),
            "seeds": [record.seed for record in records],
            **{key: [round(n[key], 6) for n in numbers] for key in ("abs-cosine", "length-after-ry")},
        }
    return result, data


def _pictured(seed: int, network: Encoded) -> dict[str, Any]:
    return {
        "seed": seed,
        "weights": network.weights.round(6).tolist(),
        "features": network.features[:PICTURED].round(4).tolist(),
        "labels": network.labels[:PICTURED].tolist(),
    }


def _numbers(pc: Circuit, network: Encoded) -> dict[str, float]:
    phases = 2 * network.features
    values = {
        "resultant-length": circular.resultant_length(phases),
        "kuiper-distance": circular.kuiper_distance(phases),
        "not-uniform": circular.kuiper_p(phases) < 1e-3,
        "abs-cosine": np.abs(np.cos(phases)),
        "length-after-ry": bloch.lengths(bloch.bloch_vectors(pc, network.features, network.weights, stage="ψ4")),
    }
    return {key: float(value.mean()) for key, value in values.items()}


@measurement(
    "lcqhnn-focus",
    inputs=("lcqhnn-mnist/lcqhnn", "lcqhnn-mnist/cnn-4", "lcqhnn-fashion/lcqhnn", "lcqhnn-fashion/cnn-4"),
    readings=saliency.METHODS,
    stages=saliency.STAGES,
    threshold=saliency.THRESHOLD,
    level=saliency.LEVEL,
)
def lcqhnn_focus(series: Series, settings: Settings) -> Measured:
    """Where the networks look in the course of training, and whether that goes with accuracy [lcqhnn, fig. 6 and 7].

    Each number is over seeds, and each seed's value a mean over the test images; `saliency` says what they are. A key
    without a model's name is the hybrid's. The data are the curves of every run, and the measures' limits on each
    dataset's images.
    """
    result: dict[str, Interval] = {}
    data: dict[str, Any] = {"images": {}, "series": {}}
    saturation = {}
    for name, records in series.items():
        config, dataset, variant = _config(name)
        images, labels = _images(config)
        limits = data["images"][dataset] = saliency.references(images)
        curves, maps = saliency.heat_map_curves(config, records, images, labels)
        data["series"][f"{dataset}/{variant}"] = _lists(curves)
        prefix = dataset if variant == "lcqhnn" else f"{dataset}/{variant}"
        summary = saliency.summarise(curves, maps, limits["area"])
        result |= {f"{prefix}/{key}": value for key, value in summary.items()}
        if variant == "lcqhnn":
            saturation[dataset] = curves[saliency.MAIN]["saturation"][:, -1]
    result["saturation-mnist-minus-fashion"] = mean_interval(saturation["mnist"] - saturation["fashion"])
    return result, data


def _lists(curves: Any) -> Any:
    """Curves as JSON can hold them, rounded."""
    if isinstance(curves, Mapping):
        return {name: _lists(of) for name, of in curves.items()}
    return np.round(curves, 5).tolist()


@measurement(
    "lcqhnn-heatmaps", inputs=("lcqhnn-mnist/lcqhnn", "lcqhnn-fashion/lcqhnn"), per_class=[4, 2], seed=0, window=3
)
def lcqhnn_heatmaps(series: Series, settings: Settings) -> Measured:
    """The counterparts of the paper's figures 6 and 7, drawn here because the images cannot be shipped.

    The data are PNG images in base64: for each dataset the first test images of each class, as many as `per_class`
    begins with, and their heat maps in the paper's three stages of one `seed`; and `seeds`, fewer images of both
    datasets as every seed's trained network sees them. Nothing is chosen by its looks.
    """
    pictures: dict[str, str] = {}
    compared: list[Tensor] = []
    by_seed: dict[str, list[Tensor]] = {}
    for name, records in series.items():
        config, dataset, _ = _config(name)
        images, labels = _images(config)
        of_class = [(labels == label).nonzero()[:, 0] for label in (0, 1)]
        first, few = (torch.cat([found[:n] for found in of_class]) for n in settings["per_class"])
        compared.append(images[few])
        for record in records:
            if record.seed == settings["seed"]:
                seen = {e: saliency.seen_by(config, record, e, images[first], labels[first]) for e in saliency.STAGES}
                maps = {
                    f"{method}, {f'epoch {epoch}' if epoch else 'untrained'}": saliency.heat(one, window)
                    for method, window in (("Grad-CAM", None), ("3 × 3", settings["window"]))
                    for epoch, one in seen.items()
                }
                pictures[dataset] = _gallery(images[first], maps, height=6.2)
            trained = saliency.seen_by(config, record, saliency.STAGES[-1], images[few], labels[few])
            by_seed.setdefault(f"seed {record.seed}", []).append(saliency.heat(trained, None))
    pictures["seeds"] = _gallery(torch.cat(compared), {seed: torch.cat(maps) for seed, maps in by_seed.items()}, 8.4)
    return {}, pictures


def _gallery(images: Tensor, maps: Mapping[str, Tensor], height: float) -> str:
    """Heat maps below their images as a PNG image in base64; `height` in inches."""
    figure, ax = plt.subplots(figsize=(7.2, height))
    rows = {label: saliency.upsample(heat).numpy() for label, heat in maps.items()}
    drawing.heat_gallery(ax, images[:, 0].numpy(), rows, saliency.object_mask(images).numpy())
    return picture(figure)


@measurement(
    "lcqhnn-robustness",
    inputs=tuple(
        f"lcqhnn-{d}/{model}" for d in ("mnist", "fashion") for model in ("lcqhnn", "cnn-4", "cnn-8", "cnn-16")
    ),
    epoch=50,
    strengths={"noise": [0.1, 0.2, 0.3], "blur": [1, 2], "shift": [2, 4]},
    attacks=[0.02, 0.05, 0.1],
)
def lcqhnn_robustness(series: Series, settings: Settings) -> Measured:
    """How the trained networks bear worse test images; `hqnn.robustness.compare` says what the numbers are."""

    def networks() -> Iterator[robustness.Trained]:
        for name, records in series.items():
            config, dataset, variant = _config(name)
            images, labels = _images(config)
            for record in records:
                model = lcqhnn.build(config).eval()
                model.load_state_dict(record.snapshot(settings["epoch"]))
                yield robustness.Trained(f"{dataset}/{variant}", model, images, labels, record.seed)

    return intervals(robustness.compare(networks(), "lcqhnn", settings)), {}


@measurement(
    "lcqhnn-noise-aware",
    inputs=tuple(f"lcqhnn-noise-aware-fashion/{noise}" for noise in ("none", "device", "strong")),
    epoch=50,
)
def lcqhnn_noise_aware(series: Series, settings: Settings) -> Measured:
    """Networks that were trained with some noise, used with each.

    Accuracies on test images, per cent, are `<trained with>/<used with>`, and `…/reset` with the threshold half way
    between the classes' mean scores of the validation images, under the noise in use. In points, for each noise,
    `gain/<noise>` is what training with it gains under it, `gain-over-reset/<noise>` the same over networks trained
    without and reset, and `left/<noise>` what it gains over networks trained and used without: what noise costs. The
    data has the accuracies and differences of every network.
    """
    noises = [experiments.split(name)[1] for name in series]
    values: dict[str, list[float]] = {}
    for name, records in series.items():
        config, _, trained = _config(name)
        (images, labels), (to_set, known) = (_images(config, split) for split in ("test", "val"))
        for used in noises:
            model = lcqhnn.build(replace(config, noise=used)).eval()
            for record in records:
                model.load_state_dict(record.snapshot(settings["epoch"]))
                with torch.no_grad():
                    found, seen = (model(x).diff()[:, 0].double().numpy() for x in (images, to_set))
                threshold = noise_robustness.midpoint(seen, known.numpy())
                for key, above in {f"{trained}/{used}": 0.0, f"{trained}/{used}/reset": threshold}.items():
                    right = noise_robustness.accuracy(found, labels.numpy(), threshold=above)
                    values.setdefault(key, []).append(100 * right)
    for noise in noises:
        rivals = {"gain": f"none/{noise}", "gain-over-reset": f"none/{noise}/reset", "left": "none/none"}
        for words, rival in rivals.items():
            values[f"{words}/{noise}"] = (np.array(values[f"{noise}/{noise}"]) - values[rival]).tolist()
    return intervals(values), {**values}


_NOISE: Mapping[str, Any] = {
    "epoch": 50,
    "depths": [1, 2, 4, 8],
    "deeper": 4,
    "p2": [0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.5],
    "p1_over_p2": 0.1,
    "gates": [0.01, 0.03, 0.1, 0.2, 0.3, 0.5],
    "readout": [0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.45],
    "t1_us": [300, 100, 50, 30, 20, 10, 5, 3],
    "t2_over_t1": 0.7,
    "today": {"depolarising": 0.01, "thermal": 100},
    "shots": [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096],
    "repetitions": 10,
    "reset_shots": 1024,
    "kept_at": 0.01,
    "pictured": 256,
    "pictured_at": 0.03,
}


@measurement("lcqhnn-noise-fashion", inputs=("lcqhnn-fashion/lcqhnn",), **_NOISE)
@measurement("lcqhnn-noise-mnist", inputs=("lcqhnn-mnist/lcqhnn",), **_NOISE)
def lcqhnn_noise(series: Series, settings: Settings) -> Measured:
    """Accuracy of trained hybrid networks on noisy devices, with the paper's circuit and with equal deeper ones.

    Exact probabilities of outcomes come from Aer, shots are drawn from them; all test images, every seed.
    `noise_robustness` says what the numbers and the data are; the data's lists run over seeds first, and `scores` are
    those of the first seed.
    """
    ((name, records),) = series.items()
    config, _, _ = _config(name)
    model = lcqhnn.Lcqhnn(config)
    measured: list[dict[str, Any]] = []
    scores: dict[str, Any] = {}
    for record in records:
        weights = record.snapshot(settings["epoch"])
        model.load_state_dict(weights)
        head = noise_robustness.QuantumHead.of(model, config.order)
        validation, test = (encoded(config, weights, split)[:2] for split in ("val", "test"))
        measured.append(noise_robustness.robustness(head, validation, test, settings, record.seed))
        scores = scores or noise_robustness.example_scores(head, test, settings)
    return noise_robustness.summarise(measured, settings), {**noise_robustness.by_seed(measured), "scores": scores}
