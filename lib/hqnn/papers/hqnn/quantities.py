"""What only hqnn claims about HQNN-Parallel, its structure, sizes and gradients, as quantities of ours."""

import math
from typing import Literal

import torch
from torch import nn

from hqnn import experiments
from hqnn.claims.quantities import Lead
from hqnn.claims.quantity import Context, Quantity, recorded
from hqnn.claims.rules import Sign, Verdict
from hqnn.errors import HqnnError
from hqnn.papers.hqnn import counts
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.experiments import ParallelConfig
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
    experiment, _, variant = series.partition("/")
    _configs(experiment)
    config: ParallelConfig = experiments.select(experiments.get(experiment), [variant])[variant]
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


def kept_convolutions(total: int) -> Quantity:
    """Whether a network of that size has the hybrid's normalised convolutions and one dense layer before the scores."""
    rivals = counts.rivals(total)
    single = [one for one in rivals if len(one.hidden) == 1]
    kept = [one for one in rivals if one.conv_norm]
    return Quantity(
        value=any(one in kept for one in single),
        text=f"{len(single)} of {len(rivals)} networks of {total:,} parameters have a single dense layer",
        note=f"{len(kept)} of them have the hybrid's normalised convolutions",
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


def ahead_everywhere(context: Context, lead: str, across: list[str], of: str, over: str) -> Quantity:
    """Whether one variant ends ahead of another in each of some experiments."""
    leads = [Lead(lead=lead, of=f"{name}/{of}", over=f"{name}/{over}").measure(context) for name in across]
    n = sum(Sign().judge(found, context.claim.printed).verdict == Verdict.REPRODUCED for found in leads)
    return Quantity(
        value=n == len(leads),
        text=f"on {n} of {len(leads)} datasets",
        series=tuple(series for found in leads for series in found.series),
        evidence="; ".join(", ".join(f"data/runs/{series}" for series in found.series) for found in leads),
    )
