"""What is published: where each dataset comes from, how its files are read, and how its samples are recognised."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import lzma
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from hqnn.errors import unknown

Published = dict[str, list[tuple[int, bytes]]]
"""Split -> label and bytes of each of its images."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images, uint8 [N, C, H, W], and their labels, int64 [N]."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A verified dataset in canonical order: by label, then by the image's bytes."""

    name: str
    classes: tuple[str, ...]
    """Label i means `classes[i]`."""
    train: Split
    """Of Medical MNIST, which has no split, all of it."""
    test: Split
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """All that is particular to one dataset."""

    title: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    """Height, width and channels of an image."""
    fingerprint: str
    origin: str
    """What to print for where it comes from."""
    download: Callable[[Path], object]
    """Puts it into a folder in one of its forms."""
    forms: tuple[str, ...]
    """The files or folders it may lie in, as glob patterns, the best first."""
    read: Callable[[Path], Published]
    """Reads such a file or folder."""
    decode: Callable[[bytes], bytes] = bytes
    """A sample's bytes -> those of its pixels."""


LIMIT = 2**29
"""Bytes that are downloaded, unpacked or read of one dataset at most: more than twice what any of them holds."""


class Limited:
    """A stream that ends in an error after `LIMIT` bytes: a small file may unpack to anything."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read, self._left = read, LIMIT

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all there are."""
        content = self._read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"more than {LIMIT:,} bytes")
        return content


def labelled(labels: Any, images: Any) -> list[tuple[int, bytes]]:
    """Samples from labels [N] and images [N, ...]."""
    numbers = np.asarray(labels).tolist()
    return [(label, image.tobytes()) for label, image in zip(numbers, np.asarray(images), strict=True)]


def _torchvision(kind: str) -> Any:
    from torchvision import datasets  # slow to import, and not needed once a dataset is cached

    return getattr(datasets, kind)


def _read_mnist(place: Path) -> Published:
    """The four published files, packed or not."""

    def array(stem: str, header: int) -> NDArray[np.uint8]:
        path = place / "raw" / f"{stem}-ubyte"
        packed = path.with_name(f"{path.name}.gz")
        with gzip.open(packed) if packed.is_file() else path.open("rb") as file:
            return np.frombuffer(Limited(file.read).read(), np.uint8, offset=header)

    return {
        split: labelled(array(f"{stem}-labels-idx1", 8), array(f"{stem}-images-idx3", 16).reshape(-1, 28, 28))
        for split, stem in (("train", "train"), ("test", "t10k"))
    }


def _read_cifar(place: Path) -> Published:
    """As torchvision downloads it, or from lossless WebP sheets of 10×10 images (npz)."""
    if place.is_dir():  # pickles, which torchvision loads only if their checksums are the published ones
        halves = {split: _torchvision("CIFAR10")(place.parent, train=split == "train") for split in ("train", "test")}
        return {split: labelled(half.targets, half.data) for split, half in halves.items()}
    with np.load(place, allow_pickle=False) as file:
        _members(file.zip)
        content, ends = file["webp"].tobytes(), file["offsets"].tolist()
        labels = {split: file[f"y_{split}"] for split in ("train", "test")}
    tiles = np.concatenate([_decode_sheet(content[a:b]) for a, b in itertools.pairwise(ends)])
    train, test = np.split(tiles, [len(labels["train"])])
    return {"train": labelled(labels["train"], train), "test": labelled(labels["test"], test)}


def _decode_sheet(webp: bytes) -> NDArray[np.uint8]:
    sheet = np.asarray(Image.open(io.BytesIO(webp), formats=["WEBP"]))
    return sheet.reshape(10, 32, 10, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)


_MEDICAL_CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
_MEDICAL_ARCHIVE = "https://github.com/apolanco3225/Medical-MNIST-Classification/archive/HEAD.zip"


def _download_medical(folder: Path) -> None:
    """Without a checksum, because the archive is made on demand; the fingerprint tells whether it is the right one."""
    from torchvision.datasets.utils import download_url

    download_url(_MEDICAL_ARCHIVE, folder, "medical_mnist.zip")


def _read_medical(place: Path) -> Published:
    """JPEG files in one folder per class; a sample's bytes are the file's."""
    wanted = re.compile(rf"(?:^|/)resized/({'|'.join(_MEDICAL_CLASSES)})/\d+\.jpeg$")
    found = ((wanted.search(name), read) for name, read in _files(place))
    return {"all": [(_MEDICAL_CLASSES.index(match[1]), read()) for match, read in found if match]}


def _files(place: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Path and reader of each file in a folder or archive. Into memory: no member's name can reach anywhere."""
    if place.is_dir():
        yield from ((path.as_posix(), path.read_bytes) for path in place.rglob("*") if path.is_file())
    elif place.suffix == ".zip":
        with zipfile.ZipFile(place) as archive:
            yield from ((member.filename, partial(_unzipped, archive, member)) for member in _members(archive))
    else:
        with lzma.open(place) as unpacked, tarfile.open(fileobj=Limited(unpacked.read), mode="r|") as tar:  # type: ignore[call-overload]
            for member in tar:
                real = member.isfile() and not member.issparse()  # holes cost nothing in the archive
                if (content := tar.extractfile(member) if real else None) is not None:
                    yield member.name, content.read


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """What is in a zip, if it is not too much. What deflate did not pack is unpacked whole, whatever size it says."""
    members = archive.infolist()
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise ValueError("packed in another way than by deflate")
    if sum(member.file_size for member in members) > LIMIT:
        raise ValueError(f"more than {LIMIT:,} bytes")
    return members


def _unzipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """As far as the size it says: `ZipFile.read` would unpack all there is before it looks."""
    with archive.open(member) as file:
        return file.read(member.file_size)


def _decode_jpeg(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).tobytes()


def _read_digits(_place: Path) -> Published:
    """Scikit-learn's 8×8 images as bytes; every fourth in canonical order is a test image."""
    from sklearn.datasets import load_digits  # slow to import, and only the stand-in needs it

    bunch = load_digits()
    pixels = (bunch.images.astype(np.uint16) * 255 + 8) // 16  # from 0..16 to 0..255
    samples = sorted(labelled(bunch.target, pixels.astype(np.uint8)))
    return {"train": [one for i, one in enumerate(samples) if i % 4 != 3], "test": samples[3::4]}


def _enlarge(content: bytes) -> bytes:
    """From 8×8 to 28×28; in float64, so that rounding does not depend on the processor."""
    small = torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(1, 1, 8, 8).to(torch.float64)
    large = functional.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
    return large.round().to(torch.uint8).numpy().tobytes()


def _mnist(kind: str, classes: str, fingerprint: str) -> Source:
    """MNIST and FashionMNIST differ in nothing else."""
    return Source(
        title=kind,
        classes=tuple(classes.split(",")),
        shape=(28, 28, 1),
        fingerprint=fingerprint,
        origin=f"torchvision.datasets.{kind}",
        download=lambda folder: _torchvision(kind)(folder, download=True),
        forms=(kind,),
        read=_read_mnist,
    )


SOURCES = {
    "mnist": _mnist("MNIST", "0,1,2,3,4,5,6,7,8,9", "0f2c41dd0d740bd62fde730a8fbde4fbdcf1516248faac33f85fef53536eb84e"),
    "fashion_mnist": _mnist(
        "FashionMNIST",
        "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot",
        "c483348c7f5cfb34a9dd03dbd9df0daa32d3bfb1b41c3421ac4145b1a060bbef",
    ),
    "cifar10": Source(
        title="CIFAR-10",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        shape=(32, 32, 3),
        fingerprint="cbcd3f70e50fc690fd2e715daba5c7439472ae73538ea8812de2a504c18e01b5",
        origin="torchvision.datasets.CIFAR10",
        download=lambda folder: _torchvision("CIFAR10")(folder, download=True),
        forms=("cifar10.npz", "cifar-10-batches-py"),
        read=_read_cifar,
    ),
    "medical_mnist": Source(
        title="Medical MNIST",
        classes=_MEDICAL_CLASSES,
        shape=(64, 64, 1),
        fingerprint="bfb2b0571718a4262af8b36956e4bbf713df4d359a1a14f836a2be23b6e20728",
        origin=_MEDICAL_ARCHIVE,
        download=_download_medical,
        forms=("medical_mnist.tar.xz", "medical_mnist.zip", "Medical-MNIST-*.zip", "resized", "*/resized"),
        read=_read_medical,
        decode=_decode_jpeg,
    ),
    "digits": Source(
        title="digits",
        classes=tuple("0123456789"),
        shape=(28, 28, 1),
        fingerprint="d07cea3c3d06c417018dbd82c50f1cc089a7c4ebe0915ee36a81353d5e128f24",
        origin="sklearn.datasets.load_digits",
        download=lambda _: None,
        forms=(),
        read=_read_digits,
        decode=_enlarge,
    ),
}

NAMES = tuple(SOURCES)
"""Every dataset; `digits` is scikit-learn's bundled stand-in and always present."""


def get(name: str) -> Source:
    """The source of a dataset; an HqnnError names the known ones."""
    if name not in SOURCES:
        raise unknown("There is no dataset", name, NAMES)
    return SOURCES[name]


def fingerprint(splits: Mapping[str, list[tuple[int, bytes]]]) -> str:
    """SHA-256 over the sorted lines ``split,label,sha256 of the image's bytes``."""
    lines = [
        f"{split},{label},{hashlib.sha256(content).hexdigest()}\n"
        for split, samples in splits.items()
        for label, content in samples
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def decode(name: str, published: Published, *, progress: bool = False) -> Dataset:
    """Sort verified samples and decode their images."""
    source = SOURCES[name]

    def split(samples: list[tuple[int, bytes]]) -> Split:
        labels = torch.tensor([label for label, _ in sorted(samples)], dtype=torch.int64)
        contents = tqdm(sorted(samples), desc=source.title, unit=" images", disable=not progress)
        pixels = np.frombuffer(bytearray().join(source.decode(content) for _, content in contents), np.uint8)
        return Split(torch.from_numpy(pixels.reshape(-1, *source.shape)).permute(0, 3, 1, 2).contiguous(), labels)

    train = published["all"] if "all" in published else published["train"]
    return Dataset(name, source.classes, split(train), split(published.get("test", [])), source.fingerprint)
