"""What figures are made of, and figures of models: what they show is what they were given."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hqnn import figures
from hqnn.figures.primitives import across
from hqnn.stats import Interval

pytestmark = pytest.mark.usefixtures("house_style")

T_1 = (
    12.7062  # Student's t for one degree of freedom, from printed tables: half the width for two values 1 apart is T/2
)


def labels(ax: Any) -> list[str]:
    return ax.get_legend_handles_labels()[1]


def marked(ax: Any, marker: str) -> list[list[float]]:
    """Where the markers of a kind are."""
    return [point for line in ax.lines if line.get_marker() == marker for point in line.get_xydata().tolist()]


def test_a_mean_stands_between_the_ends_of_its_interval() -> None:
    found = across([[1.0, 5.0], [2.0, 5.0]])
    assert found == pytest.approx(np.array([[1.5, 5], [1.5 - T_1 / 2, 5], [1.5 + T_1 / 2, 5]]), abs=1e-3)
    assert across([7.0]).tolist() == [7, 7, 7]


def test_a_band_runs_from_end_to_end_of_the_interval_and_stops_at_what_is_possible(ax: Any) -> None:
    values = np.array([[50.0, 99.0], [50.2, 99.2]])
    figures.band(ax, [1, 2], values, colour="C0", within=(0, 100), runs=True, label="a")
    mean, *runs = ax.lines
    assert mean.get_xydata() == pytest.approx(np.array([[1, 50.1], [2, 99.1]]))
    assert [run.get_ydata().tolist() for run in runs] == values.tolist()
    edges = ax.collections[0].get_paths()[0].vertices
    at_1, at_2 = (edges[edges[:, 0] == x][:, 1] for x in (1, 2))
    assert (at_1.min(), at_1.max()) == pytest.approx((50.1 - T_1 / 10, 50.1 + T_1 / 10), abs=1e-3)
    assert at_2.max() == 100


def test_whiskers_have_the_interval_of_their_own_sample(ax: Any) -> None:
    figures.whiskers(ax, [3, 5], [[1.0, 2.0], [9.0]], colour="C0", upright=False)
    segments = [segment.tolist() for segment in ax.containers[0].lines[2][0].get_segments()]
    assert segments[0] == [pytest.approx([1.5 - T_1 / 2, 3], abs=1e-3), pytest.approx([1.5 + T_1 / 2, 3], abs=1e-3)]
    assert segments[1] == [[9, 5], [9, 5]]


def test_a_forest_has_the_right_interval_beside_the_right_label(ax: Any) -> None:
    values = np.array([1.0, 2.0, 3.0])
    rows = {"none": {"MNIST": values - 2}, "cnn-4": {"MNIST": values, "FashionMNIST": -values}}
    figures.paired_differences(ax, rows)
    assert labels(ax) == ["MNIST", "FashionMNIST"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["none", "cnn-4"]
    means = [bars.lines[0].get_xydata()[0] for bars in ax.containers]
    assert [mean[0] for mean in means] == pytest.approx([0, 2, -2])
    assert 0 == means[0][1] < means[1][1] < 1 < means[2][1]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
    assert sorted(x for x, y in marked(ax, "s") if y != means[2][1]) == [-3, -2, -1]


def test_intervals_keep_printed_values_and_levels_apart(ax: Any) -> None:
    values = {"a": np.array([90.0, 92.0]), "b": np.array([50.0])}
    figures.intervals(ax, values, {"paper": 94.5}, marked=("b",), printed={"b": 77.0})
    assert labels(ax) == ["paper"]
    assert [94.5, 94.5] in [list(line.get_xdata()) for line in ax.lines]
    assert marked(ax, "D") == [[77, 1]]
    assert [bars.lines[0].get_xydata()[0].tolist() for bars in ax.containers] == [[91, 0], [50, 1]]


def test_bars_stand_for_values_in_groups(ax: Any) -> None:
    groups = {"few": {1: Interval(1.0, 0.5, 10), 8: Interval(4.0, 1.0, 10)}, "many": {1: Interval(0.0, 0.1, 10)}}
    figures.bars(ax, groups, {1: "C0", 8: "C1"}, {1: "one", 8: "eight"})
    assert [bar.get_height() for bar in ax.patches] == [1.0, 4.0, 0.0]
    assert labels(ax) == ["one", "eight"]
    centres = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches]
    assert centres[0] < 0 < centres[1] < centres[2] == pytest.approx(1.0)


def test_a_confusion_matrix_writes_every_count_and_colours_errors(ax: Any) -> None:
    figures.confusion(ax, np.array([[8.0, 2.0], [0.0, 10.0]]), ["x", "y"])
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "8", (1, 0): "2", (1, 1): "10"}  # a column per class found
    assert np.array(ax.images[0].get_array()).tolist() == [[0, 2], [0, 0]]


@pytest.mark.parametrize("channels", [(), (3,)])
def test_images_stand_in_their_rows_and_columns(ax: Any, channels: tuple[int, ...]) -> None:
    tiles = np.arange(6).reshape(2, 3, *([1] * (2 + len(channels)))) / 10 * np.ones((2, 3, 4, 5, *channels))
    figures.image_grid(ax, tiles, rows=["a", "b"], columns=["x", "y", "z"], gap=2)
    wall = np.asarray(ax.images[0].get_array())
    assert wall.shape == (2 * 4 + 2, 3 * 5 + 4, *channels)
    middles = wall[np.ix_([1, 7], [2, 9, 16])].reshape(2, 3, -1)[..., 0]
    assert middles.ravel() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert (wall[4:6] == 1).all()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_yticks().tolist() == [1.5, 7.5]


def test_learning_curves_are_in_per_cent_under_the_models_names(ax: Any) -> None:
    history = np.array([[0.5, 0.9], [0.7, 0.9]])
    figures.learning_curves(ax, {"lcqhnn": history, "cnn-4": history / 2}, {"cnn-4": {2: 86.33}})
    assert labels(ax) == ["LCQHNN", "CNN-4"]
    assert ax.lines[0].get_xydata() == pytest.approx(np.array([[1, 60], [2, 90]]))
    assert ax.lines[0].get_color() == figures.model("lcqhnn").colour
    assert marked(ax, "D") == [[2, 86.33]]


def test_curves_show_every_run_their_mean_and_the_printed_end(ax: Any) -> None:
    history = np.array([[0.1, 0.3], [0.3, 0.5]])
    figures.curve_bands(ax, {"hqnn": history}, {"hqnn": 0.45})
    drawn = [line.get_ydata().tolist() for line in ax.lines if line.get_marker() != "D"]
    assert pytest.approx([0.2, 0.4]) in drawn
    assert all(run in drawn for run in history.tolist())
    assert marked(ax, "D") == [[2, 0.45]]


def test_single_runs_stand_beside_their_mean_and_the_papers_value(ax: Any) -> None:
    values = {"cnn-4": np.array([98.0, 96.0, 97.0]), "cnn-8": np.array([95.0])}
    figures.single_runs(ax, values, {"cnn-8": 91.0, "cnn-4": 76.56})
    assert [height for _, height in marked(ax, "o")] == [96, 97, 98, 95]
    assert [height for _, height in marked(ax, "D")] == [76.56, 91.0]
    assert [bar.get_segments()[0][0, 1] for bar in ax.collections] == [97, 95]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["CNN-4", "CNN-8"]


def test_a_way_goes_through_rooms_that_there_are() -> None:
    _, ax = plt.subplots()
    figures.floors(ax, [{"cellar": 4}, {"kitchen": 9, "hall": 1}], {"in": ("red", ["hall", "kitchen"])})
    assert {"cellar", "kitchen", "hall", "1", "2"} <= {text.get_text() for text in ax.texts}
    with pytest.raises(KeyError, match="attic"):
        figures.floors(ax, [{"cellar": 4}], {"up": ("red", ["attic"])})
