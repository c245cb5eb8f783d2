"""The repository itself: notebooks and their twins, address, links, requirements. Each check is shown to fail too."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from packaging.specifiers import SpecifierSet
from toy import environment

import hqnn
from tools import audit, readme
from tools.lock import OLDEST, needed
from tools.notebooks import METADATA, build, normalise, notebooks, text_twin
from tools.repository import ROOT, Address, address, read_text, rewrite, tracked_files, uses

NOTEBOOKS = notebooks()
HERE = address()
ADDRESSED = ("README.md", "CITATION.cff", "_config.yml", "pyproject.toml", "CONTRIBUTING.md")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    found = {path.relative_to(ROOT).as_posix(): read_text(path) for path in tracked_files()}
    return {name: text for name, text in found.items() if text is not None}


# --- notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_notebook_is_fit_to_publish(path: Path) -> None:
    assert audit.notebook_faults(nbformat.read(path, as_version=4), HERE) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_notebook_and_text_twin_are_one_program(path: Path) -> None:
    assert path.with_suffix(".py").read_text(encoding="utf-8") == text_twin(path)


def test_there_are_notebooks_and_every_text_twin_has_one() -> None:
    assert NOTEBOOKS
    twins = {path for path in tracked_files() if path.is_relative_to(ROOT / "book") and path.suffix == ".py"}
    assert twins == {path.with_suffix(".py") for path in NOTEBOOKS}


TABLE = "| a | b |\n| :-- | --: |\n| 1 | 2 |"
CAPTIONED = {"markdown": f"Two numbers.\n\n{TABLE}", "html": "<table><caption>Two.</caption></table>"}


def sound_notebook() -> NotebookNode:
    """A small notebook without a fault."""
    image = {"image/png": "iVBORw0KGgo=", "text/plain": "A line that rises."}
    caption = {"text/markdown": "A line.", "text/plain": "A line."}
    figure = new_code_cell("draw()", execution_count=2)
    figure.outputs = [new_output("display_data", data=image), new_output("display_data", data=caption)]
    tables = (new_output("display_data", data={f"text/{kind}": text}) for kind, text in CAPTIONED.items())
    plain = new_code_cell("print(1)", execution_count=3, outputs=[new_output("stream", name="stdout", text="1\n")])
    plain.outputs += list(tables)
    notebook = new_notebook(cells=[new_markdown_cell("# Title\n\nText with $x$."), figure, plain])
    normalise(notebook)
    notebook.cells[1].execution_count = 1
    return notebook


SPOILED: dict[str, tuple[str, Callable[[NotebookNode], object]]] = {
    "count": ("executed", lambda n: n.cells[-1].update(execution_count=None)),
    "order": ("executed", lambda n: [cell.update(execution_count=5 - cell.execution_count) for cell in n.cells[-2:]]),
    "stderr": ("standard error", lambda n: n.cells[-1].outputs[0].update(name="stderr")),
    "error": (
        "error",
        lambda n: n.cells[-1].update(outputs=[new_output("error", ename="E", evalue="e", traceback=[])]),
    ),
    "no bootstrap": (
        "first code cell",
        lambda n: [n.cells.pop(1), *(cell.update(execution_count=k) for k, cell in enumerate(n.cells[1:], 1))],
    ),
    "other bootstrap": ("differs", lambda n: n.cells[1].update(source=f"{n.cells[1].source}\nprint(1)")),
    "second bootstrap": ("no other", lambda n: n.cells[-1].metadata.update(tags=["bootstrap"])),
    "metadata": ("metadata", lambda n: n.metadata.kernelspec.update(name="my-kernel")),
    "title": ("title", lambda n: n.cells[0].update(source="Text")),
    "directive": ("MyST", lambda n: n.cells[0].update(source="# Title\n\n:::{note}\nText\n:::")),
    "role": ("MyST", lambda n: n.cells[0].update(source="# Title\n\n{cite:p}`liu2024lean`")),
    "function": ("defines", lambda n: n.cells[-1].update(source=FUNCTION)),
    "alt": ("alternative text", lambda n: n.cells[2].outputs[0].data.update({"text/plain": "<Figure with 1 Axes>"})),
    "caption": ("image without a caption", lambda n: n.cells[2].outputs.pop(1)),
    "table": ("table without a caption", lambda n: n.cells[-1].outputs[1].data.update({"text/markdown": TABLE})),
    "HTML": ("table without a caption", lambda n: n.cells[-1].outputs[2].data.update({"text/html": "<table></table>"})),
    "table in prose": ("holds a table", lambda n: n.cells[0].update(source=f"# Title\n\n{TABLE}")),
    "memory": ("memory", lambda n: n.cells[-1].outputs[0].update(text="<object at 0x7f0123456789>")),
    "svg": ("SVG", lambda n: n.cells[2].outputs[0].data.update({"image/svg+xml": "<svg><metadata>1</metadata></svg>"})),
}
FUNCTION = "def f():\n    return 1"


@pytest.mark.parametrize("how", SPOILED)
def test_spoiled_notebook_is_found(how: str) -> None:
    notebook, (word, spoil) = sound_notebook(), SPOILED[how]
    assert audit.notebook_faults(notebook, HERE) == []
    spoil(notebook)
    (fault,) = audit.notebook_faults(notebook, HERE)
    assert word in fault


def test_cell_tagged_lesson_may_define() -> None:
    notebook = sound_notebook()
    notebook.cells[-1].update(source=FUNCTION, metadata=NotebookNode(tags=["lesson"]))
    assert audit.notebook_faults(notebook, HERE) == []


def test_normal_form_is_reached_in_one_step() -> None:
    notebook = new_notebook(cells=[new_markdown_cell("# T"), new_code_cell("1")], metadata={"author": "x"})
    normalise(notebook)
    assert notebook.metadata == METADATA
    assert [cell.id for cell in notebook.cells] == ["cell-00", "cell-01", "cell-02"]
    again = copy.deepcopy(notebook)
    normalise(again)
    assert again == notebook


def test_text_twin_shows_a_changed_cell(tmp_path: Path) -> None:
    notebook = sound_notebook()
    nbformat.write(notebook, tmp_path / "a.ipynb")
    notebook.cells[-1].source = "print(2)"
    nbformat.write(notebook, tmp_path / "b.ipynb")
    first, second = text_twin(tmp_path / "a.ipynb"), text_twin(tmp_path / "b.ipynb")
    assert "print(1)" in first
    assert second == first.replace("print(1)", "print(2)")


def test_notebook_is_built_from_its_text_twin(tmp_path: Path) -> None:
    twin = tmp_path / "a.py"
    twin.write_text("# %% [markdown]\n# # Title\n\n# %%\nx=1\nprint( x )\n", encoding="utf-8")
    build(twin)
    notebook = nbformat.read(tmp_path / "a.ipynb", as_version=4)
    assert audit.notebook_faults(notebook, HERE) == []
    assert notebook.cells[-1].source == "x = 1\nprint(x)"
    assert notebook.cells[-1].outputs == [{"name": "stdout", "output_type": "stream", "text": "1\n"}]
    assert twin.read_text(encoding="utf-8") == text_twin(tmp_path / "a.ipynb")


def test_failed_build_leaves_both_files_as_they_were(tmp_path: Path) -> None:
    twin, notebook = tmp_path / "a.py", tmp_path / "a.ipynb"
    twin.write_text("# %%\n1/0\n", encoding="utf-8")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        build(twin)
    assert twin.read_text(encoding="utf-8") == "# %%\n1/0\n"
    assert not notebook.exists()


# --- table of contents


def pages() -> list[str]:
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    return [name for name in names if name.startswith("book/") and name.endswith((".md", ".ipynb"))]


@pytest.mark.parametrize("name", [name for name in pages() if name.endswith(".md")])
def test_tables_of_a_markdown_page_have_captions(name: str) -> None:
    assert audit.page_faults((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("fence", ["```", "````", ":::"])
def test_a_table_without_a_caption_is_found(fence: str) -> None:
    captioned = f"# Title\n\n{fence}{{table}} Two numbers.\n{TABLE}\n{fence}\n"
    assert audit.page_faults(captioned) == []
    for without in (captioned.replace(" Two numbers.", ""), f"{captioned}\nText.\n\n{TABLE}\n"):
        (fault,) = audit.page_faults(without)
        assert "without a caption" in fault


def test_table_of_contents_lists_every_page_once() -> None:
    assert audit.toc_faults((ROOT / "_toc.yml").read_text(encoding="utf-8"), pages()) == []


def test_table_of_contents_faults_are_found() -> None:
    toc = "root: book/a\nparts:\n- chapters:\n  - file: book/b\n  - file: book/b\n"
    assert audit.toc_faults(toc, ["book/a.md", "book/c.ipynb"]) == [
        "book/c is not listed in _toc.yml",
        "_toc.yml lists book/b, which does not exist",
        "_toc.yml lists book/b, which does not exist",
        "_toc.yml lists book/b twice",
    ]


# --- address, hosts, links, files


def test_public_address_is_the_same_everywhere(texts: dict[str, str]) -> None:
    files = {name: text for name, text in texts.items() if not name.startswith("tests/")}  # they make addresses up
    assert audit.address_faults(files, HERE, ADDRESSED) == []


def test_address_faults_are_found() -> None:
    of = Address("us", "book")
    stale = {"README.md": "see github.com/us/old-book.", "_config.yml": of.url}
    assert audit.address_faults(stale, of, ["README.md"]) == [
        "README.md does not name https://github.com/us/book",
        "README.md names the repository us/old-book, which is neither this one nor a known other",
    ]


def test_address_is_rewritten_in_all_its_forms() -> None:
    old, new = Address("Us", "book"), Address("Them", "other.book")
    forms = [old.url, f"{old.url}.git", f"{old.pages}/primer.html", old.colab("book/a.ipynb"), f"{old.url}-not-this"]
    text = "\n".join(forms)
    assert len(uses(text, old)) == 4
    assert rewrite(text, old, new).splitlines() == [
        "https://github.com/Them/other.book",
        "https://github.com/Them/other.book.git",
        "https://them.github.io/other.book/primer.html",
        "https://colab.research.google.com/github/Them/other.book/blob/main/book/a.ipynb",
        "https://github.com/Us/book-not-this",
    ]


@pytest.mark.parametrize("url", ["", "github.com/a/b", "https://example.org/a/b", "https://github.com/a", "a b"])
def test_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no address of the form"):
        Address.parse(url)
    assert Address.parse("https://github.com/a-b/c.d.git") == Address("a-b", "c.d")


def test_no_file_names_a_foreign_host_or_a_path_of_one_machine(texts: dict[str, str]) -> None:
    found = {name: audit.host_faults(name, text, HERE) for name, text in texts.items()}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_hosts_and_paths_are_found() -> None:
    path = "/".join(("", "home", "me", "data"))
    text = f"see https://arxiv.org/abs/1 and http://example.org/x and {HERE.pages} in {path}"
    faults = ["names the host example.org", f"names a path of one machine: {path[:7]}…"]
    assert audit.host_faults("README.md", text, HERE) == faults
    assert audit.host_faults("tests/test_a.py", f"http://example.org {path}", HERE) == faults[1:]
    assert len(audit.host_faults("lib/hqnn/datasets/sources.py", "https://ossci-datasets.s3.amazonaws.com", HERE)) == 1


def test_shared_folder_is_named_by_the_ci_script_only(texts: dict[str, str]) -> None:
    folder = "/".join(("..", "shared"))
    assert [name for name, text in texts.items() if folder in text] == [".ci/run"]


def markdown(texts: dict[str, str]) -> dict[str, str]:
    found = {name: text for name, text in texts.items() if name.endswith(".md")}
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        prose = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        found[path.relative_to(ROOT).as_posix()] = prose
    return found


def test_every_relative_link_leads_somewhere(texts: dict[str, str]) -> None:
    found = {name: audit.link_faults(text, (ROOT / name).parent) for name, text in markdown(texts).items()}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) ![b](gone.png) [c](https://example.org) `[d](code.md)` [e](#here)"
    assert audit.link_faults(text, tmp_path) == ["links to gone.png, which does not exist"]


def test_no_data_and_no_large_file_is_tracked() -> None:
    paths = tracked_files()
    assert paths
    assert [
        f for path in paths for f in audit.file_faults(path.relative_to(ROOT).as_posix(), path.stat().st_size)
    ] == []


def test_data_and_large_files_are_found() -> None:
    assert audit.file_faults("data/mnist.npz", 10) == ["data/mnist.npz looks like data"]
    assert len(audit.file_faults("book/a.ipynb", 6_000_000)) == 1


# --- requirements, versions, workflows


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_requirements_agree() -> None:
    assert audit.requirement_faults(read("requirements.txt"), read("pyproject.toml"), read("requirements.lock")) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "word"),
    [
        ("requirements.txt", "scipy>=", "scipy>=9", "disagree about scipy"),
        ("requirements.txt", "torchvision>=0.21", "torchvision>=0.20", "not of one release"),
        ("pyproject.toml", '"nbval>=0.11"', '"nbval>=99"', "does not satisfy nbval"),
        ("requirements.lock", "jupyter-book==1.0.4.post1", "jupyter-book==2.0", "does not satisfy jupyter-book"),
        ("requirements.lock", "torchvision==0.", "torchvision==0.1", "not of one release"),
        ("requirements.lock", "tqdm==", "tqdm>=", "does not pin tqdm"),
        ("requirements.lock", "tqdm==", "bare==1\ntqdm==", "has no hash of bare"),
    ],
)
def test_requirement_faults_are_found(name: str, old: str, new: str, word: str) -> None:
    files = {file: read(file) for file in ("requirements.txt", "pyproject.toml", "requirements.lock")}
    assert old in files[name]
    files[name] = files[name].replace(old, new)
    assert any(word in fault for fault in audit.requirement_faults(*files.values()))


def test_the_oldest_python_may_install_what_is_pinned() -> None:
    assert f'requires-python = ">={OLDEST.removesuffix(".0")}"' in read("pyproject.toml")
    for name in re.findall(r"^(\S+)==", read("requirements.lock"), re.MULTILINE):
        with suppress(PackageNotFoundError):  # for another system
            wanted = metadata(name).get_all("Requires-Python") or [""]
            assert SpecifierSet(wanted[0]).contains(OLDEST), f"{name} needs Python {wanted[0]}"


def python_files(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name.endswith(".py")}


def test_everything_imported_is_declared(texts: dict[str, str]) -> None:
    assert audit.import_faults(python_files(texts), read("pyproject.toml"), packages_distributions()) == []


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("lib/hqnn/a.py", "import sympy.core", "sympy"),
        ("lib/hqnn/a.py", "import pytest", "pytest"),
        ("book/a.py", "from yaml import load", "yaml"),
        ("tests/test_a.py", "def f():\n    import pennylane", "pennylane"),
        ("tests/test_a.py", "from no_such.thing import it", "no_such"),
        ("lib/hqnn/a.py", "import numpy, hqnn.runs, os.path\nfrom . import sympy", ""),
        ("tests/test_a.py", "import test_a, pytest", ""),
        ("benchmarks/a.py", "import jax\nfrom tensorcircuit import gates", ""),
    ],
)
def test_undeclared_imports_are_found(file: str, line: str, fault: str) -> None:
    declared = '"numpy>=2"]\noptional-dependencies = {dev = ["pytest"], bench = ["jax", "tensorcircuit-ng"]}'
    found = audit.import_faults({file: line}, f"[project]\ndependencies = [{declared}", {"yaml": ["PyYAML"]})
    assert found == ([f"{file} imports {fault}, which pyproject.toml does not declare for it"] if fault else [])


def test_warnings_as_errors_do_not_keep_pyzx_from_being_compiled(tmp_path: Path) -> None:
    """As at its first import under `python -W error`, or in these tests, which makes errors of its escape sequences."""
    program = "import sys, hqnn.circuit; sys.pycache_prefix = sys.argv[1]; import hqnn.views.zx"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path)],
        env={**environment(), "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.rglob("pyzx/__init__*.pyc"))  # it was compiled here


def test_lock_holds_what_other_systems_need_under_its_condition() -> None:
    pins = {line.partition("==")[0]: line for line in read("requirements.lock").splitlines() if "==" in line}
    assert "sys_platform == 'linux'" in pins["triton"]
    assert "sys_platform == 'win32'" in pins["colorama"]
    assert ";" not in pins["numpy"]


def test_the_matrix_of_versions_is_that_of_the_package() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    jobs = yaml.safe_load(read(".github/workflows/versions.yml"))["jobs"]["unit"]["strategy"]["matrix"]["include"]
    assert {job["python"] for job in jobs} == {"3.11", "3.12", "3.13", "3.14"}
    assert project["requires-python"] == ">=3.11"
    assert {job["resolution"] for job in jobs if job["python"] == "3.11"} == {"lowest-direct", "highest"}
    assert {job["os"].partition("-")[0] for job in jobs} == {"ubuntu", "macos", "windows"}


def test_lock_follows_requirements_and_extras_but_nothing_else() -> None:
    found = needed(["sphinx", 'tqdm; sys_platform == "nowhere"'])
    assert {"sphinx", "jinja2", "markupsafe"} <= found.keys()
    assert not {"tqdm", "torch", "pytest"} & found.keys()
    assert "tornado" not in needed(["dask"])
    assert "tornado" in needed(["dask[distributed]"])


def test_version_is_the_same_everywhere() -> None:
    assert yaml.safe_load(read("CITATION.cff"))["version"] == hqnn.__version__
    assert f"## {hqnn.__version__}" in read("CHANGELOG.md")
    assert (
        tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "hqnn.__version__"
    )


@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert readme.generated(text, readme.PAGES[page]) == text, "run `make readme`"


def test_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no part between"):
        readme.generated("# Title", {"links": readme.links})


@pytest.mark.parametrize(("workflow", "command"), [("test.yml", "make test"), ("pages.yml", "make book")])
def test_workflow_runs_the_documented_command(workflow: str, command: str) -> None:
    (job,) = yaml.safe_load(read(f".github/workflows/{workflow}"))["jobs"].values()
    assert command in [step.get("run") for step in job["steps"]]


@pytest.mark.parametrize("name", [".ci/run", "tools/stage"])
def test_script_is_executable(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)


def test_make_help_lists_every_target() -> None:
    listed = subprocess.run(["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = next(line for line in read("Makefile").splitlines() if line.startswith(".PHONY:")).split()[1:]
    assert sorted(line.split()[1] for line in listed.splitlines()) == sorted(phony)


@pytest.mark.parametrize(("command", "status"), [("true", 0), ("false", 1)])
def test_stage_reports_and_passes_on_the_status(command: str, status: int) -> None:
    ran = subprocess.run([ROOT / "tools/stage", "a title", command], capture_output=True, text=True, check=False)
    assert ran.returncode == status
    assert f"=== a title: {'passed' if status == 0 else 'FAILED'} in " in ran.stdout
