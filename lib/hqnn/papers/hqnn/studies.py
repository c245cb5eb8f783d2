"""What is measured for hqnn: Medical MNIST's audit, pictures, what goes through the circuits, how these would train."""

import io
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from hqnn import datasets, experiments, robustness, tasks
from hqnn.datasets import Split
from hqnn.measurements import Measured, Series, Settings, intervals, measurement, picture
from hqnn.papers.hqnn import figures as drawing
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.hqnn.tasks import as_input
from hqnn.papers.hqnn.trainability import fishers, measures, readings, variance
from hqnn.views import expressivity, gradients


@measurement("hqnn-medical-audit", inputs=(), near=[1, 2, 4, 8], side=32, data_seed=42, n_train=47_163, n_test=11_791)
def medical_audit(series: Series, settings: Settings) -> Measured:
    """How much of Medical MNIST's test set is in its training set, and what the simplest classifiers reach.

    Numbers of images: `images`, `channels`, `constant`, `copies` (images beyond the first with the same pixels),
    `copies-across-classes`; `leaked`, test images with an exact copy in training; `near/<d>`, test images whose nearest
    training image differs by at most d grey levels (root mean square, on side x side pixels). Accuracies in percent:
    `accuracy/neighbour` (nearest training image), `accuracy/neighbour-beyond/<d>` (the same on test images without a
    near copy), `accuracy/brightness` (mean grey level, rounded), `accuracy/quantisation` (the JPEG files' tables),
    `accuracy/file-size` (bytes), `accuracy/majority`.

    The data are the numbers of images by class, the quantisation tables by class, `distance` to the nearest training
    image at quantiles of the test images, and `leaked`, the test images (positions) with an exact copy in training.
    """
    dataset = datasets.load("medical_mnist")
    files = datasets.published_files("medical_mnist")
    part = {"n_train": settings["n_train"], "n_val": 0, "n_test": settings["n_test"], "seed": settings["data_seed"]}
    everything, labels = dataset.train.images, dataset.train.labels.numpy()
    first = first_copies(everything)
    chosen = datasets.partition_indices(dataset, **part)
    train, test = chosen["train"], chosen["test"]
    leaked = np.isin(first[test], first[train])
    which, distance = nearest(everything[test], everything[train], side=settings["side"])
    right = labels[train][which] == labels[test]
    opened = [Image.open(io.BytesIO(file)) for file in files]
    tables = [str(sorted(image.quantization.items())) for image in opened]  # type: ignore[attr-defined]
    features: dict[str, list[Any]] = {
        "brightness": everything.float().mean((1, 2, 3)).round().int().tolist(),
        "quantisation": tables,
        "file-size": [len(file) for file in files],
        "majority": [0] * len(files),
    }
    flat = everything.flatten(1)
    result = {
        "images": len(files),
        "channels": max(len(image.getbands()) for image in opened),
        "constant": int((flat.amax(1) == flat.amin(1)).sum()),
        "copies": int((first != np.arange(len(first))).sum()),
        "copies-across-classes": int((labels[first] != labels).sum()),
        "leaked": int(leaked.sum()),
        "accuracy/neighbour": 100 * right.mean(),
    }
    for d in settings["near"]:
        result[f"near/{d}"] = int((distance <= d).sum())
        result[f"accuracy/neighbour-beyond/{d}"] = 100 * right[distance > d].mean()
    for name, values in features.items():
        told = majority([values[i] for i in train], labels[train], [values[i] for i in test])
        result[f"accuracy/{name}"] = 100 * (told == labels[test]).mean()
    names = {table: f"table {k + 1}" for k, (table, _) in enumerate(Counter(tables).most_common())}
    of_class: dict[str, Counter[str]] = {title: Counter() for title in dataset.classes}
    for table, label in zip(tables, labels, strict=True):
        of_class[dataset.classes[label]][names[table]] += 1
    data = {
        "classes": {title: counter.total() for title, counter in of_class.items()},
        "tables": of_class,
        "distance": np.quantile(distance, np.linspace(0, 1, 101)).round(4).tolist(),
        "leaked": np.flatnonzero(leaked).tolist(),
        "near": np.flatnonzero(distance <= max(settings["near"])).tolist(),
    }
    return intervals(result), data


def first_copies(images: Tensor) -> NDArray[np.int64]:
    """For every uint8 image [N, C, H, W] the index of the first one with exactly its pixels [N]."""
    first: dict[bytes, int] = {}
    rows = images.flatten(1).contiguous().numpy()
    return np.array([first.setdefault(row.tobytes(), k) for k, row in enumerate(rows)], dtype=np.int64)


def nearest(images: Tensor, among: Tensor, *, side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest neighbour of each uint8 image [N, C, H, W] among others, both shrunk to a side by averaging.

    Returns:
        Its index [N], and the root of the mean squared difference of the pixels compared, grey levels [N].
    """
    pool = partial(functional.avg_pool2d, kernel_size=images.shape[-1] // side)
    queries, candidates = (
        torch.cat([pool(block.float()).flatten(1) for block in x.split(4096)]) for x in (images, among)
    )
    squares = (candidates**2).sum(1)
    which = torch.cat([(squares - 2 * block @ candidates.T).argmin(1) for block in queries.split(512)])
    distance = (queries - candidates[which]).pow(2).mean(1).sqrt()  # not from the products: they cancel
    return which.numpy(), distance.double().numpy()


def majority(known: Sequence[Hashable], labels: NDArray[np.int64], asked: Sequence[Hashable]) -> NDArray[np.int64]:
    """Classify by a single feature: the commonest class [N] among the known samples with the same value.

    For a value that was never seen it is the commonest class of all; of equally common ones the smallest.
    """
    classes: defaultdict[Hashable, list[int]] = defaultdict(list)
    for value, label in zip(known, labels, strict=True):
        classes[value].append(label)
    chosen = {value: np.bincount(found).argmax() for value, found in classes.items()}
    overall = np.bincount(labels).argmax()
    return np.array([chosen.get(value, overall) for value in asked], dtype=np.int64)


@measurement("hqnn-images", inputs=(), per_class={"mnist": 6, "medical_mnist": 4, "cifar10": 4}, data_seed=42)
def images(series: Series, settings: Settings) -> Measured:
    """Counterparts of the paper's figures 1a, 2 and 3: of each class the first images of a random order.

    `datasets` counts the pictures. The data are PNG images in base64, since the images themselves cannot be shipped.
    """
    pictures = {}
    for name, per_class in settings["per_class"].items():
        dataset = datasets.load(name)
        order = torch.from_numpy(np.random.default_rng(settings["data_seed"]).permutation(len(dataset.train)))
        labels = dataset.train.labels[order]
        rows = {
            title: dataset.train.images[order[(labels == k).nonzero()[:per_class, 0]]]
            for k, title in enumerate(dataset.classes)
        }
        width = 0.9 * len(rows) if len(rows) > 8 else 7.4  # room for the names of the classes
        figure, ax = plt.subplots(figsize=(width, width * per_class / len(rows) + 0.5))
        drawing.image_columns(ax, {title: _pixels(column) for title, column in rows.items()})
        pictures[name] = picture(figure)
    return intervals({"datasets": len(pictures)}), pictures


@measurement("hqnn-mistakes", inputs=("hqnn-mnist/hqnn", "hqnn-mnist/cnn"), most=20)
def mistakes(series: Series, settings: Settings) -> Measured:
    """MNIST's ambiguous digits: the test images that runs of the hybrid and of the CNN get wrong [hqnn, fig. 1b].

    Numbers of test images, by how the runs of one model agree: `always/<model>`, wrong in every run, `ever/<model>`, in
    at least one; `always/both`, `ever/both`, `ever/only-<model>`. The data are PNG images in base64 of the images that
    are wrong most often (`both`) and of those on which the models differ most (`hqnn`, `cnn`: the one that is wrong
    more often), each with its label and, in brackets, what each model says most often when it is wrong.
    """
    test = test_split(experiments.config("hqnn-mnist/hqnn"))
    wrong: dict[str, NDArray[np.int64]] = {}
    said: dict[tuple[str, int], Counter[int]] = defaultdict(Counter)
    always, ever = {}, {}
    for name, found in series.items():
        _, model = experiments.split(name)
        wrong[model] = np.zeros(len(test), np.int64)
        for record in found:
            for image, predicted in record.errors.items():
                wrong[model][image] += 1
                said[model, image][predicted] += 1
        always[model], ever[model] = wrong[model] == len(found), wrong[model] > 0
    masks = {f"always/{model}": mask for model, mask in always.items()}
    masks |= {f"ever/{model}": mask for model, mask in ever.items()}
    masks |= {
        "always/both": always["hqnn"] & always["cnn"],
        "ever/both": ever["hqnn"] & ever["cnn"],
        "ever/only-hqnn": ever["hqnn"] & ~ever["cnn"],
        "ever/only-cnn": ever["cnn"] & ~ever["hqnn"],
    }
    more = wrong["hqnn"] - wrong["cnn"]
    pictures = {}
    for name, score in (("both", wrong["hqnn"] + wrong["cnn"]), ("hqnn", more), ("cnn", -more)):
        shown = np.argsort(-score, kind="stable")[: settings["most"]].tolist()
        guesses = {k: [str(max(said[m, k], key=said[m, k].__getitem__, default="✓")) for m in wrong] for k in shown}
        figure, axes = plt.subplots(2, len(shown) // 2, figsize=(8.4, 2.4))
        titles = [f"{int(test.labels[k])} ({', '.join(guesses[k])})" for k in shown]
        drawing.titled_images(axes.flat, _pixels(test.images[shown]), titles)
        pictures[name] = picture(figure)
    return intervals({key: int(mask.sum()) for key, mask in masks.items()}), pictures


@measurement(
    "hqnn-hard-digits", inputs=("hqnn-mnist/hqnn", *(f"hqnn-mnist-weights/{v}" for v in ("blocks", "identity"))), seed=0
)
def hard_digits(series: Series, settings: Settings) -> Measured:
    """MNIST's test images that three networks of one seed all get wrong: with circuits, with blocks, with neither.

    Numbers of test images: `wrong/<variant>`, `wrong/all`, and `alike`, those of the latter for which all give the same
    answer. The data are `digits`, of each class the first that all get wrong: `image` (its position), `label`, and what
    the networks `said` in the order of the series.
    """
    test = test_split(experiments.config("hqnn-mnist/hqnn"))
    errors = {
        experiments.split(name)[1]: next(record.errors for record in found if record.seed == settings["seed"])
        for name, found in series.items()
    }
    hard = {k: [of[k] for of in errors.values()] for k in sorted(set.intersection(*map(set, errors.values())))}
    firsts = {int(test.labels[k]): k for k in reversed(hard)}
    digits = [{"image": k, "label": label, "said": hard[k]} for label, k in sorted(firsts.items())]
    counts = {f"wrong/{variant}": len(wrong) for variant, wrong in errors.items()}
    alike = sum(len(set(said)) == 1 for said in hard.values())
    return intervals({**counts, "wrong/all": len(hard), "alike": alike}), {"digits": digits}


@measurement("hqnn-layer", inputs=("hqnn-mnist/hqnn",), batch=1000)
def layer(series: Series, settings: Settings) -> Measured:
    """What goes through the circuits of the trained hybrids, on MNIST's test images; percent, over seeds.

    - `accuracy`: of the network as it is;
    - `accuracy/shuffled`: with the circuits' outputs dealt to other images at random;
    - `accuracy/one-circuit-shuffled`: with the outputs of one circuit dealt to other images, a mean over the circuits;
    - `accuracy/bypassed`: with the circuits' inputs put in the place of their outputs;
    - `spread/in`, `spread/out`: standard deviations over the images of the circuits' inputs (radians) and outputs, mean
      over the features; not in percent.
    """
    config = experiments.config("hqnn-mnist/hqnn")
    test = test_split(config)
    ((_, found),) = series.items()
    values: defaultdict[str, list[float]] = defaultdict(list)
    for record in found:
        model = hqnn.build(config).eval()
        model.load_state_dict(record.snapshot(config.epochs))
        with torch.no_grad():
            batches = [as_input(config, images) for images in test.images.split(settings["batch"])]
            angles = torch.cat([model.angles(batch) for batch in batches])
            outputs = torch.cat([model.middle(part) for part in angles.split(settings["batch"])])
            order = torch.randperm(len(outputs), generator=torch.Generator().manual_seed(record.seed))
            mixed = [outputs.clone() for _ in range(config.n_circuits)]
            for c, one in enumerate(mixed):
                own = slice(c * config.n_qubits, (c + 1) * config.n_qubits)
                one[:, own] = outputs[order, own]
            entered = {
                "accuracy": [outputs],
                "accuracy/shuffled": [outputs[order]],
                "accuracy/one-circuit-shuffled": mixed,
                "accuracy/bypassed": [angles],
            }
            for key, features in entered.items():
                right = [(model.classify(x).argmax(1) == test.labels).double().mean() for x in features]
                values[key].append(100 * float(np.mean(right)))
        values["spread/in"].append(float(angles.std(0).mean()))
        values["spread/out"].append(float(outputs.std(0).mean()))
    return intervals(values), {}


@measurement(
    "hqnn-robustness",
    inputs=("hqnn-mnist/hqnn", "hqnn-mnist-weights/blocks", "hqnn-mnist-weights/identity"),
    every=4,
    strengths={"noise": [0.1, 0.2, 0.3], "blur": [1, 2], "shift": [2, 4]},
    attacks=[0.02, 0.05, 0.1],
)
def worse_images(series: Series, settings: Settings) -> Measured:
    """How trained networks bear worse test images, one in `every`; see `hqnn.robustness.compare`."""

    def networks() -> Iterator[robustness.Trained]:
        for name, records in series.items():
            config = experiments.config(name)
            test = tasks.of(config).images(config)[0]["test"]
            images = as_input(config, test.inputs[:: settings["every"]])
            labels = test.targets[:: settings["every"]]
            for record in records:
                model = hqnn.build(config).eval()
                model.load_state_dict(record.snapshot(config.epochs))
                yield robustness.Trained(f"{config.dataset}/{record.variant}", model, images, labels, record.seed)

    return intervals(robustness.compare(networks(), "hqnn", settings)), {}


@measurement(
    "hqnn-trainability",
    inputs=(),
    qubits=[2, 4, 6, 8, 10, 12],
    depths=[1, 3, 12],
    samples=200,
    chunk=20,
    states=5000,
    weights=50,
    inputs_seen=100,
    data=[500, 5_000, 50_000],
    seed=0,
)
def trainability(series: Series, settings: Settings) -> Measured:
    """What needs no training: slopes of ever larger circuits, Fisher spectra, and five measures of every circuit tried.

    - `variance/<depth>/<qubits>`: of a derivative of an output of the strongly entangling circuit, over random inputs
      and weights;
    - `dimension/<model>/<data>`: the effective dimension of one five-qubit circuit and of one classical block with as
      many weights, per weight; `rank/<model>` of their Fisher information at one random point; `weights/<model>`;
    - `<circuit>/<measure>`: of hqnn's quanvolution in every reading (`hqnn.papers.hqnn.tuning.by_circuit`): the
      `expressibility` in nats, the `entanglement`, the `variance` of a slope, the effective `dimension` at the smallest
      number of data, and the `rank`, of the Jacobian over all inputs.

    The data are the Fisher `spectra`: eigenvalues over their mean [weights], descending, the mean over random weights.
    """
    result: dict[str, float] = {}
    for depth in settings["depths"]:
        for n in settings["qubits"]:
            pc = strongly_entangling(n_qubits=n, n_layers=depth)
            result[f"variance/{depth}/{n}"] = variance(pc, settings)
    spectra: dict[str, list[float]] = {}
    for model, matrices in fishers(settings).items():
        n_weights = matrices.shape[-1]
        values = np.linalg.eigvalsh(matrices)[:, ::-1]
        spectra[model] = (values / values.mean(axis=1, keepdims=True)).mean(axis=0).tolist()
        result |= {f"weights/{model}": n_weights, f"rank/{model}": gradients.rank(matrices[0])}
        for n in settings["data"]:
            result[f"dimension/{model}/{n}"] = expressivity.effective_dimension(matrices, n) / n_weights
    for words, pc in readings().items():
        result |= {f"{words}/{measure}": value for measure, value in measures(pc, settings).items()}
    return intervals(result), {"spectra": spectra}


def test_split(config: ParallelConfig) -> Split:
    """The test images of a config, at the positions by which records name their errors."""
    sizes = {"n_train": config.n_train, "n_val": config.n_val, "n_test": config.n_test}
    assert config.data_seed is not None
    return datasets.partition(datasets.load(config.dataset), **sizes, seed=config.data_seed).test


def _pixels(images: Tensor) -> NDArray[np.uint8]:
    """[N, H, W, C] of [N, C, H, W]."""
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
