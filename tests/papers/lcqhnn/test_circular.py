"""Tests of uniformity on the circle, against SciPy, the published formula and simulation."""

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


def test_p_values_of_uniform_angles_are_uniform_and_those_of_opposite_clusters_small() -> None:
    p = circular.kuiper_p(np.random.default_rng(0).uniform(-np.pi, 3 * np.pi, (60, 4000)))
    for level in (0.01, 0.05, 0.2, 0.5):
        spread = np.sqrt(level * (1 - level) / p.size)
        assert (p < level).mean() == pytest.approx(level, abs=4 * spread + 0.1 * level)
    assert circular.kuiper_p(np.where(np.arange(100) % 2, 0.5, 0.5 + np.pi)) < 1e-8


@pytest.mark.parametrize("n", [8, 20, 1000])
def test_p_values_are_those_of_the_published_formula(n: int) -> None:
    """[Stephens, J. R. Stat. Soc. B 32, 115 (1970)]: of V (√n + 0.155 + 0.24/√n), 5 % lie above 1.747."""
    angles = np.random.default_rng(n).vonmises(0.0, 0.4, n)
    scaled = circular.kuiper_distance(angles) * (np.sqrt(n) + 0.155 + 0.24 / np.sqrt(n))
    stephens = sum(2 * (4 * (j * scaled) ** 2 - 1) * np.exp(-2 * (j * scaled) ** 2) for j in range(1, 30))
    assert circular.kuiper_p(angles) == pytest.approx(stephens, rel=1e-6)


@pytest.mark.parametrize("angles", [np.empty((0, 2)), np.array([0.1, np.nan])])
def test_no_angles_or_nan_is_refused(angles: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="at least one angle"):
        circular.kuiper_p(angles)
