"""Where datasets are on this machine: the cache, the folder `HQNN_DATA`, and what `fetch` brings from the network."""

from __future__ import annotations

import contextlib
import errno
import http.client
import importlib.metadata
import io
import os
import tempfile
import textwrap
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hqnn import storage
from hqnn.datasets.sources import SOURCES, Dataset, Samples, Split, decode, fingerprint, get
from hqnn.datasets.unverified import careful_downloads, read_arrays
from hqnn.errors import HqnnError

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LAYOUT = "set HQNN_DATA to a folder that has it (its layout: data/README.md)"


class MissingDatasetError(HqnnError):
    """The dataset is not on this machine and could not be, or was not to be, downloaded."""


class DamagedDatasetError(HqnnError):
    """Files are there but are not the published dataset."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """Where a dataset is on this machine."""

    name: str
    """One of `NAMES`."""
    state: str
    """What `load` would use: `cached`, `HQNN_DATA` or `bundled`; else `absent`."""
    images: int
    """Number of images of the whole dataset."""
    n_bytes: int | None
    """Size on disk; None when absent."""
    source: str
    """The file or folder that holds it, or where it would come from."""


# --- looking


def cache_folder() -> Path:
    """Where what was fetched or computed is kept: `HQNN_CACHE`, or what `storage` has for it.

    Raises:
        HqnnError: `HQNN_CACHE` names the home folder of nobody.
    """
    return _named("HQNN_CACHE") or storage.cache_folder()


def _named(variable: str) -> Path | None:
    """The folder that an environment variable names, if it is set."""
    text = os.environ.get(variable)
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:
        raise HqnnError(
            f"{variable}={text} begins with a home folder that cannot be found: set {variable} to another folder"
        ) from error


def _cache_file(name: str) -> Path:
    return cache_folder() / f"{name}.npz"


def _find(name: str, folder: Path) -> Path | None:
    """The place in a folder where a dataset lies in one of its forms; None also where the folder cannot be read."""
    places = (place for form in SOURCES[name].forms for place in sorted(folder.glob(form)))
    with contextlib.suppress(OSError):
        return next((place for place in places if place.is_file() or place.is_dir()), None)
    return None


def _is_file(path: Path) -> bool:
    """Whether there is such a file; not where its folder cannot be searched."""
    with contextlib.suppress(OSError):
        return path.is_file()
    return False


def _provided(name: str) -> Path | None:
    """The place outside the cache where a dataset lies, if any: in scikit-learn, or in `HQNN_DATA`."""
    if name == "digits":  # found without importing scikit-learn, which is slow
        package = importlib.metadata.distribution("scikit-learn")
        return Path(str(package.locate_file("sklearn/datasets/data/digits.csv.gz")))
    folder = _named("HQNN_DATA")
    return _find(name, folder) if folder else None


def _absence(name: str) -> str:
    """That a dataset is not where the user has it looked for, and why if that cannot be read."""
    title, folder = SOURCES[name].title, _named("HQNN_DATA")
    if folder is None:
        return f"{title} is not on this machine"
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        return f"{title} is not in HQNN_DATA={folder} ({_reason(error)})"
    return f"{title} is not in HQNN_DATA={folder}"


def _used(name: str) -> tuple[str, Path | None]:
    """What `load` would use, and where that is; looks at file names only."""
    if _is_file(_cache_file(name)):
        return "cached", _cache_file(name)
    if (place := _provided(name)) is None:
        return "absent", None
    return "bundled" if name == "digits" else "HQNN_DATA", place


def is_available(name: str) -> bool:
    """Whether `load` would find the dataset; looks at file names only.

    Raises:
        HqnnError: Unknown name, or `HQNN_DATA` or `HQNN_CACHE` names the home folder of nobody.
    """
    get(name)
    return _used(name)[1] is not None


def status() -> list[Status]:
    """Where each dataset is on this machine, in the order of `NAMES`; looks at file names and sizes only.

    Raises:
        HqnnError: `HQNN_DATA` or `HQNN_CACHE` names the home folder of nobody.
    """
    rows = []
    for name, source in SOURCES.items():
        state, place = _used(name)
        n_bytes, where = (None, source.origin) if place is None else (_size(place), str(place))
        rows.append(Status(name=name, state=state, images=source.n_images, n_bytes=n_bytes, source=where))
    return rows


def _size(place: Path) -> int:
    """Bytes in a file or folder."""
    return sum(path.stat().st_size for path in (place, *place.rglob("*")) if _is_file(path))


# --- reading and keeping


def load(name: str) -> Dataset:
    """A dataset in canonical order, from the cache or from `HQNN_DATA`; never from the network.

    What is read from `HQNN_DATA` is kept in the cache where that can be written, which makes the next call fast.

    Raises:
        MissingDatasetError: It is in neither place.
        DamagedDatasetError: The files in `HQNN_DATA` are not the published ones.
        HqnnError: Unknown name, or the disk is full.
    """
    get(name)
    if (cached := _read_cache(name)) is not None:
        return cached
    if (place := _provided(name)) is not None:
        dataset = _build(name, place)
        if name != "digits":
            with contextlib.suppress(HqnnError):  # a full or read-only cache costs time, nothing else
                _write_cache(dataset)
        return dataset
    problem = f"{_cache_file(name)} is damaged" if _is_file(_cache_file(name)) else _absence(name)
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
        samples = SOURCES[name].read(place, SOURCES[name].limit)
        found, expected = fingerprint(samples), SOURCES[name].fingerprint
        if found != expected:
            n_images = sum(map(len, samples.values()))
            raise ValueError(f"{n_images} images with fingerprint {found[:12]}… instead of {expected[:12]}…")
        return samples
    except Exception as error:  # readers of numpy, Pillow, tar and zip raise almost anything on bad files
        remedy = f"replace it, or unset HQNN_DATA and run `python -m hqnn data {name}`"
        if name == "digits":
            remedy = "reinstall scikit-learn"
        title = SOURCES[name].title
        raise DamagedDatasetError(f"{place} is not the published {title} ({_reason(error)}): {remedy}") from error


def _read_cache(name: str) -> Dataset | None:
    """The cached dataset, or None when there is none or its file is damaged.

    The fingerprint was verified when the file was written; reading verifies its checksums (CRC-32 of every array).
    """
    source, path = SOURCES[name], _cache_file(name)
    if not _is_file(path):
        return None
    names = ("fingerprint", "train_images", "train_labels", "test_images", "test_labels")
    try:
        stored, *arrays = read_arrays(path, names, source.limit)
        if str(stored) != source.fingerprint:
            return None
        tensors = [torch.from_numpy(array) for array in arrays]
        train, test = Split(*tensors[:2]), Split(*tensors[2:])
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
                quiet = contextlib.nullcontext() if progress else contextlib.redirect_stderr(io.StringIO())
                with careful_downloads(source.limit), quiet:
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
        f"{_absence(name)} and could not be downloaded from {source.origin} ({reason}): run "
        f"`python -m hqnn data {name}` again with a working network, or {_LAYOUT}"
    )
