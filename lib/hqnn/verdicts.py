"""Used by pages until they are moved: the verdicts are in `hqnn.claims`."""

from hqnn.claims.quantity import draw_variance
from hqnn.claims.rules import Verdict

__all__ = ["Verdict", "draw_variance"]
