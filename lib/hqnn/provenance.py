"""How results come about: the code, the versions of what it stands on, the machine."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hqnn import storage
from hqnn.storage import DATA

_PACKAGES = ("torch", "numpy", "qiskit", "hqnn")


@cache
def code_digest() -> str:
    """The sha256 over this package's source files."""
    package = Path(__file__).parent
    files = sorted(package.rglob("*.py"))
    return storage.digest([[str(f.relative_to(package)), hashlib.sha256(f.read_bytes()).hexdigest()] for f in files])


@cache
def environment() -> dict[str, Any]:
    """Code, versions and processor, as they were when first asked for in this process."""
    commit = _git("rev-parse", "HEAD") if storage.in_clone() else None  # not that of a repository around an environment
    changes = _git("status", "--porcelain", "--", "lib") if commit else None
    return {
        "git_commit": commit,
        "git_dirty": None if changes is None else bool(changes),
        "code": code_digest(),
        "versions": {"python": platform.python_version(), **installed(*_PACKAGES)},
        "processor": _processor(),
    }


def installed(*packages: str) -> dict[str, str]:
    """The versions of those packages that are installed; this one may be run from a source tree that is not."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=DATA.parent, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):  # no git, or not a clone
        return None
    return done.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
