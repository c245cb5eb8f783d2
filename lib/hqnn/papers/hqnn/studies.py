"""What is measured for hqnn's first part: Medical MNIST's audit, pictures, and what goes through the circuits."""

import io
from collections import Counter
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from hqnn import datasets, experiments
from hqnn.measurements import Measured, Series, Settings, measurement, picture
from hqnn.papers.hqnn import figures as drawing
from hqnn.papers.hqnn import leakage
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.hqnn.tasks import as_input
from hqnn.stats import Interval, mean_interval


def _exactly(value: float) -> Interval:
    """A number without a spread."""
    return Interval(float(value), 0.0, 1)


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
    first = leakage.same_bytes(everything)
    copies = first != np.arange(len(first))
    chosen = datasets.partition_indices(dataset, **part)
    train, test = chosen["train"], chosen["test"]
    leaked = np.isin(first[test], first[train])
    near = leakage.nearest(everything[test], everything[train], side=settings["side"])
    right = labels[train][near.which] == labels[test]
    opened = [Image.open(io.BytesIO(file)) for file in files]
    tables = [str(sorted(image.quantization.items())) for image in opened]  # type: ignore[attr-defined]
    features: dict[str, list[Any]] = {
        "brightness": everything.float().mean((1, 2, 3)).round().int().tolist(),
        "quantisation": tables,
        "file-size": [len(file) for file in files],
        "majority": [0] * len(files),
    }
    result = {
        "images": _exactly(len(files)),
        "channels": _exactly(max(len(image.getbands()) for image in opened)),
        "constant": _exactly(leakage.constant(everything).sum()),
        "copies": _exactly(copies.sum()),
        "copies-across-classes": _exactly((labels[first] != labels).sum()),
        "leaked": _exactly(leaked.sum()),
        "accuracy/neighbour": _exactly(100 * right.mean()),
    }
    for d in settings["near"]:
        close = near.distance <= d
        result |= {
            f"near/{d}": _exactly(close.sum()),
            f"accuracy/neighbour-beyond/{d}": _exactly(100 * right[~close].mean()),
        }
    for name, values in features.items():
        told = leakage.majority([values[i] for i in train], labels[train], [values[i] for i in test])
        result[f"accuracy/{name}"] = _exactly(100 * (told == labels[test]).mean())
    names = {table: f"table {k + 1}" for k, (table, _) in enumerate(Counter(tables).most_common())}
    by_class = {
        title: dict(Counter(names[table] for table, label in zip(tables, labels, strict=True) if label == k))
        for k, title in enumerate(dataset.classes)
    }
    quantiles = np.linspace(0, 1, 101)
    return (
        result,
        {
            "classes": {title: int((labels == k).sum()) for k, title in enumerate(dataset.classes)},
            "tables": by_class,
            "distance": np.quantile(near.distance, quantiles).round(4).tolist(),
            "leaked": np.flatnonzero(leaked).tolist(),
            "near": np.flatnonzero(near.distance <= max(settings["near"])).tolist(),
        },
    )


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
    return {"datasets": _exactly(len(pictures))}, pictures


@measurement("hqnn-mistakes", inputs=("hqnn-mnist/hqnn", "hqnn-mnist/cnn"), most=20)
def mistakes(series: Series, settings: Settings) -> Measured:
    """MNIST's ambiguous digits: the test images that runs of the hybrid and of the CNN get wrong [hqnn, fig. 1b].

    Numbers of test images, by how the runs of one model agree: `always/<model>`, wrong in every run, `ever/<model>`, in
    at least one; `always/both`, `ever/both`, `ever/only-<model>`. The data are PNG images in base64 of the images that
    are wrong most often (`both`) and of those on which the models differ most (`hqnn`, `cnn`: the one that is wrong
    more often), each with its label and, in brackets, what each model says most often when it is wrong.
    """
    config = experiments.get("hqnn-mnist").variants["hqnn"]
    dataset = datasets.load(config.dataset)
    test = datasets.partition(
        dataset, n_train=config.n_train, n_val=0, n_test=config.n_test, seed=config.data_seed
    ).test
    wrong: dict[str, NDArray[np.int64]] = {}
    said: dict[str, dict[int, Counter[int]]] = {}
    for name, found in series.items():
        model = name.rpartition("/")[2]
        wrong[model], said[model] = np.zeros(len(test), np.int64), {}
        for record in found:
            for image, predicted in record.errors.items():
                wrong[model][image] += 1
                said[model].setdefault(image, Counter())[predicted] += 1
    n_runs = {name.rpartition("/")[2]: len(found) for name, found in series.items()}
    always = {model: wrong[model] == n_runs[model] for model in wrong}
    ever = {model: wrong[model] > 0 for model in wrong}
    result = {f"always/{model}": _exactly(mask.sum()) for model, mask in always.items()}
    result |= {f"ever/{model}": _exactly(mask.sum()) for model, mask in ever.items()}
    result |= {
        "always/both": _exactly((always["hqnn"] & always["cnn"]).sum()),
        "ever/both": _exactly((ever["hqnn"] & ever["cnn"]).sum()),
        "ever/only-hqnn": _exactly((ever["hqnn"] & ~ever["cnn"]).sum()),
        "ever/only-cnn": _exactly((ever["cnn"] & ~ever["hqnn"]).sum()),
    }
    chosen = {
        "both": np.argsort(-(wrong["hqnn"] + wrong["cnn"]), kind="stable"),
        "hqnn": np.argsort(wrong["cnn"] - wrong["hqnn"], kind="stable"),
        "cnn": np.argsort(wrong["hqnn"] - wrong["cnn"], kind="stable"),
    }

    def title(image: int) -> str:
        guesses = ", ".join(
            str(said[model][image].most_common(1)[0][0]) if image in said[model] else "✓" for model in ("hqnn", "cnn")
        )
        return f"{int(test.labels[image])} ({guesses})"

    pictures = {}
    for name, order in chosen.items():
        shown = [int(image) for image in order[: settings["most"]]]
        figure, axes = plt.subplots(2, len(shown) // 2, figsize=(8.4, 2.4))
        drawing.titled_images(axes.flat, _pixels(test.images[shown]), [title(image) for image in shown])
        pictures[name] = picture(figure)
    return result, pictures


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
    config = experiments.get("hqnn-mnist").variants["hqnn"]
    assert isinstance(config, ParallelConfig)
    dataset = datasets.load(config.dataset)
    test = datasets.partition(
        dataset, n_train=config.n_train, n_val=0, n_test=config.n_test, seed=config.data_seed
    ).test
    ((_, found),) = series.items()
    rows: list[dict[str, float]] = []
    for record in found:
        model = hqnn.build(config).eval()
        model.load_state_dict(record.snapshot(config.epochs))
        prepare = partial(as_input, config)
        with torch.no_grad():
            angles = torch.cat([model.angles(prepare(images)) for images in test.images.split(settings["batch"])])
            outputs = torch.cat([model.middle(part) for part in angles.split(settings["batch"])])
            order = torch.randperm(len(outputs), generator=torch.Generator().manual_seed(record.seed))

            def accuracy(features: Tensor, model: hqnn.Parallel = model) -> float:
                return 100 * float((model.classify(features).argmax(1) == test.labels).double().mean())

            partly = []
            for c in range(config.n_circuits):
                own = slice(c * config.n_qubits, (c + 1) * config.n_qubits)
                mixed = outputs.clone()
                mixed[:, own] = outputs[order, own]
                partly.append(accuracy(mixed))
            rows.append(
                {
                    "accuracy": accuracy(outputs),
                    "accuracy/shuffled": accuracy(outputs[order]),
                    "accuracy/one-circuit-shuffled": float(np.mean(partly)),
                    "accuracy/bypassed": accuracy(angles),
                    "spread/in": float(angles.std(0).mean()),
                    "spread/out": float(outputs.std(0).mean()),
                }
            )
    return {key: mean_interval([row[key] for row in rows]) for key in rows[0]}, {}


def _pixels(images: Tensor) -> NDArray[np.uint8]:
    """[N, H, W, C] of [N, C, H, W]."""
    return np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
