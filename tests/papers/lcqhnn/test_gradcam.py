"""Heat maps against a computation by hand and against the package's, and their measures where the answer is known."""

import math

import numpy as np
import pytest
import torch
from pytorch_grad_cam import HiResCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from hqnn import experiments
from hqnn.papers.lcqhnn import gradcam
from hqnn.papers.lcqhnn import model as lcqhnn

SIDE = 5
"""Of the hand-made network's maps."""


class Linear(nn.Module):
    """A convolution and a linear layer: its gradient with respect to the maps is the layer's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 2)
        self.scores = nn.Linear(3 * SIDE * SIDE, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, 6, 6] to scores [B, 2]."""
        return self.scores(self.conv(images).flatten(1))


def by_hand(model: Linear, image: Tensor, label: int, window: int, rectify: bool) -> list[float]:
    """Eq. 10-12 in plain Python, position by position, row after row."""
    a = model.conv(image[None])[0].tolist()
    alpha = model.scores.weight[label].reshape(3, SIDE, SIDE).tolist()
    heat = []
    for i in range(SIDE):
        for j in range(SIDE):
            total, near = 0.0, [range(max(0, c - window // 2), min(SIDE, c + window // 2 + 1)) for c in (i, j)]
            for k in range(3):
                inside = [alpha[k][m][n] for m in near[0] for n in near[1]]
                total += sum(inside) / len(inside) * (max(0.0, a[k][i][j]) if rectify else a[k][i][j])
            heat.append(max(0.0, total))
    return heat


@pytest.mark.parametrize(("window", "rectify"), [(1, False), (3, False), (3, True), (2 * SIDE - 1, False)])
def test_heat_is_that_of_the_equations(window: int, rectify: bool) -> None:
    model, images, labels = Linear(), torch.rand(4, 1, SIDE + 1, SIDE + 1), torch.tensor([0, 1, 1, 0])
    seen = gradcam.attribute(model, images, labels, layer=model.conv)
    ours = gradcam.heat(seen, window, rectify=rectify)
    expected = [by_hand(model, *one, window, rectify) for one in zip(images, labels.tolist(), strict=True)]
    torch.testing.assert_close(ours.flatten(1), torch.tensor(expected), atol=1e-6, rtol=0)
    if window > SIDE:  # everything, from every position
        torch.testing.assert_close(gradcam.heat(seen, None), ours, atol=1e-7, rtol=0)


@pytest.mark.parametrize("window", [0, 2, -3])
def test_a_window_needs_a_centre(window: int) -> None:
    seen = gradcam.Attribution(*torch.zeros(3, 1, 1, 5, 5))
    with pytest.raises(ValueError, match=f"an odd number, not {window}"):
        gradcam.heat(seen, window)


Network = tuple[lcqhnn.Lcqhnn | lcqhnn.Cnn, Tensor, Tensor]


@pytest.fixture(params=["lcqhnn", "cnn-4"])
def network(request: pytest.FixtureRequest) -> Network:
    """A network of the paper with some images, smooth blobs, and labels."""
    torch.manual_seed(3)
    model = lcqhnn.build(experiments.get("lcqhnn-mnist").variants[request.param])
    assert isinstance(model, lcqhnn.Lcqhnn | lcqhnn.Cnn)
    return model, gradcam.upsample(torch.rand(6, 4, 4))[:, None], torch.tensor([0, 1, 0, 1, 1, 0])


def test_the_whole_map_is_the_packages_grad_cam_and_one_position_its_hirescam(network: Network) -> None:
    model, images, labels = network
    layer = model.features.conv2
    targets = [ClassifierOutputTarget(int(label)) for label in labels]
    with HiResCAM(model=model, target_layers=[layer]) as cam:
        hires = torch.from_numpy(cam(input_tensor=images, targets=targets))
    theirs = {None: gradcam.grad_cam(model, images, labels, layer=layer), 1: hires}
    for window, expected in theirs.items():
        heat = gradcam.heat(gradcam.attribute(model, images, labels, layer=layer), window)
        assert heat.shape == (6, 14, 14)
        torch.testing.assert_close(gradcam.rescale(gradcam.upsample(heat)), expected, atol=1e-4, rtol=0)


def test_gradient_times_activation_adds_up_to_the_score_of_a_piecewise_linear_network() -> None:
    model = lcqhnn.Cnn(experiments.get("lcqhnn-mnist").variants["cnn-4"])
    images, labels = torch.rand(5, 1, 28, 28), torch.tensor([0, 1, 0, 1, 0])
    seen = gradcam.attribute(model, images, labels, layer=model.features.conv2)
    without_features = model.scores(model.reduce(torch.zeros(1, 256)))[0, labels]
    own = seen.scores.gather(1, labels[:, None])[:, 0]
    assert torch.allclose((seen.gradients * seen.activations).sum((1, 2, 3)) + without_features, own, atol=1e-5)


def test_looking_leaves_the_network_as_it_was(network: Network) -> None:
    model, images, labels = network
    for training in (True, False):
        model.train(training)
        seen = gradcam.attribute(model, images, labels, layer=model.features.conv2)
        gradcam.grad_cam(model, images, labels, layer=model.features.conv2)
        assert model.training is training
        assert all(parameter.grad is None for parameter in model.parameters())
        assert torch.equal(seen.scores, model.eval()(images))  # without dropout
    assert not model.features.conv2._forward_hooks


def test_each_image_is_explained_by_itself_and_for_its_own_class(network: Network) -> None:
    model, images, labels = network
    both = gradcam.attribute(model, images, labels, layer=model.features.conv2)
    alone = gradcam.attribute(model, images[1:2], labels[1:2], layer=model.features.conv2)
    torch.testing.assert_close(alone.gradients[0], both.gradients[1], atol=1e-6, rtol=0)
    other = gradcam.attribute(model, images, 1 - labels, layer=model.features.conv2)
    assert not torch.allclose(other.gradients, both.gradients, atol=1e-3)


def test_rescaling_runs_from_zero_to_one() -> None:
    maps = torch.tensor([[[2.0, 3.0], [4.0, 6.0]], [[5.0, 5.0], [5.0, 5.0]]])
    assert gradcam.rescale(maps).tolist() == [[[0.0, 0.25], [0.5, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]


def test_upsampling_keeps_even_heat_even_and_adds_none() -> None:
    assert torch.allclose(gradcam.upsample(torch.full((1, 14, 14), 0.3)), torch.full((1, 28, 28), 0.3))
    spot = torch.zeros(1, 14, 14)
    spot[0, 6, 7] = 1.0
    up = gradcam.upsample(spot)[0]
    assert float(up.sum()) == pytest.approx(4.0)  # each cell covers four pixels
    assert (up.nonzero().amin(0).tolist(), up.nonzero().amax(0).tolist()) == ([11, 13], [14, 16])


# --- what a map shows: of a bright square of 8 x 8 pixels, on cells of 2 x 2, in a dark image

SQUARE = torch.zeros(1, 1, 28, 28)
SQUARE[0, 0, 10:18, 6:14] = 0.8
MASK = gradcam.object_mask(SQUARE)


def test_focus_is_the_share_of_heat_on_the_object() -> None:
    heat = torch.zeros(1, 28, 28)
    heat[0, 10:12, 6:8] = 3.0  # 12 on the object
    heat[0, 0, 0] = 4.0  # 4 beside it
    assert gradcam.focus(heat, MASK).tolist() == pytest.approx([0.75])
    assert gradcam.focus(1e-6 * heat, MASK).tolist() == pytest.approx([0.75])
    for level in (0.0, 0.3):  # even heat, and none
        assert gradcam.focus(torch.full((1, 14, 14), level), MASK).tolist() == pytest.approx([64 / 784])


def test_pixels_at_the_threshold_are_background() -> None:
    images = torch.tensor([0.0, 0.1, 0.1 + 1e-6, 1.0]).reshape(1, 1, 2, 2)
    assert gradcam.object_mask(images).flatten().tolist() == [False, False, True, True]
    assert gradcam.object_mask(images, 0.5).flatten().tolist() == [False, False, False, True]


def test_saturation_counts_what_is_nearly_the_hottest() -> None:
    heat = torch.linspace(0, 1, 784).reshape(1, 28, 28)
    assert gradcam.saturation(heat).tolist() == pytest.approx([math.ceil(783 * 0.1) / 784])
    assert gradcam.saturation(7 * heat, level=0.5).tolist() == pytest.approx([0.5], abs=1e-3)
    assert gradcam.saturation(heat, MASK, level=0.5).tolist() == pytest.approx([32 / 64])  # rows 14 to 17 of 10 to 17
    assert gradcam.saturation(torch.zeros(1, 28, 28)).tolist() == [0.0]


def test_templates_of_a_square() -> None:
    shape, edges = gradcam.shape_template(SQUARE, 14)[0], gradcam.edge_template(SQUARE, 14)[0]
    inside = torch.zeros(14, 14)
    inside[5:9, 3:7] = 0.8
    assert torch.allclose(shape, inside)
    assert edges[6, 4] == edges[7, 5] == edges[0, 0] == 0  # neither the middle nor the background has contrast
    # One of the two pixel rows of the cell outside sees the edge, and one of the two of the cell inside.
    assert [edges[4, 5].item(), edges[5, 5].item()] == pytest.approx([0.4, 0.4])


def test_resemblance_sees_order_only_and_similarity_is_pearsons() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(2, 3, 14, 14, generator=generator) for _ in range(2))
    assert gradcam.resemblance(torch.exp(5 * a[0]), a[0]).tolist() == pytest.approx([1.0] * 3)
    assert gradcam.resemblance(-a[0], a[0]).tolist() == pytest.approx([-1.0] * 3)
    assert gradcam.resemblance(torch.ones(3, 14, 14), a[0]).tolist() == [0.0] * 3
    expected = [[np.corrcoef(a[s, n].flatten(), b[s, n].flatten())[0, 1].item() for n in range(3)] for s in range(2)]
    torch.testing.assert_close(gradcam.similarity(a, b), torch.tensor(expected), atol=1e-5, rtol=0)
    assert gradcam.similarity(a, torch.zeros_like(a)).flatten().tolist() == [0.0] * 6
