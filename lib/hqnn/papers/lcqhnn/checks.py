"""Used by pages until they are moved: what only this paper claims is in `hqnn.papers.lcqhnn.quantities`."""

from hqnn.papers.lcqhnn.quantities import denominators, front_ends

__all__ = ["denominators", "front_ends"]
