"""What an experiment is, and how its configs are told apart."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Literal

from hqnn.storage import digest

Scale = Literal["paper", "quick"]


Config = Any
"""Any paper's config: a frozen dataclass. Each has `epochs`, `snapshots` and `curves`."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Variants to compare, and the seeds over which they are to be compared."""

    name: str
    paper: str
    title: str
    variants: Mapping[str, Config]
    """Paper scale."""
    quick: Mapping[str, Config]
    """The same variants in seconds, without a download."""
    seeds: range
    """The seeds of which there must be records."""

    def configs(self, scale: Scale) -> Mapping[str, Config]:
        """The variants at one scale."""
        return self.variants if scale == "paper" else self.quick


def as_json(config: Config) -> dict[str, Any]:
    """A config as it looks in a record (tuples become lists)."""
    stored: dict[str, Any] = json.loads(json.dumps(asdict(config)))
    return stored


def config_hash(config: Config) -> str:
    """The sha256 of a config's type and fields."""
    return hash_of(config, as_json(config))


def hash_of(config: Config, stored: Mapping[str, Any]) -> str:
    """The sha256 that stored fields have with the type of a config."""
    return digest({"type": type(config).__name__, **stored})


def differences(config: Config, stored: Mapping[str, Any]) -> list[str]:
    """Which fields of a stored config are not those of a config now, as `epochs` or `encoder.epochs`.

    A field that was added later does not count while it has its default.
    """
    now = {field.name: getattr(config, field.name) for field in fields(config)}
    defaults = {field.name: field.default for field in fields(config)}
    found = [name for name in stored if name not in now]
    for name, value in now.items():
        if name not in stored:
            found += [name] if value != defaults[name] else []
        elif is_dataclass(value) and isinstance(stored[name], Mapping):
            found += [f"{name}.{inner}" for inner in differences(value, stored[name])]
        elif json.loads(json.dumps(value)) != stored[name]:
            found.append(name)
    return sorted(found)
