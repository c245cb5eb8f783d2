"""How HQNN-Parallel runs, on whole datasets kept as bytes, and HQNN-Quanv, on few images and tested on all too."""

from collections.abc import Mapping
from functools import lru_cache, partial

from torch import Tensor, nn
from torch.nn import functional

from hqnn import datasets
from hqnn.papers.hqnn import parallel as hqnn
from hqnn.papers.hqnn import quanv
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.hqnn.quanv_experiments import QuanvConfig
from hqnn.tasks import (
    AUGMENTATIONS,
    SCHEDULES,
    Images,
    Outcome,
    Session,
    Task,
    drawn,
    errors,
    outcome,
    placed,
    predict,
    train,
)
from hqnn.training import Fit, Samples, evaluate, seed_epoch


class _Parallel(Task[ParallelConfig]):
    def images(self, config: ParallelConfig) -> Images:
        return _partition(config.dataset, config.n_train, config.n_val, config.n_test, config.data_seed)

    def build(self, config: ParallelConfig) -> nn.Module:
        return hqnn.build(config)

    def run(self, config: ParallelConfig, session: Session) -> Outcome:
        splits, dataset = self.images(config)
        here = placed(splits, session)
        seed_epoch(session.seed, 0)
        model = self.build(config).to(session.device)
        measured = "val" if config.n_val else "test"
        fitted = learn(config, session, model, here["train"], {measured: here[measured]})
        found = predict(model, here[measured], prepare=partial(as_input, config))
        return outcome(model, fitted, dataset, errors=errors(found, here[measured].targets))

    def measure(self, config: ParallelConfig, weights: Mapping[str, Tensor]) -> dict[str, float] | None:
        if not datasets.is_available(config.dataset):
            return None
        model = self.build(config)
        model.load_state_dict(dict(weights))
        test = self.images(config)[0]["test"]
        means = evaluate(model, test, self.loss(config), prepare=partial(as_input, config))
        return {f"test_{quantity}": value for quantity, value in means.items()}


class _Quanv(Task[QuanvConfig]):
    def images(self, config: QuanvConfig) -> Images:
        sizes = (config.n_train, config.n_val, config.n_test)
        classes = tuple(range(quanv.N_CLASSES))
        options = {"size": config.size, "antialias": config.antialias, "all_too": True}
        return drawn(config.dataset, classes, sizes, config.data_seed, **options)

    def build(self, config: QuanvConfig) -> nn.Module:
        return quanv.build(config)


def learn(
    config: ParallelConfig, session: Session, model: nn.Module, samples: Samples, evaluate_on: dict[str, Samples]
) -> Fit:
    """Train a network of `hqnn.papers.hqnn.parallel` as a run does, on bytes [N, C, H, W] and with gradients watched.

    The samples are on the session's device, like the model; those of `evaluate_on` are by the name of their curves.
    """
    watched = {"convolution": "convolutions.convolutions.0.weight", "dense": "dense.0.weight", "middle": "middle."}
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    watch = {of: [p for name, p in trained.items() if name.startswith(first)] for of, first in watched.items()}
    return train(
        config,
        session,
        model,
        samples,
        loss=functional.cross_entropy,
        evaluate_on=evaluate_on,
        schedule=SCHEDULES[config.schedule],
        prepare=partial(as_input, config),
        augment=AUGMENTATIONS[config.augment],
        watch={of: found for of, found in watch.items() if found},
    )


def as_input(config: ParallelConfig, images: Tensor) -> Tensor:
    """Bytes [B, C, H, W] as a network takes them; one channel is repeated if it wants three."""
    return datasets.to_float(images, config.size).expand(-1, config.in_channels, -1, -1)


@lru_cache(maxsize=2)
def _partition(name: str, n_train: int, n_val: int, n_test: int, seed: int) -> Images:
    """The three splits as bytes, and where they come from; kept, since runs of a series share them."""
    dataset = datasets.load(name)
    parts = datasets.partition(dataset, n_train=n_train, n_val=n_val, n_test=n_test, seed=seed)
    splits = {
        split: Samples(part.images, part.labels)
        for split, part in (("train", parts.train), ("val", parts.val), ("test", parts.test))
    }
    return splits, {"name": name, "fingerprint": dataset.fingerprint, "subset": parts.fingerprint}


TASKS = {ParallelConfig: _Parallel(), QuanvConfig: _Quanv()}
