"""The page of the book that is made of docstrings: what Sphinx must know to read ours, written in Markdown."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

BEFORE_NAPOLEON = 400  # which turns Google's sections into fields, at 500


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.napoleon"):
        app.setup_extension(extension)
    app.connect("autodoc-process-docstring", translate, priority=BEFORE_NAPOLEON)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def translate(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Put a docstring's lines into the markup that Sphinx reads, in place."""
    lines[:] = as_rst("\n".join(lines)).split("\n")


def as_rst(text: str) -> str:
    """Markdown's code and mathematics as reStructuredText, all other signs literally; examples stay as they are."""
    parts = re.split(r"((?:^[ \t]*>>> .*\n?(?:^[ \t]*\S.*\n?)*)|`[^`]+`|\$[^$]+\$)", text, flags=re.MULTILINE)
    return "".join(
        _code(part) if k % 2 else re.sub(r"([\\*|])|(?<=\w)_(?!\w)", r"\\\g<0>", part) for k, part in enumerate(parts)
    )


def _code(part: str) -> str:
    if part.startswith("`"):
        return f"`{part}`"
    return f":math:`{part[1:-1]}`" if part.startswith("$") else part
