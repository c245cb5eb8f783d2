"""Single qubits of a circuit as vectors in the Bloch ball.

The reduced state of qubit q is (1 + r·σ)/2 with the Bloch vector r = (⟨X_q⟩, ⟨Y_q⟩, ⟨Z_q⟩). Where all qubits
together are in a pure state, its length is 1 for a qubit that is entangled with no other, and less for one that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import qutip
import torch
from numpy.typing import ArrayLike, NDArray

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.views.aer import as_values
from hqnn.views.layer import QuantumLayer

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Of groups of points: told apart with any common colour vision (Okabe and Ito, 2008)."""


def bloch_vectors(
    pc: Circuit,
    inputs: ArrayLike | torch.Tensor,
    weights: ArrayLike | torch.Tensor,
    *,
    stage: str | None = None,
) -> NDArray[np.float64]:
    """Reduced Bloch vectors of all qubits, at the end of a circuit or where it has a labelled barrier.

    Inputs and weights are always those of the whole circuit; the ones that act only after the stage are not used.

    Args:
        pc: The circuit; its observables play no part.
        inputs: Features [B, n_inputs].
        weights: Trainable angles [n_weights], radians.
        stage: Label of a barrier, one of `pc.stages()`; None for the end.

    Returns:
        Vectors (⟨X⟩, ⟨Y⟩, ⟨Z⟩) [B, n_qubits, 3], qubit 0 first.

    Raises:
        ValueError: Unknown stage, wrong shape, or a NaN or infinite value.
    """
    x, w = as_values(pc, inputs, weights)
    stages = pc.stages()
    if stage is not None and stage not in stages:
        raise ValueError(f"no stage {stage!r}; this circuit has {', '.join(stages) or 'no labelled barriers'}")
    circuit = pc.circuit if stage is None else stages[stage]
    used_inputs, used_weights = ([p in circuit.parameters for p in listed] for listed in (pc.inputs, pc.weights))
    part = Circuit(
        circuit=circuit,
        inputs=[p for p, used in zip(pc.inputs, used_inputs, strict=True) if used],
        weights=[p for p, used in zip(pc.weights, used_weights, strict=True) if used],
        observables=[pauli for axis in ("X", "Y", "Z") for pauli in pauli_on_each_qubit(pc.n_qubits, axis)],
    )
    layer = QuantumLayer.at(part, w[None, used_weights], method="state")
    with torch.no_grad():
        values = layer(torch.from_numpy(x[:, used_inputs])).numpy()
    return values.reshape(-1, 3, pc.n_qubits).transpose(0, 2, 1)


def lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths of Bloch vectors: 1 is pure, 0 is maximally mixed, and (1 + length²)/2 is the purity.

    Args:
        vectors: [..., 3].

    Returns:
        Lengths [...].
    """
    return np.linalg.norm(vectors, axis=-1)


def to_qutip(
    vectors: NDArray[np.float64],
    groups: Sequence[int] | NDArray[np.int64] | None = None,
    *,
    colours: Sequence[str] = COLOURS,
    size: float = 12.0,
    alpha: float = 0.6,
    ax: Any = None,
) -> qutip.Bloch:
    """A QuTiP Bloch sphere with a point for each vector; nothing is drawn until its `render` or `show`.

    Args:
        vectors: Bloch vectors of one qubit [N, 3].
        groups: Group of each point [N], such as its class 0, 1, ...; None for one group.
        colours: One per group.
        size: Of the points, as in matplotlib's `scatter`.
        alpha: Opacity of the points.
        ax: Three-dimensional axes to render into; None for a figure of its own.

    Returns:
        The sphere.

    Raises:
        ValueError: Vectors that are not [N, 3] or leave the Bloch ball, groups of another length, or more groups than
            colours.
    """
    vectors = np.asarray(vectors, float)
    if vectors.ndim != 2 or vectors.shape[1] != 3:
        raise ValueError(f"vectors have shape {vectors.shape}; pass those of one qubit, [N, 3]")
    if not (lengths(vectors) < 1 + 1e-6).all():
        raise ValueError("a vector is longer than 1 or not a number; no state of a qubit has it")
    labels = np.zeros(len(vectors), int) if groups is None else np.asarray(groups)
    if labels.shape != (len(vectors),):
        raise ValueError(f"groups have shape {labels.shape}; give one per vector, [{len(vectors)}]")
    names = np.unique(labels)
    if len(names) > len(colours):
        raise ValueError(f"there are {len(names)} groups but {len(colours)} colours; pass more colours")
    sphere = qutip.Bloch(fig=None if ax is None else ax.figure, axes=ax)
    sphere.point_marker = ["o"]
    sphere.point_size = [size]
    sphere.sphere_color = "#FFFFFF"
    sphere.frame_alpha = 0.15
    sphere.font_size = 12
    for name, colour in zip(names, colours, strict=False):
        sphere.add_points(vectors[labels == name].T, colors=colour, alpha=alpha)
    return sphere
