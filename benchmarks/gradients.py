"""Time three ways to differentiate the quanvolution: backpropagation, adjoint differentiation, parameter shift.

The gradient is that of the four weights, forward pass included, on one thread, all contenders in turns in one process.
They are first shown to be equal. The methods are compared in PennyLane, which the paper used, and on one and the same
simulator of ours, gate by gate, beside our layer as it comes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor

from benchmarks.peers import qnode
from benchmarks.quantum_layer import in_turns, summary
from benchmarks.recording import make
from hqnn.circuit import Circuit
from hqnn.papers.hqnn.circuits import quanvolution
from hqnn.views.gradients import parameter_shift
from hqnn.views.layer import QuantumLayer
from hqnn.views.pauli_rotations import lower, masks, pauli_action

BATCHES = {"one patch": 1, "one image": 16, "32 images": 512}
TOLERANCE = 1e-5

Gradient = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(inputs [B, 4], weights [4], gradient of the outputs [B, 4]) -> gradient of the weights [4]."""


def shifted(outputs: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, weights: Tensor, upstream: Tensor) -> Tensor:
    """The parameter-shift rule around any function of inputs and weights."""
    with torch.no_grad():
        outputs(inputs, weights)  # the forward pass of a training step
        return (parameter_shift(partial(outputs, inputs), weights) * upstream).sum((1, 2))


class Simulator:
    """States of all samples, one rotation after the other, and three ways to differentiate them."""

    def __init__(self, pc: Circuit) -> None:
        rotations = lower(pc)
        actions = [pauli_action(pauli, pc.n_qubits) for pauli in rotations.paulis]
        self.actions = [(torch.from_numpy(source), torch.from_numpy(phases)) for source, phases in actions]
        self.input_slopes = torch.from_numpy(rotations.input_slopes)
        self.weight_slopes = torch.from_numpy(rotations.weight_slopes)
        self.initial = torch.from_numpy(rotations.initial)
        signs = np.stack([pauli_action(masks(o.paulis[0]), pc.n_qubits)[1].real for o in pc.observables], 1)
        self.signs = torch.from_numpy(signs)  # all observables are products of Z: [2**n, outputs]

    def angles(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Angles of all rotations [B, R]."""
        return inputs @ self.input_slopes.T + weights @ self.weight_slopes.T

    def rotate(self, state: Tensor, k: int, angle: Tensor) -> Tensor:
        """Rotation k of states [B, 2**n] by angles [B]."""
        source, phases = self.actions[k]
        half = angle[:, None] / 2
        return half.cos() * state - 1j * half.sin() * phases * state[:, source]

    def states(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Final states [B, 2**n]."""
        angles = self.angles(inputs, weights)
        state = self.initial.expand(len(inputs), -1)
        for k in range(len(self.actions)):
            state = self.rotate(state, k, angles[:, k])
        return state

    def outputs(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Expectation values [B, outputs]."""
        state = self.states(inputs, weights)
        return (state.real.square() + state.imag.square()) @ self.signs

    def backpropagation(self, inputs: Tensor, weights: Tensor, upstream: Tensor) -> Tensor:
        """Autograd through every gate."""
        leaf = weights.clone().requires_grad_()
        return torch.autograd.grad(self.outputs(inputs, leaf), leaf, upstream)[0]

    def adjoint(self, inputs: Tensor, weights: Tensor, upstream: Tensor) -> Tensor:
        """Undo the gates one by one, on the state and on the observable applied to it; no state is kept."""
        with torch.no_grad():
            angles, ket = self.angles(inputs, weights), self.states(inputs, weights)
            bra = (upstream @ self.signs.T) * ket
            slopes = torch.zeros_like(angles)
            for k in reversed(range(len(self.actions))):
                source, phases = self.actions[k]
                slopes[:, k] = (bra.conj() * phases * ket[:, source]).sum(1).imag
                ket, bra = (self.rotate(state, k, -angles[:, k]) for state in (ket, bra))
            return slopes.sum(0) @ self.weight_slopes


def ours() -> dict[str, Gradient]:
    """Our layer as it comes, and three methods on one simulator."""
    pc = quanvolution()
    layer = QuantumLayer(pc, dtype=torch.float64)
    simulator = Simulator(pc)

    def fused(inputs: Tensor, weights: Tensor, upstream: Tensor) -> Tensor:
        layer.weights.data = weights[None]
        return torch.autograd.grad(layer(inputs), layer.weights, upstream)[0][0]

    return {
        "hqnn layer, backpropagation": fused,
        "gate by gate, backpropagation": simulator.backpropagation,
        "gate by gate, adjoint differentiation": simulator.adjoint,
        "gate by gate, parameter shift": partial(shifted, simulator.outputs),
    }


def pennylane() -> dict[str, Gradient]:
    """PennyLane's methods on its simulators in Python and in C++."""
    pc = quanvolution()

    def gradient(device: str, method: str) -> Gradient:
        circuit = qnode(pc, device, method)

        def run(inputs: Tensor, weights: Tensor, upstream: Tensor) -> Tensor:
            leaf = weights.clone().requires_grad_()
            outputs = torch.stack(list(circuit(inputs, leaf)), -1)
            return torch.autograd.grad(outputs, leaf, upstream)[0]

        return run

    return {
        "PennyLane default.qubit, backpropagation": gradient("default.qubit", "backprop"),
        "PennyLane default.qubit, adjoint differentiation": gradient("default.qubit", "adjoint"),
        "PennyLane lightning.qubit, adjoint differentiation": gradient("lightning.qubit", "adjoint"),
        "PennyLane default.qubit, parameter shift": gradient("default.qubit", "parameter-shift"),
        "PennyLane lightning.qubit, parameter shift": gradient("lightning.qubit", "parameter-shift"),
    }


def measure(contenders: dict[str, Gradient], batch: int, seconds: float) -> dict[str, Any]:
    """Time some ways to differentiate on a batch of patches.

    Raises:
        RuntimeError: Two of them give different gradients.
    """
    generator = torch.Generator().manual_seed(0)
    inputs, upstream = (torch.rand(batch, 4, dtype=torch.float64, generator=generator) for _ in range(2))
    weights = 2 * torch.pi * torch.rand(4, dtype=torch.float64, generator=generator)
    results = {name: contender(inputs, weights, upstream) for name, contender in contenders.items()}
    expected = next(iter(results.values()))
    for name, result in results.items():
        if not torch.allclose(result.to(expected), expected, atol=TOLERANCE * batch):
            raise RuntimeError(f"{name} differs from the others: {result.tolist()} against {expected.tolist()}")
    calls = {name: partial(contender, inputs, weights, upstream) for name, contender in contenders.items()}
    return {"batch": batch, **summary(in_turns(calls, seconds))}


def measured(seconds: float) -> dict[str, Any]:
    """Everything the record holds but its provenance."""
    contenders = ours() | pennylane()
    workloads = {}
    for name, batch in BATCHES.items():
        workloads[name] = measure(contenders, batch, seconds)
        print(name, workloads[name]["median_ms"], flush=True)
    return {"workloads": workloads}


def main() -> None:
    """Measure and write the record."""
    make("gradients", measured, description=__doc__, packages=("pennylane",))


if __name__ == "__main__":
    main()
