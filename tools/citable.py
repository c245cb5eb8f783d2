"""What archives and journals ask for: `codemeta.json`, `.zenodo.json`, `ro-crate-metadata.json`, a draft of a report.

`CITATION.cff` says who, what and under which licence; `pyproject.toml` what it needs; the registry which records there
are. Nothing is typed a second time: a test compares the files with what is made here.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from hqnn import claims, papers
from hqnn.errors import HqnnError
from hqnn.experiments import EXPERIMENTS
from tools import cite, report
from tools.repository import ROOT

LICENCE = "https://spdx.org/licenses/MIT"


def files() -> dict[str, str]:
    """The text of each file, by name."""
    citation = cite.citation()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    made = {".zenodo.json": _zenodo(citation), "codemeta.json": _codemeta(citation, project)}
    made["ro-crate-metadata.json"] = _crate(citation)
    texts = {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in made.items()}
    return {**texts, "paper/reproduction.md": report.written(claims.stored(), _papers())}


def _names(citation: Mapping[str, Any]) -> list[str]:
    return [one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in citation["authors"]]


def _zenodo(citation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "upload_type": "software",
        "title": citation["title"],
        "description": citation["abstract"],
        "version": citation["version"],
        "creators": [{"name": name} for name in _names(citation)],
        "license": citation["license"],
        "keywords": citation["keywords"],
        "related_identifiers": [
            {"identifier": f"arXiv:{number}", "relation": "isSupplementTo"} for number in _papers().values()
        ],
    }


def _codemeta(citation: Mapping[str, Any], project: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "type": "SoftwareSourceCode",
        "name": citation["title"],
        "identifier": project["name"],
        "description": citation["abstract"],
        "version": citation["version"],
        "license": LICENCE,
        "codeRepository": citation["repository-code"],
        "url": citation["url"],
        "keywords": citation["keywords"],
        "programmingLanguage": "Python",
        "runtimePlatform": f"Python {project['requires-python']}",
        "softwareRequirements": project["dependencies"],
        "author": [{"type": "Person", "name": name} for name in _names(citation)],
    }


def _crate(citation: Mapping[str, Any]) -> dict[str, Any]:
    """A research object: the whole, and a data set for each experiment with the number of its records."""
    parts = []
    for experiment in EXPERIMENTS.values():
        folder = ROOT / "data" / "runs" / experiment.name
        n_records = len(list(folder.glob("*/seed-*.json")))
        if n_records:
            parts.append(
                {
                    "@id": f"data/runs/{experiment.name}/",
                    "@type": "Dataset",
                    "name": experiment.title,
                    "description": f"{n_records} records of training runs, one JSON file each.",
                    "about": {"@id": f"https://arxiv.org/abs/{_papers()[experiment.paper]}"},
                    "encodingFormat": "application/json",
                }
            )
    articles = [
        {"@id": f"https://arxiv.org/abs/{number}", "@type": "ScholarlyArticle", "name": f"The paper cited as {name}"}
        for name, number in _papers().items()
    ]
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "about": {"@id": "./"},
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            },
            {
                "@id": "./",
                "@type": "Dataset",
                "name": citation["title"],
                "description": citation["abstract"],
                "license": {"@id": LICENCE},
                "url": citation["url"],
                "version": citation["version"],
                "author": [{"@id": f"#author-{k}"} for k, _ in enumerate(citation["authors"])],
                "hasPart": [{"@id": part["@id"]} for part in parts],
                "citation": [{"@id": article["@id"]} for article in articles],
            },
            {"@id": LICENCE, "@type": "CreativeWork", "name": citation["license"]},
            *({"@id": f"#author-{k}", "@type": "Person", "name": name} for k, name in enumerate(_names(citation))),
            *articles,
            *parts,
        ],
    }


def cited(bibliography: str, papers: Iterable[str]) -> dict[str, str]:
    """Paper -> number on arXiv, as the bibliography has them, in its order.

    Raises:
        HqnnError: A paper has no entry with both.
    """
    found = {}
    for entry in bibliography.split("\n@"):
        number = re.search(r"\beprint = \{(.+?)\}", entry)
        name = re.search(r"\{Cited in this book as (\w+)\}", entry)
        if number and name:
            found[name[1]] = number[1]
    for paper in papers:
        if paper not in found:
            raise HqnnError(
                f"book/references.bib has no entry of {paper}: add one with `eprint`, its number on arXiv, and "
                f"`note = {{Cited in this book as {paper}}}`."
            )
    return found


def _papers() -> dict[str, str]:
    return cited((ROOT / "book" / "references.bib").read_text(encoding="utf-8"), papers.names())


def main() -> None:
    """Write the files."""
    for name, text in files().items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
