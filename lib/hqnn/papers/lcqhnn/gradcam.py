"""Grad-CAM heat maps, and what a map shows of its image [lcqhnn, eq. 10-12].

A heat map combines the activations A of a convolution's K channels with the gradients ∂y/∂A of a class score y
[lcqhnn, eq. 10-12]. The paper weights each activation by the mean of the gradient over a window around it, and leaves
the window's size open:

- the whole map: every channel has one weight, its mean gradient. This is Grad-CAM (Selvaraju and others, 2017);
- one position: gradient times activation. This is HiResCAM (Draelos and Carin, 2020);
- anything between is a blurred mixture of the two.

A map lives on the convolution's own grid (14 x 14 in this paper's networks); `upsample` brings it to the image's.
"""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn.stats import rank_correlation

THRESHOLD = 0.1
"""Grey value above which a pixel belongs to the object, on these datasets' black background."""
LEVEL = 0.9
"""Fraction of a map's maximum from which a pixel counts as saturated."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What a layer did and how much the class scores depend on it."""

    activations: Tensor
    """A [B, K, h, w], the layer's output."""
    gradients: Tensor
    """α = ∂y/∂A [B, K, h, w] of each image's own score y [lcqhnn, eq. 10]."""
    scores: Tensor
    """All class scores [B, C]."""


def attribute(model: nn.Module, images: Tensor, labels: Tensor, *, layer: nn.Module) -> Attribution:
    """Differentiate one class score per image with respect to a layer's output.

    Args:
        model: Maps images to class scores [B, C], each image for itself; it is evaluated without dropout.
        images: [B, 1, 28, 28], or whatever the model takes.
        labels: The class whose score counts, per image [B].
        layer: The module of `model` whose output to look at.

    Returns:
        Activations, gradients and scores, detached; the model is left as it was.
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


def heat(attribution: Attribution, window: int | None, *, rectify: bool = False) -> Tensor:
    """The heat map of a window size [lcqhnn, eq. 11 and 12].

    Windows are cut off at the map's border, and the mean is over the positions that remain.

    Args:
        attribution: Of a convolution.
        window: Side of the square window, an odd number of positions; None for the whole map.
        rectify: Count only positive activations, as the ReLU behind the convolution does.

    Returns:
        G = max(0, Σ_k ω_k A_k) [B, h, w], in units of the class score.

    Raises:
        ValueError: The window has no centre.
    """
    if window is not None and (window < 1 or window % 2 == 0):
        raise ValueError(f"a window is centred on a position: its side must be an odd number, not {window}")
    weights = attribution.gradients
    if window is None:
        weights = weights.mean((2, 3), keepdim=True)
    elif window > 1:
        # The mean over a rectangle is a mean of means over its rows.
        half = window // 2
        weights = functional.avg_pool2d(weights, (window, 1), 1, (half, 0), count_include_pad=False)
        weights = functional.avg_pool2d(weights, (1, window), 1, (0, half), count_include_pad=False)
    activations = functional.relu(attribution.activations) if rectify else attribution.activations
    return functional.relu((weights * activations).sum(1))


def grad_cam(model: nn.Module, images: Tensor, labels: Tensor, *, layer: nn.Module) -> Tensor:
    """Grad-CAM by the package pytorch-grad-cam, on a copy of the model, since the package leaves gradients behind.

    Returns:
        [B, H, W], each map from 0 to 1 as by `rescale`; the arguments are those of `attribute`.
    """
    # Importing it takes seconds that most users of this module need not wait.
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    model, layer = deepcopy((model, layer))
    with GradCAM(model=model, target_layers=[layer]) as cam:
        targets = [ClassifierOutputTarget(int(label)) for label in labels]
        return torch.from_numpy(cam(input_tensor=images, targets=targets))


def rescale(maps: Tensor) -> Tensor:
    """Shift and scale each map [B, h, w] to run from 0 to 1, as the package does; a constant map becomes 0."""
    shifted = maps - maps.amin((1, 2), keepdim=True)
    return shifted / shifted.amax((1, 2), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)


def upsample(maps: Tensor, size: int = 28) -> Tensor:
    """Interpolate maps [B, h, w] bilinearly to the image's grid [B, size, size]."""
    return functional.interpolate(maps[:, None], size=(size, size), mode="bilinear", align_corners=False)[:, 0]


# --- what a map shows -------------------------------------------------------------------------------------------------


def object_mask(images: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Which pixels of images [B, 1, H, W] belong to the object, bool [B, H, W]: those brighter than `threshold`."""
    return images[:, 0] > threshold


def focus(maps: Tensor, mask: Tensor) -> Tensor:
    """The share of a map's heat that lies on the object.

    A map spread evenly over the image has the object's share of the area as its focus: that is the baseline. A map
    without any heat prefers no pixel and counts as even.

    Args:
        maps: Heat of 0 or more [B, h, w], on any grid.
        mask: The object's pixels [B, H, H].

    Returns:
        Fractions [B] in [0, 1].
    """
    maps = upsample(maps, mask.shape[-1])
    total = maps.sum((1, 2))
    share = (maps * mask).sum((1, 2)) / total.clamp_min(torch.finfo(maps.dtype).tiny)
    return torch.where(total > 0, share, mask.to(maps.dtype).mean((1, 2)))


def saturation(maps: Tensor, mask: Tensor | None = None, *, level: float = LEVEL) -> Tensor:
    """How much of the image is as hot as it gets: the share of pixels with at least `level` of the map's maximum.

    Args:
        maps: Heat of 0 or more [B, H, W].
        mask: Count only these pixels [B, H, W], instead of all.
        level: Fraction of the map's own maximum.

    Returns:
        Fractions [B]; 0 for a map without heat.
    """
    peak = maps.amax((1, 2), keepdim=True)
    hot = (maps >= level * peak) & (peak > 0)
    counted = torch.ones_like(hot) if mask is None else mask
    return (hot & counted).sum((1, 2)) / counted.sum((1, 2)).clamp_min(1)


def shape_template(images: Tensor, size: int) -> Tensor:
    """A map that follows the shape of the object in grey images [B, 1, H, W]: each cell's mean, [B, size, size]."""
    return functional.adaptive_avg_pool2d(images, size)[:, 0]


def edge_template(images: Tensor, size: int) -> Tensor:
    """A map that follows the object's edges: each cell's mean contrast, the range of the 3 x 3 pixels around a pixel.

    Args:
        images: Grey values [B, 1, H, W] in [0, 1].
        size: Cells per side, as the map has.

    Returns:
        [B, size, size].
    """
    brightest = functional.max_pool2d(images, 3, 1, 1)
    darkest = -functional.max_pool2d(-images, 3, 1, 1)
    return functional.adaptive_avg_pool2d(brightest - darkest, size)[:, 0]


def resemblance(maps: Tensor, templates: Tensor) -> Tensor:
    """Spearman's rank correlation between maps and templates [B, h, w], over the cells: float64 [B] in [-1, 1].

    It needs no threshold and no unit: any increasing function of the template gives 1. It is 0 where a map or template
    is constant, which resembles nothing.
    """
    return torch.from_numpy(rank_correlation(maps.flatten(1).numpy(), templates.flatten(1).numpy())).nan_to_num(0.0)


def similarity(first: Tensor, second: Tensor) -> Tensor:
    """Pearson's correlation between two maps [..., h, w] of each image: [...] in [-1, 1], 0 where one is constant."""
    a, b = (m.flatten(-2) - m.mean((-2, -1))[..., None] for m in (first, second))
    return functional.cosine_similarity(a, b, dim=-1)
