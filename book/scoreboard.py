# %% [markdown]
# # Scoreboard
#
# The sentences of the papers that can be checked, as far as we found them, one row each, with what became of it. The rows are the ledger `data/claims`; the verdicts are
# computed on this page from the recorded runs, the recorded analyses, and from the circuits themselves. Nothing is typed in by hand.
#
# *Run time: a few seconds. Needs: nothing but the repository; no dataset, no network.*

# %% tags=["bootstrap", "remove-cell"]
# On Google Colab and Kaggle only: fetch the book, install what is missing, leave the rest.
import os
import sys

if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    import subprocess
    from pathlib import Path

    url = "https://github.com/hqnn-book/hqnn-book"
    kaggle = "KAGGLE_KERNEL_RUN_TYPE" in os.environ
    folder = Path("/kaggle/working" if kaggle else "/content")
    book, keep = folder / "book", folder / "keep.txt"
    if not book.exists():
        subprocess.run(["git", "clone", "--quiet", "--depth=1", url, book], check=True)
    pip = [sys.executable, "-m", "pip"]
    listing = [*pip, "list", "--format=freeze"]
    keep.write_bytes(before := subprocess.run(listing, check=True, capture_output=True).stdout)
    extra = ["--constraint", keep, "--editable", f"{book}[book]"]
    subprocess.run([*pip, "install", "--quiet", *extra], check=True)
    after = subprocess.run(listing, check=True, capture_output=True).stdout
    new = ", ".join(sorted(set(after.decode().split()) - set(before.decode().split())))
    print(f"The book is in {book}; installed: {new or 'nothing'}; all else is as it was.")
    sys.path.insert(0, str(book / "lib"))

# %% tags=["hide-input"]
import inspect

from IPython.display import HTML, Markdown, display

from hqnn import claims, papers, tables
from hqnn.claims import Verdict, report, rules, sensitivity

results = claims.evaluate()

# %% [markdown]
# ## The results in numbers
#
# What the papers report as *results*, that is, what came out of running or measuring something:

# %% tags=["hide-input"]
found = claims.counts(results, "result")
rows = [[verdict, *(numbers[verdict] for numbers in found.values())] for verdict in Verdict]
header = ["results", *map(papers.title, found)]
tables.table(
    header,
    [row for row in rows if any(row[1:])],
    caption="Rows of the ledger that report a result, by verdict and paper, counted.",
)

# %% tags=["remove-input"]
held = {}
for kind in ("theory", "setup", "slip"):
    of_kind = [one.judgement.verdict for one in results if one.claim.kind == kind]
    held[kind] = f"{of_kind.count(Verdict.REPRODUCED)} of {len(of_kind)}"
asked = sum(one.claim.kind == "question" for one in results)
Markdown(
    "The other rows about the papers are not counted in the headline, because no run could fail them. Of statements about circuits and "
    f"formulas {held['theory']} hold; of settings, numbers of parameters among them, {held['setup']} could be taken over as "
    f"printed; the rest are slips of the pen. The ledger also holds {asked} [questions of our own](together.ipynb), which are counted apart."
)

# %% [markdown]
# *Reproduced* and *not reproduced* are what our runs say. The other verdicts are kept apart on purpose: *undecided* is a lack of ours,
# too few runs or too much scatter; *not checkable* a lack of the paper, which leaves undefined what would have to be known;
# *contradicted by the paper itself* two places of a text that exclude each other; *reproduced under another reading* a number that not our first
# reading of the text gives but another of those we tried. "Not reproduced" says that we could not confirm the sentence from what
# the paper tells; with the authors' program the answer might differ.
#
# ## What was stated before the runs
#
# A row is *registered* if the history holds it, with its quantity, its rule and this edition of the rule, at the commits that its
# records name; *amended* if the row was there but something of this was changed later; *exploratory* if it was not there. Rows
# that rest on no run need none of this. Which they are: [amended](scoreboard.ipynb#text=amended),
# [exploratory](scoreboard.ipynb#text=exploratory); `python -m hqnn verify` lists all three.

# %% tags=["hide-input"]
report.registrations(results)

# %% [markdown]
# The second edition of the rule was stated when the runs of the three papers were known, so no row about the accuracies and losses of
# those is registered. Those that are were stated before the experiments that they ask for; five of them, L14-robust, L15-attack and the three of H16,
# before a measurement on networks that had been trained before. The [amendments](amendments.md) tell what was changed when, and the
# next section what it did.
#
# ## What the second rule changed
#
# How many rows the first edition of the rule judged otherwise, and [which](scoreboard.ipynb#text=by+the+first+rule). A row that says
# nothing of it has one verdict by both, or is newer than the first. (Not all of it is the rule's doing: some rows were decided again, and
# H3-accuracy-hqnn changed when its runs were made again; the [amendments](amendments.md) name them.)

# %% tags=["hide-input"]
report.changed(results)

# %% [markdown]
# ## How a verdict is reached

# %% tags=["remove-input"]
Markdown(inspect.cleandoc(rules.__doc__))

# %% [markdown]
# ## What the rule leaves out
#
# - **The number of rows.** Nothing corrects for it. Rows of one comparison share runs and test images (the 24 accuracies of LCQHNN's
#   table 1 rest on 80 runs), so that they hold or fail together, and a single verdict may be chance.
# - **The shape of the scatter.** Student's intervals suppose that runs scatter normally. Three or five runs cannot show whether they do,
#   and next to 100 %, or in epochs, which are whole numbers, they do not. With fewer than six pairs nothing else guards a sign.

# %% tags=["remove-input"]
book, of_papers = claims.load(), [one for one in results if one.claim.kind == "result"]
single, leads = (
    f(of_papers, book) for f in (sensitivity.as_single_runs, sensitivity.smaller_leads)
)
names = {
    v: ", ".join(f"`{name}`" for name, as_run in single.items() if as_run == v) for v in Verdict
}
Markdown(
    "- **The paper's scatter, where a sentence is about a mean.** What is printed then counts as exact, though one or a few runs stand "
    f"behind it. As single runs would be {' and '.join(f'*{v}* {those}' for v, those in names.items() if those)}.\n"
    "- **Small leads.** A sign fails where a *mean* lead of the printed size is excluded. A smaller one may be there: "
    f"{', '.join(f'`{name}`' for name in leads)}. And what is printed is the lead of one pair, which one pair of ours could show, too, in "
    f"{' and '.join(f'`{name}`' for name, shown in leads.items() if shown)}.\n"
    "- **Small differences.** A difference within the margin of an equality may be there all the same. Zero is outside the interval "
    f"of {', '.join(f'`{name}`' for name in sensitivity.small_differences(results))}."
)

# %% [markdown]
# ## The ledger
#
# Every row with its verdict, its evidence and, unfolded, how to check it. "±" behind our value is the half width of the 95 %
# confidence interval of our mean, n the number of seeds. Who wrote the papers, the [references](references.md) say. The same in a
# terminal: `python -m hqnn claims`; for machines: `python -m hqnn claims --json`.
#
# <div class="ledger-tools"></div>

# %% tags=["remove-input"]
for paper in papers.names():
    display(Markdown(f"### {papers.title(paper)}"))
    display(HTML(report.to_html([one for one in results if one.claim.paper == paper])))

# %% [markdown] tags=["remove-cell"]
# ## Checks
#
# The verdicts above are those that were last looked at and stored with the repository.

# %% tags=["remove-cell"]
changes = claims.changes(results)
print(f"{len(results)} claims, {len(changes)} changes")
assert not changes
