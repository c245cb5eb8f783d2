"""What only lcqhnn claims: right on what is so, and changed by what is not."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from claiming import claim
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from torch import nn

from hqnn.circuit import Circuit
from hqnn.claims import Context, Ledger, ledger
from hqnn.papers.lcqhnn import quantities
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.quantities import denominators, front_ends
from hqnn.views import aer


def use(monkeypatch: pytest.MonkeyPatch, circuit: Circuit) -> None:
    """Take this for the paper's circuit, whatever is asked of it."""
    monkeypatch.setattr(quantities, "lcqhnn_circuit", lambda *_, **__: circuit)


# --- the table of accuracies


@given(st.sampled_from([512, 1024, 2048]), st.data())
def test_a_printed_accuracy_names_the_set_it_came_from(n: int, data: st.DataObject) -> None:
    assert n in denominators(round(100 * data.draw(st.integers(0, n)) / n, 2))


def test_denominators_of_some_printed_values() -> None:
    assert denominators(99.02) == [512, 1024, 2048]
    assert denominators(99.12) == [1024, 2048]  # 1015 of 1024
    assert denominators(99.07) == [2048]  # 2029 of 2048
    assert denominators(99.0) == []
    assert denominators(99.0, decimals=0) == [512, 1024, 2048]


EVEN = [100 * k / 512 for k in range(500, 512)]


@pytest.mark.parametrize(
    ("values", "expected", "words"),
    [
        (EVEN, False, "12 of 12"),
        ([*EVEN, 100 * 1015 / 1024], None, "12 of 13"),
        (EVEN[:5], None, "5 of 5"),  # chance enough
        ([100.0] * 20, None, "0 of 0"),  # 100 % is on every grid
    ],
)
def test_a_table_on_the_coarser_grid_did_not_come_from_the_stated_images(
    values: list[float], expected: bool | None, words: str
) -> None:
    rows: list[Any] = [claim(None, None, f"{value:.2f} %", id=f"L6-{k}") for k, value in enumerate(values)]
    rows += [claim(None, None, "7 epochs"), claim(None, None, "99.99 %", id="L7-x")]
    context = Context(ledger=Ledger(tuple(rows), {}, {}), claim=rows[0], root=Path())
    found = quantities.on_grid(context, stated=1024, alternative=512)
    assert found.value is expected
    assert found.text.startswith(words)
    assert ("once in 4,096 tables" in found.note) == (expected is False)


# --- the circuit


def test_the_gates_as_text_show_angles_that_are_not_the_qubits_own() -> None:
    pc = lcqhnn_circuit()
    crossed = pc.circuit.assign_parameters({pc.inputs[0]: pc.inputs[1], pc.inputs[1]: pc.inputs[0]})
    text = quantities.gate_text(
        Circuit(circuit=crossed, inputs=pc.inputs, weights=pc.weights, observables=pc.observables)
    )
    assert "U1(2*x[1])(0)" in text
    assert "U1(2x)(2 3)" in text


def test_a_changed_gate_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = ledger.read().find("L1-gates").printed.text
    true = lcqhnn_circuit()
    assert quantities.gates().value == printed
    changed = true.circuit.copy()
    changed.h(1)
    use(
        monkeypatch,
        Circuit(circuit=changed, inputs=true.inputs, weights=true.weights, observables=true.observables),
    )
    assert quantities.gates().value == f"{printed[: -len('(0)')]}(0 1)"


def test_the_paper_s_circuit() -> None:
    assert quantities.n_weights().value == 4
    assert quantities.readings_agree().value is False
    assert quantities.ladders_cancel().value is False
    assert quantities.height().value == 0
    length = quantities.length().value
    assert isinstance(length, float) and 0.3 < length < 0.9
    assert quantities.entangled().value is True
    assert f"{length:.2f}" in quantities.entangled().text


def test_a_circuit_without_entanglement(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lcqhnn_circuit(entangle=False))
    assert quantities.readings_agree().value is True
    assert quantities.ladders_cancel().value is True
    assert quantities.length().value == pytest.approx(1)
    assert quantities.entangled().value is False


def test_an_encoding_off_the_equator_or_inside_the_sphere_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    tilted = QuantumCircuit(4)
    tilted.ry(1.0, 0)
    monkeypatch.setattr(Circuit, "stages", lambda _: {"ψ2": tilted})
    assert quantities.height().value == pytest.approx(1)  # three qubits were left at the pole
    mixed = QuantumCircuit(4)
    mixed.h(range(4))
    mixed.cz(0, 1)
    monkeypatch.setattr(Circuit, "stages", lambda _: {"ψ2": mixed})
    assert quantities.height().value == "lengths differ from 1 by up to 1"


def test_gradients_are_those_of_aer_and_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert quantities.gradients_of_aer().value is True
    real = aer.expectations
    monkeypatch.setattr(aer, "expectations", lambda pc, x, w: real(pc, x, w) * (1 + 1e-6))
    found = quantities.gradients_of_aer()
    assert found.value is False
    assert "differ by" in found.text


def test_a_tensor_does_not_survive_in_a_circuit() -> None:
    assert quantities.tensors_in_circuits().value is False


# --- the front end


def test_front_ends_are_those_that_count_right_when_run() -> None:
    expected = set()
    for p1, p2, w1, w2 in itertools.product(range(3), range(3), (2, 3), (2, 3)):
        maps = nn.Sequential(
            nn.Conv2d(1, 1, 3, padding=p1), nn.MaxPool2d(w1), nn.Conv2d(1, 1, 3, padding=p2), nn.MaxPool2d(w2)
        )
        area = maps(torch.zeros(1, 1, 28, 28)).numel()
        if 256 % area == 0:
            expected.add(((p1, p2), (w1, w2), 256 // area, int(np.sqrt(area))))
    assert {(f.paddings, f.pools, f.channels, f.side) for f in front_ends()} == expected
    assert expected


def test_the_printed_number_of_features_can_be_had() -> None:
    found = quantities.front_end(256)
    assert found.value == 256
    assert found.note == "14 of 36 choices of padding 0-2 and pooling 2-3 do; none with 2x2 pooling and padding 0 or 1"
    assert quantities.front_end(257).value != 257
