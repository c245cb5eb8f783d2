"""Evaluators of what only the transfer paper claims: its networks, its circuit, how it runs, which reading it means."""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator
from torch import nn

from hqnn import datasets, experiments
from hqnn.checks.registry import Context, evaluator
from hqnn.checks.shared import Curve, analysed, config_of, current_records, final_value, pair, results
from hqnn.ledger import Claim, LedgerError
from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig
from hqnn.papers.transfer.features import READINGS
from hqnn.papers.transfer.model import N_PIXELS, Autoencoder, Classifier
from hqnn.stats import mean_interval, paired_difference
from hqnn.verdicts import Judgement, Missing, Verdict, judge_bound, judge_exact, judge_sign


def _layers(model: nn.Module) -> str:
    """A stack of layers as text: widths of the dense ones, names of the others."""
    parts = []
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            parts.append(f"{layer.in_features}→{layer.out_features}")
        elif not isinstance(layer, nn.Sequential | nn.Identity | Autoencoder):
            parts.append(type(layer).__name__)
    return " ".join(parts)


@evaluator(number=False)
def autoencoder_layers(claim: Claim, context: Context, *, experiment: str, variant: str) -> Judgement:
    """The recorded autoencoder has two dense layers each way, ReLU in the encoder and sigmoid in the decoder."""
    model = Autoencoder(config_of(claim, experiment, variant, AutoencoderConfig))
    kinds = [
        [type(layer) for layer in part if not isinstance(layer, nn.Linear)] for part in (model.encoder, model.decoder)
    ]
    fits = kinds == [[nn.ReLU] * 2, [nn.Sigmoid] * 2] and len(model.encoder) == len(model.decoder) == 4
    return Judgement(
        verdict=Verdict.REPRODUCED if fits else Verdict.NOT_REPRODUCED,
        ours=_layers(model),
        evidence=f"hqnn.models.transfer, {experiment}/{variant}",
    )


@evaluator(number=False)
def classifier_layers(claim: Claim, context: Context, *, experiment: str, variant: str) -> Judgement:
    """The recorded network has three dense layers with batch normalisation and dropout, Adam and a falling rate."""
    config = config_of(claim, experiment, variant, TransferConfig)
    model = Classifier(config, config.encoder.n_latents)
    block = [nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Dropout]
    fits = [type(layer) for layer in list(model)[:12]] == 3 * block and config.optimizer == "adam"
    return Judgement(
        verdict=Verdict.REPRODUCED if fits and config.schedule != "constant" else Verdict.NOT_REPRODUCED,
        ours=_layers(model),
        evidence=f"hqnn.models.transfer, {experiment}/{variant}",
    )


@evaluator(number=False)
def feature_circuit(claim: Claim, context: Context) -> Judgement:
    """On five qubits: RY(2 arccos x) on each, a Hadamard gate on each, then CNOTs."""
    pc = READINGS["first-5"].circuit()
    gates = [i for i in pc.circuit.data if i.operation.name != "barrier"]
    names = " ".join(dict.fromkeys(i.operation.name for i in gates))
    angles = [str(i.operation.params[0]) for i in gates[: pc.n_qubits]]
    fits = angles == [f"2*acos({x.name})" for x in pc.inputs] and names == "ry h cx" and pc.n_qubits == 5
    return Judgement(
        verdict=Verdict.REPRODUCED if fits else Verdict.NOT_REPRODUCED,
        ours=f"{pc.n_qubits} qubits: "
        + " ".join(f"{n}×{name.upper()}" for name, n in pc.circuit.count_ops().items() if name != "barrier"),
        evidence="hqnn.circuits.transfer",
        note="which CNOTs is left open; ours are the cascade of the second version",
    )


@evaluator(number=False)
def aer_steps(claim: Claim, context: Context) -> Judgement:
    """Do `transpile`, `assemble`, `run` and `get_counts` still run a circuit?"""
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    backend = AerSimulator()
    counts = backend.run(transpile(circuit, backend), shots=1).result().get_counts()
    has_assemble = any(hasattr(importlib.import_module(name), "assemble") for name in ("qiskit", "qiskit.compiler"))
    return Judgement(
        verdict=Verdict.REPRODUCED if has_assemble and counts == {"0": 1} else Verdict.NOT_REPRODUCED,
        ours="all four steps run"
        if has_assemble
        else "transpile, run and get_counts run, assemble is gone from Qiskit",
        note="" if has_assemble else "run takes the transpiled circuit itself, so nothing but a name is missing",
    )


@evaluator(number=True)
def reading_features(claim: Claim, context: Context, *, reading: str) -> Judgement:
    """How many probabilities a reading measures for each image."""
    if reading not in READINGS:
        raise LedgerError(f"Claim {claim.id}: there is no reading {reading!r}; choose from {', '.join(READINGS)}.")
    chosen = READINGS[reading]
    return replace(
        judge_exact(chosen.n_circuits * 2 ** chosen.circuit().n_qubits, claim.number), evidence="hqnn.quantum_features"
    )


@evaluator(number=True)
def flat_pixels(claim: Claim, context: Context) -> Judgement:
    """Images become rows of so many numbers in [0, 1]."""
    images = datasets.to_float(datasets.load("digits").test.images, 28).flatten(1)
    scaled = float(images.min()) >= 0 and float(images.max()) == 1
    judgement = judge_exact(images.shape[1] if scaled else 0, claim.number)
    return replace(judgement, evidence="hqnn.datasets.to_float", note=f"the autoencoder takes {N_PIXELS}")


@evaluator(number=False)
def ends_higher(claim: Claim, context: Context, *, first: str, second: str, curve: Curve) -> Judgement:
    """After the last epoch a curve of one series, `experiment/variant`, is above that of another, paired by seed."""
    a, b, evidence = pair(claim, context, first, second, curve)
    comparison = paired_difference(a.values[:, -1], b.values[:, -1])
    return replace(
        judge_sign(comparison.difference),
        evidence=evidence,
        note="; ".join(
            filter(None, (judge_sign(comparison.difference).note, f"{comparison.test}: p = {comparison.p_value:.2g}"))
        ),
    )


@evaluator(number=True)
def final_value_by_reading(
    claim: Claim, context: Context, *, experiment: str, variant: str, others: Sequence[str], curve: Curve
) -> Judgement:
    """The last value of a curve in one reading of an incomplete text; the note names others that would agree."""
    judgement = final_value(claim, context, experiment=experiment, variant=variant, curve=curve)
    agree, n = [], 0
    for name in others:
        for other in experiments.get(name).variants:
            try:
                verdict = final_value(claim, context, experiment=name, variant=other, curve=curve).verdict
            except Missing:
                continue
            n += 1
            if verdict == Verdict.REPRODUCED:
                agree.append(f"{name}/{other}")
    note = f"of {n} readings tried, {len(agree)} agree" + (f": {', '.join(agree)}" if agree else "")
    return replace(judgement, note="; ".join(filter(None, (judgement.note, note))))


@evaluator(number=False)
def every_class(claim: Claim, context: Context, *, experiment: str, variant: str, at_least: float) -> Judgement:
    """Of the class that is recognised worst, more than a share of the images (percent) is classified correctly."""
    records = current_records(context, experiment, variant)
    matrices = [np.array(confusion) for confusion in results(claim, records, "confusion")]
    worst = mean_interval([100 * float((m.diagonal() / m.sum(1)).min()) for m in matrices])
    judgement = judge_bound(worst, at_least, side="at least")
    return replace(judgement, difference=None, evidence=f"data/runs/{experiment}/{variant}", note="of the worst class")


@evaluator(number=False)
def analysis_bound(
    claim: Claim, context: Context, *, analysis: str, key: str, side: Literal["at most", "at least"], bound: float
) -> Judgement:
    """A recorded result keeps to a bound that stands for a claim in words."""
    ours, evidence = analysed(claim, context, analysis, key)
    return replace(judge_bound(ours, bound, side=side), difference=None, evidence=evidence)
