"""Tests of the tables."""

import pytest

from hqnn.tables import equations, span, table


def test_a_table_is_markdown_with_aligned_columns_and_escaped_bars() -> None:
    shown = table(["model", "|z|"], [["a|b", 1], ["c", 2.5]]).data
    assert shown.splitlines() == ["| model | \\|z\\| |", "| :-- | --: |", "| a\\|b | 1 |", "| c | 2.5 |"]


def test_a_column_of_sentences_is_set_to_the_left() -> None:
    shown = table(["place", "n", "finding"], [["eq. 4", 3, "the two readings differ in an expectation value"]]).data
    assert shown.splitlines()[1] == "| :-- | --: | :-- |"


def test_an_empty_table_has_its_header() -> None:
    assert table(["a", "b"], []).data.splitlines() == ["| a | b |", "| :-- | --: |"]


def test_a_short_row_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells but the header has 2"):
        table(["a", "b"], [["only one"]])


def test_a_span_goes_from_the_lowest_to_the_highest() -> None:
    assert span([2.0, -1.25, 0.5], 1) == "-1.2 to 2.0"


def test_equations_break_before_each_term() -> None:
    shown = equations(["a", "b"], ["x - y + z", "-x"]).data
    assert shown.splitlines() == [
        r"$$\begin{aligned}",
        r"a ={}& x \\ &- y \\ &+ z \\",
        r"b ={}& -x",
        r"\end{aligned}$$",
    ]
