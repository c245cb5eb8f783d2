"""Are angles spread evenly around the circle? Kuiper's test, which SciPy has not, for angles [B, ...] in radians.

It compares the whole distribution with the uniform one, wherever the circle is cut, along the first axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def resultant_length(angles: Values) -> Values:
    """Length of the mean unit vector [...]: 1 if all angles are equal, about 0.89/√B for uniform ones."""
    return np.abs(np.exp(1j * angles).mean(axis=0))


def kuiper_distance(angles: Values) -> Values:
    """How far the angles' distribution function is from the uniform one, above plus below [...], in (0, 1].

    About 1.2/√B for uniform angles, 1 if all are equal, 1/2 for two opposite clusters.

    Raises:
        ValueError: There are no angles, or one is not finite.
    """
    if not len(angles) or not np.isfinite(angles).all():
        raise ValueError(f"expected at least one angle and only finite ones, got an array of shape {angles.shape}")
    turns = np.sort(np.mod(angles / (2 * np.pi), 1.0), axis=0)
    n = len(turns)
    steps = np.arange(1, n + 1).reshape(-1, *[1] * (turns.ndim - 1)) / n
    above, below = (steps - turns).max(axis=0), (turns - steps + 1 / n).max(axis=0)
    return np.asarray(above + below, dtype=np.float64)


def kuiper_p(angles: Values) -> Values:
    """How probable so large a distance is for uniform independent angles [...], by Stephens (B ≥ 8)."""
    distance, root = kuiper_distance(angles), np.sqrt(len(angles))
    scaled = (root + 0.155 + 0.24 / root) * distance
    scaled = np.maximum(scaled, 0.4)  # below 0.4, p is 1 to eight digits
    squares = np.square(np.arange(1, 51).reshape(-1, *[1] * scaled.ndim) * scaled)
    return np.clip((2 * (4 * squares - 1) * np.exp(-2 * squares)).sum(axis=0), 0.0, 1.0)
