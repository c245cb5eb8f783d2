"""Evaluators of what only lcqhnn claims: its circuit, its front end, its table of accuracies."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.exceptions import CircuitError

from hqnn.checks.registry import EXACT, Context, evaluator
from hqnn.circuit import Circuit
from hqnn.ledger import Claim
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.verdicts import Judgement, Verdict, judge_exact
from hqnn.views import aer, bloch
from hqnn.views.layer import QuantumLayer

DENOMINATORS: Mapping[str, int] = {"validation": 512, "test": 1024, "training": 2048}
"""Sizes of lcqhnn's three sets [lcqhnn, section 3.1.2]."""

_DRAWS = 32


def denominators(
    percentage: float, *, decimals: int = 2, candidates: Sequence[int] = tuple(DENOMINATORS.values())
) -> list[int]:
    """Numbers of images that a printed percentage can come from.

    Args:
        percentage: As printed.
        decimals: Digits printed after the point.
        candidates: Set sizes to try.

    Returns:
        Those N for which some whole number k of correct images gives 100 k / N as printed.
    """
    half = 0.5 * 10.0**-decimals + 1e-9
    return [n for n in candidates if abs(100 * round(percentage * n / 100) / n - percentage) <= half]


@evaluator(number=False)
def printed_grid(claim: Claim, context: Context, *, group: str, unit: str, stated: int, alternative: int) -> Judgement:
    """Do a table's percentages come from the stated number of images, or from half as many?

    Accuracies on `stated` images are multiples of 1/stated. If all of them are multiples of 1/alternative, a coarser
    grid contained in that one, then chance did this for each value below 100 %, or fewer images were used.
    """
    values = [c for c in context.ledger.claims if c.group == group and c.unit == unit]
    below = [c for c in values if c.number < 100]
    coarse = [c for c in below if denominators(c.number, decimals=c.decimals, candidates=[alternative])]
    chance = (alternative / stated) ** len(below)
    ours = f"{len(coarse)} of {len(below)} values below 100 % are multiples of 1/{alternative}"
    note = f"if they came from {stated} images, chance would do that once in {round(1 / chance):,} tables"
    contradicted = len(coarse) == len(below) and chance < 1e-3
    verdict = Verdict.CONTRADICTED if contradicted else Verdict.NOT_CHECKABLE
    return Judgement(verdict=verdict, ours=ours, note=note if contradicted else "")


# --- the circuit


def _gate_text(pc: Circuit) -> str:
    """A circuit as text, neighbouring gates of one kind taken together."""
    names = {"p": "U1"}
    groups: list[tuple[str, list[str]]] = []
    for instruction in pc.circuit.data:
        gate = instruction.operation
        if gate.name == "barrier":
            continue
        qubits = [pc.circuit.find_bit(qubit).index for qubit in instruction.qubits]
        label = names.get(gate.name, gate.name.upper())
        for angle in gate.params:
            match = re.fullmatch(r"(?:(\d+)\*)?(\w+)\[(\d+)\]", str(angle))
            own = match is not None and qubits == [int(match[3])]
            label += f"({(match[1] or '') + match[2] if match and own else angle})"
        if not groups or groups[-1][0] != label:
            groups.append((label, []))
        groups[-1][1].append("".join(map(str, qubits)))
    return " ".join(f"{label}({' '.join(qubits)})" for label, qubits in groups)


@evaluator(number=False)
def gate_sequence(claim: Claim, context: Context) -> Judgement:
    """The gates of `lcqhnn_circuit` are the printed ones, in the printed order."""
    return judge_exact(_gate_text(lcqhnn_circuit()), str(claim.value))


@evaluator(number=True)
def weight_count(claim: Claim, context: Context) -> Judgement:
    """The circuit has as many trainable parameters as printed."""
    return judge_exact(lcqhnn_circuit().n_weights, claim.number)


def _random_angles(pc: Circuit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Inputs [draws, n_inputs] and one setting of the weights [n_weights], uniform in [0, 2π)."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 2 * np.pi, (_DRAWS, pc.n_inputs)), rng.uniform(0, 2 * np.pi, pc.n_weights)


def _change(first: Circuit, second: Circuit) -> float:
    """Largest difference between two circuits' expectation values at random inputs and equal weights."""
    outputs = [aer.expectations(pc, *_random_angles(pc)) for pc in (first, second)]
    return float(np.abs(outputs[0] - outputs[1]).max())


def _bloch_vectors(stage: str) -> NDArray[np.float64]:
    """Reduced Bloch vectors [draws, n_qubits, 3] of the paper's circuit after one of its printed states."""
    pc = lcqhnn_circuit()
    return bloch.bloch_vectors(pc, *_random_angles(pc), stage=stage)


@evaluator(number=False)
def printed_order(claim: Claim, context: Context) -> Judgement:
    """Do the two readings of the printed CNOT products, in time and as operators, give the same outputs?"""
    change = _change(lcqhnn_circuit("time"), lcqhnn_circuit("product"))
    return Judgement(
        verdict=Verdict.REPRODUCED if change < EXACT else Verdict.CONTRADICTED,
        ours=f"the two readings differ by up to {change:.2f} in an expectation value",
    )


@evaluator(number=False)
def ladders_cancel(claim: Claim, context: Context) -> Judgement:
    """Does the circuit compute what it would without its CNOTs?"""
    change = _change(lcqhnn_circuit(), lcqhnn_circuit(entangle=False))
    return Judgement(
        verdict=Verdict.REPRODUCED if change < EXACT else Verdict.NOT_REPRODUCED,
        ours=f"leaving both ladders out changes an expectation value by up to {change:.2f}",
    )


@evaluator(number=True)
def equator(claim: Claim, context: Context) -> Judgement:
    """After the encoding every reduced Bloch vector has the printed z component and length 1."""
    vectors = _bloch_vectors("ψ2")
    z = float(np.abs(vectors[..., 2]).max())
    length_error = float(np.abs(bloch.lengths(vectors) - 1).max())
    judgement = judge_exact(round(z, 9), claim.number)
    return judgement if length_error < EXACT else replace(judgement, verdict=Verdict.NOT_REPRODUCED)


@evaluator(number=True)
def bloch_length(claim: Claim, context: Context) -> Judgement:
    """Mean length of the reduced Bloch vectors after the RY gates, to the digits printed."""
    length = float(bloch.lengths(_bloch_vectors("ψ4")).mean())
    return judge_exact(round(length, claim.decimals), claim.number)


@evaluator(number=False)
def entangled(claim: Claim, context: Context) -> Judgement:
    """After the RY gates the reduced states are mixed: the pure state of all qubits is entangled."""
    length = float(bloch.lengths(_bloch_vectors("ψ4")).mean())
    return Judgement(
        verdict=Verdict.REPRODUCED if length < 1 - EXACT else Verdict.NOT_REPRODUCED,
        ours=f"mean length of the reduced Bloch vectors {length:.2f}",
    )


@evaluator(number=False)
def aer_gradients(claim: Claim, context: Context) -> Judgement:
    """PyTorch's gradients of the layer equal the parameter-shift rule evaluated by Aer."""
    pc = lcqhnn_circuit()
    layer = QuantumLayer(pc, dtype=torch.float64)
    inputs, weights = _random_angles(pc)
    with torch.no_grad():
        layer.weights.copy_(torch.from_numpy(weights)[None])
    outputs = layer(torch.from_numpy(inputs)).sum(0)
    ours = torch.stack([torch.autograd.grad(o, layer.weights, retain_graph=True)[0][0] for o in outputs], dim=1).numpy()
    shifts = np.pi / 2 * np.eye(pc.n_weights)
    up, down = (
        np.stack([aer.expectations(pc, inputs, weights + sign * shift).sum(0) for shift in shifts]) for sign in (1, -1)
    )  # [n_weights, n_observables], as ours
    error = float(np.abs(ours - (up - down) / 2).max())
    return Judgement(
        verdict=Verdict.REPRODUCED if error < EXACT else Verdict.NOT_REPRODUCED,
        ours="PyTorch's gradients equal parameter shift on Aer"
        if error < EXACT
        else f"gradients differ by {error:.1e}",
    )


@evaluator(number=False)
def torch_tensors(claim: Claim, context: Context) -> Judgement:
    """Does a tensor that is part of a PyTorch graph survive being put into a Qiskit circuit?"""
    tensor = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    angle = Parameter("a")
    template = QuantumCircuit(1)
    template.ry(angle, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns that turning the tensor into a number loses its gradient
        bound = template.assign_parameters({angle: tensor})
    kept = isinstance(bound.data[0].operation.params[0], torch.Tensor)
    try:
        template.ry(tensor, 0)
        refused = False
    except CircuitError:
        refused = True
    if kept or not refused:
        return Judgement(verdict=Verdict.REPRODUCED, ours="a circuit keeps a tensor as it is")
    return Judgement(
        verdict=Verdict.NOT_REPRODUCED,
        ours="a gate refuses a tensor, and binding one turns it into a number without a gradient",
    )


# --- the front end


@dataclass(frozen=True)
class FrontEnd:
    """Two convolutions with a pooling window each; sides in pixels."""

    paddings: tuple[int, int]
    pools: tuple[int, int]
    channels: int
    """Channels of the second convolution."""
    side: int
    """Side of the maps that are flattened."""


def front_ends(n_features: int = 256, *, image: int = 28, kernel: int = 3) -> list[FrontEnd]:
    """Which paddings and pooling windows can give a number of flattened features.

    Args:
        n_features: Channels times the area of the last maps.
        image: Side of the input, pixels.
        kernel: Side of both convolutions' kernels.

    Returns:
        The choices among paddings 0, 1, 2 and pooling windows 2, 3 (stride as wide as the window) whose last maps have
        an area that divides `n_features`.
    """
    found = []
    for p1 in range(3):
        for w1 in (2, 3):
            first = (image + 2 * p1 - kernel + 1) // w1
            for p2 in range(3):
                for w2 in (2, 3):
                    side = (first + 2 * p2 - kernel + 1) // w2
                    if side > 0 and n_features % side**2 == 0:
                        found.append(FrontEnd((p1, p2), (w1, w2), n_features // side**2, side))
    return found


@evaluator(number=True)
def front_end_exists(claim: Claim, context: Context) -> Judgement:
    """Some choice of padding and pooling gives the printed number of features."""
    found = front_ends(int(claim.number))
    usual = [f for f in found if f.pools == (2, 2) and max(f.paddings) < 2]
    note = (
        f"{len(found)} of 36 choices of padding 0-2 and pooling 2-3 do; "
        f"{len(usual) or 'none'} with 2x2 pooling and padding 0 or 1"
    )
    return Judgement(
        verdict=Verdict.REPRODUCED if found else Verdict.NOT_REPRODUCED,
        ours=int(claim.number) if found else None,
        evidence="hqnn.checks.front_ends",
        note=note,
    )


# --- training records
