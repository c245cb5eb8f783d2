"""Where a series of networks looks in the course of training, in numbers [lcqhnn, §3.3, fig. 6 and 7].

`heat_map_curves` makes the heat maps of every recorded run at every epoch whose weights were kept and reduces them to
means over the test images; `summarise` compares those between epochs and with the accuracy. What a single map is and
shows is defined in `hqnn.papers.lcqhnn.gradcam`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hqnn.papers.lcqhnn import gradcam
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.records import Record
from hqnn.stats import Interval, mean_interval, rank_correlation


class Method(NamedTuple):
    """What the paper leaves open of eq. 10-12; the arguments of `gradcam.heat`."""

    window: int | None
    """Side of the window of eq. 11; None for the whole map."""
    rectify: bool = False
    """Whether the layer's output is meant after its ReLU."""


METHODS: Mapping[str, Method] = {
    "grad-cam": Method(None),
    "grad-cam-relu": Method(None, rectify=True),
    "window-3": Method(3),
    "window-1": Method(1),
}
MAIN = "grad-cam"
"""The method that the paper names; of the others only the focus is measured."""
STAGES = (0, 25, 50)
"""Epochs of the paper's heat maps: untrained, half way, trained."""
LATE = 5
"""From this epoch on nearly all runs classify; before, focus and accuracy may both just be leaving chance."""


@dataclass(frozen=True, kw_only=True)
class HeatMapCurves:
    """The heat maps of a series, measured at each epoch whose weights were kept."""

    epochs: tuple[int, ...]
    """When weights were kept; 0 is before training."""
    accuracy: NDArray[np.float64]
    """On the images looked at, fractions [seeds, epochs]."""
    measures: Mapping[str, Mapping[str, NDArray[np.float64]]]
    """Method -> measure -> mean over the images [seeds, epochs]."""
    consistency: NDArray[np.float64]
    """Mean `consistency` of the two classes [seeds, epochs]."""
    maps: Mapping[int, Tensor]
    """Maps of the main method by stage [seeds, N, h, w]; they are not stored."""

    def as_json(self, digits: int = 5) -> dict[str, Any]:
        """All but the maps, rounded, as JSON can hold it."""
        return {
            "epochs": list(self.epochs),
            "accuracy": self.accuracy.round(digits).tolist(),
            "consistency": self.consistency.round(digits).tolist(),
            **{
                method: {name: curve.round(digits).tolist() for name, curve in found.items()}
                for method, found in self.measures.items()
            },
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` stored, as arrays again."""
        return cls(
            epochs=tuple(stored["epochs"]),
            accuracy=np.array(stored["accuracy"]),
            measures={method: {name: np.array(curve) for name, curve in stored[method].items()} for method in METHODS},
            consistency=np.array(stored["consistency"]),
            maps={},
        )


def measures(maps: Tensor, images: Tensor) -> dict[str, Tensor]:
    """What heat maps [B, h, h] show of their images [B, 1, H, H].

    Returns:
        One value per image [B]: `focus`, `shape` and `edges` (resemblance to the two templates), `saturation`,
        `saturation-on-object`, and `blank` (1 for a map without heat, else 0).
    """
    side, full, mask = maps.shape[-1], gradcam.upsample(maps, images.shape[-1]), gradcam.object_mask(images)
    return {
        "focus": gradcam.focus(maps, mask),
        "shape": gradcam.resemblance(maps, gradcam.shape_template(images, side)),
        "edges": gradcam.resemblance(maps, gradcam.edge_template(images, side)),
        "saturation": gradcam.saturation(full),
        "saturation-on-object": gradcam.saturation(full, mask),
        "blank": (maps.amax((1, 2)) <= 0).to(maps.dtype),
    }


def references(images: Tensor, side: int = 14) -> dict[str, float]:
    """Between what limits the measures lie on images [N, 1, 28, 28], for maps of `side` x `side` cells.

    Returns:
        Means over the images: `area`, the object's share of the image, which is the focus of even heat; the focus of a
        map that is the shape template itself, and of one that is the edge template; how alike the templates are.
    """
    mask = gradcam.object_mask(images)
    shape, edges = gradcam.shape_template(images, side), gradcam.edge_template(images, side)
    values = {
        "area": mask.double().mean((1, 2)),
        "focus-of-shape": gradcam.focus(shape, mask),
        "focus-of-edges": gradcam.focus(edges, mask),
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


def heat_map_curves(config: LcqhnnConfig, records: Sequence[Record], images: Tensor, labels: Tensor) -> HeatMapCurves:
    """Make and measure the heat maps of a series, at every epoch whose weights were kept.

    The score explained is that of an image's true class, whatever the network says.

    Args:
        config: The series' config.
        records: Its records.
        images: [N, 1, 28, 28] in [0, 1].
        labels: True classes [N].
    """
    model, mask = lcqhnn.build(config), gradcam.object_mask(images)
    accuracy, alike = np.zeros((2, len(records), len(config.snapshots)))
    curves: dict[str, dict[str, NDArray[np.float64]]] = {method: {} for method in METHODS}
    maps: dict[int, list[Tensor]] = {epoch: [] for epoch in STAGES}
    for s, record in enumerate(records):
        for e, epoch in enumerate(config.snapshots):
            seen = _attribution(model, record, epoch, images, labels)
            accuracy[s, e] = float((seen.scores.argmax(1) == labels).double().mean())
            alike[s, e] = consistency(seen.gradients, labels)
            for method, (window, rectify) in METHODS.items():
                heat = gradcam.heat(seen, window, rectify=rectify)
                if method == MAIN and epoch in maps:
                    maps[epoch].append(heat)
                found = measures(heat, images) if method == MAIN else {"focus": gradcam.focus(heat, mask)}
                for name, values in found.items():
                    curves[method].setdefault(name, np.zeros_like(accuracy))[s, e] = float(values.double().mean())
    stacked = {epoch: torch.stack(of_seeds) for epoch, of_seeds in maps.items() if of_seeds}
    return HeatMapCurves(epochs=config.snapshots, accuracy=accuracy, measures=curves, consistency=alike, maps=stacked)


def _attribution(
    model: torch.nn.Module, record: Record, epoch: int, images: Tensor, labels: Tensor
) -> gradcam.Attribution:
    """What the last convolution did in a run's network as it was after an epoch."""
    model.load_state_dict(record.snapshot(epoch))
    return gradcam.attribute(model, images, labels, layer=model.get_submodule("features.conv2"))


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


def focus_correlations(curves: HeatMapCurves, method: str) -> dict[str, Interval]:
    """The `correlations` of focus and accuracy as means over runs, and `late`, the first of them from `LATE` on."""
    focus, late = curves.measures[method]["focus"], np.array(curves.epochs) >= LATE
    values = correlations(focus, curves.accuracy)
    values["late"] = correlations(focus[:, late], curves.accuracy[:, late])["correlation"]
    return {name: mean_interval(value[np.isfinite(value)]) for name, value in values.items()}


def agreement(maps: Tensor) -> NDArray[np.float64]:
    """How alike the maps are that different runs make of the same image.

    Args:
        maps: [seeds, N, h, w].

    Returns:
        Per seed, its maps' mean similarity to those of the other seeds [seeds].
    """
    alike = np.array([[float(gradcam.similarity(a, b).mean()) for b in maps] for a in maps])
    return (alike.sum(1) - np.diagonal(alike)) / (len(alike) - 1)


def summarise(curves: HeatMapCurves, area: float) -> dict[str, Interval]:
    """Compare a series' heat maps between the paper's three stages, with the accuracy, and between runs.

    Args:
        curves: Of the series.
        area: The object's mean share of the images' area.

    Returns:
        Means over seeds: how much the focus exceeds `area` before training, and how it grows from stage to stage; its
        correlation with the accuracy; the consistency after training; at each stage the agreement between seeds; the
        similarity of a run's maps at different stages.
    """
    first, middle, last = STAGES
    main = curves.measures[MAIN]
    at = {epoch: main["focus"][:, curves.epochs.index(epoch)] for epoch in STAGES}
    values = {
        f"focus-{first}-minus-area": at[first] - area,
        f"focus-{middle}-minus-{first}": at[middle] - at[first],
        f"focus-{last}-minus-{middle}": at[last] - at[middle],
        "correlation": correlations(main["focus"], curves.accuracy)["correlation"],
    }
    values[f"consistency-{last}"] = curves.consistency[:, curves.epochs.index(last)]
    values |= {f"agreement-{epoch}": agreement(maps) for epoch, maps in curves.maps.items()}
    for a, b in ((first, last), (middle, last)):
        values[f"similarity-{a}-{b}"] = gradcam.similarity(curves.maps[a], curves.maps[b]).double().mean(1).numpy()
    return {key: mean_interval(value) for key, value in values.items()}


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
    seen = {
        f"epoch {epoch}" if epoch else "untrained": _attribution(model, record, epoch, images, labels)
        for epoch in STAGES
    }
    return {
        f"{method}, {stage}": gradcam.upsample(gradcam.heat(one, window))
        for method, window in methods.items()
        for stage, one in seen.items()
    }
