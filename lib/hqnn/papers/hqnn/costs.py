"""What was timed on one thread: a step of training and its parts, and three ways to differentiate the quanvolution.

Every function raises an HqnnError if the benchmark is not recorded.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hqnn.errors import HqnnError
from hqnn.storage import DATA

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd


def steps(*, root: Path = DATA) -> dict[str, dict[str, float]]:
    """Medians of a training step with a batch of 64, milliseconds: what was compared -> which of them -> time.

    What was compared are the networks for a dataset (`hqnn-mnist`), those in `a tenth of an epoch`, the hybrid's
    `settings`, its `parts`, and two ways (`shift`) to the gradient of its angles.
    """
    medians: dict[str, dict[str, float]] = _timed("training_step", root)["median_ms"]
    return medians


def shares(*, root: Path = DATA) -> dict[str, float]:
    """The parts of the hybrid's step by their kind, as fractions of the whole."""
    parts = steps(root=root)["parts"]
    kinds: defaultdict[str, float] = defaultdict(float)
    for part, ms in parts.items():
        kinds[part.rstrip(" 0123456789")] += ms / sum(parts.values())
    return dict(kinds)


def gradients(*, root: Path = DATA) -> pd.DataFrame:
    """Medians of values and gradient of the quanvolution, milliseconds: a row per method, a column per workload."""
    import pandas as pd

    workloads = _timed("gradients", root)["workloads"]
    table = pd.DataFrame({f"{name} ({one['batch']})": one["median_ms"] for name, one in workloads.items()})
    return table.rename(index=lambda method: method.replace("hqnn layer", "the quantum layer"))


def _timed(name: str, root: Path) -> dict[str, Any]:
    path = root / "benchmarks" / f"{name}.json"
    if not path.exists():
        raise HqnnError(f"{name} is not recorded: run `make bench`.")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
