"""What may be written after a command's options, and what is said of anything else."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def seeds(text: str) -> tuple[int, ...]:
    """Parse `0-9`, `3` or `0-4,7` into ascending seeds."""
    from hqnn.runs import MAX_SEEDS

    chosen: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not _is_number(first) or (dash and not _is_number(last)):
            raise argparse.ArgumentTypeError(f"{_short(text)} is not a list of seeds such as 0-9 or 0,3,7")
        low, high = _seed(first), _seed(last or first)
        if high < low:
            raise argparse.ArgumentTypeError(f"{part.strip()!r} counts backwards; write {last}-{first}")
        if high - low < MAX_SEEDS:
            chosen.update(range(low, high + 1))
        if high - low >= MAX_SEEDS or len(chosen) > MAX_SEEDS:
            raise argparse.ArgumentTypeError(f"{_short(text)} are more than {MAX_SEEDS:,} seeds; run fewer at a time")
    return tuple(sorted(chosen))


def _seed(digits: str) -> int:
    from hqnn.runs import MAX_SEED

    if len(digits) > len(str(MAX_SEED)) or int(digits) > MAX_SEED:
        raise argparse.ArgumentTypeError(f"{_short(digits)} is too large for a seed; the last is {MAX_SEED}")
    return int(digits)


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
