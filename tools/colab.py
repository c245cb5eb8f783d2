"""Run the book's notebooks as Google Colab runs them: at the versions it has, each alone, by its own first cell.

    python -m tools.colab [--freeze tools/colab-2026-08.txt] [NOTEBOOK…]   # `make colab`
    python -m tools.colab --here [NOTEBOOK…]                               # in this environment: Colab's own image

A freeze is a list of what a runtime has that the book needs, too; its first lines say which Python, when, and whence.
What is installed besides comes from the first cell of the notebooks. Nothing is compared: other versions round
otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.notebooks import bootstrap, notebooks
from tools.repository import ROOT, address

FREEZES = sorted((ROOT / "tools").glob("colab-*.txt"))
RUNNER = """
import sys, nbformat, pathlib
from nbclient import NotebookClient
path = pathlib.Path(sys.argv[1])
notebook = nbformat.read(path, as_version=4)
NotebookClient(notebook, timeout=1200, kernel_name="python3", resources={"metadata": {"path": path.parent}}).execute()
"""


@dataclass(frozen=True)
class Freeze:
    """What a runtime has: its Python, such as 3.13, the date of it, and requirements as pip takes them."""

    python: str
    date: str
    requirements: tuple[str, ...]

    @property
    def interpreter(self) -> str | None:
        """An interpreter of that Python on this machine; a version manager's stand-in may lead to none."""
        found = shutil.which(f"python{self.python}")
        if found is None or subprocess.run([found, "--version"], capture_output=True, check=False).returncode:
            return None
        return found


def read(path: Path) -> Freeze:
    """A freeze from its file.

    Raises:
        ValueError: The file does not say which Python it is of, or when it was published.
    """
    text = path.read_text(encoding="utf-8")
    found = {key: re.search(rf"^# {key}: (\S+)$", text, re.MULTILINE) for key in ("python", "date")}
    python, date = found["python"], found["date"]
    if python is None or date is None:
        raise ValueError(f"{path.name} has no line '# python: 3.x' or no line '# date: YYYY-MM'")
    kept = (line.partition("#")[0].strip() for line in text.splitlines())
    return Freeze(python[1], date[1], tuple(line for line in kept if line))


def environment(freeze: Freeze, folder: Path) -> Path:
    """The interpreter of a new virtual environment that has what the freeze lists, and a kernel.

    Raises:
        FileNotFoundError: This machine has no interpreter of that version.
    """
    if freeze.interpreter is None:
        raise FileNotFoundError(f"there is no python{freeze.python} on this machine")
    subprocess.run([freeze.interpreter, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "ipykernel", *freeze.requirements], check=True)
    return python


def install(python: Path, folder: Path) -> str:
    """Run the notebooks' first cell as in Colab, on a copy of this repository; the line that it prints."""
    shutil.copytree(ROOT, folder / "book", ignore=shutil.ignore_patterns(".git", ".venv", "_build", ".*_cache"))
    cell = bootstrap(address()).replace("/content", str(folder))
    cell = f"import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n{cell}"
    done = subprocess.run([python, "-c", cell], check=True, stdout=subprocess.PIPE, text=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "nbclient"], check=True)
    return done.stdout.strip()


def run(python: Path, notebook: Path) -> str:
    """Execute one notebook alone, in a process of its own; what went wrong, or nothing."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}
    environ.pop("PYTHONPATH", None)
    done = subprocess.run([python, "-c", RUNNER, notebook], env=environ, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]


def check(python: Path, folder: Path, chosen: Sequence[Path]) -> int:
    """Install the book as its first cell does, and run notebooks one by one; how many failed."""
    print(install(python, folder), flush=True)
    failed = 0
    for notebook in chosen:
        place = notebook.resolve().relative_to(ROOT)
        fault = run(python, folder / "book" / place)
        failed += bool(fault)
        print(f"{place}: {fault or 'runs'}", flush=True)
    return failed


def main() -> int:
    """Run notebooks at the versions of one freeze, of all whose Python is present, or of this environment."""
    parser = argparse.ArgumentParser(prog="python -m tools.colab", description="Run the notebooks as Colab does.")
    parser.add_argument("--freeze", type=Path, help="one freeze; all of tools/colab-*.txt where none is named")
    parser.add_argument("--here", action="store_true", help="in this environment, whatever it has")
    parser.add_argument("notebooks", nargs="*", type=Path, help="files; all notebooks where none is named")
    arguments = parser.parse_args()
    chosen, failed = arguments.notebooks or notebooks(), 0
    for path in [None] if arguments.here else [arguments.freeze] if arguments.freeze else FREEZES:
        with tempfile.TemporaryDirectory(prefix="colab-") as name:
            folder = Path(name)
            if path is None:
                failed += check(Path(sys.executable), folder, chosen)
                continue
            freeze = read(path)
            if freeze.interpreter is None:
                print(f"{path.name}: left out, there is no python{freeze.python} here")
                continue
            print(f"{path.name}: Python {freeze.python}, {len(freeze.requirements)} packages", flush=True)
            failed += check(environment(freeze, folder / "env"), folder, chosen)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
