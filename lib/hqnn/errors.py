"""The exceptions of this package: one for the reader, one for the training loop."""

from collections.abc import Iterable
from difflib import get_close_matches


class HqnnError(Exception):
    """Something the user can put right.

    The message is one sentence: it names the culprit and gives the way out. The command line prints it without a stack
    trace and exits with status 2. Bad arguments to library functions raise `ValueError` or `TypeError` as usual.
    """


def unknown(what: str, name: str, known: Iterable[str]) -> HqnnError:
    """That there is no such thing (`There is no experiment`) of that name, and which names are close, or known."""
    known = list(known)
    close = get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(close)}?" if close else f"choose from {', '.join(known)}."
    return HqnnError(f"{what} {name!r}: {hint}")


class NonFiniteError(ValueError):
    """A layer was given NaN or infinity. During training that is divergence, and the loop says so."""
