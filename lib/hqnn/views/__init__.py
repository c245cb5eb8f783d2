"""The views of a circuit: everything that can be computed from it, each in a module of its own.

- `layer`: the differentiable PyTorch layer; `evaluators` holds its four ways to compute.
- `pauli_rotations` and `pauli_propagation`: the form that layer, series and derivatives are read off.
- `fourier`: its Fourier series, exact, written out, or sampled.
- `gradients`: parameter shift, Jacobian, quantum Fisher information, ranks.
- `aer` and `noise`: shots and noisy devices, on which the layer can be trained, too.
- `primitives`: any backend of Qiskit's, through its estimator or its sampler.
- `bloch`: single qubits in the Bloch ball.
- `zx`: its ZX-diagram, before and after reduction.
"""
