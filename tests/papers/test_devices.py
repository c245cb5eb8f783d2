"""The circuits of one training, multiplied by hand."""

import pytest

from hqnn.papers import devices
from hqnn.views.device import PAUSE


def test_circuits_are_images_times_epochs_times_shifted_angles() -> None:
    found = devices.needs()
    assert list(found) == list(devices.SERIES)
    assert [need.training for need in found.values()] == [
        2048 * 50 * (1 + 2 * 8),
        60_000 * 8 * 4 * (1 + 2 * 50),
        500 * 20 * 16 * (1 + 2 * 4),
        60_000,
    ]
    assert [need.inference for need in found.values()] == [1, 4, 16, 1]
    for need in found.values():
        assert need.seconds(3) - need.seconds(3, pause=False) == pytest.approx(3 * 1024 * PAUSE)
        assert 1 < need.recorded < 3600
