"""Flips, rotations and shifts against torch's flip, SciPy's rotation, crops, and what must not change."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional

from hqnn.augmentation import flip_and_rotate, flip_and_shift
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
