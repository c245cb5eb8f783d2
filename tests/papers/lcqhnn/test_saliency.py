"""Heat maps against a computation by hand and the package's; their measures and comparisons where they are known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from hqnn import experiments
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn import saliency

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
    seen = saliency.attribute(model, images, labels, layer=model.conv)
    ours = saliency.heat(seen, window, rectify=rectify)
    expected = [by_hand(model, *one, window, rectify) for one in zip(images, labels.tolist(), strict=True)]
    torch.testing.assert_close(ours.flatten(1), torch.tensor(expected), atol=1e-6, rtol=0)
    if window > SIDE:  # everything, from every position
        torch.testing.assert_close(saliency.heat(seen, None), ours, atol=1e-7, rtol=0)


@pytest.mark.parametrize("window", [0, 2, -3])
def test_a_window_needs_a_centre(window: int) -> None:
    with pytest.raises(ValueError, match=f"an odd number, not {window}"):
        saliency.heat(saliency.Attribution(*torch.zeros(3, 1, 1, 5, 5)), window)


@pytest.mark.parametrize("name", ["lcqhnn", "cnn-4"])
def test_the_whole_map_is_the_packages_grad_cam_and_the_network_is_left_as_it_was(name: str) -> None:
    model = lcqhnn.build(experiments.get("lcqhnn-mnist").variants[name])
    images, labels = saliency.upsample(torch.rand(6, 4, 4))[:, None], torch.tensor([0, 1, 0, 1, 1, 0])
    layer = model.features.conv2
    for training in (False, True):
        model.train(training)
        seen = saliency.attribute(model, images, labels, layer=layer)
        theirs = saliency.grad_cam(model, images, labels, layer=layer)
        ours = saliency.rescale(saliency.upsample(saliency.heat(seen, None)))
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
        assert model.training is training and not layer._forward_hooks
        assert all(parameter.grad is None for parameter in model.parameters())
        assert torch.equal(seen.scores, model.eval()(images))  # without dropout


# --- what a map shows: of a bright square of 8 x 8 pixels, on cells of 2 x 2, in a dark image

SQUARE = torch.zeros(1, 1, 28, 28)
SQUARE[0, 0, 10:18, 6:14] = 0.8
SQUARE[0, 0, 9, 6] = saliency.THRESHOLD  # background, as whatever is not above it
MASK = saliency.object_mask(SQUARE)


def test_focus_is_the_share_of_heat_on_the_object() -> None:
    heat = torch.zeros(1, 28, 28)
    heat[0, 10:12, 6:8] = 3.0  # 12 on the object
    heat[0, 0, 0] = 4.0  # 4 beside it
    for scale in (1, 1e-6):
        assert saliency.focus(scale * heat, MASK).tolist() == pytest.approx([0.75])
    for level in (0.0, 0.3):  # even heat, and none
        assert saliency.focus(torch.full((1, 14, 14), level), MASK).tolist() == pytest.approx([64 / 784])


def test_saturation_counts_what_is_nearly_the_hottest() -> None:
    heat = torch.linspace(0, 1, 784).reshape(1, 28, 28)
    assert saliency.saturation(7 * heat).tolist() == pytest.approx([math.ceil(783 * 0.1) / 784])
    heat[0, 10:14, 6:14] = 0.95  # half of the object
    assert saliency.saturation(heat, MASK).tolist() == [0.5]
    assert saliency.saturation(torch.zeros(1, 28, 28)).tolist() == [0.0]


def test_templates_of_a_square() -> None:
    shape, edges = (template(SQUARE, 14)[0] for template in (saliency.shape_template, saliency.edge_template))
    assert torch.equal(shape[5:9, 3:7], torch.full((4, 4), 0.8)) and shape[:, 7:].sum() == 0
    assert edges[6, 4] == edges[7, 5] == edges[0, 0] == 0  # neither the middle nor the background has contrast
    # One of the two pixel rows of the cell outside sees the edge, and one of the two of the cell inside.
    assert [edges[4, 5].item(), edges[5, 5].item()] == pytest.approx([0.4, 0.4])


def test_limits_are_what_the_templates_themselves_measure() -> None:
    images = torch.cat([SQUARE, saliency.upsample(torch.rand(3, 7, 7))[:, None]])
    limits = saliency.references(images)
    templates = [template(images, 14) for template in (saliency.shape_template, saliency.edge_template)]
    shape, edges, none = (saliency.measures(one, images) for one in (*templates, torch.zeros(4, 14, 14)))
    assert shape["shape"].tolist() == edges["edges"].tolist() == pytest.approx([1.0] * 4)
    means = {"focus-of-shape": shape["focus"], "focus-of-edges": edges["focus"], "shape-like-edges": shape["edges"]}
    expected = {name: float(values.mean()) for name, values in means.items()}
    assert limits == pytest.approx({"area": float((images > 0.1).double().mean()), **expected})
    assert none["blank"].tolist() == [1.0] * 4 and shape["blank"].tolist() == [0.0] * 4
    on = saliency.saturation(saliency.upsample(templates[0]), saliency.object_mask(images))
    assert torch.equal(shape["saturation-on-object"], on) and not torch.equal(shape["saturation"], on)


def test_resemblance_sees_order_only_and_similarity_is_pearsons() -> None:
    a, b = torch.rand(2, 2, 3, 14, 14)
    assert saliency.resemblance(torch.exp(5 * a[0]), a[0]).tolist() == pytest.approx([1.0] * 3)
    assert saliency.resemblance(-a[0], a[0]).tolist() == pytest.approx([-1.0] * 3)
    assert saliency.resemblance(torch.ones(3, 14, 14), a[0]).tolist() == [0.0] * 3
    expected = [[np.corrcoef(a[s, n].flatten(), b[s, n].flatten())[0, 1].item() for n in range(3)] for s in range(2)]
    torch.testing.assert_close(saliency.similarity(a, b), torch.tensor(expected), atol=1e-5, rtol=0)
    assert saliency.similarity(a, torch.zeros_like(a)).flatten().tolist() == [0.0] * 6


# --- series


def test_correlations_are_scipys_with_each_run_s_own_accuracy_and_with_all_others() -> None:
    curve, accuracy = np.random.default_rng(1).normal(size=(2, 4, 7))
    found = saliency.correlations(curve, accuracy)
    pairs = np.array([[spearmanr(a, b).statistic for b in accuracy] for a in curve])
    others = np.array([np.delete(row, k).mean() for k, row in enumerate(pairs)])
    steps = [spearmanr(np.diff(a), np.diff(b)).statistic for a, b in zip(curve, accuracy, strict=True)]
    assert found["correlation"] == pytest.approx(pairs.diagonal())
    assert found["correlation-of-changes"] == pytest.approx(steps)
    assert found["correlation-with-others"] == pytest.approx(others)
    assert found["correlation-beyond-others"] == pytest.approx(pairs.diagonal() - others)
    accuracy[0] = 1.0  # flat: nothing can be correlated with it
    found = saliency.correlations(curve, accuracy)
    assert np.isnan(found["correlation"]).tolist() == [True, False, False, False]
    rest = [pairs[k, [j for j in (1, 2, 3) if j != k]].mean() for k in (1, 2, 3)]
    assert found["correlation-with-others"][1:] == pytest.approx(rest)


def test_consistency_is_the_mean_cosine_between_images_of_a_class() -> None:
    gradients, labels = torch.randn(7, 4, 3, 3), torch.tensor([0, 1, 0, 0, 1, 0, 1])
    weights = torch.nn.functional.normalize(gradients.mean((2, 3)), dim=1)
    cosines, other = weights @ weights.T, ~torch.eye(7, dtype=torch.bool)
    of_class = [cosines[other & (labels[:, None] == k) & (labels == k)].mean() for k in (0, 1)]
    assert saliency.consistency(gradients, labels) == pytest.approx(float(sum(of_class)) / 2, abs=1e-6)


def test_the_summary_compares_the_stages() -> None:
    base = torch.rand(1, 4, 14, 14).expand(3, -1, -1, -1)
    curves: saliency.Curves = {
        "epochs": [0, 1, 25, 50],
        "accuracy": np.array([[0.5, 0.9, 0.7, 0.8]] * 3),
        "consistency": np.array([[0.0, 0.1, 0.2, 0.3]] * 3),
        "grad-cam": {"focus": np.array([[0.3, 0.9, 0.5, 0.6], [0.4, 0.9, 0.6, 0.7], [0.5, 0.9, 0.7, 0.8]])},
        "window-1": {"focus": np.array([[0.9, 0.1, 0.5, 0.6]] * 3)},  # only the late epochs go with the accuracy
    }
    turned = torch.cat([base[:2], -base[2:]])  # one run of three disagrees
    summary = saliency.summarise(curves, {0: -base, 25: turned, 50: base}, area=0.25)
    assert {key: found.mean for key, found in summary.items()} == pytest.approx(
        {
            "focus-0-minus-area": 0.15,
            "focus-25-minus-0": 0.2,
            "focus-50-minus-25": 0.1,
            "correlation": 1.0,
            "consistency-50": 0.3,
            "agreement-0": 1.0,
            "agreement-25": -1 / 3,
            "agreement-50": 1.0,
            "similarity-0-50": -1.0,
            "similarity-25-50": 1 / 3,
        },
        abs=1e-5,
    )
    assert summary["focus-25-minus-0"].half_width == pytest.approx(0, abs=1e-9)
    found = saliency.focus_correlations(curves, "window-1")
    assert found["late"].mean == pytest.approx(1.0) and found["correlation"].mean < 0 and found["late"].n == 3
