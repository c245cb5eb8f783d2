"""Downloads from a server on loopback that cuts, corrupts, stalls or never stops."""

from __future__ import annotations

import contextlib
import gc
import http.server
import resource
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import torchvision.datasets as published

from hqnn import datasets
from hqnn.datasets import MissingDatasetError, sources, unverified
from hqnn.errors import HqnnError
from tests.datasets.tiny import ABOVE, Files, files_in, memory_limited_to, one_sentence, zipped

# torchvision leaves the sockets of failed requests to the garbage collector
pytestmark = [
    pytest.mark.usefixtures("isolated"),
    pytest.mark.filterwarnings("ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning"),
]


class Site(http.server.ThreadingHTTPServer):
    """Serves `files` on loopback, of which the first `n_faulty` requests get something else."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.files: Files = {}
        self.fault, self.n_faulty = "", 0
        self.requests: list[str] = []
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
        site, name = self.server, self.path.removeprefix("/")
        site.requests.append(name)
        fault, site.n_faulty = site.fault if site.n_faulty else "", max(site.n_faulty - 1, 0)
        if fault == "silent":
            site.closing.wait(30)
            return
        if name not in site.files:
            self.send_error(404)
            return
        body = site.files[name]
        if fault.startswith("endless"):
            self.send_response(302 if fault == "endless detour" else 200)
            self.send_header("Location", f"{site.url}{name}")
            self.end_headers()
            with contextlib.suppress(OSError):  # the client hangs up
                for _ in range(64):
                    self.wfile.write(bytes(2**16))
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
def site() -> Iterator[Site]:
    gc.freeze()  # so that what is collected in the end are the sockets of this test only
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()
    gc.unfreeze()


@pytest.fixture
def mnist_site(site: Site, mnist: Files, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that serves the tiny MNIST."""
    site.files = mnist
    monkeypatch.setattr(published.MNIST, "mirrors", [f"{site.url}gone/", f"{site.url}MNIST/raw/"])
    return site


def test_fetch_downloads_once(mnist_site: Site, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingDatasetError):
        datasets.load("mnist")
    assert mnist_site.requests == []
    path = datasets.fetch("mnist")
    assert path == tmp_path / "cache" / "mnist.npz"
    assert set(mnist_site.files) < set(mnist_site.requests)
    assert "100%" in capfd.readouterr().err
    assert len(datasets.load("mnist").train) == 40
    mnist_site.requests.clear()
    assert datasets.fetch("mnist", progress=False) == path
    assert mnist_site.requests == []
    assert files_in(path.parent) == ["mnist.npz"]
    path.unlink()
    capfd.readouterr()
    datasets.fetch("mnist", progress=False)
    assert capfd.readouterr() == ("", "")


def test_fetch_prefers_hqnn_data(mnist_site: Site, provided: Path) -> None:
    assert datasets.fetch("mnist", progress=False).is_file()
    assert mnist_site.requests == []


@pytest.fixture
def medical_site(site: Site, pictures: Files, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that serves a tiny Medical MNIST as GitHub would: a zip without a known checksum."""
    site.files = {"HEAD.zip": zipped({f"{ABOVE}/{name}": content for name, content in pictures.items()})}
    monkeypatch.setattr(sources, "_MEDICAL_ARCHIVE", f"{site.url}HEAD.zip")
    return site


@pytest.mark.parametrize("name", ["mnist", "medical_mnist"])
@pytest.mark.parametrize("fault", ["cut", "corrupt"])
def test_what_is_cut_or_corrupt_is_downloaded_again(
    name: str, fault: str, mnist_site: Site, medical_site: Site, mnist: Files
) -> None:
    mnist_site.files |= mnist
    mnist_site.fault, mnist_site.n_faulty = fault, 4 if name == "mnist" else 2
    datasets.fetch(name, progress=False)
    assert len(datasets.load(name).train) in (12, 40)
    mnist_site.n_faulty = 10_000
    datasets.cache_folder().joinpath(f"{name}.npz").unlink()
    with pytest.raises(MissingDatasetError, match=r"could not be downloaded from .*HQNN_DATA") as error:
        datasets.fetch(name, progress=False)
    assert f"`python -m hqnn data {name}`" in one_sentence(error)
    assert files_in(datasets.cache_folder()) == []


def test_an_archive_that_is_something_else(medical_site: Site, pictures: Files, tmp_path: Path) -> None:
    pictures.popitem()
    medical_site.files["HEAD.zip"] = zipped(pictures)
    with pytest.raises(MissingDatasetError, match=r"HEAD\.zip|github.* \(11 images with fingerprint"):
        datasets.fetch("medical_mnist", progress=False)
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["mnist", "medical_mnist"])
@pytest.mark.parametrize("fault", ["endless", "endless detour"])
def test_a_server_that_never_stops(name: str, fault: str, mnist_site: Site, medical_site: Site, mnist: Files) -> None:
    mnist_site.files |= mnist
    mnist_site.fault, mnist_site.n_faulty = fault, 10_000
    with (
        memory_limited_to(2**22),
        pytest.raises(
            MissingDatasetError, match=r"could not be downloaded .*more than [\d,]+ bytes.*HQNN_DATA"
        ) as error,
    ):
        datasets.fetch(name, progress=False)
    one_sentence(error)


@pytest.mark.parametrize("fault", ["refused", "silent", "stalled"])
def test_a_server_out_of_reach(fault: str, mnist_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unverified, "TIMEOUT_S", 0.1)
    mnist_site.fault, mnist_site.n_faulty = fault, 10_000
    reason = "Connection refused" if fault == "refused" else "timed out"
    monkeypatch.setenv("HQNN_DATA", "no folder")
    opener = urllib.request.build_opener()
    monkeypatch.setattr(urllib.request, "_opener", opener)
    where = r"HQNN_DATA=no folder \(No such file or directory\)"
    with (
        socket.socket() as deaf,
        pytest.raises(MissingDatasetError, match=f"{where} and could not be downloaded .*{reason}.*HQNN_DATA") as error,
    ):
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        if fault == "refused":
            monkeypatch.setattr(published.MNIST, "mirrors", [f"http://127.0.0.1:{deaf.getsockname()[1]}/"])
        datasets.fetch("mnist", progress=False)
    one_sentence(error)
    assert socket.getdefaulttimeout() is None
    assert vars(urllib.request)["_opener"] is opener


@contextlib.contextmanager
def files_limited_to(n_bytes: int) -> Iterator[None]:
    """The kernel refuses to let any file grow beyond this, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("n_bytes", "variable"), [(40_000, "HQNN_CACHE"), (10_000, "TMPDIR")])
def test_a_full_disk_leaves_nothing_behind(n_bytes: int, variable: str, mnist_site: Site, tmp_path: Path) -> None:
    with (
        files_limited_to(n_bytes),
        pytest.raises(HqnnError, match=f"cannot be written .*make room.*{variable}") as error,
    ):
        datasets.fetch("mnist", progress=False)
    one_sentence(error)
    assert files_in(tmp_path / "cache") == []
    assert datasets.fetch("mnist", progress=False).is_file()
