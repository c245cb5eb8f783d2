"""Single qubits of a circuit as vectors in the Bloch ball.

The reduced state of qubit q is (1 + r·σ)/2 with the Bloch vector r = (⟨X_q⟩, ⟨Y_q⟩, ⟨Z_q⟩). Where all qubits
together are in a pure state, its length is 1 for a qubit that is entangled with no other, and less for one that is.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.views.layer import QuantumLayer
from hqnn.views.values import Values, as_values


def bloch_vectors(pc: Circuit, inputs: Values, weights: Values, *, stage: str | None = None) -> NDArray[np.float64]:
    """Reduced Bloch vectors (⟨X⟩, ⟨Y⟩, ⟨Z⟩) of all qubits [B, n_qubits, 3], qubit 0 first.

    Args:
        pc: The circuit; its observables play no part.
        inputs: Features [B, n_inputs] of the whole circuit; those that act only after the stage are not used.
        weights: Trainable angles [n_weights], radians, likewise.
        stage: Label of a barrier, one of `pc.stages()`; None for the end.

    >>> from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
    >>> vectors = bloch_vectors(lcqhnn_circuit(), [[0.0] * 4], [0.0] * 4, stage="ψ1")
    >>> vectors[0, 0].round(2).tolist()
    [1.0, 0.0, 0.0]

    Raises:
        ValueError: Unknown stage, wrong shape, or a NaN or infinite value.
    """
    x, w = as_values(pc, inputs, weights)
    stages = pc.stages()
    if stage is not None and stage not in stages:
        raise ValueError(f"no stage {stage!r}; this circuit has {', '.join(stages) or 'no labelled barriers'}")
    circuit = pc.circuit if stage is None else stages[stage]
    kept_x, kept_w = (
        [k for k, p in enumerate(listed) if p in circuit.parameters] for listed in (pc.inputs, pc.weights)
    )
    part = Circuit(
        circuit=circuit,
        inputs=[pc.inputs[k] for k in kept_x],
        weights=[pc.weights[k] for k in kept_w],
        observables=[pauli for axis in ("X", "Y", "Z") for pauli in pauli_on_each_qubit(pc.n_qubits, axis)],
    )
    with torch.no_grad():
        values = QuantumLayer.at(part, w[None, kept_w], method="state")(torch.from_numpy(x[:, kept_x])).numpy()
    return values.reshape(-1, 3, pc.n_qubits).transpose(0, 2, 1)


def lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths [...] of Bloch vectors [..., 3]: 1 is pure, 0 is maximally mixed, and (1 + length²)/2 is the purity."""
    return np.linalg.norm(vectors, axis=-1)
