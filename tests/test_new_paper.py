"""A paper is a folder: one is dropped into a copy of this project, and no other file is touched."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from toy import environment

ROOT = Path(__file__).parents[1]
PAPER = Path(__file__).parent / "new_paper"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without records and with one ledger: the folder, the ledger and the page of a new paper."""
    copy = tmp_path_factory.mktemp("project")
    no_caches = shutil.ignore_patterns("__pycache__")
    for folder in ("lib/hqnn", "tools", "book/_static"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=no_caches)
    for file in ("pyproject.toml", "_config.yml", "book/references.bib", "book/ruff.toml"):
        shutil.copy(ROOT / file, copy / file)
    shutil.copytree(PAPER / "sample", copy / "lib/hqnn/papers/sample", ignore=no_caches)
    (copy / "data/claims").mkdir(parents=True)
    shutil.copy(PAPER / "sample.yaml", copy / "data/claims/sample.yaml")
    (copy / "book/sample").mkdir()
    shutil.copy(PAPER / "page.py", copy / "book/sample/01-sample.py")
    (copy / "_toc.yml").write_text("format: jb-book\nroot: book/sample/01-sample\n")
    return copy


def run(project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c" if " " in command[0] else "-m", *command],
        cwd=project,
        env={**environment(), "PYTHONPATH": f"{project / 'lib'}:{project}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_paper_runs_is_judged_and_built(project: Path) -> None:
    assert run(project, "hqnn", "run", "sample-digits", "--quiet") == "6 runs done, 0 were there already.\n"
    assert "sample-digits: Two qubits and none on digits 0 and 1\n" in run(project, "hqnn", "list")
    run(project, "hqnn", "claims", "--update")
    verdicts = {row["id"]: row for row in json.loads(run(project, "hqnn", "claims", "--paper", "sample", "--json"))}
    assert verdicts["P1-weights"]["verdict"] == "reproduced"
    assert verdicts["P2-linear"]["n_seeds"] == verdicts["P2-better"]["n_seeds"] == 3
    run(project, "tools.notebooks", "build", "book/sample/01-sample.py")
    cells = nbformat.read(project / "book/sample/01-sample.ipynb", as_version=4).cells
    shown = "".join(
        str(output.get("text", "") or output.get("data", "")) for cell in cells for output in cell.get("outputs", [])
    )
    assert "def sample_circuit() -> Circuit:" in shown
    assert "| two qubits | 3 |" in shown
    build = "from jupyter_book.cli.main import main; main()"
    run(project, build, "build", ".", "--all", "-W", "-n", "--keep-going", "--quiet")
    assert "sample_circuit" in (project / "_build/html/book/sample/01-sample.html").read_text(encoding="utf-8")
