"""Many independent jobs on Dask: worker processes on this machine by default, or the cluster of any scheduler.

Dask restarts the jobs of a lost worker on another one. This module adds progress from inside a job, a stop that reaches
jobs already running, and a word when nobody is there to do them.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import Client, Event, KilledWorker, LocalCluster, Nanny, Security, Status, get_worker, rpc, wait
from distributed.comm.core import CommClosedError
from distributed.protocol import pickle
from tqdm import tqdm

from hqnn.errors import HqnnError

CONNECT_SECONDS = 10
REPORT_SECONDS = 0.5
REMIND_SECONDS = 60.0
"""How often to say that there are no workers."""
START_ATTEMPTS = 3
_log = logging.getLogger(__name__)


class StoppedError(Exception):
    """Raised in a job whose results nobody awaits any more."""


@contextmanager
def connect(n_workers: int, scheduler: str | None = None) -> Iterator[Client]:
    """Connect to a scheduler (`tcp://host:8786`), or start one with single-threaded workers on this machine.

    Raises:
        HqnnError: No scheduler answers there, or the worker processes do not start.
    """
    with ExitStack() as stack:
        if scheduler is None:
            # Dask would give up a worker that takes longer than a few seconds to come back.
            stack.enter_context(dask.config.set({"distributed.deploy.lost-worker-timeout": "1 day"}))
            client = Client(stack.enter_context(_local_cluster(n_workers)))
        else:
            try:
                with ThreadPoolExecutor(1) as thread:  # in which no loop runs, as one does in a notebook
                    thread.submit(asyncio.run, _greet(scheduler)).result()
                client = Client(scheduler, timeout=CONNECT_SECONDS)
            except Exception as error:  # of many types, by what is wrong with the address or with who answers there
                raise HqnnError(
                    f"No Dask scheduler answers at {scheduler!r}: start one with `dask scheduler` and give the address "
                    "that it prints, such as tcp://192.168.0.1:8786."
                ) from error
        yield stack.enter_context(client)


async def _greet(address: str) -> None:
    """Make sure that a scheduler answers: a client would wait forever for others, and leaves threads when it fails."""
    scheduler = rpc(address, connection_args=Security().get_connection_args("client"))
    try:
        if "workers" not in await asyncio.wait_for(scheduler.identity(), CONNECT_SECONDS):
            raise ValueError(f"{address} is no scheduler.")
    finally:
        await scheduler.close_rpc()


class _Nanny(Nanny):
    """Starts a process that died while it started once more; Dask's own then gives up the whole cluster."""

    async def instantiate(self) -> Status:
        for _ in range(START_ATTEMPTS):
            status: Status = await super().instantiate()
            if status == Status.running:
                break
        return status


@contextmanager
def _local_cluster(n_workers: int) -> Iterator[LocalCluster]:
    """Start workers on this machine, from a thread, which completes what it began when this one is interrupted."""
    with ThreadPoolExecutor(1, initializer=_block_interrupts) as thread:
        starting = thread.submit(
            LocalCluster,
            n_workers=n_workers,
            threads_per_worker=1,
            worker_class=_Nanny,
            dashboard_address="127.0.0.1:0",  # any free port; a taken one would leak a socket
            memory_limit=None,
            silence_logs=logging.CRITICAL,
            env={"OMP_NUM_THREADS": "1"},
        )
        try:
            try:
                cluster = starting.result()
            except RuntimeError as error:
                raise HqnnError(
                    "A worker process does not start: use fewer of them, and in a program of your own start them under "
                    "`if __name__ == '__main__':`."
                ) from error
            yield cluster
        finally:
            if starting.exception() is None:
                starting.result().close()


def _block_interrupts() -> None:
    """Block Ctrl-C in this thread and in all threads and processes started from it, which inherit that.

    A terminal interrupts every process of a command, but only the first has to act on it: it stops the workers.
    """
    if hasattr(signal, "pthread_sigmask"):  # not on Windows
        resource_tracker.ensure_running()  # to start it later would unblock Ctrl-C again
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def compute(
    client: Client,
    function: Callable[..., Any],
    jobs: Mapping[str, tuple[Any, ...]],
    on_report: Callable[[str, int], None],
) -> Generator[tuple[str, Any]]:
    """Compute `function(*arguments, report)` for each job on the client's workers.

    Closing the iterator early stops the jobs that run: at their next report they raise `StoppedError`.

    Args:
        client: The connection.
        function: Importable on the workers.
        jobs: Arguments by name.
        on_report: Called here, in another thread, with the name of a job and what it reported.

    Yields:
        Names and results as they come. A job's exception takes the place of its result.

    Raises:
        HqnnError: The scheduler went away, or several workers died of the same job.
    """
    batch = f"hqnn-{uuid.uuid4().hex}"
    stop = Event(f"{batch}-stop", client=client)
    client.subscribe_topic(batch, lambda event: on_report(*event[1]))
    futures = {
        # Pickled here, so that the scheduler passes on bytes instead of importing what only workers need.
        client.submit(_perform, pickle.dumps((function, arguments)), name, batch, key=f"{batch}-{name}"): name
        for name, arguments in jobs.items()
    }
    pending = set(futures)
    try:
        while pending:
            scheduler = client.scheduler_info(n_workers=-1)
            if not scheduler["workers"]:
                address = scheduler["address"]
                way_out = (
                    f"start one with `dask worker {address}`" if client.cluster is None else "a new one is starting"
                )
                _log.warning(
                    "No worker is connected to the Dask scheduler at %s: %s; Ctrl-C stops waiting.", address, way_out
                )
            try:
                done, pending = wait(pending, REMIND_SECONDS, return_when="FIRST_COMPLETED")
            except TimeoutError:
                continue
            for future in done:
                name = futures[future]
                error = future.exception()
                if isinstance(error, KilledWorker):
                    raise HqnnError(
                        f"Several workers died while they ran {name}: see their logs, then repeat the command."
                    )
                yield name, error or future.result()
                future.release()
    except CancelledError as error:
        raise HqnnError("The connection to the Dask scheduler is lost: repeat the command to continue.") from error
    finally:
        with suppress(OSError, CommClosedError, TimeoutError):
            stop.set()
        client.unsubscribe_topic(batch)


def _perform(job: bytes, name: str, batch: str) -> Any:
    """One job, on a worker."""
    tqdm.set_lock(threading.RLock())  # its own is shared between processes, and one that is killed leaves it behind
    function, arguments = pickle.loads(job)
    worker = get_worker()
    stop = Event(f"{batch}-stop")
    reported = 0.0

    def report(amount: int) -> None:
        nonlocal reported
        if time.monotonic() - reported >= REPORT_SECONDS:
            reported = time.monotonic()
            worker.log_event(batch, (name, amount))
            if stop.is_set():
                raise StoppedError(name)

    return function(*arguments, report)
