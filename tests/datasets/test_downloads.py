"""Downloads from a server on loopback that cuts, corrupts, stalls or is not there."""

from __future__ import annotations

import gc
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torchvision.datasets as published

from hqnn import datasets
from hqnn.datasets import MissingDatasetError, sources, store
from tests.datasets.tiny import ABOVE, Files, files_in, zipped

# torchvision leaves the sockets of failed requests to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning")


class Site(http.server.ThreadingHTTPServer):
    """Serves `files` on loopback, of which the first `n_faulty` requests get something else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.files: Files = {}
        self.fault, self.n_faulty, self.n_requests = "", 0, 0
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up, as torchvision does when it has looked for redirections."""


class Page(http.server.BaseHTTPRequestHandler):
    """Answers with a file, unless a fault says otherwise."""

    server: Site

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send a file, or what the fault leaves of it."""
        site, body = self.server, self.server.files.get(self.path.removeprefix("/"))
        site.n_requests += 1
        fault, site.n_faulty = site.fault if site.n_faulty else "", max(site.n_faulty - 1, 0)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        middle = len(body) // 2
        self.wfile.write(body[:middle] + {"": body[middle:], "corrupt": bytes(len(body) - middle)}.get(fault, b""))
        if fault == "stalled":
            self.wfile.flush()
            site.closing.wait(30)


@pytest.fixture
def site(mnist: Files, pictures: Files, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site that serves the tiny MNIST, and a tiny Medical MNIST as GitHub would: without a known checksum."""
    gc.freeze()  # so that what is collected in the end are the sockets of this test only
    server = Site()
    server.files = mnist | {"HEAD.zip": zipped({f"{ABOVE}/{name}": content for name, content in pictures.items()})}
    monkeypatch.setattr(published.MNIST, "mirrors", [f"{server.url}gone/", f"{server.url}MNIST/raw/"])
    monkeypatch.setattr(sources, "_MEDICAL_ARCHIVE", f"{server.url}HEAD.zip")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()
    gc.unfreeze()


def test_fetch_downloads_once(site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingDatasetError):
        datasets.load("mnist")
    assert site.n_requests == 0
    path = datasets.fetch("mnist", progress=False)
    assert capfd.readouterr() == ("", "")
    assert path == tmp_path / "cache" / "mnist.npz"
    assert files_in(path.parent) == ["mnist.npz"]
    assert len(datasets.load("mnist").train) == 40
    before = site.n_requests
    assert datasets.fetch("mnist", progress=False) == path
    assert site.n_requests == before


def test_fetch_prefers_hqnn_data(site: Site, provided: Path) -> None:
    assert datasets.fetch("mnist", progress=False).is_file()
    assert site.n_requests == 0


@pytest.mark.parametrize("name", ["mnist", "medical_mnist"])
@pytest.mark.parametrize("fault", ["cut", "corrupt"])
def test_what_is_cut_or_corrupt_is_downloaded_again(name: str, fault: str, site: Site, tmp_path: Path) -> None:
    site.fault, site.n_faulty = fault, 4 if name == "mnist" else 2
    path = datasets.fetch(name, progress=False)
    assert len(datasets.load(name).train) in (12, 40)
    path.unlink()
    site.n_faulty = 10_000
    with pytest.raises(MissingDatasetError, match=rf"could not be downloaded from .*`python -m hqnn data {name}`"):
        datasets.fetch(name, progress=False)
    assert files_in(tmp_path / "cache") == []


def test_an_archive_that_is_something_else(site: Site, pictures: Files, tmp_path: Path) -> None:
    pictures.popitem()
    site.files["HEAD.zip"] = zipped(pictures)
    with pytest.raises(MissingDatasetError, match="11 images with fingerprint"):
        datasets.fetch("medical_mnist", progress=False)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["mnist", "medical_mnist"])
def test_an_answer_that_is_too_long_is_not_kept(
    name: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it was downloaded and read")

    monkeypatch.setattr(sources, "LIMIT", 2**12)
    monkeypatch.setattr(store, "_read", refuse)
    with pytest.raises(MissingDatasetError, match="could not be downloaded"):
        datasets.fetch(name, progress=False)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(("fault", "reason"), [("refused", "Connection refused"), ("stalled", "timed out")])
def test_a_server_out_of_reach(fault: str, reason: str, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "TIMEOUT_S", 0.1)
    monkeypatch.setenv("HQNN_DATA", "no folder")
    site.fault, site.n_faulty = fault, 10_000
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        if fault == "refused":
            monkeypatch.setattr(published.MNIST, "mirrors", [f"http://127.0.0.1:{deaf.getsockname()[1]}/"])
        with pytest.raises(MissingDatasetError, match=f"HQNN_DATA=no folder and could not be .*{reason}.*HQNN_DATA"):
            datasets.fetch("mnist", progress=False)
    assert socket.getdefaulttimeout() is None
