"""How a notebook shows a figure: one image with its alternative text, one caption, nothing left open."""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from PIL import Image

from hqnn import figures


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """What was displayed: data and metadata of each output."""
    outputs: list[tuple[dict[str, str], dict[str, Any]]] = []

    def display(data: dict[str, str], *, raw: bool, metadata: dict[str, Any] | None = None) -> None:
        assert raw
        outputs.append((data, metadata or {}))

    monkeypatch.setattr(figures.theme, "display", display)
    return outputs


def figure() -> Figure:
    with mpl.rc_context():
        figures.style()
        made, ax = plt.subplots()
        ax.plot([0, 1], [0, 1])
    return made


def test_image_carries_its_text_and_the_caption_follows(shown: list[Any]) -> None:
    figures.show(figure(), alt="A line.", caption="It rises, $x$.")
    (image, metadata), (caption, _) = shown
    assert image["text/plain"] == metadata["image/png"]["alt"] == "A line."
    assert caption == {"text/markdown": "It rises, $x$.", "text/plain": "It rises, $x$."}


def test_vector_images_are_the_same_text_each_time(shown: list[Any]) -> None:
    for _ in range(2):
        figures.show(figure(), alt="A line.", caption="It rises.", vector=True)
    (first, _), _, (second, _), _ = shown
    assert first == second
    assert first["text/plain"] == "A line."
    assert first["image/svg+xml"].lstrip().startswith("<?xml")
    assert "<metadata>" not in first["image/svg+xml"]


def test_image_is_opaque_and_denser_than_displayed(shown: list[Any]) -> None:
    figures.show(figure(), alt="a", caption="c")
    data, metadata = shown[0]
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    size = metadata["image/png"]
    assert picture.size == pytest.approx(
        (figures.PIXEL_RATIO * size["width"], figures.PIXEL_RATIO * size["height"]), abs=1
    )
    alpha = picture.convert("RGBA").getchannel("A")
    assert alpha.getextrema() == (255, 255)
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_same_figure_gives_the_same_bytes(shown: list[Any]) -> None:
    figures.show(figure(), alt="a", caption="c")
    figures.show(figure(), alt="a", caption="c")
    assert shown[0] == shown[2]


def test_figure_is_closed(shown: list[Any]) -> None:
    made = figure()
    figures.show(made, alt="a", caption="c")
    assert not plt.fignum_exists(made.number)


@pytest.mark.parametrize(("texts", "name"), [(("", "c"), "alt"), (("a", " "), "caption")])
def test_figure_without_a_text_is_refused(texts: tuple[str, str], name: str, shown: list[Any]) -> None:
    made = figure()
    with pytest.raises(ValueError, match=f"its {name} text"):
        figures.show(made, alt=texts[0], caption=texts[1])
    assert not shown
    plt.close(made)


def test_style_keeps_text_legible_on_white() -> None:
    kinds = ("font.size", "fontsize", "labelsize", "titlesize")
    sizes = [value for key, value in figures.STYLE.items() if key.endswith(kinds)]
    assert len(sizes) >= 6
    assert min(sizes) >= 9
    assert figures.STYLE["figure.facecolor"] == figures.STYLE["savefig.facecolor"] == "white"


def test_every_model_has_a_colour_of_its_own() -> None:
    for models in (("lcqhnn", "cnn-4", "cnn-8", "cnn-16"), ("hqnn", "cnn", "blocks")):
        assert len({figures.COLOURS[model] for model in models}) == len(models)
