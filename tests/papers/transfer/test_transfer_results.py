"""What the transfer paper's pages call a series names it, and pairs are of the seeds that both have."""

import numpy as np
import pytest

from hqnn import experiments, records
from hqnn.papers.transfer import results
from hqnn.papers.transfer.experiments import TransferConfig


def test_series_of_one_experiment_have_words_of_their_own() -> None:
    for name in ("transfer-hybrid", "transfer-probes", "transfer-shots", "transfer-aer"):
        variants = experiments.get(name).variants.values()
        said = [results.words(config) for config in variants if isinstance(config, TransferConfig)]
        assert len(set(said)) == len(variants)
    config = TransferConfig(inputs="measured", reading="blocks", outcome="marginals", shots=1024)
    assert results.words(config) == "13 blocks, marginals, 1,024 shots"


def test_every_change_of_the_classical_network_has_words() -> None:
    trained = [
        f"{name}/{variant}"
        for name in ("transfer-classical", "transfer-causes", "transfer-augmented")
        for variant in experiments.get(name).variants
    ]
    assert set(results.CHANGES) == set(trained)
    assert len(set(results.CHANGES.values())) == len(trained)


def test_every_device_has_words_of_its_own() -> None:
    devices = {key.partition("/")[2] for key in records.measured("transfer-noise").data}
    assert len({results.device(name) for name in devices}) == len(devices)
    assert results.device("readout/0.03") == "each bit misread with probability 0.03"


def test_series_are_compared_over_the_seeds_that_both_have() -> None:
    five, three = "transfer-classical/latents", "transfer-causes/flips"
    found = results.compare(three, five)
    a, b = (np.array([r.history["test_accuracy"][-1] for r in records.load(one)]) for one in (three, five))
    assert len(a) == 3 < len(b)
    assert found.one.mean == pytest.approx(a.mean())
    assert found.other.mean == pytest.approx(b[:3].mean())
    assert found.lead.mean == pytest.approx((a - b[:3]).mean())
    assert found.lead.n == 3
    assert found.cells()[2] == f"{found.lead:+.2p}"
