"""Heat maps against a computation by hand and against the package's, and their measures where the answer is known."""

import math

import numpy as np
import pytest
import torch
from pytorch_grad_cam import HiResCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torch.nn import functional

from hqnn.papers.lcqhnn import gradcam
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig

SIDE = 5
"""Of the hand-made network's maps."""


class Linear(nn.Module):
    """A convolution and a linear layer: its gradient with respect to the maps is the layer's weights."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 2)
        self.dropout = nn.Dropout(0.5)
        self.scores = nn.Linear(3 * SIDE * SIDE, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, 6, 6] to scores [B, 2]."""
        return self.scores(self.dropout(self.conv(images)).flatten(1))


def by_hand(model: Linear, image: Tensor, label: int, window: int) -> list[float]:
    """Eq. 10-12 in plain Python, position by position, row after row."""
    a = model.conv(image[None])[0].tolist()
    alpha = model.scores.weight[label].reshape(3, SIDE, SIDE).tolist()
    half = window // 2
    heat = []
    for i in range(SIDE):
        for j in range(SIDE):
            total = 0.0
            for k in range(3):
                inside = [
                    alpha[k][m][n]
                    for m in range(i - half, i + half + 1)
                    for n in range(j - half, j + half + 1)
                    if 0 <= m < SIDE and 0 <= n < SIDE
                ]
                total += sum(inside) / len(inside) * a[k][i][j]
            heat.append(max(0.0, total))
    return heat


@pytest.fixture
def linear() -> tuple[Linear, Tensor, Tensor]:
    """The hand-made network with images and labels."""
    torch.manual_seed(0)
    return Linear(), torch.rand(4, 1, SIDE + 1, SIDE + 1), torch.tensor([0, 1, 1, 0])


@pytest.mark.parametrize("window", [1, 3, 5, 2 * SIDE - 1])
def test_heat_is_that_of_the_equations(linear: tuple[Linear, Tensor, Tensor], window: int) -> None:
    model, images, labels = linear
    heat = gradcam.heat(gradcam.attribute(model, images, labels, layer=model.conv), window)
    for image, label, ours in zip(images, labels.tolist(), heat, strict=True):
        assert ours.flatten().tolist() == pytest.approx(by_hand(model, image, label, window), abs=1e-6)


def test_a_window_over_everything_is_the_whole_map(linear: tuple[Linear, Tensor, Tensor]) -> None:
    model, images, labels = linear
    seen = gradcam.attribute(model, images, labels, layer=model.conv)
    whole = gradcam.heat(seen, None)
    assert torch.allclose(gradcam.heat(seen, 2 * SIDE - 1), whole, atol=1e-7)
    assert not torch.allclose(gradcam.heat(seen, 2 * SIDE - 3), whole, atol=1e-3)


def test_rectifying_leaves_out_negative_activations(linear: tuple[Linear, Tensor, Tensor]) -> None:
    model, images, labels = linear
    seen = gradcam.attribute(model, images, labels, layer=model.conv)
    positive = gradcam.Attribution(seen.activations.clamp_min(0), seen.gradients, seen.scores)
    assert (seen.activations < 0).any()
    assert torch.equal(gradcam.heat(seen, 3, rectify=True), gradcam.heat(positive, 3))
    assert not torch.allclose(gradcam.heat(seen, 3, rectify=True), gradcam.heat(seen, 3), atol=1e-3)


@pytest.mark.parametrize("window", [0, 2, -3])
def test_a_window_needs_a_centre(linear: tuple[Linear, Tensor, Tensor], window: int) -> None:
    model, images, labels = linear
    with pytest.raises(ValueError, match=f"an odd number, not {window}"):
        gradcam.heat(gradcam.attribute(model, images, labels, layer=model.conv), window)


@pytest.fixture(params=["lcqhnn", "cnn"])
def network(request: pytest.FixtureRequest) -> tuple[lcqhnn.Lcqhnn | lcqhnn.Cnn, Tensor, Tensor]:
    """A network of the paper with some images, smooth blobs, and labels."""
    torch.manual_seed(3)
    model = lcqhnn.build(LcqhnnConfig(model=request.param))
    assert isinstance(model, lcqhnn.Lcqhnn | lcqhnn.Cnn)
    return model, gradcam.upsample(torch.rand(6, 4, 4))[:, None], torch.tensor([0, 1, 0, 1, 1, 0])


def test_the_whole_map_is_the_packages_grad_cam(network: tuple[lcqhnn.Cnn, Tensor, Tensor]) -> None:
    model, images, labels = network
    theirs = gradcam.grad_cam(model, images, labels, layer=model.features.conv2)
    heat = gradcam.heat(gradcam.attribute(model, images, labels, layer=model.features.conv2), None)
    assert heat.shape == (6, 14, 14)
    assert torch.allclose(gradcam.rescale(gradcam.upsample(heat)), theirs, atol=1e-4)


def test_a_window_of_one_is_the_packages_hirescam(network: tuple[lcqhnn.Cnn, Tensor, Tensor]) -> None:
    model, images, labels = network
    targets = [ClassifierOutputTarget(int(label)) for label in labels]
    with HiResCAM(model=model, target_layers=[model.features.conv2]) as cam:
        theirs = torch.from_numpy(cam(input_tensor=images, targets=targets))
    heat = gradcam.heat(gradcam.attribute(model, images, labels, layer=model.features.conv2), 1)
    assert torch.allclose(gradcam.rescale(gradcam.upsample(heat)), theirs, atol=1e-4)


def test_the_gradient_is_the_slope_of_the_score(network: tuple[lcqhnn.Cnn, Tensor, Tensor]) -> None:
    model, images, labels = network
    model.double().eval()
    images = images.double()
    seen = gradcam.attribute(model, images, labels, layer=model.features.conv2)
    direction = torch.randn_like(seen.activations)
    scores = []
    for step in (-1e-6, 1e-6):
        with torch.no_grad():
            handle = model.features.conv2.register_forward_hook(lambda _m, _i, a, step=step: a + step * direction)
            scores.append(model(images).gather(1, labels[:, None])[:, 0])
            handle.remove()
    slope = (scores[1] - scores[0]) / 2e-6
    assert slope.tolist() == pytest.approx((seen.gradients * direction).sum((1, 2, 3)).tolist(), abs=1e-6)


def test_gradient_times_activation_adds_up_to_the_score_of_a_piecewise_linear_network() -> None:
    torch.manual_seed(0)
    model = lcqhnn.Cnn(LcqhnnConfig(model="cnn"))
    images, labels = torch.rand(5, 1, 28, 28), torch.tensor([0, 1, 0, 1, 0])
    seen = gradcam.attribute(model, images, labels, layer=model.features.conv2)
    without_features = model.scores(model.reduce(torch.zeros(1, 256)))[0, labels]
    own = seen.scores.gather(1, labels[:, None])[:, 0]
    assert torch.allclose((seen.gradients * seen.activations).sum((1, 2, 3)) + without_features, own, atol=1e-5)


def test_looking_leaves_the_network_as_it_was(network: tuple[lcqhnn.Cnn, Tensor, Tensor]) -> None:
    model, images, labels = network
    for training in (True, False):
        model.train(training)
        seen = gradcam.attribute(model, images, labels, layer=model.features.conv2)
        gradcam.grad_cam(model, images, labels, layer=model.features.conv2)
        assert model.training is training
        assert all(parameter.grad is None for parameter in model.parameters())
        assert torch.equal(seen.scores, model.eval()(images))  # without dropout
    assert not model.features.conv2._forward_hooks


def test_each_image_is_explained_for_its_own_class(network: tuple[lcqhnn.Cnn, Tensor, Tensor]) -> None:
    model, images, labels = network
    both = gradcam.attribute(model, images, labels, layer=model.features.conv2)
    for k in range(len(images)):
        alone = gradcam.attribute(model, images[k : k + 1], labels[k : k + 1], layer=model.features.conv2)
        assert torch.allclose(alone.gradients[0], both.gradients[k], atol=1e-6)
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


# --- what a map shows


@pytest.fixture
def square() -> Tensor:
    """A bright square of 8 x 8 pixels, on cells of 2 x 2, in a dark image of 28 x 28."""
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 10:18, 6:14] = 0.8
    return image


def test_focus_is_the_share_of_heat_on_the_object(square: Tensor) -> None:
    mask = gradcam.object_mask(square)
    assert int(mask.sum()) == 64
    heat = torch.zeros(1, 28, 28)
    heat[0, 10:12, 6:8] = 3.0  # 12 on the object
    heat[0, 0, 0] = 4.0  # 4 beside it
    assert gradcam.focus(heat, mask).tolist() == pytest.approx([0.75])
    assert gradcam.focus(1e-6 * heat, mask).tolist() == pytest.approx([0.75])


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_even_heat_and_no_heat_have_the_objects_area_as_focus(square: Tensor, level: float) -> None:
    focus = gradcam.focus(torch.full((1, 28, 28), level), gradcam.object_mask(square))
    assert focus.tolist() == pytest.approx([64 / 784])


def test_pixels_at_the_threshold_are_background() -> None:
    images = torch.tensor([0.0, 0.1, 0.1 + 1e-6, 1.0]).reshape(1, 1, 2, 2)
    assert gradcam.object_mask(images).flatten().tolist() == [False, False, True, True]
    assert gradcam.object_mask(images, 0.5).flatten().tolist() == [False, False, False, True]


def test_saturation_counts_what_is_nearly_the_hottest(square: Tensor) -> None:
    heat = torch.linspace(0, 1, 784).reshape(1, 28, 28)
    assert gradcam.saturation(heat).tolist() == pytest.approx([math.ceil(783 * 0.1) / 784])
    assert gradcam.saturation(7 * heat, level=0.5).tolist() == pytest.approx([0.5], abs=1e-3)
    mask = gradcam.object_mask(square)
    assert gradcam.saturation(heat, mask, level=0.5).tolist() == pytest.approx([32 / 64])  # rows 14 to 17 of 10 to 17
    assert gradcam.saturation(torch.zeros(1, 28, 28)).tolist() == [0.0]


def test_templates_of_a_square(square: Tensor) -> None:
    shape, edges = gradcam.shape_template(square, 14)[0], gradcam.edge_template(square, 14)[0]
    inside = torch.zeros(14, 14)
    inside[5:9, 3:7] = 0.8
    assert torch.allclose(shape, inside)
    assert edges[6, 4] == edges[7, 5] == 0  # the middle of the square has no contrast
    assert edges[0, 0] == 0  # nor has the background
    # One of the two pixel rows of the cell outside sees the edge, and one of the two of the cell inside.
    assert edges[4, 5].item() == pytest.approx(0.4)
    assert edges[5, 5].item() == pytest.approx(0.4)


def test_resemblance_sees_order_only() -> None:
    template = torch.rand(3, 14, 14, generator=torch.Generator().manual_seed(0))
    assert gradcam.resemblance(torch.exp(5 * template), template).tolist() == pytest.approx([1.0] * 3)
    assert gradcam.resemblance(-template, template).tolist() == pytest.approx([-1.0] * 3)
    assert gradcam.resemblance(torch.ones(3, 14, 14), template).tolist() == [0.0] * 3


def test_similarity_is_pearsons() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(2, 3, 14, 14, generator=generator) for _ in range(2))
    expected = [[np.corrcoef(a[s, n].flatten(), b[s, n].flatten())[0, 1].item() for n in range(3)] for s in range(2)]
    assert gradcam.similarity(a, b).tolist() == [pytest.approx(row, abs=1e-5) for row in expected]
    assert gradcam.similarity(a, 3 * a + 1).flatten().tolist() == pytest.approx([1.0] * 6, abs=1e-5)
    assert gradcam.similarity(a, functional.relu(-a)).flatten().tolist() == [0.0] * 6
