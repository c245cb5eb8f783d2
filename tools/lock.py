"""Pin what the environment holds: write `requirements.lock` from `pip freeze`.

Packages that exist for Linux only get the marker that says so, so that the file installs elsewhere too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
HEADER = "# The exact set the tests run with, on Python 3.11; `make lock` writes it from .venv.\n"
LINUX_ONLY = re.compile(r"(cuda|nvidia)-|triton==")


def lock_lines(freeze: str) -> list[str]:
    """Turn the lines of `pip freeze` into those of the lock file.

    Args:
        freeze: What `pip freeze` printed.

    Returns:
        One `name==version` a line, sorted as given, with a marker on packages that exist for Linux only.

    Raises:
        ValueError: A line that pins no version, such as an install from a path.
    """
    lines = []
    for line in freeze.splitlines():
        if not re.fullmatch(r"[\w.-]+==[\w.!+-]+", line):
            raise ValueError(f"`{line}` pins no released version; install the package by name and version first")
        lines.append(f'{line}; sys_platform == "linux"' if LINUX_ONLY.match(line) else line)
    return lines


def main() -> None:
    """Write the lock file."""
    command = [sys.executable, "-m", "pip", "freeze", "--exclude-editable"]
    freeze = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    LOCK.write_text(HEADER + "\n".join(lock_lines(freeze)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
