"""The name under which pages and checks know `tuning`."""

# used by pages until they are moved
from hqnn.papers.hqnn.tuning import best_rate, by_draw, by_rate, final, series_by_rate
from hqnn.papers.hqnn.tuning import by_circuit as kernels

__all__ = ["best_rate", "by_draw", "by_rate", "final", "kernels", "series_by_rate"]
