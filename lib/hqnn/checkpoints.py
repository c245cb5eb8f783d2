"""The state of an unfinished training, stored every few seconds, so that it goes on exactly where it was."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from hqnn.errors import HqnnError
from hqnn.storage import pack_tensors, read_tensors, write_atomically

_log = logging.getLogger(__name__)

History = dict[str, list[float]]
"""One list per curve, one value per epoch, epoch 1 first."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where an unfinished run is kept; a state there is taken up only if it was stored under the same key."""

    path: Path
    key: str


@dataclass
class State:
    """Everything the next epoch depends on, and what is to be reported at the end."""

    epoch: int = 0
    history: History = field(default_factory=dict)
    snapshots: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0


def store(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Store model, optimiser and state."""
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"snapshot/{name}": tensor for name, tensor in state.snapshots.items()}
    stored = optimizer.state_dict()
    for index, slots in stored["state"].items():
        tensors |= {f"optimizer/{index}/{name}": tensor for name, tensor in slots.items() if tensor is not None}
    metadata = {
        "key": checkpoint.key,
        "epoch": state.epoch,
        "history": state.history,
        "seconds": state.seconds,
        "param_groups": stored["param_groups"],
    }
    write_atomically(checkpoint.path, pack_tensors(tensors, metadata))


def restore(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> State | None:
    """Load a stored state into model and optimiser; None if there is none of this run, or it is unreadable."""
    try:
        tensors, metadata = read_tensors(checkpoint.path)
    except FileNotFoundError:
        return None
    except HqnnError as error:
        _log.warning("Starting this run afresh: %s", error)
        return None
    if metadata.get("key") != checkpoint.key:
        return None
    groups: dict[str, dict[str, Tensor]] = {"model": {}, "snapshot": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        group, _, rest = name.partition("/")
        groups[group][rest] = tensor
    slots: dict[int, dict[str, Tensor]] = {}
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for name, tensor in groups["optimizer"].items():
        index, _, slot = name.partition("/")
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:  # files hold row-major tensors, fused kernels need the parameter's layout
            tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        slots.setdefault(int(index), {})[slot] = tensor
    model.load_state_dict(groups["model"])
    optimizer.load_state_dict({"state": slots, "param_groups": metadata["param_groups"]})
    return State(metadata["epoch"], metadata["history"], groups["snapshot"], metadata["seconds"])
