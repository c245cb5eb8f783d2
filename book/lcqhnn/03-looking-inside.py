# %% [markdown]
# # Looking inside
#
# Which pixels decide? The paper draws heat maps of its hybrid network before, half way through and after training, and reads a story from them:
# attention is scattered at first, then follows the edges, then the object's shape, and accuracy rises with it [[lcqhnn](../references.md), §3.3].
# This page makes its figures 6 and 7 again, turns the story into numbers, and measures them over ten networks per dataset (claims L10 and L11).
#
# *Run time: under a minute. Needs: only the repository. Heat maps and curves come from recorded networks, trained at the paper's sizes on MNIST and
# FashionMNIST; the live runs near the beginning use scikit-learn's handwritten digits.*

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
import base64
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import torch
from IPython.display import Markdown

from hqnn import datasets, experiments, figures, pages, records, runs, stats, tables
from hqnn.claims import report
from hqnn.papers.lcqhnn import figures as lcqhnn_figures
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn import saliency
from hqnn.papers.lcqhnn.results import DATASETS, ROWS

figures.style()
MODELS = ("lcqhnn", "cnn-4")
SERIES = {f"{key}/{name}": words for (key, name), words in ROWS.items() if name in MODELS}

# %% [markdown]
# ## From gradients to a heat map
#
# Cut the network in two behind its last convolution. The first half turns an image into $K = 16$ *activation maps* $A^k$, one per channel, each on a
# grid of 14 × 14 positions. The second half turns these maps into a score $y$ for each class. How much would the score of the image's class change if
# one activation changed a little? That is a derivative, one per channel and position [lcqhnn, eq. 10]:
#
# $$\alpha_k(i,j) = \frac{\partial y}{\partial A^k(i,j)} .$$
#
# Average it over a window around the position [eq. 11], use the average as the weight of the activation, sum over channels, and keep what is positive
# [eq. 12]:
#
# $$\begin{aligned}
# \omega_k(i,j) &= \frac{1}{|W|}\sum_{(m,n)\in W(i,j)} \alpha_k(m,n), \\
# G(i,j) &= \max\Big(0, \sum_k \omega_k(i,j)\,A^k(i,j)\Big) .
# \end{aligned}$$
#
# $G$ is the *heat map*. Interpolated to 28 × 28 pixels, it lies over the image.
#
# The paper calls this Grad-CAM and does not say how large the window is. That matters, because two methods lie at its ends:
#
# - The window is the whole map. Every channel then has one weight, its mean derivative. This is Grad-CAM as published
#   [[Selvaraju et al., 2017](../references.md)].
# - The window is one position. Then $G$ is gradient times activation, known as HiResCAM [[Draelos and Carin, 2020](../references.md)].
#
# The package [pytorch-grad-cam](../references.md) has both ends. For the windows in between we use eq. 10–12 as they stand; at the border a window is
# cut off and averages what remains. In code, the first half of the network, with the last convolution `conv2`:

# %%
pages.source(lcqhnn.Features.forward)

# %% [markdown]
# And the heat map, from the activations of `conv2` and the derivatives of a score:

# %%
pages.source(saliency.heat)

# %% [markdown]
# Here is a small hybrid network, trained live on the bundled digits, and a comparison of both routes:

# %% tags=["hide-input"]
config = experiments.get("lcqhnn-mnist").quick["lcqhnn"]
model = lcqhnn.build(config)
model.load_state_dict(runs.execute(config, seed=0).weights(config.epochs))
test = datasets.load("digits").test
shown = torch.cat([(test.labels == label).nonzero()[:4, 0] for label in (0, 1)])
images, labels = datasets.to_float(test.images[shown], 28), test.labels[shown]
digits, mask = images[:, 0].numpy(), saliency.object_mask(images)

# %%
of_digits = saliency.attribute(model, images, labels, layer=model.features.conv2)
heat = {window: saliency.heat(of_digits, window) for window in (1, 3, 7, 27, None)}
package = saliency.grad_cam(model, images, labels, layer=model.features.conv2)
package_gap = float((saliency.rescale(saliency.upsample(heat[None])) - package).abs().max())
window_gap = float((heat[27] - heat[None]).abs().max() / heat[None].max())
print("the whole map as window is the package's Grad-CAM, to 1e-4:", package_gap < 1e-4)
print("a window of 27 × 27 covers the map from everywhere, to 1e-6:", window_gap < 1e-6)

# %% [markdown]
# And so the window changes the picture, for one and the same network:

# %% tags=["hide-input"]
names = {1: "1 × 1", 3: "3 × 3", 7: "7 × 7", None: "whole map"}
maps = {name: saliency.upsample(heat[window]).numpy() for window, name in names.items()}
figure, ax = plt.subplots(figsize=(5.4, 3.4))
lcqhnn_figures.heat_gallery(ax, digits, maps, mask.numpy())
figures.show(
    figure,
    alt="Eight digits and below each its heat maps for four window sizes. With the smallest window the heat is a few spots; with the whole map it covers large areas or vanishes.",
    caption="One network, one set of gradients, four windows in eq. 11. Each map is scaled by its own maximum (yellow); blue lines are the digits' outlines. *Quick run on the bundled digits.*",
)

# %% [markdown]
# Two limits are built into any such map. The 14 × 14 positions are two pixels apart, and each sees 8 × 8 pixels of the image (three cells of the
# first pooling, two pixels wide each, and a margin of one pixel from the first convolution), more than the width of a pen stroke in MNIST. And the
# last pooling takes 3 × 3 positions at a time, four times in a row, 12 of 14: the last two rows and columns of a map reach no score at all, though
# Grad-CAM may well show heat there.
#
# ## What is focus?
#
# "The model starts to focus on the edge contours" is a statement about a share. Call the pixels brighter than a tenth of the scale the *object* (both
# datasets have black backgrounds). The **focus** of a map is the share of its heat on the object:
#
# $$F = \sum_{p\,\in\,\text{object}} G(p) \Big/ \sum_p G(p) .$$
#
# It needs a yardstick. Heat that is spread evenly over the image has as its focus the object's share of the area, and the same is attributed to a map
# without any heat. A map that *is* the object, at the resolution of the grid, gives the upper end.
#
# Focus knows nothing of edges. For those we compare the map, cell by cell, with two templates: the **shape** (mean brightness in the cell) and the
# **edges** (mean contrast in the cell, where a pixel's contrast is the range of brightness in its 3 × 3 neighbourhood). The comparison is Spearman's
# rank correlation: 1 if a brighter cell is always a hotter cell, 0 if there is no relation, and independent of thresholds and units.

# %% tags=["hide-input"]
focus = records.measured("lcqhnn-focus")
limits, rows = focus.data["images"], []
for key, title in DATASETS.items():
    one = limits[key]
    shares = [100 * one[k] for k in ("area", "focus-of-edges", "focus-of-shape")]
    rows.append([title, *(f"{s:.1f}" for s in shares), f"{one['shape-like-edges']:.2f}"])
header = ["$F$ in %, if the heat is", "even", "the edges", "the shape", "edges like shape"]
tables.table(
    header,
    rows,
    caption="Focus of three ideal heat maps, even, on the edges and on the shape, and how far the templates of edges and shape resemble each other (rank correlation): means over the 1,024 test images. *Recorded measurement.*",
)

# %% [markdown]
# The last column, the rank correlation between the two templates, warns us. On MNIST the two templates are nearly the same thing: at this resolution a thin stroke *is* its edge. A heat map on this
# grid could hardly show a network moving from the edges of a digit to its shape.
#
# ## Figures 6 and 7, again
#
# These are the first four test images of each class as our random draw has them, and one network per dataset, that of seed 0. Nothing was picked by
# its looks. The score explained is that of the image's true class (the paper's "specific category"), and each map is scaled by its own maximum.
#
# *How these figures were made.* The datasets are not shipped with the book. The figures were therefore drawn where the images are, by
# `python -m hqnn run lcqhnn-heatmaps`, and are stored as pictures in `data/analyses/`, with the fingerprint of the networks they show.
# `python -m hqnn verify` tells if they are out of date. All numbers below were made in the same way by `python -m hqnn run lcqhnn-focus`.

# %% tags=["hide-input"]
pictures = records.measured("lcqhnn-heatmaps").data
figures.show(
    base64.b64decode(pictures["mnist"]),
    alt="Eight MNIST digits above heat maps, untrained and after 25 and 50 epochs, by Grad-CAM and with a window of three. Some lie on the digit, some on the background, two are empty.",
    caption="The counterpart of the paper's figure 6: heat maps on MNIST, untrained and after 25 and 50 epochs, by Grad-CAM and by eq. 10–12 with a 3 × 3 window. A black map has no positive heat. *A recorded network.*",
)

# %% tags=["hide-input"]
figures.show(
    base64.b64decode(pictures["fashion"]),
    alt="Four trousers and four shirts with heat maps in the same arrangement. After training, two trousers are hot on a dark background and two are dark on a hot background.",
    caption="The counterpart of the paper's figure 7: heat maps on FashionMNIST. *A recorded network.*",
)

# %% [markdown]
# Anyone could pick the story of the paper from these pictures, and with other columns the opposite one. Look at the four trousers after 50 epochs.
# For two of them Grad-CAM lights up the trousers, for the two others everything *but* the trousers. It is one and the same network. We need averages.
#
# ## Focus in the course of training
#
# Each line below is one of ten networks, which differ in initial weights, order of images and dropout masks. Each point is a mean over the 1024 test
# images.

# %% tags=["hide-input"]
stored = focus.data["series"]
looks = {name: saliency.arrays(stored[name]) for name in SERIES}
epochs = stored["mnist/lcqhnn"]["epochs"]
figure, axes = plt.subplots(2, 1, figsize=(5.4, 6.6), sharex=True)
for ax, (key, title) in zip(axes, DATASETS.items(), strict=True):
    curves = {n: 100 * looks[f"{key}/{n}"]["grad-cam"]["focus"] for n in MODELS}
    lcqhnn_figures.snapshot_curves(ax, epochs, curves).set(title=title, ylim=(0, 100))
    figures.level(ax, 100 * limits[key]["area"], "even\nheat")
    figures.level(ax, 100 * limits[key]["focus-of-shape"], "shape")
axes[0].set_xlabel("")
figure.supylabel("focus, % of the heat", fontsize=10)
figures.show(
    figure,
    alt="Focus against epoch for LCQHNN and CNN-4 on two datasets, ten thin lines each with mean and band. Means stay near even heat on FashionMNIST; on MNIST LCQHNN stays flat above it and CNN-4 rises in the first epochs. None comes near the level of the object's shape.",
    caption="Grad-CAM's focus at the epochs whose weights were kept: every run, their mean and its 95 % interval. *Recorded runs, 10 seeds.*",
)

# %% [markdown]
# The window and the place of the ReLU are readings of ours (the activations can be taken before or after the ReLU that follows the convolution;
# "after ReLU" is Grad-CAM with the latter). None of them is left out:

# %% tags=["hide-input"]
methods = {"grad-cam": "Grad-CAM", "grad-cam-relu": "after ReLU", "window-3": "3 × 3"}
methods["window-1"] = "1 × 1"
stages = [epochs.index(epoch) for epoch in saliency.STAGES]
rows = []
for key, method in product(DATASETS, methods):
    at = looks[f"{key}/lcqhnn"][method]["focus"][:, stages].T
    values = [f"{stats.mean_interval(runs_at):.1p}" for runs_at in at]
    changes = [f"{stats.mean_interval(change):+z.1p}" for change in np.diff(at, axis=0)]
    rows.append([f"{DATASETS[key]}, {methods[method]}", *values, *changes])
header = ["focus, %", "untrained", "epoch 25", "epoch 50", "change to 25", "change to 50"]
tables.table(
    header,
    rows,
    caption="LCQHNN's focus by four readings of eq. 11 and 12 at three stages, in per cent of the heat, and its changes in points: mean over seeds and 1,024 test images, with the 95 % interval over seeds. *Recorded runs, 10 seeds.*",
)

# %% [markdown]
# With Grad-CAM no growth of the hybrid's focus is seen, from untrained to 25 epochs or from there to 50, on either dataset. On MNIST it lies above that of
# even heat, but it did so before the first step of training: random filters respond to strokes, too. Gradient times activation (the window of one
# position) rises a little on MNIST and falls on FashionMNIST. One reading on one dataset goes the paper's way in the first half of training, and the
# same reading goes the opposite way on the other dataset.
#
# ## Does focus go with accuracy?
#
# The paper's strongest sentence is that, comparing heat maps with accuracy curves, "a pronounced correlation emerges". Here is each run's path
# through both:

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 2, figsize=(5.4, 6.2), sharex=True, sharey=True)
for ax, (name, title) in zip(axes.flat, SERIES.items(), strict=True):
    seen, area = looks[name], 100 * limits[name.partition("/")[0]]["area"]
    on_object = seen["grad-cam"]["focus"]
    lcqhnn_figures.focus_against_accuracy(ax, on_object, seen["accuracy"], epochs)
    ax.axvline(area, color=figures.GREY, linestyle="--", linewidth=1)
    ax.set(title=title, xlim=(0, 90))
    ax.label_outer()
names = axes[0, 0].get_legend_handles_labels()
spaced = {"columnspacing": 0.8, "handletextpad": 0.1}
figure.legend(*names, title="epoch", ncols=9, loc="outside upper center", **spaced)
figures.show(
    figure,
    alt="Four scatter plots of test accuracy against focus, one dot per run and kept epoch. Accuracy climbs from chance to nearly 100 per cent while focus moves to either side: late dots form wide horizontal clouds. Only CNN-4 on MNIST drifts to the right.",
    caption="Test accuracy against Grad-CAM's focus: one grey path per run, one dot per kept epoch, from violet to yellow. The dashed line is even heat. *Recorded runs, 10 seeds.*",
)

# %% [markdown]
# In numbers, as Spearman's correlation over the nine kept epochs, one value per run. Two quantities that both move while a network trains are
# correlated even if neither has anything to do with the other, so a plain correlation proves little. Four checks go with it: only from epoch 5 on,
# when nearly every run classifies well; the correlation of *changes* between kept epochs; the correlation of a run's focus with the accuracy of the
# nine *other* runs, which is what the shared course of training explains; and what is left beyond that.

# %% tags=["hide-input"]
kinds = ["", "-of-changes", "-with-others", "-beyond-others"]
found, rows = {}, {}
for name, method in product(stored, methods):
    found[name, method] = values = saliency.focus_correlations(looks[name], method)
    every, *others = (values[f"correlation{kind}"] for kind in kinds)
    rows[f"{SERIES[name]}, {methods[method]}"] = [every, values["late"], *others]
header = ["all\nepochs", "from\nepoch 5", "changes", "with\nothers", "beyond\nthem"]
figure, ax = plt.subplots(figsize=(5.4, 6.0))
figures.correlations(ax, rows, header)
figures.show(
    figure,
    alt="A heat map of correlations, sixteen rows by five columns. Red and bold for CNN-4 on MNIST over all epochs and with other runs; blue and bold for CNN-4's windows of 3 and 1 on FashionMNIST, deepest from epoch 5 on. The hybrid's rows are pale but for gradient times activation on FashionMNIST; the last column is white.",
    caption="Correlation of focus with accuracy, mean over runs; bold where its 95 % interval leaves out zero. *Recorded runs, 10 seeds.*",
)

# %% [markdown]
# For the hybrid, no correlation of Grad-CAM's focus with accuracy is seen, on either dataset, in any column. Over all epochs only one of its four readings
# is clearly different from zero, gradient times activation on FashionMNIST, and that one is *negative*. The clear positive entries of the first
# column all belong to the *classical* rival on MNIST, and all of that is the shared course of training: a run's focus goes with the accuracy of other
# runs just as well as with its own. The most pronounced correlation of all is CNN-4's on FashionMNIST from epoch 5 on, with a 3 × 3 window: the
# better the network gets, the less of its heat is on the clothes.
#
# ## Edges first, then the shape?

# %% tags=["hide-input"]
colours = {"edges": figures.ORANGE, "shape": figures.SKY}
figure, axes = plt.subplots(2, 1, figsize=(5.4, 5.8), sharex=True)
for ax, (key, title) in zip(axes, DATASETS.items(), strict=True):
    curves = {kind: looks[f"{key}/lcqhnn"]["grad-cam"][kind] for kind in colours}
    lcqhnn_figures.snapshot_curves(ax, epochs, curves, colours=colours)
    ax.set(title=title, ylim=(-0.9, 0.9))
    ax.axhline(0, color=figures.GREY, linewidth=0.8)
axes[0].set_xlabel("")
figure.supylabel("rank correlation with the heat", fontsize=10)
figures.show(
    figure,
    alt="Rank correlation of LCQHNN's heat maps with the edge and the shape template against epoch. The two curves run together near zero; on MNIST both start positive and fall to zero.",
    caption="How much LCQHNN's Grad-CAM maps resemble the templates of edges and of shape. *Recorded runs, 10 seeds.*",
)

# %% [markdown]
# Edges and shape go together, as the templates' own resemblance makes them, and neither takes over from the other. On MNIST the trained networks'
# maps resemble the digit *less* than the untrained ones' do.
#
# ## Do the maps of MNIST saturate?
#
# The paper says that heat maps on FashionMNIST "do not manifest a saturated phenomenon", contrary to MNIST. In a coloured map, saturation means that
# a large area is as hot as the scale goes. We count the pixels with at least nine tenths of the map's maximum, as a share of the image and as a share
# of the object. One can also read the sentence as "the maps stop changing": the last columns give the correlation between maps of the same image at
# different epochs.

# %% tags=["hide-input"]
rows = []
for key, title in DATASETS.items():
    hot = looks[f"{key}/lcqhnn"]["grad-cam"]
    hot_at_end = (hot[k][:, -1] for k in ("saturation", "saturation-on-object"))
    shares = [f"{stats.mean_interval(share):.1p}" for share in hot_at_end]
    alike = [f"{focus.result[f'{key}/similarity-{pair}']:z.2f}" for pair in ("0-50", "25-50")]
    rows.append([title, *shares, *alike])
header = ["epoch 50", "saturated, % of all", "of the object", "like epoch 0", "like epoch 25"]
tables.table(
    header,
    rows,
    caption="LCQHNN's Grad-CAM maps after 50 epochs: share of the pixels that are saturated, of the image and of the object, and correlation with the maps of the same images at two earlier stages; mean and 95 % interval. *Recorded runs, 10 seeds.*",
)

# %% tags=["remove-input"]
difference = focus.result["saturation-mnist-minus-fashion"]
Markdown(
    f"MNIST minus FashionMNIST: {difference:+z.1p} points of the image's area. The sign is the paper's, but runs scatter so "
    "widely that the interval contains zero. Where maps of MNIST do saturate, it is mostly on the wide and perfectly even "
    "background, not on the digit."
)

# %% [markdown]
# ## Ten networks, ten answers
#
# If heat maps showed what matters in an image, equally good networks should agree on it. Here are eight images and ten hybrid networks each, all
# trained in the same way and all with nearly the same accuracy:

# %% tags=["hide-input"]
figures.show(
    base64.b64decode(pictures["seeds"]),
    alt="A table of heat maps, eight images by ten networks. For the same image some networks highlight the object, others the background around it, others a few spots.",
    caption="Grad-CAM on the same images for ten hybrid networks after 50 epochs, which differ only in their seed. *Recorded runs.*",
)

# %% tags=["hide-input"]
rows = []
for name, title in SERIES.items():
    accuracy = stats.mean_interval(looks[name]["accuracy"][:, -1])
    of = name.removesuffix("/lcqhnn")
    measured = ("agreement-0", "agreement-50", "consistency-50")
    alike = [f"{focus.result[f'{of}/{k}']:z.2f}" for k in measured]
    rows.append([title, f"{accuracy:.2p}", *alike])
header = ["networks", "accuracy, %", "seeds agree, untrained", "trained", "classes agree"]
tables.table(
    header,
    rows,
    caption="How far the Grad-CAM maps of equally trained networks agree: test accuracy after 50 epochs; correlation of two networks' maps of one image before and after training; cosine between the channel weights of two images of one class. Mean and 95 % interval. *Recorded runs, 10 seeds.*",
)

# %% [markdown]
# How far *seeds agree* is the correlation between two networks' maps of the same image, 1 if they are the same up to scale. The hybrid's networks
# hardly agree with each other, though they agree on nearly every label; CNN-4's agree clearly more.
#
# The last column, how far images of one class agree, says why. Grad-CAM's channel weights $\omega_k$ are derivatives of the score. In CNN-4 the score
# is a linear function of the features, its derivatives hardly depend on the image, and so the cosine between the weights of two images of one class
# is close to 1. In the hybrid the score is a sum of products of sines and cosines of the features, and [even in them](06-what-the-circuit-computes.ipynb): $x$ and $-x$
# give the same output, and *opposite* derivatives. Two images of one class that lie on different flanks of a wave get weights of different signs, and
# what is hot in one map is cold in the other. That is what happened to the trousers. Between a map and the model's "attention" stands the slope of a
# cosine.
#
# ## What the heat maps show
#
# - The three stages of figures 6 and 7 can be found in single maps, and so can their opposite. Over 1024 images and ten networks, no move of the
#   hybrid's Grad-CAM heat onto the object is seen. Gradient times activation moves a little onto MNIST's digits and a little off FashionMNIST's clothes.
# - No correlation of focus and accuracy is seen in the hybrid. What correlation there is in the classical network is the common course of training.
# - "Edges, then shape" is beyond the resolution of the method on MNIST, and does not show on FashionMNIST.
# - Grad-CAM assumes that a channel's mean derivative says what the channel is worth. That is exact for networks that average each map before a linear
#   classifier. Here the maps are flattened into 256 features and pass a periodic function, and the assumption fails on both counts; Draelos and Carin
#   make the first point in general. Gradient times activation is faithful for piecewise linear networks such as CNN-4: there its sum over the map,
#   before the ReLU of eq. 12, is the score up to a constant. For the circuit it is a local slope and nothing more.
# - A cheap test would have warned the authors: compare with untrained networks and with other seeds [[Adebayo et al., 2018](../references.md)].
#
# Assumptions of ours that could matter: the network's front end (the [page on training](02-training.ipynb) lists the choices), the score of the true
# class (for trained networks it is nearly always also the predicted one), the threshold of the object, and that the paper's one network is like our
# ten.
#
# ## Exercises
#
# 1. The activations of `conv2` pass a max-pooling over 3 × 3 positions. For one image, in how many of the 196 positions of a channel can the derivative $\alpha_k$ be different from zero? What follows for the heat map with a window of one position?

# %% tags=["hide-input"]
reached = int((of_digits.gradients != 0).sum((2, 3)).max())
pages.solution(
    f"Each of the 4 × 4 results of the pooling depends on the largest of its nine activations alone, so at most 16 of 196, {1600 / 196:.0f} %; "
    f"in the small network above it is {reached} where it is most. Without a wider window a channel can heat those positions and no other: "
    "the map is a handful of spots, and every larger window smears them."
)

# %% [markdown]
# 2. The heat is spread evenly over the object and evenly over the background, but it is twice as strong on the object. What is the focus on each dataset? Compare it with the focus measured with Grad-CAM at epoch 50.

# %% tags=["hide-input"]
twice = {key: 2 * limits[key]["area"] / (1 + limits[key]["area"]) for key in DATASETS}
ended = {
    key: stats.mean_interval(looks[f"{key}/lcqhnn"]["grad-cam"]["focus"][:, -1])
    for key in DATASETS
}
pages.solution(
    "If the object has the share $a$ of the area, $F = 2a/(2a + 1 - a) = 2a/(1 + a)$: "
    + "; ".join(
        f"{100 * twice[key]:.1f} % on {title}, where {ended[key]:.1p} % was measured"
        for key, title in DATASETS.items()
    )
    + ". The same preference gives very different numbers, so a focus means something only beside that of even heat."
)

# %% [markdown]
# 3. A score depends on a single activation, $y = \cos(A - 1)$. Two images have $A = 0.5$ and $A = 1.5$. What are their scores, and what are their heats $G$?

# %% tags=["hide-input"]
activation = np.array([0.5, 1.5])
slope = -np.sin(activation - 1)
pages.solution(
    f"Both scores are $\\cos 0.5 = {np.cos(0.5):.2f}$. The derivatives are {slope[0]:+.2f} and {slope[1]:+.2f}, so that "
    f"$G = \\max(0, \\omega A)$ is {slope[0] * activation[0]:.2f} for the first image and {max(0, slope[1] * activation[1]):.0f} "
    "for the second: the same answer, one map hot and one black."
)

# %% [markdown]
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about:

# %% tags=["remove-input"]
report.in_short("L10", "L11")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
for key in DATASETS:
    steps = ("25-minus-0", "50-minus-25")
    assert all(0 in focus.result[f"{key}/focus-{step}"] for step in steps)
    assert all(0 in interval for interval in found[f"{key}/lcqhnn", "grad-cam"].values())
    assert all(found[f"{key}/lcqhnn", method]["correlation"].low < 0 for method in methods)
    for kind in ("agreement-50", "consistency-50"):
        assert focus.result[f"{key}/{kind}"].high < focus.result[f"{key}/cnn-4/{kind}"].low
print("no growth of the hybrid's focus, none with accuracy is seen; seeds disagree: holds")

# %% tags=["remove-cell"]
classical = [found["mnist/cnn-4", method] for method in methods]
assert all(values["correlation"].low > 0 for values in classical)
assert all(0 in values["correlation-beyond-others"] for values in classical)
print("the classical network's on MNIST does, as much as with other runs: holds")
assert found["fashion/lcqhnn", "window-1"]["correlation"].high < 0
assert found["fashion/cnn-4", "window-3"]["late"].high < -0.7
print("on FashionMNIST, where they are clearly correlated, one falls as the other rises: holds")
shape = looks["mnist/lcqhnn"]["grad-cam"]["shape"]
assert stats.mean_interval(shape[:, stages[1]] - shape[:, 0]).high < 0 and 0 in difference
print("maps of MNIST lose the digits' shape, and are not seen to saturate more: holds")
