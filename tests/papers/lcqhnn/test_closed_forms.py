"""The formulas written out by hand, against Qiskit's states and expectation values."""

import numpy as np
import pytest
from qiskit.quantum_info import Operator, Statevector

from hqnn.papers.lcqhnn import closed_forms
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit
from hqnn.views import aer, bloch


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_states_are_those_of_the_circuit_after_every_step(rng: np.random.Generator) -> None:
    pc, x, theta = lcqhnn_circuit(), rng.uniform(-3, 3, 4), rng.uniform(-3, 3, 4)
    values = dict(zip([*pc.inputs, *pc.weights], [*x, *theta], strict=True))
    by_hand = closed_forms.states(x, theta)
    for name, part in pc.stages().items():
        state = Statevector(part.assign_parameters(values, strict=False)).data
        assert np.abs(state - by_hand[name]).max() < 1e-12


def test_outputs_and_bloch_vectors_are_those_of_the_circuit(rng: np.random.Generator) -> None:
    pc, x, theta = lcqhnn_circuit(), rng.uniform(-3, 3, (20, 4)), rng.uniform(-3, 3, 4)
    assert np.abs(closed_forms.outputs(x, theta) - aer.expectations(pc, x, theta)).max() < 1e-12
    simulated = bloch.bloch_vectors(pc, x, theta, stage="ψ3")
    assert np.abs(closed_forms.bloch_after_ladder(x) - simulated).max() < 1e-12


@pytest.mark.parametrize("order", ["time", "product"])
def test_generators_are_what_the_ladders_make_of_y_and_commute(order: Order) -> None:
    ladder = Operator(closed_forms.ladder(order)).data
    found = closed_forms.generators(order)
    for k, generator in enumerate(found):
        y = Operator.from_label("III"[k:] + "Y" + "I" * k).data
        assert np.abs(ladder.conj().T @ y @ ladder - generator.to_matrix()).max() < 1e-12
        assert found.commutes(generator).all()


def test_two_networks_share_one_score(rng: np.random.Generator) -> None:
    x, theta, v = rng.uniform(-3, 3, (20, 4)), rng.uniform(0.3, 1.2, 4), rng.normal(size=4)
    u, other = closed_forms.same_score(v, theta, 0.5)
    assert np.abs(other - theta).max() > 0.1
    assert np.abs(closed_forms.outputs(x, theta) @ v - closed_forms.outputs(x, other) @ u).max() < 1e-12


@pytest.mark.parametrize(("entangle", "added"), [(True, 3), (False, 0)])
def test_directions_that_angles_add(rng: np.random.Generator, entangle: bool, added: int) -> None:
    x, theta, v = rng.uniform(-3, 3, (200, 4)), rng.uniform(0.3, 1.2, 4), rng.normal(size=4)
    alone, both = closed_forms.directions(lcqhnn_circuit(entangle=entangle), x, theta, v)
    assert (alone, both - alone) == (5, added)
