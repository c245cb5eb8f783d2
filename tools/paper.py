"""Begin a new paper: `python -m tools.paper new NAME` copies the smallest one, `tests/new_paper`, under that name.

It makes the folder in the library, the ledger and a first page, adds the page to `_toc.yml` and an entry to
`book/references.bib`, and changes nothing else.
"""

from __future__ import annotations

import argparse
import keyword
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

from hqnn import papers
from hqnn.claims import ledger
from hqnn.errors import HqnnError
from tools.repository import ROOT

SAMPLE = Path("tests/new_paper")
NEXT = """\
Next: replace what is the sample's by what is the paper's, the entry in book/references.bib too, and commit it. Then

    python -m hqnn run {name}-digits
    python -m tools.notebooks build {page}
    make verdicts"""


def new(name: str, root: Path = ROOT) -> list[Path]:
    """Make a paper that runs, is judged and has a page.

    Args:
        name: Of its folders; becomes part of the names of its classes.
        root: The repository.

    Returns:
        The files made, then the two added to.

    Raises:
        HqnnError: The name is none for a package, or is taken.
    """
    if not re.fullmatch("[a-z][a-z0-9]*", name) or keyword.iskeyword(name) or name == "sample":
        raise HqnnError(f"{name!r} cannot be a paper's name: give it one of small letters and digits, such as lean.")
    folder, claims = Path("lib/hqnn/papers", name), Path("data/claims", f"{name}.yaml")
    for path in (folder, folder.with_suffix(".py"), claims, Path("book", name)):
        if (root / path).exists():
            raise HqnnError(f"{path} is there already: give the new paper another name.")
    texts = {path: _named(text, name) for path, text in _files(root, name)}
    part = 1 + max(map(papers.part, papers.names()))
    texts[folder / "__init__.py"] = re.sub(r"PART = \d+", f"PART = {part}", texts[folder / "__init__.py"])
    texts[claims] = re.sub(r"\bP(?=\d)", _letter(root), texts[claims])
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    toc, bibliography = Path("_toc.yml"), Path("book/references.bib")
    page = next(path for path in texts if path.parts[0] == "book").with_suffix("")
    (root / toc).write_text(listed((root / toc).read_text(encoding="utf-8"), name, page), encoding="utf-8")
    with (root / bibliography).open("a", encoding="utf-8") as file:
        file.write(_named((root / SAMPLE / "sample.bib").read_text(encoding="utf-8"), name))
    return [*texts, toc, bibliography]


def listed(toc: str, name: str, page: Path) -> str:
    """A table of contents with a part for the paper's page, behind the last part of a paper, else at the end."""
    part = f"  - caption: {name.capitalize()}\n    numbered: 1\n    chapters:\n      - file: {page.as_posix()}\n"
    lines = toc.splitlines(keepends=True)
    known = tuple(f"      - file: book/{paper}/" for paper in papers.names())
    behind = max((at for at, line in enumerate(lines, 1) if line.startswith(known)), default=len(lines))
    return "".join([*lines[:behind], part, *lines[behind:]])


def _files(root: Path, name: str) -> Iterator[tuple[Path, str]]:
    """The sample's files as they are, by the path that each is to have."""
    for path in sorted((root / SAMPLE / "sample").glob("*.py")):
        yield Path("lib/hqnn/papers", name, path.name), path.read_text(encoding="utf-8")
    yield Path("data/claims", f"{name}.yaml"), (root / SAMPLE / "sample.yaml").read_text(encoding="utf-8")
    yield Path("book", name, "01-first-page.py"), (root / SAMPLE / "page.py").read_text(encoding="utf-8")


def _named(text: str, name: str) -> str:
    """What is called after the sample, called after the paper; `samples` is a field of the ledger and stays."""
    return re.sub("sample(?!s)", name, text).replace("Sample", name.capitalize())


def _letter(root: Path) -> str:
    """One that no paper's groups of claims have."""
    groups = ledger.read(root / "data/claims").groups.values() if any((root / "data/claims").glob("*.yaml")) else ()
    used = {group[0] for its in groups for group in its}
    return next(letter for letter in "P" + string.ascii_uppercase if letter not in used)


def main() -> int:
    """Make the files, and say what comes next."""
    parser = argparse.ArgumentParser(prog="python -m tools.paper", description="Begin a new paper.")
    command = parser.add_subparsers(metavar="COMMAND", required=True).add_parser("new", help="make its files")
    command.add_argument("name", metavar="NAME", help="small letters and digits, such as lean")
    name = parser.parse_args().name
    try:
        made = new(name)
    except HqnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("\n".join(map(str, made)))
    page = next(path for path in made if path.name.startswith("01-"))
    print(f"\n{NEXT.format(name=name, page=page)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
