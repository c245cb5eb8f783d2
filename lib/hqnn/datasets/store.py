"""Where datasets are on this machine: the cache, the folder `HQNN_DATA`, and what `fetch` brings from the network."""

from __future__ import annotations

import contextlib
import errno
import http.client
import importlib.metadata
import io
import os
import socket
import tempfile
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from hqnn import storage
from hqnn.datasets.sources import SOURCES, Dataset, Limited, Published, Split, decode, fingerprint, get
from hqnn.errors import HqnnError

TIMEOUT_S = 20.0
"""How long to wait for a silent server."""
_LAYOUT = "set HQNN_DATA to a folder that has it (its layout: data/README.md)"


class MissingDatasetError(HqnnError):
    """The dataset is not on this machine and could not be, or was not to be, downloaded."""


class DamagedDatasetError(HqnnError):
    """Files are there but are not the published dataset."""


class Status(NamedTuple):
    """Where a dataset is on this machine."""

    name: str
    state: str
    """What `load` would use: `cached`, `HQNN_DATA` or `bundled`; else `absent`."""
    place: str
    """The file or folder that holds it, or where it would come from."""


def cache_folder() -> Path:
    """Where what was fetched or computed is kept: `HQNN_CACHE`, or what `storage` has for it."""
    return _named("HQNN_CACHE") or storage.cache_folder()


def _named(variable: str) -> Path | None:
    """The folder that an environment variable names, if it is set."""
    text = os.environ.get(variable)
    return Path(os.path.expanduser(text)) if text else None  # noqa: PTH111 - Path's own raises where nobody has a home


def _cache_file(name: str) -> Path:
    return cache_folder() / f"{name}.npz"


def _find(name: str, folder: Path) -> Path | None:
    """The place in a folder where a dataset lies in one of its forms; None also where the folder cannot be read."""
    places = (place for form in SOURCES[name].forms for place in sorted(folder.glob(form)))
    with contextlib.suppress(OSError):
        return next((place for place in places if place.is_file() or place.is_dir()), None)
    return None


def _provided(name: str) -> Path | None:
    """The place outside the cache where a dataset lies, if any: in scikit-learn, or in `HQNN_DATA`."""
    if name == "digits":  # found without importing scikit-learn, which is slow
        package = importlib.metadata.distribution("scikit-learn")
        return Path(str(package.locate_file("sklearn/datasets/data/digits.csv.gz")))
    folder = _named("HQNN_DATA")
    return _find(name, folder) if folder else None


def status(name: str) -> Status:
    """Where a dataset is on this machine; looks at file names only."""
    origin = get(name).origin
    if os.path.isfile(_cache_file(name)):  # noqa: PTH113 - Path's own raises where a folder cannot be searched
        return Status(name, "cached", str(_cache_file(name)))
    if (place := _provided(name)) is None:
        return Status(name, "absent", origin)
    return Status(name, "bundled" if name == "digits" else "HQNN_DATA", str(place))


def is_available(name: str) -> bool:
    """Whether `load` would find the dataset; see `status`."""
    return status(name).state != "absent"


def load(name: str) -> Dataset:
    """A dataset in canonical order, from the cache or from `HQNN_DATA`; never from the network.

    What is read from `HQNN_DATA` is kept in the cache where that can be written, which makes the next call fast.

    Raises:
        MissingDatasetError: It is in neither place.
        DamagedDatasetError: The files in `HQNN_DATA` are not the published ones.
        HqnnError: Unknown name.
    """
    state = status(name).state
    if (cached := _read_cache(name)) is not None:
        return cached
    if (place := _provided(name)) is not None:
        dataset = decode(name, _read(name, place))
        if name != "digits":
            with contextlib.suppress(HqnnError, OSError):  # a full or read-only cache costs time, nothing else
                _write_cache(dataset)
        return dataset
    problem = f"{_cache_file(name)} is damaged" if state == "cached" else _absence(name)
    raise MissingDatasetError(f"{problem}: get it with `python -m hqnn data {name}`, or {_LAYOUT}")


def _absence(name: str) -> str:
    folder = _named("HQNN_DATA")
    return f"{SOURCES[name].title} is not {f'in HQNN_DATA={folder}' if folder else 'on this machine'}"


def published_files(name: str) -> list[bytes]:
    """The published bytes of every training image of `medical_mnist`: image i of `load` was decoded from file i.

    Raises:
        MissingDatasetError: It is not in the folder named by `HQNN_DATA`; the cache holds pixels only.
        DamagedDatasetError: What is there is not the published dataset.
    """
    if (place := _provided(name)) is None:
        raise MissingDatasetError(f"the published files of {get(name).title} are needed: {_LAYOUT}")
    return [content for _, content in sorted(_read(name, place)["all"])]


def _read(name: str, place: Path) -> Published:
    """Read and verify a dataset as published."""
    source = SOURCES[name]
    try:
        samples = source.read(place)
        if (found := fingerprint(samples)) != source.fingerprint:
            n_images = sum(map(len, samples.values()))
            raise ValueError(f"{n_images} images with fingerprint {found[:12]}… instead of {source.fingerprint[:12]}…")
        return samples
    except Exception as error:  # readers of numpy, Pillow, tar and zip raise almost anything on bad files
        remedy = f"replace it, or unset HQNN_DATA and run `python -m hqnn data {name}`"
        remedy = "reinstall scikit-learn" if name == "digits" else remedy
        raise DamagedDatasetError(
            f"{place} is not the published {source.title} ({_reason(error)}): {remedy}"
        ) from error


def _read_cache(name: str) -> Dataset | None:
    """The cached dataset, or None when there is none or its file is damaged.

    The fingerprint was verified when the file was written; reading verifies its checksums (CRC-32 of every array).
    """
    source = SOURCES[name]
    try:
        with _cache_file(name).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["fingerprint"]) != source.fingerprint:
                return None
            parts = [[torch.from_numpy(file[f"{half}_{of}"]) for of in ("images", "labels")] for half in _HALVES]
    except Exception:  # a damaged header makes numpy raise almost anything
        return None
    train, test = (Split(*part) for part in parts)
    return Dataset(name, source.classes, train, test, source.fingerprint)


_HALVES = ("train", "test")


def _write_cache(dataset: Dataset) -> Path:
    """Write a dataset to the cache, wholly or not at all."""
    path, content = _cache_file(dataset.name), io.BytesIO()
    arrays: dict[str, Any] = {"fingerprint": dataset.fingerprint}
    for half, split in zip(_HALVES, (dataset.train, dataset.test), strict=True):
        arrays |= {f"{half}_images": split.images.numpy(), f"{half}_labels": split.labels.numpy()}
    np.savez(content, **arrays)
    storage.write_atomically(path, content.getvalue())
    return path


def fetch(name: str, *, progress: bool = True) -> Path:
    """Make sure that a dataset is in the cache, from `HQNN_DATA` where that has it, else by download: the file.

    Raises:
        MissingDatasetError: It cannot be downloaded.
        DamagedDatasetError: What `HQNN_DATA` has is not the published dataset.
        HqnnError: Unknown name, or the disk is full.
        OSError: The cache cannot be written.
    """
    get(name)
    if _read_cache(name) is not None:
        return _cache_file(name)
    place = _provided(name)
    if name == "digits" and place is not None:
        return place
    return _write_cache(
        _download(name, progress) if place is None else decode(name, _read(name, place), progress=progress)
    )


def _download(name: str, progress: bool) -> Dataset:
    """Download and verify a dataset; once more from scratch if it was interrupted or what came is damaged."""
    source, reason = SOURCES[name], ""
    for _ in range(2):
        try:
            with tempfile.TemporaryDirectory() as folder:
                quiet = contextlib.nullcontext() if progress else contextlib.redirect_stderr(io.StringIO())
                with _impatient(), quiet:
                    source.download(Path(folder))
                place = _find(name, Path(folder))
                assert place is not None, "what is downloaded is one of the dataset's forms"
                return decode(name, _read(name, place), progress=progress)
        except DamagedDatasetError as error:
            reason = _reason(error.__cause__ or error)
        except (OSError, RuntimeError, http.client.HTTPException) as error:  # the last two: torchvision's and urllib's
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise HqnnError(f"No space left in {tempfile.gettempdir()}: make room, or set TMPDIR.") from error
            reason = _reason(error)
    raise MissingDatasetError(
        f"{_absence(name)} and could not be downloaded from {source.origin} ({reason}): run "
        f"`python -m hqnn data {name}` again with a working network, or {_LAYOUT}"
    )


@contextlib.contextmanager
def _impatient() -> Iterator[None]:
    """Give up on a silent server, for which torchvision would wait for ever, and on one that never stops sending."""
    before, opener = socket.getdefaulttimeout(), getattr(urllib.request, "_opener", None)
    socket.setdefaulttimeout(TIMEOUT_S)
    urllib.request.install_opener(urllib.request.build_opener(_Shortener()))
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
        urllib.request.install_opener(opener)


class _Shortener(urllib.request.BaseHandler):
    """Limits every answer, also one that only sends elsewhere."""

    def http_response(self, _request: urllib.request.Request, answer: Any) -> Any:
        limited = Limited(answer.read)

        def read(size: int = -1) -> bytes:
            try:
                return limited.read(size)
            except ValueError as error:
                raise urllib.error.URLError(error) from error  # so that torchvision turns to the next mirror

        answer.read = read
        return answer

    https_response = ftp_response = http_response


def _reason(error: BaseException) -> str:
    """What went wrong in a few words on one line."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return _reason(error.reason)
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return textwrap.shorten(text, 240, placeholder=" …") or type(error).__name__
