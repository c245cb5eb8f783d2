"""The autoencoder and the classifiers of the transfer paper; what it leaves open is a field of their configs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig

N_PIXELS = 784
N_CLASSES = 10

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "linear": nn.Identity}


class Autoencoder(nn.Module):
    """Two dense layers to the latents, two back to the pixels [transfer, section 3.2].

    "The encoder layers apply ReLU, the decoder layers use sigmoid activations": `config.latent` is the activation of
    the encoder's second layer, `config.decoder` that of the decoder's first. Its last is always a sigmoid.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__()
        latent, decoder = _activation(config.latent), _activation(config.decoder)
        wide, narrow = config.hidden, config.n_latents
        down = (nn.Linear(N_PIXELS, wide), nn.ReLU(), nn.Linear(wide, narrow), latent)
        up = (nn.Linear(narrow, wide), decoder, nn.Linear(wide, N_PIXELS), nn.Sigmoid())
        self.encoder, self.decoder = nn.Sequential(*down), nn.Sequential(*up)

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels [B, 784] in [0, 1] to their reconstruction [B, 784]."""
        reconstruction: Tensor = self.decoder(self.encoder(pixels))
        return reconstruction


class Classifier(nn.Sequential):
    """Dense layers, each followed by its activation, batch normalisation and dropout, and a layer of class scores.

    The softmax that the paper puts at the end is part of the loss [transfer, sections 3.3 and 3.5]. `config.scores` is
    an activation on the class scores, which does not belong there and is tried as a cause of low accuracy. The linear
    probe is `config.classifier = "linear"`: nothing but the last layer.
    """

    def __init__(self, config: TransferConfig, n_features: int) -> None:
        layers: list[nn.Module] = []
        for width in () if config.classifier == "linear" else config.hidden:
            layers += [nn.Linear(n_features, width), _activation(config.activation)]
            layers += [nn.BatchNorm1d(width)]
            layers += [nn.Dropout(config.dropout)] if config.dropout else []
            n_features = width
        super().__init__(*layers, nn.Linear(n_features, N_CLASSES), _activation(config.scores))


def standard(features: Tensor) -> Callable[[Tensor], Tensor]:
    """The scaling of each feature to mean 0 and deviation 1 over a training set [N, F]; a constant one becomes 0."""
    spread = features.std(0)
    mean, spread = features.mean(0), torch.where(spread > 1e-6, spread, torch.inf)
    return lambda values: (values - mean) / spread


def _activation(name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise ValueError(f"an activation is {name!r}; use one of {', '.join(map(repr, ACTIVATIONS))}")
    return ACTIVATIONS[name]()
