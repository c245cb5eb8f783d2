"""What every test starts from, and what several test files share."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch
from hypothesis import settings

from hqnn import figures, papers

# The same examples in every run, and as long for each as a busy machine takes.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """The same random numbers in every run, so that a statistical test cannot fail by chance on another day."""
    torch.manual_seed(0)


@pytest.fixture
def house_style() -> Iterator[None]:
    """The book's style for figures, and every figure closed at the end."""
    with plt.rc_context():
        figures.style()
        yield
        plt.close("all")


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Any]]:
    """Watch figures being drawn: name of a function of `figures`, or a paper's -> list that its arguments go to."""

    def watch(name: str) -> list[Any]:
        calls: list[Any] = []
        home = next(module for module in (figures, *papers.modules("figures")) if hasattr(module, name))
        draw = getattr(home, name)

        def watching(*arguments: Any) -> Any:
            calls.append(arguments)
            return draw(*arguments)

        monkeypatch.setattr(home, name, watching)
        return calls

    return watch


@pytest.fixture
def ax(house_style: None) -> Any:
    """Axes of a figure of their own; untyped, since the tests look into their artists."""
    return plt.subplots()[1]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium, or a reason why there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives a browser, is not installed")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium is installed to drive the pages in")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
