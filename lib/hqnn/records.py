"""All records together: read by series, compared with what the code would make now, laid out as one table.

A *series* is what belongs together over seeds, written `experiment/variant`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hqnn import digests, experiments, storage
from hqnn.errors import HqnnError
from hqnn.experiments import Scale
from hqnn.record import FOLDERS, Kind, Record, read_record
from hqnn.storage import DATA

if TYPE_CHECKING:  # it takes a second, and most commands need no table
    import pandas as pd

__all__ = ["Record", "count", "curves", "final", "frame", "load", "measured", "read_record", "stale"]

_log = logging.getLogger(__name__)


def folder(root: Path = DATA, scale: Scale = "paper") -> Path:
    """Where the records of runs are."""
    return root / ("runs" if scale == "paper" else "quick")


def path_of(series: str, seed: int, root: Path = DATA, scale: Scale = "paper") -> Path:
    """Where the record of a run is."""
    return folder(root, scale) / series / f"seed-{seed}.json"


def load(series: str, root: Path = DATA, *, scale: Scale = "paper") -> list[Record]:
    """Read the records of a series by seed; as many as there are.

    Raises:
        HqnnError: The experiment or variant is unknown, or a record is damaged.
    """
    experiment, _, variant = series.partition("/")
    experiments.select(experiments.get(experiment), [variant], scale)
    found = (folder(root, scale) / experiment / variant).glob("seed-*.json")
    return [read_record(path) for path in sorted(found, key=lambda path: (len(path.name), path.name))]


def measured(name: str, root: Path = DATA, *, kind: Kind = "measurement") -> Record:
    """Read what was measured on recorded runs, or what a benchmark timed.

    Args:
        name: Of the measurement or the benchmark.
        root: The data folder.
        kind: `measurement` or `benchmark`.

    Returns:
        The record: named numbers in `result`, what figures need besides in `data`.

    Raises:
        HqnnError: It is not recorded, or the file is damaged; the message says how to make it.
    """
    path = root / FOLDERS[kind] / f"{name}.json"
    if not path.exists():
        command = f"python -m hqnn run {name}" if kind == "measurement" else f"python -m benchmarks.{name}"
        raise HqnnError(f"{name} is not recorded: run `{command}`.")
    record = read_record(path)
    if (record.kind, record.experiment) != (kind, name):
        raise HqnnError(f"{path} holds another record than its name says: move it away.")
    return record


# --- is it what the code would make now? -----------------------------------------------------------------------------


def stale(record: Record, root: Path = DATA) -> str | None:
    """Why a record is not what would be made now, as half a sentence; None if it is.

    A run is stale if the registry has another config, if the code builds another model of it, or if it loaded weights
    that are others now. A measurement is stale if the records that it read are others now or stale themselves.
    """
    if record.kind == "run":
        experiment = experiments.EXPERIMENTS.get(record.experiment)
        config = experiment.configs(record.scale).get(record.variant) if experiment else None
        if config is None:
            return "the registry has no such experiment or variant"
        if record.config_hash != experiments.config_hash(config):
            changed = experiments.differences(config, record.config)
            if changed or record.config_hash != experiments.hash_of(config, record.config):
                return f"the registry now differs in {', '.join(changed) or 'the type of config'}"
        if record.model != digests.model(config):
            return "the code builds another model now"
    for series, sha256 in record.built_on.items():
        try:
            if fingerprint(series, root, seed=record.seed if record.kind == "run" else None) != sha256:
                return f"the record of {series} that it builds on is another now"
            if record.kind == "measurement" and any(stale(one, root) for one in load(series, root)):
                return f"a record of {series}, which it builds on, is stale"
        except HqnnError as error:
            return f"what it builds on cannot be read ({error})"
    return None


def fingerprint(series: str, root: Path = DATA, *, seed: int | None = None) -> str:
    """The sha256 of what others build on: the weights of one seed, or results and weights of all.

    Raises:
        HqnnError: There is no such record, or it is damaged.
    """
    if seed is not None:
        weights = read_record(path_of(series, seed, root)).weights
        return weights["sha256"] if weights else ""
    found = [[r.seed, r.config_hash, r.result, (r.weights or {}).get("sha256")] for r in load(series, root)]
    return storage.digest(found)


def is_done(path: Path, root: Path = DATA) -> bool:
    """Whether a run's record is stored, whole, with its weights, and not stale."""
    if not path.exists():
        return False
    try:
        record = read_record(path)
        record.check_weights()
    except HqnnError as error:
        _log.warning("Running %s again: %s", "/".join(path.with_suffix("").parts[-3:]), error)
        return False
    return stale(record, root) is None


class Count(NamedTuple):
    """The required seeds of a variant."""

    done: int
    stale: int


def count(experiment: experiments.Experiment, *, scale: Scale = "paper", root: Path = DATA) -> dict[str, Count]:
    """How many of the required seeds of each variant are stored and current, and how many are stale."""
    digests.models(experiment.configs(scale).values())  # at once, which is faster
    counts = {}
    for variant in experiment.configs(scale):
        paths = [path_of(f"{experiment.name}/{variant}", seed, root, scale) for seed in experiment.seeds]
        stored = [path for path in paths if path.exists()]
        done = sum(is_done(path, root) for path in stored)
        counts[variant] = Count(done, len(stored) - done)
    return counts


# --- one table -------------------------------------------------------------------------------------------------------


def all_series() -> Iterator[str]:
    """Every series of the registry, in its order."""
    for experiment in experiments.EXPERIMENTS.values():
        yield from (f"{experiment.name}/{variant}" for variant in experiment.variants)


def frame(*series: str, kind: Kind = "run", root: Path = DATA) -> pd.DataFrame:
    """The records of some series as one table, or those of all.

    Args:
        *series: Each `experiment/variant`; of measurements, their names.
        kind: Of the records.
        root: The data folder.

    Returns:
        One row per record, by series and seed. Columns of runs: every field of the configs (absent where another type
        of config has it), `n_parameters` and `n_quantum` (trainable), the last value of each curve (fractions or
        losses), `commit` and `processor`, `seconds` of training, and `stale`: whether the code builds another model
        now. Columns of measurements, one row per number of each: `mean`, `half_width`, `n`, `commit`, `processor`,
        `stale`.

    Raises:
        HqnnError: There are no records of a series that was named; the message says how to make them.
    """
    import pandas as pd

    if kind == "measurement":
        rows = {
            (name, key): {"mean": found.mean, "half_width": found.half_width, "n": found.n, **_origin(record, root)}
            for name in series
            for record in [measured(name, root)]
            for key, found in record.result.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index=["measurement", "number"])
    chosen = [record for one in series for record in _some(one, root)] if series else _everything(root)
    index = pd.MultiIndex.from_tuples([(r.series, r.seed) for r in chosen], names=["series", "seed"])
    digests.models(experiments.get(r.experiment).variants[r.variant] for r in chosen)  # at once, which is faster
    return pd.DataFrame([_row(record, root) for record in chosen], index=index)


def _everything(root: Path) -> list[Record]:
    return [record for one in all_series() for record in load(one, root)]


def _some(series: str, root: Path) -> list[Record]:
    found = load(series, root)
    if not found:
        raise HqnnError(f"There are no records of {series}: run `python -m hqnn run {series.partition('/')[0]}`.")
    return found


def _row(record: Record, root: Path) -> dict[str, Any]:
    counts = record.result.get("n_parameters", {})
    return {
        **{name: tuple(value) if isinstance(value, list) else value for name, value in record.config.items()},
        "n_parameters": counts.get("total"),
        "n_quantum": counts.get("quantum"),
        **{curve: values[-1] for curve, values in record.history.items() if values},
        **_origin(record, root),
        "seconds": record.provenance.get("seconds"),
    }


def _origin(record: Record, root: Path) -> dict[str, Any]:
    return {
        "commit": record.provenance.get("git_commit"),
        "processor": record.provenance.get("processor"),
        "stale": stale(record, root) is not None,
    }


def curves(series: str, curve: str, root: Path = DATA) -> pd.DataFrame:
    """One curve of every run of a series.

    Args:
        series: `experiment/variant`.
        curve: As `test_accuracy` (fractions) or `train_loss`.
        root: The data folder.

    Returns:
        One row per seed, one column per epoch, from 1 on. Two series are paired by pandas' alignment on the seeds.

    Raises:
        HqnnError: There are no such records, or no such curve in them.
    """
    import pandas as pd

    found = _some(series, root)
    if curve not in found[0].history:
        experiment = found[0].experiment
        raise HqnnError(f"There is no curve {curve!r} in {experiment}: choose from {', '.join(found[0].history)}.")
    table = pd.DataFrame(
        [record.history[curve] for record in found], index=pd.Index([r.seed for r in found], name="seed"), dtype=float
    )
    table.columns = pd.RangeIndex(1, table.shape[1] + 1, name="epoch")
    return table


def final(series: str, curve: str, root: Path = DATA) -> pd.Series[float]:
    """The last value of a curve of every run of a series, by seed; see `curves`."""
    return curves(series, curve, root).iloc[:, -1].rename(series)
