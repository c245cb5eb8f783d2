"""A circuit with its inputs, weights and observables.

A `Circuit` holds a Qiskit circuit, which of its parameters are data, which are trained, and what is measured.
Everything else is a view of it: drawings, Bloch vectors, Aer runs, Fourier spectra, the differentiable PyTorch layer.

Qubit order is Qiskit's everywhere: qubit 0 is the *rightmost* letter of a Pauli label and the least significant bit of
a basis state's index.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import (
    Barrier,
    ControlledGate,
    Delay,
    Instruction,
    Measure,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    Reset,
)
from qiskit.circuit.library import GlobalPhaseGate, UnitaryGate, get_standard_gate_name_mapping
from qiskit.quantum_info import SparsePauliOp

STANDARD_GATES = frozenset(
    {gate.base_class for gate in get_standard_gate_name_mapping().values()} - {Measure, Reset} | {Barrier, UnitaryGate}
)
"""Classes of the instructions that every view of a circuit knows, and a matrix gate."""


@dataclass(frozen=True, kw_only=True)
class Circuit:
    """A circuit with its inputs, its trainable weights and its observables.

    Args:
        circuit: Gates only; no measurements, resets or classical bits.
        inputs: Parameters that carry data, in the order of the columns of a feature matrix [B, n_inputs]; radians
            unless the circuit itself rescales them.
        weights: Trainable parameters, radians.
        observables: Hermitian operators on all qubits of the circuit; their expectation values are the outputs.

    >>> from qiskit.circuit import ParameterVector, QuantumCircuit
    >>> x, w = ParameterVector("x", 2), ParameterVector("w", 2)
    >>> gates = QuantumCircuit(2)
    >>> for q in range(2):
    ...     _ = gates.rx(x[q], q), gates.ry(w[q], q)
    >>> _ = gates.cx(0, 1)
    >>> z = pauli_on_each_qubit(2)
    >>> pc = Circuit(circuit=gates, inputs=x, weights=w, observables=z)
    >>> pc.n_inputs, pc.n_weights, pc.n_observables
    (2, 2, 2)

    Raises:
        TypeError: Something is of another type, or a single parameter or observable stands where a list of them should.
        ValueError: Parameters of the circuit and those listed are not the same, each once; the circuit has classical
            bits, an instruction that is not a unitary gate, or an angle that is not finite; an observable has another
            width, is not Hermitian, or has coefficients that are not finite numbers.
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
        listed, acting = [*self.inputs, *self.weights], self.circuit.parameters
        for wrong, sentence in (
            (
                [p for p in listed if listed.count(p) > 1],
                "is listed twice among inputs and weights; list each one once",
            ),
            ([p for p in acting if p not in listed], "is neither an input nor a weight; list it or bind a value to it"),
            (
                [p for p in listed if p not in acting],
                "does not occur in the circuit; remove it from inputs and weights",
            ),
        ):
            if wrong:
                raise ValueError(f"parameter {min(p.name for p in wrong)!r} {sentence}")
        if not self.observables:
            raise ValueError("no observables given; pass at least one SparsePauliOp to measure")
        for k, observable in enumerate(self.observables):
            if observable.num_qubits != self.n_qubits:
                raise ValueError(
                    f"observable {k} acts on {observable.num_qubits} qubits but the circuit has {self.n_qubits}; pad "
                    "its labels with I"
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

    @cached_property
    def digest(self) -> str:
        """What the circuit does with its inputs and weights, as the sha256 of its canonical form, in hexadecimal.

        The form holds the numbers of qubits, inputs and weights; the gates by class, qubits and angles, whatever they
        are called and in whichever order independent ones were written; and each observable's Pauli strings. Names,
        labels, barriers and global phases are no part of it. Numbers count to 12 digits, the rest being rounding.
        """
        form = [self.n_qubits, self.n_inputs, self.n_weights, _canonical_gates(self)]
        form.append([_canonical_observable(observable) for observable in self.observables])
        return hashlib.sha256(json.dumps(form).encode()).hexdigest()

    def stages(self) -> dict[str, QuantumCircuit]:
        """The circuit up to each labelled barrier, under its label, in time order; all on the same qubits."""
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
            written = kind is SparsePauliOp and isinstance(item, str)
            way = f"SparsePauliOp({item!r})" if written else f"a {kind.__name__}"
            raise TypeError(f"{field}[{k}] is a {type(item).__name__}; pass {way}")
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
    """The instructions in time order and their qubits, those of other than known classes opened into their definitions.

    What an instruction is called proves nothing: a composite gate may bear the name of any standard one. A gate
    controlled by zeros is none of the known ones.

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


def spelled(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit in standard gates alone: transpilers and Aer go by names, which a composite gate may borrow."""
    found = circuit.copy_empty_like()
    for gate, qubits in opened(circuit, STANDARD_GATES):
        found.append(gate, qubits)
    return found


def class_of(gate: Instruction) -> type:
    """The class that tells what a gate does; Qiskit's own gates are often of a hidden subclass of it."""
    return getattr(gate, "base_class", type(gate))


def affine(
    angle: float | ParameterExpression, parameters: Sequence[Parameter]
) -> tuple[NDArray[np.float64], float] | None:
    """An angle as slopes [n_parameters] and a constant, in radians; None where it is no affine function."""
    slopes = np.zeros(len(parameters))
    if not isinstance(angle, ParameterExpression):
        return slopes, float(angle)
    try:
        for k, parameter in enumerate(parameters):
            if parameter in angle.parameters:
                slopes[k] = float(angle.gradient(parameter))
    except (TypeError, RuntimeError):  # the slope depends on parameters, or Qiskit cannot differentiate the function
        return None
    try:
        at_one = float(angle.bind(dict.fromkeys(angle.parameters, 1.0)))
    except RuntimeError:  # Qiskit's for a result of NaN
        at_one = math.nan
    return slopes, at_one - slopes.sum()


def _canonical_gates(pc: Circuit) -> list[Any]:
    """Class, qubits and angles of each gate, sorted by the first moment at which it can act, then by qubits."""
    parameters = [*pc.inputs, *pc.weights]
    moments = [0] * pc.n_qubits  # at which each qubit is free
    placed = []
    for gate, qubits in opened(pc.circuit, STANDARD_GATES):
        if class_of(gate) in (Barrier, GlobalPhaseGate):
            continue
        moment = max(moments[q] for q in qubits)
        for q in qubits:
            moments[q] = moment + 1
        angles = [_canonical_angle(value, parameters) for value in gate.params]
        unit = [gate.unit] if class_of(gate) is Delay else []
        placed.append((moment, qubits, [class_of(gate).__name__, qubits, *angles, *unit]))
    return [form for _, _, form in sorted(placed, key=lambda entry: entry[:2])]


def _canonical_angle(value: Any, parameters: list[Parameter]) -> list[Any]:
    """A number, a matrix, or a function of parameters as numbers that tell it from others.

    Parameters go by their places among inputs and weights. An affine function is its slopes and its constant. Any other
    is what it gives at fixed points: formulas are written differently by different versions of an algebra program.
    """
    if isinstance(value, np.ndarray):
        entries = value.ravel().round(12)
        return [[_digits(entry) for entry in part] for part in (entries.real, entries.imag)]
    line = affine(value, parameters)
    if line is not None:
        slopes, constant = line
        return [[[int(k), _digits(slopes[k])] for k in np.flatnonzero(slopes)], _digits(round(constant, 12))]
    arguments = [k for k, parameter in enumerate(parameters) if parameter in value.parameters]
    n_points = 12
    points = 3 * np.cos(np.arange(1, 1 + n_points * len(arguments))).round(6).reshape(n_points, -1)
    points[: n_points // 2] /= 3  # half of them where sines and cosines lie
    values = []
    for point in points.tolist():
        try:
            bound = float(value.bind({parameters[k]: at for k, at in zip(arguments, point, strict=True)}))
        except (TypeError, RuntimeError, ZeroDivisionError):  # not real, or not a number
            bound = math.nan
        values.append(f"{bound + 0.0:.9g}" if math.isfinite(bound) else "undefined")
    return [arguments, values]


def _canonical_observable(observable: SparsePauliOp) -> list[tuple[str, str]]:
    """Pauli strings in alphabetical order, each once, and their coefficients."""
    sums: dict[str, float] = {}
    for label, coefficient in observable.to_list():
        sums[label] = sums.get(label, 0.0) + coefficient.real
    largest = max(map(abs, sums.values()))
    return [(label, _digits(value)) for label, value in sorted(sums.items()) if abs(value) > 1e-12 * largest]


def _digits(value: float) -> str:
    """A number to 12 significant digits, without a negative zero."""
    return f"{value + 0.0:.12g}"


def pauli_on_each_qubit(n_qubits: int, pauli: Literal["X", "Y", "Z"] = "Z") -> tuple[SparsePauliOp, ...]:
    """The same Pauli matrix measured on every qubit, qubit 0 first."""
    return tuple(SparsePauliOp.from_sparse_list([(pauli, [q], 1.0)], num_qubits=n_qubits) for q in range(n_qubits))


def outcomes(n_qubits: int, qubits: Sequence[int] | None = None) -> tuple[SparsePauliOp, ...]:
    """The probabilities of the 2**k outcomes of k qubits, or of all, as observables: projectors on basis states.

    Bit j of an outcome's place is that of the j-th qubit named. Each is a sum of 2**k Pauli strings of I and Z.

    >>> [observable.to_list() for observable in outcomes(2, [1])]
    [[('II', (0.5+0j)), ('ZI', (0.5+0j))], [('II', (0.5+0j)), ('ZI', (-0.5+0j))]]

    Raises:
        ValueError: A qubit is named twice, or is none of the circuit's.
    """
    chosen = range(n_qubits) if qubits is None else qubits
    if len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(n_qubits)):
        raise ValueError(f"qubits {list(chosen)} must be different ones of {n_qubits}, from 0 on")
    subsets = [[q for j, q in enumerate(chosen) if s >> j & 1] for s in range(2 ** len(chosen))]
    return tuple(
        SparsePauliOp.from_sparse_list(
            [("Z" * len(sub), sub, (-1) ** (s & bits).bit_count() / len(subsets)) for s, sub in enumerate(subsets)],
            num_qubits=n_qubits,
        )
        for bits in range(len(subsets))
    )


def parity(n_qubits: int) -> SparsePauliOp:
    """Z on all qubits at once: +1 for an even number of ones, -1 for an odd one."""
    return SparsePauliOp("Z" * n_qubits)
