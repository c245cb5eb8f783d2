"""The parameter-shift rule: the gradient of a circuit's weights from evaluations of the circuit alone."""

import math

import torch
from torch import Tensor

from hqnn.views.layer import QuantumLayer


def gradient(layer: QuantumLayer, inputs: Tensor, upstream: Tensor) -> Tensor:
    r"""The gradient of a layer's weights by the parameter-shift rule [hqnn, §2.2.4].

    $$\partial_\theta \langle Y\rangle = \tfrac12\left(\langle Y\rangle_{\theta + \pi/2}
    - \langle Y\rangle_{\theta - \pi/2}\right)$$

    Args:
        layer: Its weights enter by rotations only.
        inputs: Features [B, copies * n_inputs].
        upstream: The loss's gradient with respect to the outputs [B, copies * n_observables].

    Returns:
        The loss's gradient with respect to the weights [copies, n_weights], at the price of two evaluations of the
        circuits for each weight of one of them.
    """
    weights = layer.weights.detach()
    result = torch.empty_like(weights)
    n_outputs = layer.pc.n_observables
    with torch.no_grad():
        for k in range(weights.shape[1]):
            shift = torch.zeros_like(weights)
            shift[:, k] = math.pi / 2  # one weight of every circuit at a time: they are independent
            up, down = (
                torch.func.functional_call(layer, {"weights": weights + sign * shift}, (inputs,)) for sign in (1, -1)
            )
            result[:, k] = ((up - down) / 2 * upstream).sum(0).reshape(-1, n_outputs).sum(1)
    return result


def evaluations(n_weights: int, n_inputs: int, batch_size: int) -> int:
    """Circuits that one training step evaluates by the rule: each sample once, and twice for every angle.

    The inputs are angles, too, and the layers before them need the gradient with respect to them.
    """
    return batch_size * (1 + 2 * (n_weights + n_inputs))
