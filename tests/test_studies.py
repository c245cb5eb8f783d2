"""What the recorded analyses measure, where the answer is known."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from qiskit.quantum_info import Statevector, partial_trace
from scipy.stats import kstest

from hqnn import analyses, circuits, datasets, experiments, ledger, runs, studies
from hqnn.analyses import Series
from hqnn.models import lcqhnn
from hqnn.quantum_layer import QuantumLayer
from hqnn.studies.transfer import chi_squared
from hqnn.tasks import transfer

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


def test_encoders_come_from_the_data_folder_of_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class AskedError(Exception):
        pass

    def ask(experiment: str, variant: str, seed: int, *, root: Path) -> None:
        raise AskedError(seed, root)

    monkeypatch.setattr(runs, "kept_weights", ask)
    monkeypatch.setattr(transfer, "encoded", lambda _config, session: session.kept("a", "b", session.seed))
    for recipe in analyses.recipes().values():
        if recipe.compute.__module__ == studies.transfer.__name__ and recipe.name != "transfer-compression":
            seed = recipe.settings.get("seed", 3)
            series: Any = {
                one: [SimpleNamespace(seed=seed, path=tmp_path / "runs" / one / "seed-3.json")] for one in recipe.inputs
            }
            with pytest.raises(AskedError) as asked:
                recipe.compute(series, recipe.settings)
            assert asked.value.args == (seed, tmp_path)


# --- counts against probabilities

RATES = {
    "even": np.full((20, 32), 1 / 32),
    "falling": np.tile(0.6 ** np.arange(32) * 0.4 / (1 - 0.6**32), (20, 1)),
    "one outcome and 31 rare ones": np.tile([1 - 31 * 2e-4, *[2e-4] * 31], (20, 1)),
    "of every kind": np.random.default_rng(0).dirichlet(np.full(32, 0.1), 20),
}
"""Outcomes expected from 0 to 1,018 times in 1,024 shots."""


@pytest.mark.parametrize("kind", RATES)
def test_p_values_of_counts_are_uniform_where_the_probabilities_are_right(kind: str) -> None:
    rng = np.random.default_rng(0)
    found = [chi_squared(rng.multinomial(1024, RATES[kind]), RATES[kind]) for _ in range(400)]
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("kind", RATES)
def test_counts_of_other_probabilities_are_told_from_chance(kind: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = 0.8 * RATES[kind] + 0.2 * rng.dirichlet(np.ones(32), 20)
        assert chi_squared(rng.multinomial(1024, other), RATES[kind]) < 1e-6


def test_an_impossible_outcome_refutes_and_one_that_never_occurs_does_not() -> None:
    probabilities = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.25, 0.75, 0.0]])
    counts = np.array([[52, 48, 0, 0], [0, 23, 77, 0]])
    # (2² / 50 · 2, then 2² / 25 + 2² / 75), two degrees of freedom: exp(-statistic / 2)
    assert chi_squared(counts, probabilities) == pytest.approx(math.exp(-(0.16 + 16 / 75) / 2))
    counts[1] = [1, 23, 76, 0]
    assert chi_squared(counts, probabilities) == 0


def test_every_cell_of_the_test_is_expected_five_times() -> None:
    # Expected 2, 2, 2, 3, 91 times: 2 + 2 + 2 + 3 go together. Expected 1, 2, 6, 91 times: 1 + 2 + 6 do.
    for probabilities in ([0.02, 0.02, 0.02, 0.03, 0.91], [0.0, 0.01, 0.02, 0.06, 0.91]):
        found = chi_squared(np.array([[0, 0, 0, 14, 86]]), np.array([probabilities]))
        assert found == pytest.approx(math.erfc(math.sqrt((25 / 9 + 25 / 91) / 2)))  # one degree of freedom


@pytest.mark.parametrize(
    ("probabilities", "shots", "message"),
    [([0.5, 0.6], 100, r"must sum to 1, but sums lie from 1\.1"), ([0.5, 0.5], 8, "take more shots")],
)
def test_counts_that_cannot_be_tested_are_refused(probabilities: list[float], shots: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chi_squared(np.array([[shots, 0]]), np.array([probabilities]))
