"""Measurements: named numbers computed from trained weights and the papers' own images, recorded like runs.

Where a run is training, a measurement is everything else that a reader without the images cannot repeat. A paper says
in its module `studies` how each is made, in a function under `@measurement`.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hqnn import figures, papers, provenance, records, storage
from hqnn.errors import HqnnError, unknown
from hqnn.records import Record
from hqnn.stats import Interval, mean_interval
from hqnn.storage import DATA

Series = Mapping[str, Sequence[Record]]
"""`experiment/variant` -> its records by seed."""

Settings = Mapping[str, Any]

Measured = tuple[Mapping[str, Interval], Mapping[str, Any]]
"""Numbers by name, and what figures need besides: anything JSON can hold."""

Compute = Callable[[Series, Settings], Measured]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How something is measured."""

    name: str
    inputs: tuple[str, ...]
    """The series it reads, as `experiment/variant`."""
    settings: Settings
    """Everything else the result depends on, handed to `compute`."""
    compute: Compute


MEASUREMENTS: dict[str, Measurement] = {}


def measurement(name: str, *, inputs: Sequence[str], **settings: Any) -> Callable[[Compute], Compute]:
    """Register the decorated function as the way to make a measurement; see `Measurement`."""

    def register(compute: Compute) -> Compute:
        MEASUREMENTS[name] = Measurement(name=name, inputs=tuple(inputs), settings=settings, compute=compute)
        return compute

    return register


def picture(figure: Figure) -> str:
    """A figure as the data of a record can hold it: a PNG image in base64. The figure is closed."""
    return base64.b64encode(figures.render(figure)).decode()


def intervals(numbers: Mapping[str, float | Sequence[float]]) -> dict[str, Interval]:
    """What was measured as a record keeps it: the mean over values, one per seed; a single number is exact."""
    return {
        key: mean_interval(found) if isinstance(found, Sequence) else Interval(float(found), 0.0, 1)
        for key, found in numbers.items()
    }


def everything() -> dict[str, Measurement]:
    """All measurements there are, by name."""
    list(papers.modules("studies"))
    return MEASUREMENTS


def make(name: str, *, root: Path = DATA) -> Record:
    """Measure and store; an HqnnError if that is not known, or its records or images are missing."""
    if name not in everything():
        raise unknown("There is no measurement", name, MEASUREMENTS)
    chosen = MEASUREMENTS[name]
    series = {one: records.load(one, root) for one in chosen.inputs}
    for one, found in series.items():
        if not found:
            raise HqnnError(f"There are no records of {one}: run that experiment before {name!r}.")
    result, data = chosen.compute(series, chosen.settings)
    for key, interval in result.items():
        if not (math.isfinite(interval.mean) and math.isfinite(interval.half_width)):
            raise ValueError(f"{key!r} of {name!r} is {interval}, which is not finite")
    numbers = {key: {"mean": i.mean, "ci95": i.half_width, "n": i.n} for key, i in result.items()}
    document = {
        "kind": "measurement",
        "experiment": name,
        "config": dict(chosen.settings),
        "config_hash": storage.digest(dict(chosen.settings)),
        "built_on": {one: records.fingerprint(one, root) for one in chosen.inputs},
        "result": records.rounded(numbers),
        "data": dict(data),
        "provenance": provenance.environment(),
    }
    records.write(root / records.FOLDERS["measurement"] / f"{name}.json", document)
    return records.measured(name, root)


def problem(name: str, root: Path = DATA) -> str | None:
    """What is wrong with the record of a measurement: missing, damaged or stale; None if all is well."""
    chosen = everything()[name]
    try:
        found = records.measured(name, root)
    except HqnnError as error:
        return str(error)
    if found.config != json.loads(json.dumps(dict(chosen.settings))):
        why: str | None = "its settings are others now"
    elif set(found.built_on) != set(chosen.inputs):
        why = "it reads other records now"
    else:
        why = records.stale(found, root)
    return f"{found.path}: stale, {why}: make it again with `python -m hqnn run {name}`." if why else None
