"""The data behind the book's live figures: circuits, closed forms and recorded weights, as small scripts.

A page holds `<div class="live" data-live="NAME">What stands here without scripts.</div>` where a figure is to be. The
scripts in `book/_static/live` draw it, and its numbers are what the functions here read from the library and the
records while the book is built.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from docutils import nodes
from qiskit.circuit import Barrier, QuantumCircuit
from sklearn.datasets import load_digits
from sphinx.application import Sphinx
from torch import Tensor, nn

from hqnn import experiments, records
from hqnn.circuit import STANDARD_GATES, Circuit, affine, opened, pauli_on_each_qubit
from hqnn.datasets import MissingDatasetError
from hqnn.papers.hqnn import parallel, studies
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit, repeated
from hqnn.papers.lcqhnn.noise_robustness import QuantumHead
from hqnn.views import aer, fourier, noise

GATES = ("h", "p", "rx", "ry", "rz", "cx")
"""The gates that `quantum.js` knows."""
_PAULIS: tuple[Literal["X", "Y", "Z"], ...] = ("X", "Y", "Z")
CLASSES = {"mnist": ["0", "1"], "fashion": ["trouser", "shirt"]}
LATEST = 10
DRAWN = {
    "HQNN-Parallel": "hqnn-mnist/hqnn",
    "its fair rival": "hqnn-mnist-weights/blocks",
    "the circuits taken out": "hqnn-mnist-weights/identity",
}
"""The networks that read a drawn digit -> their series, whose weights are recorded; `hqnn-hard-digits` is on these."""


def circuit_of(pc: Circuit) -> dict[str, Any]:
    """A circuit as `quantum.js` runs it.

    Args:
        pc: Gates out of `GATES`; one Pauli matrix measured on each qubit, the same on all.

    Returns:
        `n_qubits`, `n_inputs`, `measured` (X, Y or Z) and `gates`: [name, qubits, angle], an angle being [constant,
        [parameter, slope], …] in radians with inputs counted before weights; a barrier's third entry is its label.

    Raises:
        ValueError: Another gate, an angle that is not affine, or other observables.
    """
    gates: list[list[Any]] = []
    parameters = [*pc.inputs, *pc.weights]
    for gate, qubits in opened(pc.circuit, STANDARD_GATES):
        if isinstance(gate, Barrier):
            gates.append(["barrier", qubits, gate.label])
        elif gate.name not in GATES:
            raise ValueError(f"no live figure knows the gate {gate.name!r}; add it to quantum.js")
        else:
            gates.append([gate.name, qubits, *(_angle(value, parameters) for value in gate.params)])
    measured = next((pauli for pauli in _PAULIS if pc.observables == pauli_on_each_qubit(pc.n_qubits, pauli)), None)
    if measured is None:
        raise ValueError("a live figure measures one Pauli matrix on each qubit, qubit 0 first")
    return {"n_qubits": pc.n_qubits, "n_inputs": pc.n_inputs, "measured": measured, "gates": gates}


def _angle(value: Any, parameters: list[Any]) -> list[Any]:
    line = affine(value, parameters)
    if line is None:
        raise ValueError(f"the angle {value} is not an affine function of the parameters")
    slopes, constant = line
    return [constant, *([k, slope] for k, slope in enumerate(slopes.tolist()) if slope)]


_FACTOR = re.compile(r"\\(sin|cos) (\d*)(\\theta|x)_\{(\d+)\}")


def forms_of(pc: Circuit) -> list[list[dict[str, Any]]]:
    """The closed form of each output, product by product (see `hqnn.views.fourier.closed_forms`).

    Returns:
        Outputs of terms {value, factors: [[wave, parameter, slope], …]}, inputs counted before weights.
    """
    return [
        [
            {
                "value": -1.0 if sign == "-" else 1.0,
                "factors": [
                    [wave, int(k) + (pc.n_inputs if name == "\\theta" else 0), float(slope or 1)]
                    for wave, slope, name, k in _FACTOR.findall(product)
                ],
            }
            for sign, product in re.findall(r"(-?) ?(\\[^+-]+)", form)
        ]
        for form in fourier.closed_forms(pc)
    ]


def without_ladders(*, first: bool, second: bool) -> Circuit:
    """The circuit of lcqhnn with its CNOTs before the rotations, those after them, both or none."""
    pc = lcqhnn_circuit()
    circuit, met = pc.circuit.copy_empty_like(), 0
    for instruction in pc.circuit.data:
        met += isinstance(instruction.operation, Barrier)
        if instruction.operation.name != "cx" or (first if met == 2 else second):
            circuit.append(instruction)
    return replace(pc, circuit=circuit)


def network_of(series: str, seed: int, epoch: int) -> QuantumHead:
    """A recorded hybrid of lcqhnn behind its front end, as it was after an epoch."""
    record = next(record for record in records.load(series) if record.seed == seed)
    config = experiments.config(series)
    model = lcqhnn.Lcqhnn(config)
    model.load_state_dict(record.snapshot(epoch))
    return QuantumHead.of(model, config.order)


def circuit_data() -> dict[str, Any]:
    """Of the circuit explorer: its four circuits and their closed forms, two recorded networks and some features."""
    circuits, forms = {}, {}
    for first in (True, False):
        for second in (True, False):
            pc = without_ladders(first=first, second=second)
            circuits[f"{first:d}{second:d}"], forms[f"{first:d}{second:d}"] = circuit_of(pc), forms_of(pc)
    measured = records.measured("lcqhnn-bloch")
    networks = {}
    for stage, epoch in measured.config.items():
        found = measured.data["mnist"][stage]
        network = network_of("lcqhnn-mnist/lcqhnn", found["seed"], epoch)
        networks[stage] = {
            "epoch": epoch,
            "seed": found["seed"],
            "weights": network.weights.tolist(),
            "slopes": network.slopes.tolist(),
            "offset": network.offset,
            "features": [found["features"][found["labels"].index(label)] for label in (0, 1)],
        }
    return {"circuits": circuits, "forms": forms, "networks": networks, "classes": ["0", "1"]}


def late_start_data() -> dict[str, Any]:
    """Of the late start: the readouts of every recorded hybrid in its first epochs, and its accuracy after each."""
    pc, runs = lcqhnn_circuit(), {}
    for dataset, classes in CLASSES.items():
        series = f"lcqhnn-{dataset}/lcqhnn"
        kept = [epoch for epoch in experiments.get(f"lcqhnn-{dataset}").variants["lcqhnn"].snapshots if epoch <= LATEST]
        runs[dataset] = {
            "classes": classes,
            "epochs": kept,
            "runs": [
                {
                    "seed": record.seed,
                    "accuracy": record.history["test_accuracy"][:LATEST],
                    "networks": [_readout(network_of(series, record.seed, epoch)) for epoch in kept],
                }
                for record in records.load(series)
            ],
        }
    return {"n_inputs": pc.n_inputs, "forms": forms_of(pc), "datasets": runs}


def _readout(network: QuantumHead) -> dict[str, Any]:
    """What a network does after its features, to nine digits (its weights are of single precision)."""
    return {
        "weights": [float(f"{angle:.9g}") for angle in network.weights],
        "slopes": [float(f"{slope:.9g}") for slope in network.slopes],
        "offset": float(f"{network.offset:.9g}"),
    }


def noise_data() -> dict[str, Any]:
    """Of the noise slider: one recorded network, its test images' features, and its circuit at several depths."""
    bloch, measured = records.measured("lcqhnn-bloch"), records.measured("lcqhnn-noise-fashion")
    found = bloch.data["fashion"]["trained"]
    network = network_of("lcqhnn-fashion/lcqhnn", found["seed"], bloch.config["trained"])
    device = noise.depolarising(0, 0)
    pulses = {}
    for gate in ("h", "ry"):
        alone = QuantumCircuit(1)
        getattr(alone, gate)(*([1.0] if gate == "ry" else []), 0)
        pulses[gate] = aer.physical(alone, device).count_ops()["sx"]
    names = ("depths", "p2", "p1_over_p2", "shots", "today")
    return {
        "classes": CLASSES["fashion"],
        "network": _readout(network),
        "features": found["features"],
        "labels": found["labels"],
        "circuits": {depth: circuit_of(repeated(network.weights, depth)[0]) for depth in measured.config["depths"]},
        "pulses": pulses,
        **{name: measured.config[name] for name in names},
    }


def digit_data() -> dict[str, Any]:
    """Of the digit to draw: the networks of `DRAWN`, of one seed, digits to click, and, where MNIST is, hard ones."""
    hard = records.measured("hqnn-hard-digits")
    networks = []
    for name, series in DRAWN.items():
        (record,) = (record for record in records.load(series) if record.seed == hard.config["seed"])
        config = experiments.config(series)
        model = parallel.build(config)
        model.load_state_dict(record.snapshot(config.epochs))
        shown = {"name": name, "accuracy": record.history["test_accuracy"][-1]}
        networks.append(shown | network_of_parallel(model, config))
    digits = []
    with suppress(MissingDatasetError):
        images = studies.test_split(config).images.numpy()
        digits = [{**d, "pixels": base64.b64encode(images[d["image"]]).decode()} for d in hard.data["digits"]]
    wrong = {"all": hard.result["wrong/all"].mean, "alike": hard.result["alike"].mean, "of": config.n_test}
    return {"networks": networks, "examples": examples(), "hard": digits, "wrong": wrong}


def network_of_parallel(model: parallel.Parallel, config: ParallelConfig) -> dict[str, Any]:
    """A network as `network.js` runs it: batch normalisation multiplied into its neighbours.

    Args:
        model: A network of two or more convolutions, each pooled by 2, and one dense layer before the middle part.
        config: Its config.

    Returns:
        `middle`, `n_circuits`, the `circuit`, and the tensors: `shapes` by name, and all `values` in single precision
        as Base64: first the lowest byte of each, then the next one of each, …, in which compression finds more.
    """
    tensors: dict[str, Tensor] = {}
    model = deepcopy(model).double()
    blocks = model.convolutions
    for k, (convolution, norm) in enumerate(zip(blocks.convolutions, blocks.norms, strict=True)):
        assert isinstance(convolution, nn.Conv2d)
        assert convolution.bias is not None
        scale, shift = _scale_and_shift(norm)
        tensors[f"convolution.{k}.weight"] = convolution.weight * scale[:, None, None, None]
        tensors[f"convolution.{k}.bias"] = convolution.bias * scale + shift
    linear, norm, _ = model.dense
    assert isinstance(linear, nn.Linear)
    scale, shift = _scale_and_shift(norm)
    tensors["dense.weight"], tensors["dense.bias"] = linear.weight * scale[:, None], linear.bias * scale + shift
    tensors |= {f"middle.{name}": value for name, value in model.middle.named_parameters()}
    if len(model.activation):
        tensors["after.scale"], tensors["after.shift"] = _scale_and_shift(model.activation[0])
    tensors["scores.weight"], tensors["scores.bias"] = model.scores.weight, model.scores.bias
    values = np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors.values()]).astype("<f4")
    planes = values.view(np.uint8).reshape(-1, 4).T
    return {
        "middle": config.middle,
        "n_circuits": config.n_circuits,
        "circuit": circuit_of(parallel.circuit(config)) if config.middle == "circuits" else None,
        "shapes": {name: list(tensor.shape) for name, tensor in tensors.items()},
        "values": base64.b64encode(planes.tobytes()).decode(),
    }


def _scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """What a batch normalisation does outside training: x times the one plus the other."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def examples() -> list[list[int]]:
    """The first of scikit-learn's handwritten digits in each class: 8x8 pixels of 0 to 16, row by row."""
    digits = load_digits()
    return [digits.data[list(digits.target).index(k)].astype(int).tolist() for k in range(10)]


FIGURES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "circuit": circuit_data,
    "late-start": late_start_data,
    "noise": noise_data,
    "digit": digit_data,
}
"""Name of a live figure -> what makes its data."""
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "circuit": ("quantum", "page", "circuit"),
    "late-start": ("quantum", "score-range", "page", "late-start"),
    "noise": ("noisy", "page", "noise"),
    "digit": ("quantum", "network", "page", "digit"),
}
"""Name of a live figure -> its scripts, in the order in which they are loaded."""


def write_data(folder: Path, names: Iterable[str] = FIGURES) -> None:
    """Write the data of figures, by default of all, as scripts, `<folder>/data-<name>.js`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"data-{name}.js").write_text(script_of(name, FIGURES[name]()), encoding="utf-8")


def script_of(name: str, data: Mapping[str, Any]) -> str:
    """A script that hands data to a figure."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"(globalThis.live = globalThis.live || {{ data: {{}} }}).data[{json.dumps(name)}] = {text};\n"


def figures_of(document: nodes.document | None) -> list[str]:
    """The live figures that a page has a place for, in order, each once."""
    if document is None:
        return []
    places = (re.findall(r'data-live="([^"]*)"', raw.astext()) for raw in document.findall(nodes.raw))
    return list(dict.fromkeys(name for found in places for name in found))


def scripts_of(names: list[str]) -> list[str]:
    """The scripts that some figures need, in order.

    Raises:
        ValueError: There is no such figure.
    """
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        raise ValueError(f"there is no live figure {unknown[0]!r}; choose from {', '.join(FIGURES)}")
    needed = [script for name in names for script in (*SCRIPTS[name][:-1], f"data-{name}", SCRIPTS[name][-1])]
    return list(dict.fromkeys(needed))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", ship_data)
    app.connect("html-page-context", load_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def ship_data(app: Sphinx) -> None:
    """Write the data of the figures that some page has a place for into a static folder of the build."""
    static = Path(app.outdir).parent / "live"
    pages = [page.read_text(encoding="utf-8") for page in Path(app.srcdir).glob("book/**/*.md")]
    write_data(static / "live", [name for name in FIGURES if any(f'data-live="{name}"' in page for page in pages)])
    app.config.html_static_path.append(str(static))


def load_scripts(
    app: Sphinx, _page: str, _template: str, _context: dict[str, Any], document: nodes.document | None
) -> None:
    """Load the scripts of a page's figures, on that page only."""
    names = figures_of(document)
    if names:
        app.add_css_file("live/live.css")
    for script in scripts_of(names):
        app.add_js_file(f"live/{script}.js", loading_method="defer")
