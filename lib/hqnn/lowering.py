r"""Any circuit of standard gates as one list of Pauli rotations.

Every gate that Qiskit knows is a product of Clifford gates and of rotations exp(-i φ/2 P) about a Pauli string P. Moving each Clifford
gate past the rotations before it only relabels their Pauli strings, so the whole circuit becomes

$$U|0\rangle = e^{-i\varphi_R P_R/2}\cdots e^{-i\varphi_1 P_1/2}\,|\psi_0\rangle,$$

with a fixed stabiliser state ψ₀ and angles φ that are functions of the circuit's parameters. The Fourier series and the PyTorch layer
are both read off this one form. Global phases are dropped: no expectation value or probability depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy
import torch
from numpy.typing import NDArray
from qiskit.circuit import Instruction, Parameter, ParameterExpression, QuantumCircuit
from qiskit.quantum_info import Clifford, Pauli, PauliList, Statevector

from hqnn.circuits import ParametricCircuit

MAX_QUBITS = 12
_CLIFFORD = frozenset("id x y z h s sdg sx sxdg cx cy cz swap iswap ecr dcx".split())
# Rotation gates as Pauli strings, first qubit argument last (Qiskit's order). A phase gate is an RZ up to a global phase.
_ROTATION = {"rx": "X", "ry": "Y", "rz": "Z", "p": "Z", "u1": "Z", "rxx": "XX", "ryy": "YY", "rzz": "ZZ", "rzx": "XZ"}
_FIXED_ROTATION = {"t": ("Z", math.pi / 4), "tdg": ("Z", -math.pi / 4)}
_IGNORED = frozenset({"barrier", "delay", "global_phase"})


@dataclass(frozen=True)
class Derived:
    """An angle that is not an affine function of the parameters, such as a product of two of them.

    Args:
        function: Elementwise torch function of the parameters below.
        arguments: Columns of [inputs | weights] that it takes.
    """

    function: Callable[..., torch.Tensor]
    arguments: tuple[int, ...]


@dataclass(frozen=True)
class PauliRotations:
    """A circuit as Pauli rotations on a fixed state, in time order.

    Args:
        n_qubits: Number of qubits n.
        n_inputs: Number of input parameters.
        n_weights: Number of trainable parameters.
        x_masks: Bit masks [R]: the qubits on which P_k has an X or Y.
        z_masks: Bit masks [R]: the qubits on which P_k has a Z or Y.
        linear: Matrix [R, n_inputs + n_weights + n_derived]; the angles are linear @ parameters + constant.
        constant: Constant part of the angles [R], radians.
        derived: The non-affine functions of parameters that `linear` refers to after the weights.
        initial: The state ψ₀, complex [2**n].
    """

    n_qubits: int
    n_inputs: int
    n_weights: int
    x_masks: NDArray[np.int64]
    z_masks: NDArray[np.int64]
    linear: NDArray[np.float64]
    constant: NDArray[np.float64]
    derived: tuple[Derived, ...]
    initial: NDArray[np.complex128]

    def depends_on_inputs(self) -> NDArray[np.bool_]:
        """Whether each rotation's angle depends on an input [R]."""
        return self._depends(range(self.n_inputs))

    def depends_on_weights(self) -> NDArray[np.bool_]:
        """Whether each rotation's angle depends on a weight [R]."""
        return self._depends(range(self.n_inputs, self.n_inputs + self.n_weights))

    def _depends(self, columns: range) -> NDArray[np.bool_]:
        n_plain = self.n_inputs + self.n_weights
        hit = [c in columns for c in range(n_plain)]
        hit += [any(a in columns for a in d.arguments) for d in self.derived]
        return (self.linear[:, np.array(hit, dtype=bool)] != 0).any(axis=1)

    def commute(self, j: int, k: int) -> bool:
        """Whether the Pauli strings of rotations j and k commute."""
        swaps = int(self.x_masks[j] & self.z_masks[k]).bit_count() + int(self.z_masks[j] & self.x_masks[k]).bit_count()
        return swaps % 2 == 0


def lower(pc: ParametricCircuit) -> PauliRotations:
    """Write a circuit as Pauli rotations on a fixed state.

    Gates that are neither Clifford nor rotations are replaced by Qiskit's own definition of them, so every standard gate, controlled
    rotation, matrix gate or composite instruction works.

    Args:
        pc: The circuit.

    Returns:
        Its rotations, in time order.

    Raises:
        ValueError: The circuit has more than 12 qubits, a classical operation, or a gate without a definition.
    """
    n = pc.n_qubits
    if n > MAX_QUBITS:
        raise ValueError(f"the circuit has {n} qubits; states are simulated exactly up to {MAX_QUBITS}")
    clifford_part = QuantumCircuit(n)
    paulis: list[Pauli] = []
    angles: list[float | ParameterExpression] = []

    def rotate(label: str, angle: float | ParameterExpression, qubits: list[int]) -> None:
        paulis.append(Pauli("I" * n).compose(Pauli(label), qargs=qubits))
        angles.append(angle)

    def visit(operation: Instruction, qubits: list[int]) -> None:
        nonlocal paulis
        name, params = operation.name, operation.params
        if name in _IGNORED:
            return
        if name in _CLIFFORD:
            clifford_part.append(operation, qubits)
            if paulis:
                paulis = list(PauliList(paulis).evolve(Clifford(operation), qargs=qubits, frame="s"))
        elif name in _ROTATION:
            rotate(_ROTATION[name], params[0], qubits)
        elif name in _FIXED_ROTATION:
            rotate(*_FIXED_ROTATION[name], qubits)
        elif name in ("u", "u3"):
            for label, angle in zip("ZYZ", (params[2], params[0], params[1]), strict=True):
                rotate(label, angle, qubits)
        elif operation.definition is None or operation.num_clbits:
            raise ValueError(f"gate {name!r} is not a unitary gate with a definition; remove it or write it in standard gates")
        else:
            definition = operation.definition
            for inner in definition.data:
                visit(inner.operation, [qubits[definition.find_bit(q).index] for q in inner.qubits])

    for instruction in pc.circuit.data:
        visit(instruction.operation, [pc.circuit.find_bit(q).index for q in instruction.qubits])

    parameters = [*pc.inputs, *pc.weights]
    rows: list[NDArray[np.float64]] = []
    constants: list[float] = []
    derived: list[Derived] = []
    for pauli, angle in zip(paulis, angles, strict=True):
        sign = 1.0 if pauli.phase == 0 else -1.0
        row, constant, extra = _affine(angle, parameters)
        if extra is not None:
            derived.append(extra)
            row = np.append(row, np.zeros(len(derived)))
            row[-1] = 1.0
        rows.append(sign * row)
        constants.append(sign * constant)
    linear = np.zeros((len(rows), len(parameters) + len(derived)))
    for k, row in enumerate(rows):
        linear[k, : len(row)] = row
    bits = 1 << np.arange(n)
    return PauliRotations(
        n_qubits=n,
        n_inputs=pc.n_inputs,
        n_weights=pc.n_weights,
        x_masks=np.array([int(p.x @ bits) for p in paulis], dtype=np.int64),
        z_masks=np.array([int(p.z @ bits) for p in paulis], dtype=np.int64),
        linear=linear,
        constant=np.array(constants, dtype=np.float64),
        derived=tuple(derived),
        initial=np.asarray(Statevector(clifford_part).data, dtype=np.complex128),
    )


def _affine(
    angle: float | ParameterExpression, parameters: list[Parameter]
) -> tuple[NDArray[np.float64], float, Derived | None]:
    """Split an angle into coefficients of the parameters, a constant, and a rest that is not affine."""
    row = np.zeros(len(parameters))
    if not isinstance(angle, ParameterExpression):
        return row, float(angle), None
    slopes = {p: angle.gradient(p) for p in angle.parameters}
    if any(isinstance(slope, ParameterExpression) and slope.parameters for slope in slopes.values()):
        arguments = tuple(k for k, p in enumerate(parameters) if p in slopes)
        symbols = [sympy.Symbol(f"a{k}") for k in arguments]
        names = {sympy.Symbol(parameters[k].name): s for k, s in zip(arguments, symbols, strict=True)}
        expression = angle.sympify()
        expression = expression.xreplace({s: names[sympy.Symbol(s.name)] for s in expression.free_symbols})
        return row, 0.0, Derived(sympy.lambdify(symbols, expression, modules="torch"), arguments)
    for parameter, slope in slopes.items():
        row[parameters.index(parameter)] = float(slope)
    return row, float(angle.bind(dict.fromkeys(slopes, 0.0))), None


def pauli_action(x_mask: int, z_mask: int, n_qubits: int) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
    """How a Pauli string acts on state vectors: (P ψ)[b] = phase[b] ψ[source[b]].

    Args:
        x_mask: Bit mask of the qubits with X or Y.
        z_mask: Bit mask of the qubits with Z or Y.
        n_qubits: Number of qubits n.

    Returns:
        `source` [2**n] indices and `phase` [2**n] in {1, -1, i, -i}.
    """
    source = np.arange(2**n_qubits) ^ x_mask
    signs = 1.0 - 2.0 * (np.bitwise_count(source & z_mask) % 2)
    return source, 1j ** (int(x_mask & z_mask).bit_count() % 4) * signs
