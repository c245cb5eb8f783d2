"""What only hqnn claims about HQNN-Parallel, its structure, sizes and gradients, as quantities of ours."""

import math
from typing import Literal

import numpy as np
import torch
from qiskit import QuantumCircuit
from torch import nn

from hqnn import experiments
from hqnn.claims.quantities import on_other_images
from hqnn.claims.quantity import Context, Missing, Quantity, by_seed, curves, recorded
from hqnn.claims.verdict import Verdict
from hqnn.errors import HqnnError
from hqnn.papers.hqnn import counts
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.records import read_record
from hqnn.stats import mean_interval
from hqnn.tasks import count_parameters
from hqnn.views import gradients
from hqnn.views.layer import QuantumLayer

EQUAL_GRADIENTS = 1e-9
"""Below this, two ways to a gradient in double precision agree."""

Part = Literal["features", "qubits", "weights", "parameters", "convolutions"]


def _configs(experiment: str) -> list[ParallelConfig]:
    """The configs of an experiment with HQNN-Parallel and its rivals.

    Raises:
        HqnnError: It is of another kind.
    """
    configs = list(experiments.get(experiment).variants.values())
    if not all(isinstance(config, ParallelConfig) for config in configs):
        raise HqnnError(f"{experiment} does not train HQNN-Parallel: name an experiment that does.")
    return configs


def _config(series: str) -> ParallelConfig:
    _configs(experiments.split(series)[0])
    config: ParallelConfig = experiments.config(series)
    return config


def size(of: str, part: Part) -> Quantity:
    """A number of something in one of the networks that are trained here."""
    config = _config(of)
    model = hqnn.build(config)
    first = model.get_submodule("dense.0")
    assert isinstance(first, nn.Linear)
    sizes = {
        "features": first.in_features,
        "qubits": sum(m.copies * m.pc.n_qubits for m in model.modules() if isinstance(m, QuantumLayer)),
        "weights": count_parameters(model)["quantum"],
        "parameters": count_parameters(model)["total"],
        "convolutions": len(config.channels),
    }
    return Quantity(value=sizes[part])


def size_ratio(of: str, over: str) -> Quantity:
    """How many times the parameters of one network another has."""
    larger, smaller = (count_parameters(hqnn.build(_config(series)))["total"] for series in (of, over))
    return Quantity(value=larger / smaller, note=f"{larger / smaller:.2f} times")


def split(experiment: str, n_test: int) -> Quantity:
    """On how many images all networks of an experiment are trained, if all are tested on `n_test` others."""
    splits = {(config.n_train, config.n_test) for config in _configs(experiment)}
    ((n_train, tested),) = splits if len(splits) == 1 else ((0, 0),)
    if tested != n_test:
        return Quantity(value=f"{sorted(splits)}")
    return Quantity(value=n_train, note=f"and tested on {n_test:,}")


def augmentation(experiment: str, kind: str) -> Quantity:
    """Whether all networks of an experiment are trained on images changed in one way, by name."""
    kinds = {config.augment for config in _configs(experiment)}
    return Quantity(value=kinds == {kind}, text=f"{' or '.join(sorted(kinds))} in all networks")


def held_constant(total: int, hybrid: int) -> Quantity:
    """Whether a network of that size is the hybrid with one dense layer of any width where its quantum part was.

    The quantum part is read as the circuits, or as the circuits with the dense layer that leads to them.
    """
    rivals = counts.rivals(total)
    single = [one for one in rivals if len(one.hidden) == 1]
    in_place = [width for width in counts.widths_in_place(total, hybrid) if width.is_integer()]
    return Quantity(
        value=bool(single or in_place),
        text=f"{len(single)} of {len(rivals)} networks of {total:,} parameters have a single dense layer, and no width "
        "of a layer in place of the circuits alone gives the number"
        if not in_place
        else f"a layer of {in_place[0]:.0f} in place of the circuits",
        note=f"{sum(one.conv_norm for one in rivals)} of them have the hybrid's normalised convolutions",
    )


def normalised_everywhere(total: int) -> Quantity:
    """Whether a network of that size has normalisation after each dense layer: all do, none does, or it is open."""
    solutions = counts.absent(total)
    complete = [names for names in solutions if not any(name.startswith("normalisation") for name in names)]
    return Quantity(
        value=None if 0 < len(complete) < len(solutions) else bool(complete),
        text=f"{len(solutions)} networks have {total:,} parameters, {len(complete)} of them with all normalisation",
        note="they lack " + ", or ".join(" and ".join(names) for names in solutions),
    )


def layers(layers: list[str]) -> Quantity:
    """Whether an image goes through these layers of the hybrid for MNIST in this order."""
    config = _config("hqnn-mnist/hqnn")
    model, texts = hqnn.build(config).eval(), list[str]()
    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda layer, _inputs, _outputs: texts.append(_text(layer)))
    model(torch.zeros(1, config.in_channels, config.size, config.size))
    missing = [layer for layer in layers if layer not in texts]
    ordered = not missing and (order := [texts.index(layer) for layer in layers]) == sorted(order)
    return Quantity(
        value=ordered,
        text="built so, and of the printed size" if ordered else f"without {', '.join(missing) or 'that order'}",
    )


def _text(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d):
        return f"conv {module.in_channels}-{module.out_channels} {module.kernel_size[0]} {module.padding[0]}"
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return f"norm {module.num_features}"
    if isinstance(module, nn.Linear):
        return f"dense {module.in_features}-{module.out_features}"
    if isinstance(module, QuantumLayer):
        return f"circuits {module.copies * module.pc.n_inputs}-{module.copies * module.pc.n_observables}"
    return type(module).__name__


def circuit(n_layers: int) -> Quantity:
    """Whether there are RX on every qubit, layers of free rotations and a ring of CNOTs, and Y measured on each."""
    pc = strongly_entangling()
    gates = [i.operation.name for i in pc.circuit.data if i.operation.name != "barrier"]
    n = pc.n_qubits
    same = gates == ["rx"] * n + n_layers * (["rz", "ry", "rz"] * n + ["cx"] * n)
    measured = [str(observable.paulis[0]).strip("I") for observable in pc.observables]
    return Quantity(
        value=same and measured == ["Y"] * n, text=f"{n_layers} layers after RX, and {', '.join(measured)} measured"
    )


def gradients_of_rule() -> Quantity:
    """Whether our layer's gradients are those of the parameter-shift rule."""
    generator = torch.Generator().manual_seed(0)
    layer = QuantumLayer(strongly_entangling(), copies=4, dtype=torch.float64)
    with torch.no_grad():
        layer.weights.copy_(2 * math.pi * torch.rand(layer.weights.shape, generator=generator, dtype=torch.float64))
    inputs, upstream = (torch.randn(8, 20, generator=generator, dtype=torch.float64) for _ in range(2))
    (gradient,) = torch.autograd.grad((layer(inputs) * upstream).sum(), layer.weights)
    off = float((gradient - gradients.shift_gradient(layer, inputs, upstream)).abs().max())
    equal = off < EQUAL_GRADIENTS
    return Quantity(
        value=equal,
        text="the gradients we train with are equal to the rule's" if equal else f"they differ by up to {off:.1e}",
    )


def hard_images(context: Context, of: str, rivals: list[str]) -> Quantity:
    """Accuracy, percent, on the test images that at least one run of a rival gets wrong."""
    names = ", ".join(rival.partition("/")[2] for rival in rivals)
    hard = {image for rival in rivals for images in _errors(rival, context).values() for image in images}
    if not hard:
        return Quantity(value=None, note=f"no run of {names} gets an image wrong")
    samples = {seed: 100 * (1 - len(hard & images) / len(hard)) for seed, images in _errors(of, context).items()}
    return Quantity(
        value=mean_interval(list(samples.values())),
        samples=samples,
        series=(of, *rivals),
        evidence=f"data/runs/{of.partition('/')[0]}",
        note=f"the paper does not say which images are meant; taken are the {len(hard)} that some run of {names} "
        "gets wrong",
    )


def _errors(series: str, context: Context) -> dict[int, set[int]]:
    """Seed -> the test images that its run gets wrong."""
    return {record.seed: set(record.errors) for record in recorded(series, context.root)}


def ahead_everywhere(context: Context, rows: list[str]) -> Quantity:
    """Whether rows of the ledger that claim a lead are all reproduced; open if none of them is refuted."""
    from hqnn.claims import result

    found = [result(context.ledger.find(name), context.ledger, context.root) for name in rows]
    verdicts = [one.judgement.verdict for one in found]
    n = verdicts.count(Verdict.REPRODUCED)
    return Quantity(
        value=n == len(found) if n == len(found) or Verdict.NOT_REPRODUCED in verdicts else None,
        text=f"on {n} of {len(found)} datasets",
        evidence="; ".join(one.judgement.evidence for one in found),
        note=", ".join(f"{one.claim.id}: {verdict}" for one, verdict in zip(found, verdicts, strict=True)),
    )


def lead_over_best(context: Context, of: str, over: list[str]) -> Quantity:
    """The lead in test accuracy, points, over the one of several series that is best on average."""
    ends = {
        name: tuple(table.iloc[:, -1] for table in curves(of, name, "test_accuracy", context.root)) for name in over
    }
    best = max(ends, key=lambda name: ends[name][1].mean())
    ours, theirs = ends[best]
    parts = {of: by_seed(ours), best: by_seed(theirs)}
    means = ", ".join(f"{name.partition('/')[2]} {end.mean():.2f} %" for name, (_, end) in ends.items())
    return Quantity(
        value=mean_interval(ours - theirs),
        samples=by_seed(ours - theirs),
        compared=parts,
        test=on_other_images(of, best, context.root),
        series=tuple(parts),
        note=f"{ours.mean():.2f} % against {means}; that the best is taken on the same test images favours it",
    )


def simultaneous(n_circuits: int) -> Quantity:
    """Whether circuits on qubits of their own are done sooner than one after another."""
    one = strongly_entangling().circuit
    together = QuantumCircuit(n_circuits * one.num_qubits)
    for k in range(n_circuits):
        values = dict(zip(one.parameters, np.random.default_rng(k).uniform(0, 1, len(one.parameters)), strict=True))
        together.compose(
            one.assign_parameters(values), range(k * one.num_qubits, (k + 1) * one.num_qubits), inplace=True
        )
    depth, in_turn = together.depth(), n_circuits * one.depth()
    return Quantity(
        value=depth < in_turn,
        text=f"{depth} time steps side by side on {together.num_qubits} qubits, {in_turn} one after another on "
        f"{one.num_qubits}",
        note="of gates on a device; for a simulator the circuits are a batch either way",
    )


def slower_training(context: Context) -> Quantity:
    """Whether the paper's framework needs longer for the circuits alone than a classical network for a whole step."""
    times, processors = {}, set()
    for name in ("quantum_layer", "training_step"):
        path = context.root / f"benchmarks/{name}.json"
        if not path.exists():
            raise Missing(f"the benchmark {name!r} is not recorded yet")
        record = read_record(path)
        times[name] = record.result
        processors.add(record.provenance["processor"])
    theirs = times["quantum_layer"]["workloads"]["entangling"]["median_ms"]["PennyLane default.qubit"]
    steps = times["training_step"]["median_ms"]["hqnn-mnist"]
    return Quantity(
        value=theirs > steps["blocks"],
        text=f"{theirs:.0f} ms for the circuits in PennyLane, {steps['blocks']:.0f} ms for the whole classical network",
        evidence="data/benchmarks/quantum_layer.json, data/benchmarks/training_step.json",
        note=f"with our layer a step of the hybrid takes {steps['hqnn'] / steps['blocks']:.2f} times as long as one of "
        "the classical network with as many weights"
        + ("" if len(processors) == 1 else "; circuits and network were timed on different processors"),
    )
