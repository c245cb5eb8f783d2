# %% [markdown]
# # Trainability
#
# Before a circuit is trained, several measures are said to tell how good it will be: how widely it spreads its states, how it
# entangles them, how steep it is, how many of its weights matter. Here they are computed for hqnn's circuits, alone, as they
# grow, beside a classical block, and against the accuracies that fifteen circuits were trained to.
#
# *Run time: seconds. Needs: only the repository. Measured once (two minutes) and recorded; nothing here was registered before: the accuracies were known.*

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
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from hqnn import figures, pages, records
from hqnn.papers.hqnn import trainability
from hqnn.views import expressivity

figures.style()
measured = records.measured("hqnn-trainability")
value = {key: found.mean for key, found in measured.result.items()}
settings = measured.config
found = trainability.predictions(measured.result, rate=0.01)

# %% tags=["remove-input"]
variances = {
    d: [value[f"variance/{d}/{n}"] for n in settings["qubits"]] for d in settings["depths"]
}
per_qubit = {
    d: (v[0] / v[-1]) ** (1 / (settings["qubits"][-1] - settings["qubits"][0]))
    for d, v in variances.items()
}
best = max(found, key=lambda name: abs(found[name].correlation))
Markdown(
    f"**Five qubits are steep enough to train, twelve would be over ten times flatter, and no measure tells which circuit is good.** Each further "
    f"qubit divides the variance of a slope by {per_qubit[3]:.1f}. One five-qubit circuit has more weights that matter than a classical block of "
    f"as many ({100 * value['dimension/circuit/50000']:.0f} against {100 * value['dimension/block/50000']:.0f} %), and is no more "
    f"accurate ([in the circuit's place](in-its-place.ipynb)). Of four measures the closest to the accuracies of fifteen circuits, the "
    f"{trainability.MEASURES[best]}, correlates with them by {found[best].correlation:.2f}, which chance does in "
    f"{100 * found[best].p:.0f} of 100 such families."
)

# %% [markdown]
# ## Slopes
#
# In wide circuits with random angles almost all slopes vanish, a *barren plateau* (McClean et al., 2018): there is nothing to
# follow, and on a device nothing to measure, since a slope of size $\sigma$ takes about $1/\sigma^2$ shots to see. HQNN-Parallel's circuit
# has five qubits, three layers, and observables that each touch one qubit:

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(5.4, 3.2))
colours = (figures.GREY, figures.model("hqnn").colour, figures.INK)
for colour, (depth, values) in zip(colours, variances.items(), strict=True):
    ax.semilogy(
        settings["qubits"],
        values,
        "o-",
        color=colour,
        label=f"{depth} layer{'s' * (depth > 1)}",
    )
ax.axvline(5, color=figures.GREY, linestyle=":", linewidth=1)
ax.set(xlabel="qubits", ylabel="variance of a slope")
ax.legend()
figures.show(
    figure,
    alt="Three falling lines on a logarithmic axis from about 0.1 at two qubits. With three and with twelve layers the variance falls to one ten-thousandth at twelve qubits; with a single layer more slowly, to one thousandth.",
    caption="The strongly entangling circuit as it grows: variance of a derivative of one output with respect to one weight, over random inputs and weights, mean over outputs and weights. The dotted line marks the five qubits of the paper. *Exact derivatives, 200 draws.*",
)

# %% [markdown]
# Three layers are enough for the plateau; depth changes little after that. One layer is spared longer because its CNOTs join only neighbours. At five qubits a typical slope is a tenth, so a few hundred
# shots show it, at twelve more than ten thousand: that the paper's circuits train says nothing about larger ones, and none was trained.
#
# ## Weights that matter
#
# The Fisher information counts in which directions of the weights the outputs move. A flat spectrum means that all weights do
# something of their own; the effective dimension sums it up (Abbas et al., 2021), who find flatter spectra for quantum than for
# classical networks and take that for an advantage. Here one of HQNN-Parallel's circuits, and one block of the network's
# fair rival, tanh between two small matrices with as many weights:

# %%
pages.source(expressivity.fisher, expressivity.effective_dimension)

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(5.4, 3.0))
for name, label, model in (
    ("circuit", "circuit", "hqnn"),
    ("block", "classical block", "blocks"),
):
    eigenvalues = measured.data["spectra"][name]
    ax.semilogy(
        range(1, len(eigenvalues) + 1),
        eigenvalues,
        ".-",
        color=figures.model(model).colour,
        label=label,
    )
ax.set(
    xlabel="direction of the weights, strongest first", ylabel="Fisher information\n(mean 1)"
)
ax.legend()
figures.show(
    figure,
    alt="Two falling curves over 45 directions. They agree for the first twenty; then the classical block's falls below the circuit's, by about a factor of three in the second half, and both drop at the end.",
    caption="Fisher spectra, mean over 50 random settings of the weights, inputs uniform over a turn. Both have 45 weights, and all of them matter.",
)

# %% [markdown]
# So the finding holds for these circuits: their spectrum is flatter and their effective dimension higher. And still blocks in their place
# are as accurate, within 0.2 points ([in the circuit's place](in-its-place.ipynb)). Capacity is not what decides on MNIST.
#
# ## Does any measure predict accuracy?
#
# Of HQNN-Quanv's circuit the paper leaves open the axis of the rotations, the pattern of the CNOTs and the order of both. All fifteen circuits
# were trained ([page 5](hqnn/05-quanvolution.ipynb)), and end between
# 56 and 65 %. Here they are against four measures, computed over pixels and weights at random:

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 2, figsize=(5.4, 4.6), sharey=True)
groups = np.array([words.partition(",")[0] for words in trainability.readings()])
for ax, (name, one) in zip(axes.flat, found.items(), strict=True):
    for axis, marker in (("RY", "o"), ("RX", "s"), ("RZ", "^")):
        of = groups == axis
        ax.plot(
            one.measure[of], one.accuracy[of], marker, color=figures.INK, alpha=0.7, label=axis
        )
    low, high = one.interval
    ax.set_title(f"{one.correlation:+.2f} [{low:+.2f}, {high:+.2f}]", fontsize=9)
    ax.set_xlabel(trainability.MEASURES[name].partition(",")[0])
for ax in axes[:, 0]:
    ax.set_ylabel("test accuracy, %")
axes[0, 0].legend()
figures.show(
    figure,
    alt="Four scatter plots of fifteen circuits. Expressibility and entangling capability show no trend. Variance of a slope and effective dimension rise weakly with accuracy, with wide scatter; the circuits with rotations about z lie at zero in both and span the whole range of accuracies.",
    caption="Fifteen readings of HQNN-Quanv's circuit, one dot each: mean accuracy of 5 or 10 seeds at the usual learning rate. Above each panel Spearman's rank correlation with its 95 % bootstrap interval.",
)

# %% tags=["remove-input"]
z_only = found["variance"].accuracy[groups == "RZ"]
Markdown(
    "None of the four is distinguishable from chance once all are counted (Holm; p from "
    f"{min(one.p for one in found.values()):.2f} to {max(one.p for one in found.values()):.2f}). The clearest counterexamples are the three "
    f"circuits with rotations about z: their weights change nothing at all, every measure of training is zero, and they reach {z_only.min():.1f} "
    f"to {z_only.max():.1f} %, as the others do. What does sort the circuits is the pattern of the CNOTs, that is, which pixels an output "
    "multiplies: the embedding again."
)

# %% [markdown]
# ## Limits
#
# Fifteen circuits of one kernel, whose accuracies lie within nine points, and which share their embedding; a correlation of a half
# could be there unseen. Random weights are where training starts and not where it ends. Unit noise on the outputs is a
# convention: the network behind the circuit decides what a change of its outputs is worth.

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert all(1.9 < per_qubit[d] < 2.3 for d in (3, 12)) and per_qubit[1] < 1.7
assert all(
    value[f"dimension/circuit/{n}"] > value[f"dimension/block/{n}"] for n in settings["data"]
)
assert value["rank/circuit"] == value["rank/block"] == value["weights/circuit"] == 45
assert (settings["weights"], settings["samples"]) == (50, 200) and settings["depths"] == [
    1,
    3,
    12,
]
one_layer, three, twelve = variances.values()
assert all(0.07 < v[0] < 0.12 for v in variances.values()) and 6e-4 < one_layer[-1] < 1.5e-3
assert all(
    6e-5 < v[-1] < 1.5e-4 and 0.08 < (v[1] * v[2]) ** 0.25 < 0.15 for v in (three, twelve)
)
assert (three[1] * three[2]) ** 0.5 / three[-1] > 100 and 1e4 < 1 / three[-1] < 2e4
ratio = np.divide(measured.data["spectra"]["circuit"], measured.data["spectra"]["block"])
assert all(abs(ratio[:20] - 1) < 0.2) and 2.5 < ratio[22:].mean() < 3.5
assert all(one.p > 0.05 for one in found.values()) and best == "dimension"
assert all(
    one.p > 0.05 for one in trainability.predictions(measured.result, rate=0.03).values()
)
accuracies = found[best].accuracy
assert len(accuracies) == 15 and len(z_only) == 3 and np.ptp(accuracies) < 9
assert (round(accuracies.min()), round(accuracies.max())) == (56, 65)
assert found[best].interval[1] > 0.5
print(
    "the variance of a slope halves with each qubit; a flatter spectrum; no measure predicts: holds"
)
