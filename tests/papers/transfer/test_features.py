"""Feature maps against the circuit's closed form, Aer, and counting by hand."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from qiskit.quantum_info import Statevector

from hqnn.papers.transfer.circuits import Encoding, transfer_circuit
from hqnn.papers.transfer.features import READINGS, FeatureMap, aer_frequencies, measure, principal_axes, summarise
from hqnn.papers.transfer.studies import chi_squared
from hqnn.views import aer

LATENTS = torch.from_numpy(np.random.default_rng(0).normal(size=(200, 64))).relu()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HQNN_CACHE", str(tmp_path))


def test_arccos_puts_the_feature_into_the_amplitude() -> None:
    """RY(2 arccos x)|0> = x|0> + sqrt(1 - x^2)|1> [transfer, section 3.4]."""
    for x in (-1.0, -0.3, 0.0, 0.6, 1.0):
        pc = transfer_circuit(n_qubits=1)
        state = Statevector(pc.stages()["ψ1"].assign_parameters([x])).data
        assert state == pytest.approx([x, math.sqrt(1 - x * x)])


@pytest.mark.parametrize("encoding", ["arccos", "angle"])
def test_marginals_are_running_products(encoding: Encoding) -> None:
    """Z on qubit k after the cascade is the product of z_0 .. z_k, z = 2 x sqrt(1 - x^2) or the sine of the angle."""
    x = torch.rand(50, 5, dtype=torch.float64) * 2 - 1
    name = "first-5" if encoding == "arccos" else "pca-5"
    alone = 2 * x * (1 - x * x).sqrt() if encoding == "arccos" else x.sin()
    torch.testing.assert_close(measure(READINGS[name], x, "marginals"), alone.cumprod(1).float())
    torch.testing.assert_close(measure(READINGS[name], x, "marginals", entangle=False), alone.float())


def test_cnots_only_rename_the_outcomes() -> None:
    x = torch.rand(20, 5, dtype=torch.float64) * 2 - 1
    with_cnots, without = (
        measure(READINGS["first-5"], x, "probabilities", entangle=entangle).numpy() for entangle in (True, False)
    )
    bits = np.arange(32)[:, None] >> np.arange(5) & 1
    renamed = (bits.cumsum(1) % 2) @ (1 << np.arange(5))
    np.testing.assert_allclose(with_cnots[:, renamed], without, atol=1e-7)


def test_the_most_frequent_string_knows_only_signs() -> None:
    x = torch.rand(40, 5, dtype=torch.float64) * 2 - 1
    bits = measure(READINGS["first-5"], x, "string").numpy()
    np.testing.assert_array_equal(bits, (x < 0).numpy().cumsum(1) % 2)
    assert not measure(READINGS["first-5"], x.abs(), "string").any()


@pytest.mark.parametrize("name", READINGS)
def test_the_layer_agrees_with_aer(name: str) -> None:
    reading = READINGS[name]
    inputs = FeatureMap.fit(name, "symmetric", LATENTS)(LATENTS[:30])
    exact = measure(reading, inputs, "probabilities").numpy()
    theirs = aer_frequencies(reading.circuit(), inputs, shots=None)
    assert np.abs(exact - theirs.reshape(30, -1)).max() < 1e-6
    flat = theirs.reshape(-1, 32)
    counts = np.random.default_rng(1).permutation(
        aer.counts(reading.circuit(), inputs.reshape(-1, reading.n_layers * 5), [], shots=1024, seed=3)
    )
    assert chi_squared(counts, flat) < 1e-6  # rows of other images
    counts = aer.counts(reading.circuit(), inputs.reshape(-1, reading.n_layers * 5), [], shots=1024, seed=3)
    assert 1e-4 < chi_squared(counts, flat) < 1 - 1e-4


@pytest.mark.parametrize("sampler", ["layer", "aer"])
def test_shots_come_from_their_seed_and_approach_the_limit(sampler: str) -> None:
    inputs = FeatureMap.fit("pca-5", "symmetric", LATENTS)(LATENTS[:20])
    first, again, other = (
        measure(READINGS["pca-5"], inputs, "probabilities", shots=8192, sampler=sampler, seed=seed)  # type: ignore[arg-type]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert (first - measure(READINGS["pca-5"], inputs, "probabilities")).abs().max() < 5 * 0.5 / math.sqrt(8192)


def test_aers_counts_are_taken_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    pc, inputs = READINGS["first-5"].circuit(), torch.zeros(3, 5, dtype=torch.float64)
    first = aer_frequencies(pc, inputs, shots=10, seed=1)
    monkeypatch.setattr(aer, "counts", None)
    np.testing.assert_array_equal(aer_frequencies(pc, inputs, shots=10, seed=1), first)
    for shots, seed in ((11, 1), (10, 2)):
        with pytest.raises(TypeError):
            aer_frequencies(pc, inputs, shots=shots, seed=seed)
    for other_pc, other_inputs in ((READINGS["first-5"].circuit(entangle=False), inputs), (pc, inputs + 0.5)):
        with pytest.raises(TypeError):
            aer_frequencies(other_pc, other_inputs, shots=10, seed=1)


@pytest.mark.parametrize(("scale", "low"), [("symmetric", -1.0), ("positive", 0.0)])
def test_scaling_fills_the_arccosines_domain_and_no_more(scale: str, low: float) -> None:
    latents = LATENTS.clone()
    latents[:, 7] = 0  # a unit that is never active
    encode = FeatureMap.fit("blocks", scale, latents)  # type: ignore[arg-type]
    x = encode(latents)
    assert x.shape == (200, 65)
    assert torch.equal(x[:, 7], torch.zeros(200, dtype=x.dtype))
    assert torch.equal(x[:, 64], torch.zeros(200, dtype=x.dtype))
    others = [k for k in range(64) if k != 7]
    assert (x[:, others].min(0).values == low).all()
    assert (x[:, others].max(0).values == 1).all()
    beyond = encode(10 * latents - 3)
    assert beyond.min() == low
    assert beyond.max() == 1


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
    name: str, scale: str, ends: tuple[float, float]
) -> None:
    """The whole domain of the arccosine, or half a turn; or the positive half of either."""
    z = LATENTS.numpy()
    values = z[:, :5]
    if name == "pca-5":
        _, axes = principal_axes(LATENTS, 5)
        values = (z - z.mean(0)) @ axes.numpy()
    low, high = values.min(0), values.max(0)
    encode = FeatureMap.fit(name, scale, LATENTS)  # type: ignore[arg-type]
    expected = [np.interp(column, (low[k], high[k]), ends) for k, column in enumerate(values.T)]
    np.testing.assert_allclose(encode(LATENTS).numpy(), np.stack(expected, 1), atol=1e-12)


def test_principal_axes_are_scipys() -> None:
    values = LATENTS @ torch.rand(64, 64, dtype=torch.float64)
    center, axes = principal_axes(values, 5)
    _, _, rows = np.linalg.svd((values - center).numpy(), full_matrices=False)
    np.testing.assert_allclose(np.abs(rows[:5] @ axes.numpy()), np.eye(5), atol=1e-6)
    assert (axes.gather(0, axes.abs().argmax(0, keepdim=True)) > 0).all()


def test_a_value_without_an_arccosine_is_refused() -> None:
    x = torch.zeros(3, 5, dtype=torch.float64)
    x[2, 1] = 1.25
    with pytest.raises(
        ValueError, match=r"input 1 of row 2 is 1\.25, which has no arccosine: it must lie in \[-1, 1\]"
    ):
        measure(READINGS["first-5"], x, "marginals")
    x[2, 1] = math.nan
    with pytest.raises(ValueError, match="row 2 is nan, which has no arccosine"):
        measure(READINGS["first-5"], x, "marginals")
    with pytest.raises(ValueError, match="not an angle"):
        measure(READINGS["pca-5"], x, "marginals")
    with pytest.raises(ValueError, match=r"take \[N, 65\]"):
        measure(READINGS["blocks"], x, "marginals")


def test_what_is_kept_of_a_distribution() -> None:
    frequencies = np.zeros((1, 2, 4))
    frequencies[0, 0] = [0.1, 0.6, 0.3, 0.0]
    frequencies[0, 1] = [0.0, 0.25, 0.5, 0.25]
    assert summarise(frequencies, "string").tolist() == [[1, 0, 0, 1]]
    torch.testing.assert_close(summarise(frequencies, "marginals"), torch.tensor([[-0.2, 0.4, 0.0, -0.5]]))
    assert summarise(frequencies, "probabilities").shape == (1, 8)
    tie = np.full((1, 1, 4), 0.25) + 1e-12 * np.arange(4)
    assert summarise(tie, "string").tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "bits"}, "outcome is 'bits'"),
        ({"shots": 0}, "shots is 0"),
        ({"sampler": "device"}, "sampler is 'device'"),
    ],
)
def test_unknown_choices_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        measure(READINGS["first-5"], torch.zeros(1, 5, dtype=torch.float64), **{"outcome": "string", **change})  # type: ignore[arg-type]


def test_unknown_maps_are_named() -> None:
    with pytest.raises(ValueError, match="reading is 'last-5'"):
        FeatureMap.fit("last-5", "symmetric", LATENTS)
    with pytest.raises(ValueError, match="scale is 'unit'"):
        FeatureMap.fit("first-5", "unit", LATENTS)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs 5 principal components"):
        FeatureMap.fit("pca-5", "symmetric", LATENTS[:, :4])
    with pytest.raises(ValueError, match="use 'arccos' or 'angle'"):
        transfer_circuit("phase")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="both must be at least 1"):
        transfer_circuit(n_layers=0)
