"""What is timed: three layers of the papers' shapes, one that re-uploads its inputs, and one that grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qiskit.circuit import ParameterExpression, ParameterVector, QuantumCircuit

from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.hqnn.circuits import quanvolution, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A layer and its batch.

    Args:
        title: What the book calls it.
        pc: The circuit.
        copies: Parallel circuits with weights of their own.
        batch: Samples.
    """

    title: str
    pc: Circuit
    copies: int = 1
    batch: int = 64


def reuploading(n_qubits: int = 4, n_layers: int = 3) -> Circuit:
    """Features embedded anew in every layer, by RY, then free rotations RZ RY RZ and a ring of CNOTs.

    Layers of both kinds in turns are those of Pérez-Salinas et al. (2020) and of Schuld et al. (2021).
    """
    x, theta = ParameterVector("x", n_qubits), ParameterVector("θ", 3 * n_qubits * n_layers)
    angles = iter(theta)
    circuit = QuantumCircuit(n_qubits, name="re-uploading")
    for _ in range(n_layers):
        for q in range(n_qubits):
            circuit.ry(x[q], q)
            circuit.rz(next(angles), q)
            circuit.ry(next(angles), q)
            circuit.rz(next(angles), q)
        for q in range(n_qubits):
            circuit.cx(q, (q + 1) % n_qubits)
    return Circuit(circuit=circuit, inputs=x, weights=theta, observables=pauli_on_each_qubit(n_qubits))


WORKLOADS = {
    "lcqhnn": Workload(title="lcqhnn: 4 qubits, 4 weights", pc=lcqhnn_circuit()),
    "entangling": Workload(title="4 × (5 qubits, 3 layers)", pc=strongly_entangling(), copies=4),
    "quanvolution": Workload(title="2,450 patches, 4 qubits", pc=quanvolution(), batch=2450),
    "reuploading": Workload(title="re-uploading: 4 qubits, 3 layers", pc=reuploading()),
}


@dataclass(frozen=True)
class Step:
    """One gate, in terms that every simulator knows.

    Args:
        gate: Qiskit's name of it.
        qubits: What it acts on.
        column: Column of [inputs | weights] that holds its angle, or None for a fixed gate.
        factor: What the column is multiplied by, radians.
    """

    gate: str
    qubits: tuple[int, ...]
    column: int | None
    factor: float


def steps(pc: Circuit) -> Iterator[Step]:
    """Read a circuit gate by gate, to build it again in another framework.

    Raises:
        ValueError: An angle is more than a multiple of one parameter.
    """
    parameters = [*pc.inputs, *pc.weights]
    for instruction in pc.circuit.data:
        if instruction.operation.name == "barrier":
            continue
        column, factor = None, 0.0
        for angle in instruction.operation.params:
            if not isinstance(angle, ParameterExpression) or len(angle.parameters) != 1:
                raise ValueError(f"the angle {angle} is not a multiple of one parameter; write a translation for it")
            (parameter,) = angle.parameters
            column, factor = parameters.index(parameter), float(angle.gradient(parameter))
        qubits = tuple(pc.circuit.find_bit(q).index for q in instruction.qubits)
        yield Step(instruction.operation.name, qubits, column, factor)


def measured(pc: Circuit) -> list[tuple[str, int]]:
    """Each observable as one Pauli letter on one qubit."""
    labels = [observable.paulis[0].to_label()[::-1] for observable in pc.observables]
    return [next((p, q) for q, p in enumerate(label) if p != "I") for label in labels]
