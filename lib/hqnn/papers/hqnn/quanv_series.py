"""The records of HQNN-Quanv and its rivals: by learning rate, by draw of images, by reading.

Accuracies here are those of the last epoch. `test` is on the 100 images that the paper tests on, `all` on the 10,000
that they were drawn from.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hqnn import experiments, runs
from hqnn.papers.hqnn.quanv_experiments import MODELS, N_DRAWS, RATES, USUAL_RATE
from hqnn.storage import DATA


def series_by_rate(name: str) -> dict[float, str]:
    """Where the runs of a model or an ablation are, by learning rate, as `experiment/variant`."""
    return {
        rate: f"hqnn-quanv/{name}" if name in MODELS and rate == USUAL_RATE else f"hqnn-quanv-rates/{name}-lr-{rate:g}"
        for rate in RATES
    }


def final(series: str, curve: str, *, root: Path = DATA) -> NDArray[np.float64]:
    """The last value of a curve of every seed.

    Raises:
        HqnnError: There are no such records.
    """
    experiment, variant = series.split("/")
    return runs.history(experiment, variant, curve, root=root)[:, -1]


def by_rate(name: str, curve: str, *, root: Path = DATA) -> dict[float, NDArray[np.float64]]:
    """The last value of a curve, [seeds] for each learning rate.

    Raises:
        HqnnError: There are no such records.
    """
    return {rate: final(series, curve, root=root) for rate, series in series_by_rate(name).items()}


def best_rate(name: str, *, root: Path = DATA) -> float:
    """The learning rate with the highest mean accuracy on the validation images, which no other number is taken from.

    Raises:
        HqnnError: There are no such records.
    """
    means = {rate: values.mean() for rate, values in by_rate(name, "val_accuracy", root=root).items()}
    return max(means, key=lambda rate: means[rate])


def by_draw(model: str, curve: str = "test_accuracy", *, root: Path = DATA) -> NDArray[np.float64]:
    """The last value of a curve on other draws of training and test images, [draws, seeds].

    Raises:
        HqnnError: There are no such records.
    """
    return np.array([final(f"hqnn-quanv-draws/{model}-draw-{k}", curve, root=root) for k in range(N_DRAWS)])


def kernels(curve: str = "all_accuracy", *, root: Path = DATA) -> dict[str, dict[float, NDArray[np.float64]]]:
    """Every circuit that fits the text: kernel in words -> learning rate -> last values of a curve [seeds].

    Raises:
        HqnnError: There are no such records.
    """
    found: dict[str, dict[float, NDArray[np.float64]]] = {}
    main = series_by_rate("quanv")
    for variant, config in experiments.get("hqnn-quanv-readings").variants.items():
        if "-first-" in variant:
            order = "rotations, CNOTs" if config.rotations_first else "CNOTs, rotations"
            values = final(f"hqnn-quanv-readings/{variant}", curve, root=root)
            found.setdefault(f"R{config.axis.upper()}, {config.cnots}, {order}", {})[config.learning_rate] = values
    rates = {rate for values in found.values() for rate in values}
    primary = {rate: final(main[rate], curve, root=root) for rate in sorted(rates)}
    return {"RY, chain, rotations, CNOTs": primary} | found
