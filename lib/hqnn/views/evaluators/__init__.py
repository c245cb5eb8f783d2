"""Four ways to evaluate the same function, chosen by the shape of the circuit and checked against each other.

- `"fourier"`: the circuit's truncated Fourier series itself, exact and pruned (few rotations; inputs anywhere).
- `"matrix"`: amplitudes by one weight-dependent matrix (few qubits; inputs first).
- `"dense"`: the state of every sample, from one input to the next by a weight-dependent matrix (few qubits).
- `"state"`: the state of every sample, one layer of rotations after the other (anything else).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from qiskit.quantum_info import SparsePauliOp

from hqnn.views.evaluators.base import Evaluator
from hqnn.views.evaluators.dense import DenseEvaluator
from hqnn.views.evaluators.shots import Measurement
from hqnn.views.evaluators.state import StateEvaluator
from hqnn.views.evaluators.waves import FourierEvaluator, MatrixEvaluator
from hqnn.views.pauli_rotations import PauliRotations

__all__ = ["Evaluator", "Measurement", "Method", "compiled"]

Method = Literal["auto", "fourier", "matrix", "dense", "state"]
MAX_SERIES_QUBITS = 12
"""Up to so many qubits a series is looked for unasked; beyond, the search takes long."""

KINDS: dict[str, type[FourierEvaluator | MatrixEvaluator | DenseEvaluator | StateEvaluator]] = {
    "fourier": FourierEvaluator,
    "matrix": MatrixEvaluator,
    "dense": DenseEvaluator,
    "state": StateEvaluator,
}


def compiled(
    rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int, method: Method
) -> tuple[Method, Evaluator]:
    """The evaluator asked for, or the fastest that fits; `observables=None` measures basis-state probabilities."""
    if method not in (*KINDS, "auto"):
        raise ValueError(f"method is {method!r}; use 'auto', 'fourier', 'matrix', 'dense' or 'state'")
    if method != "auto":
        return method, KINDS[method](rotations, observables, copies)
    for name in ("fourier", "matrix", "dense") if rotations.n_qubits <= MAX_SERIES_QUBITS else ():
        with suppress(ValueError):  # it does not fit this circuit
            return name, KINDS[name](rotations, observables, copies)
    return "state", StateEvaluator(rotations, observables, copies)
