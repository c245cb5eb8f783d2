"""What a circuit without weights makes of an image's features: scale, run, measure, describe the outcome.

The transfer paper leaves open how 64 features meet five qubits and what of a measurement is a feature. Each answer is a
`Reading` or an `Outcome` with a name; all of them use one circuit, `transfer_circuit`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hqnn import datasets, storage
from hqnn.circuit import Circuit
from hqnn.papers.transfer.circuits import Encoding, transfer_circuit
from hqnn.views import aer
from hqnn.views.layer import QuantumLayer
from hqnn.views.noise import Noise

Scale = Literal["symmetric", "positive"]
"""Whether the training set's range of a feature fills the encoding's whole domain, [-1, 1] or [-π/2, π/2] radians, or
its positive half, [0, 1] or [0, π] radians."""

Outcome = Literal["string", "marginals", "probabilities"]
"""What of a measurement is kept: the bits of the most frequent string, ⟨Z⟩ of each qubit, or how often each string
occurs."""

Sampler = Literal["layer", "aer"]
"""Who throws the dice: a multinomial draw from the compiled layer's exact probabilities, or Aer."""

N_QUBITS = 5
_CHUNK = 4096  # images whose distributions are in memory at a time
_TIE = 9  # digits after which two probabilities are equal


class Reading(NamedTuple):
    """How an image's features are distributed over circuits."""

    encoding: Encoding
    n_circuits: int
    n_layers: int
    """Features per qubit and circuit, one after the other."""
    components: int
    """Principal components that stand for the features; 0 for the features themselves."""
    words: str

    @property
    def width(self) -> int:
        """Numbers that an image's circuits take."""
        return self.n_circuits * self.n_layers * N_QUBITS

    def circuit(self, *, entangle: bool = True) -> Circuit:
        """The circuit of which every image has `n_circuits`."""
        return transfer_circuit(self.encoding, n_qubits=N_QUBITS, n_layers=self.n_layers, entangle=entangle)


READINGS: Mapping[str, Reading] = {
    "first-5": Reading("arccos", 1, 1, 0, "the first 5 latents"),
    "blocks": Reading("arccos", 13, 1, 0, "13 blocks of 5 latents"),
    "re-uploading": Reading("arccos", 1, 13, 0, "13 latents per qubit, re-uploaded"),
    "pca-5": Reading("angle", 1, 1, 5, "5 principal components as angles"),
}
"""The readings by name. Where 64 latents do not fill the last block, it is padded with the feature 0, whose qubit is a
fair coin (arccos) that tells nothing."""

_RANGES: Mapping[tuple[Encoding, Scale], tuple[float, float]] = {
    ("arccos", "symmetric"): (-1.0, 1.0),
    ("arccos", "positive"): (0.0, 1.0),
    ("angle", "symmetric"): (-math.pi / 2, math.pi / 2),
    ("angle", "positive"): (0.0, math.pi),
}


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """From latents to a circuit's inputs, as fitted to a training set."""

    reading: Reading
    center: Tensor
    """Mean of the latents [n_latents], 0 where nothing is projected."""
    directions: Tensor
    """What is projected on [n_latents, n_values]: principal axes, or the first unit vectors."""
    low: Tensor
    """The values' least [n_values] over the training set."""
    high: Tensor
    """The values' greatest [n_values] over the training set."""
    interval: tuple[float, float]
    """What that range becomes."""

    @classmethod
    def fit(cls, name: str, scale: Scale, latents: Tensor) -> Self:
        """Fit the projection and the scaling of a reading.

        Args:
            name: A key of `READINGS`.
            scale: What the range of a value becomes.
            latents: Training set [N, n_latents].

        Raises:
            ValueError: Unknown name or scale, or fewer latents than the reading projects on.
        """
        if name not in READINGS:
            raise ValueError(f"reading is {name!r}; use one of {', '.join(map(repr, READINGS))}")
        if scale not in get_args(Scale):
            raise ValueError(f"scale is {scale!r}; use one of {', '.join(map(repr, get_args(Scale)))}")
        reading = READINGS[name]
        z = latents.double()
        if reading.components > z.shape[1]:
            raise ValueError(f"{name} needs {reading.components} principal components; {z.shape[1]} latents have fewer")
        center, directions = torch.zeros_like(z[0]), torch.eye(z.shape[1], dtype=z.dtype)[:, : reading.width]
        if reading.components:
            center, directions = principal_axes(z, reading.components)
        values = (z - center) @ directions
        return cls(
            reading,
            center,
            directions,
            values.min(0).values,
            values.max(0).values,
            _RANGES[reading.encoding, scale],
        )

    def __call__(self, latents: Tensor) -> Tensor:
        """Latents [N, n_latents] to inputs [N, reading.width] of the circuits, circuit by circuit.

        A value outside the training set's range is set to the range's nearer end, so that the arccosine exists. A
        value that is the same for all training images, as of a ReLU unit that is never active, and a place that no
        value is left for become 0.
        """
        values = (latents.double() - self.center) @ self.directions
        spread = self.high - self.low
        share = ((values - self.low) / torch.where(spread > 0, spread, 1.0)).clamp(0, 1)
        start, end = self.interval
        scaled = torch.where(spread > 0, start + share * (end - start), 0.0).clamp(start, end)
        return torch.nn.functional.pad(scaled, (0, self.reading.width - scaled.shape[1]))


def principal_axes(values: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """The mean [D] of values [N, D] and their first n principal axes [D, n].

    The sign of an axis is chosen so that its component of largest magnitude is positive.
    """
    center = values.mean(0)
    axes = torch.linalg.eigh(torch.cov((values - center).T)).eigenvectors[:, -n:].flip(1)
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
    return center, axes * largest.sign()


def measure(
    reading: Reading,
    inputs: Tensor,
    outcome: Outcome,
    *,
    entangle: bool = True,
    shots: int | None = None,
    sampler: Sampler = "layer",
    seed: int = 0,
    progress: bool = False,
) -> Tensor:
    """Run every image's circuits and keep of the outcomes what a reading calls features.

    Args:
        reading: The circuits.
        inputs: What `FeatureMap` returns [N, reading.width].
        outcome: What is kept.
        entangle: False leaves out the CNOTs.
        shots: Measurements per circuit; None for the limit of infinitely many.
        sampler: `"aer"` runs Aer, whose counts are kept in the cache; its exact probabilities if shots is None.
        seed: Of the shots.
        progress: Whether to show a progress bar (Aer only).

    Returns:
        float32 features [N, F].

    Raises:
        ValueError: Inputs of the wrong shape or outside the arccosine's domain, an unknown outcome or sampler, or fewer
            than one shot.
    """
    check_domain(reading, inputs)
    if sampler not in get_args(Sampler):
        raise ValueError(f"sampler is {sampler!r}; use 'layer' or 'aer'")
    if shots is not None and shots < 1:
        raise ValueError(f"shots is {shots}; measure at least once, or pass None for exact probabilities")
    if sampler == "aer":
        return summarise(
            aer_frequencies(reading.circuit(entangle=entangle), inputs, shots=shots, seed=seed, progress=progress),
            outcome,
        )
    layer, rng = (
        QuantumLayer(reading.circuit(entangle=entangle), copies=reading.n_circuits, dtype=torch.float64),
        _rng(seed),
    )
    parts = []
    with torch.no_grad():
        for chunk in inputs.split(_CHUNK):
            if shots is None:
                frequencies = layer.probabilities(chunk).numpy()
            else:
                frequencies = layer.sample(chunk, shots, rng) / shots
            parts.append(summarise(frequencies, outcome))
    return torch.cat(parts)


def check_domain(reading: Reading, inputs: Tensor) -> None:
    """Check that inputs [N, reading.width] have arccosines.

    Raises:
        ValueError: They have another shape, or one is outside [-1, 1] or NaN; the message names the first.
    """
    if inputs.ndim != 2 or inputs.shape[1] != reading.width:
        raise ValueError(f"inputs have shape {tuple(inputs.shape)}; this reading takes [N, {reading.width}]")
    wrong = ~inputs.isfinite() if reading.encoding == "angle" else ~(inputs.abs() <= 1)
    if wrong.any():
        row, column = (int(k) for k in wrong.nonzero()[0])
        raise ValueError(
            f"input {column} of row {row} is {float(inputs[row, column]):g}, "
            + ("not an angle" if reading.encoding == "angle" else "which has no arccosine: it must lie in [-1, 1]")
            + "; scale the features with FeatureMap first"
        )


def summarise(frequencies: NDArray[np.float64], outcome: Outcome) -> Tensor:
    """What is kept of measured distributions.

    Args:
        frequencies: Share of each bit string [N, circuits, 2**n]; bit q of the last index is the outcome of qubit q.
        outcome: `"string"`: the bits of the most frequent string, of equally frequent ones that of the smallest
            number; `"marginals"`: ⟨Z⟩ of each qubit; `"probabilities"`: the shares themselves.

    Returns:
        float32 features [N, circuits * n] or [N, circuits * 2**n], circuit by circuit, qubit 0 first.

    Raises:
        ValueError: Unknown outcome.
    """
    n_strings = frequencies.shape[-1]
    bits = np.arange(n_strings)[:, None] >> np.arange(n_strings.bit_length() - 1) & 1  # [strings, n]
    if outcome == "probabilities":
        features = frequencies
    elif outcome == "marginals":
        features = frequencies @ (1.0 - 2.0 * bits)
    elif outcome == "string":
        features = bits[frequencies.round(_TIE).argmax(-1)]
    else:
        raise ValueError(f"outcome is {outcome!r}; use one of {', '.join(map(repr, get_args(Outcome)))}")
    return torch.from_numpy(features.reshape(len(features), -1).astype(np.float32))


def aer_frequencies(
    pc: Circuit,
    inputs: Tensor,
    *,
    shots: int | None,
    seed: int = 0,
    noise: Noise | None = None,
    progress: bool = False,
) -> NDArray[np.float64]:
    """Shares of the bit strings as Aer finds them.

    Counts without noise are kept in the cache, under a name that depends on circuit, inputs, shots and seed.

    Args:
        pc: The circuit, without weights.
        inputs: [N, circuits * pc.n_inputs].
        shots: Measurements per circuit; None for Aer's exact probabilities.
        seed: Of the shots.
        noise: The device, None for a perfect one.
        progress: Whether to show a progress bar.

    Returns:
        [N, circuits, 2**n_qubits]; bit q of the last index is the outcome of qubit q.
    """
    rows = inputs.reshape(-1, pc.n_inputs).numpy()
    shape = (len(inputs), -1, 2**pc.n_qubits)
    if shots is None:
        return aer.probabilities(pc, rows, [], noise=noise, progress=progress).reshape(shape)
    if noise is not None:
        counts = aer.counts(pc, rows, [], shots=shots, noise=noise, seed=seed, progress=progress)
        return counts.reshape(shape) / shots
    content = hashlib.sha256(rows.tobytes()).hexdigest()
    path = datasets.cache_folder() / "features" / f"{storage.digest([_gates(pc), content, shots, seed])}.safetensors"
    if path.exists():
        kept, _ = storage.read_tensors(path)
        return kept["counts"].numpy().reshape(shape) / shots
    counts = aer.counts(pc, rows, [], shots=shots, seed=seed, progress=progress)
    storage.write_atomically(path, storage.pack_tensors({"counts": torch.from_numpy(counts.astype(np.int32))}))
    return counts.reshape(shape) / shots


def _gates(pc: Circuit) -> list[list[str]]:
    """A circuit's gates as text, which tells it from others."""
    return [
        [i.operation.name, *map(str, i.operation.params), *(str(pc.circuit.find_bit(q).index) for q in i.qubits)]
        for i in pc.circuit.data
        if i.operation.name != "barrier"
    ]


def _rng(seed: int) -> np.random.Generator:
    """A stream of its own for the shots of a run, apart from the one that draws its weights."""
    return np.random.default_rng([seed, 0x51])
