# %% [markdown]
# # Is anything redundant? The layer in ZX-calculus
#
# In its appendix the paper draws one of the parallel quantum layers as a ZX-diagram, rewrites it, and finds every weight and
# every input on a node of its own in the end: "the model is absent of redundancy" [[hqnn](../references.md), app. A.1,
# fig. 9]. This page does the same with PyZX
# [[Kissinger and van de Wetering, 2020](../references.md)] (claims H9), follows each of the 50 parameters, and then asks the same question
# in a way that does not depend on how good the rewriting is.
#
# *Run time: about half a minute. Needs: only the repository. Everything is computed here; nothing is trained.*

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
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np

from hqnn import figures, pages, tables
from hqnn.claims import report
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.views import zx
from hqnn.views.gradients import jacobian, quantum_fisher, rank

figures.style()

# %% [markdown]
# ## The diagram
#
# In ZX-calculus a circuit is a graph. Its nodes are called spiders: light ones (Z) are tensors that are diagonal in the
# basis $|0\rangle,|1\rangle$, dark ones (X) in the basis $|+\rangle,|-\rangle$, and each carries a phase. $R_Z(\alpha)$ is a
# light spider with phase $\alpha$, $R_X$ a dark one, a CNOT a light and a dark one joined by an edge. An $R_Y(\beta)$ is
# $R_X(\beta)$ between quarter turns about $z$, the small light spiders beside each dark one below.

# %%
pc = strongly_entangling()
full = zx.diagram(pc)
print(pc.n_inputs, "inputs,", pc.n_weights, "weights,", pc.n_observables, "outputs")

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(9.6, 3.6))
figures.zx_diagram(ax, full, names=full.parameters)
figures.show(
    figure,
    alt="A ZX-diagram with five horizontal wires: an input and three weights on each wire, a ring of CNOTs, three weights, a ring of CNOTs, three weights and a ring of CNOTs.",
    caption="One quantum layer of HQNN-Parallel as a ZX-diagram, like figure 9a of the paper: inputs φ, "
    "weights θ. Multiples of π/2 are not printed.",
    vector=True,
)

# %% [markdown]
# ## Reduced
#
# Spiders of one colour that touch may be fused, and their phases add up: two rotations in a row about the same axis become
# one, and one of the two parameters is superfluous. Other rules turn colours around (dashed edges below are Hadamard gates)
# and remove spiders whose phase is a multiple of $\pi/2$. `full_reduce` applies them until none helps.
#
# PyZX calculates with numbers. To know in the end which phase was which weight, the $k$-th of the 50 parameters enters as
# $7^k$ in units so small that no sum reaches $\pi/4$. The rules only add phases, turn their signs and shift them by
# multiples of $\pi/2$, so the digits to the base 7 of each phase in the result name the parameters it is made of.

# %%
reduced = zx.reduce(full)

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(9.6, 5.4))
figures.zx_diagram(ax, reduced, names=full.parameters)
figures.show(
    figure,
    alt="The reduced diagram: light spiders only, joined by dashed edges. Forty parameters sit on the five wires, ten hang above them in two rows of phase gadgets.",
    caption="The same layer reduced, like figure 9b. All edges are Hadamard edges. The ten weights on top sit on phase gadgets: rotations about products of Z on several qubits.",
    vector=True,
)

# %% [markdown]
# Is it still the same matrix? PyZX keeps track of a scalar factor, which we leave aside; up to it the matrices are compared
# at random values of all parameters. From the reduced diagram a circuit can be extracted again:

# %%
circuit, extracted = zx.extract(reduced)
print("reduced diagram equals the layer: ", zx.is_equal(full, reduced))
print("extracted circuit equals the layer:", zx.is_equal(full, extracted))
gates = Counter(gate.name for gate in circuit.gates)
print("gates of the extracted circuit:", dict(sorted(gates.items())))

# %% tags=["hide-input"]
diagrams = {
    "the layer": full,
    "reduced": reduced,
    "reduced, starting from the state 0": zx.reduce(zx.diagram(pc, on_zero=True)),
    "extracted circuit": extracted,
}
rows = []
for title, diagram in diagrams.items():
    size = zx.size(diagram)
    alone = sum(held == [(name,)] for name, held in zx.places(diagram).items())
    rows.append([title, size.spiders, size.edges, size.non_clifford, alone])
header = ["spiders", "edges", "phases beyond π/2", "parameters alone on a spider"]
tables.table(
    ["diagram", *header],
    rows,
    caption="Sizes of four diagrams of one layer. *Computed on this page.*",
)

# %% [markdown]
# All 50 parameters are alone on a spider of their own, also if the fixed start $|0\rangle^{\otimes5}$ is taken into account.
# Every non-Clifford phase of the layer survives. That is the paper's finding, and it holds. The method can find something
# where there is something: a circuit with two rotations in a row shows them on one spider.

# %%
single = strongly_entangling(n_qubits=2, n_layers=2, entangle=False)
places = zx.places(zx.reduce(zx.diagram(single))).values()
print("without CNOTs, on one spider:", sorted({held for (held,) in places if len(held) > 1}))

# %% [markdown]
# Without CNOTs the last angle of one layer and the first of the next turn about the same axis, one after the other. The CNOTs
# between them are what keeps them apart.
#
# ## What a diagram cannot decide
#
# That rewriting found nothing to fuse does not prove that there is nothing: PyZX follows a strategy, which need not find every
# simplification of phases beyond multiples of $\pi/2$. And the diagram is of the matrix, while a network only sees five numbers
# $\langle Y_j\rangle$, on a start in $|0\rangle^{\otimes5}$. Whether a direction in the space of the 45 weights has an effect is
# a question for linear algebra. Its answer is the rank of
#
# - the quantum Fisher information, which says how many directions change the *state*, and
# - the Jacobian of the outputs, which says how many directions change what is *measured*,
#
# at random angles, where the rank is as large as anywhere. Over many inputs together it speaks of the function that the layer
# computes:

# %% tags=["hide-input"]
rng = np.random.default_rng(0)
inputs = rng.uniform(0, 2 * np.pi, (64, pc.n_inputs))
weights = rng.uniform(0, 2 * np.pi, pc.n_weights)
slopes = jacobian(pc, inputs, weights)  # [inputs, outputs, parameters]
by_weight = slopes[:, :, pc.n_inputs :]
ranks = {
    "state, one input": rank(quantum_fisher(pc, inputs[:1], weights)),
    "state, 64 inputs": rank(quantum_fisher(pc, inputs, weights)),
    "five outputs, one input": rank(by_weight[:1]),
    "five outputs, 64 inputs": rank(by_weight),
}
tables.table(
    ["what may change", "rank, of 45"],
    ranks.items(),
    caption="In how many independent directions the 45 weights change the state, and the five outputs, at random angles. *Computed on this page.*",
)

# %% [markdown]
# For one input the state has only 40 directions: behind the embedding each qubit of the first layer is in a pure state of its
# own, which has two angles, not three, so the three rotations next to it, the first $R_Z$ among them, do the work of two. For
# another input other combinations of angles are the superfluous ones. Over many inputs the rank is
# full, for the state and for the five outputs: **no weight and no combination of weights is redundant.** The claim holds, and
# now for a reason.
#
# ## One output at a time
#
# The diagrams can be closed: put $|0\rangle$ at the left, $Y_j$ at the right, and the mirrored layer behind it, and what is
# left is the number $\langle Y_j\rangle$. Every angle stands in it twice, the second time with the opposite sign, and those
# that the measurement cannot see meet their mirror image and cancel.

# %% tags=["hide-input"]
rows, idle = [], []
for k in range(pc.n_observables):
    places = zx.places(zx.reduce(zx.expectation(pc, k)))
    idle.append([name for name, held in places.items() if not held])
    listed = ", ".join(idle[k]).replace("[", "").replace("]", "")
    counted = [pc.n_weights - len(idle[k]), rank(by_weight[:, k])]
    rows.append([f"$\\langle Y_{k}\\rangle$", listed, *counted])
header = ["weights without effect", "weights with effect", "rank of their derivatives"]
tables.table(
    ["output", *header],
    rows,
    caption="Which weights each output alone ignores, how many it does not, and in how many independent directions those change it, over 64 inputs. *Computed on this page.*",
)

# %% [markdown]
# So each output alone ignores some weights, most of them of the last layer. The derivatives say the same, for each
# single weight. The last column is smaller still: of the weights that an output does depend on, several act only in
# combination, and no single node of the diagram shows that. It takes all five outputs together to use all weights.

# %% tags=["hide-input"]
acts = np.abs(slopes).max(axis=0) > 1e-9  # [outputs, parameters]
still = [[full.parameters[i] for i in np.flatnonzero(~one)] for one in acts]
reached = acts.sum(axis=0)
print("diagrams and derivatives agree on every weight:", still == idle)
print("inputs that reach every output:", (reached[: pc.n_inputs] == 5).sum(), "of 5")
print("outputs that each weight reaches, fewest:", reached[pc.n_inputs :].min())

# %% [markdown]
# ## Is it an advantage?
#
# Full rank is what one would hope for, and what one gets from almost any circuit of this kind: with one to four layers there
# is never a redundant weight. It says that the weights are not wasted, not that they are useful.

# %% tags=["hide-input"]
deeper = []
for n_layers in range(1, 5):
    tangled, bare = (
        strongly_entangling(n_layers=n_layers, entangle=entangle) for entangle in (True, False)
    )
    angles = rng.uniform(0, 2 * np.pi, tangled.n_weights)
    free = [rank(jacobian(one, inputs, angles)[:, :, 5:]) for one in (tangled, bare)]
    deeper.append([n_layers, tangled.n_weights, *free])
tables.table(
    ["layers", "weights", "rank", "rank without CNOTs"],
    deeper,
    caption="Independent directions of the five outputs for circuits of one to four layers, with CNOTs and without, over 64 inputs. *Computed on this page.*",
)

# %% [markdown]
# ## Exercises
#
# 1. Without its CNOTs the layer falls apart into five qubits. How many angles of one qubit can matter, whatever the number of layers?

# %% tags=["hide-input"]
bare = strongly_entangling(entangle=False)
many = jacobian(bare, inputs, weights)[:, :, bare.n_inputs :]
pages.solution(
    r"Any number of rotations in a row is one rotation of the Bloch sphere, three angles. Of $\langle Y\rangle$ behind it only "
    "the direction counts that is turned onto $y$, two angles; the third turns about $y$. "
    f"Two for each of five qubits: the rank over all inputs is {rank(many)}."
)

# %% [markdown]
# 2. Two rotations in a row about the same axis are one. Why does the reduction find no such pair between two layers, although one ends with $R_Z$ and the next begins with it?
#
# <details>
# <summary>Solution</summary>
#
# The CNOTs stand between them. $R_Z$ passes through the control of a CNOT and not through its target, and in the ring every qubit is the target of one.
#
# </details>
#
# 3. Is a layer in which no angle is redundant better than one in which many are?
#
# <details>
# <summary>Solution</summary>
#
# Not by that. A dense layer has no redundant weight either, and a table of random numbers has none. That nothing can be left out says that the angles do different things, not that these are the things an image needs.
#
# </details>
#
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about:

# %% tags=["remove-input"]
report.in_short("H9")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert zx.places(reduced) == {name: [(name,)] for name in full.parameters}
assert ranks["five outputs, 64 inputs"] == ranks["state, 64 inputs"] == pc.n_weights
assert ranks["state, one input"] == pc.n_weights - pc.n_qubits
assert still == idle and all(free < live < pc.n_weights for *_, live, free in rows)
assert all(n == full_rank > without for _, n, full_rank, without in deeper)
print("nothing redundant in the layer, by diagram and by rank, at every depth: holds")
