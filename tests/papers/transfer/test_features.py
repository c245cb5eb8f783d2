"""Quantum features against the circuit's closed form, Aer, and counting by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from hqnn.papers.transfer import closed_form
from hqnn.papers.transfer.features import EMBEDDINGS, aer_frequencies, input_scaler, quantum_features, statistic
from hqnn.papers.transfer.studies import chi_squared

LATENTS = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 64))).relu()
FIRST, PCA = EMBEDDINGS["first-5"], EMBEDDINGS["pca-5"]


def test_the_circuit_computes_its_closed_form() -> None:
    """Coins z = 2 x sqrt(1 - x^2), or the sine of the angle; the CNOTs make running products of them."""
    x = torch.rand(50, 5, dtype=torch.float64) * 2 - 1
    alone = 2 * x * (1 - x * x).sqrt()
    torch.testing.assert_close(closed_form.coins(x), alone)
    torch.testing.assert_close(quantum_features(FIRST, x, "marginals", entangle=False), alone.float())
    torch.testing.assert_close(quantum_features(PCA, x, "marginals"), x.sin().cumprod(1).float())
    for kept in ("marginals", "probabilities"):
        simulated = quantum_features(FIRST, x, kept)
        torch.testing.assert_close(getattr(closed_form, kept)(x), simulated.double(), atol=1e-6, rtol=0)
    np.testing.assert_array_equal(quantum_features(FIRST, x, "string").numpy(), (x < 0).numpy().cumsum(1) % 2)


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_the_layer_agrees_with_aer(name: str) -> None:
    embedding = EMBEDDINGS[name]
    inputs = input_scaler(name, "symmetric", LATENTS)(LATENTS[:30])
    assert inputs.shape == (30, embedding.width)
    theirs = aer_frequencies(embedding.circuit(), inputs, shots=None)
    exact, sampled = (quantum_features(embedding, inputs, "probabilities", shots=s).numpy() for s in (None, 1024))
    assert np.abs(exact - theirs.reshape(30, -1)).max() < 1e-6
    flat, counts = theirs.reshape(-1, 32), 1024 * aer_frequencies(embedding.circuit(), inputs, shots=1024, seed=3)
    for drawn in (counts, 1024 * sampled.astype(float)):
        shots = drawn.reshape(-1, 32).round().astype(int)
        assert 1e-4 < chi_squared(shots, flat) < 1 - 1e-4
        assert chi_squared(np.random.default_rng(1).permutation(shots), flat) < 1e-6  # rows of other images


@pytest.mark.parametrize("sampler", ["layer", "aer"])
def test_shots_come_from_their_seed(sampler: Any) -> None:
    inputs = input_scaler("pca-5", "symmetric", LATENTS)(LATENTS[:20])
    first, again, other = (
        quantum_features(PCA, inputs, "probabilities", shots=8192, sampler=sampler, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert (first - quantum_features(PCA, inputs, "probabilities")).abs().max() < 5 * 0.5 / math.sqrt(8192)


@pytest.mark.parametrize(("scale", "low"), [("symmetric", -1.0), ("positive", 0.0)])
def test_scaling_fills_the_arccosines_domain_and_no_more(scale: Any, low: float) -> None:
    latents = LATENTS.clone()
    latents[:, 7] = 0  # a unit that is never active
    encode = input_scaler("blocks", scale, latents)
    x = encode(latents)
    assert not x[:, [7, 64]].any()
    others = [k for k in range(64) if k != 7]
    assert (x[:, others].min(0).values == low).all()
    assert (x[:, others].max(0).values == 1).all()
    beyond = encode(10 * latents - 3)
    assert (float(beyond.min()), float(beyond.max())) == (low, 1)


def test_what_is_kept_of_a_distribution() -> None:
    frequencies = np.array([[[0.1, 0.6, 0.3, 0.0], [0.0, 0.25, 0.5, 0.25]]])
    assert statistic(frequencies, "string").tolist() == [[1, 0, 0, 1]]
    torch.testing.assert_close(statistic(frequencies, "marginals"), torch.tensor([[-0.2, 0.4, 0.0, -0.5]]))
    assert statistic(frequencies, "probabilities").tolist() == [pytest.approx(frequencies.ravel().tolist())]
    tie = np.full((1, 1, 4), 0.25) + 1e-12 * np.arange(4)
    assert statistic(tie, "string").tolist() == [[0, 0]]


def test_what_cannot_be_encoded_or_kept_is_refused() -> None:
    zeros = torch.zeros(1, 5, dtype=torch.float64)
    for value in (1.25, math.nan):
        with pytest.raises(ValueError, match="no arccosine"):
            quantum_features(FIRST, zeros + value, "marginals")
    with pytest.raises(ValueError, match="outcome is 'bits'; use one of 'string'"):
        quantum_features(FIRST, zeros, "bits")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reading is 'last-5'"):
        input_scaler("last-5", "symmetric", LATENTS)
