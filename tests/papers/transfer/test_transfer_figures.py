"""Figures of this paper alone: what they show is what they were given."""

import math
from typing import Any

import numpy as np
import pytest

from hqnn.papers.transfer import figures

pytestmark = pytest.mark.usefixtures("house_style")


def test_shots_end_with_the_exact_limit(ax: Any) -> None:
    few, many = np.array([10.0, 12.0]), np.array([20.0, 20.0])
    series = {"string": {100.0: few, math.inf: many}, "marginals": {math.inf: few, 100.0: many}}
    figures.accuracy_by_shots(ax, series)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["100", "exact"]
    drawn = [bars.lines[0].get_xydata().tolist() for bars in ax.containers]
    assert drawn == [[[0, 11], [1, 20]], [[1, 11], [0, 20]]]
