"""What only this paper can compute."""

from hqnn.claims.quantity import Context, Quantity
from hqnn.papers.sample.circuits import sample_circuit


def n_weights(context: Context) -> Quantity:
    """Trainable angles of the circuit."""
    return Quantity(value=sample_circuit().n_weights)
