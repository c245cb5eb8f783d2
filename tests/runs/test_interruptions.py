"""Runs that are interrupted, killed, diverge or find the disk full: nothing computed is lost, nothing differs."""

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from hqnn import records, runs
from hqnn.errors import HqnnError
from tests.toy import (
    BASE,
    ONE,
    PATIENCE,
    VARIANTS,
    command,
    interrupted,
    labels,
    reached,
    register,
    request,
    results,
    started,
    stored_runs,
    wait_for,
)


def first_epochs(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Run what is missing, and say with which epoch each run begins."""
    first: dict[str, int] = {}
    with monkeypatch.context() as patched:
        patched.setattr(runs.Bar, "reach", lambda _bar, label, epoch: first.setdefault(label, epoch))
        runs.run("toy", root=root, progress=False)
    return first


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_and_continued_equals_uninterrupted(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    """And no worker process outlives a command that is killed."""
    again = tmp_path / "again"
    held = {"toy/hybrid/seed-0": 2}
    request(tmp_path, "hold-0")
    with started(*command(again, *ONE, "--jobs", jobs), events=tmp_path) as process:
        wait_for(lambda: reached(again) == held or process.poll() is not None)
        process.kill()
        process.communicate(timeout=PATIENCE)  # until every process that can write there is gone
    assert stored_runs(again) == []
    assert reached(again) == held
    assert first_epochs(again, monkeypatch) == {label: held.get(label, 0) + 1 for label in labels()}
    assert results(again) == results(root)


@pytest.mark.parametrize(("jobs", "stop"), [("1", signal.SIGTERM), ("2", signal.SIGINT)])
def test_an_interrupt_is_one_sentence_and_can_be_continued(
    root: Path, tmp_path: Path, jobs: str, stop: signal.Signals
) -> None:
    """From the keyboard, or from a batch system, which asks before it kills."""
    again = tmp_path / "again"
    done, held = ["toy/hybrid/seed-0"], {"toy/hybrid/seed-1": 2}
    request(tmp_path, "hold-1")
    with started(*command(again, "--variants", "hybrid", "--jobs", jobs), events=tmp_path) as process:
        wait_for(lambda: (stored_runs(again) == done and reached(again) == held) or process.poll() is not None)
        os.killpg(process.pid, stop)  # the terminal tells the workers, too
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", interrupted(1, 2))
    assert reached(again) == held
    assert runs.run("toy", root=again, progress=False).skipped == 1
    assert results(again) == results(root)
    assert not list((again / "checkpoints").rglob("*.safetensors"))


@pytest.mark.parametrize(("request_to_stop", "again"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_an_interrupt_while_a_worker_starts(tmp_path: Path, request_to_stop: signal.Signals, again: bool) -> None:
    """For the first time, or again because it was killed."""
    request(tmp_path, "hold-0", *([] if again else ["hold-start"]))
    with started(*command(tmp_path, *ONE, "--jobs", "2"), events=tmp_path) as process:
        if again:
            wait_for(lambda: reached(tmp_path) or process.poll() is not None)
            request(tmp_path, "hold-start", "kill-0")
        wait_for(lambda: (tmp_path / "starting").exists() or process.poll() is not None)
        os.killpg(process.pid, request_to_stop)
        (tmp_path / "hold-start").unlink()
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", interrupted(0, 1))


def test_a_diverging_run_is_named_and_the_others_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wild = replace(BASE, learning_rate=1e30, snapshots=())
    register(monkeypatch, {"wild": wild, "plain": VARIANTS["plain"]}, range(1))
    with pytest.raises(HqnnError, match="1 of 2 runs diverged, the others are stored") as caught:
        runs.run("toy", root=tmp_path, progress=False)
    assert "toy/wild/seed-0: The loss is no longer a finite number at epoch 1, step 2 of 4" in str(caught.value)
    assert len(records.load("toy/plain", tmp_path)) == 1
    assert records.load("toy/wild", tmp_path) == []
    assert not list(tmp_path.rglob("model.safetensors"))


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_loses_nothing_computed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    again = tmp_path / "again"
    real = os.fsync
    full = False

    def fsync(descriptor: int) -> None:
        nonlocal full
        full = full or Path(f"/proc/self/fd/{descriptor}").readlink().name.startswith(".seed-1.json")
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        with pytest.raises(HqnnError, match=r"No space left to write .*seed-1\.json") as caught:
            runs.run("toy", jobs=jobs, root=again, progress=False)
    (lost,) = (label for label in labels() if f"/{label}.json" in str(caught.value))
    before = stored_runs(again)
    assert lost not in before
    assert reached(again)[lost] == BASE.epochs
    first = first_epochs(again, monkeypatch)
    assert first.keys().isdisjoint(before)
    assert first[lost] == BASE.epochs  # only the bar's last step: the finished run was stored, not repeated
    assert results(again) == results(root)
