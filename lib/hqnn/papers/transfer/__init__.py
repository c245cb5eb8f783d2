"""Quantum transfer learning for MNIST: an autoencoder, a five-qubit circuit, a classifier [transfer]."""

PART = 3
"""Which part of the book is about this paper."""

NAME = "Quantum transfer learning"
"""What readers call it."""
