"""The hybrid network and its rival."""

from torch import Tensor, nn

from hqnn import QuantumLayer
from hqnn.papers.sample.circuits import sample_circuit
from hqnn.papers.sample.experiments import SampleConfig


class Network(nn.Module):
    """Pixels to two features, through the circuit or past it, to two class scores [sample, fig. 1]."""

    def __init__(self, config: SampleConfig) -> None:
        super().__init__()
        hybrid = config.model == "hybrid"
        self.reduce = nn.Linear(784, 2)
        self.middle = QuantumLayer(sample_circuit()) if hybrid else nn.Identity()
        self.scores = nn.Linear(1 if hybrid else 2, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 1, 28, 28] to class scores [B, 2]."""
        scores: Tensor = self.scores(self.middle(self.reduce(images.flatten(1))))
        return scores
