"""How the models of this paper are shown, and its own figures: entanglement, training, heat maps, noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn import stats
from hqnn.figures.primitives import band, bars, dots, image_grid
from hqnn.figures.theme import BLUE, GREEN, GREY, INK, ORANGE, PRINTED, PURPLE, SKY, VERMILLION, Model, model

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "lcqhnn": Model("LCQHNN", BLUE),
        "cnn-4": Model("CNN-4", VERMILLION),
        "cnn-8": Model("CNN-8", GREEN),
        "cnn-16": Model("CNN-16", PURPLE),
    }
)
"""Each model by the name that the experiments give it."""

DEPTH_COLOURS: Mapping[int, str] = MappingProxyType({1: BLUE, 2: SKY, 4: ORANGE, 8: VERMILLION})
"""Of circuits by their number of blocks; blue is the paper's."""

_PER_CENT: Mapping[str, Any] = MappingProxyType({"within": (0, 100), "marker": "o", "markersize": 4})


def blocks(depth: int) -> str:
    """A number of blocks in words."""
    return f"{depth} block{'s' * (depth > 1)}"


def entanglement_left(ax: Axes, cosines: Mapping[str, Sequence[float]], lengths: Mapping[str, Sequence[float]]) -> Axes:
    """Trained networks as dots: how close their phases are to 0 or π, and how long their Bloch vectors.

    Args:
        ax: Where to draw.
        cosines: Dataset -> mean |cos δ| of each network.
        lengths: Dataset -> mean length of each network's Bloch vectors, in the same order.
    """
    ax.axvline(2 / np.pi, color=GREY, linestyle="--", linewidth=1)
    ax.annotate("evenly spread\nphases", (2 / np.pi, 0.03), (-6, 0), textcoords="offset points", ha="right")
    for (name, values), marker, colour in zip(cosines.items(), "os", (BLUE, ORANGE), strict=True):
        dots(ax, values, lengths[name], colour=colour, marker=marker, alpha=0.75, markersize=7, label=name)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="mean of |cos δ|", ylabel="mean length after RY")
    ax.legend(loc="upper left")
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


def start_and_reach(ax: Axes, runs: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Axes:
    """When each run began to tell the classes apart, against how far its untrained score could cross zero.

    Args:
        ax: Where to draw.
        runs: Name of a group -> margins [N], negative where the score had one sign only, and first epochs above a
            threshold [N], one of each per run.
    """
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1)
    for (name, (x, epochs)), colour, marker in zip(
        runs.items(), (BLUE, VERMILLION, GREEN, PURPLE), "os^D", strict=False
    ):
        nudge = 0.16 * (np.arange(len(x)) * 0.618034 % 1 - 0.5)  # equal epochs apart, and the same on every run
        dots(ax, x, epochs + nudge, colour=colour, marker=marker, alpha=0.75, markersize=6, label=name)
    ax.set(xlabel="margin of the untrained score", ylim=(0.4, None))
    ax.yaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    return ax


def heat_gallery(
    ax: Axes, images: NDArray[np.float32], maps: Mapping[str, NDArray[np.float32]], outlines: NDArray[np.bool_]
) -> Axes:
    """Images side by side and, row by row below them, their heat maps with the objects' outlines.

    Args:
        ax: Where to draw; it loses its frame.
        images: Grey values in [0, 1] [N, H, W].
        maps: Label of the row -> heat of 0 or more [N, H, W]; each map is scaled by its own maximum.
        outlines: Which pixels belong to the object [N, H, W].
    """
    shades = mpl.colormaps["inferno"]
    rows = [mpl.colormaps["gray"](images)[..., :3]]
    for row in maps.values():
        peak = np.maximum(row.max((1, 2), keepdims=True), np.finfo(row.dtype).tiny)
        rows.append(shades(row / peak)[..., :3])
    image_grid(ax, np.stack(rows), rows=["image", *maps], gap=(gap := 2))
    _, height, width = images.shape
    for r, k in np.ndindex(len(maps), len(images)):
        x = np.arange(width) + k * (width + gap)
        y = np.arange(height) + (r + 1) * (height + gap)
        ax.contour(x, y, outlines[k], levels=[0.5], colors=SKY, linewidths=0.7)
    return ax


def snapshot_curves(
    ax: Axes,
    epochs: Sequence[int],
    curves: Mapping[str, NDArray[np.float64]],
    *,
    colours: Mapping[str, str] | None = None,
) -> Axes:
    """A measure at the epochs whose weights were kept: every run as a thin line, their mean with its 95 % interval.

    Args:
        ax: Where to draw.
        epochs: When weights were kept [E]; drawn at equal distances.
        curves: Name -> values [seeds, E].
        colours: Name -> colour; without them the names are those of models.
    """
    positions = np.arange(len(epochs))
    for name, curve in curves.items():
        label, colour = (name, colours[name]) if colours else model(name)
        band(ax, positions, curve, colour=colour, runs=True, marker="o", label=label)
    ax.set_xticks(positions, [str(epoch) for epoch in epochs])
    ax.set(xlabel="epoch", xlim=(-0.2, len(epochs) - 0.8))
    ax.legend(loc="upper right", ncols=len(curves))
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


def noisy_scores(
    ax: Axes, perfect: NDArray[np.float64], noisy: Mapping[int, NDArray[np.float64]], offset: float
) -> Axes:
    """Each image's score on a noisy device against its score on a perfect one.

    Args:
        ax: Where to draw.
        perfect: Scores [N].
        noisy: Number of blocks -> scores [N].
        offset: Of the readout: the score that is left when all signal is gone.
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


def shrink_factors(
    ax: Axes, depths: Sequence[int], kept: Mapping[int, NDArray[np.float64]], cones: Mapping[int, Sequence[float]]
) -> Axes:
    """What noise leaves of expectation values, measured in every seed's circuit, and the light cone's estimate.

    Args:
        ax: Where to draw.
        depths: Numbers of blocks [D].
        kept: Qubit -> factors [seeds, D].
        cones: Qubit -> estimates [D].
    """
    for position, (qubit, factors) in enumerate(kept.items()):
        colour, marker = ((INK, "D"), (GREEN, "o"), (PURPLE, "s"), (GREY, "^"))[position % 4]
        shifted = np.array(depths) * 1.06 ** (position - (len(kept) - 1) / 2)
        ax.plot(depths, cones[qubit], color=colour, linewidth=1.3, linestyle=(3 * position, (3, 3)))
        label = rf"$\langle Z_{qubit}\rangle$"
        dots(ax, np.tile(shifted, len(factors)), factors.ravel(), colour=colour, marker=marker, label=label)
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
    """
    if today is not None:
        ax.axvline(today, color=GREY, linestyle="--", linewidth=1)
    _by_depth(ax, strengths, accuracies, ticks=[s for s in strengths if f"{s:e}"[0] in "13"])
    margin = (strengths[-1] / strengths[0]) ** 0.03  # keeps the outermost dots whole, whichever way the axis runs
    ax.set_xlim(strengths[0] / margin, strengths[-1] * margin)
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
    """
    band(ax, shots, 100 * perfect, colour=INK, linestyle="--", label="perfect device", **_PER_CENT)
    _by_depth(ax, shots, noisy, ticks=[n for n in shots if n.bit_length() % 2])  # powers of four
    ax.set_xlabel("shots per image")
    return ax


def losses_by_depth(ax: Axes, losses: Mapping[str, Mapping[int, stats.Interval]]) -> Axes:
    """Accuracy lost, as groups of bars, one bar per depth, with 95 % intervals.

    Args:
        ax: Where to draw.
        losses: Name of a group -> number of blocks -> percentage points.
    """
    labels = {depth: blocks(depth) for group in losses.values() for depth in group}
    bars(ax, losses, DEPTH_COLOURS, labels).set_ylabel("accuracy lost, points")
    return ax


def _by_depth(
    ax: Axes, x: Sequence[float], accuracies: Mapping[int, NDArray[np.float64]], *, ticks: Sequence[float]
) -> None:
    """One band per number of blocks, fractions [seeds, X] in per cent, against a logarithmic axis."""
    for depth, values in accuracies.items():
        band(ax, x, 100 * values, colour=DEPTH_COLOURS[depth], label=blocks(depth), **_PER_CENT)
    ax.set(xscale="log", ylabel="test accuracy, %")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
