"""Time training steps of the hqnn paper's networks, all in turns in one process: what the circuits cost, what bounds.

`python -m benchmarks.training_step` stores the record that the book's pages read. A step is what the recorded runs do:
bytes to floats, forward, loss, backward, Adam. What counts is the processor's time, not the clock on the wall.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.quantum_layer import in_turns
from benchmarks.recording import make
from hqnn import experiments
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.hqnn.tasks import as_input, learn
from hqnn.tasks import AUGMENTATIONS, OPTIMIZERS, Session
from hqnn.training import Samples
from hqnn.views.gradients import shift_gradient
from hqnn.views.layer import QuantumLayer

EXPERIMENTS = ("hqnn-mnist", "hqnn-medical", "hqnn-cifar10")


def step(config: ParallelConfig, *, layout: torch.memory_format = torch.channels_last) -> Callable[[], object]:
    """One training step of a network on random images, ready to be called."""
    model = hqnn.build(config).to(memory_format=layout)
    optimizer = OPTIMIZERS[config.optimizer](model.parameters(), lr=1e-4)
    augment = AUGMENTATIONS[config.augment]
    shape = (config.batch_size, config.in_channels, config.size, config.size)
    images = torch.randint(256, shape, dtype=torch.uint8)
    labels = torch.randint(config.n_classes, shape[:1])

    def take() -> None:
        prepared = as_input(config, images)
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(model(augment(prepared) if augment else prepared), labels).backward()
        optimizer.step()

    return take


def epoch(config: ParallelConfig, share: int = 10) -> Callable[[], object]:
    """One part in `share` of an epoch as a record's run does it, evaluation included, on random images."""
    model = hqnn.build(config)
    samples = []
    for n in (config.n_train // share, config.n_test // share):
        images = torch.randint(256, (n, config.in_channels, config.size, config.size), dtype=torch.uint8)
        samples.append(Samples(images, torch.randint(config.n_classes, (n,))))
    once, session = replace(config, epochs=1), Session(seed=0, key="benchmark")
    return lambda: learn(once, session, model, samples[0], {"test": samples[1]})


def parts(config: ParallelConfig) -> dict[str, Callable[[], object]]:
    """The parts of a hybrid's step, forward and backward, each on its own."""
    model = hqnn.build(config)
    images = torch.rand(config.batch_size, config.in_channels, config.size, config.size)
    blocks = model.convolutions
    layers: dict[str, tuple[nn.Module, Tensor]] = {}
    x = images.contiguous(memory_format=torch.channels_last)
    for k, (convolution, norm, pool) in enumerate(
        zip(blocks.convolutions, blocks.norms, blocks.pools, strict=True), start=1
    ):
        layers[f"convolution {k}"] = (convolution, x)
        x = convolution(x).detach()
        layers[f"normalisation {k}"] = (norm, x)
        x = norm(x).detach()
        after = nn.Sequential(nn.MaxPool2d(pool), nn.ReLU()) if pool > 1 else nn.ReLU()
        layers[f"pooling and ReLU {k}"] = (after, x)
        x = after(x).detach()
    layers["dense layers"] = (model.dense, x.flatten(1))
    angles = model.dense(x.flatten(1)).detach()
    layers["circuits"] = (model.middle, angles)
    layers["scores"] = (nn.Sequential(model.activation, model.scores), model.middle(angles).detach())
    return {
        name: partial(_forward_and_backward, layer, inputs, name != "convolution 1")
        for name, (layer, inputs) in layers.items()
    }


def _forward_and_backward(layer: nn.Module, inputs: Tensor, needs_input_gradient: bool) -> None:
    outputs = layer(inputs.detach().requires_grad_(needs_input_gradient))
    outputs.backward(torch.ones_like(outputs))


@contextmanager
def convolutions_in_bf16() -> Iterator[None]:
    """Let convolutions of float32 tensors compute in bfloat16 for a while."""
    conv = torch.backends.mkldnn.conv  # type: ignore[attr-defined]
    before = conv.fp32_precision
    conv.fp32_precision = "bf16"
    try:
        yield
    finally:
        conv.fp32_precision = before


def in_bf16(take: Callable[[], object]) -> None:
    """A step with `convolutions_in_bf16`."""
    with convolutions_in_bf16():
        take()


def shift(config: ParallelConfig) -> dict[str, Any]:
    """What the gradient of one batch costs by the parameter-shift rule on our layer, beside backpropagation."""
    layer = QuantumLayer(hqnn.circuit(config), copies=config.n_circuits)
    inputs = torch.rand(config.batch_size, config.n_circuits * config.n_qubits)
    upstream = torch.rand_like(inputs)
    ours = partial(_forward_and_backward, layer, inputs, True)
    return {"rule": partial(shift_gradient, layer, inputs, upstream), "backpropagation": ours}


def measured(seconds: float) -> dict[str, Any]:
    """Everything the record holds but its provenance."""
    mnist = experiments.get("hqnn-mnist").variants
    hybrid = mnist["hqnn"]
    assert isinstance(hybrid, ParallelConfig)
    groups: dict[str, dict[str, Callable[[], object]]] = {
        name: {variant: step(config) for variant, config in experiments.get(name).variants.items()}
        for name in EXPERIMENTS
    }
    groups["hqnn-mnist"]["dense"] = step(experiments.get("hqnn-parts").variants["dense"])
    groups["a tenth of an epoch"] = {
        name: epoch(config) for name, config in mnist.items() if isinstance(config, ParallelConfig)
    }
    groups["settings"] = {
        "as recorded": step(hybrid),
        "channels first": step(hybrid, layout=torch.contiguous_format),
        "bfloat16 convolutions": partial(in_bf16, step(hybrid)),
    }
    groups["parts"] = parts(hybrid)
    groups["shift"] = shift(hybrid)
    medians = {}
    for name, functions in groups.items():
        taken = in_turns(functions, seconds, time.thread_time)
        medians[name] = {key: float(f"{np.median(values):.4g}") for key, values in taken.items()}
        print(name, medians[name], flush=True)
    return {"batch": hybrid.batch_size, "median_ms": medians}


def main() -> None:
    """Measure everything and write the record."""
    make("training_step", measured, description=__doc__, seconds=4.0)


if __name__ == "__main__":
    main()
