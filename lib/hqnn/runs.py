"""Runs: execute an experiment over seeds, here or on a Dask cluster, and store the records (`hqnn.records`).

Unfinished runs leave checkpoints in `data/checkpoints/`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from hqnn import experiments, provenance, records, storage, tasks
from hqnn.errors import HqnnError
from hqnn.experiments import Config, Scale
from hqnn.records import Record
from hqnn.storage import DATA
from hqnn.tasks import Network, Outcome
from hqnn.training import DivergedError, check_device, deterministic

MAX_SEEDS = 10_000
"""In one call of `run`."""
MAX_SEED = 2**63 - 1
"""Some runs draw with 2 * seed + 1, and torch's generators take 64 bits."""

RERUN_TOLERANCE = 0.01
"""How far a run repeated on another processor may end from its record, in final accuracy: ten images in 1,024."""

_one_at_a_time = threading.Lock()

_Product = tuple[dict[str, Any], bytes | None] | DivergedError
"""What a run yields: its record and its file of weights."""


def execute(
    config: Config,
    seed: int,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    progress: bool = False,
    on_epoch: Callable[[int], object] = lambda _epoch: None,
    root: Path = DATA,
    network: Network | None = None,
) -> Outcome:
    """Run one config with one seed. Runs in one process exclude each other: they share torch's random generator.

    Args:
        config: What to run.
        seed: Seeds weights, shuffling and dropout; the images are chosen by the config's own seed.
        checkpoint: A folder to store the state in every few seconds, and to resume from. A state stored by another
            config, seed, model, encoder, version of torch, or device is ignored.
        device: Where to compute, as torch names it.
        progress: Whether to show a bar on stderr.
        on_epoch: Called with the number of epochs done.
        root: The data folder, for runs that build on recorded ones.
        network: What to train instead of the config's own: a builder, called once the seed is set, or a network, of
            which every run trains a copy.

    Raises:
        DivergedError: The loss became NaN or infinite.
        HqnnError: The dataset is missing, the device or a record to build on is, or the disk is full.
    """
    check_device(device)
    model = provenance.model(config) if network is None else provenance.built(config, network)
    if isinstance(network, torch.nn.Module):
        model += hashlib.sha256(storage.pack_tensors(network.state_dict())).hexdigest()
    made_of = [experiments.config_hash(config), model, _built_on(config, seed, root)]
    session = tasks.Session(
        seed=seed,
        key=storage.digest([*made_of, seed, torch.__version__, device]),
        folder=checkpoint,
        device=device,
        progress=progress,
        on_epoch=on_epoch,
        kept=partial(kept_weights, root=root),
    )
    with _one_at_a_time, deterministic():
        drawn = experiments.with_draw(config, session.seed)
        outcome = tasks.of(drawn, network).run(drawn, session)
    return replace(outcome, result=records.rounded(outcome.result))


def _built_on(config: Config, seed: int, root: Path) -> dict[str, str]:
    """The series, if any, whose record a run loads weights of, and these weights' sha256."""
    series = tasks.of(config).upstream(config)
    return {series: _upstream(series, seed, root).weights["sha256"]} if series else {}  # type: ignore[index]


def kept_weights(series: str, seed: int, *, root: Path = DATA) -> dict[str, Tensor]:
    """The last weights that a record keeps, for a run that builds on them; an HqnnError says which run comes first."""
    found = _upstream(series, seed, root)
    return found.snapshot(max(found.config["snapshots"]))


def _upstream(series: str, seed: int, root: Path) -> Record:
    path = records.path_of(series, seed, root)
    first = f"run `python -m hqnn run {experiments.split(series)[0]} --seeds {seed}` first."
    if not path.exists():
        raise HqnnError(f"This run builds on {series}, seed {seed}, which is not recorded: {first}")
    found = records.read_record(path)
    if why := records.stale(found, root):
        raise HqnnError(f"This run builds on {path}, which is stale, {why}: {first}")
    return found


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One seed of one series: what is scheduled."""

    series: str
    scale: Scale
    seed: int
    config: Config

    @property
    def label(self) -> str:
        return f"{self.series}/seed-{self.seed}"

    def path(self, root: Path) -> Path:
        return records.path_of(self.series, self.seed, root, self.scale)

    def checkpoint(self, root: Path) -> Path:
        return root / "checkpoints" / self.scale / self.label


def _make(
    run: _Run, root: Path | None, device: str, on_epoch: Callable[[int], object]
) -> tuple[dict[str, Any], bytes | None]:
    """Execute a run and assemble its record and its weights' file. The checkpoint stays until the record is stored."""
    made_by = provenance.environment()  # before the run: a commit made during it is not what ran
    started = datetime.now(UTC).isoformat(timespec="seconds")
    folder = root or DATA
    outcome = execute(
        run.config, run.seed, checkpoint=run.checkpoint(folder), device=device, on_epoch=on_epoch, root=folder
    )
    weights = storage.pack_tensors(outcome.snapshots) if outcome.snapshots else None
    experiment, variant = experiments.split(run.series)
    document = {
        "kind": "run",
        "experiment": experiment,
        "variant": variant,
        "scale": run.scale,
        "seed": run.seed,
        "config": experiments.as_json(run.config),
        "config_hash": experiments.config_hash(run.config),
        "model": provenance.model(run.config),
        "built_on": _built_on(run.config, run.seed, folder),
        "result": outcome.result,
        "provenance": {
            **made_by,
            "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
            "seconds": round(outcome.seconds, 2),
            "started": started,
            "dataset": outcome.dataset,
        },
        "weights": weights and {"file": f"seed-{run.seed}.safetensors", "sha256": hashlib.sha256(weights).hexdigest()},
    }
    return document, weights


def _discard(runs: Iterable[_Run], root: Path | None) -> None:
    for run in runs:
        rmtree(run.checkpoint(root or DATA), ignore_errors=True)


class Summary(NamedTuple):
    """How many runs a call of `run` did, and how many were stored already."""

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
    again: bool = False,
    progress: bool = True,
) -> Summary:
    """Run experiments over seeds and store the records; what is stored already, and not stale, is skipped.

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
        again: Whether to run what is stored already, too.
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
        check_device(device)
    seeds = None if seeds is None else _checked_seeds(seeds)
    each = (
        _Run(series=f"{name}/{variant}", scale=scale, seed=seed, config=config)
        for name in ([names] if isinstance(names, str) else names)
        for variant, config in experiments.select(experiments.get(name), variants, scale).items()
        for seed in (experiments.get(name).seeds if seeds is None else seeds)
    )
    wanted = list(dict.fromkeys(each))  # named twice is run once
    pending = [one for one in wanted if again or not records.is_done(one.path(root), root)]
    skipped = len(wanted) - len(pending)
    if not pending:
        return Summary(0, skipped)
    storage.check_folders(one.path(root).parent for one in pending)
    if scheduler is None:
        storage.check_folders(one.checkpoint(root).parent for one in pending)

    diverged: list[str] = []
    warnings = logging.root if logging.root.handlers else logging.getLogger("hqnn")
    with (
        logging_redirect_tqdm([warnings]),  # they go above the bar, not into it
        Bar({one.label: one.config.epochs for one in pending}, progress) as bar,
    ):
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
                records.write(one.path(root), *product)
                _discard([one], root)
                bar.finish(one.label)
        except KeyboardInterrupt:
            n_stored = sum(records.is_done(one.path(root), root) for one in wanted)
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


def _run_here(pending: Sequence[_Run], root: Path, device: str, bar: Bar) -> Generator[tuple[_Run, _Product]]:
    for one in pending:
        try:
            yield one, _make(one, root, device, partial(bar.reach, one.label))
        except DivergedError as error:
            yield one, error


def _run_on_dask(
    pending: Sequence[_Run], root: Path, device: str, bar: Bar, n_workers: int, scheduler: str | None
) -> Generator[tuple[_Run, _Product]]:
    from hqnn import cluster  # costs a second that most commands need not wait

    by_label = {one.label: one for one in pending}
    own_root = None if root == DATA else root  # a worker elsewhere keeps checkpoints in its own data folder
    with cluster.connect(n_workers, scheduler) as client:
        jobs = {label: (one, own_root, device) for label, one in by_label.items()}
        finished: list[_Run] = []
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


class Bar:
    """One bar over all epochs of all runs, wherever they run."""

    def __init__(self, epochs: Mapping[str, int], shown: bool) -> None:
        self._epochs = dict(epochs)
        self._reached: Counter[str] = Counter()
        self._stored: set[str] = set()
        self._bar = tqdm(total=sum(self._epochs.values()), unit="epoch", disable=not shown, smoothing=0.05)
        self._describe()

    def _describe(self) -> None:
        self._bar.set_description(f"{len(self._stored)} of {len(self._epochs)} runs stored")

    def reach(self, label: str, epoch: int) -> None:
        """Note that a run has done `epoch` epochs (fewer than before if it moved to another worker)."""
        if label not in self._stored:  # else a report that was overtaken by the result
            self._bar.update(epoch - self._reached[label])
            self._reached[label] = epoch

    def finish(self, label: str) -> None:
        """Note that a run's record is stored."""
        self.reach(label, self._epochs[label])
        self._stored.add(label)
        self._describe()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
