"""A draft of the reproduction report that a journal's reproducibility track asks for, from the ledger and the records.

`make readme` and `make verdicts` write it to `paper/reproduction.md`. Every number and every sentence about a paper is
the ledger's or the records'; what only the authors can say is marked `TO BE WRITTEN`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from hqnn import papers, records, stats
from hqnn.claims import Result, Verdict
from hqnn.papers import together
from tools import cite
from tools.repository import address

OWN = "TO BE WRITTEN by the authors"


def written(results: Sequence[Result], numbers: dict[str, str]) -> str:
    """The report as Markdown.

    Args:
        results: The stored verdicts.
        numbers: Of each paper on arXiv, as the bibliography has them.
    """
    citation = cite.citation()
    checked = [one for one in results if one.claim.kind != "question"]
    frame = records.frame()
    trained = f"{len(frame):,} records of training runs, {frame.seconds.sum() / 3600:,.0f} hours in all"
    named = ", ".join(f"“{papers.title(name)}” (arXiv:{numbers[name]})" for name in papers.names())
    parts = [
        f"# Reproduction report: {citation['title']}",
        "*A draft made from the ledger of claims and the records, to be copied before it is edited. What only they can "
        f"say is marked: {OWN}.*",
        "## Reproducibility summary",
        f"**Scope.** {len(checked)} claims of {len(papers.names())} papers on hybrid quantum-classical image "
        f"classification: {named}. By kind: {_counted(one.claim.kind for one in checked)}.",
        "**Methodology.** The papers' models were written anew from the text, in Qiskit and PyTorch, and trained on "
        f"the papers' datasets: {trained}. Each claim is held against a quantity of ours by a written rule; a verdict "
        "that rests on runs has three seeds or more, and what was fixed before which run is stated "
        f"({_counted(one.registration for one in checked if one.registration)}).",
        f"**Results.** Of {sum(one.claim.kind == 'result' for one in checked)} results, "
        f"{_counted(str(one.judgement.verdict) for one in checked if one.claim.kind == 'result')}. The central "
        "comparisons, in per cent of the test images:",
        _comparisons(),
        f"**What was easy, what was difficult.** {OWN}; what the papers contradict or leave open, below, is the "
        "material.",
        f"**Communication with the original authors.** {OWN}.",
        "## Results, claim by claim",
        "Values of ours are means with 95 % intervals over seeds; *difference* is ours minus the paper's, and how far "
        "it may be from zero.",
    ]
    for name in papers.names():
        parts += [f"### {papers.title(name)} (arXiv:{numbers[name]})", _rows(results, name, "result")]
    parts.append("## What the papers leave open or contradict")
    for name in papers.names():
        gaps = [
            one
            for one in results
            if one.claim.paper == name
            and (one.claim.kind == "slip" or one.judgement.verdict in (Verdict.CONTRADICTED, Verdict.NOT_CHECKABLE))
        ]
        lines = [f"- `{one.claim.id}` ({one.claim.place}; {one.judgement.verdict}): {one.claim.says}" for one in gaps]
        parts += [f"### {papers.title(name)}", "\n".join(lines) or "Nothing."]
    parts += [
        "## Questions of our own",
        "Stated, with a margin and a power, before the runs that answer them:",
        *(_rows(results, name, "question") for name in papers.names() if _of(results, name, "question")),
        "## Availability",
        f"Code, records, ledger and tests: {address().url}, version {citation['version']}, {citation['license']} "
        f"licence. The book: {address().pages}. `make test` checks every number in it.",
    ]
    return "\n\n".join(parts) + "\n"


def _of(results: Sequence[Result], paper: str, kind: str) -> list[Result]:
    return [one for one in results if one.claim.paper == paper and one.claim.kind == kind]


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{n} {word}" for word, n in Counter(words).most_common())


def _comparisons() -> str:
    lines = ["| comparison | printed lead | our lead | seeds |", "| --- | ---: | ---: | ---: |"]
    for name, one in together.load().items():
        ours = stats.mean_interval(one.lead)
        lead = f"{ours.mean:+.2f} ± {ours.half_width:.2f}"
        lines.append(f"| {name} | {one.printed_lead:+.2f} | {lead} | {ours.n} |")
    return "\n".join(lines) if lines[2:] else "None."


def _rows(results: Sequence[Result], paper: str, kind: str) -> str:
    lines = ["| claim | printed | ours | seeds | difference | verdict |", "| --- | --- | --- | ---: | --- | --- |"]
    for one in _of(results, paper, kind):
        cells = (
            f"`{one.claim.id}` ({one.claim.place}) {one.claim.says}",
            one.claim.printed.text,
            one.ours(),
            str(one.judgement.n_seeds or ""),
            one.difference(),
            str(one.judgement.verdict),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
