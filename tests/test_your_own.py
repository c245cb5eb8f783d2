"""What is not in the package: a network, a variant, an experiment of one's own run, are recorded and compared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from hqnn import QuantumLayer, experiments, measurements, provenance, records, runs, stats, tasks
from hqnn.__main__ import main
from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.errors import HqnnError
from hqnn.experiments import Experiment
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.hqnn.quanv_experiments import QuanvConfig
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig
from tests.toy import BASE

QUICK = replace(BASE, model="lcqhnn", epochs=2, snapshots=(0, 2))


def other_circuit() -> Circuit:
    return replace(lcqhnn_circuit("product"), observables=pauli_on_each_qubit(4)[:1])


def sequential() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 4), QuantumLayer(other_circuit()), nn.Linear(1, 2))


@dataclass(frozen=True, kw_only=True)
class Mine(LcqhnnConfig):
    """The paper's network, its circuit read the other way round, with a field of its own."""

    turned: bool = True

    def build(self) -> nn.Module:
        """The network."""
        network = lcqhnn.build(self)
        assert isinstance(network, lcqhnn.Lcqhnn)
        network.quantum = QuantumLayer(lcqhnn_circuit("product" if self.turned else "time"))
        return network


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers and imports is gone after it, and is all that there is."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", {})
    monkeypatch.setattr(measurements, "everything", dict)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("an_idea", None)


def test_a_run_takes_a_builder_or_a_network() -> None:
    """A builder draws from the run's seed; of a network each run trains a copy, which starts where it stands."""
    built = [runs.execute(QUICK, seed, network=sequential) for seed in (0, 0, 1)]
    assert built[0].result == built[1].result != built[2].result
    assert built[0].result["n_parameters"] == {"total": 785 * 4 + 4 + 4, "quantum": 4}
    assert set(built[0].weights(2)) == {"1.weight", "1.bias", "2.weights", "3.weight", "3.bias"}
    given = sequential()
    before = {name: tensor.clone() for name, tensor in given.state_dict().items()}
    copies = [runs.execute(QUICK, seed, network=given) for seed in (0, 1)]
    for copy in copies:
        assert all(torch.equal(copy.weights(0)[name], tensor) for name, tensor in before.items())
        assert not torch.equal(copy.weights(2)["1.weight"], before["1.weight"])
    assert all(torch.equal(given.state_dict()[name], tensor) for name, tensor in before.items())
    assert copies[0].result != copies[1].result  # the order of the images is the seed's


def test_a_pair_begins_alike_and_differs_in_the_circuit_alone() -> None:
    mine, paper = (runs.execute(config, 3).weights(0) for config in (Mine(**vars(QUICK)), QUICK))
    same = {name for name in paper if torch.equal(mine[name], paper[name])}
    assert set(paper) - same == {"quantum.weights"}


def test_what_a_builder_returns_is_looked_at() -> None:
    with pytest.raises(TypeError, match=r"built as a Circuit; return an nn.Module"):
        runs.execute(QUICK, 0, network=other_circuit)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"No task is registered for Stranger; derive it from a paper's config"):
        tasks.of(type("Stranger", (), {})())


SMALL: dict[str, Any] = {"dataset": "digits", "epochs": 1, "batch_size": 256, "snapshots": (1,)}
CODER = AutoencoderConfig(**SMALL | {"epochs": 0})


@pytest.mark.parametrize(
    ("config", "n_in", "n_out"),
    [
        pytest.param(LcqhnnConfig(**SMALL, n_train=64, n_val=16, n_test=16), 784, 2, id="lcqhnn"),
        pytest.param(ParallelConfig(**SMALL, n_train=1000, n_test=400), 784, 10, id="parallel"),
        pytest.param(QuanvConfig(**SMALL, n_train=50, n_val=10, n_test=10), 196, 10, id="quanv"),
        pytest.param(AutoencoderConfig(**SMALL), 784, 784, id="autoencoder"),
        pytest.param(TransferConfig(**SMALL, encoder=CODER), 64, 10, id="transfer"),
    ],
)
def test_every_papers_task_takes_another_network(config: experiments.Config, n_in: int, n_out: int) -> None:
    outcome = runs.execute(config, 0, network=lambda: nn.Sequential(nn.Flatten(), nn.Linear(n_in, n_out)))
    assert set(outcome.weights(1)) == {"1.weight", "1.bias"}
    assert isinstance(tasks.of(config, nn.ModuleList()).build(config), nn.ModuleList)  # false in a condition, but given


def test_a_checkpoint_is_taken_up_for_the_same_network_only(tmp_path: Path) -> None:
    def goes_on(network: tasks.Network | None) -> bool:
        epochs: list[int] = []
        runs.execute(QUICK, 0, checkpoint=tmp_path, network=network, on_epoch=epochs.append)
        return not epochs  # the state after the last epoch was there

    given, other = sequential(), sequential()
    assert [goes_on(None), goes_on(None), goes_on(sequential), goes_on(sequential)] == [False, True, False, True]
    assert [goes_on(given), goes_on(given), goes_on(other), goes_on(None)] == [False, True, False, False]


def test_a_variant_of_ones_own_is_recorded_elsewhere_and_compared(tmp_path: Path, registry: None) -> None:
    variants = {"paper": QUICK, "mine": Mine(**vars(QUICK)), "not-turned": Mine(**vars(QUICK), turned=False)}
    mine = Experiment(name="mine", paper="lcqhnn", title="Mine", variants=variants, quick=variants, seeds=range(2))
    for _ in range(2):  # as a cell of a notebook that is run again
        experiments.register(mine)
    assert runs.run("mine", root=tmp_path, progress=False) == runs.Summary(done=6, skipped=0)
    assert runs.run("mine", root=tmp_path, progress=False) == runs.Summary(done=0, skipped=6)
    table = records.frame("mine/paper", "mine/mine", root=tmp_path)
    assert not table.stale.any()
    assert list(table.turned.dropna()) == [True, True]
    assert all(path.is_relative_to(tmp_path / "runs" / "mine") for path in tmp_path.rglob("*.json"))
    paper, own = (records.final(f"mine/{name}", "train_loss", tmp_path) for name in ("paper", "mine"))
    assert stats.paired_difference(own, paper).difference.mean != 0
    (record,) = (one for one in records.load("mine/mine", tmp_path) if one.seed == 1)
    Mine(**vars(QUICK)).build().load_state_dict(record.snapshot(2))
    with pytest.raises(HqnnError, match="A paper has an experiment 'lcqhnn-mnist'"):
        experiments.register(replace(mine, name="lcqhnn-mnist"))


def test_a_circuit_changed_in_the_same_session_makes_its_records_stale(
    tmp_path: Path, registry: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digests are kept for the package's own code, and this is not."""
    variants = {"mine": Mine(**vars(QUICK))}
    experiments.register(
        Experiment(name="mine", paper="lcqhnn", title="Mine", variants=variants, quick=variants, seeds=range(1))
    )
    runs.run("mine", root=tmp_path, progress=False)
    (record,) = records.load("mine/mine", tmp_path)
    assert records.stale(record, tmp_path) is None
    monkeypatch.setattr(Mine, "build", lambda self: lcqhnn.build(self))
    assert records.stale(record, tmp_path) == "the code builds another model now"
    assert experiments.config_hash(variants["mine"]) not in provenance._known


def test_a_field_more_leaves_the_papers_records_current() -> None:
    """Deriving a class changes nothing of what it is derived from; a field made by a factory has its default too."""
    stored = experiments.as_json(QUICK)
    assert experiments.differences(Mine(**vars(QUICK)), stored) == []
    assert experiments.differences(Mine(**vars(QUICK), turned=False), stored) == ["turned"]
    assert experiments.config_hash(Mine(**vars(QUICK))) != experiments.config_hash(QUICK)


IDEA = '''"""An idea."""

from dataclasses import replace

from hqnn.experiments import Experiment
from tests.test_your_own import QUICK, Mine

VARIANTS = {"mine": Mine(**vars(replace(QUICK, epochs=1, snapshots=(1,))))}
EXPERIMENTS = (
    Experiment(name="idea", paper="lcqhnn", title="An idea", variants=VARIANTS, quick=VARIANTS, seeds=range(1)),
)
'''


def test_the_command_line_takes_experiments_from_a_file(
    tmp_path: Path, registry: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what only the papers' records can be measured on is not missed among others."""
    file, root = tmp_path / "an_idea.py", tmp_path / "there"
    file.write_text(IDEA)
    options = ["--with", str(file), "--root", str(root)]
    assert main(["run", "idea", "--quiet", *options]) == 0
    assert capsys.readouterr().out == "1 runs done, 0 were there already.\n"
    assert main(["list", *options]) == 0
    assert "idea: An idea\n  mine                       1 of 1 seeds\n" in capsys.readouterr().out
    for series, problems in (("a-papers/variant", 0), ("idea/mine", 1)):
        monkeypatch.setattr(measurements, "everything", lambda of=series: {"it": SimpleNamespace(inputs=(of,))})
        assert main(["verify", "--quiet", *options]) == problems
        assert f"1 records checked, the weights of 1 measured again: {problems} problems." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("absent.py", None, "There is no Python file"),
        ("json.py", "", "Another module is called 'json'"),
        ("an_idea.py", "", "has no experiments: let it define EXPERIMENTS"),
    ],
)
def test_a_file_without_experiments_is_one_sentence(
    name: str, text: str | None, complaint: str, tmp_path: Path, registry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    assert main(["list", "--with", str(tmp_path / name), "--root", str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err
