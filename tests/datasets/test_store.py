"""Where datasets are looked for, what is said when they are damaged or absent, and the cache."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hqnn import datasets
from hqnn.__main__ import main
from hqnn.datasets import DamagedDatasetError, MissingDatasetError
from tests.datasets.tiny import Files, assert_same, files_in, write

pytestmark = pytest.mark.usefixtures("isolated")
FIRST = "MNIST/raw/train-images-idx3-ubyte.gz"
SPOILERS: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda content: content[:-20] + bytes([content[-20] ^ 255]) + content[-19:],
    "truncated": lambda content: content[: len(content) // 2],
    "a web page": lambda content: b"<html>no such page</html>",
    "another image": lambda content: gzip.compress(gzip.decompress(content)[:-1] + b"\0"),
}


@pytest.mark.parametrize("how", [*SPOILERS, "absent"])
def test_damaged_files_in_hqnn_data(how: str, provided: Path, tmp_path: Path) -> None:
    if how == "absent":
        (provided / FIRST).unlink()
    else:
        (provided / FIRST).write_bytes(SPOILERS[how]((provided / FIRST).read_bytes()))
    with pytest.raises(DamagedDatasetError, match=r"MNIST is not the published MNIST .*`python -m hqnn data mnist`"):
        datasets.load("mnist")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("kind", ["unset", "empty", "absent", "file", "nobody's"])
def test_absent_everywhere(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path("~no-such-user/data") if kind == "nobody's" else tmp_path / "data"
    if kind == "file":
        folder.write_text("")
    elif kind == "empty":
        folder.mkdir()
    if kind != "unset":
        monkeypatch.setenv("HQNN_DATA", str(folder))
    assert not datasets.is_available("mnist")
    place = "on this machine" if kind == "unset" else f"in HQNN_DATA={folder}"
    with pytest.raises(MissingDatasetError, match=f"MNIST is not {place}: .*`python -m hqnn data mnist`.* HQNN_DATA"):
        datasets.load("mnist")


def test_folders_that_cannot_be_read_or_written(
    provided: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that no file can have stands for all that the system refuses, which it refuses nobody who may do all."""
    unreadable = "/" + "x" * 300
    monkeypatch.setenv("HQNN_CACHE", unreadable)
    assert datasets.is_available("mnist")
    assert len(datasets.load("mnist").train) == 40
    assert main(["data", "mnist", "--quiet"]) == 2
    assert "File name too long; put that right" in capsys.readouterr().err
    monkeypatch.setenv("HQNN_DATA", unreadable)
    with pytest.raises(MissingDatasetError, match=f"MNIST is not in HQNN_DATA={unreadable}"):
        datasets.load("mnist")


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


def test_status(provided: Path, pictures: Files, tmp_path: Path) -> None:
    write(provided, pictures)
    datasets.load("mnist")
    rows = {name: datasets.status(name) for name in datasets.NAMES}
    assert [row.state for row in rows.values()] == ["cached", "absent", "absent", "HQNN_DATA", "bundled"]
    assert rows["mnist"].place == str(tmp_path / "cache" / "mnist.npz")
    assert rows["cifar10"].place == "torchvision.datasets.CIFAR10"
    assert all(datasets.is_available(name) == (row.state != "absent") for name, row in rows.items())
