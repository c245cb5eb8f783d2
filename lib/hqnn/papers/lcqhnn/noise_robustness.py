"""How the trained networks of a series bear noise: accuracy against strength of noise, depth of circuit and shots.

`robustness` measures one network, `summarise` turns the measurements of a series into named numbers. All circuits of a
network compute the same function without noise (see `noisy_network`), so what differs is the noise alone.

A network decides in one of two ways:

- `trained`: by exact expectation values, with the offset of its readout as trained;
- `reset`: by a finite number of shots, with a threshold half way between the classes' mean scores, measured on the same
  device with the validation images. What is lost then is lost for good, not merely shifted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.noisy_network import (
    LabelledFeatures,
    QuantumHead,
    accuracy,
    frequencies,
    light_cone,
    midpoint,
    outcome_values,
)
from hqnn.stats import Interval, mean_interval
from hqnn.views import aer, noise
from hqnn.views.noise import Noise

COMPARED = ("depolarising", "thermal", "backend")
"""The kinds of noise under which deep and shallow circuits are compared."""
NO_SIGNAL = 1e-12
"""An expectation value with a root mean square below this is zero but for rounding: no share of it can be left."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """One kind of noise in growing strength."""

    strengths: Sequence[float]
    devices: Sequence[Noise]
    depths: Sequence[int]
    """Numbers of blocks to measure."""


def sweeps(settings: Mapping[str, Any]) -> dict[str, Sweep]:
    """The kinds of noise, by name.

    Args:
        settings: `depths`, `deeper`, `p2` and `p1_over_p2` (depolarising strengths of all gates), `gates` (of one kind
            of gate alone), `readout`, `t1_us` and `t2_over_t1`.
    """
    all_depths, two_depths = settings["depths"], [1, settings["deeper"]]
    p2, p1, gates, flips = settings["p2"], settings["p1_over_p2"], settings["gates"], settings["readout"]
    t1, ratio = settings["t1_us"], settings["t2_over_t1"]
    thermal = [noise.thermal(1e-6 * t, ratio * 1e-6 * t) for t in t1]
    return {
        "depolarising": Sweep(strengths=p2, devices=[noise.depolarising(p1 * p, p) for p in p2], depths=all_depths),
        "one-qubit": Sweep(strengths=gates, devices=[noise.depolarising(p, 0) for p in gates], depths=two_depths),
        "two-qubit": Sweep(strengths=gates, devices=[noise.depolarising(0, p) for p in gates], depths=two_depths),
        "readout": Sweep(strengths=flips, devices=[noise.readout(p) for p in flips], depths=[1]),
        "thermal": Sweep(strengths=t1, devices=thermal, depths=all_depths),
        "backend": Sweep(strengths=[1], devices=[noise.manila()], depths=all_depths),
    }


def robustness(
    head: QuantumHead, validation: LabelledFeatures, test: LabelledFeatures, settings: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Measure one network.

    Args:
        head: What is trained.
        validation: Images to set thresholds by.
        test: Images to measure accuracy on.
        settings: Those of `sweeps`, and `shots`, `repetitions`, `reset_shots`, `kept_at`.
        seed: Of the shots.

    Returns:
        `perfect`: accuracy without noise; `trained` and `reset`: accuracies by kind of noise and depth [strengths];
        `shots`: mean accuracies by device and depth [shots]; `signal`: root mean square of each noiseless ⟨Z⟩ [4];
        `kept`: by depth, the factor [4] by which depolarising noise of strength `kept_at` shrinks them, NaN where the
        signal is below `NO_SIGNAL`. All fractions.
    """
    rng = np.random.default_rng(seed)

    def with_shots(probabilities: NDArray[np.float64]) -> list[float]:
        """Accuracy for each number of shots, a mean over repetitions."""
        repetitions = range(settings["repetitions"])
        drawn = (
            [accuracy(head.scores(frequencies(probabilities, shots, rng)), test.labels) for _ in repetitions]
            for shots in settings["shots"]
        )
        return [float(np.mean(accuracies)) for accuracies in drawn]

    perfect = head.on(None)(test.features)
    found: dict[str, Any] = {
        "perfect": accuracy(head.scores(perfect), test.labels),
        "trained": {},
        "reset": {},
        "shots": {"perfect": {"1": with_shots(perfect)}, "backend": {}},
    }
    for kind, sweep in sweeps(settings).items():
        for depth in sweep.depths:
            trained, reset = [], []
            for device in sweep.devices:
                series = head.on(device, n_layers=depth)
                probabilities = series(test.features)
                trained.append(accuracy(head.scores(probabilities), test.labels))
                drawn, to_set = (
                    head.scores(frequencies(p, settings["reset_shots"], rng))
                    for p in (probabilities, series(validation.features))
                )
                reset.append(accuracy(drawn, test.labels, threshold=midpoint(to_set, validation.labels)))
                if kind == "backend":
                    found["shots"][kind][str(depth)] = with_shots(probabilities)
            found["trained"].setdefault(kind, {})[str(depth)] = trained
            found["reset"].setdefault(kind, {})[str(depth)] = reset
    return found | shrinkage(head, test.features, settings)


def _depolarised(settings: Mapping[str, Any], strength: float) -> noise.Noise:
    return noise.depolarising(settings["p1_over_p2"] * strength, strength)


def shrinkage(head: QuantumHead, features: NDArray[np.float64], settings: Mapping[str, Any]) -> dict[str, Any]:
    """How much of the expectation values depolarising noise leaves.

    Args:
        head: What is trained.
        features: Inputs x [N, 4], radians.
        settings: `depths`, `kept_at` and `p1_over_p2`.

    Returns:
        `signal` and `kept` as in `robustness`; a factor is the least-squares slope of noisy against noiseless values.
    """
    device, values = _depolarised(settings, settings["kept_at"]), outcome_values(lcqhnn_circuit(head.order))
    z = head.on(None)(features) @ values
    signal = np.sqrt((z**2).mean(0))
    power = np.where(signal < NO_SIGNAL, np.nan, signal**2)
    kept = {}
    for depth in settings["depths"]:
        noisy = head.on(device, n_layers=depth)(features) @ values
        kept[str(depth)] = ((noisy * z).mean(0) / power).tolist()
    return {"signal": signal.tolist(), "kept": kept}


def example_scores(head: QuantumHead, test: LabelledFeatures, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Scores of the first test images without noise and, by depth, under depolarising noise, for a figure.

    Args:
        head: What is trained.
        test: The images.
        settings: `depths`, `pictured`, `pictured_at` and `p1_over_p2`.

    Returns:
        `labels` [N], `perfect` [N], `noisy` by depth [N], and the `offset` of the readout.
    """
    device, some = _depolarised(settings, settings["pictured_at"]), test.features[: settings["pictured"]]
    noisy = {depth: head.scores(head.on(device, n_layers=depth)(some)) for depth in settings["depths"]}
    return {
        "labels": test.labels[: settings["pictured"]].tolist(),
        "perfect": head.scores(head.on(None)(some)).round(4).tolist(),
        "noisy": {str(depth): scores.round(4).tolist() for depth, scores in noisy.items()},
        "offset": round(head.offset, 4),
    }


def summarise(measured: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Interval]:
    """Named numbers from the measurements of a series, in per cent and percentage points.

    Args:
        measured: What `robustness` returned, one per seed.
        settings: Those of `robustness`, and `today`, a typical strength of some kinds of noise.

    Returns:
        `perfect/accuracy`; for each kind of noise in `COMPARED`, with the readout as trained, averaged over the sweep's
        strengths: `<kind>/loss-<depth>`, the accuracy lost to noise, and `<kind>/deeper-loss-minus-shallow-loss`, that
        of the `deeper` circuit minus that of one block; the same at today's strength as `<kind>/today/…` and with the
        threshold set anew as `<kind>/reset/…`.
    """
    perfect = np.array([m["perfect"] for m in measured])
    result = {"perfect/accuracy": mean_interval(100 * perfect)}
    for kind in COMPARED:
        sweep = sweeps(settings)[kind]
        today = settings["today"].get(kind)
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


def by_depth(stored: Mapping[str, Any]) -> dict[int, NDArray[np.float64]]:
    """A stored mapping from numbers of blocks to lists, as integers to arrays; None becomes NaN."""
    return {int(depth): np.array(values, float) for depth, values in stored.items()}


# --- what the records say ---------------------------------------------------------------------------------------------


def kept_signal(data: Mapping[str, Any], *, least: float = 0.2) -> list[NDArray[np.float64]]:
    """The recorded shares of ⟨Z⟩ that noise leaves, of the networks in which a qubit carries a signal.

    Args:
        data: What was recorded of a series, `kept` and `signal` [networks, 4] among it.
        least: The root mean square from which ⟨Z⟩ counts as a signal.

    Returns:
        One array [networks, depths] per qubit.
    """
    signal = np.array(data["signal"])
    shares = np.stack(list(by_depth(data["kept"]).values()), axis=1)  # [networks, depths, qubits]
    return [shares[signal[:, q] > least, :, q] for q in range(signal.shape[1])]


def light_cone_estimates(settings: Mapping[str, Any]) -> NDArray[np.float64]:
    """What depolarising noise of strength `kept_at` leaves of ⟨Z⟩ if every gate of its light cone counts.

    Args:
        settings: `depths`, `kept_at` and `p1_over_p2`.

    Returns:
        Factors [4, depths].
    """
    p2 = settings["kept_at"]
    p1, device = settings["p1_over_p2"] * p2, noise.depolarising(0, 0)
    executed = [aer.physical(lcqhnn_circuit(n_layers=depth).circuit, device) for depth in settings["depths"]]
    cones = [[light_cone(circuit, q) for circuit in executed] for q in range(4)]
    return np.array([[(1 - p2) ** cone["cx"] * (1 - p1) ** cone["sx"] for cone in of_qubit] for of_qubit in cones])


def shots_needed(accuracies: ArrayLike, shots: Sequence[int], goal: float) -> int | None:
    """The least number of shots with a mean accuracy above a goal; None if there is none.

    Args:
        accuracies: Fractions [seeds, shots].
        shots: Numbers of shots per image, ascending.
        goal: A fraction.
    """
    means = np.asarray(accuracies).mean(axis=0)
    return next((n for n, mean in zip(shots, means, strict=True) if mean > goal), None)


def losses_by_shots(data: Mapping[str, Any], shots: Sequence[int], n_shots: int) -> dict[int, Interval]:
    """Accuracy lost on the backend with a number of shots, by depth: points, over networks.

    Args:
        data: What was recorded of a series, `perfect` and `shots` among it.
        shots: The numbers of shots that were recorded.
        n_shots: One of them.
    """
    perfect, k = np.array(data["perfect"]), list(shots).index(n_shots)
    backend = by_depth(data["shots"]["backend"])  # each [networks, shots]
    return {depth: mean_interval(100 * (perfect - values[:, k])) for depth, values in backend.items()}
