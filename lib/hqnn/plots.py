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
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes
from numpy.typing import NDArray
from qiskit.circuit import Parameter, QuantumCircuit

from hqnn import bloch, stats

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


def render(figure: Figure) -> bytes:
    """Draw a finished figure as a PNG image, in the house style's size and resolution; then close it."""
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
    return buffer.getvalue()


def show(figure: Figure | bytes, *, alt: str, caption: str) -> None:
    """Show a finished figure with its alternative text and, below it, its caption; then close it.

    The image output's plain text is the alternative text, and the caption is a second, Markdown, output. A notebook
    shows both in order; the HTML build joins them into one figure. A re-run compares both texts word for word.

    Args:
        figure: The figure, or the PNG image of one that was drawn where its data are (see `render`).
        alt: Plain text for a reader who cannot see the figure: its kind, its axes and what stands out.
        caption: One or two sentences of Markdown; says whether it shows recorded runs or the page's own quick run.

    Raises:
        ValueError: `alt` or `caption` is empty.
    """
    for name, text in (("alt", alt), ("caption", caption)):
        if not text.strip():
            raise ValueError(f"a figure is shown with its {name} text; got an empty one")
    png = figure if isinstance(figure, bytes) else render(figure)
    width, height = (round(pixels / PIXEL_RATIO) for pixels in struct.unpack(">2I", png[16:24]))
    image = {"image/png": base64.b64encode(png).decode("ascii"), "text/plain": alt}
    display(image, raw=True, metadata={"image/png": {"width": width, "height": height, "alt": alt}})
    display({"text/markdown": caption, "text/plain": caption}, raw=True)


# --- training ---------------------------------------------------------------------------------------------------------

DATASET_MARKS: Mapping[str, tuple[str, str]] = MappingProxyType({"MNIST": (BLUE, "o"), "FashionMNIST": (ORANGE, "s")})
"""Colour and marker of each dataset, where a figure has both in one panel."""

_PRINTED: Mapping[str, Any] = MappingProxyType(
    {"linestyle": "none", "marker": "D", "markerfacecolor": "white", "markersize": 6.5, "zorder": 4}
)
"""A value that the paper prints: a hollow diamond."""


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
            ax.plot(epoch, value, **_PRINTED, color=colour)
    ax.set(xlabel="epoch", ylabel="test accuracy, %", xlim=(0, len(epochs) + 1))
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
        ax.plot(position + 0.28, printed[name], **_PRINTED, color=INK)
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
    ax.plot(list(printed), list(printed.values()), **_PRINTED, color=INK, label="paper")
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


# --- heat maps --------------------------------------------------------------------------------------------------------


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


# --- a circuit and its states

CLASS_COLOURS = (BLUE, VERMILLION)
"""Of the two classes of a dataset."""

CIRCUIT_STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "name": "bw",
        "fontsize": 12,
        "subfontsize": 9,
        "linecolor": GREY,
        "textcolor": INK,
        "gatetextcolor": INK,
        "gatefacecolor": "#FFFFFF",
        "barrierfacecolor": "#E4E7EB",
        "displaycolor": {
            "h": ("#FFFFFF", INK),
            "p": ("#FFE3CC", INK),
            "ry": ("#CCE3F2", INK),
            "cx": (INK, "#FFFFFF"),
        },
        "displaytext": {"p": "$U_1$", "ry": "$R_Y$"},
    }
)
"""How Qiskit draws gates here: data on orange, trained weights on blue, everything fixed on white."""


def circuit_drawing(ax: Axes, circuit: QuantumCircuit, *, fold: int = -1) -> Axes:
    """A circuit as gates on lines, time to the right; labelled barriers name the states between them.

    Args:
        ax: Where to draw.
        circuit: Gates and barriers.
        fold: Layers after which the drawing goes on below; -1 for never.

    Returns:
        The same `ax`.
    """
    subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉", "[]")
    names = {p: Parameter(p.name.translate(subscripts)) for p in circuit.parameters if "[" in p.name}
    circuit.assign_parameters(names).draw("mpl", ax=ax, style=dict(CIRCUIT_STYLE), fold=fold)
    sizes = sorted({float(text.get_fontsize()) for text in ax.texts})  # Qiskit shrinks them with the figure
    legible = dict(zip(sizes, (9.5, 10.5, 12.5), strict=False))  # angles, names of gates, names of qubits
    for text in ax.texts:
        text.set_fontsize(legible[float(text.get_fontsize())])
        label = text.get_text().replace("*", "")
        text.set_text(label.translate(subscripts) if label.startswith("ψ") else label)
    return ax


def amplitudes(ax: Axes, state: NDArray[np.complex128]) -> Axes:
    """The amplitudes of a state: length of a bar is the modulus, its colour the phase (see `phase_scale`).

    Args:
        ax: Where to draw.
        state: Amplitudes [2**n], bit q of the index being qubit q.

    Returns:
        The same `ax`.
    """
    n_qubits = len(state).bit_length() - 1
    colours = mpl.colormaps["twilight_shifted"](np.angle(state) / (2 * np.pi) + 0.5)
    ax.bar(np.arange(len(state)), np.abs(state), color=colours, edgecolor=INK, linewidth=0.5, width=0.85)
    ax.set_xticks(range(len(state)), [f"{index:0{n_qubits}b}" for index in range(len(state))], rotation=90)
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=False, axis="x")
    ax.set_xlim(-0.7, len(state) - 0.3)
    return ax


def phase_scale(figure: Figure, axes: Any) -> Colorbar:
    """The colours of phases, as a bar beside some axes.

    Args:
        figure: The figure that the axes are on.
        axes: One or several axes.

    Returns:
        The bar.
    """
    scale = mpl.cm.ScalarMappable(mpl.colors.Normalize(-np.pi, np.pi), "twilight_shifted")
    bar = figure.colorbar(scale, ax=axes, ticks=[-np.pi, -np.pi / 2, 0, np.pi / 2, np.pi], aspect=30, pad=0.015)
    bar.ax.set_yticklabels(["−π", "−π/2", "0", "π/2", "π"])
    bar.set_label("phase")
    bar.outline.set_visible(False)
    return bar


def bloch_sphere(ax: Axes, vectors: NDArray[np.float64], groups: NDArray[np.int64] | None = None) -> Axes:
    """The Bloch vectors of one qubit as points in its sphere, drawn by QuTiP.

    Args:
        ax: Three-dimensional axes.
        vectors: [N, 3].
        groups: Class of each point [N]; None for one colour.

    Returns:
        The same `ax`.
    """
    sphere = bloch.to_qutip(vectors, groups, colours=CLASS_COLOURS, size=14, alpha=0.5, ax=ax)
    sphere.view = [-50, 22]
    sphere.xlabel, sphere.ylabel, sphere.zlabel = ["$x$", ""], ["$y$", ""], [r"$|0\rangle$", r"$|1\rangle$"]
    sphere.render()
    return ax


def bloch_grid(
    axes: NDArray[Any], rows: Mapping[str, NDArray[np.float64]], groups: NDArray[np.int64] | None = None
) -> NDArray[Any]:
    """One Bloch sphere per qubit in each row.

    Args:
        axes: Three-dimensional panels [rows, qubits].
        rows: Name of the row -> Bloch vectors [N, qubits, 3].
        groups: Class of each point [N]; None for one colour.

    Returns:
        The same `axes`.
    """
    for panels, vectors in zip(axes, rows.values(), strict=True):
        for qubit, ax in enumerate(panels):
            bloch_sphere(ax, vectors[:, qubit], groups)
    return _label_qubits(axes, list(rows))


def phase_grid(axes: NDArray[Any], rows: Mapping[str, tuple[NDArray[np.float64], NDArray[np.int64]]]) -> NDArray[Any]:
    """One circle of phases per qubit in each row (see `phase_circle`).

    Args:
        axes: Polar panels [rows, qubits].
        rows: Name of the row -> phases [N, qubits], radians, and classes [N].

    Returns:
        The same `axes`.
    """
    for panels, (phases, groups) in zip(axes, rows.values(), strict=True):
        for qubit, ax in enumerate(panels):
            phase_circle(ax, phases[:, qubit], groups)
    return _label_qubits(axes, list(rows), gap=0.3)


def _label_qubits(axes: NDArray[Any], rows: Sequence[str], *, gap: float = 0.16) -> NDArray[Any]:
    """Number the columns of a grid by qubit, and name its rows."""
    for qubit, ax in enumerate(axes[0]):
        ax.set_title(f"qubit {qubit}", loc="center")
    text = {"rotation": 90, "ha": "center", "va": "center", "fontsize": 10.5, "fontweight": "bold"}
    for ax, name in zip(axes[:, 0], rows, strict=True):
        ax.annotate(name, (-gap, 0.5), xycoords="axes fraction", **text)
    return axes


def phase_circle(ax: PolarAxes, phases: NDArray[np.float64], groups: NDArray[np.int64]) -> Axes:
    """Angles as dots on two rings, class 0 inside class 1, with the mean of the unit vectors as an arrow.

    The outer circle has radius 1, so that the arrow's length is the resultant length.

    Args:
        ax: Polar axes.
        phases: Radians [N].
        groups: Class 0 or 1 of each [N].

    Returns:
        The same `ax`.
    """
    jitter = 0.14 * (np.arange(len(phases)) * 0.618034 % 1 - 0.5)  # evenly spread, and the same on every run
    for group, (radius, colour) in enumerate(zip((0.74, 0.91), CLASS_COLOURS, strict=True)):
        chosen = groups == group
        ax.scatter(phases[chosen], radius + jitter[chosen], s=9, color=colour, alpha=0.45, linewidths=0)
    mean = np.exp(1j * phases).mean()
    arrow = {"arrowstyle": "-|>,head_width=0.25,head_length=0.5", "color": INK, "linewidth": 1.6}
    tip = (float(np.angle(mean)), abs(mean))
    ax.annotate("", xy=tip, xytext=(0, 0), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
    ax.set_rlim(0, 1)
    ax.set_yticks([])
    ax.set_xticks([0, np.pi / 2, np.pi, 3 * np.pi / 2], ["0", "π/2", "π", "3π/2"])
    ax.tick_params(axis="x", pad=-2)
    ax.spines["polar"].set_color(GREY)
    return ax


def entanglement_left(ax: Axes, cosines: Mapping[str, Sequence[float]], lengths: Mapping[str, Sequence[float]]) -> Axes:
    """Trained networks as dots: how close their phases are to 0 or π, and how long their Bloch vectors.

    Args:
        ax: Where to draw.
        cosines: Dataset -> mean |cos δ| of each network.
        lengths: Dataset -> mean length of each network's Bloch vectors, in the same order.

    Returns:
        The same `ax`.
    """
    ax.axvline(2 / np.pi, color=GREY, linestyle="--", linewidth=1)
    ax.annotate("evenly spread\nphases", (2 / np.pi, 0.03), (-6, 0), textcoords="offset points", ha="right", color=INK)
    for (name, values), marker, colour in zip(cosines.items(), "os", (BLUE, ORANGE), strict=True):
        ax.plot(values, lengths[name], marker, color=colour, alpha=0.75, markersize=7, markeredgewidth=0, label=name)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="mean of |cos δ|", ylabel="mean length after RY")
    ax.legend(loc="upper left")
    return ax


def spectrum(ax: Axes, frequencies: NDArray[np.float64], strengths: NDArray[np.float64], labels: Sequence[str]) -> Axes:
    """How strong each frequency is in each output, as discs in a table; below, the sign of each feature in it.

    Args:
        ax: Where to draw.
        frequencies: One row per column of the table [F, n_inputs]; only their signs are shown.
        strengths: Moduli of the coefficients [F, outputs]; a disc's area is proportional to it.
        labels: Names of the outputs.

    Returns:
        The same `ax`.
    """
    n_outputs, n_inputs = len(labels), frequencies.shape[1]
    order = np.argsort(strengths.argmax(axis=1), kind="stable")  # output by output
    columns, rows = np.nonzero(strengths[order] > 1e-12)
    areas = 480 * strengths[order][columns, rows]
    ax.hlines(range(n_outputs), -0.5, len(frequencies) - 0.5, color="#E4E7EB", linewidth=0.8)
    ax.scatter(columns, rows, s=areas, color=BLUE, linewidths=0, zorder=2)
    heights = [n_outputs + 0.2 + 0.6 * feature for feature in range(n_inputs)]
    for (column, feature), sign in np.ndenumerate(np.sign(frequencies[order])):
        text, colour = {1: ("+", INK), -1: ("−", VERMILLION), 0: ("·", GREY)}[int(sign)]
        ax.text(column, heights[feature], text, color=colour, ha="center", va="center", fontsize=13)
    ax.axhline(n_outputs - 0.4, color=GREY, linewidth=0.8)
    ax.set_yticks([*range(n_outputs), *heights], [*labels, *(f"$x_{feature}$" for feature in range(n_inputs))])
    ax.set(xlim=(-0.7, len(frequencies) - 0.3), ylim=(heights[-1] + 0.5, -0.6), xticks=[])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


# --- noise ------------------------------------------------------------------------------------------------------------

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
