"""The command line: what it prints, what it returns, and that mistakes are answered in one sentence."""

import argparse
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hqnn import __version__, datasets, experiments, measurements, provenance, records, runs, storage, verification
from hqnn.__main__ import main
from hqnn.arguments import names, seeds
from hqnn.errors import HqnnError
from hqnn.runs import MAX_SEED, MAX_SEEDS
from tests.toy import PATIENCE, VARIANTS, environment, experiment, reached, request, started, wait_for

COMMANDS = ("data", "list", "run", "verify", "claims")
QUICK = ("run", "lcqhnn-mnist", "--scale", "quick", "--seeds", "0", "--variants", "cnn-4", "--quiet")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of one small experiment, and no measurements."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"toy": experiment(VARIANTS)})
    monkeypatch.setattr(measurements, "everything", dict)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"    {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"usage: python -m hqnn {command}" in shown
    assert "." in shown.partition("\n\n")[2]  # a sentence, not only options


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"hqnn {__version__}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", (3,)), ("0-3", (0, 1, 2, 3)), ("7,0-1", (0, 1, 7)), ("0-2,1-3", (0, 1, 2, 3)), (" 1 , 2", (1, 2))],
)
def test_seeds(text: str, expected: tuple[int, ...]) -> None:
    assert seeds(text) == expected


@pytest.mark.parametrize("text", ["", ",", "a", "1-", "-1", "1,,2", "1.5", "1e3", "0-3-5", "٣", "0-٣", "²"])
def test_seeds_that_are_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a list of seeds such as 0-9"):
        seeds(text)


def test_seeds_backwards() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="'9-0' counts backwards; write 0-9"):
        seeds("9-0")


def test_seeds_have_bounds() -> None:
    assert seeds(str(MAX_SEED)) == (MAX_SEED,)
    assert len(seeds(f"0-{MAX_SEEDS - 1},5")) == MAX_SEEDS
    for text in (f"0-{MAX_SEEDS}", f"0-{MAX_SEEDS - 1},{MAX_SEEDS}", f"0-{MAX_SEED}"):
        with pytest.raises(argparse.ArgumentTypeError, match="more than 10,000 seeds"):
            seeds(text)
    for text in (str(MAX_SEED + 1), "9" * 5000):  # the latter is more digits than Python converts
        with pytest.raises(argparse.ArgumentTypeError, match="is too large for a seed; the last is") as refused:
            seeds(text)
        assert len(str(refused.value)) < 200


def test_names() -> None:
    assert names("a, b,") == ["a", "b"]
    for text in ("", " , "):
        with pytest.raises(argparse.ArgumentTypeError, match="names none; leave the option out for all"):
            names(text)


@pytest.mark.usefixtures("toy")
def test_run_list_verify_and_rerun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ["--root", str(tmp_path)]
    assert main(["run", "toy", "--seeds", "0", "--variants", "plain", "--quiet", *root]) == 0
    assert capsys.readouterr() == ("1 runs done, 0 were there already.\n", "")
    assert main(["list", *root]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "toy: A toy",
        f"  {'hybrid':<24}   0 of 2 seeds",
        f"  {'plain':<24}   1 of 2 seeds",
    ]
    assert main(["verify", *root]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[:2] == ["toy/hybrid lacks the seeds 0, 1.", "toy/plain lacks the seeds 1."]
    assert shown[2].endswith("measured again: 2 problems.")

    assert main(["run", "--all", *root]) == 0
    shown_now = capsys.readouterr()
    assert shown_now.out == "3 runs done, 1 were there already.\n"
    assert "3 of 3 runs stored" in shown_now.err
    assert main(["verify", *root]) == 0
    assert capsys.readouterr().out == "4 records checked, the weights of 2 measured again: 0 problems.\n"
    assert main(["verify", "--rerun", "toy/hybrid/1", "--quiet", *root]) == 0
    assert (
        "toy/hybrid/1: identical on the same processor and code (final accuracies differ by at most 0,"
        in capsys.readouterr().out
    )


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "toi"], "error: There is no experiment 'toi': did you mean toy?"),
        (["run", "toy", "--variants", "hybird"], "error: toy has no variant 'hybird': did you mean hybrid?"),
        (["run"], "error: Name experiments or measurements, or say --all: there are toy."),
        (["run", "toy", "--all"], "error: Name experiments or measurements, or say --all: there are toy."),
        (["run", ""], "error: There is no experiment '': choose from toy."),
        (["verify"], "error: There are no records in "),
        (["verify", "--rerun", "toi/plain/0"], "error: There is no experiment 'toi': did you mean toy?"),
        (["verify", "--rerun", "toy/plian/0"], "error: toy has no variant 'plian': did you mean plain?"),
        (["verify", "--rerun", "toy/plain/9"], "error: There is no record "),
        (["verify", "--rerun", "toy/plain"], "error: There are no records of toy/plain: run"),
        (["claims"], "error: There is no ledger in "),
    ],
)
def test_mistakes_are_answered_in_one_sentence(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--root", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(complaint)
    assert shown.err.count("\n") == 1
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["runn"], "invalid choice: 'runn'"),
        (["run", "toy", "--jobs", "0"], "'0' is not a number of processes, 1 or more"),
        (["run", "toy", "--jobs", "٣"], "'٣' is not a number of processes, 1 or more"),
        (["run", "toy", "--jobs", "100000"], "'100000' processes are more than this machine can feed; use up to"),
        (["run", "toy", "--jobs", "9" * 5000], "processes are more than this machine can feed; use up to"),
        (["run", "toy", "--variants", ","], "',' names none; leave the option out for all"),
        (["run", "toy", "--root", ""], "the folder's name is empty; write . for the one you are in"),
        *(
            (
                ["verify", "--rerun", text, "--root", "."],
                f"Repeat EXPERIMENT/VARIANT/SEED, EXPERIMENT/VARIANT or the id of a claim, not {text!r}",
            )
            for text in ("", "//", "toy//0", "toy/plain/-1", "toy/plain/٣", "toy/plain/0/0")
        ),
        (["run", "toy", "--seeds", "x"], "'x' is not a list of seeds such as 0-9 or 0,3,7"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_usage(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err


def test_a_repetition_says_what_was_stored_what_came_out_and_where(
    toy: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "toy", "--variants", "plain", "--quiet", "--root", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(["verify", "--rerun", "toy/plain", "--quiet", "--root", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "toy/plain/1: identical on the same processor and code (final accuracies differ by at most 0, " in shown
    real = runs.execute

    def worse(*arguments: Any, **options: Any) -> Any:
        outcome = real(*arguments, **options)
        outcome.history["test_accuracy"][-1] -= 0.25
        return outcome

    monkeypatch.setattr(runs, "execute", worse)
    monkeypatch.setattr(provenance, "environment", lambda: {"processor": "another", "code": "another"})
    assert main(["verify", "--rerun", "toy/plain/0", "--quiet", "--root", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "toy/plain/0: not reproduced on another processor and other code (final accuracies differ" in shown
    (line,) = (line for line in shown.splitlines() if line.startswith("test_accuracy"))
    _, _, stored, _, repeated, *_ = line.split()
    assert float(stored) - float(repeated) == pytest.approx(0.25)


def test_data_lists_and_fetches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(datasets, "fetch", lambda name, progress: fetched.append(name))
    assert main(["data", "--list"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == list(datasets.NAMES)
    assert fetched == []
    assert main(["data", "digits", "mnist"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["mnist", "digits"]
    assert fetched == ["digits", "mnist"]
    assert main(["data"]) == 0
    assert fetched[2:] == list(datasets.NAMES)
    capsys.readouterr()
    assert main(["data", "--all", "mnist"]) == 2
    assert capsys.readouterr().err.startswith("error: Name datasets or say --all: there are mnist,")
    assert main(["data", "--list", "mnits"]) == 2
    assert "mnist" in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_an_interrupt_without_a_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verification, "verify", interrupt)
    assert main(["verify"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_termination_is_an_interrupt(tmp_path: Path) -> None:
    """Batch systems ask with SIGTERM before they kill."""
    request(tmp_path, "hold-0")
    command = ("-m", "tests.toy", "run", "toy", "--quiet", "--root", str(tmp_path))
    with started(*command, events=tmp_path) as process:
        wait_for(lambda: reached(tmp_path) or process.poll() is not None)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == (
        "Interrupted: 0 of 4 runs are stored; repeat the command to continue the others from where they were.\n"
    )


def test_a_reader_that_stops_reading() -> None:
    """As in `python -m hqnn list | head -1`."""
    with started("-m", "hqnn", "list") as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0


# --- folders


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (command, name)
        for command in ("list", "verify", "claims", "run toy")
        for name in ("file", "file/below", "x" * 300, "nothing")
        if (command, name) != ("run toy", "nothing")  # a run makes its folder
    ],
)
def test_a_root_that_is_no_folder(command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main([*command.split(), "--root", str(tmp_path / name)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {tmp_path / name} cannot be read (")
    assert shown.err.endswith("): name another folder with --root.\n")


@pytest.mark.usefixtures("toy")
def test_a_root_that_may_not_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", forbidden)
    assert main(["list", "--root", str(tmp_path)]) == 2
    assert capsys.readouterr() == (
        "",
        f"error: {tmp_path} cannot be read (Permission denied): name another folder with --root.\n",
    )


@pytest.mark.usefixtures("toy")
def test_a_repetition_builds_on_the_records_of_its_own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["run", "toy", "--seeds", "0", "--variants", "plain", "--quiet", "--root", str(tmp_path)]) == 0
    roots: list[Path] = []

    def execute(*_: object, root: Path = storage.DATA, **__: object) -> None:
        roots.append(root)
        raise HqnnError("stop")

    monkeypatch.setattr(runs, "execute", execute)
    assert main(["verify", "--rerun", "toy/plain/0", "--root", str(tmp_path)]) == 2
    assert roots == [tmp_path]


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
from hqnn import datasets, runs, storage
from hqnn.__main__ import main
print(json.dumps([main(arguments) for arguments in json.loads(sys.argv[1])]))
print(datasets.cache_folder())
print(runs.environment()["git_commit"])
storage.write_atomically(storage.DATA / "cache" / "some", b"")
"""
    commands = [["list"], ["verify"], ["claims"], ["claims", "--update"], ["analyse", "--all"], QUICK]
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


@pytest.mark.parametrize("arguments", ["list", "data --list"])
def test_a_working_folder_that_is_gone(arguments: str, tmp_path: Path) -> None:
    done = run_in_shell(f'cd "$GONE" && rmdir "$GONE" && $HQNN {arguments}', GONE=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: The folder you are in is gone: change to another one.\n"


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert main(["data", "--list"]) == 2
    assert capsys.readouterr() == ("", "error: You have no home folder here: set HOME to one.\n")


def test_an_error_of_the_machine_is_one_sentence(
    toy: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/x/seed-0.json")

    monkeypatch.setattr(records, "count", forbidden)
    assert main(["list"]) == 2
    assert (
        capsys.readouterr().err == "error: /x/seed-0.json: Permission denied; put that right and repeat the command.\n"
    )


# --- standard streams

CLOSED = "error: Standard output is closed: send it to a file, or to /dev/null.\n"
FULL = "error: The output cannot be written (No space left on device): send it to another place.\n"


@pytest.mark.parametrize(
    ("command", "status", "err"),
    [
        ("$HQNN list >&-", 2, CLOSED),
        ("$HQNN --version >&-", 2, CLOSED),
        ("$HQNN data --list >/dev/full", 2, FULL),
        ("PYTHONUNBUFFERED=1 $HQNN data --list >/dev/full", 2, FULL),
        ("$HQNN run --help >/dev/full", 2, FULL),
        ("$HQNN data nothing 2>/dev/full", 2, ""),
        ("$HQNN data nothing 2>&-", 2, ""),
        ("$HQNN runn 2>/dev/full", 2, ""),
        ("$HQNN data --list >/dev/full 2>/dev/full", 2, ""),
        ("$HQNN data nothing <&- >&- 2>&-", 2, ""),
        ("$HQNN data --list <&- >/dev/null", 0, ""),
        ("$HQNN data --list | true; exit ${PIPESTATUS[0]}", 0, ""),
        ("$HQNN data nothing 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}", 2, ""),
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
