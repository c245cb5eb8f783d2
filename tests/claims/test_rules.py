"""The rules, on distributions where the right answer is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hqnn.claims.ledger import as_printed
from hqnn.claims.quantity import Missing, Printed, Quantity, draw_variance, draw_variance_of_gap
from hqnn.claims.rules import (
    AgainstItself,
    Bound,
    Equality,
    Exact,
    NotCheckable,
    Rule,
    Sign,
    Value,
)
from hqnn.claims.verdict import Judgement, Verdict
from hqnn.errors import HqnnError
from hqnn.stats import Interval, mean_interval, power

EXACTLY = Value(rounding=0.0)
runs_of_ours = st.lists(st.floats(-100, 100), min_size=3, max_size=20).filter(lambda x: np.std(x) > 1e-3)


def judge(
    rule: Rule,
    ours: object,
    paper: float | str | None = None,
    *,
    variance: float = 0.0,
    resolution: float | None = None,
    lead: float | None = None,
) -> Judgement:
    """Judge runs, an interval or an exact value."""
    value = mean_interval(ours) if isinstance(ours, list | np.ndarray) else ours
    samples = dict(enumerate(ours)) if isinstance(ours, list | np.ndarray) else {}
    quantity = Quantity(value=value, samples=samples, variance=variance)  # type: ignore[arg-type]
    return rule.judge(quantity, Printed(value=paper, resolution=resolution, lead=lead))


# --- a value


@pytest.mark.parametrize("n", [3, 10, 30])
def test_one_more_run_of_the_same_kind_is_reproduced_95_times_in_100(n: int) -> None:
    rng = np.random.default_rng(1)
    verdicts = [judge(EXACTLY, rng.normal(90, 2, n), float(rng.normal(90, 2))).verdict for _ in range(3000)]
    assert verdicts.count(Verdict.REPRODUCED) / 3000 == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize("n", [3, 10])
def test_a_true_mean_is_reproduced_95_times_in_100(n: int) -> None:
    rng, rule = np.random.default_rng(2), Value(rounding=0.0, of="mean")
    verdicts = [judge(rule, rng.normal(90, 2, n), 90.0).verdict for _ in range(3000)]
    assert verdicts.count(Verdict.REPRODUCED) / 3000 == pytest.approx(0.95, abs=0.012)


def test_another_draw_of_test_images_is_reproduced_95_times_in_100() -> None:
    rng = np.random.default_rng(3)
    drawn, of, right, hits = 1024, 2000, 1940, 0
    for _ in range(2000):
        ours, theirs = rng.hypergeometric(right, of - right, drawn, 2) / drawn
        seeds = ours + rng.normal(0, 0.002, 10)
        variance = draw_variance(float(seeds.mean()), drawn, of)
        paper = float(theirs + rng.normal(0, 0.002))
        hits += judge(EXACTLY, seeds, paper, variance=variance).verdict == Verdict.REPRODUCED
    # Student's factor is a little too wide for the part of the variance that is known
    assert 0.94 <= hits / 2000 <= 0.995


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


def test_a_draw_of_all_images_adds_nothing_and_an_impossible_one_is_refused() -> None:
    assert draw_variance(0.9, 2000, 2000) == draw_variance_of_gap(0.9, 0.8, 2000, 2000) == 0
    for drawn, of in ((0, 10), (11, 10), (1, 1)):
        with pytest.raises(ValueError, match="cannot draw"):
            draw_variance(0.5, drawn, of)


@given(runs_of_ours, st.floats(-100, 100), st.floats(0.1, 10), st.floats(-50, 50))
def test_a_verdict_on_a_value_does_not_depend_on_its_unit(
    values: list[float], paper: float, factor: float, shift: float
) -> None:
    first = judge(Value(rounding=0.0, tolerance=1.0), values, paper)
    assert first.margin is not None and first.difference is not None
    assume(abs(abs(first.difference) - first.margin) > 1e-6)
    other = judge(Value(rounding=0.0, tolerance=factor), factor * np.array(values) + shift, factor * paper + shift)
    assert other.verdict == first.verdict


@given(runs_of_ours, st.floats(-100, 100), st.floats(0, 20), st.floats(0, 20))
def test_more_tolerance_never_fails_a_claim(values: list[float], paper: float, low: float, more: float) -> None:
    strict = judge(Value(tolerance=low), values, paper).verdict
    assert strict == Verdict.NOT_REPRODUCED or judge(Value(tolerance=low + more), values, paper).verdict == strict


def test_the_numbers_behind_a_judgement() -> None:
    judgement = judge(Value(), [1.0, 2.0, 3.0], 2.5)
    assert (judgement.ours, judgement.n_seeds, judgement.difference) == (2.0, 3, -0.5)
    assert judgement.ci95 == pytest.approx(4.302653 / math.sqrt(3))
    assert judgement.margin == pytest.approx(4.302653 * math.sqrt(1 + 1 / 3) + 0.5)  # half a unit: no digit printed


@pytest.mark.parametrize(
    ("text", "rule", "verdict"),
    [
        ("99.80", Value(tolerance=0.2), Verdict.REPRODUCED),
        ("99.795", Value(tolerance=0.2, rounding=0.0), Verdict.NOT_REPRODUCED),
        ("99.79", Value(tolerance=0.205), Verdict.REPRODUCED),  # half a unit of the last digit is added
        ("99.79", Value(tolerance=0.204), Verdict.NOT_REPRODUCED),
        ("99.8", Value(rounding=0.0), Verdict.NOT_REPRODUCED),
        ("100", Value(rounding=0.0), Verdict.REPRODUCED),
        ("99.6", Value(), Verdict.NOT_REPRODUCED),
    ],
)
def test_a_collapsed_spread_is_judged_by_tolerance_and_rounding(text: str, rule: Value, verdict: Verdict) -> None:
    quantity = Quantity(value=mean_interval([100.0] * 10))
    assert rule.judge(quantity, as_printed(text)).verdict == verdict


def test_the_wider_of_scatter_and_tolerance_counts_not_their_sum() -> None:
    assert judge(Value(rounding=0.0, tolerance=5.0), [1.0, 2.0, 3.0], 0.0).margin == 5.0
    assert judge(Bound(side="at most", rounding=0.0, tolerance=5.0), [1.0, 2.0, 3.0], 0.0).margin == 5.0
    assert judge(Value(rounding=0.0, tolerance=4.0), [1.0, 2.0, 3.0], 0.0).margin == pytest.approx(4.968, abs=1e-3)


def test_agreement_within_an_interval_wider_than_what_the_paper_concludes_from_confirms_nothing() -> None:
    ours: list[float] = [50, 100] * 5  # one more run lies within 62.5, their mean within 18.9
    run, mean = Value(), Value(of="mean")
    assert [judge(run, ours, 76.56, resolution=r).verdict for r in (62.4, 62.6)] == [
        Verdict.UNDECIDED,
        Verdict.REPRODUCED,
    ]
    assert [judge(mean, ours, 76.56, resolution=r).verdict for r in (18.8, 18.9)] == [
        Verdict.UNDECIDED,
        Verdict.REPRODUCED,
    ]
    assert judge(run, ours, 76.56, resolution=10).note == (
        "one run lies within ±62.5 of ours, too wide to confirm 76.56: the paper concludes from differences of 10"
    )
    assert judge(run, ours, 500, resolution=10).verdict == Verdict.NOT_REPRODUCED
    assert judge(mean, ours, 100, resolution=100).verdict == Verdict.NOT_REPRODUCED


def test_no_tolerance_is_larger_than_what_the_paper_concludes_from() -> None:
    rule, ours = Value(rounding=0.0, tolerance=0.2), [99.0] * 10
    assert judge(rule, ours, 99.15, resolution=0.5).verdict == Verdict.REPRODUCED
    assert judge(rule, ours, 99.15, resolution=0.1).verdict == Verdict.NOT_REPRODUCED


def test_a_gain_in_percent_is_judged_as_a_ratio() -> None:
    rule = Value(scale="ratio", rounding=0.0)
    slower = [0.0, -100, -100, -100, -300] * 2  # once, twice, four times as many epochs
    assert judge(rule, slower, 70.59).verdict == Verdict.NOT_REPRODUCED
    undecided = judge(rule, slower, -100, resolution=100)
    assert (undecided.verdict, undecided.ours, undecided.margin) == (Verdict.UNDECIDED, -120, None)
    assert undecided.note == "E_A / E_B of one run scatters by a factor of 3.0, too widely to tell"
    # one run scatters by a factor of 3.0 from the 200 % that remain: to 600 %
    assert [judge(rule, slower, -100, resolution=r).verdict for r in (380, 410)] == [
        Verdict.UNDECIDED,
        Verdict.REPRODUCED,
    ]
    quick = [75.0 + k for k in range(-3, 4)]
    assert judge(rule, quick, 76).verdict == Verdict.REPRODUCED
    assert judge(rule, quick, 82).verdict == Verdict.NOT_REPRODUCED
    tolerant = rule.model_copy(update={"tolerance": 8.0})
    # log(1 + 8 / 18) reaches from the 18 % that remain of 100 - 82 to 26
    assert [judge(tolerant, [gain] * 3, 82).verdict for gain in (74.1, 73.9)] == [
        Verdict.REPRODUCED,
        Verdict.NOT_REPRODUCED,
    ]
    with pytest.raises(HqnnError, match="cannot be 100 % or more"):
        judge(rule, quick, 100)


# --- a bound, a sign, an equality


@given(runs_of_ours, st.floats(-100, 100))
def test_a_reproduced_value_keeps_both_bounds_and_another_breaks_exactly_one(values: list[float], paper: float) -> None:
    reproduced = judge(EXACTLY, values, paper).verdict == Verdict.REPRODUCED
    rules = [Bound(side=side, rounding=0.0) for side in ("at most", "at least")]
    kept = [judge(rule, values, paper).verdict == Verdict.REPRODUCED for rule in rules]
    assert sum(kept) == (2 if reproduced else 1)


def test_a_bound_has_a_side_a_tolerance_and_another_verdict_where_its_object_is_open() -> None:
    ours = [5.0, 5.0, 5.0]
    assert judge(Bound(side="at most"), ours, 4.5).verdict == Verdict.REPRODUCED  # printed without digits
    assert judge(Bound(side="at most", rounding=0.0), ours, 4.5).verdict == Verdict.NOT_REPRODUCED
    assert judge(Bound(side="at most", rounding=0.0, tolerance=0.5), ours, 4.5).verdict == Verdict.REPRODUCED
    assert judge(Bound(side="at least", rounding=0.0), ours, 4.5).verdict == Verdict.REPRODUCED
    assert judge(Bound(side="at least", otherwise="not checkable"), ours, 9).verdict == Verdict.NOT_CHECKABLE
    in_words = judge(Bound(side="at least", bound=5.1), ours)
    assert (in_words.verdict, in_words.difference, in_words.margin) == (Verdict.NOT_REPRODUCED, None, 0.0)
    assert judge(Bound(side="at most", rounding=0.0), ours, 4.5).difference == 0.5
    # a run may fall short of the bound by as much as runs scatter
    assert judge(Bound(side="at least", rounding=0.0), [8.0, 9.0, 10.0], 13).verdict == Verdict.REPRODUCED
    assert judge(Bound(side="at least", rounding=0.0), [8.0, 9.0, 10.0], 15).verdict == Verdict.NOT_REPRODUCED


def test_a_bound_on_a_mean_is_kept_missed_or_undecided() -> None:
    ours, rule = [8.0, 9.0, 10.0], Bound(side="at least", rounding=0.0, of="mean")  # 9 ± 2.484
    verdicts = {bound: judge(rule, ours, bound).verdict for bound in (6.4, 6.6, 11.4, 11.6)}
    assert list(verdicts.values()) == [
        Verdict.REPRODUCED,
        Verdict.UNDECIDED,
        Verdict.UNDECIDED,
        Verdict.NOT_REPRODUCED,
    ]
    assert "within ±2.48, which reaches both sides" in judge(rule, ours, 6.6).note
    tolerant = rule.model_copy(update={"tolerance": 0.5})
    assert [judge(tolerant, ours, bound).verdict for bound in (6.6, 11.6)] == [Verdict.REPRODUCED, Verdict.UNDECIDED]


@given(runs_of_ours)
def test_the_opposite_claim_gets_the_opposite_sign(values: list[float]) -> None:
    claimed, opposite = judge(Sign(), values), judge(Sign(), -np.array(values))
    if claimed.verdict == Verdict.REPRODUCED:
        assert opposite.verdict == Verdict.NOT_REPRODUCED
        assert opposite.note.startswith("our difference has the opposite sign")
    elif "contains zero" in claimed.note:
        assert opposite.verdict == Verdict.UNDECIDED


def test_a_sign_needs_an_interval_clear_of_zero_and_a_test_that_agrees() -> None:
    assert judge(Sign(), [1.0, 1.1, 0.9]).verdict == Verdict.REPRODUCED
    assert judge(Sign(), [1.0, 5.0, 0.1]).verdict == Verdict.UNDECIDED
    tie = Sign().judge(Quantity(value=mean_interval([0.0] * 10), test="another: p = 1", note="and so on"), Printed())
    assert (tie.verdict, tie.note) == (Verdict.UNDECIDED, "our interval contains zero; another: p = 1; and so on")
    assert Value().judge(Quantity(value=Interval(0, 1, 9), test="another"), Printed(value=0)).note == ""
    # images of 1,024: 72 of the 1,024 patterns of signs have a sum of 16 or more, or of -16 or less
    close = [3.0, -2.0, 3.0, -2.0, 4.0, 1.0, 0.0, 3.0, 3.0, 3.0]
    assert mean_interval(close).low > 0
    found = judge(Sign(), close, lead=5.0)
    assert found.verdict == Verdict.UNDECIDED
    assert found.note.startswith("the test does not agree with the interval, and 10 pairs would show a mean lead of")
    assert found.note.endswith("exact sign-flip permutation: p = 0.07")
    assert judge(Sign(), mean_interval(close)).verdict == Verdict.REPRODUCED  # no pairs are stored, only the interval


def test_few_pairs_print_the_floor_of_their_test() -> None:
    for n, least in ((3, "0.25"), (5, "0.062")):
        found = judge(Sign(), [1.0 + 0.01 * k for k in range(n)])
        assert found.verdict == Verdict.REPRODUCED
        assert found.note == f"exact sign-flip permutation: p = {least}, and {n} pairs cannot give less than {least}"
    assert judge(Sign(), [1.0 + 0.01 * k for k in range(6)]).note == "exact sign-flip permutation: p = 0.031"


def test_a_printed_lead_is_excluded_or_within_reach() -> None:
    ours = [-1.0, 0.0, 1.0, 2.0, -2.0, 0.5]  # 0.083 ± 1.48
    assert judge(Sign(), ours, lead=1.6).verdict == Verdict.NOT_REPRODUCED
    assert judge(Sign(), ours, lead=1.6).note.startswith("no difference seen, and a mean lead of the printed 1.6 is ex")
    assert judge(Sign(), ours, lead=1.5).verdict == Verdict.UNDECIDED
    assert judge(Sign(), -np.array([1.0, 1.1, 0.9]), lead=0.1).note.startswith("our difference has the opposite sign")
    assert judge(Sign(), [1.0, 1.1, 0.9], lead=5.0).verdict == Verdict.REPRODUCED  # its size is another row's


@pytest.mark.parametrize("n", [5, 10])
def test_signs_err_as_seldom_as_they_say(n: int) -> None:
    """No lead is shown in 2.5 of 100, nor a true one excluded; the power printed is the share of runs that show it."""
    rng = np.random.default_rng(5)
    null = [judge(Sign(), rng.normal(0, 1, n), lead=1.0).verdict for _ in range(500)]
    assert null.count(Verdict.REPRODUCED) / 500 < 0.046
    true = [judge(Sign(), rng.normal(1.0, 1, n), lead=1.0) for _ in range(500)]
    assert sum(one.verdict == Verdict.NOT_REPRODUCED for one in true) / 500 < 0.046
    shown = sum(one.verdict == Verdict.REPRODUCED for one in true) / 500
    assert shown == pytest.approx(power(1.0, 1.0, n), abs=0.065)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        (Interval(0.05, 0.1, 10), Verdict.REPRODUCED),
        (Interval(-0.1, 0.1, 10), Verdict.REPRODUCED),
        (Interval(-0.1, 0.123, 10), Verdict.REPRODUCED),  # t(0.95, 9) / t(0.975, 9) = 0.8103: 90 % within 0.0997
        (Interval(-0.1, 0.124, 10), Verdict.UNDECIDED),
        (Interval(-0.15, 0.1, 10), Verdict.UNDECIDED),
        (Interval(-0.5, 0.1, 10), Verdict.NOT_REPRODUCED),
        (Interval(0.0, 3.0, 10), Verdict.UNDECIDED),
        (Interval(0.2, 0.0, 10), Verdict.UNDECIDED),
    ],
)
def test_equality_needs_the_90_percent_interval_inside_the_margin(interval: Interval, verdict: Verdict) -> None:
    assert judge(Equality(tolerance=0.2), interval).verdict == verdict


@pytest.mark.parametrize("rule", [Sign(), Equality(tolerance=0.2)], ids=lambda rule: rule.name)
def test_what_other_images_say_of_a_lead_stands_in_the_note_and_decides_nothing(rule: Rule) -> None:
    values = [0.05, 0.01, 0.03, 0.02, 0.06, 0.04]
    lead = Quantity(value=mean_interval(values), samples=dict(enumerate(values)))
    told = rule.judge(replace(lead, test="on other images too it is 9 ± 9"), Printed(value=0.0))
    plain = rule.judge(lead, Printed(value=0.0))
    assert told.note == f"{plain.note}; on other images too it is 9 ± 9"
    assert replace(told, note="") == replace(plain, note="")


def test_a_difference_as_large_as_the_margin_is_called_none_5_times_in_100() -> None:
    rng = np.random.default_rng(6)
    verdicts = [judge(Equality(tolerance=1.0), rng.normal(1.0, 0.5, 8)).verdict for _ in range(3000)]
    assert verdicts.count(Verdict.REPRODUCED) / 3000 == pytest.approx(0.05, abs=0.012)
    assert verdicts.count(Verdict.NOT_REPRODUCED) / 3000 == pytest.approx(0.025, abs=0.01)


RULES: list[Rule] = [Value(), Bound(side="at least"), Sign(), Equality(tolerance=1.0)]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_rule_gives_a_verdict_on_fewer_than_three_seeds(rule: Rule, n: int) -> None:
    for ours in (mean_interval([1.0, 1.1, 0.9][:n]), Interval(1.0, 0.0, n)):
        if n < 3:
            with pytest.raises(Missing, match=f"at least 3 seeds, not {n}"):
                judge(rule, ours, 1.0)
        else:
            assert judge(rule, ours, 1.0).n_seeds == n


# --- exact quantities, properties, the paper against itself


@pytest.mark.parametrize(
    ("ours", "paper", "rule", "verdict", "difference"),
    [
        (4, 4, Exact(), Verdict.REPRODUCED, 0.0),
        (5, 4, Exact(), Verdict.NOT_REPRODUCED, 1.0),
        ("H CX", "H CX", Exact(), Verdict.REPRODUCED, None),
        ("H CX", "CX H", Exact(), Verdict.NOT_REPRODUCED, None),
        ("no number", 4, Exact(), Verdict.NOT_REPRODUCED, None),
        (8.24, 8, Exact(), Verdict.NOT_REPRODUCED, 8.24 - 8),
        (8.24, 8, Exact(rounded=True), Verdict.REPRODUCED, 0.0),
        (8.54, 8, Exact(rounded=True), Verdict.NOT_REPRODUCED, 1.0),
        (Interval(7.0, 0.0, 1), 7, Exact(), Verdict.REPRODUCED, 0.0),
        (True, None, Exact(), Verdict.REPRODUCED, None),
        (np.bool_(False), None, Exact(), Verdict.NOT_REPRODUCED, None),
        (True, None, AgainstItself(), Verdict.REPRODUCED, None),
        (False, None, AgainstItself(), Verdict.CONTRADICTED, None),
        (None, None, AgainstItself(), Verdict.NOT_CHECKABLE, None),
        (None, 4, Exact(), Verdict.NOT_CHECKABLE, None),
        (True, None, NotCheckable(), Verdict.NOT_CHECKABLE, None),
    ],
)
def test_what_is_exact_holds_or_not(
    ours: object, paper: float | str | None, rule: Rule, verdict: Verdict, difference: float | None
) -> None:
    judgement = judge(rule, ours, paper)
    assert judgement.verdict == verdict
    assert judgement.difference == pytest.approx(difference)


def test_digits_printed_are_digits_compared() -> None:
    rule, quantity = Exact(rounded=True), Quantity(value=0.9961)
    assert [rule.judge(quantity, as_printed(text)).verdict for text in ("1.00", "1.000", "0.996")] == [
        Verdict.REPRODUCED,
        Verdict.NOT_REPRODUCED,
        Verdict.REPRODUCED,
    ]


def test_a_property_is_told_in_words_and_by_its_seeds() -> None:
    quantity = Quantity(value=False, text="none has", n_seeds=7, series=("a/b", "c/d"), note="but")
    judgement = Exact().judge(quantity, Printed())
    assert (judgement.ours, judgement.n_seeds, judgement.note) == ("none has", 7, "but")
    assert judgement.evidence == "data/runs/a/b, data/runs/c/d"
    assert Exact().judge(Quantity(value=1, series=("a/b",), evidence="elsewhere"), Printed()).evidence == "elsewhere"


@pytest.mark.parametrize(
    ("rule", "ours", "message"),
    [
        (Value(), 4, "'value' needs a mean over runs, and the quantity is 4"),
        (Sign(), True, "'sign' needs a mean over runs"),
        (Exact(), Interval(1.0, 0.1, 5), "'exact' needs a count, and the quantity is a mean of 5 runs"),
        (AgainstItself(), 4, "'against itself' needs a property"),
        (Value(), Interval(1.0, 0.1, 5), "needs a number, not ''"),
    ],
)
def test_a_rule_refuses_a_quantity_it_does_not_fit(rule: Rule, ours: object, message: str) -> None:
    with pytest.raises(HqnnError, match=message):
        judge(rule, ours)
