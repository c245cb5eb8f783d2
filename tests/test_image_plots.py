"""Figures of images, and curves with every run."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hqnn import figures


@pytest.mark.parametrize("channels", [1, 3])
def test_columns_of_images_with_their_names(channels: int) -> None:
    _, ax = plt.subplots()
    images = np.full((2, 8, 8, channels), 7, np.uint8)
    figures.image_columns(ax, {"a": images, "b": images + 1, "c": images})
    wall = ax.images[0].get_array()
    assert wall is not None
    assert wall.shape[:2] == (2 * 10, 3 * 10)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]
    middle = np.asarray(wall)[5, [5, 15, 25]]
    assert middle.reshape(3, -1)[:, 0].tolist() == [7, 8, 7]
    plt.close()


def test_one_title_per_image() -> None:
    figure, axes = plt.subplots(1, 2)
    figures.titled_images(axes.flat, np.zeros((2, 5, 5, 1), np.uint8), ["3 (5)", "4 (9)"])
    assert [ax.get_title() for ax in axes] == ["3 (5)", "4 (9)"]
    with pytest.raises(ValueError, match="argument"):
        figures.titled_images(axes.flat, np.zeros((1, 5, 5, 1), np.uint8), ["3"])
    plt.close(figure)


def test_curves_show_every_run_their_mean_and_the_printed_end() -> None:
    _, ax = plt.subplots()
    history = np.array([[0.1, 0.3], [0.3, 0.5]])
    figures.curve_bands(ax, {"hqnn": history}, {"hqnn": 0.45})
    curves = [np.asarray(line.get_ydata(), dtype=float).tolist() for line in ax.lines]
    assert curves[:2] == history.tolist()
    assert curves[2] == pytest.approx([0.2, 0.4])
    assert curves[3] == [0.45]
    assert ax.lines[3].get_xdata()[0] == 2  # type: ignore[index]
    assert [label.get_text() for label in ax.legend().get_texts()] == ["hqnn"]
    plt.close()
