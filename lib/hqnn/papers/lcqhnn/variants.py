"""What a paper leaves open: every reading that was trained, in words, and the recorded runs to compare it with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from hqnn import experiments
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.lcqhnn.model import FRONT_ENDS


def _front_end(value: str) -> str:
    kernel, padding, pools, _ = FRONT_ENDS[value]
    kernels = "" if kernel == 3 else f"{kernel} × {kernel} kernels, "
    return f"{kernels}padding {padding}, pooling by {pools[0]} and {pools[1]}"


_CHOICES: Mapping[str, tuple[str, Callable[[Any], str]]] = MappingProxyType(
    {
        "front_end": ("front end", _front_end),
        "dropout": ("dropout rate", "dropout rate {:g}".format),
        "dropout_at": ("place of dropout", {"bottleneck": "dropout behind the reduction"}.__getitem__),
        "order": ("order of the CNOTs", {"product": "eq. 4 and 6 read as operators"}.__getitem__),
        "readout": (
            "readout",
            {
                "qubit0": "outcome of qubit 0",
                "parity": "parity of all outcomes",
                "pair": "⟨Z⟩ of qubits 0 and 1 as scores",
            }.__getitem__,
        ),
        "quantum": (
            "circuit",
            {
                "no-entanglement": "no CNOTs",
                "frozen": "angles frozen as drawn",
                "classical": "tanh(wx), four weights w, instead",
                "none": "no circuit",
            }.__getitem__,
        ),
        "scale": ("scale of the angles", {"tanh": "π/2 · tanh(x) as angle", "relu": "max(0, x) as angle"}.__getitem__),
        "hidden": ("fully connected module", "{} units before the scores".format),
        "head": (
            "fully connected module",
            {
                "single": "one score",
                "relu": "ReLU between the last layers",
                "sigmoid": "sigmoid between the last layers",
                "relu-scores": "ReLU on the scores",
            }.__getitem__,
        ),
        "loss": ("loss", {"double_softmax": "softmax taken twice"}.__getitem__),
        "optimizer": ("optimiser", {"sgd": "plain gradient descent"}.__getitem__),
        "learning_rate": ("learning rate", "learning rate {:g}".format),
    }
)
"""Field of a config -> what it decides, and each of its values in words; in the order in which they are named."""

PRINTED = ("quantum", "optimizer", "learning_rate")
"""Fields whose value the paper does print [lcqhnn, §2.2 and §3.1.3]; so is the side of its kernels, 3 [§2.1]."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A recorded variant that differs from one of the four models in one choice, or in two that go together."""

    series: str
    """Its records, `experiment/variant`."""
    base: str
    """The records of the model it departs from, in the same form."""
    choice: str
    """What was chosen otherwise."""
    words: str
    """The value it has instead."""
    as_printed: bool
    """Whether the choice was the paper's to leave: it contradicts nothing that is printed."""


def readings(kind: str, dataset: str, model: str | None = None) -> list[Reading]:
    """The variants of an experiment, each beside the model of table 1 that it departs from.

    Args:
        kind: `readings`, `rates` or `ablations`.
        dataset: `mnist` or `fashion`.
        model: Only those that depart from this model, such as `cnn-4`.

    Returns:
        In the registry's order; none if there is no such experiment for that dataset.
    """
    name, main = f"lcqhnn-{kind}-{dataset}", f"lcqhnn-{dataset}"
    if name not in experiments.EXPERIMENTS:
        return []
    models = experiments.get(main).variants
    found = []
    for variant, config in experiments.get(name).variants.items():
        base = next((m for m in models if variant.startswith(f"{m}-")), "lcqhnn")  # only the hybrid has ablations
        if model in (None, base):
            found.append(_reading(f"{name}/{variant}", f"{main}/{base}", config, _changed(config, models[base])))
    return found


def _changed(config: LcqhnnConfig, base: LcqhnnConfig) -> list[str]:
    """Fields other than the kept weights in which two configs differ, in the order of `_CHOICES`."""
    differing = {f.name for f in fields(config) if getattr(config, f.name) != getattr(base, f.name)} - {"snapshots"}
    return sorted(differing, key=list(_CHOICES).index)


def _reading(series: str, base: str, config: LcqhnnConfig, changed: list[str]) -> Reading:
    kernel = FRONT_ENDS[config.front_end].kernel
    return Reading(
        series=series,
        base=base,
        choice=" and ".join(dict.fromkeys(_CHOICES[field][0] for field in changed)),
        words=", ".join(_CHOICES[field][1](getattr(config, field)) for field in changed),
        as_printed=kernel == 3 and not set(changed) & set(PRINTED),
    )
