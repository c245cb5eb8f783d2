"""What axe-core, the usual checker of accessibility, finds on the built pages: nothing."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import weight


@pytest.fixture(scope="module")
def axe() -> str:
    """The checker, or a reason why there is none."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-playwright-python, which brings the checker axe-core, is not installed")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that reports nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def served(html: Path) -> Iterator[str]:
    """The address of the built book on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def violations(page: Any, axe: str) -> list[str]:
    """The rules that a page breaks, each with the first place."""
    page.evaluate("document.fonts.ready.then(() => window.MathJax?.startup?.promise)")
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(frames)  # after which `wide.js` has looked
    page.evaluate(axe)
    rules = "{'empty-table-header': {enabled: false}}"  # takes mathematics for nothing; `tools.finish` mends empty ones
    found = page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], rules: {rules}}})")["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:120]}" for rule in found]


def test_a_fault_is_found(chromium: Any, axe: str) -> None:
    page = chromium.new_page()
    page.set_content('<html lang="en"><title>t</title><main><h1>T</h1><img src="data:,"></main></html>')
    assert [found.partition(":")[0] for found in violations(page, axe)] == ["image-alt"]
    page.close()


BESIDE = "book/lcqhnn/01-circuit.html"
"""A page with what stands beside the text on a desktop, which is all that a dark one adds to a dark telephone."""


@pytest.mark.parametrize("view", ["light, desktop", "dark, telephone", "dark, desktop"])
def test_no_page_breaks_a_rule(chromium: Any, axe: str, html: Path, served: str, view: str) -> None:
    scheme, _, size = view.partition(", ")
    width, height = (1400, 900) if size == "desktop" else (390, 844)
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    found = {}
    for path in [html / BESIDE] if view == "dark, desktop" else weight.pages(html):
        page = context.new_page()
        page.goto(f"{served}/{path.relative_to(html).as_posix()}", wait_until="load", timeout=120_000)
        found[path.name] = violations(page, axe)
        page.close()
    context.close()
    assert {name: broken for name, broken in found.items() if broken} == {}
