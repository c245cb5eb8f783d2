"""What nobody has verified: downloads, and files read into memory, by expected names, no further than a limit."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import math
import re
import socket
import struct
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TIMEOUT_S = 20.0
"""How long to wait for a silent server."""

_MAX_MEMBERS = 200_000
"""Of an archive; Medical MNIST's have some 59,000."""


class TooLargeError(ValueError):
    """There is more than the limit allows."""


def require_at_most(limit: int, n_bytes: int) -> None:
    """Go on if there are no more bytes than the limit allows."""
    if n_bytes > limit:
        raise TooLargeError(f"more than {limit:,} bytes")


class Limited:
    """A stream that gives no more than so many bytes, whatever a compression makes of a small file.

    Args:
        read: The stream's own `read`.
        limit: So many bytes; more of them are a `TooLargeError`.
    """

    def __init__(self, read: Callable[[int], bytes], limit: int) -> None:
        self._read, self._limit, self._given = read, limit, 0

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or all there are."""
        left = self._limit + 1 - self._given
        content = self._read(left if size < 0 else min(size, left))
        self._given += len(content)
        require_at_most(self._limit, self._given)
        return content


@contextlib.contextmanager
def careful_downloads(limit: int) -> Iterator[None]:
    """Give up on a silent server, for which torchvision would wait for ever, and on one that never stops sending."""
    timeout, opener = socket.getdefaulttimeout(), getattr(urllib.request, "_opener", None)
    socket.setdefaulttimeout(TIMEOUT_S)
    urllib.request.install_opener(urllib.request.build_opener(_Shortener(limit)))
    try:
        yield
    finally:
        socket.setdefaulttimeout(timeout)
        urllib.request.install_opener(opener)


class _Shortener(urllib.request.BaseHandler):
    """Limits every answer, also one that only sends elsewhere, to so many bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def http_response(self, _request: urllib.request.Request, answer: Any) -> Any:
        limited = Limited(answer.read, self._limit)

        def read(size: int = -1) -> bytes:
            try:
                return limited.read(size)
            except TooLargeError as error:
                raise urllib.error.URLError(error) from error  # so that torchvision turns to the next mirror

        answer.read = read
        return answer

    https_response = ftp_response = http_response


@contextlib.contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip whose members are not too many, and none larger than it says."""
    with path.open("rb") as file:
        # ZipFile makes an object of each entry, so they are counted first, by the mark with which each begins
        if sum(block.count(b"PK\1\2") for block in iter(partial(file.read, 2**20), b"")) > _MAX_MEMBERS:
            raise ValueError(f"more than {_MAX_MEMBERS:,} members")
        with zipfile.ZipFile(file) as archive:
            # zipfile unpacks these two no further than it is asked to, the other two by whole blocks of any size
            if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in archive.infolist()):
                raise ValueError("a zip compressed in another way than by deflate")
            yield archive


def read_arrays(path: Path, names: tuple[str, ...], limit: int) -> list[NDArray[Any]]:
    """Some arrays of an npz file that hold no more bytes than a limit, and no pickles."""
    with _zip(path) as archive:
        members = [archive.getinfo(f"{name}.npy") for name in names]
        require_at_most(limit, sum(member.file_size for member in members))
        arrays = []
        for member in members:
            with archive.open(member) as file:
                arrays.append(np.lib.format.read_array(file, allow_pickle=False))
    return arrays


def _unzipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member as far as the size it says; ZipFile.read would unpack all there is before it looks."""
    with archive.open(member) as file:
        return file.read(member.file_size)


def _members(place: Path, limit: int) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    """Path, size and reader of each file in a folder, zip or compressed tar."""
    if place.is_dir():
        files = (path for path in place.rglob("*") if path.is_file())
        yield from ((path.as_posix(), path.stat().st_size, path.read_bytes) for path in files)
    elif place.suffix == ".zip":
        with _zip(place) as archive:
            yield from ((m.filename, m.file_size, partial(_unzipped, archive, m)) for m in archive.infolist())
    else:
        stream = (lzma if place.suffix == ".xz" else gzip).open(place)
        with stream, tarfile.open(fileobj=Limited(stream.read, limit), mode="r|") as tar:  # type: ignore[call-overload]
            for n_before, member in enumerate(tar):
                if n_before == _MAX_MEMBERS:
                    raise ValueError(f"more than {_MAX_MEMBERS:,} members")
                if (content := tar.extractfile(member) if member.isfile() else None) is not None:
                    yield member.name, member.size, content.read


def read_members(place: Path, wanted: re.Pattern[str], limit: int) -> list[tuple[re.Match[str], bytes]]:
    """The files of a folder or archive whose paths are wanted.

    Archives are read member by member into memory: nothing is unpacked, so no member's name can reach anywhere.
    """
    found, total = [], 0
    for name, size, read in _members(place, limit):
        if match := wanted.search(name):
            total += size
            require_at_most(limit, total)
            found.append((match, read()))
    return found


def read_idx(path: Path, n_axes: int, limit: int) -> NDArray[np.uint8]:
    """An array of bytes in MNIST's format: a magic number, the axes' lengths, the bytes."""
    packed = path.with_name(f"{path.name}.gz")
    if not packed.is_file() and not path.is_file():
        raise ValueError(f"{path.name} is missing")
    with gzip.open(packed) if packed.is_file() else path.open("rb") as file:
        content = Limited(file.read, limit).read()
    start = 4 * (1 + n_axes)
    magic, *shape = struct.unpack(f">{1 + n_axes}I", content[:start].ljust(start, b"\0"))
    if magic != 0x800 + n_axes or len(content) != start + math.prod(shape):
        raise ValueError(f"{path.name} is not in the idx format, or not of the length it says")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
