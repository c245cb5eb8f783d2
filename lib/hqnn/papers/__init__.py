"""The papers: one folder each, with its circuit, models, experiments and all that only this paper needs.

A paper is found by looking: a folder here is one, and is registered nowhere else. The core imports no paper by name.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType


@cache
def names() -> tuple[str, ...]:
    """The papers' folders, in the order of the book's parts."""
    found = [entry.name for entry in iter_modules(__path__) if entry.ispkg]
    return tuple(sorted(found, key=lambda name: (part(name), name)))


def part(paper: str) -> int:
    """Which part of the book is about a paper."""
    number: int = import_module(f"{__name__}.{paper}").PART
    return number


def title(paper: str) -> str:
    """What readers call a paper."""
    name: str = import_module(f"{__name__}.{paper}").NAME
    return name


def modules(name: str) -> Iterator[ModuleType]:
    """The module of that name in each paper that has one, imported."""
    for paper in names():
        full = f"{__name__}.{paper}.{name}"
        if find_spec(full):
            yield import_module(full)


# Whichever of a paper's modules is imported first, the registry is complete before it: its experiments refer to it.
import hqnn.experiments  # noqa: E402, F401
