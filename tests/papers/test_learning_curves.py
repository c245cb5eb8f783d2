"""Leads averaged over the numbers of training images, on records made for the purpose."""

from pathlib import Path

import pytest

from hqnn.claims import Context, ledger
from hqnn.claims.quantity import Missing
from hqnn.papers import learning_curves
from hqnn.papers.hqnn.experiments import SIZES
from hqnn.stats import Interval
from tests.synthetic import constant, write_records


def test_the_lead_is_paired_by_seed_and_every_size_counts_alike(tmp_path: Path) -> None:
    assert learning_curves.sizes("hqnn-sizes", "series") == sorted(SIZES)
    book = ledger.read()
    context = Context(ledger=book, claim=book.find("H14-blocks"), root=tmp_path)
    curves = {}
    for k, n in enumerate(SIZES):
        lead = [0.01 * (k + seed % 2) for seed in range(10)]
        curves[f"circuits-{n}"] = constant([0.5 + 0.02 * seed + lead[seed] for seed in range(10)])
        curves[f"blocks-{n}"] = constant([0.5 + 0.02 * seed for seed in range(10)])
    write_records(tmp_path, "hqnn-sizes", curves)
    found = learning_curves.mean_lead(context, "hqnn-sizes", "circuits", "blocks")
    mean_size = (len(SIZES) - 1) / 2
    assert found.samples == pytest.approx({seed: mean_size + seed % 2 for seed in range(10)})
    assert isinstance(found.value, Interval)
    assert found.value.mean == pytest.approx(mean_size + 0.5)
    assert len(found.series) == 2 * len(SIZES)
    with pytest.raises(Missing):
        learning_curves.mean_lead(context, "hqnn-sizes", "circuits", "series")
