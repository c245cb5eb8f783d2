"""Checks of the repository itself: each takes what it checks and returns its faults, one sentence each."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.notebooks import BOOTSTRAP_TAGS, METADATA, bootstrap
from tools.repository import Address, rewrite, uses

# Hosts that files of the repository may name: links for a reader, from which the book itself fetches nothing.
HOSTS = frozenset(
    {
        "arxiv.org",
        "colab.research.google.com",
        "doi.org",
        "github.com",
        "img.shields.io",
        "mcr.microsoft.com",
        "semver.org",
        "spdx.org",
        "w3id.org",
        "www.w3.org",
    }
)
# Repositories of others that may be named, and the form in which this project's own is asked for.
OTHER_REPOSITORIES = frozenset(
    {"apolanco3225/Medical-MNIST-Classification", "jacobgil/pytorch-grad-cam", "OWNER/NAME"},
)
# The extras whose packages the library and the pages may use besides the dependencies.
LIBRARY = ("aer", "runs", "views")
# The further extra of a folder, and who brings a module that need not be installed.
EXTRAS = {"tests": "dev", "tools": "dev", "benchmarks": "bench"}
ABSENT = {"tensorcircuit": "tensorcircuit-ng"}
MAX_BYTES = 5_000_000
DATA_SUFFIXES = frozenset({".gz", ".xz", ".zip", ".tar", ".npy", ".npz", ".pt", ".pth", ".pkl", ".jpeg", ".jpg"})

_MYST = re.compile(r"^\s*(:{3,}|`{3,}\{)|\{[a-z:]+\}`", re.MULTILINE)
_TABLE = re.compile(r"^\|[-: |]+\|$", re.MULTILINE)  # the line below a Markdown table's header
_CAPTIONED = re.compile(r"^(`{3,}|:{3,})\{table\} \S.*?^\1$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_URL_HOST = re.compile(r"https?://([A-Za-z0-9.-]+)")
_HOME = re.compile(r"(?<![\w.$}~-])/(?:" + "|".join(("work", "root", "home", "Users", "mnt")) + r")/\w")
_GITHUB = re.compile(r"github\.com/([A-Za-z0-9-]+/[\w.-]+)")


# --- notebooks


def notebook_faults(notebook: NotebookNode, of: Address) -> list[str]:
    """What keeps a notebook from being published.

    Args:
        notebook: The notebook, with its stored outputs.
        of: The address that its bootstrap cell must name.
    """
    faults = [] if notebook.metadata == METADATA else ["its metadata are not in the normal form; run `make format`"]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        faults.append("it does not open with a title")
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        faults.append("its cells were not executed once each, from top to bottom; run `make live`")
    tagged = [cell for cell in code if "bootstrap" in cell.metadata.get("tags", [])]
    if tagged != code[:1] or not tagged:
        faults.append("its first code cell, and no other, must be the bootstrap cell; run `make format`")
    elif tagged[0].source != bootstrap(of) or tagged[0].metadata.tags != BOOTSTRAP_TAGS:
        faults.append("its bootstrap cell differs from the one in tools.notebooks; run `make format`")
    for index, cell in enumerate(notebook.cells):
        check = _code_faults if cell.cell_type == "code" else _prose_faults
        faults += [f"cell {index} {fault}" for fault in check(cell)]
    return faults


def page_faults(text: str) -> list[str]:
    """What a Markdown page of the book must not have: a table without a caption.

    Args:
        text: The page.
    """
    tables = _TABLE.findall(_CAPTIONED.sub("", text))
    return ["has a table without a caption; write it as ```{table} Its caption"] if tables else []


def _prose_faults(cell: NotebookNode) -> Iterator[str]:
    if _TABLE.search(cell.source):
        yield "holds a table, which can have no caption there; show it with `tables.table`"
    if match := _MYST.search(cell.source):
        yield f"holds MyST markup ({match[0].strip()}), which Colab shows as it is; write plain Markdown"


def _code_faults(cell: NotebookNode) -> Iterator[str]:
    tags = cell.metadata.get("tags", [])
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if "lesson" not in tags and any(isinstance(node, definitions) for node in ast.walk(ast.parse(cell.source))):
        yield "defines a function or class; move it to the library, or tag the cell `lesson`"
    for number, output in enumerate(cell.outputs):
        if output.output_type == "error" or output.get("name") == "stderr":
            yield "has an error or a line on standard error among its outputs"
        data = output.get("data", {})
        text = "".join(data.get("text/plain", output.get("text", "")))
        markdown, html = ("".join(data.get(f"text/{kind}", "")) for kind in ("markdown", "html"))
        if markdown.startswith("|") or html.count("<table") > html.count("<caption"):
            yield "shows a table without a caption; use `tables.table` and its `caption`"
        if "<metadata>" in "".join(data.get("image/svg+xml", "")):
            yield "shows an SVG image with metadata, which a re-run would compare to the letter; use `plots.show`"
        if re.search(r"\bat 0x[0-9a-f]{6,}", text):
            yield "prints an address in memory, which differs in each run"
        if any(mime.startswith("image/") for mime in data):
            following = cell.outputs[number + 1].get("data", {}) if number + 1 < len(cell.outputs) else {}
            if not text.strip() or text.startswith("<"):
                yield "shows an image without alternative text; use `plots.show`"
            if not "".join(following.get("text/markdown", "")).strip():
                yield "shows an image without a caption behind it; use `plots.show`"


def toc_faults(toc: str, pages: Iterable[str]) -> list[str]:
    """Pages that the table of contents does not list, and entries without a page.

    Args:
        toc: The text of `_toc.yml`.
        pages: Paths of all pages in the repository.
    """
    document = yaml.safe_load(toc)
    listed = [document["root"], *(chapter["file"] for part in document["parts"] for chapter in part["chapters"])]
    existing = {page.rpartition(".")[0] for page in pages}
    faults = [f"{page} is not listed in _toc.yml" for page in sorted(existing - set(listed))]
    faults += [f"_toc.yml lists {entry}, which does not exist" for entry in listed if entry not in existing]
    return faults + [f"_toc.yml lists {entry} twice" for entry in sorted({e for e in listed if listed.count(e) > 1})]


# --- text files


def host_faults(name: str, text: str, of: Address) -> list[str]:
    """Hosts that a file may not name, and paths that exist on one machine only.

    Args:
        name: The file's path.
        text: Its text.
        of: The book's address, whose pages may be named.
    """
    allowed = HOSTS | {of.pages.removeprefix("https://").partition("/")[0]}
    named = set() if name.startswith("tests/") else set(_URL_HOST.findall(text))  # tests make hosts up
    faults = [f"names the host {host}" for host in sorted(named - allowed)]
    return faults + [f"names a path of one machine: {path}…" for path in sorted(set(_HOME.findall(text)))]


def address_faults(texts: Mapping[str, str], of: Address, required: Iterable[str]) -> list[str]:
    """Files that disagree about the public address.

    Args:
        texts: Text of every tracked file, by path.
        of: The address that `pyproject.toml` holds.
        required: Files that must name it.
    """
    faults = [f"{name} does not name {of.url}" for name in required if not uses(texts.get(name, ""), of)]
    probe = Address("some-owner", "some-name")
    for name, text in texts.items():
        moved = rewrite(text, of, probe)
        if rewrite(moved, probe, of) != text or uses(moved, of):
            faults.append(f"{name} does not survive a change of the address and back")
        own = f"{of.owner}/{of.name}"
        for found in {match.rstrip(".").removesuffix(".git") for match in _GITHUB.findall(text)}:
            if found not in {own, *OTHER_REPOSITORIES}:
                faults.append(f"{name} names the repository {found}, which is neither this one nor a known other")
    return faults


def link_faults(text: str, folder: Path) -> list[str]:
    """Relative links of a Markdown text that lead nowhere.

    Args:
        text: The Markdown.
        folder: Where its file is.
    """
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    targets = (match.partition("#")[0] for match in _LINK.findall(prose) if "://" not in match)
    return [f"links to {target}, which does not exist" for target in targets if not (folder / target).exists()]


def file_faults(path: str, size: int) -> list[str]:
    """Why a file does not belong into the repository: data that is fetched, or more bytes than a page needs."""
    faults = [f"{path} looks like data"] if Path(path).suffix in DATA_SUFFIXES else []
    return faults + ([f"{path} has {size:,} bytes, more than {MAX_BYTES:,}"] if size > MAX_BYTES else [])


# --- requirements


def requirement_faults(requirements: str, pyproject: str, lock: str) -> list[str]:
    """Disagreements between the lower bounds, the package's own requirements, and the pinned set.

    Args:
        requirements: The text of `requirements.txt`.
        pyproject: The text of `pyproject.toml`.
        lock: The text of `requirements.lock`.
    """
    project: dict[str, Any] = tomllib.loads(pyproject)["project"]
    listed, pinned = _by_name(requirements.splitlines()), _by_name(lock.splitlines())
    needed, extras = _needed(project), _by_name(project["optional-dependencies"]["dev"])
    faults = [
        f"requirements.txt and pyproject.toml disagree about {name}"
        for name in sorted({*listed, *needed} - {"jupyter-book"})
        if str(listed.get(name)) != str(needed.get(name))
    ]
    for name, requirement in sorted({**extras, **needed, **listed}.items()):
        versions = [specifier.version for specifier in pinned[name].specifier] if name in pinned else []
        if not versions or not requirement.specifier.contains(versions[0], prereleases=True):
            faults.append(f"requirements.lock does not satisfy {requirement}")
    for name, bounds in (("requirements.txt", listed), ("requirements.lock", pinned)):
        torch, vision = (Version(next(iter(bounds[key].specifier)).version) for key in ("torch", "torchvision"))
        if (vision.major, vision.minor) != (0, torch.minor + 15):
            faults.append(f"{name} has torch {torch} and torchvision {vision}, which are not of one release")
    faults += [f"requirements.lock does not pin {name}" for name, pin in pinned.items() if "==" not in str(pin)]
    hashed = re.findall(r"^(\S+)==.*\\\n +--hash=sha256:[0-9a-f]{64}(?: \\)?$", lock, re.MULTILINE)
    faults += [f"requirements.lock has no hash of {name}" for name in sorted(pinned.keys() - set(hashed))]
    return faults


def import_faults(texts: Mapping[str, str], pyproject: str, distributions: Mapping[str, Iterable[str]]) -> list[str]:
    """Imports of what the project does not say that it needs.

    The library and the pages may use the dependencies and the extras `LIBRARY`; tests and tools those of the extra
    `dev` too, and the benchmarks those of `bench`.

    Args:
        texts: Text of every Python file, by path.
        pyproject: The text of `pyproject.toml`.
        distributions: What brings each module that is installed here, as `importlib.metadata` tells.
    """
    project: dict[str, Any] = tomllib.loads(pyproject)["project"]
    dependencies, extras = _needed(project), project["optional-dependencies"]
    more = {folder: _by_name(extras[extra]) for folder, extra in EXTRAS.items()}
    beside = {Path(name).stem for name in texts if name.startswith("tests/")}
    own = {*sys.stdlib_module_names, *beside, "hqnn", "tests", "tools", "benchmarks"}
    faults = set()
    for name, text in texts.items():
        declared: set[str] = {*dependencies, *more.get(name.partition("/")[0], ())}
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for module in {full.partition(".")[0] for full in modules} - own:
                brought_by = {str(canonicalize_name(found)) for found in distributions.get(module, ())}
                if not declared & (brought_by or {ABSENT.get(module, str(canonicalize_name(module)))}):
                    faults.add(f"{name} imports {module}, which pyproject.toml does not declare for it")
    return sorted(faults)


def _needed(project: Mapping[str, Any]) -> dict[str, Requirement]:
    extras = project["optional-dependencies"]
    return _by_name([*project["dependencies"], *(line for name in LIBRARY for line in extras.get(name, ()))])


def _by_name(lines: Iterable[str]) -> dict[str, Requirement]:
    kept = (line.partition("#")[0].strip(" \\") for line in lines if not line.startswith("    --hash="))
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, filter(None, kept))}
