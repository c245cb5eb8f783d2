"""Figures in one house style, from a few primitives.

A drawing function takes arrays and an `ax` and returns the `ax`; it saves and shows nothing. A notebook shows a
finished figure with `show`, which gives it its alternative text and its caption. What only one paper draws is in
`figures.py` of that paper, beside the names and colours of its models.
"""

from typing import Any

from hqnn import papers
from hqnn.figures.models import curve_bands, intervals, learning_curves, paired_differences, rate_curves, single_runs
from hqnn.figures.primitives import band, bars, confusion, dots, floors, forest, image_grid, level, violins, whiskers
from hqnn.figures.quantum import (
    CLASS_COLOURS,
    amplitudes,
    bloch_grid,
    bloch_sphere,
    circuit_drawing,
    phase_circle,
    phase_grid,
    phase_scale,
    spectrum,
    zx_diagram,
)
from hqnn.figures.theme import (
    BLUE,
    DATASET_MARKS,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PIXEL_RATIO,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
    Model,
    model,
    models,
    render,
    show,
    style,
)

__all__ = [
    "BLUE",
    "CLASS_COLOURS",
    "DATASET_MARKS",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PIXEL_RATIO",
    "PURPLE",
    "SKY",
    "STYLE",
    "VERMILLION",
    "Model",
    "amplitudes",
    "band",
    "bars",
    "bloch_grid",
    "bloch_sphere",
    "circuit_drawing",
    "confusion",
    "curve_bands",
    "dots",
    "floors",
    "forest",
    "image_grid",
    "intervals",
    "learning_curves",
    "level",
    "model",
    "models",
    "paired_differences",
    "phase_circle",
    "phase_grid",
    "phase_scale",
    "rate_curves",
    "render",
    "show",
    "single_runs",
    "spectrum",
    "style",
    "violins",
    "whiskers",
    "zx_diagram",
]

# used by pages until they are moved: what is now in the figures.py of a paper
_MOVED = frozenset(
    {
        *("accuracy_by_shots", "accuracy_sweeps", "accuracy_under_noise", "accuracy_with_shots", "blocks"),
        *("candidates", "coefficient_violins", "compression", "eigenvalue_curves", "entanglement_left"),
        *("focus_against_accuracy", "heat_gallery", "image_columns", "image_rows", "losses_by_depth"),
        *("noisy_scores", "shrink_factors", "snapshot_curves", "start_and_reach", "titled_images"),
    }
)


def __getattr__(name: str) -> Any:
    if name == "COLOURS":
        return {key: shown.colour for key, shown in models().items()}
    if name in _MOVED:
        return next(getattr(module, name) for module in papers.modules("figures") if hasattr(module, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
