"""The command line: `python -m hqnn COMMAND --help` explains each command."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from hqnn import __version__
from hqnn.errors import HqnnError

# Each command imports what it needs when it runs, so that --help and mistyped names answer at once.


def seeds(text: str) -> tuple[int, ...]:
    """Parse `0-9`, `3` or `0-4,7` into ascending seeds."""
    chosen: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of seeds such as 0-9 or 0,3,7")
        span = range(int(first), int(last or first) + 1)
        if not span:
            raise argparse.ArgumentTypeError(f"{part.strip()!r} counts backwards; write {last}-{first}")
        chosen.update(span)
    return tuple(sorted(chosen))


def names(text: str) -> list[str]:
    """Parse names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _data(options: argparse.Namespace) -> int:
    from hqnn import datasets

    for name in options.names:
        datasets.is_available(name)  # complains of a name that is none
    for row in datasets.status():
        if not options.names or row.name in options.names:
            size = "" if row.n_bytes is None else f"{row.n_bytes / 1e6:.1f} MB"
            print(f"{row.name:<14} {row.state:<10} {row.images:>7,} images {size:>9}  {row.source}")
    if not options.list:
        for name in options.names or datasets.NAMES:
            datasets.fetch(name, progress=not options.quiet)
    return 0


def _list(options: argparse.Namespace) -> int:
    from hqnn import experiments, runs, storage

    for experiment in experiments.EXPERIMENTS.values():
        print(f"{experiment.name}: {experiment.title}")
        for variant, done in runs.count(experiment, scale=options.scale, root=options.root or storage.DATA).items():
            print(f"  {variant:<24} {done:>3} of {len(experiment.seeds)} seeds")
    return 0


def _run(options: argparse.Namespace) -> int:
    from hqnn import experiments, runs, storage

    if bool(options.names) == options.all:
        raise HqnnError(f"Name experiments or say --all: there are {', '.join(experiments.EXPERIMENTS)}.")
    summary = runs.run(
        list(experiments.EXPERIMENTS) if options.all else options.names,
        options.seeds,
        variants=options.variants,
        scale=options.scale,
        jobs=options.jobs,
        scheduler=options.scheduler,
        device=options.device,
        root=options.root or storage.DATA,
        progress=not options.quiet,
    )
    print(f"{summary.done} runs done, {summary.skipped} were there already.")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from hqnn import analyses, runs, storage

    root = options.root or storage.DATA
    if options.rerun:
        if options.rerun.count("/") != 2 or not options.rerun.rpartition("/")[2].isdecimal():
            raise HqnnError(f"Name the run to repeat as EXPERIMENT/VARIANT/SEED, not {options.rerun!r}.")
        experiment, variant, seed = options.rerun.split("/")
        again = runs.rerun(experiment, variant, int(seed), root=root, progress=not options.quiet)
        for curve, difference in again.differences.items():
            print(f"{curve:<16} largest difference {difference:.3g}")
        verdict = "identical" if again.identical else "within tolerance" if again.reproduces else "not reproduced"
        print(
            f"{options.rerun}: {verdict} (final accuracies differ by at most {again.final_accuracy:.3g}, "
            f"tolerance {runs.RERUN_TOLERANCE:g})."
        )
        return 0 if again.reproduces else 1
    found = runs.verify(root)
    problems = [*found.problems, *analyses.problems(root)]
    for problem in problems:
        print(problem)
    print(
        f"{found.n_records} records and {len(analyses.recipes())} analyses checked, the weights of {found.n_measured} "
        f"measured again: {len(problems)} problems."
    )
    return 1 if problems else 0


def _analyse(options: argparse.Namespace) -> int:
    from hqnn import analyses, storage

    if bool(options.names) == options.all:
        raise HqnnError(f"Name analyses or say --all: there are {', '.join(analyses.recipes())}.")
    for name in options.names or analyses.recipes():
        for key, interval in analyses.make(name, root=options.root or storage.DATA).result.items():
            print(f"{name}  {key:<40} {interval.mean:.4g} ± {interval.half_width:.2g} (n = {interval.n})")
    return 0


def _claims(options: argparse.Namespace) -> int:
    from hqnn import claims

    if options.update and options.paper:
        raise HqnnError("Leave out --paper with --update: the stored verdicts are those of all papers.")
    results = claims.evaluate(options.paper)
    if options.update:
        claims.write_snapshot(results)
    if options.json:
        print(claims.to_json(results), end="")
    else:
        print(claims.format_table(results))
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the command line's parser."""
    top = argparse.ArgumentParser(
        prog="python -m hqnn",
        description="Re-run three hybrid quantum-classical image classification papers, claim by claim.",
    )
    top.add_argument("--version", action="version", version=f"hqnn {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, function: object, summary: str, description: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=description)
        added.set_defaults(function=function)
        return added

    def add_root(to: argparse.ArgumentParser) -> None:
        to.add_argument("--root", type=Path, metavar="FOLDER", help="use this folder instead of the repository's data/")

    def add_quiet(to: argparse.ArgumentParser) -> None:
        to.add_argument("--quiet", action="store_true", help="show no progress bars")

    def add_scale(to: argparse.ArgumentParser) -> None:
        to.add_argument(
            "--scale",
            choices=("paper", "quick"),
            default="paper",
            help="the paper's sizes on its dataset (default), or seconds on the bundled digits",
        )

    data = command(
        "data",
        _data,
        "show which datasets are here and fetch those that are not",
        "Show which datasets are here and fetch those that are not.",
    )
    data.add_argument("names", nargs="*", metavar="NAME", help="datasets (default: all)")
    data.add_argument("--all", action="store_true", help="all datasets, which is the default")
    data.add_argument("--list", action="store_true", help="only show them")
    add_quiet(data)

    listing = command(
        "list", _list, "show the experiments and which seeds are done", "Show the experiments and which seeds are done."
    )
    add_scale(listing)
    add_root(listing)

    run = command(
        "run",
        _run,
        "run experiments and store their records",
        "Run experiments over seeds and store a record of each. What is stored already is skipped. Interrupt at any "
        "moment: the same command continues where it was.",
    )
    run.add_argument("names", nargs="*", metavar="EXPERIMENT", help="see `python -m hqnn list`")
    run.add_argument("--all", action="store_true", help="every experiment")
    run.add_argument("--seeds", type=seeds, metavar="0-9", help="which seeds (default: those the experiment needs)")
    run.add_argument("--variants", type=names, metavar="A,B", help="which variants (default: all)")
    add_scale(run)
    run.add_argument("--jobs", type=_positive, default=1, metavar="N", help="worker processes (default: 1, in-process)")
    run.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="use the workers of this Dask scheduler instead")
    run.add_argument("--device", default="cpu", help="where each run computes, as torch names it (default: cpu)")
    add_root(run)
    add_quiet(run)

    verify = command(
        "verify",
        _verify,
        "check every stored record against the registry",
        "Check every stored record against the registry: format, checksum, config, curves, weights, missing seeds. "
        "Where a dataset is here, stored weights are measured again.",
    )
    verify.add_argument(
        "--rerun", metavar="EXPERIMENT/VARIANT/SEED", help="instead, run one seed again from scratch and compare"
    )
    add_root(verify)
    add_quiet(verify)

    analyse = command(
        "analyse",
        _analyse,
        "measure trained weights and store the analyses",
        "Measure the trained weights of recorded runs on their images and store the results, which claims refer to.",
    )
    analyse.add_argument("names", nargs="*", metavar="ANALYSIS", help="which analyses")
    analyse.add_argument("--all", action="store_true", help="every analysis")
    add_root(analyse)

    claims = command(
        "claims",
        _claims,
        "judge every claim of the papers by the records",
        "Print each claim of the papers with its value, ours, the verdict and the evidence.",
    )
    claims.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    claims.add_argument("--paper", metavar="PAPER", help="only lcqhnn, hqnn or transfer")
    claims.add_argument(
        "--update", action="store_true", help="store the verdicts as those that the tests and the scoreboard expect"
    )
    return top


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes, 1 or more")
    return int(text)


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt("Terminated: repeat the command to continue.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 well done, 1 a check failed, 2 something the user can put right, 130 interrupted.
    """
    before = signal.signal(signal.SIGTERM, _terminated)  # a batch system's request to stop is an interrupt
    try:
        options = parser().parse_args(arguments)
        status: int = options.function(options)
        sys.stdout.flush()
        return status
    except HqnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(interrupt.args[0] if interrupt.args else "Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
