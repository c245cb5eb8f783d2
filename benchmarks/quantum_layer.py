"""Time the quantum layer beside its peers: forward and backward, one thread, all in turns in one process.

What is compared is first shown to be equal. The result is one JSON record, which the book's page on speed reads.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import memory
from benchmarks.peers import PEERS, Contender
from benchmarks.recording import make
from benchmarks.workloads import WORKLOADS, Workload
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.views.layer import QuantumLayer

QUBITS = range(2, 13)
SCALED = ("hqnn", "PennyLane default.qubit", "TensorCircuit-NG", "TorchQuantum-NG", "FlagQuantum", "QANDLE")
TURNS = 10
PATIENCE = 20.0  # seconds for one step, beyond which a contender is left out
SLOW = 1.0  # seconds for one step, from which on a contender is not asked for more qubits
SAMPLE_BY_SAMPLE = ("PennyLane lightning.qubit", "EstimatorQNN")  # their time for two samples predicts that of a batch
COMPILED = ("TensorCircuit-NG",)  # for one size of batch, which takes up to a minute
TOLERANCE = 2e-4  # between contenders in single precision, of the largest number where that is more than one
_PACKAGES = (
    *("pennylane", "pennylane-lightning", "tensorcircuit-ng", "jax", "qiskit-machine-learning"),
    *("torchquantum-ng", "fastqml", "pyqtorch", "deepquantum", "flagquantum", "qandle"),
)


def in_turns(
    functions: Mapping[str, Callable[[], object]], seconds: float, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Call functions in turns, and time each call.

    Args:
        functions: What to call, by name.
        seconds: About how long each of them is called for, altogether; slow ones are called three times at least.
        clock: What tells the seconds; `time.thread_time` for code of one thread on a busy machine.

    Returns:
        The milliseconds of each call, by name.
    """
    taken: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(TURNS):
        for name, function in functions.items():
            if turn >= 3 and sum(taken[name]) >= 1e3 * seconds:
                continue
            until = clock() + seconds / TURNS
            if turn == 0 or taken[name][0] < 100:
                function()  # brings this contender's code and data back into the caches
            while True:
                start = clock()
                function()
                taken[name].append(1e3 * (clock() - start))
                if clock() >= until:
                    break
    return taken


def summary(taken: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """Median and 10th percentile in milliseconds, and number of calls, by quantity and then by name."""
    return {
        "median_ms": {name: _rounded(np.median(values)) for name, values in taken.items()},
        "p10_ms": {name: _rounded(np.percentile(values, 10)) for name, values in taken.items()},
        "calls": {name: len(values) for name, values in taken.items()},
    }


def _rounded(value: np.floating[Any]) -> float:
    return float(f"{value:.3g}")


def measure(workload: Workload, names: tuple[str, ...], seconds: float) -> dict[str, Any]:
    """Time some contenders on one workload.

    Returns:
        The `summary`, and `left_out` with the reason by name.

    Raises:
        RuntimeError: A contender's outputs or gradients differ from ours.
    """
    torch.manual_seed(0)
    pc, copies = workload.pc, workload.copies
    inputs = torch.randn(workload.batch, copies * pc.n_inputs, requires_grad=True)
    weights = nn.Parameter(2 * np.pi * torch.rand(copies, pc.n_weights))
    upstream = torch.randn(workload.batch, copies * pc.n_observables)
    steps: dict[str, Callable[[], object]] = {}
    left_out: dict[str, str] = {}
    expected: dict[int, list[Tensor]] = {}  # by the number of samples
    for name in names:
        try:
            contender = PEERS[name](pc, copies)
        except ImportError as error:
            left_out[name] = f"{error.name} is not installed"
            continue
        expected = expected or {
            few: _differentiate(contender, inputs[:few], weights, upstream[:few]) for few in (2, workload.batch)
        }
        few = workload.batch if name in COMPILED else 2
        start = time.perf_counter()
        results = _differentiate(contender, inputs[:few], weights, upstream[:few])
        predicted = (time.perf_counter() - start) * workload.batch / few
        if name != "torch.nn.Linear":
            gap = max(
                float((a - b).abs().max() / b.abs().max().clamp_min(1))
                for a, b in zip(results, expected[few], strict=True)
            )
            if gap > TOLERANCE:
                raise RuntimeError(f"{name} differs from {names[0]} by {gap:.1e} on {workload.title!r}")
        if name in SAMPLE_BY_SAMPLE and predicted > PATIENCE:
            left_out[name] = f"one step would take about {predicted:.0f} s"
            continue
        steps[name] = partial(_step, contender, inputs, weights, upstream)
        print(f"  {name} ready", flush=True)
    return {**summary(in_turns(steps, seconds)), "left_out": left_out}


def _step(contender: Contender, inputs: Tensor, weights: nn.Parameter, upstream: Tensor) -> None:
    contender(inputs, weights).backward(upstream)


def _differentiate(contender: Contender, inputs: Tensor, weights: nn.Parameter, upstream: Tensor) -> list[Tensor]:
    inputs = inputs.detach().requires_grad_()
    outputs = contender(inputs, weights)
    gradients = torch.autograd.grad(outputs, (inputs, weights), upstream, allow_unused=True)
    return [outputs.detach(), *(g for g in gradients if g is not None)]


def hqnn_parallel() -> nn.Module:
    """The hybrid network of the second paper, around the second workload [hqnn, fig. 4]."""
    layer = QuantumLayer(WORKLOADS["entangling"].pc, copies=4)
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5, padding=2), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 5, padding=2), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 7 * 7, 20), nn.BatchNorm1d(20), nn.ReLU()),
        *(layer, nn.Linear(20, 10), nn.BatchNorm1d(10), nn.ReLU()),
    )


def share_of_a_training_step(seconds: float) -> dict[str, dict[str, float]]:
    """How much of a hybrid network's training step is its quantum layer.

    Returns:
        For each network the median milliseconds of a whole step (forward, loss, backward, Adam) and of the layer alone.
    """
    shares = {}
    networks = {"lcqhnn": (lcqhnn.build(LcqhnnConfig()), 2), "entangling": (hqnn_parallel(), 10)}
    for name, (network, n_classes) in networks.items():
        (layer,) = (module for module in network.modules() if isinstance(module, QuantumLayer))
        adam = torch.optim.Adam(network.parameters(), fused=True)
        images, labels = torch.rand(64, 1, 28, 28), torch.randint(n_classes, (64,))
        inputs = torch.randn(64, layer.copies * layer.pc.n_inputs, requires_grad=True)
        upstream = torch.randn(64, layer.copies * layer.pc.n_observables)
        steps = {
            "step": partial(_training_step, network, adam, images, labels),
            "layer": partial(_layer_step, layer, inputs, upstream),
        }
        shares[name] = {f"{part}_ms": _rounded(np.median(taken)) for part, taken in in_turns(steps, seconds).items()}
    return shares


def _training_step(network: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> None:
    optimizer.zero_grad()
    nn.functional.cross_entropy(network(images), labels).backward()
    optimizer.step()


def _layer_step(layer: QuantumLayer, inputs: Tensor, upstream: Tensor) -> None:
    layer(inputs).backward(upstream)


def scaling(seconds: float) -> dict[str, Any]:
    """Time a layer that grows from 2 to 12 qubits.

    Returns:
        `n_qubits`, the method that we choose for each, and the median times in milliseconds by name (None: left out,
        because it is not installed or was `SLOW` with fewer qubits).
    """
    methods = []
    times: dict[str, list[float | None]] = {name: [] for name in SCALED}
    names: tuple[str, ...] = SCALED
    n_qubits = list(QUBITS) if seconds else [2, 7]  # without time, to see that all run
    for n in n_qubits:
        workload = Workload(title=f"{n} qubits", pc=strongly_entangling(n_qubits=n, n_layers=2, pauli="Z"))
        methods.append(QuantumLayer(workload.pc).method)
        taken = measure(workload, names, seconds)["median_ms"]
        for name in SCALED:
            times[name].append(taken.get(name))
        names = tuple(name for name in names if taken.get(name, math.inf) < 1e3 * SLOW)
        print(n, {name: values[-1] for name, values in times.items()}, flush=True)
    return {"n_qubits": n_qubits, "method": methods, "median_ms": times}


def measured(seconds: float) -> dict[str, Any]:
    """Everything the record holds but its provenance."""
    workloads = {}
    for key, workload in WORKLOADS.items():
        print(workload.title)
        result = measure(workload, tuple(PEERS), seconds)
        method = QuantumLayer(workload.pc, copies=workload.copies).method
        workloads[key] = {"title": workload.title, "batch": workload.batch, "method": method, **result}
        for name, taken in result["median_ms"].items():
            print(f"  {name:28s} {taken:9.3f} ms   {taken / result['median_ms']['hqnn']:8.1f} x")
        for name, reason in result["left_out"].items():
            print(f"  {name:28s} left out: {reason}")
        if seconds:
            peaks = {name: memory.of(key, name) for name in result["median_ms"]}
            workloads[key]["peak_mb"] = peaks
            print("  " + ", ".join(f"{name} {peak} MB" for name, peak in peaks.items()))
    return {
        "workloads": workloads,
        "share": share_of_a_training_step(seconds),
        "scaling": scaling(seconds / 3),
    }


def main() -> None:
    """Measure everything and write the record."""
    make("quantum_layer", measured, description=__doc__, packages=_PACKAGES)


if __name__ == "__main__":
    main()
