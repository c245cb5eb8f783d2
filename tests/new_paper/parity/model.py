"""The hybrid network and its rival."""

from hqnn.papers.parity.circuits import parity_circuit
from hqnn.papers.parity.experiments import ParityConfig
from torch import Tensor, nn

from hqnn import QuantumLayer


class Network(nn.Module):
    """Pixels to two features, through the circuit or past it, to two class scores [parity, fig. 1]."""

    def __init__(self, config: ParityConfig) -> None:
        super().__init__()
        hybrid = config.model == "hybrid"
        self.reduce = nn.Linear(784, 2)
        self.middle = QuantumLayer(parity_circuit()) if hybrid else nn.Identity()
        self.scores = nn.Linear(1 if hybrid else 2, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] to class scores [B, 2]."""
        scores: Tensor = self.scores(self.middle(self.reduce(images.flatten(1))))
        return scores
