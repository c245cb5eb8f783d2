"""Figures of images, outcomes and accuracies: what they show is what they were given."""

import math
from typing import Any

import numpy as np
import pytest

from hqnn import figures

pytestmark = pytest.mark.usefixtures("house_style")


def test_images_in_rows_are_dark_on_white(ax: Any) -> None:
    images = np.zeros((3, 4, 4))
    images[1] = 1
    figures.image_rows(ax, {"a": images, "b": images})
    shown = ax.images[0].get_array()
    assert shown.shape == (16, 24)
    assert shown[:8, 10:14][2:6].max() == 0
    assert shown[:, :8].min() == 1
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_a_confusion_matrix_writes_every_count_and_colours_errors(ax: Any) -> None:
    figures.confusion(ax, np.array([[8.0, 2.0], [0.0, 10.0]]), ["x", "y"])
    assert {text.get_text() for text in ax.texts} == {"8", "2", "10"}
    coloured = np.array(ax.images[0].get_array())
    assert coloured.tolist() == [[0, 2], [0, 0]]


def test_compression_has_the_curve_and_the_levels(ax: Any) -> None:
    figures.compression(ax, {1: 0.06, 2: 0.05}, {"paper": 0.02})
    assert ax.lines[0].get_xydata().tolist() == [[1, 0.06], [2, 0.05]]
    assert ax.lines[1].get_ydata()[0] == 0.02
    assert ax.get_legend_handles_labels()[1] == ["principal components", "paper"]


def test_intervals_show_every_run_the_mean_and_the_levels(ax: Any) -> None:
    values = {"a": np.array([90.0, 92.0]), "b": np.array([50.0])}
    figures.intervals(ax, values, {"paper": 94.5}, marked=("b",), printed={"b": 77.0})
    drawn = [line.get_xdata() for line in ax.lines]
    assert [90.0, 92.0] in [list(x) for x in drawn]
    assert [91.0] in [list(x) for x in drawn]
    assert [94.5, 94.5] in [list(x) for x in drawn]
    assert [77.0] in [list(x) for x in drawn]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top


def test_shots_end_with_the_exact_limit(ax: Any) -> None:
    few, many = np.array([10.0, 12.0]), np.array([20.0, 20.0])
    figures.accuracy_by_shots(ax, {"string": {100.0: few, math.inf: many}, "marginals": {math.inf: few, 100.0: many}})
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["100", "exact"]
    drawn = [line.get_xydata().tolist() for line in ax.lines if len(line.get_xydata()) == 2]
    assert [[0, 11], [1, 20]] in drawn
    assert [[1, 11], [0, 20]] in drawn
