"""From a config and a seed to a result: one task per type of config.

A task builds the data and the model, trains (in as many stages as its paper has) and returns an `Outcome`. Another
paper registers its own tasks for its own config type in a module here; nothing else learns of it.
"""

from hqnn.tasks import hqnn, lcqhnn, quanv, transfer
from hqnn.tasks.base import Outcome, Session, count_parameters, measure, origin, perform, weights_of

__all__ = [
    "Outcome",
    "Session",
    "count_parameters",
    "hqnn",
    "lcqhnn",
    "measure",
    "origin",
    "perform",
    "quanv",
    "transfer",
    "weights_of",
]
