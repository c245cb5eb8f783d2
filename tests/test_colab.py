"""The notebooks' first cell, and the versions that Google Colab has."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tools import colab
from tools.notebooks import bootstrap, notebooks
from tools.repository import ROOT, address

CELL = compile(bootstrap(address()), "first cell", "exec")
LISTED = b"numpy==2.1.0\ntorch==2.11.0+cu128\n"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the cell runs, carried out by nobody; after the installation one package more is listed."""
    ran: list[list[str]] = []

    def run(command: list[Any], **_options: Any) -> Any:
        ran.append([str(word) for word in command])
        installed = any("install" in one for one in ran)
        return types.SimpleNamespace(stdout=LISTED + b"qiskit==2.4.0\n" * installed)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(Path, "write_bytes", lambda path, text: ran.append(["write", str(path), text.decode()]))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return ran


@pytest.mark.parametrize(("where", "folder"), [("colab", "/content"), ("kaggle", "/kaggle/working")])
def test_the_first_cell_keeps_all_that_is_there_and_says_what_it_added(
    where: str, folder: str, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    if where == "kaggle":  # whose image has Colab's module, too
        monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    exec(CELL, {})
    clone, listing, written, install, again = commands
    assert clone == ["git", "clone", "--quiet", "--depth=1", address().url, f"{folder}/book"]
    assert listing == again == [sys.executable, "-m", "pip", "list", "--format=freeze"]
    assert written == ["write", f"{folder}/keep.txt", LISTED.decode()]
    assert install[3:] == [
        *("install", "--quiet", "--constraint", f"{folder}/keep.txt"),
        *("--editable", f"{folder}/book[book]"),
    ]
    assert sys.path[0] == f"{folder}/book/lib"
    printed = capsys.readouterr().out
    assert printed == f"The book is in {folder}/book; installed: qiskit==2.4.0; all else is as it was.\n"


def test_elsewhere_the_first_cell_does_nothing(commands: list[list[str]], capsys: pytest.CaptureFixture) -> None:
    exec(CELL, {})
    assert not commands
    assert not capsys.readouterr().out


@pytest.mark.parametrize("path", colab.FREEZES, ids=lambda path: path.stem)
def test_a_freeze_pins_what_the_book_needs(path: Path) -> None:
    freeze = colab.read(path)
    pins = {Requirement(line).name.lower(): Requirement(line) for line in freeze.requirements}
    assert {"ipython", "numpy", "torch"} <= pins.keys()
    assert all(str(pin.specifier).startswith("==") for pin in pins.values())
    assert path.stem == f"colab-{freeze.date[:7]}"


@pytest.mark.parametrize("line", ["# date: 2026-08", "# python: 3.13"])
def test_a_freeze_says_which_python_and_when(tmp_path: Path, line: str) -> None:
    file = tmp_path / "colab-2026-08.txt"
    file.write_text(f"{line}\nnumpy==2.1.0\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no line"):
        colab.read(file)


def test_a_stand_in_that_leads_to_no_python_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, status in (("python3.98", 127), ("python3.99", 0)):
        stand_in = tmp_path / name
        stand_in.write_text(f"#!/bin/sh\nexit {status}\n", encoding="utf-8")
        stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert colab.Freeze("3.98", "2026-08", ()).interpreter is None
    if os.name == "posix":
        assert colab.Freeze("3.99", "2026-08", ()).interpreter == str(tmp_path / "python3.99")


def test_a_notebook_that_fails_is_told_from_one_that_runs(tmp_path: Path) -> None:
    cells = '[{"cell_type": "code", "source": "SOURCE", "metadata": {}, "outputs": [], "execution_count": null}]'
    faults = []
    for source in ("1 + 1", "1 / 0"):
        path = tmp_path / "a.ipynb"
        path.write_text(
            f'{{"cells": {cells}, "metadata": {{}}, "nbformat": 4, "nbformat_minor": 4}}'.replace("SOURCE", source)
        )
        faults.append(colab.run(Path(sys.executable), path))
    assert faults[0] == ""
    assert "ZeroDivisionError" in faults[1]


def test_the_monthly_workflow_runs_them_in_colabs_own_image() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/colab.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert job["container"].startswith("us-docker.pkg.dev/colab-images/public/runtime")
    assert any("python3 -m tools.colab --here" in step.get("run", "") for step in job["steps"])


@pytest.mark.parametrize("path", colab.FREEZES, ids=lambda path: path.stem)
def test_every_notebook_runs_at_colabs_versions(path: Path, tmp_path: Path) -> None:
    """Gigabytes and half an hour, hence on demand: `make colab`, or this test with COLAB=1."""
    freeze = colab.read(path)
    if not os.environ.get("COLAB"):
        pytest.skip("takes half an hour and gigabytes; set COLAB=1 or run `make colab`")
    if freeze.interpreter is None:
        pytest.skip(f"there is no python{freeze.python} here")
    assert colab.check(colab.environment(freeze, tmp_path / "env"), tmp_path, notebooks()) == 0
