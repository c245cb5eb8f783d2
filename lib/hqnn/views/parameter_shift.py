"""Used by pages and by checks until they are moved: the rule is in `gradients`."""

from hqnn.views.gradients import evaluations as evaluations
from hqnn.views.gradients import shift_gradient as gradient

__all__ = ["evaluations", "gradient"]
