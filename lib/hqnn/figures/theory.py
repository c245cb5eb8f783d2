"""Figures of the quantum layer's theory: ZX-diagrams and Fourier coefficients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from numpy.typing import NDArray

from hqnn.figures.theme import BLUE, GREEN, GREY, INK, VERMILLION
from hqnn.views.zx import Drawing

_FILL = {"Z": "#D5F0E6", "X": VERMILLION}
_EDGE = {"Z": GREEN, "X": "#8A3D00"}
_PLAIN: Mapping[str, Any] = MappingProxyType({"color": INK, "linewidth": 1.0})
_HADAMARD: Mapping[str, Any] = MappingProxyType({"color": BLUE, "linestyle": (0, (3, 1.5)), "linewidth": 0.8})
_NAME: Mapping[str, Any] = MappingProxyType(
    {
        "textcoords": "offset points",
        "ha": "center",
        "va": "bottom",
        "fontsize": 7.5,
        "bbox": {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    }
)


def zx_diagram(ax: Axes, drawing: Drawing, *, names: Sequence[str] = ()) -> Axes:
    """A ZX-diagram: Z spiders light green, X spiders dark red, Hadamard edges dashed.

    Args:
        ax: Where to draw.
        drawing: The nodes and edges.
        names: Parameters to print at the nodes that hold them, as `θ[3]`; multiples of π/2 are left out.

    Returns:
        The same `ax`, without frame, qubit 0 on top.
    """
    x, y = drawing.positions.T
    for (s, t), hadamard in zip(drawing.edges, drawing.hadamard, strict=True):
        style = _HADAMARD if hadamard else _PLAIN
        bend = 0.18 if x[s] == x[t] and abs(y[s] - y[t]) > 1.2 else 0.0  # past the nodes in between
        along = np.linspace(0, 1, 13)
        path_x = x[s] + along * (x[t] - x[s]) + 4 * bend * along * (1 - along)
        ax.plot(path_x, y[s] + along * (y[t] - y[s]), zorder=1, **style)
    for k, kind in enumerate(drawing.kinds):
        if kind == "wire":
            ax.plot(x[k], y[k], "o", color=INK, markersize=2.5, zorder=2)
            continue
        held = [name for name in names if name in drawing.labels[k]]
        size = 7.0 if drawing.labels[k] and held else 3.8
        ax.plot(x[k], y[k], "o", markersize=size, color=_FILL[kind], markeredgecolor=_EDGE[kind], zorder=3)
        if held:
            text = "+".join(name.replace("[", "").replace("]", "") for name in held)
            ax.annotate(text, (x[k], y[k]), (0, 5.5), **_NAME)
    ax.set(xlim=(x.min() - 0.7, x.max() + 0.7), ylim=(y.max() + 0.5, y.min() - 0.7))
    ax.axis("off")
    return ax


def coefficient_violins(ax: Axes, coefficients: NDArray[np.complex128]) -> Axes:
    """The spread of Fourier coefficients of two inputs, real parts to the left and imaginary parts to the right.

    Args:
        ax: Where to draw.
        coefficients: [S, 2d + 1, 2d + 1], frequencies from -d to d.

    Returns:
        The same `ax`.
    """
    degree = coefficients.shape[1] // 2
    flat = coefficients.reshape(len(coefficients), -1)
    at = np.arange(flat.shape[1])
    halves: tuple[tuple[NDArray[np.float64], Literal["low", "high"], str, str], ...] = (
        (flat.real, "low", BLUE, "real part"),
        (flat.imag, "high", VERMILLION, "imaginary part"),
    )
    for part, side, colour, name in halves:
        moving = np.ptp(part, axis=0) > 1e-12
        if moving.any():
            violins = ax.violinplot(part[:, moving], at[moving], widths=0.85, side=side, showextrema=False)
            for body in cast(Sequence[Collection], violins["bodies"]):
                body.set(facecolor=colour, alpha=0.75, edgecolor="none")
        for k in at[~moving]:
            ax.plot([k, k + (-0.4 if side == "low" else 0.4)], [part[0, k]] * 2, color=colour, linewidth=2)
        ax.plot([], [], color=colour, linewidth=6, alpha=0.75, label=name)
    axis = range(-degree, degree + 1)
    labels = [f"({a}, {b})".replace("-", "\N{MINUS SIGN}") for a in axis for b in axis]
    ax.set_xticks(at, labels)
    ax.set(xlabel="frequencies of the first two inputs", ylabel="coefficient")
    ax.grid(visible=False, axis="x")
    return ax


def eigenvalue_curves(ax: Axes, spectra: Mapping[str, NDArray[np.float64]]) -> Axes:
    """Eigenvalues of covariance matrices, largest first, each as a part of the total.

    Args:
        ax: Where to draw.
        spectra: Name -> eigenvalues.

    Returns:
        The same `ax`, logarithmic.
    """
    for (name, values), colour in zip(spectra.items(), (BLUE, VERMILLION, GREEN, GREY), strict=False):
        part = values / values.sum()
        ax.plot(np.arange(1, len(part) + 1), np.maximum(part, 1e-6), color=colour, label=name)
    ax.set(xlabel="direction", ylabel="part of the variance", yscale="log")
    return ax
