"""Used by pages and by the appendix's quantities until they are moved: all of it is in `gradients`."""

from hqnn.views.gradients import jacobian, quantum_fisher, rank, tangents

__all__ = ["jacobian", "quantum_fisher", "rank", "tangents"]
