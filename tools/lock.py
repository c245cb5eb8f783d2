"""Pin what the project needs: write `requirements.lock` from the versions that the environment holds, with hashes.

Only hqnn's own requirements, those of its extra `dev`, and what these need in turn are pinned; whatever else was
installed stays out. uv looks up the hashes of every file of these versions, so that none but these is installed, from
whichever mirror, and adds what only other systems need, under its condition.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.audit import LIBRARY

ROOT = Path(__file__).resolve().parents[1]
OLDEST = "3.11.0"
"""The first Python that must be able to install the set."""
HEADER = "# The exact set the tests run with, on Python 3.11; `make lock` writes it from .venv.\n"


def needed(requirements: list[str]) -> dict[str, str]:
    """Everything that a list of requirements installs here.

    Args:
        requirements: As in `pyproject.toml`.

    Returns:
        Installed version by name, sorted by name.

    Raises:
        importlib.metadata.PackageNotFoundError: A requirement is not installed.
    """
    versions: dict[str, str] = {}
    done: set[tuple[str, str]] = set()
    todo = [(Requirement(text), "") for text in requirements]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found = distribution(name)
        versions[name] = found.version
        for wanted in {"", *requirement.extras} - {extra for known, extra in done if known == name}:
            done.add((name, wanted))
            todo += [(Requirement(text), wanted) for text in found.requires or []]
    return dict(sorted(versions.items()))


def compiled(versions: dict[str, str]) -> str:
    """The text of a lock file without its first line: these versions, and the sha256 of each of their files.

    Raises:
        subprocess.CalledProcessError: A package is not to be had at its version, or uv is not installed.
    """
    extras = (option for name in (*LIBRARY, "dev") for option in ("--extra", name))
    with tempfile.TemporaryDirectory() as folder:
        pins, out = Path(folder) / "pins.txt", Path(folder) / "lock.txt"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *extras, "--constraint", str(pins)]
        command += ["--universal", "--python-version", OLDEST, "--generate-hashes", "--quiet"]
        command += ["--no-annotate", "--no-header", "--output-file", str(out)]
        subprocess.run(command, check=True, cwd=ROOT)
        return out.read_text(encoding="utf-8")


def main() -> None:
    """Write the lock file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    versions = needed([*project["dependencies"], *(line for name in (*LIBRARY, "dev") for line in extras[name])])
    (ROOT / "requirements.lock").write_text(HEADER + compiled(versions), encoding="utf-8")


if __name__ == "__main__":
    main()
