"""Runs and their records: execute an experiment over seeds, here or on a Dask cluster; write, read and verify.

A record is one JSON file, `data/runs/<experiment>/<variant>/seed-<s>.json`, and beside it the weights its config asks
to keep. Its `result` is a function of config and seed alone (on one machine: float training is not bit-stable across
processors), its `provenance` says how it came about. Unfinished runs leave checkpoints in `data/checkpoints/`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import platform
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from hqnn import experiments, records, storage, tasks
from hqnn.datasets import MissingDatasetError
from hqnn.errors import HqnnError
from hqnn.experiments import Config, Experiment, Scale
from hqnn.records import SCHEMA as SCHEMA
from hqnn.records import Record as Record
from hqnn.records import read_record as read_record
from hqnn.storage import DATA
from hqnn.tasks import Outcome
from hqnn.training import DivergedError, deterministic

SIGNIFICANT_DIGITS = 6
"""Of every float in a record's result."""
MEASURED_TOLERANCE = 2e-3
"""How far stored weights, measured again, may lie from the record: two images in 1,024, or this share of a loss."""
RERUN_TOLERANCE = 0.01
"""How far a run repeated on another processor may end from its record, in final accuracy: ten images in 1,024."""
MAX_SEEDS = 10_000
"""In one call of `run`."""
MAX_SEED = 2**63 - 1
"""Some runs draw with 2 * seed + 1, and torch's generators take 64 bits."""

_PACKAGES = ("torch", "numpy", "qiskit", "hqnn")
_one_at_a_time = threading.Lock()
_log = logging.getLogger(__name__)

_Product = tuple[dict[str, Any], bytes | None] | DivergedError
"""What a run yields: its record and its file of weights."""


# --- one run ---------------------------------------------------------------------------------------------------------


def execute(
    config: Config,
    seed: int,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    progress: bool = False,
    on_epoch: Callable[[int], object] = lambda _epoch: None,
    root: Path = DATA,
) -> Outcome:
    """Run one config with one seed.

    Runs in one process exclude each other: they share torch's random generator.

    Args:
        config: What to run.
        seed: Seeds weights, shuffling and dropout; the images are chosen by the config's own seed.
        checkpoint: A folder to store the state in every few seconds, and to resume from. A state stored by another
            config, seed, version of this package or of torch, or device is ignored.
        device: Where to compute, as torch names it.
        progress: Whether to show a bar on stderr.
        on_epoch: Called with the number of epochs done.
        root: The data folder, for runs that build on recorded ones.

    Returns:
        Result (floats rounded to 6 significant digits), kept weights, and where the data came from.

    Raises:
        DivergedError: The loss became NaN or infinite.
        HqnnError: The dataset is missing, the device or a record to build on is, or the disk is full.
    """
    _check_device(device)
    key = storage.digest([experiments.config_hash(config), seed, code_digest(), torch.__version__, device])
    session = tasks.Session(
        seed=seed,
        key=key,
        folder=checkpoint,
        device=device,
        progress=progress,
        on_epoch=on_epoch,
        kept=partial(kept_weights, root=root),
    )
    with _one_at_a_time, deterministic():
        outcome = tasks.perform(config, session)
    return replace(outcome, result=_rounded(outcome.result))


def _check_device(device: str) -> None:
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += ["cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if device not in devices:
        raise HqnnError(f"There is no device {device!r} on {platform.node()}: choose from {', '.join(devices)}.")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value


@dataclass(frozen=True, kw_only=True)
class Run:
    """One seed of one variant: what is scheduled."""

    experiment: str
    variant: str
    scale: Scale
    seed: int
    config: Config

    @property
    def label(self) -> str:
        """The run's name, unique within a scale."""
        return f"{self.experiment}/{self.variant}/seed-{self.seed}"

    def record(self, root: Path) -> Path:
        """Where the run's record goes."""
        return records.folder(root, self.scale) / f"{self.label}.json"

    def checkpoint(self, root: Path) -> Path:
        """The folder of the run's unfinished state."""
        return root / "checkpoints" / self.scale / self.label


def _make(
    run: Run, root: Path | None, device: str, on_epoch: Callable[[int], object]
) -> tuple[dict[str, Any], bytes | None]:
    """Execute a run and assemble its record and its weights' file. The checkpoint stays until the record is stored."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    folder = root or DATA
    outcome = execute(
        run.config, run.seed, checkpoint=run.checkpoint(folder), device=device, on_epoch=on_epoch, root=folder
    )
    weights = storage.pack_tensors(outcome.snapshots) if outcome.snapshots else None
    name = f"seed-{run.seed}.safetensors"
    record = {
        "schema": SCHEMA,
        "experiment": run.experiment,
        "variant": run.variant,
        "scale": run.scale,
        "seed": run.seed,
        "config": experiments.as_json(run.config),
        "config_hash": experiments.config_hash(run.config),
        "result": outcome.result,
        "provenance": {
            **environment(),
            "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
            "seconds": round(outcome.seconds, 2),
            "started": started,
            "dataset": outcome.dataset,
        },
        "weights": {"file": name, "sha256": hashlib.sha256(weights).hexdigest()} if weights else None,
    }
    return record, weights


def _store(run: Run, root: Path, record: Mapping[str, Any], weights: bytes | None) -> None:
    """Write the weights, then the record that vouches for them, then drop the checkpoint."""
    path = run.record(root)
    if weights is not None:
        storage.write_atomically(path.with_suffix(".safetensors"), weights)
    text = layout({**record, "checksum": storage.digest(record)})
    storage.write_atomically(path, f"{text}\n".encode())
    _discard([run], root)


def _discard(runs: Iterable[Run], root: Path | None) -> None:
    for run in runs:
        rmtree(run.checkpoint(root or DATA), ignore_errors=True)


def layout(value: Any, indent: str = "") -> str:
    """JSON with one key per line and every list on one line."""
    if isinstance(value, Mapping) and value:
        inner = indent + "  "
        lines = (f"{inner}{json.dumps(key)}: {layout(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    return json.dumps(value, allow_nan=False)


@cache
def code_digest() -> str:
    """The sha256 over this package's source files."""
    package = Path(__file__).parent
    files = sorted(package.rglob("*.py"))
    return storage.digest([[str(f.relative_to(package)), hashlib.sha256(f.read_bytes()).hexdigest()] for f in files])


@cache
def environment() -> dict[str, Any]:
    """Code, versions and processor, as they were when first asked for in this process."""
    commit = _git("rev-parse", "HEAD") if storage.in_clone() else None  # not that of a repository around an environment
    changes = _git("status", "--porcelain", "--", "lib") if commit else None
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a source tree that is not installed
            continue
    return {
        "git_commit": commit,
        "git_dirty": None if changes is None else bool(changes),
        "code": code_digest(),
        "versions": versions,
        "processor": _processor(),
    }


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=DATA.parent, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):  # no git, or not a clone
        return None
    return done.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


# --- many runs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """What a call of `run` did."""

    done: int
    skipped: int


def run(
    names: str | Sequence[str],
    seeds: Iterable[int] | None = None,
    *,
    variants: Sequence[str] | None = None,
    scale: Scale = "paper",
    jobs: int = 1,
    scheduler: str | None = None,
    device: str = "cpu",
    root: Path = DATA,
    progress: bool = True,
) -> Summary:
    """Run experiments over seeds and store the records; what is stored already is skipped.

    Args:
        names: One experiment or several.
        seeds: Which seeds, from 0 to 2^63 - 1 and at most `MAX_SEEDS`; by default those each experiment must have.
        variants: Which variants; by default all.
        scale: `paper`, or `quick` for the bundled digits.
        jobs: 1 runs in this process; more start as many single-threaded worker processes (Dask's local cluster).
        scheduler: The address of a Dask scheduler whose workers to use instead. Each needs this package and the
            dataset; checkpoints stay on the worker, records are written here.
        device: Where each run computes.
        root: The folder that holds `runs/`, `quick/` and `checkpoints/`.
        progress: Whether to show a bar on stderr.

    Raises:
        HqnnError: A name is unknown, a seed is none, the device or a dataset is missing, `root` cannot be written to,
            the disk is full, the scheduler cannot be reached, or runs diverged (the others are finished first).
        KeyboardInterrupt: Interrupted; its message says how to continue.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, not {jobs}.")
    storage.data_folder(root, may_be_new=True)
    if scheduler is None:  # else the workers check it, on their machines
        _check_device(device)
    seeds = None if seeds is None else _checked_seeds(seeds)
    each = (
        Run(experiment=name, variant=variant, scale=scale, seed=seed, config=config)
        for name in ([names] if isinstance(names, str) else names)
        for variant, config in experiments.select(experiments.get(name), variants, scale).items()
        for seed in (experiments.get(name).seeds if seeds is None else seeds)
    )
    wanted = list(dict.fromkeys(each))  # named twice is run once
    pending = [one for one in wanted if not records.is_done(one.record(root), one.config)]
    skipped = len(wanted) - len(pending)
    if not pending:
        return Summary(0, skipped)
    _check_folders(one.record(root).parent for one in pending)
    if scheduler is None:
        _check_folders(one.checkpoint(root).parent for one in pending)

    diverged: list[str] = []
    warnings = logging.root if logging.root.handlers else logging.getLogger("hqnn")
    with logging_redirect_tqdm([warnings]), _Bar(pending, progress) as bar:  # they go above the bar, not into it
        if scheduler is None and jobs == 1:
            results = _run_here(pending, root, device, bar)
        else:
            results = _run_on_dask(pending, root, device, bar, min(jobs, len(pending)), scheduler)
        try:
            for one, product in results:
                if isinstance(product, DivergedError):
                    diverged.append(f"{one.label}: {product}")
                    _discard([one], root)
                    continue
                _store(one, root, *product)
                bar.finish(one)
        except KeyboardInterrupt:
            n_stored = sum(records.is_done(one.record(root), one.config) for one in wanted)
            raise KeyboardInterrupt(
                f"Interrupted: {n_stored} of {len(wanted)} runs are stored; repeat the command to continue the others "
                "from where they were."
            ) from None
        finally:
            results.close()
    if diverged:
        raise HqnnError(f"{len(diverged)} of {len(wanted)} runs diverged, the others are stored. {' '.join(diverged)}")
    return Summary(len(pending), skipped)


def _checked_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    chosen = tuple(islice(seeds, MAX_SEEDS + 1))
    if len(chosen) > MAX_SEEDS:
        raise HqnnError(f"More than {MAX_SEEDS:,} seeds are too many for one call: split them.")
    for seed in chosen:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed <= MAX_SEED:
            raise HqnnError(f"{seed!r} is no seed: choose whole numbers from 0 to {MAX_SEED}.")
    return tuple(map(int, chosen))


def _check_folders(folders: Iterable[Path]) -> None:
    """Make these folders and write to each, so that no result is computed that cannot be stored."""
    for folder in sorted(set(folders)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
        except OSError as error:
            raise HqnnError(
                f"Nothing can be written to {folder} ({error.strerror}): make that possible or choose another folder."
            ) from error


def _run_here(pending: Sequence[Run], root: Path, device: str, bar: _Bar) -> Generator[tuple[Run, _Product]]:
    for one in pending:
        try:
            yield one, _make(one, root, device, partial(bar.reach, one.label))
        except DivergedError as error:
            yield one, error


def _run_on_dask(
    pending: Sequence[Run], root: Path, device: str, bar: _Bar, n_workers: int, scheduler: str | None
) -> Generator[tuple[Run, _Product]]:
    from hqnn import cluster  # costs a second that most commands need not wait

    by_label = {one.label: one for one in pending}
    own_root = None if root == DATA else root  # a worker elsewhere keeps checkpoints in its own data folder
    with cluster.connect(n_workers, scheduler) as client:
        jobs = {label: (one, own_root, device) for label, one in by_label.items()}
        finished: list[Run] = []
        products = cluster.compute(client, _make, jobs, bar.reach)
        try:
            for label, product in products:
                if isinstance(product, Exception) and not isinstance(product, DivergedError):
                    raise product
                yield by_label[label], product
                finished.append(by_label[label])
        finally:
            products.close()
            with suppress(OSError, TimeoutError):
                client.run(_discard, finished, own_root)


class _Bar:
    """One bar over all epochs of all runs, wherever they run."""

    def __init__(self, pending: Sequence[Run], shown: bool) -> None:
        self._epochs = {one.label: one.config.epochs for one in pending}
        self._reached: Counter[str] = Counter()
        self._stored: set[str] = set()
        self._bar = tqdm(total=sum(self._epochs.values()), unit="epoch", disable=not shown, smoothing=0.05)
        self._describe()

    def _describe(self) -> None:
        self._bar.set_description(f"{len(self._stored)} of {len(self._epochs)} runs stored")

    def reach(self, label: str, epoch: int) -> None:
        """Note that a run has done `epoch` epochs (fewer than before if it moved to another worker)."""
        if label in self._stored:  # a report that was overtaken by the result
            return
        self._bar.update(epoch - self._reached[label])
        self._reached[label] = epoch

    def finish(self, one: Run) -> None:
        """Note that a run's record is stored."""
        self.reach(one.label, self._epochs[one.label])
        self._stored.add(one.label)
        self._describe()

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


# --- records ---------------------------------------------------------------------------------------------------------


def kept_weights(experiment: str, variant: str, seed: int, *, root: Path = DATA) -> dict[str, Tensor]:
    """The last weights that the record of a paper-scale run keeps, for a run that builds on them.

    Raises:
        HqnnError: There is no such record, or it is damaged or stale; the message says which run comes first.
    """
    config = experiments.select(experiments.get(experiment), [variant])[variant]
    path = Run(experiment=experiment, variant=variant, scale="paper", seed=seed, config=config).record(root)
    first = f"run `python -m hqnn run {experiment} --seeds {seed}` first."
    if not path.exists():
        raise HqnnError(f"This run builds on {experiment}/{variant}, seed {seed}, which is not recorded: {first}")
    record = read_record(path)
    if record.config_hash != experiments.config_hash(config):
        raise HqnnError(f"This run builds on {path}, which was made with other settings: {first}")
    return record.snapshot(max(config.snapshots))


# used by pages until they are moved


def load(experiment: str, variant: str | None = None, *, scale: Scale = "paper", root: Path = DATA) -> list[Record]:
    """The records of an experiment, or of one of its variants; see `hqnn.records.load`."""
    chosen = [variant] if variant else experiments.get(experiment).configs(scale)
    return [record for name in chosen for record in records.load(f"{experiment}/{name}", root, scale=scale)]


def history(experiment: str, variant: str, curve: str, *, root: Path = DATA) -> NDArray[np.float64]:
    """One curve of every seed [seeds, epochs]; see `hqnn.records.curves`."""
    return records.curves(f"{experiment}/{variant}", curve, root).to_numpy()


def paired(curve: str, *series: str, root: Path = DATA) -> list[NDArray[np.float64]]:
    """One curve of several series over the seeds that all of them have, each [shared seeds, epochs]."""
    tables = [records.curves(one, curve, root) for one in series]
    shared = sorted(set.intersection(*(set(table.index) for table in tables)))
    if not shared:
        raise HqnnError(f"{', '.join(series)} share no seed: run the missing ones.")
    return [table.loc[shared].to_numpy() for table in tables]


# end of what pages use


# --- verification ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verification:
    """What `verify` found."""

    problems: list[str]
    """One sentence each; none if all is well."""
    n_records: int
    n_measured: int
    """Records whose stored weights were measured again."""


def verify(root: Path = DATA, *, measure: bool = True) -> Verification:
    """Check every paper-scale record against the registry.

    Checked are: format, checksum, place, config and its hash, curves and their lengths, finite values, the
    weights' file, that the runs of a variant saw the same images, and that every required seed is there. Where
    the dataset is, the images are drawn again, and the last weights of each record measured again.

    Args:
        root: The data folder.
        measure: Whether to draw the images and to measure stored weights.
    """
    problems: list[str] = []
    n_measured = 0
    found: dict[Path, Record] = {}
    base = records.folder(root, "paper")
    for path in sorted(base.rglob("*.json")):
        try:
            found[path] = read_record(path)
        except HqnnError as error:
            problems.append(str(error))
    for path in sorted(base.rglob("*.safetensors")):
        if path.with_suffix(".json") not in found or found[path.with_suffix(".json")].weights_path != path:
            problems.append(f"{path} belongs to no record.")
    for record in found.values():
        wrong, measured = _problems(record, base, measure)
        problems += [f"{record.path}: {problem}" for problem in wrong]
        n_measured += measured
    for experiment in experiments.EXPERIMENTS.values():
        for variant in experiment.variants:
            problems += _problems_of_series(experiment, variant, found.values(), measure)
    return Verification(problems, len(found), n_measured)


def _problems(record: Record, base: Path, measure: bool) -> tuple[list[str], bool]:
    """What is wrong with one record, and whether its weights were measured."""
    name = f"{record.experiment}/{record.variant}/seed-{record.seed}"
    if record.path != base / f"{name}.json" or record.scale != "paper":
        return [f"holds the {record.scale}-scale run {name}, which belongs elsewhere."], False
    experiment = experiments.EXPERIMENTS.get(record.experiment)
    config = experiment.variants.get(record.variant) if experiment else None
    if experiment is None or config is None:
        return ["the registry has no such experiment or variant."], False
    expected = experiments.as_json(config)
    changed = sorted(
        field for field in {*expected, *record.config} if expected.get(field, ...) != record.config.get(field, ...)
    )
    if changed or record.config_hash != experiments.config_hash(config):
        what = ", ".join(changed) or "the type of config"
        return [f"stale, the registry now differs in {what}: run that seed again."], False

    problems = []
    if record.seed not in experiment.seeds:
        problems.append(f"seed {record.seed} is not one of the experiment's.")
    problems += _problems_of_result(record, config)
    try:
        snapshots = record.snapshots()
    except HqnnError as error:
        return [*problems, str(error)], False
    kept = {int(key.partition("/")[0].removeprefix("epoch-")) for key in snapshots}
    if kept != set(config.snapshots):
        problems.append(f"keeps the weights of epochs {sorted(kept)}, not {sorted(config.snapshots)}.")
    if problems or not measure or not any(kept):
        return problems, False
    epoch = max(kept)
    measured = tasks.measure(config, records.weights_of(snapshots, epoch))
    for curve, value in (measured or {}).items():
        stored = record.history[curve][epoch - 1]
        if abs(value - stored) > MEASURED_TOLERANCE * max(1.0, abs(stored)):
            problems.append(
                f"its weights of epoch {epoch} give a {curve} of {value:.6g}, the record says {stored:.6g}."
            )
    return problems, measured is not None


def _problems_of_result(record: Record, config: Config) -> list[str]:
    problems = []
    curves = record.result.get("history", {})
    if set(curves) != set(config.curves):
        problems.append(f"its curves are {sorted(curves)}, not {sorted(config.curves)}.")
    for curve, values in curves.items():
        if len(values) != config.epochs:
            problems.append(f"{curve} has {len(values)} values for {config.epochs} epochs.")
        if not all(map(math.isfinite, values)):
            problems.append(f"{curve} is not finite throughout.")
        if curve.endswith("_accuracy") and not all(0 <= value <= 1 for value in values):
            problems.append(f"{curve} leaves the range from 0 to 1.")
    n_parameters = record.result.get("n_parameters", {})
    if not 0 <= n_parameters.get("quantum", -1) <= n_parameters.get("total", -1):
        problems.append(f"its parameter counts {n_parameters} make no sense.")
    return problems


def _problems_of_series(experiment: Experiment, variant: str, found: Iterable[Record], measure: bool) -> list[str]:
    """What is wrong with the seeds of a variant taken together."""
    series = [record for record in found if (record.experiment, record.variant) == (experiment.name, variant)]
    name = f"{experiment.name}/{variant}"
    problems = []
    missing = sorted(set(experiment.seeds) - {record.seed for record in series})
    if missing:
        problems.append(f"{name} lacks the seeds {', '.join(map(str, missing))}.")
    origins = {storage.canonical_json(record.provenance.get("dataset")) for record in series}
    if len(origins) > 1:
        problems.append(f"{name}: its seeds were not trained on the same images.")
    elif origins and measure:
        with suppress(MissingDatasetError):
            if storage.canonical_json(tasks.origin(experiment.variants[variant])) not in origins:
                problems.append(f"{name}: its seeds were not trained on the images that its config draws.")
    return problems


@dataclass(frozen=True)
class Rerun:
    """A stored run beside its repetition."""

    identical: bool
    """Whether the results agree in every digit stored, as they do on one machine."""
    differences: dict[str, float]
    """By curve, the largest difference at any epoch."""
    final_accuracy: float
    """The largest difference of an accuracy after the last epoch."""

    @property
    def reproduces(self) -> bool:
        """Whether the repetition ends within `RERUN_TOLERANCE`."""
        return self.final_accuracy <= RERUN_TOLERANCE


def rerun(experiment: str, variant: str, seed: int, *, root: Path = DATA, progress: bool = True) -> Rerun:
    """Run one recorded seed again from scratch, with the registry's config, and compare.

    What the run builds on is read from `root` too.

    Raises:
        HqnnError: There is no such record, or the run fails.
    """
    config = experiments.select(experiments.get(experiment), [variant])[variant]
    one = Run(experiment=experiment, variant=variant, scale="paper", seed=seed, config=config)
    record = read_record(one.record(root))
    outcome = execute(config, seed, progress=progress, root=root)
    gaps = {curve: np.abs(np.subtract(values, record.history[curve])) for curve, values in outcome.history.items()}
    return Rerun(
        identical=outcome.result == record.result,
        differences={curve: float(gap.max()) for curve, gap in gaps.items()},
        final_accuracy=max(float(gap[-1]) for curve, gap in gaps.items() if curve.endswith("_accuracy")),
    )
