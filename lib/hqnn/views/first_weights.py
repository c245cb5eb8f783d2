"""The angles that a layer begins with, in any of the forms in which they may be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from hqnn.circuit import Circuit


def begin(pc: Circuit, given: ArrayLike | Tensor | Mapping[str, ArrayLike], drawn: Tensor) -> Tensor:
    """Weights [copies, n_weights] as given, where they are, else as drawn; a ValueError says what is wrong."""
    copies, n_weights = drawn.shape
    if not isinstance(given, Mapping):
        drawn[:] = _angles("weights", given, [(n_weights,), (copies, n_weights)]).to(drawn)
        return drawn
    names = [parameter.name for parameter in pc.weights]
    for name, angles in given.items():
        if name not in names:
            raise ValueError(f"the circuit has no weight {name!r}; it has {', '.join(names) or 'none'}")
        drawn[:, names.index(name)] = _angles(f"the angles of weight {name!r}", angles, [(), (copies,)]).to(drawn)
    return drawn


def _angles(what: str, given: ArrayLike | Tensor, shapes: Sequence[tuple[int, ...]]) -> Tensor:
    try:
        values = given.detach() if isinstance(given, Tensor) else torch.from_numpy(np.array(given, float))
    except (TypeError, ValueError):
        raise ValueError(f"{what} are not an array of real numbers; pass angles in radians") from None
    if values.is_complex():
        raise ValueError(f"{what} are complex; pass angles in radians")
    if values.shape not in shapes:
        fitting = " or ".join(str(list(shape)) if shape else "a number" for shape in shapes)
        raise ValueError(f"{what} have shape {tuple(values.shape)}; pass {fitting}")
    return values
