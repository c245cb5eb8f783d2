"""From a config and a seed to a result: one task per type of config.

A task builds the data and the model, trains (in as many stages as its paper has) and returns an `Outcome`. A paper
registers tasks for its own types of config in its module `tasks`; nothing else learns of it.
"""

from hqnn.tasks.base import Outcome, Session, count_parameters, measure, origin, perform

__all__ = ["Outcome", "Session", "count_parameters", "measure", "origin", "perform"]
