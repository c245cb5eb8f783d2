"""The lean hybrid network and its rivals on numbers: from image to angles, and from what is measured to scores."""

import math
from typing import Literal

import numpy as np
import pytest
import torch
from qiskit.quantum_info import Statevector
from torch import Tensor, nn
from torch.nn import functional

from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.tasks import count_parameters

BEFORE = [-3.0, -0.4, 0.0, 1.2]
"""What the reduction to four features yields in `fixed`."""


def fixed(config: LcqhnnConfig) -> lcqhnn.Lcqhnn:
    """A network whose four features are `BEFORE` whatever the image."""
    model = lcqhnn.build(config).eval()
    assert isinstance(model, lcqhnn.Lcqhnn)
    with torch.no_grad():
        model.reduce.weight.zero_()
        model.reduce.bias.copy_(torch.tensor(BEFORE))
    return model


def images(n: int) -> Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dropout_at", ["features", "bottleneck"])
@pytest.mark.parametrize(
    ("scale", "angles"),
    [
        ("raw", BEFORE),
        ("tanh", [math.pi / 2 * math.tanh(x) for x in BEFORE]),
        ("relu", [0.0, 0.0, 0.0, 1.2]),
    ],
)
def test_features_become_angles_by_the_scale(scale: str, angles: list[float], dropout_at: str) -> None:
    model = fixed(LcqhnnConfig(scale=scale, dropout_at=dropout_at))
    torch.testing.assert_close(model.angles(images(2)), torch.tensor([angles] * 2))


@pytest.mark.parametrize("front_end", lcqhnn.FRONT_ENDS)
def test_the_front_end_is_convolution_relu_pooling_twice(front_end: str) -> None:
    """In the order of the text [lcqhnn, section 2.1]; the network pools first, which gives the same."""
    kernel, padding, pools, _ = lcqhnn.FRONT_ENDS[front_end]
    part = lcqhnn.Features(front_end)
    x = images(3)
    expected = x
    for convolution, pool in zip((part.conv1, part.conv2), pools, strict=True):
        assert convolution.kernel_size == (kernel, kernel)
        expected = functional.conv2d(expected, convolution.weight, convolution.bias, padding=padding)
        expected = functional.max_pool2d(expected.relu(), pool)
    torch.testing.assert_close(part(x), expected.reshape(3, 256))


@pytest.mark.parametrize("readout", ["linear", "pair", "qubit0", "parity"])
def test_class_scores_are_what_the_readout_says_of_the_state(readout: str) -> None:
    model = fixed(LcqhnnConfig(readout=readout))
    pc = lcqhnn_circuit()
    with torch.no_grad():
        scores = model(images(1))[0]
        angles = model.quantum.get_parameter("weights")[0].tolist()
    values = dict(zip([*pc.inputs, *pc.weights], [*BEFORE, *angles], strict=True))
    p = Statevector(pc.circuit.assign_parameters(values)).probabilities()
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    z = torch.tensor(p @ (1.0 - 2.0 * bits), dtype=torch.float32)
    if readout == "linear":
        assert isinstance(model.scores, nn.Linear)
        expected = model.scores.weight @ z + model.scores.bias
    elif readout == "pair":
        expected = z[:2]
    else:
        ones = bits[:, 0] if readout == "qubit0" else bits.sum(1) % 2
        expected = torch.tensor([math.log(p[ones == k].sum()) for k in (0, 1)])
    torch.testing.assert_close(scores, expected.float(), atol=1e-5, rtol=1e-5)


def test_the_ablations_of_the_circuit() -> None:
    weights, features = torch.tensor([1.0, -2.0, 0.5, 3.0]), torch.tensor(BEFORE)
    for quantum, expected in (("classical", torch.tanh(weights * features)), ("none", features)):
        model = fixed(LcqhnnConfig(quantum=quantum))
        if quantum == "classical":
            model.quantum.get_parameter("weights").data = weights
        assert isinstance(model.scores, nn.Linear)
        torch.testing.assert_close(model(images(1))[0], model.scores.weight @ expected + model.scores.bias)
    sizes = {name: count_parameters(lcqhnn.build(LcqhnnConfig(quantum=name))) for name in ("circuit", "frozen")}
    assert sizes["circuit"]["quantum"] == 4
    assert sizes["frozen"] == {"total": sizes["circuit"]["total"] - 4, "quantum": 0}
    assert "cx" not in lcqhnn.circuit(LcqhnnConfig(quantum="no-entanglement")).circuit.count_ops()


@pytest.mark.parametrize("dropout_at", ["features", "bottleneck"])
@pytest.mark.parametrize("head", ["linear", "single", "relu", "sigmoid", "relu-scores"])
def test_the_rivals_heads(head: str, dropout_at: str) -> None:
    cnn = lcqhnn.build(LcqhnnConfig(model="cnn", head=head, hidden=3, dropout_at=dropout_at)).eval()
    assert isinstance(cnn, lcqhnn.Cnn)
    x = images(40)
    hidden = cnn.reduce(cnn.features(x))
    between = {"relu": torch.relu(hidden), "sigmoid": 1 / (1 + torch.exp(-hidden))}.get(head, hidden)
    scores = between @ cnn.scores.weight.T
    if head == "single":
        scores = torch.stack([torch.zeros(40), scores[:, 0]], 1)
    if head == "relu-scores":
        assert (scores < 0).any()
        scores = scores.clamp_min(0)
    torch.testing.assert_close(cnn(x), scores)


@pytest.mark.parametrize("model", ["lcqhnn", "cnn"])
def test_dropout_acts_where_the_config_says(model: Literal["lcqhnn", "cnn"]) -> None:
    """With all features dropped the reduction yields its biases; with its own outputs dropped, zeros."""
    seen = {}
    for place in ("features", "bottleneck"):
        network = lcqhnn.build(LcqhnnConfig(model=model, dropout=1.0, dropout_at=place)).train()
        scores = network.get_submodule("quantum" if model == "lcqhnn" else "scores")
        scores.register_forward_pre_hook(lambda _module, inputs, place=place: seen.update({place: inputs[0]}))
        network(images(1))
        expected = network.get_parameter("reduce.bias") if place == "features" else torch.zeros(4)
        torch.testing.assert_close(seen[place][0], expected)


def test_what_dropout_leaves_of_the_features_is_scaled_after_it() -> None:
    angles = fixed(LcqhnnConfig(scale="tanh", dropout_at="bottleneck")).train().angles(images(50))
    kept = angles != 0
    twice = math.pi / 2 * torch.tanh(2 * torch.tensor(BEFORE)).expand(50, 4)
    torch.testing.assert_close(angles[kept], twice[kept])
