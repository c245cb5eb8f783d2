"""The pictures of the models show the shapes and the sizes of the models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from matplotlib.colors import to_hex
from torch import nn

from hqnn import experiments, figures, tasks
from hqnn.figures.pipeline import Stage
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.figures import parallel_stages, quanv_stages
from hqnn.papers.lcqhnn import figures as lcqhnn
from hqnn.papers.transfer import figures as transfer
from hqnn.papers.transfer.features import EMBEDDINGS

pytestmark = pytest.mark.usefixtures("house_style")

MODELS: dict[str, tuple[Callable[[Any], list[Stage]], dict[str, str]]] = {
    "lcqhnn-mnist/lcqhnn": (
        lcqhnn.stages,
        {"network": "features", "angles": "reduce", "circuit": "quantum", "scores": "scores"},
    ),
    "hqnn-mnist/hqnn": (
        parallel_stages,
        {"network": "convolutions", "angles": "dense", "circuits": "middle", "scores": "scores"},
    ),
    "hqnn-cifar10/hqnn": (
        parallel_stages,
        {"network": "convolutions", "angles": "dense", "circuits": "middle", "scores": "scores"},
    ),
    "hqnn-quanv/quanv": (quanv_stages, {"scores": "scores"}),
}
"""Series -> what its picture shows, and which module gives the values of a stage."""
HYBRID = "transfer-hybrid/blocks-marginals-1024"


def passed(model: nn.Module, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """What leaves each of a model's modules for one image of a shape."""
    found: dict[str, tuple[int, ...]] = {}
    for name, module in model.named_children():
        module.register_forward_hook(lambda *given, name=name: found.update({name: tuple(given[2].shape[1:])}))
    model.eval()(torch.rand(1, *shape))
    return found


@pytest.mark.parametrize("series", MODELS)
def test_shapes_and_sizes_are_those_of_the_model_that_is_trained(series: str) -> None:
    stages_of, modules = MODELS[series]
    config = experiments.config(series)
    stages = stages_of(config)
    model = tasks.of(config).build(config)
    found = passed(model, stages[0].shape)
    shown = {stage.name: stage.shape for stage in stages}
    assert {name: shown[name] for name in modules} == {name: found[module] for name, module in modules.items()}
    counted = tasks.count_parameters(model)
    assert sum(stage.n_trained for stage in stages) == counted["total"]
    (circuit,) = (stage for stage in stages if stage.circuit)
    assert circuit.n_trained == counted["quantum"] == len(circuit.circuit.weights) * circuit.copies  # type: ignore[union-attr]


def test_a_quanvolution_has_a_map_per_qubit_and_a_window_per_place() -> None:
    config = experiments.config("hqnn-quanv/quanv")
    image, angles, circuit, _ = quanv_stages(replace(config, size=10, stride=2))
    assert (image.shape, angles.shape, circuit.shape) == ((1, 10, 10), (25, 4), (4, 5, 5))


@pytest.mark.parametrize("reading", EMBEDDINGS)
def test_the_transfer_hybrid_has_the_shapes_of_its_features(reading: str) -> None:
    config = replace(experiments.config(HYBRID), reading=reading)
    stages = transfer.stages(config)
    by_name = {stage.name.removesuffix("s"): stage for stage in stages}
    embedding = EMBEDDINGS[reading]
    assert by_name["angle"].shape == (embedding.n_circuits * embedding.n_layers * 5,)
    assert by_name["circuit"].shape == (embedding.n_circuits * 5,)
    assert by_name["circuit"].copies == embedding.n_circuits
    parts = tasks.of(config).parts(config)
    model = sum(tasks.count_parameters(part)["total"] for part in parts.values() if isinstance(part, nn.Module))
    assert sum(stage.n_trained for stage in stages) == model
    assert stages[-1].shape == (10,)


def texts(ax: Any) -> list[str]:
    return [text.get_text().replace("\n", " ") for text in ax.texts if text.get_text() not in ("", "…")]


def colours(ax: Any) -> list[str]:
    return [to_hex(patch.get_facecolor()) for patch in ax.patches]


@pytest.mark.parametrize("series", [*MODELS, HYBRID])
def test_the_picture_says_what_the_stages_are_and_fits(series: str) -> None:
    stages = (MODELS[series][0] if series in MODELS else transfer.stages)(experiments.config(series))
    figure = figures.pipeline(stages)
    (ax,) = figure.axes
    assert texts(ax) == [words for one in stages for words in (one.name, one.leaves, one.holds) if words]
    assert all(words in figures.described(stages) for one in stages for words in (one.name, one.leaves, one.holds))
    figure.canvas.draw()
    widest = max(text.get_window_extent().x1 for text in ax.texts)
    assert widest <= figure.bbox.width
    assert min(float(text.get_fontsize()) for text in ax.texts) * 100 / 72 * 390 / figure.bbox.width > 9


def test_numbers_are_those_that_were_given() -> None:
    circuit = strongly_entangling(n_qubits=3, n_layers=2)
    stages = [
        Stage("image", (3, 40, 50), "pixels"),
        Stage("angles", (1234,), by="a guess"),
        Stage("circuits", (6,), "values", "", 36, circuit, 2),
        Stage("circuit", (6,), "values", "", 0, circuit),
        Stage("scores", (7,), by="dense layer", n_trained=2048),
    ]
    (ax,) = figures.pipeline(stages).axes
    assert texts(ax) == [
        *("image", "3 × 40 × 50 pixels"),
        *("angles", "1,234", "a guess"),
        *("circuits", "6 values", "2 circuits of 3 qubits, 36 trained angles"),
        *("circuit", "6 values", "one circuit of 3 qubits, nothing trained"),
        *("scores", "7", "dense layer, 2,048 trained weights"),
    ]
    assert colours(ax).count(figures.TRAINED.lower()) == 1 + 6  # the trained circuit's gates, and all scores but one
    assert colours(ax).count(figures.BLUE.lower()) == 1
    assert colours(ax).count(figures.DATA.lower()) == 5 + 2  # the first angles, and what takes them in two circuits
