# %% [markdown]
# # The model, and what its numbers of parameters say
#
# > **Claimed.** HQNN-Parallel, a network with four circuits of five qubits, classifies better than a classical one with eight times its
# > parameters. HQNN-Quanv, a convolution by a circuit with 4 weights, does as well as a classical one with 16.
# >
# > **Found.** HQNN-Parallel reaches the printed accuracies, on CIFAR-10 only with flipped and shifted images. No lead over its rivals is
# > seen. HQNN-Quanv is more than ten points behind the classical kernel in our primary reading, and behind it in every other that we tried.
# >
# > **Why.** It is a narrow dense layer that saves the parameters, with circuits or without. The quanvolution computes products of cosines,
# > and its CNOTs cost accuracy.
# >
# > **How sure.** Three to ten seeds, paired. MNIST and Medical MNIST are near their ceilings, where a difference could hardly show; on
# > CIFAR-10 our intervals are wider than the printed lead.
# >
# > [MNIST](02-mnist.ipynb) · [the verdict](08-verdict.ipynb) · [draw a digit](../live/digit.md)

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
import torch
from IPython.display import Markdown

from hqnn import QuantumLayer, claims, experiments, figures, pages, tables
from hqnn.claims import report
from hqnn.papers.hqnn import comparisons, counts, parallel
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.figures import parallel_stages, quanv_stages
from hqnn.tasks import count_parameters
from hqnn.views import gradients

figures.style()
PRINTED = {claim.id: claim.printed for claim in claims.load().claims}
hybrid_size, cnn_size = (int(PRINTED[f"H3-parameters-{m}"].number) for m in ("hqnn", "cnn"))

# %% tags=["remove-input"]
steps = parallel_stages(experiments.config("hqnn-mnist/hqnn"))
figures.show(
    figures.pipeline(steps),
    alt=figures.described(steps),
    caption="HQNN-Parallel from an image to the scores of ten classes, with the shapes and sizes of the network that this book trains on MNIST. Orange is what takes data, blue what is trained.",
)

# %% tags=["remove-input"]
steps = quanv_stages(experiments.config("hqnn-quanv/quanv"))
figures.show(
    figures.pipeline(steps),
    alt=figures.described(steps),
    caption="HQNN-Quanv: the same circuit runs over all windows of the image, and its outputs are the maps. *Our primary reading, [page 5](05-quanvolution.ipynb).*",
)

# %% [markdown]
# HQNN-Parallel is a small convolutional network with four quantum circuits side by side in its dense part
# [[hqnn](../references.md), §2.2]. This page builds it, compares the circuit with its description, and reads the printed
# numbers of trainable parameters: they decide much of what the text leaves open, and they contradict some of what it says
# (claims H1, H2 and H8, and the numbers of parameters in H3, H4 and H5).
#
# *Run time: about a minute. Needs: only the repository.*
#
# ## One of the four circuits
#
# Each circuit takes five features $\phi_j$, in radians, and turns qubit $j$ by $R_X(\phi_j)$. Then come three layers. In
# each, every qubit gets a free rotation, $R_Z R_Y R_Z$ with three trained angles, and a ring of CNOTs entangles all of
# them; the distance between control and target grows from layer to layer. The outputs are the five expectation values
# [hqnn, eq. 1]
#
# $$v_j = \langle 0|R_X(\phi)^\dagger\,U(\theta)^\dagger\,Y_j\,U(\theta)\,R_X(\phi)|0\rangle .$$

# %% tags=["hide-input"]
pc = strongly_entangling()
figure, ax = plt.subplots(figsize=(5.4, 5.6))
figures.circuit_drawing(ax, pc.stages()["layer 1"], fold=5)
figures.show(
    figure,
    alt="Circuit diagram of five qubits, on two lines: an RX gate on each, then RZ, RY and RZ gates on each, then five CNOTs from each qubit to the next one in a ring.",
    caption="The embedding and the first of the three layers. In the second and third layer the CNOTs join qubits that are two and three apart.",
)
print(f"{pc.n_inputs} inputs, {pc.n_weights} angles, {pc.n_observables} outputs")

# %% [markdown]
# This is PennyLane's `StronglyEntanglingLayers`; a test compares the two. The circuit is written once, in Qiskit:

# %%
pages.source(strongly_entangling)

# %% [markdown]
# It is compiled to a PyTorch layer, so that four of them train inside the network like any other layer:

# %%
layer = QuantumLayer(strongly_entangling(), copies=4)
features = torch.zeros(64, 20)  # of 64 images, radians
print("features", tuple(features.shape), "to expectation values", tuple(layer(features).shape))

# %% [markdown]
# ## The network for MNIST
#
# The text fixes the convolutions, the dense layers and the circuits. It says that batch normalisation follows the
# convolutions and "each classical dense layer", but not whether the last one counts, or what follows the circuits.
# Everything that could be present or absent, and its number of parameters:

# %% tags=["hide-input"]
fixed, optional = counts.optional_parts()
rows = [["all weights, and the circuits' angles", fixed], *optional.items()]
rows += [["**altogether**", fixed + sum(optional.values())], ["**printed**", hybrid_size]]
tables.table(
    ["part of the hybrid", "parameters"],
    rows,
    caption="What HQNN-Parallel for MNIST may have, and its trainable parameters, counted.",
)

# %% tags=["remove-input"]
solutions = counts.absent(hybrid_size)
lines = "\n".join(f"- without the {' and the '.join(names)}" for names in solutions)
Markdown(
    f"Of the {2 ** len(optional)} ways to leave parts out, {len(solutions)} give the printed number:\n\n{lines}"
)

# %% [markdown]
# So everything is there except twenty parameters. Either the class scores are not normalised, which is what one would do,
# or they are, as the text has it, and the first dense layer has no bias (a bias in front of normalisation does nothing). In
# both, normalisation follows the *circuits*. We take the first reading throughout.

# %%
config = experiments.get("hqnn-mnist").variants["hqnn"]
size = count_parameters(parallel.build(config))
print(f"{size['total']:,} parameters, {size['quantum']} of them angles")
pages.source(parallel.Parallel.__init__)

# %% [markdown]
# ## The classical network for MNIST
#
# The paper says that "the convolutional part of the HQNN was held constant, while the quantum part was replaced with a
# classical dense layer containing n neurons", and prints 372,234 parameters. We search all networks with the hybrid's
# convolutions, one or two dense layers of any width before the scores, and biases and normalisation present or absent:

# %% tags=["hide-input"]
kinds = counts.kinds(counts.rivals(cnn_size))
rows = [[kind, len(found)] for kind, found in kinds.items()]
tables.table(
    ["networks", "how many"],
    rows,
    caption="Classical networks for MNIST with exactly the printed number of parameters, found by a search and counted by kind.",
)

# %% [markdown]
# No network with one dense layer fits, so the sentence cannot be right as it stands. Of those with two we take the only one
# without any normalisation, an ordinary network with round widths (dense layers from 1568 to 224, 32 and 10) and a bias everywhere. That is a choice: others, of odd widths,
# keep the hybrid's normalised convolutions. One thing follows in any case. "Eight times fewer parameters" has nothing to do with
# the circuits: the hybrid reduces 1568 features to 20, the CNN to 224, and that one layer is nearly all of the difference:

# %% tags=["remove-input"]
(twin,) = kinds["with all biases and no normalisation"]
first = [counts.dense((counts.FEATURES, width)) for width in (twin.hidden[0], counts.WIDTH)]
in_place = counts.dense((counts.WIDTH, counts.WIDTH)) - counts.circuits(4, 5, 3)
Markdown(
    f"The CNN has {cnn_size - hybrid_size:,} parameters more. Its first dense layer alone has {first[0] - first[1]:,} more. "
    f"With a dense layer of 20 to 20 features in place of the circuits, the hybrid would have {in_place} parameters more."
)

# %% [markdown]
# ## Medical MNIST and CIFAR-10: how deep are the circuits?
#
# On the other two datasets the CNN has 180 and 120 parameters more than the hybrid. If it is the hybrid with a dense layer
# of $n$ to $n$ features in place of circuits of depth $i$, the difference is $n(n+1)-3in$. Which $n$ and $i$ give it?

# %% tags=["hide-input"]
rows = []
for group, title in (("H4", "Medical MNIST"), ("H5", "CIFAR-10")):
    sizes = [int(PRINTED[f"{group}-parameters-{m}"].number) for m in ("cnn", "hqnn")]
    found = counts.depths(sizes[0] - sizes[1])
    solved = "; ".join(f"n = {n}, i = {i}" for n, i in found)
    rows.append([title, sizes[0] - sizes[1], solved])
tables.table(
    ["dataset", "CNN minus hybrid", "all solutions with n ≤ 60, i ≤ 12"],
    rows,
    caption="How many parameters the paper's CNN has more than the hybrid, and the widths $n$ and depths $i$ that would explain it.",
)

# %% [markdown]
# Only one width is common to both, the 20 of MNIST, and with it the circuits have four layers on Medical MNIST and five on
# CIFAR-10. The text says that "the quantity of qubits and quantum layers remained unchanged across all experiments". If
# "quantum layers" are the circuits, four of them each time, then both can be true, although the depth is not that of MNIST.
#
# The printed totals must then come from the convolutions, of which the text gives the number, two and three. We search all
# that keep MNIST's rules (biases everywhere, normalisation where MNIST's count puts it), have one kernel size, never narrow, and
# have 4 to 160 channels (for Medical MNIST up to 1,024 give no others):

# %% tags=["hide-input"]
searches = {"Medical MNIST": ("H4", counts.MEDICAL), "CIFAR-10": ("H5", counts.CIFAR)}
fronts, rows = {}, []
for title, (group, allowed) in searches.items():
    printed = int(PRINTED[f"{group}-parameters-hqnn"].number)
    fronts[title] = counts.fronts(printed, **allowed)
    for one in fronts[title]:
        kernel, side = f"{one.kernel} × {one.kernel}", f"{one.side} × {one.side}"
        rows.append([title, one.in_channels, kernel, ", ".join(map(str, one.channels)), side])
header = ["image channels", "kernels", "channels", "last maps"]
tables.table(
    ["dataset", *header],
    rows,
    caption="All convolutional parts that give the hybrid the printed number of parameters, found by a search.",
)

# %% [markdown]
# For Medical MNIST none of them takes images of 244 × 244 pixels, which two pools turn into maps of 61 × 61. The third of its
# networks is the most faithful one: it has the paper's three channels, and MNIST's 5 × 5 kernels and 7 × 7 last maps, on images
# reduced to 28 × 28 pixels. We found it late: the main runs are those of the first of the table, on images of their own 64 × 64
# pixels and with one pool, and the faithful one stands beside them, with ten seeds
# ([page 3](03-medical-mnist.ipynb)). Of the networks for CIFAR-10 we train the one whose widths grow most evenly. Wider rules (other kernels for each
# convolution, one more dense layer, no normalisation) allow still more networks, so the numbers no longer decide. The CNN has a
# dense layer from 20 to 20 features in place of their circuits. Beside the paper's CNN we train a *fair* rival on each dataset, which has
# as many parameters as the hybrid: each circuit is replaced by tanh between two small matrices.

# %% tags=["hide-input"]
datasets = {"MNIST": "hqnn-mnist", "Medical MNIST": "hqnn-medical", "CIFAR-10": "hqnn-cifar10"}
rows, sizes = [], {}
for title, name in datasets.items():
    variants = experiments.get(name).variants
    one = variants["hqnn"]
    sizes[title] = [count_parameters(parallel.build(v))["total"] for v in variants.values()]
    built = [f"{one.size} × {one.size}", ", ".join(map(str, one.channels)), one.n_layers]
    rows.append([title, *built, *(f"{size:,}" for size in sizes[title])])
header = ["images", "channels", "circuits' layers", *(figures.model(v).label for v in variants)]
tables.table(
    ["dataset", *header],
    rows,
    caption="The networks that this book trains, and how many trainable parameters each has.",
)

# %% [markdown]
# ## Gradients by the parameter-shift rule
#
# The paper trains the angles by the parameter-shift rule [§2.2.4],
# $\partial_\theta\langle Y\rangle=\frac12\left(\langle Y\rangle_{\theta+\pi/2}-\langle Y\rangle_{\theta-\pi/2}\right)$,
# which a quantum computer can evaluate. In a simulator it is the dearest way to the same number. Here are both, for all
# 180 angles and a batch of 64:

# %%
torch.manual_seed(0)
layer = QuantumLayer(pc, copies=4, dtype=torch.float64)
inputs, upstream = (torch.randn(64, 20, dtype=torch.float64) for _ in range(2))
(ours,) = torch.autograd.grad((layer(inputs) * upstream).sum(), layer.weights)
rule = gradients.shift_gradient(layer, inputs, upstream)
print("largest gradient is of order one:", bool(0.1 < ours.abs().max() < 100))
print("largest difference below 1e-12:", bool((ours - rule).abs().max() < 1e-12))

# %% tags=["remove-input"]
shift = comparisons.steps()["shift"]
per_step = gradients.evaluations(pc.n_weights, pc.n_inputs, batch_size=64)
n_steps = config.epochs * -(-config.n_train // config.batch_size)
Markdown(
    f"On our layer the rule takes {shift['rule'] / shift['backpropagation']:.0f} times as long as backpropagation for the "
    "weights alone (measured; the layers before the circuits need the gradient of the inputs, too). Run circuit by circuit, "
    f"as on hardware, one step of batch 64 evaluates each of the four circuits {per_step:,} times, and the {n_steps:,} steps "
    f"of one of our MNIST runs would be {4 * per_step * n_steps:.1e} circuits, each repeated for as many shots as the "
    "precision asks for."
)

# %% [markdown]
# ## Exercises
#
# **Try it** (the rocket at the top opens the page in Colab): ask for one circuit in place of four, `copies=1`, and give it the features that it then needs.
#
# 1. Count the trained angles of the four circuits, and the weights of a dense layer of 20 numbers to 20 in their place.

# %% tags=["hide-input"]
one_circuit, dense = strongly_entangling().n_weights, torch.nn.Linear(20, 20)
n_dense = sum(parameter.numel() for parameter in dense.parameters())
pages.solution(
    f"Five qubits, three layers, three angles: $5\\cdot3\\cdot3 = {one_circuit}$, four times ${4 * one_circuit}$. "
    f"The dense layer has $20\\cdot20 + 20 = {n_dense}$. Beside the network around it either is next to nothing."
)

# %% [markdown]
# 2. On hardware the gradient of each angle takes two more runs of its circuit. How many circuits are that for one batch of 64 images, outputs included?

# %% tags=["hide-input"]
runs_of_one = 64 * (1 + 2 * strongly_entangling().n_weights)
pages.solution(
    f"Per circuit $64\\,(1 + 2\\cdot45)$, that is {runs_of_one:,}, for all four {4 * runs_of_one:,}; and each is repeated for as many "
    "shots as the precision asks for. The features before the circuits need their derivatives, too: "
    f"$64\\cdot2\\cdot5\\cdot4$, that is {64 * 2 * 5 * 4:,}, more."
)

# %% [markdown]
# 3. Why does a convolutional layer have so few weights, and the dense layer behind it so many? Where would you save first?
#
# <details>
# <summary>Solution</summary>
#
# A convolution uses the same small kernel at every place, a dense layer has one weight for every pair of a number in and a number out. What saves weights is to make the dense layer narrow. That is what HQNN-Parallel does, with circuits or without.
#
# </details>
#
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about; the printed numbers of parameters are among
# those of [MNIST](02-mnist.ipynb), [Medical MNIST](03-medical-mnist.ipynb) and [CIFAR-10](04-cifar10.ipynb):

# %% tags=["remove-input"]
report.in_short("H1", "H2", "H8")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
absent = ["bias of the first dense layer", "normalisation after the last dense layer"]
assert [names for (names,) in solutions] == absent
assert [len(found) for found in kinds.values()][1:] == [0, 0, 5, 0, 1]
assert twin.hidden == (224, 32)
assert {n for n, _ in counts.depths(180)} & {n for n, _ in counts.depths(120)} == {20}
assert not [one for one in fronts["Medical MNIST"] if one.side == 61]
wider = counts.fronts(247_462, **counts.MEDICAL, widths=range(4, 1025))
assert wider == fronts["Medical MNIST"]
print("what the counts decide: holds")
for group, (title, name) in zip(("H3", "H4", "H5"), datasets.items(), strict=True):
    one, found = experiments.get(name).variants["hqnn"], fronts.get(title, [])
    trained = (one.in_channels, one.channels, one.kernel)
    assert not found or trained in [(f.in_channels, f.channels, f.kernel) for f in found]
    hybrid, cnn, fair = sizes[title]
    assert hybrid == fair == PRINTED[f"{group}-parameters-hqnn"].number
    assert cnn == PRINTED[f"{group}-parameters-cnn"].number
print("the networks trained are among those found: holds")
