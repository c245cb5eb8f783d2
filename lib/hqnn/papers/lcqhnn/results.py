"""Table 1 and what the paper leaves open beside the records: rows, every variant in words, and searches among runs.

Accuracies are fractions inside and per cent or points where a name or docstring says so. Whatever reads records raises
an `HqnnError` if a series (`experiment/variant`) is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hqnn import claims, experiments, records, stats
from hqnn.claims.quantity import draw_variance
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.lcqhnn.figures import MODELS as SHOWN
from hqnn.papers.lcqhnn.model import FRONT_ENDS

if TYPE_CHECKING:
    import pandas as pd

DATASETS: Mapping[str, str] = MappingProxyType({"mnist": "MNIST", "fashion": "FashionMNIST"})
MODELS = ("lcqhnn", "cnn-4", "cnn-8", "cnn-16")
EPOCHS = (10, 25, 50)
"""At which the table prints test accuracies."""
ROWS: Mapping[tuple[str, str], str] = MappingProxyType(
    {(key, model): f"{title}, {SHOWN[model].label}" for key, title in DATASETS.items() for model in MODELS}
)
"""Dataset and model of each row, as experiments name them -> the row's words."""


# --- table 1 ---------------------------------------------------------------------------------------------------------


def printed() -> dict[str, dict[str, dict[int, float]]]:
    """The paper's test accuracies in per cent, by dataset, model and epoch, from the ledger."""
    values = {claim.id: claim.printed for claim in claims.load().claims}
    return {
        key: {model: {e: values[f"L6-{key}-{model.replace('-', '')}-{e}"].number for e in EPOCHS} for model in MODELS}
        for key in DATASETS
    }


def accuracies(dataset: str) -> dict[str, pd.DataFrame]:
    """The test accuracies of each model on a dataset, one row per seed and one column per epoch."""
    return {model: records.curves(f"lcqhnn-{dataset}/{model}", "test_accuracy") for model in MODELS}


def paired(*series: str) -> list[pd.DataFrame]:
    """The test accuracies of some series over the seeds that all of them have."""
    found = [records.curves(one, "test_accuracy") for one in series]
    shared = sorted(set.intersection(*(set(table.index) for table in found)))
    return [table.loc[shared] for table in found]


def lead(first: str, second: str, epoch: int) -> stats.PairedDifference:
    """By how much the first series is ahead of the second after an epoch, fractions, paired by seed."""
    a, b = paired(first, second)
    return stats.paired_difference(a[epoch], b[epoch])


def differences(first: str, second: str, epoch: int) -> pd.Series[float]:
    """By how much each run of the first series is ahead of its pair, points, by seed; see `lead`."""
    a, b = paired(first, second)
    return 100 * (a[epoch] - b[epoch])


def signed_span(values: ArrayLike) -> str:
    """From the lowest to the highest of some changes, signed; one change alone; nothing for none."""
    changes = np.sort(np.atleast_1d(values))
    return " to ".join(f"{end:+.2f}" for end in (changes if len(changes) < 2 else changes[[0, -1]]))


def validation_lead(dataset: str) -> float:
    """By how many points the four models are better on the validation than on the test images after training."""
    runs = records.frame(*(f"lcqhnn-{dataset}/{model}" for model in MODELS))
    return float(100 * (runs["val_accuracy"] - runs["test_accuracy"]).mean())


class Scatter(NamedTuple):
    """By how many points two runs of one model differ in nineteen of twenty cases."""

    seeds: float  # with other initial weights, order of images and dropout masks
    images: float  # with other test images, drawn from the same set


def scatter(dataset: str, model: str) -> Scatter:
    """How much of a difference between two single runs means nothing."""
    final = records.final(f"lcqhnn-{dataset}/{model}", "test_accuracy")
    draw = claims.load().samples[f"lcqhnn-{dataset}"]["test_accuracy"]
    variance = draw_variance(final.mean(), draw.drawn, draw.of)
    return Scatter(196 * np.sqrt(2) * final.std(ddof=1), 196 * np.sqrt(variance))


# --- what the paper leaves open --------------------------------------------------------------------------------------

_MODULE, _FRONT_END = "fully connected module", "padding {}, pooling by {} and {}"
_CHOICES: Mapping[str, tuple[str, str | Mapping[Any, str]]] = {
    "front_end": (
        "front end",
        {
            name: ("" if kernel == 3 else f"{kernel} × {kernel} kernels, ") + _FRONT_END.format(padding, *pools)
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
    "hidden": (_MODULE, "{} units before the scores"),
    "head": (
        _MODULE,
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

PRINTED = {"quantum", "optimizer", "learning_rate"}
"""Fields whose value the paper does print [lcqhnn, §2.2 and §3.1.3]; so is the side of its kernels, 3 [§2.1]."""


class Variant(NamedTuple):
    """A recorded variant that differs from one of the four models in one choice, or in two that go together."""

    series: str
    base: str  # the series of the model it departs from
    choice: str  # what was chosen otherwise
    words: str  # the value it has instead
    as_printed: bool  # it contradicts nothing that is printed
    config: LcqhnnConfig


def variants(kind: str, dataset: str, model: str | None = None) -> list[Variant]:
    """The variants of an experiment in the registry's order, each beside the model of table 1 that it departs from.

    Args:
        kind: `readings`, `rates` or `ablations`.
        dataset: `mnist` or `fashion`; there are none if there is no such experiment for it.
        model: Only those that depart from this model, such as `cnn-4`.
    """
    name, main = f"lcqhnn-{kind}-{dataset}", f"lcqhnn-{dataset}"
    if name not in experiments.EXPERIMENTS:
        return []
    models, found = experiments.get(main).variants, []
    for variant, config in experiments.get(name).variants.items():
        base = next((m for m in models if variant.startswith(f"{m}-")), "lcqhnn")  # only the hybrid has ablations
        if model in (None, base):
            values = {field: getattr(config, field) for field in _CHOICES}
            changed = {field: value for field, value in values.items() if value != getattr(models[base], field)}
            choice = " and ".join(dict.fromkeys(_CHOICES[field][0] for field in changed))
            words = ", ".join(_words(field, value) for field, value in changed.items())
            as_printed = FRONT_ENDS[config.front_end].kernel == 3 and not changed.keys() & PRINTED
            found.append(Variant(f"{name}/{variant}", f"{main}/{base}", choice, words, as_printed, config))
    return found


def _words(field: str, value: Any) -> str:
    words = _CHOICES[field][1]
    return words.format(value) if isinstance(words, str) else words[value]


def readings(dataset: str, model: str) -> dict[str, str]:
    """The readings of a model: words -> series, the primary reading first."""
    others = {variant.words: variant.series for variant in variants("readings", dataset, model)}
    return {"primary reading": f"lcqhnn-{dataset}/{model}", **others}


def shared(dataset: str) -> dict[str, tuple[str, str]]:
    """The readings that apply to both: words -> series of the hybrid and of CNN-4, the primary reading first."""
    hybrid, rival = readings(dataset, "lcqhnn"), readings(dataset, "cnn-4")
    return {words: (series, rival[words]) for words, series in hybrid.items() if words in rival}


def changes(dataset: str, model: str) -> dict[str, list[NDArray[np.float64]]]:
    """By how much each reading of a choice changes a model's mean test accuracy, over the seeds that both have.

    Returns:
        Choice -> one array of points [epochs] for each value that was tried.
    """
    found: dict[str, list[NDArray[np.float64]]] = {}
    for variant in variants("readings", dataset, model):
        other, base = paired(variant.series, variant.base)
        found.setdefault(variant.choice, []).append(100 * (other - base).mean().to_numpy())
    return found


def series_by_rate(dataset: str) -> dict[str, dict[float, str]]:
    """The series of each model of table 1 by learning rate, ascending; 0.001 is the main experiment's."""
    main = experiments.get(f"lcqhnn-{dataset}").variants
    found = {model: {config.learning_rate: f"lcqhnn-{dataset}/{model}"} for model, config in main.items()}
    for variant in variants("rates", dataset):
        found[variant.base.partition("/")[2]][variant.config.learning_rate] = variant.series
    return {model: dict(sorted(by_rate.items())) for model, by_rate in found.items()}


def best_rate(by_rate: Mapping[float, str]) -> float:
    """The learning rate with the highest mean validation accuracy at the end, over the seeds that all rates have."""
    ends = {rate: records.final(series, "val_accuracy") for rate, series in by_rate.items()}
    common = sorted(set.intersection(*(set(end.index) for end in ends.values())))
    return max(ends, key=lambda rate: ends[rate].loc[common].mean())


class Distance(NamedTuple):
    """How far the single runs of a series are from printed accuracies."""

    series: str
    as_printed: bool  # it contradicts nothing that is printed
    off: NDArray[np.float64]  # of each run its largest deviation, points [seeds]
    nearest: NDArray[np.float64]  # the accuracies of the nearest run at the printed epochs, per cent


def distances(dataset: str, model: str, printed: Mapping[int, float]) -> dict[str, Distance]:
    """How far a model's runs, in every reading and at every rate, are off printed test accuracies (epoch -> per cent).

    Returns:
        The variant in words -> how far it is off, the one with the nearest run first.
    """
    tried = {"primary reading": (f"lcqhnn-{dataset}/{model}", True)}
    for variant in variants("readings", dataset, model) + variants("rates", dataset, model):
        tried[variant.words] = (variant.series, variant.as_printed)
    found = {}
    for words, (series, as_printed) in tried.items():
        at = 100 * records.curves(series, "test_accuracy")[list(printed)].to_numpy()
        off = np.abs(at - list(printed.values())).max(axis=1)
        found[words] = Distance(series, as_printed, off, at[off.argmin()])
    return dict(sorted(found.items(), key=lambda item: item[1].off.min()))


def spreads(dataset: str, model: str) -> list[tuple[str, pd.DataFrame, float]]:
    """The runs of a model in every reading, the primary one first.

    Returns:
        The reading in words; test accuracies in per cent, one row per seed and one column per epoch; the first epoch at
        90 % or above of the run that needs longest, infinite if it never is.
    """
    curves = {words: 100 * records.curves(one, "test_accuracy") for words, one in readings(dataset, model).items()}
    return [(words, runs, stats.epochs_to_reach(runs, 90).epochs.max()) for words, runs in curves.items()]
