"""What flips, rotations and shifts look up in an image, how their draws are distributed, and what must not change."""

import math
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats
from torch.nn import functional

from hqnn.datasets import augmentation
from hqnn.datasets.augmentation import flip_and_rotate, flip_and_shift, modified
from hqnn.training import BatchTransform


@pytest.mark.parametrize("change", [flip_and_rotate, flip_and_shift])
def test_a_seed_decides_the_changes_and_the_images_stay(change: BatchTransform) -> None:
    images = torch.rand(4, 1, 5, 5)
    before, results = images.clone(), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(change(images))
    assert torch.equal(images, before)
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


# --- what is drawn, read off images whose values are their own coordinates

N_COPIES = 4000


def looked_up(change: Callable[[torch.Tensor], torch.Tensor], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in the image each of `N_COPIES` copies takes its pixels from: place = matrix @ pixel + offset.

    Both are counted in pixels from the centre, first to the right, then down. The two channels of the image are these
    coordinates, scaled to [0, 1]; interpolating them linearly is exact, so three inner pixels tell the map.
    """
    x, y = torch.arange(width) - (width - 1) / 2, torch.arange(height) - (height - 1) / 2
    image = torch.stack([(x / width + 0.5).expand(height, -1), (y / height + 0.5)[:, None].expand(-1, width)])
    found = change(image.expand(N_COPIES, -1, -1, -1)).double().numpy() - 0.5
    found = (found * np.array([width, height])[:, None, None])[:, :, height // 2 - 1 :, width // 2 - 1 :]
    corner, right, down = found[:, :, 0, 0], found[:, :, 0, 3], found[:, :, 3, 0]
    matrices = np.stack([right - corner, down - corner], 2) / 3
    return matrices, corner - matrices @ [float(x[width // 2 - 1]), float(y[height // 2 - 1])]


def drawn(change: Callable[[torch.Tensor], torch.Tensor], height: int = 28, width: int = 28) -> dict[str, np.ndarray]:
    """The parts of every copy's change: mirrored or not, angle (radians), shifts right and down (pixels looked up)."""
    matrices, offsets = looked_up(change, height, width)
    mirrored = np.linalg.det(matrices) < 0
    angles = np.arctan2(-matrices[:, 0, 1], matrices[:, 1, 1])  # the second column, which a mirror leaves as it is
    sign, cos, sin = np.where(mirrored, -1, 1), np.cos(angles), np.sin(angles)
    expected = np.stack([np.stack([sign * cos, -sin], 1), np.stack([sign * sin, cos], 1)], 1)
    np.testing.assert_allclose(matrices, expected, atol=1e-4)  # left to right, not upside down, then rotated
    return {"mirrored": mirrored, "angle": angles, "right": offsets[:, 0], "down": offsets[:, 1]}


def is_even(values: np.ndarray, bound: float) -> bool:
    """Whether values could be a sample of the uniform distribution from -bound to bound."""
    return bool(stats.kstest(values, "uniform", (-bound, 2 * bound)).pvalue > 1e-3)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        pytest.param(partial(modified, kind="flips", seed=3), {"mirrored"}, id="flips"),
        pytest.param(partial(modified, kind="rotations", seed=3), {"angle"}, id="rotations"),
        pytest.param(partial(modified, kind="shifts", seed=3), {"right", "down"}, id="shifts"),
        pytest.param(partial(modified, kind="all", seed=3), {"mirrored", "angle", "right", "down"}, id="all"),
        pytest.param(flip_and_rotate, {"mirrored", "angle"}, id="flip_and_rotate"),
    ],
)
def test_every_copy_is_mirrored_rotated_and_shifted_by_a_draw_of_its_own(
    change: Callable[[torch.Tensor], torch.Tensor], parts: set[str]
) -> None:
    """Up to ten degrees, as printed [hqnn, section 2.1.2]; up to 15 and a tenth of the side in the recorded runs."""
    found = drawn(change)
    bounds = {"angle": math.radians(10 if change is flip_and_rotate else 15), "right": 2.8, "down": 2.8}
    for part, values in found.items():
        if part not in parts:
            np.testing.assert_allclose(values, 0, atol=1e-4)
        elif part == "mirrored":
            assert abs(values.mean() - 0.5) < 0.03
        else:
            assert is_even(values, bounds[part]), part
    columns = [found[part].astype(float) for part in sorted(parts)]
    columns += [np.roll(column, 1) for column in columns]  # the copy before
    correlations = np.atleast_2d(np.corrcoef(columns)) - np.eye(len(columns))
    assert np.abs(correlations).max() < 0.07


def test_images_changed_in_chunks_are_changed_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.rand(20, 1, 8, 8)
    whole = modified(images, "all", 5)
    monkeypatch.setattr(augmentation, "_CHUNK", 7)
    torch.testing.assert_close(modified(images, "all", 5), whole)


def test_images_that_are_not_square_are_rotated_without_shear() -> None:
    assert is_even(drawn(flip_and_rotate, 20, 30)["angle"], math.radians(10))


def test_each_shifted_image_is_one_crop_of_the_padded_one_or_of_its_mirror_image_all_equally_often() -> None:
    """The usual change of CIFAR-10's images: whole pixels, up to four in both directions."""
    image = torch.rand(1, 3, 6, 8)
    crops = {}
    for mirrored, top, left in product((False, True), range(9), range(9)):
        padded = functional.pad(image.flip(3) if mirrored else image, (4,) * 4)
        crops[padded[0, :, top : top + 6, left : left + 8].numpy().tobytes()] = (mirrored, top, left)
    changed = flip_and_shift(image.expand(N_COPIES, -1, -1, -1)).contiguous().numpy()
    found = Counter(crops[copy.tobytes()] for copy in changed)
    assert set(found) == set(crops.values())
    assert stats.chisquare(list(found.values())).pvalue > 1e-3
