"""Are angles spread evenly around the circle? Two tests that SciPy has not, for angles [B, ...] in radians.

Rayleigh's looks at the mean unit vector: it is the best there is against a single cluster, and blind to two opposite
ones. Kuiper's compares the whole distribution with the uniform one, wherever the circle is cut. Every function works
along the first axis and raises a ValueError if there are no angles or one is not finite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def resultant_length(angles: Values) -> Values:
    """Length of the mean unit vector [...]: 1 if all angles are equal; about 0.89/√B for uniform ones."""
    return np.abs(np.exp(1j * _checked(angles)).mean(axis=0))


def rayleigh_p(angles: Values) -> Values:
    """How probable so long a mean unit vector is for uniform independent angles [...], by Wilkie (B ≥ 10)."""
    n = len(angles)
    resultant = n * resultant_length(angles)
    # exp(√(1 + 4n + 4(n² - R²)) - (1 + 2n)), written without the difference of two large numbers
    root = np.sqrt(np.maximum((1 + 2 * n) ** 2 - 4 * resultant**2, 0.0))
    return np.exp(-4 * resultant**2 / (root + 1 + 2 * n))


def kuiper_distance(angles: Values) -> Values:
    """How far the angles' distribution function is from the uniform one, above plus below [...], in (0, 1].

    About 1.2/√B for uniform angles, 1 if all are equal, 1/2 for two opposite clusters.
    """
    turns = np.sort(np.mod(_checked(angles) / (2 * np.pi), 1.0), axis=0)
    n = len(turns)
    steps = np.arange(1, n + 1).reshape(-1, *[1] * (turns.ndim - 1)) / n
    above, below = (steps - turns).max(axis=0), (turns - steps + 1 / n).max(axis=0)
    return np.asarray(above + below, dtype=np.float64)


def kuiper_p(angles: Values) -> Values:
    """How probable so large a distance is for uniform independent angles [...], by Stephens (B ≥ 8)."""
    root = np.sqrt(len(angles))
    scaled = (root + 0.155 + 0.24 / root) * kuiper_distance(angles)
    scaled = np.maximum(scaled, 0.4)  # below 0.4, p is 1 to eight digits
    squares = np.square(np.arange(1, 51).reshape(-1, *[1] * scaled.ndim) * scaled)
    return np.clip((2 * (4 * squares - 1) * np.exp(-2 * squares)).sum(axis=0), 0.0, 1.0)


def _checked(angles: Values) -> Values:
    checked = np.asarray(angles, dtype=np.float64)
    if checked.ndim == 0 or len(checked) == 0 or not np.isfinite(checked).all():
        raise ValueError(f"expected at least one angle and only finite ones, got an array of shape {checked.shape}")
    return checked
