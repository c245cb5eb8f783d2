"""The decision rule, on distributions where the right answer is known."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hqnn.stats import Interval, mean_interval
from hqnn.verdicts import (
    Judgement,
    Missing,
    Verdict,
    draw_variance,
    draw_variance_of_gap,
    judge_bound,
    judge_equality,
    judge_exact,
    judge_sign,
    judge_value,
)

runs_of_ours = st.lists(st.floats(-100, 100), min_size=3, max_size=20).filter(lambda x: np.std(x) > 1e-3)


@pytest.mark.parametrize("n", [3, 10, 30])
def test_one_more_run_of_the_same_kind_is_reproduced_95_times_in_100(n: int) -> None:
    rng = np.random.default_rng(1)
    verdicts = [judge_value(mean_interval(rng.normal(90, 2, n)), float(rng.normal(90, 2))).verdict for _ in range(3000)]
    assert verdicts.count(Verdict.REPRODUCED) / 3000 == pytest.approx(0.95, abs=0.012)


def test_a_mean_over_the_papers_own_runs_is_judged_by_its_stated_spread() -> None:
    rng = np.random.default_rng(2)
    verdicts = [
        judge_value(
            mean_interval(rng.normal(90, 2, 30)), float(rng.normal(90, 3, 10).mean()), spread=3.0, runs=10
        ).verdict
        for _ in range(3000)
    ]
    assert verdicts.count(Verdict.REPRODUCED) / 3000 == pytest.approx(0.95, abs=0.012)


def test_another_draw_of_test_images_is_reproduced_95_times_in_100() -> None:
    rng = np.random.default_rng(3)
    drawn, of, right = 1024, 2000, 1940
    hits = 0
    for _ in range(2000):
        ours, theirs = rng.hypergeometric(right, of - right, drawn, 2) / drawn
        seeds = ours + rng.normal(0, 0.002, 10)
        variance = draw_variance(float(seeds.mean()), drawn, of)
        paper = float(theirs + rng.normal(0, 0.002))
        hits += judge_value(mean_interval(seeds), paper, extra_variance=variance).verdict == Verdict.REPRODUCED
    assert (
        0.94 <= hits / 2000 <= 0.995
    )  # Student's factor is a little too wide for the part of the variance that is known


def test_the_draw_of_all_images_adds_nothing() -> None:
    assert draw_variance(0.9, 2000, 2000) == 0
    assert draw_variance_of_gap(0.9, 0.8, 2000, 2000) == 0


def test_the_variance_of_a_gap_bounds_that_of_any_two_models_on_the_same_images() -> None:
    rng = np.random.default_rng(4)
    of, drawn = 2000, 1024
    for shared in (0, 40, 80):  # images both get wrong
        a, b = np.ones(of), np.ones(of)
        a[:100] = 0
        b[100 - shared : 220 - shared] = 0
        gaps = [(a[i] - b[i]).mean() for i in (rng.permutation(of)[:drawn] for _ in range(3000))]
        bound = draw_variance_of_gap(0.95, 0.94, drawn, of)
        measured = 2 * float(np.var(gaps))
        assert measured < bound * 1.1
        if shared == 0:
            assert measured == pytest.approx(bound, rel=0.1)


@pytest.mark.parametrize(("drawn", "of"), [(0, 10), (11, 10), (1, 1)])
def test_impossible_draws_are_refused(drawn: int, of: int) -> None:
    with pytest.raises(ValueError, match="cannot draw"):
        draw_variance(0.5, drawn, of)


@given(runs_of_ours, st.floats(-100, 100), st.floats(0.1, 10), st.floats(-50, 50))
def test_a_verdict_on_a_value_does_not_depend_on_its_unit(
    values: list[float], paper: float, factor: float, shift: float
) -> None:
    first = judge_value(mean_interval(values), paper, tolerance=1.0)
    assert first.margin is not None and first.difference is not None
    assume(abs(abs(first.difference) - first.margin) > 1e-6)
    scaled = mean_interval(factor * np.array(values) + shift)
    assert judge_value(scaled, factor * paper + shift, tolerance=factor).verdict == first.verdict


@given(runs_of_ours, st.floats(-100, 100), st.floats(0, 20), st.floats(0, 20))
def test_more_tolerance_never_fails_a_claim(values: list[float], paper: float, low: float, more: float) -> None:
    strict = judge_value(mean_interval(values), paper, tolerance=low).verdict
    loose = judge_value(mean_interval(values), paper, tolerance=low + more).verdict
    assert strict == Verdict.NOT_REPRODUCED or loose == Verdict.REPRODUCED


@given(runs_of_ours, st.floats(-100, 100))
def test_a_reproduced_value_keeps_both_bounds_and_another_breaks_exactly_one(values: list[float], paper: float) -> None:
    ours = mean_interval(values)
    reproduced = judge_value(ours, paper).verdict == Verdict.REPRODUCED
    kept = [judge_bound(ours, paper, side=side).verdict == Verdict.REPRODUCED for side in ("at most", "at least")]
    assert sum(kept) == (2 if reproduced else 1)


def test_a_collapsed_spread_is_judged_by_tolerance_and_rounding() -> None:
    ours = mean_interval([100.0] * 10)
    assert judge_value(ours, 99.8, tolerance=0.2, rounding=0.005).verdict == Verdict.REPRODUCED
    assert judge_value(ours, 99.7, tolerance=0.2, rounding=0.005).verdict == Verdict.NOT_REPRODUCED
    assert judge_value(ours, 99.8).verdict == Verdict.NOT_REPRODUCED


def test_agreement_within_a_very_wide_interval_confirms_nothing() -> None:
    ours = mean_interval([50, 100] * 5)
    assert judge_value(ours, 76.56, resolution=10).verdict == Verdict.NOT_CHECKABLE
    assert "too wide" in judge_value(ours, 76.56, resolution=10).note
    assert judge_value(ours, 76.56).verdict == Verdict.REPRODUCED
    assert judge_value(ours, 500, resolution=10).verdict == Verdict.NOT_REPRODUCED


def test_the_numbers_behind_a_judgement() -> None:
    judgement = judge_value(mean_interval([1.0, 2.0, 3.0]), 2.5, rounding=0.05)
    assert (judgement.ours, judgement.n_seeds, judgement.difference) == (2.0, 3, -0.5)
    assert judgement.ci95 == pytest.approx(4.302653 / math.sqrt(3))
    assert judgement.margin == pytest.approx(4.302653 * math.sqrt(1 + 1 / 3) + 0.05)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize(
    "rule",
    [
        partial(judge_value, paper=1.0),
        partial(judge_bound, paper=1.0, side="at least"),
        judge_sign,
        partial(judge_equality, tolerance=1.0),
    ],
    ids=["value", "bound", "sign", "equality"],
)
def test_no_rule_gives_a_verdict_on_fewer_than_three_seeds(rule: Callable[[Interval], Judgement], n: int) -> None:
    for ours in (mean_interval([1.0, 1.1, 0.9][:n]), Interval(1.0, 0.0, n)):
        if n < 3:
            with pytest.raises(Missing, match=f"at least 3 seeds, not {n}"):
                rule(ours)
        else:
            assert rule(ours).n_seeds == n


@given(runs_of_ours)
def test_the_opposite_claim_gets_the_opposite_sign(values: list[float]) -> None:
    claim = judge_sign(mean_interval(values))
    opposite = judge_sign(mean_interval(-np.array(values)))
    if claim.verdict == Verdict.REPRODUCED:
        assert (opposite.verdict, opposite.note) == (
            Verdict.NOT_REPRODUCED,
            "our difference has the opposite sign",
        )
    elif "contains zero" in claim.note:
        assert opposite.note == claim.note


def test_no_difference_is_not_a_lead() -> None:
    judgement = judge_sign(mean_interval([0.0] * 10))
    assert judgement.verdict == Verdict.NOT_REPRODUCED
    assert "contains zero" in judgement.note


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        (Interval(0.05, 0.1, 10), Verdict.REPRODUCED),
        (Interval(0.15, 0.1, 10), Verdict.NOT_CHECKABLE),
        (Interval(-0.15, 0.1, 10), Verdict.NOT_CHECKABLE),
        (Interval(-0.5, 0.1, 10), Verdict.NOT_REPRODUCED),
        (Interval(0.0, 3.0, 10), Verdict.NOT_CHECKABLE),
    ],
)
def test_equality_needs_the_whole_interval_inside_the_tolerance(interval: Interval, verdict: Verdict) -> None:
    assert judge_equality(interval, 0.2).verdict == verdict


def test_exact_quantities_are_equal_or_not() -> None:
    assert judge_exact(4, 4).verdict == Verdict.REPRODUCED
    wrong = judge_exact(5, 4)
    assert (wrong.verdict, wrong.difference) == (Verdict.NOT_REPRODUCED, 1.0)
    assert judge_exact("H CX", "CX H").verdict == Verdict.NOT_REPRODUCED
    assert judge_exact("H CX", "CX H").difference is None
