"""The samples of one experiment: drawn from a dataset by a seed, and made floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hqnn.datasets.sources import SOURCES, Dataset, Split, fingerprint, labelled


@dataclass(frozen=True, eq=False)
class Subset:
    """Some images of a dataset, cut into three disjoint splits."""

    train: Split
    val: Split
    test: Split
    fingerprint: str
    """SHA-256 of which images [H, W, C] with which labels are in which split, whatever their order."""


def subset(
    dataset: Dataset, *, classes: Sequence[int], n_train: int, n_val: int, n_test: int, seed: int = 42
) -> Subset:
    """Draw some images of some classes, which become labels 0, 1, …; for training and validation equally many of each.

    Every image of a split gets a random 64-bit key that depends on the seed and its index alone. The smallest keys of
    each class make the training set, the largest the validation set; the smallest keys in the test split make the test
    set, whatever their classes. So no size changes what the other sets hold, one class's images do not depend on which
    other classes are asked for, and since PCG64's raw stream is fixed for good, no library's version matters.

    The three splits are disjoint, each in random order.

    Raises:
        ValueError: Impossible classes, a size that is negative or cannot be balanced, or more than there is.
    """
    classes, title = tuple(classes), SOURCES[dataset.name].title
    if not classes or len(set(classes)) < len(classes) or not set(classes) <= set(range(len(dataset.classes))):
        raise ValueError(
            f"classes {classes} must be different labels of {title}, each from 0 to {len(dataset.classes) - 1}"
        )
    _require_non_negative(n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    if n_train % len(classes) or n_val % len(classes):
        raise ValueError(f"n_train={n_train} and n_val={n_val} must be multiples of {len(classes)}, to be balanced")
    n_each, n_each_val = n_train // len(classes), n_val // len(classes)

    order = _shuffled(dataset.train, seed, stream=0)
    labels = dataset.train.labels.numpy()[order]
    in_train, in_val = np.zeros(len(order), np.bool_), np.zeros(len(order), np.bool_)
    for label in classes:
        (members,) = np.nonzero(labels == label)
        if n_each + n_each_val > len(members):
            raise ValueError(
                f"{title} has {len(members)} training images of class {label} ({dataset.classes[label]}): "
                f"n_train={n_train} and n_val={n_val} need {n_each + n_each_val}"
            )
        in_train[members[:n_each]] = True
        in_val[members[len(members) - n_each_val :]] = True

    test_order = _shuffled(dataset.test, seed, stream=1)
    eligible = test_order[np.isin(dataset.test.labels.numpy()[test_order], classes)]
    if n_test > len(eligible):
        raise ValueError(f"{title} has {len(eligible)} test images of classes {classes}: n_test={n_test} is too many")
    return _with_fingerprint(
        train=_take(dataset.train, order[in_train], classes),
        val=_take(dataset.train, order[in_val], classes),
        test=_take(dataset.test, eligible[:n_test], classes),
    )


def partition(dataset: Dataset, *, n_train: int, n_val: int, n_test: int, seed: int = 42) -> Subset:
    """The images that `partition_indices` takes, each split in canonical order."""
    chosen = partition_indices(dataset, n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    every, pool = range(len(dataset.classes)), dataset.test if len(dataset.test) else dataset.train
    return _with_fingerprint(
        train=_take(dataset.train, chosen["train"], every),
        val=_take(dataset.train, chosen["val"], every),
        test=_take(pool, chosen["test"], every),
    )


def partition_indices(
    dataset: Dataset, *, n_train: int, n_val: int, n_test: int, seed: int = 42
) -> dict[str, NDArray[np.int64]]:
    """Cut a dataset at random, all classes as often as they come, by the keys of `subset`.

    The smallest keys of the training split make the training set, the largest the validation set, the smallest in the
    test split the test set. Without a test split the largest keys of all make it, the next largest the validation set.

    Returns:
        Growing indices of `train`, `val` and `test`, into the training split, and into the test split if there is one.

    Raises:
        ValueError: A size is negative, or there are not so many images.
    """
    _require_non_negative(n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    order = _shuffled(dataset.train, seed, stream=0)
    if len(dataset.test):
        test_order = _shuffled(dataset.test, seed, stream=1)
    else:
        order, test_order = order[: max(len(order) - n_test, 0)], order[::-1]
    if n_train + n_val > len(order) or n_test > len(test_order):
        raise ValueError(
            f"{SOURCES[dataset.name].title} has {len(dataset.train)} training and {len(dataset.test)} test images: "
            f"n_train={n_train}, n_val={n_val} and n_test={n_test} are too many"
        )
    chosen = {"train": order[:n_train], "val": order[len(order) - n_val :], "test": test_order[:n_test]}
    return {name: np.sort(indices) for name, indices in chosen.items()}


def _require_non_negative(**values: int) -> None:
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name}={value} must not be negative")


def _shuffled(split: Split, seed: int, *, stream: int) -> NDArray[np.int64]:
    """A split's indices in the random order of a seed."""
    return np.argsort(np.random.PCG64([seed, stream]).random_raw(len(split)), kind="stable")


def _take(split: Split, indices: NDArray[np.int64], classes: Sequence[int]) -> Split:
    """Those samples, their labels replaced by the label's position in `classes`."""
    chosen = torch.from_numpy(indices)
    new_label = torch.zeros(max(classes) + 1, dtype=torch.int64)
    new_label[list(classes)] = torch.arange(len(classes))
    return Split(split.images[chosen], new_label[split.labels[chosen]])


def _with_fingerprint(**splits: Split) -> Subset:
    samples = {name: labelled(split.labels, split.images.permute(0, 2, 3, 1)) for name, split in splits.items()}
    return Subset(**splits, fingerprint=fingerprint(samples))


def to_float(images: Tensor, size: int | None = None, *, antialias: bool = True) -> Tensor:
    """Images as a network takes them: uint8 [N, C, H, W] -> float32 [N, C, size, size] in [0, 1].

    Other sizes are resized bilinearly; with `antialias`, shrinking averages over all the pixels that a new one covers,
    as torchvision's `Resize` and Pillow do, without, each is interpolated between its four nearest old ones.

    Raises:
        TypeError: The images are not uint8.
        ValueError: They have not four axes.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8, not {images.dtype}: pass a split's images as they are")
    if images.ndim != 4:
        raise ValueError(f"images must be [N, C, H, W], not {list(images.shape)}: add the missing axes")
    scaled = images.to(torch.float32) / 255
    if size is None or scaled.shape[-2:] == (size, size):
        return scaled
    resized = functional.interpolate(
        scaled, size=(size, size), mode="bilinear", align_corners=False, antialias=antialias
    )
    return resized.clamp(0, 1)  # interpolation may round past either end
