"""The same circuits through Qiskit's primitives: what any `EstimatorV2` or `SamplerV2` gives, simulator or device.

Everywhere, inputs are features [B, n_inputs], and weights are angles [n_weights] in radians, the same for all samples;
all samples are one job. A device wants circuits in its own gates and couplings: `passes` is the pass manager that
writes them so, as `qiskit.transpiler.generate_preset_pass_manager(backend=…)` makes one; without it a circuit is run as
it stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Parameter
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.transpiler import PassManager

from hqnn.circuit import Circuit, spelled
from hqnn.views.values import Values, as_values


def expectations(
    pc: Circuit,
    inputs: Values,
    weights: Values,
    *,
    estimator: BaseEstimatorV2,
    passes: PassManager | None = None,
    precision: float | None = None,
) -> NDArray[np.float64]:
    """Expectation values [B, n_observables], to a standard error of `precision` if the estimator is not exact.

    >>> from qiskit.primitives import StatevectorEstimator
    >>> from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
    >>> x, w = [[0.0] * 4], [0.0] * 4
    >>> found = expectations(lcqhnn_circuit(), x, w, estimator=StatevectorEstimator())
    >>> found.round(2).tolist()
    [[1.0, 0.0, 0.0, 0.0]]

    Raises:
        ValueError: Wrong shape, or a NaN or infinite value.
    """
    bindings, n_samples = _bindings(pc, inputs, weights)
    circuit = spelled(pc.circuit)
    observables: list[Any] = list(pc.observables)
    if passes is not None:
        circuit = passes.run(circuit)
        observables = [observable.apply_layout(circuit.layout) for observable in observables]
    pairs = {names: values[:, None] for names, values in bindings.items()}  # each sample with each observable
    (result,) = estimator.run([(circuit, observables, pairs)], precision=precision).result()
    return np.broadcast_to(np.asarray(result.data.evs, float), (n_samples, pc.n_observables)).copy()


def counts(
    pc: Circuit,
    inputs: Values,
    weights: Values,
    *,
    sampler: BaseSamplerV2,
    passes: PassManager | None = None,
    shots: int,
) -> NDArray[np.int64]:
    """How often each bit string is read in so many shots [B, 2**n_qubits]; bit q of the last index is qubit q's.

    Raises:
        ValueError: Wrong shape, a NaN or infinite value, or fewer than one shot.
    """
    if shots < 1:
        raise ValueError(f"shots is {shots}; measure at least once")
    bindings, n_samples = _bindings(pc, inputs, weights)
    circuit = spelled(pc.circuit)
    circuit.measure_all()
    if passes is not None:
        circuit = passes.run(circuit)
    pubs: list[Any] = [(circuit, bindings)] if bindings else [(circuit,)] * n_samples
    results = sampler.run(pubs, shots=shots).result()
    read = [result.data.meas[k] for result in results for k in np.ndindex(result.data.meas.shape)]
    found = np.zeros((n_samples, 2**pc.n_qubits), np.int64)
    for row, sample in zip(found, read, strict=True):
        for outcome, count in sample.get_int_counts().items():
            row[outcome] = count
    return found


def _bindings(
    pc: Circuit, inputs: Values, weights: Values
) -> tuple[dict[tuple[Parameter, ...], NDArray[np.float64]], int]:
    """Values [B, n] of all parameters together, as primitives take them, or of none; and the number of samples."""
    x, w = as_values(pc, inputs, weights)
    parameters = (*pc.inputs, *pc.weights)
    values = np.concatenate([x, np.broadcast_to(w, (len(x), len(w)))], axis=1)
    return ({parameters: values} if parameters else {}), len(x)
