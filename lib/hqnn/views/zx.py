r"""Circuits as ZX-diagrams, and what is left of their parameters when the diagrams are reduced [hqnn, app. A.1].

PyZX rewrites diagrams whose phases are numbers. Here the k-th of N parameters stands in them as the phase 7**k in units
of π / (2 · 7**N). Rewriting only adds phases, turns their signs and shifts them by multiples of π/2, so the digits of a
phase to the base 7 say which parameters it is made of, exactly and for any small coefficients. To compare diagrams as
matrices, other values are put in their place.

A parameter on a spider of its own is still free; one in a sum shares its spider, which is a redundancy that rewriting
has found; one on no spider does not act at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, cast

import numpy as np
from qiskit.circuit import Barrier, ParameterExpression
from qiskit.circuit.library import (
    CXGate,
    CZGate,
    GlobalPhaseGate,
    HGate,
    PhaseGate,
    RXGate,
    RYGate,
    RZGate,
    U1Gate,
    U3Gate,
    UGate,
)

from hqnn.circuit import Circuit, class_of, opened

with warnings.catch_warnings():  # where it is not compiled yet, PyZX warns of its own escape sequences
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", SyntaxWarning)  # the same, from Python 3.12 on
    import pyzx
    from pyzx.circuit import Circuit as Gates
    from pyzx.graph.base import BaseGraph
    from pyzx.utils import EdgeType as EdgeType
    from pyzx.utils import VertexType as VertexType

_BASE = 7  # digits -3 to 3
_CLIFFORD = {HGate: "HAD", CXGate: "CNOT", CZGate: "CZ"}
_ROTATIONS = {RXGate: "X", RYGate: "Y", RZGate: "Z", PhaseGate: "Z", U1Gate: "Z"}
_EULER = frozenset({UGate, U3Gate})
_IGNORED = frozenset({Barrier, GlobalPhaseGate})
_KNOWN = _CLIFFORD.keys() | _ROTATIONS.keys() | _EULER | _IGNORED

Sum = tuple[tuple[int, str], ...]
"""Coefficients and names of the parameters in a phase."""


@dataclass(frozen=True)
class Diagram:
    """A ZX-diagram; the phase of the k-th of N parameters is 7**k / (2 · 7**N) in units of π."""

    graph: BaseGraph[int, tuple[int, int]]
    parameters: tuple[str, ...]


class Size(NamedTuple):
    """How large a diagram is: spiders are nodes other than the ends of wires; Clifford phases are multiples of π/2."""

    spiders: int
    edges: int
    non_clifford: int


def diagram(pc: Circuit, *, on_zero: bool = False) -> Diagram:
    """Write a circuit as a ZX-diagram: of h, cx, cz, rotations and what Qiskit defines by them, a parameter an angle.

    The wires are open at both ends, or start in the state 0.

    Raises:
        ValueError: An angle that is neither of one parameter nor a multiple of π/2, a parameter in different angles, or
            a gate that is not defined by these.
    """
    graph = _translate(pc).to_graph()
    if on_zero:
        graph.apply_state("0" * pc.n_qubits)
    return Diagram(graph, _names(pc))


def expectation(pc: Circuit, output: int) -> Diagram:
    """Write one output of a circuit, the number ⟨0|U† O U|0⟩, as a ZX-diagram without open wires.

    Every angle stands in it twice, the second time with the opposite sign. The number comes times -i for each Y.

    Raises:
        ValueError: As `diagram`, or the observable O is no product of Pauli matrices with coefficient 1.
    """
    observable = pc.observables[output]
    if len(observable) != 1 or observable.coeffs[0] != 1:
        raise ValueError(f"observable {output} is not a product of Pauli matrices; a sum has no diagram of this kind")
    circuit = _translate(pc)
    closed = circuit.copy()
    for qubit, pauli in enumerate(reversed(observable.paulis[0].to_label())):
        if pauli in "YZ":
            closed.add_gate("Z", qubit)
        if pauli in "XY":
            closed.add_gate("NOT", qubit)
    closed.add_circuit(circuit.adjoint())
    graph = closed.to_graph()
    graph.apply_state("0" * pc.n_qubits)
    graph.apply_effect("0" * pc.n_qubits)
    return Diagram(graph, _names(pc))


def reduce(diagram: Diagram) -> Diagram:
    """An equal diagram of Z spiders that none of PyZX's rules makes smaller; the graph keeps a scalar factor.

    >>> from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
    >>> size(reduce(diagram(lcqhnn_circuit()))).non_clifford
    8
    """
    graph = diagram.graph.copy()
    pyzx.full_reduce(graph)
    return Diagram(graph, diagram.parameters)


def size(diagram: Diagram) -> Size:
    """Count spiders, edges and non-Clifford phases."""
    graph = diagram.graph
    spiders = [v for v in graph.vertices() if graph.type(v) != VertexType.BOUNDARY]
    return Size(len(spiders), graph.num_edges(), sum(_is_generic(diagram, v) for v in spiders))


def nodes(diagram: Diagram) -> dict[int, Sum]:
    """Non-Clifford spider -> the sum of parameters that is its phase, up to a multiple of π/2."""
    graph = diagram.graph
    return {v: _read(diagram, _phase(diagram, v))[0] for v in graph.vertices() if _is_generic(diagram, v)}


def places(diagram: Diagram) -> dict[str, list[tuple[str, ...]]]:
    """Parameter -> for each spider whose phase contains it, the names of all parameters in that phase.

    A single entry with only its own name is a node of its own; no entry means that the diagram does not depend on it.
    A diagram without open wires is a number, and reduction may turn parts of it into factors beside the graph; those
    that depend on a parameter count like spiders.

    Raises:
        ValueError: The scalar has a factor that no longer shows its parameters.
    """
    scalar = diagram.graph.scalar
    if scalar.floatfactor != 1:
        raise ValueError("the diagram was reduced to a number in which its parameters can no longer be told apart")
    factors = [cast(Fraction | int, phase) for phase in (*scalar.phasenodes, *scalar.sum_of_phases)]
    sums = [*nodes(diagram).values(), *(_read(diagram, Fraction(phase))[0] for phase in factors)]
    found: dict[str, list[tuple[str, ...]]] = {name: [] for name in diagram.parameters}
    for held in sums:
        names = tuple(name for _, name in held)
        for name in names:
            found[name].append(names)
    return found


def with_values(diagram: Diagram, values: Mapping[str, float]) -> BaseGraph[int, tuple[int, int]]:
    """PyZX's graph with radians for the parameters, given by name."""
    graph = diagram.graph.copy()
    for old, new in zip(sorted(diagram.graph.vertices()), sorted(graph.vertices()), strict=True):
        held, quarter_turns = _read(diagram, _phase(diagram, old))
        radians = sum(coefficient * values[name] for coefficient, name in held)
        graph.set_phase(new, Fraction(quarter_turns, 2) + Fraction(radians / np.pi))
    return graph


def is_equal(first: Diagram, second: Diagram, *, seed: int = 0, tolerance: float = 1e-9) -> bool:
    """Compare two diagrams as matrices up to a scalar factor, at random values of their parameters.

    Two matrices are proportional if and only if the Cauchy-Schwarz inequality between them is an equality.
    """
    rng = np.random.default_rng(seed)
    values = {name: rng.uniform(0, 2 * np.pi) for name in first.parameters}
    a, b = (np.asarray(with_values(d, values).to_matrix(preserve_scalar=False)).ravel() for d in (first, second))
    overlap = abs(np.vdot(a, b)) / (np.linalg.norm(a) * np.linalg.norm(b))
    return bool(overlap > 1 - tolerance)


def extract(diagram: Diagram) -> tuple[Gates, Diagram]:
    """Turn a reduced diagram back into a circuit of PyZX's; that circuit's own diagram."""
    circuit = pyzx.extract_circuit(diagram.graph.copy())
    return circuit, Diagram(circuit.to_graph(), diagram.parameters)


def _names(pc: Circuit) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in (*pc.inputs, *pc.weights))


def _translate(pc: Circuit) -> Gates:
    """The circuit in PyZX's gates, with a phase for each parameter."""
    names = _names(pc)
    forms: dict[str, str] = {}  # in which form each parameter was met
    circuit = Gates(pc.n_qubits)

    def phase_of(angle: float | ParameterExpression) -> Fraction:
        parameters = angle.parameters if isinstance(angle, ParameterExpression) else ()
        if not parameters:
            quarters = 2 * float(angle) / np.pi
            if abs(quarters - round(quarters)) > 1e-9:
                raise ValueError(f"the fixed angle {angle} is no multiple of π/2; make it a parameter")
            return Fraction(round(quarters), 2)
        if len(parameters) > 1:
            raise ValueError(f"the angle {angle} has {len(parameters)} parameters; a phase can stand for one only")
        (name,) = (parameter.name for parameter in parameters)
        if forms.setdefault(name, str(angle)) != str(angle):
            raise ValueError(f"parameter {name!r} enters as {forms[name]} and as {angle}; one phase cannot be both")
        return Fraction(_BASE ** names.index(name), 2 * _BASE ** len(names))

    def turn(axis: str, angle: float | ParameterExpression, qubit: int) -> None:
        phase = phase_of(angle)
        if axis == "Y":
            circuit.add_gate("S", qubit, adjoint=True)
            circuit.add_gate("XPhase", qubit, phase=phase)
            circuit.add_gate("S", qubit)
        else:
            circuit.add_gate(f"{axis}Phase", qubit, phase=phase)

    for gate, qubits in opened(pc.circuit, _KNOWN):
        kind = class_of(gate)
        if kind in _CLIFFORD:
            circuit.add_gate(_CLIFFORD[kind], *qubits)
        elif kind in _ROTATIONS:
            turn(_ROTATIONS[kind], gate.params[0], *qubits)
        elif kind in _EULER:
            for axis, angle in zip("ZYZ", (gate.params[2], gate.params[0], gate.params[1]), strict=True):
                turn(axis, angle, *qubits)
    return circuit


def _phase(diagram: Diagram, vertex: int) -> Fraction:
    return Fraction(cast(Fraction | int, diagram.graph.phase(vertex)))  # none of ours is a polynomial


def _is_generic(diagram: Diagram, vertex: int) -> bool:
    return (2 * _phase(diagram, vertex)).denominator != 1


def _read(diagram: Diagram, phase: Fraction) -> tuple[Sum, int]:
    """A phase as a sum of parameters and a number of quarter turns."""
    quarter_turns = round(2 * phase)
    scaled = (phase - Fraction(quarter_turns, 2)) * 2 * _BASE ** len(diagram.parameters)
    if scaled.denominator != 1:
        raise ValueError(f"the phase {phase} π is not a sum of the diagram's parameters")
    rest, held = int(scaled), []
    for name in diagram.parameters:
        digit = (rest + _BASE // 2) % _BASE - _BASE // 2
        rest = (rest - digit) // _BASE
        if digit:
            held.append((digit, name))
    return tuple(held), quarter_turns % 4
