"""Used by pages and by the checks of the appendix until they are moved: all of it is in `gradients`."""

from hqnn.views.gradients import jacobian as jacobian
from hqnn.views.gradients import quantum_fisher as quantum_fisher
from hqnn.views.gradients import rank as rank
from hqnn.views.gradients import tangents as tangents
