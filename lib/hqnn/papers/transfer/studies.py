"""Measurements of the transfer paper: what its autoencoder keeps, what Aer costs, what noise does to the hybrid."""

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit_aer import AerSimulator
from scipy.stats import chisquare
from torch import Tensor

from hqnn import experiments, runs
from hqnn.measurements import Measured, Series, Settings, intervals, measurement, picture
from hqnn.papers.transfer import figures as drawing
from hqnn.papers.transfer import tasks as transfer
from hqnn.papers.transfer.experiments import TransferConfig
from hqnn.papers.transfer.features import (
    EMBEDDINGS,
    aer_frequencies,
    input_scaler,
    principal_axes,
    quantum_features,
    statistic,
)
from hqnn.papers.transfer.model import Autoencoder, standard
from hqnn.records import Record
from hqnn.tasks import Session
from hqnn.views import aer, noise
from hqnn.views.layer import QuantumLayer

_LEAST_EXPECTED = 5.0
"""Outcomes expected less often are taken together in a chi-squared test."""


def _encoded(config: TransferConfig, record: Record) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Latents and labels by the encoder of a record's seed, from the data folder that the record is in."""
    kept = partial(runs.kept_weights, root=record.path.parents[3])
    return transfer.encoded(config, Session(seed=record.seed, key="", kept=kept))


def _from_the_middle(labels: Tensor, n: int) -> Tensor:
    """Where the middle image of each class is, and the next of its class up to n of them; class by class."""
    of_class = [(labels == k).nonzero()[:, 0] for k in range(10)]
    return torch.cat([found[len(found) // 2 :][:n] for found in of_class])


@measurement(
    "transfer-compression",
    inputs=("transfer-autoencoder/mnist",),
    components=[1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64],
    printed=0.021,
    compared=2000,
    pictured=10,
)
def transfer_compression(series: Series, settings: Settings) -> Measured:
    """What 64 latents keep of an image, beside principal components [transfer, section 4.1, fig. 1].

    - `pca/<k>`: test error (mean squared, per pixel) of the projection on the training set's first k components;
    - `components`: the least k whose error does not exceed the printed validation loss;
    - `test-loss`, `dead` (latents that are 0 for all training images), `dead-of-5` (among the first five) and `zeros`
      (share of zeros among the test images' latents), one value per seed;
    - `recognised`: share of the first test images whose reconstruction is nearer to its own original than to any other.

    The data are a PNG image in base64 of the middle test image of each class: the original, the reconstruction by the
    first seed's autoencoder, and the projections on 64 and on `components` principal components.
    """
    splits, _ = transfer.images("mnist")
    train, test = (splits[split].inputs.flatten(1).double() for split in ("train", "test"))
    center, axes = principal_axes(train, max(settings["components"]))
    scores = (test - center) @ axes
    left = (test - center).square().sum(1, keepdim=True) - scores.square().cumsum(1)
    errors = left.mean(0) / test.shape[1]  # after 1, 2, … components
    least = int((errors > settings["printed"]).sum()) + 1
    values: defaultdict[str, list[float]] = defaultdict(list)
    ((name, records),) = series.items()
    chosen = test[:: len(test) // settings["compared"]][: settings["compared"]].float()
    pictured = test[_from_the_middle(splits["test"].targets, 1)]
    rows = {"original": pictured}
    with torch.no_grad():
        for record in records:
            model = Autoencoder(experiments.config(name)).eval()
            model.load_state_dict(record.snapshot(max(experiments.config(name).snapshots)))
            latents = {split: model.encoder(x.float()) for split, x in (("train", train), ("test", test))}
            dead = latents["train"].amax(0) == 0
            nearest = torch.cdist(model(chosen), chosen).argmin(1)
            values["test-loss"].append(float((model.decoder(latents["test"]) - test).square().mean()))
            values["dead"].append(float(dead.sum()))
            values["dead-of-5"].append(float(dead[:5].sum()))
            values["zeros"].append(float((latents["test"] == 0).double().mean()))
            values["recognised"].append(float((nearest == torch.arange(len(chosen))).double().mean()))
            if record is records[0]:
                rows[f"autoencoder, seed {record.seed}"] = model(pictured.float())
    for k in (max(settings["components"]), least):
        rows[f"{k} components"] = center + (pictured - center) @ axes[:, :k] @ axes[:, :k].T
    figure, ax = plt.subplots(figsize=(7.2, 3.1))
    drawing.image_rows(ax, {label: row.reshape(-1, 28, 28).numpy() for label, row in rows.items()})
    exact = {f"pca/{k}": float(errors[k - 1]) for k in settings["components"]} | {"components": least}
    return intervals({**exact, **values}), {"reconstructions": picture(figure), **values}


@measurement("transfer-inputs", inputs=("transfer-autoencoder/mnist",), seed=2, per_class=12)
def transfer_inputs(series: Series, settings: Settings) -> Measured:
    """What goes into the circuit: scaled features of one seed's encoder, for figures and for the walk by hand.

    Results, one value per seed, for each reading and scaling: `<reading>/<scale>/strings`, how many different bit
    strings are the most frequent one of some test image's first circuit, and `…/top`, the share of the commonest.

    The data are, of `per_class` test images of each class from its middle on, the inputs of the first circuit in each
    reading and scaling, with their labels.
    """
    values: defaultdict[str, list[float]] = defaultdict(list)
    kept: dict[str, Any] = {}
    ((name, records),) = series.items()
    for record in records:
        latents, labels = _encoded(TransferConfig(encoder=experiments.config(name)), record)
        few = _from_the_middle(labels["test"], settings["per_class"])
        for reading in ("first-5", "pca-5"):
            for scale in ("symmetric", "positive"):
                inputs = input_scaler(reading, scale, latents["train"])(latents["test"])
                bits = quantum_features(EMBEDDINGS[reading], inputs, "string")
                strings = (bits @ 2.0 ** torch.arange(bits.shape[1])).long()
                shares = torch.bincount(strings) / len(strings)
                values[f"{reading}/{scale}/strings"].append(float((shares > 0).sum()))
                values[f"{reading}/{scale}/top"].append(float(shares.max()))
                if record.seed == settings["seed"]:
                    kept[f"{reading}/{scale}"] = inputs[few].numpy().round(5).tolist()
                    kept["labels"] = labels["test"][few].tolist()
    return intervals(values), kept


@measurement(
    "transfer-aer",
    inputs=("transfer-autoencoder/mnist",),
    readings=["first-5", "pca-5", "re-uploading"],
    seed=0,
    compared=2000,
    counted=1024,
    naive=100,
    batched=2000,
    shots=[100, 1024, 8192],
    repetitions=3,
    images=70_000,
)
def transfer_aer(series: Series, settings: Settings) -> Measured:
    """Aer against the compiled layer, and the paper's way of running it against ours [transfer, section 3.4].

    - `<reading>/deviation`: largest difference between the layer's probabilities and Aer's exact ones;
    - `<reading>/p`: chi-squared p-value of Aer's counts given the layer's probabilities, all images together;
    - `<way>/<shots>`: processor time per image, milliseconds, over repetitions, of `naive` (transpile, run, get_counts
      for each image), `batched` (one template, parameters bound by Aer) and `layer` (exact probabilities and a
      multinomial draw);
    - `transpile`: the share of the naive way that is transpilation; `hours/<way>/<shots>`: the processor time for all
      images; `ratio/<shots>`: naive over batched.
    """
    exact: dict[str, float] = {}
    ((name, records),) = series.items()
    record = next(r for r in records if r.seed == settings["seed"])
    latents, _ = _encoded(TransferConfig(encoder=experiments.config(name)), record)
    step = len(latents["test"]) // settings["compared"]
    for reading in settings["readings"]:
        inputs = input_scaler(reading, "symmetric", latents["train"])(latents["test"][::step])
        pc = EMBEDDINGS[reading].circuit()
        ours = QuantumLayer(pc, dtype=torch.float64).probabilities(inputs)[:, 0].detach().numpy()
        exact[f"{reading}/deviation"] = float(np.abs(ours - aer.probabilities(pc, inputs, [])).max())
        counts = aer.counts(pc, inputs, [], shots=settings["counted"], seed=settings["seed"])
        exact[f"{reading}/p"] = chi_squared(counts, ours)
    inputs, pc = input_scaler("pca-5", "symmetric", latents["train"])(latents["test"]), EMBEDDINGS["pca-5"].circuit()
    some, many = inputs[: settings["naive"]], inputs[: settings["batched"]]
    values: defaultdict[str, list[float]] = defaultdict(list)

    def timed(way: str, n: int, go: Callable[[], Any]) -> Any:
        began = time.process_time()
        found = go()
        values[way].append(1e3 * (time.process_time() - began) / n)
        return found

    for shots in settings["shots"]:
        ways = {way: f"{way}/{shots}" for way in ("naive", "batched", "layer")}
        for seed in range(settings["repetitions"]):
            spent = timed(ways["naive"], len(some), partial(_naive, pc.circuit, some.numpy(), shots))
            values["transpile"].append(1e3 * spent / len(some) / values[ways["naive"]][-1])
            timed(ways["batched"], len(many), partial(aer.counts, pc, many, [], shots=shots, seed=seed))
            drawn = partial(quantum_features, EMBEDDINGS["pca-5"], many, "probabilities", shots=shots, seed=seed)
            timed(ways["layer"], len(many), drawn)
        for key in ways.values():
            values[f"hours/{key}"] = [ms * settings["images"] / 3.6e6 for ms in values[key]]
        both = zip(values[ways["naive"]], values[ways["batched"]], strict=True)
        values[f"ratio/{shots}"] = [naive / batched for naive, batched in both]
    return intervals({**exact, **values}), {}


def chi_squared(counts: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """The p-value of counts [N, K], each row with the same sum, if the probabilities [N, K] are right.

    Of each row, outcomes expected less than five times are taken together, if need be with the next rarest, so that
    every cell is expected at least five times. Each row has one degree of freedom less than it has cells.

    Raises:
        ValueError: The rows of `probabilities` do not sum to 1, or no row has two cells to compare.
    """
    total = probabilities.sum(1, keepdims=True)
    if not np.allclose(total, 1, rtol=0, atol=1e-5):
        raise ValueError(
            f"each row of probabilities must sum to 1, but sums lie from {total.min():g} to {total.max():g}"
        )
    if counts[probabilities <= 0].any():
        return 0.0  # the impossible happened
    seen: list[float] = []
    expected: list[float] = []
    for of_row, e in zip(counts, counts.sum(1, keepdims=True) * probabilities / total, strict=True):
        order = np.argsort(e)
        first = int(np.searchsorted(e[order], _LEAST_EXPECTED))  # how many outcomes the first cell holds
        if e[order[:first]].sum() < _LEAST_EXPECTED:
            first += 1
        cells = [0, *range(first, len(e))]
        seen += np.add.reduceat(of_row[order], cells).tolist()
        expected += np.add.reduceat(e[order], cells).tolist()
    if len(seen) == len(counts):
        raise ValueError("no row has two cells that are expected five times: take more shots")
    return float(chisquare(seen, expected, ddof=len(counts) - 1).pvalue)


def _naive(template: QuantumCircuit, rows: NDArray[np.float64], shots: int) -> float:
    """The paper's loop: build, transpile, run and read each image's circuit; returns the seconds of transpiling."""
    simulator, transpiling = AerSimulator(), 0.0
    for row in rows:
        circuit = template.assign_parameters(row)
        circuit.measure_all()
        began = time.process_time()
        circuit = transpile(circuit, simulator)
        transpiling += time.process_time() - began
        simulator.run(circuit, shots=shots).result().get_counts()
    return transpiling


@measurement(
    "transfer-noise",
    inputs=("transfer-hybrid/pca-5-probabilities-exact", "transfer-hybrid/blocks-probabilities-1024"),
    tested=300,
    seeds=5,
    depolarising=[0.001, 0.003, 0.01, 0.03, 0.1],
    p1_over_p2=0.1,
    readout=[0.01, 0.03, 0.1],
)
def transfer_noise(series: Series, settings: Settings) -> Measured:
    """Hybrids that were trained on perfect devices, read from noisy ones.

    By `<reading>/<device>` the test accuracy, one value per seed, on the perfect device (`none`), with depolarising
    gates (`depolarising/<p2>`, the strength on two qubits), with misread bits (`readout/<p>`), and on a model of a real
    device (`manila`). The noisy probabilities are Aer's exact ones, for `tested` evenly spaced test images.
    """
    devices: dict[str, noise.Noise | None] = {"none": None}
    for p in settings["depolarising"]:
        devices[f"depolarising/{p}"] = noise.depolarising(settings["p1_over_p2"] * p, p)
    for p in settings["readout"]:
        devices[f"readout/{p}"] = noise.readout(p)
    devices["manila"] = noise.manila()
    accuracies: defaultdict[str, list[float]] = defaultdict(list)
    for name, records in series.items():
        config = experiments.config(name)
        circuit = EMBEDDINGS[config.reading].circuit()
        for record in records[: settings["seeds"]]:
            latents, labels = _encoded(config, record)
            step = len(labels["test"]) // settings["tested"]
            known = transfer.described(config, {"train": latents["train"]}, record.seed)["train"]
            inputs = transfer.described(replace(config, inputs="encoded"), latents, record.seed)["test"][::step]
            model, scale = transfer.TASKS[TransferConfig].build(config).eval(), standard(known)
            model.load_state_dict(record.snapshot(config.epochs))
            for device, model_of_noise in devices.items():
                measured = statistic(aer_frequencies(circuit, inputs, shots=None, noise=model_of_noise), config.outcome)
                right = model(scale(measured)).argmax(1) == labels["test"][::step]
                accuracies[f"{config.reading}/{device}"].append(float(right.double().mean()))
    return intervals(accuracies), accuracies
