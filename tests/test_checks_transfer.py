"""The evaluators of the transfer paper's claims, where the right verdict is known."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from judging import judge
from synthetic import write_record

from hqnn import experiments, measurements
from hqnn.measurements import measurement
from hqnn.stats import Interval
from hqnn.verdicts import Verdict

CLASSICAL = {"experiment": "transfer-classical", "variant": "latents"}


judged = partial(judge, paper="transfer", id="S3-x")


def write(root: Path, experiment: str, variant: str, final: Sequence[float], right: Sequence[int] = (9, 9)) -> None:
    """One record per seed with flat curves; `right` are the images classified correctly of ten per class."""
    config = experiments.get(experiment).variants[variant]
    for seed, value in enumerate(final):
        confusion = [[right[0], 10 - right[0]], [10 - right[1], right[1]]]
        write_record(
            root,
            f"{experiment}/{variant}",
            seed,
            {"history": {c: [value] * config.epochs for c in config.curves}, "confusion": confusion},
        )


def test_the_networks_have_the_printed_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist = {"experiment": "transfer-autoencoder", "variant": "mnist"}
    judgement = judged(tmp_path, "autoencoder_layers", mnist)
    assert judgement.verdict == Verdict.REPRODUCED
    assert judgement.ours == "784→128 ReLU 128→64 ReLU 64→128 Sigmoid 128→784 Sigmoid"
    readings = {"experiment": "transfer-autoencoder-readings", "variant": "relu-decoder"}
    assert judged(tmp_path, "autoencoder_layers", readings).verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "classifier_layers", CLASSICAL).verdict == Verdict.REPRODUCED
    sigmoid = {"experiment": "transfer-causes", "variant": "sigmoid-layers"}
    assert judged(tmp_path, "classifier_layers", sigmoid).verdict == Verdict.NOT_REPRODUCED
    experiment = experiments.get("transfer-classical")
    constant = {"latents": replace(experiment.variants["latents"], schedule="constant")}
    monkeypatch.setitem(
        experiments.EXPERIMENTS, "transfer-classical", replace(experiment, variants=MappingProxyType(constant))
    )
    assert judged(tmp_path, "classifier_layers", CLASSICAL).verdict == Verdict.NOT_REPRODUCED


def test_the_circuit_and_its_execution(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "feature_circuit")
    assert judgement.verdict == Verdict.REPRODUCED
    assert judgement.ours == "5 qubits: 5×RY 5×H 4×CX"
    assert judged(tmp_path, "aer_steps").verdict == Verdict.NOT_REPRODUCED
    assert judged(tmp_path, "reading_features", {"reading": "pca-5"}, value=32).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "reading_features", {"reading": "blocks"}, value=32).ours == 13 * 32
    assert judged(tmp_path, "flat_pixels", value=784).verdict == Verdict.REPRODUCED
    assert judged(tmp_path, "flat_pixels", value=64).verdict == Verdict.NOT_REPRODUCED


def test_one_series_above_another_of_a_different_experiment(tmp_path: Path) -> None:
    write(tmp_path, "transfer-augmented", "augmented", list(np.linspace(0.90, 0.91, 5)))
    arguments = {
        "first": "transfer-classical/latents",
        "second": "transfer-augmented/augmented",
        "curve": "test_accuracy",
    }
    assert judged(tmp_path, "ends_higher", arguments).verdict == Verdict.NOT_YET
    write(tmp_path, "transfer-classical", "latents", list(np.linspace(0.97, 0.98, 5)))
    assert judged(tmp_path, "ends_higher", arguments).verdict == Verdict.REPRODUCED
    turned = arguments | {"first": arguments["second"], "second": arguments["first"]}
    judgement = judged(tmp_path, "ends_higher", turned)
    assert judgement.verdict == Verdict.NOT_REPRODUCED
    assert judgement.note.startswith("our difference has the opposite sign; exact sign-flip")


def test_other_readings_that_agree_are_named(tmp_path: Path) -> None:
    hybrid = {"experiment": "transfer-hybrid", "variant": "blocks-marginals-1024", "curve": "test_accuracy"}
    arguments = hybrid | {"others": ["transfer-hybrid"]}
    write(tmp_path, "transfer-hybrid", "blocks-marginals-1024", np.linspace(0.70, 0.71, 5).tolist())
    write(tmp_path, "transfer-hybrid", "blocks-probabilities-1024", np.linspace(0.943, 0.947, 5).tolist())
    judgement = judged(tmp_path, "final_value_by_reading", arguments, value=94.5, unit="%")
    assert judgement.verdict == Verdict.NOT_REPRODUCED
    assert judgement.note == "of 2 readings tried, 1 agree: transfer-hybrid/blocks-probabilities-1024"


def test_the_worst_class_counts(tmp_path: Path) -> None:
    write(tmp_path, "transfer-classical", "latents", [0.9] * 5, right=(9, 6))
    for bound, verdict in ((59.9, Verdict.REPRODUCED), (60.1, Verdict.NOT_REPRODUCED)):
        assert judged(tmp_path, "every_class", CLASSICAL | {"at_least": bound}).verdict == verdict


def test_a_bound_on_an_analysis(tmp_path: Path) -> None:
    measurement("transfer-test", inputs=())(lambda _series, _settings: ({"share": Interval(0.995, 0.001, 5)}, {}))
    try:
        measurements.make("transfer-test", root=tmp_path)
    finally:
        del measurements.MEASUREMENTS["transfer-test"]
    for bound, verdict in ((0.99, Verdict.REPRODUCED), (0.999, Verdict.NOT_REPRODUCED)):
        arguments = {"analysis": "transfer-test", "key": "share", "side": "at least", "bound": bound}
        assert judged(tmp_path, "analysis_bound", arguments).verdict == verdict
