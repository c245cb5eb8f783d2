"""The quantities of ours that sentences of the papers are held against.

A row of the ledger names its quantity under `ours`, by the key that says which kind it is: `curve`, `lead`,
`epochs_to`, `epochs_saved`, `speed_gain`, `settings`, `measured`, `computed`; or, where the paper's own text decides,
`places`, `prints`, `smaller`, `unstated`. What only one paper can compute is a function in its folder that returns a
`Quantity`; the ledger names it by its importable path, `{computed: hqnn.papers.….quantities.size, of: …}`, and further
keys are its arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, get_type_hints

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from hqnn.claims.quantity import (
    Context,
    Missing,
    Ours,
    Quantity,
    Series,
    Text,
    after,
    by_seed,
    curve,
    curves,
    draw_variance,
    draw_variance_of_gap,
    recorded,
)
from hqnn.claims.text import Order, Places, Prints, Unstated
from hqnn.errors import HqnnError
from hqnn.stats import by_image, epochs_to_reach, mean_interval

if TYPE_CHECKING:
    import pandas as pd

_SPLITS = {"train": "training", "val": "validation"}


class _Readable(Ours):
    """A quantity that the paper leaves open where to take from."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self._otherwise()
        return self

    def _otherwise(self) -> dict[str, Self]:
        """The other reading, by a few words."""
        otherwise: dict[str, Any] = getattr(self, "otherwise", {})
        if not otherwise:
            return {}
        plain = self.model_dump(exclude={"otherwise", "among"}, exclude_unset=True)
        changed = type(self).model_validate(plain | otherwise)
        if "of" in otherwise:
            return {f"in {otherwise['of'].partition('/')[0]}": changed}
        curve = str(next(iter(otherwise.values())))
        split = curve.partition("_")[0]
        return {f"on the {_SPLITS.get(split, split)} images": changed}

    def readings(self) -> dict[str, Self]:
        """The other readings, by a few words for each."""
        return self._otherwise()


class Curve(_Readable):
    """A curve of a series after an epoch, over its seeds."""

    curve: Text
    of: Series
    epoch: int | None = Field(default=None, ge=1)
    """The last by default."""
    otherwise: dict[str, Any] = Field(default_factory=dict)
    """What another reading has otherwise."""
    among: tuple[str, ...] = Field(default=(), strict=False)
    """Experiments whose variants are other readings; the note names those that agree."""

    def measure(self, context: Context) -> Quantity:
        """The mean over seeds, and the variance of another draw of test images."""
        values = after(curve(self.of, self.curve, context.root), self.epoch, self.of)
        draw, mean = context.draw(self.of, self.curve), float(values.mean())
        variance = 1e4 * draw_variance(mean / 100, draw.drawn, draw.of) if draw else 0.0
        return Quantity(value=mean_interval(values), samples=by_seed(values), variance=variance, series=(self.of,))

    def readings(self) -> dict[str, Self]:
        """The other reading, and the variants of the experiments `among`."""
        from hqnn import experiments

        plain = self.model_copy(update={"otherwise": {}, "among": ()})
        return self._otherwise() | {
            series: plain.model_copy(update={"of": series})
            for name in self.among
            for series in (f"{name}/{variant}" for variant in experiments.get(name).variants)
        }


class Lead(_Readable):
    """By how much one series is better than another, seed by seed: points of accuracy, or a lower loss."""

    is_lead: ClassVar[bool] = True

    lead: Text
    """The curve."""
    of: Series
    over: Series
    epoch: int | None = Field(default=None, ge=1)
    """The last by default."""
    otherwise: dict[str, Any] = Field(default_factory=dict)
    """What another reading has otherwise."""

    @property
    def unit(self) -> str:  # type: ignore[override]
        """Points, for an accuracy."""
        return "points" if self.lead.endswith("_accuracy") else ""

    def measure(self, context: Context) -> Quantity:
        """The mean paired difference."""
        x, y = (
            after(table, self.epoch, series)
            for table, series in zip(
                curves(self.of, self.over, self.lead, context.root), (self.of, self.over), strict=True
            )
        )
        draw = context.draw(self.of, self.lead)
        variance = 0.0
        if draw:
            means = float(x.mean()) / 100, float(y.mean()) / 100
            variance = 1e4 * draw_variance_of_gap(*means, draw.drawn, draw.of)
        accuracy = self.lead == "test_accuracy" and self.epoch is None
        other_images = on_other_images(self.of, self.over, context.root) if accuracy else ""
        larger, smaller = (y, x) if self.lead.endswith("_loss") else (x, y)
        parts = {self.of: by_seed(x), self.over: by_seed(y)}
        found = _paired(larger, smaller)
        return replace(found, variance=variance, series=tuple(parts), compared=parts, test=other_images)


def _paired(larger: pd.Series[float], smaller: pd.Series[float]) -> Quantity:
    """The mean difference of paired values."""
    lead = larger - smaller
    return Quantity(value=mean_interval(lead), samples=by_seed(lead))


def on_other_images(first: str, second: str, root: Path) -> str:
    """What pairing two series by test image too says of their lead in accuracy; empty unless errors are stored."""
    a, b = ({record.seed: record for record in recorded(series, root)} for series in (first, second))
    seeds = sorted(a.keys() & b.keys())
    both = [records[seed] for records in (a, b) for seed in seeds]
    if len(seeds) < 2 or any("errors" not in one.result for one in both):
        return ""
    wrong = [one.errors for one in both]
    found = by_image(wrong[: len(seeds)], wrong[len(seeds) :], both[0].n_test)
    mcnemar = f"McNemar's test of these networks: p = {found.p_value:.2g}"
    return f"on other images too the lead is {found.lead:.3p} points, {mcnemar}"


def _epochs(table: pd.DataFrame, threshold: float) -> tuple[pd.Series[float], str]:
    """First epoch above a threshold by seed, and a note; a run that never gets there counts as one after the last."""
    import pandas as pd

    reach = epochs_to_reach(table, 100 * threshold)
    never = len(table) - reach.n_reached
    note = (
        f"{never} of {len(table)} runs never reach {100 * threshold:g} % and count as {reach.n_epochs + 1} epochs"
        if never
        else ""
    )
    return pd.Series(reach.counted, index=table.index), note


class EpochsTo(Ours):
    """The first epoch at which the test accuracy of a series passes a threshold."""

    unit: ClassVar[str] = "epochs"
    epochs_to: float = Field(gt=0, lt=1)
    of: Series

    def measure(self, context: Context) -> Quantity:
        """The mean over seeds."""
        epochs, note = _epochs(curve(self.of, "test_accuracy", context.root), self.epochs_to)
        return Quantity(value=mean_interval(epochs), samples=by_seed(epochs), series=(self.of,), note=note)


class _TwoSpeeds(Ours):
    is_lead: ClassVar[bool] = True
    of: Series
    over: Series

    def _both(self, threshold: float, context: Context) -> tuple[pd.Series[float], pd.Series[float], str]:
        """Epochs to a threshold of both, over the seeds that they share, and a note."""
        a, b = curves(self.of, self.over, "test_accuracy", context.root)
        (x, note_x), (y, note_y) = _epochs(a, threshold), _epochs(b, threshold)
        notes = {self.of: note_x, self.over: note_y}
        return x, y, "; ".join(f"{series.partition('/')[2]}: {note}" for series, note in notes.items() if note)


class EpochsSaved(_TwoSpeeds):
    """How many epochs fewer one series needs to a threshold of test accuracy than another."""

    unit: ClassVar[str] = "epochs"
    epochs_saved: float = Field(gt=0, lt=1)

    def measure(self, context: Context) -> Quantity:
        """The mean paired difference."""
        x, y, note = self._both(self.epochs_saved, context)
        parts = {self.of: by_seed(x), self.over: by_seed(y)}
        return replace(_paired(y, x), note=note, series=tuple(parts), compared=parts)


class SpeedGain(_TwoSpeeds):
    """Q = (E_B - E_A) / E_B in percent [lcqhnn, eq. 9], E the epochs to a threshold, A the first series."""

    unit: ClassVar[str] = "%"
    speed_gain: float = Field(gt=0, lt=1)

    def measure(self, context: Context) -> Quantity:
        """The mean over seeds."""
        x, y, note = self._both(self.speed_gain, context)
        parts = {self.of: by_seed(x), self.over: by_seed(y)}
        gain = 100 * (y - x) / y
        value = mean_interval(gain)
        return Quantity(value=value, samples=by_seed(gain), note=note, series=tuple(parts), compared=parts)


class Settings(Ours):
    """Whether every recorded run of some experiments was made with some settings."""

    settings: dict[str, Any] = Field(min_length=1)
    of: tuple[str, ...] = Field(min_length=1, strict=False)
    """Experiments."""

    def measure(self, context: Context) -> Quantity:
        """Whether, and if not, the first that was not."""
        from hqnn import experiments

        series = tuple(f"{name}/{variant}" for name in self.of for variant in experiments.get(name).variants)
        found = [recorded(one, context.root) for one in series]
        wrong = [
            f"{record.variant} has {key} {record.config.get(key)!r}"
            for records in found
            for record in records
            for key, value in self.settings.items()
            if record.config.get(key) != value
        ]
        return Quantity(
            value=not wrong,
            text=wrong[0] if wrong else "every recorded run has these settings",
            n_seeds=min(map(len, found)),
            series=series,
            evidence=", ".join(f"data/runs/{name}" for name in self.of),
        )


class Measured(Ours):
    """A number that was measured on recorded runs and stored."""

    measured: Text
    key: Text

    def measure(self, context: Context) -> Quantity:
        """The number as stored."""
        from hqnn import records

        file = f"analyses/{self.measured}.json"
        if not (context.root / file).exists():
            raise Missing(f"the analysis {self.measured!r} is not recorded yet")
        found = records.measured(self.measured, context.root).result
        if self.key not in found:
            raise HqnnError(f"ours.key: {self.measured} has no number {self.key!r}.")
        return Quantity(value=found[self.key], evidence=f"data/{file}: {self.key}")


class Computed(Ours):
    """What a function of a paper's folder returns."""

    model_config = ConfigDict(frozen=True, extra="allow")
    computed: Annotated[str, StringConstraints(pattern=r"^\w+(\.\w+)+$")]
    """Its importable path; the other keys are its arguments."""

    @property
    def arguments(self) -> dict[str, Any]:
        """What the function is called with."""
        return dict(self.model_extra or {})

    def function(self) -> Callable[..., Quantity]:
        """The function, after a check that it takes the arguments.

        Raises:
            HqnnError: It does not exist, or not take them.
        """
        module, _, name = self.computed.rpartition(".")
        try:
            function = getattr(import_module(module), name)
        except (ImportError, AttributeError):
            raise HqnnError(f"ours.computed: there is no function {self.computed}.") from None
        parameters, hints = inspect.signature(function).parameters, get_type_hints(function)
        for parameter in parameters.values():
            if parameter.default is parameter.empty and parameter.name not in {*self.arguments, "context"}:
                raise HqnnError(f"ours.{parameter.name}: {self.computed} needs this argument.")
        for key, value in self.arguments.items():
            if key not in parameters or key == "context":
                raise HqnnError(f"ours.{key}: {self.computed} takes no such argument.")
            try:
                TypeAdapter(hints[key]).validate_python(value)
            except ValidationError as error:
                raise HqnnError(f"ours.{key}: {error.errors()[0]['msg']}, not {value!r}.") from None
        return function

    def measure(self, context: Context) -> Quantity:
        """What the function returns; its evidence is the function, unless it names records."""
        function = self.function()
        given = {"context": context} if "context" in inspect.signature(function).parameters else {}
        found = function(**self.arguments, **given)
        return found if found.evidence or found.series else replace(found, evidence=self.computed)


KINDS: Mapping[str, type[Ours]] = {
    "curve": Curve,
    "lead": Lead,
    "epochs_to": EpochsTo,
    "epochs_saved": EpochsSaved,
    "speed_gain": SpeedGain,
    "settings": Settings,
    "measured": Measured,
    "computed": Computed,
    "places": Places,
    "prints": Prints,
    "smaller": Order,
    "unstated": Unstated,
}
"""The key that says which kind it is, and the kind."""
