"""A claim run again: every record that it rests on repeated from scratch, and its value taken from the repetitions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from hqnn import claims, record, verification
from hqnn.claims import Result, ledger
from hqnn.errors import HqnnError
from hqnn.verification import Rerun


@dataclass(frozen=True)
class Repetition:
    """A claim as its records say and as their repetitions say."""

    stored: Result
    repeated: Result
    reproduces: bool
    """Whether every repetition ends within the tolerance of its record."""


def repeat(id: str, root: Path, *, on_rerun: Callable[[Rerun], object], progress: bool = True) -> Repetition:
    """Run all records again that a claim rests on, and judge it by the repetitions. No record is changed.

    Args:
        id: Of the claim.
        root: The data folder, with ledger and records.
        on_rerun: Called with each repetition.
        progress: Whether to show a bar on stderr.

    Raises:
        HqnnError: There is no such claim, it rests on no recorded run, or a run fails.
    """
    book = ledger.read(root / "claims")
    claim = book.find(id)
    stored = claims.result(claim, book, root)
    if stored.quantity is None or not stored.quantity.series:
        raise HqnnError(f"{id} rests on no recorded run: see `python -m hqnn claims {id}` for what makes it again.")
    reproduces = True
    with TemporaryDirectory() as folder:
        again = Path(folder) / "data"
        copytree(root, again, ignore=ignore_patterns("cache", "checkpoints", "quick"))
        for series in stored.quantity.series:
            for path in verification.named(series, root):
                rerun = verification.rerun(path, root=root, progress=progress)
                document = {**json.loads(path.read_bytes()), "result": rerun.result}
                record.write(again / path.relative_to(root), document)
                reproduces &= rerun.reproduces
                on_rerun(rerun)
        return Repetition(stored, claims.result(claim, book, again), reproduces)
