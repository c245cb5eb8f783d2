"""Each dataset is the published one, whatever the form and the order of its files."""

from __future__ import annotations

import io
import os
import pickle
import socket
import tempfile
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
    md5,
    published_fingerprint,
    tarred,
    tiny,
    write,
    zipped,
)

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


@pytest.mark.parametrize("name", [REAL[name] for name in ("mnist", "fashion_mnist", "cifar10")])
def test_pixels_are_the_published_ones_in_canonical_order(name: str) -> None:
    """The other datasets' fingerprints are those of undecoded files, which `load` compares."""
    dataset, lines = datasets.load(name), []
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


@pytest.mark.parametrize("name", [REAL[name] for name in SUBSETS])
def test_the_first_papers_subset_never_changes(name: str) -> None:
    n_train, n_val, n_test = (192, 64, 64) if name == "digits" else (2048, 512, 1024)
    classes = (1, 6) if name == "fashion_mnist" else (0, 1)
    subset = datasets.subset(datasets.load(name), classes=classes, n_train=n_train, n_val=n_val, n_test=n_test)
    assert subset.fingerprint == SUBSETS[name]


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


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize("form", ["sheets", "folder", "archive"])
def test_cifar_in_each_of_its_forms(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tiny(100, 100, 32, 32, 3)
    adopt(monkeypatch, "cifar10", data.lines())
    files = cifar_sheets(data) if form == "sheets" else cifar_batches(data, monkeypatch)
    if form == "archive":
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        evil = {"../evil.txt": b"", "../../evil.txt": b"", f"{tmp_path}/evil.txt": b"", "link/evil.txt": b""}
        files = {"cifar-10-python.tar.gz": tarred(files | evil, "gz", ("link", str(tmp_path)))}
        monkeypatch.setattr(published.CIFAR10, "tgz_md5", md5(files["cifar-10-python.tar.gz"]))
    folder = write(tmp_path / "data", files)
    monkeypatch.setenv("HQNN_DATA", str(folder))
    dataset = datasets.load("cifar10")
    assert files_in(folder) == sorted(files)
    assert not [name for name in files_in(tmp_path) if name.endswith("evil.txt")]  # nothing is unpacked
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
    with pytest.raises(HqnnError, match="no dataset 'mnsit': did you mean 'mnist'"):
        function("mnsit")
    with pytest.raises(HqnnError, match=r"no dataset '\.\./x': the known ones are mnist, fashion_mnist, cifar10"):
        function("../x")
