"""How the trained networks of a series bear noise: accuracy against strength of noise, depth of circuit and shots.

`endure` measures one network, `summarise` turns the measurements of a series into named numbers. All circuits of a
network compute the same function without noise (see `noisy_network`), so what differs is the noise alone.

A network decides in one of two ways:

- `trained`: by exact expectation values, with the offset of its readout as trained;
- `reset`: by a finite number of shots, with a threshold half way between the classes' mean scores, measured on the same
  device with the validation images. What is lost then is lost for good, not merely shifted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hqnn.papers.lcqhnn.noisy_network import Network, accuracy, frequencies, midpoint, values_of_outcomes
from hqnn.stats import Interval, mean_interval
from hqnn.views import noise
from hqnn.views.noise import Noise

COMPARED = ("depolarising", "thermal", "backend")
"""The kinds of noise under which deep and shallow circuits are compared."""
NO_SIGNAL = 1e-12
"""An expectation value with a root mean square below this is zero but for rounding: no share of it can be left."""


class Encoded(NamedTuple):
    """Images as the circuit meets them."""

    features: NDArray[np.float64]
    """Inputs x [N, 4], radians."""
    labels: NDArray[np.int64]
    """Classes 0 and 1 [N]."""


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


def endure(
    network: Network, validation: Encoded, test: Encoded, settings: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Measure one network.

    Args:
        network: What is trained.
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
    perfect = network.on(None)
    found: dict[str, Any] = {
        "perfect": accuracy(network.scores(perfect(test.features)), test.labels),
        "trained": {},
        "reset": {},
        "shots": {
            "perfect": {"1": _with_shots(network, perfect(test.features), test.labels, settings, rng)},
            "backend": {},
        },
    }
    for kind, sweep in sweeps(settings).items():
        for depth in sweep.depths:
            trained, reset = [], []
            for device in sweep.devices:
                series = network.on(device, n_layers=depth)
                probabilities = series(test.features)
                trained.append(accuracy(network.scores(probabilities), test.labels))
                drawn, to_set = (
                    network.scores(frequencies(p, settings["reset_shots"], rng))
                    for p in (probabilities, series(validation.features))
                )
                reset.append(accuracy(drawn, test.labels, threshold=midpoint(to_set, validation.labels)))
                if kind == "backend":
                    curve = _with_shots(network, probabilities, test.labels, settings, rng)
                    found["shots"][kind][str(depth)] = curve
            found["trained"].setdefault(kind, {})[str(depth)] = trained
            found["reset"].setdefault(kind, {})[str(depth)] = reset
    return found | shrinkage(network, test.features, settings)


def shrinkage(network: Network, features: NDArray[np.float64], settings: Mapping[str, Any]) -> dict[str, Any]:
    """How much of the expectation values depolarising noise leaves.

    Args:
        network: What is trained.
        features: Inputs x [N, 4], radians.
        settings: `depths`, `kept_at` and `p1_over_p2`.

    Returns:
        `signal` and `kept` as in `endure`; a factor is the least-squares slope of noisy against noiseless values.
    """
    strength = settings["kept_at"]
    device = noise.depolarising(settings["p1_over_p2"] * strength, strength)
    values = values_of_outcomes(network.circuit)
    z = network.on(None)(features) @ values
    signal = np.sqrt((z**2).mean(0))
    power = np.where(signal < NO_SIGNAL, np.nan, signal**2)
    kept = {}
    for depth in settings["depths"]:
        noisy = network.on(device, n_layers=depth)(features) @ values
        kept[str(depth)] = ((noisy * z).mean(0) / power).tolist()
    return {"signal": signal.tolist(), "kept": kept}


def summarise(measured: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Interval]:
    """Named numbers from the measurements of a series, in per cent and percentage points.

    Args:
        measured: What `endure` returned, one per seed.
        settings: Those of `endure`, and `today`, a typical strength of some kinds of noise.

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


def pictured(network: Network, test: Encoded, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Scores of the first test images without noise and, by depth, under depolarising noise, for a figure.

    Args:
        network: What is trained.
        test: The images.
        settings: `depths`, `pictured`, `pictured_at` and `p1_over_p2`.

    Returns:
        `labels` [N], `perfect` [N], `noisy` by depth [N], and the `offset` of the readout.
    """
    strength = settings["pictured_at"]
    device = noise.depolarising(settings["p1_over_p2"] * strength, strength)
    some = test.features[: settings["pictured"]]
    noisy = {
        str(depth): network.scores(network.on(device, n_layers=depth)(some)).round(4).tolist()
        for depth in settings["depths"]
    }
    return {
        "labels": test.labels[: settings["pictured"]].tolist(),
        "perfect": network.scores(network.on(None)(some)).round(4).tolist(),
        "noisy": noisy,
        "offset": round(network.offset, 4),
    }


def _with_shots(
    network: Network,
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    settings: Mapping[str, Any],
    rng: np.random.Generator,
) -> list[float]:
    """Accuracy for each number of shots, a mean over repetitions."""
    return [
        float(
            np.mean(
                [
                    accuracy(network.scores(frequencies(probabilities, shots, rng)), labels)
                    for _ in range(settings["repetitions"])
                ]
            )
        )
        for shots in settings["shots"]
    ]
