"""A record knows what made it: whatever changes the model makes it stale, and nothing else does."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from qiskit import QuantumCircuit
from synthetic import write_record

from hqnn import experiments, provenance, records, storage, tasks
from hqnn.circuit import Circuit, parity, pauli_on_each_qubit
from hqnn.experiments import config_hash, differences
from hqnn.papers.hqnn import quanv
from hqnn.papers.hqnn.circuits import quanvolution
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.hqnn.quanv_experiments import QuanvConfig
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.transfer import model as transfer
from hqnn.papers.transfer.experiments import TransferConfig
from hqnn.papers.transfer.features import EMBEDDINGS
from hqnn.views.free_series import FreeSeries
from hqnn.views.layer import QuantumLayer

HYBRID = "lcqhnn-fashion/lcqhnn"
CODER = "transfer-autoencoder/mnist"
UPON = "transfer-classical/latents"


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every digest is computed anew, and none is kept."""
    monkeypatch.setattr(provenance, "_read", dict)
    monkeypatch.setattr(provenance, "_write", lambda: None)
    provenance._known.clear()
    yield
    provenance._known.clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A record of a hybrid network, of an autoencoder, and of a classifier upon it."""
    for series in (HYBRID, CODER):
        write_record(tmp_path, series, 0, {"history": {}})
    amend(tmp_path, CODER, weights={"file": "seed-0.safetensors", "sha256": "1" * 64})
    write_record(tmp_path, UPON, 0, {"history": {}})
    amend(tmp_path, UPON, built_on={CODER: "1" * 64})
    return tmp_path


def amend(root: Path, series: str, **fields: Any) -> None:
    """Write a record again with other fields."""
    path = records.path_of(series, 0, root)
    stored = json.loads(path.read_text())
    records.write(path, stored | fields)


def why(root: Path, series: str) -> str | None:
    provenance._known.clear()
    return records.stale(records.read_record(records.path_of(series, 0, root)), root)


def other_circuit(**changes: Any) -> Callable[..., Circuit]:
    return lambda order, *, entangle=True: dataclasses.replace(lcqhnn_circuit(order, entangle=entangle), **changes)


def a_gate_more(order: Any, *, entangle: bool = True) -> Circuit:
    pc = lcqhnn_circuit(order, entangle=entangle)
    circuit = pc.circuit.copy()
    circuit.s(0)
    return dataclasses.replace(pc, circuit=circuit)


@pytest.mark.parametrize(
    ("owner", "name", "other"),
    [
        (vars(lcqhnn), "lcqhnn_circuit", a_gate_more),
        (vars(lcqhnn), "lcqhnn_circuit", other_circuit(observables=pauli_on_each_qubit(4, "X"))),
        (lcqhnn.FRONT_ENDS, "k3-p1-pool23", lcqhnn.FrontEnd(3, 1, (2, 3), (4, 16))),  # a width
        (lcqhnn.FRONT_ENDS, "k3-p1-pool23", lcqhnn.FrontEnd(3, 1, (3, 2), (8, 16))),  # pooling in another order
    ],
)
def test_another_gate_observable_or_width_is_noticed(
    owner: dict[str, Any], name: str, other: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(owner, name, other)
    assert why(root, HYBRID) == "the code builds another model now"
    assert why(root, CODER) is None


def test_another_encoder_is_noticed_by_what_builds_on_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [why(root, series) for series in (HYBRID, CODER, UPON)] == [None, None, None]
    with monkeypatch.context() as patch:
        patch.setitem(transfer.ACTIVATIONS, "relu", torch.nn.GELU)
        assert why(root, CODER) == why(root, UPON) == "the code builds another model now"
    amend(root, CODER, weights={"file": "seed-0.safetensors", "sha256": "2" * 64})  # as if it had been trained again
    assert why(root, CODER) is None
    assert why(root, UPON) == f"the record of {CODER} that it builds on is another now"
    records.path_of(CODER, 0, root).unlink()
    assert "what it builds on cannot be read" in (why(root, UPON) or "")


def test_another_config_of_the_encoder_is_noticed_and_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = experiments.get("transfer-classical")
    config = experiment.variants["latents"]
    wider = replace(config, epochs=3, encoder=replace(config.encoder, hidden=256))
    monkeypatch.setitem(experiments.EXPERIMENTS, experiment.name, replace(experiment, variants={"latents": wider}))
    assert why(root, UPON) == "the registry now differs in encoder.hidden, epochs"


def test_a_circuit_that_is_in_no_module_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = TransferConfig(inputs="measured", reading="pca-5")
    before = provenance.model(measured), provenance.model(replace(measured, inputs="encoded"))
    provenance._known.clear()
    monkeypatch.setitem(cast(dict[str, Any], EMBEDDINGS), "pca-5", EMBEDDINGS["pca-5"]._replace(encoding="arccos"))
    after = provenance.model(measured), provenance.model(replace(measured, inputs="encoded"))
    assert (after[0] == before[0], after[1] == before[1]) == (False, True)


# --- what the digest of a model sees


@pytest.mark.parametrize(
    ("config", "change"),
    [
        (LcqhnnConfig(), {"dropout": 0.25}),
        (LcqhnnConfig(), {"readout": "parity"}),
        (LcqhnnConfig(), {"quantum": "frozen"}),
        (LcqhnnConfig(), {"quantum": "no-entanglement"}),
        (ParallelConfig(), {"n_circuits": 2, "hidden": (10,)}),
        (ParallelConfig(), {"batch_norm": False}),
        (QuanvConfig(), {"stride": 3}),
        (QuanvConfig(), {"cnots": "star"}),
        (TransferConfig(), {"activation": "sigmoid"}),
        (TransferConfig(inputs="measured"), {"entangle": False}),
    ],
)
def test_other_models_have_other_digests(config: Any, change: dict[str, Any]) -> None:
    assert provenance.model(replace(config, **change)) != provenance.model(config)


def test_neither_training_nor_random_numbers_nor_names_of_circuits_matter() -> None:
    config = QuanvConfig()
    before = torch.random.get_rng_state()
    first = provenance.model(config)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(5)
    provenance._known.clear()
    assert provenance.model(replace(config, epochs=3, learning_rate=1.0, dataset="digits")) == first
    circuit = QuantumCircuit(1, name="a")
    circuit.x(0)
    one = Circuit(circuit=circuit, inputs=[], weights=[], observables=[parity(1)])
    assert provenance.describe(one) == provenance.describe(dataclasses.replace(one, circuit=circuit.copy(name="b")))


def test_digests_are_kept_for_exactly_this_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(storage, "cache_folder", lambda: tmp_path)
    config, built = QuanvConfig(model="cnn"), []
    real = quanv.build

    def build(config: QuanvConfig) -> torch.nn.Module:
        built.append(config)
        return real(config)

    monkeypatch.setattr(quanv, "build", build)
    for code, expected in (("one", 1), ("one", 1), ("two", 2)):
        provenance._known.clear()
        monkeypatch.setattr(provenance, "code_digest", lambda code=code: code)
        provenance.model(config)
        provenance.model(config)
        assert len(built) == expected
    (tmp_path / "digests.json").write_text("[")
    provenance._known.clear()
    provenance.model(config)
    assert len(built) == 3


# --- what the comparison of configs sees


@dataclass(frozen=True)
class Below:
    """A config within a config."""

    depth: int = 1


@dataclass(frozen=True)
class Config:
    """A config of its own kind."""

    epochs: int
    below: Below = Below()
    sizes: tuple[int, ...] = (1, 2)
    late: str = "as ever"


@pytest.mark.parametrize(
    ("stored", "config", "expected"),
    [
        ({"epochs": 3, "below": {"depth": 1}, "sizes": [1, 2], "late": "as ever"}, Config(3), []),
        ({"epochs": 3, "below": {"depth": 1}, "sizes": [1, 2]}, Config(3), []),  # a field added later
        ({"epochs": 3, "below": {"depth": 1}, "sizes": [1, 2]}, Config(3, late="new"), ["late"]),
        ({"epochs": 3, "below": {"depth": 2}, "sizes": [2, 2]}, Config(4), ["below.depth", "epochs", "sizes"]),
        ({"epochs": 3, "gone": 1}, Config(3), ["gone"]),
    ],
)
def test_configs_differ_in(stored: dict[str, Any], config: Config, expected: list[str]) -> None:
    assert differences(config, stored) == expected


def test_a_field_added_later_leaves_records_alone(root: Path) -> None:
    path = records.path_of(HYBRID, 0, root)
    config = experiments.get("lcqhnn-fashion").variants["lcqhnn"]
    older = {name: value for name, value in json.loads(path.read_text())["config"].items() if name != "loss"}
    amend(root, HYBRID, config=older, config_hash=config_hash(config, older))
    assert why(root, HYBRID) is None
    amend(root, HYBRID, config=older, config_hash="0" * 64)
    assert why(root, HYBRID) == "the registry now differs in the type of config"


def test_every_committed_record_is_current_and_every_config_has_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one test that reads all records: the code builds what made them."""
    monkeypatch.undo()  # with the cache
    table = records.frame()
    assert list(table.index[table.stale]) == []
    for experiment in experiments.EXPERIMENTS.values():
        for config in [*experiment.variants.values(), *experiment.quick.values()]:
            assert isinstance(tasks.of(config), tasks.Task)


def test_a_series_is_tied_to_its_circuit() -> None:
    found = {
        str(provenance.describe(FreeSeries.of(QuantumLayer(pc))))
        for pc in (quanvolution("y"), quanvolution("x"), quanvolution("y", "star"), quanvolution("y"))
    }
    assert len(found) == 3
