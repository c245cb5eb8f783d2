"""A reader who knows nothing of the book gets from its first page to the record behind a claim, and back, by links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tools.repository import ROOT, address

ON_SCREEN = """(text) => [...document.querySelectorAll("article.bd-article :is(h1, p, li, tr)")].some((one) => {
  const box = one.getBoundingClientRect();
  return box.bottom > 60 && box.top < innerHeight && one.innerText.replace(/\\s+/g, " ").includes(text);
})"""
"""Whether some text stands on the screen as it is now."""


def test_four_clicks_from_the_first_page_to_a_record(chromium: Any, html: Path) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 800})

    def sees(text: str) -> None:
        page.wait_for_function(ON_SCREEN, arg=text)

    page.goto((html / "index.html").as_uri())
    sees("of the printed gains in accuracy hardly any is seen")
    page.get_by_role("article").get_by_role("link", name="Verdict: the network works").click()  # what held in LCQHNN
    sees("LCQHNN works: on FashionMNIST it reaches")
    page.get_by_role("link", name="a formula of sines and cosines has it, too").click()  # why
    sees("What helps are the waves, not what makes them.")
    page.get_by_role("link", name="L15-closed-form", exact=True).first.click()  # a claim
    sees("LCQHNN with its circuit written out as sines and cosines of the same four angles is as accurate.")
    row = page.locator("[id='L15-closed-form']")
    record = row.get_by_role("link", name="data/runs/lcqhnn-dequantised-fashion/closed-form").get_attribute("href")
    path = unquote(urlsplit(record).path).partition("/main/")[2]
    assert len(list((ROOT / path).glob("*.json"))) == 20
    page.close()


def test_from_the_records_back_to_the_book(html: Path) -> None:
    text = (ROOT / "data/runs/README.md").read_text(encoding="utf-8")
    pages = re.findall(rf"\({re.escape(address().pages)}/([^)#]*)", text)
    assert pages == ["book/records.html", "book/scoreboard.html", "book/scoreboard.html"]
    assert [page for page in pages if not (html / page).exists()] == []
    run, claim = re.findall(r"verify --rerun (\S+)", text)
    assert (ROOT / "data/runs" / run.replace("/0", "/seed-0.json")).exists()
    assert f'id="{claim}"' in (html / "book/scoreboard.html").read_text(encoding="utf-8")
    assert f'href="{address().url}/blob/main/data/runs/README.md"' in (html / pages[0]).read_text(encoding="utf-8")
