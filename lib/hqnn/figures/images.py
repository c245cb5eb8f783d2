"""Figures of images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn.figures.theme import INK


def image_columns(ax: Axes, columns: Mapping[str, NDArray[np.uint8]]) -> Axes:
    """One column of images per class, its name above.

    Args:
        ax: Where to draw.
        columns: Name -> images [N, H, W, C], equally many and equally large.

    Returns:
        The same `ax`.
    """
    stacks = [_framed(images) for images in columns.values()]
    wall = np.concatenate([np.concatenate(list(stack)) for stack in stacks], axis=1)
    ax.imshow(wall.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    width = stacks[0].shape[2]
    ax.set_xticks([(k + 0.5) * width for k in range(len(columns))], list(columns))
    ax.set_yticks([])
    ax.tick_params(labelsize=9, top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax


def titled_images(axes: Iterable[Axes], images: NDArray[np.uint8], titles: Sequence[str]) -> None:
    """One image per panel, with a title.

    Args:
        axes: As many as there are images.
        images: [N, H, W, C].
        titles: One for each.
    """
    for ax, image, title in zip(axes, images, titles, strict=True):
        ax.imshow(image.squeeze(), cmap="gray_r", vmin=0, vmax=255)
        ax.set_title(title, fontsize=9, loc="center", fontweight="normal", color=INK, pad=3)
        ax.set_axis_off()


def _framed(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The images with a white margin."""
    margin = max(1, images.shape[1] // 20)
    frame = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    return np.pad(images, frame, constant_values=255)
