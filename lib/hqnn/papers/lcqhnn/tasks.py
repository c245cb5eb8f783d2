"""The task of lcqhnn: one network, one stage of training."""

from collections.abc import Mapping
from functools import lru_cache

from torch import Tensor

from hqnn import datasets
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.tasks.base import LOSSES, Outcome, Session, measure, origin, outcome, perform, train
from hqnn.training import Samples, evaluate, seed_epoch


@perform.register
def _(config: LcqhnnConfig, session: Session) -> Outcome:
    splits, dataset = _splits_of(config)
    on_device = {name: Samples(*(t.to(session.device) for t in samples)) for name, samples in splits.items()}
    seed_epoch(session.seed, 0)
    model = lcqhnn.build(config).to(session.device)
    fitted = train(
        config,
        session,
        model,
        on_device["train"],
        loss=LOSSES[config.loss],
        evaluate_on={"val": on_device["val"], "test": on_device["test"]},
    )
    return outcome(model, fitted, dataset)


@origin.register
def _(config: LcqhnnConfig) -> dict[str, str]:
    return _splits_of(config)[1]


@measure.register
def _(config: LcqhnnConfig, weights: Mapping[str, Tensor]) -> dict[str, float] | None:
    if not datasets.is_available(config.dataset):
        return None
    splits, _ = _splits_of(config)
    model = lcqhnn.build(config)
    model.load_state_dict(dict(weights))
    means = evaluate(model, splits["test"], LOSSES[config.loss])
    return {f"test_{quantity}": value for quantity, value in means.items()}


def _splits_of(config: LcqhnnConfig) -> tuple[dict[str, Samples], dict[str, str]]:
    return _splits(config.dataset, config.classes, config.n_train, config.n_val, config.n_test, config.data_seed)


@lru_cache(maxsize=2)
def _splits(
    name: str, classes: tuple[int, ...], n_train: int, n_val: int, n_test: int, seed: int
) -> tuple[dict[str, Samples], dict[str, str]]:
    """The three splits as float tensors, and where they come from; kept, since runs of a series share them."""
    dataset = datasets.load(name)
    subset = datasets.subset(dataset, classes=classes, n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    splits = {
        split: Samples(datasets.to_float(part.images, 28), part.labels)
        for split, part in (("train", subset.train), ("val", subset.val), ("test", subset.test))
    }
    return splits, {"name": name, "fingerprint": dataset.fingerprint, "subset": subset.fingerprint}
