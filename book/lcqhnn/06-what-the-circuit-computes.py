# %% [markdown]
# # What the circuit computes
#
# Behind the [verdict](05-verdict.ipynb), the derivation: the circuit of the [first page](01-circuit.ipynb) has four outputs that can be
# written down as sums of eight products of sines and cosines. This page derives them by hand, compares them with the simulated circuit,
# counts what the four trained angles can change in them, and trains a small network whose features they must fit.
#
# *Run time: under a minute. Needs: only the repository, and from the reader the first page, of which it uses the phases $\delta_k = 2x_k$
# and the four generators $P_k = Z_0\cdots Z_{k-1}\,Y_k\,X_{k+1}$.*

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
import torch

from hqnn import QuantumLayer, experiments, figures, pages, runs, tables
from hqnn.claims import report
from hqnn.papers.lcqhnn import circular, closed_forms, model, studies
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import bloch, fourier, gradients

figures.style()
rng = np.random.default_rng(0)
features, theta = rng.uniform(-np.pi, np.pi, (500, 4)), np.array([2.2, 1.9, -0.8, 2.5])
pc, other = lcqhnn_circuit(), lcqhnn_circuit("product")
series = fourier.fourier_series(pc)

# %% [markdown]
# ## From the measurement backwards
#
# Instead of pushing the state forwards we can pull the measurement backwards. The output $\langle Z_k\rangle$ at the
# end is the expectation value, on the encoded product state $\psi_2$, of the operator $W^\dagger O_k W$. Here
# $W = \prod_k e^{-i\theta_k P_k/2}$ is the trainable block with its ladders, and $O_k$ is $Z_k$, except on qubit 0,
# where the last Hadamard gate turns $Z_0$ into $O_0 = X_0$. One rotation acts on one Pauli string $O$ by a simple
# rule:
#
# $$\begin{aligned}
# &e^{i\theta P/2}\, O\, e^{-i\theta P/2} \\
# &\quad= \begin{cases} O & \text{if } PO = OP,\\ \cos\theta\; O + i\sin\theta\; P\,O & \text{if } PO = -OP.\end{cases}
# \end{aligned}$$
#
# Two Pauli strings anticommute, $PO = -OP$, if an odd number of qubits carry two different ones of the matrices $X$, $Y$ and $Z$, and
# commute otherwise.
# So each output meets only some of the weights. Take $\langle Z_3\rangle$. With $P_2 = Z_0Z_1Y_2X_3$ and
# $P_3 = Z_0Z_1Z_2Y_3$ it anticommutes, with $P_0 = Y_0X_1$ and $P_1 = Z_0Y_1X_2$ it commutes, and
#
# $$\begin{aligned}
# W^\dagger Z_3 W ={}& \cos\theta_2\cos\theta_3\; Z_3 \\
# &+ i\sin\theta_2\cos\theta_3\; P_2Z_3 \\
# &+ i\cos\theta_2\sin\theta_3\; P_3Z_3 \\
# &- \sin\theta_2\sin\theta_3\; P_2P_3Z_3 .
# \end{aligned}$$
#
# On the encoded state a string has the value of the product of its letters, $1$ for $I$, $\cos\delta$ for $X$,
# $\sin\delta$ for $Y$ and $0$ for $Z$. The first three terms contain a $Z$. In the fourth,
# $P_2P_3 = (Y_2Z_2)(X_3Y_3) = (iX_2)(iZ_3)$, so that $-P_2P_3Z_3 = X_2$, and only this survives:
#
# $$\langle Z_3\rangle = \sin\theta_2\,\sin\theta_3\,\cos\delta_2 .$$
#
# The other outputs go the same way. $Z_2$ meets $P_1$ and $P_2$, and of four strings only $-P_1P_2Z_2 = X_1X_3$ is
# free of $Z$. $Z_1$ meets $P_0$ and $P_1$; two strings survive, $iP_0Z_1 = Y_0Y_1$ and $-P_0P_1Z_1 = X_0X_2$. $X_0$
# meets all four, and four of sixteen strings survive, $X_0$, $iP_1X_0 = -Y_0Y_1X_2$, $-P_0P_2X_0 = -Y_1Y_2X_3$ and
# $-P_1P_3X_0 = -X_0X_1Y_2Y_3$. Together, with $c_k$ and $s_k$ for $\cos\theta_k$ and $\sin\theta_k$,
#
# $$\begin{aligned}
# \langle Z_0\rangle ={}& c_0c_1c_2c_3\;\cos\delta_0 \\
# &- c_0s_1c_2c_3\;\sin\delta_0\sin\delta_1\cos\delta_2 \\
# &- s_0c_1s_2c_3\;\sin\delta_1\sin\delta_2\cos\delta_3 \\
# &- c_0s_1c_2s_3\;\cos\delta_0\cos\delta_1\sin\delta_2\sin\delta_3, \\
# \langle Z_1\rangle ={}& s_0c_1\;\sin\delta_0\sin\delta_1 + s_0s_1\;\cos\delta_0\cos\delta_2, \\
# \langle Z_2\rangle ={}& s_1s_2\;\cos\delta_1\cos\delta_3, \\
# \langle Z_3\rangle ={}& s_2s_3\;\cos\delta_2 .
# \end{aligned}$$
#
# That is the whole quantum part of the network. As code:

# %%
pages.source(closed_forms.outputs)

# %% [markdown]
# And against the circuit, as the book trains it: three lines make a layer that PyTorch can put inside any network.

# %%
layer = QuantumLayer(pc, dtype=torch.float64, method="state")
layer.weights.data = torch.from_numpy(theta)[None]
simulated = layer(torch.from_numpy(features)).detach().numpy()

formula_gap = np.abs(simulated - closed_forms.outputs(features, theta)).max()
print("500 random feature vectors: formula and simulation agree to 1e-12:", formula_gap < 1e-12)

# %% [markdown]
# The library does the same bookkeeping for any circuit. Here it writes out the [other reading](01-circuit.ipynb) of eq. 4 and 6, with the two
# ladders exchanged:

# %% tags=["hide-input"]
outputs = [rf"\langle Z_{k}\rangle" for k in range(4)]
tables.equations(outputs, fourier.closed_forms(other))

# %% [markdown]
# Without CNOTs each output is a single wave of its own feature:

# %% tags=["hide-input"]
separate = lcqhnn_circuit(entangle=False)
tables.equations(outputs, fourier.closed_forms(separate))

# %% [markdown]
# A sum of products of sines and cosines is a Fourier series. Each feature enters once, as $\delta = 2x$, so its
# frequency can be $-2$, $0$ or $2$, and there are $3^4 = 81$ frequency vectors $\omega$ at most ([Schuld et al.,
# 2021](../references.md)). The figure shows which of them occur:

# %% tags=["hide-input"]
circuits = {"in time": pc, "as operators": other, "without CNOTs": separate}
exact = {name: fourier.fourier_series(one) for name, one in circuits.items()}
figure, axes = plt.subplots(1, 2, figsize=(5.4, 3.4), width_ratios=(24, 5))
titles = {"in time": "the paper's circuit, read in time", "without CNOTs": "no CNOTs"}
for ax, (name, title) in zip(axes, titles.items(), strict=True):
    figures.spectrum(ax, *exact[name].spectrum(), [f"${z}$" for z in outputs]).set_title(title)
figures.show(
    figure,
    alt="Two tables of discs, outputs by frequencies. With CNOTs, the outputs of qubits 0 to 3 have 17, 4, 2 and 1 frequencies, none shared; without CNOTs each has that of its own feature.",
    caption="Frequencies of the four outputs, up to a common sign; below the line, the sign with which each feature enters ($\\pm2x_k$ or not at all). The area of a disc is the size of the coefficient, root mean square over all weights. Exact, from `hqnn.views.fourier`.",
)

# %% [markdown]
# No output has a constant term, so over evenly spread phases each averages to zero. What entanglement buys is
# products of features, such as $\cos\delta_1\cos\delta_3$, which no later linear layer could form.
#
# One property holds with and without CNOTs. In every term the number of sines is even, so all outputs stay the same
# when $x$ turns into $-x$: the circuit cannot tell a feature vector from its mirror image. The reason is that the
# phase gates are the only complex ones. Changing the sign of all phases conjugates the state, and all later gates and
# measurements are real.
#
# ## What four angles can do
#
# The paper counts the circuit as four parameters and sets it beside classical modules of as many. How many of the
# four matter? The formula shows which weight enters which output:

# %% tags=["hide-input"]
w = rng.uniform(0.3, 1.2, 4)
slopes = gradients.jacobian(pc, features, w)[..., pc.n_inputs :]  # [sample, output, weight]
rows = []
for k, output in enumerate(outputs):
    dots = ["●" if used else "" for used in np.abs(slopes[:, k]).max(axis=0) > 1e-12]
    rows.append([f"${output}$", *dots, np.linalg.matrix_rank(slopes[:, k])])
tables.table(
    ["output", *(rf"$\theta_{k}$" for k in range(4)), "independent"],
    rows,
    caption="Which output changes with which angle (dots), and in how many independent directions it can change as a function of $x$. *Computed on this page.*",
)

# %% [markdown]
# A dot means that the output changes with the weight. "Independent" counts in how many independent directions it can
# change *as a function of $x$* when the weights vary (the rank of its derivatives with respect to $\theta$ over many
# $x$). $\langle Z_2\rangle$ and $\langle Z_3\rangle$ depend on two weights each, but only through one number, the
# amplitude of a single product.
#
# And amplitudes are what the trained linear layer behind the circuit has of its own. With output weights
# $v_0,\dots,v_3$ and a bias, what decides between the classes is the difference of the two scores, one function
# $f(x) = v_0\langle Z_0\rangle + \dots + v_3\langle Z_3\rangle + \text{bias}$. The layer alone, with frozen angles,
# spans five directions. How many do the angles add?

# %% tags=["hide-input"]
v = rng.normal(size=4)
spanned = {n: closed_forms.directions(one, features, w, v) for n, one in circuits.items()}
added = {name: both - alone for name, (alone, both) in spanned.items()}
rows = [[name, *spanned[name], added[name]] for name in circuits]
tables.table(
    ["circuit", "layer alone", "layer and angles", "angles add"],
    rows,
    caption="In how many independent directions the difference of the two scores can change, if the linear layer alone is trained and if the angles are, too. *Computed on this page.*",
)

# %% [markdown]
# Of the four angles of the circuit, three do something that the next layer could not do anyway. The formula shows the
# missing one: in $f$, the angles $\theta_0$ and $\theta_2$ enter only through $\tan\theta_0\tan\theta_2$, up to
# factors that the $v_k$ absorb. Here are two circuits with different angles and one and the same score:

# %%
rescaled, u = closed_forms.same_score(v, w, 0.5)
score_gap = np.abs(series(features, w) @ v - series(features, u) @ rescaled).max()
print("the two networks have the same score, to 1e-12:", score_gap < 1e-12)
pages.source(closed_forms.same_score)

# %% [markdown]
# Without CNOTs the angles add nothing at all: each is an amplitude, and the circuit is a complicated way to write
# $\cos\delta_k$. What the entangled circuit gives the network is a fixed list of eight products of sines and cosines,
# whose coefficients can be set in seven independent ways by three effective angles and four output weights. A
# classical program evaluates them in a few lines (above). Whether those products help to classify images is an
# empirical question; the [ablations](05-verdict.ipynb) answer it.
#
# ## The same code, live
#
# Everything above rests on code that also runs here and now: a small hybrid network trained for a few epochs on
# scikit-learn's handwritten digits 0 and 1, its features, and the formula. Inside the network the circuit is one line
# of three:

# %%
pages.source(model.Lcqhnn.forward)

# %%
config = experiments.get("lcqhnn-mnist").quick["lcqhnn"]
outcome = runs.execute(config, seed=0)
live = studies.encoded(config, outcome.weights(config.epochs))
measured = bloch.bloch_vectors(pc, live.features, live.weights, stage="ψ6")
live_gap = np.abs(measured[..., 2] - series(live.features, live.weights)).max()
rejected = circular.kuiper_p(2 * live.features) < 1e-3
print("test accuracy above 0.9:", outcome.history["test_accuracy"][-1] > 0.9)
print("z components at the end are the formula's outputs:", live_gap < 1e-12)
print("Kuiper's test excludes uniform phases on every qubit:", rejected.all())

# %% [markdown]
# ## In short
#
# - The circuit computes eight products of sines and cosines. Of its four angles, three change what the network can
#   compute. Without the CNOTs none does.
# - In all outputs the number of sines is even: a feature vector and its mirror image give the same.

# %% [markdown]
# ## Exercises
#
# **Try it** (the rocket at the top opens the page in Colab): in the cell that compares formula and simulation, set `theta` to zeros and run on. Do they still agree?
#
# 1. The outputs do not change if all features change their signs. Which single change of the embedding would end that?

# %% tags=["hide-input"]
rng_here = np.random.default_rng(1)
some, angles = rng_here.uniform(-1, 1, (100, 4)), rng_here.uniform(0, 2 * np.pi, 4)
even = np.abs(series(some, angles) - series(-some, angles)).max()
shifted = np.abs(series(np.pi / 8 + some, angles) - series(np.pi / 8 - some, angles)).max()
pages.solution(
    r"A constant in the angle, $\delta_k = 2x_k + \pi/4$: then $x$ and $-x$ no longer give conjugate phases. The largest "
    f"difference between the outputs for $x$ and $-x$ is zero without the constant (checked: {even < 1e-12}), and "
    f"{shifted:.1f} with it."
)

# %% [markdown]
# 2. An image outside the training data has a feature that is larger by $\pi$ than any in training. What does the circuit answer, and what would a dense layer do?

# %% tags=["hide-input"]
moved = series(some + np.array([np.pi, 0, 0, 0]), angles)
pages.solution(
    r"The feature enters as $2x$, so the circuit has the period $\pi$: it answers as if nothing had happened "
    f"(checked: {np.allclose(moved, series(some, angles))}). A dense layer goes on in the same direction."
)

# %% [markdown]
# 3. In how many of the eight products does the feature $x_3$ occur? Which readout weights must not be zero for the network to see it?
#
# <details>
# <summary>Solution</summary>
#
# In three: the third and the fourth of $\langle Z_0\rangle$, and that of $\langle Z_2\rangle$. So $v_0$ or $v_2$ must not be zero. In the third product of $\langle Z_0\rangle$ and in that of $\langle Z_2\rangle$ it stands in a cosine, in the fourth in a sine.
#
# </details>
#
# ## The claims
#
# Whether the formula does in training what the circuit does, and what else could, was asked [separately](../in-its-place.ipynb). The rows of
# the [ledger](../scoreboard.ipynb):

# %% tags=["remove-input"]
report.in_short("L15")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert formula_gap < 1e-12 and score_gap < 1e-12 and live_gap < 1e-12
start = bloch.bloch_vectors(pc, live.features, live.weights, stage="ψ2")
assert np.abs(start[..., 2]).max() < 1e-12 and np.abs(bloch.lengths(start) - 1).max() < 1e-12
assert np.abs(series(features, theta) - series(-features, theta)).max() < 1e-12
assert all(one.input_frequencies.any(axis=1).all() for one in exact.values())
print("encoded qubits lie on the equator, the outputs are even in x, without constant: holds")
assert list(added.values()) == [3, 3, 0]
print("three effective angles, none without CNOTs: holds")
