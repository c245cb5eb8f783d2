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
import json
import textwrap
import time

import matplotlib.pyplot as plt
import numpy as np
import torch

from hqnn import figures, storage, tables
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import fourier
from hqnn.views.layer import QuantumLayer

figures.style()
pc = lcqhnn_circuit()

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
series = fourier.fourier_series(pc)
rng = np.random.default_rng(0)
x, w = rng.uniform(-np.pi, np.pi, (64, 4)), rng.uniform(0, 2 * np.pi, 4)

matrix = np.einsum("v,fvo->fo", np.exp(1j * series.weight_frequencies @ w), series.coefficients)
waves = np.exp(1j * x @ series.input_frequencies.T)
outputs = (waves @ matrix).real

layer = QuantumLayer(pc, dtype=torch.float64)
layer.weights.data = torch.from_numpy(w)[None]
gap = np.abs(outputs - layer(torch.from_numpy(x)).detach().numpy()).max()
print("waves x outputs:", matrix.shape)
print("three lines and layer agree to 1e-12:", gap < 1e-12)

# %% [markdown]
# A series grows quickly with the number of weights. With more of them the layer stops one step earlier, at the
# amplitudes: the waves of the features times a weight-dependent matrix give the state of every sample, and the
# squares of its amplitudes the outputs. The circuit may be of any shape; where weights act before features, or above
# six qubits, the layer does carry the state of every sample along, but in few large steps: commuting rotations are
# one multiplication in the basis in which they are all diagonal. The layer chooses among the three by the shape of
# the circuit, and each of them can be asked for:

# %%
results, layers = {}, {}
for method in ("fourier", "matrix", "state"):
    layers[method] = QuantumLayer(pc, dtype=torch.float64, method=method)
    layers[method].weights.data = torch.from_numpy(w)[None]
    results[method] = layers[method](torch.from_numpy(x)).detach().numpy()
print("chosen for this circuit:", layer.method)
print("all three agree to 1e-12:", max(np.ptp(list(results.values()), axis=0).max(), 0) < 1e-12)

# %% [markdown]
# How long the three take here and now, forward and backward for a batch of 64:

# %% tags=["hide-input"]
inputs = torch.from_numpy(x).requires_grad_()
milliseconds = {}
for method, one in layers.items():
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        one(inputs).sum().backward()
        taken.append(1e3 * (time.perf_counter() - start))
    milliseconds[method] = np.median(taken)
figure, ax = plt.subplots(figsize=(7.2, 1.8))
ax.barh(list(milliseconds), list(milliseconds.values()), color=figures.BLUE)
ax.invert_yaxis()
ax.set(
    xlabel="milliseconds, forward and backward, batch of 64", title="One circuit, three methods"
)
figures.show(
    figure,
    alt="Three horizontal bars, one for each method.",
    caption="Median time of the lcqhnn circuit by each method, *measured by this page on the machine that ran it.*",
)

# %% [markdown]
# ## Beside other frameworks
#
# Three layers of the shapes that the papers use: the circuit of [lcqhnn]; four circuits side by side with five qubits
# and three layers each, as in the next paper; and a circuit that slides over images, 2,450 patches a batch. All
# contenders compute the same function of the same circuit, gate for gate, and are shown to agree in values and
# gradients before any is timed. They take turns in one process on one thread, so that a busy machine is busy for all.
# PyTorch's linear layer of the same width is the exception: it computes something else, and shows how little time
# there is to be had.

# %% tags=["hide-input"]
record = json.loads((storage.DATA / "benchmarks" / "quantum_layer.json").read_text())
work = record["workloads"].values()
rows = []
for name in record["workloads"]["lcqhnn"]["median_ms"]:
    cells = []
    for one in work:
        taken, ours = one["median_ms"].get(name), one["median_ms"]["hqnn"]
        pair = [f"{float(f'{x:.3g}'):,g}" for x in (taken, taken / ours)] if taken else None
        cells += pair or ["left out", ""]
    rows.append([name, *cells])
tables.table(
    ["milliseconds a step", *(c for one in work for c in (one["title"], "ratio to hqnn"))], rows
)

# %% [markdown]
# *Recorded run. Median over calls; forward and backward; batch of 64, the last column 2,450.* `hqnn, method 'state'`
# is this project's own layer, made to carry the state of every sample. What is left out would take more than 20 s a
# step:

# %%
for one in work:
    for name, reason in one["left_out"].items():
        print(f"{one['title']}: {name}: {reason}")
made = record["provenance"]
packages = [
    f"{name} {number}" for name, number in {**made["versions"], **made["peers"]}.items()
]
print(f"\nMeasured on: {made['processor']}, {made['threads']} thread, {made['started'][:10]}")
print("\n".join(textwrap.wrap(", ".join(packages), 90)))

# %% [markdown]
# How much of a training step of a hybrid network is its quantum part? The network of [lcqhnn], and the one of the
# next paper [hqnn, fig. 4], with the batch of 64 images, loss and optimiser:

# %% tags=["hide-input"]
rows = [
    [
        {"lcqhnn": "lcqhnn", "entangling": "HQNN-Parallel"}[name],
        f"{one['step_ms']:.3g}",
        f"{one['layer_ms']:.3g}",
        tables.percent(one["layer_ms"] / one["step_ms"], 1),
    ]
    for name, one in record["share"].items()
]
tables.table(["network around", "whole step, ms", "quantum layer, ms", "share, %"], rows)

# %% [markdown]
# ## From 2 to 12 qubits
#
# The same comparison for a circuit that grows: features by RX, then two layers of free rotations and a ring of CNOTs.

# %% tags=["hide-input"]
scaling = record["scaling"]
figure, ax = plt.subplots()
styles = {
    "hqnn": figures.BLUE,
    "PennyLane default.qubit": figures.VERMILLION,
    "TensorCircuit-NG": figures.GREEN,
}
for name, colour in styles.items():
    ax.plot(scaling["n_qubits"], scaling["median_ms"][name], "o-", color=colour, label=name)
ax.axvline(
    scaling["method"].count("matrix") + 1.5, color=figures.GREY, linewidth=0.8, linestyle=":"
)
ax.set(yscale="log", xlabel="qubits", ylabel="milliseconds", xticks=scaling["n_qubits"])
ax.set_title("Forward and backward, batch of 64")
ax.legend()
figures.show(
    figure,
    alt="Line chart, logarithmic in time, of three contenders from 2 to 12 qubits. hqnn is lowest throughout.",
    caption="Time of a step against the number of qubits. Left of the dotted line hqnn builds one matrix for all "
    "samples, right of it it carries every sample's state. *Recorded run.*",
)

# %% [markdown] tags=["remove-cell"]
# ## Checks
#
# What the project had set itself as targets, against the record:

# %% tags=["remove-cell"]
for name, target in (("lcqhnn", 50), ("entangling", 100), ("quanvolution", 40)):
    times = record["workloads"][name]["median_ms"]
    print(f"{name}:")
    print(
        f"  {target} times faster than PennyLane:",
        times["PennyLane default.qubit"] >= target * times["hqnn"],
    )
    print(
        "  5 times faster than TensorCircuit:", times["TensorCircuit-NG"] >= 5 * times["hqnn"]
    )
for name, one in record["share"].items():
    print(f"{name}: under 5 % of a training step:", one["layer_ms"] < 0.05 * one["step_ms"])
