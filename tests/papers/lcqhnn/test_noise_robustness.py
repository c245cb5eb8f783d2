"""How trained networks bear noise: against Aer, and where the answer is known."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from hqnn import records
from hqnn.circuit import Circuit
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn import noise_robustness
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit, repeated
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.lcqhnn.noise_robustness import Labelled, QuantumHead
from hqnn.views import aer, noise
from hqnn.views.noise import Noise

Values = NDArray[np.float64]
SLOPES = np.array([0.2, 1.0, -1.0, 2.0])
SETTINGS: dict[str, Any] = {
    "depths": [1, 2],
    "deeper": 2,
    "p2": [0.02, 0.3],
    "p1_over_p2": 0.5,
    "gates": [0.2],
    "readout": [0.15],
    "t1_us": [40, 2],
    "t2_over_t1": 1.0,
    "today": {"depolarising": 0.02},
    "shots": [1, 10_000],
    "repetitions": 3,
    "reset_shots": 1000,
    "kept_at": 0.02,
    "pictured": 7,
    "pictured_at": 0.1,
}


def network(offset: float = 0.3) -> QuantumHead:
    return QuantumHead(weights=np.full(4, np.pi / 2), slopes=SLOPES, offset=offset)


def drawn(n: int, seed: int) -> Labelled:
    """Features with labels at random, so that every score counts."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-2, 2, (n, 4)), rng.integers(0, 2, n)


def scores_by_aer(features: Values, device: Noise | None, depth: int) -> Values:
    pc, weights = lcqhnn_circuit(n_layers=depth), np.full(4 * depth, np.pi / 2 / depth)
    return aer.expectations(pc, features, weights, noise=device) @ SLOPES + 0.3


# --- circuits and networks on a device


@pytest.mark.parametrize(
    "device",
    [None, noise.depolarising(0.01, 0.1), noise.readout(0.1), noise.thermal(20e-6, 15e-6), noise.manila()],
    ids=lambda device: device.name if device else "perfect",
)
@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_series_gives_what_aer_gives(device: Noise | None, n_layers: int) -> None:
    pc, weights = repeated([0.4, 1.3, -0.8, 2.1], n_layers)
    x, _ = drawn(5, 0)
    found = noise_robustness.outcome_series(pc, weights, noise=device)(x)
    np.testing.assert_allclose(found, aer.probabilities(pc, x, weights, noise=device), rtol=0, atol=1e-8)
    expected = aer.expectations(pc, x, weights, noise=device)
    np.testing.assert_allclose(found @ noise_robustness.Z, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("order", ["time", "product"])
def test_a_model_and_its_head_decide_alike_at_any_depth(order: Order) -> None:
    model, images = lcqhnn.Lcqhnn(LcqhnnConfig(order=order)).eval(), torch.rand(6, 1, 28, 28)
    with torch.no_grad():
        scores, angles = model(images), model.angles(images).double().numpy()
    head = QuantumHead.of(model, order)
    for depth in (1, 3):
        behind = head.scores(head.on(None, n_layers=depth)(angles))
        np.testing.assert_allclose(behind, scores[:, 1] - scores[:, 0], atol=1e-5)


@pytest.mark.parametrize("changes", [{"quantum": "classical"}, {"readout": "pair"}])
def test_a_model_without_circuit_or_readout_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no circuit with a linear readout"):
        QuantumHead.of(lcqhnn.Lcqhnn(LcqhnnConfig(**changes)))


# --- what is measured


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
    expected = {
        "depolarising": [[(1 - 0.1 * p) ** 2, 1 - p] for p in given["p2"]],
        "one-qubit": [[(1 - p) ** 2, 1.0] for p in given["gates"]],
        "two-qubit": [[1.0, 1 - p] for p in given["gates"]],
        "readout": [[1 - 2 * p, 1 - 2 * p] for p in given["readout"]],
    }
    for kind, factors in expected.items():
        left = [[aer.expectations(pc, np.zeros((1, 0)), [], noise=d).item() for pc in probes] for d in sweeps[kind][1]]
        np.testing.assert_allclose(left, factors, atol=1e-12)
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
    """As if the shots were so many that none scatters."""
    monkeypatch.setattr(noise_robustness, "frequencies", lambda probabilities, shots, rng: probabilities)
    validation, test = drawn(30, 1), drawn(50, 2)
    found = noise_robustness.robustness(network(), validation, test, SETTINGS, seed=0)

    def share(above: NDArray[np.bool_]) -> float:
        return float((above == (test[1] == 1)).mean())

    assert found["perfect"] == share(scores_by_aer(test[0], None, 1) > 0)
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
                ours, set_by = (scores_by_aer(part[0], device, depth) for part in (test, validation))
                trained.append(share(ours > 0))
                reset.append(share(ours > sum(set_by[validation[1] == label].mean() for label in (0, 1)) / 2))
            assert found["trained"][kind][str(depth)] == trained
            assert found["reset"][kind][str(depth)] == reset
            if kind == "backend":
                assert found["shots"]["backend"][str(depth)] == pytest.approx(trained * 2)


def test_more_shots_decide_better() -> None:
    few = {**SETTINGS, "p2": [0.02], "t1_us": [], "gates": [], "readout": []}
    features, _ = drawn(300, 1)
    chosen = np.abs(scores_by_aer(features, None, 1)) > 0.8
    some = features[chosen], (scores_by_aer(features[chosen], None, 1) > 0).astype(np.int64)
    measured = noise_robustness.robustness(network(), some, some, few, seed=0)
    assert measured["perfect"] == 1.0
    one, many = measured["shots"]["perfect"]["1"]
    assert one < 0.97 < many
    assert all(measured["shots"]["backend"][depth][0] < 0.97 for depth in ("1", "2"))


def test_signal_shrinks_by_the_gates_that_its_pauli_string_meets_and_nothing_is_left_of_none() -> None:
    features, _ = drawn(50, 3)
    found = noise_robustness.shrinkage(network(), features, SETTINGS)
    # With one block ⟨Z_3⟩ is one Pauli path: three CNOTs, two pulses of each RY on qubits 2 and 3, one Hadamard gate.
    assert found["kept"]["1"][3] == pytest.approx((1 - 0.02) ** 3 * (1 - 0.01) ** (4 + 1), abs=1e-9)
    assert all(deep < shallow for deep, shallow in zip(found["kept"]["2"][1:], found["kept"]["1"][1:], strict=True))
    assert found["signal"][3] == pytest.approx(np.sqrt((np.cos(2 * features[:, 2]) ** 2).mean()), abs=1e-9)
    # RY(π/2) on every qubit takes away all of ⟨Z_0⟩ but its rounding.
    assert found["signal"][0] < noise_robustness.NO_SIGNAL < found["signal"][1]
    # Records hold seeds first, rounded, and no NaN.
    stored = json.loads(json.dumps(noise_robustness.by_seed([found, found]), allow_nan=False))
    assert stored["kept"]["1"][0][0] is None and stored["signal"][1] == np.round(found["signal"], 4).tolist()
    for depth, factors in noise_robustness.by_depth(stored["kept"]).items():
        np.testing.assert_allclose(factors, 2 * [found["kept"][str(depth)]], atol=1e-4)


def test_pictured_scores_are_those_of_the_first_images() -> None:
    features, labels = drawn(20, 2)
    found = noise_robustness.example_scores(network(), (features, labels), SETTINGS)
    assert found["labels"] == labels[:7].tolist() and found["offset"] == 0.3
    device = noise.depolarising(0.05, 0.1)
    cases = ((1, None, found["perfect"]), (1, device, found["noisy"]["1"]), (2, device, found["noisy"]["2"]))
    for depth, one, stored in cases:
        np.testing.assert_allclose(stored, scores_by_aer(features[:7], one, depth), atol=1e-4)


# --- of a series


def test_losses_are_paired_differences_in_points() -> None:
    def seed(perfect: float, shallow: list[float], deep: list[float]) -> dict[str, Any]:
        strengths = {"1": shallow, "2": deep}
        kinds = {"depolarising": strengths, "thermal": strengths, "backend": {"1": shallow[:1], "2": deep[:1]}}
        return {"perfect": perfect, "trained": kinds, "reset": {**kinds, "thermal": {"1": [perfect], "2": [perfect]}}}

    measured = [seed(0.99, [0.98, 0.90], [0.96, 0.50]), seed(0.97, [0.97, 0.95], [0.97, 0.5])]
    result = noise_robustness.summarise(measured, SETTINGS)
    expected = {
        "perfect/accuracy": 98,
        "depolarising/loss-1": (5 + 1) / 2,
        "depolarising/today/loss-2": (3 + 0) / 2,
        "depolarising/deeper-loss-minus-shallow-loss": (21 + 22.5) / 2,
        "backend/deeper-loss-minus-shallow-loss": 1.0,
        "thermal/reset/loss-2": 0.0,
    }
    assert {key: result[key].mean for key in expected} == pytest.approx(expected)
    assert {one.n for one in result.values()} == {2} and "thermal/today/loss-1" not in result


def test_the_light_cone_is_what_can_reach_the_qubit() -> None:
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    circuit.cx(0, 1)
    circuit.barrier()
    circuit.cx(1, 2)
    circuit.x(0)
    circuit.cx(2, 3)
    cones = [noise_robustness.light_cone(circuit, qubit) for qubit in (0, 1, 3)]
    assert cones == [Counter(x=1, cx=1, h=2), Counter(cx=2, h=3), Counter(cx=3, h=4)]


def test_no_expectation_value_keeps_less_than_its_light_cone_says() -> None:
    recorded = records.measured("lcqhnn-noise-mnist")
    estimates = noise_robustness.light_cone_estimates(recorded.config)
    kept = noise_robustness.kept_signal(recorded.data)
    # One block: of qubit 3 four CNOTs and eight pulses count.
    assert estimates.shape == (4, 4) and estimates[3, 0] == pytest.approx(0.99**4 * 0.999**8)
    assert sum(len(of_qubit) for of_qubit in kept) > 10
    assert all((of_qubit > least - 1e-4).all() for of_qubit, least in zip(kept, estimates, strict=True))


def test_only_qubits_with_a_signal_keep_some() -> None:
    data = {"signal": [[0.5, 0.1], [0.3, 0.4]], "kept": {"1": [[0.9, 0.8], [0.7, 0.6]], "2": [[0.5, 0.4], [0.3, None]]}}
    first, second = noise_robustness.kept_signal(data)
    assert first.tolist() == [[0.9, 0.5], [0.7, 0.3]]
    assert second[:, 0].tolist() == [0.6] and np.isnan(second[:, 1]).all()


def test_cost_grows_with_the_blocks_unless_a_compiler_may_merge_them() -> None:
    once, four = (noise_robustness.cost(n_layers, noise.manila()) for n_layers in (1, 4))
    assert (once.cnots, four.cnots) == (6, 24)
    assert four.pulses > once.pulses and four.microseconds > 2 * once.microseconds
    assert once.cnots_if_optimised == four.cnots_if_optimised
