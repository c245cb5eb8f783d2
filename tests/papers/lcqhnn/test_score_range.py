"""How far scores can go: against brute force, and in the cases that can be written down."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hqnn import experiments, records
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn import score_range as ranges

BASE = experiments.get("lcqhnn-mnist").variants["lcqhnn"]


def build(**changes: object) -> lcqhnn.Lcqhnn:
    return lcqhnn.Lcqhnn(replace(BASE, **changes))


@pytest.mark.parametrize("changes", [{}, {"order": "product"}, {"quantum": "no-entanglement"}, {"readout": "pair"}])
def test_no_feature_vector_scores_beyond_the_range(changes: dict[str, str]) -> None:
    model = build(**changes)
    found = ranges.score_range(model)
    grid = torch.linspace(0, torch.pi, 13)[:-1]  # a score has period π in each feature
    with torch.no_grad():
        scores = model.classify(model.quantum(torch.cartesian_prod(*[grid] * 4)))
    score = (scores[:, 1] - scores[:, 0]).numpy()
    assert found.low - 1e-5 <= score.min() <= found.low + 0.1
    assert found.high - 0.1 <= score.max() <= found.high + 1e-5
    if "readout" in changes:  # without a bias both classes can be predicted
        assert found.margin > 0.05


def test_the_range_of_one_cosine() -> None:
    model = build(quantum="no-entanglement")
    with torch.no_grad():
        model.get_parameter("scores.weight").copy_(torch.tensor([[0.0] * 4, [0.5, 0, 0, 0]]))
        model.get_parameter("scores.bias").copy_(torch.tensor([0.0, 0.7]))
        model.get_parameter("quantum.weights").zero_()  # <Z_0> = cos 2x_0, the other outputs vanish
    found = ranges.score_range(model)
    assert found == pytest.approx((0.2, 1.2), abs=1e-5)
    assert found.margin == pytest.approx(-0.2, abs=1e-5)


def test_ablations_without_a_circuit() -> None:
    model = build(quantum="classical")
    weight, bias = (model.get_parameter(f"scores.{name}").detach().numpy() for name in ("weight", "bias"))
    low, high = ranges.score_range(model)
    assert high - low == pytest.approx(2 * np.abs(weight[1] - weight[0]).sum(), rel=1e-5)
    assert high + low == pytest.approx(2 * (bias[1] - bias[0]), rel=1e-5)
    assert ranges.score_range(build(quantum="none")) == (-np.inf, np.inf)


def test_other_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="the readout is 'parity', but only 'linear' and 'pair'"):
        ranges.score_range(build(readout="parity"))
    with pytest.raises(ValueError, match="expected a hybrid network, not Cnn"):
        ranges.score_range(lcqhnn.build(replace(BASE, model="cnn")))


def test_an_untrained_network_is_the_one_that_a_record_starts_from() -> None:
    record = records.load("lcqhnn-mnist/lcqhnn")[1]
    start = ranges.untrained(BASE, record.seed).state_dict()
    assert all(torch.equal(start[name], value) for name, value in record.snapshot(0).items())


def test_a_run_starts_late_just_if_its_first_score_cannot_change_its_sign() -> None:
    margin, start = ranges.starts("lcqhnn-fashion/lcqhnn")
    assert (margin < 0).tolist() == (start > 1).tolist()
    curves = records.curves("lcqhnn-fashion/lcqhnn", "test_accuracy")
    late = [next(e for e, value in run.items() if value >= 0.6) for _, run in curves.iterrows()]
    assert start.tolist() == late and len(set(late)) > 1


def test_starts_are_of_the_circuit_and_of_every_bounded_ablation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "starts", lambda series: series)
    found: dict[str, Any] = {**ranges.starts_by_circuit("fashion")}
    assert found == {
        "circuit": "lcqhnn-fashion/lcqhnn",
        "no CNOTs": "lcqhnn-ablations-fashion/no-entanglement",
        "angles frozen as drawn": "lcqhnn-ablations-fashion/frozen",
        "tanh(wx), four weights w, instead": "lcqhnn-ablations-fashion/classical",
    }


@pytest.mark.parametrize(("rows", "one"), [([[0.0, 0.5], [0.2, 0.6]], True), ([[1, 1], [0.5, 2]], False)])
def test_the_sign_of_a_score_of_rectified_outputs(rows: list[list[float]], one: bool) -> None:
    model = lcqhnn.Cnn(replace(BASE, model="cnn", hidden=2, head="relu"))
    for sign in (1, -1):
        model.scores.weight.data = sign * torch.tensor(rows)
        assert ranges.has_one_sign(model) is one


def test_rectified_runs_are_stuck_where_their_score_has_one_sign() -> None:
    found = ranges.rectified_runs("fashion")
    assert {run.words for run in found if run.one_sign is None} == {"ReLU on the scores"}
    judged = [(run.one_sign, run.accuracy < 0.6) for run in found if run.one_sign is not None]
    assert len(judged) == 9 and {one_sign for one_sign, _ in judged} == {True, False}
    assert all(one_sign == stuck for one_sign, stuck in judged)
