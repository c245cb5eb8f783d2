"""The worked circuit of the primer: every number in it, from Qiskit's state vectors."""

import math
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Pauli, Statevector, partial_trace

TEXT = (Path(__file__).parents[1] / "book" / "primer.md").read_text(encoding="utf-8")
X, THETA = (math.pi / 3, math.pi / 4), math.pi / 6


def worked(theta: float = THETA, *, entangle: bool = True) -> list[Statevector]:
    """The states after the embedding, after the CNOT, and at the end."""
    steps = [QuantumCircuit(2) for _ in range(3)]
    for q in range(2):
        steps[0].rx(X[q], q)
    if entangle:
        steps[1].cx(0, 1)
    steps[2].ry(theta, 1)
    state, found = Statevector.from_label("00"), []
    for step in steps:
        state = state.evolve(step)
        found.append(state)
    return found


def output(theta: float = THETA, *, entangle: bool = True) -> float:
    """Z of qubit 1."""
    return float(worked(theta, entangle=entangle)[-1].expectation_value(Pauli("ZI")).real)


def _cell(amplitude: complex) -> str:
    real, imaginary = (abs(part) > 1e-9 for part in (amplitude.real, amplitude.imag))
    text = f"{amplitude.real:.3f}" if real else ""
    return text + (f"{amplitude.imag:{'+' if real else ''}.3f}i" if imaginary else "")


@pytest.mark.parametrize("basis", range(4))
def test_the_table_holds_the_amplitudes(basis: int) -> None:
    cells = [_cell(state.data[basis]) for state in worked()]
    assert f"| $\\lvert{basis:02b}\\rangle$ | " + " | ".join(cells) + " |" in TEXT


def test_probabilities_and_value_are_those_of_the_last_state() -> None:
    p = worked()[-1].probabilities([1])
    assert f"$p_0 = {p[0]:.4f}$, $p_1 = {p[1]:.4f}$, and $\\langle Z_1\\rangle = p_0 - p_1 = {output():.4f}$" in TEXT
    assert output() == pytest.approx(math.cos(THETA) * math.cos(X[0]) * math.cos(X[1]))


def test_the_bloch_vector_behind_the_cnot_is_shorter() -> None:
    rho = partial_trace(worked()[1], [0])
    vector = [float(rho.expectation_value(Pauli(p)).real) for p in "XYZ"]
    expected = [0, -math.cos(X[0]) * math.sin(X[1]), math.cos(X[0]) * math.cos(X[1])]
    np.testing.assert_allclose(vector, expected, atol=1e-12)
    length = float(np.linalg.norm(vector))
    assert f"$|\\cos x_0| = {length:.1f}$" in TEXT
    assert rho.purity().real == pytest.approx((1 + length**2) / 2)


def test_the_solutions() -> None:
    half = (output(THETA + math.pi / 2), output(THETA - math.pi / 2))
    slope = (half[0] - half[1]) / 2
    shifted = f"f(\\theta + \\pi/2) - f(\\theta - \\pi/2) = {half[0]:.4f} - {half[1]:.4f}"
    assert f"= {slope:.4f}$. The rule takes half of ${shifted}$" in TEXT
    assert slope == pytest.approx(-math.sin(THETA) * math.cos(X[0]) * math.cos(X[1]))
    shots = (1 - output() ** 2) / 0.01**2
    assert f"so {math.ceil(shots):,} shots" in TEXT
    assert output(entangle=False) == pytest.approx(math.cos(THETA) * math.cos(X[1]))
