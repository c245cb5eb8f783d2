"""The toy's registry and records, for everything that runs or reads them."""

import shutil
from pathlib import Path

import pytest

from hqnn import runs
from tests.toy import register


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy's four records, made once in this process."""
    root = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        register(patch)
        assert runs.run("toy", root=root, progress=False) == runs.Summary(done=4, skipped=0)
    return root


@pytest.fixture
def root(stored: Path, tmp_path: Path) -> Path:
    """A copy of the toy's records to play with."""
    shutil.copytree(stored, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a model was trained")

    monkeypatch.setattr(runs, "execute", refuse)
