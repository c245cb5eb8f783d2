"""Figures of this paper alone: what they show is what they were given."""

from typing import Any

import numpy as np
import pytest

from hqnn.papers.hqnn import figures

pytestmark = pytest.mark.usefixtures("house_style")


@pytest.mark.parametrize("channels", [1, 3])
def test_each_class_has_a_column_of_images(ax: Any, channels: int) -> None:
    images = np.full((2, 8, 8, channels), 7, np.uint8)
    figures.image_columns(ax, {"a": images, "b": images + 1, "c": images})
    wall = np.asarray(ax.images[0].get_array())
    assert wall.shape[:2] == (2 * 8 + 2, 3 * 8 + 4)
    assert 255 * wall[5, [4, 14, 24]].reshape(3, -1)[:, 0] == pytest.approx([7, 8, 7])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]


def test_coefficients_stand_above_their_frequencies(ax: Any) -> None:
    values = np.zeros((5, 3, 3), complex)
    values[:, 0, 2] = 3 - 4j
    figures.coefficient_violins(ax, values)
    assert [label.get_text() for label in ax.get_xticklabels()][2] == "(−1, 1)"
    drawn = {(line.get_xdata()[1], line.get_ydata()[0]) for line in ax.lines if len(line.get_xdata())}
    assert {(1.6, 3.0), (2.4, -4.0)} <= drawn
