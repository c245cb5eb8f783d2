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
from hqnn.views.layer import QuantumLayer

BEFORE = torch.tensor([-3.0, -0.4, 0.0, 1.2])
"""What the reduction to four features yields in `fixed`."""


def fixed(config: LcqhnnConfig) -> lcqhnn.Lcqhnn:
    """A network whose four features are `BEFORE` whatever the image."""
    model = lcqhnn.Lcqhnn(config).eval()
    model.reduce.weight.data.zero_()
    model.reduce.bias.data.copy_(BEFORE)
    return model


@pytest.mark.parametrize("dropout_at", ["features", "bottleneck"])
@pytest.mark.parametrize(
    ("scale", "angles"),
    [("raw", BEFORE), ("tanh", math.pi / 2 * BEFORE.tanh()), ("relu", torch.tensor([0.0, 0.0, 0.0, 1.2]))],
)
def test_features_become_angles_by_the_scale(scale: str, angles: Tensor, dropout_at: str) -> None:
    model = fixed(LcqhnnConfig(scale=scale, dropout_at=dropout_at))
    torch.testing.assert_close(model.angles(torch.rand(2, 1, 28, 28)), angles.expand(2, 4))


@pytest.mark.parametrize("front_end", lcqhnn.FRONT_ENDS)
def test_the_front_end_is_convolution_relu_pooling_twice(front_end: str) -> None:
    """In the order of the text [lcqhnn, section 2.1]; the network pools first, which gives the same."""
    kernel, padding, pools, _ = lcqhnn.FRONT_ENDS[front_end]
    part, images = lcqhnn.Features(front_end), torch.rand(3, 1, 28, 28)
    expected = images
    for convolution, pool in zip((part.conv1, part.conv2), pools, strict=True):
        assert convolution.kernel_size == (kernel, kernel)
        expected = functional.conv2d(expected, convolution.weight, convolution.bias, padding=padding)
        expected = functional.max_pool2d(expected.relu(), pool)
    torch.testing.assert_close(part(images), expected.reshape(3, 256))


@pytest.mark.parametrize("readout", ["linear", "pair", "qubit0", "parity"])
def test_class_scores_are_what_the_readout_says_of_the_state(readout: str) -> None:
    model, pc = fixed(LcqhnnConfig(readout=readout)), lcqhnn_circuit()
    angles = model.quantum.get_parameter("weights")[0].tolist()
    values = dict(zip([*pc.inputs, *pc.weights], [*BEFORE.tolist(), *angles], strict=True))
    p = Statevector(pc.circuit.assign_parameters(values)).probabilities()
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    expected = torch.tensor(p @ (1.0 - 2.0 * bits), dtype=torch.float32)
    if isinstance(model.scores, nn.Linear):
        expected = model.scores.weight @ expected + model.scores.bias
    elif readout == "pair":
        expected = expected[:2]
    else:
        ones = bits[:, 0] if readout == "qubit0" else bits.sum(1) % 2
        expected = torch.tensor([math.log(p[ones == k].sum()) for k in (0, 1)])
    torch.testing.assert_close(model(torch.rand(1, 1, 28, 28))[0], expected.float(), atol=1e-5, rtol=1e-5)


def test_the_ablations_of_the_circuit() -> None:
    weights = torch.tensor([1.0, -2.0, 0.5, 3.0])
    for quantum, expected in (("classical", torch.tanh(weights * BEFORE)), ("none", BEFORE)):
        model = fixed(LcqhnnConfig(quantum=quantum))
        if quantum == "classical":
            model.quantum.get_parameter("weights").data = weights
        scores = model.get_parameter("scores.weight") @ expected + model.get_parameter("scores.bias")
        torch.testing.assert_close(model(torch.rand(1, 1, 28, 28))[0], scores)
    sizes = {name: count_parameters(lcqhnn.build(LcqhnnConfig(quantum=name))) for name in ("circuit", "frozen")}
    assert sizes["circuit"]["quantum"] == 4
    assert sizes["frozen"] == {"total": sizes["circuit"]["total"] - 4, "quantum": 0}
    assert "cx" not in lcqhnn.circuit(LcqhnnConfig(quantum="no-entanglement")).circuit.count_ops()


@pytest.mark.parametrize("dropout_at", ["features", "bottleneck"])
@pytest.mark.parametrize("head", ["linear", "single", "relu", "sigmoid", "relu-scores"])
def test_the_rivals_heads(head: str, dropout_at: str) -> None:
    cnn = lcqhnn.Cnn(LcqhnnConfig(model="cnn", head=head, hidden=3, dropout_at=dropout_at)).eval()
    images = torch.rand(40, 1, 28, 28)
    hidden = cnn.reduce(cnn.features(images))
    between = {"relu": hidden.clamp_min(0), "sigmoid": 1 / (1 + torch.exp(-hidden))}.get(head, hidden)
    scores = between @ cnn.scores.weight.T
    if head == "single":
        scores = torch.stack([torch.zeros(40), scores[:, 0]], 1)
    if head == "relu-scores":
        assert (scores < 0).any()
        scores = scores.clamp_min(0)
    torch.testing.assert_close(cnn(images), scores)


@pytest.mark.parametrize("model", ["lcqhnn", "cnn"])
def test_dropout_acts_where_the_config_says_and_before_the_scale(model: Literal["lcqhnn", "cnn"]) -> None:
    """With all features dropped the reduction yields its biases; with its own outputs dropped, zeros."""
    for place in ("features", "bottleneck"):
        network = lcqhnn.build(LcqhnnConfig(model=model, dropout=1.0, dropout_at=place)).train()
        expected = network.reduce.bias if place == "features" else torch.zeros(4)
        torch.testing.assert_close(network.reduced(torch.rand(1, 1, 28, 28))[0], expected)
    angles = fixed(LcqhnnConfig(scale="tanh", dropout_at="bottleneck")).train().angles(torch.rand(50, 1, 28, 28))
    twice = (math.pi / 2 * torch.tanh(2 * BEFORE)).expand(50, 4)
    torch.testing.assert_close(angles[angles != 0], twice[angles != 0])


@pytest.mark.parametrize("field", ["model", "front_end", "scale", "order", "readout", "quantum", "noise", "head"])
def test_a_value_that_no_reading_has_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} is 'other'; use one of '"):
        lcqhnn.build(LcqhnnConfig(**{field: "other"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("quantum", ["closed-form", "products", "series"])
def test_what_can_stand_in_the_circuits_place_starts_as_the_circuit(quantum: str) -> None:
    models = []
    for name in ("circuit", quantum):
        torch.manual_seed(3)
        models.append(lcqhnn.build(LcqhnnConfig(quantum=name)).eval())
    images = torch.rand(8, 1, 28, 28)
    circuit, rival = (model(images) for model in models)
    torch.testing.assert_close(circuit, rival, atol=2e-6, rtol=0)
    n = {"closed-form": 4, "products": 8, "series": 81 * 4}[quantum]
    assert sum(p.numel() for p in models[1].get_submodule("quantum").parameters()) == n
    for scores in (circuit, rival):
        scores[:, 1].square().sum().backward()
    theirs, ours = (model.get_parameter("reduce.weight").grad for model in models)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_free_factors_reach_what_no_angles_do() -> None:
    """Angles bind the factors: that of c1 c3 is s1 s2, so the first of them cannot be 1 at the same time."""
    layer = QuantumLayer(lcqhnn_circuit())
    free = lcqhnn.ClosedForm(layer, free=True)
    free.weights.data.fill_(1.0)
    torch.testing.assert_close(free(torch.zeros(1, 4)), torch.ones(1, 4))  # only the cosines are left
    angles = 2 * math.pi * torch.rand(1000, 4)
    bound = torch.stack([lcqhnn.ClosedForm.factors(row) for row in angles])
    assert (bound[:, 0].square() + bound[:, 6].square() <= 1 + 1e-6).all()


@pytest.mark.parametrize("change", [{"order": "product"}, {"readout": "pair"}])
def test_only_the_primary_reading_is_written_out(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="writes out the circuit of order 'time' and readout 'linear'"):
        lcqhnn.build(LcqhnnConfig(quantum="products", **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("quantum", ["closed-form", "series", "classical", "none"])
def test_noise_is_a_circuits(quantum: str) -> None:
    with pytest.raises(ValueError, match=f"'{quantum}' is no circuit"):
        lcqhnn.build(LcqhnnConfig(quantum=quantum, noise="device"))
