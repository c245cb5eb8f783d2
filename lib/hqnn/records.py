"""Records: one JSON file each, of what ran, what came out and how it came about; read here, into one table.

A *series* is what belongs together over seeds, written `experiment/variant`. A run's record is
`data/runs/<series>/seed-<s>.json`, and beside it lie the weights that its config asks to keep. What was measured on
trained weights is a record of kind `measurement`, `data/analyses/<name>.json`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hqnn import experiments, storage
from hqnn.errors import HqnnError
from hqnn.experiments import Scale
from hqnn.storage import DATA

if TYPE_CHECKING:  # torch and pandas take seconds, and most commands need neither
    import pandas as pd
    from torch import Tensor

SCHEMA = 1
Kind = Literal["run", "measurement"]
_AGAIN = "restore it from the repository or run that seed again."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What ran, what came out, and how it came about."""

    path: Path
    kind: Kind = "run"
    experiment: str
    """Of a measurement, its name."""
    variant: str = ""
    scale: Scale = "paper"
    seed: int = 0
    config: dict[str, Any]
    """The config's fields; of a measurement, its settings."""
    config_hash: str = ""
    inputs: dict[str, str]
    """Of a measurement, the fingerprint of each series it read."""
    result: dict[str, Any]
    """Of a run: `history` (curve -> one value per epoch), `n_parameters` (trainable: `total`, `quantum`) and more by
    name. Of a measurement: number -> `hqnn.stats.Interval`."""
    data: dict[str, Any]
    """What figures need besides the result."""
    provenance: dict[str, Any]
    weights: dict[str, str] | None = None

    @property
    def series(self) -> str:
        """The series it belongs to."""
        return f"{self.experiment}/{self.variant}" if self.variant else self.experiment

    @property
    def history(self) -> dict[str, list[float]]:
        """Each curve, one value per epoch, epoch 1 first."""
        curves: dict[str, list[float]] = self.result["history"]
        return curves

    @property
    def weights_path(self) -> Path | None:
        """The file of kept weights, if any were kept."""
        return self.path.parent / self.weights["file"] if self.weights else None

    def check_weights(self) -> None:
        """See that the kept weights are there as they were written.

        Raises:
            HqnnError: The file is missing or damaged.
        """
        path = self.weights_path
        if path is None or self.weights is None:
            return
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise HqnnError(f"{path} is missing: {_AGAIN}") from error
        if hashlib.sha256(content).hexdigest() != self.weights["sha256"]:
            raise HqnnError(f"{path} is not as it was written: {_AGAIN}")

    def snapshots(self) -> dict[str, Tensor]:
        """All kept weights, by `epoch-<e>/<name in the state dict>`.

        Raises:
            HqnnError: The file is missing or damaged.
        """
        self.check_weights()
        return storage.read_tensors(self.weights_path)[0] if self.weights_path else {}

    def snapshot(self, epoch: int) -> dict[str, Tensor]:
        """The state dict kept after `epoch`; 0 is the untrained model.

        Raises:
            KeyError: No weights were kept at that epoch.
            HqnnError: The file of weights is missing or damaged.
        """
        return weights_of(self.snapshots(), epoch)


def weights_of(snapshots: Mapping[str, Tensor], epoch: int) -> dict[str, Tensor]:
    """The state dict of one epoch.

    Raises:
        KeyError: No weights were kept at that epoch.
    """
    prefix = f"epoch-{epoch}/"
    weights = {name.removeprefix(prefix): tensor for name, tensor in snapshots.items() if name.startswith(prefix)}
    if not weights:
        kept = sorted({int(name.partition("/")[0].removeprefix("epoch-")) for name in snapshots})
        raise KeyError(f"no weights of epoch {epoch}; kept are those of {kept}")
    return weights


def folder(root: Path = DATA, scale: Scale = "paper") -> Path:
    """Where the records of runs are."""
    return root / ("runs" if scale == "paper" else "quick")


def read_record(path: Path) -> Record:
    """Read one record and check its checksum.

    Raises:
        HqnnError: The file is missing, damaged, altered, or of another version of the format.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise HqnnError(f"There is no record {path}: run that seed.") from error
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _read(path: Path, _changed: int, _size: int) -> Record:
    try:
        stored = json.loads(path.read_bytes(), parse_constant=_refuse)
    except ValueError as error:
        raise HqnnError(f"{path} is not valid JSON: {_AGAIN}") from error
    if not isinstance(stored, dict) or stored.get("schema") != SCHEMA:
        raise HqnnError(f"{path} is not a record of format {SCHEMA}: {_AGAIN}")
    checksum = stored.pop("checksum", None)
    if checksum != storage.digest(stored):
        raise HqnnError(f"{path} is not as it was written, its checksum differs: {_AGAIN}")
    del stored["schema"]
    try:
        return Record(path=path, inputs={}, data={}, **stored)
    except TypeError as error:
        raise HqnnError(f"{path} lacks a field of a record or has one too many: {_AGAIN}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def load(series: str, root: Path = DATA, *, scale: Scale = "paper") -> list[Record]:
    """Read the records of a series by seed; as many as there are.

    Raises:
        HqnnError: The experiment or variant is unknown, or a record is damaged.
    """
    experiment, _, variant = series.partition("/")
    experiments.select(experiments.get(experiment), [variant], scale)
    found = (folder(root, scale) / experiment / variant).glob("seed-*.json")
    return [read_record(path) for path in sorted(found, key=lambda path: (len(path.name), path.name))]


def is_done(path: Path, config: experiments.Config) -> bool:
    """Whether a run's record is stored, whole, of the current config, and with its weights."""
    if not path.exists():
        return False
    try:
        record = read_record(path)
        record.check_weights()
    except HqnnError as error:
        _log.warning("Running %s again: %s", "/".join(path.with_suffix("").parts[-3:]), error)
        return False
    return record.config_hash == experiments.config_hash(config)


def count(experiment: experiments.Experiment, *, scale: Scale = "paper", root: Path = DATA) -> dict[str, int]:
    """How many of the required seeds of each variant are stored and current."""
    base = folder(root, scale) / experiment.name
    return {
        variant: sum(is_done(base / variant / f"seed-{seed}.json", config) for seed in experiment.seeds)
        for variant, config in experiment.configs(scale).items()
    }


def measured(name: str, root: Path = DATA) -> Record:
    """Read what was measured on recorded runs.

    Args:
        name: Of the measurement.
        root: The data folder.

    Raises:
        HqnnError: It is not recorded, or the file is damaged; the message says how to make it.
    """
    from hqnn import analyses

    found = analyses.load(name, root=root)
    if found is None:
        raise HqnnError(f"{name} is not recorded: run `python -m hqnn analyse {name}`.")
    return Record(
        path=root / "analyses" / f"{name}.json",
        kind="measurement",
        experiment=name,
        config=found.settings,
        inputs=found.inputs,
        result=dict(found.result),
        data=found.data,
        provenance=found.provenance,
    )


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
            (name, key): {"mean": found.mean, "half_width": found.half_width, "n": found.n, **_origin(record)}
            for name in series
            for record in [measured(name, root)]
            for key, found in record.result.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index=["measurement", "number"])
    chosen = [record for one in series for record in _some(one, root)] if series else _everything(root)
    index = pd.MultiIndex.from_tuples([(r.series, r.seed) for r in chosen], names=["series", "seed"])
    return pd.DataFrame([_row(record) for record in chosen], index=index)


def _everything(root: Path) -> list[Record]:
    return [record for one in all_series() for record in load(one, root)]


def _some(series: str, root: Path) -> list[Record]:
    found = load(series, root)
    if not found:
        raise HqnnError(f"There are no records of {series}: run `python -m hqnn run {series.partition('/')[0]}`.")
    return found


def _row(record: Record) -> dict[str, Any]:
    counts = record.result.get("n_parameters", {})
    return {
        **{name: tuple(value) if isinstance(value, list) else value for name, value in record.config.items()},
        "n_parameters": counts.get("total"),
        "n_quantum": counts.get("quantum"),
        **{curve: values[-1] for curve, values in record.history.items() if values},
        **_origin(record),
        "seconds": record.provenance.get("seconds"),
    }


def _origin(record: Record) -> dict[str, Any]:
    return {
        "commit": record.provenance.get("git_commit"),
        "processor": record.provenance.get("processor"),
        "stale": False,
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
