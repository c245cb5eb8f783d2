"""Figures of training and of comparisons: what they show is what they were given."""

from typing import Any

import numpy as np
import pytest

from hqnn import figures, stats

pytestmark = pytest.mark.usefixtures("house_style")


def dots(ax: Any, marker: str) -> list[list[float]]:
    """Where the markers of a kind are."""
    return [point for line in ax.lines if line.get_marker() == marker for point in line.get_xydata().tolist()]


def labels(ax: Any) -> list[str]:
    return ax.get_legend_handles_labels()[1]


def test_learning_curves_show_means_bands_and_printed_values(ax: Any) -> None:
    history = np.array([[0.5, 0.9], [0.7, 0.9]])
    assert figures.learning_curves(ax, {"lcqhnn": history, "cnn-4": history / 2}, {"cnn-4": {2: 86.33}}) == ax
    assert labels(ax) == ["lcqhnn", "cnn-4"]
    assert ax.lines[0].get_xydata() == pytest.approx(np.array([[1, 60], [2, 90]]))
    assert ax.lines[0].get_color() == figures.COLOURS["lcqhnn"]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    interval = stats.mean_interval([50, 70])
    assert heights.min() == pytest.approx(interval.low)
    assert heights.max() == 100 < interval.high
    assert dots(ax, "D") == [[2, 86.33]]


def test_single_runs_stand_beside_their_mean_and_the_papers_value(ax: Any) -> None:
    figures.single_runs(
        ax, {"cnn-4": np.array([98.0, 96.0, 97.0]), "cnn-8": np.array([95.0])}, {"cnn-4": 76.56, "cnn-8": 91.0}
    )
    assert [height for _, height in dots(ax, "o")] == [96, 97, 98, 95]
    assert [height for _, height in dots(ax, "D")] == [76.56, 91.0]
    assert [bar.get_segments()[0][0, 1] for bar in ax.collections] == [97, 95]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cnn-4", "cnn-8"]


def test_rate_curves_join_means_and_show_every_run(ax: Any) -> None:
    by_rate = {1e-3: np.array([90.0, 92.0]), 1e-2: np.array([95.0])}
    assert figures.rate_curves(ax, {"lcqhnn": by_rate, "cnn-16": by_rate}, usual=1e-3) == ax
    assert labels(ax) == ["lcqhnn", "cnn-16"]
    marked, means = ax.lines[0], ax.lines[1]
    assert set(marked.get_xdata()) == {1e-3}
    assert list(means.get_ydata()) == [91, 95]
    assert np.log10(means.get_xdata()) == pytest.approx([-3, -2], abs=0.02)
    assert sorted(height for _, height in dots(ax, "o")) == [90, 90, 92, 92, 95, 95]


def test_candidates_are_single_curves_in_grey_and_in_colour(ax: Any) -> None:
    others, chosen = [np.full((2, 3), 0.9), np.full((1, 3), 0.8)], {"near": np.array([[0.5, 0.6, 0.7]])}
    assert figures.candidates(ax, others, chosen, {2: 76.56}) == ax
    assert labels(ax) == ["near", "all others", "paper"]
    grey = [line for line in ax.lines if line.get_color() == figures.GREY and len(line.get_xdata())]
    assert [line.get_ydata()[0] for line in grey] == pytest.approx([90, 90, 80])
    (near,) = (line for line in ax.lines if line.get_color() == figures.VERMILLION and len(line.get_xdata()))
    assert near.get_xydata() == pytest.approx(np.array([[1, 50], [2, 60], [3, 70]]))
    assert dots(ax, "D") == [[2, 76.56]]


def test_margins_are_drawn_against_their_own_epochs(ax: Any) -> None:
    margins = {"circuit": np.array([-0.1, 0.2]), "no CNOTs": np.array([1.0])}
    assert figures.start_and_reach(ax, margins, {"no CNOTs": np.array([1.0]), "circuit": np.array([4.0, 3.0])}) == ax
    assert labels(ax) == ["circuit", "no CNOTs"]
    zero, first, second = (line.get_xydata() for line in ax.lines)
    assert set(zero[:, 0]) == {0}
    assert first == pytest.approx(np.array([[-0.1, 4], [0.2, 3]]), abs=0.1)
    assert second == pytest.approx(np.array([[1.0, 1]]), abs=0.1)


def test_paired_differences_have_an_interval_per_row_and_dataset(ax: Any) -> None:
    values = np.array([1.0, 2.0, 3.0])
    rows = {"none": {"MNIST": values - 2}, "cnn-4": {"MNIST": values, "FashionMNIST": -values}}
    assert figures.paired_differences(ax, rows) == ax
    assert labels(ax) == ["MNIST", "FashionMNIST"]
    means = [bars.lines[0].get_xydata()[0] for bars in ax.containers]
    assert [mean[0] for mean in means] == pytest.approx([0, 2, -2])
    assert 0 == means[0][1] < means[1][1] < 1 < means[2][1]
    (segment,) = ax.containers[0].lines[2][0].get_segments()
    half_width = stats.mean_interval(values - 2).half_width
    assert segment[:, 0] == pytest.approx([-half_width, half_width])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["none", "cnn-4"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert sorted(x for x, y in dots(ax, "s") if y != means[2][1]) == [-3, -2, -1]
