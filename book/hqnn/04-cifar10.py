# %% [markdown]
# # CIFAR-10
#
# On CIFAR-10, with three convolutions, HQNN-Parallel is said to reach 82.78 % and its classical rival 82.64 %
# [[hqnn](../references.md), §2.2.4] (claims H5 and H6). It is the only one of the three datasets on which networks of this
# size are far from the ceiling.
#
# *Run time: about half a minute. Needs: only the repository. What was recorded comes from runs on all of CIFAR-10; the live
# run near the end uses scikit-learn's handwritten digits.*

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

# %%
import base64

import numpy as np
from IPython.display import HTML, Markdown

from hqnn import analyses, claims, experiments, plots, runs, stats, tables
from hqnn.models import hqnn
from hqnn.tasks import count_parameters

plots.style()
NAMES = {"hqnn": "HQNN-Parallel", "cnn": "the paper's CNN", "blocks": "classical blocks"}
cifar = experiments.get("hqnn-cifar10")

# %%
plots.show(
    base64.b64decode(analyses.load("hqnn-images").data["cifar10"]),
    alt="Four small colour photographs of each of ten classes, from airplanes to trucks.",
    caption="Counterpart of figure 3: of each class the first images of a random order.",
)

# %% [markdown]
# ## What is printed
#
# Table 1 has the accuracies of the two models the other way round than the text and figure 6, and it repeats them, again
# exchanged, in the rows of Medical MNIST. The losses go with the text: the hybrid's test loss is the lower one.

# %%
rows_of = {claim.id: claim for claim in claims.load().claims}
rows = []
for name in ("hqnn", "cnn"):
    cells = [
        rows_of[f"H5-{what}-{name}"].printed()
        for what in ("accuracy", "table", "train-loss", "test-loss")
    ]
    rows.append([NAMES[name], *cells])
tables.table(["", "accuracy, text", "accuracy, table 1", "training loss", "test loss"], rows)

# %%
gap = rows_of["H5-gap"].number
n_test = cifar.variants["hqnn"].n_test
accuracy = rows_of["H5-accuracy-hqnn"].number / 100
error = 100 * np.sqrt(2 * accuracy * (1 - accuracy) / n_test)
Markdown(
    f"The two accuracies are {gap:.2f} points apart, {round(gap * n_test / 100)} of {n_test:,} images. Two networks of equal "
    f"quality that err on different images would differ by about {error:.1f} points by the choice of test images alone, to "
    "which the choice of initial weights adds. One run of each cannot tell them apart."
)

# %% [markdown]
# ## The networks
#
# All have exactly the printed numbers of parameters ([how they were found](01-model-and-counts.ipynb)); the fair rival has
# the hybrid's.

# %%
rows = []
for name, config in cifar.variants.items():
    channels = ", ".join(map(str, config.channels))
    size = count_parameters(hqnn.build(config))["total"]
    rows.append([NAMES[name], channels, config.middle, f"{size:,}"])
tables.table(["network", "channels", "middle part", "parameters"], rows)

# %%
available = runs.complete("hqnn-cifar10")
rows = []
for name in cifar.variants:
    if name not in available:
        rows.append([NAMES[name], "not recorded yet", "", "", ""])
        continue
    finals = [
        runs.history("hqnn-cifar10", name, c)[:, -1]
        for c in ("train_loss", "test_loss", "test_accuracy")
    ]
    means = [stats.mean_interval(values) for values in finals]
    rows.append(
        [
            NAMES[name],
            means[0].n,
            *(tables.number(m, 3) for m in means[:2]),
            tables.percent(means[2]),
        ]
    )
header = ["runs", "training loss", "test loss", "test accuracy, %"]
tables.table(["CIFAR-10, after the last epoch", *header], rows)

# %% [markdown]
# Networks that are marked as not recorded are registered, and `python -m hqnn run hqnn-cifar10` trains them; the verdicts
# below follow by themselves.
#
# ## The same code, live
#
# The same networks on a thousand of scikit-learn's handwritten digits, four epochs. These accuracies mean nothing for the
# paper.

# %%
for name in ("hqnn", "cnn"):
    outcome = runs.execute(cifar.quick[name], seed=1)
    print(
        f"{NAMES[name]}: test accuracy above 0.5:", outcome.history["test_accuracy"][-1] > 0.5
    )

# %% [markdown]
# ## The claims
#
# The rows of the ledger that this page is about ([all claims](../scoreboard.ipynb)):

# %%
results = claims.evaluate("hqnn", groups=("H5", "H6"))
HTML(
    claims.to_html(
        [r for r in results if r.claim.id.startswith("H5") or r.claim.id == "H6-cifar10"]
    )
)

# %% [markdown]
# ## Checks

# %%
assert rows_of["H5-accuracy-hqnn"].number == rows_of["H5-table-cnn"].number
assert rows_of["H5-accuracy-cnn"].number == rows_of["H5-table-hqnn"].number
assert 0 < gap < error
for name in ("hqnn", "cnn"):
    size = count_parameters(hqnn.build(cifar.variants[name]))["total"]
    assert size == rows_of[f"H5-parameters-{name}"].number
print("table 1 exchanges the two models, and the networks have the printed sizes: holds")
