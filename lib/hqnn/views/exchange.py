"""Another circuit in the place of the one that a network was built with."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from hqnn.circuit import Circuit
from hqnn.views.layer import QuantumLayer

Module = TypeVar("Module", bound=nn.Module)


def with_circuit(network: Module, pc: Circuit) -> Module:
    """Change the circuit of a network's one quantum layer, and draw its weights; all other weights stay.

    Raises:
        TypeError: `pc` is not a `Circuit`.
        ValueError: The network has no quantum layer, or one of other numbers of inputs or observables.
    """
    found = [(name, part) for name, part in network.named_modules() if isinstance(part, QuantumLayer)]
    if not found:
        raise ValueError(
            "the network of this config has no quantum layer; choose a config that has the paper's circuit"
        )
    ((name, old),) = found
    new = QuantumLayer(pc, copies=old.copies, shots=old.shots, noise=old.noise)
    for what in ("n_inputs", "n_observables"):
        given, needed = getattr(pc, what), getattr(old.pc, what)
        if given != needed:
            raise ValueError(f"{what} of the circuit is {given}; the network's layer has {needed}, give it as many")
    network.set_submodule(name, new.requires_grad_(old.weights.requires_grad))
    return network
