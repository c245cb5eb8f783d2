"""Tiny datasets in the published formats."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import lzma
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from hqnn.datasets import Dataset, sources

Files = dict[str, bytes]
Lines = list[tuple[str, int, bytes]]
"""Split, label and bytes of each image."""

CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
ABOVE = "Medical-MNIST-Classification-master"


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
    rng = np.random.default_rng(0)
    images = {s: rng.integers(0, 256, (n, *shape), np.uint8) for s, n in (("train", n_train), ("test", n_test))}
    images["train"][7] = images["train"][3]  # published sets have twins, too
    return Tiny(images, {s: (np.arange(len(x)) * 7 % 4).astype(np.uint8) for s, x in images.items()})


MNIST = tiny(40, 12, 28, 28)


def idx_files(data: Tiny, *, packed: bool = True) -> Files:
    files = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        for kind, array in (("images-idx3", data.images[split]), ("labels-idx1", data.labels[split])):
            content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
            name = f"MNIST/raw/{stem}-{kind}-ubyte"
            files[f"{name}.gz" if packed else name] = gzip.compress(content, mtime=0) if packed else content
    return files


def medical_files() -> Files:
    files = {}
    for i, pixels in enumerate(tiny(12, 0, 64, 64).images["train"]):
        file = io.BytesIO()
        Image.fromarray(pixels + np.uint8(i)).save(file, "JPEG")  # no twins, which would have one name here
        files[f"resized/{CLASSES[i % 6]}/{i:06}.jpeg"] = file.getvalue()
    return files


def zipped(files: Files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(files: Files, *links: tuple[str, str]) -> bytes:
    """A tar.xz of links, then of files."""
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
    return lzma.compress(file.getvalue(), preset=0)


def assert_same(a: Dataset, b: Dataset) -> None:
    for x, y in ((a.train, b.train), (a.test, b.test)):
        assert torch.equal(x.images, y.images)
        assert torch.equal(x.labels, y.labels)
    assert (a.name, a.classes, a.fingerprint) == (b.name, b.classes, b.fingerprint)
