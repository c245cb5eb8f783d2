"""Pictures of circuits, states and spectra: what they show is what they were given."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from qiskit.circuit import ParameterVector, QuantumCircuit

from hqnn import Circuit, figures
from hqnn.circuit import pauli_on_each_qubit
from hqnn.figures import quantum
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import zx

pytestmark = pytest.mark.usefixtures("house_style")


def panel(**options: Any) -> Any:
    """Axes of a figure of their own; untyped, since the tests look into their artists."""
    return plt.subplots(**options)[1]


def test_a_drawing_names_states_and_angles_legibly() -> None:
    ax = panel(figsize=(9.6, 3.1))
    figures.circuit_drawing(ax, lcqhnn_circuit())
    texts = [text.get_text() for text in ax.texts]
    assert {"ψ₁", "ψ₆", "2x₀", "2x₃", "θ₀", "θ₃", "$U_1$", "$R_Y$"} <= set(texts)
    assert texts.count("H") == 5
    assert min(text.get_fontsize() for text in ax.texts) >= 9


@pytest.mark.parametrize("part", [False, True])
def test_gates_are_coloured_by_what_they_hold_whatever_their_kind(part: bool) -> None:
    x, w = ParameterVector("x", 1), ParameterVector("w", 2)
    circuit = QuantumCircuit(1)
    for angle in (w[0], 2 * x[0], 0.5, x[0] * w[1]):
        circuit.ry(angle, 0)
    whole = Circuit(circuit=circuit, inputs=x, weights=w, observables=pauli_on_each_qubit(1))
    ax = panel()
    figures.circuit_drawing(ax, circuit if part else whole, weights=w if part else None)
    _, *boxes = sorted(ax.patches, key=lambda box: box.get_x())  # the first is behind all of them
    colours = [to_hex(box.get_facecolor()).upper() for box in boxes]
    assert colours == [quantum.TRAINED, quantum.DATA, "#FFFFFF", quantum.DATA]


def test_amplitudes_are_bars_of_their_modulus_coloured_by_phase() -> None:
    ax = panel()
    figures.amplitudes(ax, np.array([0.5, 0.5j, -0.5, 0.5]))
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.5] * 4)
    colours = [bar.get_facecolor() for bar in ax.patches]
    assert colours[0] == colours[3]
    assert len(set(colours)) == 3
    assert [label.get_text() for label in ax.get_xticklabels()] == ["00", "01", "10", "11"]
    scale: Any = figures.phase_scale(ax.figure, ax)
    assert (scale.vmin, scale.vmax) == pytest.approx((-np.pi, np.pi))
    assert scale.cmap(0.5) == colours[0]


def test_the_arrow_of_a_phase_circle_has_the_resultant_length() -> None:
    ax = panel(subplot_kw={"projection": "polar"})
    figures.phase_circle(ax, np.array([0.0, 0.0, np.pi / 2, 0.0]), np.array([0, 0, 1, 1]))
    assert ax.texts[0].xy == pytest.approx((np.arctan2(1, 3), np.hypot(3, 1) / 4))
    inner, outer = (np.asarray(cloud.get_offsets()) for cloud in ax.collections)
    assert inner[:, 1].max() < outer[:, 1].min() <= outer[:, 1].max() <= 1
    assert np.sort(outer[:, 0]) == pytest.approx([0.0, np.pi / 2])


def test_grids_have_a_row_per_name_and_a_column_per_qubit() -> None:
    circles = panel(nrows=2, ncols=2, subplot_kw={"projection": "polar"})
    phases, groups = np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([0, 1])
    figures.phase_grid(circles, {"b": (phases, groups), "c": (phases + 1, groups)})
    assert circles[1, 0].texts[0].xy == pytest.approx((1.0, 1.0))
    assert [ax.get_title(loc="center") for ax in circles[0]] == ["qubit 0", "qubit 1"]
    assert [ax.texts[-1].get_text() for ax in circles[:, 0]] == ["b", "c"]
    with pytest.raises(ValueError, match="shorter"):
        figures.phase_grid(circles, {"b": (phases, groups)})


def test_a_spectrum_shows_strengths_as_areas_and_signs_below(ax: Any) -> None:
    frequencies = np.array([[0.0, 2.0], [2.0, 0.0], [2.0, -2.0]])
    figures.spectrum(ax, frequencies, np.array([[0.0, 0.125], [0.5, 0.0], [0.25, 0.0]]), ["a", "b"])
    discs = next(c for c in ax.collections if len(c.get_offsets()) == 3)
    assert np.array_equal(discs.get_offsets(), [[0, 0], [1, 0], [2, 1]])
    assert discs.get_sizes() / discs.get_sizes()[0] == pytest.approx([1.0, 0.5, 0.25])
    assert [text.get_text() for text in ax.texts] == ["+", "·", "+", "−", "·", "+"]


def test_a_zx_diagram_shows_every_node_and_names_the_parameters(ax: Any) -> None:
    pc = strongly_entangling(n_qubits=2, n_layers=1)
    diagram = zx.reduce(zx.diagram(pc))
    figures.zx_diagram(ax, diagram, names=diagram.parameters)
    bare = {name.translate(str.maketrans("", "", "[]")) for name in zx.places(diagram)}
    assert {text.get_text() for text in ax.texts} == bare
    assert len(ax.lines) == diagram.graph.num_edges() + diagram.graph.num_vertices()
    assert sum(line.get_linestyle() == "--" for line in ax.lines) == 11  # all but one, at an open end
