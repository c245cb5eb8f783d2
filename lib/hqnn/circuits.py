"""The papers' circuits: the only place in this project where gates are written down.

A `ParametricCircuit` holds a Qiskit circuit, which of its parameters are data, which are trained, and what is measured.
Everything else is a view of it: drawings, Bloch vectors, Aer runs, Fourier spectra, the differentiable PyTorch layer.

Qubit order is Qiskit's everywhere: qubit 0 is the *rightmost* letter of a Pauli label and the least significant bit of
a basis state's index.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from qiskit.circuit import (
    Barrier,
    ControlledGate,
    Instruction,
    Measure,
    Parameter,
    ParameterExpression,
    ParameterVector,
    QuantumCircuit,
    Reset,
)
from qiskit.circuit.library import UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import SparsePauliOp

Order = Literal["time", "product"]
"""How a printed product of gates is read: left factor first in time, or as operators (right factor first)."""

Cnots = Literal["chain", "reversed", "star", "none"]
"""Which three CNOTs the quanvolution has, in time order: 01 12 23, or 23 12 01, or 01 02 03; or none (the ablation)."""

STANDARD_GATES = frozenset(
    {gate.base_class for gate in get_standard_gate_name_mapping().values()} - {Measure, Reset} | {Barrier, UnitaryGate}
)
"""Classes of the instructions that every view of a circuit knows, and a matrix gate."""


@dataclass(frozen=True, kw_only=True)
class ParametricCircuit:
    """A circuit with its inputs, its trainable weights and its observables.

    Args:
        circuit: Gates only; no measurements, resets or classical bits.
        inputs: Parameters that carry data, in the order of the columns of a feature matrix [B, n_inputs]; radians
            unless the circuit itself rescales them.
        weights: Trainable parameters, radians.
        observables: Hermitian operators on all qubits of the circuit; their expectation values are the outputs.

    Raises:
        TypeError: Something is of another type, or a single parameter or observable stands where a list of them should.
        ValueError: A parameter of the circuit is in neither list, one is listed twice or in both, a listed one does not
            occur, the circuit has an instruction that is not a unitary gate, an angle that is NaN or infinite, or
            classical bits; an observable has another width than the circuit, is not Hermitian, or its coefficients are
            not finite numbers.
    """

    circuit: QuantumCircuit
    inputs: Sequence[Parameter]
    weights: Sequence[Parameter]
    observables: Sequence[SparsePauliOp]

    def __post_init__(self) -> None:
        if not isinstance(self.circuit, QuantumCircuit):
            raise TypeError(f"circuit is a {type(self.circuit).__name__}; pass a QuantumCircuit")
        for field, kind in (("inputs", Parameter), ("weights", Parameter), ("observables", SparsePauliOp)):
            object.__setattr__(self, field, _listed(field, getattr(self, field), kind))
        _check_gates(self.circuit)
        listed = [*self.inputs, *self.weights]
        twice = sorted({p.name for p in listed if listed.count(p) > 1})
        if twice:
            raise ValueError(f"parameter {twice[0]!r} is listed twice among inputs and weights; list each one once")
        unbound = sorted(p.name for p in self.circuit.parameters if p not in listed)
        if unbound:
            raise ValueError(
                f"circuit parameter {unbound[0]!r} is neither an input nor a weight; list it or bind a value to it"
            )
        idle = sorted(p.name for p in listed if p not in self.circuit.parameters)
        if idle:
            raise ValueError(f"parameter {idle[0]!r} does not occur in the circuit; remove it from inputs and weights")
        if not self.observables:
            raise ValueError("no observables given; pass at least one SparsePauliOp to measure")
        for k, observable in enumerate(self.observables):
            if observable.num_qubits != self.circuit.num_qubits:
                raise ValueError(
                    f"observable {k} acts on {observable.num_qubits} qubits but the circuit has "
                    f"{self.circuit.num_qubits}; pad its labels with I"
                )
            coefficients = observable.coeffs
            if coefficients.dtype == object or not np.isfinite(coefficients).all():
                raise ValueError(
                    f"observable {k} has a coefficient that is not a finite number; bind its parameters, or "
                    "check what computed it"
                )
            if abs(coefficients.imag).max() > 1e-12:
                raise ValueError(f"observable {k} has complex coefficients; a measured observable is Hermitian")

    @property
    def n_qubits(self) -> int:
        """Number of qubits."""
        return int(self.circuit.num_qubits)

    @property
    def n_inputs(self) -> int:
        """Number of input parameters."""
        return len(self.inputs)

    @property
    def n_weights(self) -> int:
        """Number of trainable parameters."""
        return len(self.weights)

    @property
    def n_observables(self) -> int:
        """Number of outputs."""
        return len(self.observables)

    def stages(self) -> dict[str, QuantumCircuit]:
        """Split at labelled barriers: the circuit up to each one, under its label, in time order.

        Returns:
            Label of the barrier -> the sub-circuit from the start up to it, over the same qubits. A circuit without
            labelled barriers gives an empty mapping.
        """
        stages: dict[str, QuantumCircuit] = {}
        part = self.circuit.copy_empty_like()
        for instruction in self.circuit.data:
            if isinstance(instruction.operation, Barrier):
                if instruction.operation.label:
                    stages[instruction.operation.label] = part.copy()
            else:
                part.append(instruction)
        return stages


def _listed(field: str, value: object, kind: type) -> tuple[Parameter | SparsePauliOp, ...]:
    """A field's value as a tuple, or a sentence on why it is no list of that kind."""
    if isinstance(value, (str, ParameterExpression, SparsePauliOp)) or not isinstance(value, Iterable):
        raise TypeError(f"{field} is a single {type(value).__name__}; put it in a list: {field}=[…]")
    if isinstance(value, (set, frozenset)):
        raise TypeError(f"{field} is a set, which has no order; pass a list")
    items = tuple(value)
    for k, item in enumerate(items):
        if not isinstance(item, kind):
            raise TypeError(f"{field}[{k}] is a {type(item).__name__}; pass a {kind.__name__}")
    return items


def _check_gates(circuit: QuantumCircuit) -> None:
    """See that a circuit consists of unitary gates with finite angles."""
    for gate, qubits in opened(circuit, STANDARD_GATES):
        if not all(isinstance(value, ParameterExpression) or np.isfinite(value).all() for value in gate.params):
            raise ValueError(f"gate {gate.name!r} on qubits {qubits} has an angle that is NaN or infinite")
    if circuit.num_clbits:
        raise ValueError(
            "the circuit has classical bits, which nothing here reads; leave them out, as "
            "circuit.remove_final_measurements(inplace=False) does"
        )


def opened(circuit: QuantumCircuit, known: Collection[type]) -> Iterator[tuple[Instruction, list[int]]]:
    """The instructions of a circuit, those of other than known classes replaced by their definitions, and so on.

    What an instruction is called proves nothing: a composite gate may bear the name of any standard one.

    Args:
        circuit: Any gates.
        known: Classes of instructions to leave as they are; a gate controlled by zeros is none of them.

    Yields:
        Instructions in time order, and the indices of their qubits.

    Raises:
        ValueError: An instruction is neither known nor defined by gates.
    """
    for instruction in circuit.data:
        gate, qubits = instruction.operation, [circuit.find_bit(q).index for q in instruction.qubits]
        by_zeros = isinstance(gate, ControlledGate) and gate.ctrl_state != 2**gate.num_ctrl_qubits - 1
        if not by_zeros and class_of(gate) in known:
            yield gate, qubits
            continue
        definition = getattr(gate, "definition", None)
        if definition is None or gate.num_clbits:
            raise ValueError(
                f"{gate.name!r} is not a unitary gate with a definition; remove it or write it in standard gates"
            )
        yield from ((inner, [qubits[q] for q in inner_qubits]) for inner, inner_qubits in opened(definition, known))


def class_of(gate: Instruction) -> type:
    """The class that tells what a gate does; Qiskit's own gates are often of a hidden subclass of it."""
    return getattr(gate, "base_class", type(gate))


def pauli_on_each_qubit(n_qubits: int, pauli: Literal["X", "Y", "Z"] = "Z") -> tuple[SparsePauliOp, ...]:
    """The same Pauli matrix measured on every qubit.

    Args:
        n_qubits: Number of qubits.
        pauli: Which Pauli matrix.

    Returns:
        One observable per qubit, qubit 0 first.
    """
    return tuple(SparsePauliOp.from_sparse_list([(pauli, [q], 1.0)], num_qubits=n_qubits) for q in range(n_qubits))


def parity(n_qubits: int) -> SparsePauliOp:
    """Z on all qubits at once: +1 for an even number of ones, -1 for an odd one."""
    return SparsePauliOp("Z" * n_qubits)


def lcqhnn(order: Order = "time", *, n_qubits: int = 4, n_layers: int = 1, entangle: bool = True) -> ParametricCircuit:
    r"""The four-qubit circuit of the lean hybrid network [lcqhnn, eq. 2-7, fig. 2].

    $$|\psi_6\rangle = H_0\,C^\dagger\,\prod_i R_Y(\theta_i)\;C\;\prod_i U_1(2x_i)\;H^{\otimes 4}|0\rangle^{\otimes 4}$$

    where C is the ladder of CNOTs of eq. 4 and its inverse that of eq. 6. Labelled barriers mark the printed states.

    Args:
        order: `"time"` applies the CNOTs of eq. 4 as 01, 12, 23 and those of eq. 6 as 23, 12, 01, as the text describes
            them; `"product"` reads both equations as operator products, which reverses the two ladders.
        n_qubits: Qubits; the paper has 4.
        n_layers: Repetitions of ladder, rotations, inverse ladder; the paper has 1. A ladder cancels the inverse before
            it, so the angles of all layers add up: deeper circuits compute the same, and serve to compare noise.
        entangle: False leaves out all CNOTs (the ablation).

    Returns:
        Inputs x[0..n-1] (features, each encoded with phase 2 x), weights theta (radians), observables Z on each qubit,
        qubit 0 first.

    Raises:
        ValueError: Unknown order, or fewer than one qubit or layer.
    """
    if order not in ("time", "product"):
        raise ValueError(f"order is {order!r}; use 'time' or 'product'")
    if n_qubits < 1 or n_layers < 1:
        raise ValueError(f"n_qubits is {n_qubits} and n_layers is {n_layers}; both must be at least 1")
    x = ParameterVector("x", n_qubits)
    theta = ParameterVector("θ", n_qubits * n_layers)
    ladder = [(q, q + 1) for q in range(n_qubits - 1)] if entangle else []
    if order == "product":
        ladder = ladder[::-1]
    circuit = QuantumCircuit(n_qubits, name="lcqhnn")
    circuit.h(range(n_qubits))
    circuit.barrier(label="ψ1")
    for q in range(n_qubits):
        circuit.p(2 * x[q], q)
    circuit.barrier(label="ψ2")
    for layer in range(n_layers):
        mark = "" if n_layers == 1 else f".{layer + 1}"
        for control, target in ladder:
            circuit.cx(control, target)
        circuit.barrier(label=f"ψ3{mark}")
        for q in range(n_qubits):
            circuit.ry(theta[layer * n_qubits + q], q)
        circuit.barrier(label=f"ψ4{mark}")
        for control, target in reversed(ladder):
            circuit.cx(control, target)
        circuit.barrier(label=f"ψ5{mark}")
    circuit.h(0)
    circuit.barrier(label="ψ6")
    return ParametricCircuit(circuit=circuit, inputs=x, weights=theta, observables=pauli_on_each_qubit(n_qubits))


def strongly_entangling(
    *, n_qubits: int = 5, n_layers: int = 3, pauli: Literal["X", "Y", "Z"] = "Y", entangle: bool = True
) -> ParametricCircuit:
    r"""One of the parallel circuits of HQNN-Parallel [hqnn, §2.2.3, eq. 1].

    $$v_j = \langle 0|\,R_X(\phi)^\dagger\,U(\theta)^\dagger\,Y_j\,U(\theta)\,R_X(\phi)\,|0\rangle$$

    U has `n_layers` layers like PennyLane's `StronglyEntanglingLayers`: in layer l each qubit is rotated by RZ(α),
    RY(β), RZ(γ) in time order, then a CNOT goes from every qubit q to qubit (q + r) mod n, r = (l mod (n - 1)) + 1.
    Labelled barriers mark the end of the embedding and of each layer.

    Args:
        n_qubits: Qubits, and inputs; the paper has 5.
        n_layers: Layers; the paper has 3.
        pauli: What is measured on each qubit; the paper measures Y.
        entangle: False leaves out all CNOTs (the ablation).

    Returns:
        Inputs φ[0..n-1], radians; weights θ in the order of PennyLane's array [n_layers, n_qubits, 3] (α, β, γ);
        one observable per qubit, qubit 0 first.

    Raises:
        ValueError: Fewer than one qubit or layer.
    """
    if n_qubits < 1 or n_layers < 1:
        raise ValueError(f"n_qubits is {n_qubits} and n_layers is {n_layers}; both must be at least 1")
    phi = ParameterVector("φ", n_qubits)
    theta = ParameterVector("θ", 3 * n_qubits * n_layers)
    circuit = QuantumCircuit(n_qubits, name="strongly entangling")
    for q in range(n_qubits):
        circuit.rx(phi[q], q)
    circuit.barrier(label="embedding")
    angles = iter(theta)
    for layer in range(n_layers):
        for q in range(n_qubits):
            circuit.rz(next(angles), q)
            circuit.ry(next(angles), q)
            circuit.rz(next(angles), q)
        if entangle and n_qubits > 1:
            reach = layer % (n_qubits - 1) + 1
            for q in range(n_qubits):
                circuit.cx(q, (q + reach) % n_qubits)
        circuit.barrier(label=f"layer {layer + 1}")
    return ParametricCircuit(
        circuit=circuit, inputs=phi, weights=theta, observables=pauli_on_each_qubit(n_qubits, pauli)
    )


_QUANVOLUTION_CNOTS: Mapping[Cnots, Sequence[tuple[int, int]]] = {
    "chain": ((0, 1), (1, 2), (2, 3)),
    "reversed": ((2, 3), (1, 2), (0, 1)),
    "star": ((0, 1), (0, 2), (0, 3)),
    "none": (),
}


def quanvolution(
    axis: Literal["x", "y", "z"] = "y", cnots: Cnots = "chain", *, rotations_first: bool = True
) -> ParametricCircuit:
    r"""The kernel of HQNN-Quanv: 2x2 pixels on four qubits, one output each [hqnn, section 2.3.2, fig. 7].

    $$f_k(x) = \langle 0|\,R_Y(\pi x)^\dagger\,U(\theta)^\dagger\,Z_k\,U(\theta)\,R_Y(\pi x)\,|0\rangle$$

    U is one trainable rotation per qubit and three CNOTs. The text leaves open the axis of the rotations, which qubits
    the CNOTs join, and which of the two comes first. Labelled barriers mark the ends of the three parts.

    Args:
        axis: Axis of the trainable rotations.
        cnots: Which CNOTs there are.
        rotations_first: False puts the CNOTs before the rotations.

    Returns:
        Inputs x[0..3], the pixels in [0, 1] row by row, each encoded as RY(pi x); weights theta[0..3], radians; Z on
        each qubit, qubit 0 first.

    Raises:
        ValueError: Unknown axis or CNOTs.
    """
    if axis not in ("x", "y", "z"):
        raise ValueError(f"axis is {axis!r}; use 'x', 'y' or 'z'")
    if cnots not in _QUANVOLUTION_CNOTS:
        raise ValueError(f"cnots is {cnots!r}; use one of {', '.join(map(repr, _QUANVOLUTION_CNOTS))}")
    n_qubits = 4
    x, theta = ParameterVector("x", n_qubits), ParameterVector("θ", n_qubits)
    circuit = QuantumCircuit(n_qubits, name="quanvolution")
    for q in range(n_qubits):
        circuit.ry(math.pi * x[q], q)
    circuit.barrier(label="embedding")
    for part in ("rotations", "CNOTs") if rotations_first else ("CNOTs", "rotations"):
        if part == "rotations":
            for q in range(n_qubits):
                getattr(circuit, f"r{axis}")(theta[q], q)
        else:
            for control, target in _QUANVOLUTION_CNOTS[cnots]:
                circuit.cx(control, target)
        circuit.barrier(label=part)
    return ParametricCircuit(circuit=circuit, inputs=x, weights=theta, observables=pauli_on_each_qubit(n_qubits))


Encoding = Literal["arccos", "angle"]
"""What a feature x becomes: RY(2 arccos x), which needs -1 <= x <= 1, or RY(x) with x in radians."""


def transfer(
    encoding: Encoding = "arccos", *, n_qubits: int = 5, n_layers: int = 1, entangle: bool = True
) -> ParametricCircuit:
    r"""The circuit without trainable gates that turns features into features [transfer, section 3.4].

    $$|\psi_3\rangle = \mathrm{CX}_{34}\,\mathrm{CX}_{23}\,\mathrm{CX}_{12}\,\mathrm{CX}_{01}\;H^{\otimes5}\;
    \prod_i R_Y(2\arccos x_i)\,|0\rangle^{\otimes5}$$

    RY(2 arccos x)|0> has the amplitudes x and sqrt(1 - x^2). The paper does not say which CNOTs it means; the cascade
    down the qubits is what its second version names. Labelled barriers mark the states after each step.

    Args:
        encoding: `"arccos"` as in the paper's first version, `"angle"` as in its second.
        n_qubits: Qubits; the paper has 5.
        n_layers: Repetitions of the whole block, each with `n_qubits` features of its own (re-uploading); the paper
            draws one.
        entangle: False leaves out all CNOTs (the ablation).

    Returns:
        Inputs x[0..n_qubits * n_layers - 1], no weights, observables Z on each qubit, qubit 0 first.

    Raises:
        ValueError: Unknown encoding, or fewer than one qubit or layer.
    """
    if encoding not in ("arccos", "angle"):
        raise ValueError(f"encoding is {encoding!r}; use 'arccos' or 'angle'")
    if n_qubits < 1 or n_layers < 1:
        raise ValueError(f"n_qubits is {n_qubits} and n_layers is {n_layers}; both must be at least 1")
    x = ParameterVector("x", n_qubits * n_layers)
    circuit = QuantumCircuit(n_qubits, name="transfer")
    for layer in range(n_layers):
        mark = "" if n_layers == 1 else f".{layer + 1}"
        for q in range(n_qubits):
            feature = x[layer * n_qubits + q]
            circuit.ry(2 * feature.arccos() if encoding == "arccos" else feature, q)
        circuit.barrier(label=f"ψ1{mark}")
        circuit.h(range(n_qubits))
        circuit.barrier(label=f"ψ2{mark}")
        for q in range(n_qubits - 1) if entangle else ():
            circuit.cx(q, q + 1)
        circuit.barrier(label=f"ψ3{mark}")
    return ParametricCircuit(circuit=circuit, inputs=x, weights=(), observables=pauli_on_each_qubit(n_qubits))


def reuploading(n_embeddings: int, *, trained: bool = True) -> ParametricCircuit:
    r"""One input embedded several times on one qubit, with free rotations around the embeddings [hqnn, app. A.2].

    Args:
        n_embeddings: How often RX(x) acts.
        trained: Whether a free rotation RZ RY RZ stands between the embeddings, too; one always stands before the first
            of them and one after the last.

    Returns:
        One input x, the angles of the rotations as weights, and Y as observable.

    Raises:
        ValueError: Fewer than one embedding.
    """
    if n_embeddings < 1:
        raise ValueError(f"n_embeddings is {n_embeddings}; embed the input at least once")
    x = ParameterVector("x", 1)
    theta = ParameterVector("θ", 3 * (n_embeddings + 1 if trained else 2))
    angles = iter(theta)
    circuit = QuantumCircuit(1, name="re-uploading")
    for k in range(n_embeddings + 1):
        if trained or k in (0, n_embeddings):
            circuit.rz(next(angles), 0)
            circuit.ry(next(angles), 0)
            circuit.rz(next(angles), 0)
        if k < n_embeddings:
            circuit.rx(x[0], 0)
    return ParametricCircuit(circuit=circuit, inputs=x, weights=theta, observables=pauli_on_each_qubit(1, "Y"))
