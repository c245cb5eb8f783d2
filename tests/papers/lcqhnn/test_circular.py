"""Tests of uniformity on the circle, against SciPy, the published formulas and simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import directional_stats, ks_1samp, uniform

from hqnn.papers.lcqhnn import circular


def test_statistics_are_scipys_and_ignore_where_the_circle_starts() -> None:
    angles = np.random.default_rng(3).normal(2.0, 1.0, (40, 3))
    for sample in (angles, np.mod(angles + 1.234, 2 * np.pi) - 6 * np.pi):
        turns = sample / (2 * np.pi) % 1
        kuiper = sum(ks_1samp(turns, uniform.cdf, alternative=side).statistic for side in ("greater", "less"))
        resultant = directional_stats(np.stack([np.cos(sample), np.sin(sample)], -1)).mean_resultant_length
        assert circular.resultant_length(sample) == pytest.approx(resultant)
        assert circular.kuiper_distance(sample) == pytest.approx(kuiper)


def test_opposite_clusters_pass_rayleighs_test_but_not_kuipers() -> None:
    angles = np.where(np.arange(100) % 2, 0.5, 0.5 + np.pi)
    assert circular.kuiper_distance(angles) == pytest.approx(0.5, abs=1e-12)
    assert circular.rayleigh_p(angles) == pytest.approx(1.0) and circular.kuiper_p(angles) < 1e-8


@pytest.mark.parametrize("test", [circular.rayleigh_p, circular.kuiper_p])
def test_p_values_of_uniform_angles_are_uniform(test: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
    p = test(np.random.default_rng(0).uniform(-np.pi, 3 * np.pi, (60, 4000)))
    for level in (0.01, 0.05, 0.2, 0.5):
        spread = np.sqrt(level * (1 - level) / p.size)
        assert (p < level).mean() == pytest.approx(level, abs=4 * spread + 0.1 * level)


def test_p_values_are_those_of_the_published_formulas() -> None:
    """Wilkie's; and [Stephens, J. R. Stat. Soc. B 32, 115 (1970)]: of V (√n + 0.155 + 0.24/√n), 5 % lie above 1.747."""
    for n in (8, 20, 1000):
        angles = np.random.default_rng(n).vonmises(0.0, 0.4, n)
        r = n * circular.resultant_length(angles)
        wilkie = np.exp(np.sqrt(1 + 4 * n + 4 * (n**2 - r**2)) - (1 + 2 * n))
        assert circular.rayleigh_p(angles) == pytest.approx(wilkie, rel=1e-9)
        scaled = circular.kuiper_distance(angles) * (np.sqrt(n) + 0.155 + 0.24 / np.sqrt(n))
        stephens = sum(2 * (4 * (j * scaled) ** 2 - 1) * np.exp(-2 * (j * scaled) ** 2) for j in range(1, 30))
        assert circular.kuiper_p(angles) == pytest.approx(stephens, rel=1e-6)


@pytest.mark.parametrize("angles", [np.empty((0, 2)), np.array([0.1, np.nan]), np.array(0.3)])
def test_no_angles_or_nan_is_refused(angles: NDArray[np.float64]) -> None:
    for function in (circular.resultant_length, circular.kuiper_distance):
        with pytest.raises(ValueError, match="at least one angle"):
            function(angles)
