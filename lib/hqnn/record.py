"""The record: one JSON file of what ran, what it was made of, what came out and how it came about.

A run's record is `data/runs/<experiment>/<variant>/seed-<s>.json`, and beside it lie the weights that its config asks
to keep; what was measured on trained weights, and what a benchmark timed, are records of their own, in `data/analyses/`
and `data/benchmarks/`. A run's `result` is a function of its config and seed alone (on one machine: float training is
not bit-stable across processors), its `provenance` says how it came about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hqnn import storage
from hqnn.errors import HqnnError
from hqnn.experiments import Scale

if TYPE_CHECKING:  # it takes seconds, and only weights need it
    from torch import Tensor

SCHEMA = 2
SIGNIFICANT_DIGITS = 6
"""Of every float in a record's result."""
Kind = Literal["run", "measurement", "benchmark"]
FOLDERS: dict[Kind, str] = {"run": "runs", "measurement": "analyses", "benchmark": "benchmarks"}


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
    """The digest of the model that the code built of the config (`hqnn.digests`)."""
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
    def errors(self) -> dict[int, int]:
        """The images that a run's network gets wrong -> the classes it takes them for.

        Raises:
            HqnnError: The run was made before records kept them.
        """
        if "errors" not in self.result:
            raise HqnnError(f"{self.path} does not hold which images are wrong: run it once more with `--again`.")
        return errors_of(self.result["errors"])

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
            raise HqnnError(f"{path} is missing: {_again(self.path)}") from error
        if hashlib.sha256(content).hexdigest() != self.weights["sha256"]:
            raise HqnnError(f"{path} is not as it was written: {_again(self.path)}")

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
        document: The fields of a `Record`, but its path, as JSON holds them.
        weights: What `storage.pack_tensors` packed.
    """
    known = [one.name for one in fields(Record) if one.name != "path"]
    stored = {"schema": SCHEMA, **{name: document[name] for name in known}}
    if weights is not None:
        storage.write_atomically(path.with_suffix(".safetensors"), weights)
    text = layout({**stored, "checksum": storage.digest(stored)})
    storage.write_atomically(path, f"{text}\n".encode())


def layout(value: Any, indent: str = "") -> str:
    """JSON with one key per line and every list on one line."""
    if isinstance(value, Mapping) and value:
        inner = indent + "  "
        lines = (f"{inner}{json.dumps(key)}: {layout(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return json.dumps(value, allow_nan=False)


def rounded(value: Any) -> Any:
    """A result with every float as records keep it."""
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def read_record(path: Path) -> Record:
    """Read one record and check its checksum.

    Raises:
        HqnnError: The file is missing, damaged, altered, or of another version of the format.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise HqnnError(f"There is no record {path}: {_again(path)}") from error
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _read(path: Path, _changed: int, _size: int) -> Record:
    try:
        stored = json.loads(path.read_bytes(), parse_constant=_refuse)
    except ValueError as error:
        raise HqnnError(f"{path} is not valid JSON: {_again(path)}") from error
    if not isinstance(stored, dict) or stored.get("schema") != SCHEMA:
        raise HqnnError(f"{path} is not a record of format {SCHEMA}: {_again(path)}")
    checksum = stored.pop("checksum", None)
    if checksum != storage.digest(stored):
        raise HqnnError(f"{path} is not as it was written, its checksum differs: {_again(path)}")
    del stored["schema"]
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
        return f"make it again with `python -m hqnn run {path.stem}`."
    if path.parent.name == FOLDERS["benchmark"]:
        return f"restore it from the repository or make it again with `python -m benchmarks.{path.stem}`."
    return "restore it from the repository or run that seed again."


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
