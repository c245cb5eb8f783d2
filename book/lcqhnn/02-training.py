# %% [markdown]
# # Training and accuracy
#
# The paper trains its hybrid network and three small convolutional networks on two pairs of classes, and reports that the
# hybrid learns faster and ends higher. This page runs all four models again and looks at every number of table 1, at
# figures 4 and 5, and at the two claims of speed [[lcqhnn](../references.md), §3.2] (claims L4 to L9). How much the answer depends
# on what is not said, and whether any reading makes the paper's slowest network as slow as printed, is the matter of [another
# page](07-what-the-paper-leaves-open.ipynb).
#
# *Run time: about a minute. Needs: only the repository. Tables and curves come from recorded runs at the paper's sizes on
# MNIST and FashionMNIST; the live run near the end uses scikit-learn's handwritten digits.*

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
from IPython.display import Markdown

from hqnn import claims, experiments, figures, pages, records, runs, stats, tables
from hqnn.claims import report
from hqnn.papers.lcqhnn import figures as lcqhnn_figures
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn import results, score_range
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.papers.lcqhnn.quantities import denominators, front_ends
from hqnn.papers.lcqhnn.results import DATASETS, EPOCHS, MODELS, ROWS
from hqnn.tasks import count_parameters

figures.style()
LABELS = {name: figures.model(name).label for name in MODELS}

# %% [markdown]
# ## The data and the four models
#
# The images are MNIST's digits 0 and 1, and FashionMNIST's trousers and shirts: 2048 balanced images for training, 512
# balanced ones for validation, 1024 random ones for the test [lcqhnn, §3.1.2]. All models are trained by Adam for 50
# epochs, with batches of 64 and a learning rate of 0.001 [§3.1.3].
#
# They share two convolutions with ReLU and pooling, which leave 256 features, and dropout. Then they part:
#
# - **LCQHNN** reduces 256 features to 4, encodes them as angles of the circuit of the [previous page](01-circuit.ipynb),
#   whose four angles $\theta$ are trained too, and turns the four measured $\langle Z_k\rangle$ into two class scores.
# - **CNN-$n$** reduces 256 features to $n/2$ and maps these to the two scores with a matrix of $n$ weights. The paper
#   speaks of "fully connected modules with 4, 8, and 16 parameters" and says no more.
#
# Dropout (half of the features), the loss (cross-entropy), the linear layer from $\langle Z_k\rangle$ to scores and the
# meaning of $n$ are ours; each is [replaced by others](07-what-the-paper-leaves-open.ipynb). The hybrid in code:

# %%
pages.source(lcqhnn.Lcqhnn.reduced, lcqhnn.Lcqhnn.angles, lcqhnn.Lcqhnn.forward)

# %% [markdown]
# Its rival CNN-$n$, with all the readings of "fully connected module" that are tried below:

# %%
pages.source(lcqhnn.Cnn.forward)

# %% [markdown]
# Every choice is a field of one config, the first of them common to all experiments. Its defaults are LCQHNN on MNIST:

# %%
pages.source(experiments.Config, LcqhnnConfig)

# %% [markdown]
# The paper calls LCQHNN and CNN-4 networks "with the same parameters". Counted:

# %% tags=["hide-input"]
rows, sizes = [], {}
for name in MODELS:
    model = lcqhnn.build(experiments.get("lcqhnn-mnist").variants[name])
    counted = count_parameters(model)
    sizes[name] = counted["total"]
    behind = counted["total"] - count_parameters(model.features)["total"]
    module = counted["quantum"] or model.scores.weight.numel()
    rows.append([LABELS[name], counted["total"], behind, module])
header = ["model", "all parameters", "behind the convolutions", "circuit, or last matrix"]
tables.table(
    header,
    rows,
    caption="Trainable parameters of the four networks, counted.",
)

# %% tags=["remove-input"]
equal = min(MODELS[1:], key=lambda name: abs(sizes[name] - sizes["lcqhnn"]))
Markdown(
    "The circuit has as many weights as the last matrix of CNN-4. As whole networks the two differ: the hybrid reduces "
    f"to four features, not to two. By size its equal is {LABELS[equal]}."
)

# %% [markdown]
# ### Which front end has 256 features?
#
# The text gives kernels of side 3 and 256 features, but no padding, no pooling window and no number of channels. Among
# paddings of 0 to 2 and pooling windows of 2 or 3, these give maps whose area divides 256:

# %% tags=["hide-input"]
ways = {}
for one in front_ends():
    way = "({}, {}; {}, {})".format(*one.paddings, *one.pools)
    ways.setdefault((one.side, one.channels), []).append(way)
found = sorted(ways.items(), reverse=True)
rows = [[f"{side} × {side}", n, len(same), ", ".join(same)] for (side, n), same in found]
tables.table(
    ["last maps", "channels", "ways", "(paddings; pools)"],
    rows,
    caption="Front ends that leave 256 features: the last maps, their number, and the two paddings and two pools of each way to get them.",
)

# %% [markdown]
# What a tutorial would do, two 2 × 2 pools with padding 0 or 1, is not among them. Our primary reading is padding 1 with
# pools of 2 and 3, which leaves 16 maps of 4 × 4. Three others are trained as well, among them 5 × 5 kernels, which
# contradict the text but are common.

# %% [markdown]
# ## Learning curves
#
# Figures 4a and 5a of the paper show one run per model. Each of our lines is the mean over runs that differ in their
# initial weights, the order of the images and the dropout masks; the band is the 95 % interval of that mean.

# %% tags=["hide-input"]
curves = {key: results.accuracies(key) for key in DATASETS}
printed = results.printed()
n_seeds = len(curves["mnist"]["lcqhnn"])

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 2, figsize=(5.4, 6.0), sharex=True)
for panels, (key, title) in zip(axes, DATASETS.items(), strict=True):
    for ax in panels:
        figures.learning_curves(ax, curves[key], printed[key])
    panels[0].set(title=title, ylim=(45, 101.5))
    top = (99, 100.08) if key == "mnist" else (93, 99.6)
    panels[1].set(title=f"{title}, the top", ylim=top)
for ax in axes[:, 1]:
    ax.set(ylabel="")
for ax in axes[0]:
    ax.set(xlabel="")
figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
figures.show(
    figure,
    alt="Four panels of test accuracy against epoch, one line per model: MNIST above, FashionMNIST below, the whole range left, its top right; diamonds mark what the paper prints.",
    caption=f"Test accuracy of the four models, mean and 95 % interval, and the paper's table 1 as diamonds in the models' colours: the counterpart of figures 4a and 5a. *Recorded runs, {n_seeds} seeds.*",
)

# %% [markdown]
# The paper's order of the models is not ours. In the first epochs all three classical networks are above the hybrid, CNN-4
# included, which keeps up with its larger siblings. At the end the means of all four lie within a few tenths of a point. On MNIST
# that is the *ceiling*: digits 0 and 1 are told apart so easily that no network has more than a few of 1024 images left to win, and
# a difference, if there is one, cannot show. The hybrid's broad band in the first epochs hides two kinds of runs, to which we come
# below.
#
# ## Table 1, paper beside ours

# %% tags=["hide-input"]
rows = []
for (key, name), words in ROWS.items():
    rows.append([words])
    for epoch, value in printed[key][name].items():
        rows[-1] += [f"{value:g}", f"{stats.mean_interval(curves[key][name][epoch]):.2p}"]
header = [f"{who}, {epoch}" for epoch in EPOCHS for who in ("paper", "ours")]
tables.table(
    ["model", *header],
    rows,
    caption="Test accuracy in per cent as table 1 prints it and as we find it: mean and 95 % interval over ten runs, 1,024 test images. *Recorded runs, 10 seeds.*",
)

# %% [markdown]
# The interval is that of the mean over seeds. Single runs scatter more. Here is every one of them at epoch 10, beside the
# paper's bars:

# %% tags=["hide-input"]
figure, axes = plt.subplots(2, 1, figsize=(5.4, 5.6), sharex=True)
for ax, (key, title) in zip(axes, DATASETS.items(), strict=True):
    at_10 = {name: 100 * curve[10] for name, curve in curves[key].items()}
    bars = {name: by_epoch[10] for name, by_epoch in printed[key].items()}
    figures.single_runs(ax, at_10, bars).set(title=title)
figure.supylabel("test accuracy at epoch 10, %", fontsize=10)
figures.show(
    figure,
    alt="Test accuracy at epoch 10 of four models on two datasets, as dots, bars and diamonds.",
    caption=f"Test accuracy at epoch 10: a dot for each run, a bar for their mean, a diamond for the paper's value (figures 4b and 5b). *Recorded runs, {n_seeds} seeds.*",
)

# %% [markdown]
# ## How many images are behind the printed percentages?
#
# An accuracy over $n$ images is a multiple of $1/n$. The paper says that its accuracies are those of 1024 test images. Here
# is how far each number of table 1 is from a whole number of 512 images; an odd number of 1024 would lie at one half:

# %% tags=["hide-input"]
values = Counter(value for key, name in ROWS for value in printed[key][name].values())
figure, ax = plt.subplots(figsize=(5.4, 3.4))
lcqhnn_figures.on_a_grid(ax, sorted(values), 512)
figures.show(
    figure,
    alt="One dot for each printed accuracy, with its number of correct images above it. All lie at zero, within a thin band, none at one half.",
    caption="Table 1 on the grid of 512 images: how many images each printed accuracy is off a whole number, which is written above it. The band is what rounding to two decimals allows.",
)

# %% tags=["remove-input"]
half = [512 in denominators(value) for value in values.elements() if value < 100]
Markdown(
    f"Out of 1024, every count is even: {sum(half)} of the {len(half)} values below 100 % are multiples of 1/512, the size "
    f"of the *validation* set. With 1024 test images chance would do this once in {2 ** len(half):,} tables. Table 1 most "
    "likely shows accuracies on the validation images, or on 512 of the test images. For our networks after 50 epochs the "
    "accuracy on the validation images minus that on the test images is "
    f"{results.validation_lead('mnist'):+.2f} points (MNIST) and {results.validation_lead('fashion'):+.2f} points "
    "(FashionMNIST). The choice of the set thus moves all four models together. Accuracies on this page are those of the "
    "test images."
)

# %% [markdown]
# ## Who ends higher?
#
# The second headline is the hybrid's lead after 50 epochs. Ours is the mean difference over pairs of runs with the same
# seed, with its 95 % interval and the p-value of an exact permutation test.

# %% tags=["hide-input"]
pairs = [(key, name) for key, name in ROWS if name != "lcqhnn"]
leads = {(k, n): results.lead(f"lcqhnn-{k}/lcqhnn", f"lcqhnn-{k}/{n}", 50) for k, n in pairs}
rows = []
for (key, name), lead in leads.items():
    theirs = printed[key]["lcqhnn"][50] - printed[key][name][50]
    ours = [f"{lead.difference:+z.2p}", f"{lead.p_value:.2g}", lead.difference.n]
    rows.append([f"{DATASETS[key]}, over {LABELS[name]}", f"{theirs:+.2f}", *ours])
tables.table(
    ["lead", "paper", "ours", "p", "pairs"],
    rows,
    caption="LCQHNN's lead in test accuracy at epoch 50, in points, as printed and as found: mean and 95 % interval over pairs of runs of one seed, with the exact p-value. *Recorded runs.*",
)

# %% [markdown]
# On MNIST the means are a tenth of a point, at the ceiling. On FashionMNIST they point the paper's way, with intervals that reach
# down to zero or just miss it, and none comes near the printed size. A lead of a tenth of a point is one image in 1024; the [verdict](05-verdict.ipynb) asks whether
# it is the circuit's.

# %% [markdown]
# ## Who reaches the threshold first?
#
# The abstract's headline is speed. Let $E$ be the first epoch at which a model passes a threshold, 99 % on MNIST and 90 %
# on FashionMNIST. The paper's measure is
#
# $$Q = \frac{E_{\text{CNN-4}} - E_{\text{LCQHNN}}}{E_{\text{CNN-4}}}$$
#
# [lcqhnn, eq. 9], positive if the hybrid is faster. $Q$ is at most 100 % but has no lower limit, so its mean says little;
# we give the median and the range over runs, paired by seed. A run that never passes would count as one epoch more than
# it was trained for; the column "never" says how many do.

# %% tags=["hide-input"]
limits = {"mnist": 0.99, "fashion": 0.90}
first = {(k, name): stats.epochs_to_reach(curves[k][name], limits[k]) for k, name in ROWS}
rows = []
for (key, name), found in first.items():
    epochs, model = found.counted, f"{DATASETS[key]} {100 * limits[key]:.0f} %, {LABELS[name]}"
    q = 100 - 100 * first[key, "lcqhnn"].counted / epochs
    speed = [f"{np.median(q):.0f}", tables.span(q, 0)] if name != "lcqhnn" else ["", ""]
    never = len(epochs) - found.n_reached
    rows.append([model, f"{np.median(epochs):g}", tables.span(epochs, 0), never, *speed])
tables.table(
    ["threshold, model", "median $E$", "range", "never", "median $Q$, %", "range of $Q$"],
    rows,
    caption="The first epoch $E$ above the threshold, and the hybrid's gain in speed $Q$ over each rival: median and range over runs. *Recorded runs, 10 seeds.*",
)

# %% tags=["remove-input"]
ledger = {claim.id: claim.printed.value for claim in claims.load().claims}
lines = []
for key, row in (("mnist", "L7"), ("fashion", "L8")):
    later = stats.paired_difference(first[key, "lcqhnn"].counted, first[key, "cnn-4"].counted)
    lines.append(
        f"- {DATASETS[key]}: the paper's hybrid needs {ledger[f'{row}-lcqhnn-epoch']} epochs and its CNN-4 "
        f"{ledger[f'{row}-cnn4-epoch']}, as follows from its $Q$ of {ledger[f'{row}-speed']:g} %. Our hybrid needs "
        f"{later.difference:z.1f} epochs *more* than our CNN-4 ({later.test}, p = {later.p_value:.2g})."
    )
Markdown("\n".join(lines))

# %% tags=["remove-input"]
fastest = [
    row.judgement.ours for row in claims.stored("lcqhnn") if "L7-fastest" in row.claim.id
]
Markdown(
    "Our hybrid is as quick as the paper's, or quicker. What we do not find is the slow CNN-4. Ours passes both thresholds "
    "within the first three epochs, and where a rival needs only one, no model can be faster. One lead of the paper's is there: the "
    f"hybrid is the first to classify *all* 1,024 test images of MNIST correctly, by {tables.span(fastest, 0)} epochs in the mean "
    "(claims L7-fastest, which were added when the runs were known); most runs of its rivals never do. A handful of images decides this."
)

# %% [markdown]
# ## Why does the hybrid start late?
#
# In some runs the hybrid stays near 50 % for several epochs; in others it starts as quickly as its rivals.

# %% tags=["remove-input"]
late = {key: (curves[key]["lcqhnn"].loc[:, :5] < 0.6).sum() for key in DATASETS}
Markdown(
    "Below 60 % after one, two and three epochs are "
    + " and ".join(
        f"{of[1]}, {of[2]} and {of[3]} of {n_seeds} runs on {DATASETS[key]}"
        for key, of in late.items()
    )
    + "; after four, none is."
)

# %% [markdown]
# The class depends on the sign of one number, the difference of the two scores,
#
# $$f(x) = b + \sum_{k=0}^{3} v_k\,\langle Z_k\rangle(x).$$
#
# Its readout weights $v$ and its bias $b$ start as random numbers of order 1/2. The $\langle Z_k\rangle$ are bounded, and
# by less than 1: they are [sums of products](06-what-the-circuit-computes.ipynb) of cosines of the features, with products of sines
# and cosines of the four angles as amplitudes, and random angles make these products small. So it can happen that $f$ has
# the same sign for *every* $x$. Such a network puts every conceivable image into one class, whatever its convolutions
# do, until $b$, $v$ and the angles have moved; and Adam moves each of them by about 0.001 in a step, 0.03 in an epoch.
#
# This can be tested without any image. Call the *margin* of a network how far the range of $f$ reaches beyond zero on its
# shorter side: negative if $f$ cannot change its sign. We compute it for the untrained network of every recorded run, and
# for the variants in which the circuit is changed (more on them with the [verdict](05-verdict.ipynb)):

# %% tags=["hide-input"]
starts = {key: score_range.starts_by_circuit(key) for key in DATASETS}
figure, axes = plt.subplots(1, 2, figsize=(5.4, 3.8), sharex=True, sharey=True)
for ax, (key, title) in zip(axes, DATASETS.items(), strict=True):
    lcqhnn_figures.start_and_reach(ax, starts[key]).set(title=title)
figure.legend(*axes[1].get_legend_handles_labels(), loc="outside upper center", ncols=2)
axes[0].set_ylabel("first epoch above 60 %")
figures.show(
    figure,
    alt="Two scatter plots, MNIST and FashionMNIST. Each dot is a run: the first epoch with more than 60 per cent test accuracy against the margin of its untrained network.",
    caption="When a run begins to tell the classes apart, against the margin of the network that it starts from. Left of the dashed line the untrained score cannot change its sign. *Recorded runs; their untrained networks, computed here.*",
)

# %% [markdown]
# The margin separates the two kinds without an exception: who starts late is decided before the first image is seen. (Runs
# with the same seed start from the same network on both datasets, and with frozen angles.) The cause is not quantum
# mechanical. It takes a layer with small, bounded outputs and a readout with a random bias; tanh$(wx)$ has larger
# outputs and escapes.
#
# Two more variants say the same. A readout without a trained layer has no bias, and as every $\langle Z_k\rangle$
# averages to zero over the features, both signs are within its reach. And a larger learning rate moves the bias faster:

# %% tags=["hide-input"]
others = [v for k in ("readings", "rates") for v in results.variants(k, "fashion", "lcqhnn")]
shown = {"linear readout, learning rate 0.001": "lcqhnn-fashion/lcqhnn"}
shown |= {one.words: one.series for one in others if one.choice in ("readout", "learning rate")}
found = results.paired(*shown.values())
below = [(table.loc[:, :5] < 0.6).sum() for table in found]
rows = [[words, *counts] for words, counts in zip(shown, below, strict=True)]
tables.table(
    ["reading", *map(str, range(1, 6))],
    rows,
    caption="Runs of the hybrid on FashionMNIST that are below 60 % test accuracy after each of the first five epochs, counted, of three a row. *Recorded runs.*",
)

# %% [markdown]
# ## A learning rate for everyone
#
# One learning rate for four models may suit one of them best. On FashionMNIST, where there is something to gain, all four
# were trained at the same rates:

# %% tags=["hide-input"]
rates = results.series_by_rate("fashion")
at_10, passed = {}, {}
for name, by_rate in rates.items():
    found = dict(zip(by_rate, results.paired(*by_rate.values()), strict=True))
    at_10[name] = {rate: 100 * table[10] for rate, table in found.items()}
    passed[name] = {r: stats.epochs_to_reach(t, 0.9).counted for r, t in found.items()}

# %% tags=["hide-input"]
figure, (top, bottom) = plt.subplots(2, 1, figsize=(5.4, 6.4), sharex=True)
figures.rate_curves(top, at_10, usual=1e-3)
top.set(xlabel="", ylabel="test accuracy at epoch 10, %")
figures.rate_curves(bottom, passed, usual=1e-3)
bottom.set(ylabel="first epoch above 90 %", yscale="log")
bottom.yaxis.set_major_formatter("{x:g}")
top.legend()
figures.show(
    figure,
    alt="Two panels against the learning rate, one line per model and one dot per run. Above: test accuracy at epoch 10. Below: the first epoch above 90 per cent, on a logarithmic axis.",
    caption=f"The same learning rates for all four models, FashionMNIST: a dot for each run, lines through the means, the paper's rate dashed. *Recorded runs, {len(found[1e-3])} seeds.*",
)

# %% [markdown]
# Fair tuning chooses for each model the rate with the best mean *validation* accuracy after 50 epochs, without a look at
# the test images:

# %% tags=["hide-input"]
best = {name: results.best_rate(by_rate) for name, by_rate in rates.items()}
tuned = {name: by_rate[best[name]] for name, by_rate in rates.items()}
tuned_leads, rows = [], []
for name, series in tuned.items():
    (table,) = results.paired(series)
    ours = [f"{stats.mean_interval(table[epoch]):.2p}" for epoch in (10, 50)]
    ahead = [results.lead(tuned["lcqhnn"], series, epoch).difference for epoch in (10, 50)]
    over = [f"{lead:+z.2p}" if name != "lcqhnn" else "" for lead in ahead]
    rows.append([LABELS[name], f"{best[name]:g}", *ours, *over])
    tuned_leads += ahead
header = ["epoch 10", "epoch 50", "LCQHNN's lead at 10", "at 50"]
tables.table(
    ["model", "best rate", *header],
    rows,
    caption="All four at the rate that validation prefers: test accuracy on FashionMNIST in per cent and LCQHNN's lead in points, at epochs 10 and 50; mean and 95 % interval. *Recorded runs, 3 seeds.*",
)

# %% [markdown]
# With so few seeds the intervals are wide, and no lead is seen. What can be said is that validation prefers a larger rate than
# the paper's for every model, and that at 0.01 no run of the hybrid starts late.

# %% [markdown]
# ## The same code, live
#
# What stands behind the records also runs here and now, on 192 handwritten digits from scikit-learn instead of 2048
# images, for eight epochs with smaller batches and larger steps. These accuracies mean nothing for the paper.

# %%
live = {name: experiments.get("lcqhnn-mnist").quick[name] for name in MODELS}
outcomes = {name: runs.execute(config, seed=1) for name, config in live.items()}
for name, outcome in outcomes.items():
    print(
        f"{LABELS[name]}: test accuracy above 0.9:", outcome.history["test_accuracy"][-1] > 0.9
    )
again = runs.execute(live["lcqhnn"], seed=1)
print("the same seed gives the same run:", again.result == outcomes["lcqhnn"].result)

# %% [markdown]
# ## Exercises
#
# 1. The paper prints 91.41 % for CNN-4. How many right of 512 images is that, and could it be a share of 1024?

# %% tags=["hide-input"]
right = [n * 0.9141 for n in (512, 1024)]
shares = {n: 100 * round(0.9141 * n) / n for n in (512, 1024)}
pages.solution(
    f"$0.9141 \\cdot 512 = {right[0]:.2f}$: {round(right[0])} images are {shares[512]:.2f} %. Of 1024 it would be "
    f"{round(right[1])}, the same share, so this one number cannot tell. All of table 1 together can: see the section on the granularity."
)

# %% [markdown]
# 2. Ten pairs of runs, and all ten differences have the same sign. What is the exact p-value? With how many pairs can it first fall below 0.05?

# %% tags=["hide-input"]
least = next(n for n in range(2, 20) if stats.floor(n) < 0.05)
pages.solution(
    f"Of the $2^{{10}}$ patterns of signs two are as extreme: $p = 2/2^{{10}} = {stats.floor(10):.3f}$. "
    f"With $n$ pairs the least is $2^{{1-n}}$, below 0.05 from {least} pairs on ({stats.floor(least):.3f})."
)

# %% [markdown]
# 3. The differences of single pairs scatter with a standard deviation of half a point. How many seeds are needed to see a lead of half a point in nine of ten such experiments?

# %% tags=["hide-input"]
enough = next(n for n in range(2, 100) if stats.power(0.5, 0.5, n) > 0.9)
small = next(n for n in range(2, 2000) if stats.power(0.1, 0.5, n) > 0.9)
pages.solution(
    f"{enough} seeds: then the 95 % interval of the mean lies above zero with a chance of {stats.power(0.5, 0.5, enough):.2f}. "
    f"For a lead of a tenth of a point it would take {small}: small leads are dear."
)

# %% [markdown]
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about:

# %% tags=["remove-input"]
report.in_short("L4", "L5", "L6", "L7", "L8", "L9", "L13")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
made = records.frame(*(f"lcqhnn-{key}/{name}" for key, name in ROWS))
assert (made[["n_train", "n_val", "n_test"]] == [2048, 512, 1024]).all(axis=None)
assert set(made.loc["lcqhnn-mnist/lcqhnn"].n_parameters) == {sizes["lcqhnn"]}
print("the records are of the models and the data described above: holds")
for (key, name), lead in leads.items():
    ours, other = (curves[key][one].mean() for one in ("lcqhnn", name))
    assert (other[:3] > ours[:3]).all() and 0 < lead.difference.mean < 0.003
    assert key == "mnist" or lead.difference.high < 0.0078
    assert first[key, "cnn-4"].counted.max() <= 3 and first[key, "lcqhnn"].counted.max() <= 6
print("all are quick, CNN-4 more so than the hybrid, and end together: holds")

# %% tags=["remove-cell"]
found = [pair for by_circuit in starts.values() for pair in by_circuit.values()]
assert all(((margin < 0) == (start > 1)).all() for margin, start in found)
at_once = [words for words, counts in zip(shown, below, strict=True) if counts[1] == 0]
assert {"outcome of qubit 0", "parity of all outcomes", "learning rate 0.01"} <= set(at_once)
assert all(of[4] == 0 for of in late.values())
print("a late start, or none, is a score that cannot change its sign: holds")
assert min(best.values()) > 1e-3 and all(0 in lead for lead in tuned_leads)
print("tuned alike no lead is seen: holds")
