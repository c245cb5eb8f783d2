"""The command line: what it prints, what it returns, and that mistakes are answered in one sentence."""

import argparse
import signal
from pathlib import Path

import pytest

from hqnn import __version__, analyses, datasets, experiments, runs
from hqnn.__main__ import main, seeds
from tests.toy import PATIENCE, VARIANTS, experiment, reached, request, started, wait_for

COMMANDS = ("data", "list", "run", "verify", "analyse", "claims")


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of one small experiment, and no analyses."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"toy": experiment(VARIANTS)})
    monkeypatch.setattr(analyses, "recipes", lambda: {})


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(f"    {command} " in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: python -m hqnn {command}" in shown
    assert "." in shown.partition("\n\n")[2]  # a sentence, not only options


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"hqnn {__version__}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3", (3,)), ("0-3", (0, 1, 2, 3)), ("7,0-1", (0, 1, 7)), ("0-2,1-3", (0, 1, 2, 3)), (" 1 , 2", (1, 2))],
)
def test_seeds(text: str, expected: tuple[int, ...]) -> None:
    assert seeds(text) == expected


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1,,2", "1.5", "0-3-5"])
def test_seeds_that_are_none(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a list of seeds such as 0-9"):
        seeds(text)


def test_seeds_backwards() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="'9-0' counts backwards; write 0-9"):
        seeds("9-0")


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
    assert capsys.readouterr().out == "4 records and 0 analyses checked, the weights of 2 measured again: 0 problems.\n"
    assert main(["verify", "--rerun", "toy/hybrid/1", "--quiet", *root]) == 0
    assert "toy/hybrid/1: identical (final accuracies differ by at most 0," in capsys.readouterr().out


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "toi"], "error: There is no experiment 'toi': did you mean toy?"),
        (["run", "toy", "--variants", "hybird"], "error: toy has no variant 'hybird': did you mean hybrid?"),
        (["run"], "error: Name experiments or say --all: there are toy."),
        (["run", "toy", "--all"], "error: Name experiments or say --all: there are toy."),
        (["verify", "--rerun", "toy"], "error: Name the run to repeat as EXPERIMENT/VARIANT/SEED, not 'toy'."),
        (["verify", "--rerun", "toy/plain/9"], "error: There is no record "),
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
        (["run", "toy", "--seeds", "x"], "'x' is not a list of seeds such as 0-9 or 0,3,7"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_usage(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_failed_repetition_is_a_failure(
    toy: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = runs.Rerun(identical=False, differences={"test_loss": 0.3}, final_accuracy=0.02)
    monkeypatch.setattr(runs, "rerun", lambda *_, **__: worse)
    assert main(["verify", "--rerun", "toy/plain/0", "--root", str(tmp_path)]) == 1
    assert "toy/plain/0: not reproduced (final accuracies differ by at most 0.02" in capsys.readouterr().out


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
    assert main(["data", "--list", "mnits"]) == 2
    assert "mnist" in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_an_interrupt_without_a_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "verify", interrupt)
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
