"""What archives are told is what the repository says."""

import json

import pytest

from tools import citable
from tools.repository import ROOT

FILES = citable.files()


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_those_that_the_repository_makes(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == FILES[name], "run `make readme`"


def test_every_part_of_the_crate_exists_and_every_reference_resolves() -> None:
    graph = json.loads(FILES["ro-crate-metadata.json"])["@graph"]
    known = {entity["@id"] for entity in graph}
    root = next(entity for entity in graph if entity["@id"] == "./")
    for part in root["hasPart"]:
        assert (ROOT / part["@id"]).is_dir()
    named = [*root["hasPart"], *root["author"], *root["citation"], root["license"]]
    assert {reference["@id"] for reference in named} <= known
    assert len(known) == len(graph)


def test_all_three_papers_are_named() -> None:
    related = json.loads(FILES[".zenodo.json"])["related_identifiers"]
    assert [entry["identifier"] for entry in related] == ["arXiv:2412.02059", "arXiv:2304.09224", "arXiv:2408.03351"]
