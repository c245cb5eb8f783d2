"""Comparisons of the three papers: what is printed comes from the ledger, what is ours from the records."""

from dataclasses import replace

import numpy as np
import pytest

from hqnn import records
from hqnn.claims import ledger
from hqnn.errors import HqnnError
from hqnn.papers import together
from hqnn.papers.hqnn import tuning


def test_comparisons_are_the_ledgers_beside_the_records() -> None:
    found = together.load()
    printed = {name: one.printed for name, one in found.items()}
    assert printed["HQNN-Parallel, MNIST"] == (99.21, 98.71)
    assert printed["HQNN-Quanv, over CNN1"] == pytest.approx((67, 53))
    assert printed["transfer, version 2"] == (75, 98)
    for row, name in (("H3", "MNIST"), ("H4", "Medical MNIST"), ("H5", "CIFAR-10")):
        gap = ledger.read().find(f"{row}-gap").printed.number
        assert found[f"HQNN-Parallel, {name}"].printed_lead == pytest.approx(gap)
    for one in found.values():
        assert one.hybrid.shape == one.rival.shape == one.lead.shape
    cnn = records.load("hqnn-mnist/cnn")
    assert found["HQNN-Parallel, MNIST"].rival == pytest.approx([100 * r.history["test_accuracy"][-1] for r in cnn])


def test_a_ledger_of_other_papers_has_no_comparisons_and_a_renamed_row_is_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = ledger.read()
    others = tuple(one for one in book.claims if one.group == "H1")
    monkeypatch.setattr(ledger, "read", lambda: replace(book, claims=others))
    assert others and together.load() == {}
    all_but_one = tuple(one for one in book.claims if one.id != "S8-hybrid")
    monkeypatch.setattr(ledger, "read", lambda: replace(book, claims=all_but_one))
    with pytest.raises(HqnnError, match="S8-hybrid"):
        together.load()


def test_leads_are_paired_by_seed() -> None:
    found = together.leads("lcqhnn-fashion", "lcqhnn")
    assert list(found) == ["cnn-4", "cnn-8", "cnn-16"]
    ours, theirs = (
        [100 * r.history["test_accuracy"][-1] for r in records.load(f"lcqhnn-fashion/{name}")]
        for name in ("lcqhnn", "cnn-8")
    )
    assert found["cnn-8"] == pytest.approx(np.subtract(ours, theirs))


def test_kernels_are_taken_at_their_best_rates() -> None:
    (pixels,) = together.finals("pixels")
    assert pixels == pytest.approx(100 * tuning.by_rate("pixels", "all_accuracy")[tuning.best_rate("pixels")])


@pytest.mark.parametrize(("printed", "weak"), [((99.2, 97.0), True), ((99.2, 97.7), False), ((98.5, 97.0), False)])
def test_a_rival_is_weak_if_only_ours_is_better_than_printed(printed: tuple[float, float], weak: bool) -> None:
    hybrid, rival = np.array([99.0, 99.2]), np.array([98.0, 98.2])
    assert together.Comparison(hybrid=hybrid, rival=rival, printed=printed).has_weak_rival == weak


def test_circuits_are_taken_out_of_hybrids_that_were_trained_with_the_same_seeds() -> None:
    found = together.taken_out()
    assert all(len(one.hybrid) == len(one.without) >= 5 for one in found.values())
    one = found["transfer, all latents: the latents"]
    latents = [100 * r.history["test_accuracy"][-1] for r in records.load("transfer-readings/latents")]
    assert one.without == pytest.approx(latents)
    assert one.gain.difference.mean == pytest.approx(np.mean(one.hybrid - one.without))


@pytest.mark.parametrize(
    ("leads", "ahead"),
    [
        ([0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.2, 0.1], True),
        ([0.1, 0.2, 0.3, 0.2, 0.1, -0.3, -0.2, -0.1], False),
        ([1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], False),  # the exact test says so, the interval does not
        ([0.2, 0.2, 0.3], True),  # three pairs cannot pass an exact test, and the interval decides
    ],
)
def test_the_hybrid_is_ahead_where_the_rule_says_so(leads: list[float], ahead: bool) -> None:
    rival = np.full(len(leads), 90.0)
    assert together.Comparison(hybrid=rival + leads, rival=rival, printed=(91, 90)).is_ahead == ahead
