"""What a command reads from its options, and the streams it writes to, which may be closed, full or no longer read."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def open_what_is_closed() -> None:
    """Let no file that is opened later take the number of a standard stream."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


class _Lasting(io.RawIOBase):
    """A stream that remembers why it could not be written, instead of ending the command in the middle."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.lost: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        return bool(self._raw.isatty())

    def write(self, data: Any) -> Any:
        try:
            return self._raw.write(data)
        except OSError as error:
            self.lost = self.lost or error
            return memoryview(data).nbytes


@contextmanager
def lasting(name: str, *, errors: str) -> Iterator[_Lasting]:
    """Make a standard stream lasting for a while, unless something in this process has replaced it already."""
    stream = getattr(sys, name)
    buffer = getattr(stream, "buffer", None)
    raw = _Lasting(getattr(buffer, "raw", buffer))  # `python -u` has no buffer between
    if stream is getattr(sys, f"__{name}__"):
        buffered = io.BufferedWriter(raw)
        by_line = stream.line_buffering or stream.write_through
        setattr(sys, name, io.TextIOWrapper(buffered, stream.encoding, errors, line_buffering=by_line))
    try:
        yield raw
    finally:
        getattr(sys, name).flush()
        setattr(sys, name, stream)


# --- what may be written after a command's options -------------------------------------------------------------------


def seeds(text: str) -> tuple[int, ...]:
    """Parse `0-9`, `3` or `0-4,7` into ascending seeds."""
    from hqnn.runs import MAX_SEED, MAX_SEEDS

    chosen: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not _is_number(first) or (dash and not _is_number(last)):
            raise argparse.ArgumentTypeError(f"{_short(text)} is not a list of seeds such as 0-9 or 0,3,7")
        low, high = (int(digits[:20]) for digits in (first, last or first))  # more digits than any seed has
        if max(low, high) > MAX_SEED:
            raise argparse.ArgumentTypeError(f"{_short(part)} is too large for a seed; the last is {MAX_SEED}")
        if high < low:
            raise argparse.ArgumentTypeError(f"{part.strip()!r} counts backwards; write {last}-{first}")
        chosen.update(range(low, min(high, low + MAX_SEEDS) + 1))
        if len(chosen) > MAX_SEEDS:
            raise argparse.ArgumentTypeError(f"{_short(text)} are more than {MAX_SEEDS:,} seeds; run fewer at a time")
    return tuple(sorted(chosen))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def names(text: str) -> list[str]:
    """Parse names separated by commas."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} names none; leave the option out for all")
    return found


def folder(text: str) -> Path:
    """Parse the name of a folder."""
    if not text:
        raise argparse.ArgumentTypeError("the folder's name is empty; write . for the one you are in")
    return Path(text)


def n_jobs(text: str) -> int:
    """Parse a number of processes that this machine can feed."""
    if not _is_number(text) or int(text[:19]) < 1:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a number of processes, 1 or more")
    most = 4 * (os.cpu_count() or 1)
    if int(text[:19]) > most:
        raise argparse.ArgumentTypeError(
            f"{_short(text)} processes are more than this machine can feed; use up to {most}"
        )
    return int(text)
