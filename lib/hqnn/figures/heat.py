"""Figures of heat maps and of what they say about training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn import stats
from hqnn.figures.theme import COLOURS, GREY, INK, SKY


def heat_gallery(
    ax: Axes, images: NDArray[np.float32], maps: Mapping[str, NDArray[np.float32]], outlines: NDArray[np.bool_]
) -> Axes:
    """Images side by side and, row by row below them, their heat maps with the objects' outlines.

    Args:
        ax: Where to draw; it loses its axes.
        images: Grey values in [0, 1] [N, H, W].
        maps: Label of the row -> heat of 0 or more [N, H, W]; each map is scaled by its own maximum.
        outlines: Which pixels belong to the object [N, H, W].

    Returns:
        The same `ax`.
    """
    n, height, width = images.shape
    rows = {"image": mpl.colormaps["gray"](images)[..., :3]}
    for label, row in maps.items():
        peak = np.maximum(row.max((1, 2), keepdims=True), np.finfo(row.dtype).tiny)
        rows[label] = mpl.colormaps["inferno"](row / peak)[..., :3]
    gap = 2
    mosaic = np.ones((len(rows) * (height + gap) - gap, n * (width + gap) - gap, 3))
    for r, tiles in enumerate(rows.values()):
        for k, tile in enumerate(tiles):
            top, left = r * (height + gap), k * (width + gap)
            mosaic[top : top + height, left : left + width] = tile
            if r:
                y, x = np.arange(top, top + height), np.arange(left, left + width)
                ax.contour(x, y, outlines[k], levels=[0.5], colors=SKY, linewidths=0.7)
    ax.imshow(mosaic, interpolation="nearest")
    ax.set_yticks([r * (height + gap) + height / 2 for r in range(len(rows))], list(rows))
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)
    return ax


def snapshot_curves(
    ax: Axes,
    epochs: Sequence[int],
    curves: Mapping[str, NDArray[np.float64]],
    *,
    colours: Mapping[str, str] = COLOURS,
) -> Axes:
    """A measure at the epochs whose weights were kept: every run as a thin line, their mean with its 95 % interval.

    Args:
        ax: Where to draw.
        epochs: When weights were kept [E]; drawn at equal distances.
        curves: Name -> values [seeds, E].
        colours: Name -> colour; by default those of the models.

    Returns:
        The same `ax`.
    """
    positions = np.arange(len(epochs))
    for name, curve in curves.items():
        intervals = [stats.mean_interval(column) for column in curve.T]
        mean = np.array([i.mean for i in intervals])
        half = np.array([i.half_width for i in intervals])
        ax.plot(positions, mean, "o-", color=colours[name], label=name)
        ax.fill_between(positions, mean - half, mean + half, color=colours[name], alpha=0.18, linewidth=0)
        ax.plot(positions, curve.T, color=colours[name], alpha=0.3, linewidth=0.7)
    ax.set_xticks(positions, [str(epoch) for epoch in epochs])
    ax.set(xlabel="epoch", xlim=(-0.2, len(epochs) - 0.8))
    ax.legend(loc="upper right", ncols=len(curves))
    return ax


def level(ax: Axes, value: float, text: str) -> Axes:
    """A dashed horizontal line with its meaning written at its right end, outside the axes.

    Args:
        ax: Where to draw.
        value: Height of the line, in the axis's unit.
        text: A few words.

    Returns:
        The same `ax`.
    """
    ax.axhline(value, color=GREY, linestyle="--", linewidth=1, zorder=1)
    ax.text(1.015, value, text, transform=ax.get_yaxis_transform(), va="center", fontsize=9, color=INK)
    return ax


def focus_against_accuracy(
    ax: Axes, focus: NDArray[np.float64], accuracy: NDArray[np.float64], epochs: Sequence[int]
) -> Axes:
    """Each run's path through focus and accuracy: a line, with a dot at every kept epoch, later ones brighter.

    The vertical axis stretches the top: equal steps divide the error by equal factors. A run without an error is drawn
    at 99.95 %.

    Args:
        ax: Where to draw.
        focus: Share of heat on the object [seeds, E], fractions.
        accuracy: Test accuracy at the same epochs [seeds, E], fractions.
        epochs: When weights were kept [E].

    Returns:
        The same `ax`.
    """
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.95, len(epochs)))
    error = np.maximum(100 - 100 * accuracy, 0.05)
    ax.plot(100 * focus.T, error.T, color=GREY, alpha=0.35, linewidth=0.7, zorder=1)
    for k, epoch in enumerate(epochs):
        ax.scatter(100 * focus[:, k], error[:, k], s=22, color=colours[k], label=str(epoch), zorder=2)
    ax.set(xlabel="focus, % of the heat", ylabel="test accuracy, %", yscale="log", ylim=(80, 0.04))
    ax.set_yticks([50, 10, 3, 1, 0.3, 0.1], ["50", "90", "97", "99", "99.7", "99.9"])
    ax.yaxis.minorticks_off()
    return ax
