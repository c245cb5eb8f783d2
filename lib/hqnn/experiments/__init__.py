"""The registry of experiments: those of every paper, found by looking.

An experiment is a set of variants trained on the same data over the same seeds. `variants` holds the paper's own
sizes, `quick` the same runs on the bundled handwritten digits. What a config means is up to its paper's task
(`hqnn.tasks`); nothing here computes. A paper's experiments are in its module `experiments`.
"""

import difflib
from collections.abc import Mapping, Sequence

from hqnn import papers
from hqnn.errors import HqnnError
from hqnn.experiments.base import Config, Experiment, Scale, as_json, config_hash, differences, hash_of

__all__ = [
    "EXPERIMENTS",
    "Config",
    "Experiment",
    "Scale",
    "as_json",
    "config_hash",
    "differences",
    "get",
    "hash_of",
    "select",
]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment for module in papers.modules("experiments") for experiment in module.EXPERIMENTS
}


def get(name: str) -> Experiment:
    """Look an experiment up by name.

    Raises:
        HqnnError: There is none; the message lists the closest names.
    """
    try:
        return EXPERIMENTS[name]
    except KeyError:
        raise HqnnError(f"There is no experiment {name!r}{_suggest(name, EXPERIMENTS)}") from None


def select(experiment: Experiment, variants: Sequence[str] | None = None, scale: Scale = "paper") -> dict[str, Config]:
    """Some variants of an experiment by name, or all, in the registry's order.

    Raises:
        HqnnError: The experiment has no such variant.
    """
    configs = experiment.configs(scale)
    for variant in variants or ():
        if variant not in configs:
            raise HqnnError(f"{experiment.name} has no variant {variant!r}{_suggest(variant, configs)}")
    return {variant: config for variant, config in configs.items() if variants is None or variant in variants}


def _suggest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return f": did you mean {' or '.join(close)}?" if close else f": choose from {', '.join(known)}."
