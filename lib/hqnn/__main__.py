"""The command line: `python -m hqnn COMMAND --help` explains each command."""

from __future__ import annotations

import argparse
import signal
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
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
    measured = sorted((root / records.FOLDERS["measurement"]).glob("*.json")) if options.scale == "paper" else []
    if measured:
        print("measurements: What was computed from trained weights and the papers' images")
        for path in measured:
            why = records.stale(records.read_record(path), root)
            print(f"  {path.stem:<24} {f'stale, {why}' if why else 'made'}")
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
    if found.planned:
        print(f"Registered, not yet run: {', '.join(found.planned)}")
    _print_commits(root)
    if (root / "verdicts.json").exists():
        rows = claims.stored(root=root)
        of = {status: [one.claim.id for one in rows if one.registration == status] for status in registration.STATUSES}
        print("Rows of the ledger: " + " · ".join(f"{status} {len(ids)}" for status, ids in of.items()))
        for status in registration.STATUSES[:-1]:
            _print_filled(f"{status}: {', '.join(of[status]) or 'none'}")
    return 1 if found.problems else 0


def _print_commits(root: Path) -> None:
    """Say which records the history cannot vouch for, where there is a history."""
    from hqnn import verification

    if not (root.parent / ".git").exists():
        return
    try:
        unfounded = verification.unfounded(root)
    except HqnnError as error:
        print(f"Commits are not compared: {error}")
        return
    if not unfounded:
        print("Every record names a commit of the history, and its code is that commit's.")
    for why in dict.fromkeys(unfounded.values()):
        names = Counter(name.split("/")[1].removesuffix(".json") for name, one in unfounded.items() if one == why)
        listed = ", ".join(f"{name} {n}" for name, n in names.items())
        _print_filled(f"{names.total()} records: {why}: {listed}")


def _print_filled(line: str) -> None:
    print(textwrap.fill(line, 100, subsequent_indent="  ", break_on_hyphens=False))


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
    path = root / "verdicts.json"
    fresh = options.check or options.update
    evaluated = partial(claims.evaluate, path=root / "claims") if fresh else claims.stored
    results = evaluated(options.paper, root=root)
    if fresh:
        results = claims.registered(results, root)
    found = claims.changes(results, path, paper=options.paper) if options.check or (fresh and path.exists()) else []
    if options.update:
        claims.write_snapshot(results, path)
        print("\n".join([*found, f"{len(results)} verdicts stored in {path}, {len(found)} changes."]))
        return 0
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
    for change in found:
        print(change, file=sys.stderr)
    print(f"{len(results)} claims evaluated, {len(found)} changes against {path}.", file=sys.stderr)
    if found:
        print("Store them with `python -m hqnn claims --update`.", file=sys.stderr)
    return 1 if found else 0


def parser() -> argparse.ArgumentParser:
    """Build the command line's parser."""
    about = "Re-run papers on hybrid quantum-classical image classification, claim by claim."
    top = argparse.ArgumentParser(prog="python -m hqnn", description=about)
    top.add_argument("--version", action="version", version=f"hqnn {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        function: Callable[[argparse.Namespace], int], summary: str, shared: str, description: str = ""
    ) -> Callable[..., argparse.Action]:
        added = commands.add_parser(function.__name__[1:], help=summary, description=description or f"{summary}.")
        added.set_defaults(function=function)
        if "scale" in shared:
            explained = "the paper's sizes on its dataset (default), or seconds on the bundled digits"
            added.add_argument("--scale", choices=("paper", "quick"), default="paper", help=explained)
        if "root" in shared:
            explained = "use this folder instead of the repository's data/"
            added.add_argument("--root", type=terminal.folder, metavar="FOLDER", help=explained)
        if "with" in shared:
            explained = "also the experiments of this Python file, its EXPERIMENTS"
            added.add_argument("--with", dest="own", type=Path, metavar="FILE.py", help=explained)
        if "quiet" in shared:
            added.add_argument("--quiet", action="store_true", help="show no progress bars")
        return added.add_argument

    flag = "store_true"
    add = command(_data, "show which datasets are here and fetch those that are not", "quiet")
    add("names", nargs="*", metavar="NAME", help="datasets (default: all)")
    add("--all", action=flag, help="all datasets, which is the default")
    add("--list", action=flag, help="only show them")

    command(_list, "show the experiments and which seeds are done", "scale root with")

    add = command(
        _run,
        "make the records that are missing or stale",
        "scale root with quiet",
        "Run experiments over seeds, or measure trained weights on their images, and store a record of each. What is "
        "stored already is skipped, unless the code builds another model now. Interrupt at any moment: the same "
        "command continues where it was.",
    )
    add("names", nargs="*", metavar="NAME", help="experiments (see `python -m hqnn list`), measurements")
    add("--all", action=flag, help="every experiment, then every measurement")
    add("--again", action=flag, help="run what is stored already, too")
    add("--seeds", type=terminal.seeds, metavar="0-9", help="which seeds (default: those needed)")
    add("--variants", type=terminal.names, metavar="A,B", help="which variants (default: all)")
    add("--jobs", type=terminal.n_jobs, default=1, metavar="N", help="worker processes (default: 1, this one)")
    add("--scheduler", metavar="tcp://HOST:PORT", help="use the workers of this Dask scheduler instead")
    add("--device", default="cpu", help="where each run computes, as torch names it (default: cpu)")

    add = command(
        _verify,
        "check every stored record against the registry",
        "root with quiet",
        "Check every stored record: format, checksum, config, model, curves, weights, missing seeds, measurements. "
        "Where a dataset is here, stored weights are measured again.",
    )
    explained = (
        "instead, run again from scratch and compare: EXPERIMENT/VARIANT/SEED, all seeds of EXPERIMENT/VARIANT, or all "
        "that the claim of this id rests on"
    )
    add("--rerun", metavar="NAME", help=explained)

    add = command(
        _claims,
        "show the verdict on every claim of the papers, or everything about one",
        "root",
        "Print each claim of the papers with its value, ours, the verdict and the evidence, as last stored; or, of one "
        "claim, how its verdict comes about.",
    )
    add("id", nargs="?", metavar="CLAIM", help="one claim, such as L6-fashion-cnn4-25")
    add("--json", action=flag, help="print a list of objects instead of a table")
    add("--paper", metavar="PAPER", help="only those of one paper")
    add("--check", action=flag, help="judge them afresh, and compare with what is stored")
    add("--update", action=flag, help="store the verdicts that tests and scoreboard expect, and say what changed")
    return top


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt("Terminated: repeat the command to continue.")


def main(given: Sequence[str] | None = None) -> int:
    """Run one command: 0 well done, 1 a check failed, 2 something the user can put right, 130 interrupted."""
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
        if getattr(options, "own", None):
            from hqnn import experiments

            experiments.register_from(options.own)
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
