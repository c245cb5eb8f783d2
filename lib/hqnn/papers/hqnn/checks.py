"""Evaluators of what only hqnn claims about HQNN-Parallel: its structure, its sizes, its gradients."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import nn

from hqnn import experiments
from hqnn.checks.registry import Context, evaluator
from hqnn.checks.shared import config_of, current_records, results
from hqnn.ledger import Claim
from hqnn.papers.hqnn import counts, quanv_checks, theory_checks  # noqa: F401 - registers what is in them
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.stats import mean_interval
from hqnn.tasks import count_parameters
from hqnn.verdicts import Judgement, Verdict, judge_bound, judge_exact
from hqnn.views import parameter_shift
from hqnn.views.layer import QuantumLayer

EQUAL_GRADIENTS = 1e-9
"""Below this, two ways to a gradient in double precision agree."""

Part = Literal["features", "qubits", "weights", "parameters", "convolutions"]


@evaluator(number=True)
def parallel_size(claim: Claim, context: Context, *, experiment: str, variant: str, part: Part) -> Judgement:
    """A number of something in one of the networks that are trained here."""
    config = config_of(claim, experiment, variant, ParallelConfig)
    model = hqnn.build(config)
    first = model.get_submodule("dense.0")
    assert isinstance(first, nn.Linear)
    ours = {
        "features": first.in_features,
        "qubits": sum(m.copies * m.pc.n_qubits for m in model.modules() if isinstance(m, QuantumLayer)),
        "weights": count_parameters(model)["quantum"],
        "parameters": count_parameters(model)["total"],
        "convolutions": len(config.channels),
    }[part]
    return replace(judge_exact(ours, claim.number), evidence=f"hqnn.models.hqnn, {experiment}/{variant}")


@evaluator(number=True)
def parallel_split(claim: Claim, context: Context, *, experiment: str, n_test: int) -> Judgement:
    """All networks of an experiment were trained on so many images and tested on `n_test` others."""
    configs = [
        config_of(claim, experiment, variant, ParallelConfig) for variant in experiments.get(experiment).variants
    ]
    splits = {(config.n_train, config.n_test) for config in configs}
    evidence = f"hqnn.datasets.partition, {experiment}"
    if splits != {(int(claim.number), n_test)}:
        return Judgement(verdict=Verdict.NOT_REPRODUCED, ours=f"{sorted(splits)}", evidence=evidence)
    return replace(judge_exact(claim.number, claim.number), evidence=evidence, note=f"and tested on {n_test:,}")


@evaluator(number=False)
def parallel_augmentation(claim: Claim, context: Context, *, experiment: str, kind: str) -> Judgement:
    """All networks of an experiment are trained on images changed in one way, by name."""
    variants = experiments.get(experiment).variants
    kinds = {config_of(claim, experiment, variant, ParallelConfig).augment for variant in variants}
    return Judgement(
        verdict=Verdict.REPRODUCED if kinds == {kind} else Verdict.NOT_REPRODUCED,
        ours=f"{' or '.join(sorted(kinds))} in all networks",
        evidence=f"hqnn.augmentation, {experiment}",
    )


@evaluator(number=False)
def kept_convolutions(claim: Claim, context: Context, *, total: int) -> Judgement:
    """Does a network of that size have the hybrid's normalised convolutions and one dense layer before the scores?"""
    rivals = counts.rivals(total)
    single = [one for one in rivals if len(one.hidden) == 1]
    kept = [one for one in rivals if one.conv_norm]
    return Judgement(
        verdict=Verdict.REPRODUCED if any(one in kept for one in single) else Verdict.NOT_REPRODUCED,
        ours=f"{len(single)} of {len(rivals)} networks of {total:,} parameters have a single dense layer",
        evidence="hqnn.counts.rivals",
        note=f"{len(kept)} of them have the hybrid's normalised convolutions",
    )


@evaluator(number=True)
def parallel_ratio(claim: Claim, context: Context, *, experiment: str, larger: str, smaller: str) -> Judgement:
    """How many times the parameters of one network another has, rounded as printed."""
    configs = [config_of(claim, experiment, variant, ParallelConfig) for variant in (larger, smaller)]
    sizes = [count_parameters(hqnn.build(config))["total"] for config in configs]
    judgement = judge_exact(round(sizes[0] / sizes[1], claim.decimals or None), claim.number)
    return replace(judgement, evidence=f"hqnn.models.hqnn, {experiment}", note=f"{sizes[0] / sizes[1]:.2f} times")


@evaluator(number=False)
def parallel_layers(claim: Claim, context: Context, *, layers: Sequence[str]) -> Judgement:
    """An image goes through these layers of the hybrid for MNIST in this order."""
    config = config_of(claim, "hqnn-mnist", "hqnn", ParallelConfig)
    model, texts = hqnn.build(config).eval(), list[str]()
    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda layer, _inputs, _outputs: texts.append(_text(layer)))
    model(torch.zeros(1, config.in_channels, config.size, config.size))
    missing = [layer for layer in layers if layer not in texts]
    ordered = not missing and (order := [texts.index(layer) for layer in layers]) == sorted(order)
    return Judgement(
        verdict=Verdict.REPRODUCED if ordered else Verdict.NOT_REPRODUCED,
        ours="built so, and of the printed size" if ordered else f"without {', '.join(missing) or 'that order'}",
        evidence="hqnn.models.hqnn, hqnn-mnist/hqnn",
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


@evaluator(number=False)
def norm_by_count(claim: Claim, context: Context, *, total: int) -> Judgement:
    """Does the printed number of parameters allow normalisation after each dense layer?"""
    solutions = counts.absent(total)
    complete = [names for names in solutions if not any(name.startswith("normalisation") for name in names)]
    verdict = Verdict.NOT_CHECKABLE
    if len(complete) == len(solutions):
        verdict = Verdict.REPRODUCED if solutions else Verdict.CONTRADICTED
    elif not complete:
        verdict = Verdict.CONTRADICTED
    return Judgement(
        verdict=verdict,
        ours=f"{len(solutions)} networks have {total:,} parameters, {len(complete)} of them with all normalisation",
        evidence="hqnn.counts.absent",
        note="they lack " + ", or ".join(" and ".join(names) for names in solutions),
    )


@evaluator(number=False)
def parallel_circuit(claim: Claim, context: Context, *, n_layers: int) -> Judgement:
    """RX on every qubit, then layers of a free rotation of each qubit and a ring of CNOTs, then Y on every qubit."""
    pc = strongly_entangling()
    gates = [i.operation.name for i in pc.circuit.data if i.operation.name != "barrier"]
    n = pc.n_qubits
    same = gates == ["rx"] * n + n_layers * (["rz", "ry", "rz"] * n + ["cx"] * n)
    measured = [str(observable.paulis[0]).strip("I") for observable in pc.observables]
    ours = f"{n_layers} layers after RX, and {', '.join(measured)} measured"
    verdict = Verdict.REPRODUCED if same and measured == ["Y"] * n else Verdict.NOT_REPRODUCED
    return Judgement(verdict=verdict, ours=ours, evidence="hqnn.strongly_entangling")


@evaluator(number=False)
def shift_gradients(claim: Claim, context: Context) -> Judgement:
    """Our layer's gradients are those of the parameter-shift rule."""
    generator = torch.Generator().manual_seed(0)
    layer = QuantumLayer(strongly_entangling(), copies=4, dtype=torch.float64)
    with torch.no_grad():
        layer.weights.copy_(2 * math.pi * torch.rand(layer.weights.shape, generator=generator, dtype=torch.float64))
    inputs, upstream = (torch.randn(8, 20, generator=generator, dtype=torch.float64) for _ in range(2))
    (gradient,) = torch.autograd.grad((layer(inputs) * upstream).sum(), layer.weights)
    off = float((gradient - parameter_shift.gradient(layer, inputs, upstream)).abs().max())
    equal = off < EQUAL_GRADIENTS
    return Judgement(
        verdict=Verdict.REPRODUCED if equal else Verdict.NOT_REPRODUCED,
        ours="the gradients we train with are equal to the rule's" if equal else f"they differ by up to {off:.1e}",
        evidence="hqnn.parameter_shift",
    )


@evaluator(number=True)
def hard_images(claim: Claim, context: Context, *, experiment: str, variant: str, rivals: Sequence[str]) -> Judgement:
    """Accuracy, percent, on the test images that at least one run of a rival gets wrong; is it at least the value?

    Where it is not, images chosen otherwise could give another answer, and the paper does not say how it chose.
    """
    hard: set[int] = set()
    for rival in rivals:
        for errors in results(claim, current_records(context, experiment, rival), "errors"):
            hard |= set(errors["images"])
    ours = results(claim, current_records(context, experiment, variant), "errors")
    if not hard:
        return Judgement(verdict=Verdict.NOT_CHECKABLE, note=f"no run of {', '.join(rivals)} gets an image wrong")
    correct = [100 * (1 - len(hard & set(errors["images"])) / len(hard)) for errors in ours]
    judgement = judge_bound(mean_interval(np.array(correct)), claim.number, side="at least", rounding=claim.rounding)
    held = judgement.verdict == Verdict.REPRODUCED
    return replace(
        judgement,
        verdict=judgement.verdict if held else Verdict.NOT_CHECKABLE,
        evidence=f"data/runs/{experiment}",
        note=f"the paper does not say which images are meant; taken are the {len(hard)} that some run of "
        f"{', '.join(rivals)} gets wrong",
    )
