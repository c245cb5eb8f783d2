r"""Trained networks on noisy devices: accuracy against strength of noise, depth of circuit and shots.

**Noise adds no frequencies.** A phase gate is a change of the reference frame and free of errors; all else is linear
and does not depend on x. With b(φ) = (1, cos φ, sin φ), the probability of each outcome is on any device a series

$$p(x) = \sum_{k\in\{0,1,2\}^4} c_k \prod_i b_{k_i}(2 x_i),$$

whose coefficients follow from 81 runs. **Equal circuits of any depth.** The trained block C† R(θ) C, repeated L times
with θ/L, is the same unitary: C C† cancels in between and angles add. Only what the noise does differs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler.passes import RemoveBarriers
from torch import nn

from hqnn.circuit import Circuit
from hqnn.papers.lcqhnn.circuits import Order, lcqhnn_circuit, repeated
from hqnn.papers.lcqhnn.model import Lcqhnn
from hqnn.stats import Interval, mean_interval
from hqnn.views import aer, noise
from hqnn.views.layer import QuantumLayer
from hqnn.views.noise import Noise

Values = NDArray[np.float64]
Labelled = tuple[Values, NDArray[np.int64]]
"""Images as the circuit meets them: its inputs x [N, 4], radians, and classes 0 and 1 [N]."""

NO_SIGNAL = 1e-12
"""An expectation value with a root mean square below this is zero but for rounding: no share of it can be left."""
Z = 1.0 - 2 * (np.arange(16)[:, None] >> np.arange(4) & 1)
"""What each outcome contributes to the expectation values [16, 4]: probabilities @ Z = ⟨Z⟩ of each qubit."""


# --- circuits and networks on a device -------------------------------------------------------------------------------


def outcome_series(pc: Circuit, weights: ArrayLike, *, noise: Noise | None = None) -> Callable[[ArrayLike], Values]:
    """Find the outcome probabilities of a circuit as in `circuits` for all inputs, from 81 exact runs on Aer.

    Returns:
        A function of features [B, 4] to probabilities [B, 16] (bit q of the last index: outcome of qubit q).
    """
    phases = np.array(list(product(2 * math.pi / 3 * np.arange(3), repeat=4)))
    coefficients = np.linalg.solve(_waves(phases), aer.probabilities(pc, phases / 2, weights, noise=noise))

    def probabilities(x: ArrayLike) -> Values:
        found = (_waves(2 * np.asarray(x, float)) @ coefficients).clip(0)
        return np.asarray(found / found.sum(1, keepdims=True))

    return probabilities


def _waves(phases: Values) -> Values:
    """All products of one of 1, cos, sin of every phase: [B, 4] to [B, 81], the last phase's vary fastest."""
    waves = np.ones((len(phases), 1))
    for phase in phases.T:
        of_one = np.stack([np.ones_like(phase), np.cos(phase), np.sin(phase)], 1)
        waves = (waves[:, :, None] * of_one[:, None]).reshape(len(phases), -1)
    return waves


@dataclass(frozen=True, kw_only=True)
class QuantumHead:
    """What a trained hybrid network is behind its classical front end: circuit and linear readout."""

    weights: Values  # the circuit's trained angles θ [4], radians
    slopes: Values  # a [4] of the score s = a · ⟨Z⟩ + b, by which class 1 leads class 0
    offset: float  # b
    order: Order = "time"

    @classmethod
    def of(cls, model: Lcqhnn, order: Order = "time") -> QuantumHead:
        """The head of a model.

        Raises:
            ValueError: The model has no circuit, or no linear readout.
        """
        if not (isinstance(model.quantum, QuantumLayer) and isinstance(model.scores, nn.Linear)):
            raise ValueError("the model has no circuit with a linear readout; build it with quantum='circuit'")
        matrix, offsets = (p.detach().double().numpy() for p in (model.scores.weight, model.scores.bias))
        angles = model.quantum.weights[0].detach().double().numpy()
        slopes, offset = matrix[1] - matrix[0], float(offsets[1] - offsets[0])
        return cls(weights=angles, slopes=slopes, offset=offset, order=order)

    def on(self, noise: Noise | None, *, n_layers: int = 1) -> Callable[[ArrayLike], Values]:
        """The `outcome_series` of the circuit with some blocks on a device."""
        pc, weights = repeated(self.weights, n_layers, order=self.order)
        return outcome_series(pc, weights, noise=noise)

    def scores(self, probabilities: Values) -> Values:
        """Scores [B] from probabilities or frequencies of outcomes [B, 16]; where positive, class 1 is chosen."""
        return probabilities @ Z @ self.slopes + self.offset


def frequencies(probabilities: Values, shots: int, rng: np.random.Generator) -> Values:
    """Relative frequencies of outcomes in some independent shots per row of probabilities [B, 16]."""
    return rng.multinomial(shots, probabilities) / shots


def accuracy(scores: Values, labels: NDArray[np.int64], *, threshold: float = 0.0) -> float:
    """Share of scores [B] on the right side of a threshold: class 1 above it, class 0 at or below."""
    return float(((scores > threshold) == labels).mean())


def midpoint(scores: Values, labels: NDArray[np.int64]) -> float:
    """The threshold half way between the mean scores of the two classes."""
    return float(scores[labels == 0].mean() + scores[labels == 1].mean()) / 2


# --- what is measured of one network ---------------------------------------------------------------------------------


class Sweep(NamedTuple):
    """One kind of noise in growing strength."""

    strengths: Sequence[float]
    devices: Sequence[Noise]
    depths: Sequence[int]  # numbers of blocks to measure


def sweeps(settings: Mapping[str, Any]) -> dict[str, Sweep]:
    """The kinds of noise, by name; `gates` are the strengths of one kind of gate's noise alone."""
    every, two = settings["depths"], [1, settings["deeper"]]
    p2, gates, flips, t1 = (settings[key] for key in ("p2", "gates", "readout", "t1_us"))
    thermal = [noise.thermal(1e-6 * t, settings["t2_over_t1"] * 1e-6 * t) for t in t1]
    return {
        "depolarising": Sweep(p2, [_depolarised(settings, p) for p in p2], every),
        "one-qubit": Sweep(gates, [noise.depolarising(p, 0) for p in gates], two),
        "two-qubit": Sweep(gates, [noise.depolarising(0, p) for p in gates], two),
        "readout": Sweep(flips, [noise.readout(p) for p in flips], [1]),
        "thermal": Sweep(t1, thermal, every),
        "backend": Sweep([1], [noise.manila()], every),
    }


def _depolarised(settings: Mapping[str, Any], strength: float) -> Noise:
    return noise.depolarising(settings["p1_over_p2"] * strength, strength)


def robustness(
    head: QuantumHead, validation: Labelled, test: Labelled, settings: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Measure one network.

    It decides in one of two ways. `trained`: by exact expectation values, with the offset of its readout as trained.
    `reset`: by a finite number of shots, with a threshold half way between the classes' mean scores, measured on the
    same device with the validation images; what is lost then is lost for good, not merely shifted.

    Returns:
        `perfect`: accuracy without noise; `trained` and `reset`: accuracies by kind of noise and depth [strengths];
        `shots`: mean accuracies by device and depth [shots]; and what `shrinkage` says. All fractions.
    """
    rng = np.random.default_rng(seed)
    features, labels = test

    def with_shots(probabilities: Values) -> list[float]:
        """Accuracy for each number of shots, a mean over repetitions."""
        return [
            float(np.mean([accuracy(head.scores(frequencies(probabilities, shots, rng)), labels) for _ in repetitions]))
            for shots in settings["shots"]
        ]

    repetitions, perfect = range(settings["repetitions"]), head.on(None)(features)
    found: dict[str, Any] = {
        "perfect": accuracy(head.scores(perfect), labels),
        "trained": {},
        "reset": {},
        "shots": {"perfect": {"1": with_shots(perfect)}, "backend": {}},
    }
    for kind, sweep in sweeps(settings).items():
        for depth in sweep.depths:
            trained, reset = [], []
            for device in sweep.devices:
                series = head.on(device, n_layers=depth)
                probabilities = series(features)
                trained.append(accuracy(head.scores(probabilities), labels))
                drawn, to_set = (
                    head.scores(frequencies(p, settings["reset_shots"], rng))
                    for p in (probabilities, series(validation[0]))
                )
                reset.append(accuracy(drawn, labels, threshold=midpoint(to_set, validation[1])))
                if kind == "backend":
                    found["shots"][kind][str(depth)] = with_shots(probabilities)
            found["trained"].setdefault(kind, {})[str(depth)] = trained
            found["reset"].setdefault(kind, {})[str(depth)] = reset
    return found | shrinkage(head, features, settings)


def shrinkage(head: QuantumHead, features: Values, settings: Mapping[str, Any]) -> dict[str, Any]:
    """How much depolarising noise of strength `kept_at` leaves of the expectation values.

    Returns:
        `signal`: root mean square of each noiseless ⟨Z⟩ [4]; `kept`: by depth, the factor [4] by which noise shrinks
        them, the least-squares slope of noisy against noiseless values; NaN where the signal is below `NO_SIGNAL`.
    """
    device, z = _depolarised(settings, settings["kept_at"]), head.on(None)(features) @ Z
    signal = np.sqrt((z**2).mean(0))
    power, kept = np.where(signal < NO_SIGNAL, np.nan, signal**2), {}
    for depth in settings["depths"]:
        noisy = head.on(device, n_layers=depth)(features) @ Z
        kept[str(depth)] = ((noisy * z).mean(0) / power).tolist()
    return {"signal": signal.tolist(), "kept": kept}


def example_scores(head: QuantumHead, test: Labelled, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Scores of the first images without noise and, by depth, under noise of strength `pictured_at`, for a figure."""
    device = _depolarised(settings, settings["pictured_at"])
    some, labels = (part[: settings["pictured"]] for part in test)
    noisy = {str(depth): head.scores(head.on(device, n_layers=depth)(some)) for depth in settings["depths"]}
    return {
        "labels": labels.tolist(),
        "perfect": head.scores(head.on(None)(some)).round(4).tolist(),
        "noisy": {depth: scores.round(4).tolist() for depth, scores in noisy.items()},
        "offset": round(head.offset, 4),
    }


# --- of a series, and what the records say ---------------------------------------------------------------------------


def summarise(measured: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Interval]:
    """Named numbers from what `robustness` returned for each seed, in per cent and percentage points.

    Returns:
        `perfect/accuracy`; of some kinds of noise, with the readout as trained, averaged over the sweep's strengths:
        `<kind>/loss-<depth>`, the accuracy lost to noise, and `<kind>/deeper-loss-minus-shallow-loss`, that of the
        `deeper` circuit minus that of one block; the same at today's strength as `<kind>/today/…` and with the
        threshold set anew as `<kind>/reset/…`.
    """
    perfect = np.array([m["perfect"] for m in measured])
    result = {"perfect/accuracy": mean_interval(100 * perfect)}
    for kind in ("depolarising", "thermal", "backend"):
        sweep, today = sweeps(settings)[kind], settings["today"].get(kind)
        cases: dict[str, tuple[str, Any]] = {"": ("trained", slice(None)), "reset/": ("reset", slice(None))}
        if today is not None:
            cases["today/"] = ("trained", [list(sweep.strengths).index(today)])
        for case, (decision, chosen) in cases.items():
            losses = {
                depth: 100 * (perfect - np.array([m[decision][kind][str(depth)] for m in measured])[:, chosen].mean(1))
                for depth in sweep.depths
            }
            result |= {f"{kind}/{case}loss-{depth}": mean_interval(loss) for depth, loss in losses.items()}
            difference = losses[settings["deeper"]] - losses[1]
            result[f"{kind}/{case}deeper-loss-minus-shallow-loss"] = mean_interval(difference)
    return result


def by_seed(measured: Sequence[Any]) -> Any:
    """Turn one nested mapping per seed into one mapping of lists over seeds, rounded for storage; NaN becomes None."""
    if isinstance(measured[0], Mapping):
        return {key: by_seed([m[key] for m in measured]) for key in measured[0]}
    rounded = np.round(measured, 4).astype(object)
    rounded[np.isnan(measured)] = None
    return rounded.tolist()


def by_depth(stored: Mapping[str, Any]) -> dict[int, Values]:
    """A stored mapping from numbers of blocks to lists, as integers to arrays; None becomes NaN."""
    return {int(depth): np.array(values, float) for depth, values in stored.items()}


def kept_signal(data: Mapping[str, Any], *, least: float = 0.2) -> list[Values]:
    """The shares of ⟨Z⟩ that noise leaves, [networks, depths] per qubit, of networks with a signal above `least`."""
    signal = np.array(data["signal"])
    shares = np.stack(list(by_depth(data["kept"]).values()), axis=1)  # [networks, depths, qubits]
    return [shares[signal[:, q] > least, :, q] for q in range(signal.shape[1])]


def light_cone(circuit: QuantumCircuit, qubit: int) -> Counter[str]:
    """Count the gates that can influence what is measured on one qubit, by name; barriers and delays do not count.

    If each is followed by depolarising noise of strength p on its qubits, (1 - p)^count is the factor that is left of
    an expectation value whose Pauli string meets all of them; strings that miss some keep more.
    """
    cone, met = {qubit}, Counter[str]()
    for instruction in reversed(circuit.data):
        name = instruction.operation.name
        on = {circuit.find_bit(q).index for q in instruction.qubits}
        if name not in ("barrier", "delay") and cone & on:
            cone |= on
            met[name] += 1
    return met


def light_cone_estimates(settings: Mapping[str, Any]) -> Values:
    """What noise of strength `kept_at` leaves of ⟨Z⟩ if every gate of its light cone counts, factors [4, depths]."""
    p2 = settings["kept_at"]
    p1, device = settings["p1_over_p2"] * p2, noise.depolarising(0, 0)
    executed = [aer.physical(lcqhnn_circuit(n_layers=depth).circuit, device) for depth in settings["depths"]]
    cones = [[light_cone(circuit, q) for circuit in executed] for q in range(4)]
    return np.array([[(1 - p2) ** cone["cx"] * (1 - p1) ** cone["sx"] for cone in of_qubit] for of_qubit in cones])


class Cost(NamedTuple):
    """What a device executes."""

    pulses: int
    cnots: int
    microseconds: float
    cnots_if_optimised: int  # left by a compiler that may merge whatever cancels


def cost(n_layers: int, device: Noise) -> Cost:
    """The gates of the circuit with some blocks on a device with known durations, and how long they take."""
    pc, weights = repeated(np.ones(4), n_layers)
    executed = aer.physical(pc.circuit, device)
    gates, time = executed.count_ops(), executed.estimate_duration(device.target(pc.n_qubits), "u")
    bound = RemoveBarriers()(pc.circuit.assign_parameters(dict(zip(pc.weights, weights, strict=True))))
    merged = transpile(bound, basis_gates=["rz", "sx", "x", "cx"], optimization_level=3, seed_transpiler=0)
    return Cost(gates["sx"], gates["cx"], time, merged.count_ops()["cx"])
