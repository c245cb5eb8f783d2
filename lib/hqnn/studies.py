"""The recipes of the recorded analyses: what is measured on trained weights and the papers' own images.

Each function takes the series of records it reads and its settings, and returns named numbers over seeds. Run them with
`python -m hqnn analyse NAME`; the results are stored by `hqnn.analyses` and judged by `hqnn.checks`.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from hqnn import circuits, datasets, experiments
from hqnn.analyses import Findings, Series, recipe
from hqnn.circuits import ParametricCircuit, pauli_on_each_qubit
from hqnn.experiments import LcqhnnConfig
from hqnn.models import lcqhnn
from hqnn.quantum_layer import QuantumLayer
from hqnn.stats import mean_interval


def resultant_length(phases: Tensor) -> Tensor:
    """How far angles are from being spread evenly around the circle.

    Args:
        phases: Radians [B, n].

    Returns:
        Length of the mean unit vector of each column [n]: 0 for a uniform spread, 1 if all angles are equal.
    """
    return torch.stack([phases.cos().mean(0), phases.sin().mean(0)]).norm(dim=0)


def bloch_lengths(features: Tensor, weights: Tensor, *, stage: str = "ψ4") -> Tensor:
    """Lengths of the qubits' reduced Bloch vectors inside lcqhnn's circuit.

    Args:
        features: Inputs x [B, 4], radians.
        weights: RY angles [4], radians.
        stage: Which of the printed states [lcqhnn, eq. 2-7]; by default the one after the RY gates.

    Returns:
        Lengths [B, 4] in float64; below 1 for a qubit entangled with the others.
    """
    pc = circuits.lcqhnn()
    paulis = [pauli for axis in ("X", "Y", "Z") for pauli in pauli_on_each_qubit(pc.n_qubits, axis)]
    part = ParametricCircuit(circuit=pc.stages()[stage], inputs=pc.inputs, weights=pc.weights, observables=paulis)
    layer = QuantumLayer(part, dtype=torch.float64)
    with torch.no_grad():
        layer.weights.copy_(weights.double()[None])
        return layer(features.double()).reshape(-1, 3, pc.n_qubits).norm(dim=1)


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

    For each dataset and stage of training: `resultant-length` of the encoded phases 2 x around the equator, and
    `length-after-ry`, the length of the reduced Bloch vectors after the RY gates; both are means over the four qubits
    (the second over images too), one number per seed.
    """
    result = {}
    for name, records in series.items():
        experiment, variant = name.split("/")
        config = experiments.get(experiment).variants[variant]
        images, _ = _test_images(config)
        model = lcqhnn.Lcqhnn(config).eval()
        for stage, epoch in settings.items():
            spread, length = [], []
            for record in records:
                model.load_state_dict(record.snapshot(epoch))
                with torch.no_grad():
                    x = model.angles(images)
                spread.append(float(resultant_length(2 * x).mean()))
                length.append(float(bloch_lengths(x, model.get_parameter("quantum.weights")[0]).mean()))
            key = f"{experiment.removeprefix('lcqhnn-')}/{stage}"
            result[f"{key}/resultant-length"] = mean_interval(spread)
            result[f"{key}/length-after-ry"] = mean_interval(length)
    return Findings(result=result)
