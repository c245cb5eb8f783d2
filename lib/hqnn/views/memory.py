"""How much memory there is, so that what does not fit is refused in a sentence before it is tried."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import torch


def available(device: torch.device | None = None) -> float:
    """The memory of a device, or what programs on this machine leave, in bytes; infinite where no system says."""
    if device is not None and device.type == "cuda":
        return float(torch.cuda.get_device_properties(device).total_memory)
    with suppress(OSError, StopIteration):  # Linux
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return 1024 * float(next(line.split()[1] for line in lines if line.startswith("MemAvailable:")))
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        return float("inf")


def require(n_bytes: float, what: str, way_out: str, device: torch.device | None = None) -> None:
    """A ValueError where something needs more memory than there is: what it is, how much, and what to do instead."""
    most = available(device)
    if n_bytes > most:
        raise ValueError(f"{what} would take about {_size(n_bytes)}, and there are {_size(most)}; {way_out}")


def _size(n_bytes: float) -> str:
    for unit in ("MB", "GB", "TB", "PB"):
        n_bytes /= 1e3 if unit != "MB" else 1e6
        if n_bytes < 1000:
            break
    return f"{n_bytes:.3g} {unit}"
