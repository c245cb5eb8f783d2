"""Dask schedulers that are none, or have no workers."""

import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import LocalCluster

from hqnn import cluster, runs
from hqnn.errors import HqnnError
from tests.toy import results, wait_for


@pytest.fixture(scope="module")
def others() -> Iterator[dict[str, str]]:
    """The addresses of some who are no schedulers."""
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        local = stack.enter_context(LocalCluster(1, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"))
        yield {
            "silent": f"tcp://127.0.0.1:{silent.getsockname()[1]}",
            "worker": local.workers[0].address,
        }


@pytest.mark.parametrize(
    "address",
    [
        "",
        "foo",
        "tcp://127.0.0.1:9",
        "tcp://127.0.0.1:x",
        "http://127.0.0.1:9",
        "tls://127.0.0.1:9",
        "silent",
        "worker",
    ],
)
def test_no_scheduler_at_that_address(
    address: str, others: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = others.get(address, address)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    before = set(threading.enumerate())
    with pytest.raises(HqnnError, match=rf"^No Dask scheduler answers at '{re.escape(address)}': start one with"):
        runs.run("toy", root=tmp_path, scheduler=address, progress=False)
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name == "IO loop"]  # it could hang when it is collected


def test_a_scheduler_without_workers_is_said_again_and_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And as soon as a worker comes, it is given work."""
    monkeypatch.setattr(cluster, "REMIND_SECONDS", 0.1)
    said: list[str] = []

    def said_twice() -> bool:
        said.append(capsys.readouterr().err)
        return "".join(said).count("No worker is connected") > 1

    def send_a_worker() -> None:
        wait_for(said_twice)
        dask_cluster.scale(1)

    local = LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=None)
    with local as dask_cluster, ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send_a_worker)
        summary = runs.run("toy", root=tmp_path / "again", scheduler=dask_cluster.scheduler_address)
        sent.result()
        address = dask_cluster.scheduler_address
    sentence = (
        f"No worker is connected to the Dask scheduler at {address}: start one with `dask worker {address}`; "
        "Ctrl-C stops waiting."
    )
    assert summary == runs.Summary(done=4, skipped=0)
    assert "".join(said).replace("\r", "\n").splitlines().count(sentence) > 1  # on lines of their own
    assert results(tmp_path / "again") == results(root)
