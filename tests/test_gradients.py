"""The three ways to differentiate agree, their record is whole, and unequal ones are not compared."""

import json

import pytest
import torch

from benchmarks import gradients
from hqnn import storage


def test_our_ways_to_differentiate_agree_with_parameter_shift() -> None:
    generator = torch.Generator().manual_seed(1)
    inputs, upstream = (torch.rand(5, 4, dtype=torch.float64, generator=generator) for _ in range(2))
    weights = torch.rand(4, dtype=torch.float64, generator=generator)
    results = {name: way(inputs, weights, upstream) for name, way in gradients.ours().items()}
    expected = results.pop("gate by gate, parameter shift")
    for name, result in results.items():
        torch.testing.assert_close(result, expected, msg=name)


def test_unequal_gradients_are_not_compared() -> None:
    ways = gradients.ours()
    layer = ways["hqnn layer, backpropagation"]
    ways["wrong"] = lambda inputs, weights, upstream: 1.01 * layer(inputs, weights, upstream)
    with pytest.raises(RuntimeError, match="wrong differs"):
        gradients.measure(ways, 2, 0.001)


def test_times_are_measured_for_each() -> None:
    ways = {"one": gradients.ours()["gate by gate, adjoint differentiation"]}
    result = gradients.measure(ways, 3, 0.001)
    assert result["batch"] == 3
    assert result["median_ms"]["one"] > 0


def test_the_record_has_every_contender_at_every_batch() -> None:
    record = json.loads((storage.DATA / "benchmarks" / "gradients.json").read_bytes())
    assert {name: w["batch"] for name, w in record["workloads"].items()} == gradients.BATCHES
    names = [set(w["median_ms"]) for w in record["workloads"].values()]
    assert names[0] == names[1] == names[2]
    assert set(gradients.ours()) < names[0]


def test_pennylane_agrees() -> None:
    pytest.importorskip("pennylane", reason="PennyLane is a contender, not a requirement")
    gradients.measure(gradients.ours() | gradients.pennylane(), 2, 0.001)
