"""A model as a picture: what an image becomes on its way to class scores, with the shapes of the model itself."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle
from torch import Tensor, nn

from hqnn.circuit import Circuit
from hqnn.figures.quantum import DATA, TRAINED
from hqnn.figures.theme import BLUE, GREY, INK, ORANGE, SMALL, TEXT, TITLE


@dataclass(frozen=True)
class Stage:
    """One step of a model, and what leaves it."""

    name: str
    shape: tuple[int, ...]
    """Of what leaves it, for one image."""
    of: str = ""
    """What these numbers are, where the name does not say it."""
    by: str = ""
    """What makes them, where it is no circuit."""
    n_trained: int = 0
    """Trained numbers in what makes them."""
    circuit: Circuit | None = None
    copies: int = 1
    """Circuits side by side."""

    @property
    def leaves(self) -> str:
        """What leaves it, in words."""
        return f"{' × '.join(f'{n:,}' for n in self.shape)} {self.of}".rstrip()

    @property
    def holds(self) -> str:
        """What makes it, in words; empty for an image."""
        if self.circuit is None:
            return ", ".join(filter(None, (self.by, f"{self.n_trained:,} trained weights" if self.n_trained else "")))
        qubits = f"{self.circuit.n_qubits} qubits"
        many = f"{self.copies} circuits of {qubits}" if self.copies > 1 else f"one circuit of {qubits}"
        return f"{many}, {f'{self.n_trained:,} trained angles' if self.n_trained else 'nothing trained'}"


def shape_of(values: Tensor) -> tuple[int, ...]:
    """The shape of one of [B, …] values."""
    return tuple(values.shape[1:])


def n_trained(*parts: nn.Module) -> int:
    """How many numbers of some modules are trained."""
    return sum(p.numel() for part in parts for p in part.parameters() if p.requires_grad)


def described(stages: Sequence[Stage]) -> str:
    """A pipeline in words, for readers who cannot see it."""
    steps = (f"{one.name}, {one.leaves}{f' ({one.holds})' if one.holds else ''}" for one in stages)
    return f"A column of small pictures joined by arrows, from top to bottom: {'; '.join(steps)}."


_WIDTH, _ROW, _CENTRE, _HALF, _TEXT = 4.0, 0.72, 0.5, 0.25, 1.05
"""Inches: of the figure, of a row, to the middle of a picture, half of a picture, to the text."""


def pipeline(stages: Sequence[Stage]) -> Figure:
    """A model from image to scores, one row per stage: a picture, what leaves it and what it holds.

    Orange is what takes data, blue what is trained. The figure is narrow, so that its text is legible on a telephone.
    """
    height = _ROW * len(stages)
    figure = plt.figure(figsize=(_WIDTH, height), layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, _WIDTH), ylim=(height, 0))
    ax.axis("off")
    rows = [_ROW * (k + 0.5) for k in range(len(stages))]
    for stage, following, y in zip(stages, [*stages[1:], None], rows, strict=True):
        if stage.circuit is not None:
            _wires(ax, y, stage)
        elif following is None:
            _bars(ax, y, stage.shape[-1])
        elif following.circuit is not None:
            _cells(ax, y, stage.shape[-1])
        elif len(stage.shape) == 3:
            _maps(ax, y, stage.shape[0])
        else:
            _funnel(ax, y)
        line = y - 0.03 if stage.holds else y + 0.08
        name = ax.text(_TEXT, line, stage.name, fontsize=TITLE, fontweight="bold", va="bottom")
        apart: dict[str, Any] = {"textcoords": "offset points", "va": "bottom", "fontsize": TEXT}
        ax.annotate(stage.leaves, (1, 0), (7, 0), xycoords=name, **apart)
        ax.text(_TEXT, y + 0.03, textwrap.fill(stage.holds, 48), fontsize=SMALL, color="#52606D", va="top")
    for above, below in pairwise(rows):
        ends = (_CENTRE, below - _HALF - 0.02), (_CENTRE, above + _HALF + 0.02)
        ax.annotate("", *ends, arrowprops={"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0})
    return figure


def _box(ax: Axes, x: float, y: float, width: float, height: float, fill: str = "white", edge: str = INK) -> None:
    ax.add_patch(Rectangle((x, y), width, height, facecolor=fill, edgecolor=edge, linewidth=0.9))


def _maps(ax: Axes, y: float, n: int, lines: int = 4) -> None:
    """Images or feature maps, at most three, one behind the other."""
    shift, side = 0.06, 0.4
    left, top = _CENTRE - side / 2, y - side / 2
    for k in reversed(range(min(n, 3))):
        _box(ax, left + k * shift, top - k * shift, side, side)
    for k in range(1, lines):
        at = side * k / lines
        ax.plot([left, left + side], [top + at] * 2, color=GREY, linewidth=0.5)
        ax.plot([left + at] * 2, [top, top + side], color=GREY, linewidth=0.5)


def _funnel(ax: Axes, y: float) -> None:
    """Layers that make fewer numbers of many."""
    corners = [(-0.38, -_HALF), (0.38, -_HALF), (0.16, _HALF), (-0.16, _HALF)]
    ax.add_patch(Polygon([(_CENTRE + x, y + dy) for x, dy in corners], facecolor=TRAINED, edgecolor=BLUE))


def _cells(ax: Axes, y: float, n: int, most: int = 5) -> None:
    """Numbers in a row, with dots where there are more."""
    side, shown = 0.13, min(n, most)
    left = _CENTRE - side * shown / 2
    for k in range(shown):
        _box(ax, left + k * side, y - side / 2, side, side, DATA, ORANGE)
    if n > shown:
        ax.text(left + shown * side + 0.04, y, "…", fontsize=SMALL, va="center")


def _wires(ax: Axes, y: float, stage: Stage) -> None:
    """Qubits as lines, the gates that take data, the others, and what is measured."""
    assert stage.circuit is not None
    n, shift = stage.circuit.n_qubits, 0.03
    for k in reversed(range(min(stage.copies, 3) if stage.copies > 1 else 0)):
        _box(ax, _CENTRE - 0.4 + k * shift, y - 0.21 - k * shift, 0.8, 0.44, edge=GREY)
    heights = [y - 0.17 + 0.36 * (k + 0.5) / n for k in range(n)]
    for at in heights:
        ax.plot([_CENTRE - 0.36, _CENTRE + 0.32], [at] * 2, color=GREY, linewidth=0.8, zorder=1)
        ax.add_patch(Circle((_CENTRE + 0.32, at), 0.022, facecolor="white", edgecolor=INK, linewidth=0.8, zorder=3))
    parts = ((DATA, ORANGE), (TRAINED, BLUE) if stage.n_trained else ("white", INK))
    for left, (fill, edge) in zip((-0.28, 0.0), parts, strict=True):
        _box(ax, _CENTRE + left, y - 0.17, 0.2, 0.36, fill, edge)


def _bars(ax: Axes, y: float, n: int) -> None:
    """Scores, one of them the highest."""
    width = 0.6 / n
    for k in range(n):
        tall = k == n // 2
        height = 0.42 if tall else 0.1 + 0.05 * (k % 3)
        left = _CENTRE - 0.3 + k * width
        _box(ax, left + 0.1 * width, y + 0.21 - height, 0.8 * width, height, BLUE if tall else TRAINED, BLUE)
