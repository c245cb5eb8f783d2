"""Files that mean harm: they are refused before they take memory, are executed, or write anything anywhere."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hqnn import datasets
from hqnn.datasets import DamagedDatasetError, MissingDatasetError, sources
from tests.datasets.tiny import (
    FIRST,
    Files,
    files_in,
    idx,
    memory_limited_to,
    one_sentence,
    tarred,
    write,
    zipped,
)

pytestmark = pytest.mark.usefixtures("isolated")


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


def test_an_unexpected_archive_is_not_even_opened(
    provided: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    evil = tarred({f"{tmp_path}/evil.txt": b"", "link/evil.txt": b""}, "gz", ("link", str(tmp_path)))
    (provided / "MNIST" / "raw" / "train-images-idx3-ubyte.tar.gz").write_bytes(evil)
    assert len(datasets.load("mnist").train) == 40
    assert not (tmp_path / "evil.txt").exists()


ZEROS = bytes(2**23)
PICTURE = "resized/CXR/1.jpeg"
ZEROS_28 = np.zeros((5, 28, 28), np.uint8)


def images_and_labels(images: NDArray[np.uint8], n_labels: int) -> Files:
    """MNIST's files for training, as far as they go."""
    labels = np.zeros(n_labels, np.uint8)
    return {FIRST: gzip.compress(idx(images)), FIRST.replace("images-idx3", "labels-idx1"): gzip.compress(idx(labels))}


def zip_that_lies(method: int) -> bytes:
    """A zip that says that its file is of another size."""
    return zipped({PICTURE: ZEROS}, method).replace(struct.pack("<I", len(ZEROS)), struct.pack("<I", 1000))


def sparse_tar() -> bytes:
    """A tar of one file that says it is 2 GiB of holes."""
    header = bytearray(tarfile.TarInfo(PICTURE).tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"%011o\0" % 2**31
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return lzma.compress(bytes(header) + bytes(1024), preset=0)


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
    return {"cifar10.npz": zipped({f"{name}.npy": content for name, content in arrays.items()}, zipfile.ZIP_DEFLATED)}


TOO_LARGE = r"more than [\d,]+ bytes"
WRONG_IDX = "train-images-idx3-ubyte is not in the idx format, or not of the length it says"
ODD_ROWS = "arrays that are not rows of whole numbers"
MISFIT = "offsets that do not fit the sheets and the labels"
NO_AXIS = npy(np.zeros(0, np.uint8), (10**7, 0))
"""Ten million rows of nothing."""
MANY = dict.fromkeys(map(str, range(150)), b"")
HARM: dict[str, dict[str, tuple[Callable[[], Files], str]]] = {
    "mnist": {
        "gzip of zeros": (lambda: {FIRST: gzip.compress(ZEROS, 1)}, TOO_LARGE),
        "file of zeros": (lambda: {FIRST.removesuffix(".gz"): ZEROS}, TOO_LARGE),
        "idx of more than it says": (lambda: {FIRST: gzip.compress(idx(ZEROS_28) + b"\0")}, WRONG_IDX),
        "idx of less than it says": (lambda: {FIRST: gzip.compress(idx(ZEROS_28)[:-1])}, WRONG_IDX),
        "idx of nothing": (lambda: {FIRST: gzip.compress(b"")}, WRONG_IDX),
        "idx of another kind": (lambda: {FIRST: gzip.compress(b"\1" + idx(ZEROS_28)[1:])}, WRONG_IDX),
        "images of nothing": (
            lambda: images_and_labels(np.zeros((10**5, 0, 0), np.uint8), 10**5),
            r"100000 labels and images of the shape \(100000, 0, 0\)",
        ),
        "too many labels": (
            lambda: images_and_labels(ZEROS_28, 10**5),
            r"100000 labels and images of the shape \(5, 28, 28\)",
        ),
    },
    "medical_mnist": {
        "tar.xz of zeros": (lambda: {"medical_mnist.tar.xz": tarred({PICTURE: ZEROS}, "xz")}, TOO_LARGE),
        "tar.xz with zeros": (lambda: {"medical_mnist.tar.xz": tarred({"x": ZEROS}, "xz")}, TOO_LARGE),
        "tar.xz of holes": (lambda: {"medical_mnist.tar.xz": sparse_tar()}, TOO_LARGE),
        "tar.xz of many": (lambda: {"medical_mnist.tar.xz": tarred(MANY, "xz")}, "more than 100 members"),
        "zip of zeros": (
            lambda: {"medical_mnist.zip": zipped({PICTURE: ZEROS}, zipfile.ZIP_DEFLATED)},
            TOO_LARGE,
        ),
        "zip that lies": (
            lambda: {"medical_mnist.zip": zip_that_lies(zipfile.ZIP_DEFLATED)},
            "Bad CRC-32 for file '.*'",
        ),
        "zip by bzip2": (
            lambda: {"medical_mnist.zip": zip_that_lies(zipfile.ZIP_BZIP2)},
            "a zip compressed in another way than by deflate",
        ),
        "zip of many": (lambda: {"medical_mnist.zip": zipped(MANY)}, "more than 100 members"),
        "large picture": (lambda: {PICTURE: ZEROS}, TOO_LARGE),
        "large pictures": (lambda: {f"resized/Hand/{i}.jpeg": ZEROS[: 2**19] for i in range(8)}, TOO_LARGE),
    },
    "cifar10": {
        "npz of zeros": (lambda: sheets(webp(), webp=npy(np.frombuffer(ZEROS, np.uint8))), TOO_LARGE),
        "sheets without end": (lambda: sheets(*[webp()] * 20), TOO_LARGE),
        "a vast sheet": (lambda: sheets(webp(11_000, 11_000)), "a sheet of 11000×11000 RGB pixels"),
        "a sheet of another format": (lambda: sheets(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "not a WEBP file"),
        "ends beyond": (lambda: sheets(webp(), ends=[0, 10**9]), MISFIT),
        "ends in disorder": (lambda: sheets(webp(), webp(), ends=[0, len(webp()) * 2, len(webp()) * 2]), MISFIT),
        "ends from the end": (lambda: sheets(webp(), ends=[-len(webp()), len(webp())]), MISFIT),
        "ends without labels": (lambda: sheets(webp(), y_train=npy(np.zeros(99, np.uint8))), MISFIT),
        "ends of nothing": (lambda: sheets(webp(), offsets=NO_AXIS), ODD_ROWS),
        "labels of nothing": (lambda: sheets(webp(), y_train=NO_AXIS, y_test=NO_AXIS), ODD_ROWS),
        "labels of fractions": (lambda: sheets(webp(), y_train=npy(np.zeros(100))), ODD_ROWS),
        "labels of pickles": (
            lambda: sheets(webp(), y_train=npy(np.array([Path()] * 100, object))),
            "Object arrays cannot be loaded when allow_pickle=False",
        ),
    },
}
"""Of each dataset: its files, and the reason why they are refused."""


@pytest.mark.usefixtures("small")
@pytest.mark.filterwarnings("default")  # a user sees warnings, and this must be one sentence
@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in HARM.items() for kind in kinds])
def test_what_is_too_large_or_no_array_is_refused_before_it_takes_memory(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, reason = HARM[name][kind]
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
    arrays["fingerprint"] = npy(np.array(sources.SOURCES["mnist"].fingerprint))
    files = {f"{name}.npy": content for name, content in arrays.items()}
    write(tmp_path / "cache", {"mnist.npz": zipped(files, zipfile.ZIP_DEFLATED)})
    del arrays, files
    with (
        memory_limited_to(len(ZEROS) // 2),
        pytest.raises(MissingDatasetError, match=r"mnist\.npz is damaged: .*`python -m hqnn data mnist`"),
    ):
        datasets.load("mnist")
