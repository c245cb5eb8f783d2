r"""Any circuit of standard gates as one list of Pauli rotations.

Every gate that Qiskit knows is a product of Clifford gates and of rotations exp(-i φ/2 P) about a Pauli string P.
Moving each Clifford gate past the rotations before it only relabels their Pauli strings, so the whole circuit becomes

$$U|0\rangle = e^{-i\varphi_R P_R/2}\cdots e^{-i\varphi_1 P_1/2}\,|\psi_0\rangle,$$

with a fixed stabiliser state ψ₀ and angles φ that are functions of the circuit's parameters. The Fourier series and the
PyTorch layer are both read off this one form. Global phases are dropped: no expectation value depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

import numpy as np
import sympy
import torch
from numpy.typing import NDArray
from qiskit.circuit import Barrier, Delay, Parameter, ParameterExpression, QuantumCircuit
from qiskit.circuit.library import standard_gates as gates
from qiskit.quantum_info import Clifford, Pauli, PauliList, SparsePauliOp, Statevector

from hqnn.circuit import Circuit, affine, class_of, opened
from hqnn.views import memory

_CLIFFORD = frozenset(
    (
        *(gates.IGate, gates.XGate, gates.YGate, gates.ZGate, gates.HGate, gates.SGate, gates.SdgGate, gates.SXGate),
        *(gates.SXdgGate, gates.CXGate, gates.CYGate, gates.CZGate, gates.SwapGate, gates.iSwapGate, gates.ECRGate),
        gates.DCXGate,
    )
)
_ROTATION = {  # as Pauli strings, first qubit argument last (Qiskit's order)
    gates.RXGate: "X",
    gates.RYGate: "Y",
    gates.RZGate: "Z",
    gates.PhaseGate: "Z",  # an RZ up to a global phase
    gates.U1Gate: "Z",
    gates.RXXGate: "XX",
    gates.RYYGate: "YY",
    gates.RZZGate: "ZZ",
    gates.RZXGate: "XZ",
}
_EULER = frozenset({gates.UGate, gates.U3Gate})
_IGNORED = frozenset({Barrier, Delay, gates.GlobalPhaseGate})
_KNOWN = _CLIFFORD | _ROTATION.keys() | _EULER | _IGNORED

Masks = tuple[int, int]
"""A Pauli string as two bit masks: the qubits on which it has an X or Y, and those on which it has a Z or Y."""


@dataclass(frozen=True)
class Derived:
    """An angle that is no affine function of the parameters: a torch function of some columns of [inputs | weights]."""

    expression: sympy.Expr
    names: tuple[str, ...]  # of its arguments
    arguments: tuple[int, ...]
    function: Callable[..., torch.Tensor] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        symbols = [sympy.Symbol(name) for name in self.names]
        object.__setattr__(self, "function", sympy.lambdify(symbols, self.expression, "torch"))

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        """Written without the function, which pickle does not take."""
        return type(self), (self.expression, self.names, self.arguments)


@dataclass(frozen=True, kw_only=True)
class Angles:
    """R angles of a circuit's rotations, as functions of its inputs and weights.

    The angles are inputs @ input_slopes.T + weights @ weight_slopes.T + constant, in radians. Each angle that is not
    affine counts as one more input, or as one more weight if no input enters it.
    """

    input_slopes: NDArray[np.float64]  # [R, n_inputs + len(derived_inputs)]
    weight_slopes: NDArray[np.float64]  # [R, n_weights + len(derived_weights)]
    constant: NDArray[np.float64]  # [R]
    derived_inputs: Sequence[Derived] = ()
    derived_weights: Sequence[Derived] = ()

    @property
    def slopes(self) -> NDArray[np.float64]:
        """How the angles depend on inputs and weights, side by side."""
        return np.concatenate([self.input_slopes, self.weight_slopes], 1)

    def given_themselves(self) -> Self:
        """The same rotations with their angles for inputs, R of them."""
        n = len(self.constant)
        own: dict[str, Any] = {"input_slopes": np.eye(n), "weight_slopes": np.zeros((n, 0)), "constant": np.zeros(n)}
        return replace(self, **own, derived_inputs=(), derived_weights=())

    def derive(self, x: torch.Tensor, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs [B, C * n] and weights [C, n], and beside them the angles that are not affine functions of them."""
        if not (self.derived_inputs or self.derived_weights):
            return x, w
        x = x.unflatten(1, (len(w), -1))
        n_inputs = x.shape[2]
        both = torch.cat([x, w.expand(len(x), -1, -1)], -1)  # [B, C, n_inputs + n_weights]
        more_x = [d.function(*(both[..., a, None] for a in d.arguments)) for d in self.derived_inputs]
        more_w = [d.function(*(w[:, a - n_inputs, None] for a in d.arguments)) for d in self.derived_weights]
        return torch.cat([x, *more_x], -1).flatten(1), torch.cat([w, *more_w], -1)


@dataclass(frozen=True, kw_only=True)
class PauliRotations(Angles):
    """A circuit as R Pauli rotations on a fixed state, in time order."""

    n_qubits: int
    paulis: Sequence[Masks]
    initial: NDArray[np.complex128]  # ψ₀ [2**n]

    def commute(self, j: int, k: int) -> bool:
        """Whether the Pauli strings of rotations j and k commute."""
        return commute(self.paulis[j], self.paulis[k])

    def commuting_layers(self, order: Sequence[int]) -> list[list[int]]:
        """Sort rotations, given in time order, into layers that commute, each rotation as early as it can be moved."""
        layers: list[list[int]] = []
        for k in order:
            position = len(layers)
            while position and all(self.commute(j, k) for j in layers[position - 1]):
                position -= 1
            if position == len(layers):
                layers.append([])
            layers[position].append(k)
        return layers

    def effective(self, observables: Sequence[SparsePauliOp] | None) -> list[int]:
        """The rotations, in time order, that can change an output: not those that commute with all that comes later.

        What comes last are the observables; None stands for the probabilities of basis states.
        """
        everything = [(0, 1 << q) for q in range(self.n_qubits)]
        later = everything if observables is None else list(strings(observables))
        kept: list[int] = []
        for k in reversed(range(len(self.paulis))):
            if not all(commute(self.paulis[k], other) for other in later):
                later.append(self.paulis[k])
                kept.append(k)
        return kept[::-1]

    def eigenbasis(self, layer: Sequence[int]) -> Eigenbasis:
        """The basis in which a layer of commuting rotations is diagonal."""
        return eigenbasis([self.paulis[k] for k in layer], self.n_qubits)


def masks(pauli: Pauli) -> Masks:
    """A Pauli string of Qiskit's as bit masks, its sign left out."""
    bits = 1 << np.arange(pauli.num_qubits)
    return int(pauli.x @ bits), int(pauli.z @ bits)


def commute(one: Masks, other: Masks) -> bool:
    """Whether two Pauli strings commute."""
    return ((one[0] & other[1]).bit_count() + (one[1] & other[0]).bit_count()) % 2 == 0


def strings(observables: Sequence[SparsePauliOp]) -> dict[Masks, NDArray[np.float64]]:
    """Each Pauli string that some observable holds, and its coefficient in every one of them [n_observables]."""
    found: dict[Masks, NDArray[np.float64]] = {}
    for o, observable in enumerate(observables):
        for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
            found.setdefault(masks(pauli), np.zeros(len(observables)))[o] += coefficient
    return found


def lower(pc: Circuit) -> PauliRotations:
    """Write a circuit as Pauli rotations on a fixed state.

    Gates that are neither Clifford nor rotations are replaced by Qiskit's own definition of them, so every standard
    gate, controlled rotation, matrix gate or composite instruction works.

    Raises:
        ValueError: The state of so many qubits does not fit into memory, a gate has no definition, or an angle is not
            finite.
    """
    n = pc.n_qubits
    memory.require(64 * 2.0**n, f"a state of {n} qubits, which is computed exactly,", "use fewer qubits")
    clifford_part = QuantumCircuit(n)
    paulis: list[Pauli] = []
    angles: list[float | ParameterExpression] = []

    def rotate(label: str, angle: float | ParameterExpression, qubits: list[int]) -> None:
        paulis.append(Pauli("I" * n).compose(Pauli(label), qargs=qubits))
        angles.append(angle)

    for gate, qubits in opened(pc.circuit, _KNOWN):
        kind, params = class_of(gate), gate.params
        if kind in _CLIFFORD:
            clifford_part.append(gate, qubits)
            if paulis:
                paulis = list(PauliList(paulis).evolve(Clifford(gate), qargs=qubits, frame="s"))
        elif kind in _ROTATION:
            rotate(_ROTATION[kind], params[0], qubits)
        elif kind in _EULER:
            for label, angle in zip("ZYZ", (params[2], params[0], params[1]), strict=True):
                rotate(label, angle, qubits)

    found = angles_of(pc, angles, np.array([1.0 if pauli.phase == 0 else -1.0 for pauli in paulis]))
    initial = np.asarray(Statevector(clifford_part).data, dtype=np.complex128)
    return PauliRotations(**vars(found), n_qubits=n, paulis=[masks(pauli) for pauli in paulis], initial=initial)


def angles_of(
    pc: Circuit, angles: Sequence[float | ParameterExpression], signs: NDArray[np.float64] | None = None
) -> Angles:
    """Angles as functions of a circuit's inputs and weights, each times a sign.

    Raises:
        ValueError: An angle is not finite.
    """
    parameters, n = [*pc.inputs, *pc.weights], len(angles)
    slopes, constant = np.zeros((n, len(parameters))), np.zeros(n)
    derived: dict[bool, list[tuple[int, Derived]]] = {True: [], False: []}  # an input enters -> (rotation, angle)
    for k, angle in enumerate(angles):
        line = affine(angle, parameters)
        if line is not None:
            slopes[k], constant[k] = line
        elif isinstance(function := _function(cast(ParameterExpression, angle), parameters), Derived):
            derived[min(function.arguments) < pc.n_inputs].append((k, function))
        else:
            constant[k] = function
        if not np.isfinite([*slopes[k], constant[k]]).all():
            raise ValueError(f"the angle {angle} is NaN or infinite; check the numbers bound in it")
    signs = np.ones(n) if signs is None else signs

    def with_derived(plain: NDArray[np.float64], extra: list[tuple[int, Derived]]) -> NDArray[np.float64]:
        further = np.zeros((n, len(extra)))
        further[[k for k, _ in extra], range(len(extra))] = 1.0
        return signs[:, None] * np.concatenate([plain, further], 1)

    return Angles(
        input_slopes=with_derived(slopes[:, : pc.n_inputs], derived[True]),
        weight_slopes=with_derived(slopes[:, pc.n_inputs :], derived[False]),
        constant=signs * constant,
        derived_inputs=[angle for _, angle in derived[True]],
        derived_weights=[angle for _, angle in derived[False]],
    )


def lower_affine(pc: Circuit) -> PauliRotations:
    """The same for circuits whose angles are all affine functions of the parameters.

    Raises:
        ValueError: As `lower`, or an angle is not affine.
    """
    rotations = lower(pc)
    if rotations.derived_inputs or rotations.derived_weights:
        raise ValueError("an angle is not an affine function of the parameters, as it must be here; use a QuantumLayer")
    return rotations


def _function(angle: ParameterExpression, parameters: list[Parameter]) -> Derived | float:
    """An angle that is no affine function, or the number that it is without looking like one."""
    expression = angle.sympify()
    if expression.is_number:
        return float(expression)
    arguments = tuple(k for k, parameter in enumerate(parameters) if parameter in angle.parameters)
    return Derived(expression, tuple(parameters[k].name for k in arguments), arguments)


def pauli_action(pauli: Masks, n_qubits: int) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
    """How a Pauli string acts on state vectors: `source` and `phase` [2**n] of (P ψ)[b] = phase[b] ψ[source[b]]."""
    x_mask, z_mask = pauli
    source = np.arange(2**n_qubits) ^ x_mask
    signs = 1.0 - 2.0 * (np.bitwise_count(source & z_mask) % 2)
    return source, 1j ** ((x_mask & z_mask).bit_count() % 4) * signs


@dataclass(frozen=True)
class Eigenbasis:
    """A basis in which commuting Pauli strings are diagonal: phases, then a permutation, then Hadamard gates."""

    source: NDArray[np.int64]  # index [2**n] of the amplitude that moves into each place
    phase: NDArray[np.complex128]  # the factor [2**n] in {1, -1, i, -i} that it is given
    n_hadamards: int  # on this many of the highest bits of the index
    eigenvalues: NDArray[np.float64]  # of the Pauli strings, 1 and -1, in the new basis [K, 2**n]

    def enter(self, states: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """States [2**n, S] of the computational basis, in this one."""
        return self._hadamards(self.phase[:, None] * states[self.source])

    def leave(self, states: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """States [2**n, S] of this basis, in the computational one."""
        result = np.empty_like(states)
        result[self.source] = self.phase.conj()[:, None] * self._hadamards(states)
        return result

    def _hadamards(self, states: NDArray[np.complex128]) -> NDArray[np.complex128]:
        shape = states.shape
        for bit in range(self.n_hadamards):
            pairs = states.reshape(2**bit, 2, -1)
            states = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], 1) / math.sqrt(2)
        return states.reshape(shape)


def eigenbasis(paulis: Sequence[Masks], n_qubits: int) -> Eigenbasis:
    """Diagonalise Pauli strings that commute; those of I and Z are diagonal in the computational basis.

    By Gaussian elimination over bits: products of the strings that flip independent sets of qubits become, one by one,
    the flip of a single bit of a new index, and a Hadamard gate turns each flip into a sign. What is left of a string
    flips nothing: it is diagonal.
    """
    index = np.arange(2**n_qubits)
    flips: list[tuple[int, int, NDArray[np.complex128]]] = []  # leading bit, bits flipped, phase
    factors: list[tuple[int, NDArray[np.complex128]]] = []  # of each string: which flips, and the diagonal rest
    for pauli in paulis:
        mask, used = pauli[0], 0
        _, phase = pauli_action(pauli, n_qubits)
        for j, (lead, other, other_phase) in enumerate(flips):
            if mask & lead:
                phase, mask, used = other_phase * phase[index ^ other], mask ^ other, used | 1 << j
        if mask:
            used |= 1 << len(flips)
            flips.append((1 << mask.bit_length() - 1, mask, phase))
            phase = np.ones_like(phase)
        factors.append((used, phase))
    source = index[index & sum(lead for lead, _, _ in flips) == 0]
    phase = np.ones(len(source), complex)
    for _, mask, flip_phase in flips:
        phase = np.concatenate([phase, phase * flip_phase[source]])
        source = np.concatenate([source, source ^ mask])
    n_rest = n_qubits - len(flips)
    signs = [1.0 - 2.0 * (np.bitwise_count(index & used << n_rest) % 2) for used, _ in factors]
    eigenvalues = [s * rest[source].real for s, (_, rest) in zip(signs, factors, strict=True)]
    return Eigenbasis(source, phase, len(flips), np.array(eigenvalues).reshape(-1, len(index)))
