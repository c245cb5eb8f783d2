"""What the printed numbers of trainable parameters say about the networks [hqnn, table 1, §2.2.4].

Each function searches a small, stated space completely. A convolution from a to b channels with a k x k kernel has
a b k² weights and b biases, a dense layer from a to b features has a b weights and b biases, and normalisation has two
parameters per channel or feature.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

FEATURES = 1568
"""What the two convolutional blocks make of an MNIST image [hqnn, §2.2.2]."""
WIDTH = 20
"""Features of the quantum part: four circuits of five qubits."""


def convolutions(channels: Sequence[int], kernel: int, *, bias: bool = True, norm: bool = True) -> int:
    """Parameters of convolutions from the image's channels on, with or without biases and normalisation."""
    return sum(a * b * kernel**2 + (bias + 2 * norm) * b for a, b in itertools.pairwise(channels))


def dense(widths: Sequence[int]) -> int:
    """Parameters of a chain of dense layers with biases."""
    return sum(a * b + b for a, b in itertools.pairwise(widths))


def circuits(n_circuits: int, n_qubits: int, n_layers: int) -> int:
    """Trainable angles of parallel strongly entangling circuits: q · 3i · c [hqnn, §2.2.3]."""
    return n_qubits * 3 * n_layers * n_circuits


def optional_parts(n_layers: int = 3) -> tuple[int, dict[str, int]]:
    """The hybrid for MNIST: how many weights no reading can leave out, and how many each part has that one could."""
    fixed = convolutions((1, 16, 32), 5, bias=False, norm=False)
    fixed += FEATURES * WIDTH + circuits(4, 5, n_layers) + WIDTH * 10
    return fixed, {
        "bias of convolution 1": 16,
        "bias of convolution 2": 32,
        "normalisation after convolution 1": 32,
        "normalisation after convolution 2": 64,
        "bias of the first dense layer": WIDTH,
        "normalisation after the first dense layer": 2 * WIDTH,
        "normalisation after the circuits": 2 * WIDTH,
        "bias of the last dense layer": 10,
        "normalisation after the last dense layer": 20,
    }


def absent(total: int, n_layers: int = 3) -> list[tuple[str, ...]]:
    """All sets of optional parts that a hybrid with `total` parameters may do without, by name."""
    fixed, parts = optional_parts(n_layers)
    surplus = fixed + sum(parts.values()) - total
    subsets = itertools.chain.from_iterable(itertools.combinations(parts, size) for size in range(len(parts) + 1))
    return [names for names in subsets if sum(parts[name] for name in names) == surplus]


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A classical network for MNIST: the hybrid's convolutions, dense layers, ten scores."""

    hidden: tuple[int, ...]
    """Widths of the dense layers before the scores."""
    conv_bias: bool
    conv_norm: bool
    dense_bias: bool
    dense_norms: tuple[bool, ...]
    """One for each of `hidden`."""
    score_bias: bool
    score_norm: bool

    @property
    def n_parameters(self) -> int:
        """Trainable parameters."""
        weights = sum(a * b for a, b in itertools.pairwise((FEATURES, *self.hidden, 10)))
        norms = zip(self.hidden, self.dense_norms, strict=True)
        extras = sum((self.dense_bias + 2 * norm) * width for width, norm in norms)
        conv = convolutions((1, 16, 32), 5, bias=self.conv_bias, norm=self.conv_norm)
        return conv + weights + extras + 10 * self.score_bias + 20 * self.score_norm

    @property
    def has_norm(self) -> bool:
        """Whether anything is normalised."""
        return self.conv_norm or any(self.dense_norms) or self.score_norm

    @property
    def has_all_biases(self) -> bool:
        """Whether every layer has a bias."""
        return self.conv_bias and self.dense_bias and self.score_bias


def rivals(total: int, *, max_width: int = 2048) -> list[Rival]:
    """All classical networks for MNIST with `total` parameters and one or two dense layers before the scores.

    Every choice of widths (`max_width` bounds that of the second layer), of biases (of the convolutions, the dense
    layers, the scores) and of normalisation (of the convolutions, of each dense layer, of the scores).
    """
    found = []
    for rest in [(), *((width,) for width in range(1, max_width + 1))]:
        for conv_bias, conv_norm, bias, score_bias, score_norm, *norms in itertools.product(
            (False, True), repeat=6 + len(rest)
        ):
            without_first = Rival(
                hidden=(0, *rest),
                conv_bias=conv_bias,
                conv_norm=conv_norm,
                dense_bias=bias,
                dense_norms=tuple(norms),
                score_bias=score_bias,
                score_norm=score_norm,
            )
            per_unit = FEATURES + (*rest, 10)[0] + bias + 2 * norms[0]
            first, remainder = divmod(total - without_first.n_parameters, per_unit)
            if first > 0 and remainder == 0:
                found.append(replace(without_first, hidden=(first, *rest)))
    return found


def widths_in_place(total: int, hybrid: int) -> list[float]:
    """How wide a dense layer in place of the circuits of the hybrid, and nothing else, gives `total` parameters.

    One width per reading of the hybrid's own number and per choice of bias and normalisation; whole where it exists.
    """
    fixed, parts = optional_parts()
    fixed -= circuits(4, 5, 3) + WIDTH * 10
    del parts["normalisation after the circuits"]
    kept = [fixed + sum(size for name, size in parts.items() if name not in names) for names in absent(hybrid)]
    per_unit = [WIDTH + 10 + bias + 2 * norm for bias in (0, 1) for norm in (0, 1)]
    return [(total - rest) / per for rest in kept for per in per_unit]


def kinds(found: Sequence[Rival]) -> dict[str, list[Rival]]:
    """The networks that `rivals` found, by what one would expect of them."""
    return {
        "all": [*found],
        "with one dense layer before the scores": [one for one in found if len(one.hidden) == 1],
        "with two dense layers of the same width": [one for one in found if len(set(one.hidden)) == 1],
        "with all biases and normalised convolutions": [one for one in found if one.has_all_biases and one.conv_norm],
        "with all biases, and normalised convolutions and dense layers": [
            one for one in found if one.has_all_biases and one.conv_norm and all(one.dense_norms)
        ],
        "with all biases and no normalisation": [one for one in found if one.has_all_biases and not one.has_norm],
    }


def depths(difference: int, *, max_width: int = 60, max_layers: int = 12) -> list[tuple[int, int]]:
    """The widths n and depths i with n (n + 1) - 3 i n = difference: a dense layer n -> n less circuits of depth i."""
    pairs = itertools.product(range(1, max_width + 1), range(1, max_layers + 1))
    return [(n, i) for n, i in pairs if dense((n, n)) - 3 * i * n == difference]


@dataclass(frozen=True, kw_only=True)
class Front:
    """Convolutions that lead to a hybrid of a printed size."""

    in_channels: int
    channels: tuple[int, ...]
    kernel: int
    side: int
    """Side of the last maps."""
    n_layers: int

    def n_parameters(self, n_classes: int) -> int:
        """Trainable parameters of the hybrid, with all biases and with the normalisation that MNIST's count implies."""
        return (
            convolutions((self.in_channels, *self.channels), self.kernel)
            + dense((self.channels[-1] * self.side**2, WIDTH))
            + 4 * WIDTH
            + circuits(4, 5, self.n_layers)
            + dense((WIDTH, n_classes))
        )


def fronts(
    total: int,
    *,
    n_classes: int,
    n_convolutions: int,
    in_channels: Iterable[int],
    kernels: Iterable[int],
    sides: Iterable[int],
    n_layers: int,
    widths: Sequence[int] = range(4, 161),
) -> list[Front]:
    """All hybrids with `total` parameters that are built by MNIST's rules and whose widths never shrink.

    `in_channels`, `kernels` (one for all convolutions), `sides` (of the last maps) and `widths` (channels a convolution
    may yield, in growing order) are what to try; `n_layers` is the depth of the circuits.
    """
    found = []
    for first, kernel, side in itertools.product(in_channels, kernels, sides):
        for head in itertools.combinations_with_replacement(widths, n_convolutions - 1):
            none, one = (
                Front(in_channels=first, channels=(*head, last), kernel=kernel, side=side, n_layers=n_layers)
                for last in (0, 1)
            )
            size = none.n_parameters(n_classes)
            last, remainder = divmod(total - size, one.n_parameters(n_classes) - size)
            if remainder == 0 and last in widths and last >= max(head, default=0):
                found.append(replace(none, channels=(*head, last)))
    return found


MEDICAL: Mapping[str, Any] = {
    "n_classes": 6,
    "n_convolutions": 2,
    "in_channels": (1, 3),
    "kernels": (3, 5, 7),
    "sides": (7, 8, 14, 15, 16, 28, 30, 31, 32, 56, 61),
    "n_layers": 4,
}
CIFAR: Mapping[str, Any] = {
    "n_classes": 10,
    "n_convolutions": 3,
    "in_channels": (3,),
    "kernels": (3, 5),
    "sides": (4, 8),
    "n_layers": 5,
}
"""What `fronts` is to search for Medical MNIST and for CIFAR-10: the text's numbers, and what would fit them."""
