"""Figures of noise: what they show is what they were given."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from hqnn import figures
from hqnn.stats import Interval

pytestmark = pytest.mark.usefixtures("house_style")


def named(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_scores_of_each_depth_lie_over_those_without_noise(ax: Any) -> None:
    perfect = np.array([-2.0, 1.0, 4.0])
    assert figures.noisy_scores(ax, perfect, {1: perfect / 2, 8: perfect / 4}, 0.3) == ax
    lines = named(ax)
    assert list(lines) == ["no noise", "1 block", "8 blocks"]
    assert np.array_equal(lines["8 blocks"].get_xydata(), np.stack([perfect, perfect / 4], 1))
    assert lines["1 block"].get_color() == figures.BLUE
    assert [0.3, 0.3] in [list(line.get_ydata()) for line in ax.lines]


def test_every_network_and_every_light_cone_is_shown(ax: Any) -> None:
    kept = {0: np.array([[0.9, 0.8]]), 3: np.array([[0.95, 0.9], [0.96, 0.85]])}
    assert figures.shrink_factors(ax, [1, 2], kept, {0: [0.9, 0.8], 3: [0.94, 0.84]}) == ax
    dots = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert sorted(y for line in dots for y in line.get_ydata()) == [0.8, 0.85, 0.9, 0.9, 0.95, 0.96]
    assert [list(line.get_ydata()) for line in ax.lines if line not in dots][:2] == [[0.9, 0.8], [0.94, 0.84]]
    assert list(named(ax)) == [r"$\langle Z_0\rangle$", r"$\langle Z_3\rangle$", "light cone"]


def test_accuracies_are_means_with_bands_in_the_order_of_growing_noise(ax: Any) -> None:
    accuracies = {1: np.array([[1.0, 0.9], [0.98, 0.7]]), 4: np.array([[1.0, 0.5], [0.98, 0.5]])}
    assert figures.accuracy_under_noise(ax, [100, 3], accuracies, today=50) == ax
    left, right = ax.get_xlim()
    assert left > 100 > 3 > right
    assert named(ax)["1 block"].get_ydata() == pytest.approx([99, 80])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["100", "3"]
    low, high = ax.collections[0].get_datalim(ax.transData).get_points()[:, 1]
    assert (low, high) == (0, 100)  # two seeds say little: 80 ± 127 points
    assert [50, 50] in [list(line.get_xdata()) for line in ax.lines]


def test_a_sweep_has_a_row_for_each_dataset_and_a_column_for_each_noise() -> None:
    accuracies = {1: np.array([[1.0, 0.9], [0.98, 0.7]])}
    figure, axes = plt.subplots(2, 2)
    found = {title: {"thermal": accuracies, "flips": accuracies} for title in ("digits", "clothes")}
    strengths, labels = {"thermal": [9.0, 1.0], "flips": [0.1, 0.2]}, {"thermal": "$T_1$", "flips": "$p$"}
    figures.accuracy_sweeps(axes, found, strengths, labels=labels, today={"thermal": 5.0, "flips": 0.15})
    assert [ax.get_title(loc="left") for ax in axes.flat] == [f"{a}, {b}" for a in found for b in strengths]
    assert [ax.get_xlabel() for ax in axes.flat] == ["", "", "$T_1$", "$p$"]
    assert list(named(axes[0, 0])["1 block"].get_xdata()) == [9, 1]
    assert [0.15, 0.15] in [list(line.get_xdata()) for line in axes[1, 1].lines]
    plt.close(figure)


def test_shots_are_ticked_at_powers_of_four(ax: Any) -> None:
    shots = [1, 2, 4, 1024]
    flat = np.tile([0.8, 0.9, 1.0, 1.0], (3, 1))
    assert figures.accuracy_with_shots(ax, shots, flat, {2: flat - 0.1}) == ax
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "4", "1024"]
    assert named(ax)["2 blocks"].get_ydata() == pytest.approx([70, 80, 90, 90])
    assert list(named(ax)) == ["perfect device", "2 blocks"]


def test_bars_stand_for_losses_in_groups(ax: Any) -> None:
    losses = {"few": {1: Interval(1.0, 0.5, 10), 8: Interval(4.0, 1.0, 10)}, "many": {1: Interval(0.0, 0.1, 10)}}
    assert figures.losses_by_depth(ax, losses) == ax
    assert [bar.get_height() for bar in ax.patches] == [1.0, 4.0, 0.0]
    assert to_hex(ax.patches[1].get_facecolor()).upper() == figures.DEPTH_COLOURS[8]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["few", "many"]
    centres = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches]
    assert centres[0] < 0 < centres[1] < centres[2] == pytest.approx(1.0)
