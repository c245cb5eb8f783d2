"""The command line: `python -m hqnn COMMAND --help` explains each command."""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from hqnn import __version__, terminal
from hqnn.errors import HqnnError

# Each command imports what it needs when it runs, so that --help and mistyped names answer at once.


def _data(options: argparse.Namespace) -> int:
    from hqnn import datasets

    if options.names and options.all:
        raise HqnnError(f"Name datasets or say --all: there are {', '.join(datasets.NAMES)}.")
    names = options.names or datasets.NAMES
    for name, state, place in map(datasets.status, names):
        print(f"{name:<14} {state:<10} {place}")
    if not options.list:
        for name in names:
            datasets.fetch(name, progress=not options.quiet)
    return 0


def _list(options: argparse.Namespace) -> int:
    from hqnn import experiments, records, storage

    root = storage.data_folder(options.root)
    for experiment in experiments.EXPERIMENTS.values():
        print(f"{experiment.name}: {experiment.title}")
        for variant, (done, stale) in records.count(experiment, scale=options.scale, root=root).items():
            print(f"  {variant:<24} {done:>3} of {len(experiment.seeds)} seeds{f', {stale} stale' if stale else ''}")
    return 0


def _run(options: argparse.Namespace) -> int:
    from hqnn import experiments, measurements, runs, storage

    known = [*experiments.EXPERIMENTS, *measurements.everything()]
    if bool(options.names) == options.all:
        raise HqnnError(f"Name experiments or measurements, or say --all: there are {', '.join(known)}.")
    root = storage.data_folder(options.root, may_be_new=True)
    measured = [name for name in (known if options.all else options.names) if name in measurements.everything()]
    names = [name for name in (known if options.all else options.names) if name not in measured]
    if names:
        summary = runs.run(
            names,
            options.seeds,
            variants=options.variants,
            scale=options.scale,
            jobs=options.jobs,
            scheduler=options.scheduler,
            device=options.device,
            root=root,
            again=options.again,
            progress=not options.quiet,
        )
        print(f"{summary.done} runs done, {summary.skipped} were there already.")
    if options.scale == "quick":
        return 0  # measurements are of paper-scale runs
    for name in measured:
        if options.again or measurements.problem(name, root):
            for key, interval in measurements.make(name, root=root).result.items():
                print(f"{name}  {key:<40} {interval.mean:.4g} ± {interval.half_width:.2g} (n = {interval.n})")
        else:
            print(f"{name} was there already.")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from hqnn import claims, storage, verification
    from hqnn.claims import registration

    root = storage.data_folder(options.root)
    if options.rerun is not None:
        return _rerun(options.rerun, root, progress=not options.quiet)
    if next((root / "runs").rglob("*.json"), None) is None:
        raise HqnnError(f"There are no records in {root / 'runs'}: name the folder that holds runs/ with --root.")
    found = verification.verify(root)
    for problem in found.problems:
        print(problem)
    print(
        f"{found.n_records} records checked, the weights of {found.n_measured} measured again: "
        f"{len(found.problems)} problems."
    )
    if (root / "verdicts.json").exists():
        status = Counter(one.registration for one in claims.stored(root=root))
        print("Rows of the ledger: " + " · ".join(f"{name} {status[name]}" for name in registration.STATUSES))
    return 1 if found.problems else 0


def _rerun(name: str, root: Path, *, progress: bool) -> int:
    """Repeat a run or a variant, which have a slash in their names, or all that a claim rests on."""
    from hqnn import verification

    if not name or "/" in name:
        repeated = []
        for path in verification.named(name, root):
            repeated.append(verification.rerun(path, root=root, progress=progress))
            print(repeated[-1])
        return 0 if all(one.reproduces for one in repeated) else 1
    stored, again, reproduces = verification.repeat(name, root, on_rerun=print, progress=progress)
    for when, result in (("stored", stored), ("repeated", again)):
        print(f"{name}, {when}: {result.ours()}, {result.judgement.verdict}")
    return 0 if reproduces else 1


def _claims(options: argparse.Namespace) -> int:
    from hqnn import claims, storage
    from hqnn.claims import ledger, report

    if options.update and options.paper:
        raise HqnnError("Leave out --paper with --update: the stored verdicts are those of all papers.")
    root = storage.data_folder(options.root)
    if options.id:
        book = ledger.read(root / "claims")
        print(report.explain(book.find(options.id), book, root))
        return 0
    fresh = options.check or options.update
    evaluated = partial(claims.evaluate, path=root / "claims") if fresh else claims.stored
    results = evaluated(options.paper, root=root)
    if fresh:
        results = claims.registered(results, root)
    if options.update:
        claims.write_snapshot(results, root / "verdicts.json")
    if options.json:
        text = claims.to_json(results)
        try:
            text.encode(sys.stdout.encoding or "utf-8")
        except UnicodeEncodeError:
            text = claims.to_json(results, ensure_ascii=True)
        print(text, end="")
    else:
        print(report.format_table(results))
    if not options.check:
        return 0
    found = claims.changes(results, root / "verdicts.json", paper=options.paper)
    for change in found:
        print(change, file=sys.stderr)
    print(f"{len(results)} claims evaluated, {len(found)} changes.", file=sys.stderr)
    return 1 if found else 0


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
        to.add_argument(
            "--root", type=terminal.folder, metavar="FOLDER", help="use this folder instead of the repository's data/"
        )

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
        "make the records that are missing or stale",
        "Run experiments over seeds, or measure trained weights on their images, and store a record of each. What is "
        "stored already is skipped, unless the code builds another model now. Interrupt at any moment: the same "
        "command continues where it was.",
    )
    run.add_argument("names", nargs="*", metavar="NAME", help="experiments (see `python -m hqnn list`), measurements")
    run.add_argument("--all", action="store_true", help="every experiment, then every measurement")
    run.add_argument("--again", action="store_true", help="run what is stored already, too")
    run.add_argument("--seeds", type=terminal.seeds, metavar="0-9", help="which seeds (default: those needed)")
    run.add_argument("--variants", type=terminal.names, metavar="A,B", help="which variants (default: all)")
    add_scale(run)
    run.add_argument(
        "--jobs", type=terminal.n_jobs, default=1, metavar="N", help="worker processes (default: 1, this one)"
    )
    run.add_argument("--scheduler", metavar="tcp://HOST:PORT", help="use the workers of this Dask scheduler instead")
    run.add_argument("--device", default="cpu", help="where each run computes, as torch names it (default: cpu)")
    add_root(run)
    add_quiet(run)

    verify = command(
        "verify",
        _verify,
        "check every stored record against the registry",
        "Check every stored record: format, checksum, config, model, curves, weights, missing seeds, measurements. "
        "Where a dataset is here, stored weights are measured again.",
    )
    verify.add_argument(
        "--rerun",
        metavar="NAME",
        help="instead, run again from scratch and compare: EXPERIMENT/VARIANT/SEED, all seeds of EXPERIMENT/VARIANT, "
        "or all that the claim of this id rests on",
    )
    add_root(verify)
    add_quiet(verify)

    claims = command(
        "claims",
        _claims,
        "show the verdict on every claim of the papers, or everything about one",
        "Print each claim of the papers with its value, ours, the verdict and the evidence, as last stored; or, of one "
        "claim, how its verdict comes about.",
    )
    claims.add_argument("id", nargs="?", metavar="CLAIM", help="one claim, such as L6-fashion-cnn4-25")
    claims.add_argument("--json", action="store_true", help="print a list of objects instead of a table")
    claims.add_argument("--paper", metavar="PAPER", help="only those of one paper")
    claims.add_argument("--check", action="store_true", help="judge them afresh, and compare with what is stored")
    claims.add_argument(
        "--update", action="store_true", help="store the verdicts as those that the tests and the scoreboard expect"
    )
    add_root(claims)
    return top


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt("Terminated: repeat the command to continue.")


def main(given: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit status: 0 well done, 1 a check failed, 2 something the user can put right, 130 interrupted.
    """
    before = signal.signal(signal.SIGTERM, _terminated)  # a batch system's request to stop is an interrupt
    try:
        terminal.open_what_is_closed()
        with terminal.lasting("stderr", errors="backslashreplace"):
            if sys.stdout is None:
                return _complain("Standard output is closed: send it to a file, or to /dev/null.")
            with terminal.lasting("stdout", errors="replace") as output:
                status = _answer(given)
            if output.lost and not isinstance(output.lost, BrokenPipeError):  # `head` has seen enough: nothing is lost
                return _complain(f"The output cannot be written ({output.lost.strerror}): send it to another place.")
            return status
    finally:
        signal.signal(signal.SIGTERM, before)


def _answer(given: Sequence[str] | None) -> int:
    try:
        options = parser().parse_args(given)
        _require_folders()
        status: int = options.function(options)
        return status
    except SystemExit as ended:  # argparse has shown help or a mistake
        return int(ended.code or 0)
    except HqnnError as error:
        return _complain(str(error))
    except OSError as error:  # the machine's: a file that must not be read, too many processes
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}; put that right and repeat the command.")
    except KeyboardInterrupt as interrupt:
        print(interrupt.args[0] if interrupt.args else "Interrupted.", file=sys.stderr)
        return 130


def _complain(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return 2


def _require_folders() -> None:
    """Say in a sentence what keeps torch and QuTiP from being imported."""
    try:
        Path.cwd()
    except OSError as error:
        raise HqnnError("The folder you are in is gone: change to another one.") from error
    try:
        Path.home()
    except RuntimeError as error:
        raise HqnnError("You have no home folder here: set HOME to one.") from error


if __name__ == "__main__":
    sys.exit(main())
