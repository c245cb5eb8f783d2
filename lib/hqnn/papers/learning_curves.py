"""How much a model learns from how many images: accuracies of variants that are named `<model>-<images>`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, records
from hqnn.claims.quantity import Context, Quantity, by_seed, curves
from hqnn.stats import mean_interval


def sizes(experiment: str, model: str) -> list[int]:
    """The numbers of training images with which an experiment trains a model, ascending."""
    names = (name.rpartition("-") for name in experiments.get(experiment).variants)
    return sorted(int(n) for found, _, n in names if found == model)


def accuracies(experiment: str, model: str) -> NDArray[np.float64]:
    """Final test accuracies of a model, per cent [seeds, sizes].

    Raises:
        HqnnError: A series is not recorded.
    """
    series = [f"{experiment}/{model}-{n}" for n in sizes(experiment, model)]
    return 100 * np.column_stack([records.final(one, "test_accuracy") for one in series])


def mean_lead(context: Context, experiment: str, of: str, over: str) -> Quantity:
    """How far one model's learning curve lies above another's: points of test accuracy, paired, averaged over sizes.

    Raises:
        Missing: There are too few current records.
    """
    series = [(f"{experiment}/{of}-{n}", f"{experiment}/{over}-{n}") for n in sizes(experiment, of)]
    both = [curves(first, second, "test_accuracy", context.root) for first, second in series]
    leads = [(a - b).iloc[:, -1] for a, b in both]
    mean = sum(leads[1:], leads[0]) / len(leads)
    at = ", ".join(f"{n}: {mean_interval(lead):.2f}" for n, lead in zip(sizes(experiment, of), leads, strict=True))
    return Quantity(
        value=mean_interval(mean),
        samples=by_seed(mean),
        series=tuple(name for pair in series for name in pair),
        evidence=f"data/runs/{experiment}",
        note=f"by number of training images {at}",
    )
