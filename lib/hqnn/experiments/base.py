"""What an experiment is, and how its configs are told apart."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
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
    return digest({"type": type(config).__name__, **as_json(config)})
