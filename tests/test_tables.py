"""Tables, spans and equations as notebooks show them."""

import pytest

from hqnn.tables import equations, span, table


def test_a_table_is_markdown_with_aligned_columns_and_escaped_bars() -> None:
    sentence = "the two readings differ in an expectation value"  # a column of sentences is set to the left
    rows = [["a|b", 1, sentence], ["c", 2.5, ""]]
    shown = table(["model", "|z|", "finding"], rows, caption="What $z$ is.").data.splitlines()
    assert shown == [
        "What $z$ is.",
        "",
        "| model | \\|z\\| | finding |",
        "| :-- | --: | :-- |",
        f"| a\\|b | 1 | {sentence} |",
        "| c | 2.5 |  |",
    ]
    assert table(["a", "b"], [], caption="None.").data.splitlines()[2:] == ["| a | b |", "| :-- | --: |"]
    with pytest.raises(ValueError, match="1 cells but the header has 2"):
        table(["a", "b"], [["only one"]], caption="One.")
    with pytest.raises(ValueError, match="its caption; got an empty one"):
        table(["a"], [[1]], caption=" ")


def test_a_span_goes_from_the_lowest_to_the_highest() -> None:
    assert span([2.0, -1.25, 0.5], 1) == "-1.2 to 2.0"


def test_equations_break_before_each_term() -> None:
    shown = equations(["a", "b"], ["x - y + z", "-x"]).data.splitlines()
    assert shown[1:-1] == [r"a ={}& x \\ &- y \\ &+ z \\", r"b ={}& -x"]
    for n, lines in ((5, [5]), (6, [3, 3]), (8, [4, 4]), (11, [4, 4, 3])):
        (product,) = equations(["a"], [r"\,".join("x" * n)]).data.splitlines()[1:-1]
        assert [part.count("x") for part in product.split(r" \\ &\quad\cdot ")] == lines
    assert (shown[0], shown[-1]) == (r"$$\begin{aligned}", r"\end{aligned}$$")
