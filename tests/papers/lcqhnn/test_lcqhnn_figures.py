"""Figures of this paper alone: what they show is what they were given."""

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hqnn.papers.lcqhnn import figures

pytestmark = pytest.mark.usefixtures("house_style")


def test_heat_maps_stand_below_their_images_each_scaled_by_its_own_maximum(ax: Any) -> None:
    images = np.zeros((2, 4, 4), np.float32)
    images[1, 1:3, 1:3] = 1.0
    heat = np.zeros((2, 4, 4), np.float32)
    heat[0, 0, 3], heat[0, 0, 0], heat[1, 2, 2] = 2e-3, 1e-3, 5.0
    figures.heat_gallery(ax, images, {"a": heat, "none": 0 * heat}, images > 0.5)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["image", "a", "none"]
    mosaic = ax.images[0].get_array()
    assert mosaic[1, 7].tolist() == [1.0, 1.0, 1.0]
    inferno = mpl.colormaps["inferno"]
    for (row, column), level in {(6, 3): 1.0, (6, 0): 0.5, (8, 8): 1.0, (9, 9): 0.0, (12, 0): 0.0}.items():
        assert mosaic[row, column].tolist() == pytest.approx(inferno(level)[:3], abs=0.01)
    outlined = [c for c in ax.collections if any(len(path.vertices) for path in c.get_paths())]
    assert len(outlined) == 2  # the second object, in each row of maps
    assert outlined[0].get_datalim(ax.transData).bounds == pytest.approx((6.5, 6.5, 2, 2))


def test_paths_of_focus_and_accuracy_rise_with_accuracy(ax: Any) -> None:
    focus, accuracy = np.array([[0.2, 0.3], [0.4, 0.5]]), np.array([[0.5, 0.99], [0.9, 1.0]])
    figures.focus_against_accuracy(ax, focus, accuracy, (0, 50))
    early, late = (dots.get_offsets() for dots in ax.collections)
    assert early.tolist() == [pytest.approx([20, 50]), pytest.approx([40, 10])]
    assert late.tolist() == [pytest.approx([30, 1]), pytest.approx([50, 0.05])]  # without an error
    heights = [ax.transData.transform(point)[1] for point in (*early, *late)]
    assert heights == sorted(heights)


def test_a_sweep_has_a_row_for_each_dataset_and_a_column_for_each_noise() -> None:
    axes: Any = plt.subplots(2, 2)[1]
    strengths, labels = {"thermal": [9.0, 1.0], "flips": [0.1, 0.3]}, {"thermal": "$T_1$", "flips": "$p$"}
    values = {"digits": 0.9, "clothes": 0.5}
    found = {
        title: {kind: {1: np.tile([at, at - 0.1 * k], (2, 1))} for k, kind in enumerate(strengths)}
        for title, at in values.items()
    }
    figures.accuracy_sweeps(axes, found, strengths, labels=labels, today={"thermal": 5.0, "flips": 0.15})
    assert [ax.get_title(loc="left") for ax in axes.flat] == [f"{a}, {b}" for a in found for b in strengths]
    lines = [next(line for line in ax.lines if line.get_label() == "1 block") for ax in axes.flat]
    assert [line.get_ydata().tolist() for line in lines] == [[90, 90], [90, 80], [50, 50], [50, 40]]
    left, right = axes[0, 0].get_xlim()
    assert left > 9 > 1 > right
    assert [0.15, 0.15] in [list(line.get_xdata()) for line in axes[1, 1].lines]


def test_what_noise_leaves_is_drawn_at_its_own_depth(ax: Any) -> None:
    figures.shrink_factors(ax, [1, 8], {3: np.array([[0.9, 0.5], [0.8, 0.4]])}, {3: [0.94, 0.84]})
    dots = next(line.get_xydata() for line in ax.lines if line.get_label() == r"$\langle Z_3\rangle$")
    assert dots == pytest.approx(np.array([[1, 0.9], [8, 0.5], [1, 0.8], [8, 0.4]]))
