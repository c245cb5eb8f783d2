"""Standard streams that may be closed, full or no longer read: what a command writes to must not end it half-way."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
