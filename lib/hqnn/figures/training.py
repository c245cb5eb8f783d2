"""Figures of training and of comparisons between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn import stats
from hqnn.figures.theme import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, PRINTED, PURPLE, VERMILLION

DATASET_MARKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "MNIST": (BLUE, "o"),
        "FashionMNIST": (ORANGE, "s"),
        "Medical MNIST": (GREEN, "^"),
        "CIFAR-10": (VERMILLION, "D"),
        "CIFAR-10, augmented": (PURPLE, "v"),
    }
)
"""Colour and marker of each dataset, where a figure has both in one panel."""


def learning_curves(
    ax: Axes,
    histories: Mapping[str, NDArray[np.float64]],
    printed: Mapping[str, Mapping[int, float]] | None = None,
) -> Axes:
    """Accuracy against epoch: the mean of each model's runs, the 95 % interval of that mean, and the paper's values.

    Args:
        ax: Where to draw.
        histories: Model -> accuracies [seeds, epochs] as fractions.
        printed: Model -> epoch -> the paper's accuracy in per cent, drawn as hollow diamonds.

    Returns:
        The same `ax`.
    """
    for name, history in histories.items():
        epochs = np.arange(1, history.shape[1] + 1)
        intervals = [stats.mean_interval(column) for column in 100 * history.T]
        low, high = ([getattr(i, end) for i in intervals] for end in ("low", "high"))
        colour = COLOURS[name]
        ax.plot(epochs, [i.mean for i in intervals], color=colour, label=name)
        ax.fill_between(epochs, low, np.minimum(high, 100), color=colour, alpha=0.18, linewidth=0)
        for epoch, value in (printed or {}).get(name, {}).items():
            ax.plot(epoch, value, **PRINTED, color=colour)
    ax.set(xlabel="epoch", ylabel="test accuracy, %", xlim=(0, len(epochs) + 1))
    return ax


def curve_bands(
    ax: Axes, histories: Mapping[str, NDArray[np.float64]], printed: Mapping[str, float] | None = None
) -> Axes:
    """One curve of each model against epoch: every run as a thin line, their mean, and the paper's last value.

    Args:
        ax: Where to draw.
        histories: Model, a key of `COLOURS` -> values [seeds, epochs].
        printed: Model -> the value the paper prints for the end of training, drawn as a hollow diamond.

    Returns:
        The same `ax`.
    """
    for name, history in histories.items():
        epochs = np.arange(1, history.shape[1] + 1)
        ax.plot(epochs, history.T, color=COLOURS[name], alpha=0.35, linewidth=0.8)
        ax.plot(epochs, history.mean(axis=0), color=COLOURS[name], label=name)
        if name in (printed or {}):
            ax.plot(epochs[-1], (printed or {})[name], **PRINTED, color=COLOURS[name], clip_on=False)
    ax.set(xlabel="epoch", xticks=epochs if len(epochs) < 13 else epochs[4::5])
    return ax


def single_runs(ax: Axes, values: Mapping[str, NDArray[np.float64]], printed: Mapping[str, float]) -> Axes:
    """Every run as a dot, their mean as a bar, beside the paper's value as a hollow diamond.

    Args:
        ax: Where to draw.
        values: Model -> one value per seed [seeds].
        printed: Model -> the paper's value.

    Returns:
        The same `ax`.
    """
    for position, (name, runs) in enumerate(values.items()):
        offsets = np.linspace(-0.28, 0.04, len(runs))
        ax.plot(position + offsets, np.sort(runs), "o", color=COLOURS[name], alpha=0.7, markersize=4.5)
        ax.hlines(runs.mean(), position - 0.34, position + 0.1, color=COLOURS[name], linewidth=2.2)
        ax.plot(position + 0.28, printed[name], **PRINTED, color=INK)
    ax.set_xticks(range(len(values)), list(values))
    ax.set_xlim(-0.6, len(values) - 0.4)
    ax.grid(visible=False, axis="x")
    return ax


def rate_curves(ax: Axes, values: Mapping[str, Mapping[float, NDArray[np.float64]]], *, usual: float) -> Axes:
    """A result against the learning rate: every run as a dot, a line through the means.

    Args:
        ax: Where to draw.
        values: Model -> learning rate -> one result per seed.
        usual: The rate to mark with a dashed line.

    Returns:
        The same `ax`.
    """
    ax.axvline(usual, color=GREY, linestyle="--", linewidth=1)
    for position, (name, by_rate) in enumerate(values.items()):
        shift = 1.06 ** (position - (len(values) - 1) / 2)  # side by side, so that the dots do not hide each other
        ax.plot([rate * shift for rate in by_rate], [runs.mean() for runs in by_rate.values()], color=COLOURS[name])
        for rate, runs in by_rate.items():
            ax.plot([rate * shift] * len(runs), runs, "o", color=COLOURS[name], markersize=4, alpha=0.6)
        ax.plot([], [], "o-", color=COLOURS[name], label=name)
    ax.set(xscale="log", xlabel="learning rate")
    return ax


def candidates(
    ax: Axes,
    others: Sequence[NDArray[np.float64]],
    chosen: Mapping[str, NDArray[np.float64]],
    printed: Mapping[int, float],
) -> Axes:
    """Single learning curves: many in grey, those of a few series in colour, and the paper's values as diamonds.

    Args:
        ax: Where to draw.
        others: Accuracies [seeds, epochs] as fractions, one array per series.
        chosen: Name of a series -> the same, at most four.
        printed: Epoch -> the paper's accuracy in per cent.

    Returns:
        The same `ax`.
    """
    epochs = np.arange(1, others[0].shape[1] + 1)
    ax.plot(epochs, 100 * np.concatenate(others).T, color=GREY, alpha=0.3, linewidth=0.7)
    for (name, history), colour in zip(chosen.items(), (VERMILLION, GREEN, PURPLE, ORANGE), strict=False):
        for run in 100 * history:
            ax.plot(epochs, run, color=colour, linewidth=1.2)
        ax.plot([], [], color=colour, label=name)
    ax.plot([], [], color=GREY, linewidth=0.7, label="all others")
    ax.plot(list(printed), list(printed.values()), **PRINTED, color=INK, label="paper")
    ax.set(xlabel="epoch", ylabel="test accuracy, %", xlim=(0, len(epochs) + 1))
    return ax


def start_and_reach(
    ax: Axes, margins: Mapping[str, NDArray[np.float64]], epochs: Mapping[str, NDArray[np.float64]]
) -> Axes:
    """When each run began to tell the classes apart, against how far its untrained score could cross zero.

    Args:
        ax: Where to draw.
        margins: Name of a group -> one margin per run [N], negative where the score had one sign only.
        epochs: The same names -> first epoch above a threshold [N].

    Returns:
        The same `ax`.
    """
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1)
    for (name, x), colour, marker in zip(margins.items(), (BLUE, VERMILLION, GREEN, PURPLE), "os^D", strict=False):
        nudge = 0.16 * (np.arange(len(x)) * 0.618034 % 1 - 0.5)  # equal epochs apart, and the same on every run
        ax.plot(x, epochs[name] + nudge, marker, color=colour, alpha=0.75, markersize=6, markeredgewidth=0, label=name)
    ax.set(xlabel="margin of the untrained score", ylim=(0.4, None))
    ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    return ax


def paired_differences(ax: Axes, rows: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Axes:
    """Differences paired by seed, row by row: every seed as a dot, the mean with its 95 % interval, a line at zero.

    Args:
        ax: Where to draw.
        rows: Label of the row -> dataset (see `DATASET_MARKS`) -> one difference per seed.

    Returns:
        The same `ax`, first row on top.
    """
    ax.axvline(0, color=INK, linewidth=1)
    named: set[str] = set()
    for row, groups in enumerate(rows.values()):
        for k, (dataset, values) in enumerate(groups.items()):
            colour, marker = DATASET_MARKS[dataset]
            height = row + 0.26 * (k - (len(groups) - 1) / 2)
            mean = stats.mean_interval(values)
            ax.plot(values, [height + 0.09] * len(values), marker, color=colour, alpha=0.35, markersize=4)
            label = None if dataset in named else dataset
            named.add(dataset)
            ax.errorbar(mean.mean, height, xerr=mean.half_width, fmt=marker, color=colour, markersize=6, label=label)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    return ax
