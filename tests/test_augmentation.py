"""Flips, rotations and shifts against torch's flip, SciPy's rotation, crops, and what must not change."""

import math
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch.nn import functional

from hqnn.datasets import augmentation
from hqnn.datasets.augmentation import flip_and_rotate, flip_and_shift, modified
from hqnn.training import BatchTransform


def test_without_rotation_half_of_the_images_are_flipped() -> None:
    torch.manual_seed(0)
    images = torch.rand(400, 2, 6, 9)
    changed = flip_and_rotate(images, degrees=0.0)
    as_it_was = (changed - images).abs().amax((1, 2, 3)) < 1e-5
    flipped = (changed - images.flip(3)).abs().amax((1, 2, 3)) < 1e-5
    assert (as_it_was ^ flipped).all()
    assert 140 < flipped.sum() < 260


def test_rotations_are_scipys_by_angles_of_both_signs() -> None:
    torch.manual_seed(1)
    image = torch.zeros(1, 1, 31, 31)
    image[..., 8:20, 10:24] = torch.rand(12, 14)
    images = image.expand(24, -1, -1, -1)
    angles = []
    for changed in flip_and_rotate(images, degrees=10.0):
        best = min(
            (
                float(np.abs(ndimage.rotate(flipped, angle, reshape=False, order=1) - changed[0].numpy()).mean()),
                float(angle),
            )
            for angle in np.linspace(-10, 10, 81)
            for flipped in (image[0, 0].numpy(), image[0, 0].numpy()[:, ::-1])
        )
        assert best[0] < 3e-3
        angles.append(best[1])
    assert min(angles) < -5 < 5 < max(angles)


def test_the_centre_stays_and_the_input_is_not_changed() -> None:
    images = torch.rand(8, 1, 9, 9)
    before = images.clone()
    changed = flip_and_rotate(images)
    assert torch.equal(images, before)
    torch.testing.assert_close(changed[:, :, 4, 4], images[:, :, 4, 4])
    assert changed.min() >= 0 <= 1 >= changed.max() - 1e-6


@pytest.mark.parametrize("change", [flip_and_rotate, flip_and_shift])
def test_a_seed_decides_the_changes(change: BatchTransform) -> None:
    images = torch.rand(4, 1, 5, 5)
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(change(images))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize("shape", [(3, 1, 4, 4), (1, 3, 5, 8)])
def test_shapes_are_kept(shape: tuple[int, ...]) -> None:
    assert flip_and_rotate(torch.rand(shape)).shape == flip_and_shift(torch.rand(shape)).shape == shape


def test_each_shifted_image_is_one_crop_of_the_padded_one_or_of_its_mirror_image() -> None:
    torch.manual_seed(2)
    image = torch.rand(1, 3, 6, 8)
    crops = {
        (mirrored, top, left): functional.pad(image.flip(3) if mirrored else image, (2,) * 4)[
            0, :, top : top + 6, left : left + 8
        ]
        for mirrored in (False, True)
        for top in range(5)
        for left in range(5)
    }
    found = [
        next(key for key, crop in crops.items() if torch.equal(crop, changed))
        for changed in flip_and_shift(image.expand(600, -1, -1, -1), pixels=2)
    ]
    assert set(found) == set(crops)
    assert 240 < sum(mirrored for mirrored, _, _ in found) < 360


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


def test_shifts_are_whole_pixels_up_to_four_in_both_directions() -> None:
    """The usual crop of CIFAR-10's images, padded by four pixels."""
    found = drawn(flip_and_shift, 32, 40)
    assert abs(found["mirrored"].mean() - 0.5) < 0.03
    np.testing.assert_allclose(found["angle"], 0, atol=1e-4)
    steps = np.stack([found["right"], found["down"]], 1)
    np.testing.assert_allclose(steps, steps.round(), atol=1e-4)
    pairs = Counter(map(tuple, steps.round().astype(int).tolist()))
    assert set(pairs) == set(product(range(-4, 5), repeat=2))
    assert stats.chisquare(list(pairs.values())).pvalue > 1e-3
