"""Figures of heat maps and of what they say about training: what they show is what they were given."""

import base64
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hqnn import figures

pytestmark = pytest.mark.usefixtures("house_style")


def panel() -> Any:
    """Axes of a figure of their own; untyped, since the tests look into their artists."""
    return plt.subplots()[1]


def test_gallery_lays_images_over_their_maps_each_scaled_by_its_own_maximum() -> None:
    images = np.zeros((2, 4, 4), np.float32)
    images[1, 1:3, 1:3] = 1.0
    heat = np.zeros((2, 4, 4), np.float32)
    heat[0, 0, 3], heat[0, 0, 0], heat[1, 2, 2] = 2e-3, 1e-3, 5.0
    ax = panel()
    assert figures.heat_gallery(ax, images, {"a": heat, "none": 0 * heat}, images > 0.5) == ax
    assert [label.get_text() for label in ax.get_yticklabels()] == ["image", "a", "none"]
    mosaic = ax.images[0].get_array()
    assert mosaic.shape == (3 * 4 + 2 * 2, 2 * 4 + 2, 3)
    assert (mosaic[4:6] == 1).all()  # white between the rows
    assert mosaic[1, 7].tolist() == [1.0, 1.0, 1.0]
    inferno = mpl.colormaps["inferno"]
    for (row, column), level in {(6, 3): 1.0, (6, 0): 0.5, (8, 8): 1.0, (9, 9): 0.0, (12, 0): 0.0}.items():
        assert mosaic[row, column].tolist() == pytest.approx(inferno(level)[:3], abs=0.01)
    outlined = [c for c in ax.collections if any(len(path.vertices) for path in c.get_paths())]
    assert len(outlined) == 2  # the second object, in each row of maps
    assert outlined[0].get_datalim(ax.transData).bounds == pytest.approx((6.5, 6.5, 2, 2))


def test_snapshot_curves_show_every_run_and_the_mean() -> None:
    values = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 5.0]])
    ax = panel()
    assert figures.snapshot_curves(ax, (0, 1, 50), {"cnn-4": values}) == ax
    mean, *runs = ax.lines
    assert mean.get_ydata().tolist() == [2.0, 2.0, 4.0]
    assert [run.get_ydata().tolist() for run in runs] == values.tolist()
    assert {line.get_color() for line in ax.lines} == {figures.COLOURS["cnn-4"]}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "50"]
    band = ax.collections[0].get_paths()[0].vertices
    half = 12.706 * np.sqrt(2) / np.sqrt(2)  # t(0.975, 1) from printed tables; s = √2, n = 2
    assert band[:, 1].max() == pytest.approx(4 + half, abs=1e-2)


def test_level_is_a_line_with_its_meaning() -> None:
    ax = panel()
    assert figures.level(ax, 0.4, "even heat") == ax
    assert list(ax.lines[0].get_ydata()) == [0.4, 0.4]
    assert (ax.texts[0].get_text(), ax.texts[0].get_position()[1]) == ("even heat", 0.4)


def test_paths_of_focus_and_accuracy_rise_with_accuracy() -> None:
    focus, accuracy = np.array([[0.2, 0.3], [0.4, 0.5]]), np.array([[0.5, 0.99], [0.9, 1.0]])
    ax = panel()
    assert figures.focus_against_accuracy(ax, focus, accuracy, (0, 50)) == ax
    early, late = (dots.get_offsets() for dots in ax.collections)
    assert early.tolist() == [pytest.approx([20, 50]), pytest.approx([40, 10])]
    assert late.tolist() == [pytest.approx([30, 1]), pytest.approx([50, 0.05])]  # without an error
    heights = [ax.transData.transform(point)[1] for point in (*early, *late)]
    assert heights == sorted(heights)
    assert len(ax.lines) == 2


def test_a_stored_picture_is_shown_as_the_figure_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr(figures.theme, "display", lambda data, raw, metadata=None: shown.append((data, metadata or {})))
    figure, ax = plt.subplots(figsize=(4, 2))
    ax.plot([0, 1])
    png = figures.render(figure)
    assert not plt.get_fignums()
    figures.show(png, alt="a line", caption="A *line*.")
    (image, metadata), (caption, _) = shown
    assert base64.b64decode(image["image/png"]) == png
    assert image["text/plain"] == metadata["image/png"]["alt"] == "a line"
    assert caption == {"text/markdown": "A *line*.", "text/plain": "A *line*."}
    assert metadata["image/png"]["width"] == pytest.approx(420, abs=10)  # 4 inches at 100 dpi, and the margins
    with pytest.raises(ValueError, match="its caption text"):
        figures.show(png, alt="a line", caption=" ")
