"""What is measured of circuits without training them, at small size and where it is known."""

from typing import Any

import numpy as np
import pytest

from hqnn import measurements
from hqnn.papers.hqnn import trainability, tuning
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.stats import Interval
from hqnn.views.layer import QuantumLayer

SMALL: dict[str, Any] = {"qubits": [2, 3], "depths": [1], "samples": 40, "chunk": 7, "states": 200, "weights": 3}
SMALL |= {"inputs_seen": 60, "data": [500]}


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, float], Any]:
    known = measurements.everything()["hqnn-trainability"]
    result, data = known.compute({}, {**known.settings, **SMALL})
    return {key: interval.mean for key, interval in result.items()}, data


def test_every_reading_that_was_trained_is_measured(found: tuple[dict[str, float], Any]) -> None:
    result, _ = found
    assert list(trainability.readings()) == list(tuning.by_circuit())
    for words in trainability.readings():
        turns_nothing = words.startswith("RZ")  # Z is measured behind CNOTs, and a rotation about it is not seen
        assert result[f"{words}/rank"] == (0 if turns_nothing else 4)
        assert (result[f"{words}/variance"] < 1e-20) == turns_nothing
        assert result[f"{words}/dimension"] == pytest.approx(0 if turns_nothing else 3.5, abs=0 if turns_nothing else 2)
    # Gates without weights change no fidelity.
    assert result["RZ, chain, rotations, CNOTs/expressibility"] == result["RZ, star, rotations, CNOTs/expressibility"]


def test_the_circuit_and_the_block_have_as_many_weights_that_matter(found: tuple[dict[str, float], Any]) -> None:
    result, data = found
    for model in ("circuit", "block"):
        assert result[f"weights/{model}"] == result[f"rank/{model}"] == 45
        assert 0 < result[f"dimension/{model}/500"] < 1
        assert np.mean(data["spectra"][model]) == pytest.approx(1)
        assert data["spectra"][model] == sorted(data["spectra"][model], reverse=True)


def test_slopes_vary_as_difference_quotients_do(found: tuple[dict[str, float], Any]) -> None:
    result, _ = found
    pc, step, n = strongly_entangling(n_qubits=2, n_layers=1), 1e-6, 2000
    rng = np.random.default_rng(1)
    x, w = rng.uniform(0, 2 * np.pi, (n, 2)), rng.uniform(0, 2 * np.pi, (n, 6))
    moved = step * np.eye(6)[rng.integers(6, size=n)]
    layer = QuantumLayer.at(pc, np.concatenate([w + moved, w - moved]))
    plus, minus = layer(layer.weights.new_tensor(np.tile(x, (2, 1)).reshape(1, -1))).detach().numpy().reshape(2, n, 2)
    assert result["variance/1/2"] == pytest.approx(np.square((plus - minus) / (2 * step)).mean(), rel=0.3)


def test_a_measure_that_orders_the_circuits_is_found_and_one_without_order_is_not() -> None:
    trained = tuning.by_circuit()
    result = {}
    for k, (words, rates) in enumerate(trained.items()):
        accuracy = float(rates[0.01].mean())
        for measure, value in (
            ("expressibility", accuracy**3),
            ("entanglement", -accuracy),
            ("variance", float(k % 2)),
            ("dimension", accuracy + 0.02 * (k % 3)),
        ):
            result[f"{words}/{measure}"] = Interval(value, 0, 1)
    found = trainability.predictions(result, 0.01)
    assert found["expressibility"].correlation == pytest.approx(1) and found["expressibility"].p < 0.01
    assert found["entanglement"].correlation == pytest.approx(-1) and found["entanglement"].interval[1] < -0.9
    assert found["variance"].p > 0.05 and found["variance"].interval[0] < found["variance"].correlation
    assert found["dimension"].correlation < 1 and found["dimension"].interval[0] > 0
    np.testing.assert_allclose(found["variance"].accuracy, [100 * rates[0.01].mean() for rates in trained.values()])
