"""Figures of the theory: what they show is what they were given."""

import matplotlib.pyplot as plt
import numpy as np

from hqnn import figures
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.views import zx


def test_a_zx_diagram_shows_every_node_and_names_the_parameters() -> None:
    pc = strongly_entangling(n_qubits=2, n_layers=1)
    drawing = zx.drawing(zx.diagram(pc))
    names = [parameter.name for parameter in (*pc.inputs, *pc.weights)]
    _, ax = plt.subplots()
    assert figures.zx_diagram(ax, drawing, names=names) is ax
    assert sorted(text.get_text() for text in ax.texts) == sorted(n.replace("[", "").replace("]", "") for n in names)
    assert len(ax.lines) == len(drawing.edges) + len(drawing.kinds)
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert len(dashed) == int(drawing.hadamard.sum())


def test_violins_of_what_varies_and_lines_for_what_does_not() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 3, 3)) + 1j * rng.normal(size=(50, 3, 3))
    values[:, 1, 1] = values[:, 1, 1].real
    _, ax = plt.subplots()
    figures.coefficient_violins(ax, values)
    assert len(ax.collections) == 17
    assert [label.get_text() for label in ax.get_xticklabels()][4] == "(0, 0)"
    assert len([line for line in ax.lines if len(line.get_xdata()) == 2]) == 1  # type: ignore[arg-type]


def test_eigenvalues_are_parts_of_the_whole() -> None:
    _, ax = plt.subplots()
    figures.eigenvalue_curves(ax, {"a": np.array([3.0, 1.0])})
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.75, 0.25])  # type: ignore[arg-type]
