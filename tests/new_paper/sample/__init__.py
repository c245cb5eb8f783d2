"""A paper that nobody wrote: two qubits tell zeros from ones [sample]."""

PART = 9
"""Which part of the book is about this paper."""

NAME = "Sample"
"""What readers call it."""
