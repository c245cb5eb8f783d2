"""Analyses: numbers measured on recorded runs, committed with what they were measured on.

An analysis is one JSON file, `data/analyses/<name>.json`: a `result` of named numbers (mean, half width of its 95 %
interval, number of runs), optional `data` for figures, the settings it was made with, and a fingerprint of every series
of records it read. Where an experiment's record is training, an analysis is everything that is computed from trained
weights and needs the images, and therefore cannot be repeated by a reader without them. How each analysis is made is
a `Recipe`; a paper's recipes are in its module `studies`.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hqnn import papers, runs, storage
from hqnn.errors import HqnnError
from hqnn.runs import Record
from hqnn.stats import Interval
from hqnn.storage import DATA

SCHEMA = 1

Series = Mapping[str, Sequence[Record]]
"""`experiment/variant` -> its records by seed."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a recipe measured."""

    result: Mapping[str, Interval]
    data: Mapping[str, Any] | None = None
    """Anything JSON can hold that a figure needs."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an analysis is made."""

    name: str
    inputs: tuple[str, ...]
    """The series it reads, as `experiment/variant`."""
    settings: Mapping[str, Any]
    """Everything else the result depends on, handed to `compute`."""
    compute: Callable[[Series, Mapping[str, Any]], Findings]


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A recorded analysis."""

    name: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    result: dict[str, Interval]
    data: dict[str, Any]
    provenance: dict[str, Any]


RECIPES: dict[str, Recipe] = {}


def recipe(
    name: str, *, inputs: Sequence[str], **settings: Any
) -> Callable[[Callable[[Series, Mapping[str, Any]], Findings]], Callable[[Series, Mapping[str, Any]], Findings]]:
    """Register the decorated function as the way to make an analysis.

    Args:
        name: The analysis's name and file.
        inputs: The series it reads, as `experiment/variant`.
        **settings: What else its result depends on; changing one makes the recorded analysis stale.
    """

    def register(compute: Callable[[Series, Mapping[str, Any]], Findings]) -> Any:
        RECIPES[name] = Recipe(name=name, inputs=tuple(inputs), settings=settings, compute=compute)
        return compute

    return register


def recipes() -> dict[str, Recipe]:
    """All analyses there are, by name."""
    list(papers.modules("studies"))
    return RECIPES


def make(name: str, *, root: Path = DATA) -> Analysis:
    """Measure and store an analysis.

    Args:
        name: One of `recipes()`.
        root: The data folder.

    Returns:
        The analysis as stored.

    Raises:
        HqnnError: There is no such recipe, or its records or images are missing.
        ValueError: The recipe measured something that is not finite.
    """
    if name not in recipes():
        raise HqnnError(f"There is no analysis {name!r}: choose from {', '.join(RECIPES) or 'none yet'}.")
    chosen = RECIPES[name]
    series = {one: runs.load(*one.split("/"), root=root) for one in chosen.inputs}
    for one, records in series.items():
        if not records:
            raise HqnnError(f"There are no records of {one}: run that experiment before the analysis {name!r}.")
    findings = chosen.compute(series, chosen.settings)
    for key, interval in findings.result.items():
        if not (math.isfinite(interval.mean) and math.isfinite(interval.half_width)):
            raise ValueError(f"the result {key!r} of the analysis {name!r} is {interval}, which is not finite")
    document = {
        "schema": SCHEMA,
        "name": name,
        "settings": dict(chosen.settings),
        "inputs": {one: fingerprint(records) for one, records in series.items()},
        "result": {
            key: {"mean": _rounded(i.mean), "ci95": _rounded(i.half_width), "n": i.n}
            for key, i in findings.result.items()
        },
        "data": dict(findings.data or {}),
        "provenance": runs.environment(),
    }
    document["checksum"] = storage.digest(document)
    path = _path(name, root)
    storage.write_atomically(path, f"{runs.layout(document)}\n".encode())
    return _read(path)


def _rounded(value: float) -> float:
    return float(f"{value:.{runs.SIGNIFICANT_DIGITS}g}")


def fingerprint(records: Sequence[Record]) -> str:
    """The sha256 over the results and kept weights of a series, independent of how it was made."""
    return storage.digest([[r.seed, r.config_hash, r.result, (r.weights or {}).get("sha256")] for r in records])


def load(name: str, *, root: Path = DATA) -> Analysis | None:
    """Read a recorded analysis.

    Args:
        name: Its name.
        root: The data folder.

    Returns:
        The analysis; None if it is not recorded.

    Raises:
        HqnnError: The file is damaged, altered, or of another version of the format.
    """
    path = _path(name, root)
    return _read(path) if path.exists() else None


def _read(path: Path) -> Analysis:
    again = f"make it again with `python -m hqnn analyse {path.stem}`."
    try:
        stored = json.loads(path.read_bytes())
    except ValueError as error:
        raise HqnnError(f"{path} is not valid JSON: {again}") from error
    if not isinstance(stored, dict) or stored.get("schema") != SCHEMA or stored.get("name") != path.stem:
        raise HqnnError(f"{path} is not an analysis of format {SCHEMA} of that name: {again}")
    checksum = stored.pop("checksum", None)
    if checksum != storage.digest(stored):
        raise HqnnError(f"{path} is not as it was written, its checksum differs: {again}")
    del stored["schema"]
    try:
        stored["result"] = {k: Interval(v["mean"], v["ci95"], v["n"]) for k, v in stored["result"].items()}
        return Analysis(**stored)
    except (KeyError, TypeError) as error:
        raise HqnnError(f"{path} lacks a field of an analysis or has one too many: {again}") from error


def problems(root: Path = DATA) -> list[str]:
    """What is wrong with the recorded analyses: damaged, unknown, missing, or stale.

    An analysis is stale if its recipe's settings or inputs changed, or one of the records it read.

    Returns:
        One sentence each; none if all is well.
    """
    found = []
    folder = _path("", root).parent
    for path in sorted(folder.glob("*.json")):
        if path.stem not in recipes():
            found.append(f"{path}: there is no analysis of this name.")
    for name, chosen in recipes().items():
        try:
            stored = load(name, root=root)
        except HqnnError as error:
            found.append(str(error))
            continue
        again = f"make it again with `python -m hqnn analyse {name}`."
        if stored is None:
            found.append(f"The analysis {name!r} is not recorded: {again}")
        elif stored.settings != json.loads(json.dumps(chosen.settings)):
            found.append(f"The analysis {name!r} is stale, its settings changed: {again}")
        elif set(stored.inputs) != set(chosen.inputs):
            found.append(f"The analysis {name!r} is stale, it reads other records now: {again}")
        else:
            for one in chosen.inputs:
                try:
                    current = fingerprint(runs.load(*one.split("/"), root=root))
                except HqnnError as error:
                    found.append(f"The analysis {name!r} cannot be compared with its records: {error}")
                    continue
                if current != stored.inputs[one]:
                    found.append(f"The analysis {name!r} is stale, the records of {one} changed: {again}")
    return found


def _path(name: str, root: Path) -> Path:
    return root / "analyses" / f"{name}.json"
