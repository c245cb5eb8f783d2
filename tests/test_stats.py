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
    by_image,
    epochs_to_reach,
    equivalence,
    floor,
    holm,
    mean_interval,
    paired_difference,
    power,
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


def test_ties_between_whole_images_survive_the_six_digits_of_a_record() -> None:
    images = np.array([3, -2, 3, -2, 4, 1, 0, 3, 3, 3])
    rounded = [float(f"{(1000 + extra) / 1024:.6g}") - float(f"{1000 / 1024:.6g}") for extra in images]
    assert paired_difference(rounded, np.zeros(10)).p_value == paired_difference(images, np.zeros(10)).p_value


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


def test_an_interval_knows_its_spread_and_its_other_levels() -> None:
    values = [1.0, 4.0, 2.0, 2.5]
    found = mean_interval(values)
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    other = found.at(0.9)
    assert (other.mean, other.n) == (found.mean, found.n)
    assert other.half_width == pytest.approx(mean_interval(values, 0.9).half_width)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_the_floor_is_the_p_value_of_differences_of_one_sign(n: int) -> None:
    assert floor(n) == paired_difference(np.arange(1.0, n + 1), np.zeros(n)).p_value


@pytest.mark.parametrize(("lead", "sd", "n"), [(0.5, 1.0, 10), (0.14, 0.3, 3), (1.0, 0.9, 5), (0.0, 2.0, 6)])
def test_power_agrees_with_statsmodels(lead: float, sd: float, n: int) -> None:
    from statsmodels.stats.power import TTestPower

    expected = TTestPower().power(lead / sd, n, alpha=0.025, alternative="larger")
    assert power(lead, sd, n) == pytest.approx(expected, rel=1e-6)


def test_power_at_its_ends() -> None:
    assert power(0.0, 1.0, 7) == pytest.approx(0.025)
    assert power(0.0, 1.0, 7, level=0.9) == pytest.approx(0.05)
    assert (power(0.1, 0.0, 3), power(0.0, 0.0, 3)) == (1, 0)
    assert power(0.3, 1.0, 10_000) == pytest.approx(1)
    # with two values t has a closed form: the tangent; the share of pairs whose mean exceeds 12.706 standard errors
    pairs = np.random.default_rng(8).normal(1.0, 1.0, (200_000, 2))
    shown = pairs.mean(1) > 12.706 * abs(pairs[:, 0] - pairs[:, 1]) / 2
    assert power(1.0, 1.0, 2) == pytest.approx(shown.mean(), abs=0.002)


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=9).filter(lambda x: len(set(x)) > 1), st.integers(1, 12))
def test_two_one_sided_tests_are_those_of_statsmodels_and_of_the_90_percent_interval(d: list[int], margin: int) -> None:
    from statsmodels.stats.weightstats import DescrStatsW

    p_value = equivalence(d, margin)
    assert p_value == pytest.approx(DescrStatsW(np.array(d, float)).ttost_mean(-margin, margin)[0], abs=1e-9)
    inside = mean_interval(d, 0.9)
    assert (p_value < 0.05) == (-margin < inside.low and inside.high < margin)
    assert equivalence(mean_interval(d), margin) == pytest.approx(p_value, abs=1e-9)


def test_differences_without_spread_are_within_a_margin_or_not() -> None:
    assert [equivalence([value] * 4, 0.2) for value in (0.1, -0.1, 0.2, 0.3)] == [0, 0, 1, 1]


def by_hand(d: np.ndarray) -> float:
    """The two-way variance of the mean from sums of squares, cell by cell."""
    (s, n), mean = d.shape, d.mean()
    rows = sum((row.mean() - mean) ** 2 for row in d) / (s - 1)
    columns = sum((column.mean() - mean) ** 2 for column in d.T) / (n - 1)
    rest = sum((d[i, j] - d[i].mean() - d[:, j].mean() + mean) ** 2 for i in range(s) for j in range(n))
    return float(max(rows / s + columns / n - rest / ((s - 1) * (n - 1)) / (s * n), rows / s))


def test_pairing_by_image_estimates_the_two_way_variance() -> None:
    rng = np.random.default_rng(9)
    a, b = rng.random((5, 40)) < 0.2, rng.random((5, 40)) < 0.4
    found = by_image([np.flatnonzero(row) for row in a], [np.flatnonzero(row) for row in b], 40)
    d = b.astype(float) - a
    assert found.lead.n == 5
    assert found.lead.mean == pytest.approx(d.mean())
    error = math.sqrt(by_hand(d))
    # Student's factor lies between that of 4 degrees of freedom and the normal one
    assert 1.96 * error < found.lead.half_width < 2.777 * error
    turned = by_image([np.flatnonzero(row) for row in b], [np.flatnonzero(row) for row in a], 40)
    assert turned.lead.mean == pytest.approx(-found.lead.mean)
    assert turned.lead.half_width == pytest.approx(found.lead.half_width)
    assert turned.p_value == pytest.approx(found.p_value)


def test_mcnemars_test_of_one_pair_of_networks_repeated() -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    wrong_a, wrong_b = [0, 1, 2, 3], [3, 4, 5, 6, 7, 8, 9, 10, 11]  # three for b, eight for a
    found = by_image([wrong_a] * 2, [wrong_b] * 2, 100)
    assert found.p_value == pytest.approx(mcnemar([[88, 8], [3, 1]], exact=True).pvalue)
    same = by_image([wrong_a] * 3, [wrong_a] * 3, 100)
    assert (same.lead.mean, same.lead.half_width, same.p_value) == (0, 0, 1)
    for a, b in (([[1]], [[1]]), ([[1], [2]], [[1]])):
        with pytest.raises(ValueError, match="as many seeds of both, two or more"):
            by_image(a, b, 10)


@pytest.mark.parametrize("n_seeds", [5, 10])
def test_intervals_by_seed_and_image_cover_a_lead_of_none_as_often_as_documented(n_seeds: int) -> None:
    rng, covered = np.random.default_rng(10), 0
    for _ in range(200):
        hard, bent = rng.normal(-2.2, 2.5, 800), rng.normal(0, 1, 800)
        wrong = [
            rng.random((n_seeds, 800)) < 1 / (1 + np.exp(-hard - side * bent / 2 - rng.normal(0, 0.1, (n_seeds, 1))))
            for side in (-1, 1)
        ]
        a, b = ([np.flatnonzero(row) for row in model] for model in wrong)
        covered += 0.0 in by_image(a, b, 800).lead
    assert 0.89 < covered / 200 < 0.985  # 93 to 96 in 100, three standard errors of the simulation


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
