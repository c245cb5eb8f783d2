"""Figures of circuits under noise and shots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn import stats
from hqnn.figures.theme import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, SKY, VERMILLION

DEPTH_COLOURS: Mapping[int, str] = MappingProxyType({1: BLUE, 2: SKY, 4: ORANGE, 8: VERMILLION})
"""Of circuits by their number of blocks; blue is the paper's."""


def noisy_scores(
    ax: Axes, perfect: NDArray[np.float64], noisy: Mapping[int, NDArray[np.float64]], offset: float
) -> Axes:
    """Each image's score on a noisy device against its score on a perfect one.

    Args:
        ax: Where to draw.
        perfect: Scores [N].
        noisy: Number of blocks -> scores [N].
        offset: Of the readout: the score that is left when all signal is gone.

    Returns:
        The same `ax`.
    """
    ends = np.array([perfect.min(), perfect.max()])
    for value in (ax.axhline, ax.axvline):
        value(0, color=INK, linewidth=0.8)
    ax.axhline(offset, color=GREY, linestyle="--", linewidth=1)
    ax.plot(ends, ends, color=GREY, linewidth=1, label="no noise")
    for depth, scores in noisy.items():
        ax.plot(perfect, scores, ".", color=DEPTH_COLOURS[depth], markersize=3.5, label=blocks(depth))
    ax.set(xlabel="score without noise", ylabel="score with noise")
    ax.legend(loc="upper left", handlelength=1.2)
    return ax


def blocks(depth: int) -> str:
    """A number of blocks in words."""
    return f"{depth} block{'s' * (depth > 1)}"


def shrink_factors(
    ax: Axes, depths: Sequence[int], kept: Mapping[int, NDArray[np.float64]], cones: Mapping[int, Sequence[float]]
) -> Axes:
    """What noise leaves of expectation values, measured in every seed's circuit, and the light cone's estimate.

    Args:
        ax: Where to draw.
        depths: Numbers of blocks [D].
        kept: Qubit -> factors [seeds, D].
        cones: Qubit -> estimates [D].

    Returns:
        The same `ax`.
    """
    for position, (qubit, factors) in enumerate(kept.items()):
        colour, marker = ((INK, "D"), (GREEN, "o"), (PURPLE, "s"), (GREY, "^"))[position % 4]
        shifted = np.array(depths) * 1.06 ** (position - (len(kept) - 1) / 2)
        ax.plot(depths, cones[qubit], color=colour, linewidth=1.3, linestyle=(3 * position, (3, 3)))
        points = ax.plot(shifted, factors.T, marker, color=colour, markersize=4.5, alpha=0.7, markeredgewidth=0)
        points[0].set_label(rf"$\langle Z_{qubit}\rangle$")
    ax.plot([], [], color=INK, linewidth=1.3, linestyle=(0, (3, 3)), label="light cone")
    ax.set(xscale="log", yscale="log", xlabel="blocks", ylabel="share of the signal left")
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.set_yticks([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0], ["0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"])
    ax.minorticks_off()
    ax.legend(loc="lower left")
    return ax


def accuracy_under_noise(
    ax: Axes,
    strengths: Sequence[float],
    accuracies: Mapping[int, NDArray[np.float64]],
    *,
    today: float | None = None,
) -> Axes:
    """Accuracy against the strength of a noise: mean over seeds with its 95 % interval, one line per depth.

    Args:
        ax: Where to draw.
        strengths: [S], in the order in which noise grows.
        accuracies: Number of blocks -> fractions [seeds, S].
        today: A strength to mark as typical of present hardware.

    Returns:
        The same `ax`.
    """
    if today is not None:
        ax.axvline(today, color=GREY, linestyle="--", linewidth=1)
    for depth, values in accuracies.items():
        _band(ax, strengths, values, color=DEPTH_COLOURS[depth], label=blocks(depth))
    margin = (strengths[-1] / strengths[0]) ** 0.03  # keeps the outermost dots whole, whichever way the axis runs
    ax.set(xscale="log", ylabel="test accuracy, %", xlim=(strengths[0] / margin, strengths[-1] * margin))
    ticks = [s for s in strengths if f"{s:e}"[0] in "13"]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    return ax


def accuracy_sweeps(
    axes: NDArray[Any],
    accuracies: Mapping[str, Mapping[str, Mapping[int, NDArray[np.float64]]]],
    strengths: Mapping[str, Sequence[float]],
    *,
    labels: Mapping[str, str],
    today: Mapping[str, float],
) -> NDArray[Any]:
    """`accuracy_under_noise` from chance to certainty, a row of panels for each dataset, a column for each noise.

    Args:
        axes: Where to draw [datasets, kinds].
        accuracies: Dataset -> kind of noise -> number of blocks -> fractions [seeds, S].
        strengths: Kind -> [S], in the order in which noise grows.
        labels: Kind -> what its strength is called.
        today: Kind -> the strength typical of present hardware.

    Returns:
        The same `axes`.
    """
    for row, (dataset, by_kind) in zip(axes, accuracies.items(), strict=True):
        for ax, (kind, found) in zip(row, by_kind.items(), strict=True):
            accuracy_under_noise(ax, strengths[kind], found, today=today[kind])
            ax.set(title=f"{dataset}, {kind}", xlabel=labels[kind], ylim=(40, 102))
            ax.label_outer()
    axes[0, 0].legend(loc="lower left")
    return axes


def accuracy_with_shots(
    ax: Axes, shots: Sequence[int], perfect: NDArray[np.float64], noisy: Mapping[int, NDArray[np.float64]]
) -> Axes:
    """Accuracy against the number of shots, mean over seeds with its 95 % interval.

    Args:
        ax: Where to draw.
        shots: [S].
        perfect: Fractions [seeds, S] on a perfect device.
        noisy: Number of blocks -> fractions [seeds, S] on a noisy one.

    Returns:
        The same `ax`.
    """
    _band(ax, shots, perfect, color=INK, label="perfect device", linestyle="--")
    for depth, values in noisy.items():
        _band(ax, shots, values, color=DEPTH_COLOURS[depth], label=blocks(depth))
    ax.set(xscale="log", xlabel="shots per image", ylabel="test accuracy, %")
    ticks = [n for n in shots if n.bit_length() % 2]  # powers of four
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    return ax


def losses_by_depth(ax: Axes, losses: Mapping[str, Mapping[int, stats.Interval]]) -> Axes:
    """Accuracy lost, as groups of bars, one bar per depth, with 95 % intervals.

    Args:
        ax: Where to draw.
        losses: Name of a group -> number of blocks -> percentage points.

    Returns:
        The same `ax`.
    """
    ax.axhline(0, color=GREY, linewidth=0.8)
    for position, group in enumerate(losses.values()):
        width = 0.8 / len(group)
        for k, (depth, loss) in enumerate(group.items()):
            ax.bar(
                position + (k - (len(group) - 1) / 2) * width,
                loss.mean,
                0.9 * width,
                yerr=loss.half_width,
                color=DEPTH_COLOURS[depth],
                error_kw={"ecolor": INK, "elinewidth": 1},
                label=blocks(depth) if position == 0 else None,
            )
    ax.set_xticks(range(len(losses)), list(losses))
    ax.set_ylabel("accuracy lost, points")
    ax.grid(visible=False, axis="x")
    return ax


def _band(ax: Axes, x: Sequence[float], values: NDArray[np.float64], **line: Any) -> None:
    """Mean of fractions [seeds, X] in per cent as a line, its 95 % interval as a band."""
    intervals = [stats.mean_interval(column) for column in 100 * values.T]
    low, high = ([getattr(i, end) for i in intervals] for end in ("low", "high"))
    ax.plot(x, [i.mean for i in intervals], marker="o", markersize=4, **line)
    ax.fill_between(x, np.clip(low, 0, 100), np.clip(high, 0, 100), color=line["color"], alpha=0.18, linewidth=0)
