"""A small experiment on the bundled digits, for tests that run things; also as a program that knows it.

`python -m tests.toy run toy --root FOLDER` is `python -m hqnn …` with this experiment registered. What befalls it, and
when, is up to empty files in the folder that the environment's `TOY_EVENTS` names, so that no test is a race:

- `hold-1`: the runs of seed 1 stay at epoch `EVENT_EPOCH` while the file is there;
- `kill-1`: a process that comes to that point removes the file and kills itself;
- `hold-start` and `kill-start` are the same for worker processes that start. `starting` says that one was held;
- `remind`: that all workers are gone is said at once, and not only after a while.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hqnn import __main__ as command_line
from hqnn import cluster, experiments, measurements, records, runs, storage, training
from hqnn.experiments import Experiment
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.tasks import Outcome

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[1]
BASE = LcqhnnConfig(
    model="cnn",
    dataset="digits",
    n_train=64,
    n_val=16,
    n_test=16,
    epochs=4,
    batch_size=16,
    learning_rate=0.005,
    snapshots=(0, 4),
)
VARIANTS = {"hybrid": replace(BASE, model="lcqhnn"), "plain": replace(BASE, snapshots=())}
EVENT_EPOCH = 3
PATIENCE = 600
"""Seconds after which something hangs, and does not just take long on a busy machine."""


def experiment(variants: Mapping[str, LcqhnnConfig], seeds: range = range(2)) -> Experiment:
    """The experiment `toy`."""
    return Experiment(name="toy", paper="lcqhnn", title="A toy", variants=variants, quick=variants, seeds=seeds)


def environment() -> dict[str, str]:
    """An environment in which a child process finds the package and this module."""
    path = os.pathsep.join([str(ROOT / "lib"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


@contextmanager
def started(
    *arguments: str, events: Path | None = None, output: IO[str] | int = subprocess.PIPE
) -> Iterator["subprocess.Popen[str]"]:
    """A Python of one's own, as a terminal starts it: in a group of processes, of which none outlives the block."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment() if events is None else {**environment(), "TOY_EVENTS": str(events)},
        stdout=output,
        stderr=output,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def labels() -> list[str]:
    """The toy's runs, in the order in which they are made."""
    return [f"toy/{variant}/seed-{seed}" for variant in VARIANTS for seed in range(2)]


def stored_runs(root: Path) -> list[str]:
    """Which runs have their record; asked for by name, since folders may change while they are listed."""
    return [label for label in labels() if (root / "runs" / f"{label}.json").exists()]


def reached(root: Path) -> dict[str, int]:
    """Which runs have a checkpoint, and of which epoch."""
    epochs = {}
    for label in labels():
        with suppress(FileNotFoundError):
            path = root / "checkpoints" / "paper" / label / "model.safetensors"
            epochs[label] = storage.read_tensors(path)[1]["epoch"]
    return epochs


def request(events: Path, *names: str) -> None:
    """Make events happen."""
    for name in names:
        (events / name).touch()


@contextmanager
def holding(events: Path) -> Iterator[None]:
    """Hold the runs of both seeds."""
    request(events, "hold-0", "hold-1")
    try:
        yield
    finally:
        for seed in range(2):
            (events / f"hold-{seed}").unlink()


def register(
    monkeypatch: "pytest.MonkeyPatch", variants: dict[str, LcqhnnConfig] | None = None, seeds: range = range(2)
) -> None:
    """Make the toy all that there is."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"toy": experiment(variants or VARIANTS, seeds)})
    monkeypatch.setattr(measurements, "everything", dict)


def record_path(root: Path, variant: str = "hybrid", seed: int = 0) -> Path:
    """The record of a run of the toy."""
    return root / "runs" / "toy" / variant / f"seed-{seed}.json"


def results(root: Path) -> dict[str, Any]:
    """Everything a record says that must not depend on how it was made."""
    found = [record for variant in VARIANTS for record in records.load(f"toy/{variant}", root)]
    return {f"{record.variant}/{record.seed}": (record.config_hash, record.result, record.weights) for record in found}


def edit(path: Path, change: Callable[[dict[str, Any]], None], *, honest_checksum: bool = True) -> None:
    """Change a record; with a matching checksum, as a program would that writes wrong records."""
    record = json.loads(path.read_text())
    checksum = record.pop("checksum")
    change(record)
    path.write_text(json.dumps({**record, "checksum": storage.digest(record) if honest_checksum else checksum}))


def command(root: Path, *options: str) -> list[str]:
    """`hqnn run toy`, in a process of its own."""
    return ["-m", "tests.toy", "run", "toy", "--root", str(root), "--quiet", *options]


ONE = ("--variants", "hybrid", "--seeds", "0")
"""Of one run; with `--jobs 2` one worker process is started for it."""


def interrupted(n_done: int, n_runs: int) -> str:
    """What an interrupted command says."""
    return (
        f"Interrupted: {n_done} of {n_runs} runs are stored; repeat the command to continue the others from where "
        "they were.\n"
    )


def _reach(on_epoch: Callable[[int], object], seed: int, events: Path, epoch: int) -> None:
    on_epoch(epoch)
    if epoch == EVENT_EPOCH:
        _kill_at(events / f"kill-{seed}")
        while (events / f"hold-{seed}").exists():
            time.sleep(0.02)
            on_epoch(epoch)
            _kill_at(events / f"kill-{seed}")


def _start(events: Path) -> None:
    _kill_at(events / "kill-start")
    while (events / "hold-start").exists():
        request(events, "starting")
        time.sleep(0.02)


def _kill_at(file: Path) -> None:
    with suppress(FileNotFoundError):
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _obey(events: Path) -> None:
    execute = runs.execute

    def observed(config: LcqhnnConfig, seed: int, **options: Any) -> Outcome:
        options["on_epoch"] = partial(_reach, options["on_epoch"], seed, events)
        return execute(config, seed, **options)

    vars(runs)["execute"] = observed
    cluster.REMIND_SECONDS = 0.1 if (events / "remind").exists() else PATIENCE
    training.CHECKPOINT_SECONDS = 0.0  # so that epoch EVENT_EPOCH - 1 is stored when that of EVENT_EPOCH is reached


_events = os.environ.get("TOY_EVENTS")
if _events:
    _obey(Path(_events))
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, however the tests are started
    experiments.EXPERIMENTS["toy"] = experiment(VARIANTS)
    sys.exit(command_line.main())
elif _events:
    _start(Path(_events))
