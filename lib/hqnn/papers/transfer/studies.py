"""Measurements of the transfer paper: what its autoencoder keeps, what Aer costs, what noise does to the hybrid."""

import time
from collections.abc import Callable, Mapping, Sequence
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
from hqnn.measurements import Measured, Series, Settings, measurement, picture
from hqnn.papers.transfer import figures as drawing
from hqnn.papers.transfer import tasks as transfer
from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig
from hqnn.papers.transfer.features import (
    EMBEDDINGS,
    InputScaler,
    aer_frequencies,
    principal_axes,
    quantum_features,
    statistic,
)
from hqnn.papers.transfer.model import Autoencoder, Classifier, Standard
from hqnn.records import Record
from hqnn.stats import Interval, mean_interval
from hqnn.tasks import Session
from hqnn.views import aer, noise
from hqnn.views.layer import QuantumLayer

_LEAST_EXPECTED = 5.0
"""Outcomes expected less often are taken together in a chi-squared test."""


def _session(record: Record) -> Session:
    """That of a record's seed, with encoders from the data folder that the record is in."""
    return Session(seed=record.seed, key="", kept=partial(runs.kept_weights, root=record.path.parents[3]))


def _exact(value: float) -> Interval:
    return Interval(float(value), 0.0, 1)


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
    left = (test - center).square().sum(1)
    errors = {k: float((left - scores[:, :k].square().sum(1)).mean() / test.shape[1]) for k in settings["components"]}
    least = next(
        k
        for k in range(1, axes.shape[1] + 1)
        if float((left - scores[:, :k].square().sum(1)).mean() / test.shape[1]) <= settings["printed"]
    )
    values: dict[str, list[float]] = {}
    ((_, records),) = series.items()
    chosen = test[:: len(test) // settings["compared"]][: settings["compared"]].float()
    for record in records:
        model = _autoencoder(record)
        with torch.no_grad():
            latents = {split: model.encoder(x.float()) for split, x in (("train", train), ("test", test))}
            reconstructed = model(chosen)
        dead = latents["train"].amax(0) == 0
        nearest = torch.cdist(reconstructed, chosen).argmin(1)
        found = {
            "test-loss": float((model.decoder(latents["test"]).detach() - test).square().mean()),
            "dead": float(dead.sum()),
            "dead-of-5": float(dead[:5].sum()),
            "zeros": float((latents["test"] == 0).double().mean()),
            "recognised": float((nearest == torch.arange(len(chosen))).double().mean()),
        }
        for key, value in found.items():
            values.setdefault(key, []).append(value)
    labels = splits["test"].targets
    of_class = [(labels == digit).nonzero()[:, 0] for digit in range(settings["pictured"])]
    pictured = torch.stack([found[len(found) // 2] for found in of_class])
    with torch.no_grad():
        rows = {
            "original": test[pictured],
            f"autoencoder, seed {records[0].seed}": _autoencoder(records[0])(test[pictured].float()),
        }
    for k in (max(settings["components"]), least):
        rows[f"{k} components"] = center + scores[pictured, :k] @ axes[:, :k].T
    figure, ax = plt.subplots(figsize=(7.2, 3.1))
    drawing.image_rows(ax, {label: row.reshape(-1, 28, 28).numpy() for label, row in rows.items()})
    result = {f"pca/{k}": _exact(error) for k, error in errors.items()} | {"components": _exact(least)}
    image = picture(figure)
    numbers = {key: mean_interval(found) for key, found in values.items()}
    return result | numbers, {"reconstructions": image, **values}


def _autoencoder(record: Record) -> Autoencoder:
    config = experiments.get(record.experiment).variants[record.variant]
    assert isinstance(config, AutoencoderConfig)
    model = Autoencoder(config)
    model.load_state_dict(record.snapshot(max(config.snapshots)))
    return model.eval()


@measurement("transfer-inputs", inputs=("transfer-autoencoder/mnist",), seed=2, per_class=12)
def transfer_inputs(series: Series, settings: Settings) -> Measured:
    """What goes into the circuit: scaled features of one seed's encoder, for figures and for the walk by hand.

    Results, one value per seed, for each reading and scaling: `<reading>/<scale>/strings`, how many different bit
    strings are the most frequent one of some test image's first circuit, and `…/top`, the share of the commonest.

    The data are, of `per_class` test images of each class from its middle on, the inputs of the first circuit in each
    reading and scaling, with their labels.
    """
    values: dict[str, list[float]] = {}
    kept: dict[str, Any] = {}
    ((name, records),) = series.items()
    config = TransferConfig(encoder=experiments.get(name.split("/")[0]).variants[name.split("/")[1]])
    for record in records:
        latents, labels = transfer.encoded(config, _session(record))
        of_class = [(labels["test"] == digit).nonzero()[:, 0] for digit in range(10)]
        few = torch.cat([found[len(found) // 2 :][: settings["per_class"]] for found in of_class])
        for reading in ("first-5", "pca-5"):
            for scale in ("symmetric", "positive"):
                inputs = InputScaler.fit(reading, scale, latents["train"])(latents["test"])
                bits = quantum_features(EMBEDDINGS[reading], inputs, "string")
                strings = (bits @ 2.0 ** torch.arange(bits.shape[1])).long()
                shares = torch.bincount(strings) / len(strings)
                values.setdefault(f"{reading}/{scale}/strings", []).append(float((shares > 0).sum()))
                values.setdefault(f"{reading}/{scale}/top", []).append(float(shares.max()))
                if record.seed == settings["seed"]:
                    kept[f"{reading}/{scale}"] = inputs[few].numpy().round(5).tolist()
                    kept["labels"] = labels["test"][few].tolist()
    return {key: mean_interval(found) for key, found in values.items()}, kept


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
    result: dict[str, Interval] = {}
    ((name, records),) = series.items()
    config = TransferConfig(encoder=experiments.get(name.split("/")[0]).variants[name.split("/")[1]])
    latents, _ = transfer.encoded(config, _session(next(r for r in records if r.seed == settings["seed"])))
    step = len(latents["test"]) // settings["compared"]
    for reading in settings["readings"]:
        encode = InputScaler.fit(reading, "symmetric", latents["train"])
        inputs, pc = encode(latents["test"][::step]), EMBEDDINGS[reading].circuit()
        exact = measure_exact(reading, inputs)
        theirs = aer.probabilities(pc, inputs, [])
        result[f"{reading}/deviation"] = _exact(np.abs(exact - theirs).max())
        counts = aer.counts(pc, inputs, [], shots=settings["counted"], seed=settings["seed"])
        result[f"{reading}/p"] = _exact(chi_squared(counts, exact))
    encode = InputScaler.fit("pca-5", "symmetric", latents["train"])
    inputs, pc = encode(latents["test"]), EMBEDDINGS["pca-5"].circuit()
    milliseconds: dict[str, list[float]] = {}
    for shots in settings["shots"]:
        for repetition in range(settings["repetitions"]):
            some = inputs[: settings["naive"]].numpy()
            began = time.process_time()
            transpiling = _naive(pc.circuit, some, shots)
            spent = time.process_time() - began
            milliseconds.setdefault(f"naive/{shots}", []).append(1e3 * spent / len(some))
            milliseconds.setdefault("transpile", []).append(transpiling / spent)
            many = inputs[: settings["batched"]]
            ways: dict[str, Callable[[], object]] = {
                "batched": lambda x=many, s=shots, r=repetition: aer.counts(pc, x, [], shots=s, seed=r),  # type: ignore[misc]
                "layer": lambda x=many, s=shots, r=repetition: quantum_features(  # type: ignore[misc]
                    EMBEDDINGS["pca-5"], x, "probabilities", shots=s, seed=r
                ),
            }
            for way, go in ways.items():
                began = time.process_time()
                go()
                milliseconds.setdefault(f"{way}/{shots}", []).append(1e3 * (time.process_time() - began) / len(many))
    result |= {key: mean_interval(found) for key, found in milliseconds.items()}
    for shots in settings["shots"]:
        naive, batched = (np.array(milliseconds[f"{way}/{shots}"]) for way in ("naive", "batched"))
        result[f"ratio/{shots}"] = mean_interval(naive / batched)
        for way in ("naive", "batched", "layer"):
            hours = np.array(milliseconds[f"{way}/{shots}"]) * settings["images"] / 3.6e6
            result[f"hours/{way}/{shots}"] = mean_interval(hours)
    return result, {}


def measure_exact(reading: str, inputs: Tensor) -> NDArray[np.float64]:
    """The compiled layer's probabilities [N, 32] of a reading with one circuit per image, in double precision."""
    layer = QuantumLayer(EMBEDDINGS[reading].circuit(), dtype=torch.float64)
    with torch.no_grad():
        return np.asarray(layer.probabilities(inputs)[:, 0].numpy())


def chi_squared(counts: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """How likely counts as far from their expectation as these are, if the probabilities are right.

    Each row's outcomes that are expected less than five times are taken together; where even their sum is expected less
    often, with the row's next rarest. So every cell that is compared is expected at least five times. An outcome that
    occurred with probability zero is not compared: it refutes the probabilities.

    Args:
        counts: [N, K], each row with the same sum.
        probabilities: [N, K], each row summing to 1.

    Returns:
        The p-value of the sum of all rows' statistics, each of which has one degree of freedom less than it has cells.

    Raises:
        ValueError: The rows of `probabilities` do not sum to 1, or no row has two cells to compare.
    """
    total = probabilities.sum(1, keepdims=True)
    if not np.allclose(total, 1, rtol=0, atol=1e-5):
        raise ValueError(
            f"each row of probabilities must sum to 1, but sums lie from {total.min():g} to {total.max():g}"
        )
    if counts[probabilities <= 0].any():
        return 0.0
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


def _naive(template: QuantumCircuit, rows: Sequence[NDArray[np.float64]] | NDArray[np.float64], shots: int) -> float:
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
    devices |= {
        f"depolarising/{p}": noise.depolarising(settings["p1_over_p2"] * p, p) for p in settings["depolarising"]
    }
    devices |= {f"readout/{p}": noise.readout(p) for p in settings["readout"]}
    devices["manila"] = noise.manila()
    accuracies: dict[str, list[float]] = {}
    for name, records in series.items():
        config = experiments.get(name.split("/")[0]).variants[name.split("/")[1]]
        assert isinstance(config, TransferConfig)
        for record in records[: settings["seeds"]]:
            for device, accuracy in _on_devices(config, record, devices, settings["tested"]).items():
                accuracies.setdefault(f"{config.reading}/{device}", []).append(accuracy)
    return {device: mean_interval(found) for device, found in accuracies.items()}, accuracies


def _on_devices(
    config: TransferConfig, record: Record, devices: Mapping[str, noise.Noise | None], tested: int
) -> dict[str, float]:
    """The accuracy of one run's classifier on evenly spaced test images, read from each device."""
    latents, labels = transfer.encoded(config, _session(record))
    step = len(labels["test"]) // tested
    standard = Standard(transfer.described(config, {"train": latents["train"]}, record.seed)["train"])
    inputs = transfer.described(replace(config, inputs="encoded"), latents, record.seed)["test"][::step]
    reading = EMBEDDINGS[config.reading]
    model = Classifier(config, reading.n_circuits * 2**5).eval()
    model.load_state_dict(record.snapshot(config.epochs))
    accuracies = {}
    for device, model_of_noise in devices.items():
        frequencies = aer_frequencies(reading.circuit(), inputs, shots=None, noise=model_of_noise)
        with torch.no_grad():
            found = model(standard(statistic(frequencies, config.outcome))).argmax(1)
        accuracies[device] = float((found == labels["test"][::step]).double().mean())
    return accuracies
