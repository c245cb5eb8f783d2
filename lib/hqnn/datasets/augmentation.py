"""Random changes of images, many at once as tensors [hqnn, §2.1.2; transfer, section 3.1]."""

import math
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

Kind = Literal["none", "flips", "rotations", "shifts", "all"]
_CHUNK = 4096


def flip_and_rotate(images: Tensor, degrees: float = 10.0) -> Tensor:
    """Flip each image [B, C, H, W] left to right with probability one half, then rotate it about its centre.

    Angles are uniform in [-degrees, degrees]; pixels in between are interpolated linearly, those from outside are 0.
    Draws from torch's current random state.
    """
    n, _, height, width = images.shape
    angles = (2 * torch.rand(n, device=images.device) - 1) * math.radians(degrees)
    sign = _signs(images)
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    # From the result's pixel, in units of half the image's height and width, to the one it is taken from.
    rows = [[sign * cos, -sign * sin * height / width, zero], [sin * width / height, cos, zero]]
    grid = functional.affine_grid(
        torch.stack([torch.stack(row, 1) for row in rows], 1), list(images.shape), align_corners=False
    )
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def flip_and_shift(images: Tensor, pixels: int = 4) -> Tensor:
    """Flip each image [B, C, H, W] left to right with probability one half, then shift it by whole pixels.

    Both shifts are uniform in -pixels, ..., pixels; what a shift leaves empty is 0. Draws from torch's current random
    state. This is the usual change of CIFAR-10's images, random flips and random crops of a padded image.
    """
    n, _, height, width = images.shape
    top, left = torch.randint(2 * pixels + 1, (2, n, 1), device=images.device)
    mirrored = _signs(images)[:, None] < 0
    column = torch.arange(width, device=images.device)
    rows = top + torch.arange(height, device=images.device)
    columns = left + torch.where(mirrored, width - 1 - column, column)
    padded = functional.pad(images, (pixels,) * 4)
    picked = torch.arange(n, device=images.device)[:, None, None], rows[:, :, None], columns[:, None]
    return padded.permute(0, 2, 3, 1)[picked].permute(0, 3, 1, 2)


def _signs(images: Tensor) -> Tensor:
    """For each image 1 or -1 with equal probabilities, [B]."""
    return 1 - 2 * (torch.rand(len(images), device=images.device) < 0.5).to(images.dtype)


def modified(
    images: Tensor, kind: Kind, seed: int, *, rotation: float = math.radians(15), shift: float = 0.1
) -> Tensor:
    """One modified copy of each image, float [N, C, S, S] in [0, 1]; the images themselves for `"none"`.

    Each is mirrored left to right with probability 1/2, rotated by an angle uniform in +-`rotation` (radians), shifted
    in both directions by a part uniform in +-`shift` of its side, or all three; interpolated bilinearly, empty is 0.

    Raises:
        ValueError: Unknown kind.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; use one of {', '.join(map(repr, get_args(Kind)))}")
    if kind == "none":
        return images
    generator = torch.Generator().manual_seed(seed)
    n = len(images)

    def uniform(*size: int) -> Tensor:
        return 2 * torch.rand(n, *size, generator=generator) - 1

    mirror = torch.where(uniform() < 0, -1.0, 1.0) if kind in ("flips", "all") else torch.ones(n)
    angle = rotation * uniform() if kind in ("rotations", "all") else torch.zeros(n)
    offset = 2 * shift * uniform(2) if kind in ("shifts", "all") else torch.zeros(n, 2)  # the side has length 2 here
    cosine, sine = angle.cos(), angle.sin()
    affine = torch.stack(
        [torch.stack([mirror * cosine, -sine, offset[:, 0]], 1), torch.stack([mirror * sine, cosine, offset[:, 1]], 1)],
        1,
    )  # where in the image each pixel of the copy is looked up
    parts = [
        functional.grid_sample(part, functional.affine_grid(maps, list(part.shape), False), align_corners=False)
        for part, maps in zip(images.split(_CHUNK), affine.split(_CHUNK), strict=True)
    ]
    return torch.cat(parts).clamp(0, 1)
