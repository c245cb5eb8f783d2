"""Which verdicts hang on a choice of the rule, on rows where the answer is known."""

from collections.abc import Sequence

from claiming import claim

from hqnn.claims import Result, Verdict, ledger, sensitivity
from hqnn.claims.quantity import Quantity
from hqnn.stats import mean_interval

CURVE = {"curve": "test_accuracy", "of": "lcqhnn-mnist/lcqhnn"}
LEAD = {"lead": "test_accuracy", "of": "lcqhnn-mnist/lcqhnn", "over": "lcqhnn-mnist/cnn-4"}
RUNS = [1.0, 1.5, 2.0, 2.5, 3.0]  # mean 2 ± 0.98, one more run 2 ± 2.40
BOOK = ledger.read()


def row(
    runs: Sequence[float], ours: object, rule: object, printed: object = None, *, variance: float = 0.0, **more: object
) -> Result:
    quantity = Quantity(value=mean_interval(runs), samples=dict(enumerate(runs)), variance=variance)
    it = claim(ours, rule, printed, **more)
    assert it.rule
    return Result(claim=it, judgement=it.rule.judge(quantity, BOOK.printed(it)), note="", quantity=quantity)


def test_a_value_between_the_two_intervals_hangs_on_whose_it_is() -> None:
    about_a_mean = {"name": "value", "of": "mean", "rounding": 0}
    between = row(RUNS, CURVE, about_a_mean, "4")
    assert between.judgement.verdict == Verdict.NOT_REPRODUCED
    assert sensitivity.as_single_runs([between], BOOK) == {"L6-x": Verdict.REPRODUCED}
    too_wide = row(RUNS, CURVE, about_a_mean, "4", against=6.0)
    assert sensitivity.as_single_runs([too_wide], BOOK) == {"L6-x": Verdict.UNDECIDED}
    others = [
        row(RUNS, CURVE, about_a_mean, "2"),
        row(RUNS, CURVE, about_a_mean, "9"),
        row(RUNS, CURVE, {"name": "value", "rounding": 0}, "4"),
        row(RUNS, CURVE, about_a_mean, "4", variance=0.1),
        row(RUNS, LEAD, "sign"),
    ]
    assert sensitivity.as_single_runs(others, BOOK) == {}


def test_a_lead_that_is_excluded_in_the_mean_may_be_that_of_one_pair() -> None:
    around_zero = [value - 2.0 for value in RUNS]
    assert sensitivity.smaller_leads([row(around_zero, LEAD, "sign", lead=2.0)], BOOK) == {"L6-x": True}
    assert sensitivity.smaller_leads([row(around_zero, LEAD, "sign", lead=3.0)], BOOK) == {"L6-x": False}
    below, above = (row([value + shift for value in RUNS], LEAD, "sign", lead=2.0) for shift in (-4.0, 0.0))
    open_ = row(around_zero, LEAD, "sign", lead=0.5)
    assert [one.judgement.verdict for one in (below, above, open_)] == [
        Verdict.NOT_REPRODUCED,
        Verdict.REPRODUCED,
        Verdict.UNDECIDED,
    ]
    assert sensitivity.smaller_leads([below, above, open_], BOOK) == {}


def test_an_equality_may_hold_with_a_difference_inside_its_margin() -> None:
    rows = [row(RUNS, LEAD, {"name": "equality", "tolerance": margin}, "0") for margin in (4.0, 1.1)]
    assert [one.judgement.verdict for one in rows] == [Verdict.REPRODUCED, Verdict.UNDECIDED]
    assert sensitivity.small_differences(rows) == ["L6-x"]
    level = row([value - 2.0 for value in RUNS], LEAD, {"name": "equality", "tolerance": 4.0}, "0")
    assert sensitivity.small_differences([level]) == []
