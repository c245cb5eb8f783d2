"""The live figures under a reader's hands: on a phone, from the disk, by finger, mouse and keyboard."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_live import CLOSE, SCRIPTS, covered, layer_outputs

from hqnn import experiments, records
from hqnn.papers.hqnn import parallel
from tools import live


@pytest.fixture(scope="module")
def data(chromium: Any) -> dict[str, Any]:
    return {name: make() for name, make in live.FIGURES.items()}


@pytest.fixture
def opened(chromium: Any, data: dict[str, Any], tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """Open a page with one figure from the disk, on a phone; at the end, nothing may have failed or been asked for."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    faults: list[str] = []

    def show(name: str) -> Any:
        for script in live.scripts_of([name]):
            source = SCRIPTS / f"{script}.js"
            text = source.read_text(encoding="utf-8") if source.exists() else live.script_of(name, data[name])
            (tmp_path / f"{script}.js").write_text(text, encoding="utf-8")
        shutil.copy(SCRIPTS / "live.css", tmp_path)
        tags = "".join(f'<script src="{script}.js" defer></script>' for script in live.scripts_of([name]))
        (tmp_path / "page.html").write_text(
            f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f'<link rel="stylesheet" href="live.css">{tags}'
            f'<article class="bd-article"><div class="live" data-live="{name}">none</div></article>',
            encoding="utf-8",
        )
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_selector(".live-ready")
        return page

    yield show
    for page in context.pages:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the figure is wider than the page"
        elements = "[...document.querySelectorAll('input, svg[role=img]')]"
        assert page.evaluate(f"{elements}.every((one) => one.ariaLabel || one.labels?.[0]?.textContent)")
    context.close()
    assert faults == []


def shown(page: Any, key: str) -> Any:
    return json.loads(page.locator(".live").get_attribute(f"data-{key}"))


def test_explorer_follows_the_readers_hands(opened: Callable[[str], Any], data: dict[str, Any]) -> None:
    page, network = opened("circuit"), data["circuit"]["networks"]["trained"]
    for which in (0, 1):
        page.get_by_role("button", name=f"trained: a {which}", exact=True).tap()
        expected = layer_outputs(
            live.without_ladders(first=True, second=True), np.array([*network["features"][which], *network["weights"]])
        )
        np.testing.assert_allclose(shown(page, "z"), expected, atol=CLOSE)
        np.testing.assert_allclose(shown(page, "closed"), expected, atol=CLOSE)
        assert (shown(page, "score") > 0) == bool(which)
    before = shown(page, "z")
    page.get_by_role("button", name="x → −x").tap()
    np.testing.assert_allclose(shown(page, "z"), before, atol=CLOSE)
    page.get_by_role("button", name="θ = 0").tap()
    np.testing.assert_allclose(shown(page, "z")[1:], 0, atol=CLOSE)
    slider = page.get_by_role("slider", name="feature x 0, radians")
    before = shown(page, "z")
    slider.focus()
    for _ in range(30):
        slider.press("ArrowRight")
    assert abs(shown(page, "z")[0] - before[0]) > 0.01
    page.get_by_role("radio", name="psi 2, after data").check()
    assert "length 1.00" in page.locator(".live-sphere svg").first.get_attribute("aria-label")
    page.get_by_label("CNOTs before the rotations").uncheck()
    page.get_by_label("CNOTs after them").uncheck()
    assert page.locator(".live-forms li").count() == 4


def test_late_start_is_mended_by_moving_the_offset(opened: Callable[[str], Any]) -> None:
    page = opened("late-start")
    assert shown(page, "low") > 0
    assert "misses zero" in page.locator(".live-verdict").inner_text()
    page.get_by_role("slider", name="offset b").fill("0")
    assert shown(page, "low") < 0 < shown(page, "high")
    page.get_by_role("button", name="as recorded").tap()
    assert shown(page, "low") > 0
    page.get_by_role("radio", name="epoch 10").check()
    assert shown(page, "low") < 0 < shown(page, "high")


def test_noise_draws_scores_to_the_offset(opened: Callable[[str], Any], data: dict[str, Any]) -> None:
    page, of = opened("noise"), data["noise"]
    assert shown(page, "accuracy") > 0.98
    page.get_by_role("radio", name="8 blocks").check()
    assert shown(page, "accuracy") > 0.98  # at the strength of today's hardware
    strength = page.get_by_role("slider", name="strength of errors after a CNOT")
    strength.fill(str(math.log10(0.15)))
    assert shown(page, "accuracy") < 0.6
    page.get_by_label(re.compile("Set the threshold anew")).check()
    assert shown(page, "accuracy") > 0.9  # with exact expectation values
    page.get_by_role("radio", name="64").check()
    assert shown(page, "accuracy") < 0.75
    page.get_by_role("radio", name="exact").check()
    strength.press("End")
    assert np.abs(np.array(shown(page, "scores")) - of["network"]["offset"]).max() < 0.1
    assert shown(page, "accuracy") < 0.1  # what is left points the other way


def test_a_digit_is_read_from_a_drawing(opened: Callable[[str], Any], data: dict[str, Any]) -> None:
    page = opened("digit")
    page.get_by_role("button", name="clear").tap()
    reads = "document.querySelector('.live-verdict').textContent === "
    page.wait_for_function(f"{reads}'Draw a digit.'")
    box = page.locator(".live-draw").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.15
    finger = page.context.new_cdp_session(page)
    for k in range(17):
        point = {"x": x - 0.75 * k, "y": y + 0.7 * box["height"] * k / 16}
        kind = "touchMove" if k else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function(f"{reads}'All three read a 1.'")
    page.wait_for_function("document.querySelector('.live').live.heat")
    found = page.evaluate("document.querySelector('.live').live")
    image = torch.tensor(found["image"], dtype=torch.float64).reshape(1, 1, 28, 28)
    for k, series in enumerate(live.DRAWN.values()):
        model = parallel.build(experiments.config(series)).eval()
        model.load_state_dict(records.load(series)[0].snapshot(8))
        model.double()
        with torch.no_grad():
            np.testing.assert_allclose(found["found"][k]["scores"], model(image)[0].numpy(), atol=CLOSE)
        np.testing.assert_allclose(np.reshape(found["heat"][k], (28, 28)), covered(model, image), atol=CLOSE)
    page.get_by_role("button", name="clear").tap()
    page.wait_for_function(f"{reads}'Draw a digit.'")
    page.locator(".live-draw").focus()
    for key in [" ", *["ArrowDown"] * 12, " "]:
        page.keyboard.press(key)
    page.wait_for_function(f"{reads}'All three read a 1.'")


def test_a_hard_digit_gets_the_recorded_answers_until_it_is_drawn_upon(
    opened: Callable[[str], Any], data: dict[str, Any]
) -> None:
    if not data["digit"]["hard"]:
        pytest.skip("MNIST is not here")
    page = opened("digit")
    for digit in data["digit"]["hard"]:
        page.get_by_role("button", name=f"a hard {digit['label']}").tap()
        called = f"MNIST calls this {'an' if digit['label'] == 8 else 'a'} {digit['label']}."
        assert page.locator(".live-verdict").inner_text().startswith(called)
        assert page.locator(".live-answer b").all_inner_texts() == [str(said) for said in digit["said"]]
    page.wait_for_function("document.querySelector('.live').live.heat")
    assert [
        label.partition(":")[0]
        for label in page.locator(".live-heat").evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    ] == [f"Where {name} looks" for name in live.DRAWN]
    page.locator(".live-draw").tap()
    page.wait_for_function("!document.querySelector('.live-verdict').textContent.startsWith('MNIST')")
