# %% [markdown]
# # The records
#
# Every paper-scale number in this book comes from a recorded run. This page lists them, says on what they were made, and
# checks each against the code: its configuration and its model, not the commit that it names.
#
# *Run time: under a minute. Needs: only the repository; with the datasets at hand, `python -m hqnn verify` also measures
# the stored weights again.*

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
from IPython.display import Markdown

from hqnn import experiments, records, tables, verification

every = records.frame().reset_index()
of = every.groupby(every.series.str.partition("/")[0], sort=False)
rows = []
for name, its in of:
    experiment = experiments.get(name)
    row = [
        f"{experiment.title} (`data/runs/{name}`)",
        len(experiment.variants),
        its.seed.nunique(),
    ]
    rows.append([*row, len(its), f"{its.seconds.median():.0f}"])
tables.table(
    ["experiment", "variants", "seeds", "runs", "median seconds a run"],
    rows,
    caption="The recorded runs by experiment, counted, and the median time of a run.",
)

# %% [markdown]
# A name leads to the folder, which has one more for each variant, with a file per seed. `data/runs/README.md` says how to read and
# to check one. Which claims rest on an experiment the ledger tells where it is filtered by the name, as for
# [`lcqhnn-fashion`](scoreboard.ipynb#text=lcqhnn-fashion).
#
# The seconds are those of the machine that made the record, with several runs side by side on it; they are an order of
# magnitude and not a benchmark.
#
# ## What the records were made with

# %% tags=["hide-input"]
used = {}
for series in every.series.unique():
    for record in records.load(series):
        made = record.provenance
        said = {"processor": made["processor"], "device": made["device"]}
        for key, value in (said | {"data": made["dataset"]["name"]} | made["versions"]).items():
            used.setdefault(key, set()).add(value)
rows = [[name, ", ".join(sorted(values))] for name, values in used.items()]
tables.table(
    ["what", "in the records"],
    rows,
    caption="What the records say of their making: everything that occurs in them.",
)

# %% tags=["remove-input"]
Markdown(
    f"Each of the {len(every):,} records names the commit that made it, one of {every.commit.nunique()}. A test finds each of them in "
    "the history, and the digest of its code in the records ([amendments](amendments.md) says which runs were made again for that)."
)

# %% [markdown] tags=["remove-cell"]
# ## Checks
#
# Every experiment has all its seeds, and every record's stored configuration is the one in the code today.

# %% tags=["remove-cell"]
assert not every.stale.any()
print("\n".join(verification.verify(measure=False).problems) or "no problem in any record")
