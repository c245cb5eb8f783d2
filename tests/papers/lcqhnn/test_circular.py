"""Tests of uniformity on the circle, against what is known exactly and against simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from hqnn.papers.lcqhnn import circular

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
EVEN = 2 * np.pi * np.arange(100) / 100


def test_extremes_of_the_resultant_and_of_kuipers_distance() -> None:
    angles = np.stack([EVEN, np.full(100, 1.3), np.where(np.arange(100) % 2, 0.5, 0.5 + np.pi)], axis=1)
    assert circular.resultant_length(angles) == pytest.approx([0.0, 1.0, 0.0], abs=1e-12)
    assert circular.kuiper_distance(angles) == pytest.approx([0.01, 1.0, 0.5], abs=1e-12)


def test_opposite_clusters_pass_rayleighs_test_but_not_kuipers() -> None:
    angles = np.repeat([0.2, 0.2 + np.pi], 50)[:, None]
    assert circular.rayleigh_p(angles) == pytest.approx(1.0)
    assert circular.kuiper_p(angles)[0] < 1e-8


@pytest.mark.parametrize("function", [circular.resultant_length, circular.kuiper_distance])
def test_statistics_ignore_where_the_circle_starts_and_how_often_it_is_run_round(function: Statistic) -> None:
    rng = np.random.default_rng(3)
    angles = rng.normal(2.0, 1.0, (40, 3))
    turned = np.mod(angles + 1.234, 2 * np.pi) - 6 * np.pi
    assert function(turned) == pytest.approx(function(angles), abs=1e-12)


@pytest.mark.parametrize("test", [circular.rayleigh_p, circular.kuiper_p])
def test_p_values_of_uniform_angles_are_uniform(test: Statistic) -> None:
    angles = np.random.default_rng(0).uniform(-np.pi, 3 * np.pi, (60, 4000))
    p = test(angles)
    for level in (0.01, 0.05, 0.2, 0.5):
        spread = np.sqrt(level * (1 - level) / p.size)
        assert (p < level).mean() == pytest.approx(level, abs=4 * spread + 0.1 * level)


def test_rayleighs_p_is_that_of_the_published_formula() -> None:
    angles = np.random.default_rng(5).vonmises(0.0, 0.6, 20)
    n, r = 20, 20 * circular.resultant_length(angles)
    expected = np.exp(np.sqrt(1 + 4 * n + 4 * (n**2 - r**2)) - (1 + 2 * n))
    assert circular.rayleigh_p(angles) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [8, 30, 1000])
def test_kuipers_p_is_that_of_the_published_formula(n: int) -> None:
    """[Stephens, J. R. Stat. Soc. B 32, 115 (1970)]: of V* = V (√n + 0.155 + 0.24/√n), 5 % lie above 1.747."""
    angles = np.random.default_rng(n).vonmises(0.0, 0.4, n)
    turns = np.sort(angles % (2 * np.pi)) / (2 * np.pi)
    above, below = (max((k + edge) / n - turns[k] for k in range(n)) for edge in (1, 0))
    smallest = min(k / n - turns[k] for k in range(n))
    assert circular.kuiper_distance(angles) == pytest.approx(above - smallest)
    assert below <= above
    scaled = (above - smallest) * (np.sqrt(n) + 0.155 + 0.24 / np.sqrt(n))
    expected = sum(2 * (4 * (j * scaled) ** 2 - 1) * np.exp(-2 * (j * scaled) ** 2) for j in range(1, 30))
    assert circular.kuiper_p(angles) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("angles", [np.empty((0, 2)), np.array([0.1, np.nan]), np.array(0.3)])
def test_no_angles_or_nan_is_refused(angles: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="at least one angle"):
        circular.resultant_length(angles)
