"""HQNN-Parallel: its shapes, what its variants share, and that its gradients are those of the parameter-shift rule."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from hqnn import experiments
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.views.layer import QuantumLayer
from tests.test_circuit import strongly_entangled

SMALL = ParallelConfig(
    size=8, channels=(2, 3), kernel=3, n_circuits=2, n_qubits=2, n_layers=2, hidden=(4,), n_classes=3
)
SIZES = {
    "hqnn-mnist": {"hqnn": 45_194, "cnn": 372_234, "blocks": 45_194},
    "hqnn-medical": {"hqnn": 247_462, "cnn": 247_642, "blocks": 247_462},
    "hqnn-cifar10": {"hqnn": 81_578, "cnn": 81_698, "blocks": 81_578},
}


def n_trainable(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.mark.parametrize("name", SIZES)
def test_the_networks_have_the_printed_numbers_of_parameters(name: str) -> None:
    for variant, total in SIZES[name].items():
        config = experiments.get(name).variants[variant]
        assert isinstance(config, ParallelConfig)
        model = hqnn.build(config)
        assert n_trainable(model) == total
        images = torch.rand(2, config.in_channels, config.size, config.size)
        assert model.eval()(images).shape == (2, config.n_classes)


def test_the_quantum_part_has_q_times_3i_times_c_weights() -> None:
    assert n_trainable(hqnn.build(ParallelConfig()).middle) == 5 * 3 * 3 * 4


@pytest.mark.parametrize("middle", hqnn.MIDDLES)
def test_every_middle_part_keeps_the_features(middle: str) -> None:
    model = hqnn.build(replace(SMALL, middle=middle)).train()
    images = torch.rand(5, 1, 8, 8)
    features = model.angles(images)
    assert features.shape == model.middle(features).shape == (5, 4)
    scores = model(images)
    assert scores.shape == (5, 3)
    scores.sum().backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert all(p.grad is not None for p in trained)
    assert n_trainable(model.middle) == {"frozen": 0, "identity": 0, "dense": 20}.get(middle, 24)


def test_without_normalisation_there_is_none() -> None:
    model = hqnn.build(replace(SMALL, batch_norm=False, middle="identity", hidden=(7, 5)))
    assert not [m for m in model.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]


def test_the_order_of_pooling_and_relu_does_not_matter() -> None:
    model = hqnn.build(replace(SMALL, pools=(2, 1))).convolutions.train()
    images = torch.rand(4, 1, 8, 8)
    x = images
    for convolution, norm, pool in zip(model.convolutions, model.norms, model.pools, strict=True):
        x = nn.MaxPool2d(pool)(nn.ReLU()(norm(convolution(x))))
    torch.testing.assert_close(model(images), x.flatten(1))


def test_each_circuit_sees_its_own_features_and_weights() -> None:
    layer = hqnn.build(SMALL).middle
    assert isinstance(layer, QuantumLayer)
    x = torch.rand(1, 4)
    weights = layer.weights.detach().double().numpy().reshape(2, 2, 2, 3)
    expected = np.concatenate([strongly_entangled(x[0, 2 * c : 2 * c + 2].numpy(), weights[c]) for c in range(2)])
    np.testing.assert_allclose(layer(x)[0].detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("n_parameters", "hidden", "bias"), [(45, 4, False), (60, 5, True), (75, 7, False)])
def test_blocks_have_the_size_of_circuits_and_do_not_mix(n_parameters: int, hidden: int, bias: bool) -> None:
    blocks = hqnn.Blocks(4, 5, n_parameters)
    assert n_trainable(blocks) == 4 * n_parameters
    assert blocks.into.shape == (4, 5, hidden)
    assert (blocks.bias is not None) == bias
    x = torch.rand(3, 20)
    jacobian = torch.func.vmap(torch.func.jacrev(lambda one: blocks(one[None])[0]))(x)
    mask = torch.block_diag(*[torch.ones(5, 5)] * 4)
    assert torch.equal(jacobian.abs().amax(0) > 0, mask > 0)
    with pytest.raises(ValueError, match="no block of width 5 has 17 parameters"):
        hqnn.Blocks(4, 5, 17)


def warmed(config: ParallelConfig) -> hqnn.Parallel:
    """A network in evaluation mode whose normalisations have seen some images."""
    model = hqnn.build(config)
    model(torch.rand(16, config.in_channels, config.size, config.size))
    return model.eval()


def test_pixels_become_angles_in_the_order_of_the_text() -> None:
    """Convolution, normalisation, ReLU, pooling; dense, normalisation, ReLU; no scaling [hqnn, §2.2]."""
    model, images = warmed(replace(SMALL, hidden=(6, 4))), torch.rand(5, 1, 8, 8)
    x = images
    for convolution, norm in zip(model.convolutions.convolutions, model.convolutions.norms, strict=True):
        assert isinstance(convolution, nn.Conv2d)
        x = functional.conv2d(x, convolution.weight, convolution.bias, padding=1)
        x = functional.max_pool2d(norm(x).relu(), 2)
    x = x.reshape(5, 3 * 2 * 2)
    for position in (0, 3):
        linear, norm = model.dense[position : position + 2]
        assert isinstance(linear, nn.Linear)
        x = norm(x @ linear.weight.T + linear.bias).relu()
    torch.testing.assert_close(model.angles(images), x)
    met = []
    model.middle.register_forward_pre_hook(lambda _module, inputs: met.append(inputs[0]))
    model(images)
    torch.testing.assert_close(met[0], x)  # radians as they are


def test_what_is_measured_is_normalised_rectified_and_scored() -> None:
    model, images = warmed(SMALL), torch.rand(5, 1, 8, 8)
    measured = model.middle(model.angles(images))
    expected = model.activation[0](measured).clamp_min(0) @ model.scores.weight.T + model.scores.bias
    torch.testing.assert_close(model(images), expected)


@pytest.mark.parametrize(("parameters", "hidden", "bias"), [(7, 1, True), (10, 2, False), (17, 3, True)])
def test_blocks_are_two_small_matrices_with_tanh_between(parameters: int, hidden: int, bias: bool) -> None:
    block = hqnn.Blocks(3, 2, parameters)
    assert (block.into.shape, block.bias is not None) == ((3, 2, hidden), bias)
    x = torch.randn(5, 6)
    expected = []
    for c in range(3):
        inner = x[:, 2 * c : 2 * c + 2] @ block.into[c]
        inner = torch.tanh(inner if block.bias is None else inner + block.bias[c])
        expected.append(inner @ block.out[c] + block.offset[c])
    torch.testing.assert_close(block(x), torch.cat(expected, 1))


def shifted(layer: QuantumLayer, x: Tensor, weight: tuple[int, int], by: float) -> Tensor:
    """The layer's outputs with one of its weights changed."""
    weights = layer.weights.detach().clone()
    weights[weight] += by
    return torch.func.functional_call(layer, {"weights": weights}, (x,))


def test_gradients_are_those_of_the_parameter_shift_rule() -> None:
    """d<Y>/dθ = (<Y>(θ + π/2) - <Y>(θ - π/2)) / 2 for every angle of a circuit [hqnn, §2.2.4]."""
    layer = QuantumLayer(hqnn.circuit(ParallelConfig()), copies=4, dtype=torch.float64)
    x = torch.rand(3, 20, dtype=torch.float64)
    upstream = torch.rand(3, 20, dtype=torch.float64)
    (layer(x) * upstream).sum().backward()
    rule = torch.zeros_like(layer.weights)
    for copy in range(4):
        for k in range(45):
            up, down = (shifted(layer, x, (copy, k), sign * torch.pi / 2) for sign in (1, -1))
            rule[copy, k] = ((up - down) / 2 * upstream).sum()
    assert layer.weights.grad is not None
    torch.testing.assert_close(layer.weights.grad, rule)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"middle": "magic"}, "middle is 'magic'"), ({"hidden": (5,)}, "2 circuits of 2 qubits take 4 features")],
)
def test_impossible_networks_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hqnn.build(replace(SMALL, **change))
