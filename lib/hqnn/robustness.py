"""How a classifier bears what training did not show it: worse images, an adversary, and trust in its own scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.transforms.v2 import functional as vision

Corruption = Callable[[Tensor, float, int], Tensor]
"""(images [N, C, H, W] in [0, 1], strength, seed) -> images of the same kind."""


def noisy(images: Tensor, deviation: float, seed: int) -> Tensor:
    """With Gaussian noise on each pixel, clipped to [0, 1]."""
    drawn = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
    return (images + deviation * drawn.to(images)).clamp(0, 1)


def blurred(images: Tensor, pixels: float, seed: int) -> Tensor:
    """Convolved with a Gaussian of that standard deviation; the seed plays no part."""
    size = 2 * round(3 * pixels) + 1
    return vision.gaussian_blur(images, [size, size], [pixels, pixels]) if pixels else images


def shifted(images: Tensor, pixels: float, seed: int) -> Tensor:
    """Moved along both axes, each by that many pixels to a side drawn for each image; black comes in."""
    n, reach = len(images), round(pixels)
    sides = 2 * torch.randint(0, 2, (n, 2), generator=torch.Generator().manual_seed(seed)) - 1
    height, width = images.shape[-2:]
    padded = functional.pad(images, [reach] * 4)
    starts = (reach - reach * sides).tolist()
    return torch.stack([one[:, y : y + height, x : x + width] for one, (y, x) in zip(padded, starts, strict=True)])


CORRUPTIONS: Mapping[str, Corruption] = {"noise": noisy, "blur": blurred, "shift": shifted}


def attacked(model: nn.Module, images: Tensor, labels: Tensor, size: float) -> Tensor:
    """Images [N, C, H, W] moved by `size` in each pixel the way the loss grows, within [0, 1].

    The fast gradient sign method [Goodfellow, Shlens and Szegedy, ICLR 2015]; the model is in evaluation mode.
    """
    moved = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(functional.cross_entropy(model(moved), labels), moved)
    return (images + size * slope.sign()).clamp(0, 1)


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of [N] images whose class is found, per cent."""
    with torch.no_grad():
        return 100 * float((model(images).argmax(1) == labels).double().mean())


def calibration_error(scores: Tensor, labels: Tensor, bins: int = 15) -> float:
    """How far confidence and accuracy lie apart, points: the mean over bins of confidence, weighted by their images.

    The expected calibration error [Guo et al., ICML 2017] of class scores [N, classes], in equal bins.
    """
    confidence, found = scores.softmax(1).double().max(1)
    right = (found == labels).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    gaps = torch.zeros(bins, dtype=torch.float64).index_add(0, place, right - confidence)
    return 100 * float(gaps.abs().sum()) / len(labels)
