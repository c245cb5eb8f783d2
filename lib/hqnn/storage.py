"""Where the book's data are, and files that are either whole or absent: atomic writes, tensors, canonical JSON."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from hqnn.errors import HqnnError

if TYPE_CHECKING:  # it takes seconds, and only weights need it
    import torch

DATA = Path(__file__).resolve().parents[2] / "data"
"""The repository's data folder, found from the package's own location; without a clone there is none."""


def in_clone() -> bool:
    """Whether this package lies in a clone of the repository, and not among an environment's packages."""
    return (DATA / "claims").is_dir()


def data_folder(root: Path | None = None, *, may_be_new: bool = False) -> Path:
    """The folder of ledger, records and analyses that a command works on; by default the repository's.

    Raises:
        HqnnError: It is not a folder that can be read, or none is named and this is no clone of the repository.
    """
    if root is None or root == DATA:
        if not in_clone():
            raise HqnnError(
                f"The book's records are not here ({DATA} is not its data folder): run from a clone of the repository "
                "or give --root FOLDER."
            )
        return DATA
    try:
        next(root.iterdir(), None)
    except OSError as error:
        if not (may_be_new and isinstance(error, FileNotFoundError)):
            raise HqnnError(f"{root} cannot be read ({error.strerror}): name another folder with --root.") from error
    return root


def check_folders(folders: Iterable[Path]) -> None:
    """Make these folders and write to each, so that nothing is computed that cannot be stored; else an HqnnError."""
    for folder in sorted(set(folders)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            TemporaryFile(dir=folder).close()
        except OSError as error:
            raise HqnnError(
                f"Nothing can be written to {folder} ({error.strerror}): make that possible or choose another folder."
            ) from error


def cache_folder() -> Path:
    """Where to keep what can be fetched or computed again: the git-ignored `data/cache`, or the user's own cache."""
    if in_clone():
        return DATA / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hqnn"


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader, or a crash at any moment, sees the old file or the new one.

    Raises:
        HqnnError: The disk is full or over quota, and `path` is as it was; or it would lie beside an environment's
            packages, where the book's data are not.
    """
    if path.is_relative_to(DATA):
        data_folder()
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HqnnError(
                f"No space left to write {path}: free some and repeat the command; everything already stored is intact."
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def pack_tensors(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, Any] | None = None) -> bytes:
    """Named tensors, and JSON-able metadata, in the safetensors format; equal arguments give equal bytes."""
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    return save(plain, None if metadata is None else {"json": json.dumps(metadata)})


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read what `pack_tensors` packed: tensors by name (on the CPU), and metadata.

    Raises:
        HqnnError: The file is truncated or not a safetensors file.
        FileNotFoundError: There is no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            # Copies, because what get_tensor returns is mapped to the file and may be written to by its user.
            return {name: file.get_tensor(name).clone() for name in file.keys()}, json.loads(header.get("json", "{}"))  # noqa: SIM118
    except (SafetensorError, ValueError, RuntimeError) as error:
        if not path.exists():  # removed while it was opened, which torch reports in its own way
            raise FileNotFoundError(f"There is no {path}.") from error
        raise HqnnError(f"{path} is damaged ({error}): delete it and repeat the command that made it.") from error


def canonical_json(value: Any) -> str:
    """One text per value: sorted keys, no spaces, every float in its shortest exact form, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """The sha256 (hexadecimal) of a JSON-able value, independent of the order of keys."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
