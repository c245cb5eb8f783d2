"""How the models of this paper are shown, and its own figures: what is left of an image, and of a state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn.figures.primitives import image_grid, whiskers
from hqnn.figures.theme import BLUE, GREEN, GREY, INK, ORANGE, VERMILLION, Model, model

MODELS: Mapping[str, Model] = {
    "training": Model("training", BLUE),
    "test": Model("test", VERMILLION),
    "classical": Model("classical", VERMILLION),
    "string": Model("bit string", ORANGE),
    "marginals": Model("marginals", GREEN),
    "probabilities": Model("probabilities", BLUE),
}
"""The splits of the data and what is kept of a measurement, by the names that the experiments give them."""


def image_rows(ax: Axes, rows: Mapping[str, NDArray[np.float64]]) -> Axes:
    """Grey images [N, H, W] in [0, 1] side by side, one labelled row below the other."""
    return image_grid(ax, 1 - np.stack(list(rows.values())).clip(0, 1), rows=list(rows), gap=4)


def compression(ax: Axes, components: Mapping[int, float], levels: Mapping[str, float]) -> Axes:
    """Mean squared error per pixel by number of principal components, other errors as labelled horizontal lines."""
    ax.plot(list(components), list(components.values()), "o-", color=BLUE, markersize=4, label="principal components")
    for (label, value), colour in zip(levels.items(), (VERMILLION, INK, GREY), strict=False):
        ax.axhline(value, color=colour, linestyle="--", linewidth=1.2, label=label)
    ax.set(xlabel="numbers kept of each image", ylabel="mean squared error per pixel", ylim=(0, None))
    ax.legend()
    return ax


def accuracy_by_shots(ax: Axes, series: Mapping[str, Mapping[float, NDArray[np.float64]]]) -> Axes:
    """Accuracies, per cent, against the number of shots: means with 95 % intervals, one line for each outcome.

    Args:
        ax: Where to draw.
        series: Outcome (a key of `MODELS`) -> shots, infinity for exact -> accuracies, one per run.
    """
    places: dict[float, int] = {}
    for name, by_shots in series.items():
        for shots in by_shots:
            places.setdefault(shots, len(places))
        label, colour = model(name)
        at = [places[shots] for shots in by_shots]
        whiskers(ax, at, list(by_shots.values()), colour=colour, fmt="o-", markersize=4, label=label)
    ax.set_xticks(list(places.values()), ["exact" if np.isinf(shots) else f"{shots:g}" for shots in places])
    ax.set(xlabel="shots", ylabel="test accuracy, %")
    return ax
