"""The ledger of claims: one file per paper, `data/claims/<paper>.yaml`, and the shape of its rows."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from hqnn import papers
from hqnn.claims.quantities import KINDS
from hqnn.claims.quantity import Ours, Printed, Text
from hqnn.claims.rules import RULES, Rule, Sign, Value
from hqnn.errors import HqnnError, unknown
from hqnn.storage import DATA

PATH = DATA / "claims"
FIRST_RULE = "first_rule.json"

_NUMBER = re.compile(r"(-?\d+(?:\.(\d+))?)(?: (.+))?")


class LedgerError(HqnnError):
    """A row of the ledger has the wrong shape."""


def as_printed(text: object) -> Printed:
    """What a paper prints: `91.41 %` is the number 91.41 with two digits after the point and the unit per cent.

    Raises:
        ValueError: It is neither a text nor a whole number.
    """
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise ValueError("must be a text; put a number in quotation marks, so that its digits are kept")
    match = _NUMBER.fullmatch(str(text))
    if not match:
        return Printed(text=str(text), value=str(text))
    number = float(match[1])
    value = int(number) if number.is_integer() else number
    return Printed(text=str(text), value=value, decimals=len(match[2] or ""), unit=match[3] or "")


def _one_of(kinds: Mapping[str, type[BaseModel]], value: object) -> object:
    """Read a mapping as the kind that its first key names."""
    first = str(next(iter(value), None)) if isinstance(value, dict) else None
    if first is None or first not in kinds:
        raise ValueError(f"must be a mapping that begins with one of {', '.join(kinds)}")
    return kinds[first].model_validate(value)


def _ours(value: object) -> object:
    return value if isinstance(value, Ours) else _one_of(KINDS, value)


def _rule(value: object) -> object:
    """A rule by its name, or by a mapping with its name and its numbers."""
    if isinstance(value, Rule):
        return value
    fields = {"name": value} if isinstance(value, str) else value
    if not isinstance(fields, dict) or fields.get("name") not in RULES:
        raise ValueError(f"must be, or have as its name, one of {', '.join(RULES)}")
    return RULES[fields["name"]].model_validate(fields)


class Claim(BaseModel):
    """One separately checkable sentence of a paper; a row of the ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[str, Field(pattern=r"^[A-Z]\d+(-[a-z0-9]+)+$")]
    """The group and a name, such as `L6-fashion-cnn4-25`."""
    paper: str
    place: Text
    """Where the paper says it."""
    says: Text
    """What it says, in our words."""
    printed: Annotated[Printed, BeforeValidator(as_printed)] = Printed()
    """The printed number or a short text, if there is one."""
    own_unit: str = Field(default="", alias="unit")
    """Of ours, where neither what is printed nor the kind of quantity has one."""
    kind: Literal["setup", "theory", "result", "slip", "question"]
    """How something was done, a circuit as such, or what came out; a slip of the pen; or a question of our own."""
    compared: Text | None = None
    """The comparison that the paper draws its conclusion from: all rows of a paper with the same word here."""
    against: float | None = Field(default=None, allow_inf_nan=False)
    """The value that the sentence argues against, where the paper compares the printed one with none of its own."""
    lead: float | Text | None = None
    """How large the paper prints a lead that this row gives the sign of: the id of the row, or the number."""
    power: float | None = Field(default=None, gt=0, lt=1)
    """Of a question: the chance, stated before the run, that it is answered if the margin is the truth."""
    ours: Annotated[Ours, BeforeValidator(_ours)] | None = None
    """The quantity it is held against; None if nothing of ours exists yet."""
    rule: Annotated[Rule, BeforeValidator(_rule)] | None = None
    """How it is held against it."""
    note: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Claim:
        """See that the parts of the row fit each other."""
        if (self.ours is None) != (self.rule is None):
            raise ValueError("ours and rule go together: give both, or neither while nothing of ours exists yet")
        if self.rule and self.rule.needs_number and not isinstance(self.printed.value, int | float):
            raise ValueError(f"printed must be a number, for the rule {self.rule.name!r} needs one")
        if self.lead is not None and not isinstance(self.rule, Sign):
            raise ValueError("lead is the size of what the rule 'sign' decides, and the row has another rule")
        if self.against is not None and not isinstance(self.rule, Value):
            raise ValueError("against gives the rule 'value' its resolution, and the row has another rule")
        if (self.kind == "question") != (self.power is not None):
            raise ValueError("power is stated of a question of our own, before its first run, and of nothing else")
        if self.ours and self.ours.unit and self.printed.unit not in ("", self.ours.unit):
            raise ValueError(f"printed is in {self.printed.unit!r}, but ours in {self.ours.unit!r}")
        return self

    @property
    def group(self) -> str:
        """The claim's group, such as `L6`."""
        return self.id.partition("-")[0]

    @property
    def unit(self) -> str:
        """The unit of what is printed and of ours."""
        return self.printed.unit or self.own_unit or (self.ours.unit if self.ours else "")

    @property
    def value(self) -> float | int | str | None:
        """The printed value."""
        return self.printed.value


class Draw(BaseModel):
    """How many images a set holds, and how many they were drawn from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    drawn: int = Field(gt=0)
    of: int

    @model_validator(mode="after")
    def _drawn_from_more(self) -> Draw:
        if self.drawn > self.of:
            raise ValueError(f"{self.drawn} images cannot be drawn out of {self.of}")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    groups: dict[str, Text] = Field(min_length=1)
    samples: dict[str, dict[str, Draw]] = {}
    claims: dict[str, Any]


@dataclass(frozen=True)
class Ledger:
    """All claims, and the sizes of the image samples behind the accuracies."""

    claims: tuple[Claim, ...]
    samples: Mapping[str, Mapping[str, Draw]]
    """Experiment -> curve -> draw."""
    groups: Mapping[str, Mapping[str, str]]
    """Paper -> group, such as `L6` -> what its claims are about."""

    first_rule: Mapping[str, str] = field(default_factory=dict)
    """Id -> verdict by the first edition of the rule, frozen."""

    def printed(self, claim: Claim) -> Printed:
        """What a row's rule is told about the paper: what it prints, and the resolution or the lead that go with it.

        Raises:
            HqnnError: The row names what is not there, or nothing to tell its value from.
        """
        return replace(claim.printed, resolution=self._resolution(claim), lead=self._lead(claim))

    def _resolution(self, claim: Claim) -> float | None:
        """The smallest difference from which the paper draws a conclusion; at least half a unit of the last digit."""
        if not isinstance(claim.rule, Value):
            return None
        paper, least = claim.printed.number, claim.printed.rounding
        if claim.against is not None or (claim.ours and claim.ours.is_lead):
            found = [abs(paper - (claim.against or 0))]
        elif claim.compared:
            values = {other.printed.number for other in self.claims if _comparison(other) == _comparison(claim)}
            found = [abs(a - b) for a, b in combinations(values, 2)]
        else:
            raise HqnnError("it has no resolution: name its comparison in `compared`, or a value in `against`.")
        if not any(found):
            raise HqnnError("its resolution would be 0: name in `compared` or `against` a value that differs.")
        return max(least, min(filter(None, found)))

    def _lead(self, claim: Claim) -> float | None:
        return self.find(claim.lead).printed.number if isinstance(claim.lead, str) else claim.lead

    def of(self, paper: str | None = None, groups: Sequence[str] | None = None) -> tuple[Claim, ...]:
        """The claims of one paper, or of all; and only those of some groups.

        Raises:
            HqnnError: There is no such paper or group.
        """
        if paper is not None and paper not in self.groups:
            raise HqnnError(f"There is no paper {paper!r}: choose from {', '.join(self.groups)}.")
        known = [group for name, its in self.groups.items() if paper in (None, name) for group in its]
        for group in groups or ():
            if group not in known:
                raise HqnnError(f"There is no group {group!r} here: choose from {', '.join(known)}.")
        return tuple(claim for claim in self.claims if claim.group in (known if groups is None else groups))

    def find(self, name: str) -> Claim:
        """One claim.

        Raises:
            HqnnError: There is none of that id; the message lists the closest ones.
        """
        found = {claim.id: claim for claim in self.claims}
        if name not in found:
            raise unknown("There is no claim", name, found)
        return found[name]


def _comparison(claim: Claim) -> tuple[str, str] | None:
    return (claim.paper, claim.compared) if claim.compared else None


def read(path: Path = PATH) -> Ledger:
    """Read a ledger.

    Args:
        path: A folder of files of the form described at the top of each in `data/claims`.

    Returns:
        The ledger: papers in the order of the book's parts, claims in the order of their files.

    Raises:
        LedgerError: There are no such files, or one is not YAML, or a row misses a field, has an unknown one, or one of
            the wrong kind; the message names the row and the field.
    """
    files = {file.stem: file for file in path.glob("*.yaml")}
    if not files:
        raise LedgerError(f"There is no ledger in {path}: copy the repository's data/claims there.")
    unknown = files.keys() - set(papers.names())
    if unknown:
        name = min(unknown)
        raise LedgerError(f"{files[name].name} is about no paper: make the folder {name} in hqnn/papers, or rename it.")
    claims: dict[str, Claim] = {}
    samples: dict[str, Mapping[str, Draw]] = {}
    groups: dict[str, Mapping[str, str]] = {}
    for paper in filter(files.__contains__, papers.names()):
        status = files[paper].stat()
        its, found = _file(files[paper], status.st_mtime_ns, status.st_size)
        for claim in found:
            if claim.id in claims:
                raise LedgerError(f"{files[paper].name}, {claim.id}: it is in another file too; give it another id.")
            claims[claim.id] = claim
        samples |= its.samples
        groups[paper] = its.groups
    first = path / FIRST_RULE
    book = Ledger(tuple(claims.values()), samples, groups, json.loads(first.read_bytes()) if first.exists() else {})
    for claim in book.claims:
        try:
            book.printed(claim)
        except HqnnError as error:
            raise LedgerError(f"{claim.paper}.yaml, {claim.id}: {error}") from None
    return book


@lru_cache(maxsize=64)
def _file(path: Path, _changed: int, _size: int) -> tuple[_File, tuple[Claim, ...]]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise LedgerError(f"{path.name} is not valid YAML: {str(error).replace(chr(10), ' ')}.") from error
    its: _File = _valid(TypeAdapter(_File), document, path.name)
    rows = TypeAdapter(Claim)
    claims = []
    for name, row in its.claims.items():
        where = f"{path.name}, {name}"
        if not isinstance(row, dict):
            raise LedgerError(f"{where}: a row is a mapping of fields, not {row!r}.")
        claim: Claim = _valid(rows, {"id": name, "paper": path.stem, **row}, where)
        if claim.group not in its.groups:
            raise LedgerError(f"{where}: there is no group {claim.group!r}; choose from {', '.join(its.groups)}.")
        claims.append(claim)
    return its, tuple(claims)


def _valid(adapter: TypeAdapter, value: object, where: str) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        given = "" if first["type"] in ("missing", "extra_forbidden") else f", not {first['input']!r}"
        given = "" if isinstance(first["input"], dict | BaseModel) else given
        message = message[0].lower() + message[1:]
        raise LedgerError(f"{where}: {f'{field}: ' if field else ''}{message}{given}.") from None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML and refuses a key that occurs twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping, unless two of its keys are the same."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} occurs twice", node.start_mark)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return found
