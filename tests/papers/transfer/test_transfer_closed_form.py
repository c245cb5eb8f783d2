"""The closed form of the transfer paper's circuit is what the circuit computes."""

import pytest
import torch

from hqnn.papers.transfer import closed_form
from hqnn.papers.transfer.features import EMBEDDINGS, quantum_features


@pytest.mark.parametrize("kept", ["marginals", "probabilities"])
def test_closed_form_is_what_the_circuit_computes(kept: str) -> None:
    x = torch.rand(50, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    simulated = quantum_features(EMBEDDINGS["first-5"], x, kept)  # type: ignore[arg-type]
    torch.testing.assert_close(getattr(closed_form, kept)(x), simulated.double(), atol=1e-6, rtol=0)


def test_without_its_cnots_the_circuit_shows_the_coins() -> None:
    x = torch.tensor([[-1.0, -0.6, 0.0, 0.6, 1.0]], dtype=torch.float64)
    simulated = quantum_features(EMBEDDINGS["first-5"], x, "marginals", entangle=False)
    torch.testing.assert_close(closed_form.coins(x), simulated.double(), atol=1e-6, rtol=0)
    assert closed_form.coins(x)[0].tolist() == pytest.approx([0, -0.96, 0, 0.96, 0])
