"""Figures of this paper alone: what they show is what they were given."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from hqnn.papers.lcqhnn import figures


def test_heat_maps_stand_below_their_images_each_scaled_by_its_own_maximum(ax: Any) -> None:
    images = np.zeros((2, 4, 4), np.float32)
    images[1, 1:3, 1:3] = 1.0
    heat = np.zeros((2, 4, 4), np.float32)
    heat[0, 0, 3], heat[0, 0, 0], heat[1, 2, 2] = 2e-3, 1e-3, 5.0
    figures.heat_gallery(ax, images, {"a": heat, "none": 0 * heat}, images > 0.5)
    mosaic, inferno = ax.images[0].get_array(), mpl.colormaps["inferno"]
    assert mosaic[1, 7].tolist() == [1.0, 1.0, 1.0]
    for (row, column), level in {(6, 3): 1.0, (6, 0): 0.5, (8, 8): 1.0, (9, 9): 0.0, (12, 0): 0.0}.items():
        assert mosaic[row, column].tolist() == pytest.approx(inferno(level)[:3], abs=0.01)


def test_what_noise_leaves_is_drawn_at_its_own_depth(ax: Any) -> None:
    figures.shrink_factors(ax, [1, 8], {3: np.array([[0.9, 0.5], [0.8, 0.4]])}, {3: [0.94, 0.84]})
    dots = next(line.get_xydata() for line in ax.lines if line.get_label() == r"$\langle Z_3\rangle$")
    assert dots == pytest.approx(np.array([[1, 0.9], [8, 0.5], [1, 0.8], [8, 0.4]]))
