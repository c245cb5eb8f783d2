# %% [markdown]
# # Your own circuit
#
# Whatever this book computes of a circuit, it computes of yours. Here one gate of a paper's circuit is changed, the circuit is looked
# at, trained in the paper's network beside the original, and compared with it seed by seed. Then the same is done with a circuit that
# is none of the papers'.
#
# *Run time: under a minute, on scikit-learn's handwritten digits; one word changes to MNIST. Needs: only the repository, and from the
# reader the [primer](primer.md). The open cells up to the comparison are the recipe: thirty lines.*

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

# %%
from dataclasses import replace

from qiskit.circuit.library import CZGate, real_amplitudes, z_feature_map
from torch import nn

from hqnn import Circuit, QuantumLayer, datasets, experiments, runs, stats
from hqnn.circuit import pauli_on_each_qubit
from hqnn.papers.lcqhnn import model
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit

# %% tags=["hide-input"]
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np

from hqnn import figures, records, tables
from hqnn.experiments import Experiment
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.views import bloch, fourier, zx

figures.style()

# %% [markdown]
# ## Change a gate
#
# A `Circuit` is a Qiskit circuit with a list of the parameters that take data, a list of those that are trained, and the observables
# that are measured. We take that of [LCQHNN](lcqhnn/01-circuit.ipynb) and put a CZ gate in the place of each CNOT:


# %% tags=["lesson"]
def with_cz() -> Circuit:
    paper = lcqhnn_circuit()
    gates = paper.circuit.copy_empty_like()
    for step in paper.circuit.data:
        gates.append(CZGate() if step.operation.name == "cx" else step.operation, step.qubits)
    return replace(paper, circuit=gates)


# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(5.4, 5.4))
figures.circuit_drawing(ax, with_cz(), fold=8)
figures.show(
    figure,
    alt="Circuit of four qubits, on two lines: H on each; U1 of 2x on each; CZ gates between neighbours; RY of theta on each; the same CZ gates; H on qubit 0.",
    caption="The circuit of LCQHNN with CZ gates. Orange gates take data, blue gates are trained.",
)

# %% [markdown]
# ## Look before you train
#
# What a circuit computes can be written down exactly, as a sum of products of sines and cosines. Of the new one this is left:

# %%
tables.equations([rf"\langle Z_{k}\rangle" for k in range(4)], fourier.closed_forms(with_cz()))

# %% [markdown]
# Three of the four outputs are zero whatever goes in. The reason takes two lines. The second row of CZ gates is diagonal and does
# nothing to a measurement of $Z$; and before it qubit $k$ reads a mixture of its own $Z$ and of $X_k Z_{k\pm1}$, both of which
# vanish in a state in which all qubits lie on the equator of the Bloch sphere. Only qubit 0, which a Hadamard gate turns once more, still
# sees its feature. The CNOTs were not an arbitrary choice.
#
# ## Train it in the paper's place
#
# A network with one number left can learn to tell zeros from ones all the same. `runs.execute` trains the network of a config with a
# seed; another network goes in as a function that builds it. Ours is the paper's with another layer in it. All weights outside the
# circuit begin as they do in the original and the images come in the same order, so that each seed gives a pair.

# %% tags=["lesson"]
SCALE = "quick"  # the bundled digits; "paper" takes zeros and ones of MNIST
config = experiments.config("lcqhnn-mnist/lcqhnn", SCALE)
if SCALE == "paper":
    datasets.fetch("mnist")


def changed() -> nn.Module:
    return model.build(config, with_cz())


# %%
paper = [runs.execute(config, seed) for seed in range(5)]
ours = [runs.execute(config, seed, network=changed) for seed in range(5)]
losses = [[run.history["test_loss"][-1] for run in several] for several in (paper, ours)]
difference = stats.paired_difference(losses[1], losses[0])

# %% [markdown]
# That is all: `difference` is the mean difference of the pairs, with its 95 % interval and an exact p-value.

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(5.4, 3.2))
for pair in zip(*losses, strict=True):
    ax.plot([0, 1], pair, "o-", color=figures.BLUE, alpha=0.7)
ax.set_xticks([0, 1], ["CNOT, as printed", "CZ"])
ax.set(xlim=(-0.4, 1.4), ylabel="test loss after training")
ax.set_title(
    f"difference {difference.difference:+.2f}, p = {difference.p_value:.2g}", loc="left"
)
figures.show(
    figure,
    alt="Two columns of five dots, the test losses of the printed and of the changed network; a line joins the two of each seed.",
    caption="Test loss of both networks; a line joins the two of one seed. *Live quick runs on the bundled digits, 5 seeds.*",
)

# %% tags=["hide-input"]
accuracies = [run.history["test_accuracy"][-1] for run in ours]
print("the changed network reads more than 9 of 10 digits:", np.mean(accuracies) > 0.9)
print("its test loss is higher on average:", difference.difference.mean > 0)

# %% [markdown]
# ## Bring a circuit
#
# Any circuit of Qiskit's library will do, with the frame that you like. This one goes into a plain `nn.Sequential`:

# %%
features, ansatz = z_feature_map(4, reps=1), real_amplitudes(4, reps=1)
mine = Circuit(
    circuit=features.compose(ansatz),
    inputs=features.parameters,
    weights=ansatz.parameters,
    observables=pauli_on_each_qubit(4),
)

# %% tags=["lesson"]
def plain() -> nn.Module:
    reduce, scores = nn.Linear(28 * 28, 4), nn.Linear(4, 2)
    return nn.Sequential(nn.Flatten(), reduce, QuantumLayer(mine), scores)


run = runs.execute(config, 0, network=plain)
print("parameters:", run.result["n_parameters"])
print("reads more than 9 of 10 digits:", run.history["test_accuracy"][-1] > 0.9)

# %% [markdown]
# `execute` takes images, losses and optimiser from the config. It is not needed: the layer is an `nn.Module`, and trains in any loop
# of yours.
#
# ## Draw its views
#
# The trained angles are among the weights that the run keeps. With them, the single qubits of the state for a hundred random inputs:

# %% tags=["hide-input"]
trained = run.weights(config.epochs)["2.weights"][0].numpy()
x = np.random.default_rng(0).uniform(-np.pi, np.pi, (100, 4))
figure, axes = plt.subplots(
    1, 4, figsize=(5.4, 1.9), subplot_kw={"projection": "3d"}, squeeze=False
)
figures.bloch_grid(axes, {"final state": bloch.bloch_vectors(mine, x, trained)})
figures.show(
    figure,
    alt="Four Bloch spheres, one per qubit, with a hundred dots each, most of them inside the sphere.",
    caption="Bloch vectors of the four qubits for random inputs; where they are shorter than one, the qubit is entangled. *Live quick run.*",
)

# %% [markdown]
# The Fourier series says which frequencies of the features the outputs are made of, averaged over all weights, and PyZX how many of the
# angles are worth their place: each of the twelve keeps a node of its own.

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(5.4, 3.2))
outputs = [rf"$\langle Z_{k}\rangle$" for k in range(4)]
figures.spectrum(ax, *fourier.fourier_series(mine).spectrum(), outputs)
figures.show(
    figure,
    alt="A table of discs: rows are the four outputs, columns the frequencies; below each column the signs of the features in it.",
    caption="Strength of each frequency in each output, for weights drawn at random. Below, the sign with which each feature enters.",
)

# %% tags=["hide-input"]
full = zx.diagram(mine, on_zero=True)
reduced = zx.reduce(full)
figure, ax = plt.subplots(figsize=(5.4, 2.8))
figures.zx_diagram(ax, reduced, names=full.parameters)
figures.show(
    figure,
    alt="A ZX-diagram of green nodes joined by dashed edges; twelve of the nodes bear the name of a parameter.",
    caption="The circuit on zeros after reduction by PyZX: twelve nodes hold one parameter each.",
)

# %% tags=["hide-input"]
places = zx.places(reduced)
print("of its own:", sum(held == [(name,)] for name, held in places.items()), "of", len(places))


# %% [markdown]
# [Shots and noise](transfer/04-aer-shots-and-cost.ipynb), [single states](lcqhnn/01-circuit.ipynb) and
# [gradients](hqnn/07-fourier.ipynb) are further views of the same object; the [reference](reference.md) lists them all.
#
# ## On MNIST, and in Colab
#
# Set `SCALE = "paper"` above and run the page again: the same cells then train on 2,048 images of MNIST for 50 epochs, as the paper did.
# `datasets.fetch` downloads what is neither in the cache nor in the folder that `HQNN_DATA` names. In Colab (the rocket at the top of
# this page) the first cell installs what is missing, and nothing else changes.
#
# ## Keep the runs
#
# What is worth more than a look is worth a record. A config of your own is derived from a paper's: it may have further fields, and its
# method `build` returns the network. Records of the paper's own config stay what they are.

# %% tags=["lesson", "hide-input"]
class WithCz(LcqhnnConfig):
    def build(self) -> nn.Module:
        return changed()


variants = {"printed": config, "cz": WithCz(**vars(config))}
name_and_title = {"name": "cz", "paper": "lcqhnn", "title": "CZ for CNOT"}
experiments.register(
    Experiment(**name_and_title, variants=variants, quick=variants, seeds=range(2))
)

# %% tags=["hide-input"]
folder = Path(mkdtemp())
print(runs.run("cz", root=folder, progress=False))
print(runs.run("cz", root=folder, progress=False))
kept = [records.final(f"cz/{name}", "test_loss", folder) for name in variants]
table = records.frame("cz/printed", "cz/cz", root=folder).reset_index()
columns = ["series", "seed", "n_parameters", "n_quantum", "stale"]
tables.table(
    columns,
    table[columns].to_numpy(),
    caption="The four records that were just made, a row each. *Quick runs on the bundled digits.*",
)

# %% [markdown]
# The second call finds all records there and current. Change the circuit, and those of `cz/cz` are stale and made again. In a file
# `mine.py` that ends with `EXPERIMENTS = (Experiment(...),)` the same goes from a terminal, on as many processes as you like:
#
# ```bash
# python -m hqnn run cz --with mine.py --root results --jobs 4
# ```

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
again = stats.paired_difference(kept[1], kept[0]).difference.mean
of_two = np.subtract(losses[1], losses[0])[:2].mean()
print("records say what the runs said:", bool(np.isclose(again, of_two)))
forms = fourier.closed_forms(with_cz())
print("three outputs vanish:", forms[1:] == ["0"] * 3)
