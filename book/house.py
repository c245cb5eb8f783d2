# %% [markdown]
# # The house
#
# Where everything is in the library behind this book, in one drawing, with one run and one claim followed through it.
#
# *Run time: seconds. Needs: only the repository.*

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
import tomllib

import matplotlib.pyplot as plt

from hqnn import experiments, figures, pages, records, storage, tables
from hqnn.claims import ledger, report, rules
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.papers.lcqhnn.tasks import TASKS

figures.style()
ROOT = storage.DATA.parent

# %% [markdown]
# ## Three nouns
#
# - A **circuit** is written once, in Qiskit, with its inputs, its trained angles and its observables. Everything that can be
#   computed from it is a view: drawings, states on Bloch spheres, shots and noise, its ZX-diagram, its Fourier series, and a
#   PyTorch layer that trains inside a network.
# - A **record** says what ran, what came out, and what made it: the config, a digest of the model with all its circuits, and the
#   records that it was built on. When the code builds another model, the record is stale, and says so.
# - A **claim** is a sentence of a paper with its printed value, the quantity of ours that it is held against, and the rule that
#   decides.
#
# A paper is a folder with its circuits, models and experiments. It is found by looking, and no other part of the library names it.

# %% [markdown]
# ## The floors
#
# Each floor stands on those below it. No import runs upwards but the one that looks for papers, without knowing any by name; that is
# checked with every change. A room is as wide as the root of its number of lines.

# %% tags=["hide-input"]
contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
levels = []
for layer in reversed(contracts["contracts"][0]["layers"]):
    level = {}
    for name in layer.split(" | "):
        files = [ROOT / f"lib/hqnn/{name}.py", *(ROOT / f"lib/hqnn/{name}").rglob("*.py")]
        lines = sum(len(file.read_text().splitlines()) for file in files if file.exists())
        level["command line" if name == "__main__" else name] = lines
    levels.append(level)
run = ["command line", "papers", "runs", "tasks", "training", "views", "circuit", "records"]
claim = ["papers", "claims", "records", "stats"]
ways = {"a run": (figures.ORANGE, run), "a claim": (figures.BLUE, claim)}
figure, ax = plt.subplots(figsize=(7.2, 7.4))
figures.floors(ax, levels, ways).legend(loc="upper left")
figures.show(
    figure,
    alt="The library as a house of floors: errors at the bottom, then circuit and storage, views, datasets and figures, experiments, training, records, runs, claims, papers, and the command line on top. Orange numbers follow a run down to the circuit and into its record, blue ones a claim to its records.",
    caption="The library's floors, drawn from its own files, with the way of a run and that of a claim, step by step.",
)

# %% [markdown]
# ## A run, followed
#
# `python -m hqnn run lcqhnn-fashion --variants lcqhnn --seeds 0` looks the experiment up among those of the papers, and finds a
# config:

# %%
config = experiments.get("lcqhnn-fashion").variants["lcqhnn"]
for name in ("dataset", "classes", "n_train", "epochs", "batch_size", "learning_rate"):
    print(f"{name}: {getattr(config, name)}")

# %% [markdown]
# What a config means, its paper says in its *task*: which images it draws, and which network it builds. The rest is the same for
# all papers.

# %%
pages.source(type(TASKS[type(config)]))

# %% [markdown]
# The network holds the circuit. This is all there is of it; that it can be drawn, measured, reduced and trained follows:

# %%
pages.source(lcqhnn_circuit)

# %% [markdown]
# `training.fit` trains it, seeded epoch by epoch so that a run can be interrupted and continued to the same last bit, and the record
# is written. All records are read into one table:

# %%
table = records.frame("lcqhnn-fashion/lcqhnn").reset_index()
columns = ["series", "seed", "n_parameters", "n_quantum", "test_accuracy", "stale"]
tables.table(
    columns,
    table[columns].head(3).round(4).to_numpy(),
    caption="Three records, a row each, and four of the columns that there are. *Recorded runs.*",
)

# %% [markdown]
# ## A claim, followed
#
# The ledger holds the sentence, and what of ours it is held against:

# %%
book = ledger.read()
row = book.find("L6-fashion-cnn4-25")
print(report.explain(row, book, storage.DATA))

# %% [markdown]
# The quantity is a curve of a series of records at an epoch. The rule asks whether the printed value could be one of our runs:

# %%
pages.source(rules.Value)

# %% [markdown]
# ## Where to begin
#
# To change a circuit, open `papers/<paper>/circuits.py`; run again, and what hangs on it is named and made anew. To add a paper,
# follow the recipe in [CONTRIBUTING](https://github.com/hqnn-book/hqnn-book/blob/main/CONTRIBUTING.md): a folder, a ledger, a page.

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
print("no record is stale:", not records.frame().stale.any())
