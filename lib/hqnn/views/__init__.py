"""The views of a circuit: everything that can be computed from it, each in a module of its own."""
