"""The datasets: their identity on the real files where those are, all else on tiny ones and a server on loopback."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import os
import pickle
import random
import resource
import shutil
import socket
import struct
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from hqnn import datasets
from hqnn.datasets import DamagedDatasetError, Dataset, MissingDatasetError, Split
from hqnn.errors import HqnnError

Files = dict[str, bytes]

IDX_STEMS = {"train": "train", "test": "t10k"}
MEDICAL_CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")


OUTSIDE = {name: os.environ.get(name) for name in ("HQNN_CACHE", "HQNN_DATA")}


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, no HQNN_DATA, no proxy."""
    monkeypatch.setenv("HQNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HQNN_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def outside(isolated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cache and HQNN_DATA after all."""
    for name, value in OUTSIDE.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


# --- tiny datasets


def random_pixels(n: int, *shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def published_fingerprint(lines: list[tuple[str, int, bytes]]) -> str:
    """The definition, written down a second time: sha256 over the sorted lines ``split,label,sha256(image)``."""
    rows = sorted(f"{split},{label},{hashlib.sha256(image).hexdigest()}\n" for split, label, image in lines)
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def adopt(monkeypatch: pytest.MonkeyPatch, name: str, lines: list[tuple[str, int, bytes]]) -> None:
    """Make these samples the published ones of a dataset."""
    source = datasets._SOURCES[name]
    fingerprint = published_fingerprint(lines)
    monkeypatch.setitem(datasets._SOURCES, name, dataclasses.replace(source, fingerprint=fingerprint))


@dataclasses.dataclass(frozen=True)
class Tiny:
    """What a tiny dataset is made of."""

    images: dict[str, NDArray[np.uint8]]
    labels: dict[str, NDArray[np.uint8]]

    def lines(self) -> list[tuple[str, int, bytes]]:
        """Split, label and bytes of each image."""
        return [
            (split, int(label), image.tobytes())
            for split in self.images
            for image, label in zip(self.images[split], self.labels[split], strict=True)
        ]

    def shuffled(self, seed: int) -> Tiny:
        """The same samples in another order."""
        order = {s: np.random.default_rng(seed).permutation(len(x)) for s, x in self.labels.items()}
        return Tiny({s: self.images[s][i] for s, i in order.items()}, {s: self.labels[s][i] for s, i in order.items()})


def tiny_mnist() -> Tiny:
    images = {"train": random_pixels(40, 28, 28), "test": random_pixels(12, 28, 28, seed=1)}
    images["train"][7] = images["train"][3]  # published sets have twins, too
    return Tiny(images, {s: (np.arange(len(x)) * 7 % 4).astype(np.uint8) for s, x in images.items()})


def idx_files(tiny: Tiny, folder: str = "MNIST/raw", *, zipped: bool = True) -> Files:
    files = {}
    for split, stem in IDX_STEMS.items():
        for kind, array in (("images-idx3", tiny.images[split]), ("labels-idx1", tiny.labels[split])):
            content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
            name = f"{folder}/{stem}-{kind}-ubyte"
            files[f"{name}.gz" if zipped else name] = gzip.compress(content, mtime=0) if zipped else content
    return files


def tiny_cifar() -> Tiny:
    images = {"train": random_pixels(100, 32, 32, 3), "test": random_pixels(100, 32, 32, 3, seed=1)}
    return Tiny(images, {s: (np.arange(len(x)) * 7 % 10).astype(np.uint8) for s, x in images.items()})


def cifar_batches(tiny: Tiny) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Name, planes [N, 3072] and labels of each batch."""
    planes = {s: x.transpose(0, 3, 1, 2).reshape(len(x), -1) for s, x in tiny.images.items()}
    for i in range(5):
        rows = slice(20 * i, 20 * i + 20)
        yield f"data_batch_{i + 1}", planes["train"][rows], tiny.labels["train"][rows]
    yield "test_batch", planes["test"], tiny.labels["test"]


def cifar_binary(tiny: Tiny) -> Files:
    return {
        f"cifar-10-batches-bin/{name}.bin": np.column_stack([labels, planes]).tobytes()
        for name, planes, labels in cifar_batches(tiny)
    }


def cifar_python(tiny: Tiny) -> Files:
    """Batches as Python 2 pickled them: short strings, labels as one-byte integers, the array's bytes as one string."""

    def text(value: str) -> bytes:
        return b"U" + bytes([len(value)]) + value.encode()

    def batch(planes: NDArray[np.uint8], labels: NDArray[np.uint8]) -> bytes:
        small = b"".join(b"K" + bytes([label]) for label in labels)
        shape = b"K" + bytes([len(planes)]) + b"M" + struct.pack("<H", 3072) + b"\x86"
        data = planes.tobytes()
        return b"".join(
            [
                b"\x80\x02}q\x01(" + text("batch_label") + b"q\x02" + text("training batch 1 of 5") + b"q\x03",
                text("labels") + b"q\x04]q\x05(" + small + b"e" + text("data") + b"q\x06",
                b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09(K\x01",
                shape + b"cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xff",
                b"J\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<i", len(data)) + data + b"tb",
                text("filenames") + b"q\x0c](" + text("a_s_000001.png") + b"eu.",
            ]
        )

    return {f"cifar-10-batches-py/{name}": batch(planes, labels) for name, planes, labels in cifar_batches(tiny)} | {
        "cifar-10-batches-py/batches.meta": pickle.dumps({"num_cases_per_batch": 20})
    }


def cifar_sheets(tiny: Tiny) -> Files:
    sheets = []
    for images in tiny.images.values():
        sheet = images.reshape(10, 10, 32, 32, 3).transpose(0, 2, 1, 3, 4).reshape(320, 320, 3)
        file = io.BytesIO()
        Image.fromarray(sheet).save(file, "WEBP", lossless=True)
        sheets.append(file.getvalue())
    npz = io.BytesIO()
    np.savez(
        npz,
        webp=np.frombuffer(b"".join(sheets), np.uint8),
        offsets=np.cumsum([0, *map(len, sheets)]),
        y_train=tiny.labels["train"],
        y_test=tiny.labels["test"],
    )
    return {"cifar10.npz": npz.getvalue()}


def medical_files() -> Files:
    files = {}
    for i, pixels in enumerate(random_pixels(12, 64, 64)):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG")
        files[f"resized/{MEDICAL_CLASSES[i % 6]}/{i:06}.jpeg"] = file.getvalue()
    return files


def medical_lines(files: Files) -> list[tuple[str, int, bytes]]:
    return [("all", MEDICAL_CLASSES.index(name.split("/")[1]), content) for name, content in files.items()]


def zipped(files: Files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(files: Files, compression: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def assert_same(a: Dataset, b: Dataset) -> None:
    for x, y in ((a.train, b.train), (a.test, b.test)):
        torch.testing.assert_close(x.images, y.images, rtol=0, atol=0)
        torch.testing.assert_close(x.labels, y.labels, rtol=0, atol=0)
    assert (a.name, a.classes, a.fingerprint) == (b.name, b.classes, b.fingerprint)


def one_sentence(error: pytest.ExceptionInfo[HqnnError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


# --- a server with faults


class Site(http.server.ThreadingHTTPServer):
    """Serves `files` on loopback; each request uses up one of the `faults`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.files: Files = {}
        self.faults: list[str] = []
        self.requests: list[tuple[str, str | None]] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        """The address of the root."""
        return f"http://127.0.0.1:{self.server_port}/"


class Page(http.server.BaseHTTPRequestHandler):
    """Answers with ranges, unless a fault says otherwise."""

    server: Site

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send a file, or what is left of it after the fault."""
        site, name, wanted = self.server, self.path.removeprefix("/"), self.headers["Range"]
        site.requests.append((name, wanted))
        fault = site.faults.pop(0) if site.faults else ""
        if fault == "stall":
            site.closing.wait(30)
            return
        if name not in site.files:
            self.send_error(404)
            return
        body = site.files[name]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and fault != "no ranges" else 0
        if start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.end_headers()
            return
        if fault == "corrupt":
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 255]) + body[middle + 1 :]
        self.send_response(206 if start else 200)
        if fault == "chunked and cut":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"ffff\r\n" + body[start : start + 50])
            return
        if fault != "unsized and cut":
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : start + 50] if "cut" in fault else body[start:])
        if "then stalled" in fault:
            site.closing.wait(30)


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


def serve(monkeypatch: pytest.MonkeyPatch, name: str, files: Files, *urls: str) -> None:
    """Make a dataset's downloads come from these addresses."""
    downloads = tuple(
        datasets._Download(
            path,
            tuple(f"{url}{path}" for url in urls),
            None if name == "medical_mnist" else hashlib.md5(content).hexdigest(),
        )
        for path, content in files.items()
    )
    monkeypatch.setitem(datasets._SOURCES, name, dataclasses.replace(datasets._SOURCES[name], downloads=downloads))


@pytest.fixture
def mnist_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that serves the tiny MNIST."""
    site.files = idx_files(tiny_mnist())
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    serve(monkeypatch, "mnist", site.files, site.url)
    return site


FIRST = "MNIST/raw/train-images-idx3-ubyte.gz"


def part_file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "downloads" / "mnist" / f"{FIRST}.part"


# --- the real data, where it is


def real(name: str) -> pytest.MarkDecorator:
    """Marks a test that needs a real dataset."""
    return pytest.mark.skipif(
        not datasets.is_available(name), reason=f"{name} is neither in HQNN_DATA nor in the cache"
    )


REAL = {name: pytest.param(name, marks=real(name)) for name in datasets.NAMES}


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", REAL.values())
def test_real_dataset_is_the_published_one(name: str) -> None:
    dataset = datasets.load(name)
    n_train, n_test, shape = {
        "mnist": (60_000, 10_000, (1, 28, 28)),
        "fashion_mnist": (60_000, 10_000, (1, 28, 28)),
        "cifar10": (50_000, 10_000, (3, 32, 32)),
        "medical_mnist": (58_954, 0, (1, 64, 64)),
        "digits": (1_348, 449, (1, 28, 28)),
    }[name]
    assert dataset.train.images.shape == (n_train, *shape)
    assert dataset.test.images.shape == (n_test, *shape)
    assert dataset.train.images.dtype == torch.uint8
    assert dataset.train.labels.dtype == torch.int64
    per_class = dataset.train.labels.bincount().tolist()
    assert len(per_class) == len(dataset.classes)
    if name == "mnist":
        assert per_class[:2] == [5_923, 6_742]
        assert dataset.test.labels.bincount().tolist()[:2] == [980, 1_135]
    if name == "fashion_mnist":
        assert per_class == [6_000] * 10
        assert (dataset.classes[1], dataset.classes[6]) == ("Trouser", "Shirt")
    if name == "cifar10":
        assert per_class == [5_000] * 10
    if name == "medical_mnist":
        assert per_class == [10_000, 8_954, 10_000, 10_000, 10_000, 10_000]
        assert dataset.classes == MEDICAL_CLASSES


PUBLISHED = {
    "mnist": "0f2c41dd0d740bd62fde730a8fbde4fbdcf1516248faac33f85fef53536eb84e",
    "fashion_mnist": "c483348c7f5cfb34a9dd03dbd9df0daa32d3bfb1b41c3421ac4145b1a060bbef",
    "cifar10": "cbcd3f70e50fc690fd2e715daba5c7439472ae73538ea8812de2a504c18e01b5",
    "medical_mnist": "bfb2b0571718a4262af8b36956e4bbf713df4d359a1a14f836a2be23b6e20728",
    "digits": "d07cea3c3d06c417018dbd82c50f1cc089a7c4ebe0915ee36a81353d5e128f24",
}


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", [REAL["mnist"], REAL["fashion_mnist"], REAL["cifar10"]])
def test_real_images_as_loaded_have_the_published_fingerprint_and_order(name: str) -> None:
    """Medical MNIST's fingerprint is that of its files, which are decoded; `load` itself verifies it before that."""
    dataset = datasets.load(name)
    assert dataset.fingerprint == PUBLISHED[name]
    lines = []
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        images = part.images.permute(0, 2, 3, 1).contiguous().numpy()
        rows = [(split, int(label), image.tobytes()) for label, image in zip(part.labels, images, strict=True)]
        assert rows == sorted(rows)
        lines += rows
    assert published_fingerprint(lines) == PUBLISHED[name]


def test_the_fingerprints_are_the_documented_ones() -> None:
    assert {name: datasets._SOURCES[name].fingerprint for name in datasets.NAMES} == PUBLISHED
    page = (datasets._REPOSITORY / "data" / "README.md").read_text()
    assert all(fingerprint in page for fingerprint in PUBLISHED.values())


SUBSETS = {
    "digits": "c529cb797628b16bbe833566a3630dc6e07c332fa55f2554e259beeb1e39527c",
    "mnist": "ee21df5f12ef11f9239ca1beea4a508ab75bee6d010ac62f6a68b3735181c87e",
    "fashion_mnist": "77fb6f8acd2d3e952741e10ae191f6e251a7aa2f778a894b1d8b8bb8ea566a4a",
}


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", [REAL[name] for name in SUBSETS])
def test_the_first_papers_subset_never_changes(name: str) -> None:
    n_train, n_val, n_test = (192, 64, 64) if name == "digits" else (2048, 512, 1024)
    classes = (1, 6) if name == "fashion_mnist" else (0, 1)
    subset = datasets.subset(datasets.load(name), classes=classes, n_train=n_train, n_val=n_val, n_test=n_test)
    assert subset.fingerprint == SUBSETS[name]


# --- order, verification, cache


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("is_zipped", [True, False])
def test_order_of_the_files_does_not_matter(
    seed: int, is_zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = tiny_mnist()
    adopt(monkeypatch, "mnist", tiny.lines())
    loaded = []
    for i, version in enumerate((tiny, tiny.shuffled(seed))):
        monkeypatch.setenv("HQNN_CACHE", str(tmp_path / f"cache-{i}"))
        monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / f"data-{i}", idx_files(version, zipped=is_zipped))))
        loaded.append(datasets.load("mnist"))
    assert_same(*loaded)
    subsets = [datasets.subset(d, classes=(2, 0), n_train=8, n_val=4, n_test=5, seed=seed) for d in loaded]
    assert torch.equal(subsets[0].train.images, subsets[1].train.images)
    assert subsets[0].fingerprint == subsets[1].fingerprint
    rows = list(
        zip(loaded[0].train.labels.tolist(), map(bytes, loaded[0].train.images.flatten(1).numpy()), strict=True)
    )
    assert rows == sorted((int(label), image) for split, label, image in tiny.lines() if split == "train")


def test_hqnn_data_is_read_once_then_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    folder = write(tmp_path / "data", idx_files(tiny_mnist()))
    monkeypatch.setenv("HQNN_DATA", str(folder))
    before = sorted(folder.rglob("*"))
    first = datasets.load("mnist")
    assert sorted(folder.rglob("*")) == before
    shutil.rmtree(folder)
    assert_same(datasets.load("mnist"), first)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["mnist.npz"]


def test_a_damaged_cache_never_yields_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", idx_files(tiny_mnist()))))
    good = datasets.load("mnist")
    monkeypatch.delenv("HQNN_DATA")
    path = tmp_path / "cache" / "mnist.npz"
    content = path.read_bytes()
    rng = random.Random(0)
    headers = [at for at in range(len(content)) if content.startswith((b"PK", b"\x93NUMPY"), at)]
    near_headers = [at + offset for at in headers for offset in range(0, 130, 3) if at + offset < len(content)]
    noticed = 0
    for position in (*near_headers, *(rng.randrange(len(content)) for _ in range(200))):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            assert_same(datasets.load("mnist"), good)  # a bit of no consequence, such as one of a date
        except MissingDatasetError:
            noticed += 1
    assert noticed > 300
    for length in (0, 1, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(MissingDatasetError, match=r"mnist\.npz is damaged: .*`python -m hqnn data mnist`"):
            datasets.load("mnist")


@pytest.mark.parametrize("stale", ["format", "fingerprint"])
def test_a_cache_of_another_version_is_rebuilt(stale: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", idx_files(tiny_mnist()))))
    good = datasets.load("mnist")
    path = tmp_path / "cache" / "mnist.npz"
    with np.load(path) as file:
        arrays = dict(file)
    arrays[stale] = np.array({"format": 0, "fingerprint": "0" * 64}[stale])
    arrays["train_images"] = 255 - arrays["train_images"]
    np.savez(path, **arrays)
    assert_same(datasets.load("mnist"), good)
    monkeypatch.delenv("HQNN_DATA")
    assert_same(datasets.load("mnist"), good)


def test_the_cache_is_replaced_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So whoever reads it meanwhile, or a process killed while writing it, never sees half a file."""
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", idx_files(tiny_mnist()))))
    path = write(tmp_path / "cache", {"mnist.npz": b"old"}) / "mnist.npz"
    with path.open("rb") as reader:
        datasets.load("mnist")
        assert reader.read() == b"old"
    assert path.stat().st_size > 10_000


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", idx_files(tiny_mnist()))))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HQNN_CACHE", str(tmp_path / "file" / "cache"))
    assert len(datasets.load("mnist").train) == 40
    with pytest.raises(HqnnError, match=r"mnist\.npz cannot be written \(Not a directory\): .*HQNN_CACHE"):
        datasets.fetch("mnist", progress=False)


@contextlib.contextmanager
def files_limited_to(n_bytes: int) -> Iterator[None]:
    """The kernel refuses to let any file grow beyond this, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", idx_files(tiny_mnist()))))
    with files_limited_to(10_000), pytest.raises(HqnnError, match=r"cannot be written .*make room") as error:
        datasets.fetch("mnist", progress=False)
    one_sentence(error)
    assert list((tmp_path / "cache").iterdir()) == []
    assert datasets.fetch("mnist", progress=False).is_file()


def test_a_disk_full_while_downloading(mnist_site: Site, tmp_path: Path) -> None:
    with files_limited_to(10_000), pytest.raises(HqnnError, match=r"\.part cannot be written .*make room"):
        datasets.fetch("mnist", progress=False)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    assert len(mnist_site.requests) == 1


# --- HQNN_DATA


def test_absent_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not datasets.is_available("mnist")
    with pytest.raises(
        MissingDatasetError, match=r"MNIST is not on this machine: .*`python -m hqnn data mnist`"
    ) as error:
        datasets.load("mnist")
    assert "HQNN_DATA" in one_sentence(error)


@pytest.mark.parametrize("kind", ["empty", "absent", "file", "incomplete"])
def test_hqnn_data_without_the_dataset(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    if kind == "file":
        folder.write_text("")
    elif kind != "absent":
        folder.mkdir()
    if kind == "incomplete":
        write(folder, idx_files(tiny_mnist()))
        (folder / FIRST).unlink()
    monkeypatch.setenv("HQNN_DATA", str(folder))
    assert not datasets.is_available("mnist")
    with pytest.raises(MissingDatasetError, match=f"MNIST is not in HQNN_DATA={folder} .*`python -m hqnn data mnist`"):
        datasets.load("mnist")


def spoil_flip(content: bytes) -> bytes:
    return content[:-20] + bytes([content[-20] ^ 255]) + content[-19:]


SPOILERS: dict[str, Callable[[bytes], bytes]] = {
    "flipped": spoil_flip,
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "a web page": lambda content: b"<html>no such page</html>",
    "another image": lambda content: gzip.compress(gzip.decompress(content)[:-1] + b"\0"),
    "an empty archive": lambda content: gzip.compress(b""),
    "half an array": lambda content: gzip.compress(gzip.decompress(content)[:-1]),
}


@pytest.mark.parametrize("how", SPOILERS)
def test_damaged_files_in_hqnn_data(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    files = idx_files(tiny_mnist())
    files[FIRST] = SPOILERS[how](files[FIRST])
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    with pytest.raises(DamagedDatasetError, match="MNIST/raw is not the published MNIST") as error:
        datasets.load("mnist")
    assert "`python -m hqnn data mnist`" in one_sentence(error)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("form", ["sheets", "binary folder", "binary archive", "python folder", "python archive"])
def test_cifar_in_each_of_its_forms(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = tiny_cifar()
    adopt(monkeypatch, "cifar10", tiny.lines())
    files = {
        "sheets": lambda: cifar_sheets(tiny),
        "binary folder": lambda: cifar_binary(tiny),
        "binary archive": lambda: {"cifar-10-binary.tar.gz": tarred(cifar_binary(tiny), "gz")},
        "python folder": lambda: cifar_python(tiny),
        "python archive": lambda: {"cifar-10-python.tar.gz": tarred(cifar_python(tiny), "gz")},
    }[form]()
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    dataset = datasets.load("cifar10")
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        order = sorted(range(100), key=lambda i: (tiny.labels[split][i], tiny.images[split][i].tobytes()))
        assert np.array_equal(part.images.permute(0, 2, 3, 1).numpy(), tiny.images[split][order])
        assert part.labels.tolist() == tiny.labels[split][order].tolist()


class Bomb:
    """Creates a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_is_never_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = cifar_python(tiny_cifar())
    files["cifar-10-batches-py/test_batch"] = pickle.dumps(Bomb(tmp_path / "executed"))
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    with pytest.raises(DamagedDatasetError):
        datasets.load("cifar10")
    assert not (tmp_path / "executed").exists()


ABOVE = "Medical-MNIST-Classification-master"


@pytest.mark.parametrize("form", ["tar", "zip", "folder", "unpacked archive"])
def test_medical_mnist_in_each_of_its_forms(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = medical_files()
    adopt(monkeypatch, "medical_mnist", medical_lines(pictures))
    repository = {f"{ABOVE}/{name}": content for name, content in pictures.items()} | {f"{ABOVE}/app.py": b"print()"}
    files = {
        "tar": {"medical_mnist.tar.xz": tarred(pictures, "xz")},
        "zip": {f"{ABOVE}.zip": zipped(repository)},
        "folder": pictures,
        "unpacked archive": repository,
    }[form]
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    dataset = datasets.load("medical_mnist")
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert dataset.test.images.shape == (0, 1, 64, 64)
    ordered = sorted(medical_lines(pictures))
    for image, (_, _, content) in zip(dataset.train.images, ordered, strict=True):
        assert np.array_equal(image[0].numpy(), np.asarray(Image.open(io.BytesIO(content))))
    assert_same(datasets.load("medical_mnist"), dataset)


@pytest.mark.parametrize("form", ["tar", "zip"])
@pytest.mark.parametrize("evil", ["../../../evil.txt", "../../../resized/CXR/000001.jpeg", "/resized/CXR/000001.jpeg"])
def test_no_member_is_written_outside_the_cache(
    form: str, evil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = medical_files()
    adopt(monkeypatch, "medical_mnist", medical_lines(pictures))
    bad = pictures | {evil: pictures["resized/CXR/000002.jpeg"]}
    files = {"medical_mnist.tar.xz": tarred(bad, "xz")} if form == "tar" else {"medical_mnist.zip": zipped(bad)}
    monkeypatch.setenv("HQNN_CACHE", str(tmp_path / "a" / "b" / "c" / "cache"))
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    if evil.endswith(".txt"):
        assert len(datasets.load("medical_mnist").train) == 12
    else:
        with pytest.raises(DamagedDatasetError, match="13 images with fingerprint"):
            datasets.load("medical_mnist")
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written <= {*(f"data/{name}" for name in files), "a/b/c/cache/medical_mnist.npz"}
    assert not Path("/resized").exists()


def test_links_in_a_tar_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = medical_files()
    adopt(monkeypatch, "medical_mnist", medical_lines(pictures))
    (tmp_path / "data").mkdir()
    with tarfile.open(tmp_path / "data" / "medical_mnist.tar.xz", "w:xz") as archive:
        for name, content in pictures.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("resized/CXR/999999.jpeg")
        link.type, link.linkname = tarfile.SYMTYPE, "000002.jpeg"
        archive.addfile(link)
    monkeypatch.setenv("HQNN_DATA", str(tmp_path / "data"))
    assert len(datasets.load("medical_mnist").train) == 12


# --- downloads


def test_fetch_downloads_once(mnist_site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = datasets.fetch("mnist")
    assert path == tmp_path / "cache" / "mnist.npz"
    assert len(datasets.load("mnist").train) == 40
    assert len(mnist_site.requests) == 4
    assert "train-images-idx3-ubyte.gz" in capsys.readouterr().err
    assert datasets.fetch("mnist", progress=False) == path
    assert len(mnist_site.requests) == 4
    assert [p.name for p in path.parent.rglob("*") if p.is_file()] == ["mnist.npz"]
    assert capsys.readouterr().err == ""


def test_load_never_downloads(mnist_site: Site) -> None:
    with pytest.raises(MissingDatasetError):
        datasets.load("mnist")
    assert mnist_site.requests == []


def test_fetch_prefers_hqnn_data(mnist_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", mnist_site.files)))
    assert datasets.fetch("mnist", progress=False).is_file()
    assert mnist_site.requests == []


@pytest.mark.parametrize("fault", ["cut", "chunked and cut"])
def test_a_cut_download_is_resumed(fault: str, mnist_site: Site) -> None:
    mnist_site.faults = [fault]
    datasets.fetch("mnist", progress=False)
    first, second, *_ = mnist_site.requests
    assert first == (FIRST, None)
    start = int((second[1] or "").removeprefix("bytes=").removesuffix("-") or 0)
    assert second[0] == FIRST
    assert start == 50 or fault == "chunked and cut"  # of a broken chunk nothing need be kept
    assert len(datasets.load("mnist").train) == 40


def test_a_download_interrupted_for_good_is_resumed_by_the_next_call(mnist_site: Site, tmp_path: Path) -> None:
    mnist_site.faults = ["cut"] * 3
    with pytest.raises(MissingDatasetError, match=r"only 150 of \d+ bytes arrived") as error:
        datasets.fetch("mnist", progress=False)
    assert "`python -m hqnn data mnist`" in one_sentence(error)
    assert part_file(tmp_path).stat().st_size == 150
    datasets.fetch("mnist", progress=False)
    assert (FIRST, "bytes=150-") in mnist_site.requests
    assert len(datasets.load("mnist").train) == 40


def test_a_server_without_ranges_is_asked_again_from_the_start(mnist_site: Site) -> None:
    mnist_site.faults = ["cut", "no ranges"]
    datasets.fetch("mnist", progress=False)
    assert len(mnist_site.requests) == 5


@pytest.mark.parametrize("extra", [b"", b"more"])
def test_a_partial_file_that_is_whole_or_too_long(extra: bytes, mnist_site: Site, tmp_path: Path) -> None:
    write(part_file(tmp_path).parent, {part_file(tmp_path).name: mnist_site.files[FIRST] + extra})
    datasets.fetch("mnist", progress=False)
    assert len([name for name, _ in mnist_site.requests if name == FIRST]) == (2 if extra else 1)


def test_a_corrupt_download_is_redone(mnist_site: Site) -> None:
    mnist_site.faults = ["corrupt"]
    datasets.fetch("mnist", progress=False)
    assert mnist_site.requests[:2] == [(FIRST, None), (FIRST, None)]


def test_a_download_that_stays_corrupt_is_reported(mnist_site: Site, tmp_path: Path) -> None:
    mnist_site.faults = ["corrupt"] * 3
    with pytest.raises(MissingDatasetError, match="wrong checksum") as error:
        datasets.fetch("mnist", progress=False)
    one_sentence(error)
    assert len(mnist_site.requests) == 3
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_the_next_mirror_is_tried(mnist_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, "mnist", mnist_site.files, f"{mnist_site.url}gone/", mnist_site.url)
    datasets.fetch("mnist", progress=False)
    assert [name for name, _ in mnist_site.requests[:2]] == [f"gone/{FIRST}", FIRST]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_an_unreachable_server(mnist_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, "mnist", mnist_site.files, f"http://127.0.0.1:{closed_port()}/")
    with pytest.raises(MissingDatasetError, match=r"could not be downloaded .*Connection refused.*HQNN_DATA") as error:
        datasets.fetch("mnist", progress=False)
    assert "urlopen" not in one_sentence(error)


@pytest.mark.parametrize("fault", ["stall", "cut, then stalled"])
def test_a_server_that_falls_silent(fault: str, mnist_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "_TIMEOUT_S", 0.1)
    mnist_site.faults = [fault] * 9
    start = time.monotonic()
    with pytest.raises(MissingDatasetError, match="timed out"):
        datasets.fetch("mnist", progress=False)
    assert time.monotonic() - start < 5


@pytest.fixture
def medical_site(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that serves a tiny Medical MNIST as GitHub would: a zip without a known checksum."""
    pictures = medical_files()
    adopt(monkeypatch, "medical_mnist", medical_lines(pictures))
    site.files = {"medical_mnist.zip": zipped({f"{ABOVE}/{name}": content for name, content in pictures.items()})}
    serve(monkeypatch, "medical_mnist", site.files, site.url)
    return site


@pytest.mark.parametrize("fault", ["", "unsized and cut", "corrupt", "cut", "chunked and cut"])
def test_an_archive_without_a_checksum(fault: str, medical_site: Site) -> None:
    medical_site.faults = [fault]
    datasets.fetch("medical_mnist", progress=False)
    assert len(datasets.load("medical_mnist").train) == 12
    assert len(medical_site.requests) == (2 if fault else 1)


def test_an_archive_that_is_something_else(medical_site: Site, tmp_path: Path) -> None:
    pictures = medical_files()
    pictures.popitem()
    medical_site.files["medical_mnist.zip"] = zipped(pictures)
    with pytest.raises(DamagedDatasetError, match=r"serves is not the published Medical MNIST .11 images") as error:
        datasets.fetch("medical_mnist", progress=False)
    assert "HQNN_DATA" in one_sentence(error)
    assert len(medical_site.requests) == 2
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_addresses_are_torchvisions() -> None:
    from torchvision import datasets as torchvision_datasets

    for name, published in (
        ("mnist", torchvision_datasets.MNIST),
        ("fashion_mnist", torchvision_datasets.FashionMNIST),
    ):
        ours = {(url, item.md5) for item in datasets._SOURCES[name].downloads for url in item.urls}
        theirs = {(f"{mirror}{file}", md5) for mirror in published.mirrors for file, md5 in published.resources}
        assert ours == theirs


# --- the stand-in, status, names


def test_digits_need_neither_network_nor_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    digits = datasets.load("digits")
    assert_same(digits, datasets.load("digits"))
    assert not (tmp_path / "cache").exists()
    assert datasets.is_available("digits")
    assert datasets.fetch("digits").is_file()
    images = torch.cat([digits.train.images, digits.test.images])
    assert images.shape == (1_797, 1, 28, 28)
    assert len(torch.unique(images.flatten(1), dim=0)) == 1_797  # so the splits are disjoint
    assert (int(images.min()), int(images.max())) == (0, 255)
    counts = torch.stack([part.labels.bincount(minlength=10) for part in (digits.train, digits.test)]).double()
    assert torch.all((counts[1] / counts.sum(0) - 0.25).abs() < 0.01)


def test_digits_look_like_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    digits = datasets.load("digits")
    images = torch.cat([digits.train.images, digits.test.images]).double()
    labels = torch.cat([digits.train.labels, digits.test.labels])
    small = torch.nn.functional.interpolate(images, size=(8, 8), mode="bilinear", align_corners=False) / 255 * 16
    distance = torch.cdist(small.flatten(1), torch.from_numpy(bunch.images).flatten(1))
    nearest = distance.argmin(1)
    assert torch.equal(labels, torch.from_numpy(bunch.target)[nearest])
    assert sorted(nearest.tolist()) == list(range(1_797))


def test_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt(monkeypatch, "mnist", tiny_mnist().lines())
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", idx_files(tiny_mnist()) | medical_files())))
    datasets.load("mnist")
    rows = {row.name: row for row in datasets.status()}
    assert tuple(rows) == datasets.NAMES
    assert {name: row.state for name, row in rows.items()} == {
        "mnist": "cached",
        "fashion_mnist": "absent",
        "cifar10": "absent",
        "medical_mnist": "HQNN_DATA",
        "digits": "bundled",
    }
    assert rows["mnist"].source == str(tmp_path / "cache" / "mnist.npz")
    assert rows["mnist"].n_bytes == (tmp_path / "cache" / "mnist.npz").stat().st_size
    assert rows["medical_mnist"].n_bytes == sum(len(content) for content in medical_files().values())
    assert rows["cifar10"].n_bytes is None
    assert rows["cifar10"].source == "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert rows["fashion_mnist"].source == "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    assert rows["digits"].n_bytes
    assert {name: row.images for name, row in rows.items()} == {
        "mnist": 70_000,
        "fashion_mnist": 70_000,
        "cifar10": 60_000,
        "medical_mnist": 58_954,
        "digits": 1_797,
    }
    assert all(datasets.is_available(name) == (row.state != "absent") for name, row in rows.items())


@pytest.mark.parametrize("function", [datasets.load, datasets.fetch, datasets.is_available])
def test_an_unknown_name(function: Callable[[str], object]) -> None:
    with pytest.raises(HqnnError, match="no dataset 'mnsit': did you mean 'mnist'"):
        function("mnsit")
    with pytest.raises(HqnnError, match=r"no dataset '\.\./x': the known ones are mnist, fashion_mnist, cifar10"):
        function("../x")


# --- subsets


def numbered(n_train: int, n_test: int, n_classes: int) -> Dataset:
    """Every image is 1x2x2 and says which it is: its index (two bytes), its label, its split."""

    def split(n: int, code: int) -> Split:
        labels = torch.arange(n) * n_classes // max(n, 1)
        images = torch.stack([torch.arange(n) // 256, torch.arange(n) % 256, labels, torch.full((n,), code)], 1)
        return Split(images.to(torch.uint8).reshape(n, 1, 2, 2), labels)

    return Dataset("mnist", tuple("0123456789"[:n_classes]), split(n_train, 0), split(n_test, 1), "")


def identities(images: Tensor) -> list[bytes]:
    return [bytes(image) for image in images.flatten(1).numpy()]


@st.composite
def drawings(draw: st.DrawFn) -> tuple[Dataset, dict[str, object]]:
    """A dataset and the arguments of a subset it can give."""
    n_classes = draw(st.integers(1, 5))
    dataset = numbered(n_classes * 20, n_classes * 12, n_classes)
    classes = tuple(draw(st.permutations(range(n_classes)))[: draw(st.integers(1, n_classes))])
    n_each = draw(st.integers(0, 20))
    n_each_val = draw(st.integers(0, 20 - n_each))
    return dataset, {
        "classes": classes,
        "n_train": n_each * len(classes),
        "n_val": n_each_val * len(classes),
        "n_test": draw(st.integers(0, 12 * len(classes))),
        "seed": draw(st.integers(0, 2**40)),
    }


@given(drawings())
def test_subsets_are_disjoint_balanced_and_of_the_sizes_asked_for(drawing: tuple[Dataset, dict]) -> None:
    dataset, arguments = drawing
    subset = datasets.subset(dataset, **arguments)
    classes = arguments["classes"]
    sizes = {"n_train": len(subset.train), "n_val": len(subset.val), "n_test": len(subset.test)}
    assert sizes == {key: arguments[key] for key in sizes}
    train, val, test = (identities(part.images) for part in (subset.train, subset.val, subset.test))
    assert len({*train, *val, *test}) == len(train) + len(val) + len(test)
    assert set(train) | set(val) <= set(identities(dataset.train.images))
    assert set(test) <= set(identities(dataset.test.images))
    for part, n in ((subset.train, len(train)), (subset.val, len(val))):
        assert part.labels.bincount(minlength=len(classes)).tolist() == [n // len(classes)] * len(classes)
    for part in (subset.train, subset.val, subset.test):
        assert [classes[label] for label in part.labels] == part.images[:, 0, 1, 0].tolist()


@given(drawings())
def test_subsets_depend_on_nothing_but_their_arguments(drawing: tuple[Dataset, dict]) -> None:
    dataset, arguments = drawing
    first, second = (datasets.subset(dataset, **arguments) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    for name in ("train", "val", "test"):
        assert torch.equal(getattr(first, name).images, getattr(second, name).images)
        assert torch.equal(getattr(first, name).labels, getattr(second, name).labels)


@given(drawings())
def test_one_size_does_not_change_the_other_sets(drawing: tuple[Dataset, dict]) -> None:
    dataset, arguments = drawing
    subset = datasets.subset(dataset, **arguments)
    without = {size: datasets.subset(dataset, **(arguments | {size: 0})) for size in ("n_train", "n_val", "n_test")}
    assert torch.equal(subset.train.images, without["n_val"].train.images)
    assert torch.equal(subset.val.images, without["n_train"].val.images)
    assert torch.equal(subset.test.images, without["n_train"].test.images)
    assert torch.equal(subset.train.images, without["n_test"].train.images)


@given(drawings())
def test_the_order_of_the_classes_only_renames_the_labels(drawing: tuple[Dataset, dict]) -> None:
    dataset, arguments = drawing
    subset = datasets.subset(dataset, **arguments)
    reverse = datasets.subset(dataset, **(arguments | {"classes": arguments["classes"][::-1]}))
    for name in ("train", "val", "test"):
        assert torch.equal(getattr(subset, name).images, getattr(reverse, name).images)
        assert torch.equal(getattr(subset, name).labels, len(arguments["classes"]) - 1 - getattr(reverse, name).labels)


def test_another_seed_draws_other_images_and_the_test_set_is_not_balanced() -> None:
    dataset = numbered(2_000, 1_000, 2)
    subsets = [
        datasets.subset(dataset, classes=(0, 1), n_train=200, n_val=100, n_test=300, seed=seed) for seed in range(20)
    ]
    drawn = [frozenset(identities(subset.train.images)) for subset in subsets]
    assert len(set(drawn)) == 20
    overlaps = [len(drawn[0] & other) for other in drawn[1:]]
    assert 10 < sum(overlaps) / 19 < 30  # 200 of 2000 twice have 20 in common on average, with a deviation of 4
    ones = torch.tensor([float(subset.test.labels.sum()) for subset in subsets])
    assert abs(ones.mean() - 150) < 8  # standard error 1.6
    assert 3 < ones.std() < 13  # hypergeometric: 7.2
    assert len({subset.fingerprint for subset in subsets}) == 20


def test_a_draw_is_in_random_order() -> None:
    subset = datasets.subset(numbered(400, 400, 2), classes=(0, 1), n_train=200, n_val=100, n_test=100)
    for part in (subset.train, subset.val, subset.test):
        changes = (part.labels[1:] != part.labels[:-1]).sum()
        assert changes > len(part) // 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_train": 30, "n_val": 20}, r"20 training images of class 1 \(1\): n_train=30 and n_val=20 need 25"),
        ({"n_test": 25}, r"24 test images of classes \(1, 2\): n_test=25 is too many"),
        ({"n_train": 3}, "n_train=3 must be a multiple of 2, the number of classes"),
        ({"n_val": 5}, "n_val=5 must be a multiple of 2"),
        ({"n_test": -1}, "n_test=-1 must not be negative"),
        ({"n_train": -2}, "n_train=-2 must not be negative"),
        ({"classes": (1, 1)}, r"classes \(1, 1\) must be different labels of MNIST, each from 0 to 2"),
        ({"classes": (1, 3)}, r"classes \(1, 3\) must be"),
        ({"classes": (-1, 1)}, r"classes \(-1, 1\) must be"),
        ({"classes": ()}, r"classes \(\) must be"),
        ({"seed": -1}, "seed=-1 must not be negative"),
    ],
)
def test_impossible_subsets(change: dict[str, object], message: str) -> None:
    arguments: dict = {"classes": (1, 2), "n_train": 4, "n_val": 4, "n_test": 4}
    with pytest.raises(ValueError, match=message):
        datasets.subset(numbered(60, 36, 3), **(arguments | change))


# --- floats


def test_floats_are_the_bytes_over_255() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8)
    scaled = datasets.to_float(images)
    assert scaled.dtype == torch.float32
    assert torch.equal((scaled * 255).round().to(torch.uint8), images)
    assert torch.equal(datasets.to_float(images, 8), scaled)
    assert (float(scaled.min()), float(scaled.max())) == (0.0, 1.0)


@pytest.mark.parametrize("size", [14, 28, 40])
def test_resizing_agrees_with_pillow(size: int) -> None:
    images = random_pixels(3, 28, 28)
    ours = datasets.to_float(torch.from_numpy(images)[:, None], size)
    assert ours.shape == (3, 1, size, size)
    for image, mine in zip(images, ours, strict=True):
        theirs = np.asarray(Image.fromarray(image.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR))
        np.testing.assert_allclose(mine[0].numpy() * 255, theirs, atol=1e-3)


def test_resized_white_stays_within_bounds() -> None:
    white = torch.full((1, 3, 28, 28), 255, dtype=torch.uint8)
    assert all(float(datasets.to_float(white, size).max()) <= 1 for size in range(8, 65))


def test_floats_want_bytes_with_four_axes() -> None:
    with pytest.raises(TypeError, match=r"must be uint8, not torch\.float32"):
        datasets.to_float(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match=r"must be \[N, C, H, W\], not \[1, 8, 8\]"):
        datasets.to_float(torch.zeros(1, 8, 8, dtype=torch.uint8))


@st.composite
def partitions(draw: st.DrawFn) -> tuple[Dataset, dict[str, int]]:
    """A dataset, with or without a test split, and sizes that it has."""
    n_train, n_test = draw(st.integers(1, 60)), draw(st.sampled_from([0, 25]))
    sizes = {"n_test": draw(st.integers(0, n_test or n_train))}
    rest = n_train if n_test else n_train - sizes["n_test"]
    sizes["n_train"] = draw(st.integers(0, rest))
    sizes["n_val"] = draw(st.integers(0, rest - sizes["n_train"]))
    return numbered(n_train, n_test, 3), {**sizes, "seed": draw(st.integers(0, 2**40))}


@given(partitions())
def test_partitions_are_disjoint_and_in_canonical_order(drawing: tuple[Dataset, dict[str, int]]) -> None:
    dataset, arguments = drawing
    cut = datasets.partition(dataset, **arguments)
    parts = {"n_train": cut.train, "n_val": cut.val, "n_test": cut.test}
    assert {name: len(part) for name, part in parts.items()} == {name: arguments[name] for name in parts}
    named = {name: identities(part.images) for name, part in parts.items()}
    assert len(set().union(*named.values())) == sum(map(len, named.values()))
    pools = {name: dataset.test if name == "n_test" and len(dataset.test) else dataset.train for name in parts}
    for name, part in parts.items():
        every = identities(pools[name].images)
        assert named[name] == [one for one in every if one in set(named[name])]
        assert part.labels.tolist() == part.images[:, 0, 1, 0].tolist()
    assert datasets.partition(dataset, **arguments).fingerprint == cut.fingerprint


def test_a_partition_keeps_its_test_images_when_other_sizes_change() -> None:
    dataset = numbered(50, 0, 3)
    first = datasets.partition(dataset, n_train=40, n_val=0, n_test=10)
    second = datasets.partition(dataset, n_train=20, n_val=5, n_test=10)
    assert identities(first.test.images) == identities(second.test.images)
    assert set(identities(second.train.images)) < set(identities(first.train.images))
    assert identities(datasets.partition(dataset, n_train=40, n_val=0, n_test=10, seed=1).test.images) != identities(
        first.test.images
    )


@pytest.mark.parametrize("change", [{"n_train": 46}, {"n_test": 26}, {"n_val": -1}, {"seed": -1}])
def test_impossible_partitions(change: dict[str, int]) -> None:
    sizes = {"n_train": 40, "n_val": 5, "n_test": 25, **change}
    with pytest.raises(ValueError, match=r"too many|must not be negative"):
        datasets.partition(numbered(50, 25, 3), **sizes)
