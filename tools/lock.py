"""Pin what the project needs: write `requirements.lock` from the versions that the environment holds.

Only hqnn's own requirements, those of its extra `dev`, and what these need in turn are pinned; whatever else was
installed stays out. Packages that exist for Linux only get the marker that says so: the file installs elsewhere too.
"""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.audit import LIBRARY

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# The exact set the tests run with, on Python 3.11; `make lock` writes it from .venv.\n"
LINUX_ONLY = re.compile(r"(cuda|nvidia)-|triton$")


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


def lock_lines(versions: dict[str, str]) -> list[str]:
    """The lines of a lock file, from versions by name."""
    return [
        f"{name}=={version}" + ('; sys_platform == "linux"' if LINUX_ONLY.match(name) else "")
        for name, version in versions.items()
    ]


def main() -> None:
    """Write the lock file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    versions = needed([*project["dependencies"], *(line for name in (*LIBRARY, "dev") for line in extras[name])])
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join(lock_lines(versions)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
