"""Comparisons of the three papers: what is printed comes from the ledger, what is ours from the records."""

import numpy as np
import pytest

from hqnn import records
from hqnn.claims import ledger
from hqnn.papers import together
from hqnn.papers.hqnn import tuning


def test_printed_accuracies_are_the_ledgers_in_percent() -> None:
    found = together.load()
    printed = {name: one.printed for name, one in found.items()}
    assert printed["HQNN-Parallel, MNIST"] == (99.21, 98.71)
    assert printed["HQNN-Quanv, over CNN1"] == pytest.approx((67, 53))
    assert printed["transfer, version 2"] == (75, 98)
    leads = {
        claim.id: claim.printed.number for claim in ledger.read().claims if claim.id in ("H3-gap", "H4-gap", "H5-gap")
    }
    for row, name in (("H3", "MNIST"), ("H4", "Medical MNIST"), ("H5", "CIFAR-10")):
        assert found[f"HQNN-Parallel, {name}"].printed_lead == pytest.approx(leads[f"{row}-gap"])


def test_ours_are_final_accuracies_paired_by_seed() -> None:
    found = together.load()
    for one in found.values():
        assert one.hybrid.shape == one.rival.shape == one.lead.shape
        assert np.all((one.hybrid >= 0) & (one.hybrid <= 100))
    cnn = records.load("hqnn-mnist/cnn")
    assert found["HQNN-Parallel, MNIST"].rival == pytest.approx([100 * r.history["test_accuracy"][-1] for r in cnn])


def test_kernels_are_taken_at_their_best_rates() -> None:
    (pixels,) = together.finals("pixels")
    at = tuning.by_rate("pixels", "all_accuracy")
    assert pixels == pytest.approx(100 * at[tuning.best_rate("pixels")])


def test_a_rival_is_weak_if_only_ours_is_better_than_printed() -> None:
    hybrid, rival = np.array([99.0, 99.2]), np.array([98.0, 98.2])
    assert together.Comparison(hybrid=hybrid, rival=rival, printed=(99.2, 97.0)).has_weak_rival
    assert not together.Comparison(hybrid=hybrid, rival=rival, printed=(99.2, 97.7)).has_weak_rival
    assert not together.Comparison(hybrid=hybrid, rival=rival, printed=(98.5, 97.0)).has_weak_rival


def test_circuits_are_taken_out_of_hybrids_that_were_trained_with_the_same_seeds() -> None:
    found = together.taken_out()
    assert len(found) == 6
    for one in found.values():
        assert len(one.hybrid) == len(one.without) >= 5
        assert one.gain.difference.mean == pytest.approx(np.mean(one.hybrid - one.without))
    latents = [100 * r.history["test_accuracy"][-1] for r in records.load("transfer-readings/latents")]
    assert found["transfer, all latents: the latents"].without == pytest.approx(latents)
