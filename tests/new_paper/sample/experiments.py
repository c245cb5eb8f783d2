"""The experiment of the paper: the hybrid, and a network without a circuit."""

from dataclasses import dataclass
from typing import Literal

from hqnn.experiments import Config, Experiment


@dataclass(frozen=True, kw_only=True)
class SampleConfig(Config):
    """One network and how it is trained."""

    model: Literal["hybrid", "linear"] = "hybrid"
    dataset: str = "digits"
    n_train: int = 96
    n_val: int = 32
    n_test: int = 64
    data_seed: int = 42
    epochs: int = 6
    batch_size: int = 16
    learning_rate: float = 0.01


_VARIANTS = {"hybrid": SampleConfig(snapshots=(6,)), "linear": SampleConfig(model="linear")}

EXPERIMENTS = (
    Experiment(
        name="sample-digits",
        paper="sample",
        title="Two qubits and none on digits 0 and 1",
        variants=_VARIANTS,
        quick=_VARIANTS,
        seeds=range(3),
    ),
)
