"""The ledger of claims: read `data/claims.yaml` and check its shape."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from hqnn.errors import HqnnError
from hqnn.storage import DATA

PATH = DATA / "claims.yaml"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "lcqhnn": tuple(f"L{k}" for k in range(1, 14)),
    "hqnn": tuple(f"H{k}" for k in range(1, 13)) + tuple(f"Q{k}" for k in range(1, 4)),
    "transfer": tuple(f"S{k}" for k in range(1, 9)),
}
"""The papers, and the groups their claims fall into."""

_ID = re.compile(r"([LHQS]\d+)(-[a-z0-9]+)+")


class LedgerError(HqnnError):
    """A row of the ledger has the wrong shape."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One separately checkable sentence of a paper; a row of the ledger."""

    id: str
    """The group and a name, such as `L6-fashion-cnn4-25`."""
    paper: str
    place: str
    """Where the paper says it."""
    statement: str
    """What it says, in our words."""
    value: float | int | str | None = None
    """The printed number or a short description, if there is one."""
    unit: str = ""
    decimals: int = 0
    """Digits printed after the point."""
    evaluator: str | None
    """Name of a function of `hqnn.checks`; None if nothing of ours exists yet to compare with."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 0.0
    """A difference in the value's unit that never counts as a failure."""
    resolution: float = float("inf")
    """Half width of our interval above which agreement confirms nothing."""
    spread: float | None = None
    """Standard deviation the paper states over its own runs."""
    runs: int = 1
    """Number of runs behind the printed value."""
    note: str = ""

    @property
    def group(self) -> str:
        """The claim's group, such as `L6`."""
        return self.id.split("-")[0]

    @property
    def number(self) -> float:
        """The printed value as a number.

        Raises:
            LedgerError: The row has none.
        """
        if not isinstance(self.value, int | float):
            raise LedgerError(f"Claim {self.id}: its evaluator {self.evaluator!r} needs a number as value.")
        return float(self.value)

    @property
    def rounding(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self.decimals

    def printed(self) -> str:
        """The value as printed, with its unit; empty if there is none."""
        if self.value is None:
            return ""
        number = isinstance(self.value, int | float)
        text = f"{self.value:.{self.decimals}f}" if number else str(self.value)
        return f"{text} {self.unit}".rstrip()


@dataclass(frozen=True)
class Draw:
    """How many images a set holds, and how many they were drawn from."""

    drawn: int
    of: int


@dataclass(frozen=True)
class Ledger:
    """All claims, and the sizes of the image samples behind the accuracies."""

    claims: tuple[Claim, ...]
    samples: Mapping[str, Mapping[str, Draw]]
    """Experiment -> metric -> draw."""


_TYPES: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "place": (str,),
    "statement": (str,),
    "value": (int, float, str, type(None)),
    "unit": (str,),
    "decimals": (int,),
    "evaluator": (str, type(None)),
    "arguments": (dict,),
    "tolerance": (int, float),
    "resolution": (int, float),
    "spread": (int, float),
    "runs": (int,),
    "note": (str,),
}
_REQUIRED = tuple(
    f.name for f in fields(Claim) if f.name != "paper" and f.default is MISSING and f.default_factory is MISSING
)


def read(path: Path = PATH) -> Ledger:
    """Read a ledger.

    Args:
        path: A YAML file of the form described at the top of `data/claims.yaml`.

    Returns:
        The ledger, claims in the file's order.

    Raises:
        LedgerError: The file is not YAML, or a row misses a field, has an unknown one, one of the wrong type, a
            repeated id or a group its paper does not have; the message names the row.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LedgerError(f"There is no ledger at {path}: copy data/claims.yaml of the repository there.") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise LedgerError(f"{path.name} is not valid YAML: {str(error).splitlines()[0]}.") from error
    if not isinstance(document, dict) or set(document) != {"samples", "claims"}:
        raise LedgerError(f"{path.name} must hold exactly the keys 'samples' and 'claims'.")
    groups = document["claims"]
    if (
        not isinstance(groups, dict)
        or set(groups) != set(GROUPS)
        or not all(isinstance(rows, list | None) for rows in groups.values())
    ):
        raise LedgerError(f"The claims of {path.name} must be lists grouped under exactly {', '.join(GROUPS)}.")
    claims: dict[str, Claim] = {}
    for paper, rows in groups.items():
        for k, row in enumerate(rows or (), start=1):
            claim = _claim(paper, k, row)
            if claim.id in claims:
                raise LedgerError(f"Claim {claim.id} occurs twice: give each row an id of its own.")
            claims[claim.id] = claim
    return Ledger(tuple(claims.values()), _samples(document["samples"]))


def _claim(paper: str, k: int, row: object) -> Claim:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        raise LedgerError(f"Claim number {k} of {paper} has no id: every row is a mapping that begins with one.")
    name = f"Claim {row['id']}"
    match = _ID.fullmatch(row["id"])
    if not match or match[1] not in GROUPS[paper]:
        raise LedgerError(
            f"{name}: an id of {paper} is one of its groups ({GROUPS[paper][0]} to {GROUPS[paper][-1]}) and a name, "
            "such as L6-fashion-cnn4-25."
        )
    for key in _REQUIRED:
        if key not in row:
            raise LedgerError(f"{name} has no {key!r}: add it.")
    for key, value in row.items():
        if key not in _TYPES:
            raise LedgerError(f"{name} has an unknown field {key!r}: the fields are {', '.join(_TYPES)}.")
        if isinstance(value, bool) or not isinstance(value, _TYPES[key]):
            wanted = " or ".join("null" if t is type(None) else t.__name__ for t in _TYPES[key])
            raise LedgerError(f"{name}: {key!r} is {value!r}, but it must be {wanted}.")
    for key in ("place", "statement"):
        if not row[key].strip():
            raise LedgerError(f"{name}: {key!r} is empty.")
    for key in ("tolerance", "resolution", "spread", "decimals"):
        if not row.get(key, 0) >= 0:
            raise LedgerError(f"{name}: {key!r} is {row[key]!r}, but it cannot be negative.")
    if row.get("runs", 1) < 1:
        raise LedgerError(f"{name}: 'runs' is {row['runs']!r}, but a printed value has at least one run behind it.")
    if row["evaluator"] is None and "arguments" in row:
        raise LedgerError(f"{name} has arguments but no evaluator: name one, or drop them.")
    return Claim(paper=paper, **row)


def _samples(document: object) -> dict[str, dict[str, Draw]]:
    wrong = LedgerError(
        "The ledger's 'samples' must map an experiment to metrics, and each metric to {drawn: …, of: …} with "
        "0 < drawn <= of."
    )
    try:
        samples = {
            experiment: {metric: Draw(**sizes) for metric, sizes in metrics.items()}
            for experiment, metrics in document.items()  # type: ignore[attr-defined]
        }
        sound = all(0 < draw.drawn <= draw.of for metrics in samples.values() for draw in metrics.values())
    except (AttributeError, TypeError):
        raise wrong from None
    if not sound:
        raise wrong
    return samples
