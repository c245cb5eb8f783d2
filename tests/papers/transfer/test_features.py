"""Quantum features against the circuit's closed form, Aer, and counting by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from hqnn.papers.transfer.circuits import Encoding
from hqnn.papers.transfer.features import (
    EMBEDDINGS,
    InputScaler,
    aer_frequencies,
    principal_axes,
    quantum_features,
    statistic,
)
from hqnn.papers.transfer.studies import chi_squared

LATENTS = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 64))).relu()
FIRST, PCA = EMBEDDINGS["first-5"], EMBEDDINGS["pca-5"]


def uniform(n: int) -> torch.Tensor:
    return torch.rand(n, 5, dtype=torch.float64) * 2 - 1


@pytest.mark.parametrize("encoding", ["arccos", "angle"])
def test_marginals_are_running_products(encoding: Encoding) -> None:
    """Z on qubit k after the cascade is the product of z_0 .. z_k, z = 2 x sqrt(1 - x^2) or the sine of the angle."""
    x, embedding = uniform(50), FIRST if encoding == "arccos" else PCA
    alone = 2 * x * (1 - x * x).sqrt() if encoding == "arccos" else x.sin()
    torch.testing.assert_close(quantum_features(embedding, x, "marginals"), alone.cumprod(1).float())
    torch.testing.assert_close(quantum_features(embedding, x, "marginals", entangle=False), alone.float())


def test_cnots_only_rename_the_outcomes_and_the_commonest_string_knows_only_signs() -> None:
    x = uniform(20)
    with_cnots, without = (
        quantum_features(FIRST, x, "probabilities", entangle=entangle).numpy() for entangle in (True, False)
    )
    bits = np.arange(32)[:, None] >> np.arange(5) & 1
    renamed = (bits.cumsum(1) % 2) @ (1 << np.arange(5))
    np.testing.assert_allclose(with_cnots[:, renamed], without, atol=1e-7)
    np.testing.assert_array_equal(quantum_features(FIRST, x, "string").numpy(), (x < 0).numpy().cumsum(1) % 2)


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_the_layer_agrees_with_aer(name: str) -> None:
    embedding = EMBEDDINGS[name]
    inputs = InputScaler.fit(name, "symmetric", LATENTS)(LATENTS[:30])
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
    inputs = InputScaler.fit("pca-5", "symmetric", LATENTS)(LATENTS[:20])
    first, again, other = (
        quantum_features(PCA, inputs, "probabilities", shots=8192, sampler=sampler, seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    exact = quantum_features(PCA, inputs, "probabilities")
    assert (first - exact).abs().max() < 5 * 0.5 / math.sqrt(8192)
    if sampler == "aer":
        theirs = quantum_features(PCA, inputs, "probabilities", sampler="aer")
        torch.testing.assert_close(theirs, exact, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("scale", "low"), [("symmetric", -1.0), ("positive", 0.0)])
def test_scaling_fills_the_arccosines_domain_and_no_more(scale: Any, low: float) -> None:
    latents = LATENTS.clone()
    latents[:, 7] = 0  # a unit that is never active
    encode = InputScaler.fit("blocks", scale, latents)
    x = encode(latents)
    assert not x[:, [7, 64]].any()
    others = [k for k in range(64) if k != 7]
    assert (x[:, others].min(0).values == low).all()
    assert (x[:, others].max(0).values == 1).all()
    beyond = encode(10 * latents - 3)
    assert (float(beyond.min()), float(beyond.max())) == (low, 1)


@pytest.mark.parametrize(
    ("name", "scale", "ends"),
    [
        ("first-5", "symmetric", (-1.0, 1.0)),
        ("first-5", "positive", (0.0, 1.0)),
        ("pca-5", "symmetric", (-math.pi / 2, math.pi / 2)),
        ("pca-5", "positive", (0.0, math.pi)),
    ],
)
def test_the_training_sets_range_is_stretched_evenly_over_the_domain(
    name: str, scale: Any, ends: tuple[float, float]
) -> None:
    """The whole domain of the arccosine, or half a turn; or the positive half of either."""
    z = LATENTS.numpy()
    values = z[:, :5]
    if name == "pca-5":
        _, axes = principal_axes(LATENTS, 5)
        values = (z - z.mean(0)) @ axes.numpy()
    low, high = values.min(0), values.max(0)
    expected = [np.interp(column, (low[k], high[k]), ends) for k, column in enumerate(values.T)]
    found = InputScaler.fit(name, scale, LATENTS)(LATENTS)
    np.testing.assert_allclose(found.numpy(), np.stack(expected, 1), atol=1e-12)


def test_principal_axes_are_those_of_the_singular_value_decomposition() -> None:
    values = LATENTS @ torch.rand(64, 64, dtype=torch.float64)
    center, axes = principal_axes(values, 5)
    _, _, rows = np.linalg.svd((values - center).numpy(), full_matrices=False)
    np.testing.assert_allclose(np.abs(rows[:5] @ axes.numpy()), np.eye(5), atol=1e-6)
    assert (axes.gather(0, axes.abs().argmax(0, keepdim=True)) > 0).all()


def test_what_is_kept_of_a_distribution() -> None:
    frequencies = np.zeros((1, 2, 4))
    frequencies[0, 0] = [0.1, 0.6, 0.3, 0.0]
    frequencies[0, 1] = [0.0, 0.25, 0.5, 0.25]
    assert statistic(frequencies, "string").tolist() == [[1, 0, 0, 1]]
    torch.testing.assert_close(statistic(frequencies, "marginals"), torch.tensor([[-0.2, 0.4, 0.0, -0.5]]))
    assert statistic(frequencies, "probabilities").tolist() == [pytest.approx(frequencies.ravel().tolist())]
    tie = np.full((1, 1, 4), 0.25) + 1e-12 * np.arange(4)
    assert statistic(tie, "string").tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("first-5", 1.25, r"input 1 of row 2 is 1\.25, which has no arccosine: it must lie in \[-1, 1\]"),
        ("first-5", math.nan, "row 2 is nan, which has no arccosine"),
        ("pca-5", math.nan, "not an angle"),
        ("blocks", 0.0, r"take \[N, 65\]"),
    ],
)
def test_a_value_without_an_arccosine_is_refused(name: str, value: float, message: str) -> None:
    x = torch.zeros(3, 5, dtype=torch.float64)
    x[2, 1] = value
    with pytest.raises(ValueError, match=message):
        quantum_features(EMBEDDINGS[name], x, "marginals")


def test_unknown_choices_are_named() -> None:
    for change in ({"outcome": "bits"}, {"shots": 0}, {"sampler": "device"}):
        (message,) = (f"{name} is {value!r}" for name, value in change.items())
        given: dict[str, Any] = {"outcome": "string", **change}
        with pytest.raises(ValueError, match=message):
            quantum_features(FIRST, torch.zeros(1, 5, dtype=torch.float64), **given)
    fits: list[tuple[Any, Any, int, str]] = [
        ("last-5", "symmetric", 64, "reading is 'last-5'"),
        ("first-5", "unit", 64, "scale is 'unit'"),
        ("pca-5", "symmetric", 4, "needs 5 principal components"),
    ]
    for name, scale, n, message in fits:
        with pytest.raises(ValueError, match=message):
            InputScaler.fit(name, scale, LATENTS[:, :n])
