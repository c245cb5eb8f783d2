"""How the models of this paper are shown, and its own figures: what is left of an image, and of a state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray
from torch import nn

from hqnn.figures.pipeline import Stage, n_trained, shape_of
from hqnn.figures.primitives import image_grid, whiskers
from hqnn.figures.theme import BLUE, GREEN, GREY, INK, ORANGE, VERMILLION, Model, model
from hqnn.papers.transfer.experiments import TransferConfig
from hqnn.papers.transfer.features import EMBEDDINGS
from hqnn.papers.transfer.model import N_PIXELS, Autoencoder
from hqnn.papers.transfer.tasks import TASKS, described

MODELS: Mapping[str, Model] = {
    "training": Model("training", BLUE),
    "test": Model("test", VERMILLION),
    "classical": Model("classical", VERMILLION),
    "string": Model("bit string", ORANGE),
    "marginals": Model("marginals", GREEN),
    "probabilities": Model("probabilities", BLUE),
}
"""The splits of the data and what is kept of a measurement, by the names that the experiments give them."""


def stages(config: TransferConfig) -> list[Stage]:
    """A hybrid of the paper from image to scores, as it is built."""
    encoder, side = Autoencoder(config.encoder).encoder, math.isqrt(N_PIXELS)
    images = torch.rand(8, 1, side, side)
    with torch.no_grad():
        latents = encoder(images.flatten(1))
        inputs, measured = (
            described(replace(config, inputs=kind), {"train": latents}, seed=0)["train"].float()
            for kind in ("encoded", "measured")
        )
        *layers, last, activation = TASKS[TransferConfig].build(config).eval().children()
        first, last = nn.Sequential(*layers), nn.Sequential(last, activation)
        hidden = first(measured)
        scores = last(hidden)
    embedding = EMBEDDINGS[config.reading]
    circuit, many = embedding.circuit(entangle=config.entangle), embedding.n_circuits
    return [
        Stage("image", shape_of(images), "pixels"),
        Stage("network", shape_of(latents), "latents", "frozen encoder", n_trained(encoder)),
        Stage("angles", shape_of(inputs), by=f"{embedding.words}, scaled"),
        Stage("circuits" if many > 1 else "circuit", shape_of(measured), config.outcome, "", 0, circuit, many),
        Stage("network", shape_of(hidden), "values", "dense layers", n_trained(first)),
        Stage("scores", shape_of(scores), by="dense layer", n_trained=n_trained(last)),
    ]


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
