"""What the recorded analyses measure, where the answer is known."""

import math

import numpy as np
import pytest
import torch
from qiskit.quantum_info import Statevector, partial_trace

from hqnn import analyses, circuits, experiments, ledger, studies


def test_every_recipe_reads_series_that_exist() -> None:
    recipes = analyses.recipes()
    assert "lcqhnn-bloch" in recipes
    for recipe in recipes.values():
        for series in recipe.inputs:
            experiment, variant = series.split("/")
            assert variant in experiments.get(experiment).variants


def test_angles_spread_evenly_have_no_resultant() -> None:
    circle = 2 * math.pi * torch.arange(100) / 100
    phases = torch.stack([circle, torch.full((100,), 1.3), circle / 2], dim=1)
    assert studies.resultant_length(phases).tolist() == pytest.approx([0.0, 1.0, 2 / math.pi], abs=2e-2)


def test_bloch_lengths_are_those_of_the_reduced_states() -> None:
    pc = circuits.lcqhnn()
    rng = np.random.default_rng(0)
    x, w = rng.uniform(-3, 3, (5, 4)), rng.uniform(-3, 3, 4)
    part = pc.stages()["ψ4"]
    for sample, lengths in zip(x, studies.bloch_lengths(torch.tensor(x), torch.tensor(w)), strict=True):
        values = dict(zip([*pc.inputs, *pc.weights], [*sample, *w], strict=True))
        state = Statevector(part.assign_parameters(values))
        for qubit, length in enumerate(lengths.tolist()):
            purity = partial_trace(state, [q for q in range(4) if q != qubit]).purity().real
            assert length == pytest.approx(math.sqrt(max(0.0, 2 * purity - 1)), abs=1e-7)


def test_recorded_analyses_hold_what_claims_ask_for() -> None:
    for claim in ledger.read().claims:
        name = claim.arguments.get("analysis")
        stored = analyses.load(name) if name else None
        if stored is not None:
            assert claim.arguments["key"] in stored.result, claim.id
