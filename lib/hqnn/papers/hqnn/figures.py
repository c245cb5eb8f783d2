"""How the models of this paper are shown, and its own figures: images of its datasets, and its appendix."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from hqnn import records
from hqnn.figures.models import curve_bands
from hqnn.figures.pipeline import Stage, n_trained, shape_of
from hqnn.figures.primitives import image_grid, violins
from hqnn.figures.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, SMALL, VERMILLION, Model
from hqnn.papers.hqnn import parallel, quanv
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.hqnn.quanv_experiments import QuanvConfig

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd

MODELS: Mapping[str, Model] = {
    "hqnn": Model("HQNN-Parallel", BLUE),
    "cnn": Model("the paper's CNN", VERMILLION),
    "blocks": Model("the fair rival (classical blocks)", GREEN),
    "identity": Model("nothing in the circuits' place", ORANGE),
    "quanv": Model("HQNN-Quanv", BLUE),
    "cnn4": Model("CNN4", VERMILLION),
    "cnn1": Model("CNN1", GREEN),
    "no-cnots": Model("no CNOTs", SKY),
    "frozen": Model("frozen angles", PURPLE),
    "pixels": Model("no kernel", ORANGE),
    "cosines": Model("cosines, own phases", SKY),
    "series": Model("all waves, free coefficients", PURPLE),
}
"""Each model by the name that the experiments give it."""


def parallel_stages(config: ParallelConfig) -> list[Stage]:
    """HQNN-Parallel with a config from image to scores, as it is built."""
    network = parallel.build(config).eval()
    image = torch.zeros(1, config.in_channels, config.size, config.size)
    features, angles = network.convolutions(image), network.angles(image)
    measured, circuit = network.middle(angles), parallel.circuit(config)
    scores, last = network.classify(measured), n_trained(network.activation, network.scores)
    return [
        Stage("image", shape_of(image), "pixels"),
        Stage("network", shape_of(features), "features", "convolutions", n_trained(network.convolutions)),
        Stage("angles", shape_of(angles), by="dense layer", n_trained=n_trained(network.dense)),
        Stage(
            "circuits", shape_of(measured), "expectations", "", n_trained(network.middle), circuit, config.n_circuits
        ),
        Stage("scores", shape_of(scores), by="dense layer", n_trained=last),
    ]


def quanv_stages(config: QuanvConfig) -> list[Stage]:
    """HQNN-Quanv with a config from image to scores, as it is built."""
    network = quanv.Quanv(config).eval()
    image = torch.zeros(1, 1, config.size, config.size)
    windows, maps = quanv.patches(image, config.stride), network.maps(image)
    return [
        Stage("image", shape_of(image), "pixels"),
        Stage("angles", shape_of(windows), by="windows of pixels, times π"),
        Stage("circuit", shape_of(maps), "maps of expectations", "", n_trained(network.kernel), quanv.circuit(config)),
        Stage("scores", shape_of(network(image)), by="dense layer", n_trained=n_trained(network.scores)),
    ]


def image_columns(ax: Axes, columns: Mapping[str, NDArray[np.uint8]]) -> Axes:
    """One column of images [N, H, W, C] per class, its name above."""
    tiles = np.stack([images.squeeze(-1) if images.shape[-1] == 1 else images for images in columns.values()], axis=1)
    return image_grid(ax, tiles / 255, columns=list(columns), gap=2 * max(1, tiles.shape[2] // 20))


def picture(measurement: str, name: str) -> bytes:
    """A picture of the measurement `hqnn-images` or `hqnn-mistakes`, drawn where the images are, as PNG."""
    return base64.b64decode(records.measured(measurement).data[name])


def training_curves(
    axes: Iterable[Axes],
    curves: Mapping[str, Mapping[str, pd.DataFrame]],
    printed: Mapping[str, Mapping[str, float]],
    words: str = "",
) -> None:
    """One panel for each curve: every run of each model as a thin line, their means, and the paper's last values.

    Args:
        axes: As many as there are curves.
        curves: As `test_accuracy` -> model -> losses, or accuracies as fractions [seeds, epochs].
        printed: The same curve -> model -> loss, or accuracy in per cent, drawn as a hollow diamond.
        words: What else the titles say.
    """
    for ax, (curve, histories) in zip(axes, curves.items(), strict=True):
        scale = 100 if curve.endswith("accuracy") else 1
        shown = {model: scale * history.to_numpy() for model, history in histories.items()}
        title = ",\n".join(filter(None, (curve.replace("_", " "), words)))
        curve_bands(ax, shown, printed[curve]).set(title=title, ylabel="%" if scale == 100 else "")


def titled_images(axes: Iterable[Axes], images: NDArray[np.uint8], titles: Sequence[str]) -> None:
    """One image [H, W, 1] per panel, dark on white, with a title."""
    for ax, image, title in zip(axes, images, titles, strict=True):
        image_grid(ax, 1 - image[None, None, ..., 0] / 255)
        ax.set_title(title, fontsize=SMALL, loc="center", fontweight="normal", pad=3)


def coefficient_violins(ax: Axes, coefficients: NDArray[np.complex128]) -> Axes:
    """The spread of Fourier coefficients of two inputs, real parts to the left and imaginary parts to the right.

    The coefficients are [S, 2d + 1, 2d + 1], frequencies from -d to d.
    """
    degree = coefficients.shape[1] // 2
    flat = coefficients.reshape(len(coefficients), -1)
    at = np.arange(flat.shape[1], dtype=float)
    halves: tuple[tuple[NDArray[np.float64], Literal["low", "high"], str, str], ...] = (
        (flat.real, "low", BLUE, "real part"),
        (flat.imag, "high", VERMILLION, "imaginary part"),
    )
    for part, side, colour, name in halves:
        violins(ax, at, part, side=side, colour=colour)
        ax.plot([], [], color=colour, linewidth=6, alpha=0.75, label=name)
    axis = range(-degree, degree + 1)
    labels = [f"({a}, {b})".replace("-", "\N{MINUS SIGN}") for a in axis for b in axis]
    ax.set_xticks(at, labels, rotation=45)
    ax.set(xlabel="frequencies of the first two inputs", ylabel="coefficient")
    ax.grid(visible=False, axis="x")
    return ax


def eigenvalue_curves(ax: Axes, spectra: Mapping[str, NDArray[np.float64]]) -> Axes:
    """Eigenvalues of covariance matrices by name, largest first, each as a part of the total."""
    for (name, values), colour in zip(spectra.items(), (BLUE, VERMILLION, GREEN, GREY), strict=False):
        part = values / values.sum()
        ax.plot(np.arange(1, len(part) + 1), np.maximum(part, 1e-6), color=colour, label=name)
    ax.set(xlabel="direction", ylabel="part of the variance", yscale="log")
    return ax
