"""The task of HQNN-Quanv: one small network, one stage of training, tested on few images and on all there are."""

from collections.abc import Mapping
from functools import lru_cache

from torch import Tensor

from hqnn import datasets
from hqnn.datasets import Split
from hqnn.papers.hqnn import quanv
from hqnn.papers.hqnn.quanv_experiments import QuanvConfig
from hqnn.tasks.base import LOSSES, Outcome, Session, measure, origin, outcome, perform, train
from hqnn.training import Samples, evaluate, seed_epoch

_LOSS = LOSSES["cross_entropy"]


@perform.register
def _(config: QuanvConfig, session: Session) -> Outcome:
    splits, dataset = _splits_of(config)
    on_device = {name: Samples(*(t.to(session.device) for t in samples)) for name, samples in splits.items()}
    seed_epoch(session.seed, 0)
    model = quanv.build(config).to(session.device)
    fitted = train(config, session, model, on_device.pop("train"), loss=_LOSS, evaluate_on=on_device)
    return outcome(model, fitted, dataset)


@origin.register
def _(config: QuanvConfig) -> dict[str, str]:
    return _splits_of(config)[1]


@measure.register
def _(config: QuanvConfig, weights: Mapping[str, Tensor]) -> dict[str, float] | None:
    if not datasets.is_available(config.dataset):
        return None
    splits, _ = _splits_of(config)
    model = quanv.build(config)
    model.load_state_dict(dict(weights))
    return {
        f"{split}_{quantity}": value
        for split in ("test", "all")
        for quantity, value in evaluate(model, splits[split], _LOSS).items()
    }


def _splits_of(config: QuanvConfig) -> tuple[dict[str, Samples], dict[str, str]]:
    sizes = (config.n_train, config.n_val, config.n_test)
    return _splits(config.dataset, sizes, config.data_seed, config.size, config.antialias)


@lru_cache(maxsize=2)
def _splits(
    name: str, sizes: tuple[int, int, int], seed: int, size: int, antialias: bool
) -> tuple[dict[str, Samples], dict[str, str]]:
    """The three splits and all test images as float tensors, and where they come from; kept for runs of a series."""
    dataset = datasets.load(name)
    n_train, n_val, n_test = sizes
    classes = range(quanv.N_CLASSES)
    subset = datasets.subset(dataset, classes=classes, n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)

    def samples(split: Split) -> Samples:
        return Samples(datasets.to_float(split.images, size, antialias=antialias), split.labels)

    splits = {"train": subset.train, "val": subset.val, "test": subset.test, "all": dataset.test}
    origin = {"name": name, "fingerprint": dataset.fingerprint, "subset": subset.fingerprint}
    return {split: samples(part) for split, part in splits.items()}, origin
