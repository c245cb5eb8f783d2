"""A small experiment on the bundled digits, for tests that run things; also as a program that knows it.

`python -m tests.toy run toy --root FOLDER` is `python -m hqnn …` with this experiment registered.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hqnn import __main__ as command_line
from hqnn import experiments, training
from hqnn.experiments import Experiment, LcqhnnConfig

ROOT = Path(__file__).parents[1]
BASE = LcqhnnConfig(
    model="cnn",
    dataset="digits",
    n_train=64,
    n_val=16,
    n_test=16,
    epochs=4,
    batch_size=16,
    learning_rate=0.005,
    snapshots=(0, 4),
)
LONG = replace(BASE, epochs=120, snapshots=(120,))
"""Takes a few seconds: long enough to be interrupted in the middle."""
VARIANTS = {"hybrid": replace(BASE, model="lcqhnn"), "plain": replace(BASE, snapshots=())}


def experiment(variants: Mapping[str, LcqhnnConfig], seeds: range = range(2)) -> Experiment:
    """The experiment `toy`."""
    return Experiment(name="toy", paper="lcqhnn", title="A toy", variants=variants, quick=variants, seeds=seeds)


def environment() -> dict[str, str]:
    """An environment in which a child process finds the package and this module."""
    path = os.pathsep.join([str(ROOT / "lib"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    experiments.EXPERIMENTS["toy"] = experiment({"long": LONG}, range(4))
    training.CHECKPOINT_SECONDS = 0.1
    sys.exit(command_line.main())
