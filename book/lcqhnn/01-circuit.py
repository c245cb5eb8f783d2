# %% [markdown]
# # The circuit
#
# > **Claimed.** A hybrid network with a circuit of four qubits learns faster than small convolutional networks, and ends up to five
# > points higher.
# >
# > **Found.** The hybrid's accuracies are near the printed ones. Those of its rivals end within a fifth of a point of them, far above what
# > is printed for FashionMNIST, and pass the paper's thresholds at least as quickly: no lead of the printed size is there. One lead is: on
# > MNIST the hybrid is the first to get every test image right.
# >
# > **Why.** The printed rival is slow in a way that no reading of the text gives. The circuit is a sum of eight products of sines and
# > cosines, and without it the network ends within half a point of the same accuracy.
# >
# > **How sure.** Ten seeds of every model, paired; on FashionMNIST the printed leads are far outside our intervals. On MNIST's digits 0 and 1
# > all networks are at the ceiling: no lead of a fifth of a point is possible there.
# >
# > [The training runs](02-training.ipynb) · [the verdict](05-verdict.ipynb) · [the circuit, to touch](../live/circuit.md)

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
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from qiskit.quantum_info import Operator, Statevector

from hqnn import experiments, figures, pages, records, tables
from hqnn.claims import report
from hqnn.papers.lcqhnn import closed_forms
from hqnn.papers.lcqhnn import figures as lcqhnn_figures
from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
from hqnn.views import bloch, fourier

figures.style()

# %% tags=["remove-input"]
steps = lcqhnn_figures.stages(experiments.config("lcqhnn-mnist/lcqhnn"))
figures.show(
    figures.pipeline(steps),
    alt=figures.described(steps),
    caption="LCQHNN from an image to the scores of two classes, with the shapes and sizes of the network that this book trains on MNIST. Orange is what takes data, blue what is trained.",
)

# %% [markdown]
# At the heart of the first paper stands a circuit of four qubits with four trainable angles. This page draws it,
# writes down its state after every step, and looks at where the features of real images lie on the Bloch sphere. The explicit formula
# of what it computes has [a page of its own](06-what-the-circuit-computes.ipynb). It reproduces eq. 2–7 and figures 2 and 3 of the
# [paper](../references.md), cited as lcqhnn (claims L1 to L3).
#
# *Run time: under a minute. Needs: only the repository, and from the reader the [primer](../primer.md). Features of
# MNIST and FashionMNIST images come from recorded networks.*
#
# ## Six steps
#
# A convolutional network turns an image into four numbers, the *features* $x_0, \dots, x_3$. The circuit takes them
# in as angles. In the paper's words [lcqhnn, eq. 2–7], every qubit starts in $|0\rangle$, and then come
#
# 1. a Hadamard gate $H$ on every qubit, which leads to the state $\psi_1$;
# 2. a phase gate $U_1(\delta_i)$ with $\delta_i = 2 x_i$ on qubit $i$: the data, $\psi_2$;
# 3. three CNOT gates, from qubit 0 to 1, from 1 to 2, from 2 to 3: the *ladder*, $\psi_3$;
# 4. a rotation $R_Y(\theta_i)$ on qubit $i$, whose angles are the trained weights, $\psi_4$;
# 5. the three CNOT gates in reverse order, $\psi_5$;
# 6. one more Hadamard gate, on qubit 0, $\psi_6$.

# %% tags=["hide-input"]
pc = lcqhnn_circuit()
figure, ax = plt.subplots(figsize=(5.4, 5.4))
figures.circuit_drawing(ax, pc.circuit, fold=8)
figures.show(
    figure,
    alt="Circuit of four qubits, on two lines. From the left: H on each; U1 of 2x on each; CNOTs from 0 to 1, 1 to 2 and 2 to 3; RY of theta on each; CNOTs from 2 to 3, 1 to 2 and 0 to 1; H on qubit 0. Vertical bars mark the states psi 1 to psi 6.",
    caption="The circuit of eq. 2–7 as the text describes it, drawn by Qiskit from `lcqhnn_circuit` below. Orange gates take data, blue gates are trained, white and black ones are fixed.",
)

# %% [markdown]
# Then each qubit is measured. The outputs are the four expectation values
# $\langle Z_0\rangle, \dots, \langle Z_3\rangle$. How four of them become scores of two classes the paper does not
# say; in this book a small trained linear layer does it, unless a page says otherwise. (The paper counts features
# from 1 to 4 and qubits from 0 to 3. Here everything is counted from 0.) The same in Qiskit, where barriers name the
# six states:

# %%
pages.source(lcqhnn_circuit)

# %% [markdown]
# ## The state after every step
#
# Six printed states are six chances to check that we have built the same circuit. Let $b = (b_0, b_1, b_2, b_3)$ be
# the bits of a basis state, $b_i$ that of qubit $i$, and $|b\rangle$ the state itself (written in Qiskit's order,
# $|b_3 b_2 b_1 b_0\rangle$).
#
# **After the Hadamard gates** [eq. 2] all sixteen amplitudes are equal, and **after the phase gates** [eq. 3] each
# has collected the phase $\delta_i$ of every bit that is 1:
#
# $$\begin{aligned}
# |\psi_1\rangle &= \tfrac14\sum_b |b\rangle, \\
# |\psi_2\rangle &= \tfrac14\sum_b e^{i\delta\cdot b}\,|b\rangle .
# \end{aligned}$$
#
# **The ladder** [eq. 4] moves amplitudes about. A CNOT adds the control's bit to the target's, modulo 2. The first
# replaces $b_1$ by $b_0\oplus b_1$, the second adds *that* to $b_2$, and so on: qubit $k$ ends with the parity of all
# bits up to its own,
#
# $$\begin{aligned}
# s_k(b) &= b_0\oplus b_1\oplus\dots\oplus b_k, \\
# |\psi_3\rangle &= \tfrac14\sum_b e^{i\delta\cdot b}\,|s(b)\rangle .
# \end{aligned}$$
#
# **The rotations** [eq. 5] act on each bit with the matrix $r(\theta)$ of $R_Y(\theta)$. The amplitude of a basis
# state $t$ becomes a sum over all paths that lead to it:
#
# $$\begin{aligned}
# |\psi_4\rangle &= \sum_t a(t)\,|t\rangle, \\
# a(t) &= \tfrac14\sum_b e^{i\delta\cdot b}\prod_k r_{t_k\,s_k(b)}(\theta_k), \\
# r(\theta) &= \begin{pmatrix}\cos\frac\theta2&-\sin\frac\theta2\\ \sin\frac\theta2&\cos\frac\theta2\end{pmatrix}.
# \end{aligned}$$
#
# **The ladder back up** [eq. 6] undoes the relabelling, so the amplitude of $b$ is now that of $s(b)$ before. **The
# last Hadamard gate** [eq. 7] adds and subtracts the amplitudes of the two states that differ in $b_0$ only:
#
# $$\begin{aligned}
# |\psi_5\rangle ={}& \sum_b a(s(b))\,|b\rangle, \\
# |\psi_6\rangle ={}& \sum_{b} \tfrac1{\sqrt2}\Big[a\big(s(0, b_1, b_2, b_3)\big) \\
# &\quad + (-1)^{b_0}\, a\big(s(1, b_1, b_2, b_3)\big)\Big]\,|b\rangle .
# \end{aligned}$$
#
# The six formulas as code, with $\theta$ and $x$ as arrays of four numbers:

# %%
pages.source(closed_forms.states)

# %% [markdown]
# For one choice of features and weights, beside the states from Qiskit, which applies one gate after another:

# %%
x, theta = np.array([0.3, 0.9, -0.5, 1.2]), np.array([2.2, 1.9, -0.8, 2.5])
psi = closed_forms.states(x, theta)
values = dict(zip([*pc.inputs, *pc.weights], [*x, *theta], strict=True))
state_gap = {}
for name, part in pc.stages().items():
    state = Statevector(part.assign_parameters(values, strict=False))
    state_gap[name] = np.abs(state.data - psi[name]).max()
    print(f"{name}: formula and state agree to 1e-12:", state_gap[name] < 1e-12)

# %% tags=["hide-input"]
figure, axes = plt.subplots(3, 2, figsize=(5.4, 6.4), sharex=True, sharey=True)
after = ["H", "U₁", "the ladder", "RY", "ladder back", "H on qubit 0"]
for ax, name, step in zip(axes.T.flat, psi, after, strict=True):
    figures.amplitudes(ax, psi[name]).set_title(f"{name}, after {step}")
figure.supylabel("modulus of the amplitude", fontsize=10)
figures.phase_scale(figure, axes)
figures.show(
    figure,
    alt="Six bar charts of sixteen amplitudes. In psi 1 to 3 all have height one quarter, and phases differ from psi 2 on; from psi 4 on heights differ, and psi 5 is a permutation of psi 4.",
    caption="The six states for one choice of features and weights. Height is the modulus, colour the phase. Data enter as phases only; it takes the rotations to turn them into probabilities.",
)

# %% [markdown]
# Two things can be read off. The data never touch the moduli before the rotations: measured at $\psi_2$ or $\psi_3$,
# every outcome would have probability 1/16, whatever the image. And the ladders only permute amplitudes, so they
# create no new numbers; they decide which amplitudes the rotations mix.

# %% [markdown]
# ## One formula, two readings
#
# The paper prints the ladders as products [lcqhnn, eq. 4 and 6],
#
# $$\begin{aligned}
# |\psi_3\rangle &= CX_{0,1}\cdot CX_{1,2}\cdot CX_{2,3}\,|\psi_2\rangle, \\
# |\psi_5\rangle &= CX_{2,3}\cdot CX_{1,2}\cdot CX_{0,1}\,|\psi_4\rangle .
# \end{aligned}$$
#
# An operator product acts from the right, so the gate next to the state comes first: $CX_{2,3}$ in eq. 4. The text
# says otherwise: the second ladder begins with qubit 3, and its gates come "in the opposite order" of the first. So
# there are two readings: *in time*, left to right, as the words have it, and *as operators*, as the symbols have it.
# Our ladder $C$ is the first. The second ladder, $\tilde C$, starts at the bottom, where every control still has its
# own bit:
#
# $$\begin{aligned}
# C:\ & b_k \to b_0\oplus\dots\oplus b_k, \\
# \tilde C:\ & b_k \to b_{k-1}\oplus b_k .
# \end{aligned}$$
#
# Prefix sums and differences undo each other, hence $\tilde C = C^{-1} = C^\dagger$. The two readings are one circuit
# with its two ladders exchanged: $\psi_1$ and $\psi_2$ are the same, in both readings eq. 6 undoes eq. 4, and
# whatever lies between differs.

# %%
other = lcqhnn_circuit("product")
ladder, other_ladder = (Operator(closed_forms.ladder(order)) for order in ("time", "product"))
exchanged = ladder.adjoint() == other_ladder
print("eq. 4 read as operators is the inverse of eq. 4 read in time:", exchanged)

# %%
rng = np.random.default_rng(0)
features = rng.uniform(-np.pi, np.pi, (500, 4))
series, of_other = fourier.fourier_series(pc), fourier.fourier_series(other)
gaps = {}
for name, angles in {"θ = 0": np.zeros(4), "the θ above": theta}.items():
    gaps[name] = np.abs(series(features, angles) - of_other(features, angles)).max()
    print(f"largest difference between the outputs for {name}: {gaps[name]:.2f}")

# %% [markdown]
# The readings agree where no rotation stands between the ladders, and are different functions otherwise. The rest of
# this page follows the text, and says what would be different under the other reading. (The sentence above eq. 6
# names qubits 3, 2 and 1 as the *controls* of the second ladder. By the paper's own definition of $CX_{i,j}$ they are
# the targets. Taken literally, the second ladder would run upside down and would not undo the first.)

# %% [markdown]
# ## Does the second ladder cancel the first?
#
# The paper says that it "can be seen as an effect of 'canceling'" the first. With all $\theta_i = 0$ nothing stands
# between them, and it is exactly so: $\psi_5 = \psi_2$. With rotations in between they sandwich them:
# $C^\dagger R\,C$. What this does is easiest to see on the *generator* of each rotation.
# $R_Y(\theta_k) = e^{-i\theta_k Y_k/2}$ turns about $Y$ on qubit $k$, and
#
# $$\begin{aligned}
# C^\dagger\, e^{-i\theta_k Y_k/2}\, C &= e^{-i\theta_k P_k/2}, \\
# P_k &= C^\dagger\, Y_k\, C .
# \end{aligned}$$
#
# A CNOT copies an $X$ from control to target and a $Z$ from target to control. Pushing $Y_k = iX_kZ_k$ through the
# ladder gives $X_k \to X_kX_{k+1}$ (flipping a parity means flipping two neighbouring bits) and
# $Z_k\to Z_0\cdots Z_k$ (a parity's sign is the product of the signs), together
#
# $$P_k = Z_0\cdots Z_{k-1}\,Y_k\,X_{k+1},$$
#
# with no $X$ behind the last qubit. Qiskit's Clifford calculus agrees (one letter per qubit, qubit 0 last, so that
# `IIXY` is $Y_0X_1$):

# %% tags=["hide-input"]
columns = [closed_forms.generators(order).to_labels() for order in ("time", "product")]
y = ["IIIY", "IIYI", "IYII", "YIII"]
rows = [[rf"$\theta_{k}$", *labels] for k, labels in enumerate(zip(y, *columns, strict=True))]
tables.table(
    ["angle", "without ladders", "in time", "as operators"],
    rows,
    caption="The generator $P_k$ of each trained rotation as a Pauli string, qubit 0 last: alone, between the ladders in time, and between the ladders as operators. *Exact.*",
)

# %% [markdown]
# So the ladders do not cancel. They turn four rotations of one qubit each into four rotations of up to four qubits at
# once. That is all they do: *data, then four commuting multi-qubit rotations, then a measurement* is the whole
# circuit. That the $P_k$ commute needs no calculation, because the $Y_k$ do. A consequence: repeating the trainable
# block is pointless,
#
# $$\big(C^\dagger R(\theta')\,C\big)\big(C^\dagger R(\theta)\,C\big) = C^\dagger R(\theta + \theta')\,C ,$$
#
# two layers are one with the angles added. A deeper circuit of this kind has more gates, more noise and not one more
# function.

# %%
deep, w = lcqhnn_circuit(n_layers=3), rng.uniform(0, 2 * np.pi, (3, 4))
three = dict(zip([*deep.inputs, *deep.weights], [*x, *w.ravel()], strict=True))
one = dict(zip([*pc.inputs, *pc.weights], [*x, *w.sum(axis=0)], strict=True))
state_of_three = Statevector(deep.circuit.assign_parameters(three))
state_of_one = Statevector(pc.circuit.assign_parameters(one))
layer_gap = np.abs(state_of_three.data - state_of_one.data).max()
print("three layers are one with summed angles, to 1e-12:", layer_gap < 1e-12)

# %% [markdown]
# ## On the Bloch sphere
#
# Figure 3 of the paper shows single qubits on Bloch spheres. After the encoding they are said to be "uniformly
# distributed on the equatorial plane"; after the rotations their place on the sphere is up to $\theta$. The first is
# a statement about the data as well as the circuit, so it needs real features. Let us first see what the circuit
# alone can do.
#
# Qubit $k$ has the Bloch vector $\mathbf r_k = (\langle X_k\rangle, \langle Y_k\rangle, \langle Z_k\rangle)$. If the
# qubit is entangled with others, $\mathbf r_k$ is still defined, but its length is below 1: the qubit has no state of
# its own. **After the encoding** there is no entanglement yet, and
#
# $$\mathbf r_k = (\cos\delta_k,\ \sin\delta_k,\ 0),$$
#
# a point on the equator, for any data. **After the ladder**, $X_k$ measures what $X_kX_{k+1}$ measured before, and so
# on as in the last section. On the encoded state $\langle X\rangle = \cos\delta$, $\langle Y\rangle = \sin\delta$,
# and $\langle Z\rangle = 0$, which kills every string that contains a $Z$:
#
# $$\begin{aligned}
# \mathbf r_0 &= (\cos\delta_0\cos\delta_1,\ \sin\delta_0\cos\delta_1,\ 0), \\
# \mathbf r_1 &= (\cos\delta_1\cos\delta_2,\ 0,\ 0), \\
# \mathbf r_2 &= (\cos\delta_2\cos\delta_3,\ 0,\ 0), \\
# \mathbf r_3 &= (\cos\delta_3,\ 0,\ 0).
# \end{aligned}$$
#
# The circle has collapsed. Qubit 0 fills a disc inside the equator; the other three live on a line, the $x$ axis.
# What was the phase of these qubits is not lost, but it is no longer theirs: it sits in correlations, which no Bloch
# sphere shows. **The rotations** turn each ball about its $y$ axis by $\theta_k$ and leave lengths as they are. In a
# picture, for phases drawn evenly from the circle, the case that the paper describes:

# %% tags=["hide-input"]
steps = {"after the encoding": "ψ2", "after the ladder": "ψ3", "after RY": "ψ4"}
even = rng.uniform(0, np.pi, (256, 4))
vectors = {n: bloch.bloch_vectors(pc, even, theta, stage=k) for n, k in steps.items()}
sphere = {"projection": "3d"}
figure, axes = plt.subplots(3, 4, figsize=(5.4, 5.0), subplot_kw=sphere)
figures.bloch_grid(axes, vectors)
figures.show(
    figure,
    alt="Twelve Bloch spheres, three steps by four qubits. Points form the equator after the encoding, a disc on qubit 0 and lines on the others after the ladder; after RY these are tilted.",
    caption="256 feature vectors with evenly spread phases, simulated. Entangling shrinks the equator to a disc (qubit 0) and to lines (qubits 1 to 3); the rotations tilt them. Nothing is spread over the surface of a sphere.",
)

# %% [markdown]
# The closed forms hold for every single vector, and they contain the paper's remark that "a uniform distribution does
# not mean that there is no specific entanglement": the length of the vectors shows it. For evenly spread phases
# $|\cos\delta|$ is $2/\pi$ in the mean, so mean lengths of $2/\pi$ and $4/\pi^2$ are to be expected. (With eq. 4 read
# as operators, $\mathbf r_k$ contains the product of *all* cosines from $\delta_k$ to $\delta_3$, on qubit 0 from
# $\delta_1$ on: the same lines and disc, and shorter vectors still.)

# %%
ladder_gap = np.abs(vectors["after the ladder"] - closed_forms.bloch_after_ladder(even)).max()
print("Bloch vectors and closed forms agree to 1e-12:", ladder_gap < 1e-12)
print(
    "mean lengths, qubit 0 to 3:", bloch.lengths(vectors["after the ladder"]).mean(0).round(2)
)

# %% [markdown]
# Even without entanglement a fixed $R_Y(\theta)$ could only tilt the equator into another great circle. A spread over
# the whole sphere needs either many values of $\theta$ in one picture or data of another kind.
#
# ### Where real features lie
#
# For real features we take the recorded networks of this book: trained on MNIST and FashionMNIST as in the paper, ten
# seeds each (next page). The recorded measurement `lcqhnn-bloch` holds the circuit's inputs $x$ for test images that the
# networks never trained on. The figure shows the encoded phases $\delta_k = 2x_k$ of each qubit as seen from the
# north pole, one dot per image.

# %% tags=["hide-input"]
recorded = records.measured("lcqhnn-bloch")
mnist, fashion = recorded.data["mnist"], recorded.data["fashion"]
shown = {"MNIST, untrained": mnist["untrained"], "MNIST, trained": mnist["trained"]}
shown["FashionMNIST, trained"] = fashion["trained"]
phases = {
    n: (2 * np.array(net["features"]), np.array(net["labels"])) for n, net in shown.items()
}

# %% tags=["hide-input"]
figure, axes = plt.subplots(3, 4, figsize=(5.4, 5.0), subplot_kw={"projection": "polar"})
figures.phase_grid(axes, phases)
figures.show(
    figure,
    alt="Twelve circles with the phases of 256 images. Untrained, all dots of a qubit sit near 0. Trained, they form one cluster, or the two classes sit at opposite angles, near 0 and pi.",
    caption="Encoded phases of 256 test images, in one recorded network per row (seed 0). Inner ring: first class (digit 0, trouser); outer ring: second class (digit 1, shirt). The arrow is the mean of the unit vectors; for evenly spread phases it would have almost no length.",
)

# %% [markdown]
# The equator, yes; uniformly, no. In a fresh network the features are small numbers, and all images sit on nearly the
# same spot. In a trained one they form tight clusters. Two numbers say how far from uniform that is. The *resultant
# length* $R$ is the length of the arrow: 0 for an even spread, 1 if all phases are equal. It is blind to two opposite
# clusters, so we add *Kuiper's distance* $V$, the largest excess plus the largest deficit of the distribution
# function against the uniform one: also 0 for an even spread, 1 for a single point, but 1/2 for two opposite points.
# With it comes Kuiper's test of the hypothesis that the phases are uniform and independent. On qubits 1 and 2 of the
# second row the classes sit opposite each other: the arrow is short, and Kuiper's distance shows it all the same. Over
# all networks:

# %% tags=["hide-input"]
keys = ["resultant-length", "kuiper-distance", "not-uniform", "abs-cosine"]
names, rows = {"mnist": "MNIST", "fashion": "FashionMNIST"}, []
for name, stage in product(names, ("untrained", "trained")):
    found = [recorded.result[f"{name}/{stage}/{key}"] for key in keys]
    rows.append([f"{names[name]}, {stage}", *(f"{value:z.2f}" for value in found)])
header = ["$R$", "$V$", "share rejected", r"mean of $\lvert\cos\delta\rvert$"]
tables.table(
    ["network", *header],
    rows,
    caption="How far from uniform the encoded phases are: resultant length $R$, Kuiper's distance $V$, the share of qubits for which Kuiper's test excludes uniform phases at $p < 0.001$, and the mean of $\\lvert\\cos\\delta\\rvert$; means over all test images, four qubits and ten seeds, with the 95 % interval over seeds. *Recorded networks.*",
)

# %% [markdown]
# Uniform phases would give values near 0 for $R$ and $V$, and $2/\pi \approx 0.64$ for the mean of $|\cos\delta|$.
#
# There is a pattern in the clusters. Most sit near $\delta = 0$ and $\delta = \pi$, where $|\cos\delta| = 1$. The
# [formula](06-what-the-circuit-computes.ipynb) explains why a network would want to go there: its outputs are sums of products of sines
# and cosines of $\delta$, and the products of cosines are largest there, which sets the scores of the two classes
# furthest apart. It has a side effect. At these two angles the encoded qubit is in the state $|+\rangle$ or
# $|-\rangle = (|0\rangle \pm |1\rangle)/\sqrt2$, and a CNOT turns any product of these into another one: *no
# entanglement arises*. Such a network has moved its data to where the ladder merely exchanges product states. On the
# spheres:

# %% tags=["hide-input"]
x, w, digits = (np.array(mnist["trained"][key]) for key in ("features", "weights", "labels"))
vectors = {n: bloch.bloch_vectors(pc, x, w, stage=k) for n, k in steps.items()}
figure, axes = plt.subplots(3, 4, figsize=(5.4, 5.0), subplot_kw=sphere)
figures.bloch_grid(axes, vectors, digits)
figures.show(
    figure,
    alt="Twelve Bloch spheres, three steps by four qubits. After the encoding one or two clusters lie at the ends of the x axis; after the ladder all points gather there; after RY they are tilted.",
    caption="256 MNIST test images in a recorded, trained network (seed 0). Blue: digit 0, vermillion: digit 1. Nearly all points lie close to the surface: little entanglement is left.",
)

# %% [markdown]
# Is this what training always does? Here are all twenty trained networks, one dot each:

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(5.4, 4.0))
cosines = {title: recorded.data[name]["abs-cosine"] for name, title in names.items()}
lengths = {title: recorded.data[name]["length-after-ry"] for name, title in names.items()}
lcqhnn_figures.entanglement_left(ax, cosines, lengths)
figures.show(
    figure,
    alt="Mean absolute cosine of the phases against mean length of the Bloch vectors. Most of twenty networks crowd near (1, 1); one of each dataset lies far below and to the left.",
    caption="How close the phases are to 0 or π (to the right), and how little the qubits are entangled after the rotations (to the top). Recorded networks, ten seeds per dataset, mean over all test images and four qubits.",
)

# %% [markdown]
# Almost always, not always. A single network of each dataset has gone the other way and put phases near $\pm\pi/2$,
# where products of sines are largest and the qubits are most entangled: its Bloch vectors shrink towards the centre.
# No other network of its dataset has a higher test accuracy. Which way a network goes is decided by its random start.

# %% [markdown]
# ## In short
#
# - Eq. 2–7 describe one circuit if their text is followed, and another if the products of eq. 4 and 6 are read as
#   products of operators. The two have their ladders exchanged.
# - The second ladder does not cancel the first. Together they turn four one-qubit rotations into four commuting
#   rotations of up to four qubits. Layers of such a block add up to one.
# - Each encoded qubit lies on the equator. Real features are not spread uniformly there, neither before training nor
#   after it.
# - The CNOTs shorten the Bloch vectors and take three of four qubits off the sphere's surface onto a line. Most
#   trained networks avoid this by moving their features to where the CNOTs do not entangle.
# - What comes out are [eight products of sines and cosines](06-what-the-circuit-computes.ipynb). Of the four angles, three change what
#   the network can compute. Without the CNOTs none does.

# %% [markdown]
# ## Exercises
#
# **Try it** (the rocket at the top opens the page in Colab): in the cell below "The state after every step", set `theta` to zeros and run on. Which of the six states change, and which of the printed lines?
#
# 1. Set all four trained angles to zero. What do the four outputs become, and what is left for the network to learn with them?

# %% tags=["hide-input"]
at_zero = series(features, np.zeros(4))
expected = np.column_stack([np.cos(2 * features[:, 0]), np.zeros((500, 3))])
pages.solution(
    "The rotations do nothing, and the second ladder undoes the first. Qubits 1 to 3 stay on the equator, "
    r"$\langle Z_k\rangle = 0$; the last Hadamard gate turns qubit 0, $\langle Z_0\rangle = \cos 2x_0$. "
    f"Checked on 500 random features: {np.allclose(at_zero, expected)}. One feature is left, as a cosine."
)

# %% [markdown]
# 2. The trained block is run twice, first with the angles $\theta$, then with $-\theta$. What is the circuit then?
#
# <details>
# <summary>Solution</summary>
#
# Angles of repeated blocks add up, and $\theta - \theta = 0$: the two blocks together do nothing. The outputs are those of the first exercise, whatever $\theta$ is.
#
# </details>
#
# 3. After the ladder qubit 3 has the Bloch vector $(\cos\delta_3, 0, 0)$. For which features is it entangled with no other qubit? Where do trained networks put theirs?
#
# <details>
# <summary>Solution</summary>
#
# A qubit has a state of its own if its Bloch vector has length 1: $|\cos\delta_3| = 1$, so $x_3$ is a multiple of $\pi/2$. Most trained networks put their features near these places, and little is entangled there.
#
# </details>
#
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about:

# %% tags=["remove-input"]
report.in_short("L1", "L2", "L3")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert gaps["θ = 0"] < 1e-12 < gaps["the θ above"]
print("the two readings agree without rotations, and only then: holds")
assert all(i.mean == 1 for key, i in recorded.result.items() if "not-uniform" in key)
for name, found in zip(names, map(np.array, lengths.values()), strict=True):
    accuracy = records.final(f"lcqhnn-{name}/lcqhnn", "test_accuracy").to_numpy()
    assert sum(found < 0.5) == 1 and accuracy[found < 0.5] == accuracy.max()
print(
    "no phases are uniform; one network of each dataset is entangled, and none is better: holds"
)
