"""Judging one made-up row of the ledger."""

from pathlib import Path
from typing import Any

from hqnn import claims
from hqnn.claims import Result, ledger
from hqnn.claims.ledger import Claim, Ledger

ROW: dict[str, Any] = {"place": "table 1", "says": "It is so.", "kind": "result"}


def claim(ours: object, rule: object, printed: object = None, **more: object) -> Claim:
    """A row that is not in the ledger; no interval is too wide, unless it says against what."""
    row = ROW | {"id": "L6-x", "paper": "lcqhnn", "ours": ours, "rule": rule}
    row |= {"against": 1e9} if "value" in (rule, rule.get("name") if isinstance(rule, dict) else None) else {}
    row |= more
    return Claim.model_validate(row if printed is None else row | {"printed": printed})


def judged(
    root: Path, ours: object, rule: object, printed: object = None, *, book: Ledger | None = None, **more: object
) -> Result:
    """What becomes of a row that is not in the ledger by the records below `root`."""
    return claims.result(claim(ours, rule, printed, **more), book or ledger.read(), root)
