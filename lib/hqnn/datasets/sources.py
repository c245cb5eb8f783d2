"""What is published: where each dataset comes from, how its files are read, and how its samples are recognised."""

from __future__ import annotations

import difflib
import hashlib
import io
import itertools
import math
import pickle
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from hqnn.datasets.unverified import read_arrays, read_idx, read_members, require_at_most
from hqnn.errors import HqnnError

Samples = list[tuple[int, bytes]]
"""One split as published: the label and the bytes of each image."""


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


@dataclass(frozen=True, kw_only=True)
class Source:
    """All that is particular to one dataset.

    Args:
        title: The name to print.
        classes: The classes' names.
        n_images: Number of images of the whole dataset.
        shape: Height, width and channels of an image.
        fingerprint: SHA-256 of the samples, by the function of that name.
        origin: Where it comes from.
        download: Puts it into a folder in one of its forms, with a progress bar.
        forms: Files or folders it may lie in: glob patterns, the best first.
        read: From such a file or folder, and the number of bytes it may hold unpacked, to the splits' samples.
        decode: From a sample's bytes to those of its pixels.
    """

    title: str
    classes: tuple[str, ...]
    n_images: int
    shape: tuple[int, int, int]
    fingerprint: str
    origin: str
    download: Callable[[Path], None]
    forms: tuple[str, ...]
    read: Callable[[Path, int], dict[str, Samples]]
    decode: Callable[[bytes], bytes] = bytes

    @property
    def limit(self) -> int:
        """Bytes that are downloaded or unpacked at most: twice those of the pixels, which no form comes near."""
        return 2 * self.n_images * math.prod(self.shape)


# --- MNIST, FashionMNIST and CIFAR-10: torchvision's


def _torchvision(kind: str) -> Any:
    """One of torchvision's classes."""
    from torchvision import datasets  # slow to import, and not needed once a dataset is cached

    return getattr(datasets, kind)


def _read_mnist(place: Path, limit: int) -> dict[str, Samples]:
    """The four published files, packed or not."""
    splits = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        images = read_idx(place / "raw" / f"{stem}-images-idx3-ubyte", 3, limit)
        labels = read_idx(place / "raw" / f"{stem}-labels-idx1-ubyte", 1, limit)
        if images.shape != (len(labels), 28, 28):
            raise ValueError(f"{len(labels)} labels and images of the shape {images.shape}")
        splits[split] = pairs(labels, images)
    return splits


def _read_batches(place: Path, limit: int) -> dict[str, Samples]:
    """CIFAR-10's batches, in a folder or in their archive.

    They are pickles, which could execute anything. They are loaded all the same, because none is before its MD5 has
    been compared with the published one.
    """
    from torchvision.datasets.utils import check_integrity

    published = _torchvision("CIFAR10")
    if place.is_file() and not check_integrity(place, published.tgz_md5):
        raise ValueError("wrong checksum")
    batches = {"train": dict(published.train_list), "test": dict(published.test_list)}
    names = "|".join(name for sums in batches.values() for name in sums)
    wanted = re.compile(rf"(?:^|/){published.base_folder}/({names})$")
    contents = {match[1]: content for match, content in read_members(place, wanted, limit)}
    splits: dict[str, Samples] = {}
    for split, sums in batches.items():
        splits[split] = []
        for name, md5 in sums.items():
            if name not in contents:
                raise ValueError(f"{name} is missing")
            if hashlib.md5(contents[name], usedforsecurity=False).hexdigest() != md5:
                raise ValueError(f"{name} has a wrong checksum")
            batch = pickle.loads(contents[name], encoding="latin1")
            images = batch["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            splits[split] += pairs(batch["labels"], images)
    return splits


def pairs(labels: Any, images: Any) -> Samples:
    """Samples from labels [N] and images [N, ...], as arrays or the like."""
    return [
        (label, image.tobytes()) for label, image in zip(np.asarray(labels).tolist(), np.asarray(images), strict=True)
    ]


def _read_cifar(place: Path, limit: int) -> dict[str, Samples]:
    """CIFAR-10 from lossless WebP sheets of 10×10 images (npz), or as torchvision downloads it."""
    if place.suffix != ".npz":
        return _read_batches(place, limit)
    webp, offsets, *labels = read_arrays(place, ("webp", "offsets", "y_train", "y_test"), limit)
    if any(row.ndim != 1 or row.dtype.kind not in "iu" for row in (webp, offsets, *labels)):
        raise ValueError("arrays that are not rows of whole numbers")
    require_at_most(limit, len(offsets) * 320 * 320 * 3)  # that is what is decoded
    ends = offsets.tolist()
    if 100 * (len(ends) - 1) != sum(map(len, labels)) or ends != sorted({0, *ends, len(webp)}):
        raise ValueError("offsets that do not fit the sheets and the labels")
    contents = webp.tobytes()
    tiles = [_decode_sheet(contents[a:b]) for a, b in itertools.pairwise(ends)]
    samples = pairs(np.concatenate(labels), np.concatenate(tiles))
    return {"train": samples[: len(labels[0])], "test": samples[len(labels[0]) :]}


def _decode_sheet(webp: bytes) -> NDArray[np.uint8]:
    """The images [100, 32, 32, 3] of a sheet, which is not verified yet: no other format, no other size is decoded."""
    image = WebPImageFile(io.BytesIO(webp))
    if (image.size, image.mode) != ((320, 320), "RGB"):
        raise ValueError(f"a sheet of {image.width}×{image.height} {image.mode} pixels")
    return np.asarray(image).reshape(10, 32, 10, 32, 3).swapaxes(1, 2).reshape(-1, 32, 32, 3)


# --- Medical MNIST: a repository's archive

_MEDICAL_CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
_MEDICAL_ARCHIVE = "https://github.com/apolanco3225/Medical-MNIST-Classification/archive/HEAD.zip"


def _download_medical(folder: Path) -> None:
    """Without a checksum, because the archive is made on demand; the fingerprint tells whether it is the right one."""
    from torchvision.datasets.utils import download_url

    download_url(_MEDICAL_ARCHIVE, folder, "medical_mnist.zip")


def _read_medical(place: Path, limit: int) -> dict[str, Samples]:
    """JPEG files in one folder per class; a sample's bytes are the file's."""
    wanted = re.compile(rf"(?:^|/)resized/({'|'.join(_MEDICAL_CLASSES)})/\d+\.jpeg$")
    found = read_members(place, wanted, limit)
    return {"all": [(_MEDICAL_CLASSES.index(match[1]), content) for match, content in found]}


def _decode_jpeg(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).tobytes()


# --- digits: scikit-learn's


def _read_digits(_place: Path, _limit: int) -> dict[str, Samples]:
    """8×8 images as bytes; every fourth in canonical order is a test image."""
    from sklearn.datasets import load_digits  # slow to import, and only the stand-in needs it

    bunch = load_digits()
    pixels = (bunch.images.astype(np.uint16) * 255 + 8) // 16  # from 0..16 to 0..255
    samples = sorted(pairs(bunch.target, pixels.astype(np.uint8)))
    return {
        "train": [sample for i, sample in enumerate(samples) if i % 4 != 3],
        "test": [sample for i, sample in enumerate(samples) if i % 4 == 3],
    }


def _enlarge(content: bytes) -> bytes:
    """From 8×8 to 28×28; in float64, so that rounding does not depend on the processor."""
    small = torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(1, 1, 8, 8).to(torch.float64)
    large = functional.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
    return large.round().to(torch.uint8).numpy().tobytes()


# --- the table


def _mnist(kind: str, classes: str, fingerprint: str) -> Source:
    """MNIST and FashionMNIST differ in nothing else."""
    return Source(
        title=kind,
        classes=tuple(classes.split(",")),
        n_images=70_000,
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
        n_images=60_000,
        shape=(32, 32, 3),
        fingerprint="cbcd3f70e50fc690fd2e715daba5c7439472ae73538ea8812de2a504c18e01b5",
        origin="torchvision.datasets.CIFAR10",
        download=lambda folder: _torchvision("CIFAR10")(folder, download=True),
        forms=("cifar10.npz", "cifar-10-batches-py", "cifar-10-python.tar.gz"),
        read=_read_cifar,
    ),
    "medical_mnist": Source(
        title="Medical MNIST",
        classes=_MEDICAL_CLASSES,
        n_images=58_954,
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
        n_images=1_797,
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
    """The source of a dataset.

    Raises:
        HqnnError: Unknown name.
    """
    if name not in SOURCES:
        close = difflib.get_close_matches(name, NAMES, n=1)
        hint = f"did you mean {close[0]!r}" if close else "the known ones are " + ", ".join(NAMES)
        raise HqnnError(f"there is no dataset {name!r}: {hint}")
    return SOURCES[name]


# --- identity and order


def fingerprint(splits: Mapping[str, Samples]) -> str:
    """SHA-256 over the sorted lines ``split,label,sha256 of the image's bytes``."""
    lines = [
        f"{split},{label},{hashlib.sha256(content).hexdigest()}\n"
        for split, samples in splits.items()
        for label, content in samples
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def decode(name: str, splits: Mapping[str, Samples], *, progress: bool = False) -> Dataset:
    """Sort verified samples and decode their images."""
    source = SOURCES[name]

    def split(samples: Samples) -> Split:
        labels = torch.tensor([label for label, _ in sorted(samples)], dtype=torch.int64)
        contents = tqdm(sorted(samples), desc=source.title, unit=" images", disable=not progress)
        pixels = np.frombuffer(bytearray().join(source.decode(content) for _, content in contents), np.uint8)
        return Split(torch.from_numpy(pixels.reshape(-1, *source.shape)).permute(0, 3, 1, 2).contiguous(), labels)

    train, test = (splits["all"], []) if "all" in splits else (splits["train"], splits["test"])
    return Dataset(name, source.classes, split(train), split(test), source.fingerprint)
