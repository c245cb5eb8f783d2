"""Flips and rotations against torch's flip, SciPy's rotation and what must not change."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from hqnn.augmentation import flip_and_rotate


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


def test_a_seed_decides_the_changes() -> None:
    images = torch.rand(4, 1, 5, 5)
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(flip_and_rotate(images))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize("shape", [(3, 1, 4, 4), (1, 3, 5, 8)])
def test_shapes_are_kept(shape: tuple[int, ...]) -> None:
    assert flip_and_rotate(torch.rand(shape)).shape == shape
