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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from hqnn import storage
from hqnn.datasets.sources import NAMES, SOURCES, Dataset, Samples, Split, decode, get, verify
from hqnn.errors import HqnnError

_TIMEOUT_S = 20.0
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LAYOUT = "set HQNN_DATA to a folder that has it (its layout: data/README.md)"

State = Literal["bundled", "cached", "HQNN_DATA", "absent"]


class MissingDatasetError(HqnnError):
    """The dataset is not on this machine and could not be, or was not to be, downloaded."""


class DamagedDatasetError(HqnnError):
    """Files are there but are not the published dataset."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a dataset is on this machine.

    Args:
        name: One of `NAMES`.
        title: The name to print.
        state: What `load` would use.
        images: Number of images of the whole dataset.
        n_bytes: Size on disk, or None when absent.
        source: The file or folder that holds it, or where it would come from.
    """

    name: str
    title: str
    state: State
    images: int
    n_bytes: int | None
    source: str


# --- looking


def cache_folder() -> Path:
    """Where what was fetched or computed is kept: `HQNN_CACHE`, or what `storage` has for it."""
    return Path(os.environ.get("HQNN_CACHE") or storage.cache_folder()).expanduser()


def _cache_file(name: str) -> Path:
    return cache_folder() / f"{name}.npz"


def _find(name: str, folder: Path) -> Path | None:
    """The place in a folder where a dataset lies in one of its forms."""
    return next((place for form in SOURCES[name].forms for place in sorted(folder.glob(form))), None)


def _provided(name: str) -> Path | None:
    """The place outside the cache where a dataset lies, if any: in scikit-learn, or in `HQNN_DATA`."""
    if name == "digits":  # found without importing scikit-learn, which is slow
        package = importlib.metadata.distribution("scikit-learn")
        return Path(str(package.locate_file("sklearn/datasets/data/digits.csv.gz")))
    folder = os.environ.get("HQNN_DATA")
    return _find(name, Path(folder).expanduser()) if folder else None


def is_available(name: str) -> bool:
    """Whether `load` would find the dataset; looks at file names only.

    Raises:
        HqnnError: Unknown name.
    """
    get(name)
    return _cache_file(name).is_file() or _provided(name) is not None


def status() -> list[Status]:
    """Where each dataset is on this machine, in the order of `NAMES`; looks at file names and sizes only."""
    rows = []
    for name in NAMES:
        source, place = SOURCES[name], _provided(name)
        state: State = "bundled" if name == "digits" else "absent" if place is None else "HQNN_DATA"
        if _cache_file(name).is_file():
            state, place = "cached", _cache_file(name)
        rows.append(
            Status(
                name=name,
                title=source.title,
                state=state,
                images=source.n_images,
                n_bytes=None if place is None else _size(place),
                source=source.origin if place is None else str(place),
            )
        )
    return rows


def _size(place: Path) -> int:
    """Bytes in a file or folder."""
    return sum(path.stat().st_size for path in (place, *place.rglob("*")) if path.is_file())


# --- reading and keeping


def load(name: str) -> Dataset:
    """A dataset in canonical order, from the cache or from `HQNN_DATA`; never from the network.

    What is read from `HQNN_DATA` is kept in the cache where that can be written, which makes the next call fast.

    Raises:
        MissingDatasetError: It is in neither place.
        DamagedDatasetError: The files in `HQNN_DATA` are not the published ones.
        HqnnError: Unknown name, or the disk is full.
    """
    title = get(name).title
    if (cached := _read_cache(name)) is not None:
        return cached
    if (place := _provided(name)) is not None:
        dataset = _build(name, place)
        if name != "digits":
            with contextlib.suppress(HqnnError):  # a full or read-only cache costs time, nothing else
                _write_cache(dataset)
        return dataset
    folder, problem = os.environ.get("HQNN_DATA"), f"{title} is not on this machine"
    if _cache_file(name).exists():
        problem = f"{_cache_file(name)} is damaged"
    elif folder:
        problem = f"{title} is not in HQNN_DATA={folder}"
    raise MissingDatasetError(f"{problem}: get it with `python -m hqnn data {name}`, or {_LAYOUT}")


def published_files(name: str) -> list[bytes]:
    """The published bytes of every training image, in canonical order: image i of `load` was decoded from file i.

    Args:
        name: A dataset of files of its own, `medical_mnist`.

    Raises:
        MissingDatasetError: It is not in the folder named by `HQNN_DATA`; the cache holds pixels only.
        DamagedDatasetError: What is there is not the published dataset.
    """
    if (place := _provided(name)) is None:
        raise MissingDatasetError(f"the published files of {get(name).title} are needed: {_LAYOUT}")
    samples = _read(name, place)
    return [content for _, content in sorted(samples["all"] if "all" in samples else samples["train"])]


def _build(name: str, place: Path, *, progress: bool = False) -> Dataset:
    return decode(name, _read(name, place), progress=progress)


def _read(name: str, place: Path) -> dict[str, Samples]:
    """Read and verify a dataset as published."""
    try:
        samples = SOURCES[name].read(place)
        verify(name, samples)
        return samples
    except Exception as error:  # readers of numpy, Pillow, torchvision, tar and zip raise almost anything on bad files
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            raise _unwritable(Path(tempfile.gettempdir()), "TMPDIR", error) from error
        remedy = f"replace it, or unset HQNN_DATA and run `python -m hqnn data {name}`"
        if name == "digits":
            remedy = "reinstall scikit-learn"
        title = SOURCES[name].title
        raise DamagedDatasetError(f"{place} is not the published {title} ({_reason(error)}): {remedy}") from error


def _read_cache(name: str) -> Dataset | None:
    """The cached dataset, or None when there is none or its file is damaged.

    The fingerprint was verified when the file was written; reading verifies its checksums (CRC-32 of every array).
    """
    source = SOURCES[name]
    try:
        with _cache_file(name).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["fingerprint"]) != source.fingerprint:
                return None
            train, test = (
                Split(torch.from_numpy(file[f"{split}_images"]), torch.from_numpy(file[f"{split}_labels"]))
                for split in ("train", "test")
            )
    except Exception:  # a damaged header makes numpy raise almost anything
        return None
    return Dataset(name, source.classes, train, test, source.fingerprint)


def _write_cache(dataset: Dataset) -> Path:
    """Write a dataset to the cache, wholly or not at all."""
    path, content = _cache_file(dataset.name), io.BytesIO()
    arrays: dict[str, Any] = {"fingerprint": dataset.fingerprint}
    for name, split in (("train", dataset.train), ("test", dataset.test)):
        arrays |= {f"{name}_images": split.images.numpy(), f"{name}_labels": split.labels.numpy()}
    np.savez(content, **arrays)
    try:
        storage.write_atomically(path, content.getvalue())
    except OSError as error:
        raise _unwritable(path, "HQNN_CACHE", error) from error
    return path


def _unwritable(path: Path, variable: str, error: OSError) -> HqnnError:
    return HqnnError(
        f"{path} cannot be written ({_reason(error)}): make room there, or set {variable} to another folder"
    )


def _reason(error: BaseException) -> str:
    """What went wrong in a few words on one line."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return _reason(error.reason)
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return textwrap.shorten(text, 240, placeholder=" …") or type(error).__name__


# --- fetching


def fetch(name: str, *, progress: bool = True) -> Path:
    """Make sure that a dataset is in the cache: from `HQNN_DATA` where that has it, else by download.

    Args:
        name: One of `NAMES`.
        progress: Show progress bars on standard error.

    Returns:
        The file that now holds it.

    Raises:
        MissingDatasetError: It cannot be downloaded.
        DamagedDatasetError: What `HQNN_DATA` has is not the published dataset.
        HqnnError: Unknown name, or the disk is full or cannot be written.
    """
    get(name)
    if _read_cache(name) is not None:
        return _cache_file(name)
    place = _provided(name)
    if name == "digits" and place is not None:
        return place
    return _write_cache(_download(name, progress) if place is None else _build(name, place, progress=progress))


def _download(name: str, progress: bool) -> Dataset:
    """Download and verify a dataset; once more from scratch if it was interrupted or what came is damaged."""
    source, reason = SOURCES[name], ""
    for _ in range(2):
        try:
            with tempfile.TemporaryDirectory() as folder:
                with _timeout(), contextlib.nullcontext() if progress else contextlib.redirect_stderr(io.StringIO()):
                    source.download(Path(folder))
                place = _find(name, Path(folder))
                assert place is not None, "what is downloaded is one of the dataset's forms"
                return _build(name, place, progress=progress)
        except DamagedDatasetError as error:
            reason = _reason(error.__cause__ or error)
        except (OSError, RuntimeError, http.client.HTTPException) as error:  # the last two: torchvision's and urllib's
            if isinstance(error, OSError) and error.errno in _DISK_FULL:
                raise _unwritable(Path(tempfile.gettempdir()), "TMPDIR", error) from error
            reason = _reason(error)
    raise MissingDatasetError(
        f"{source.title} could not be downloaded from {source.origin} ({reason}): run `python -m hqnn data {name}` "
        f"again with a working network, or {_LAYOUT}"
    )


@contextlib.contextmanager
def _timeout() -> Iterator[None]:
    """Give up on a silent server, for which torchvision would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
