"""Judging one made-up claim by an evaluator."""

from pathlib import Path
from typing import Any

from hqnn import checks, ledger
from hqnn.checks import Context
from hqnn.ledger import Claim
from hqnn.verdicts import Judgement


def judge(
    root: Path, evaluator: str, arguments: dict[str, Any] | None = None, *, paper: str, id: str, **fields: Any
) -> Judgement:
    """Validate and judge a claim that is not in the ledger by the records and analyses below `root`."""
    claim = Claim(
        id=id,
        paper=paper,
        place="here",
        statement="It is so.",
        evaluator=evaluator,
        arguments=arguments or {},
        **fields,
    )
    book = ledger.read()
    checks.validate(claim, book)
    return checks.judge(claim, Context(book, root))
