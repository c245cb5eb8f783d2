"""How trained networks bear noise, where the answer is known."""

import json
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from hqnn import records
from hqnn.circuit import Circuit
from hqnn.papers.lcqhnn import noise_robustness
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.noisy_network import LabelledFeatures, QuantumHead, accuracy, midpoint
from hqnn.views import aer, noise

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


def network(offset: float = -0.1) -> QuantumHead:
    return QuantumHead(weights=np.full(4, np.pi / 2), slopes=np.array([0.2, 1.0, -1.0, 2.0]), offset=offset)


def labelled(n: int, seed: int) -> LabelledFeatures:
    """Features whose labels the network gets right, all of them well away from the threshold."""
    features = np.random.default_rng(seed).uniform(-2, 2, (8 * n, 4))
    scores = network().scores(network().on(None)(features))
    chosen = np.abs(scores) > 0.8
    return LabelledFeatures(features[chosen][:n], (scores > 0)[chosen][:n].astype(np.int64))


def test_a_threshold_set_anew_undoes_a_shift() -> None:
    shifted, validation, test = network(offset=5.0), labelled(40, 1), labelled(60, 2)
    series = shifted.on(noise.depolarising(0.01, 0.01))
    scores = shifted.scores(series(test.features))
    threshold = midpoint(shifted.scores(series(validation.features)), validation.labels)
    assert accuracy(scores, test.labels) < 0.7
    assert accuracy(scores, test.labels, threshold=threshold) > 0.95


def test_more_shots_decide_better() -> None:
    few = {**SETTINGS, "p2": [0.01], "t1_us": [1e6], "gates": [], "readout": []}
    measured = noise_robustness.robustness(network(), labelled(40, 1), labelled(60, 2), few, seed=0)
    assert measured["perfect"] == 1.0
    one, many = measured["shots"]["perfect"]["1"]
    assert one < 0.97 < many
    for depth in ("1", "2"):
        assert measured["shots"]["backend"][depth][0] < 0.97
        assert measured["reset"]["depolarising"][depth][0] > 0.9


def test_signal_shrinks_by_the_gates_that_its_pauli_string_meets() -> None:
    features = labelled(50, 3).features
    p = SETTINGS["kept_at"]
    found = noise_robustness.shrinkage(network(), features, SETTINGS)
    # With one block ⟨Z_3⟩ is one Pauli path: three CNOTs, two pulses of each RY on qubits 2 and 3, one Hadamard gate.
    assert found["kept"]["1"][3] == pytest.approx((1 - p) ** (3 + 4 + 1), abs=1e-9)
    assert all(deep < shallow for deep, shallow in zip(found["kept"]["2"][1:], found["kept"]["1"][1:], strict=True))
    assert found["signal"][3] == pytest.approx(np.sqrt((np.cos(2 * features[:, 2]) ** 2).mean()), abs=1e-9)


def test_nothing_is_left_of_no_signal() -> None:
    # RY(π/2) on every qubit takes away all of ⟨Z_0⟩ but its rounding.
    found = noise_robustness.shrinkage(network(), labelled(50, 3).features, SETTINGS)
    assert found["signal"][0] < noise_robustness.NO_SIGNAL < found["signal"][1]
    for factors in found["kept"].values():
        assert np.isnan(factors).tolist() == [True, False, False, False]
    stored = json.loads(json.dumps(noise_robustness.by_seed([found, found]), allow_nan=False))
    assert stored["kept"]["1"][0][0] is None
    assert np.isnan(noise_robustness.by_depth(stored["kept"])[1]).tolist() == 2 * [[True, False, False, False]]


def test_losses_are_paired_differences_in_points() -> None:
    def seed(perfect: float, shallow: list[float], deep: list[float]) -> dict[str, Any]:
        strengths = {"1": shallow, "2": deep}
        kinds = {"depolarising": strengths, "thermal": strengths, "backend": {"1": shallow[:1], "2": deep[:1]}}
        return {"perfect": perfect, "trained": kinds, "reset": kinds}

    result = noise_robustness.summarise(
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
    found = noise_robustness.by_seed([{"a": {"1": [0.123456, 1]}, "b": 2}, {"a": {"1": [0, 1]}, "b": 3}])
    assert found == {"a": {"1": [[0.1235, 1.0], [0.0, 1.0]]}, "b": [2, 3]}
    assert noise_robustness.by_depth(found["a"])[1].tolist() == [[0.1235, 1.0], [0.0, 1.0]]


def test_every_device_of_a_sweep_is_as_strong_as_it_says() -> None:
    """A rotation about Y is two pulses and a CNOT on |00⟩ leaves ⟨Z⟩ = 1: what noise takes of both is known."""
    given: dict[str, Any] = {"p2": [0.003, 0.2], "gates": [0.07, 0.5], "readout": [0.04], "t1_us": [300, 30]}
    sweeps = noise_robustness.sweeps({**given, "p1_over_p2": 0.1, "t2_over_t1": 0.7, "depths": [1, 2, 4], "deeper": 4})
    turn, entangle = QuantumCircuit(1), QuantumCircuit(2)
    turn.ry(2 * np.pi, 0)
    entangle.cx(0, 1)
    probes = [
        Circuit(circuit=circuit, inputs=[], weights=[], observables=[SparsePauliOp(z)])
        for circuit, z in ((turn, "Z"), (entangle, "ZI"))
    ]

    def left(device: noise.Noise) -> list[float]:
        return [float(aer.expectations(pc, np.zeros((1, 0)), [], noise=device)[0, 0]) for pc in probes]

    expected = {
        "depolarising": [[(1 - 0.1 * p) ** 2, 1 - p] for p in given["p2"]],
        "one-qubit": [[(1 - p) ** 2, 1.0] for p in given["gates"]],
        "two-qubit": [[1.0, 1 - p] for p in given["gates"]],
        "readout": [[1 - 2 * p, 1 - 2 * p] for p in given["readout"]],
    }
    for kind, factors in expected.items():
        np.testing.assert_allclose([left(device) for device in sweeps[kind].devices], factors, atol=1e-12)
    times = [(*device.t1, *device.t2) for device in sweeps["thermal"].devices]
    np.testing.assert_allclose(times, [(300e-6, 210e-6), (30e-6, 21e-6)])
    assert [device.name for device in sweeps["backend"].devices] == ["ibmq_manila"]
    assert {kind: (sweep.strengths, list(sweep.depths)) for kind, sweep in sweeps.items()} == {
        "depolarising": (given["p2"], [1, 2, 4]),
        "one-qubit": (given["gates"], [1, 4]),
        "two-qubit": (given["gates"], [1, 4]),
        "readout": (given["readout"], [1]),
        "thermal": (given["t1_us"], [1, 2, 4]),
        "backend": ([1], [1, 2, 4]),
    }


def test_accuracies_are_those_of_scores_computed_by_aer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of labels drawn at random, so that every score counts; as if the shots were so many that none scatters."""
    monkeypatch.setattr(noise_robustness, "frequencies", lambda probabilities, shots, rng: probabilities)
    rng, model = np.random.default_rng(5), network(offset=0.3)
    validation, test = (LabelledFeatures(rng.uniform(-2, 2, (n, 4)), rng.integers(0, 2, n)) for n in (30, 50))
    given = {"p2": [0.02, 0.3], "p1_over_p2": 0.5, "gates": [0.2], "readout": [0.15], "t1_us": [40, 2]}
    found = noise_robustness.robustness(model, validation, test, {**SETTINGS, **given}, seed=0)

    def scores(features: np.ndarray, device: noise.Noise | None, depth: int) -> np.ndarray:
        pc, weights = lcqhnn_circuit(n_layers=depth), np.tile(model.weights / depth, depth)
        return aer.expectations(pc, features, weights, noise=device) @ [0.2, 1.0, -1.0, 2.0] + 0.3

    def share(above: np.ndarray) -> float:
        return float((above == (test.labels == 1)).mean())

    assert found["perfect"] == share(scores(test.features, None, 1) > 0)
    assert found["shots"]["perfect"]["1"] == pytest.approx([found["perfect"]] * 2)
    devices = {
        "depolarising": [noise.depolarising(0.01, 0.02), noise.depolarising(0.15, 0.3)],
        "thermal": [noise.thermal(40e-6, 40e-6), noise.thermal(2e-6, 2e-6)],
        "backend": [noise.manila()],
    }
    for kind, sweep in devices.items():
        for depth in (1, 2):
            trained, reset = [], []
            for device in sweep:
                ours, set_by = (scores(part.features, device, depth) for part in (test, validation))
                trained.append(share(ours > 0))
                means = [set_by[validation.labels == label].mean() for label in (0, 1)]
                reset.append(share(ours > sum(means) / 2))
            assert found["trained"][kind][str(depth)] == trained
            assert found["reset"][kind][str(depth)] == reset
            if kind == "backend":
                assert found["shots"]["backend"][str(depth)] == pytest.approx(trained * 2)


def test_pictured_scores_are_those_of_the_first_images() -> None:
    model, test = network(offset=0.3), labelled(20, 2)
    found = noise_robustness.example_scores(model, test, {**SETTINGS, "p1_over_p2": 0.5, "pictured_at": 0.1})
    assert found["labels"] == test.labels[:7].tolist()
    assert found["offset"] == 0.3
    for depth, device, stored in (
        (1, None, found["perfect"]),
        (1, noise.depolarising(0.05, 0.1), found["noisy"]["1"]),
        (2, noise.depolarising(0.05, 0.1), found["noisy"]["2"]),
    ):
        pc, weights = lcqhnn_circuit(n_layers=depth), np.tile(model.weights / depth, depth)
        expected = aer.expectations(pc, test.features[:7], weights, noise=device) @ model.slopes + 0.3
        np.testing.assert_allclose(stored, expected, atol=1e-4)


# --- what the records say


def test_no_expectation_value_keeps_less_than_its_light_cone_says() -> None:
    for dataset in ("mnist", "fashion"):
        recorded = records.measured(f"lcqhnn-noise-{dataset}")
        estimates = noise_robustness.light_cone_estimates(recorded.config)
        kept = noise_robustness.kept_signal(recorded.data)
        assert estimates.shape == (4, 4)
        # One block: of qubit 3 four CNOTs and eight pulses count.
        assert estimates[3, 0] == pytest.approx(0.99**4 * 0.999**8)
        assert sum(len(of_qubit) for of_qubit in kept) > 10
        for of_qubit, least in zip(kept, estimates, strict=True):
            assert (of_qubit > least - 1e-4).all()


def test_only_qubits_with_a_signal_keep_some() -> None:
    data = {"signal": [[0.5, 0.1], [0.3, 0.4]], "kept": {"1": [[0.9, 0.8], [0.7, 0.6]], "2": [[0.5, 0.4], [0.3, None]]}}
    first, second = noise_robustness.kept_signal(data)
    assert first.tolist() == [[0.9, 0.5], [0.7, 0.3]]
    assert second[:, 0].tolist() == [0.6] and np.isnan(second[:, 1]).all()


def test_shots_that_are_needed_and_what_fewer_lose() -> None:
    curve = [[0.5, 0.8, 0.9], [0.6, 0.9, 0.9]]
    assert noise_robustness.shots_needed(curve, [1, 4, 16], 0.8) == 4
    assert noise_robustness.shots_needed(curve, [1, 4, 16], 0.9) is None
    data = {"perfect": [0.9, 1.0], "shots": {"backend": {"1": curve, "8": [[0.4] * 3] * 2}}}
    lost = noise_robustness.losses_by_shots(data, [1, 4, 16], 4)
    assert {depth: interval.mean for depth, interval in lost.items()} == pytest.approx({1: 10.0, 8: 55.0})
