"""The ledger's page: its rows, its links, the files beside it, and its filter in a browser."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

from hqnn import claims
from hqnn.claims import Result, Verdict, report
from tools import ledger, repository
from tools.repository import ROOT, tracked_files

SCRIPT = ROOT / "book" / "_static" / ledger.SCRIPT
NAMES = ledger.Names("../scoreboard.html")
FIELDS: dict[str, Callable[[Result], str]] = {
    "paper": lambda one: one.claim.paper,
    "kind": lambda one: one.claim.kind,
    "verdict": lambda one: str(one.judgement.verdict),
}


@pytest.fixture(scope="module")
def stored() -> list[Result]:
    return claims.stored()


def app(tmp_path: Path | None = None, *, pages: tuple[str, ...] = (ledger.PAGE,)) -> Sphinx:
    """What the extension asks of Sphinx."""
    return cast(
        "Sphinx",
        SimpleNamespace(
            builder=SimpleNamespace(get_relative_uri=lambda _page, _to: "../scoreboard.html"),
            env=SimpleNamespace(found_docs=set(pages), docname="book/a/b"),
            srcdir=ROOT if pages else tmp_path,
            outdir=(tmp_path or ROOT) / "html",
            config=SimpleNamespace(html_extra_path=[]),
        ),
    )


def chosen(stored: list[Result], fragment: str) -> list[str]:
    """The rows that a fragment asks for."""
    asked = {name: values[0] for name, values in parse_qs(fragment, strict_parsing=True).items()}
    text = asked.pop("text", "").lower()
    return [
        one.claim.id
        for one in stored
        if all(FIELDS[name](one) == value for name, value in asked.items())
        and text in re.sub("<[^>]*>", "", report.to_html([one])).lower()
    ]


# --- sources


def sources() -> dict[str, str]:
    book = (path for path in tracked_files() if path.is_relative_to(ROOT / "book") and path.suffix in (".md", ".py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in book}


def unknown(text: str) -> list[str]:
    return [name for name in ledger.CLAIM.findall(text) if ledger.choice(name) is None]


def test_every_claim_that_the_book_mentions_exists() -> None:
    texts = sources()
    assert {name: unknown(text) for name, text in texts.items() if unknown(text)} == {}
    assert sum(len(ledger.CLAIM.findall(text)) for text in texts.values()) > 50
    assert unknown("L6-fashion-cnn4-25, L6-fashion-cnn5-25, L7-fastest and L7-fast") == [
        "L6-fashion-cnn5-25",
        "L7-fast",
    ]


def test_every_link_to_a_choice_of_rows_finds_some(stored: list[Result]) -> None:
    found = {match for text in sources().values() for match in re.findall(r"scoreboard\.ipynb#([^)]*)\)", text)}
    assert len(found) >= 7
    assert [fragment for fragment in found if not chosen(stored, fragment)] == []
    assert chosen(stored, "paper=lcqhnn&verdict=refuted") == []


def test_every_claim_is_treated_on_a_page_and_none_is_told_at_length_there(stored: list[Result]) -> None:
    texts = {name: text for name, text in sources().items() if name.endswith(".py")}
    named = [ast.literal_eval(f"({args},)") for t in texts.values() for args in re.findall(r"in_short\((.*?)\)", t)]
    shown = [report.in_short(*names).data for names in named]
    treated = {name for text in shown for name in re.findall("<code>(.+?)</code>", text)}
    left = {one.claim.id for one in stored if one.claim.kind != "question"} - treated
    assert left == set()
    assert max(map(len, shown)) < 6_000
    tables = {name for name, text in texts.items() if "report.to_html(" in text}
    assert tables == {f"{ledger.PAGE}.py"}


# --- files


def test_the_files_beside_the_page_are_the_stored_verdicts(tmp_path: Path) -> None:
    of = app(tmp_path)
    ledger.ship_verdicts(of)
    (folder,) = of.config.html_extra_path
    rows = json.loads(claims.SNAPSHOT.read_bytes())
    assert json.loads((Path(folder) / "book/claims.json").read_bytes()) == rows
    table = list(csv.DictReader(io.StringIO((Path(folder) / "book/claims.csv").read_text(encoding="utf-8"))))
    assert table == [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]


def test_every_row_has_its_entry_for_bibtex(tmp_path: Path, stored: list[Result]) -> None:
    of = app(tmp_path)
    ledger.ship_verdicts(of)
    folder = Path(of.config.html_extra_path[0]) / "book"
    together = (folder / "claims.bib").read_text(encoding="utf-8").split("\n\n")
    assert [entry.splitlines()[0] for entry in together] == [f"@misc{{{one.claim.id}," for one in stored]
    for one, entry in zip(stored, together, strict=True):
        assert (folder / "cite" / f"{one.claim.id}.bib").read_text(encoding="utf-8") == f"{entry}\n"
        assert f": {one.judgement.verdict}}}" in entry
        assert f"scoreboard.html#{one.claim.id}}}" in entry
        assert entry.count("{") - entry.count("\\{") == entry.count("}") - entry.count("\\}")
        assert not re.search(r"(?<!\\)[&%_$]", entry.replace("#", ""))
    page = document(nodes.raw("", report.to_html(stored), format="html"))
    linked(page, ledger.PAGE)
    links = re.findall('<a href="cite/([^"]+).bib" download>BibTeX</a>', page.astext())
    assert links == [one.claim.id for one in stored]


def test_a_book_without_the_page_has_no_files_and_no_links_to_it(tmp_path: Path) -> None:
    of = app(tmp_path, pages=())
    ledger.ship_verdicts(of)
    assert of.config.html_extra_path == []
    page = document(nodes.paragraph("", "", nodes.Text("see L1-gates")))
    ledger.link_names(of, page, "book/a/b")
    assert not list(page.findall(nodes.reference))


# --- links


def document(*parts: nodes.Node) -> nodes.document:
    page = new_document("page")
    page += parts
    return page


def linked(page: nodes.document, name: str = "book/a/b") -> dict[str, str]:
    ledger.link_names(app(), page, name)
    return {reference.astext(): reference["refuri"] for reference in page.findall(nodes.reference)}


def test_claims_on_a_page_lead_to_their_rows() -> None:
    code = nodes.literal("", "L6-fashion-cnn4-25")
    plain = nodes.Text("Not L1-gates but L7-fastest, of A4-sheets; ")
    page = document(nodes.paragraph("", "", plain, code))
    before = page.astext()
    assert linked(page) == {
        "L1-gates": "../scoreboard.html#L1-gates",
        "L7-fastest": "../scoreboard.html#text=L7-fastest-",
        "L6-fashion-cnn4-25": "../scoreboard.html#L6-fashion-cnn4-25",
    }
    assert page.astext() == before
    assert list(page.findall(nodes.literal)) != []


def test_links_out_of_the_book_are_marked_as_such() -> None:
    page = document(nodes.paragraph("", "", *(nodes.literal("", name) for name in ("L1-gates", "hqnn.runs.run"))))
    linked(page)
    assert [one["internal"] for one in page.findall(nodes.reference)] == [True, False]


def test_titles_programs_and_links_stay_as_they_are() -> None:
    kept = [
        nodes.section("", nodes.title("", "L1-gates")),
        nodes.literal_block("", "python -m hqnn claims L1-gates"),
        nodes.paragraph("", "", nodes.reference("", "", nodes.literal("", "L1-gates"), refuri="x")),
        nodes.paragraph("", "", nodes.literal("", "python -m hqnn claims L1-gates")),
    ]
    page = document(*kept)
    before = page.pformat()
    linked(page)
    assert page.pformat() == before


def test_rows_lead_to_their_records_and_their_code(stored: list[Result]) -> None:
    text = NAMES.in_html(report.to_html(stored))
    assert re.findall('<a href="../scoreboard.html#([^"]+)"><code>', text)[:2] == ["L1-gates", "L1-weights"]
    left = re.findall("(?<!>)<code>([^<]+)</code>", text)
    assert {name for name in left if not name.startswith("python -m hqnn claims ")} == set()
    address = f"{repository.address().url}/(tree|blob)/main/"
    for kind, path, line, name in set(
        re.findall(rf'<a href="{address}([^"#]+)(?:#L(\d+))?"><code>([^<]+)</code>', text)
    ):
        assert (ROOT / path).is_dir() == (kind == "tree"), name
        if line:
            there = (ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
            assert re.match(rf"(@|(def|class) {name.rpartition('.')[2]}\b)", there), name
        else:
            assert path == name


@pytest.mark.parametrize("name", ["data/runs/none", "hqnn.no_such.thing", "hqnn.claims.no_such", "numpy.array", "L6"])
def test_other_names_lead_nowhere(name: str) -> None:
    assert NAMES.target(name) is None


def test_modules_lead_to_their_files() -> None:
    assert str(NAMES.target("hqnn.views.fourier")).endswith("/blob/main/lib/hqnn/views/fourier.py")


def test_links_to_a_choice_of_rows_are_not_looked_for() -> None:
    fragments = ["paper=hqnn&verdict=undecided", "L1-gates", "the-ledger"]
    links = [
        pending_xref("", nodes.inline("", f"link {k}"), reftarget=ledger.PAGE, reftargetid=fragment)
        for k, fragment in enumerate(fragments)
    ]
    page = document(nodes.paragraph("", "", *links))
    ledger.link_choices(app(), page)
    assert [one["refuri"] for one in page.findall(nodes.reference)] == [
        f"../scoreboard.html#{f}" for f in fragments[:2]
    ]
    assert [one["reftargetid"] for one in page.findall(pending_xref)] == fragments[2:]
    assert page.astext() == "link 0link 1link 2"


def test_the_files_are_offered_on_the_page() -> None:
    def tools() -> nodes.document:
        return document(nodes.raw("", '<div class="ledger-tools"></div>', format="html"))

    page, elsewhere = tools(), tools()
    linked(page, ledger.PAGE)
    linked(elsewhere)
    assert re.findall('<a href="([^"]+)" download>', page.astext()) == list(ledger.FILES)
    assert "download" not in elsewhere.astext()


# --- the filter


@pytest.fixture
def opened(chromium: Any, stored: list[Result], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open the rows with the filter from the disk; at the end, nothing may have failed or been asked for."""
    contexts, faults = [], []
    (tmp_path / "ledger.js").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "page.html").write_text(
        f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<script src="ledger.js" defer></script><div class="ledger-tools"></div>{report.to_html(stored)}',
        encoding="utf-8",
    )

    def show(fragment: str = "", **settings: Any) -> Any:
        contexts.append(chromium.new_context(viewport={"width": 390, "height": 844}, **settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url) if not request.url.startswith("file:") else None)
        page.goto(f"{(tmp_path / 'page.html').as_uri()}#{fragment}")
        return page

    yield show
    for context in contexts:
        context.close()
    assert faults == []


def rows(page: Any) -> list[str]:
    return cast("list[str]", page.locator("tr[data-verdict]:visible").evaluate_all("all => all.map((row) => row.id)"))


def test_rows_are_chosen_by_paper_kind_verdict_and_text(opened: Callable[..., Any], stored: list[Result]) -> None:
    page, said = opened(), f"of {len(stored)} rows shown"
    assert page.get_by_role("status").inner_text() == f"{len(stored)} {said}"
    page.get_by_role("combobox", name="paper", exact=True).select_option("LCQHNN")
    page.get_by_role("combobox", name="verdict", exact=True).select_option(Verdict.NOT_REPRODUCED)
    expected = chosen(stored, "paper=lcqhnn&verdict=not+reproduced")
    assert rows(page) == expected
    assert page.get_by_role("status").inner_text() == f"{len(expected)} {said}"
    assert page.locator("table:visible").count() == 1
    page.get_by_role("searchbox", name="text", exact=True).press_sequentially("CNN-4")
    expected = chosen(stored, "paper=lcqhnn&verdict=not+reproduced&text=cnn-4")
    assert rows(page) == expected
    fragment = page.url.partition("#")[2]
    assert fragment == "paper=lcqhnn&verdict=not+reproduced&text=CNN-4"
    assert rows(opened(fragment)) == expected
    page.get_by_role("combobox", name="kind", exact=True).select_option("slip")
    assert rows(page) == []
    assert page.get_by_role("status").inner_text() == f"0 {said}"
    page.keyboard.press("Tab")
    page.get_by_role("button", name="show all").press("Enter")
    page.wait_for_function("!location.hash")
    assert len(rows(page)) == len(stored)


def test_an_address_with_a_claim_shows_it_even_behind_a_filter(
    opened: Callable[..., Any], stored: list[Result]
) -> None:
    page = opened("paper=transfer")
    assert rows(page) == chosen(stored, "paper=transfer")
    page.evaluate("location.hash = 'L6-fashion-cnn4-25'")
    page.wait_for_function("!document.getElementById('L6-fashion-cnn4-25').hidden")
    assert len(rows(page)) == len(stored)
    assert page.get_by_role("combobox", name="paper", exact=True).input_value() == ""
    assert -1 < page.locator("#L6-fashion-cnn4-25").bounding_box()["y"] < 844
    unknown = opened("verdict=refuted")  # there is no such verdict
    assert len(rows(unknown)) == len(stored)
    verdict = unknown.get_by_role("combobox", name="verdict", exact=True)
    assert verdict.evaluate("choice => choice.selectedOptions[0]?.text") == "all"


def test_without_scripts_every_row_is_shown(opened: Callable[..., Any], stored: list[Result]) -> None:
    page = opened("paper=transfer", java_script_enabled=False)
    assert page.locator("tr[data-verdict]:visible").count() == len(stored)
    assert page.locator("form").count() == 0
