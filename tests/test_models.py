"""The networks on numbers: what an image becomes on its way to the angles, and what is measured on its way out."""

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch
from qiskit.quantum_info import Statevector
from torch import Tensor, nn
from torch.nn import functional

from hqnn import aer, circuits
from hqnn.experiments import LcqhnnConfig, ParallelConfig
from hqnn.models import hqnn, lcqhnn
from hqnn.models.hqnn import Blocks
from hqnn.tasks import count_parameters

# --- the lean hybrid network

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


def images(n: int, size: int = 28, channels: int = 1) -> Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(0))


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


def test_tanh_fills_one_turn_of_the_phases_and_no_more() -> None:
    """Each feature is encoded with the phase 2 x [lcqhnn, eq. 3]."""
    ends = 2 * lcqhnn.SCALES["tanh"](torch.tensor([-100.0, 100.0]))
    torch.testing.assert_close(ends, torch.tensor([-math.pi, math.pi]))


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
    pc = circuits.lcqhnn()
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


@pytest.mark.parametrize("quantum", ["classical", "none"])
def test_ablations_without_a_circuit_put_a_map_of_each_feature_in_its_place(quantum: str) -> None:
    model = fixed(LcqhnnConfig(quantum=quantum))
    x = torch.tensor(BEFORE)
    if quantum == "classical":
        weights = torch.tensor([1.0, -2.0, 0.5, 3.0])
        with torch.no_grad():
            model.quantum.get_parameter("weights").copy_(weights)
        x = torch.tanh(weights * x)
    assert isinstance(model.scores, nn.Linear)
    torch.testing.assert_close(model(images(1))[0], model.scores.weight @ x + model.scores.bias)


def test_the_ablations_of_the_circuit() -> None:
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


# --- the parallel hybrid network

SMALL = ParallelConfig(size=12, channels=(3, 4), kernel=3, n_layers=1, n_circuits=2, n_qubits=3, hidden=(7, 6))


def warmed(config: ParallelConfig) -> hqnn.Parallel:
    """A network in evaluation mode whose normalisations have seen some images."""
    model = hqnn.build(config)
    model(images(16, config.size))
    return model.eval()


def test_pixels_become_angles_in_the_order_of_the_text() -> None:
    """Convolution, normalisation, ReLU, pooling; dense, normalisation, ReLU; no scaling [hqnn, section 2.2]."""
    model, x = warmed(SMALL), images(5, 12)
    expected = x
    for convolution, norm in zip(model.convolutions.convolutions, model.convolutions.norms, strict=True):
        assert isinstance(convolution, nn.Conv2d)
        expected = functional.conv2d(expected, convolution.weight, convolution.bias, padding=1)
        expected = functional.max_pool2d(norm(expected).relu(), 2)
    expected = expected.reshape(5, 4 * 3 * 3)
    for position in (0, 3):
        linear, norm = model.dense[position : position + 2]
        assert isinstance(linear, nn.Linear)
        expected = norm(expected @ linear.weight.T + linear.bias).relu()
    torch.testing.assert_close(model.angles(x), expected)
    met = []
    model.middle.register_forward_pre_hook(lambda _module, inputs: met.append(inputs[0]))
    model(x)
    torch.testing.assert_close(met[0], expected)  # radians as they are


def test_each_circuit_takes_its_own_features_and_all_outputs_are_scored() -> None:
    model, x = warmed(SMALL), images(4, 12)
    angles = model.angles(x).detach().double().numpy()
    pc = circuits.strongly_entangling(n_qubits=3, n_layers=1)
    weights = model.middle.get_parameter("weights").detach().double().numpy()
    parts = [aer.expectations(pc, angles[:, 3 * c : 3 * c + 3], weights[c]) for c in range(2)]
    measured = torch.from_numpy(np.concatenate(parts, 1)).float()
    torch.testing.assert_close(model.middle(model.angles(x)), measured, atol=1e-5, rtol=0)
    norm = model.activation[0]
    expected = norm(measured).relu() @ model.scores.weight.T + model.scores.bias
    torch.testing.assert_close(model(x), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("parameters", "hidden", "bias"), [(7, 1, True), (10, 2, False), (17, 3, True)])
def test_blocks_are_two_small_matrices_with_tanh_between(parameters: int, hidden: int, bias: bool) -> None:
    """Of width 2: each hidden unit has two weights on either side and perhaps a bias; two offsets follow."""
    block = Blocks(3, 2, parameters)
    assert (block.into.shape, block.bias is not None) == ((3, 2, hidden), bias)
    assert sum(p.numel() for p in block.parameters()) == 3 * parameters
    x = torch.randn(5, 6)
    expected = []
    for c in range(3):
        inner = x[:, 2 * c : 2 * c + 2] @ block.into[c]
        inner = torch.tanh(inner if block.bias is None else inner + block.bias[c])
        expected.append(inner @ block.out[c] + block.offset[c])
    torch.testing.assert_close(block(x), torch.cat(expected, 1))


@pytest.mark.parametrize(
    ("middle", "trained", "quantum"),
    [("circuits", 18, 18), ("no-entanglement", 18, 18), ("frozen", 0, 0), ("dense", 42, 0), ("identity", -12, 0)],
)
def test_what_stands_in_the_middle_is_trained_or_not(middle: str, trained: int, quantum: int) -> None:
    """Beside the network without a middle part; `identity` also lacks the normalisation behind it."""
    sizes = count_parameters(hqnn.build(replace(SMALL, middle=middle)))
    around = (9 * 3 + 3) + (9 * 3 * 4 + 4) + 2 * (3 + 4) + (36 * 7 + 7) + (7 * 6 + 6) + 2 * (7 + 6) + 12 + (6 * 10 + 10)
    assert sizes == {"total": around + trained, "quantum": quantum}
