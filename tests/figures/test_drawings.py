"""Figures show the numbers that they were given, at the names that these belong to."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from qiskit.circuit import ParameterVector, QuantumCircuit

from hqnn import figures
from hqnn.figures import primitives, quantum
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.lcqhnn import figures as lcqhnn_figures
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.stats import Interval
from hqnn.views import zx
from tests.exact import circuit_of

pytestmark = pytest.mark.usefixtures("house_style")

T_1 = (
    12.7062  # Student's t for one degree of freedom, from printed tables: of two values 1 apart, the interval is T wide
)


def marked(ax: Any, marker: str) -> list[list[float]]:
    """Where the markers of a kind are."""
    return [point for line in ax.lines if line.get_marker() == marker for point in line.get_xydata().tolist()]


def test_a_mean_stands_between_the_ends_of_its_interval() -> None:
    found = primitives.across([[1.0, 5.0], [2.0, 5.0]])
    assert found == pytest.approx(np.array([[1.5, 5], [1.5 - T_1 / 2, 5], [1.5 + T_1 / 2, 5]]), abs=1e-3)
    assert primitives.across([7.0]).tolist() == [7, 7, 7]


def test_curves_are_in_per_cent_under_the_models_names_and_bands_stop_at_what_is_possible(ax: Any) -> None:
    history = np.array([[0.5, 0.99], [0.502, 0.992]])
    figures.learning_curves(ax, {"lcqhnn": history, "cnn-4": history / 2}, {"cnn-4": {2: 86.33}})
    assert ax.get_legend_handles_labels()[1] == ["LCQHNN", "CNN-4"]
    assert ax.lines[0].get_xydata() == pytest.approx(np.array([[1, 50.1], [2, 99.1]]))
    assert marked(ax, "D") == [[2, 86.33]]
    edges = ax.collections[0].get_paths()[0].vertices
    at_1, at_2 = (edges[edges[:, 0] == x][:, 1] for x in (1, 2))
    assert (at_1.min(), at_1.max()) == pytest.approx((50.1 - T_1 / 10, 50.1 + T_1 / 10), abs=1e-3)
    assert at_2.max() == 100


def test_every_run_stands_beside_its_mean_and_the_papers_value(ax: Any) -> None:
    figures.single_runs(
        ax, {"cnn-4": np.array([98.0, 96.0, 97.0]), "cnn-8": np.array([95.0])}, {"cnn-8": 9, "cnn-4": 7}
    )
    assert [height for _, height in marked(ax, "o")] == [96, 97, 98, 95]
    assert [height for _, height in marked(ax, "D")] == [7, 9]
    assert [bar.get_segments()[0][0, 1] for bar in ax.collections] == [97, 95]


def test_a_forest_has_the_right_interval_beside_the_right_label(ax: Any) -> None:
    values = np.array([1.0, 2.0, 3.0])
    figures.paired_differences(ax, {"none": {"MNIST": values - 2}, "cnn-4": {"MNIST": values, "FashionMNIST": -values}})
    assert ax.get_legend_handles_labels()[1] == ["MNIST", "FashionMNIST"]
    means = [bars.lines[0].get_xydata()[0] for bars in ax.containers]
    assert [mean[0] for mean in means] == pytest.approx([0, 2, -2])
    assert 0 == means[0][1] < means[1][1] < 1 < means[2][1]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top


def test_printed_values_and_levels_are_kept_apart(ax: Any) -> None:
    values = {"a": np.array([90.0, 92.0]), "b": np.array([50.0])}
    figures.intervals(ax, values, {"paper": 94.5}, marked=("b",), printed={"b": 77.0})
    assert ax.get_legend_handles_labels()[1] == ["paper"]
    assert [94.5, 94.5] in [list(line.get_xdata()) for line in ax.lines]
    assert marked(ax, "D") == [[77, 1]]


def test_leads_have_a_line_at_zero_and_a_margin_on_both_sides(ax: Any) -> None:
    figures.leads(ax, {"a": np.array([0.5, 0.7])}, margin=0.2, printed={"a": 1.0})
    assert [0, 0] in [list(line.get_xdata()) for line in ax.lines]
    (band,) = ax.patches
    assert band.get_extents().transformed(ax.transData.inverted()).intervalx == pytest.approx([-0.2, 0.2])
    assert marked(ax, "D") == [[1.0, 0]]


def test_bars_stand_in_groups(ax: Any) -> None:
    groups = {"few": {1: Interval(1.0, 0.5, 10), 8: Interval(4.0, 1.0, 10)}, "many": {1: Interval(0.0, 0.1, 10)}}
    figures.bars(ax, groups, {1: "C0", 8: "C1"}, {1: "one", 8: "eight"})
    assert [bar.get_height() for bar in ax.patches] == [1.0, 4.0, 0.0]
    centres = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches]
    assert centres[0] < 0 < centres[1] < centres[2] == pytest.approx(1.0)


def test_a_confusion_matrix_has_a_column_per_class_found_and_colours_errors(ax: Any) -> None:
    figures.confusion(ax, np.array([[8.0, 2.0], [0.0, 10.0]]), ["x", "y"])
    assert {text.get_position(): text.get_text() for text in ax.texts} == {(0, 0): "8", (1, 0): "2", (1, 1): "10"}
    assert np.array(ax.images[0].get_array()).tolist() == [[0, 2], [0, 0]]


@pytest.mark.parametrize("channels", [(), (3,)])
def test_images_stand_in_their_rows_and_columns(ax: Any, channels: tuple[int, ...]) -> None:
    tiles = np.arange(6).reshape(2, 3, *([1] * (2 + len(channels)))) / 10 * np.ones((2, 3, 4, 5, *channels))
    figures.image_grid(ax, tiles, rows=["a", "b"], columns=["x", "y", "z"], gap=2)
    wall = np.asarray(ax.images[0].get_array())
    assert wall.shape == (2 * 4 + 2, 3 * 5 + 4, *channels)
    assert wall[np.ix_([1, 7], [2, 9, 16])].reshape(6, -1)[:, 0] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert (wall[4:6] == 1).all()
    assert ax.get_yticks().tolist() == [1.5, 7.5]


def test_a_way_goes_through_rooms_that_there_are(ax: Any) -> None:
    figures.floors(ax, [{"cellar": 4}, {"kitchen": 9, "hall": 1}], {"in": ("red", ["hall", "kitchen"])})
    assert {"cellar", "kitchen", "hall", "1", "2"} <= {text.get_text() for text in ax.texts}
    with pytest.raises(KeyError, match="attic"):
        figures.floors(ax, [{"cellar": 4}], {"up": ("red", ["attic"])})


def test_a_circuit_names_states_and_angles_legibly() -> None:
    _, ax = plt.subplots(figsize=(9.6, 3.1))
    figures.circuit_drawing(ax, lcqhnn_circuit())
    assert {"ψ₁", "ψ₆", "2x₀", "2x₃", "θ₀", "θ₃", "$U_1$", "$R_Y$"} <= {text.get_text() for text in ax.texts}
    assert min(float(text.get_fontsize()) for text in ax.texts) >= 9


@pytest.mark.parametrize("part", [False, True])
def test_gates_are_coloured_by_what_they_hold_whatever_their_kind(ax: Any, part: bool) -> None:
    x, w = ParameterVector("a", 1), ParameterVector("b", 2)
    circuit = QuantumCircuit(1)
    for angle in (w[0], 2 * x[0], 0.5, x[0] * w[1]):
        circuit.ry(angle, 0)
    figures.circuit_drawing(ax, circuit if part else circuit_of(circuit, 1), weights=w if part else None)
    _, *boxes = sorted(ax.patches, key=lambda box: box.get_x())  # the first is behind all of them
    colours = [to_hex(box.get_facecolor()).upper() for box in boxes]
    assert colours == [quantum.TRAINED, quantum.DATA, "#FFFFFF", quantum.DATA]


def test_amplitudes_are_bars_of_their_modulus_coloured_by_phase(ax: Any) -> None:
    figures.amplitudes(ax, np.array([0.5, 0.5j, -0.5, 0.5]))
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.5] * 4)
    colours = [bar.get_facecolor() for bar in ax.patches]
    assert colours[0] == colours[3] == figures.phase_scale(ax.figure, ax).cmap(0.5)
    assert len(set(colours)) == 3


def test_the_arrow_of_each_phase_circle_has_the_resultant_length() -> None:
    _, circles = plt.subplots(2, 2, subplot_kw={"projection": "polar"})
    phases, groups = np.array([[0.0, 1.0], [0.0, 1.0], [np.pi / 2, 1.0], [0.0, 1.0]]), np.array([0, 0, 1, 1])
    figures.phase_grid(circles, {"b": (phases, groups), "c": (phases + 1, groups)})
    assert circles[0, 0].texts[0].xy == pytest.approx((np.arctan2(1, 3), np.hypot(3, 1) / 4))
    assert circles[1, 1].texts[0].xy == pytest.approx((2.0, 1.0))
    inner, outer = (np.asarray(cloud.get_offsets()) for cloud in circles[0, 0].collections)
    assert inner[:, 1].max() < outer[:, 1].min() <= outer[:, 1].max() <= 1
    assert np.sort(outer[:, 0]) == pytest.approx([0.0, np.pi / 2])


def test_a_spectrum_shows_strengths_as_areas_and_signs_below(ax: Any) -> None:
    frequencies = np.array([[0.0, 2.0], [2.0, 0.0], [2.0, -2.0]])
    figures.spectrum(ax, frequencies, np.array([[0.0, 0.125], [0.5, 0.0], [0.25, 0.0]]), ["a", "b"])
    discs = next(c for c in ax.collections if len(c.get_offsets()) == 3)
    assert np.array_equal(discs.get_offsets(), [[0, 0], [1, 0], [2, 1]])
    assert discs.get_sizes() / discs.get_sizes()[0] == pytest.approx([1.0, 0.5, 0.25])
    assert [text.get_text() for text in ax.texts] == ["+", "·", "+", "−", "·", "+"]


def test_a_zx_diagram_shows_every_node_and_names_the_parameters(ax: Any) -> None:
    diagram = zx.reduce(zx.diagram(strongly_entangling(n_qubits=2, n_layers=1)))
    figures.zx_diagram(ax, diagram, names=diagram.parameters)
    bare = {name.translate(str.maketrans("", "", "[]")) for name in zx.places(diagram)}
    assert {text.get_text() for text in ax.texts} == bare
    assert len(ax.lines) == diagram.graph.num_edges() + diagram.graph.num_vertices()
    assert sum(line.get_linestyle() == "--" for line in ax.lines) == 11  # all but one, at an open end


def test_correlations_are_written_where_they_are_coloured_and_bold_where_they_are_clear(ax: Any) -> None:
    rows = {
        "a": [Interval(0.66, 0.1, 10), Interval(-0.3, 0.4, 10)],
        "b": [Interval(0.0, 0.0, 10), Interval(-0.9, 0, 10)],
    }
    figures.correlations(ax, rows, ["all", "late"])
    (colours,) = ax.images
    assert colours.get_array().tolist() == [[0.66, -0.3], [0, -0.9]]
    assert colours.get_clim() == (-1, 1)
    written = {text.get_position()[::-1]: (text.get_text(), text.get_fontweight()) for text in ax.texts}
    assert written == {
        (0, 0): ("0.66", "bold"),
        (0, 1): ("-0.30", "normal"),
        (1, 0): ("0.00", "normal"),
        (1, 1): ("-0.90", "bold"),
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["all", "late"]


def test_a_printed_accuracy_is_held_against_whole_numbers_of_images(ax: Any) -> None:
    lcqhnn_figures.on_a_grid(ax, [76.56, 99.9], 512)
    assert [text.get_text() for text in ax.texts] == ["392", "511"]
    assert marked(ax, "o") == [[0, pytest.approx(-0.0128)], [1, pytest.approx(0.488)]]
    (band,) = ax.patches
    assert band.get_bbox().intervaly == pytest.approx([-0.0256, 0.0256])
