"""What only the transfer paper claims: right on what is so, and changed by what is not."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from claiming import claim, judged
from synthetic import write_record

from hqnn import experiments, records
from hqnn.claims import Context, Verdict, ledger
from hqnn.errors import HqnnError
from hqnn.papers.transfer import quantities
from hqnn.storage import DATA

LATENTS, MARGINALS = "transfer-classical/latents", "transfer-hybrid/blocks-marginals-1024"


def test_the_networks_have_the_printed_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = quantities.autoencoder_layers("transfer-autoencoder/mnist")
    assert (found.value, found.text) == (True, "784→128 ReLU 128→64 ReLU 64→128 Sigmoid 128→784 Sigmoid")
    assert quantities.autoencoder_layers("transfer-autoencoder-readings/relu-decoder").value is False
    assert quantities.classifier_layers(LATENTS).value is True
    assert quantities.classifier_layers("transfer-causes/sigmoid-layers").value is False
    assert quantities.mirrors(MARGINALS, LATENTS).value is True
    assert quantities.mirrors(MARGINALS, "transfer-causes/dropout-0.5").value is False
    experiment = experiments.get("transfer-classical")
    constant = {"latents": replace(experiment.variants["latents"], schedule="constant")}
    monkeypatch.setitem(
        experiments.EXPERIMENTS, "transfer-classical", replace(experiment, variants=MappingProxyType(constant))
    )
    assert quantities.classifier_layers(LATENTS).value is False
    assert quantities.mirrors(MARGINALS, LATENTS).value is False
    with pytest.raises(HqnnError, match=f"{LATENTS} is no autoencoder"):
        quantities.autoencoder_layers(LATENTS)


def test_the_circuit_and_its_execution() -> None:
    found = quantities.circuit()
    assert (found.value, found.text) == (True, "5 qubits: 5×RY 5×H 4×CX")
    assert quantities.steps_of_aer().value is True
    found = quantities.superposition()
    assert found.value is False and found.text.startswith("32 of 32 basis states if each feature is 1, 1 of 32")
    assert [quantities.n_probabilities(reading).value for reading in ("pca-5", "blocks")] == [32, 13 * 32]
    with pytest.raises(HqnnError, match="There is no reading 'pca-6'; choose from"):
        quantities.n_probabilities("pca-6")
    assert quantities.flat_pixels().value == 784


def test_the_autoencoder_is_held_against_as_many_components() -> None:
    context = Context(ledger=ledger.read(), claim=claim(None, None), root=DATA)
    stored = records.measured("transfer-compression").result
    found = quantities.below_pca(context, "transfer-autoencoder/mnist")
    mean = sum(found.samples.values()) / len(found.samples)
    assert mean == pytest.approx(stored["pca/64"].mean - stored["test-loss"].mean, abs=1e-6)


def test_the_worst_class_counts(tmp_path: Path) -> None:
    for seed in range(5):
        confusion = [[9, 1], [4 - seed % 2, 6 + seed % 2]]
        write_record(tmp_path, LATENTS, seed, {"history": {}, "confusion": confusion})
    ours = {"computed": "hqnn.papers.transfer.quantities.worst_class", "of": LATENTS}
    for bound, verdict in ((79, Verdict.REPRODUCED), (81, Verdict.NOT_REPRODUCED)):
        found = judged(tmp_path, ours, {"name": "bound", "side": "at least", "bound": bound}, paper="transfer")
        assert (found.judgement.verdict, found.judgement.ours) == (verdict, pytest.approx(64))
