"""The record: one JSON file of what ran, what it was made of, what came out and how it came about.

A run's record is `data/runs/<experiment>/<variant>/seed-<s>.json`, and beside it lie the weights that its config asks
to keep; measurements and benchmarks have theirs in `data/analyses/` and `data/benchmarks/`. A run's `result` is a
function of its config and seed alone on one machine: float training is not bit-stable across processors.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hqnn import experiments, provenance, storage
from hqnn.errors import HqnnError
from hqnn.experiments import Scale
from hqnn.storage import DATA

if TYPE_CHECKING:  # they take seconds, and most commands need neither tables nor weights
    import pandas as pd
    from torch import Tensor

SCHEMA = 2
Kind = Literal["run", "measurement", "benchmark"]
FOLDERS: dict[Kind, str] = {"run": "runs", "measurement": "analyses", "benchmark": "benchmarks"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What ran, what it was made of, what came out, and how it came about."""

    path: Path
    kind: Kind
    experiment: str
    """Of a measurement or a benchmark, its name."""
    variant: str = ""
    scale: Scale = "paper"
    seed: int = 0
    config: dict[str, Any]
    """The config's fields; of a measurement, its settings."""
    config_hash: str
    """The sha256 of the config's type and fields."""
    model: str = ""
    """The digest of the model that the code built of the config (`hqnn.provenance`)."""
    built_on: dict[str, str] = field(default_factory=dict)
    """Series it read -> the sha256 of what it read: of a run, weights of the same seed; else results and weights."""
    result: dict[str, Any]
    """Of a run: `history` (curve -> one value per epoch), `n_parameters` (trainable: `total`, `quantum`), `errors` (a
    character for each image tested on, `hqnn.tasks.errors`) and more by name. Of a measurement: number ->
    `hqnn.stats.Interval`."""
    data: dict[str, Any] = field(default_factory=dict)
    """What figures need besides the result."""
    provenance: dict[str, Any]
    weights: dict[str, str] | None = None
    """`file` and `sha256` of the kept weights."""

    @property
    def series(self) -> str:
        """The series it belongs to."""
        return f"{self.experiment}/{self.variant}" if self.variant else self.experiment

    @property
    def history(self) -> dict[str, list[float]]:
        """Each curve, one value per epoch, epoch 1 first."""
        return self.result["history"]

    @property
    def errors(self) -> dict[int, int]:
        """The images that a run's network gets wrong -> the classes it takes them for."""
        if "errors" not in self.result:  # the run was made before records kept them
            raise HqnnError(f"{self.path} does not hold which images are wrong: run it once more with `--again`.")
        return errors_of(self.result["errors"])

    @property
    def n_test(self) -> int:
        """The number of test images, of a run that holds `errors`."""
        errors = self.result["errors"]
        return len(errors) if isinstance(errors, str) else int(self.config["n_test"])

    def weights_file(self) -> Path | None:
        """The file of kept weights, if any were kept; an HqnnError if it is missing or damaged."""
        if not self.weights:
            return None
        path = self.path.parent / self.weights["file"]
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise HqnnError(f"{path} is missing: {_again(self.path)}") from error
        if hashlib.sha256(content).hexdigest() != self.weights["sha256"]:
            raise HqnnError(f"{path} is not as it was written: {_again(self.path)}")
        return path

    def snapshots(self) -> dict[str, Tensor]:
        """All kept weights, by `epoch-<e>/<name in the state dict>`; errors as of `weights_file`."""
        path = self.weights_file()
        return storage.read_tensors(path)[0] if path else {}

    def snapshot(self, epoch: int) -> dict[str, Tensor]:
        """The state dict kept after `epoch`; 0 is the untrained model. A KeyError if none was kept."""
        from hqnn.training import weights_of

        return weights_of(self.snapshots(), epoch)


def errors_of(stored: str | Mapping[str, list[int]]) -> dict[int, int]:
    """What a result's `errors` say: image -> class. The first runs kept a list of each."""
    if isinstance(stored, Mapping):
        return dict(zip(stored["images"], stored["predicted"], strict=True))
    return {image: int(found, 36) for image, found in enumerate(stored) if found != "."}


def write(path: Path, document: Mapping[str, Any], weights: bytes | None = None) -> None:
    """Write the weights, if any, then the record that vouches for them, each whole or not at all.

    Args:
        path: The record's.
        document: The fields of a `Record`, but its path and what has its default, as JSON holds them.
        weights: What `storage.pack_tensors` packed.
    """
    stored: dict[str, Any] = {"schema": SCHEMA}
    for one in fields(Record)[1:]:
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        stored[one.name] = document.get(one.name, default) if default is not MISSING else document[one.name]
    if weights is not None:
        storage.write_atomically(path.with_suffix(".safetensors"), weights)
    text = _layout({**stored, "checksum": storage.digest(stored)})
    storage.write_atomically(path, f"{text}\n".encode())


def _layout(value: Any, indent: str = "") -> str:
    """JSON with one key per line and every list on one line."""
    if isinstance(value, Mapping) and value:
        inner = indent + "  "
        lines = (f"{inner}{json.dumps(key)}: {_layout(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return json.dumps(value, allow_nan=False)


def rounded(value: Any) -> Any:
    """A result with every float as records keep it, to six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def read_record(path: Path) -> Record:
    """Read one record; an HqnnError if the file is missing, damaged, altered, or of another version of the format."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise HqnnError(f"There is no record {path}: {_again(path)}") from error
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _read(path: Path, _changed: int, _size: int) -> Record:
    try:
        stored = json.loads(path.read_bytes())
        checksum = stored.pop("checksum", None)
        sound = checksum == storage.digest(stored)
    except (ValueError, AttributeError) as error:  # NaN, which Python's JSON knows, has no digest
        raise HqnnError(f"{path} is not valid JSON: {_again(path)}") from error
    if stored.pop("schema", None) != SCHEMA:
        raise HqnnError(f"{path} is not a record of format {SCHEMA}: {_again(path)}")
    if not sound:
        raise HqnnError(f"{path} is not as it was written, its checksum differs: {_again(path)}")
    try:
        if stored["kind"] == "measurement":
            from hqnn.stats import Interval  # stands on SciPy, which most commands need not wait for

            numbers = stored["result"].items()
            stored["result"] = {key: Interval(one["mean"], one["ci95"], one["n"]) for key, one in numbers}
        return Record(path=path, **stored)
    except (KeyError, TypeError, AttributeError) as error:
        raise HqnnError(f"{path} lacks a field of a record or has one too many: {_again(path)}") from error


def _again(path: Path) -> str:
    if path.parent.name == FOLDERS["measurement"]:
        return f"make it with `python -m hqnn run {path.stem}`."
    if path.parent.name == FOLDERS["benchmark"]:
        return f"restore it from the repository or make it with `python -m benchmarks.{path.stem}`."
    return "restore it from the repository or run that seed again."


# --- where they are --------------------------------------------------------------------------------------------------


def path_of(series: str, seed: int, root: Path = DATA, scale: Scale = "paper") -> Path:
    """Where the record of a run is."""
    return root / ("runs" if scale == "paper" else "quick") / series / f"seed-{seed}.json"


def load(series: str, root: Path = DATA, *, scale: Scale = "paper") -> list[Record]:
    """Read the records of a series by seed, as many as there are; an HqnnError if it is unknown or one is damaged."""
    experiments.config(series, scale)  # complains of a name that is none
    found = path_of(series, 0, root, scale).parent.glob("seed-*.json")
    return [read_record(path) for path in sorted(found, key=lambda path: (len(path.name), path.name))]


def measured(name: str, root: Path = DATA, *, kind: Kind = "measurement") -> Record:
    """Read what was measured on recorded runs, or what a benchmark timed; an HqnnError says how to make it."""
    path = root / FOLDERS[kind] / f"{name}.json"
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
        changed = experiments.differences(config, record.config)
        if changed or record.config_hash != experiments.config_hash(config, record.config):
            return f"the registry now differs in {', '.join(changed) or 'the type of config'}"
        if record.model != provenance.model(config):
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
    """The sha256 of what others build on: the weights of one seed, or results and weights of all."""
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
        record.weights_file()
    except HqnnError as error:
        _log.warning("Running %s again: %s", "/".join(path.with_suffix("").parts[-3:]), error)
        return False
    return stale(record, root) is None


def count(
    experiment: experiments.Experiment, *, scale: Scale = "paper", root: Path = DATA
) -> dict[str, tuple[int, int]]:
    """How many of the required seeds of each variant are stored and current, and how many are stale."""
    provenance.models(experiment.configs(scale).values())  # at once, which is faster
    counts = {}
    for variant in experiment.configs(scale):
        paths = [path_of(f"{experiment.name}/{variant}", seed, root, scale) for seed in experiment.seeds]
        stored = [path for path in paths if path.exists()]
        done = sum(is_done(path, root) for path in stored)
        counts[variant] = (done, len(stored) - done)
    return counts


# --- one table -------------------------------------------------------------------------------------------------------


def frame(*series: str, root: Path = DATA) -> pd.DataFrame:
    """The records of some series, or of all, as one table: one row per record, by series and seed.

    Columns are every field of the configs (absent where another type of config has it), `n_parameters` and `n_quantum`
    (trainable), the last value of each curve (fractions or losses), `commit`, `processor`, `seconds` of training, and
    `stale`: whether the code builds another model now.
    """
    import pandas as pd

    every = (f"{one.name}/{variant}" for one in experiments.EXPERIMENTS.values() for variant in one.variants)
    chosen = [record for one in series or every for record in (_some if series else load)(one, root)]
    index = pd.MultiIndex.from_tuples([(r.series, r.seed) for r in chosen], names=["series", "seed"])
    provenance.models(experiments.config(r.series) for r in chosen)  # at once, which is faster
    return pd.DataFrame([_row(record, root) for record in chosen], index=index)


def _some(series: str, root: Path) -> list[Record]:
    found = load(series, root)
    if not found:
        raise HqnnError(f"There are no records of {series}: run `python -m hqnn run {experiments.split(series)[0]}`.")
    return found


def _row(record: Record, root: Path) -> dict[str, Any]:
    counts = record.result.get("n_parameters", {})
    return {
        **{name: tuple(value) if isinstance(value, list) else value for name, value in record.config.items()},
        "n_parameters": counts.get("total"),
        "n_quantum": counts.get("quantum"),
        **{curve: values[-1] for curve, values in record.history.items() if values},
        "commit": record.provenance.get("git_commit"),
        "processor": record.provenance.get("processor"),
        "stale": stale(record, root) is not None,
        "seconds": record.provenance.get("seconds"),
    }


def curves(series: str, curve: str, root: Path = DATA) -> pd.DataFrame:
    """One curve, as `test_accuracy` (fractions) or `train_loss`: a row per seed, a column per epoch, from 1 on.

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
