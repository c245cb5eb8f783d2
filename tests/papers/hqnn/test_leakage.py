"""The audit's parts against brute force on small images."""

import numpy as np
import torch

from hqnn.papers.hqnn import leakage


def small(n: int, seed: int = 0, levels: int = 256) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(levels, (n, 1, 4, 4), dtype=torch.uint8, generator=generator)


def test_copies_point_at_the_first_of_their_kind() -> None:
    images = small(6)
    images[3] = images[1]
    images[5] = images[1]
    assert leakage.same_bytes(images).tolist() == [0, 1, 2, 1, 4, 1]


def test_constant_images() -> None:
    images = small(4)
    images[1] = 0
    images[2] = 77
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
    found = leakage.nearest(images[:1], images[1:], side=2)
    expected = (coarse[:1] - coarse[1:]).pow(2).mean((1, 2, 3)).sqrt()
    np.testing.assert_allclose(found.distance, [float(expected.min())], rtol=1e-5)


def test_the_majority_of_each_value_and_of_all_for_new_ones() -> None:
    labels = np.array([0, 0, 1, 2, 2, 2])
    told = leakage.majority(["a", "b", "b", "b", "b", "c"], labels, ["a", "b", "c", "new"])
    assert told.tolist() == [0, 2, 2, 2]
