"""Figures of the circuit, its states and its outputs: what they show is what they were given."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from hqnn import figures
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit

pytestmark = pytest.mark.usefixtures("house_style")


def panel(**options: Any) -> Any:
    """Axes of a figure of their own; untyped, since the tests look into their artists."""
    return plt.subplots(**options)[1]


def test_drawing_names_states_and_angles_legibly() -> None:
    ax = panel(figsize=(9.6, 3.1))
    assert figures.circuit_drawing(ax, lcqhnn_circuit().circuit) == ax
    texts = [text.get_text() for text in ax.texts]
    assert {"ψ₁", "ψ₆", "2x₀", "2x₃", "θ₀", "θ₃", "$U_1$", "$R_Y$"} <= set(texts)
    assert texts.count("H") == 5
    assert min(text.get_fontsize() for text in ax.texts) >= 9


def test_amplitudes_are_bars_of_their_modulus_coloured_by_phase() -> None:
    state = np.array([0.5, 0.5j, -0.5, 0.5])
    ax = panel()
    assert figures.amplitudes(ax, state) == ax
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.5] * 4)
    colours = [bar.get_facecolor() for bar in ax.patches]
    assert colours[0] == colours[3]
    assert len({colours[0], colours[1], colours[2]}) == 3
    assert [label.get_text() for label in ax.get_xticklabels()] == ["00", "01", "10", "11"]


def test_phase_scale_spans_one_turn_in_the_colours_of_the_bars() -> None:
    ax = panel()
    figures.amplitudes(ax, np.array([1, -1]) / np.sqrt(2))
    bar: Any = figures.phase_scale(ax.figure, ax)
    assert (bar.vmin, bar.vmax) == pytest.approx((-np.pi, np.pi))
    assert bar.cmap(0.5) == ax.patches[0].get_facecolor()
    assert [label.get_text() for label in bar.ax.get_yticklabels()] == ["−π", "−π/2", "0", "π/2", "π"]


def test_bloch_sphere_has_a_point_per_vector_and_a_colour_per_class() -> None:
    vectors = np.array([[1.0, 0, 0], [0, 0.5, 0], [0, 0, -1.0], [0.6, 0, 0.8], [0, 0, 0]])
    ax = panel(subplot_kw={"projection": "3d"})
    assert figures.bloch_sphere(ax, vectors, np.array([0, 1, 1, 1, 0])) == ax
    clouds = [c for c in ax.collections if hasattr(c, "_offsets3d") and len(c._offsets3d[0])]
    assert sorted(len(cloud._offsets3d[0]) for cloud in clouds) == [2, 3]
    assert {to_hex(cloud.get_facecolor()[0]).upper() for cloud in clouds} == set(figures.CLASS_COLOURS)


def test_arrow_of_a_phase_circle_has_the_resultant_length() -> None:
    phases = np.array([0.0, 0.0, np.pi / 2, 0.0])
    ax = panel(subplot_kw={"projection": "polar"})
    assert figures.phase_circle(ax, phases, np.array([0, 0, 1, 1])) == ax
    (arrow,) = ax.texts
    assert arrow.xy == pytest.approx((np.arctan2(1, 3), np.hypot(3, 1) / 4))
    inner, outer = (np.asarray(cloud.get_offsets()) for cloud in ax.collections)
    assert len(inner) == len(outer) == 2
    assert inner[:, 1].max() < outer[:, 1].min() <= outer[:, 1].max() <= 1
    assert np.sort(outer[:, 0]) == pytest.approx([0.0, np.pi / 2])


def test_grids_have_a_row_per_name_and_a_column_per_qubit() -> None:
    spheres = panel(nrows=1, ncols=2, squeeze=False, subplot_kw={"projection": "3d"})
    vectors = np.array([[[1.0, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 0]]])
    assert figures.bloch_grid(spheres, {"a": vectors}) is spheres
    circles = panel(nrows=2, ncols=2, subplot_kw={"projection": "polar"})
    phases, groups = np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([0, 1])
    assert figures.phase_grid(circles, {"b": (phases, groups), "c": (phases + 1, groups)}) is circles
    arrow = circles[1, 0].texts[0]
    assert arrow.xy == pytest.approx((1.0, 1.0))
    for axes, names in ((spheres, ["a"]), (circles, ["b", "c"])):
        assert [ax.get_title(loc="center") for ax in axes[0]] == ["qubit 0", "qubit 1"]
        assert [ax.texts[-1].get_text() for ax in axes[:, 0]] == names
    with pytest.raises(ValueError, match="shorter"):
        figures.phase_grid(circles, {"b": (phases, groups)})


def test_each_trained_network_is_a_dot() -> None:
    ax = panel()
    figures.entanglement_left(ax, {"A": [0.9, 0.3], "B": [0.8]}, {"A": [0.95, 0.2], "B": [0.7]})
    dots = [line.get_xydata() for line in ax.lines[1:]]
    assert np.array_equal(dots[0], [[0.9, 0.95], [0.3, 0.2]])
    assert np.array_equal(dots[1], [[0.8, 0.7]])
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["A", "B"]


def test_spectrum_shows_strengths_as_areas_and_signs_below() -> None:
    frequencies = np.array([[0.0, 2.0], [2.0, 0.0], [2.0, -2.0]])
    strengths = np.array([[0.0, 0.125], [0.5, 0.0], [0.25, 0.0]])
    ax = panel()
    assert figures.spectrum(ax, frequencies, strengths, ["a", "b"]) == ax
    discs = next(c for c in ax.collections if len(c.get_offsets()) == 3)
    assert np.array_equal(discs.get_offsets(), [[0, 0], [1, 0], [2, 1]])
    assert discs.get_sizes() / discs.get_sizes()[0] == pytest.approx([1.0, 0.5, 0.25])
    assert [text.get_text() for text in ax.texts] == ["+", "·", "+", "−", "·", "+"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "$x_0$", "$x_1$"]
