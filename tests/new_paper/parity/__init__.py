"""A paper that nobody wrote: two qubits tell zeros from ones [parity]."""

PART = 9
"""Which part of the book is about this paper."""
