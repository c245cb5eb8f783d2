"""How a classifier bears what training did not show it: worse images, an adversary, and trust in its own scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
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


BATCH = 256
"""Images that go through a network at a time."""
CORRUPTIONS: Mapping[str, Corruption] = {"noise": noisy, "blur": blurred, "shift": shifted}


def uphill(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Which way the loss grows with each pixel [N, C, H, W]: 1, -1, or 0 where it does not.

    For the fast gradient sign method [Goodfellow, Shlens and Szegedy, ICLR 2015]; the model is in evaluation mode. The
    slope of the cross-entropy is that of the wrong scores against the right one times the probability of an error,
    which rounding makes zero where a network is sure; only the former has a sign, and so only it is taken.
    """
    signs = []
    for batch, right in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        pixels = batch.clone().requires_grad_()
        scores = model(pixels)
        wrong = scores.scatter(1, right[:, None], -torch.inf).logsumexp(1)
        (slope,) = torch.autograd.grad((wrong - scores.gather(1, right[:, None])[:, 0]).sum(), pixels)
        signs.append(slope.sign())
    return torch.cat(signs)


def attacked(images: Tensor, uphill: Tensor, size: float) -> Tensor:
    """Every pixel moved by that much the way the loss grows, within [0, 1]."""
    return (images + size * uphill).clamp(0, 1)


def scored(model: nn.Module, images: Tensor) -> Tensor:
    """The scores [N, classes] that a model gives to images."""
    with torch.no_grad():
        return torch.cat([model(batch) for batch in images.split(BATCH)])


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """The share of [N] images whose class is found, per cent."""
    return 100 * float((scores.argmax(1) == labels).double().mean())


def calibration_error(scores: Tensor, labels: Tensor, bins: int = 15) -> float:
    """How far confidence and accuracy lie apart, points: the mean over bins of confidence, weighted by their images.

    The expected calibration error [Guo et al., ICML 2017] of class scores [N, classes], in equal bins.
    """
    confidence, found = scores.softmax(1).double().max(1)
    right = (found == labels).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    gaps = torch.zeros(bins, dtype=torch.float64).index_add(0, place, right - confidence)
    return 100 * float(gaps.abs().sum()) / len(labels)


# --- a comparison ----------------------------------------------------------------------------------------------------


class Trained(NamedTuple):
    """A network in evaluation mode, with what it is tested on."""

    series: str
    """`<dataset>/<model>`."""
    model: nn.Module
    images: Tensor
    """[N, C, H, W] in [0, 1]."""
    labels: Tensor
    seed: int
    """Of training, and of what is drawn for the images."""


def compare(networks: Iterable[Trained], hybrid: str, settings: Mapping[str, Any]) -> dict[str, list[float]]:
    """How networks bear corrupted and attacked test images, and how far their scores can be trusted, seed by seed.

    Accuracies, per cent, are `<dataset>/<model>/<image>`, the image `clean`, `noise-0.1` and so on, or `attack-0.1`, of
    that many grey levels of 1. `<dataset>/<model>/calibration` is the expected calibration error on clean images,
    points. What a model loses is its clean accuracy minus the mean over the kinds of corruption, of each the mean over
    strengths; `<dataset>/saved-over-<rival>` is what the hybrid loses less, `saved` its mean over datasets and rivals.
    `…/attack-saved-over-<rival>` and `attack-saved` are the same under attack, `…/calibration-saved-over-<rival>` and
    `calibration-saved` say by how much its calibration error is the smaller one. The noise and the directions of shifts
    are drawn for each seed, for all models alike.

    Args:
        networks: The seeds of each series in the same order.
        hybrid: The model that is compared with all others.
        settings: `strengths` by kind of corruption, and `attacks`, sizes.
    """
    values: dict[str, list[float]] = {}
    for series, model, images, labels, seed in networks:
        seen = {"clean": images} | {
            f"{kind}-{strength}": CORRUPTIONS[kind](images, strength, seed)
            for kind, strengths in settings["strengths"].items()
            for strength in strengths
        }
        signs = uphill(model, images, labels)
        seen |= {f"attack-{size}": attacked(images, signs, size) for size in settings["attacks"]}
        scores = {image: scored(model, one) for image, one in seen.items()}
        found = {image: accuracy(one, labels) for image, one in scores.items()}
        found["calibration"] = calibration_error(scores["clean"], labels)
        for key, value in found.items():
            values.setdefault(f"{series}/{key}", []).append(value)
    return values | _saved(values, hybrid, settings)


def _saved(values: Mapping[str, list[float]], hybrid: str, settings: Mapping[str, Any]) -> dict[str, list[float]]:
    """What is worse for each rival than for the hybrid, and its means."""

    def lost(series: str, groups: list[list[str]]) -> NDArray[np.float64]:
        kinds = [np.mean([values[f"{series}/{image}"] for image in group], axis=0) for group in groups]
        return np.asarray(values[f"{series}/clean"]) - np.mean(kinds, axis=0)

    corrupted = [[f"{kind}-{s}" for s in strengths] for kind, strengths in settings["strengths"].items()]
    attacks = [[f"attack-{size}" for size in settings["attacks"]]]
    losses = {
        "saved": lambda series: lost(series, corrupted),
        "attack-saved": lambda series: lost(series, attacks),
        "calibration-saved": lambda series: np.asarray(values[f"{series}/calibration"]),
    }
    saved: dict[str, list[float]] = {}
    for words, loss in losses.items():
        by_rival = {}
        for series in (key.removesuffix("/clean") for key in values if key.endswith("/clean")):
            dataset, _, model = series.partition("/")
            if model != hybrid:
                less = loss(series) - loss(f"{dataset}/{hybrid}")
                by_rival[f"{dataset}/{words}-over-{model}"] = less.tolist()
        saved |= by_rival | {words: np.mean([*by_rival.values()], axis=0).tolist()}
    return saved
