"""The recipes of the recorded analyses: what is measured on trained weights and the papers' own images.

Each function takes the series of records it reads and its settings, and returns named numbers over seeds. Run them with
`python -m hqnn analyse NAME`; the results are stored by `hqnn.analyses` and judged by `hqnn.checks`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hqnn import bloch, circuits, circular, datasets, experiments
from hqnn.analyses import Findings, Series, recipe
from hqnn.experiments import LcqhnnConfig
from hqnn.models import lcqhnn
from hqnn.stats import Interval, mean_interval

PICTURED = 256
"""Test images whose four angles an analysis keeps for figures."""


class Encoded(NamedTuple):
    """What a network hands to its circuit for the test images."""

    features: NDArray[np.float64]
    """Inputs x [N, 4], radians; each is encoded with phase 2 x."""
    weights: NDArray[np.float64]
    """RY angles θ [4], radians."""
    labels: NDArray[np.int64]
    """Classes 0 and 1 [N]."""


def encoded(config: LcqhnnConfig, weights: Mapping[str, Tensor]) -> Encoded:
    """Run the classical part of a hybrid network on its test images.

    Args:
        config: The network's config.
        weights: Its state dict.

    Returns:
        The circuit's inputs and weights.

    Raises:
        HqnnError: The dataset is missing.
    """
    images, labels = _test_images(config)
    model = lcqhnn.Lcqhnn(config).eval()
    model.load_state_dict(dict(weights))
    with torch.no_grad():
        features = model.angles(images).double().numpy()
    return Encoded(features, model.get_parameter("quantum.weights")[0].detach().double().numpy(), labels.numpy())


@lru_cache(maxsize=1)
def _test_images(config: LcqhnnConfig) -> tuple[Tensor, Tensor]:
    """The test images [N, 1, 28, 28] and labels [N] that a config's models are tested on."""
    subset = datasets.subset(
        datasets.load(config.dataset),
        classes=config.classes,
        n_train=config.n_train,
        n_val=config.n_val,
        n_test=config.n_test,
        seed=config.data_seed,
    )
    return datasets.to_float(subset.test.images, 28), subset.test.labels


@recipe("lcqhnn-bloch", inputs=("lcqhnn-mnist/lcqhnn", "lcqhnn-fashion/lcqhnn"), untrained=0, trained=50)
def lcqhnn_bloch(series: Series, settings: Mapping[str, Any]) -> Findings:
    """How the test images' features fill the Bloch spheres, before and after training [lcqhnn, fig. 3].

    For each dataset and stage of training, one number per seed, a mean over the four qubits (and the images, where it
    is defined for one image):

    - `resultant-length` and `kuiper-distance` of the encoded phases 2 x, and `not-uniform`, the share of qubits for
      which Kuiper's test excludes uniform phases with p < 0.001;
    - `abs-cosine`, the mean of |cos 2x|: 2/π for uniform phases, 1 if every qubit is in an eigenstate of X;
    - `length-after-ry`, the length of the reduced Bloch vectors after the RY gates.

    The data are the features of `PICTURED` images from the first seed's network.
    """
    result: dict[str, Interval] = {}
    data: dict[str, dict[str, Any]] = {}
    for name, records in series.items():
        experiment, variant = name.split("/")
        config = experiments.get(experiment).variants[variant]
        dataset = experiment.removeprefix("lcqhnn-")
        data[dataset] = {"seed": records[0].seed}
        for stage, epoch in settings.items():
            networks = [encoded(config, record.snapshot(epoch)) for record in records]
            numbers = [_numbers(lcqhnn.circuit(config), network) for network in networks]
            result |= {f"{dataset}/{stage}/{key}": mean_interval([n[key] for n in numbers]) for key in numbers[0]}
            features, weights, labels = networks[0]
            data[dataset] |= {
                stage: {"features": features[:PICTURED].round(4).tolist(), "weights": weights.round(6).tolist()},
                "labels": labels[:PICTURED].tolist(),
            }
    return Findings(result=result, data=data)


def _numbers(pc: circuits.ParametricCircuit, network: Encoded) -> dict[str, float]:
    phases = 2 * network.features
    values = {
        "resultant-length": circular.resultant_length(phases),
        "kuiper-distance": circular.kuiper_distance(phases),
        "not-uniform": circular.kuiper_p(phases) < 1e-3,
        "abs-cosine": np.abs(np.cos(phases)),
        "length-after-ry": bloch.lengths(bloch.bloch_vectors(pc, network.features, network.weights, stage="ψ4")),
    }
    return {key: float(value.mean()) for key, value in values.items()}
