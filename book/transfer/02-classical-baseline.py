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
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from hqnn import claims, experiments, figures, runs, stats, tables
from hqnn.papers.transfer.model import Classifier

figures.style()
config = experiments.get("transfer-classical").variants["latents"]
printed = {c.id: c.value for c in claims.load().claims}
paper = {"training": printed["S3-train-accuracy"], "test": printed["S3-validation-accuracy"]}

# %% [markdown]
# ## The network
#
# "Three dense layers with batch normalization and dropout, and an output layer with the softmax activation function", Adam, a
# learning-rate scheduler, 50 epochs [transfer, section 3.3]. (Section 3.5 draws the same network with two such layers.) Widths,
# dropout rate, learning rate and schedule are open. Each latent is first scaled to mean 0 and standard deviation 1 over the
# training images. All classifiers of this part, hybrid or not, are trained with these settings:

# %% tags=["hide-input"]
model = Classifier(config, config.encoder.n_latents)
rows = [
    ["dense layers", " → ".join(map(str, (config.encoder.n_latents, *config.hidden, 10)))],
    ["after each but the last", "ReLU, batch normalisation, dropout"],
    ["dropout", f"{config.dropout:g}"],
    ["learning rate", f"{config.learning_rate:g}, halved four times on the way"],
    ["batch size", config.batch_size],
    ["parameters", sum(p.numel() for p in model.parameters())],
]
tables.table(["", "ours"], rows)

# %% [markdown]
# Training accuracy is, as in Keras, which the authors use, the running mean over an epoch with dropout on. It lies *below* the
# accuracy on unseen images, in the paper as in ours; that alone is no sign of anything wrong.

# %% tags=["hide-input"]
curves = {
    name: 100 * runs.history("transfer-classical", "latents", f"{split}_accuracy")
    for name, split in (("training", "train"), ("test", "test"))
}
figure, ax = plt.subplots(figsize=(7.2, 3.6))
figures.curve_bands(ax, curves, paper).set(ylabel="accuracy, %", ylim=(74, 100))
ax.legend(loc="center right")
n = len(curves["test"])
figures.show(
    figure,
    alt="Accuracy against epoch for training and test images, both above 94 per cent from early on; "
    "the paper's two values are hollow diamonds far below.",
    caption="The classical network on 64 latents of MNIST; hollow diamonds: the paper's accuracies. "
    f"*Recorded runs, {n} seeds.*",
)

# %% tags=["hide-input"]
last = {name: stats.mean_interval(history[:, -1]) for name, history in curves.items()}
first = {name: stats.mean_interval(history[:, 0]) for name, history in curves.items()}
rows = [[k, paper[k], tables.number(first[k]), tables.number(last[k])] for k in last]
tables.table(["accuracy, %", "paper, epoch 50", "ours, epoch 1", "ours, epoch 50"], rows)

# %% tags=["hide-input"]
records = runs.load("transfer-classical", "latents")
matrix = np.mean([record.result["confusion"] for record in records], axis=0)
figure, ax = plt.subplots(figsize=(5.2, 5))
figures.confusion(ax, matrix, [str(k) for k in range(10)])
wrong = matrix.sum() - np.trace(matrix)
figures.show(
    figure,
    alt="A ten by ten table of true and found digits: the diagonal holds nearly all images, the "
    "commonest confusions are of four with nine and of similar pairs.",
    caption="Confusion matrix of the classical network on MNIST's 10,000 test images, mean over "
    f"{n} seeds; colour marks errors. *Recorded runs.*",
)

# %% tags=["hide-input"]
error = 100 - paper["test"]
rows = [["ours", f"{wrong:.0f}"], [f"{paper['test']:g} % of 10,000", f"{100 * error:.0f}"]]
tables.table(["misclassified test images", ""], rows)

# %% [markdown]
# The paper says of its own matrix that "most digits are correctly classified, with only a few misclassifications". With an
# accuracy of 80.34 % one image in five is misclassified: one of the two sentences is wrong.
#
# ## Why might 80.34 % come out?
#
# We changed one thing at a time, things that people do get wrong or that the text mentions: the augmentation of section 3.1
# (flipped, rotated and shifted digits, in training or everywhere), an encoder that was never trained, activations in other
# places, a softmax applied twice, dropout, learning rates, latents left unscaled.

# %% tags=["hide-input"]
words = {
    "flips": "half of the training images mirrored",
    "rotations": "training images rotated by up to 15°",
    "augmented": "training images mirrored, rotated, shifted",
    "augmented-test-too": "training and test images mirrored, rotated, shifted",
    "untrained-encoder": "encoder never trained",
    "sigmoid-layers": "sigmoid instead of ReLU",
    "relu-scores": "ReLU on the class scores",
    "double-softmax": "softmax twice",
    "dropout-0.5": "dropout 0.5",
    "dropout-0.8": "dropout 0.8",
    "lr-1e-1": "learning rate 0.1",
    "lr-1e-5": "learning rate 0.00001",
    "sgd": "plain gradient descent, rate 0.01",
    "unscaled": "latents not scaled",
}
found = {"images as they are": curves["test"][:, -1]}
train = {"images as they are": curves["training"][:, -1]}
for variant, text in words.items():
    name = "transfer-augmented" if variant.startswith("augmented") else "transfer-causes"
    for store, split in ((found, "test"), (train, "train")):
        store[text] = 100 * runs.history(name, variant, f"{split}_accuracy")[:, -1]

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(7.2, 4.8))
figures.intervals(
    ax,
    found,
    {f"the paper's {paper['test']:g} %": paper["test"]},
    marked=("images as they are",),
)
ax.set(xlabel="test accuracy after 50 epochs, %")
figures.show(
    figure,
    alt="One row per changed setting with its test accuracies; a vertical line marks the paper's "
    "value. Most rows lie far to the right of it.",
    caption="The classical network with one thing changed. *Recorded runs: "
    f"{n} with images as they are, {len(found[words['augmented']])} each where all was modified, {len(found[words['flips']])} of the others.*",
)

# %% tags=["hide-input"]
rows = []
for text, values in found.items():
    away = np.hypot(values - paper["test"], train[text] - paper["training"]).min()
    row = [
        text,
        len(values),
        f"{train[text].mean():.2f}",
        tables.number(stats.mean_interval(values)),
    ]
    rows.append([*row, f"{away:.1f}"])
rows.sort(key=lambda row: float(row[-1]))
paper_row = ["**the paper**", "", paper["training"], paper["test"], ""]
header = [
    "changed",
    "runs",
    "training accuracy, %",
    "test accuracy, %",
    "nearest run, points off",
]
tables.table(header, [paper_row, *rows])

# %% tags=["remove-input"]
near = rows[0]
gentle = [text for text, values in found.items() if values.mean() > 90]
Markdown(
    f"Of {len(words)} changes {len(gentle) - 1} leave the test accuracy above 90 %. The nearest to the paper's pair of numbers "
    f"is *{near[0]}*: {near[2]} % of the training and {found[near[0]].mean():.2f} % of the test images."
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
rows, effect = [], {}
for name in (
    "transfer-causes/rotations",
    "transfer-causes/flips",
    "transfer-augmented/augmented",
):
    pair = runs.paired("test_accuracy", name, "transfer-classical/latents")
    variant = name.partition("/")[2]
    effect[variant] = stats.mean_interval(pair[0][:, -1] - pair[1][:, -1])
    rows.append([words[variant], effect[variant].n, tables.points(effect[variant])])
tables.table(["change", "pairs", "test accuracy, points"], rows)

# %% [markdown]
# ## The same code, live
#
# The classical network on latents of scikit-learn's digits, encoder included:

# %%
outcome = runs.execute(experiments.get("transfer-classical").quick["latents"], seed=1)
print("test accuracy above 0.85:", outcome.history["test_accuracy"][-1] > 0.85)

# %% [markdown]
# ## The claims
#
# The rows of the ledger that this page is about ([all claims](../scoreboard.ipynb)):

# %% tags=["remove-input"]
HTML(claims.to_html(claims.evaluate("transfer", groups=("S3", "S7"))))

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert sum(p.numel() for p in model.parameters()) == records[0].result["n_parameters"]["total"]
assert last["test"].low > 96 and last["training"].low > 94
assert first["test"].low > paper["test"]
print("the network passes the printed accuracy in its first epoch: holds")
assert near[0] == words["augmented-test-too"] and float(near[-1]) < 6
assert abs(train[near[0]].mean() - paper["training"]) < 1
assert effect["flips"].mean < 0 and effect["augmented"].mean < -0.03
print("modified images come nearest, and do not help: holds")
