"""Every figure of the book, in one house style.

A plotting function takes arrays and an `ax` and returns the `ax`; it computes, saves and shows nothing. A notebook
shows a finished figure with `show`, which gives it its alternative text and its caption.
"""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hqnn import stats

PIXEL_RATIO = 1.5
"""Stored pixels per displayed pixel, so that a figure is crisp on a dense screen."""

# Hues that readers with any common colour vision tell apart (Okabe and Ito, 2008), and the ink of text and lines.
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, INK = "#E69F00", "#56B4E9", "#1F2933"
GREY = "#7B8794"

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "lcqhnn": BLUE,
        "cnn-4": VERMILLION,
        "cnn-8": GREEN,
        "cnn-16": PURPLE,
    }
)
"""The colour of each model, the same in every figure; blue is the hybrid throughout the book."""

STYLE: Mapping[Any, Any] = MappingProxyType(
    {
        "figure.figsize": (7.2, 4.0),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "savefig.transparent": False,
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 8,
        "axes.labelsize": 10,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.fontsize": 9,
        "legend.frameon": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.edgecolor": GREY,
        "axes.linewidth": 0.8,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E4E7EB",
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.8,
        "lines.markersize": 5,
        "errorbar.capsize": 3,
        "image.cmap": "viridis",
        "axes.prop_cycle": cycler(color=[BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY]),
        "mathtext.fontset": "dejavusans",
    }
)
"""Matplotlib settings of every figure: text of 9 points or more at 100 dpi on opaque white."""


def style() -> None:
    """Apply the house style to every figure made from now on."""
    mpl.rcParams.update(STYLE)


def show(figure: Figure, *, alt: str, caption: str) -> None:
    """Show a finished figure with its alternative text and, below it, its caption; then close it.

    The image output's plain text is the alternative text, and the caption is a second, Markdown, output. A notebook
    shows both in order; the HTML build joins them into one figure. A re-run compares both texts word for word.

    Args:
        figure: The figure.
        alt: Plain text for a reader who cannot see the figure: its kind, its axes and what stands out.
        caption: One or two sentences of Markdown; says whether it shows recorded runs or the page's own quick run.

    Raises:
        ValueError: `alt` or `caption` is empty.
    """
    for name, text in (("alt", alt), ("caption", caption)):
        if not text.strip():
            raise ValueError(f"a figure is shown with its {name} text; got an empty one")
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=PIXEL_RATIO * STYLE["figure.dpi"],
        bbox_inches="tight",
        pad_inches=0.1,
        facecolor="white",
        metadata={"Software": None},
    )
    plt.close(figure)
    png = buffer.getvalue()
    width, height = (round(pixels / PIXEL_RATIO) for pixels in struct.unpack(">2I", png[16:24]))
    image = {"image/png": base64.b64encode(png).decode("ascii"), "text/plain": alt}
    display(image, raw=True, metadata={"image/png": {"width": width, "height": height, "alt": alt}})
    display({"text/markdown": caption, "text/plain": caption}, raw=True)


# --- training ---------------------------------------------------------------------------------------------------------


def learning_curves(ax: Axes, histories: Mapping[str, NDArray[np.float64]], *, labels: bool = True) -> Axes:
    """Accuracy against epoch: the mean of each model's runs and the 95 % interval of that mean.

    Args:
        ax: Where to draw.
        histories: Model -> accuracies [seeds, epochs] as fractions.
        labels: Whether to add a legend.

    Returns:
        The same `ax`.
    """
    for name, history in histories.items():
        epochs = np.arange(1, history.shape[1] + 1)
        intervals = [stats.mean_interval(column) for column in 100 * history.T]
        mean = np.array([i.mean for i in intervals])
        half = np.array([i.half_width for i in intervals])
        colour = COLOURS.get(name)
        (line,) = ax.plot(epochs, mean, color=colour, label=name)
        ax.fill_between(
            epochs, mean - half, np.minimum(mean + half, 100), color=line.get_color(), alpha=0.18, linewidth=0
        )
    ax.set(xlabel="epoch", ylabel="test accuracy, %", xlim=(0, epochs[-1]))
    if labels:
        ax.legend(loc="lower right")
    return ax


def single_runs(ax: Axes, values: Mapping[str, NDArray[np.float64]], printed: Mapping[str, float]) -> Axes:
    """Every run as a dot beside the paper's value.

    Args:
        ax: Where to draw.
        values: Model -> one value per seed [seeds].
        printed: Model -> the paper's value.

    Returns:
        The same `ax`.
    """
    for position, (name, runs) in enumerate(values.items()):
        colour = COLOURS.get(name, INK)
        offsets = np.linspace(-0.16, 0.16, len(runs)) - 0.12
        ax.plot(position + offsets, np.sort(runs), "o", color=colour, alpha=0.7, markersize=4.5, markeredgewidth=0)
        ax.hlines(runs.mean(), position - 0.34, position + 0.1, color=colour, linewidth=2.2)
        ax.plot(position + 0.28, printed[name], "D", markerfacecolor="white", markeredgecolor=INK, markersize=6.5)
    ax.set_xticks(range(len(values)), list(values))
    ax.set_xlim(-0.6, len(values) - 0.4)
    ax.grid(visible=False, axis="x")
    return ax


def rate_curves(ax: Axes, rates: Sequence[float], values: Mapping[str, Sequence[NDArray[np.float64]]]) -> Axes:
    """A final value against the learning rate, mean and 95 % interval, with the paper's rate marked.

    Args:
        ax: Where to draw.
        rates: Learning rates [R].
        values: Model -> one array [seeds] per rate.

    Returns:
        The same `ax`.
    """
    ax.axvline(1e-3, color=GREY, linestyle="--", linewidth=1)
    for position, (name, groups) in enumerate(values.items()):
        intervals = [stats.mean_interval(group) for group in groups]
        # Side by side, so that error bars do not hide each other.
        shifted = np.array(rates) * 1.05 ** (position - (len(values) - 1) / 2)
        means, halves = [i.mean for i in intervals], [i.half_width for i in intervals]
        ax.errorbar(shifted, means, halves, marker="o", color=COLOURS.get(name), label=name)
    ax.set(xscale="log", xlabel="learning rate")
    ax.legend(loc="lower right")
    return ax
