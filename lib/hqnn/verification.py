"""Verification: every record against the registry and the code, and stored runs and claims beside their repetition."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from hqnn import claims, experiments, measurements, provenance, records, runs, storage, tasks, training
from hqnn.claims import Result, ledger
from hqnn.claims.registration import History
from hqnn.datasets import MissingDatasetError
from hqnn.errors import HqnnError
from hqnn.experiments import Config, Experiment
from hqnn.records import FOLDERS, Record, errors_of, read_record
from hqnn.storage import DATA

MEASURED_TOLERANCE = 2e-3
"""How far stored weights, measured again, may lie from the record: two images in 1,024, or this share of a loss."""


class Verification(NamedTuple):
    """What `verify` found."""

    problems: list[str]
    """One sentence each; none if all is well."""
    n_records: int
    n_measured: int
    """Records whose stored weights were measured again."""
    planned: list[str]
    """Experiments that are registered and of which no run is recorded yet."""


def verify(root: Path = DATA, *, measure: bool = True) -> Verification:
    """Check every record against the registry.

    Checked are: format, checksum, place, config and its hash, curves and their lengths, finite values, the weights'
    file, that the runs of a variant saw the same images, and that every required seed is there, once an experiment has
    begun. If asked to `measure`, the images are drawn again where the dataset is, and the last weights of each record
    measured again.
    """
    problems: list[str] = []
    n_measured = 0
    found: dict[Path, Record] = {}
    for path in sorted((root / FOLDERS["run"]).rglob("*.json")):
        try:
            found[path] = read_record(path)
        except HqnnError as error:
            problems.append(str(error))
    kept = {path.parent / one.weights["file"] for path, one in found.items() if one.weights}
    strays = set((root / FOLDERS["run"]).rglob("*.safetensors")) - kept
    problems += [f"{path} belongs to no record." for path in sorted(strays)]
    provenance.models(config for one in experiments.EXPERIMENTS.values() for config in one.variants.values())
    for record in found.values():
        wrong, measured = _problems(record, root, measure)
        problems += [f"{record.path}: {problem}" for problem in wrong]
        n_measured += measured
    begun = {record.experiment for record in found.values()}
    for experiment in experiments.EXPERIMENTS.values():
        for variant in experiment.variants if experiment.name in begun else ():
            problems += _problems_of_series(experiment, variant, found.values(), measure)
    others, n_others = _problems_of_others(root, begun)
    planned = [name for name in experiments.EXPERIMENTS if name not in begun]
    return Verification([*problems, *others], len(found) + n_others, n_measured, planned)


def _problems_of_others(root: Path, begun: Set[str]) -> tuple[list[str], int]:
    """What is wrong with measurements and benchmarks, and how many there are.

    A measurement is expected where there are records of an experiment that it reads; in the repository, too, if it
    reads none.
    """
    known = measurements.everything()
    measured = sorted((root / FOLDERS["measurement"]).glob("*.json"))
    problems = [f"{path}: there is no measurement of this name." for path in measured if path.stem not in known]
    there = {path.stem for path in measured}
    for name, one in known.items():
        read = {experiments.split(series)[0] for series in one.inputs}
        if name in there or begun & read or (root == DATA and not read):
            problems += [problem] if (problem := measurements.problem(name, root)) else []
    benchmarks = sorted((root / FOLDERS["benchmark"]).glob("*.json"))
    for path in benchmarks:
        try:
            records.measured(path.stem, root, kind="benchmark")
        except HqnnError as error:
            problems.append(str(error))
    return problems, len(measured) + len(benchmarks)


def _problems(record: Record, root: Path, measure: bool) -> tuple[list[str], bool]:
    """What is wrong with the record of a run, and whether its weights were measured."""
    at_home = record.path == records.path_of(record.series, record.seed, root)
    if not at_home or (record.kind, record.scale) != ("run", "paper"):
        name = f"{record.series}/seed-{record.seed}"
        return [f"holds the {record.scale}-scale run {name}, which belongs elsewhere."], False
    if why := records.stale(record, root):
        registered = record.experiment in experiments.EXPERIMENTS
        return [f"stale, {why}{': run that seed again' if registered else ''}."], False
    config = experiments.with_draw(experiments.config(record.series), record.seed)
    problems = []
    if record.seed not in experiments.get(record.experiment).seeds:
        problems.append(f"seed {record.seed} is not one of the experiment's.")
    problems += _problems_of_result(record, config)
    try:
        snapshots = record.snapshots()
    except HqnnError as error:
        return [*problems, str(error)], False
    kept = training.epochs_of(snapshots)
    if kept != sorted(config.snapshots):
        problems.append(f"keeps the weights of epochs {kept}, not {sorted(config.snapshots)}.")
    if problems or not measure or not any(kept):
        return problems, False
    measured = tasks.of(config).measure(config, training.weights_of(snapshots, kept[-1]))
    for curve, value in (measured or {}).items():
        stored = record.history[curve][kept[-1] - 1]
        if abs(value - stored) > MEASURED_TOLERANCE * max(1.0, abs(stored)):
            problems.append(
                f"its weights of epoch {kept[-1]} give a {curve} of {value:.6g}, the record says {stored:.6g}."
            )
    return problems, measured is not None


def _problems_of_result(record: Record, config: Config) -> list[str]:
    problems = []
    curves = record.result.get("history", {})
    if set(curves) != set(config.curves):
        problems.append(f"its curves are {sorted(curves)}, not {sorted(config.curves)}.")
    for curve, values in curves.items():
        if len(values) != config.epochs:
            problems.append(f"{curve} has {len(values)} values for {config.epochs} epochs.")
        if not all(map(math.isfinite, values)):
            problems.append(f"{curve} is not finite throughout.")
        if curve.endswith("_accuracy") and not all(0 <= value <= 1 for value in values):
            problems.append(f"{curve} leaves the range from 0 to 1.")
    n_parameters = record.result.get("n_parameters", {})
    if not 0 <= n_parameters.get("quantum", -1) <= n_parameters.get("total", -1):
        problems.append(f"its parameter counts {n_parameters} make no sense.")
    return problems


def _problems_of_series(experiment: Experiment, variant: str, found: Iterable[Record], measure: bool) -> list[str]:
    """What is wrong with the seeds of a variant taken together."""
    name = f"{experiment.name}/{variant}"
    series = [record for record in found if record.series == name]
    problems = []
    missing = sorted(set(experiment.seeds) - {record.seed for record in series})
    if missing:
        problems.append(f"{name} lacks the seeds {', '.join(map(str, missing))}.")
    origins = {storage.canonical_json(record.provenance.get("dataset")) for record in series}
    if len(origins) > 1:
        problems.append(f"{name}: its seeds were not trained on the same images.")
    elif origins and measure:
        with suppress(MissingDatasetError):
            config = experiment.variants[variant]
            if storage.canonical_json(tasks.of(config).images(config)[1]) not in origins:
                problems.append(f"{name}: its seeds were not trained on the images that its config draws.")
    return problems


def unfounded(root: Path = DATA) -> dict[str, str]:
    """Records whose commit the history does not have, or whose code is not that commit's.

    Returns:
        Path below `root` -> what is wrong.

    Raises:
        HqnnError: There is no full history.
    """
    history, codes, found = History(root.parent), dict[str, str](), {}
    for path in sorted(path for folder in FOLDERS.values() for path in (root / folder).rglob("*.json")):
        made = json.loads(path.read_bytes())["provenance"]
        commit, name = made.get("git_commit") or "", path.relative_to(root).as_posix()
        if commit not in history.commits:
            found[name] = "its commit is not in the history"
        elif made.get("code") != (codes.get(commit) or codes.setdefault(commit, history.code(commit))):
            found[name] = "its code is not that of its commit"
    return found


# --- repetitions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rerun:
    """A stored run beside its repetition."""

    record: Record
    result: dict[str, Any]
    """Of the repetition."""

    @property
    def identical(self) -> bool:
        """Whether the results agree in every digit stored, as they do on one machine."""
        stored, repeated = self.record.result, self.result
        if "errors" in stored:  # in whichever form
            stored, repeated = ({**one, "errors": errors_of(one["errors"])} for one in (stored, repeated))
        return repeated | stored == repeated

    @property
    def final(self) -> dict[str, tuple[float, float]]:
        """The last value of each curve, stored and repeated."""
        return {curve: (self.record.history[curve][-1], values[-1]) for curve, values in self.result["history"].items()}

    @property
    def final_accuracy(self) -> float:
        """The largest difference of an accuracy after the last epoch; of an autoencoder, of its losses."""
        gaps = {curve: abs(now - before) for curve, (before, now) in self.final.items()}
        return max([gap for curve, gap in gaps.items() if curve.endswith("_accuracy")] or gaps.values())

    @property
    def reproduces(self) -> bool:
        """Whether the repetition ends within `RERUN_TOLERANCE`."""
        return self.final_accuracy <= runs.RERUN_TOLERANCE

    def __str__(self) -> str:
        """The last value of each curve stored and repeated, then one line on how far they agree and where it ran."""
        lines = []
        for curve, (stored, repeated) in self.final.items():
            gap = np.abs(np.subtract(self.result["history"][curve], self.record.history[curve])).max()
            values = f"stored {stored:<10.6g} repeated {repeated:<10.6g}"
            lines.append(f"{curve:<20} {values} largest difference at any epoch {gap:.3g}")
        now, then = provenance.environment(), self.record.provenance
        elsewhere = [name for name in ("processor", "code") if now[name] != then.get(name)]
        where = f"another {' and other '.join(elsewhere)}" if elsewhere else "the same processor and code"
        verdict = "identical" if self.identical else "within tolerance" if self.reproduces else "not reproduced"
        lines.append(
            f"{self.record.series}/{self.record.seed}: {verdict} on {where} (final accuracies differ by at most "
            f"{self.final_accuracy:.3g}, tolerance {runs.RERUN_TOLERANCE:g})."
        )
        return "\n".join(lines)


def rerun(path: Path, *, root: Path = DATA, progress: bool = True) -> Rerun:
    """Run what a record holds again from scratch, with the registry's config; what it builds on is read from `root`."""
    record = read_record(path)
    config = experiments.config(record.series, record.scale)
    return Rerun(record, runs.execute(config, record.seed, progress=progress, root=root).result)


def named(text: str, root: Path = DATA) -> list[Path]:
    """The records that a name stands for: `EXPERIMENT/VARIANT/SEED`, or `EXPERIMENT/VARIANT` for all of its seeds."""
    experiment, _, rest = text.partition("/")
    variant, _, seed = rest.partition("/")
    if not (experiment and variant and (not seed or (seed.isascii() and seed.isdecimal()))):
        raise HqnnError(f"Repeat EXPERIMENT/VARIANT/SEED, EXPERIMENT/VARIANT or the id of a claim, not {text[:60]!r}.")
    series = f"{experiment}/{variant}"
    found = records.load(series, root)
    paths = [records.path_of(series, int(seed), root)] if seed else [record.path for record in found]
    if not paths:
        raise HqnnError(f"There are no records of {series}: run `python -m hqnn run {experiment}`.")
    return paths


def repeat(
    id: str, root: Path, *, on_rerun: Callable[[Rerun], object], progress: bool = True
) -> tuple[Result, Result, bool]:
    """Run all records again that a claim rests on, and judge it by the repetitions. No record is changed.

    Returns:
        What the records say, what the repetitions say, and whether every one ends within the tolerance of its record.

    Raises:
        HqnnError: There is no such claim, it rests on no recorded run, or a run fails.
    """
    book = ledger.read(root / "claims")
    claim = book.find(id)
    stored = claims.result(claim, book, root)
    if stored.quantity is None or not stored.quantity.series:
        raise HqnnError(f"{id} rests on no recorded run: see `python -m hqnn claims {id}` for what makes it again.")
    reproduces = True
    with TemporaryDirectory() as folder:
        again = Path(folder) / "data"
        copytree(root, again, ignore=ignore_patterns("cache", "checkpoints", "quick"))
        for series in stored.quantity.series:
            for path in named(series, root):
                repeated = rerun(path, root=root, progress=progress)
                document = {**json.loads(path.read_bytes()), "result": repeated.result}
                records.write(again / path.relative_to(root), document)
                reproduces &= repeated.reproduces
                on_rerun(repeated)
        return stored, claims.result(claim, book, again), reproduces
