"""Corruptions, an attack and a calibration error, against closed forms."""

import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn
from torch.nn import functional

from hqnn import robustness
from hqnn.robustness import CORRUPTIONS, Trained, accuracy, attacked, calibration_error, compare, scored, uphill


@pytest.fixture
def images() -> Tensor:
    return torch.rand(40, 1, 12, 12, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_corruptions_change_nothing_at_strength_zero_and_are_decided_by_their_seed(kind: str, images: Tensor) -> None:
    corrupt = CORRUPTIONS[kind]
    assert torch.equal(corrupt(images, 0, 1), images)
    once = corrupt(images, 2, 1)
    assert torch.equal(once, corrupt(images, 2, 1))
    assert torch.equal(once, corrupt(images, 2, 2)) == (kind == "blur")
    assert once.shape == images.shape
    assert 0 <= once.min() < once.max() <= 1


def test_noise_has_its_deviation_where_nothing_is_clipped() -> None:
    grey = torch.full((50, 1, 20, 20), 0.5)
    assert (robustness.noisy(grey, 0.1, 3) - grey).std().item() == pytest.approx(0.1, rel=0.02)


def test_blur_is_a_gaussian(images: Tensor) -> None:
    inside = (slice(None), 0, slice(4, 8), slice(4, 8))  # torchvision mirrors at the edge, without its pixel
    expected = torch.from_numpy(gaussian_filter(images[:, 0].numpy(), (0, 1, 1), truncate=3, mode="mirror"))
    torch.testing.assert_close(robustness.blurred(images, 1, 0)[inside], expected[:, 4:8, 4:8], atol=1e-4, rtol=0)


def test_shifts_go_to_all_four_corners(images: Tensor) -> None:
    moved = robustness.shifted(images, 2, 0)
    corners = set()
    for before, after in zip(images[:, 0], moved[:, 0], strict=True):
        for y in (-2, 2):
            for x in (-2, 2):
                rolled = before.roll((y, x), (0, 1))
                if torch.equal(rolled[2:-2, 2:-2], after[2:-2, 2:-2]):
                    corners.add((y, x))
                    edges = (after[:2] if y > 0 else after[-2:], after[:, :2] if x > 0 else after[:, -2:])
                    assert not any(edge.any() for edge in edges)
    assert corners == {(-2, -2), (-2, 2), (2, -2), (2, 2)}


def test_an_attack_on_a_linear_model_goes_along_the_signs_of_its_weights(images: Tensor) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 2))
    labels = torch.randint(0, 2, (40,))
    linear = model[1]
    assert isinstance(linear, nn.Linear)
    towards = linear.weight[1 - labels] - linear.weight[labels]  # raises the wrong score against the right one
    expected = (images + 0.03 * towards.sign().view_as(images)).clamp(0, 1)
    signs = uphill(model, images, labels)
    torch.testing.assert_close(attacked(images, signs, 0.03), expected)
    loss = [functional.cross_entropy(model(attacked(images, signs, e)), labels).item() for e in (0, 0.01, 0.1)]
    assert loss == sorted(loss)
    assert loss[0] < loss[-1]
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("scale", [1, 100_000])
def test_an_attack_has_the_signs_of_the_cross_entropys_slopes_and_keeps_them_where_the_network_is_sure(
    scale: float, images: Tensor
) -> None:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 20), nn.Tanh(), nn.Linear(20, 5)).double()
    labels, pixels = model(images.double()).argmax(1), images.double().requires_grad_()
    (slope,) = torch.autograd.grad(functional.cross_entropy(model(pixels), labels), pixels)
    last = model[3]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():  # the loss of a surer network grows the same way, where its wrong answers keep their order
        last.weight.mul_(scale)
        last.bias.mul_(scale)
    signs = uphill(model, images.double(), labels)
    assert (signs != 0).all()
    if scale == 1:
        assert torch.equal(signs, slope.sign())


def test_many_images_are_scored_and_attacked_like_few() -> None:
    images = torch.rand(600, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.Tanh(), nn.Linear(4, 3))
    labels = torch.arange(600) % 3
    torch.testing.assert_close(scored(model, images), model(images).detach())
    few = [uphill(model, images[k : k + 1], labels[k : k + 1]) for k in (0, 299, 599)]
    assert torch.equal(uphill(model, images, labels)[[0, 299, 599]], torch.cat(few))


class Brightest(nn.Module):
    """Takes the brightest pixel for the class, or the darkest."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 1, H, W] to as many scores as pixels [N, H W]."""
        return self.factor * images.flatten(1)


def test_a_comparison_is_paired_by_seed_and_positive_where_the_hybrid_is_better() -> None:
    labels = torch.arange(8) % 4
    images = functional.one_hot(labels, 4).float().view(8, 1, 2, 2) * 0.6 + 0.2
    models = {("mine", 0): 50.0, ("mine", 1): -50.0, ("rival", 0): 4.0, ("rival", 1): 4.0}
    networks = [Trained(f"toy/{name}", Brightest(k), images, labels, seed) for (name, seed), k in models.items()]
    found = compare(networks, "mine", {"strengths": {"noise": [0.0], "blur": [0]}, "attacks": [0.2, 0.4]})
    assert found["toy/mine/clean"] == found["toy/mine/noise-0.0"] == [100, 0]
    assert found["toy/rival/attack-0.2"] == [100, 100]
    assert found["toy/rival/attack-0.4"] == [0, 0]
    assert found["saved"] == [0, 0]
    assert found["attack-saved"] == found["toy/attack-saved-over-rival"] == [0, 50]
    error = [found[f"toy/{name}/calibration"] for name in ("mine", "rival")]
    assert found["calibration-saved"] == [b - a for a, b in zip(*error, strict=True)]
    assert found["calibration-saved"][0] > 0 > found["calibration-saved"][1]


def test_accuracy_is_a_percentage() -> None:
    scores = torch.tensor([[2.0, 1.0], [0.0, 1.0], [5.0, 0.0], [1.0, 3.0]])
    assert accuracy(scores, torch.tensor([0, 1, 1, 1])) == 75


def test_calibration_is_the_gap_between_confidence_and_accuracy() -> None:
    def scores(confidence: float, n: int) -> Tensor:
        return torch.tensor([[confidence, 1 - confidence]]).log().repeat(n, 1)

    right, wrong = torch.zeros(8, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
    assert calibration_error(scores(0.8, 10), torch.cat([right, wrong])) == pytest.approx(0, abs=1e-4)
    assert calibration_error(scores(0.9, 10), torch.cat([right, wrong])) == pytest.approx(10, abs=1e-4)
    mixed = torch.cat([scores(0.999, 10), scores(0.55, 10)])  # bins do not cancel: 0.1 % below, 45 % above
    labels = torch.cat([torch.zeros(10), torch.zeros(10)]).long()
    assert calibration_error(mixed, labels) == pytest.approx((0.1 + 45) / 2, abs=1e-2)
    assert calibration_error(torch.tensor([[50.0, 0.0]]), torch.tensor([0])) == pytest.approx(0, abs=1e-9)
