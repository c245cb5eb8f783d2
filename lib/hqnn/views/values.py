"""Inputs and weights of a circuit, as the views take them that work with arrays."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from hqnn.circuit import Circuit

Values = ArrayLike | torch.Tensor


def as_values(pc: Circuit, inputs: Values, weights: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inputs and weights of a circuit as arrays; tensors may be part of a graph, and on any device.

    Raises:
        ValueError: Wrong shape, or a NaN or infinite value.
    """
    x, w = (
        np.asarray(v.detach().cpu() if isinstance(v, torch.Tensor) else v, dtype=np.float64) for v in (inputs, weights)
    )
    if x.ndim != 2 or x.shape[1] != pc.n_inputs:
        raise ValueError(f"inputs have shape {x.shape}; this circuit expects [B, {pc.n_inputs}]")
    if w.shape != (pc.n_weights,):
        raise ValueError(
            f"weights have shape {w.shape}; this circuit expects [{pc.n_weights}], the same for all samples"
        )
    for name, values in (("inputs", x), ("weights", w)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name} contain NaN or infinity; check what computed them")
    return x, w
