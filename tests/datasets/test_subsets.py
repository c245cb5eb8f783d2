"""Subsets are disjoint, balanced, reproducible and independent of one another's sizes; floats agree with Pillow."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from hqnn import datasets, experiments, records, tasks
from hqnn.datasets import Dataset, Split
from hqnn.experiments import Config, Scale


def numbered(n_train: int, n_test: int, n_classes: int) -> Dataset:
    """Every image is 1x2x2 and says which it is: its index (two bytes), its label, its split."""

    def split(n: int, code: int) -> Split:
        labels = torch.arange(n) * n_classes // max(n, 1)
        images = torch.stack([torch.arange(n) // 256, torch.arange(n) % 256, labels, torch.full((n,), code)], 1)
        return Split(images.to(torch.uint8).reshape(n, 1, 2, 2), labels)

    return Dataset("mnist", tuple("0123456789"[:n_classes]), split(n_train, 0), split(n_test, 1), "")


def identities(images: Tensor) -> list[bytes]:
    return [bytes(image) for image in images.flatten(1).numpy()]


@st.composite
def drawings(draw: st.DrawFn) -> tuple[Dataset, dict[str, object]]:
    """A dataset and the arguments of a subset it can give."""
    n_classes = draw(st.integers(1, 5))
    dataset = numbered(n_classes * 20, n_classes * 12, n_classes)
    classes = tuple(draw(st.permutations(range(n_classes)))[: draw(st.integers(1, n_classes))])
    n_each = draw(st.integers(0, 20))
    n_each_val = draw(st.integers(0, 20 - n_each))
    return dataset, {
        "classes": classes,
        "n_train": n_each * len(classes),
        "n_val": n_each_val * len(classes),
        "n_test": draw(st.integers(0, 12 * len(classes))),
        "seed": draw(st.integers(0, 2**40)),
    }


@given(drawings())
def test_subsets_are_disjoint_balanced_and_of_the_sizes_asked_for(drawing: tuple[Dataset, dict]) -> None:
    dataset, arguments = drawing
    subset = datasets.subset(dataset, **arguments)
    classes = arguments["classes"]
    sizes = {"n_train": len(subset.train), "n_val": len(subset.val), "n_test": len(subset.test)}
    assert sizes == {key: arguments[key] for key in sizes}
    train, val, test = (identities(part.images) for part in (subset.train, subset.val, subset.test))
    assert len({*train, *val, *test}) == len(train) + len(val) + len(test)
    assert set(train) | set(val) <= set(identities(dataset.train.images))
    assert set(test) <= set(identities(dataset.test.images))
    for part, n in ((subset.train, len(train)), (subset.val, len(val))):
        assert part.labels.bincount(minlength=len(classes)).tolist() == [n // len(classes)] * len(classes)
    for part in (subset.train, subset.val, subset.test):
        assert [classes[label] for label in part.labels] == part.images[:, 0, 1, 0].tolist()


@given(drawings())
def test_other_sizes_and_the_order_of_the_classes_change_no_images(drawing: tuple[Dataset, dict]) -> None:
    dataset, arguments = drawing
    subset = datasets.subset(dataset, **arguments)
    assert datasets.subset(dataset, **arguments).fingerprint == subset.fingerprint
    for changed in ("n_train", "n_val", "n_test"):
        other = datasets.subset(dataset, **{**arguments, changed: 0})
        for name in {"train", "val", "test"} - {changed.removeprefix("n_")}:
            assert torch.equal(getattr(subset, name).images, getattr(other, name).images)
    reverse = datasets.subset(dataset, **(arguments | {"classes": arguments["classes"][::-1]}))
    for name in ("train", "val", "test"):
        assert torch.equal(getattr(subset, name).images, getattr(reverse, name).images)
        assert torch.equal(getattr(subset, name).labels, len(arguments["classes"]) - 1 - getattr(reverse, name).labels)


def test_another_seed_draws_other_images_and_the_test_set_is_not_balanced() -> None:
    dataset = numbered(2_000, 1_000, 2)
    drawn = [datasets.subset(dataset, classes=(0, 1), n_train=200, n_val=100, n_test=300, seed=s) for s in range(20)]
    train = [frozenset(identities(subset.train.images)) for subset in drawn]
    overlaps = [len(train[0] & other) for other in train[1:]]
    assert 10 < sum(overlaps) / 19 < 30  # 200 of 2000 twice have 20 in common on average, with a deviation of 4
    ones = torch.tensor([float(subset.test.labels.sum()) for subset in drawn])
    assert abs(ones.mean() - 150) < 8  # standard error 1.6
    assert 3 < ones.std() < 13  # hypergeometric: 7.2
    for part in (drawn[0].train, drawn[0].val, drawn[0].test):  # in random order
        assert (part.labels[1:] != part.labels[:-1]).sum() > len(part) // 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_train": 30, "n_val": 20}, r"20 training images of class 1 \(1\): n_train=30 and n_val=20 need 25"),
        ({"n_test": 25}, r"24 test images of classes \(1, 2\): n_test=25 is too many"),
        ({"n_train": 3}, "n_train=3 and n_val=4 must be multiples of 2, to be balanced"),
        ({"n_val": 5}, "n_train=4 and n_val=5 must be multiples of 2"),
        ({"n_test": -1}, "n_test=-1 must not be negative"),
        ({"classes": (1, 1)}, r"classes \(1, 1\) must be different labels of MNIST, each from 0 to 2"),
        ({"classes": (-1, 1)}, r"classes \(-1, 1\) must be"),
        ({"classes": ()}, r"classes \(\) must be"),
    ],
)
def test_impossible_subsets(change: dict[str, object], message: str) -> None:
    arguments: dict = {"classes": (1, 2), "n_train": 4, "n_val": 4, "n_test": 4}
    with pytest.raises(ValueError, match=message):
        datasets.subset(numbered(60, 36, 3), **(arguments | change))


# --- floats


def test_floats_are_the_bytes_over_255() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8)
    scaled = datasets.to_float(images)
    assert scaled.dtype == torch.float32
    assert torch.equal((scaled * 255).round().to(torch.uint8), images)
    assert torch.equal(datasets.to_float(images, 8), scaled)
    assert (float(scaled.min()), float(scaled.max())) == (0.0, 1.0)


@pytest.mark.parametrize("size", [14, 28, 40])
def test_resizing_agrees_with_pillow(size: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    ours = datasets.to_float(torch.from_numpy(images)[:, None], size)
    assert ours.shape == (3, 1, size, size)
    for image, mine in zip(images, ours, strict=True):
        theirs = np.asarray(Image.fromarray(image.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(mine[0].numpy() * 255, theirs, atol=1e-3)
    white = torch.full((1, 3, 28, 28), 255, dtype=torch.uint8)
    assert float(datasets.to_float(white, size - 1).max()) <= 1  # interpolation rounds


def test_floats_want_bytes_with_four_axes() -> None:
    with pytest.raises(TypeError, match=r"must be uint8, not torch\.float32"):
        datasets.to_float(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match=r"must be \[N, C, H, W\], not \[1, 8, 8\]"):
        datasets.to_float(torch.zeros(1, 8, 8, dtype=torch.uint8))


@st.composite
def partitions(draw: st.DrawFn) -> tuple[Dataset, dict[str, int]]:
    """A dataset, with or without a test split, and sizes that it has."""
    n_train, n_test = draw(st.integers(1, 60)), draw(st.sampled_from([0, 25]))
    sizes = {"n_test": draw(st.integers(0, n_test or n_train))}
    rest = n_train if n_test else n_train - sizes["n_test"]
    sizes["n_train"] = draw(st.integers(0, rest))
    sizes["n_val"] = draw(st.integers(0, rest - sizes["n_train"]))
    return numbered(n_train, n_test, 3), {**sizes, "seed": draw(st.integers(0, 2**40))}


@given(partitions())
def test_partitions_are_disjoint_and_in_canonical_order(drawing: tuple[Dataset, dict[str, int]]) -> None:
    dataset, arguments = drawing
    cut = datasets.partition(dataset, **arguments)
    parts = {"n_train": cut.train, "n_val": cut.val, "n_test": cut.test}
    assert {name: len(part) for name, part in parts.items()} == {name: arguments[name] for name in parts}
    named = {name: identities(part.images) for name, part in parts.items()}
    assert len(set().union(*named.values())) == sum(map(len, named.values()))
    pools = {name: dataset.test if name == "n_test" and len(dataset.test) else dataset.train for name in parts}
    for name, part in parts.items():
        every = identities(pools[name].images)
        assert named[name] == [one for one in every if one in set(named[name])]
        assert part.labels.tolist() == part.images[:, 0, 1, 0].tolist()
    assert datasets.partition(dataset, **arguments).fingerprint == cut.fingerprint


def test_a_partition_keeps_its_test_images_when_other_sizes_change() -> None:
    dataset = numbered(50, 0, 3)
    first = datasets.partition(dataset, n_train=40, n_val=0, n_test=10)
    second = datasets.partition(dataset, n_train=20, n_val=5, n_test=10)
    assert identities(first.test.images) == identities(second.test.images)
    assert set(identities(second.train.images)) < set(identities(first.train.images))


@pytest.mark.parametrize("change", [{"n_train": 46}, {"n_test": 26}, {"n_val": -1}, {"seed": -1}])
def test_impossible_partitions(change: dict[str, int]) -> None:
    sizes = {"n_train": 40, "n_val": 5, "n_test": 25, **change}
    with pytest.raises(ValueError, match=r"too many|must not be negative"):
        datasets.partition(numbered(50, 25, 3), **sizes)


# --- what the registered experiments draw

DRAWS = {
    "LcqhnnConfig digits 192+64+64 (0, 1)": "0e3eee6fc49879c5",
    "LcqhnnConfig digits 192+64+64 (1, 6)": "b10088569451128d",
    "LcqhnnConfig digits 2+64+64 (1, 6) anew": "9bcd97571a2eac7e",
    "LcqhnnConfig digits 6+64+64 (1, 6) anew": "11977f2c68a271b2",
    "LcqhnnConfig digits 24+64+64 (1, 6) anew": "8293a95b6e77c0ab",
    "LcqhnnConfig digits 96+64+64 (1, 6) anew": "7647be6eee4f9de0",
    "LcqhnnConfig digits 192+64+64 (1, 6) anew": "6f17ea024306734b",
    "ParallelConfig digits 1000+300+400": "ee959c19ac09a16a",
    "ParallelConfig digits 1000+0+400": "819eac60ee286724",
    "ParallelConfig digits 2+0+400 anew": "779fd38b357b307b",
    "ParallelConfig digits 6+0+400 anew": "a68dc284adca727e",
    "ParallelConfig digits 20+0+400 anew": "424cf1ea852766f2",
    "ParallelConfig digits 60+0+400 anew": "8c7feac82a04f647",
    "ParallelConfig digits 200+0+400 anew": "26fa18578e6911cf",
    "ParallelConfig digits 1200+0+400 anew": "674354075fcb2060",
    "QuanvConfig digits 200+100+100": "0d00175370bec65c",
}
"""The first digits of the sha256 of which images and labels are drawn, in which order; of all seeds together."""


def drawing(scale: Scale) -> dict[str, dict[int, list[tuple[str, Config]]]]:
    """The registered configs that draw images, by the kind of images and the seed that decides which.

    Where that is left to the seed of a run the kind says so, and there is a config for each of the first two.
    """
    found: dict[str, dict[int, list[tuple[str, Config]]]] = {}
    for experiment in experiments.EXPERIMENTS.values():
        for variant, config in experiment.configs(scale).items():
            if hasattr(config, "data_seed"):  # the transfer paper takes all images
                sizes = f"{config.n_train}+{config.n_val}+{config.n_test} {getattr(config, 'classes', '')}".strip()
                kind = f"{type(config).__name__} {config.dataset} {sizes}" + " anew" * (config.data_seed is None)
                seeds = found.setdefault(kind, {})
                for each in experiment.seeds[:2] if config.data_seed is None else (config.data_seed,):
                    drawn = experiments.with_draw(config, each)
                    seeds.setdefault(each, []).append((f"{experiment.name}/{variant}", drawn))
    return found


def test_what_is_drawn_never_changes() -> None:
    found = {}
    for kind, seeds in drawing("quick").items():
        digest = hashlib.sha256()
        for seed in sorted(seeds):
            config = seeds[seed][0][1]
            splits, origin = tasks.of(config).images(config)
            for split in ("train", "val", "test"):
                digest.update(splits[split].targets.numpy().tobytes() + b"|")
            digest.update(origin["subset"].encode())
        found[kind] = digest.hexdigest()[:16]
    assert found == DRAWS


@pytest.mark.parametrize("name", datasets.NAMES[:-1])
def test_records_name_what_their_configs_draw(name: str) -> None:
    for kind, seeds in drawing("paper").items():
        for seed, variants in seeds.items():
            config = variants[0][1]
            found = [record for series, _ in variants for record in records.load(series)]
            if kind.endswith(" anew"):
                found = [record for record in found if record.seed == seed]
            if config.dataset == name and found:
                (recorded,) = {record.provenance["dataset"]["subset"] for record in found}
                if datasets.is_available(name):
                    assert tasks.of(config).images(config)[1]["subset"] == recorded, variants[0][0]
