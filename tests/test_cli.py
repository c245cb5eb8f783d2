"""The command line: what it prints, what it returns, and that mistakes are answered in one sentence."""

import argparse
import pwd
from pathlib import Path
from typing import Any

import pytest

from hqnn import __version__, datasets, provenance, records, runs
from hqnn.__main__ import main
from hqnn.runs import MAX_SEED, MAX_SEEDS
from hqnn.terminal import seeds
from tests.toy import register


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of one small experiment, and no measurements."""
    register(monkeypatch)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"hqnn {__version__}\n"
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in ("data", "list", "run", "verify", "claims"):
        assert f"    {command} " in shown
        assert main([command, "--help"]) == 0
        explained = capsys.readouterr().out
        assert f"usage: python -m hqnn {command}" in explained
        assert "." in explained.partition("\n\n")[2]  # a sentence, not only options


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", (3,)), ("7,0-1", (0, 1, 7)), ("0-2,1-3", (0, 1, 2, 3)), (" 1 , 2", (1, 2)), (str(MAX_SEED), (MAX_SEED,))],
)
def test_seeds(text: str, expected: tuple[int, ...]) -> None:
    assert seeds(text) == expected
    assert len(seeds(f"0-{MAX_SEEDS - 1},5")) == MAX_SEEDS


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (("", "a", "1-", "-1", "1,,2", "1.5", "0-3-5", "٣", "0-٣", "²"), "is not a list of seeds such as 0-9"),
        (("9-0",), "'9-0' counts backwards; write 0-9"),
        ((f"0-{MAX_SEEDS}", f"0-{MAX_SEEDS - 1},{MAX_SEEDS}", f"0-{MAX_SEED}"), "more than 10,000 seeds"),
        ((str(MAX_SEED + 1), "9" * 5000), "is too large for a seed; the last is"),  # more digits than Python converts
    ],
)
def test_seeds_that_are_none(texts: tuple[str, ...], complaint: str) -> None:
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError, match=complaint) as refused:
            seeds(text)
        assert len(str(refused.value)) < 200


@pytest.mark.usefixtures("toy")
def test_run_list_verify_and_rerun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["toy/hybrid lacks the seeds 0, 1.", "toy/plain lacks the seeds 1."]
    assert lines[2].endswith("measured again: 2 problems.")

    assert main(["run", "--all", *root]) == 0
    shown_now = capsys.readouterr()
    assert shown_now.out == "3 runs done, 1 were there already.\n"
    assert "3 of 3 runs stored" in shown_now.err
    assert main(["verify", *root]) == 0
    assert capsys.readouterr().out == "4 records checked, the weights of 2 measured again: 0 problems.\n"

    assert main(["verify", "--rerun", "toy/plain", "--quiet", *root]) == 0
    shown = capsys.readouterr().out
    assert "toy/plain/1: identical on the same processor and code (final accuracies differ by at most 0, " in shown
    real = runs.execute

    def worse(*arguments: Any, **options: Any) -> Any:
        outcome = real(*arguments, **options)
        outcome.history["test_accuracy"][-1] -= 0.25
        return outcome

    monkeypatch.setattr(runs, "execute", worse)
    monkeypatch.setattr(provenance, "environment", lambda: {"processor": "another", "code": "another"})
    assert main(["verify", "--rerun", "toy/plain/0", "--quiet", *root]) == 1
    shown = capsys.readouterr().out
    assert "toy/plain/0: not reproduced on another processor and other code (final accuracies differ" in shown
    (line,) = (line for line in shown.splitlines() if line.startswith("test_accuracy"))
    _, _, stored, _, repeated, *_ = line.split()
    assert float(stored) - float(repeated) == pytest.approx(0.25)


REPEAT = "Repeat EXPERIMENT/VARIANT/SEED, EXPERIMENT/VARIANT or the id of a claim"
NAMES = "error: Name experiments or measurements, or say --all: there are toy."


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "toi"], "error: There is no experiment 'toi': did you mean toy?"),
        (["run", "toy", "--variants", "hybird"], "error: toy has no variant 'hybird': did you mean hybrid?"),
        (["run"], NAMES),
        (["run", "toy", "--all"], NAMES),
        (["run", ""], "error: There is no experiment '': choose from toy."),
        (["verify"], "error: There are no records in "),
        (["verify", "--rerun", "toy/plian/0"], "error: toy has no variant 'plian': did you mean plain?"),
        (["verify", "--rerun", "toy/plain/9"], "error: There is no record "),
        (["verify", "--rerun", "toy/plain"], "error: There are no records of toy/plain: run"),
        *(
            (["verify", "--rerun", text], f"error: {REPEAT}, not {text!r}")
            for text in ("", "toy//0", "toy/plain/-1", "toy/plain/٣", "toy/plain/0/0")
        ),
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
        (["run", "toy", "--jobs", "9" * 5000], "processes are more than this machine can feed; use up to"),
        (["run", "toy", "--variants", ","], "',' names none; leave the option out for all"),
        (["run", "toy", "--root", ""], "the folder's name is empty; write . for the one you are in"),
        (["run", "toy", "--seeds", "x"], "'x' is not a list of seeds such as 0-9 or 0,3,7"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_usage(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err


def test_data_lists_and_fetches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(datasets, "fetch", lambda name, progress: fetched.append(name))
    assert main(["data", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(datasets.NAMES)
    assert fetched == []
    assert main(["data", "digits", "mnist"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["digits", "mnist"] == fetched
    assert main(["data"]) == 0
    assert fetched[2:] == list(datasets.NAMES)
    capsys.readouterr()
    for arguments in (["--all", "mnist"], ["--list", "mnits"]):
        assert main(["data", *arguments]) == 2
        assert "mnist" in capsys.readouterr().err


# --- folders, and what the machine refuses


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("command", "name"),
    [("list", "file"), ("verify", "nothing"), ("claims", "file/below"), ("run toy", "x" * 300), ("list", "forbidden")],
)
def test_a_root_that_cannot_be_read(
    command: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "file").touch()
    if name == "forbidden":
        monkeypatch.setattr(Path, "iterdir", forbidden)
    assert main([*command.split(), "--root", str(tmp_path / name)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {tmp_path / name} cannot be read (")
    assert shown.err.endswith("): name another folder with --root.\n")


def test_a_working_folder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["list"]) == 2
    assert capsys.readouterr() == ("", "error: The folder you are in is gone: change to another one.\n")


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert main(["data", "--list"]) == 2
    assert capsys.readouterr() == ("", "error: You have no home folder here: set HOME to one.\n")


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            PermissionError(13, "Permission denied", "/x/seed-0.json"),
            2,
            "error: /x/seed-0.json: Permission denied; put that right and repeat the command.\n",
        ),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
    ],
)
def test_what_ends_a_command_is_one_sentence(
    error: BaseException, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(records, "count", end)
    assert main(["list"]) == status
    assert capsys.readouterr().err == said
