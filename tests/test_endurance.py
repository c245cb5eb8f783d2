"""How trained networks bear noise, where the answer is known."""

import json
from typing import Any

import numpy as np
import pytest
import torch

from hqnn import endurance, noise, resilience
from hqnn.endurance import Encoded
from hqnn.experiments import LcqhnnConfig
from hqnn.models import lcqhnn
from hqnn.resilience import Network

SETTINGS: dict[str, Any] = {
    "depths": [1, 2],
    "deeper": 2,
    "p2": [0.01, 1.0],
    "p1_over_p2": 1.0,
    "gates": [1.0],
    "readout": [0.5],
    "t1_us": [1e6, 1e-3],
    "t2_over_t1": 1.0,
    "today": {"depolarising": 0.01},
    "shots": [1, 10_000],
    "repetitions": 3,
    "reset_shots": 1000,
    "kept_at": 0.02,
    "pictured": 7,
    "pictured_at": 0.02,
}


def network(offset: float = -0.1) -> Network:
    return Network(weights=np.full(4, np.pi / 2), slopes=np.array([0.2, 1.0, -1.0, 2.0]), offset=offset)


def labelled(n: int, seed: int) -> Encoded:
    """Features whose labels the network gets right, all of them well away from the threshold."""
    features = np.random.default_rng(seed).uniform(-2, 2, (8 * n, 4))
    scores = network().scores(network().on(None)(features))
    chosen = np.abs(scores) > 0.8
    return Encoded(features[chosen][:n], (scores > 0)[chosen][:n].astype(np.int64))


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    return endurance.endure(network(), labelled(40, 1), labelled(60, 2), SETTINGS, seed=0)


def test_a_model_and_what_is_left_of_it_decide_alike() -> None:
    torch.manual_seed(0)
    for order in ("time", "product"):
        config = LcqhnnConfig(order=order)
        model = lcqhnn.build(config).eval()
        assert isinstance(model, lcqhnn.Lcqhnn)
        images = torch.rand(6, 1, 28, 28)
        with torch.no_grad():
            scores, angles = model(images), model.angles(images).double().numpy()
        found = Network.of(model, config.order)
        for depth in (1, 3):
            behind = found.scores(found.on(None, n_layers=depth)(angles))
            np.testing.assert_allclose(behind, scores[:, 1] - scores[:, 0], atol=1e-5)


@pytest.mark.parametrize("changes", [{"quantum": "classical"}, {"readout": "pair"}])
def test_a_model_without_circuit_or_readout_is_refused(changes: dict[str, Any]) -> None:
    model = lcqhnn.Lcqhnn(LcqhnnConfig(**changes))
    with pytest.raises(ValueError, match="no circuit with a linear readout"):
        Network.of(model)


def test_weak_noise_changes_no_decision_and_full_noise_leaves_the_offset(measured: dict[str, Any]) -> None:
    labels = labelled(60, 2).labels
    all_zero = float((labels == 0).mean())  # a negative offset alone says class 0
    assert measured["perfect"] == 1.0
    for depth in ("1", "2"):
        assert measured["trained"]["depolarising"][depth] == [1.0, all_zero]
        # Relaxation within a nanosecond leaves |0000⟩, ⟨Z⟩ = 1 on all qubits, and a positive score.
        assert measured["trained"]["thermal"][depth] == pytest.approx([1.0, 1 - all_zero])
    for kind in ("one-qubit", "two-qubit", "readout"):
        assert measured["trained"][kind]["1"] == [all_zero]
    assert set(measured["trained"]["readout"]) == {"1"}


def test_a_threshold_set_anew_undoes_a_shift() -> None:
    shifted, validation, test = network(offset=5.0), labelled(40, 1), labelled(60, 2)
    series = shifted.on(noise.depolarising(0.01, 0.01))
    scores = shifted.scores(series(test.features))
    threshold = resilience.midpoint(shifted.scores(series(validation.features)), validation.labels)
    assert resilience.accuracy(scores, test.labels) < 0.7
    assert resilience.accuracy(scores, test.labels, threshold=threshold) > 0.95


def test_thresholds_are_set_on_the_device(measured: dict[str, Any]) -> None:
    assert all(measured["reset"]["depolarising"][depth][0] > 0.9 for depth in ("1", "2"))


def test_more_shots_decide_better(measured: dict[str, Any]) -> None:
    few, many = measured["shots"]["perfect"]["1"]
    assert few < 0.97 < many
    assert [len(curve) for curve in measured["shots"]["backend"].values()] == [2, 2]


def test_signal_shrinks_by_the_gates_that_its_pauli_string_meets() -> None:
    features = labelled(50, 3).features
    p = SETTINGS["kept_at"]
    found = endurance.shrinkage(network(), features, SETTINGS)
    # With one block ⟨Z_3⟩ is one Pauli path: three CNOTs, two pulses of each RY on qubits 2 and 3, one Hadamard gate.
    assert found["kept"]["1"][3] == pytest.approx((1 - p) ** (3 + 4 + 1), abs=1e-9)
    assert all(deep < shallow for deep, shallow in zip(found["kept"]["2"][1:], found["kept"]["1"][1:], strict=True))
    assert found["signal"][3] == pytest.approx(np.sqrt((np.cos(2 * features[:, 2]) ** 2).mean()), abs=1e-9)


def test_nothing_is_left_of_no_signal() -> None:
    # RY(π/2) on every qubit takes away all of ⟨Z_0⟩ but its rounding.
    found = endurance.shrinkage(network(), labelled(50, 3).features, SETTINGS)
    assert found["signal"][0] < endurance.NO_SIGNAL < found["signal"][1]
    for factors in found["kept"].values():
        assert np.isnan(factors).tolist() == [True, False, False, False]
    stored = json.loads(json.dumps(endurance.by_seed([found, found]), allow_nan=False))
    assert stored["kept"]["1"][0][0] is None
    assert np.isnan(endurance.by_depth(stored["kept"])[1]).tolist() == 2 * [[True, False, False, False]]


def test_losses_are_paired_differences_in_points(measured: dict[str, Any]) -> None:
    def seed(perfect: float, shallow: list[float], deep: list[float]) -> dict[str, Any]:
        strengths = {"1": shallow, "2": deep}
        kinds = {"depolarising": strengths, "thermal": strengths, "backend": {"1": shallow[:1], "2": deep[:1]}}
        return {"perfect": perfect, "trained": kinds, "reset": kinds}

    result = endurance.summarise(
        [seed(0.99, [0.98, 0.90], [0.96, 0.50]), seed(0.97, [0.97, 0.95], [0.97, 0.5])], SETTINGS
    )
    assert result["perfect/accuracy"].mean == pytest.approx(98)
    assert result["depolarising/loss-1"].mean == pytest.approx((5 + 1) / 2)
    assert result["depolarising/today/loss-2"].mean == pytest.approx((3 + 0) / 2)
    difference = result["depolarising/deeper-loss-minus-shallow-loss"]
    assert difference.n == 2
    assert difference.mean == pytest.approx((21 + 22.5) / 2)
    assert result["backend/deeper-loss-minus-shallow-loss"].mean == pytest.approx(1.0)
    assert "thermal/today/loss-1" not in result


def test_lists_run_over_seeds_first() -> None:
    found = endurance.by_seed([{"a": {"1": [0.123456, 1]}, "b": 2}, {"a": {"1": [0, 1]}, "b": 3}])
    assert found == {"a": {"1": [[0.1235, 1.0], [0.0, 1.0]]}, "b": [2, 3]}
    assert endurance.by_depth(found["a"])[1].tolist() == [[0.1235, 1.0], [0.0, 1.0]]


def test_pictured_scores_lean_towards_the_offset() -> None:
    found = endurance.pictured(network(), labelled(60, 2), SETTINGS)
    perfect, offset = np.array(found["perfect"]), found["offset"]
    assert len(found["labels"]) == len(perfect) == SETTINGS["pictured"]
    for deep, shallow in zip(found["noisy"]["2"], found["noisy"]["1"], strict=True):
        assert abs(deep - offset) < abs(shallow - offset)
    assert (np.abs(np.array(found["noisy"]["1"]) - offset) < np.abs(perfect - offset)).all()


def test_frequencies_reproduce_probabilities_in_the_limit() -> None:
    test = labelled(60, 2)
    probabilities = network().on(None)(test.features)
    many = resilience.frequencies(probabilities, 1_000_000, np.random.default_rng(0))
    np.testing.assert_allclose(network().scores(many), network().scores(probabilities), atol=0.02)
