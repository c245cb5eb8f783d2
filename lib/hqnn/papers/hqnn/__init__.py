"""Quantum machine learning for image classification: HQNN-Parallel and HQNN-Quanv [hqnn]."""

PART = 2
"""Which part of the book is about this paper."""

NAME = "HQNN-Parallel and HQNN-Quanv"
"""What readers call it."""
