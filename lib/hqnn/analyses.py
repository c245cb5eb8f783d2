"""Used by pages and checks until they are moved: see `hqnn.records.measured`."""

from pathlib import Path
from typing import Any

from hqnn import records
from hqnn.storage import DATA


def load(name: str, *, root: Path = DATA) -> Any:
    """The record of a measurement; None if it is not recorded."""
    return records.measured(name, root) if (root / "analyses" / f"{name}.json").exists() else None
