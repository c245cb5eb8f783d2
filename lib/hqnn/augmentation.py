"""Random changes of training images, a whole batch at once as tensors [hqnn, §2.1.2]."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def flip_and_rotate(images: Tensor, degrees: float = 10.0) -> Tensor:
    """Flip each image left to right with probability one half, then rotate it about its centre.

    Angles are uniform in [-degrees, degrees]; pixels in between are interpolated linearly, those from outside are 0.
    Draws from torch's current random state.

    Args:
        images: Float images [B, C, H, W].
        degrees: The largest angle.

    Returns:
        Changed copies [B, C, H, W].
    """
    n, _, height, width = images.shape
    angles = (2 * torch.rand(n, device=images.device) - 1) * math.radians(degrees)
    sign = 1 - 2 * (torch.rand(n, device=images.device) < 0.5).to(images.dtype)
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    # From the result's pixel, in units of half the image's height and width, to the one it is taken from.
    rows = [[sign * cos, -sign * sin * height / width, zero], [sin * width / height, cos, zero]]
    grid = functional.affine_grid(
        torch.stack([torch.stack(row, 1) for row in rows], 1), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
