"""The registry of evaluators, and how a claim is judged by its own."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_origin, get_type_hints

from hqnn.errors import HqnnError
from hqnn.ledger import Claim, Ledger, LedgerError
from hqnn.verdicts import Judgement, Missing, Verdict

Evaluator = Callable[..., Judgement]

EXACT = 1e-9
"""Below this, exact numbers are equal."""


@dataclass(frozen=True)
class Context:
    """What claims are judged by."""

    ledger: Ledger
    root: Path
    """The data folder, which holds the records and the analyses."""


EVALUATORS: dict[str, Evaluator] = {}
_NEEDS_NUMBER: set[str] = set()
_ON_TEST_IMAGES: set[str] = set()


def evaluator(*, number: bool, test_images: bool = False) -> Callable[[Evaluator], Evaluator]:
    """Register an evaluator, and whether it needs a number as value or the size of the draw of test images."""

    def register(function: Evaluator) -> Evaluator:
        EVALUATORS[function.__name__] = function
        if number:
            _NEEDS_NUMBER.add(function.__name__)
        if test_images:
            _ON_TEST_IMAGES.add(function.__name__)
        return function

    return register


def validate(claim: Claim, ledger: Ledger) -> None:
    """Check that a row's evaluator exists and takes the row's value and arguments.

    Args:
        claim: The row.
        ledger: The ledger it belongs to.

    Raises:
        LedgerError: It does not; the message names the row.
    """
    if claim.evaluator is None:
        return
    if claim.evaluator not in EVALUATORS:
        known = ", ".join(sorted(EVALUATORS))
        raise LedgerError(f"Claim {claim.id}: there is no evaluator {claim.evaluator!r}; choose from {known}.")
    if claim.evaluator in _NEEDS_NUMBER:
        _ = claim.number
    function = EVALUATORS[claim.evaluator]
    hints = get_type_hints(function)
    accepted = list(inspect.signature(function).parameters.values())[2:]
    for parameter in accepted:
        if parameter.default is parameter.empty and parameter.name not in claim.arguments:
            raise LedgerError(
                f"Claim {claim.id}: the evaluator {claim.evaluator!r} needs the argument {parameter.name!r}."
            )
    for name, value in claim.arguments.items():
        if name not in {parameter.name for parameter in accepted}:
            raise LedgerError(f"Claim {claim.id}: the evaluator {claim.evaluator!r} takes no argument {name!r}.")
        if not _fits(value, hints[name]):
            raise LedgerError(f"Claim {claim.id}: the argument {name!r} is {value!r}, which is of the wrong kind.")
    if claim.evaluator in _ON_TEST_IMAGES and "test_accuracy" not in ledger.samples.get(
        claim.arguments["experiment"], {}
    ):
        raise LedgerError(
            f"Claim {claim.id}: the ledger's 'samples' do not say how the images of "
            f"{claim.arguments['experiment']!r} were drawn; add its 'test_accuracy'."
        )


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is Literal:
        return value in hint.__args__
    if origin is not None:
        return isinstance(value, origin) and not isinstance(value, str)
    return isinstance(value, (int, float) if hint is float else hint) and not isinstance(value, bool)


def judge(claim: Claim, context: Context) -> Judgement:
    """Evaluate one claim.

    Args:
        claim: A row of the ledger.
        context: What to judge it by.

    Returns:
        The judgement; "not yet evaluated" if the row has no evaluator or what it needs does not exist yet.

    Raises:
        LedgerError: The evaluator does not fit what the row names.
        HqnnError: The row names an unknown experiment or variant, or a record is damaged.
    """
    if claim.evaluator is None:
        return Judgement(verdict=Verdict.NOT_YET)
    try:
        judgement = EVALUATORS[claim.evaluator](claim, context, **claim.arguments)
    except Missing as missing:
        return Judgement(verdict=Verdict.NOT_YET, note=str(missing))
    except LedgerError:
        raise
    except HqnnError as error:
        raise HqnnError(f"Claim {claim.id}: {error}") from error
    return judgement if judgement.evidence else replace(judgement, evidence=f"hqnn.checks.{claim.evaluator}")
