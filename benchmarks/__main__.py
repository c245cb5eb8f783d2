"""`python -m benchmarks`: measure the quantum layer beside its peers and store the record that the book reads."""

from benchmarks.quantum_layer import main

main()
