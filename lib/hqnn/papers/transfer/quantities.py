"""What only the transfer paper claims, its networks, its circuit and how it runs, as quantities of ours."""

import importlib
import math

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import Statevector
from qiskit_aer import AerSimulator
from torch import nn

from hqnn import datasets, experiments, records
from hqnn.claims.quantity import EXACT, Context, Missing, Quantity, by_seed, curve, recorded
from hqnn.errors import HqnnError
from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig
from hqnn.papers.transfer.features import EMBEDDINGS
from hqnn.papers.transfer.model import N_PIXELS, Autoencoder, Classifier
from hqnn.stats import mean_interval


def _config(series: str) -> AutoencoderConfig | TransferConfig:
    config: AutoencoderConfig | TransferConfig = experiments.config(series)
    return config


def _layers(model: nn.Module) -> str:
    """A stack of layers as text: widths of the dense ones, names of the others."""
    parts = []
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            parts.append(f"{layer.in_features}→{layer.out_features}")
        elif not isinstance(layer, nn.Sequential | nn.Identity | Autoencoder):
            parts.append(type(layer).__name__)
    return " ".join(parts)


def autoencoder_layers(of: str) -> Quantity:
    """Whether the recorded autoencoder has two dense layers each way, ReLU in the encoder, sigmoid in the decoder."""
    config = _config(of)
    if not isinstance(config, AutoencoderConfig):
        raise HqnnError(f"{of} is no autoencoder: name one that is.")
    model = Autoencoder(config)
    kinds = [
        [type(layer) for layer in part if not isinstance(layer, nn.Linear)] for part in (model.encoder, model.decoder)
    ]
    fits = kinds == [[nn.ReLU] * 2, [nn.Sigmoid] * 2] and len(model.encoder) == len(model.decoder) == 4
    return Quantity(value=fits, text=_layers(model))


def classifier_layers(of: str) -> Quantity:
    """Whether the recorded network has three dense layers, batch normalisation, dropout, Adam and a falling rate."""
    config = _config(of)
    if not isinstance(config, TransferConfig):
        raise HqnnError(f"{of} is no classifier: name one that is.")
    model = Classifier(config, config.encoder.n_latents)
    block = [nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Dropout]
    fits = [type(layer) for layer in list(model)[:12]] == 3 * block and config.optimizer == "adam"
    return Quantity(value=fits and config.schedule != "constant", text=_layers(model))


def circuit() -> Quantity:
    """Whether there are RY(2 arccos x) and a Hadamard gate on each of five qubits, then CNOTs."""
    pc = EMBEDDINGS["first-5"].circuit()
    gates = [i for i in pc.circuit.data if i.operation.name != "barrier"]
    names = " ".join(dict.fromkeys(i.operation.name for i in gates))
    angles = [str(i.operation.params[0]) for i in gates[: pc.n_qubits]]
    return Quantity(
        value=angles == [f"2*acos({x.name})" for x in pc.inputs] and names == "ry h cx" and pc.n_qubits == 5,
        text=f"{pc.n_qubits} qubits: "
        + " ".join(f"{n}×{name.upper()}" for name, n in pc.circuit.count_ops().items() if name != "barrier"),
        note="which CNOTs is left open; ours are the cascade of the second version",
    )


def superposition() -> Quantity:
    """Whether the circuit spreads over all basis states whatever the features."""
    pc = EMBEDDINGS["first-5"].circuit()
    n_states = {}
    for name, value in {"1": 1.0, "1/√2": math.sqrt(0.5)}.items():
        angles = dict.fromkeys(pc.inputs, value)
        bound = pc.circuit.assign_parameters(angles)
        n_states[name] = int((Statevector(bound).probabilities() > EXACT).sum())
    return Quantity(
        value=min(n_states.values()) == 2**pc.n_qubits,
        text=", ".join(f"{n} of {2**pc.n_qubits} basis states if each feature is {x}" for x, n in n_states.items()),
        note="a Hadamard gate does so to |0⟩, but here it follows RY, and takes superpositions back as well",
    )


def steps_of_aer() -> Quantity:
    """Whether the circuit runs through `transpile`, `run` and `get_counts`, with `assemble` where Qiskit has it."""
    one = QuantumCircuit(1)
    one.measure_all()
    backend = AerSimulator()
    counts = backend.run(transpile(one, backend), shots=1).result().get_counts()
    has_assemble = any(hasattr(importlib.import_module(name), "assemble") for name in ("qiskit", "qiskit.compiler"))
    return Quantity(
        value=counts == {"0": 1},
        text="all four steps run" if has_assemble else "three steps run, and the fourth, assemble, is no longer needed",
    )


def n_probabilities(reading: str) -> Quantity:
    """How many probabilities a reading measures for each image."""
    if reading not in EMBEDDINGS:
        raise HqnnError(f"There is no reading {reading!r}; choose from {', '.join(EMBEDDINGS)}.")
    chosen = EMBEDDINGS[reading]
    return Quantity(value=chosen.n_circuits * 2 ** chosen.circuit().n_qubits)


def flat_pixels() -> Quantity:
    """How many numbers in [0, 1] an image becomes."""
    images = datasets.to_float(datasets.load("digits").test.images, 28).flatten(1)
    scaled = float(images.min()) >= 0 and float(images.max()) == 1
    return Quantity(value=images.shape[1] if scaled else 0, note=f"the autoencoder takes {N_PIXELS}")


def worst_class(context: Context, of: str) -> Quantity:
    """The share, percent, of the images of the class recognised worst that are classified correctly."""
    records = recorded(of, context.root)
    if any("confusion" not in record.result for record in records):
        raise HqnnError(f"The records of {of} do not hold a confusion matrix.")
    matrices = {record.seed: np.array(record.result["confusion"]) for record in records}
    samples = {seed: 100 * float((m.diagonal() / m.sum(1)).min()) for seed, m in matrices.items()}
    return Quantity(
        value=mean_interval(list(samples.values())), samples=samples, series=(of,), note="of the worst class"
    )


def below_pca(context: Context, of: str) -> Quantity:
    """By how much an autoencoder's error on test images is below that of as many principal components."""
    config = _config(of)
    assert isinstance(config, AutoencoderConfig)
    if not (context.root / "analyses/transfer-compression.json").exists():
        raise Missing("the analysis 'transfer-compression' is not recorded yet")
    pca = records.measured("transfer-compression", context.root).result[f"pca/{config.n_latents}"].mean
    lead = pca - curve(of, "test_loss", context.root).iloc[:, -1]
    return Quantity(
        value=mean_interval(lead),
        samples=by_seed(lead),
        series=(of,),
        note=f"{config.n_latents} principal components have an error of {pca:.4f}",
    )


def mirrors(of: str, over: str) -> Quantity:
    """Whether two classifiers have the same layers and are trained alike, but for the number of inputs."""
    models, training = [], []
    for series in (of, over):
        config = _config(series)
        assert isinstance(config, TransferConfig)
        models.append(str(Classifier(config, 1)))
        training.append((config.optimizer, config.learning_rate, config.schedule, config.batch_size, config.epochs))
    return Quantity(
        value=models[0] == models[1] and training[0] == training[1],
        text="the same layers, trained alike, on other inputs",
    )
