r"""The density matrix of every sample, gate by gate: circuits on noisy devices, exact.

A density matrix of n qubits is the 4**n real numbers r_P = tr(Pρ), one for each Pauli string P. On them a gate with the
channel that follows it is a constant real matrix, and an rz gate turns X and Y of its qubit into each other.
Expectation values are linear in r: what stands after the last input, the same for all samples, is carried back to the
observables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.circuit import Instruction, ParameterExpression, QuantumCircuit
from qiskit.quantum_info import PTM, SparsePauliOp, SuperOp
from torch import Tensor

from hqnn.circuit import Circuit
from hqnn.views import memory
from hqnn.views.evaluators.base import Constants, Evaluator, split
from hqnn.views.evaluators.shots import Measurement
from hqnn.views.measuring import settings
from hqnn.views.noise import Noise
from hqnn.views.pauli_rotations import Angles, angles_of


@dataclass(frozen=True)
class Step:
    """What happens to some qubits: a matrix [4**k, 4**k] on their Pauli strings, or an rz by one of the angles."""

    qubits: tuple[int, ...]
    what: NDArray[np.float64] | int


@dataclass(frozen=True)
class Reading:
    """What is executed to read all qubits once, and the observables [4**n, n_outputs] that are read."""

    steps: Sequence[Step]
    effects: NDArray[np.float64]


class DensityEvaluator(Evaluator):
    """Density matrices up to the last input, observables back to it."""

    def __init__(self, angles: Angles, readings: Sequence[Reading], copies: int) -> None:
        super().__init__(
            copies,
            input_slopes=angles.input_slopes.T,
            weight_slopes=angles.weight_slopes.T,
            constant=angles.constant,
        )
        self.angles = angles
        per_sample = np.asarray(angles.input_slopes.any(1))
        self.parts = [_Part(reading, per_sample) for reading in readings]

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """The constants, and those of each reading."""
        super().place(dtype, device)
        for part in self.parts:
            part.place(dtype, device)

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """One reading after another; of several, the shares of an expectation value are added."""
        x, w = self.angles.derive(x, w)
        shared = w @ self.weight_slopes + self.constant  # [C, R]
        varied = split(x, self.copies) @ self.input_slopes + shared.unsqueeze(1)  # [C, B, R]
        return torch.stack([part.read(shared.unsqueeze(1), varied) for part in self.parts]).sum(0), ()


class Readings(DensityEvaluator):
    """The same, with the probabilities of each reading side by side."""

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """Probabilities [B, settings * 2**n] at the angles x [B, R]."""
        varied = x.unsqueeze(0)
        return torch.cat([part.read(varied, varied) for part in self.parts], 1), ()


class _Part(Constants):
    """One reading, cut behind the last step that inputs take part in."""

    def __init__(self, reading: Reading, per_sample: NDArray[np.bool_]) -> None:
        steps = reading.steps
        last = [k for k, step in enumerate(steps) if isinstance(step.what, int) and per_sample[step.what]]
        self.steps, self.cut = steps, last[-1] + 1 if last else 0
        self.n_qubits = len(reading.effects).bit_length() // 2
        matrices = {f"matrix_{k}": step.what for k, step in enumerate(steps) if not isinstance(step.what, int)}
        start = np.zeros((4,) * self.n_qubits)
        start[tuple(np.indices((2,) * self.n_qubits) * 3)] = 1.0  # |0⟩⟨0|: one for every string of I and Z
        shape = (*(4,) * self.n_qubits, 1, -1)
        super().__init__(start=start[..., None, None], effects=reading.effects.reshape(shape), **matrices)

    def read(self, shared: Tensor, varied: Tensor) -> Tensor:
        """Outputs [B, C * n_outputs] at angles [C, 1, R] that are the same for all samples, and [C, B, R] of each."""
        copies, batch, _ = varied.shape
        n_kept = sum(isinstance(step.what, int) for step in self.steps[: self.cut])
        if not torch.compiler.is_compiling():
            memory.require(
                4.0**self.n_qubits * self.start.element_size() * copies * batch * (3 * n_kept + 2),
                f"a batch of {batch} in a noisy layer of {self.n_qubits} qubits",
                "take fewer samples at a time",
                varied.device,
            )
        state, effects = self.start, self.effects
        for k, step in enumerate(self.steps[: self.cut]):
            state = self._apply(k, step, state, varied)
        for k, step in reversed(list(enumerate(self.steps))[self.cut :]):
            effects = self._apply(k, step, effects, shared, back=True)
        state, effects = (t.flatten(0, -3).expand(-1, copies, -1) for t in (state, effects))
        out = torch.einsum("pcb,pco->bco", state, effects)
        return out.expand(batch, -1, -1).flatten(1)

    def _apply(self, k: int, step: Step, state: Tensor, angles: Tensor, *, back: bool = False) -> Tensor:
        """One step on [4, …, 4, C, B], or its transpose."""
        axes = [self.n_qubits - 1 - q for q in reversed(step.qubits)]
        if not isinstance(step.what, int):
            matrix = getattr(self, f"matrix_{k}")
            matrix = (matrix.T if back else matrix).reshape((4,) * (2 * len(axes)))
            half = range(len(axes), 2 * len(axes))
            return torch.tensordot(matrix, state, dims=(list(half), axes)).movedim(list(range(len(axes))), axes)
        angle = -angles[..., step.what] if back else angles[..., step.what]
        cosine, sine = angle.cos(), angle.sin()
        one, x, y, z = state.unbind(axes[0])
        turned = (one, cosine * x - sine * y, sine * x + cosine * y, z)
        return torch.stack(torch.broadcast_tensors(*turned), axes[0])


def noisy(pc: Circuit, observables: Sequence[SparsePauliOp] | None, noise: Noise, copies: int) -> DensityEvaluator:
    """Expectation values on a noisy device, or the probabilities of what all qubits read there.

    Raises:
        ValueError: More qubits than the device has, or than there is memory for; an angle is not finite.
    """
    return DensityEvaluator(*_executed(pc, _settings_of(pc, observables), noise), copies)


def measured(pc: Circuit, observables: Sequence[SparsePauliOp], noise: Noise, copies: int) -> Measurement:
    """Expectation values estimated from shots on a noisy device."""
    found = settings(observables)
    angles, readings = _executed(pc, [(turn, np.eye(2**pc.n_qubits)) for turn, _ in found], noise)
    signs = np.concatenate([signs for _, signs in found])
    return Measurement(angles, Readings(angles.given_themselves(), readings, 1), len(found), signs, copies)


def _settings_of(
    pc: Circuit, observables: Sequence[SparsePauliOp] | None
) -> list[tuple[QuantumCircuit, NDArray[np.float64]]]:
    n = pc.n_qubits
    return [(QuantumCircuit(n), np.eye(2**n))] if observables is None else settings(observables)


def _executed(
    pc: Circuit, wanted: Sequence[tuple[QuantumCircuit, NDArray[np.float64]]], noise: Noise
) -> tuple[Angles, list[Reading]]:
    """The angles of all rz gates that parameters enter, and what is executed for each setting."""
    if not isinstance(noise, Noise):
        raise ValueError(f"noise is {noise!r}; pass a `hqnn.views.noise.Noise`, such as `noise.manila()`")
    n = pc.n_qubits
    outputs = wanted[0][1].shape[1]
    memory.require(64 * 4.0**n * max(outputs, 4), f"a noisy layer of {n} qubits", "use fewer qubits")
    angles: dict[tuple[str, int], ParameterExpression] = {}  # by the formula, and how often it has occurred
    matrices: dict[Any, NDArray[np.float64]] = {}
    readings = []
    for turn, signs in wanted:
        template = noise.executed(pc.circuit.compose(turn))
        places = template.layout.final_index_layout() if template.layout else list(range(n))  # routing moves qubits
        steps = _steps(noise.let_relax(template), noise, angles, matrices)
        read = noise.misread(np.eye(2**n), places) @ signs  # what is read on average in each basis state
        readings.append(Reading(steps, _on_strings(read, places)))
    return angles_of(pc, list(angles.values())), readings


def _steps(
    circuit: QuantumCircuit,
    noise: Noise,
    angles: dict[tuple[str, int], ParameterExpression],
    matrices: dict[Any, NDArray[np.float64]],
) -> Sequence[Step]:
    """A physical circuit in as few steps as there are rz gates with parameters and gates on two qubits, about."""
    steps: list[Step] = []
    waiting: dict[int, NDArray[np.float64]] = {}  # what has happened to a single qubit since its last step
    seen: Counter[str] = Counter()

    def flush(q: int) -> None:
        if q in waiting:
            steps.append(Step((q,), waiting.pop(q)))

    for instruction in circuit.data:
        gate, qubits = instruction.operation, tuple(circuit.find_bit(q).index for q in instruction.qubits)
        if gate.name in ("barrier", "delay"):
            continue
        if gate.name == "rz" and isinstance(gate.params[0], ParameterExpression):
            key = str(gate.params[0])
            place = (key, seen[key])
            seen[key] += 1
            angles.setdefault(place, gate.params[0])
            flush(qubits[0])
            steps.append(Step(qubits, list(angles).index(place)))
            continue
        kind = (gate.name, qubits, *gate.params)
        if gate.name == "quantum_channel" or kind not in matrices:  # relaxation has one name for all times
            matrices[kind] = _matrix(gate, noise, qubits)
        matrix = matrices[kind]
        if len(qubits) == 1:
            waiting[qubits[0]] = matrix @ waiting.get(qubits[0], np.eye(4))
        else:
            before = np.eye(1)
            for q in qubits:
                before = np.asarray(np.kron(waiting.pop(q, np.eye(4)), before), float)
            steps.append(Step(qubits, matrix @ before))
    for q in list(waiting):
        flush(q)
    return steps


def _matrix(gate: Instruction, noise: Noise, qubits: tuple[int, ...]) -> NDArray[np.float64]:
    """A gate or channel, and the noise after it, on Pauli strings [4**k, 4**k]."""
    error = noise.channel(gate.name, qubits)
    found = SuperOp(gate) if error is None else SuperOp(gate).compose(SuperOp(error))
    return np.asarray(PTM(found).data.real)


def _on_strings(read: NDArray[np.float64], places: Sequence[int]) -> NDArray[np.float64]:
    """Functions of the basis states [2**n, n_outputs] as observables [4**n, n_outputs], each qubit on its place."""
    n = len(places)
    of_bit = np.array([[1, 0, 0, 1], [1, 0, 0, -1]]) / 2  # |0⟩⟨0| = (I + Z) / 2
    found = read.reshape(*(2,) * n, -1)
    for axis in range(n):
        found = np.asarray(np.moveaxis(np.tensordot(found, of_bit, axes=(axis, 0)), -1, axis), float)
    found = np.moveaxis(found, [n - 1 - q for q in range(n)], [n - 1 - place for place in places])
    return found.reshape(4**n, -1)
