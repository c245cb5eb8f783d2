"""What only hqnn claims of HQNN-Parallel: right on what is so, and changed by what is not."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from claiming import claim, judged
from synthetic import write_record

from hqnn.claims import Context, Ledger, Verdict, ledger
from hqnn.errors import HqnnError
from hqnn.papers.hqnn import counts, quantities
from hqnn.storage import DATA
from hqnn.views import gradients


@pytest.mark.parametrize(
    ("of", "sizes"),
    [
        ("hqnn-mnist/hqnn", {"features": 1568, "qubits": 20, "weights": 180, "parameters": 45_194, "convolutions": 2}),
        ("hqnn-mnist/cnn", {"qubits": 0, "parameters": 372_234}),
        ("hqnn-cifar10/hqnn", {"convolutions": 3}),
    ],
)
def test_sizes_of_networks(of: str, sizes: dict[quantities.Part, int]) -> None:
    assert {part: quantities.size(of, part).value for part in sizes} == sizes
    assert quantities.size_ratio("hqnn-mnist/cnn", "hqnn-mnist/hqnn").value == 372_234 / 45_194  # not rounded yet


def test_split_and_augmentation_are_those_of_every_network() -> None:
    assert quantities.split("hqnn-medical", 11_791).value == 47_163
    assert quantities.split("hqnn-medical", 11_792).value == "[(47163, 11791)]"
    assert quantities.augmentation("hqnn-medical", "flip-rotate").value is True
    assert quantities.augmentation("hqnn-mnist", "flip-rotate").value is False
    with pytest.raises(HqnnError, match="does not train HQNN-Parallel"):
        quantities.augmentation("hqnn-quanv", "none")


def test_nothing_was_held_constant_if_no_network_with_one_dense_layer_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    hybrid = 45_194
    found = quantities.held_constant(372_234, hybrid)
    assert found.value is False and found.text.startswith("0 of 113 networks of 372,234 parameters have a single dense")
    monkeypatch.setattr(counts, "rivals", partial(counts.rivals, max_width=3))
    front = counts.convolutions((1, 16, 32), 5, norm=True)
    assert quantities.held_constant(front + counts.dense((counts.FEATURES, 100, 10)), hybrid).value is True
    in_place = counts.dense((counts.WIDTH, 33, 10)) - counts.dense((counts.WIDTH, 10)) - 2 * counts.WIDTH
    total = hybrid - counts.circuits(4, 5, 3) + in_place  # the normalisation after the circuits goes with them
    assert 33 in counts.widths_in_place(total, hybrid)
    assert quantities.held_constant(total, hybrid).value is True


def test_a_count_may_allow_normalisation_everywhere_somewhere_or_nowhere() -> None:
    fixed, parts = counts.optional_parts()
    everything = fixed + sum(parts.values())
    for total, value in ((45_194, None), (everything, True), (fixed, False), (everything + 1, False)):
        assert quantities.normalised_everywhere(total).value is value


@pytest.mark.parametrize(
    ("layers", "holds"),
    [
        (["conv 1-16 5 2", "norm 16", "conv 16-32 5 2", "norm 32", "dense 1568-20"], True),
        (["norm 16", "conv 1-16 5 2"], False),
        (["circuits 20-20", "dense 20-11"], False),
    ],
)
def test_layers_are_met_in_the_order_of_the_forward_pass(layers: list[str], holds: bool) -> None:
    assert quantities.layers(layers).value is holds


def test_the_circuit_its_gradients_and_its_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [quantities.circuit(n).value for n in (2, 3, 4)] == [False, True, False]
    assert [quantities.simultaneous(n).value for n in (1, 4)] == [False, True]
    assert quantities.gradients_of_rule().value is True
    rule = gradients.shift_gradient
    monkeypatch.setattr(gradients, "shift_gradient", lambda *arguments: rule(*arguments) + 1e-6)
    assert quantities.gradients_of_rule().value is False


def write(root: Path, series: str, accuracies: Iterable[float], wrong: Sequence[Sequence[int]] = ()) -> None:
    for seed, value in enumerate(accuracies):
        errors = "".join(".7"[image in wrong[seed]] for image in range(10)) if wrong else "." * 10
        write_record(root, series, seed, {"history": {"test_accuracy": [value] * 4}, "errors": errors})


def test_hard_images_are_those_some_rival_gets_wrong(tmp_path: Path) -> None:
    context = Context(ledger=ledger.read(), claim=claim(None, None), root=tmp_path)
    write(tmp_path, "hqnn-mnist/cnn", [0.99] * 5, [[1, 2], [2, 3], [], [9], [2]])
    write(tmp_path, "hqnn-mnist/hqnn", [0.99] * 5, [[1, 2], [1, 2, 8], [3, 7, 9], [2, 9], [9, 1]])
    found = quantities.hard_images(context, "hqnn-mnist/hqnn", ["hqnn-mnist/cnn"])
    assert found.samples == dict.fromkeys(range(5), 50.0)
    assert "the 4 that some run of cnn gets wrong" in found.note
    write(tmp_path, "hqnn-mnist/cnn", [1.0] * 5)
    assert quantities.hard_images(context, "hqnn-mnist/hqnn", ["hqnn-mnist/cnn"]).value is None


@pytest.mark.parametrize(
    ("leads", "value", "n"), [((0.2, 0.3), True, 2), ((0.2, -0.3), False, 1), ((0.2, 0.0), None, 1)]
)
def test_ahead_everywhere_needs_every_row(
    tmp_path: Path, leads: tuple[float, float], value: bool | None, n: int
) -> None:
    noise, rows = np.array([1, -1, 0, 0.5, -0.5, 0, 0, 1, -1, 0]), []
    for dataset, lead in zip(("mnist", "fashion"), leads, strict=True):
        write(tmp_path, f"lcqhnn-{dataset}/lcqhnn", 0.5 + lead + 0.01 * noise)
        write(tmp_path, f"lcqhnn-{dataset}/cnn-4", 0.5 + 0 * noise)
        ours = {"lead": "test_accuracy", "of": f"lcqhnn-{dataset}/lcqhnn", "over": f"lcqhnn-{dataset}/cnn-4"}
        rows.append(claim(ours, "sign", id=f"L6-{dataset}"))
    context = Context(ledger=Ledger(tuple(rows), {}, {}), claim=rows[0], root=tmp_path)
    found = quantities.ahead_everywhere(context, ["L6-mnist", "L6-fashion"])
    assert (found.value, found.text) == (value, f"on {n} of 2 datasets")


def test_the_lead_is_over_the_best_of_the_others(tmp_path: Path) -> None:
    for variant, accuracies in (("hqnn", (0.9, 0.9, 0.9)), ("depth-1", (0.8, 0.8, 0.8)), ("depth-6", (0.8, 0.9, 0.95))):
        write(tmp_path, f"hqnn-parts/{variant}", np.repeat(accuracies, 2)[:5])
    context = Context(ledger=ledger.read(), claim=claim(None, None), root=tmp_path)
    found = quantities.lead_over_best(context, "hqnn-parts/hqnn", ["hqnn-parts/depth-1", "hqnn-parts/depth-6"])
    assert [*found.samples.values()] == pytest.approx([10, 10, 0, 0, -5])


def test_the_hybrid_trains_slower_in_the_papers_framework(tmp_path: Path) -> None:
    context = Context(ledger=ledger.read(), claim=claim(None, None), root=DATA)
    assert quantities.slower_training(context).value is True
    ours = {"computed": "hqnn.papers.hqnn.quantities.slower_training"}
    assert judged(tmp_path, ours, "exact", paper="hqnn").judgement.verdict == Verdict.NOT_YET
