"""What only the transfer paper claims: right on what is so, and changed by what is not."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from claiming import judged
from synthetic import write_record

from hqnn import experiments
from hqnn.claims import Verdict
from hqnn.errors import HqnnError
from hqnn.papers.transfer import quantities


def test_the_networks_have_the_printed_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = quantities.autoencoder_layers("transfer-autoencoder/mnist")
    assert (found.value, found.text) == (True, "784→128 ReLU 128→64 ReLU 64→128 Sigmoid 128→784 Sigmoid")
    assert quantities.autoencoder_layers("transfer-autoencoder-readings/relu-decoder").value is False
    assert quantities.classifier_layers("transfer-classical/latents").value is True
    assert quantities.classifier_layers("transfer-causes/sigmoid-layers").value is False
    experiment = experiments.get("transfer-classical")
    constant = {"latents": replace(experiment.variants["latents"], schedule="constant")}
    monkeypatch.setitem(
        experiments.EXPERIMENTS, "transfer-classical", replace(experiment, variants=MappingProxyType(constant))
    )
    assert quantities.classifier_layers("transfer-classical/latents").value is False
    for function, series in (
        (quantities.autoencoder_layers, "transfer-classical/latents"),
        (quantities.classifier_layers, "transfer-autoencoder/mnist"),
    ):
        with pytest.raises(HqnnError, match=f"{series} is no"):
            function(series)


def test_the_circuit_and_its_execution() -> None:
    found = quantities.circuit()
    assert (found.value, found.text) == (True, "5 qubits: 5×RY 5×H 4×CX")
    assert quantities.steps_of_aer().value is False
    assert quantities.n_probabilities("pca-5").value == 32
    assert quantities.n_probabilities("blocks").value == 13 * 32
    with pytest.raises(HqnnError, match="There is no reading 'pca-6'; choose from"):
        quantities.n_probabilities("pca-6")
    assert quantities.flat_pixels().value == 784


def test_the_worst_class_counts(tmp_path: Path) -> None:
    for seed in range(5):
        confusion = [[9, 1], [4 - seed % 2, 6 + seed % 2]]
        write_record(tmp_path, "transfer-classical/latents", seed, {"history": {}, "confusion": confusion})
    ours = {"computed": "hqnn.papers.transfer.quantities.worst_class", "of": "transfer-classical/latents"}
    for bound, verdict in ((79, Verdict.REPRODUCED), (81, Verdict.NOT_REPRODUCED)):
        found = judged(tmp_path, ours, {"name": "bound", "side": "at least", "bound": bound}, paper="transfer")
        assert found.judgement.verdict == verdict
        assert found.judgement.ours == pytest.approx(64)
        assert found.judgement.evidence == "data/runs/transfer-classical/latents"
