"""The circuit of the paper: a rotation by each feature, a CNOT, a trained rotation."""

from qiskit.circuit import ParameterVector, QuantumCircuit

from hqnn import Circuit
from hqnn.circuit import parity


def sample_circuit() -> Circuit:
    """Two features on two qubits, whose parity is measured [sample, eq. 1].

    Returns:
        Inputs x[0..1], radians; weights θ[0..1], radians; Z on both qubits at once.
    """
    x, theta = ParameterVector("x", 2), ParameterVector("θ", 2)
    circuit = QuantumCircuit(2)
    for q in range(2):
        circuit.ry(x[q], q)
    circuit.cx(0, 1)
    for q in range(2):
        circuit.ry(theta[q], q)
    return Circuit(circuit=circuit, inputs=x, weights=theta, observables=[parity(2)])
