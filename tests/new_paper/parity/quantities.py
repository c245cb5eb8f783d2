"""What only this paper can compute."""

from hqnn.papers.parity.circuits import parity_circuit

from hqnn.claims.quantity import Context, Quantity


def n_weights(context: Context) -> Quantity:
    """Trainable angles of the circuit."""
    return Quantity(value=parity_circuit().n_weights)
