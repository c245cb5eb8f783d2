"""The papers' experiments: every setting of every run, as frozen dataclasses, and the registry of them.

An experiment is a set of variants trained on the same data over the same seeds. `variants` holds the paper's own
sizes, `quick` the same runs on the bundled handwritten digits. What a config means is up to its paper's task
(`hqnn.tasks`); nothing here computes. Each paper's configs and experiments are in the module of its name.
"""

import difflib
from collections.abc import Mapping, Sequence

from hqnn.errors import HqnnError
from hqnn.experiments import hqnn, lcqhnn, quanv, transfer
from hqnn.experiments.base import Config, Experiment, Scale, as_json, config_hash
from hqnn.experiments.hqnn import ParallelConfig
from hqnn.experiments.lcqhnn import LcqhnnConfig
from hqnn.experiments.quanv import QuanvConfig
from hqnn.experiments.transfer import AutoencoderConfig, TransferConfig

__all__ = [
    "EXPERIMENTS",
    "AutoencoderConfig",
    "Config",
    "Experiment",
    "LcqhnnConfig",
    "ParallelConfig",
    "QuanvConfig",
    "Scale",
    "TransferConfig",
    "as_json",
    "config_hash",
    "get",
    "select",
]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (*lcqhnn.EXPERIMENTS, *hqnn.EXPERIMENTS, *quanv.EXPERIMENTS, *transfer.EXPERIMENTS)
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
