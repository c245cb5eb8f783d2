"""What every test starts from."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """The same random numbers in every run, so that a statistical test cannot fail by chance on another day."""
    torch.manual_seed(0)
