"""Where a network looks: Grad-CAM heat maps, what a map shows, and series of them [lcqhnn, eq. 10-12, fig. 6 and 7].

A map lives on the last convolution's own grid (14 x 14 in this paper's networks); `upsample` brings it to the image's.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.records import Record
from hqnn.stats import Interval, mean_interval, rank_correlation

THRESHOLD = 0.1
"""Grey value above which a pixel belongs to the object, on these datasets' black background."""
LEVEL = 0.9
"""Fraction of a map's maximum from which a pixel counts as saturated."""
METHODS: Mapping[str, tuple[int | None, bool]] = {
    "grad-cam": (None, False),
    "grad-cam-relu": (None, True),
    "window-3": (3, False),
    "window-1": (1, False),
}
"""What the paper leaves open of eq. 10-12: `window` and `rectify` of `heat`."""
MAIN = "grad-cam"
"""The method that the paper names; of the others only the focus is measured."""
STAGES = (0, 25, 50)
"""Epochs of the paper's heat maps: untrained, half way, trained."""
LATE = 5
"""From this epoch on nearly all runs classify; before, focus and accuracy may both just be leaving chance."""


class Attribution(NamedTuple):
    """What a layer did and how much the class scores depend on it [lcqhnn, eq. 10]."""

    activations: Tensor  # A [B, K, h, w], the layer's output
    gradients: Tensor  # α = ∂y/∂A [B, K, h, w] of each image's own score y
    scores: Tensor  # all class scores [B, C]


def attribute(model: nn.Module, images: Tensor, labels: Tensor, *, layer: nn.Module) -> Attribution:
    """Differentiate the score of each image's class `labels` [B] by the output of `layer`, a module of the model.

    The model maps images to scores [B, C], each image for itself. It is evaluated without dropout and left as it was.
    """
    outputs: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    was_training = model.training
    try:
        with torch.enable_grad():
            scores = model.eval()(images)
            chosen = scores.gather(1, labels[:, None]).sum()  # images do not mix, so one backward pass does for all
            (gradients,) = torch.autograd.grad(chosen, outputs[0])
    finally:
        handle.remove()
        model.train(was_training)
    return Attribution(outputs[0].detach(), gradients, scores.detach())


def heat(seen: Attribution, window: int | None, *, rectify: bool = False) -> Tensor:
    """The heat map G = max(0, Σ_k ω_k A_k) [B, h, w], in units of the class score [lcqhnn, eq. 11 and 12].

    ω is the mean gradient over a square window with an odd side, cut off at the map's border. None, the whole map, is
    Grad-CAM (Selvaraju and others, 2017), one position HiResCAM (Draelos and Carin, 2020). `rectify` counts only
    positive activations, as the ReLU behind the convolution does.

    Raises:
        ValueError: The window has no centre.
    """
    activations, weights, _ = seen
    if window is None:
        weights = weights.mean((2, 3), keepdim=True)
    elif window < 1 or window % 2 == 0:
        raise ValueError(f"the side of a window must be an odd number, not {window}")
    else:  # the mean over a rectangle is a mean of means over its rows
        for side in ((window, 1), (1, window)):
            border = (side[0] // 2, side[1] // 2)
            weights = nn.AvgPool2d(side, 1, border, count_include_pad=False)(weights)
    if rectify:
        activations = activations.relu()
    return (weights * activations).sum(1).relu()


def grad_cam(model: nn.Module, images: Tensor, labels: Tensor, *, layer: nn.Module) -> Tensor:
    """Grad-CAM by the package pytorch-grad-cam [B, H, W], each map from 0 to 1 as by `rescale`; see `attribute`."""
    from pytorch_grad_cam import GradCAM  # takes seconds
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    model, layer = deepcopy((model, layer))  # the package leaves gradients behind
    with GradCAM(model=model, target_layers=[layer]) as cam:
        targets = [ClassifierOutputTarget(int(label)) for label in labels]
        return torch.from_numpy(cam(input_tensor=images, targets=targets))


def rescale(maps: Tensor) -> Tensor:
    """Shift and scale each map [B, h, w] to run from 0 to 1; a constant map becomes 0."""
    shifted = maps - maps.amin((1, 2), keepdim=True)
    return shifted / shifted.amax((1, 2), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)


def upsample(maps: Tensor, size: int = 28) -> Tensor:
    """Interpolate maps [B, h, w] bilinearly to the image's grid [B, size, size]."""
    return functional.interpolate(maps[:, None], size=(size, size), mode="bilinear", align_corners=False)[:, 0]


# --- what a map shows of its image: one value per image [B] ----------------------------------------------------------


def object_mask(images: Tensor) -> Tensor:
    """Which pixels of images [B, 1, H, W] belong to the object, bool [B, H, W]: those brighter than `THRESHOLD`."""
    return images[:, 0] > THRESHOLD


def focus(maps: Tensor, mask: Tensor) -> Tensor:
    """The share of the heat of maps [B, h, h] that lies on the object [B, H, H].

    Even heat has the object's share of the area as its focus. A map without any heat prefers no pixel: it counts as
    even.
    """
    maps = upsample(maps, mask.shape[-1])
    total = maps.sum((1, 2))
    share = (maps * mask).sum((1, 2)) / total.clamp_min(torch.finfo(maps.dtype).tiny)
    return torch.where(total > 0, share, mask.to(maps.dtype).mean((1, 2)))


def saturation(maps: Tensor, mask: Tensor | None = None) -> Tensor:
    """The share of pixels, or of those in the mask [B, H, W], with at least `LEVEL` of their map's maximum."""
    peak = maps.amax((1, 2), keepdim=True)
    hot = (maps >= LEVEL * peak) & (peak > 0)
    counted = torch.ones_like(hot) if mask is None else mask
    return (hot & counted).sum((1, 2)) / counted.sum((1, 2)).clamp_min(1)


def shape_template(images: Tensor, size: int) -> Tensor:
    """A map [B, size, size] of the object's shape in grey images [B, 1, H, W]: each cell's mean."""
    return functional.adaptive_avg_pool2d(images, size)[:, 0]


def edge_template(images: Tensor, size: int) -> Tensor:
    """A map of its edges: each cell's mean contrast, the range of the 3 x 3 pixels around a pixel."""
    brightest, darkest = (functional.max_pool2d(sign * images, 3, 1, 1) * sign for sign in (1, -1))
    return shape_template(brightest - darkest, size)


def resemblance(maps: Tensor, templates: Tensor) -> Tensor:
    """Spearman's rank correlation over the cells of maps and templates [B, h, w], 0 where one is constant."""
    return torch.from_numpy(rank_correlation(maps.flatten(1).numpy(), templates.flatten(1).numpy())).nan_to_num(0.0)


def similarity(first: Tensor, second: Tensor) -> Tensor:
    """Pearson's correlation between two maps [..., h, w] of each image: [...] in [-1, 1], 0 where one is constant."""
    a, b = (m.flatten(-2) - m.mean((-2, -1))[..., None] for m in (first, second))
    return functional.cosine_similarity(a, b, dim=-1)


def measures(maps: Tensor, images: Tensor) -> dict[str, Tensor]:
    """Everything that heat maps [B, h, h] show of images [B, 1, H, H]; `blank` is 1 for a map without heat, else 0."""
    side, full, mask = maps.shape[-1], upsample(maps, images.shape[-1]), object_mask(images)
    return {
        "focus": focus(maps, mask),
        "shape": resemblance(maps, shape_template(images, side)),
        "edges": resemblance(maps, edge_template(images, side)),
        "saturation": saturation(full),
        "saturation-on-object": saturation(full, mask),
        "blank": (maps.amax((1, 2)) <= 0).to(maps.dtype),
    }


def references(images: Tensor) -> dict[str, float]:
    """Between what limits the measures lie, means over images: `area` is the object's share, the focus of even heat."""
    mask = object_mask(images)
    shape, edges = shape_template(images, 14), edge_template(images, 14)
    values = {
        "area": mask.double().mean((1, 2)),
        "focus-of-shape": focus(shape, mask),
        "focus-of-edges": focus(edges, mask),
        "shape-like-edges": resemblance(shape, edges),
    }
    return {name: float(value.double().mean()) for name, value in values.items()}


# --- series of networks in the course of training --------------------------------------------------------------------


def consistency(gradients: Tensor, labels: Tensor) -> float:
    """Do images of one class agree on what each channel is worth?

    The mean cosine between the vectors of mean gradients ω of two images, of ∂y/∂A [N, K, h, w], averaged over classes.
    A network whose scores are linear in the channels has nearly the same ω for all images; one with waves in between
    may turn signs from one image to the next, and the heat map into its opposite.
    """
    weights = functional.normalize(gradients.double().mean((2, 3)), dim=1)
    cosines = []
    for label in labels.unique():
        own = weights[labels == label]
        norms = own.square().sum()  # one per image, or 0 for one without a gradient
        cosines.append(float((own.sum(0).square().sum() - norms) / (len(own) * (len(own) - 1))))
    return float(np.mean(cosines))


def seen_by(config: LcqhnnConfig, record: Record, epoch: int, images: Tensor, labels: Tensor) -> Attribution:
    """What the last convolution did in a run's network as it was after an epoch, for the true classes' scores."""
    model = lcqhnn.build(config)
    model.load_state_dict(record.snapshot(epoch))
    return attribute(model, images, labels, layer=model.get_submodule("features.conv2"))


Curves = dict[str, Any]
"""Of a series: `epochs` whose weights were kept; `accuracy` (fractions) and `consistency` on the images looked at,
[seeds, epochs]; and method -> measure -> means over the images [seeds, epochs]."""


def heat_map_curves(
    config: LcqhnnConfig, records: Sequence[Record], images: Tensor, labels: Tensor
) -> tuple[Curves, dict[int, Tensor]]:
    """Make and measure the heat maps of a series for images [N, 1, 28, 28], at every epoch whose weights were kept.

    Returns:
        The curves, and the maps of the main method by stage [seeds, N, h, w].
    """
    mask = object_mask(images)
    accuracy, alike = np.zeros((2, len(records), len(config.snapshots)))
    curves: Curves = {"epochs": list(config.snapshots), "accuracy": accuracy, "consistency": alike}
    maps: dict[int, list[Tensor]] = {epoch: [] for epoch in STAGES if epoch in config.snapshots}
    for s, record in enumerate(records):
        for e, epoch in enumerate(config.snapshots):
            seen = seen_by(config, record, epoch, images, labels)
            accuracy[s, e] = float((seen.scores.argmax(1) == labels).double().mean())
            alike[s, e] = consistency(seen.gradients, labels)
            for method, (window, rectify) in METHODS.items():
                found = heat(seen, window, rectify=rectify)
                if method == MAIN and epoch in maps:
                    maps[epoch].append(found)
                means = measures(found, images) if method == MAIN else {"focus": focus(found, mask)}
                for name, values in means.items():
                    curve = curves.setdefault(method, {}).setdefault(name, np.zeros_like(accuracy))
                    curve[s, e] = float(values.double().mean())
    return curves, {epoch: torch.stack(of_seeds) for epoch, of_seeds in maps.items()}


def arrays(stored: Mapping[str, Any]) -> Curves:
    """Curves as a record holds them, in lists, as arrays again."""
    return {name: arrays(of) if isinstance(of, Mapping) else np.array(of) for name, of in stored.items()}


def correlations(curve: NDArray[np.float64], accuracy: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Do a measure and the accuracy [seeds, epochs] rise together, and is it more than that both change with training?

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


def focus_correlations(curves: Curves, method: str) -> dict[str, Interval]:
    """The `correlations` of focus and accuracy as means over runs, and `late`, the first of them from `LATE` on."""
    focus, accuracy, late = curves[method]["focus"], curves["accuracy"], np.array(curves["epochs"]) >= LATE
    values = correlations(focus, accuracy)
    values["late"] = correlations(focus[:, late], accuracy[:, late])["correlation"]
    return {name: mean_interval(value[np.isfinite(value)]) for name, value in values.items()}


def agreement(maps: Tensor) -> NDArray[np.float64]:
    """How alike the maps [seeds, N, h, w] of different runs are: each seed's mean similarity to the others [seeds]."""
    alike = np.array([[float(similarity(a, b).mean()) for b in maps] for a in maps])
    return (alike.sum(1) - np.diagonal(alike)) / (len(alike) - 1)


def summarise(curves: Curves, maps: Mapping[int, Tensor], area: float) -> dict[str, Interval]:
    """Compare what `heat_map_curves` returns between the paper's three stages, with the accuracy, and between runs.

    Returns:
        Means over seeds: how much the focus exceeds the object's `area` before training, and how it grows from stage to
        stage; its correlation with the accuracy; the consistency after training; at each stage the agreement between
        seeds; the similarity of a run's maps at different stages.
    """
    first, middle, last = STAGES
    at = {epoch: curves[MAIN]["focus"][:, curves["epochs"].index(epoch)] for epoch in STAGES}
    values = {
        f"focus-{first}-minus-area": at[first] - area,
        f"focus-{middle}-minus-{first}": at[middle] - at[first],
        f"focus-{last}-minus-{middle}": at[last] - at[middle],
        "correlation": correlations(curves[MAIN]["focus"], curves["accuracy"])["correlation"],
        f"consistency-{last}": curves["consistency"][:, curves["epochs"].index(last)],
        **{f"agreement-{epoch}": agreement(maps[epoch]) for epoch in STAGES},
    }
    for a, b in ((first, last), (middle, last)):
        values[f"similarity-{a}-{b}"] = similarity(maps[a], maps[b]).double().mean(1).numpy()
    return {key: mean_interval(value) for key, value in values.items()}
