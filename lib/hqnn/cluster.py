"""Many independent jobs on Dask: worker processes on this machine by default, or the cluster of any scheduler.

Dask restarts the jobs of a worker that is lost on another one. What this module adds is what the book's runs need:
progress from inside a job, and a stop that reaches jobs already running.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from distributed import Client, Event, KilledWorker, LocalCluster, as_completed, get_worker
from distributed.comm.core import CommClosedError
from distributed.protocol import pickle

from hqnn.errors import HqnnError

Report = Callable[[int], None]
"""Called by a job, from time to time, with how far it is."""

CONNECT_SECONDS = 10
REPORT_SECONDS = 0.5
_log = logging.getLogger(__name__)


class StoppedError(Exception):
    """Raised in a job whose results nobody awaits any more."""


@contextmanager
def connect(n_workers: int, scheduler: str | None = None) -> Iterator[Client]:
    """Connect to a scheduler, or start one with single-threaded workers on this machine.

    Args:
        n_workers: How many worker processes to start; unused with a scheduler.
        scheduler: Its address, as `tcp://host:8786`.

    Raises:
        HqnnError: No scheduler answers there.
    """
    with ExitStack() as stack:
        if scheduler is None:
            with _without_interrupts():
                cluster = LocalCluster(
                    n_workers=n_workers,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",  # any free port; a taken one would leak a socket
                    memory_limit=None,
                    silence_logs=logging.CRITICAL,
                    env={"OMP_NUM_THREADS": "1"},
                )
            client = stack.enter_context(Client(stack.enter_context(cluster)))
        else:
            try:
                client = stack.enter_context(Client(scheduler, timeout=CONNECT_SECONDS))
            except (OSError, ValueError) as error:
                raise HqnnError(
                    f"No Dask scheduler answers at {scheduler}: start one with `dask scheduler` or check the address."
                ) from error
            if not client.scheduler_info(n_workers=-1)["workers"]:
                _log.warning("The scheduler at %s has no workers yet; waiting for the first.", scheduler)
        yield client


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C, here for a moment and for good in the processes started meanwhile, which inherit that.

    A terminal interrupts every process of a command, but only this one has to act on it: it stops the workers.
    """
    if threading.current_thread() is not threading.main_thread():  # the only one that may set handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
    try:
        for future in as_completed(futures):
            name = futures[future]
            if future.status == "cancelled":
                raise HqnnError("The connection to the Dask scheduler is lost: repeat the command to continue.")
            error = future.exception()
            if isinstance(error, KilledWorker):
                raise HqnnError(f"Several workers died while they ran {name}: see their logs, then repeat the command.")
            yield name, error or future.result()
            future.release()
    finally:
        with suppress(OSError, CommClosedError, TimeoutError):
            stop.set()
        client.unsubscribe_topic(batch)


def _perform(job: bytes, name: str, batch: str) -> Any:
    """One job, on a worker."""
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
