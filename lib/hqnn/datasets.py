"""The papers' four datasets and a bundled stand-in: found, fetched, verified, put into one order, cut into subsets.

`load` reads a dataset from this project's cache (``data/cache``, or the folder named by ``HQNN_CACHE``), else from the
read-only folder named by ``HQNN_DATA`` (its layout: ``data/README.md``). It never uses the network: `fetch`, behind
``python -m hqnn data NAME``, downloads what neither has.

Whatever the source, the samples must have the dataset's fingerprint, a SHA-256 that does not depend on their order.
They are then sorted by label and, within a label, by the bytes of the image, so that an index means the same image on
every machine, and a seed the same subset.

Archives are read member by member into memory. Nothing is ever unpacked to disk, so no member's name can reach outside
the cache, and nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import difflib
import gzip
import hashlib
import http
import http.client
import importlib.metadata
import io
import itertools
import lzma
import os
import pickletools
import re
import shutil
import struct
import tarfile
import textwrap
import tokenize
import urllib.error
import urllib.request
import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from hqnn.errors import HqnnError

NAMES = ("mnist", "fashion_mnist", "cifar10", "medical_mnist", "digits")
"""Every dataset; `digits` is scikit-learn's bundled stand-in and always present."""

_REPOSITORY = Path(__file__).resolve().parents[2]
_CACHE_FORMAT = 1
_ATTEMPTS = 3
_TIMEOUT_S = 30.0
_CHUNK_BYTES = 1 << 18
_DAMAGE = (
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)  # what numpy, Pillow and the archive readers raise on damaged files


class MissingDatasetError(HqnnError):
    """The dataset is not on this machine and could not be, or was not to be, downloaded."""


class DamagedDatasetError(HqnnError):
    """Files are there but are not the published dataset."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels.

    Args:
        images: uint8 [N, C, H, W].
        labels: int64 [N].
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A verified dataset in canonical order: by label, then by the image's bytes.

    Args:
        name: One of `NAMES`.
        classes: The classes' names; label i means `classes[i]`.
        train: The published training split (Medical MNIST has no split: all of it).
        test: The published test split (empty for Medical MNIST).
        fingerprint: SHA-256 of the samples as published, whatever their order.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    fingerprint: str


@dataclass(frozen=True, eq=False)
class Subset:
    """Some classes of a dataset, cut into three disjoint splits.

    Args:
        train: Balanced over the classes, from the training split.
        val: Balanced over the classes, from the training split.
        test: Drawn at random, not balanced, from the test split.
        fingerprint: SHA-256 of which images [H, W, C] with which labels are in which split, whatever their order.
    """

    train: Split
    val: Split
    test: Split
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a dataset is on this machine.

    Args:
        name: One of `NAMES`.
        title: The name to print.
        state: What `load` would use.
        images: Number of images of the whole dataset.
        n_bytes: Size on disk, or None when absent.
        source: The file or folder that holds it, or the address it would come from.
    """

    name: str
    title: str
    state: Literal["bundled", "cached", "HQNN_DATA", "absent"]
    images: int
    n_bytes: int | None
    source: str


_Advance = Callable[[int], object]
"""Moves a progress bar on by so many images."""


class _Samples(NamedTuple):
    """One split as published: `blobs[i]` are the bytes of the image with label `labels[i]`."""

    labels: list[int]
    blobs: list[bytes]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, bytes]]) -> _Samples:
        """From (label, bytes) pairs."""
        pairs = list(pairs)
        return cls([label for label, _ in pairs], [blob for _, blob in pairs])


class _Form(NamedTuple):
    """One way a dataset may lie in a folder: the place, and what must exist in it (glob patterns)."""

    place: str
    needs: tuple[str, ...] = ()


class _Download(NamedTuple):
    """A published file: where it goes in the download folder (as in a form), its mirrors, its MD5 if it has one."""

    path: str
    urls: tuple[str, ...]
    md5: str | None


@dataclass(frozen=True, kw_only=True)
class _Source:
    """All that is particular to one dataset."""

    title: str
    classes: tuple[str, ...]
    images: int
    fingerprint: str
    forms: tuple[_Form, ...]
    downloads: tuple[_Download, ...]
    read: Callable[[Path], dict[str, _Samples]]
    decode: Callable[[list[bytes], _Advance], NDArray[np.uint8]]


# --- what is published: from files to samples


def _members(place: Path, wanted: re.Pattern[str]) -> dict[str, bytes]:
    """Contents of the regular files in a folder, zip or tar whose path matches; nothing is written anywhere."""
    if place.is_dir():
        paths = {f"{place.name}/{p.relative_to(place).as_posix()}": p for p in sorted(place.rglob("*"))}
        return {name: path.read_bytes() for name, path in paths.items() if wanted.search(name) and path.is_file()}
    if place.suffix == ".zip":
        with zipfile.ZipFile(place) as archive:
            return {name: archive.read(name) for name in archive.namelist() if wanted.search(name)}
    contents = {}
    with tarfile.open(place) as archive:
        for member in archive:
            if member.isfile() and wanted.search(member.name) and (file := archive.extractfile(member)) is not None:
                contents[member.name] = file.read()
    return contents


def _split_rows(pixels: NDArray[np.uint8], labels: Sequence[int]) -> _Samples:
    """Samples from equally large images [N, ...]."""
    if len(pixels) != len(labels):
        raise ValueError(f"{len(pixels)} images but {len(labels)} labels")
    return _Samples(list(labels), [row.tobytes() for row in pixels])


def _read_idx(place: Path) -> dict[str, _Samples]:
    """MNIST's own format: a header of big-endian integers, then the bytes."""
    arrays: dict[str, NDArray[np.uint8]] = {}
    for name, content in _members(place, re.compile(r"(train|t10k)-(images-idx3|labels-idx1)-ubyte(\.gz)?$")).items():
        raw = gzip.decompress(content) if name.endswith(".gz") else content
        n_axes = raw[3]
        shape = struct.unpack_from(f">{n_axes}I", raw, 4)
        stem = Path(name).name.removesuffix(".gz")
        arrays[stem] = np.frombuffer(raw, np.uint8, offset=4 + 4 * n_axes).reshape(shape)
    return {
        split: _split_rows(arrays[f"{stem}-images-idx3-ubyte"], arrays[f"{stem}-labels-idx1-ubyte"].tolist())
        for split, stem in (("train", "train"), ("test", "t10k"))
    }


def _python_batch(content: bytes) -> tuple[bytes, list[int]]:
    """Pixels and labels of one of CIFAR-10's "python" batches.

    Such a batch is a pickle of a dictionary. Its opcodes are listed, never executed: the pixels are its longest string,
    the labels the small integers that follow the string "labels".
    """
    pixels, labels, among_labels = "", list[int](), False
    for opcode, argument, _ in pickletools.genops(content):
        if isinstance(argument, str):
            among_labels = argument == "labels"
            pixels = max(pixels, argument, key=len)
        elif isinstance(argument, int) and among_labels and opcode.name == "BININT1":
            labels.append(argument)
    return pixels.encode("latin-1"), labels


def _read_cifar(place: Path) -> dict[str, _Samples]:
    """CIFAR-10 from lossless WebP sheets of 10×10 images (npz), from its binary batches or from its python batches."""
    if place.suffix == ".npz":
        with place.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            webp, offsets = file["webp"].tobytes(), file["offsets"].tolist()
            labels = {split: file[f"y_{split}"].tolist() for split in ("train", "test")}
        sheets = (np.asarray(Image.open(io.BytesIO(webp[a:b]))) for a, b in itertools.pairwise(offsets))
        tiles = [s.reshape(10, 32, 10, 32, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 32, 32, 3) for s in sheets]
        pixels = np.concatenate(tiles)
        n_train = len(labels["train"])
        return {
            "train": _split_rows(pixels[:n_train], labels["train"]),
            "test": _split_rows(pixels[n_train:], labels["test"]),
        }
    splits = {"train": _Samples([], []), "test": _Samples([], [])}
    for name, content in _members(place, re.compile(r"(^|/)(data_batch_\d|test_batch)(\.bin)?$")).items():
        if name.endswith(".bin"):
            records = np.frombuffer(content, np.uint8).reshape(-1, 1 + 3072)
            planes, batch_labels = records[:, 1:], records[:, 0].tolist()
        else:
            buffer, batch_labels = _python_batch(content)
            planes = np.frombuffer(buffer, np.uint8).reshape(-1, 3072)
        images = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        split = splits["test" if "test_batch" in name else "train"]
        batch = _split_rows(images, batch_labels)
        split.labels.extend(batch.labels)
        split.blobs.extend(batch.blobs)
    return splits


def _read_medical(place: Path) -> dict[str, _Samples]:
    """Medical MNIST: JPEG files in one folder per class; the bytes of a sample are the file's."""
    samples = _Samples([], [])
    wanted = re.compile(rf"(^|/)resized/({'|'.join(_MEDICAL_CLASSES)})/\d+\.jpeg$")
    for name, content in _members(place, wanted).items():
        samples.labels.append(_MEDICAL_CLASSES.index(Path(name).parent.name))
        samples.blobs.append(content)
    return {"all": samples}


def _read_digits() -> dict[str, _Samples]:
    """scikit-learn's handwritten digits as 8×8 bytes; every fourth in canonical order is a test image."""
    from sklearn.datasets import load_digits  # slow to import, and only the stand-in needs it

    bunch = load_digits()
    pixels = (bunch.images.astype(np.uint16) * 255 + 8) // 16  # from 0..16 to 0..255
    labels, blobs = _canonical(_split_rows(pixels.astype(np.uint8), bunch.target.tolist()))
    numbered = list(enumerate(zip(labels, blobs, strict=True)))
    return {
        "train": _Samples.of(sample for i, sample in numbered if i % 4 != 3),
        "test": _Samples.of(sample for i, sample in numbered if i % 4 == 3),
    }


# --- from samples to images


def _decode_grey(blobs: list[bytes], advance: _Advance) -> NDArray[np.uint8]:
    """[N, 1, 28, 28]."""
    advance(len(blobs))
    return np.frombuffer(bytearray().join(blobs), np.uint8).reshape(-1, 1, 28, 28)


def _decode_colour(blobs: list[bytes], advance: _Advance) -> NDArray[np.uint8]:
    """[N, 3, 32, 32]."""
    advance(len(blobs))
    return np.ascontiguousarray(np.frombuffer(b"".join(blobs), np.uint8).reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2))


def _decode_jpeg(blobs: list[bytes], advance: _Advance) -> NDArray[np.uint8]:
    """[N, 1, 64, 64]."""
    images = np.empty((len(blobs), 1, 64, 64), np.uint8)
    for image, blob in zip(images, blobs, strict=True):
        image[0] = np.asarray(Image.open(io.BytesIO(blob)))
        advance(1)
    return images


def _decode_digits(blobs: list[bytes], advance: _Advance) -> NDArray[np.uint8]:
    """[N, 1, 28, 28], from 8×8; in float64, so that rounding does not depend on the processor."""
    advance(len(blobs))
    small = torch.frombuffer(bytearray().join(blobs), dtype=torch.uint8).reshape(-1, 1, 8, 8).to(torch.float64)
    large = functional.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
    return large.round().to(torch.uint8).numpy()


# --- the table

_MEDICAL_CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
_IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_CIFAR_BATCHES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")


def _idx_source(
    title: str, folder: str, classes: Sequence[str], fingerprint: str, mirrors: Sequence[str], md5s: str
) -> _Source:
    """MNIST and FashionMNIST differ in nothing else."""
    return _Source(
        title=title,
        classes=tuple(classes),
        images=70_000,
        fingerprint=fingerprint,
        forms=(_Form(f"{folder}/raw", tuple(f"{file}*" for file in _IDX_FILES)),),
        downloads=tuple(
            _Download(f"{folder}/raw/{file}.gz", tuple(f"{mirror}{file}.gz" for mirror in mirrors), md5)
            for file, md5 in zip(_IDX_FILES, md5s.split(), strict=True)
        ),
        read=_read_idx,
        decode=_decode_grey,
    )


_SOURCES = {
    "mnist": _idx_source(
        "MNIST",
        "MNIST",
        "0123456789",
        "0f2c41dd0d740bd62fde730a8fbde4fbdcf1516248faac33f85fef53536eb84e",
        ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"],
        "f68b3c2dcbeaaa9fbdd348bbdeb94873 d53e105ee54ea40749a09fcbcd1e9432 "
        "9fb629c4189551a2d022fa330f9573f3 ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion_mnist": _idx_source(
        "FashionMNIST",
        "FashionMNIST",
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
        "c483348c7f5cfb34a9dd03dbd9df0daa32d3bfb1b41c3421ac4145b1a060bbef",
        ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe "
        "bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "cifar10": _Source(
        title="CIFAR-10",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        images=60_000,
        fingerprint="cbcd3f70e50fc690fd2e715daba5c7439472ae73538ea8812de2a504c18e01b5",
        forms=(
            _Form("cifar10.npz"),
            _Form("cifar-10-binary.tar.gz"),
            _Form("cifar-10-batches-bin", tuple(f"{batch}.bin" for batch in _CIFAR_BATCHES)),
            _Form("cifar-10-python.tar.gz"),
            _Form("cifar-10-batches-py", _CIFAR_BATCHES),
        ),
        downloads=(
            _Download(
                "cifar-10-binary.tar.gz",
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
                "c32a1d4ab5d03f1284b67883e8d87530",
            ),
        ),
        read=_read_cifar,
        decode=_decode_colour,
    ),
    "medical_mnist": _Source(
        title="Medical MNIST",
        classes=_MEDICAL_CLASSES,
        images=58_954,
        fingerprint="bfb2b0571718a4262af8b36956e4bbf713df4d359a1a14f836a2be23b6e20728",
        forms=(
            _Form("medical_mnist.tar.xz"),
            _Form("medical_mnist.zip"),
            _Form("Medical-MNIST-Classification-*.zip"),
            _Form("resized", _MEDICAL_CLASSES),
            _Form("medical_mnist/resized", _MEDICAL_CLASSES),
            _Form("Medical-MNIST-Classification*/resized", _MEDICAL_CLASSES),
        ),
        downloads=(
            _Download(
                "medical_mnist.zip",
                ("https://github.com/apolanco3225/Medical-MNIST-Classification/archive/HEAD.zip",),
                None,  # made on demand, so that its bytes may change; the fingerprint of what is in it does not
            ),
        ),
        read=_read_medical,
        decode=_decode_jpeg,
    ),
    "digits": _Source(
        title="digits",
        classes=tuple("0123456789"),
        images=1_797,
        fingerprint="d07cea3c3d06c417018dbd82c50f1cc089a7c4ebe0915ee36a81353d5e128f24",
        forms=(),
        downloads=(),
        read=lambda _: _read_digits(),
        decode=_decode_digits,
    ),
}


def _source(name: str) -> _Source:
    if name not in _SOURCES:
        close = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {close[0]!r}" if close else "the known ones are " + ", ".join(NAMES)
        raise HqnnError(f"there is no dataset {name!r}: {hint}")
    return _SOURCES[name]


# --- order and identity


def _fingerprint(splits: Mapping[str, _Samples]) -> str:
    """SHA-256 over the sorted lines ``split,label,sha256 of the image's bytes``."""
    lines = [
        f"{split},{label},{hashlib.sha256(blob).hexdigest()}\n"
        for split, samples in splits.items()
        for label, blob in zip(samples.labels, samples.blobs, strict=True)
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _canonical(samples: _Samples) -> _Samples:
    """The same samples sorted by label, then by the image's bytes."""
    return _Samples.of(sorted(zip(samples.labels, samples.blobs, strict=True)))


def _assemble(name: str, splits: Mapping[str, _Samples], progress: bool) -> Dataset:
    """Verify samples, sort them and decode their images.

    Raises:
        ValueError: They are not the published ones.
    """
    source = _source(name)
    found = _fingerprint(splits)
    if found != source.fingerprint:
        n_images = sum(len(samples.labels) for samples in splits.values())
        raise ValueError(f"{n_images} images with fingerprint {found[:12]}… instead of {source.fingerprint[:12]}…")
    with tqdm(total=source.images, desc=source.title, unit=" images", disable=not progress) as bar:

        def split(*names: str) -> Split:
            labels, blobs = _canonical(next((splits[key] for key in names if key in splits), _Samples([], [])))
            return Split(torch.from_numpy(source.decode(blobs, bar.update)), torch.tensor(labels, dtype=torch.int64))

        return Dataset(name, source.classes, split("train", "all"), split("test"), found)


def _build(name: str, place: Path, *, progress: bool = False) -> Dataset:
    """Read a dataset as published from a file or folder.

    Raises:
        DamagedDatasetError: It cannot be read, or is something else.
    """
    try:
        return _assemble(name, _source(name).read(place), progress)
    except _DAMAGE as error:
        raise DamagedDatasetError(
            f"{place} is not the published {_source(name).title} ({_reason(error)}): replace it, or take it away and "
            f"run `python -m hqnn data {name}`"
        ) from error


def _reason(error: BaseException) -> str:
    """What went wrong in a few words on one line."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return _reason(error.reason)
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return textwrap.shorten(text, 160, placeholder=" …") or type(error).__name__


# --- the cache and HQNN_DATA


def _cache_file(name: str) -> Path:
    return cache_folder() / f"{name}.npz"


def cache_folder() -> Path:
    """Where what was fetched or computed is kept: `HQNN_CACHE`, or the git-ignored `data/cache`."""
    return Path(os.environ.get("HQNN_CACHE") or _REPOSITORY / "data" / "cache").expanduser()


def _find(name: str, folder: Path) -> Path | None:
    """The place in a folder where a dataset lies in one of its forms."""
    for form in _source(name).forms:
        for place in sorted(folder.glob(form.place)):
            if all(any(place.glob(need)) for need in form.needs):
                return place
    return None


def _provided(name: str) -> Path | None:
    """The place in `HQNN_DATA` where a dataset lies, if any."""
    folder = os.environ.get("HQNN_DATA")
    return _find(name, Path(folder).expanduser()) if folder else None


def _read_cache(name: str) -> Dataset | None:
    """The cached dataset, or None when there is none or its file is damaged.

    The fingerprint was verified when the file was written; reading verifies its checksums (CRC-32 of every array).
    """
    source = _source(name)
    try:
        with _cache_file(name).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if (int(file["format"]), str(file["fingerprint"])) != (_CACHE_FORMAT, source.fingerprint):
                return None
            train, test = (
                Split(torch.from_numpy(file[f"{split}_images"]), torch.from_numpy(file[f"{split}_labels"]))
                for split in ("train", "test")
            )
    except _DAMAGE:
        return None
    return Dataset(name, source.classes, train, test, source.fingerprint)


def _write_cache(dataset: Dataset) -> Path:
    """Write a dataset to the cache, wholly or not at all."""
    path = _cache_file(dataset.name)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez(
                file,
                format=np.array(_CACHE_FORMAT),
                fingerprint=np.array(dataset.fingerprint),
                train_images=dataset.train.images.numpy(),
                train_labels=dataset.train.labels.numpy(),
                test_images=dataset.test.images.numpy(),
                test_labels=dataset.test.labels.numpy(),
            )
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _unwritable(path: Path, error: OSError) -> HqnnError:
    return HqnnError(
        f"{path} cannot be written ({_reason(error)}): make room there, or set HQNN_CACHE to another folder"
    )


def is_available(name: str) -> bool:
    """Whether `load` would find the dataset; looks at file names only.

    Raises:
        HqnnError: Unknown name.
    """
    _source(name)
    return name == "digits" or _cache_file(name).is_file() or _provided(name) is not None


def load(name: str) -> Dataset:
    """A dataset in canonical order, from the cache or from `HQNN_DATA`; never from the network.

    What is read from `HQNN_DATA` is kept in the cache where that can be written, which makes the next call fast.

    Raises:
        MissingDatasetError: It is in neither place.
        DamagedDatasetError: The files in `HQNN_DATA` are not the published ones.
        HqnnError: Unknown name.
    """
    source = _source(name)
    if name == "digits":
        return _bundled()
    if (cached := _read_cache(name)) is not None:
        return cached
    if (place := _provided(name)) is not None:
        dataset = _build(name, place)
        with contextlib.suppress(HqnnError):  # a full or read-only cache costs time, nothing else
            _write_cache(dataset)
        return dataset
    if _cache_file(name).exists():
        raise MissingDatasetError(f"{_cache_file(name)} is damaged: get it again with `python -m hqnn data {name}`")
    if folder := os.environ.get("HQNN_DATA"):
        raise MissingDatasetError(
            f"{source.title} is not in HQNN_DATA={folder} (its layout: data/README.md): correct that, or get it with "
            f"`python -m hqnn data {name}`"
        )
    raise MissingDatasetError(
        f"{source.title} is not on this machine: get it with `python -m hqnn data {name}`, or set HQNN_DATA to a "
        f"folder that has it (its layout: data/README.md)"
    )


def _bundled() -> Dataset:
    try:
        return _assemble("digits", _read_digits(), progress=False)
    except ValueError as error:
        raise DamagedDatasetError(
            f"scikit-learn's bundled digits are not the known ones ({_reason(error)}): reinstall scikit-learn"
        ) from error


def status() -> list[Status]:
    """Where each dataset is on this machine, in the order of `NAMES`; looks at file names and sizes only."""
    rows = []
    for name in NAMES:
        source, cache, place = _source(name), _cache_file(name), _provided(name)
        state: Literal["bundled", "cached", "HQNN_DATA", "absent"]
        if name == "digits":
            state, place = "bundled", _digits_file()
        elif cache.is_file():
            state, place = "cached", cache
        else:
            state = "absent" if place is None else "HQNN_DATA"
        rows.append(
            Status(
                name=name,
                title=source.title,
                state=state,
                images=source.images,
                n_bytes=None if place is None else _size(place),
                source=_origin(source) if place is None else str(place),
            )
        )
    return rows


def _origin(source: _Source) -> str:
    """The address of a dataset's one file, or of the folder of its several."""
    address = source.downloads[0].urls[0]
    return address if len(source.downloads) == 1 else address.rpartition("/")[0] + "/"


def published_files(name: str) -> list[bytes]:
    """The published bytes of every training image, in canonical order: image i of `load` was decoded from file i.

    Args:
        name: A dataset of files of its own, `medical_mnist`.

    Raises:
        MissingDatasetError: It is not in the folder named by `HQNN_DATA`; the cache holds pixels only.
        DamagedDatasetError: What is there is not the published dataset.
    """
    if (place := _provided(name)) is None:
        raise MissingDatasetError(
            f"The files of {_source(name).title} are needed: set HQNN_DATA to a folder that has them (its layout: "
            "data/README.md)."
        )
    source = _source(name)
    try:
        samples = source.read(place)
    except _DAMAGE as error:
        raise DamagedDatasetError(f"{place} cannot be read ({_reason(error)}): fetch it anew.") from error
    if _fingerprint(samples) != source.fingerprint:
        raise DamagedDatasetError(f"{place} is not the published {source.title}: fetch it anew.")
    return _canonical(samples.get("all") or samples["train"]).blobs


def _digits_file() -> Path:
    """Where scikit-learn keeps its digits; found without importing it."""
    return Path(str(importlib.metadata.distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")))


def _size(place: Path) -> int:
    """Bytes in a file or folder."""
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)


# --- the network


def fetch(name: str, *, progress: bool = True) -> Path:
    """Make sure that a dataset is in the cache: from `HQNN_DATA` where that has it, else by download.

    An interrupted download is resumed, a corrupt one redone, by this call and by the next.

    Args:
        name: One of `NAMES`.
        progress: Show progress bars on standard error.

    Returns:
        The file that now holds it.

    Raises:
        MissingDatasetError: It cannot be downloaded.
        DamagedDatasetError: What `HQNN_DATA` has, or what was downloaded, is not the published dataset.
        HqnnError: Unknown name, or the cache cannot be written.
    """
    _source(name)
    if name == "digits":
        return _digits_file()
    if _read_cache(name) is not None:
        return _cache_file(name)
    if (place := _provided(name)) is not None:
        return _write_cache(_build(name, place, progress=progress))
    folder = cache_folder() / "downloads" / name
    dataset = _from_network(name, folder, progress)
    path = _write_cache(dataset)
    shutil.rmtree(folder)
    return path


def _from_network(name: str, folder: Path, progress: bool) -> Dataset:
    """Download a dataset's files to a folder and read them; once more from scratch if they turn out to be damaged."""
    source = _source(name)
    for _ in range(2):
        for item in source.downloads:
            _download(name, item, folder / item.path, progress)
        place = _find(name, folder)
        assert place is not None, "what is downloaded is one of the dataset's forms"
        try:
            return _build(name, place, progress=progress)
        except DamagedDatasetError as error:
            reason = _reason(error.__cause__ or error)
            shutil.rmtree(folder)
    raise DamagedDatasetError(
        f"what {source.downloads[0].urls[0]} serves is not the published {source.title} ({reason}): set HQNN_DATA to a "
        f"folder that has it (its layout: data/README.md)"
    )


class _StoppedError(Exception):
    """A transfer stopped midway; what has arrived is kept and worth resuming."""


def _download(name: str, item: _Download, path: Path, progress: bool) -> None:
    """Download one file, trying each of its mirrors."""
    if path.exists():  # complete, from an earlier call that was stopped before its end
        return
    part = path.with_name(f"{path.name}.part")
    reason = ""
    for url in item.urls:
        for _ in range(_ATTEMPTS):
            try:
                _transfer(url, part, progress)
            except _StoppedError as error:
                reason = str(error)
                continue
            except (OSError, http.client.HTTPException) as error:  # this mirror cannot be reached: the next one
                reason = f"{url}: {_reason(error)}"
                break
            if item.md5 is None or _md5(part) == item.md5:
                part.replace(path)
                return
            part.unlink()
            reason = f"{url}: wrong checksum"
    raise MissingDatasetError(
        f"{_source(name).title} could not be downloaded ({reason}): run `python -m hqnn data {name}` again with a "
        f"working network, or set HQNN_DATA to a folder that has it (its layout: data/README.md)"
    )


def _transfer(url: str, part: Path, progress: bool) -> None:
    """Append to a partial file what it lacks.

    Raises:
        OSError, http.client.HTTPException: The server cannot be reached or refuses.
        _StoppedError: The transfer stopped before its end.
        HqnnError: The disk is full or cannot be written.
    """
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range") == f"bytes */{done}":  # nothing was lacking
            return
        part.unlink()
        raise _StoppedError(f"{url}: the partial file was longer than the whole") from error
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            done = 0
        length = response.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        bar = tqdm(
            total=total, initial=done, desc=url.rpartition("/")[2], unit="B", unit_scale=True, disable=not progress
        )
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            with bar, part.open("ab" if done else "wb") as file:
                while chunk := _receive(response, url):
                    file.write(chunk)
                    bar.update(len(chunk))
                    done += len(chunk)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise _unwritable(part, error) from error
    if total is not None and done < total:
        raise _StoppedError(f"{url}: only {done} of {total} bytes arrived")


def _receive(response: http.client.HTTPResponse, url: str) -> bytes:
    """The next bytes of a response, empty at its end; tells trouble with the network from trouble with the disk."""
    try:
        return response.read(_CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _StoppedError(f"{url}: {_reason(error)}") from error


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


# --- subsets and tensors


def subset(
    dataset: Dataset, *, classes: Sequence[int], n_train: int, n_val: int, n_test: int, seed: int = 42
) -> Subset:
    """Draw the samples of one experiment.

    Every image of a split gets a random 64-bit key that depends on the seed and its index alone. The smallest keys of
    each class make the training set, the largest the validation set; the smallest keys in the test split make the test
    set. So no size changes what the other sets hold, one class's images do not depend on which other classes are
    asked for, and since PCG64's raw stream is fixed for good, no library's version matters.

    Args:
        dataset: In canonical order, as `load` returns it.
        classes: Labels to keep; they become 0, 1, … in this order.
        n_train: Number of training images, the same number of each class.
        n_val: Number of validation images, the same number of each class.
        n_test: Number of test images, whatever their classes.
        seed: Non-negative.

    Returns:
        Three disjoint splits, each in random order.

    Raises:
        ValueError: Impossible classes, a size that is negative or cannot be balanced, or more than there is.
    """
    classes = tuple(classes)
    title = _source(dataset.name).title
    if not classes or len(set(classes)) < len(classes) or not set(classes) <= set(range(len(dataset.classes))):
        raise ValueError(
            f"classes {classes} must be different labels of {title}, each from 0 to {len(dataset.classes) - 1}"
        )
    for argument, value in (("n_train", n_train), ("n_val", n_val), ("n_test", n_test), ("seed", seed)):
        if value < 0:
            raise ValueError(f"{argument}={value} must not be negative")
    for size, value in (("n_train", n_train), ("n_val", n_val)):
        if value % len(classes):
            raise ValueError(
                f"{size}={value} must be a multiple of {len(classes)}, the number of classes, to be balanced"
            )

    order, labels = _shuffled(dataset.train, seed, stream=0)
    n_each, n_each_val = n_train // len(classes), n_val // len(classes)
    in_train, in_val = np.zeros(len(order), np.bool_), np.zeros(len(order), np.bool_)
    for label in classes:
        (members,) = np.nonzero(labels == label)
        if n_each + n_each_val > len(members):
            raise ValueError(
                f"{title} has {len(members)} training images of class {label} ({dataset.classes[label]}): "
                f"n_train={n_train} and n_val={n_val} need {n_each + n_each_val}"
            )
        in_train[members[:n_each]] = True
        in_val[members[len(members) - n_each_val :]] = True

    test_order, test_labels = _shuffled(dataset.test, seed, stream=1)
    (eligible,) = np.nonzero(np.isin(test_labels, classes))
    if n_test > len(eligible):
        raise ValueError(f"{title} has {len(eligible)} test images of classes {classes}: n_test={n_test} is too many")

    splits = {
        "train": _take(dataset.train, order[in_train], classes),
        "val": _take(dataset.train, order[in_val], classes),
        "test": _take(dataset.test, test_order[eligible[:n_test]], classes),
    }
    return _with_fingerprint(splits)


def partition(dataset: Dataset, *, n_train: int, n_val: int, n_test: int, seed: int = 42) -> Subset:
    """Cut a dataset at random, all classes as often as they come.

    The keys are those of `subset`: the smallest keys of the training split make the training set, the largest the
    validation set, the smallest in the test split the test set. Of a dataset without a test split the largest keys of
    all make the test set, the next largest the validation set.

    Args:
        dataset: In canonical order, as `load` returns it.
        n_train: Number of training images.
        n_val: Number of validation images, none of them a training image.
        n_test: Number of test images.
        seed: Non-negative.

    Returns:
        Three disjoint splits, each in canonical order: index i of a whole test split is image i of the dataset's.

    Raises:
        ValueError: A size is negative, or there are not so many images.
    """
    chosen = partition_indices(dataset, n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    every = tuple(range(len(dataset.classes)))
    sources = {
        "train": dataset.train,
        "val": dataset.train,
        "test": dataset.test if len(dataset.test) else dataset.train,
    }
    return _with_fingerprint({name: _take(sources[name], indices, every) for name, indices in chosen.items()})


def partition_indices(
    dataset: Dataset, *, n_train: int, n_val: int, n_test: int, seed: int = 42
) -> dict[str, NDArray[np.int64]]:
    """Which images `partition` takes: growing indices into the training split, and into the test split if there is one.

    Args:
        dataset: As for `partition`.
        n_train: Number of training images.
        n_val: Number of validation images.
        n_test: Number of test images.
        seed: Non-negative.

    Returns:
        Indices of `train`, `val` and `test`.

    Raises:
        ValueError: As `partition`.
    """
    for argument, value in (("n_train", n_train), ("n_val", n_val), ("n_test", n_test), ("seed", seed)):
        if value < 0:
            raise ValueError(f"{argument}={value} must not be negative")
    order, _ = _shuffled(dataset.train, seed, stream=0)
    if len(dataset.test):
        test_order, _ = _shuffled(dataset.test, seed, stream=1)
    else:
        order, test_order = order[: max(len(order) - n_test, 0)], order[::-1]
    if n_train + n_val > len(order) or n_test > len(test_order):
        raise ValueError(
            f"{_source(dataset.name).title} has {len(dataset.train)} training and {len(dataset.test)} test images: "
            f"n_train={n_train}, n_val={n_val} and n_test={n_test} are too many"
        )
    chosen = {"train": order[:n_train], "val": order[len(order) - n_val :], "test": test_order[:n_test]}
    return {name: np.sort(indices) for name, indices in chosen.items()}


def _shuffled(split: Split, seed: int, *, stream: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A split's indices in the random order of a seed, and the labels in that order."""
    keys = np.random.PCG64([seed, stream]).random_raw(len(split))
    order = np.argsort(keys, kind="stable")
    return order, split.labels.numpy()[order]


def _with_fingerprint(splits: Mapping[str, Split]) -> Subset:
    samples = {
        name: _split_rows(split.images.permute(0, 2, 3, 1).numpy(), split.labels.tolist())
        for name, split in splits.items()
    }
    return Subset(**splits, fingerprint=_fingerprint(samples))


def _take(split: Split, indices: NDArray[np.int64], classes: tuple[int, ...]) -> Split:
    """Those samples, their labels replaced by the label's position in `classes`."""
    chosen = torch.from_numpy(indices)
    new_label = torch.zeros(max(classes) + 1, dtype=torch.int64)
    new_label[list(classes)] = torch.arange(len(classes))
    return Split(split.images[chosen], new_label[split.labels[chosen]])


def to_float(images: Tensor, size: int | None = None, *, antialias: bool = True) -> Tensor:
    """Images as a network takes them.

    Args:
        images: uint8 [N, C, H, W].
        size: Height and width of the result; images of another size are resized bilinearly. None keeps the size.
        antialias: Whether shrinking averages over all the pixels that a new one covers, as torchvision's `Resize` and
            Pillow do; without, each new pixel is interpolated between its four nearest old ones.

    Returns:
        float32 [N, C, size, size] in [0, 1].

    Raises:
        TypeError: The images are not uint8.
        ValueError: They have not four axes.
    """
    if images.dtype != torch.uint8:
        raise TypeError(f"images must be uint8, not {images.dtype}: pass a split's images as they are")
    if images.ndim != 4:
        raise ValueError(f"images must be [N, C, H, W], not {list(images.shape)}: add the missing axes")
    scaled = images.to(torch.float32) / 255
    if size is None or scaled.shape[-2:] == (size, size):
        return scaled
    resized = functional.interpolate(
        scaled, size=(size, size), mode="bilinear", align_corners=False, antialias=antialias
    )
    return resized.clamp(0, 1)  # interpolation may round past either end
