"""Circuits to run, counted by hand, and that so many do yield the gradient."""

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

from hqnn.papers.hqnn.circuits import quanvolution, reuploading, strongly_entangling
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.transfer.circuits import transfer_circuit
from hqnn.views import device, noise
from hqnn.views.device import PAUSE, READOUT, Executions, executions, seconds_per_shot
from tests.exact import circuit_of


def test_the_papers_circuits() -> None:
    assert executions(lcqhnn_circuit()) == Executions(forward=1, gradient=2 * (4 + 4))
    assert executions(strongly_entangling(), copies=4) == Executions(forward=4, gradient=4 * 2 * (45 + 5))
    assert executions(quanvolution(), copies=16, inputs=False) == Executions(forward=16, gradient=16 * 2 * 4)
    assert executions(transfer_circuit(), weights=False, inputs=False) == Executions(forward=1, gradient=0)
    assert executions(transfer_circuit(), copies=13).gradient == 13 * 2 * 5
    assert executions(reuploading(3, trained=False), weights=False).gradient == 2 * 3  # each upload is shifted alone


def test_observables_that_do_not_agree_on_a_qubit_need_runs_of_their_own() -> None:
    pc = circuit_of(lcqhnn_circuit().circuit, 4, [SparsePauliOp(p) for p in ("ZIII", "IZZI", "XIII", "IIIY")])
    assert executions(pc, inputs=False) == Executions(forward=2, gradient=2 * 2 * 4)
    assert executions(pc, inputs=False).gradient % pc.n_weights == 0


def test_a_shot_lasts_as_long_as_its_slowest_qubit() -> None:
    manila = noise.manila()
    short, long = (seconds_per_shot(lcqhnn_circuit(n_layers=n), manila) for n in (1, 4))
    assert PAUSE + READOUT < short < long < PAUSE + READOUT + 20e-6
    gates = short - PAUSE - READOUT
    chain = sum(manila.durations["cx", pair] for pair in ((0, 1), (1, 2), (2, 3)))
    assert gates > 2 * chain  # down the ladder and back up
    assert gates == pytest.approx(2 * chain, rel=0.35)
    assert pytest.approx(250e-6) == device.PAUSE
    assert np.isfinite(seconds_per_shot(strongly_entangling(), manila))  # routed on a chain
