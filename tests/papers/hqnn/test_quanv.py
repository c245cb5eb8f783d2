"""The quanvolution and its rivals: shapes, counts, and what they compute."""

from typing import Literal

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from hqnn import datasets, experiments, runs
from hqnn.papers.hqnn import quanv
from hqnn.papers.hqnn.circuits import Cnots, quanvolution
from hqnn.papers.hqnn.quanv_experiments import ABLATIONS, MODELS, QuanvConfig
from hqnn.tasks import count_parameters
from hqnn.views.aer import expectations
from hqnn.views.layer import QuantumLayer


def _images(n: int = 3, size: int = 14) -> torch.Tensor:
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("name", "total", "kernel"), [("quanv", 654, 4), ("cnn4", 666, 16), ("cnn1", 174, 4)])
def test_kernels_have_the_printed_numbers_of_weights(name: str, total: int, kernel: int) -> None:
    model = quanv.build(MODELS[name])
    assert count_parameters(model)["total"] == total
    (part,) = (module for label, module in model.named_children() if label == "kernel")
    assert sum(p.numel() for p in part.parameters()) == kernel
    assert model(_images()).shape == (3, 10)


def test_only_a_stride_of_four_makes_four_by_four_pixels() -> None:
    sides = {stride: QuanvConfig(stride=stride).side for stride in range(1, 13)}
    assert [stride for stride, side in sides.items() if side == 4] == [4]
    for stride, side in sides.items():
        assert quanv.patches(_images(1), stride).shape == (1, side**2, 4)


def test_a_map_is_the_circuit_on_each_window() -> None:
    config = QuanvConfig(axis="y", cnots="star")
    model = quanv.Quanv(config).double()
    images = _images(2).double()
    with torch.no_grad():
        maps = model.maps(images)
    pc, weights = quanvolution("y", "star"), model.state_dict()["kernel.weights"][0].numpy()
    for row, column in [(0, 0), (1, 2), (3, 3)]:
        window = images[:, 0, 4 * row : 4 * row + 2, 4 * column : 4 * column + 2].flatten(1).numpy()
        np.testing.assert_allclose(maps[:, :, row, column], expectations(pc, window, weights), atol=1e-12)


def test_without_a_circuit_the_channels_are_the_pixels() -> None:
    images = _images()
    maps = quanv.Quanv(QuanvConfig(quantum="none")).maps(images)
    assert torch.equal(maps[:, 0], images[:, 0, ::4, ::4])
    assert torch.equal(maps[:, 3], images[:, 0, 1::4, 1::4])
    assert count_parameters(quanv.build(ABLATIONS["frozen"])) == {"total": 650, "quantum": 0}


@pytest.mark.parametrize(("channels", "bias"), [(1, True), (4, False)])
def test_a_cnn_without_activation_is_a_linear_map_of_64_pixels(channels: int, bias: bool) -> None:
    cnn = quanv.Cnn(QuanvConfig(model="cnn", channels=channels, bias=bias)).double()
    matrix, offsets = quanv.equivalent_linear(cnn)
    images = _images(5).double()
    torch.testing.assert_close(quanv.patches(images, 4).flatten(1) @ matrix.T + offsets, cnn(images))
    assert torch.linalg.matrix_rank(matrix.detach().reshape(-1, 4)) == channels
    with pytest.raises(ValueError, match="activation"):
        quanv.equivalent_linear(quanv.Cnn(QuanvConfig(model="cnn", activation="relu")))


def test_unknown_choices_are_refused() -> None:
    with pytest.raises(ValueError, match="quantum is 'gone'"):
        quanv.build(QuanvConfig(quantum="gone"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="axis is 'w'"):
        quanvolution("w")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cnots is 'ring'"):
        quanvolution("y", "ring")  # type: ignore[arg-type]


@pytest.mark.parametrize("antialias", [True, False])
def test_resizing_is_torchvisions(antialias: bool) -> None:
    images = torch.randint(0, 256, (4, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ours = datasets.to_float(images, 14, antialias=antialias)
    theirs = v2.Resize(14, antialias=antialias)(images.float() / 255)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_a_quick_run_learns() -> None:
    config = experiments.get("hqnn-quanv").quick["quanv"]
    outcome = runs.execute(config, seed=0)
    assert set(outcome.history) == set(config.curves)
    assert outcome.history["train_loss"][-1] < outcome.history["train_loss"][0]


def test_only_rotations_about_y_give_the_kernel_something_to_learn() -> None:
    rng = np.random.default_rng(0)
    pixels, angles = rng.uniform(0, 1, (50, 4)), rng.uniform(0, 2 * np.pi, 4)
    for axis, expected in (("y", (4, 4)), ("x", (4, 0)), ("z", (0, 0))):
        for first, cnots in ((True, "chain"), (False, "star")):
            assert quanv.freedom(quanvolution(axis, cnots, rotations_first=first), pixels, angles) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cnots", "pairs"),
    [("chain", "01 12 23"), ("reversed", "23 12 01"), ("star", "01 02 03"), ("none", "")],
)
def test_patterns_of_cnots(cnots: Cnots, pairs: str) -> None:
    circuit = quanvolution(cnots=cnots).circuit
    found = [
        "".join(str(circuit.find_bit(q).index) for q in i.qubits) for i in circuit.data if i.operation.name == "cx"
    ]
    assert " ".join(found) == pairs


@pytest.mark.parametrize(("quantum", "n"), [("series", 81 * 4), ("cosines", 16)])
def test_classical_kernels_start_as_the_circuit(quantum: Literal["series", "cosines"], n: int) -> None:
    models = []
    for name in ("circuit", quantum):
        torch.manual_seed(5)
        models.append(quanv.build(QuanvConfig(quantum=name)))
    circuit, rival = models
    torch.testing.assert_close(rival(_images()), circuit(_images()), atol=2e-6, rtol=0)
    assert sum(p.numel() for p in rival.get_submodule("kernel").parameters()) == n


def test_phases_of_their_own_move_one_output_each() -> None:
    kernel = quanv.Cosines(QuantumLayer(quanvolution()))
    pixels = torch.rand(2, 4)
    before = kernel(pixels)
    kernel.phases.data[2, 0] += 0.5
    assert (kernel(pixels) != before).any(0).tolist() == [False, False, True, False]
    kernel.phases.data[1, 3] += 0.5  # pixel 3 is not in the product of output 1
    torch.testing.assert_close(kernel(pixels)[:, 1], before[:, 1])
    with pytest.raises(ValueError, match="product of cosines is what the primary reading"):
        quanv.build(QuanvConfig(quantum="cosines", cnots="star"))
