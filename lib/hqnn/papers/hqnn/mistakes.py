"""Which test images the recorded networks get wrong, and how good they are on some of the images."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hqnn import records
from hqnn.errors import HqnnError
from hqnn.storage import DATA


def misclassified(series: str, *, root: Path = DATA) -> list[set[int]]:
    """The positions of the test images that each run of a series gets wrong, by seed.

    Raises:
        HqnnError: There are no such records.
    """
    found = records.load(series, root)
    if not found:
        raise HqnnError(f"There are no records of {series}: run `python -m hqnn run {series.partition('/')[0]}`.")
    return [set(record.errors) for record in found]


def accuracy_on(images: Collection[int], wrong: Sequence[set[int]]) -> NDArray[np.float64]:
    """The share of some test images that each run gets right, from all that it gets wrong: fractions [runs]."""
    return np.array([1 - len(one.intersection(images)) / len(images) for one in wrong])
