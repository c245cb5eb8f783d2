# %% [markdown]
# # The circuit and its readings
#
# Five qubits, three kinds of gates, nothing to train. This page writes down what the circuit does to its features in one line,
# follows an image through it by hand, and then answers the question that the paper leaves open: *which* of the 64 latents go
# in, and *what* of the measurement comes out? Many readings are trained, most beside a fair classical rival. It reproduces
# sections 3.4, 3.5, 4.3 and 4.4 [[transfer](../references.md)], and the method of the paper's second version (claims S4, S5, S8).
#
# *Run time: under a minute. Needs: only the repository, and from the reader the [primer](../primer.md). Tables and figures of
# accuracy come from recorded runs on all of MNIST; the live run uses scikit-learn's handwritten digits.*

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
import torch
from IPython.display import Markdown

from hqnn import claims, experiments, figures, pages, records, runs, stats, tables
from hqnn.claims import report
from hqnn.papers.transfer import closed_form
from hqnn.papers.transfer.circuits import transfer_circuit
from hqnn.papers.transfer.features import EMBEDDINGS, quantum_features
from hqnn.papers.transfer.results import INPUTS, KEPT, accuracies, compare, series, words
from hqnn.views import bloch

figures.style()
inputs = records.measured("transfer-inputs")
printed = {claim.id: claim.value for claim in claims.load().claims}

# %% [markdown]
# ## Three steps
#
# Each feature $x$ turns its qubit by $R_Y(\theta)$ with $\theta=2\arccos x$; then a Hadamard gate $H$ acts on every qubit; then
# CNOTs entangle them [transfer, section 3.4]. The paper does not say which CNOTs. Ours are the cascade that its second version
# names: from qubit 0 to 1, 1 to 2, 2 to 3, 3 to 4.

# %%
pages.source(transfer_circuit)

# %% tags=["hide-input"]
circuit = transfer_circuit()
figure, ax = plt.subplots(figsize=(5.4, 6.6))
figures.circuit_drawing(ax, circuit, fold=5)
figures.show(
    figure,
    alt="Circuit of five qubits, on two lines: RY of twice the arccosine of a feature on each, a Hadamard gate on each, and CNOTs down the cascade. Vertical bars mark the states psi 1 to psi 3.",
    caption="The circuit, drawn by Qiskit from `transfer_circuit()` of `hqnn.papers.transfer.circuits`.",
)

# %% [markdown]
# **The encoding.** $R_Y(\theta)|0\rangle=\cos\tfrac\theta2|0\rangle+\sin\tfrac\theta2|1\rangle$, and with $\theta=2\arccos x$
#
# $$R_Y(2\arccos x)\,|0\rangle = x\,|0\rangle+\sqrt{1-x^2}\;|1\rangle .$$
#
# The feature *is* the amplitude. It must lie in $[-1,1]$, or there is no arccosine.
#
# **The Hadamard gate** makes of this $\tfrac1{\sqrt2}\big[(x+\sqrt{1-x^2})\,|0\rangle+(x-\sqrt{1-x^2})\,|1\rangle\big]$, with
# the probabilities $\tfrac12(1\pm z)$ of the outcomes 0 and 1, where
#
# $$z=\langle Z\rangle = 2x\sqrt{1-x^2}=\sin\theta .$$
#
# (The paper says that it "creates a superposition of all states". Behind this rotation it need not: features of $1/\sqrt2$ end in one
# basis state.) Two different features, $x$ and $\sqrt{1-x^2}$, have the same $z$: sizes below $1/\sqrt2$ are folded onto those above. At $x=0$ and at $x=\pm1$ the qubit is a fair coin.
#
# **The CNOTs** map basis states to basis states; written with qubit 0 first, $|b_0b_1b_2b_3b_4\rangle\mapsto|b_0,\;b_0\oplus b_1,\;\dots,\;
# b_0\oplus\dots\oplus b_4\rangle$. A measurement follows at once. So they rename the 32 outcomes and do nothing else: each
# probability is still a product of five,
#
# $$\begin{aligned}
# p(b) &= \prod_{k=0}^4\tfrac12\big(1+(-1)^{b_k\oplus b_{k-1}}z_k\big) \quad(b_{-1}=0), \\
# \langle Z_k\rangle &= z_0z_1\cdots z_k .
# \end{aligned}$$
#
# Five coins, tossed one by one, give the same statistics: there is entanglement in the state and none in what is measured.
# The two formulas in code:

# %%
pages.source(closed_form.coins, closed_form.marginals, closed_form.probabilities)

# %% [markdown]
# And held against the compiled circuit, for 1,000 random feature vectors:

# %%
x = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (1000, 5)))
marginals = quantum_features(EMBEDDINGS["first-5"], x, "marginals").double()
probabilities = quantum_features(EMBEDDINGS["first-5"], x, "probabilities").double()
gaps = marginals - closed_form.marginals(x), probabilities - closed_form.probabilities(x)
print("marginals are running products:", gaps[0].abs().max().item() < 1e-6)
print("probabilities are products:", gaps[1].abs().max().item() < 1e-6)

# %% [markdown]
# **The most frequent bit string.** Before the CNOTs the likelier outcome of a qubit is 0 if $z>0$ and 1 if $z<0$, and $z$ has
# the sign of $x$. So the most frequent string says of each feature whether it is positive, and nothing more: 32 possible
# answers. And if latents are scaled to $[0,1]$, as suggests itself for outputs of a ReLU, no $z$ is negative and the most
# frequent string of *every* image is 00000, if a tie counts as 0. (With shots a bit with $z=0$ is a toss.)

# %% tags=["hide-input"]
rows = []
for name, scale in product(("first-5", "pca-5"), ("symmetric", "positive")):
    strings, top = (inputs.result[f"{name}/{scale}/{key}"].mean for key in ("strings", "top"))
    rows.append([INPUTS[name], scale, f"{strings:.1f}", f"{100 * top:.0f}"])
header = ["in the circuit", "scaling", "strings that occur, of 32", "share of the commonest, %"]
tables.table(
    header,
    rows,
    caption="The most frequent bit strings of MNIST's test images: how many of 32 occur, and the share of the commonest, means over five encoders. *Recorded networks.*",
)

# %% [markdown]
# (The scalings are explained below.)
#
# ## One image by hand
#
# The first kept image of a digit 3, its first five latents scaled to $[-1,1]$, through one encoder without dead units among
# these five:

# %% tags=["hide-input"]
kept, labels = np.array(inputs.data["first-5/symmetric"]), np.array(inputs.data["labels"])
image = torch.from_numpy(kept[labels == 3][:1])
z = closed_form.coins(image)
after = quantum_features(EMBEDDINGS["first-5"], image, "marginals")
columns = torch.cat([image, 2 * image.acos(), z, (1 + z) / 2, after])
rows = [[k, *(f"{v:.3f}" for v in line)] for k, line in enumerate(columns.T.tolist())]
header = ["qubit", "$x$", "θ, radians", "$z$", "probability of 0 before the CNOTs"]
tables.table(
    [*header, r"$\langle Z\rangle$ after the CNOTs"],
    rows,
    caption="One image of a digit 3 through the circuit, qubit by qubit. *A recorded encoder.*",
)

# %% [markdown]
# The last column shrinks from qubit to qubit: each marginal is a product of more factors below one. That is the price of the
# CNOTs if only marginals are kept, and we shall find it again in the accuracies.
#
# On Bloch spheres: the encoding puts every image on the circle in the $xz$ plane, the Hadamard gate mirrors it, the CNOTs
# pull the points to the inside, since the qubits are now entangled.

# %% tags=["hide-input"]
stages = {"encoded": "ψ1", "after H": "ψ2", "after CNOTs": "ψ3"}
vectors = {s: bloch.bloch_vectors(circuit, kept, [], stage=psi) for s, psi in stages.items()}
figure, axes = plt.subplots(3, 5, figsize=(5.4, 4.6), subplot_kw={"projection": "3d"})
figures.bloch_grid(axes, vectors)
figures.show(
    figure,
    alt="Fifteen Bloch spheres, three steps by five qubits. Encoded points lie on the circle in the x z plane, after H on its mirror image, after the CNOTs they are scattered inside the sphere.",
    caption="The first five latents of 120 MNIST test images in the circuit, reduced states of each qubit. *Features of a recorded encoder, seed 2.*",
)

# %% [markdown]
# ## Readings
#
# "Each feature is encoded into a quantum state" [transfer, section 4.3], but 64 features do not fit on five qubits with one
# rotation each. What could be meant?
#
# - *First 5 latents*: the others are dropped.
# - *13 blocks*: 13 circuits, each for five latents; the last has four and a feature 0, whose qubit is a fair coin.
# - *Re-uploading*: one circuit whose three steps are repeated 13 times with the next five latents each (the 65th is 0).
# - *5 components*: the paper's second version: the 64 latents are projected on their first five principal components, and these are
#   the angles themselves, $R_Y(\theta)$ without an arccosine.
#
# The *scaling* is open in both versions. Ours takes each value's range over the training images to the whole domain
# (`symmetric`: $[-1,1]$, or $[-\tfrac\pi2,\tfrac\pi2]$ for angles) or to its positive half (`positive`: $[0,1]$, or $[0,\pi]$);
# values of test images outside that range are set to its end, and a value that never varies becomes 0. Whoever passes a number
# outside the arccosine's domain, or a NaN, to `quantum_features` gets an error that says so.
#
# What is a *feature* of the outcome? The bits of the most frequent string, the five marginals $\langle Z_k\rangle$, or the 32
# probabilities. And how many shots? Here 1,024, in the tables below the exact limit; the [next page](04-aer-shots-and-cost.ipynb) has more.
# The classifier is that of the [page before](02-classical-baseline.ipynb), trained for 20 epochs here.

# %% tags=["hide-input"]
exact, drawn = {}, {}
for name, outcome in product(INPUTS, KEPT):
    fields = {"inputs": "measured", "reading": name, "outcome": outcome}
    exact[name, outcome] = accuracies(**fields)
    drawn[name, outcome] = other = accuracies(**fields, shots=1024)

# %% tags=["hide-input"]
rows = {f"{INPUTS[name]}: {KEPT[outcome]}": found for (name, outcome), found in drawn.items()}
levels = {"v1's hybrid": printed["S5-validation-accuracy"], "v2's hybrid": printed["S8-hybrid"]}
figure, ax = plt.subplots(figsize=(5.4, 4.8))
figures.intervals(ax, rows, levels).set(xlabel="test accuracy, %", xlim=(5, 100))
figures.show(
    figure,
    alt="One row for each reading and kind of feature with its test accuracies, from chance to above ninety per cent; vertical lines mark the hybrid's values in the paper's two versions.",
    caption=f"Test accuracy of the hybrid in twelve readings, 1,024 shots, 20 epochs; dots are runs. *Recorded runs, {len(other)} seeds.*",
)

# %% [markdown]
# The readings range from chance to above ninety per cent. Of those we tried only one can be behind the paper's 94.5 %: thirteen
# circuits for each image, so that all 64 latents go in, and all probabilities kept. Nothing that lets five features in comes
# near. With the first five latents all depends on how many of the five latents are dead, hence its wide intervals.
#
# ## The fair rival
#
# The paper compares its hybrid, which sees a few features through a circuit, with a network that sees all 64 latents. The
# fair comparison gives the classical network exactly the numbers that went into the circuit.

# %% tags=["hide-input"]
leads, rows = {}, []
for name, outcome in product(("first-5", "blocks", "pca-5"), ("marginals", "probabilities")):
    hybrid = series(inputs="measured", reading=name, outcome=outcome)
    pair = compare(hybrid, series(inputs="encoded", reading=name))
    leads[name, outcome] = pair.lead
    rows.append([INPUTS[name], outcome, *pair.cells()])
header = ["circuit, exact, %", "inputs without circuit, %"]
tables.table(
    ["reading", "features", *header, "the circuit's lead, points"],
    rows,
    caption="Test accuracy on MNIST in per cent with the circuit and without it, on the same numbers, and the circuit's lead in points: mean and 95 % interval after 20 epochs, paired by seed. *Recorded runs.*",
)

# %% [markdown]
# Where the classes are told apart by 64 numbers, the circuit costs accuracy: a little if all probabilities are kept, much if only
# marginals are. With five components and 32 exact probabilities the hybrid is at most slightly ahead after these 20 epochs: the
# probabilities are products of the five factors $\tfrac12(1\pm z_k)$ with $z_k=\sin\theta_k$, ready-made nonlinear features,
# which anyone can multiply without a qubit.
#
# ## Two ablations
#
# Leave the CNOTs out, and keep the marginals: now each is one $z_k$ instead of a product. And fold: use the positive scaling.

# %% tags=["hide-input"]
effect, rows = {}, []
for name in ("first-5", "blocks", "pca-5"):
    fields = {"inputs": "measured", "reading": name, "outcome": "marginals"}
    pair = compare(series(**fields), series(**fields, entangle=False))
    effect[name] = pair.lead
    rows.append([INPUTS[name], *pair.cells()])
header = ["with CNOTs, %", "without, %", "what the CNOTs do, points"]
tables.table(
    ["reading", *header],
    rows,
    caption="The same with and without CNOTs, exact marginals kept. *Recorded runs.*",
)

# %% tags=["hide-input"]
folded, rows = {}, []
for name, outcome in product(INPUTS, ("marginals", "probabilities")):
    fields = {"inputs": "measured", "reading": name, "outcome": outcome}
    pair = compare(series(**fields, scale="positive"), series(**fields))
    folded[name, outcome] = pair.lead
    rows.append([INPUTS[name], outcome, *pair.cells()])
header = ["positive, %", "symmetric, %", "difference, points"]
tables.table(
    ["reading", "exact features", *header],
    rows,
    caption="The same by how features become angles, positive or symmetric scaling. *Recorded runs.*",
)

# %% [markdown]
# Entangling gates in front of a measurement that keeps marginals only destroy information. For angles the scaling decides most:
# $\sin\theta$ on $[0,\pi]$ takes the same value on both sides of the middle, where most images are, and a third of the
# accuracy is gone. For the arccosine it is the other way round: latents of a ReLU crowd at the low end, which the symmetric
# scaling puts near $x=-1$, where $z$ is folded; in the positive scaling most stay where $z$ rises with $x$. No difference
# between thirteen blocks with exact probabilities and their classical rival is seen then.
#
# ## The paper's own length of training
#
# Four readings, trained for the paper's 50 epochs:

# %% tags=["hide-input"]
hybrids = experiments.get("transfer-hybrid").variants
rows = [
    ["**version 1**", "", printed["S5-train-accuracy"], printed["S5-validation-accuracy"]],
    ["**version 2**", "", "", f"about {printed['S8-hybrid']}"],
]
for variant, config in hybrids.items():
    recorded = records.frame(f"transfer-hybrid/{variant}")
    both = (recorded.train_accuracy, recorded.test_accuracy)
    means = [f"{stats.mean_interval(values):.2p}" for values in both]
    rows.append([words(config), len(recorded), *means])
header = ["paper, and our reading", "runs", "training accuracy, %", "test accuracy, %"]
tables.table(
    header,
    rows,
    caption="Accuracy on MNIST in per cent after the paper's 50 epochs, as printed and in four readings: mean and 95 % interval over the runs. *Recorded runs.*",
)

# %% tags=["hide-input"]
colours = (figures.BLUE, figures.GREEN, figures.ORANGE, figures.PURPLE)
titles = {"train": "training images", "test": "test images"}
figure, axes = plt.subplots(1, 2, figsize=(5.4, 4.4), sharey=True)
for ax, split in zip(axes, titles, strict=True):
    for colour, (variant, config) in zip(colours, hybrids.items(), strict=True):
        curve = 100 * records.curves(f"transfer-hybrid/{variant}", f"{split}_accuracy")
        style = {"colour": colour, "label": words(config), "runs": True, "interval": False}
        figures.band(ax, curve.columns, curve.to_numpy(), **style)
    ax.set(title=titles[split], xlabel="epoch")
axes[0].set(ylabel="accuracy, %", ylim=(20, 100))
figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center")
figures.show(
    figure,
    alt="Accuracy against epoch on training and test images for four readings, thin lines for runs and thick ones for means. Thirteen blocks with probabilities are on top near 94 per cent, marginals of thirteen blocks and five components far below, five latents lowest and most scattered.",
    caption="Training of the hybrid in four readings: every run thin, means thick. *Recorded runs, all of MNIST.*",
)


# %% [markdown]
# So the reading with 13 blocks, probabilities and the symmetric scaling, one of many that we tried, lands on the first version's test accuracy, with a
# training accuracy somewhat below the printed one; with the positive scaling it would pass it. That is no proof that the authors did either; the text describes
# one circuit of five qubits. Five components of these latents give less than the second version's "about 75 %", in every run.
#
# ## What version 2 leaves open
#
# Its abstract names a circuit of five qubits and five principal components of the latents, and about 75 %. Whether a Hadamard gate stands on all
# qubits, on one or on none, it leaves open, and whether the latents are rectified. Ours, so far, are, and a good part of them is dead
# ([page 1](01-autoencoder.ipynb)). Here are all six combinations, read out exactly; that with gates on all qubits also from 1,024 and from 100
# shots; and the components without a circuit; each trained for 50 epochs. Three questions about them were stated before
# ([S9](../scoreboard.ipynb#text=S9)):

# %% tags=["hide-input"]
HADAMARDS = {"all": "$H$ on all", "first": "$H$ on one", "none": "no $H$"}
opened = {}
for coder, latents in {"relu": "rectified", "linear": "linear"}.items():
    names = {f"{coder}-{h}-exact": f"{latents}: {on}" for h, on in HADAMARDS.items()}
    names |= {f"{coder}-all-{n}": f"{latents}: $H$ on all, {n:,} shots" for n in (1024, 100)}
    names[f"{coder}-inputs"] = f"{latents}: no circuit"
    for name, label in names.items():
        opened[label] = 100 * records.final(f"transfer-hadamards/{name}", "test_accuracy")
figure, ax = plt.subplots(figsize=(5.4, 4.8))
bare = [label for label in opened if label.endswith("no circuit")]
about = printed["S8-hybrid"]
figures.intervals(ax, opened, {f"printed, about {about:g} %": about}, marked=bare)
ax.set(xlabel="test accuracy, %")
figures.show(
    figure,
    alt="Twelve rows of five dots with mean and interval. For rectified latents the circuit with Hadamard gates on all qubits and the bare components lie near 68 per cent, with gates on one or none near 45. For linear latents the same rows lie near 75, on the dashed line, 54 and 48. Few shots cost one point or five.",
    caption="Version 2's circuit on five components of rectified and of linear latents, and (red) the components without circuit: every run, the mean and its 95 % interval after 50 epochs; dashed, the printed accuracy. *Recorded runs, all of MNIST, 5 seeds.*",
)

# %% tags=["remove-input"]
a = {
    name: opened[f"linear: {words}"]
    for name, words in {**HADAMARDS, "inputs": "no circuit"}.items()
}
better = stats.mean_interval(a["all"] - opened["rectified: $H$ on all"])
worth, needed = (stats.mean_interval(a["all"] - a[name]) for name in ("inputs", "none"))
Markdown(
    f"**Five components of linear latents give the printed {about:g} %.** With a Hadamard gate on every qubit the hybrid then reaches "
    f"{stats.mean_interval(a['all']):.2f} %, {better:.1f} points more than with rectified ones. Without the gates {needed.mean:.0f} points are "
    "missing: $R_Y(\\theta)$ alone gives $z=\\cos\\theta$, which forgets the sign of $\\theta$. And the circuit? A classifier on its five inputs has "
    f"{stats.mean_interval(a['inputs']):.2f} %: the circuit is worth {worth:.2f} points, if measured exactly. All three questions are answered "
    f"with yes, by intervals alone: with {worth.n} pairs no exact p can be below {stats.floor(worth.n):.2g}."
)

# %% [markdown]
# ## The same code, live
#
# A recorded variant, at the size of a test, on scikit-learn's digits: encoder, scaling, 13 circuits, 1,024 shots, classifier.

# %% tags=["hide-input"]
config = experiments.get("transfer-readings").quick["blocks-probabilities-1024"]
outcome = runs.execute(config, seed=1)
print("test accuracy above 0.8:", outcome.history["test_accuracy"][-1] > 0.8)

# %% [markdown]
# ## Exercises
#
# 1. All five features are $x = 0.6$. What is the probability of the outcome 00000? Is another one nearly as likely?

# %% tags=["hide-input"]
row = torch.full((1, 5), 0.6, dtype=torch.float64)
coin = 0.5 * (1 + 2 * 0.6 * (1 - 0.6**2) ** 0.5)
table_of_32 = closed_form.probabilities(row)[0]
pages.solution(
    rf"$z = 2\cdot0.6\cdot0.8 = 0.96$, so every coin shows 0 with probability {coin:.2f}, and all five with ${coin:.2f}^5 = {coin**5:.3f}$. "
    f"The formula in code has {table_of_32.max().item():.3f} as the largest of 32, and {table_of_32.sort().values[-2].item():.3f} as "
    "the next: no other outcome comes near."
)

# %% [markdown]
# 2. Before the CNOTs the outcome is 10000, qubit 0 first. What is it behind them?

# %% tags=["hide-input"]
bits, behind = (1, 0, 0, 0, 0), []
for bit in bits:
    behind.append(bit ^ (behind[-1] if behind else 0))
pages.solution(
    f"Each bit becomes the parity of all up to its own: {''.join(map(str, behind))}. The other 31 outcomes are renamed in the same "
    "way, and a table with 32 renamed entries says what it said before."
)

# %% [markdown]
# 3. A classifier is given the 32 probabilities. Which five of their sums would have told it as much?
#
# <details>
# <summary>Solution</summary>
#
# The five probabilities of the single coins, each a sum of 16 entries: all 32 are products of these. A classifier with a hidden layer can multiply, a linear one cannot, and there the ready-made products help.
#
# </details>
#
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about:

# %% tags=["remove-input"]
report.in_short("S4", "S5", "S8", "S9")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
torch.testing.assert_close(after.double(), z.cumprod(1), atol=1e-6, rtol=0)
assert all(inputs.result[f"{r}/positive/strings"].mean == 1 for r in ("first-5", "pca-5"))
print("the positive scaling has one most frequent string: holds")
means = {key: max(exact[key].mean(), drawn[key].mean()) for key in exact}
assert max(means, key=means.get) == ("blocks", "probabilities")
assert all(mean < 75 for (name, _), mean in means.items() if name != "blocks")
print("only the reading with all latents and probabilities comes near 94.5: holds")
assert leads["blocks", "probabilities"].high < 0
assert leads["pca-5", "probabilities"].mean < 0.015
assert leads["blocks", "marginals"].high < -0.1
print("the circuit costs accuracy, or its mean lead is below 1.5 points: holds")
assert effect["blocks"].high < -0.1 and effect["pca-5"].high < 0
assert folded["pca-5", "probabilities"].high < -0.15
assert all(abs(f.mean) > 0.02 for (name, _), f in folded.items() if name == "blocks")
print("CNOTs and folding cost information: holds")
reached = 100 * records.final("transfer-hybrid/blocks-probabilities-1024", "test_accuracy")
assert printed["S5-validation-accuracy"] in stats.mean_interval(reached)
assert about in stats.mean_interval(a["all"]) and about not in stats.mean_interval(
    opened["rectified: $H$ on all"]
)
assert better.low > 2 and needed.low > 20 and 0 < worth.low < worth.high < 1
print("13 blocks with probabilities give the first version's accuracy: holds")
