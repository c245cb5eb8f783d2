"""What pages show, and their exercises."""

import re

import nbformat

from hqnn.pages import solution, source
from tools.notebooks import notebooks
from tools.repository import ROOT


def documented(x: int) -> int:
    """Say so.

    At length.
    """

    def inner() -> int:
        """Too."""
        return x

    return inner()


class Bare:
    """Nothing else."""


def test_source_is_the_code_without_its_docstrings() -> None:
    assert source(documented, Bare).data == (
        "```python\n"
        "def documented(x: int) -> int:\n"
        "    def inner() -> int:\n"
        "        return x\n"
        "\n"
        "    return inner()\n"
        "\n"
        "class Bare:\n"
        "    ...\n"
        "```"
    )


def test_solutions_are_folded() -> None:
    assert solution("It is $x$.").data == "<details>\n<summary>Solution</summary>\n\nIt is $x$.\n\n</details>"


def test_every_exercise_has_one_solution_whose_numbers_are_computed() -> None:
    with_exercises = {}
    for path in notebooks():
        cells = nbformat.read(path, as_version=4).cells
        first = next((k for k, cell in enumerate(cells) if "## Exercises\n" in cell.source), None)
        if first is None:
            continue
        last = next(k for k, cell in enumerate(cells) if "## The claims" in cell.source)
        asked, solved = [], 0
        for cell in cells[first : last + 1]:
            asked += re.findall(r"^(\d)\. ", cell.source, re.MULTILINE)
            solved += cell.source.count("<summary>Solution</summary>") if cell.cell_type == "markdown" else 0
            texts = [str(out.get("data", {}).get("text/markdown", "")) for out in cell.get("outputs", ())]
            solved += sum("<summary>Solution</summary>" in text for text in texts)
            assert "checked: False" not in " ".join(texts)
        with_exercises[path.relative_to(ROOT).as_posix()] = (asked, solved)
    chapters = {path.relative_to(ROOT).as_posix() for path in notebooks() if re.match(r"\d\d-", path.name)}
    assert {name for name in chapters if not name.endswith("-verdict.ipynb")} == set(with_exercises)
    assert {name: one for name, one in with_exercises.items() if one != (["1", "2", "3"], 3)} == {}
