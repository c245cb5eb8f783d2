"""The program as a process: signals, streams that are closed, full or no longer read, and an ordinary installation."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hqnn import storage
from tests.toy import environment

QUICK = ("run", "lcqhnn-mnist", "--scale", "quick", "--seeds", "0", "--variants", "cnn-4", "--quiet")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The package where an ordinary installation puts it, among other packages."""
    place = tmp_path / "environment" / "lib" / "python" / "site-packages" / "hqnn"
    shutil.copytree(Path(storage.__file__).parent, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place.parent


def test_an_ordinary_installation_writes_nothing_beside_its_packages(installed: Path, tmp_path: Path) -> None:
    before = sorted(installed.parents[1].rglob("*"))
    program = """
import json, sys
from hqnn import datasets, provenance, storage
from hqnn.__main__ import main
print(json.dumps([main(arguments) for arguments in json.loads(sys.argv[1])]))
print(datasets.cache_folder())
print(provenance.environment()["git_commit"])
storage.write_atomically(storage.DATA / "cache" / "some", b"")
"""
    commands = [["list"], ["verify"], ["claims"], ["claims", "--update"], ["run", "lcqhnn-bloch"], QUICK]
    commands += [[*QUICK, "--root", "mine"], ["list", "--root", "mine"]]
    environment = {name: text for name, text in os.environ.items() if name not in ("HQNN_CACHE", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(commands)],
        cwd=tmp_path,
        env=environment
        | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-3:] == ["[2, 2, 2, 2, 2, 2, 0, 0]", str(tmp_path / ".cache" / "hqnn"), "None"]
    absent = f"The book's records are not here ({installed.parent / 'data'} is not its data folder): run from a clone"
    assert done.stderr.count(f"error: {absent} of the repository or give --root FOLDER.\n") == 6
    assert done.stderr.splitlines()[-1].startswith(f"hqnn.errors.HqnnError: {absent}")
    assert [path.name for path in (tmp_path / "mine" / "quick").rglob("*.json")] == ["seed-0.json"]
    assert sorted(installed.parents[1].rglob("*")) == before


def run_in_shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line in which $HQNN stands for the program."""
    program = f"{sys.executable} -m hqnn"
    return subprocess.run(
        ["bash", "-c", command],
        env={**environment(), "HQNN": program, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


# --- standard streams

CLOSED = "error: Standard output is closed: send it to a file, or to /dev/null.\n"
FULL = "error: The output cannot be written (No space left on device): send it to another place.\n"


@pytest.mark.parametrize(
    ("command", "status", "err"),
    [
        ("$HQNN list >&-", 2, CLOSED),
        ("$HQNN data --list >/dev/full", 2, FULL),
        ("PYTHONUNBUFFERED=1 $HQNN data --list >/dev/full", 2, FULL),
        ("$HQNN data --list >/dev/full 2>/dev/full", 2, ""),
        ("$HQNN data nothing <&- >&- 2>&-", 2, ""),
        ("$HQNN data --list | true; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_streams_that_take_nothing(command: str, status: int, err: str) -> None:
    done = run_in_shell(command)
    assert (done.returncode, done.stderr, done.stdout) == (status, err, "")


def test_a_run_goes_on_without_its_messages(tmp_path: Path) -> None:
    arguments = " ".join(word for word in QUICK if word != "--quiet")
    for stderr in ("&-", "/dev/full"):
        done = run_in_shell(f'$HQNN {arguments} --root "$ROOT" 2>{stderr}', ROOT=str(tmp_path / stderr[-4:]))
        assert (done.returncode, done.stdout) == (0, "1 runs done, 0 were there already.\n")


def test_a_reader_that_stops_reading_hides_no_problem(tmp_path: Path) -> None:
    """The status of `verify | head -1` is that of the verification."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "stray.json").write_text("{}")
    done = run_in_shell('$HQNN verify --root "$ROOT" | true; exit ${PIPESTATUS[0]}', ROOT=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
