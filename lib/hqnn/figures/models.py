"""Figures that compare models, each under its own name and in its own colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hqnn.figures.primitives import band, dots, forest
from hqnn.figures.theme import BLUE, DATASET_MARKS, GREY, INK, PRINTED, SKY, VERMILLION, model
from hqnn.stats import Interval


def learning_curves(
    ax: Axes,
    histories: Mapping[str, NDArray[np.float64]],
    printed: Mapping[str, Mapping[int, float]] | None = None,
) -> Axes:
    """Accuracies [seeds, epochs] in per cent: the mean of each model's runs, its 95 % interval, and the paper's values.

    Accuracies are fractions; what the paper prints is in per cent and drawn as hollow diamonds.
    """
    for name, history in histories.items():
        label, colour = model(name)
        epochs = np.arange(1, history.shape[1] + 1)
        band(ax, epochs, 100 * history, colour=colour, within=(0, 100), label=label)
        for epoch, value in (printed or {}).get(name, {}).items():
            ax.plot(epoch, value, **PRINTED, color=colour)
    ax.set(xlabel="epoch", ylabel="test accuracy, %", xlim=(0, len(epochs) + 1))
    return ax


def curve_bands(
    ax: Axes, histories: Mapping[str, NDArray[np.float64]], printed: Mapping[str, float] | None = None
) -> Axes:
    """Curves [seeds, epochs] of models: every run thin, their mean, and the paper's last value as a diamond."""
    for name, history in histories.items():
        label, colour = model(name)
        epochs = np.arange(1, history.shape[1] + 1)
        band(ax, epochs, history, colour=colour, runs=True, interval=False, label=label)
        if name in (printed or {}):
            ax.plot(epochs[-1], (printed or {})[name], **PRINTED, color=colour, clip_on=False)
    ax.set(xlabel="epoch", xticks=epochs if len(epochs) < 13 else epochs[4::5])
    return ax


def single_runs(ax: Axes, values: Mapping[str, NDArray[np.float64]], printed: Mapping[str, float]) -> Axes:
    """Model -> one value per seed [seeds]: each a dot, their mean a bar, beside the paper's value as a diamond."""
    for position, (name, runs) in enumerate(values.items()):
        colour = model(name).colour
        dots(ax, position + np.linspace(-0.28, 0.04, len(runs)), np.sort(runs), colour=colour)
        ax.hlines(runs.mean(), position - 0.34, position + 0.1, color=colour, linewidth=2.2)
        ax.plot(position + 0.28, printed[name], **PRINTED, color=INK)
    ax.set_xticks(range(len(values)), [model(name).label for name in values])
    ax.set_xlim(-0.6, len(values) - 0.4)
    ax.grid(visible=False, axis="x")
    return ax


def rate_curves(ax: Axes, values: Mapping[str, Mapping[float, NDArray[np.float64]]], *, usual: float) -> Axes:
    """Model -> learning rate -> one result per seed: every run as a dot, a line through the means; the usual rate."""
    ax.axvline(usual, color=GREY, linestyle="--", linewidth=1)
    for position, (name, by_rate) in enumerate(values.items()):
        label, colour = model(name)
        shift = 1.06 ** (position - (len(values) - 1) / 2)  # side by side, so that the dots do not hide each other
        ax.plot([rate * shift for rate in by_rate], [runs.mean() for runs in by_rate.values()], color=colour)
        for rate, runs in by_rate.items():
            dots(ax, rate * shift, runs, colour=colour)
        ax.plot([], [], "o-", color=colour, label=label)
    ax.set(xscale="log", xlabel="learning rate")
    return ax


def against_strength(ax: Axes, values: Mapping[str, Mapping[float, Interval]]) -> Axes:
    """Model -> strength of a disturbance -> mean accuracy with its 95 % interval, per cent; models side by side."""
    for position, (name, by_strength) in enumerate(values.items()):
        label, colour = model(name)
        shift = 0.006 * max(by_strength) * (position - (len(values) - 1) / 2)
        means = [found.mean for found in by_strength.values()]
        widths = [found.half_width for found in by_strength.values()]
        at = [strength + shift for strength in by_strength]
        ax.errorbar(at, means, yerr=widths, fmt="o-", markersize=4, capsize=2, color=colour, label=label)
    ax.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    return ax


_TIMES = {1: "second", 60: "minute", 3600: "hour", 86_400: "day", 2.63e6: "month", 3.156e7: "year"}


def durations(ax: Axes, rows: Mapping[str, Mapping[str, float]]) -> Axes:
    """Row -> what is timed -> seconds, as dots on a logarithmic axis of everyday units."""
    colours = dict(zip(next(iter(rows.values())), (BLUE, SKY, VERMILLION), strict=False))
    for height, times in enumerate(rows.values()):
        ax.plot([min(times.values()), max(times.values())], [height] * 2, color=GREY, linewidth=1, zorder=1)
        for what, seconds in times.items():
            ax.plot(seconds, height, "o", color=colours[what], label=None if height else what)
    ax.set(xscale="log", ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_xticks([*_TIMES], [*_TIMES.values()])
    ax.minorticks_off()
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(colours))
    return ax


def paired_differences(ax: Axes, rows: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Axes:
    """Row -> dataset (see `DATASET_MARKS`) -> differences paired by seed, as a `forest` with a line at zero."""
    ax.axvline(0, color=INK, linewidth=1)
    return forest(ax, rows, DATASET_MARKS)


def leads(
    ax: Axes,
    values: Mapping[str, NDArray[np.float64]],
    *,
    margin: float = 0.0,
    printed: Mapping[str, float] | None = None,
) -> Axes:
    """Differences paired by seed as `intervals`, with a line at zero, and grey as far as they count as negligible."""
    ax.axvspan(-margin, margin, color=GREY, alpha=0.15, linewidth=0)
    ax.axvline(0, color=INK, linewidth=1)
    return intervals(ax, values, {}, printed=printed)


def intervals(
    ax: Axes,
    values: Mapping[str, NDArray[np.float64]],
    levels: Mapping[str, float],
    *,
    marked: Sequence[str] = (),
    printed: Mapping[str, float] | None = None,
) -> Axes:
    """One row per variant: every run as a faint dot, the mean with its 95 % interval; some in another colour.

    `levels` are vertical lines with a label each; a value that the paper prints for one variant is a hollow diamond.
    """
    rows = {name: {"_marked" if name in marked else "_": runs} for name, runs in values.items()}
    forest(ax, rows, {"_": (BLUE, "o"), "_marked": (VERMILLION, "o")}, printed=printed)
    for (label, value), style in zip(levels.items(), ("--", ":", "-."), strict=False):
        ax.axvline(value, color=INK, linestyle=style, linewidth=1.1, label=label)
    if levels:
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(levels))
    return ax
