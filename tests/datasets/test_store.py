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
from hqnn.errors import HqnnError
from tests.datasets.tiny import FIRST, Files, assert_same, files_in, one_sentence, write

pytestmark = pytest.mark.usefixtures("isolated")


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
