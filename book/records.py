# %% [markdown]
# # The records
#
# Every paper-scale number in this book comes from a recorded run. This page lists them, says on what they were made, and
# checks each against the code.
#
# *Run time: under a minute. Needs: only the repository; with the datasets at hand, `python -m hqnn verify` also measures
# the stored weights again.*

# %% tags=["bootstrap", "remove-cell"]
# On Google Colab only: fetch the book and install what Colab lacks; its torch and numpy stay.
import sys

if "google.colab" in sys.modules:
    import subprocess
    from importlib.metadata import version
    from pathlib import Path

    url = "https://github.com/hqnn-book/hqnn-book"
    book, keep = Path("/content/book"), Path("/content/keep.txt")
    if not book.exists():
        subprocess.run(["git", "clone", "--quiet", "--depth=1", url, book], check=True)
    own = (f"{name}=={version(name)}\n" for name in ("numpy", "torch", "torchvision"))
    keep.write_text("".join(own))
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--constraint", keep, "--editable", book], check=True)
    sys.path.insert(0, str(book / "lib"))

# %% tags=["hide-input"]
import numpy as np

from hqnn import experiments, runs, tables

records = {name: runs.load(name) for name in experiments.EXPERIMENTS}
rows = []
for name, experiment in experiments.EXPERIMENTS.items():
    seconds = [record.provenance["seconds"] for record in records[name]]
    median = f"{np.median(seconds):.0f}" if seconds else ""
    seeds = sorted({record.seed for record in records[name]})
    rows.append(
        [
            f"{experiment.title} (`{name}`)",
            len(experiment.variants),
            len(seeds),
            len(seconds),
            median,
        ]
    )
tables.table(["experiment", "variants", "seeds", "runs", "median seconds a run"], rows)

# %% [markdown]
# The seconds are those of the machine that made the record, with several runs side by side on it; they are an order of
# magnitude and not a benchmark.
#
# ## What the records were made with

# %% tags=["hide-input"]
everything = [record for group in records.values() for record in group]
used = {
    "processor": {record.provenance["processor"] for record in everything},
    "device": {record.provenance["device"] for record in everything},
    "data": {record.provenance["dataset"]["name"] for record in everything},
}
for record in everything:
    for package, version in record.provenance["versions"].items():
        used.setdefault(package, set()).add(version)
tables.table(
    ["", "in the records"], [[name, ", ".join(sorted(values))] for name, values in used.items()]
)

# %% [markdown] tags=["remove-cell"]
# ## Checks
#
# Every experiment has all its seeds, and every record's stored configuration is the one in the code today.

# %% tags=["remove-cell"]
print("\n".join(runs.verify(measure=False).problems) or "no problem in any record")
