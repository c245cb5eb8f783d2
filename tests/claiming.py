"""Judging one made-up row of the ledger."""

from pathlib import Path
from typing import Any

from hqnn import claims
from hqnn.claims import Result, ledger
from hqnn.claims.ledger import Claim, Ledger

ROW: dict[str, Any] = {"place": "table 1", "says": "It is so.", "kind": "result"}


def claim(ours: object, rule: object, printed: object = None, *, id: str = "L6-x", paper: str = "lcqhnn") -> Claim:
    """A row that is not in the ledger."""
    row = ROW | {"id": id, "paper": paper, "ours": ours, "rule": rule}
    return Claim.model_validate(row if printed is None else row | {"printed": printed})


def judged(
    root: Path, ours: object, rule: object, printed: object = None, *, book: Ledger | None = None, **names: str
) -> Result:
    """What becomes of a row that is not in the ledger by the records below `root`."""
    return claims.result(claim(ours, rule, printed, **names), book or ledger.read(), root)
