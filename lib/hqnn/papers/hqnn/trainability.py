"""How trainable and how expressive hqnn's circuits are, as they grow and beside a classical map."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call, jacrev, vmap

from hqnn import experiments
from hqnn.circuit import Circuit
from hqnn.measurements import Settings
from hqnn.papers.hqnn import parallel, quanv, tuning
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.stats import Interval, holm, rank_correlation
from hqnn.views import expressivity, gradients

Reals = NDArray[np.float64]


def readings() -> dict[str, Circuit]:
    """The quanvolution in every reading that was trained, in the words of `tuning.series_by_circuit`."""
    return {
        words: quanv.circuit(experiments.config(next(iter(runs.values()))))
        for words, runs in tuning.series_by_circuit().items()
    }


def variance(pc: Circuit, settings: Settings) -> float:
    """Of a slope of a circuit; in chunks, since a copy of a large circuit for each sample takes much memory."""
    inputs, weights = expressivity.random_angles(pc, settings["samples"], settings["seed"])
    n_chunks = len(inputs) // settings["chunk"]
    chunks = zip(np.array_split(inputs, n_chunks), np.array_split(weights, n_chunks), strict=True)
    return expressivity.gradient_variance(np.concatenate([_slopes(pc, *chunk) for chunk in chunks]))


def measures(pc: Circuit, settings: Settings) -> dict[str, float]:
    """Of one circuit of four pixels, over pixels in [0, 1]."""
    pixels = _random_pixels(pc, settings["states"], settings["seed"])
    states = expressivity.states(pc, *pixels)
    few = settings["weights"], settings["inputs_seen"]
    images, weights = (one.reshape(*few, -1) for one in _random_pixels(pc, few[0] * few[1], settings["seed"] + 1))
    slopes = np.stack([_slopes(pc, x, w[0]) for x, w in zip(images, weights, strict=True)])
    matrices = np.stack([expressivity.fisher(one) for one in slopes])
    return {
        "expressibility": expressivity.expressibility(states),
        "entanglement": expressivity.entangling_capability(states),
        "variance": expressivity.gradient_variance(slopes.reshape(-1, *slopes.shape[2:])),
        "dimension": expressivity.effective_dimension(matrices, settings["data"][0]),
        "rank": float(gradients.rank(slopes[0])),
    }


def _random_pixels(pc: Circuit, samples: int, seed: int) -> tuple[Reals, Reals]:
    """Pixels [samples, n_inputs] in [0, 1] and weights [samples, n_weights], radians, all uniform."""
    inputs, weights = expressivity.random_angles(pc, samples, seed)
    return inputs / (2 * np.pi), weights


def _slopes(pc: Circuit, inputs: Reals, weights: Reals) -> Reals:
    """With respect to the weights alone [B, n_outputs, n_weights]."""
    return gradients.jacobian(pc, inputs, weights)[..., pc.n_inputs :]


def fishers(settings: Settings) -> dict[str, Reals]:
    """Of one five-qubit circuit and one block of tanh units: Fisher informations [S, W, W] at random weights."""
    config: Any = experiments.config("hqnn-mnist/blocks")
    pc = strongly_entangling(n_layers=config.n_layers)
    rng = np.random.default_rng(settings["seed"])
    seen = rng.uniform(-np.pi, np.pi, (settings["inputs_seen"], pc.n_inputs))
    circuit = []
    for _ in range(settings["weights"]):
        weights = rng.uniform(0, 2 * np.pi, pc.n_weights)
        circuit.append(expressivity.fisher(_slopes(pc, seen, weights)))
    block = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings["seed"])
        for _ in range(settings["weights"]):
            one = parallel.Blocks(1, pc.n_qubits, pc.n_weights).double()
            drawn = {name: value.detach() for name, value in one.named_parameters()}

            def outputs(values: Any, x: Any, one: Any = one) -> Any:
                return functional_call(one, values, (x[None],))[0]

            slopes = vmap(jacrev(outputs), (None, 0))(drawn, torch.from_numpy(seen))
            flat = torch.cat([slope.flatten(2) for slope in slopes.values()], 2)
            block.append(expressivity.fisher(flat.numpy()))
    return {"circuit": np.stack(circuit), "block": np.stack(block)}


MEASURES: Mapping[str, str] = {
    "expressibility": "expressibility, nats from random states",
    "entanglement": "entangling capability",
    "variance": "variance of a slope",
    "dimension": "effective dimension",
}
"""What is measured of a circuit without training it -> in words."""
DRAWS = 5000
"""For intervals and for chances."""


class Prediction(NamedTuple):
    """One measure of the circuits tried beside the accuracies that they were trained to."""

    measure: Reals
    """[circuits]"""
    accuracy: Reals
    """[circuits], means over seeds, per cent."""
    correlation: float
    """Spearman's."""
    interval: tuple[float, float]
    """Of 95 %, over circuits drawn again [Efron's percentiles]."""
    p: float
    """Of a permutation test, by Holm for all measures together."""


def predictions(result: Mapping[str, Interval], rate: float) -> dict[str, Prediction]:
    """How far each of `MEASURES` tells the accuracies of the quanvolution's circuits, trained at a rate."""
    trained = {words: 100 * rates[rate].mean() for words, rates in tuning.by_circuit().items()}
    accuracy, rng = np.array([*trained.values()]), np.random.default_rng(0)
    drawn = rng.integers(len(trained), size=(DRAWS, len(trained)))
    shuffled = rng.permuted(np.tile(accuracy, (DRAWS, 1)), axis=1)
    found, p_values = {}, []
    for measure in MEASURES:
        values = np.array([result[f"{words}/{measure}"].mean for words in trained]).round(12)
        rho = float(rank_correlation(values, accuracy))
        low, high = np.nanquantile(rank_correlation(values[drawn], accuracy[drawn]), (0.025, 0.975))
        chance = abs(rank_correlation(np.tile(values, (DRAWS, 1)), shuffled)) >= abs(rho) - 1e-12
        p_values.append((1 + chance.sum()) / (1 + DRAWS))
        found[measure] = Prediction(values, accuracy, rho, (float(low), float(high)), math.nan)
    return {name: one._replace(p=float(p)) for (name, one), p in zip(found.items(), holm(p_values), strict=True)}
