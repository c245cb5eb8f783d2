"""What was timed on one thread: a step of training and its parts, and three ways to differentiate the quanvolution.

Every function raises an HqnnError if the benchmark is not recorded.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from hqnn import records
from hqnn.storage import DATA

if TYPE_CHECKING:  # importing pandas takes long
    import pandas as pd


def steps(*, root: Path = DATA) -> dict[str, dict[str, float]]:
    """Medians of a training step with a batch of 64, milliseconds: what was compared -> which of them -> time.

    What was compared are the networks for a dataset (`hqnn-mnist`), those in `a tenth of an epoch`, the hybrid's
    `settings`, its `parts`, and two ways (`shift`) to the gradient of its angles.
    """
    timed = records.measured("training_step", root, kind="benchmark")
    medians: dict[str, dict[str, float]] = timed.result["median_ms"]
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

    workloads = records.measured("gradients", root, kind="benchmark").result["workloads"]
    table = pd.DataFrame({f"{name} ({one['batch']})": one["median_ms"] for name, one in workloads.items()})
    return table.rename(index=lambda method: method.replace("hqnn layer", "the quantum layer"))
