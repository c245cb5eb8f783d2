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
from hqnn.measurements import Measured, Series, Settings, intervals, measurement
from hqnn.papers.hqnn import parallel, tuning
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.stats import Interval, holm, rank_correlation
from hqnn.views import expressivity, gradients

Reals = NDArray[np.float64]


@measurement(
    "hqnn-trainability",
    inputs=(),
    qubits=[2, 4, 6, 8, 10, 12],
    depths=[1, 3, 12],
    samples=200,
    chunk=20,
    states=5000,
    weights=50,
    inputs_seen=100,
    data=[500, 5_000, 50_000],
    seed=0,
)
def trainability(series: Series, settings: Settings) -> Measured:
    """What needs no training: slopes of ever larger circuits, Fisher spectra, and five measures of every circuit tried.

    - `variance/<depth>/<qubits>`: of a derivative of an output of the strongly entangling circuit, over random inputs
      and weights;
    - `dimension/<model>/<data>`: the effective dimension of one five-qubit circuit and of one classical block with as
      many weights, per weight; `rank/<model>` of their Fisher information at one random point; `weights/<model>`;
    - `<circuit>/<measure>`: of hqnn's quanvolution in every reading (`hqnn.papers.hqnn.tuning.by_circuit`): the
      `expressibility` in nats, the `entanglement`, the `variance` of a slope, the effective `dimension` at the smallest
      number of data, and the `rank`, of the Jacobian over all inputs.

    The data are the Fisher `spectra`: eigenvalues over their mean [weights], descending, the mean over random weights.
    """
    result: dict[str, float] = {}
    for depth in settings["depths"]:
        for n in settings["qubits"]:
            pc = strongly_entangling(n_qubits=n, n_layers=depth)
            result[f"variance/{depth}/{n}"] = _variance(pc, settings)
    spectra: dict[str, list[float]] = {}
    for model, matrices in _fishers(settings).items():
        n_weights = matrices.shape[-1]
        values = np.linalg.eigvalsh(matrices)[:, ::-1]
        spectra[model] = (values / values.mean(axis=1, keepdims=True)).mean(axis=0).tolist()
        result |= {f"weights/{model}": n_weights, f"rank/{model}": gradients.rank(matrices[0])}
        for n in settings["data"]:
            result[f"dimension/{model}/{n}"] = expressivity.effective_dimension(matrices, n) / n_weights
    for words, pc in readings().items():
        result |= {f"{words}/{measure}": value for measure, value in _measures(pc, settings).items()}
    return intervals(result), {"spectra": spectra}


def readings() -> dict[str, Circuit]:
    """The quanvolution in every reading that was trained, in the words of `tuning.series_by_circuit`."""
    configs: dict[str, Any] = {
        words: experiments.config(next(iter(runs.values()))) for words, runs in tuning.series_by_circuit().items()
    }
    return {
        words: quanvolution(config.axis, config.cnots, rotations_first=config.rotations_first)
        for words, config in configs.items()
    }


def _variance(pc: Circuit, settings: Settings) -> float:
    """A mean over outputs and weights; in chunks, since a copy of a large circuit for each sample takes much memory."""
    inputs, weights = expressivity.random_angles(pc, settings["samples"], settings["seed"])
    slopes = [
        gradients.jacobian(pc, inputs[at], weights[at])[..., pc.n_inputs :]
        for at in np.array_split(np.arange(len(inputs)), len(inputs) // settings["chunk"])
    ]
    return float(np.concatenate(slopes).var(axis=0, ddof=1).mean())


def _measures(pc: Circuit, settings: Settings) -> dict[str, float]:
    """Of one circuit of four pixels, over pixels in [0, 1]."""
    pixels = random_pixels(pc, settings["states"], settings["seed"])
    states = expressivity.states(pc, *pixels)
    few = settings["weights"], settings["inputs_seen"]
    images, weights = (one.reshape(*few, -1) for one in random_pixels(pc, few[0] * few[1], settings["seed"] + 1))
    slopes = np.stack(
        [gradients.jacobian(pc, x, w[0])[..., pc.n_inputs :] for x, w in zip(images, weights, strict=True)]
    )
    matrices = np.stack([expressivity.fisher(one) for one in slopes])
    return {
        "expressibility": expressivity.expressibility(states),
        "entanglement": expressivity.entangling_capability(states),
        "variance": float(slopes.reshape(-1, *slopes.shape[2:]).var(axis=0, ddof=1).mean()),
        "dimension": expressivity.effective_dimension(matrices, settings["data"][0]),
        "rank": float(gradients.rank(slopes[0])),
    }


def random_pixels(pc: Circuit, samples: int, seed: int) -> tuple[Reals, Reals]:
    """Pixels [samples, n_inputs] in [0, 1] and weights [samples, n_weights], radians, all uniform."""
    inputs, weights = expressivity.random_angles(pc, samples, seed)
    return inputs / (2 * np.pi), weights


def _fishers(settings: Settings) -> dict[str, Reals]:
    """Of one five-qubit circuit and one block of tanh units: Fisher informations [S, W, W] at random weights."""
    config: Any = experiments.config("hqnn-mnist/blocks")
    pc = strongly_entangling(n_layers=config.n_layers)
    rng = np.random.default_rng(settings["seed"])
    seen = rng.uniform(-np.pi, np.pi, (settings["inputs_seen"], pc.n_inputs))
    circuit = []
    for _ in range(settings["weights"]):
        weights = rng.uniform(0, 2 * np.pi, pc.n_weights)
        circuit.append(expressivity.fisher(gradients.jacobian(pc, seen, weights)[..., pc.n_inputs :]))
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
