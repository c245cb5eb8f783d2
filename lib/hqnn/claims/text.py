"""Quantities that a paper's own text decides: what excludes what, and what it leaves open."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from hqnn.claims.quantity import Context, Missing, Ours, Quantity, Text


class Places(Ours):
    """Places of the paper that exclude each other, as anyone can read."""

    places: tuple[Text, ...] = Field(min_length=2, strict=False)
    finding: Text

    def measure(self, context: Context) -> Quantity:
        """It does not hold, by what the paper says elsewhere."""
        return Quantity(
            value=False, note=self.finding, evidence=f"{context.claim.paper}: {' against '.join(self.places)}"
        )


class Prints(Ours):
    """One quantity printed at several places, which must have one value."""

    prints: dict[str, float] = Field(min_length=2, strict=False)
    """Place -> value."""

    def measure(self, context: Context) -> Quantity:
        """It does not hold, unless the values are equal."""
        if len(set(self.prints.values())) == 1:
            raise Missing("the printed values agree, and there is nothing of ours yet")
        places = " against ".join(_valued(self.prints))
        return Quantity(value=False, evidence=f"{context.claim.paper}: {places}")


class Order(Ours):
    """A quantity said to be smaller, which must not be printed larger."""

    smaller: dict[str, float] = Field(min_length=1, strict=False)
    larger: dict[str, float] = Field(min_length=1, strict=False)

    def measure(self, context: Context) -> Quantity:
        """It does not hold, unless the values are in that order."""
        if max(self.smaller.values()) < min(self.larger.values()):
            raise Missing("the printed values are in the order stated, and there is nothing of ours yet")
        places = " and ".join(", ".join(_valued(side)) for side in (self.smaller, self.larger))
        return Quantity(value=False, evidence=f"{context.claim.paper}: {context.claim.place} against {places}")


def _valued(printed: Mapping[str, float]) -> list[str]:
    return [f"{place} ({value:g})" for place, value in printed.items()]


class Unstated(Ours):
    """What the paper does not say, and without which nothing can be held against the sentence."""

    unstated: Text

    def measure(self, context: Context) -> Quantity:
        """It is open."""
        return Quantity(value=None, note=self.unstated, evidence=f"{context.claim.paper}: {context.claim.place}")
