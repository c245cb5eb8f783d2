"""The search for the networks behind the printed numbers, against counting by hand and by PyTorch."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from torch import nn

from hqnn import experiments
from hqnn.papers.hqnn import counts
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.experiments import ParallelConfig

MNIST, CNN = 45_194, 372_234


def size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("norm", [False, True])
def test_layers_are_counted_as_pytorch_counts_them(norm: bool) -> None:
    layers: list[nn.Module] = [nn.Conv2d(3, 7, 5), nn.Conv2d(7, 4, 5)]
    layers += [nn.BatchNorm2d(7), nn.BatchNorm2d(4)] if norm else []
    assert counts.convolutions((3, 7, 4), 5, norm=norm) == sum(map(size, layers))
    assert counts.dense((6, 5, 2)) == size(nn.Linear(6, 5)) + size(nn.Linear(5, 2))


def test_the_hybrids_optional_parts_add_up_to_the_built_network() -> None:
    fixed, parts = counts.optional_parts()
    without = parts["normalisation after the last dense layer"]
    assert fixed + sum(parts.values()) - without == size(hqnn.build(ParallelConfig()))


def test_two_readings_have_the_printed_number_and_no_more() -> None:
    assert counts.absent(MNIST) == [
        ("bias of the first dense layer",),
        ("normalisation after the last dense layer",),
    ]
    fixed, parts = counts.optional_parts()
    assert counts.absent(fixed + sum(parts.values())) == [()]
    assert counts.absent(fixed) == [tuple(parts)]
    assert counts.absent(fixed - 1) == []
    assert counts.absent(MNIST, n_layers=4) != counts.absent(MNIST)


def test_every_rival_found_has_the_printed_number() -> None:
    found = counts.rivals(CNN)
    assert len(set(found)) == len(found)
    assert {rival.n_parameters for rival in found} == {CNN}
    kinds = counts.kinds(found)
    assert [len(of_kind) for of_kind in kinds.values()] == [113, 0, 0, 5, 0, 1]
    (plain,) = kinds["with all biases and no normalisation"]
    built = hqnn.build(ParallelConfig(hidden=plain.hidden, middle="identity", batch_norm=False))
    assert size(built) == CNN
    made = [
        replace(plain, conv_norm=True),
        replace(plain, hidden=(9,), dense_norms=(True,)),
        replace(plain, hidden=(7, 7)),
    ]
    made += [replace(plain, conv_norm=True, dense_norms=(True, True)), replace(plain, score_bias=False)]
    kept = {kind: [made.index(one) for one in of_kind] for kind, of_kind in counts.kinds(made).items()}
    assert [*kept.values()] == [[0, 1, 2, 3, 4], [1], [1, 2], [0, 3], [3], [2]]


@pytest.mark.parametrize("on", [(), ("conv_bias",), ("conv_norm",), ("dense_bias",), ("score_bias",), ("score_norm",)])
def test_every_choice_of_a_rival_is_counted_as_pytorch_counts_it(on: tuple[str, ...]) -> None:
    choices = dict.fromkeys(("conv_bias", "conv_norm", "dense_bias", "score_bias", "score_norm"), False)
    choices |= dict.fromkeys(on, True)
    rival = counts.Rival(hidden=(30, 21), dense_norms=(False, True), **choices)
    layers: list[nn.Module] = [nn.Conv2d(1, 16, 5, bias=rival.conv_bias), nn.Conv2d(16, 32, 5, bias=rival.conv_bias)]
    layers += [nn.BatchNorm2d(16), nn.BatchNorm2d(32)] if rival.conv_norm else []
    layers += [nn.Linear(counts.FEATURES, 30, rival.dense_bias), nn.Linear(30, 21, rival.dense_bias)]
    layers += [nn.BatchNorm1d(21), nn.Linear(21, 10, rival.score_bias)]
    layers += [nn.BatchNorm1d(10)] if rival.score_norm else []
    assert rival.n_parameters == sum(map(size, layers))


def test_rivals_with_one_and_two_dense_layers_are_found_again() -> None:
    plain = {"conv_bias": True, "conv_norm": True, "dense_bias": False, "score_bias": True, "score_norm": False}
    one = counts.Rival(hidden=(50,), dense_norms=(True,), **plain)
    two = counts.Rival(hidden=(30, 21), dense_norms=(False, True), **plain)
    for rival in (one, two):
        assert rival in counts.rivals(rival.n_parameters, max_width=25)
    assert two not in counts.rivals(two.n_parameters, max_width=20)


def test_the_differences_mean_four_and_five_layers() -> None:
    for difference, n_layers in ((180, 4), (120, 5)):
        found = counts.depths(difference)
        assert (counts.WIDTH, n_layers) in found
        assert all(n * n + n - 3 * i * n == difference for n, i in found)
    assert {n for n, _ in counts.depths(180)} & {n for n, _ in counts.depths(120)} == {counts.WIDTH}


@pytest.mark.parametrize(
    ("total", "searched", "experiment"),
    [
        (247_462, counts.MEDICAL, "hqnn-medical"),
        (247_462, counts.MEDICAL, "hqnn-medical-faithful"),
        (81_578, counts.CIFAR, "hqnn-cifar10"),
    ],
)
def test_the_networks_that_are_trained_are_among_those_found(
    total: int, searched: dict[str, Any], experiment: str
) -> None:
    config = experiments.get(experiment).variants["hqnn"]
    widths = range(min(config.channels), max(config.channels) + 1)
    found = counts.fronts(total, **searched, widths=widths)
    assert (config.in_channels, config.channels, config.kernel) in [
        (f.in_channels, f.channels, f.kernel) for f in found
    ]
    assert {front.n_parameters(searched["n_classes"]) for front in found} == {total}
    assert size(hqnn.build(config)) == total
    assert not counts.fronts(total, **searched, widths=range(max(config.channels), max(config.channels) + 2))


def test_the_search_for_convolutions_is_complete() -> None:
    few: dict[str, Any] = {"in_channels": (1, 3), "kernels": (3,), "sides": (2, 5), "n_layers": 3}
    for n_convolutions in (1, 2, 3):
        built = [
            counts.Front(in_channels=first, channels=channels, kernel=3, side=side, n_layers=3)
            for first, side in itertools.product((1, 3), (2, 5))
            for channels in itertools.combinations_with_replacement(range(4, 9), n_convolutions)
        ]
        for total in {front.n_parameters(7) for front in built}:
            found = counts.fronts(total, n_classes=7, n_convolutions=n_convolutions, widths=range(4, 9), **few)
            assert set(found) == {front for front in built if front.n_parameters(7) == total}
            assert len(found) == len(set(found))
