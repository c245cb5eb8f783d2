"""Lean classical-quantum hybrid neural network: a CNN into four qubits with four angles [lcqhnn]."""

PART = 1
"""Which part of the book is about this paper."""

NAME = "LCQHNN"
"""What readers call it."""
