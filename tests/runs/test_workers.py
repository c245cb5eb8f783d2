"""Runs in worker processes, of this machine and of a Dask cluster: the same records, whoever dies."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import dask
import pytest
from distributed import Client

from hqnn import cluster as dask_cluster
from hqnn import runs
from hqnn.errors import HqnnError
from tests.toy import (
    BASE,
    ONE,
    PATIENCE,
    VARIANTS,
    command,
    holding,
    interrupted,
    reached,
    register,
    request,
    results,
    started,
    wait_for,
)


def test_records_made_by_worker_processes_are_the_same(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a run that diverges on a worker is named here, while the others go on."""
    again = tmp_path / "again"
    register(monkeypatch, {"wild": replace(BASE, learning_rate=1e30), **VARIANTS})
    with pytest.raises(HqnnError, match=r"2 of 6 runs diverged, .* toy/wild/seed-\d: The loss is no longer a finite"):
        runs.run("toy", root=again, jobs=2, progress=False)
    assert results(again) == results(root)
    assert not list((again / "checkpoints").rglob("*.safetensors"))


@pytest.mark.parametrize("event", ["kill-start", "kill-0"])
def test_a_worker_process_that_is_killed_is_replaced(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """While it starts or in the middle, and however long it takes until it is back."""
    again = tmp_path / "again"
    request(tmp_path, event, "remind")
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "0.1s")
    with started(*command(again, *ONE, "--jobs", "2"), events=tmp_path) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "1 runs done, 0 were there already.\n")
    assert not (tmp_path / event).exists()
    assert results(again) == {"hybrid/0": results(root)["hybrid/0"]}
    said = {re.sub(r"tcp://[\d.:]+\d", "ADDRESS", line) for line in err.splitlines()}
    word = "No worker is connected to the Dask scheduler at ADDRESS: a new one is starting; Ctrl-C stops waiting."
    assert said <= {word}
    assert said or event != "kill-0"  # while it starts, the cluster usually waits for it and says nothing


def test_a_run_of_which_workers_die_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request(tmp_path, "kill-0")
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    with started(*command(tmp_path, *ONE, "--jobs", "2"), events=tmp_path) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert err == (
        "error: Several workers died while they ran toy/hybrid/seed-0: see their logs, then repeat the command.\n"
    )


@dataclass
class Cluster:
    """A real scheduler and two real workers on loopback."""

    address: str
    workers: list["subprocess.Popen[str]"]
    events: Path


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    common = ("--scheduler-file", str(file), "--no-dashboard")
    scheduler = ("-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", *common)
    worker = ("-m", "dask", "worker", "--nthreads", "1", "--no-nanny", "--preload", "tests.toy", *common)
    with (folder / "log").open("a") as log, ExitStack() as stack:
        stack.enter_context(started(*scheduler, output=log))
        wait_for(lambda: file.exists() and file.read_text())
        address = json.loads(file.read_text())["address"]
        workers = [stack.enter_context(started(*worker, events=folder, output=log)) for _ in range(2)]
        with Client(address) as client:
            client.wait_for_workers(2)
        yield Cluster(address, workers, folder)


def test_an_interrupt_reaches_the_workers_of_a_scheduler(tmp_path: Path, cluster: Cluster) -> None:
    """They are free again although their runs would never have ended, and keep the checkpoints."""
    with holding(cluster.events):
        with started(*command(tmp_path, "--scheduler", cluster.address)) as process:
            wait_for(lambda: list(reached(tmp_path).values()) == [2, 2] or process.poll() is not None)
            held = reached(tmp_path)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, err) == (130, interrupted(0, 4))
        with Client(cluster.address) as client:
            wait_for(lambda: not any(client.run(lambda dask_worker: len(dask_worker.active_threads)).values()))
    assert reached(tmp_path) == held
    assert [worker.poll() for worker in cluster.workers] == [None, None]


def test_a_lost_workers_seeds_run_again_elsewhere(root: Path, tmp_path: Path, cluster: Cluster) -> None:
    again = tmp_path / "again"

    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        held.enter_context(holding(cluster.events))

        def kill_one_when_both_are_busy() -> None:
            with held:
                wait_for(lambda: len(reached(again)) == 2)
                cluster.workers[0].kill()

        killed = pool.submit(kill_one_when_both_are_busy)
        summary = runs.run("toy", root=again, scheduler=cluster.address, progress=False)
        killed.result()
    assert summary == runs.Summary(done=4, skipped=0)
    assert [worker.poll() is None for worker in cluster.workers] == [False, True]
    assert results(again) == results(root)
    assert not list((again / "checkpoints").rglob("*.safetensors"))


def test_worker_processes_that_never_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request(tmp_path, "kill-start")
    monkeypatch.setenv("TOY_EVENTS", str(tmp_path))
    monkeypatch.setattr(dask_cluster, "START_ATTEMPTS", 1)
    with (
        dask.config.set({"distributed.worker.preload": ["tests.toy"]}),
        pytest.raises(HqnnError, match=r"^A worker process does not start: use fewer"),
        dask_cluster.connect(1),
    ):
        pass
