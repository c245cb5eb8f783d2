"""The datasets: their identity on the real files where those are, all else on tiny ones and a server on loopback."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import gzip
import hashlib
import http.server
import io
import lzma
import os
import pickle
import random
import resource
import socket
import struct
import tarfile
import tempfile
import threading
import tracemalloc
import urllib.request
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.datasets as published
from numpy.typing import NDArray
from PIL import Image

from hqnn import datasets, storage
from hqnn.__main__ import main
from hqnn.datasets import DamagedDatasetError, Dataset, MissingDatasetError, sources, store, unverified
from hqnn.errors import HqnnError

Files = dict[str, bytes]
Lines = list[tuple[str, int, bytes]]
"""Split, label and bytes of each image."""

CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
# torchvision leaves the sockets of failed requests to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning")
OUTSIDE = {name: os.environ.get(name, "") for name in ("HQNN_CACHE", "HQNN_DATA")}


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, no HQNN_DATA, no proxy."""
    monkeypatch.setenv("HQNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HQNN_DATA", "")
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def outside(isolated: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cache and HQNN_DATA after all."""
    for name, value in OUTSIDE.items():
        monkeypatch.setenv(name, value)


# --- tiny datasets


def random_pixels(n: int, *shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def published_fingerprint(lines: Lines) -> str:
    """The definition, written down a second time: sha256 over the sorted lines ``split,label,sha256(image)``."""
    rows = sorted(f"{split},{label},{hashlib.sha256(image).hexdigest()}\n" for split, label, image in lines)
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def adopt(monkeypatch: pytest.MonkeyPatch, name: str, lines: Lines) -> None:
    """Make these samples the published ones of a dataset."""
    source = dataclasses.replace(sources.SOURCES[name], fingerprint=published_fingerprint(lines))
    monkeypatch.setitem(sources.SOURCES, name, source)


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@dataclasses.dataclass(frozen=True)
class Tiny:
    """What a tiny dataset is made of."""

    images: dict[str, NDArray[np.uint8]]
    labels: dict[str, NDArray[np.uint8]]

    def lines(self) -> Lines:
        """Its samples."""
        return [
            (split, int(label), image.tobytes())
            for split in self.images
            for image, label in zip(self.images[split], self.labels[split], strict=True)
        ]

    def reversed(self) -> Tiny:
        """The same samples in another order."""
        return Tiny({s: x[::-1] for s, x in self.images.items()}, {s: x[::-1] for s, x in self.labels.items()})


def tiny(n_train: int, n_test: int, *shape: int) -> Tiny:
    images = {"train": random_pixels(n_train, *shape), "test": random_pixels(n_test, *shape, seed=1)}
    images["train"][7] = images["train"][3]  # published sets have twins, too
    return Tiny(images, {s: (np.arange(len(x)) * 7 % 4).astype(np.uint8) for s, x in images.items()})


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def idx_files(data: Tiny, *, packed: bool = True) -> Files:
    files = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        for kind, array in (("images-idx3", data.images[split]), ("labels-idx1", data.labels[split])):
            content = idx(array)
            name = f"MNIST/raw/{stem}-{kind}-ubyte"
            files[f"{name}.gz" if packed else name] = gzip.compress(content, mtime=0) if packed else content
    return files


MNIST = tiny(40, 12, 28, 28)
FIRST = "MNIST/raw/train-images-idx3-ubyte.gz"


@pytest.fixture
def mnist(monkeypatch: pytest.MonkeyPatch) -> Files:
    """The files of a tiny MNIST, which is now the published one."""
    adopt(monkeypatch, "mnist", MNIST.lines())
    files = idx_files(MNIST)
    monkeypatch.setattr(published.MNIST, "resources", [(name[10:], md5(content)) for name, content in files.items()])
    return files


@pytest.fixture
def provided(mnist: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `HQNN_DATA` with the tiny MNIST."""
    folder = write(tmp_path / "data", mnist)
    monkeypatch.setenv("HQNN_DATA", str(folder))
    return folder


def medical_files() -> Files:
    files = {}
    for i, pixels in enumerate(random_pixels(12, 64, 64)):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG")
        files[f"resized/{CLASSES[i % 6]}/{i:06}.jpeg"] = file.getvalue()
    return files


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> Files:
    """The files of a tiny Medical MNIST, which is now the published one."""
    files = medical_files()
    lines = [("all", CLASSES.index(name.split("/")[1]), content) for name, content in files.items()]
    adopt(monkeypatch, "medical_mnist", lines)
    return files


def zipped(files: Files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(files: Files, compression: str, *links: tuple[str, str]) -> bytes:
    """A tar of links, then of files, of which some may lie behind a link."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def assert_same(a: Dataset, b: Dataset) -> None:
    for x, y in ((a.train, b.train), (a.test, b.test)):
        assert torch.equal(x.images, y.images)
        assert torch.equal(x.labels, y.labels)
    assert (a.name, a.classes, a.fingerprint) == (b.name, b.classes, b.fingerprint)


def one_sentence(error: pytest.ExceptionInfo[HqnnError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- the real data, where it is

PUBLISHED = {
    "mnist": "0f2c41dd0d740bd62fde730a8fbde4fbdcf1516248faac33f85fef53536eb84e",
    "fashion_mnist": "c483348c7f5cfb34a9dd03dbd9df0daa32d3bfb1b41c3421ac4145b1a060bbef",
    "cifar10": "cbcd3f70e50fc690fd2e715daba5c7439472ae73538ea8812de2a504c18e01b5",
    "medical_mnist": "bfb2b0571718a4262af8b36956e4bbf713df4d359a1a14f836a2be23b6e20728",
    "digits": "d07cea3c3d06c417018dbd82c50f1cc089a7c4ebe0915ee36a81353d5e128f24",
}
REAL = {
    name: pytest.param(name, marks=pytest.mark.skipif(not datasets.is_available(name), reason=f"{name} is not here"))
    for name in datasets.NAMES
}


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("name", REAL.values())
def test_real_dataset_is_the_published_one(name: str) -> None:
    dataset = datasets.load(name)
    per_class, n_test, shape = {
        "mnist": ([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949], 10_000, (1, 28, 28)),
        "fashion_mnist": ([6_000] * 10, 10_000, (1, 28, 28)),
        "cifar10": ([5_000] * 10, 10_000, (3, 32, 32)),
        "medical_mnist": ([10_000, 8_954, 10_000, 10_000, 10_000, 10_000], 0, (1, 64, 64)),
        "digits": ([], 449, (1, 28, 28)),
    }[name]
    assert dataset.train.images.shape == (sum(per_class) or 1_348, *shape)
    assert dataset.test.images.shape == (n_test, *shape)
    assert (dataset.train.images.dtype, dataset.train.labels.dtype) == (torch.uint8, torch.int64)
    assert dataset.train.labels.bincount().tolist() == per_class or name == "digits"
    assert dataset.fingerprint == PUBLISHED[name]
    if name in ("mnist", "fashion_mnist", "cifar10"):  # the others' fingerprint is that of the undecoded files
        lines = []
        for split, part in (("train", dataset.train), ("test", dataset.test)):
            images = part.images.permute(0, 2, 3, 1).contiguous().numpy()
            rows = [(split, int(label), image.tobytes()) for label, image in zip(part.labels, images, strict=True)]
            assert rows == sorted(rows)
            lines += rows
        assert published_fingerprint(lines) == PUBLISHED[name]


def test_the_fingerprints_are_the_documented_ones() -> None:
    assert {name: source.fingerprint for name, source in sources.SOURCES.items()} == PUBLISHED
    page = (storage.DATA / "README.md").read_text(encoding="utf-8")
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


# --- forms, order, verification


def test_order_and_packing_of_the_files_do_not_matter(
    mnist: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    for i, files in enumerate((mnist, idx_files(MNIST, packed=False), idx_files(MNIST.reversed()))):
        monkeypatch.setenv("HQNN_CACHE", str(tmp_path / f"cache-{i}"))
        monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / f"data {i} ä", files)))
        loaded.append(datasets.load("mnist"))
        assert_same(loaded[i], loaded[0])
    rows = [*zip(loaded[0].train.labels.tolist(), map(bytes, loaded[0].train.images.flatten(1).numpy()), strict=True)]
    assert rows == sorted((label, image) for split, label, image in MNIST.lines() if split == "train")


def cifar_sheets(data: Tiny) -> Files:
    sheets = []
    for images in data.images.values():
        sheet = images.reshape(10, 10, 32, 32, 3).transpose(0, 2, 1, 3, 4).reshape(320, 320, 3)
        file = io.BytesIO()
        Image.fromarray(sheet).save(file, "WEBP", lossless=True)
        sheets.append(file.getvalue())
    npz, webp = io.BytesIO(), np.frombuffer(b"".join(sheets), np.uint8)
    offsets = np.cumsum([0, *map(len, sheets)])
    np.savez(npz, webp=webp, offsets=offsets, y_train=data.labels["train"], y_test=data.labels["test"])
    return {"cifar10.npz": npz.getvalue()}


def cifar_batches(data: Tiny, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The python batches, whose checksums torchvision now takes for the published ones."""
    batches = {"batches.meta": pickle.dumps({"label_names": []})}
    for i in range(6):
        split, rows = ("train", slice(20 * i, 20 * i + 20)) if i < 5 else ("test", slice(None))
        planes = data.images[split][rows].transpose(0, 3, 1, 2).reshape(-1, 3072)
        batch = {"data": planes, "labels": data.labels[split][rows].tolist()}
        batches[f"data_batch_{i + 1}" if i < 5 else "test_batch"] = pickle.dumps(batch)
    sums = [[name, md5(content)] for name, content in batches.items()]
    monkeypatch.setattr(published.CIFAR10, "train_list", sums[1:6])
    monkeypatch.setattr(published.CIFAR10, "test_list", sums[6:])
    monkeypatch.setitem(published.CIFAR10.meta, "md5", sums[0][1])
    return {f"cifar-10-batches-py/{name}": content for name, content in batches.items()}


@pytest.mark.parametrize("form", ["sheets", "folder", "archive"])
def test_cifar_in_each_of_its_forms(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tiny(100, 100, 32, 32, 3)
    adopt(monkeypatch, "cifar10", data.lines())
    files = cifar_sheets(data) if form == "sheets" else cifar_batches(data, monkeypatch)
    if form == "archive":
        files = {"cifar-10-python.tar.gz": tarred(files, "gz")}
        monkeypatch.setattr(published.CIFAR10, "tgz_md5", md5(files["cifar-10-python.tar.gz"]))
    folder = write(tmp_path / "data", files)
    monkeypatch.setenv("HQNN_DATA", str(folder))
    dataset = datasets.load("cifar10")
    assert files_in(folder) == sorted(files)
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        order = sorted(range(100), key=lambda i: (data.labels[split][i], data.images[split][i].tobytes()))
        assert np.array_equal(part.images.permute(0, 2, 3, 1).numpy(), data.images[split][order])
        assert part.labels.tolist() == data.labels[split][order].tolist()


class Bomb:
    """Creates a folder when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("folder", "test_batch has a wrong checksum"),
        ("archive", "wrong checksum"),
        ("archive of the right checksum", "test_batch has a wrong checksum"),
    ],
)
def test_a_pickle_that_was_not_published_is_never_executed(
    form: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = cifar_batches(tiny(100, 100, 32, 32, 3), monkeypatch)
    files["cifar-10-batches-py/test_batch"] = pickle.dumps(Bomb(tmp_path / "executed"))
    if form != "folder":
        files = {"cifar-10-python.tar.gz": tarred(files, "gz")}
    if form == "archive of the right checksum":
        monkeypatch.setattr(published.CIFAR10, "tgz_md5", md5(files["cifar-10-python.tar.gz"]))
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    with pytest.raises(DamagedDatasetError, match=rf"published CIFAR-10 \({reason}\)"):
        datasets.load("cifar10")
    assert not (tmp_path / "executed").exists()


ABOVE = "Medical-MNIST-Classification-master"


@pytest.mark.parametrize("form", ["tar", "zip", "folder", "unpacked archive"])
def test_medical_mnist_in_each_of_its_forms(
    form: str, pictures: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = {f"{ABOVE}/{name}": content for name, content in pictures.items()} | {f"{ABOVE}/app.py": b"print()"}
    files = {
        "tar": {"medical_mnist.tar.xz": tarred(pictures, "xz", ("resized/CXR/999999.jpeg", "000002.jpeg"))},
        "zip": {f"{ABOVE}.zip": zipped(repository)},
        "folder": pictures,
        "unpacked archive": repository,
    }[form]
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    dataset = datasets.load("medical_mnist")
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert dataset.test.images.shape == (0, 1, 64, 64)
    ordered = sorted((CLASSES.index(name.split("/")[1]), content) for name, content in pictures.items())
    for image, (_, content) in zip(dataset.train.images, ordered, strict=True):
        assert np.array_equal(image[0].numpy(), np.asarray(Image.open(io.BytesIO(content))))
    assert_same(datasets.load("medical_mnist"), dataset)
    assert datasets.published_files("medical_mnist") == [content for _, content in ordered]


def test_published_files_are_not_in_the_cache() -> None:
    with pytest.raises(MissingDatasetError, match="published files of Medical MNIST are needed: set HQNN_DATA"):
        datasets.published_files("medical_mnist")


@pytest.mark.parametrize("form", ["medical_mnist.tar.xz", "medical_mnist.zip"])
@pytest.mark.parametrize("evil", ["../../../evil.txt", "../../../resized/CXR/000001.jpeg", "/resized/CXR/000001.jpeg"])
def test_no_member_is_written_anywhere(
    form: str, evil: str, pictures: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = pictures | {evil: pictures["resized/CXR/000002.jpeg"]}
    content = tarred(bad, "xz") if form.endswith("xz") else zipped(bad)
    monkeypatch.setenv("HQNN_CACHE", str(tmp_path / "a" / "b" / "c" / "cache"))
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", {form: content})))
    if evil.endswith(".txt"):
        assert len(datasets.load("medical_mnist").train) == 12
    else:
        with pytest.raises(DamagedDatasetError, match="13 images with fingerprint"):
            datasets.load("medical_mnist")
    assert set(files_in(tmp_path)) <= {f"data/{form}", "a/b/c/cache/medical_mnist.npz"}
    assert not Path("/resized").exists()


# --- files that mean harm


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder into which nothing must be written, beside the temporary ones."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (folder := tmp_path / "elsewhere").mkdir()
    return folder


def evil_tar(files: Files, elsewhere: Path) -> bytes:
    """A tar of some files, and of others that want to be written elsewhere."""
    above = {f"{'../' * n}{elsewhere.name}/evil.txt": b"" for n in range(1, 4)}
    evil = {f"{elsewhere}/evil.txt": b"", "link/evil.txt": b"", **above}
    return tarred(files | evil, "gz", ("link", str(elsewhere)))


@pytest.mark.parametrize("name", ["evil.tar.gz", "train-images-idx3-ubyte.tar.gz"])
def test_an_unexpected_archive_is_not_even_opened(name: str, provided: Path, elsewhere: Path) -> None:
    (provided / "MNIST" / "raw" / name).write_bytes(evil_tar({}, elsewhere))
    assert len(datasets.load("mnist").train) == 40
    assert files_in(elsewhere) == []


def test_no_member_of_cifars_archive_is_written_anywhere(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny(100, 100, 32, 32, 3)
    adopt(monkeypatch, "cifar10", data.lines())
    files = {"cifar-10-python.tar.gz": evil_tar(cifar_batches(data, monkeypatch), elsewhere)}
    monkeypatch.setattr(published.CIFAR10, "tgz_md5", md5(files["cifar-10-python.tar.gz"]))
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    assert len(datasets.load("cifar10").train) == 100
    assert files_in(elsewhere) == []


ZEROS = bytes(2**25)
PICTURE = "resized/CXR/1.jpeg"


ZEROS_28 = np.zeros((5, 28, 28), np.uint8)


def images_and_labels(images: NDArray[np.uint8], n_labels: int) -> Files:
    """MNIST's files for training, as far as they go."""
    labels = np.zeros(n_labels, np.uint8)
    return {FIRST: gzip.compress(idx(images)), FIRST.replace("images-idx3", "labels-idx1"): gzip.compress(idx(labels))}


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED, *, says: int | None = None) -> bytes:
    """A zip, which may say that each of its files is of another size."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    size = struct.pack("<I", len(ZEROS))
    return file.getvalue().replace(size, struct.pack("<I", says)) if says else file.getvalue()


def sparse_tar() -> bytes:
    """A tar of one file that says it is 2 GiB of holes."""
    header = bytearray(tarfile.TarInfo(PICTURE).tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"%011o\0" % 2**31
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return lzma.compress(bytes(header) + bytes(1024))


def npy(array: NDArray, shape: tuple[int, ...] | None = None) -> bytes:
    """An array as npz files hold it, which may say that it has another shape."""
    file = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(file, header | {"shape": shape or array.shape})
    return file.getvalue() + array.tobytes()


def webp(*size: int) -> bytes:
    """An image, which may say that it has another size [width, height]."""
    file = io.BytesIO()
    Image.new("RGB", (320, 320)).save(file, "WEBP", lossless=True)
    content = bytearray(file.getvalue())
    if size:
        flags = int.from_bytes(content[21:25], "little") >> 28 << 28
        content[21:25] = struct.pack("<I", flags | (size[1] - 1) << 14 | (size[0] - 1))
    return bytes(content)


def sheets(*contents: bytes, ends: list[int] | None = None, **others: bytes) -> Files:
    """A `cifar10.npz` of some sheets of training images, of which anything may be another array's file."""
    arrays = {
        "webp": npy(np.frombuffer(b"".join(contents), np.uint8)),
        "offsets": npy(np.array(ends or np.cumsum([0, *map(len, contents)]))),
        "y_train": npy(np.zeros(100 * len(contents), np.uint8)),
        "y_test": npy(np.zeros(0, np.uint8)),
    } | others
    return {"cifar10.npz": zip_of({f"{name}.npy": content for name, content in arrays.items()})}


TOO_LARGE = r"more than [\d,]+ bytes"
WRONG_IDX = "train-images-idx3-ubyte is not in the idx format, or not of the length it says"
ODD_ROWS = "arrays that are not rows of whole numbers"
MISFIT = "offsets that do not fit the sheets and the labels"
NO_AXIS = npy(np.zeros(0, np.uint8), (10**7, 0))
"""Ten million rows of nothing."""
HARM: dict[str, tuple[str, Callable[[], Files], str]] = {
    "gzip of zeros": ("mnist", lambda: {FIRST: gzip.compress(ZEROS, 1)}, TOO_LARGE),
    "file of zeros": ("mnist", lambda: {FIRST.removesuffix(".gz"): ZEROS}, TOO_LARGE),
    "idx of more than it says": ("mnist", lambda: {FIRST: gzip.compress(idx(ZEROS_28) + b"\0")}, WRONG_IDX),
    "idx of less than it says": ("mnist", lambda: {FIRST: gzip.compress(idx(ZEROS_28)[:-1])}, WRONG_IDX),
    "idx of nothing": ("mnist", lambda: {FIRST: gzip.compress(b"")}, WRONG_IDX),
    "images of nothing": (
        "mnist",
        lambda: images_and_labels(np.zeros((10**5, 0, 0), np.uint8), 10**5),
        r"100000 labels and images of the shape \(100000, 0, 0\)",
    ),
    "too many labels": (
        "mnist",
        lambda: images_and_labels(ZEROS_28, 10**5),
        r"100000 labels and images of the shape \(5, 28, 28\)",
    ),
    "tar.xz of zeros": (
        "medical_mnist",
        lambda: {"medical_mnist.tar.xz": tarred({PICTURE: ZEROS}, "xz")},
        TOO_LARGE,
    ),
    "tar.xz with zeros": ("medical_mnist", lambda: {"medical_mnist.tar.xz": tarred({"x": ZEROS}, "xz")}, TOO_LARGE),
    "tar.xz of holes": ("medical_mnist", lambda: {"medical_mnist.tar.xz": sparse_tar()}, TOO_LARGE),
    "tar.xz of many": (
        "medical_mnist",
        lambda: {"medical_mnist.tar.xz": tarred(dict.fromkeys(map(str, range(150)), b""), "xz")},
        "more than 100 members",
    ),
    "zip of zeros": ("medical_mnist", lambda: {"medical_mnist.zip": zip_of({PICTURE: ZEROS})}, TOO_LARGE),
    "zip that lies": (
        "medical_mnist",
        lambda: {"medical_mnist.zip": zip_of({PICTURE: ZEROS}, says=1000)},
        "Bad CRC-32 for file '.*'",
    ),
    "zip by bzip2": (
        "medical_mnist",
        lambda: {"medical_mnist.zip": zip_of({PICTURE: ZEROS}, zipfile.ZIP_BZIP2, says=1000)},
        "a zip compressed in another way than by deflate",
    ),
    "zip of many": (
        "medical_mnist",
        lambda: {"medical_mnist.zip": zip_of(dict.fromkeys(map(str, range(150)), b""))},
        "more than 100 members",
    ),
    "large picture": ("medical_mnist", lambda: {PICTURE: ZEROS}, TOO_LARGE),
    "large pictures": (
        "medical_mnist",
        lambda: {f"resized/Hand/{i}.jpeg": ZEROS[: 2**19] for i in range(8)},
        TOO_LARGE,
    ),
    "npz of zeros": ("cifar10", lambda: sheets(webp(), webp=npy(np.frombuffer(ZEROS, np.uint8))), TOO_LARGE),
    "sheets without end": ("cifar10", lambda: sheets(*[webp()] * 20), TOO_LARGE),
    "a vast sheet": ("cifar10", lambda: sheets(webp(11_000, 11_000)), "a sheet of 11000×11000 RGB pixels"),
    "a sheet of another format": ("cifar10", lambda: sheets(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "not a WEBP file"),
    "ends beyond": ("cifar10", lambda: sheets(webp(), ends=[0, 10**9]), MISFIT),
    "ends in disorder": ("cifar10", lambda: sheets(webp(), webp(), ends=[0, len(webp()) * 2, len(webp()) * 2]), MISFIT),
    "ends from the end": ("cifar10", lambda: sheets(webp(), ends=[-len(webp()), len(webp())]), MISFIT),
    "ends without labels": ("cifar10", lambda: sheets(webp(), y_train=npy(np.zeros(99, np.uint8))), MISFIT),
    "ends of nothing": ("cifar10", lambda: sheets(webp(), offsets=NO_AXIS), ODD_ROWS),
    "labels of nothing": ("cifar10", lambda: sheets(webp(), y_train=NO_AXIS, y_test=NO_AXIS), ODD_ROWS),
    "labels of fractions": ("cifar10", lambda: sheets(webp(), y_train=npy(np.zeros(100))), ODD_ROWS),
    "labels of pickles": (
        "cifar10",
        lambda: sheets(webp(), y_train=npy(np.array([Path()] * 100, object))),
        "Object arrays cannot be loaded when allow_pickle=False",
    ),
}
"""Which dataset, its files, the reason why they are refused."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Datasets of few pixels and members, so that a small file is far too large."""
    for name, source in sources.SOURCES.items():
        monkeypatch.setitem(sources.SOURCES, name, dataclasses.replace(source, n_images=300))
    monkeypatch.setattr(unverified, "_MAX_MEMBERS", 100)


@contextlib.contextmanager
def memory_limited_to(n_bytes: int) -> Iterator[None]:
    """What is allocated within must never be more at a time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < n_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.usefixtures("small")
@pytest.mark.filterwarnings("default")  # a user sees warnings, and this must be one sentence
@pytest.mark.parametrize("kind", HARM)
def test_what_is_too_large_or_no_array_is_refused_before_it_takes_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, make, reason = HARM[kind]
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", make())))
    with (
        warnings.catch_warnings(record=True) as warned,
        memory_limited_to(len(ZEROS) // 2),
        pytest.raises(DamagedDatasetError, match=rf"is not the published .* \({reason}\): replace it") as error,
    ):
        datasets.load(name)
    one_sentence(error)
    assert warned == []


def test_a_device_is_no_file(pictures: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty one stands for those of which a read never ends."""
    folder = write(tmp_path / "data", pictures)
    monkeypatch.setenv("HQNN_DATA", str(folder))
    for name in (PICTURE, "cifar10.npz"):
        (folder / name).symlink_to(os.devnull)
    assert len(datasets.load("medical_mnist").train) == 12
    assert not datasets.is_available("cifar10")


def test_a_picture_is_not_decoded_before_it_is_verified(
    pictures: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an image was opened")

    monkeypatch.setattr(Image, "open", refuse)
    pictures[PICTURE] = pictures["resized/CXR/000002.jpeg"]
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", pictures)))
    with pytest.raises(DamagedDatasetError, match="13 images with fingerprint"):
        datasets.load("medical_mnist")


@pytest.mark.usefixtures("small")
def test_a_cache_too_large_is_damaged(tmp_path: Path) -> None:
    arrays = {f"{split}_{part}": ZEROS for split in ("train", "test") for part in ("images", "labels")}
    arrays = {name: npy(np.frombuffer(content, np.uint8)) for name, content in arrays.items()}
    arrays["fingerprint"] = npy(np.array(PUBLISHED["mnist"]))
    files = {f"{name}.npy": content for name, content in arrays.items()}
    write(tmp_path / "cache", {"mnist.npz": zip_of(files)})
    del arrays, files
    with (
        memory_limited_to(len(ZEROS) // 2),
        pytest.raises(MissingDatasetError, match=r"mnist\.npz is damaged: .*`python -m hqnn data mnist`"),
    ):
        datasets.load("mnist")


# --- damage


SPOILERS: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda content: content[:-20] + bytes([content[-20] ^ 255]) + content[-19:],
    "truncated": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "a web page": lambda content: b"<html>no such page</html>",
    "another image": lambda content: gzip.compress(gzip.decompress(content)[:-1] + b"\0"),
    "an empty archive": lambda content: gzip.compress(b""),
    "half an array": lambda content: gzip.compress(gzip.decompress(content)[:-1]),
    "more than it says": lambda content: gzip.compress(gzip.decompress(content) + b"\0"),
    "another magic number": lambda content: gzip.compress(b"\1" + gzip.decompress(content)[1:]),
    "a packed tar": lambda content: tarred({"train-images-idx3-ubyte": gzip.decompress(content)}, "gz"),
}


@pytest.mark.parametrize("how", [*SPOILERS, "absent"])
def test_damaged_files_in_hqnn_data(how: str, provided: Path, tmp_path: Path) -> None:
    if how == "absent":
        (provided / FIRST).unlink()
    else:
        (provided / FIRST).write_bytes(SPOILERS[how]((provided / FIRST).read_bytes()))
    with pytest.raises(DamagedDatasetError, match="MNIST is not the published MNIST") as error:
        datasets.load("mnist")
    assert "`python -m hqnn data mnist`" in one_sentence(error)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("kind", ["unset", "empty", "absent", "file"])
def test_absent_everywhere(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    if kind == "file":
        folder.write_text("")
    elif kind == "empty":
        folder.mkdir()
    if kind != "unset":
        monkeypatch.setenv("HQNN_DATA", str(folder))
    assert not datasets.is_available("mnist")
    why = {"absent": r" \(No such file or directory\)", "file": r" \(Not a directory\)"}.get(kind, "")
    place = "on this machine" if kind == "unset" else f"in HQNN_DATA={folder}{why}"
    with pytest.raises(MissingDatasetError, match=f"MNIST is not {place}: .*`python -m hqnn data mnist`.* HQNN_DATA"):
        datasets.load("mnist")


@pytest.mark.parametrize("variable", ["HQNN_DATA", "HQNN_CACHE"])
def test_a_home_folder_of_nobody(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "~no-such-user/data")
    for use in (datasets.load, datasets.fetch, datasets.is_available):
        with pytest.raises(HqnnError, match=f"{variable}=~no-such-user/data .*: set {variable} to another folder"):
            use("mnist")
    assert main(["data", "--list"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"error: {variable}=~no-such-user/data ")
    assert shown.count("\n") == 1


def test_folders_that_cannot_be_read(
    provided: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that no file can have stands for all that the system refuses, which it refuses nobody who may do all."""
    unreadable = "/" + "x" * 300
    monkeypatch.setenv("HQNN_CACHE", unreadable)
    assert datasets.is_available("mnist")
    assert len(datasets.load("mnist").train) == 40
    with pytest.raises(HqnnError, match=r"cannot be written \(File name too long\): .*HQNN_CACHE") as error:
        datasets.fetch("mnist", progress=False)
    one_sentence(error)
    monkeypatch.setenv("HQNN_DATA", unreadable)
    assert not datasets.is_available("mnist")
    with pytest.raises(MissingDatasetError, match=rf"MNIST is not in HQNN_DATA={unreadable} \(File name too long\): "):
        datasets.load("mnist")
    assert main(["data", "--list", "mnist"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["mnist", "absent"]


# --- the cache


def test_hqnn_data_is_read_once_then_the_cache(provided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files_in(provided)
    first = datasets.load("mnist")
    assert files_in(provided) == before
    monkeypatch.setenv("HQNN_DATA", "")
    assert_same(datasets.load("mnist"), first)
    assert files_in(tmp_path / "cache") == ["mnist.npz"]


def test_a_damaged_cache_never_yields_other_data(
    provided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = datasets.load("mnist")
    monkeypatch.setenv("HQNN_DATA", "")
    path = tmp_path / "cache" / "mnist.npz"
    content = path.read_bytes()
    rng = random.Random(0)
    headers = [at for at in range(len(content)) if content.startswith((b"PK", b"\x93NUMPY"), at)]
    near_headers = [at + offset for at in headers for offset in range(0, 130, 7) if at + offset < len(content)]
    noticed = 0
    for position in (*near_headers, *(rng.randrange(len(content)) for _ in range(60))):
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            assert_same(datasets.load("mnist"), good)  # a bit of no consequence, such as one of a date
        except MissingDatasetError:
            noticed += 1
    assert noticed > 100
    for length in (0, 1, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(MissingDatasetError, match=r"mnist\.npz is damaged: .*`python -m hqnn data mnist`"):
            datasets.load("mnist")


def test_a_cache_of_another_version_is_replaced_not_overwritten(provided: Path, tmp_path: Path) -> None:
    """So whoever reads it meanwhile, or a process killed while writing it, never sees half a file."""
    good = datasets.load("mnist")
    path = tmp_path / "cache" / "mnist.npz"
    with np.load(path) as file:
        arrays = {**file, "fingerprint": np.array("0" * 64)}
    np.savez(path, **arrays)
    old = path.read_bytes()
    with path.open("rb") as reader:
        assert_same(datasets.load("mnist"), good)
        assert reader.read() == old
    assert path.read_bytes() != old


def test_a_cache_that_cannot_be_written_costs_only_time(
    provided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


# --- downloads


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
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()
    gc.collect()


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
    store.cache_folder().joinpath(f"{name}.npz").unlink()
    with pytest.raises(MissingDatasetError, match=r"could not be downloaded from .*HQNN_DATA") as error:
        datasets.fetch(name, progress=False)
    assert f"`python -m hqnn data {name}`" in one_sentence(error)
    assert files_in(store.cache_folder()) == []


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
        pytest.raises(MissingDatasetError, match=f"could not be downloaded .*{TOO_LARGE}.*HQNN_DATA") as error,
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
    nearest = torch.cdist(small.flatten(1), torch.from_numpy(bunch.images).flatten(1)).argmin(1)
    assert torch.equal(labels, torch.from_numpy(bunch.target)[nearest])
    assert sorted(nearest.tolist()) == list(range(1_797))


def test_status(provided: Path, pictures: Files, tmp_path: Path) -> None:
    write(provided, pictures)
    datasets.load("mnist")
    rows = {row.name: row for row in datasets.status()}
    assert tuple(rows) == datasets.NAMES
    assert {name: (row.state, row.images, row.n_bytes) for name, row in rows.items() if name != "digits"} == {
        "mnist": ("cached", 70_000, (tmp_path / "cache" / "mnist.npz").stat().st_size),
        "fashion_mnist": ("absent", 70_000, None),
        "cifar10": ("absent", 60_000, None),
        "medical_mnist": ("HQNN_DATA", 58_954, sum(map(len, pictures.values()))),
    }
    assert rows["mnist"].source == str(tmp_path / "cache" / "mnist.npz")
    assert rows["cifar10"].source == "torchvision.datasets.CIFAR10"
    assert rows["digits"].state == "bundled"
    assert rows["digits"].n_bytes
    assert all(datasets.is_available(name) == (row.state != "absent") for name, row in rows.items())


@pytest.mark.parametrize("function", [datasets.load, datasets.fetch, datasets.is_available])
def test_an_unknown_name(function: Callable[[str], object]) -> None:
    with pytest.raises(HqnnError, match="no dataset 'mnsit': did you mean 'mnist'"):
        function("mnsit")
    with pytest.raises(HqnnError, match=r"no dataset '\.\./x': the known ones are mnist, fashion_mnist, cifar10"):
        function("../x")
