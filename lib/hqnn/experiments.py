"""The registry of experiments: those of every paper, found by looking in its module `experiments`.

An experiment is a set of variants trained on the same data over the same seeds; one variant over its seeds is a
*series*, written `experiment/variant`. What a config means is up to its paper's task (`hqnn.tasks`).
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal

from hqnn import papers
from hqnn.errors import HqnnError, unknown
from hqnn.storage import digest

Scale = Literal["paper", "quick"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """One training. A paper's own config adds what only it has, and gives all of it defaults.

    So may anyone's who derives from a paper's: its runs go as the paper's do (`hqnn.tasks.of`), with the network that a
    method `build(self)` returns, if it has one.
    """

    splits: ClassVar[tuple[str, ...]] = ("train", "val", "test")
    """What is measured after every epoch."""

    dataset: str = "mnist"
    epochs: int
    shown: int | None = None
    """Training images that an epoch shows, in whole passes and a part of one; by default it is one pass."""
    batch_size: int
    learning_rate: float
    optimizer: str = "adam"
    snapshots: tuple[int, ...] = ()
    """Epochs whose weights the record keeps; 0 is the untrained model."""

    @property
    def curves(self) -> tuple[str, ...]:
        """What a record's history holds, one value per epoch."""
        return tuple(f"{split}_{of}" for split in self.splits for of in ("loss", "accuracy"))


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Variants to compare, and the seeds over which they are to be compared."""

    name: str
    paper: str
    title: str
    variants: Mapping[str, Any]
    """Configs of one paper's own class, at paper scale."""
    quick: Mapping[str, Any]
    """The same variants in seconds, without a download."""
    seeds: range
    """The seeds of which there must be records."""

    def configs(self, scale: Scale) -> Mapping[str, Any]:
        """The variants at one scale."""
        return self.variants if scale == "paper" else self.quick


def as_json(config: Config) -> dict[str, Any]:
    """A config as it looks in a record (tuples become lists)."""
    stored: dict[str, Any] = json.loads(json.dumps(vars(config), default=vars))
    return stored


def with_draw(config: Any, seed: int) -> Any:
    """The config of one run: where it leaves open which images are drawn (`data_seed` is None), its seed decides."""
    return replace(config, data_seed=seed) if getattr(config, "data_seed", seed) is None else config


def config_hash(config: Config, stored: Mapping[str, Any] | None = None) -> str:
    """The sha256 of a config's type and fields, or of its type and other fields."""
    return digest({"type": type(config).__name__, **(as_json(config) if stored is None else stored)})


def differences(config: Any, stored: Mapping[str, Any]) -> list[str]:
    """Which fields of a stored config are not those of a config now, as `epochs` or `encoder.epochs`.

    A field that was added later does not count while it has its default.
    """
    now = {field.name: getattr(config, field.name) for field in fields(config)}
    defaults = {f.name: f.default if f.default_factory is MISSING else f.default_factory() for f in fields(config)}
    found = [name for name in stored if name not in now]
    for name, value in now.items():
        if name not in stored:
            found += [name] if value != defaults[name] else []
        elif is_dataclass(value) and isinstance(stored[name], Mapping):
            found += [f"{name}.{inner}" for inner in differences(value, stored[name])]
        elif value != stored[name] and json.loads(json.dumps(value)) != stored[name]:  # tuples are stored as lists
            found.append(name)
    return sorted(found)


EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment for module in papers.modules("experiments") for experiment in module.EXPERIMENTS
}


_OF_PAPERS = frozenset(EXPERIMENTS)


def register(*of_ones_own: Experiment) -> None:
    """Add experiments that are in no paper's folder, or put them in the place of earlier ones of their names.

    An HqnnError if a paper has one of that name.
    """
    for experiment in of_ones_own:
        if experiment.name in _OF_PAPERS:
            raise HqnnError(f"A paper has an experiment {experiment.name!r}: give yours another name.")
        EXPERIMENTS[experiment.name] = experiment


def register_from(file: Path) -> None:
    """Register the `EXPERIMENTS` of a Python file, imported so that worker processes find it too.

    Raises:
        HqnnError: There is no such file, another module has its name, or it has no `EXPERIMENTS`.
    """
    path = file.resolve()
    if path.suffix != ".py" or not path.is_file():
        raise HqnnError(f"There is no Python file {file}: name one that defines EXPERIMENTS.")
    sys.path.insert(0, str(path.parent))
    module = import_module(path.stem)
    if Path(module.__file__ or "").resolve() != path:
        raise HqnnError(f"Another module is called {path.stem!r}: give {file} another name.")
    if not hasattr(module, "EXPERIMENTS"):
        raise HqnnError(f"{file} has no experiments: let it define EXPERIMENTS, a tuple of them.")
    register(*module.EXPERIMENTS)


def get(name: str) -> Experiment:
    """Look an experiment up by name; an HqnnError names the closest ones."""
    if name not in EXPERIMENTS:
        raise unknown("There is no experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]


def split(series: str) -> tuple[str, str]:
    """The names of a series' experiment and variant."""
    experiment, _, variant = series.partition("/")
    return experiment, variant


def config(series: str, scale: Scale = "paper") -> Any:
    """The config of a series; an HqnnError names the closest experiment or variant."""
    experiment, variant = split(series)
    return select(get(experiment), [variant], scale)[variant]


def select(experiment: Experiment, variants: Sequence[str] | None = None, scale: Scale = "paper") -> dict[str, Any]:
    """Some variants of an experiment by name, or all, in the registry's order; an HqnnError names the closest ones."""
    configs = experiment.configs(scale)
    for variant in variants or ():
        if variant not in configs:
            raise unknown(f"{experiment.name} has no variant", variant, configs)
    return {variant: config for variant, config in configs.items() if variants is None or variant in variants}
