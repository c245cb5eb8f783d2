"""The two sides of a comparison, what is ours and what is printed; and how ours is taken from records.

Accuracies are in per cent here, as the papers print them; records hold fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, StringConstraints

from hqnn.errors import HqnnError
from hqnn.stats import Interval

if TYPE_CHECKING:  # records come with pandas, and stored verdicts are shown without either
    import pandas as pd

    from hqnn.claims.ledger import Claim, Draw, Ledger
    from hqnn.records import Record

MIN_SEEDS = 10
LEAST_SEEDS = 3
EXACT = 1e-9
"""Below this, exact numbers are equal."""


Series = Annotated[str, StringConstraints(pattern=r"^[^/]+/[^/]+$")]
"""`experiment/variant`."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Missing(Exception):  # noqa: N818 - not an error: the row has no verdict yet
    """What a claim would be judged by does not exist yet; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """What is ours: a value, and how it came about."""

    value: Interval | float | str | bool | None
    """A mean over runs with its interval; an exact number or text; whether a property holds; None if that is open."""
    samples: Mapping[int, float] = field(default_factory=dict)
    """Seed -> value of its run, if the value is a mean over seeds."""
    compared: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """Series -> seed -> what the values were made of, if runs of two series were compared."""
    variance: float = 0.0
    """What the seeds do not show: that of another draw of test images, in squared units."""
    test: str = ""
    """Another test of the sign, in words."""
    text: str = ""
    """What is so, where the value only says whether it is as claimed."""
    n_seeds: int | None = None
    """Number of runs behind a property; that of an interval is its own."""
    note: str = ""
    """For the reader."""
    series: tuple[str, ...] = ()
    """The runs it was taken from, each `experiment/variant`."""
    evidence: str = ""
    """Where to look; by default the records of `series`."""

    def __post_init__(self) -> None:
        """Make a number of NumPy's a plain one."""
        if isinstance(self.value, np.generic):
            object.__setattr__(self, "value", self.value.item())


@dataclass(frozen=True)
class Printed:
    """What the paper prints: a number with its digits and unit, a short text, or nothing."""

    text: str = ""
    value: float | int | str | None = None
    decimals: int = 0
    """Digits after the point."""
    unit: str = ""
    resolution: float | None = None
    """The smallest difference from which the paper draws a conclusion there."""
    lead: float | None = None
    """The size of the lead, where the sentence gives its sign."""

    @property
    def number(self) -> float:
        """The value as a number.

        Raises:
            HqnnError: It is none.
        """
        if not isinstance(self.value, int | float):
            raise HqnnError(f"printed: the rule needs a number, not {self.text!r}.")
        return float(self.value)

    @property
    def rounding(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self.decimals


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a quantity may look at."""

    ledger: Ledger
    claim: Claim
    """The row it stands in."""
    root: Path
    """The data folder."""

    def draw(self, series: str, curve: str) -> Draw | None:
        """How the images of a curve were drawn, if not all there are were used."""
        return self.ledger.samples.get(series.partition("/")[0], {}).get(curve)


class Ours(BaseModel):
    """What every kind has in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)
    unit: ClassVar[str] = ""
    is_lead: ClassVar[bool] = False
    """Whether it is a difference or a gain, which has no effect as its zero."""

    def measure(self, context: Context) -> Quantity:
        """The quantity, as it is now.

        Raises:
            Missing: What it is taken from does not exist yet.
            HqnnError: It is taken from something that cannot exist, or a record is damaged.
        """
        raise NotImplementedError

    def readings(self) -> Mapping[str, Ours]:
        """Other readings of what the paper leaves open, by a few words for each."""
        return {}


# --- from records


def draw_variance(accuracy: float, drawn: int, of: int) -> float:
    """Variance of the difference between one model's accuracies on two independent draws of test images.

    Args:
        accuracy: In [0, 1].
        drawn: Images in each draw.
        of: Images they are drawn from, without replacement.
    """
    return 2 * accuracy * (1 - accuracy) * _per_draw(drawn, of)


def draw_variance_of_gap(accuracy_a: float, accuracy_b: float, drawn: int, of: int) -> float:
    """The same for the gap of two models on the same images, at its largest: there is no image that both get wrong."""
    errors = (1 - accuracy_a) + (1 - accuracy_b)
    return 2 * max(0.0, errors - (accuracy_a - accuracy_b) ** 2) * _per_draw(drawn, of)


def _per_draw(drawn: int, of: int) -> float:
    if not 0 < drawn <= of or of < 2:
        raise ValueError(f"cannot draw {drawn} images out of {of}")
    return (of - drawn) / (of - 1) / drawn


def needed(experiment: str) -> int:
    """How many seeds a verdict needs: `MIN_SEEDS`, or all of an experiment that has fewer, at least `LEAST_SEEDS`."""
    from hqnn import experiments

    return max(LEAST_SEEDS, min(MIN_SEEDS, len(experiments.get(experiment).seeds)))


def recorded(series: str, root: Path) -> list[Record]:
    """The records of a series that are what its config and code make now, by seed.

    Raises:
        Missing: There are fewer of them than `needed` says.
        HqnnError: There is no such series, or a record is damaged.
    """
    from hqnn import records

    experiment = series.partition("/")[0]
    current = [record for record in records.load(series, root) if not records.stale(record, root)]
    if len(current) < needed(experiment):
        raise Missing(f"fewer than {needed(experiment)} current records of {series}")
    return current


def curve(series: str, name: str, root: Path) -> pd.DataFrame:
    """One curve of a series: a row per seed, a column per epoch from 1 on; per cent if it is an accuracy.

    Raises:
        Missing: There are too few current records.
        HqnnError: There is no such series or curve, or a record is damaged.
    """
    from hqnn import records

    seeds = [record.seed for record in recorded(series, root)]
    table = records.curves(series, name, root).loc[seeds]
    return 100 * table if name.endswith("_accuracy") else table


def curves(first: str, second: str, name: str, root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One curve of two series, over the seeds that they share.

    Raises:
        Missing: They share too few seeds.
    """
    a, b = curve(first, name, root).align(curve(second, name, root), join="inner", axis=0)
    least = min(needed(series.partition("/")[0]) for series in (first, second))
    if len(a) < least:
        raise Missing(f"{first} and {second} share fewer than {least} seeds")
    return a, b


def after(table: pd.DataFrame, epoch: int | None, series: str) -> pd.Series[float]:
    """A curve's values after an epoch, or after the last.

    Raises:
        HqnnError: The curve has no such epoch.
    """
    epoch = epoch or table.shape[1]
    if epoch not in table.columns:
        raise HqnnError(f"{series} has {table.shape[1]} epochs, not {epoch}.")
    return table[epoch]


def by_seed(values: pd.Series[float]) -> dict[int, float]:
    """Seed -> value, in plain numbers."""
    return {int(seed): float(value) for seed, value in values.items()}  # type: ignore[call-overload]
