"""Tiny datasets in place of the published ones, on a machine that has none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torchvision.datasets as published

from tests.datasets.tiny import CLASSES, MNIST, Files, adopt, idx_files, medical_files, write


@pytest.fixture
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, no HQNN_DATA, no proxy."""
    monkeypatch.setenv("HQNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HQNN_DATA", "")
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def mnist(isolated: None, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The files of a tiny MNIST, which is now the published one."""
    adopt(monkeypatch, "mnist", MNIST.lines())
    files = idx_files(MNIST)
    sums = [(name[10:], hashlib.md5(content).hexdigest()) for name, content in files.items()]
    monkeypatch.setattr(published.MNIST, "resources", sums)
    return files


@pytest.fixture
def provided(mnist: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `HQNN_DATA` with the tiny MNIST."""
    folder = write(tmp_path / "data", mnist)
    monkeypatch.setenv("HQNN_DATA", str(folder))
    return folder


@pytest.fixture
def pictures(isolated: None, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The files of a tiny Medical MNIST, which is now the published one."""
    files = medical_files()
    lines = [("all", CLASSES.index(name.split("/")[1]), content) for name, content in files.items()]
    adopt(monkeypatch, "medical_mnist", lines)
    return files
