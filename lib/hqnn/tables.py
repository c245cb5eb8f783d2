"""Tables for the book: Markdown, so that they read alike in the HTML, in Colab and in a plain notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import ceil

import numpy as np
from IPython.display import Markdown
from numpy.typing import ArrayLike

SENTENCE = 32
"""Characters above which a cell is prose and not a number."""
FACTORS = 5
"""As many as an equation has on a line."""


def table(header: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str) -> Markdown:
    """A Markdown table: the first column and columns of sentences to the left, all others to the right.

    Args:
        header: The columns.
        rows: Their cells.
        caption: The paragraph above the table, a sentence that says what the rows are and what was measured; Markdown
            with mathematics. The HTML makes it the table's own and numbers it.

    Raises:
        ValueError: A row has another number of cells than the header, or the caption is empty.
    """
    if not caption.strip():
        raise ValueError("a table is shown with its caption; got an empty one")
    lines = [list(header)]
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row has {len(row)} cells but the header has {len(header)}: {row!r}")
        lines.append([str(cell) for cell in row])
    longest = [max((len(line[i]) for line in lines[1:]), default=0) for i in range(len(header))]
    to_the_left = [i == 0 or length > SENTENCE for i, length in enumerate(longest)]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    cells.insert(1, [":--" if left else "--:" for left in to_the_left])
    return Markdown("\n".join([f"{caption}\n", *("| " + " | ".join(line) + " |" for line in cells)]))


def span(values: ArrayLike, digits: int = 2) -> str:
    """From the lowest to the highest of some values."""
    return f"{np.min(values):.{digits}f} to {np.max(values):.{digits}f}"


def equations(left: Sequence[str], right: Sequence[str]) -> Markdown:
    r"""Equations in LaTeX below each other, aligned at their signs of equality, each term of a sum on its own line.

    The terms on the right are recognised by the spaces around the signs between them, the factors of a term by the
    `\,` between them. A term of more than `FACTORS` goes over several lines, so that a telephone can show it.
    """
    broken = [r" \\ &".join(map(_folded, re.split(r" (?=[+-] )", one))) for one in right]
    lines = [f"{a} ={{}}& {b}" for a, b in zip(left, broken, strict=True)]
    return Markdown("$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$")


def _folded(term: str) -> str:
    """A product, over as many lines as it needs."""
    factors = term.split(r"\,")
    a_line = ceil(len(factors) / ceil(len(factors) / FACTORS))
    lines = (r"\,".join(factors[i : i + a_line]) for i in range(0, len(factors), a_line))
    return r" \\ &\quad\cdot ".join(lines)
