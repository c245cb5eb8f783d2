"""Copies, neighbours and mistakes against brute force on small images."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hqnn import records
from hqnn.errors import HqnnError
from hqnn.papers.hqnn import leakage, mistakes


def small(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (n, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_copies_point_at_the_first_of_their_kind() -> None:
    images = small(6)
    images[3] = images[5] = images[1].clone()
    assert leakage.same_bytes(images).tolist() == [0, 1, 2, 1, 4, 1]


def test_constant_images() -> None:
    images = small(4)
    images[1], images[2] = 0, 77
    assert leakage.constant(images).tolist() == [False, True, True, False]


def test_the_nearest_neighbour_is_that_of_all_distances() -> None:
    queries, candidates = small(700, 1), small(90, 2)
    found = leakage.nearest(queries, candidates, side=4)
    differences = queries[:, None].double() - candidates[None].double()
    distances = differences.pow(2).mean((2, 3, 4)).sqrt().numpy()
    np.testing.assert_array_equal(found.which, distances.argmin(1))
    np.testing.assert_allclose(found.distance, distances.min(1), rtol=1e-5)


def test_a_copy_is_at_distance_zero_and_shrinking_averages() -> None:
    images = small(5)
    assert leakage.nearest(images, images, side=4).distance.tolist() == [0.0] * 5
    coarse = images.float().reshape(5, 1, 2, 2, 2, 2).mean((3, 5))
    expected = (coarse[:1] - coarse[1:]).pow(2).mean((1, 2, 3)).sqrt()
    assert leakage.nearest(images[:1], images[1:], side=2).distance == pytest.approx([float(expected.min())])


def test_the_majority_of_each_value_and_of_all_for_new_ones() -> None:
    labels = np.array([0, 0, 1, 2, 2, 2])
    told = leakage.majority(["a", "b", "b", "b", "b", "c"], labels, ["a", "b", "c", "new"])
    assert told.tolist() == [0, 2, 2, 2]


def test_accuracy_on_all_images_is_that_of_the_run(tmp_path: Path) -> None:
    wrong = mistakes.misclassified("hqnn-mnist/hqnn")
    final = [record.history["test_accuracy"][-1] for record in records.load("hqnn-mnist/hqnn")]
    assert mistakes.accuracy_on(range(10_000), wrong) == pytest.approx(final, abs=1e-6)
    assert mistakes.accuracy_on({0, 1, 2, 3}, [{1, 9}, set(), {0, 1, 2, 3}]).tolist() == [0.75, 1.0, 0.0]
    with pytest.raises(HqnnError, match="run hqnn-mnist"):
        mistakes.misclassified("hqnn-mnist/hqnn", root=tmp_path)
