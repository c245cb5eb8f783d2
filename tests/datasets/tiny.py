"""Tiny datasets in the published formats, and what several tests of datasets ask for."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from hqnn.datasets import Dataset, sources
from hqnn.errors import HqnnError

Files = dict[str, bytes]
Lines = list[tuple[str, int, bytes]]
"""Split, label and bytes of each image."""

CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
ABOVE = "Medical-MNIST-Classification-master"
FIRST = "MNIST/raw/train-images-idx3-ubyte.gz"


def random_pixels(n: int, *shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def write(folder: Path, files: Files) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


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


MNIST = tiny(40, 12, 28, 28)


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def idx_files(data: Tiny, *, packed: bool = True) -> Files:
    files = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        for kind, array in (("images-idx3", data.images[split]), ("labels-idx1", data.labels[split])):
            name = f"MNIST/raw/{stem}-{kind}-ubyte"
            files[f"{name}.gz" if packed else name] = gzip.compress(idx(array), mtime=0) if packed else idx(array)
    return files


def medical_files() -> Files:
    files = {}
    for i, pixels in enumerate(random_pixels(12, 64, 64)):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG")
        files[f"resized/{CLASSES[i % 6]}/{i:06}.jpeg"] = file.getvalue()
    return files


def zipped(files: Files, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(files: Files, compression: Literal["gz", "xz"], *links: tuple[str, str]) -> bytes:
    """A tar of links, then of files, of which some may lie behind a link."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    content = file.getvalue()
    return lzma.compress(content, preset=0) if compression == "xz" else gzip.compress(content, 1)


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


@contextlib.contextmanager
def memory_limited_to(n_bytes: int) -> Iterator[None]:
    """What is allocated within must never be more at a time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < n_bytes
    finally:
        tracemalloc.stop()
