"""Three papers on hybrid quantum-classical image classification, re-run claim by claim.

The front door holds the two things that are of use by themselves: a `Circuit`, and the `QuantumLayer` that trains it in
PyTorch. They are imported when first asked for, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hqnn.circuit import Circuit
    from hqnn.views.layer import QuantumLayer

__version__ = "0.1.0"
__all__ = ["Circuit", "QuantumLayer", "__version__"]

_HOMES = {"Circuit": "hqnn.circuit", "QuantumLayer": "hqnn.views.layer"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
