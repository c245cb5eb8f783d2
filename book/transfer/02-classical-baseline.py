# %% [markdown]
# # The classical baseline
#
# Before any circuit, the paper trains a classical network on the 64 latents, and reports 78.25 % of the training images and
# 80.34 % of the validation images classified correctly. For MNIST that is strikingly low. This page trains the network, and
# looks for the reason. It reproduces sections 3.1, 3.3 and 4.2 and figure 2 [[transfer](../references.md)] (claims S3 and S7).
#
# *Run time: under a minute. Needs: only the repository. Curves and tables come from recorded runs on all of MNIST; the live
# run uses scikit-learn's handwritten digits.*

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
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from hqnn import claims, experiments, figures, pages, records, runs, stats, tables
from hqnn.claims import report
from hqnn.papers.transfer.experiments import TransferConfig
from hqnn.papers.transfer.model import Classifier
from hqnn.papers.transfer.results import CHANGES, CLASSICAL, compare, distance
from hqnn.tasks import count_parameters

figures.style()
printed = {claim.id: claim.value for claim in claims.load().claims}
paper = {"training": printed["S3-train-accuracy"], "test": printed["S3-validation-accuracy"]}

# %% [markdown]
# ## The network
#
# "Three dense layers with batch normalization and dropout, and an output layer with the softmax activation function", Adam, a
# learning-rate scheduler, 50 epochs [transfer, section 3.3]. (Section 3.5 draws the same network with two such layers.) In code:

# %%
pages.source(Classifier)

# %% [markdown]
# Widths, dropout rate, learning rate and schedule are open. Each latent is first scaled to mean 0 and standard deviation 1 over the
# training images. All classifiers of this part, hybrid or not, are trained with these settings, and `halvings` halves the
# learning rate four times on the way:

# %%
config = TransferConfig()
for field in ("hidden", "activation", "dropout", "batch_size", "schedule"):
    print(f"{field}: {getattr(config, field)}")
print(f"learning_rate: {config.learning_rate}, {config.optimizer}, {config.epochs} epochs")
counted = count_parameters(Classifier(config, config.encoder.n_latents))
print("trained parameters:", counted["total"])

# %% [markdown]
# Training accuracy is, as in Keras, which the authors use, the running mean over an epoch with dropout on. It lies *below* the
# accuracy on unseen images, in the paper as in ours; that alone is no sign of anything wrong.

# %% tags=["hide-input"]
curves = {
    "training": 100 * records.curves(CLASSICAL, "train_accuracy"),
    "test": 100 * records.curves(CLASSICAL, "test_accuracy"),
}
n = len(curves["test"])
figure, ax = plt.subplots(figsize=(5.4, 3.4))
figures.curve_bands(ax, curves, paper).set(ylabel="accuracy, %", ylim=(74, 100))
ax.legend(loc="center right")
figures.show(
    figure,
    alt="Accuracy against epoch for training and test images, both above 94 per cent from early on; the paper's two values are hollow diamonds far below.",
    caption=f"The classical network on 64 latents of MNIST; hollow diamonds: the paper's accuracies. *Recorded runs, {n} seeds.*",
)

# %% tags=["hide-input"]
first = {split: stats.mean_interval(curve[1]) for split, curve in curves.items()}
last = {split: stats.mean_interval(curve[50]) for split, curve in curves.items()}
rows = [[k, paper[k], f"{first[k]:.2f}", f"{last[k]:.2f}"] for k in curves]
tables.table(
    ["images", "paper, epoch 50", "ours, epoch 1", "ours, epoch 50"],
    rows,
    caption="Accuracy of the classical network in per cent as printed and as found: mean and 95 % interval over five runs. *Recorded runs, all of MNIST.*",
)

# %% tags=["hide-input"]
matrix = np.mean([r.result["confusion"] for r in records.load(CLASSICAL)], axis=0)
figure, ax = plt.subplots(figsize=(5.2, 5))
figures.confusion(ax, matrix, list("0123456789"))
figures.show(
    figure,
    alt="A ten by ten table of true and found digits: the diagonal holds nearly all images, the commonest confusions are of four with nine and of similar pairs.",
    caption=f"Confusion matrix of the classical network on MNIST's 10,000 test images, mean over {n} seeds; colour marks errors. *Recorded runs.*",
)


# %% [markdown]
# The paper says of its own matrix that "most digits are correctly classified, with only a few misclassifications". With an
# accuracy of 80.34 % one image in five is misclassified, which few would call a few.
#
# ## Why might 80.34 % come out?
#
# We changed one thing at a time, things that people do get wrong or that the text mentions: the augmentation of section 3.1
# (flipped, rotated and shifted digits, in training or everywhere), an encoder that was never trained, activations in other
# places, a softmax applied twice, dropout, learning rates, latents left unscaled.

# %% tags=["hide-input"]
train = {t: 100 * records.final(one, "train_accuracy") for one, t in CHANGES.items()}
found = {t: 100 * records.final(one, "test_accuracy") for one, t in CHANGES.items()}
figure, ax = plt.subplots(figsize=(5.4, 4.8))
level = {f"the paper's {paper['test']:g} %": paper["test"]}
figures.intervals(ax, found, level, marked=(CHANGES[CLASSICAL],))
ax.set(xlabel="test accuracy after 50 epochs, %")
all_modified = len(found[CHANGES["transfer-augmented/augmented"]])
some = len(found[CHANGES["transfer-causes/flips"]])
figures.show(
    figure,
    alt="One row per changed setting with its test accuracies; a vertical line marks the paper's value. Most rows lie far to the right of it.",
    caption=f"The classical network with one thing changed. *Recorded runs: {n} with images as they are, {all_modified} each where all was modified, {some} of the others.*",
)

# %% tags=["hide-input"]
away = {t: distance(one, paper["training"], paper["test"]) for one, t in CHANGES.items()}
rows = [["**the paper**", "", paper["training"], paper["test"], ""]]
for text in sorted(away, key=away.get):
    test = stats.mean_interval(found[text])
    rows.append([text, test.n, f"{train[text].mean():.2f}", f"{test:.2f}", f"{away[text]:.1f}"])
header = ["training accuracy, %", "test accuracy, %", "nearest run, points off"]
tables.table(
    ["changed", "runs", *header],
    rows,
    caption="The classical network with one thing changed, ordered by how near its nearest run comes to the paper's two accuracies: means over the runs, with the 95 % interval of the test accuracy. *Recorded runs.*",
)

# %% tags=["remove-input"]
near = min(away, key=away.get)
gentle = [one for one, text in CHANGES.items() if one != CLASSICAL and found[text].mean() > 90]
Markdown(
    f"Of {len(CHANGES) - 1} changes {len(gentle)} leave the test accuracy above 90 %. The nearest to the paper's pair of numbers "
    f"is *{near}*: {train[near].mean():.2f} % of the training and {found[near].mean():.2f} % of the test images."
)

# %% [markdown]
# So one thing that the paper itself describes comes close: section 3.1 flips, rotates and shifts the images. A mirrored digit is
# mostly no digit at all, and some become others (a 2 looks like a 5 in the mirror). An encoder that has seen none of them serves
# such images badly: the training accuracy is then the printed one within a point. If the modified images are in the set that
# accuracy is measured on as well, the test accuracy follows most of the way. We cannot know whether this is what happened. But a
# network on clean latents, which is what section 4.2 describes, came near 80 % in none of our settings: those that train are well
# above, those with a tiny learning rate or most units dropped do not train.
#
# ## Does augmentation help?
#
# "These transformations help improve the robustness and generalization of the model" [transfer, section 3.1]. On MNIST's own
# test images:

# %% tags=["hide-input"]
modified = (
    "transfer-causes/rotations",
    "transfer-causes/flips",
    "transfer-augmented/augmented",
)
effect = {one: compare(one, CLASSICAL).lead for one in modified}
rows = [[CHANGES[one], lead.n, f"{lead:+z.2p}"] for one, lead in effect.items()]
tables.table(
    ["change", "pairs", "test accuracy, points"],
    rows,
    caption="What modified training images change in the accuracy on MNIST's own test images, in points: mean and 95 % interval, paired by seed. *Recorded runs.*",
)

# %% [markdown]
# ## The same code, live
#
# The classical network on latents of scikit-learn's digits, encoder included:

# %% tags=["hide-input"]
outcome = runs.execute(experiments.get("transfer-classical").quick["latents"], seed=1)
print("test accuracy above 0.85:", outcome.history["test_accuracy"][-1] > 0.85)

# %% [markdown]
# ## Exercises
#
# 1. Where do the trained parameters printed above come from? A dense layer has a weight for each pair of input and output and a bias for each output, a batch normalisation two numbers for each of its values.

# %% tags=["hide-input"]
widths = [config.encoder.n_latents, *config.hidden, 10]
pairs = list(pairwise(widths))
dense = [(n + 1) * m for n, m in pairs]
pages.solution(
    "The dense layers have "
    + " + ".join(f"({n} + 1) · {m}" for n, m in pairs)
    + f" = {sum(dense):,}, the normalisations behind the hidden ones "
    f"2 · ({' + '.join(map(str, config.hidden))}) = {2 * sum(config.hidden)}; together {sum(dense) + 2 * sum(config.hidden):,}."
)

# %% [markdown]
# 2. Take a network that is right on 80.34 % of all digits there are. How much does the share of 10,000 images that it has right scatter from draw to draw? Can the draw explain the distance to ours?

# %% tags=["hide-input"]
right = paper["test"] / 100
error = 100 * (right * (1 - right) / 10_000) ** 0.5
gap = last["test"].mean - paper["test"]
pages.solution(
    rf"The standard error is $\sqrt{{{right:.4f}\cdot {1 - right:.4f}/10\,000}} = {error:.2f}$ points. Ours is {gap:.1f} points higher, "
    f"{gap / error:.0f} such errors. No draw explains that."
)

# %% [markdown]
# 3. The accuracy on training images is below that on test images. How would you measure it so that both can be compared, and what do you expect?
#
# <details>
# <summary>Solution</summary>
#
# After the epoch, with dropout off and the weights as they are then, on all training images. The printed kind averages over an epoch in which the network still learns, and with a fifth of its units dropped. Measured alike, the accuracy on images that the network has learnt from is as a rule the higher one.
#
# </details>

# %% [markdown]
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about:

# %% tags=["remove-input"]
report.in_short("S3", "S7")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert (records.frame(CLASSICAL).n_parameters == counted["total"]).all()
assert counted["total"] == sum(dense) + 2 * sum(config.hidden)
assert last["test"].low > 96 and last["training"].low > 94
assert first["test"].low > paper["test"]
print("the network passes the printed accuracy in its first epoch: holds")
assert near == CHANGES["transfer-augmented/augmented-test-too"] and away[near] < 6
assert abs(train[near].mean() - paper["training"]) < 1
assert effect["transfer-causes/flips"].mean < 0
assert effect["transfer-augmented/augmented"].mean < -0.03
print("modified images come nearest, and do not help: holds")
