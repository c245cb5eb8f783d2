"""What the circuit computes, in closed form: five independent coins, renamed by the CNOTs [transfer, section 3.4]."""

import torch
from torch import Tensor


def coins(x: Tensor) -> Tensor:
    """⟨Z⟩ of each qubit before the CNOTs, z = 2x sqrt(1 - x²), of features x [N, n] in [-1, 1]."""
    return 2 * x * (1 - x**2).sqrt()


def marginals(x: Tensor) -> Tensor:
    """⟨Z⟩ of each qubit after the CNOTs [N, n]: the running products of the z."""
    return coins(x).cumprod(1)


def probabilities(x: Tensor) -> Tensor:
    """Of each outcome after the CNOTs [N, 2**n], a product of one factor per qubit; bit q is the outcome of qubit q."""
    n = x.shape[1]
    bits = torch.arange(2**n)[:, None] >> torch.arange(n) & 1
    coin_bits = bits.clone()  # which the CNOTs turned into these bits
    coin_bits[:, 1:] ^= bits[:, :-1]
    return ((1 + (1 - 2 * coin_bits) * coins(x)[:, None]) / 2).prod(-1)
