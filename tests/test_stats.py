"""Intervals, paired comparisons and epochs to a threshold, against values computed by other means."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from hqnn.stats import (
    MAX_EXACT_PAIRS,
    Interval,
    epochs_to_reach,
    holm,
    mean_interval,
    paired_difference,
    rank_correlation,
)


def test_interval_of_a_textbook_sample() -> None:
    # s = 1 by construction; t(0.975, 4) = 2.776445 from printed tables.
    values = np.array([-1.0, -1.0, 0.0, 1.0, 1.0]) + 7
    interval = mean_interval(values)
    assert interval.mean == pytest.approx(7)
    assert interval.half_width == pytest.approx(2.776445 / math.sqrt(5), rel=1e-6)
    assert interval.n == 5
    assert interval.low in interval
    assert interval.high + 1e-9 not in interval


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = [2.0 in mean_interval(rng.normal(2, 3, size=5), level=0.8) for _ in range(2000)]
    assert np.mean(covered) == pytest.approx(0.8, abs=0.03)


def test_one_value_says_nothing_about_the_spread() -> None:
    interval = mean_interval([0.25])
    assert (interval.mean, interval.half_width, interval.n) == (0.25, math.inf, 1)
    assert -1e9 in interval


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf, 1.0], [[1.0, 2.0]]])
def test_interval_refuses_what_has_no_mean(values: list[float]) -> None:
    with pytest.raises(ValueError, match="value"):
        mean_interval(values)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_interval_refuses_a_level_that_is_no_probability(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        mean_interval([1.0, 2.0], level=level)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=7))
def test_permutation_p_value_is_the_exact_share(differences: list[int]) -> None:
    observed = abs(sum(differences))
    patterns = list(product((1, -1), repeat=len(differences)))
    as_far = sum(abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= observed for signs in patterns)
    comparison = paired_difference(np.array(differences) / 10, np.zeros(len(differences)))
    assert comparison.p_value == float(Fraction(as_far, len(patterns)))
    assert comparison.test == "exact sign-flip permutation"


def test_ten_wins_out_of_ten() -> None:
    comparison = paired_difference([0.9 + 0.001 * i for i in range(10)], [0.8] * 10)
    assert comparison.p_value == 2 / 2**10
    assert comparison.difference.mean == pytest.approx(0.1045)
    assert comparison.difference.low > 0


def test_permutation_agrees_with_scipy() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.3, 1, 10), rng.normal(0, 1, 10)
    ours = paired_difference(a, b).p_value
    theirs = scipy_stats.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    assert ours == pytest.approx(theirs.pvalue)


def test_many_pairs_use_the_t_test() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(0.3, 1, MAX_EXACT_PAIRS + 1), rng.normal(0, 1, MAX_EXACT_PAIRS + 1)
    comparison = paired_difference(a, b)
    assert comparison.test == "paired t"
    assert comparison.p_value == pytest.approx(scipy_stats.ttest_rel(a, b).pvalue)


def test_equal_differences_without_spread() -> None:
    many = MAX_EXACT_PAIRS + 1
    assert paired_difference([1.0] * many, [1.0] * many).p_value == 1
    assert paired_difference([1.0] * many, [0.5] * many).p_value == 0


def test_pairs_must_match() -> None:
    with pytest.raises(ValueError, match="equal lengths, not 2 and 3"):
        paired_difference([1, 2], [1, 2, 3])


def test_holms_adjustment_step_by_step() -> None:
    # 0.01 · 4, then the larger of that and 0.02 · 3, then 0.03 · 2 = 0.06 again, then 0.2 · 1
    assert holm([0.03, 0.01, 0.2, 0.02]) == pytest.approx([0.06, 0.04, 0.2, 0.06])
    assert holm([0.6, 0.9]).tolist() == [1, 1]
    assert holm([0.3]).tolist() == [0.3]
    for wrong in ([], [1.2], [-0.1, 0.5]):
        with pytest.raises(ValueError, match=r"at least one value|between 0 and 1"):
            holm(wrong)


def test_epochs_to_reach_counts_from_one_and_keeps_the_censored() -> None:
    history = [[0.5, 0.9, 0.8], [0.9, 0.9, 0.9], [0.1, 0.2, 0.3], [0.1, 0.2, 0.95]]
    reach = epochs_to_reach(history, 0.9)
    assert reach.epochs.tolist() == [2, 1, math.inf, 3]
    assert (reach.n_reached, reach.n_epochs, reach.median) == (3, 3, 2.5)
    assert reach.counted.tolist() == [2, 1, 4, 3]


def test_median_epoch_is_infinite_when_most_curves_never_get_there() -> None:
    assert epochs_to_reach([[0.0], [0.0], [1.0]], 0.5).median == math.inf


def test_epochs_to_reach_takes_one_curve() -> None:
    assert epochs_to_reach([0.1, 0.7], 0.7).epochs.tolist() == [2]


@pytest.mark.parametrize("history", [[], [[]], [[0.1, math.nan]]])
def test_epochs_to_reach_refuses_empty_or_nan(history: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="history"):
        epochs_to_reach(history, 0.5)


def test_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, (7, 20)), rng.normal(size=(7, 20))
    expected = [scipy_stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    assert rank_correlation(x, y) == pytest.approx(expected, abs=1e-12)
    assert rank_correlation(x[:, None], y[None])[2, 5] == pytest.approx(scipy_stats.spearmanr(x[2], y[5]).statistic)


def test_rank_correlation_sees_order_only() -> None:
    x = np.array([0.1, 0.2, 0.5, 3.0])
    assert rank_correlation(x, np.exp(x)) == pytest.approx(1.0)
    assert rank_correlation(x, -(x**3)) == pytest.approx(-1.0)
    assert math.isnan(rank_correlation(x, np.ones(4)))


@pytest.mark.parametrize(("x", "y"), [([1.0, 2.0], [1.0, 2.0, 3.0]), ([1.0, math.nan], [1.0, 2.0])])
def test_rank_correlation_refuses_unpaired_and_undefined_values(x: list[float], y: list[float]) -> None:
    with pytest.raises(ValueError, match=r"equal lengths|finite values"):
        rank_correlation(x, y)


def test_an_interval_is_written_with_its_half_width() -> None:
    lead = Interval(-0.00004, 0.00123, 5)
    assert f"{lead:.4f}" == "-0.0000 ± 0.0012"
    assert f"{lead:+z.2p}" == "+0.00 ± 0.12"
    assert f"{Interval(0.99388, 0.0007, 5):.2p}" == "99.39 ± 0.07"
    assert f"{Interval(2.0, 0.5, 3)}" == "2.00 ± 0.50"
