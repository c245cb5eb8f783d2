"""What the paper leaves open: every variant that was trained, in words, and searches among their records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, records, stats
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.lcqhnn.model import FRONT_ENDS
from hqnn.storage import DATA

if TYPE_CHECKING:
    import pandas as pd

_CHOICES: Mapping[str, tuple[str, str | Mapping[Any, str]]] = {
    "front_end": (
        "front end",
        {
            name: ("" if kernel == 3 else f"{kernel} × {kernel} kernels, ")
            + f"padding {padding}, pooling by {pools[0]} and {pools[1]}"
            for name, (kernel, padding, pools, _) in FRONT_ENDS.items()
        },
    ),
    "dropout": ("dropout rate", "dropout rate {:g}"),
    "dropout_at": ("place of dropout", {"bottleneck": "dropout behind the reduction"}),
    "order": ("order of the CNOTs", {"product": "eq. 4 and 6 read as operators"}),
    "readout": (
        "readout",
        {
            "qubit0": "outcome of qubit 0",
            "parity": "parity of all outcomes",
            "pair": "⟨Z⟩ of qubits 0 and 1 as scores",
        },
    ),
    "quantum": (
        "circuit",
        {
            "no-entanglement": "no CNOTs",
            "frozen": "angles frozen as drawn",
            "classical": "tanh(wx), four weights w, instead",
            "none": "no circuit",
        },
    ),
    "scale": ("scale of the angles", {"tanh": "π/2 · tanh(x) as angle", "relu": "max(0, x) as angle"}),
    "hidden": ("fully connected module", "{} units before the scores"),
    "head": (
        "fully connected module",
        {
            "single": "one score",
            "relu": "ReLU between the last layers",
            "sigmoid": "sigmoid between the last layers",
            "relu-scores": "ReLU on the scores",
        },
    ),
    "loss": ("loss", {"double_softmax": "softmax taken twice"}),
    "optimizer": ("optimiser", {"sgd": "plain gradient descent"}),
    "learning_rate": ("learning rate", "learning rate {:g}"),
}
"""Field of a config -> what it decides, and each of its values in words; in the order in which they are named."""

PRINTED = ("quantum", "optimizer", "learning_rate")
"""Fields whose value the paper does print [lcqhnn, §2.2 and §3.1.3]; so is the side of its kernels, 3 [§2.1]."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A recorded variant that differs from one of the four models in one choice, or in two that go together."""

    series: str
    """Its records, `experiment/variant`."""
    base: str
    """The records of the model it departs from, in the same form."""
    choice: str
    """What was chosen otherwise."""
    words: str
    """The value it has instead."""
    as_printed: bool
    """Whether the choice was the paper's to leave: it contradicts nothing that is printed."""
    config: LcqhnnConfig


def variants(kind: str, dataset: str, model: str | None = None) -> list[Variant]:
    """The variants of an experiment, each beside the model of table 1 that it departs from.

    Args:
        kind: `readings`, `rates` or `ablations`.
        dataset: `mnist` or `fashion`.
        model: Only those that depart from this model, such as `cnn-4`.

    Returns:
        In the registry's order; none if there is no such experiment for that dataset.
    """
    name, main = f"lcqhnn-{kind}-{dataset}", f"lcqhnn-{dataset}"
    if name not in experiments.EXPERIMENTS:
        return []
    models, found = experiments.get(main).variants, []
    for variant, config in experiments.get(name).variants.items():
        base = next((m for m in models if variant.startswith(f"{m}-")), "lcqhnn")  # only the hybrid has ablations
        if model in (None, base):
            changed = [field for field in _CHOICES if getattr(config, field) != getattr(models[base], field)]
            kernel = FRONT_ENDS[config.front_end].kernel
            found.append(
                Variant(
                    series=f"{name}/{variant}",
                    base=f"{main}/{base}",
                    choice=" and ".join(dict.fromkeys(_CHOICES[field][0] for field in changed)),
                    words=", ".join(_words(field, getattr(config, field)) for field in changed),
                    as_printed=kernel == 3 and not set(changed) & set(PRINTED),
                    config=config,
                )
            )
    return found


def _words(field: str, value: Any) -> str:
    words = _CHOICES[field][1]
    return words.format(value) if isinstance(words, str) else words[value]


def shared(dataset: str) -> dict[str, tuple[str, str]]:
    """The readings that apply to both: words -> series of the hybrid and of CNN-4, the primary reading first."""
    rival = {v.words: v.series for v in variants("readings", dataset, "cnn-4")}
    main = {"primary reading": (f"lcqhnn-{dataset}/lcqhnn", f"lcqhnn-{dataset}/cnn-4")}
    hybrid = variants("readings", dataset, "lcqhnn")
    return main | {v.words: (v.series, rival[v.words]) for v in hybrid if v.words in rival}


def changes(dataset: str, model: str, *, root: Path = DATA) -> dict[str, list[NDArray[np.float64]]]:
    """By how much each reading of a choice changes the mean test accuracy of a model, over the seeds that both have.

    Returns:
        Choice -> one array of points [epochs] for each value that was tried.

    Raises:
        HqnnError: A series is not recorded.
    """
    found: dict[str, list[NDArray[np.float64]]] = {}
    for variant in variants("readings", dataset, model):
        other, base = (records.curves(series, "test_accuracy", root) for series in (variant.series, variant.base))
        change = (other - base).dropna().mean()
        found.setdefault(variant.choice, []).append(100 * change.to_numpy())
    return found


def series_by_rate(dataset: str) -> dict[str, dict[float, str]]:
    """The series of each model of table 1 by learning rate, ascending; 0.001 is the main experiment's."""
    main = experiments.get(f"lcqhnn-{dataset}").variants
    found = {model: {config.learning_rate: f"lcqhnn-{dataset}/{model}"} for model, config in main.items()}
    for variant in variants("rates", dataset):
        found[variant.base.partition("/")[2]][variant.config.learning_rate] = variant.series
    return {model: dict(sorted(by_rate.items())) for model, by_rate in found.items()}


def best_rate(by_rate: Mapping[float, str], *, root: Path = DATA) -> float:
    """The learning rate with the highest mean validation accuracy at the end, over the seeds that all rates have.

    Raises:
        HqnnError: A series is not recorded.
    """
    ends = {rate: records.final(series, "val_accuracy", root) for rate, series in by_rate.items()}
    common = sorted(set.intersection(*(set(end.index) for end in ends.values())))
    return max(ends, key=lambda rate: ends[rate].loc[common].mean())


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far the single runs of a series are from printed accuracies."""

    series: str
    as_printed: bool
    """Whether the series contradicts nothing that is printed."""
    off: NDArray[np.float64]
    """Of each run its largest deviation, points [seeds]."""
    nearest: NDArray[np.float64]
    """The accuracies of the nearest run at the printed epochs, per cent."""


def distances(dataset: str, model: str, printed: Mapping[int, float], *, root: Path = DATA) -> dict[str, Distance]:
    """Compare the runs of a model, in every reading and at every learning rate, with printed test accuracies.

    Args:
        dataset: `mnist` or `fashion`.
        model: Such as `cnn-4`.
        printed: Epoch -> per cent.
        root: The data folder.

    Returns:
        The variant in words -> how far it is off, the one with the nearest run first.

    Raises:
        HqnnError: A series is not recorded.
    """
    tried = {"primary reading": (f"lcqhnn-{dataset}/{model}", True)}
    for variant in variants("readings", dataset, model) + variants("rates", dataset, model):
        tried[variant.words] = (variant.series, variant.as_printed)
    found = {}
    for words, (series, as_printed) in tried.items():
        at = 100 * records.curves(series, "test_accuracy", root)[list(printed)].to_numpy()
        off = np.abs(at - list(printed.values())).max(axis=1)
        found[words] = Distance(series=series, as_printed=as_printed, off=off, nearest=at[off.argmin()])
    return dict(sorted(found.items(), key=lambda item: item[1].off.min()))


class Spread(NamedTuple):
    """The runs of one reading."""

    words: str
    accuracies: pd.DataFrame
    """Test accuracies in per cent, one row per seed and one column per epoch."""
    latest: float
    """The first epoch at 90 % or above of the run that needs longest; infinite if it never is."""


def spreads(dataset: str, model: str, *, root: Path = DATA) -> list[Spread]:
    """The runs of a model in every reading, the primary one first.

    Raises:
        HqnnError: A series is not recorded.
    """
    series = {"primary reading": f"lcqhnn-{dataset}/{model}"}
    series |= {variant.words: variant.series for variant in variants("readings", dataset, model)}
    found = []
    for words, one in series.items():
        curves = 100 * records.curves(one, "test_accuracy", root)
        found.append(Spread(words, curves, stats.epochs_to_reach(curves, 90).epochs.max()))
    return found
