"""Figures of what goes through an autoencoder or a measurement, and of what classifiers make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn import stats
from hqnn.figures.theme import BLUE, COLOURS, GREY, INK, PRINTED, VERMILLION


def image_rows(ax: Axes, rows: Mapping[str, NDArray[np.float64]]) -> Axes:
    """Grey images side by side, one labelled row below the other.

    Args:
        ax: Where to draw.
        rows: Label -> images [N, H, W] in [0, 1], as many in each row.

    Returns:
        The same `ax`.
    """
    gap = 2
    tiles = [np.pad(row.clip(0, 1), ((0, 0), (gap, gap), (gap, gap)), constant_values=0) for row in rows.values()]
    side = tiles[0].shape[1]
    ax.imshow(1 - np.concatenate([np.concatenate(list(row), axis=1) for row in tiles]), cmap="gray", vmin=0, vmax=1)
    ax.set_yticks(side * (np.arange(len(rows)) + 0.5), list(rows))
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return ax


def confusion(ax: Axes, counts: NDArray[np.float64], classes: Sequence[str]) -> Axes:
    """How many images of each class are taken for each class, errors by the depth of colour.

    Args:
        ax: Where to draw.
        counts: [true class, class found].
        classes: Their names.

    Returns:
        The same `ax`.
    """
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, counts)
    ax.imshow(wrong, cmap="Oranges", vmin=0, vmax=max(wrong.max() * 1.6, 1))
    for (row, column), n in np.ndenumerate(counts):
        if round(n):
            weight = "bold" if row == column else "normal"
            ax.text(column, row, f"{n:.0f}", ha="center", va="center", color=INK, fontsize=7.5, fontweight=weight)
    ax.set_xticks(range(len(classes)), classes)
    ax.set_yticks(range(len(classes)), classes)
    ax.set(xlabel="found", ylabel="true class")
    ax.grid(visible=False)
    return ax


def compression(ax: Axes, components: Mapping[int, float], levels: Mapping[str, float]) -> Axes:
    """Error of a projection against the number of principal components, with other errors as horizontal lines.

    Args:
        ax: Where to draw.
        components: Number of components -> mean squared error per pixel.
        levels: Label -> error.

    Returns:
        The same `ax`.
    """
    ax.plot(list(components), list(components.values()), "o-", color=BLUE, markersize=4, label="principal components")
    for (label, value), colour in zip(levels.items(), (VERMILLION, INK, GREY), strict=False):
        ax.axhline(value, color=colour, linestyle="--", linewidth=1.2, label=label)
    ax.set(xlabel="numbers kept of each image", ylabel="mean squared error per pixel", ylim=(0, None))
    ax.legend()
    return ax


def intervals(
    ax: Axes,
    values: Mapping[str, NDArray[np.float64]],
    levels: Mapping[str, float],
    *,
    marked: Sequence[str] = (),
    printed: Mapping[str, float] | None = None,
) -> Axes:
    """One row per variant: every run as a faint dot, the mean with its 95 % interval; printed values as lines.

    Args:
        ax: Where to draw.
        values: Variant -> one value per run, in the unit of the axis.
        levels: Label -> value of a vertical line.
        marked: Variants to draw in another colour.
        printed: Variant -> a value that the paper prints for this one alone, drawn as a hollow diamond.

    Returns:
        The same `ax`.
    """
    for position, (name, runs) in enumerate(values.items()):
        colour = VERMILLION if name in marked else BLUE
        if name in (printed or {}):
            ax.plot((printed or {})[name], position, **PRINTED, color=colour)
        interval = stats.mean_interval(runs)
        ax.plot(runs, [position] * len(runs), "o", color=colour, alpha=0.3, markersize=4)
        half = interval.half_width if np.isfinite(interval.half_width) else 0.0
        ax.errorbar(interval.mean, position, xerr=half, fmt="o", color=colour, capsize=3, markersize=5)
    for (label, value), style in zip(levels.items(), ("--", ":", "-."), strict=False):
        ax.axvline(value, color=INK, linestyle=style, linewidth=1.1, label=label)
    ax.set_yticks(range(len(values)), list(values))
    ax.set_ylim(len(values) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    if levels:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(levels))
    return ax


def accuracy_by_shots(ax: Axes, series: Mapping[str, Mapping[float, NDArray[np.float64]]]) -> Axes:
    """Accuracy against the number of shots, the exact limit to the right: means with 95 % intervals, one line each.

    Args:
        ax: Where to draw.
        series: Outcome (a key of `COLOURS`) -> shots, infinity for exact -> accuracies in per cent, one per run.

    Returns:
        The same `ax`.
    """
    places: dict[float, int] = {}
    for name, by_shots in series.items():
        for shots in by_shots:
            places.setdefault(shots, len(places))
        found = [stats.mean_interval(runs) for runs in by_shots.values()]
        x = [places[shots] for shots in by_shots]
        half = [i.half_width if np.isfinite(i.half_width) else 0.0 for i in found]
        ax.errorbar(
            x, [i.mean for i in found], half, fmt="o-", color=COLOURS[name], capsize=3, markersize=4, label=name
        )
    ax.set_xticks(list(places.values()), ["exact" if np.isinf(shots) else f"{shots:g}" for shots in places])
    ax.set(xlabel="shots", ylabel="test accuracy, %")
    return ax
