"""The autoencoder and the classifiers of the transfer paper [transfer, sections 3.2, 3.3 and 3.5].

What the paper leaves open is a field of `AutoencoderConfig` or `TransferConfig`; this module says what
the values mean.
"""

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

    The softmax that the paper puts at the end is part of the loss. `config.scores` is an activation on the class
    scores, which does not belong there and is tried as a cause of low accuracy. `config.classifier = "linear"` leaves
    out all but the last layer: the linear probe.

    Args:
        config: Widths, dropout, activations.
        n_features: Width of the input.
    """

    def __init__(self, config: TransferConfig, n_features: int) -> None:
        if config.classifier not in ("network", "linear"):
            raise ValueError(f"classifier is {config.classifier!r}; use 'network' or 'linear'")
        layers: list[nn.Module] = []
        for width in config.hidden if config.classifier == "network" else ():
            layers += [nn.Linear(n_features, width), _activation(config.activation)]
            layers += [nn.BatchNorm1d(width)]
            layers += [nn.Dropout(config.dropout)] if config.dropout else []
            n_features = width
        super().__init__(*layers, nn.Linear(n_features, N_CLASSES), _activation(config.scores))


class Standard:
    """Scaling of each feature to mean 0 and standard deviation 1 over a training set.

    A feature that is constant over the training set becomes 0.

    Args:
        features: The training set [N, F].
    """

    def __init__(self, features: Tensor) -> None:
        spread = features.std(0)
        self.mean, self.spread = features.mean(0), torch.where(spread > 1e-6, spread, torch.inf)

    def __call__(self, features: Tensor) -> Tensor:
        """Features [N, F], scaled."""
        return (features - self.mean) / self.spread


def _activation(name: str) -> nn.Module:
    if name not in ACTIVATIONS:
        raise ValueError(f"an activation is {name!r}; use one of {', '.join(map(repr, ACTIVATIONS))}")
    return ACTIVATIONS[name]()
