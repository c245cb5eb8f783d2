"""How easy a dataset is: copies within and across its splits, and classifiers that need no network."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

_BLOCK = 512


def same_bytes(images: Tensor) -> NDArray[np.int64]:
    """For every uint8 image [N, C, H, W] the index of the first one with exactly its pixels [N]."""
    first: dict[bytes, int] = {}
    rows = images.flatten(1).contiguous().numpy()
    return np.array([first.setdefault(row.tobytes(), k) for k, row in enumerate(rows)], dtype=np.int64)


def constant(images: Tensor) -> NDArray[np.bool_]:
    """Which images [N, C, H, W] have pixels of one value only, [N]."""
    flat = images.flatten(1)
    return np.asarray(flat.amax(1) == flat.amin(1))


class Neighbours(NamedTuple):
    """The nearest of some images to each of others."""

    which: NDArray[np.int64]
    """Indices among the candidates [N]."""
    distance: NDArray[np.float64]
    """Root of the mean squared difference of the pixels that were compared, grey levels [N]."""


def nearest(images: Tensor, among: Tensor, *, side: int = 32) -> Neighbours:
    """The nearest neighbour of each image, by the pixels.

    Args:
        images: uint8 [N, C, H, W].
        among: uint8 [M, C, H, W], the candidates.
        side: Both are shrunk to this height and width first, by averaging; H and W are multiples of it.
    """
    queries, candidates = (_shrunk(x, side) for x in (images, among))
    squares = (candidates**2).sum(1)
    which = torch.cat([(squares - 2 * block @ candidates.T).argmin(1) for block in queries.split(_BLOCK)])
    distance = (queries - candidates[which]).pow(2).mean(1).sqrt()  # not from the products: they cancel
    return Neighbours(which.numpy(), distance.double().numpy())


def _shrunk(images: Tensor, side: int) -> Tensor:
    """Pixels as float32 [N, C * side * side]."""
    window = images.shape[-1] // side
    blocks = [functional.avg_pool2d(block.float(), window).flatten(1) for block in images.split(4096)]
    return torch.cat(blocks)


def majority(known: Sequence[Hashable], labels: NDArray[np.int64], asked: Sequence[Hashable]) -> NDArray[np.int64]:
    """Classify by a single feature: the commonest class among the known samples with the same value.

    Args:
        known: The feature of each training sample [M].
        labels: Their classes [M].
        asked: The feature of each sample to classify [N].

    Returns:
        Classes [N]; for a value that was never seen the commonest class of all, of equally common ones the smallest.
    """
    counts: dict[Hashable, NDArray[np.int64]] = {}
    for value, label in zip(known, labels, strict=True):
        counts.setdefault(value, np.zeros(labels.max() + 1, np.int64))[label] += 1
    overall = np.bincount(labels).argmax()
    chosen = {value: count.argmax() for value, count in counts.items()}
    return np.array([chosen.get(value, overall) for value in asked], dtype=np.int64)
