# %% [markdown]
# # How fast the quantum layer is
#
# Training a hybrid network calls its circuit millions of times, and a simulator that takes milliseconds for what a
# small matrix product does in microseconds decides how many seeds a study can afford. This page shows what
# `hqnn.views.layer` does instead of simulating every sample, and how long that takes beside other people's code.
#
# *Run time: under a minute. Needs: only the repository. The comparison comes from one recorded run of
# `make bench`, which installs the other frameworks; they are not needed here.*

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
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import torch

from hqnn import QuantumLayer, figures, records, tables
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import fourier

figures.style()
circuit = lcqhnn_circuit()

# %% [markdown]
# ## A circuit is a small network
#
# An expectation value of a circuit is a finite Fourier series in its features $x$ and weights $w$,
#
# $$f_o(x, w) = \sum_{\omega,\nu} C_{\omega\nu o}\, e^{i\,\omega\cdot x}\, e^{i\,\nu\cdot w},$$
#
# and its coefficients $C$ can be computed once and for all. What is left to do in a training step has the shape of a
# small network: waves of the features, a matrix that depends on the weights but *not on the sample*, and their
# product. Three lines are the whole layer:

# %%
rng = np.random.default_rng(0)
x, w = rng.uniform(-np.pi, np.pi, (64, 4)), rng.uniform(0, 2 * np.pi, 4)
series = fourier.fourier_series(circuit)

matrix = np.einsum("v,fvo->fo", np.exp(1j * series.weight_frequencies @ w), series.coefficients)
waves = np.exp(1j * x @ series.input_frequencies.T)
outputs = (waves @ matrix).real

print("waves x outputs:", matrix.shape)

# %% [markdown]
# The layer itself is made in one line. With the same weights it gives the same outputs:

# %% tags=["hide-input"]
layer = QuantumLayer(circuit, dtype=torch.float64)
layer.weights.data = torch.from_numpy(w)[None]
gap = np.abs(outputs - layer(torch.from_numpy(x)).detach().numpy()).max()
print("three lines and layer agree to 1e-12:", gap < 1e-12)

# %% [markdown]
# A series grows quickly with the number of weights. With more of them the layer stops one step earlier, at the
# amplitudes: the waves of the features times a weight-dependent matrix give the state of every sample, and the
# squares of its amplitudes the outputs. The circuit may be of any shape; where weights act before features, or above
# six qubits, the layer does carry the state of every sample along, but in few large steps: commuting rotations are
# one multiplication in the basis in which they are all diagonal. The layer chooses among the three by the shape of
# the circuit, and each of them can be asked for:

# %% tags=["hide-input"]
results = []
for method in ("fourier", "matrix", "state"):
    one = QuantumLayer(circuit, dtype=torch.float64, method=method)
    one.weights.data = torch.from_numpy(w)[None]
    results.append(one(torch.from_numpy(x)).detach().numpy())
print("chosen for this circuit:", layer.method)
print("all three agree to 1e-12:", np.ptp(results, axis=0).max() < 1e-12)


# %% [markdown]
# ## Beside other frameworks
#
# Three layers of the shapes that the papers use: the circuit of LCQHNN; four circuits side by side with five qubits
# and three layers each, as in HQNN-Parallel; and a circuit that slides over images, 2,450 patches a batch. All
# contenders compute the same function of the same circuit, gate for gate, and are shown to agree in values and
# gradients before any is timed. They take turns in one process on one thread, so that a busy machine is busy for all.
# PyTorch's linear layer of the same width is the exception: it computes something else, and shows how little time
# there is to be had.

# %% tags=["hide-input"]
record = records.measured("quantum_layer", kind="benchmark")
times = record.result["workloads"]
titles = [one["title"].replace("lcqhnn", "LCQHNN") for one in times.values()]
rows = []
for name in times["lcqhnn"]["median_ms"]:
    row = [name.replace("hqnn", "the quantum layer")]
    for one in times.values():
        taken, ours = one["median_ms"].get(name), one["median_ms"]["hqnn"]
        numbers = [taken, taken / ours] if taken else []
        row += [f"{float(f'{n:.3g}'):,g}" for n in numbers] or ["left out", ""]
    rows.append(row)
header = [text for title in titles for text in (title, "ratio")]
tables.table(
    ["program", *header],
    rows,
    caption="A training step of each circuit, forward and backward, in milliseconds, median over calls, and its ratio to the quantum layer's; batches of 64, in the last column of 2,450. *Recorded benchmark.*",
)

# %% [markdown]
# The second row is the same layer,
# made to carry the state of every sample. *Ratio* is to the quantum layer. What is left out would
# take more than 20 s a step:

# %% tags=["hide-input"]
for one in times.values():
    for name, reason in one["left_out"].items():
        print(f"{one['title']}: {name}: {reason}")
made = record.provenance
packages = [f"{name} {number}" for name, number in (made["versions"] | made["peers"]).items()]
print(f"\nMeasured on: {made['processor']}, {made['threads']} thread, {made['started'][:10]}")
print("\n".join(textwrap.wrap(", ".join(packages), 90)))

# %% [markdown]
# How much of a training step of a hybrid network is its quantum part? The networks LCQHNN and
# HQNN-Parallel [hqnn, fig. 4], with the batch of 64 images, loss and optimiser:

# %% tags=["hide-input"]
shares = record.result["share"]
rows = []
for name, label in {"lcqhnn": "LCQHNN", "entangling": "HQNN-Parallel"}.items():
    step, part = shares[name]["step_ms"], shares[name]["layer_ms"]
    rows.append([label, f"{step:.3g}", f"{part:.3g}", f"{100 * part / step:.1f}"])
tables.table(
    ["network", "whole step, ms", "quantum layer, ms", "share, %"],
    rows,
    caption="The quantum layer's share of a training step of 64 images, medians in milliseconds. *Recorded benchmark.*",
)

# %% [markdown]
# ## From 2 to 12 qubits
#
# The same comparison for a circuit that grows: features by RX, then two layers of free rotations and a ring of CNOTs.

# %% tags=["hide-input"]
scaling = record.result["scaling"]
colours = (
    figures.BLUE,
    figures.VERMILLION,
    figures.GREEN,
    figures.ORANGE,
    figures.PURPLE,
    figures.SKY,
)
figure, ax = plt.subplots()
for colour, (name, taken) in zip(colours, scaling["median_ms"].items(), strict=False):
    label = name.replace("hqnn", "the quantum layer")
    ax.plot(scaling["n_qubits"], taken, "o-", color=colour, label=label)
one_matrix = scaling["method"].count("matrix") + 1.5
ax.axvline(one_matrix, color=figures.GREY, linewidth=0.8, linestyle=":")
ax.set(yscale="log", xlabel="qubits", ylabel="milliseconds", xticks=scaling["n_qubits"])
ax.set_title("Forward and backward, batch of 64")
ax.legend()
figures.show(
    figure,
    alt=f"Line chart, logarithmic in time, of {len(scaling['median_ms'])} contenders from 2 to 12 qubits. The quantum layer is lowest throughout.",
    caption="Time of a step against the number of qubits. Left of the dotted line the quantum layer builds one matrix for all samples, right of it it carries every sample's state. *Recorded run.*",
)

# %% [markdown] tags=["remove-cell"]
# ## Checks
#
# What the project had set itself as targets, against the record:

# %% tags=["remove-cell"]
for name, target in (("lcqhnn", 50), ("entangling", 100), ("quanvolution", 40)):
    taken = times[name]["median_ms"]
    quicker = {peer: taken[peer] / taken["hqnn"] for peer in taken}
    print(f"{name}:")
    print(
        f"  {target} times faster than PennyLane:", quicker["PennyLane default.qubit"] >= target
    )
    print("  5 times faster than TensorCircuit:", quicker["TensorCircuit-NG"] >= 5)
for name, one in shares.items():
    print(f"{name}: under 5 % of a training step:", one["layer_ms"] < 0.05 * one["step_ms"])
