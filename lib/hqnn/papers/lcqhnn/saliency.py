"""Where a series of networks looks in the course of training, in numbers [lcqhnn, §3.3, fig. 6 and 7].

`look` makes the heat maps of every recorded run at every epoch whose weights were kept and reduces them to means over
the test images; `summarise` compares those between epochs and with the accuracy. What the numbers mean is defined in
`hqnn.papers.lcqhnn.gradcam`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hqnn.papers.lcqhnn import gradcam
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.runs import Record
from hqnn.stats import Interval, mean_interval, rank_correlation


class Reading(NamedTuple):
    """What the paper leaves open of eq. 10-12; the arguments of `hqnn.papers.lcqhnn.gradcam.heat`."""

    window: int | None
    """Side of the window of eq. 11; None for the whole map."""
    rectify: bool = False
    """Whether the layer's output is meant after its ReLU."""


READINGS: Mapping[str, Reading] = {
    "grad-cam": Reading(None),
    "grad-cam-relu": Reading(None, rectify=True),
    "window-3": Reading(3),
    "window-1": Reading(1),
}
MAIN = "grad-cam"
"""The method that the paper names; of the others only the focus is measured."""
STAGES = (0, 25, 50)
"""Epochs of the paper's heat maps: untrained, half way, trained."""
LATE = 5
"""From this epoch on nearly all runs classify; before, focus and accuracy may both just be leaving chance."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """The heat maps of a series, measured."""

    epochs: tuple[int, ...]
    """When weights were kept; 0 is before training."""
    accuracy: NDArray[np.float64]
    """On the images looked at, fractions [seeds, epochs]."""
    measures: Mapping[str, Mapping[str, NDArray[np.float64]]]
    """Reading -> measure -> mean over the images [seeds, epochs]."""
    consistency: NDArray[np.float64]
    """Mean `consistency` of the two classes [seeds, epochs]."""
    maps: Mapping[int, Tensor]
    """Maps of the main reading by stage [seeds, N, h, w]."""


def measure(maps: Tensor, images: Tensor) -> dict[str, Tensor]:
    """What heat maps show of their images.

    Args:
        maps: On the convolution's grid [B, h, h].
        images: Grey values [B, 1, H, H] in [0, 1].

    Returns:
        One value per image [B]: `focus`, `shape` and `edges` (resemblance to the two templates), `saturation`,
        `saturation-on-object`, and `blank` (1 for a map without heat, else 0).
    """
    full, mask = gradcam.upsample(maps, images.shape[-1]), gradcam.object_mask(images)
    return {
        "focus": _focus(maps, images),
        "shape": gradcam.resemblance(maps, gradcam.shape_template(images, maps.shape[-1])),
        "edges": gradcam.resemblance(maps, gradcam.edge_template(images, maps.shape[-1])),
        "saturation": gradcam.saturation(full),
        "saturation-on-object": gradcam.saturation(full, mask),
        "blank": (maps.amax((1, 2)) <= 0).to(maps.dtype),
    }


def references(images: Tensor, side: int = 14) -> dict[str, float]:
    """Between what limits the measures lie on these images.

    Args:
        images: Grey values [N, 1, 28, 28] in [0, 1].
        side: Cells per side of a map.

    Returns:
        Means over the images: `area`, the object's share of the image, which is the focus of even heat; the focus of a
        map that is the shape template itself, and of one that is the edge template; how alike the templates are.
    """
    mask = gradcam.object_mask(images)
    shape, edges = gradcam.shape_template(images, side), gradcam.edge_template(images, side)
    values = {
        "area": mask.double().mean((1, 2)),
        "focus-of-shape": gradcam.focus(gradcam.upsample(shape), mask),
        "focus-of-edges": gradcam.focus(gradcam.upsample(edges), mask),
        "shape-like-edges": gradcam.resemblance(shape, edges),
    }
    return {name: float(value.double().mean()) for name, value in values.items()}


def consistency(gradients: Tensor, labels: Tensor) -> float:
    """Do images of one class agree on what each channel is worth?

    Grad-CAM gives channel k of each image the weight ω_k, the mean gradient. A network whose scores are linear in the
    channels has nearly the same weights for all images; one with waves in between may turn a weight's sign from one
    image to the next, and the heat map into its opposite.

    Args:
        gradients: ∂y/∂A [N, K, h, w].
        labels: Classes [N], two images of each or more.

    Returns:
        The mean cosine between the vectors ω of two images of the same class, in [-1, 1], averaged over classes.
    """
    weights = functional.normalize(gradients.double().mean((2, 3)), dim=1)
    cosines = []
    for label in labels.unique():
        own = weights[labels == label]
        norms = own.square().sum()  # one per image, or 0 for one without a gradient
        cosines.append(float((own.sum(0).square().sum() - norms) / (len(own) * (len(own) - 1))))
    return float(np.mean(cosines))


def look(config: LcqhnnConfig, records: Sequence[Record], images: Tensor, labels: Tensor) -> Looks:
    """Make and measure the heat maps of a series, at every epoch whose weights were kept.

    The score explained is that of an image's true class, whatever the network says.

    Args:
        config: The series' config.
        records: Its records.
        images: [N, 1, 28, 28] in [0, 1].
        labels: True classes [N].
    """
    model = lcqhnn.build(config)
    accuracy, alike = np.zeros((2, len(records), len(config.snapshots)))
    measures: dict[str, dict[str, NDArray[np.float64]]] = {method: {} for method in READINGS}
    maps: dict[int, list[Tensor]] = {epoch: [] for epoch in STAGES}
    for s, record in enumerate(records):
        for e, epoch in enumerate(config.snapshots):
            model.load_state_dict(record.snapshot(epoch))
            seen = gradcam.attribute(model, images, labels, layer=model.get_submodule("features.conv2"))
            accuracy[s, e] = float((seen.scores.argmax(1) == labels).double().mean())
            alike[s, e] = consistency(seen.gradients, labels)
            for method, reading in READINGS.items():
                heat = gradcam.heat(seen, reading.window, rectify=reading.rectify)
                if method == MAIN and epoch in maps:
                    maps[epoch].append(heat)
                found = measure(heat, images) if method == MAIN else {"focus": _focus(heat, images)}
                for name, values in found.items():
                    measures[method].setdefault(name, np.zeros_like(accuracy))[s, e] = float(values.double().mean())
    stacked = {epoch: torch.stack(of_seeds) for epoch, of_seeds in maps.items() if of_seeds}
    return Looks(epochs=config.snapshots, accuracy=accuracy, measures=measures, consistency=alike, maps=stacked)


def _focus(maps: Tensor, images: Tensor) -> Tensor:
    return gradcam.focus(gradcam.upsample(maps, images.shape[-1]), gradcam.object_mask(images))


def correlations(curve: NDArray[np.float64], accuracy: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Do a measure and the accuracy rise together, and is it more than that both change in the course of training?

    Args:
        curve: The measure of each run at some epochs [seeds, epochs].
        accuracy: Of the same runs at the same epochs [seeds, epochs].

    Returns:
        Spearman correlations over the epochs [seeds], NaN where a curve is flat: `correlation`;
        `correlation-of-changes`, of the steps from one epoch to the next; `correlation-with-others`, the mean over the
        accuracy curves of all other seeds, which is what a shared course of training explains; and
        `correlation-beyond-others`, the first minus the last.
    """
    pairs = rank_correlation(curve[:, None], accuracy[None])  # [seed of the measure, seed of the accuracy]
    own = np.diagonal(pairs).copy()
    np.fill_diagonal(pairs, np.nan)
    others = np.ma.masked_invalid(pairs).mean(1).filled(np.nan)
    return {
        "correlation": own,
        "correlation-of-changes": rank_correlation(np.diff(curve), np.diff(accuracy)),
        "correlation-with-others": others,
        "correlation-beyond-others": own - others,
    }


def agreement(maps: Tensor) -> NDArray[np.float64]:
    """How alike the maps are that different runs make of the same image.

    Args:
        maps: [seeds, N, h, w].

    Returns:
        Per seed, its maps' mean similarity to those of the other seeds [seeds].
    """
    alike = np.array([[float(gradcam.similarity(a, b).mean()) for b in maps] for a in maps])
    return (alike.sum(1) - np.diagonal(alike)) / (len(alike) - 1)


def summarise(looks: Looks, area: float) -> dict[str, Interval]:
    """Compare a series' heat maps between the paper's three stages, with the accuracy, and between runs.

    Args:
        looks: Of the series.
        area: The object's mean share of the images' area.

    Returns:
        Means over seeds: how much the focus exceeds `area` before training, and how it grows from stage to stage; its
        correlation with the accuracy; the consistency after training; at each stage the agreement between seeds; the
        similarity of a run's maps at different stages.
    """
    first, middle, last = STAGES
    main = looks.measures[MAIN]
    at = {epoch: main["focus"][:, looks.epochs.index(epoch)] for epoch in STAGES}
    values = {
        f"focus-{first}-minus-area": at[first] - area,
        f"focus-{middle}-minus-{first}": at[middle] - at[first],
        f"focus-{last}-minus-{middle}": at[last] - at[middle],
        "correlation": correlations(main["focus"], looks.accuracy)["correlation"],
    }
    values[f"consistency-{last}"] = looks.consistency[:, looks.epochs.index(last)]
    values |= {f"agreement-{epoch}": agreement(maps) for epoch, maps in looks.maps.items()}
    for a, b in ((first, last), (middle, last)):
        values[f"similarity-{a}-{b}"] = gradcam.similarity(looks.maps[a], looks.maps[b]).double().mean(1).numpy()
    return {key: mean_interval(value) for key, value in values.items()}


def curves(looks: Looks, digits: int = 5) -> dict[str, Any]:
    """A series' curves as JSON can hold them: `epochs`, `accuracy`, `consistency`, and each reading's measures."""
    return {
        "epochs": list(looks.epochs),
        "accuracy": looks.accuracy.round(digits).tolist(),
        "consistency": looks.consistency.round(digits).tolist(),
        **{
            method: {name: curve.round(digits).tolist() for name, curve in measures.items()}
            for method, measures in looks.measures.items()
        },
    }


def recorded(stored: Mapping[str, Any]) -> Looks:
    """What `curves` stored, as arrays again; without the maps, which are not stored."""
    return Looks(
        epochs=tuple(stored["epochs"]),
        accuracy=np.array(stored["accuracy"]),
        measures={reading: {name: np.array(curve) for name, curve in stored[reading].items()} for reading in READINGS},
        consistency=np.array(stored["consistency"]),
        maps={},
    )


def examples(
    config: LcqhnnConfig, record: Record, images: Tensor, labels: Tensor, methods: Mapping[str, int | None]
) -> dict[str, Tensor]:
    """The heat maps of some images at the paper's three stages, for a figure like its 6 and 7.

    Args:
        config: The record's config.
        record: One run.
        images: [N, 1, 28, 28] in [0, 1].
        labels: True classes [N].
        methods: Name -> side of the window of eq. 11, None for the whole map.

    Returns:
        Maps on the image's grid [N, 28, 28] by label, `method, epoch e`.
    """
    model = lcqhnn.build(config)
    seen = {}
    for epoch in STAGES:
        model.load_state_dict(record.snapshot(epoch))
        seen[epoch] = gradcam.attribute(model, images, labels, layer=model.get_submodule("features.conv2"))
    return {
        f"{method}, {f'epoch {epoch}' if epoch else 'untrained'}": gradcam.upsample(gradcam.heat(seen[epoch], window))
        for method, window in methods.items()
        for epoch in STAGES
    }
