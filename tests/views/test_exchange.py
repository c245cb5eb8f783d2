"""A circuit of one's own in a paper's network: it goes in, all else begins as before, and what cannot fit is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from hqnn import experiments
from hqnn.circuit import Circuit
from hqnn.papers.hqnn import parallel, quanv
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views.layer import QuantumLayer

Build = Callable[..., nn.Module]
PLACES = [
    (lcqhnn.build, "lcqhnn-mnist/lcqhnn", "quantum", strongly_entangling(n_qubits=4, n_layers=2)),
    (parallel.build, "hqnn-mnist/hqnn", "middle", strongly_entangling(n_layers=1)),
    (quanv.build, "hqnn-quanv/quanv", "kernel", lcqhnn_circuit()),
]


def built(build: Build, *arguments: Any) -> nn.Module:
    torch.manual_seed(3)
    return build(*arguments)


@pytest.mark.parametrize(("build", "series", "place", "pc"), PLACES)
def test_the_circuit_goes_in_and_all_other_weights_begin_as_they_did(
    build: Build, series: str, place: str, pc: Circuit
) -> None:
    config = experiments.config(series)
    before, after = (built(build, config, *given).state_dict() for given in ((), (pc,)))
    layer = built(build, config, pc).get_submodule(place)
    assert isinstance(layer, QuantumLayer) and layer.pc is pc and layer.weights.requires_grad
    assert list(before) == list(after)
    for name in before:
        if isinstance(before[name], torch.Tensor) and not name.startswith(place):
            assert torch.equal(before[name], after[name])


def test_what_the_config_says_of_the_layer_stays() -> None:
    config: Any = experiments.config("lcqhnn-mnist/lcqhnn")
    measured = lcqhnn.build(replace(config, shots=7), quanvolution()).get_submodule("quantum")
    frozen = lcqhnn.build(replace(config, quantum="frozen"), quanvolution()).get_submodule("quantum")
    copied = parallel.build(experiments.config("hqnn-mnist/hqnn"), strongly_entangling()).get_submodule("middle")
    assert isinstance(measured, QuantumLayer) and isinstance(copied, QuantumLayer)
    assert (measured.shots, copied.copies) == (7, 4)
    assert [weights.requires_grad for weights in frozen.parameters()] == [False]


@pytest.mark.parametrize(
    ("series", "pc", "told"),
    [
        ("lcqhnn-mnist/cnn-4", lcqhnn_circuit(), "the network of this config has no quantum layer; choose a config"),
        ("lcqhnn-mnist/lcqhnn", strongly_entangling(), "n_inputs of the circuit is 5; the network's layer has 4"),
        (
            "lcqhnn-mnist/lcqhnn",
            replace(lcqhnn_circuit(), observables=lcqhnn_circuit().observables[:3]),
            "n_observables of the circuit is 3; the network's layer has 4, give it as many",
        ),
    ],
)
def test_what_does_not_fit_is_told(series: str, pc: Circuit, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        lcqhnn.build(experiments.config(series), pc)


def test_a_bare_circuit_of_qiskit_is_refused_by_the_layer() -> None:
    with pytest.raises(TypeError, match=r"wrap a circuit in Circuit\("):
        lcqhnn.build(experiments.config("lcqhnn-mnist/lcqhnn"), lcqhnn_circuit().circuit)
