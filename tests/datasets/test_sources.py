"""Each dataset is the published one, whatever the form and the order of its files, and no file can do harm."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import os
import pickle
import socket
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.datasets as published
from PIL import Image
from sklearn.datasets import load_digits

from hqnn import datasets, storage
from hqnn.datasets import DamagedDatasetError, MissingDatasetError, sources
from hqnn.errors import HqnnError
from tests.datasets.tiny import (
    ABOVE,
    CLASSES,
    MNIST,
    Files,
    Tiny,
    adopt,
    assert_same,
    files_in,
    idx_files,
    published_fingerprint,
    tarred,
    tiny,
    write,
    zipped,
)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_pixels_are_the_published_ones_in_canonical_order(name: str) -> None:
    """The other datasets' fingerprints are those of undecoded files, which `load` compares."""
    if not datasets.is_available(name):
        pytest.skip(f"{name} is not here")
    dataset, lines = datasets.load(name), []
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        images = part.images.permute(0, 2, 3, 1).contiguous().numpy()
        rows = [(split, int(label), image.tobytes()) for label, image in zip(part.labels, images, strict=True)]
        assert rows == sorted(rows)
        lines += rows
    assert published_fingerprint(lines) == sources.SOURCES[name].fingerprint


def test_the_fingerprints_are_the_documented_ones() -> None:
    page = (storage.DATA / "README.md").read_text(encoding="utf-8")
    assert all(source.fingerprint in page for source in sources.SOURCES.values())


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
    sums = [[name, hashlib.md5(content).hexdigest()] for name, content in batches.items()]
    monkeypatch.setattr(published.CIFAR10, "train_list", sums[1:6])
    monkeypatch.setattr(published.CIFAR10, "test_list", sums[6:])
    monkeypatch.setitem(published.CIFAR10.meta, "md5", sums[0][1])
    return {f"cifar-10-batches-py/{name}": content for name, content in batches.items()}


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize("form", ["sheets", "folder"])
def test_cifar_in_each_of_its_forms(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tiny(100, 100, 32, 32, 3)
    adopt(monkeypatch, "cifar10", data.lines())
    files = cifar_sheets(data) if form == "sheets" else cifar_batches(data, monkeypatch)
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


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize("form", ["batch", "array"])
def test_a_pickle_that_was_not_published_is_never_executed(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, bomb = tiny(100, 100, 32, 32, 3), Bomb(tmp_path / "executed")
    if form == "batch":
        files = cifar_batches(data, monkeypatch) | {"cifar-10-batches-py/test_batch": pickle.dumps(bomb)}
    else:
        file = io.BytesIO()
        np.savez(file, webp=np.array([bomb]), offsets=np.array([0]))
        files = {"cifar10.npz": file.getvalue()}
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "data", files)))
    with pytest.raises(DamagedDatasetError, match="is not the published CIFAR-10"):
        datasets.load("cifar10")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("form", ["tar", "zip", "folder", "unpacked archive"])
def test_medical_mnist_in_each_of_its_forms(
    form: str, pictures: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = {f"{ABOVE}/{name}": content for name, content in pictures.items()} | {f"{ABOVE}/app.py": b"print()"}
    files = {
        "tar": {"medical_mnist.tar.xz": tarred(pictures, ("resized/CXR/999999.jpeg", "000002.jpeg"))},
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


@pytest.mark.parametrize("form", ["medical_mnist.tar.xz", "medical_mnist.zip"])
def test_no_member_is_written_anywhere_or_decoded_before_it_is_verified(
    form: str, pictures: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an image was opened")

    monkeypatch.setattr(Image, "open", refuse)
    bad = pictures | {f"{'../' * 3}resized/CXR/000001.jpeg": b"", "/resized/CXR/000001.jpeg": b"", "../evil.txt": b""}
    content = tarred(bad) if form.endswith("xz") else zipped(bad)
    monkeypatch.setenv("HQNN_DATA", str(write(tmp_path / "a/b/c/data", {form: content})))
    with pytest.raises(DamagedDatasetError, match="14 images with fingerprint"):
        datasets.load("medical_mnist")
    assert files_in(tmp_path) == [f"a/b/c/data/{form}"]
    assert not Path("/resized").exists()


ZEROS = bytes(2**20)
PICTURE = "resized/Hand/000001.jpeg"


def zip_of_zeros(name: str, *, said: int | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of zeros, whose size it may understate."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, ZEROS)
    true = len(ZEROS).to_bytes(4, "little")
    return file.getvalue().replace(true, (said or len(ZEROS)).to_bytes(4, "little"))


def tar_of_holes() -> bytes:
    """A tar of one file that says it is 16 MiB of holes, which take no place in it."""
    header = bytearray(tarfile.TarInfo(PICTURE).tobuf(tarfile.GNU_FORMAT))
    header[156:157], header[483:495] = tarfile.GNUTYPE_SPARSE, b"%011o\0" % 2**24
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return lzma.compress(bytes(header) + bytes(1024), preset=0)


def npz_of_zeros() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, webp=np.frombuffer(ZEROS, np.uint8))
    return file.getvalue()


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize(
    ("name", "file", "content", "reason"),
    [
        ("mnist", "MNIST/raw/train-labels-idx1-ubyte.gz", gzip.compress(ZEROS), "more than 262,144 bytes"),
        ("cifar10", "cifar10.npz", npz_of_zeros(), "more than 262,144 bytes"),
        ("medical_mnist", "medical_mnist.zip", zip_of_zeros(PICTURE), "more than 262,144 bytes"),
        ("medical_mnist", "medical_mnist.zip", zip_of_zeros(PICTURE, said=9), "Bad CRC-32"),
        *(
            ("medical_mnist", "medical_mnist.zip", zip_of_zeros(PICTURE, said=9, method=method), "another way")
            for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        ),
        ("medical_mnist", "medical_mnist.tar.xz", tarred({PICTURE: ZEROS}), "more than 262,144 bytes"),
        ("medical_mnist", "medical_mnist.tar.xz", tarred({"other": ZEROS}), "more than 262,144 bytes"),
        ("medical_mnist", "medical_mnist.tar.xz", tar_of_holes(), "0 images"),
    ],
)
def test_what_unpacks_to_too_much_is_refused_before_it_takes_memory(
    name: str, file: str, content: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "data", {file: content})
    monkeypatch.setenv("HQNN_DATA", str(folder))
    monkeypatch.setattr(sources, "LIMIT", 2**18)
    datasets.is_available(name)  # whatever is imported on the way is imported now
    tracemalloc.start()
    with pytest.raises(DamagedDatasetError, match=reason):
        datasets.load(name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(ZEROS)


def test_published_files_are_not_in_the_cache(isolated: None) -> None:
    with pytest.raises(MissingDatasetError, match="published files of Medical MNIST are needed: set HQNN_DATA"):
        datasets.published_files("medical_mnist")


def test_digits_are_scikit_learns_and_need_neither_network_nor_cache(
    isolated: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    digits = datasets.load("digits")
    assert datasets.fetch("digits").is_file()
    assert not (tmp_path / "cache").exists()
    images = torch.cat([digits.train.images, digits.test.images]).double()
    labels = torch.cat([digits.train.labels, digits.test.labels])
    assert (int(images.min()), int(images.max())) == (0, 255)
    small = torch.nn.functional.interpolate(images, size=(8, 8), mode="bilinear", align_corners=False) / 255 * 16
    bunch = load_digits()
    nearest = torch.cdist(small.flatten(1), torch.from_numpy(bunch.images).flatten(1)).argmin(1)
    assert sorted(nearest.tolist()) == list(range(1_797))  # each once, so the splits are disjoint
    assert torch.equal(labels, torch.from_numpy(bunch.target)[nearest])
    counts = torch.stack([part.labels.bincount(minlength=10) for part in (digits.train, digits.test)]).double()
    assert torch.all((counts[1] / counts.sum(0) - 0.25).abs() < 0.01)


@pytest.mark.parametrize("function", [datasets.load, datasets.fetch, datasets.is_available])
def test_an_unknown_name(function: Callable[[str], object]) -> None:
    with pytest.raises(HqnnError, match="no dataset 'mnsit': did you mean mnist"):
        function("mnsit")
    with pytest.raises(HqnnError, match=r"no dataset '\.\./x': choose from mnist, fashion_mnist, cifar10"):
        function("../x")
