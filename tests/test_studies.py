"""What the recorded analyses measure, where the answer is known."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from qiskit.quantum_info import Statevector, partial_trace

from hqnn import analyses, circuits, datasets, experiments, ledger, runs, studies
from hqnn.analyses import Series
from hqnn.models import lcqhnn
from hqnn.quantum_layer import QuantumLayer

SMALL = replace(experiments.get("lcqhnn-mnist").quick["lcqhnn"], n_train=64, n_test=12)


def test_every_recipe_reads_series_that_exist() -> None:
    recipes = analyses.recipes()
    assert "lcqhnn-bloch" in recipes
    for recipe in recipes.values():
        for series in recipe.inputs:
            experiment, variant = series.split("/")
            assert variant in experiments.get(experiment).variants


def test_encoded_features_and_weights_reproduce_the_networks_scores() -> None:
    config = experiments.get("lcqhnn-mnist").quick["lcqhnn"]
    torch.manual_seed(0)
    model = lcqhnn.Lcqhnn(config).eval()
    network = studies.encoded(config, model.state_dict())
    assert network.features.shape == (config.n_test, 4)
    assert set(network.labels.tolist()) == {0, 1}
    layer = QuantumLayer(lcqhnn.circuit(config), dtype=torch.float64)
    layer.load_state_dict({"weights": torch.from_numpy(network.weights)[None]}, strict=False)
    scores = model.classify(layer(torch.from_numpy(network.features)).float())
    subset = datasets.subset(datasets.load("digits"), classes=(0, 1), n_train=192, n_val=64, n_test=64, seed=42)
    expected = model(datasets.to_float(subset.test.images, 28))
    assert scores.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-5)
    assert network.labels.tolist() == subset.test.labels.tolist()


@pytest.fixture
def hybrid() -> Series:
    """What a recipe reads of records: two seeds of a small hybrid, trained for one epoch."""
    config = replace(SMALL, epochs=1, snapshots=(0, 1))
    records: Any = [SimpleNamespace(seed=seed, snapshot=runs.execute(config, seed).weights) for seed in range(2)]
    return {"lcqhnn-mnist/lcqhnn": records}


def test_bloch_numbers_are_those_of_the_reduced_states(hybrid: Series, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = replace(experiments.get("lcqhnn-mnist"), variants={"lcqhnn": SMALL})
    monkeypatch.setitem(experiments.EXPERIMENTS, "lcqhnn-mnist", experiment)
    found = studies.lcqhnn.lcqhnn_bloch(hybrid, {"untrained": 0, "trained": 1})
    assert found.data is not None
    records = hybrid["lcqhnn-mnist/lcqhnn"]
    pc = circuits.lcqhnn()
    for stage, epoch in {"untrained": 0, "trained": 1}.items():
        assert found.result[f"mnist/{stage}/not-uniform"].mean == 1.0  # fresh features are all alike
        lengths = []
        for record in records:
            network = studies.encoded(SMALL, record.snapshot(epoch))
            for x in network.features:
                values = dict(zip([*pc.inputs, *pc.weights], [*x, *network.weights], strict=True))
                state = Statevector(pc.stages()["ψ4"].assign_parameters(values))
                others = [[q for q in range(4) if q != qubit] for qubit in range(4)]
                lengths += [math.sqrt(max(0.0, 2 * partial_trace(state, o).purity().real - 1)) for o in others]
        assert found.result[f"mnist/{stage}/length-after-ry"].mean == pytest.approx(np.mean(lengths), abs=1e-6)
        features = np.array([studies.encoded(SMALL, r.snapshot(epoch)).features for r in records])
        resultant = np.abs(np.exp(2j * features).mean(1)).mean()
        assert found.result[f"mnist/{stage}/resultant-length"].mean == pytest.approx(resultant)
        assert found.result[f"mnist/{stage}/abs-cosine"].mean == pytest.approx(np.abs(np.cos(2 * features)).mean())
        assert found.data["mnist"][stage]["seed"] == 0
        assert np.array(found.data["mnist"][stage]["features"]) == pytest.approx(features[0], abs=1e-4)
    per_seed = np.array(lengths).reshape(2, -1).mean(1)
    assert found.data["mnist"]["length-after-ry"] == pytest.approx(per_seed, abs=1e-6)
    assert found.data["mnist"]["most-entangled"]["seed"] == per_seed.argmin()


def test_recorded_analyses_hold_what_claims_ask_for() -> None:
    for claim in ledger.read().claims:
        name = claim.arguments.get("analysis")
        stored = analyses.load(name) if name else None
        if stored is not None:
            assert claim.arguments["key"] in stored.result, claim.id
