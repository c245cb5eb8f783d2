# %% [markdown]
# # Verdict
#
# What became of the paper's claims in both published versions, what we had to assume, where the paper contradicts itself, and
# the experiment that its title promises and that it never does. Every number comes from the ledger, the records and the analyses
# of the pages before [[transfer](../references.md)].
#
# *Run time: under a minute. Needs: only the repository. All runs are recorded ones, on all of MNIST and FashionMNIST.*

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
from IPython.display import HTML, Markdown

from hqnn import claims, figures, runs, stats, tables
from hqnn.papers.transfer import series as feature_series
from hqnn.verdicts import Verdict

figures.style()
results = claims.evaluate("transfer")
printed = {c.id: c.value for c in claims.load().claims}

# %% [markdown]
# ## The claims in numbers
#
# Each checkable sentence is a row of the ledger; the rule is on the [scoreboard](../scoreboard.ipynb).

# %% tags=["remove-input"]
subjects = {
    "the autoencoder": ("S1", "S2"),
    "the classical network": ("S3",),
    "the circuit": ("S4",),
    "the hybrid": ("S5",),
    "the comparison": ("S6",),
    "the data": ("S7",),
    "version 2": ("S8",),
}
claims.by_subject(results, subjects)

# %% [markdown]
# ## Two versions
#
# The first version of the paper (August 2024) and the second (July 2025) differ in method and result, under the same title.
# Ours beside both:

# %% tags=["hide-input"]
named = {"transfer-classical/latents": "classical network on 64 latents"}
named |= {
    "transfer-hybrid/blocks-probabilities-1024": "hybrid: 13 blocks of 5 latents, probabilities",
    "transfer-hybrid/blocks-marginals-1024": "hybrid: 13 blocks of 5 latents, marginals",
    "transfer-hybrid/first-5-probabilities-1024": "hybrid: first 5 latents, probabilities",
    "transfer-hybrid/pca-5-probabilities-exact": "hybrid: 5 principal components, probabilities",
}
full, *three, five = named
ours = {one: runs.history(*one.split("/"), "test_accuracy")[:, -1] for one in named}
v1 = {full: printed["S3-validation-accuracy"]}
v1 |= dict.fromkeys(three, printed["S5-validation-accuracy"])
v2 = {
    full: f"about {printed['S8-classical']}",
    five: f"about {printed['S8-hybrid']}",
}
rows = [
    [words, v1.get(one, ""), v2.get(one, ""), tables.percent(stats.mean_interval(ours[one]))]
    for one, words in named.items()
]
tables.table(["test accuracy, %", "version 1", "version 2", "ours, 50 epochs"], rows)

# %% [markdown]
# What the second version reports of the classical network, we find. What the first reports of it, no setting gave with clean
# images and a network that trains (the [second page](02-classical-baseline.ipynb) tried many). The first version's hybrid
# is what we get if *all* latents go in, thirteen circuits per image, and *all* probabilities come out, which the paper does not
# describe. In the second version five components go in, and the accuracy is that of five components.
#
# ## What we had to assume
#
# How much the hybrid's accuracy moves with each choice that the paper leaves open, other things equal (exact features, 20
# epochs; lowest and highest mean over the readings tried):

# %% tags=["hide-input"]
READINGS = ("first-5", "blocks", "re-uploading", "pca-5")
OUTCOMES = ("string", "marginals", "probabilities")
mean = {
    (r, o): feature_series.accuracies(inputs="measured", reading=r, outcome=o).mean()
    for r in READINGS
    for o in OUTCOMES
}
rows = []
for outcome in OUTCOMES:
    found = [mean[r, outcome] for r in READINGS]
    rows.append([f"what goes in ({outcome} kept)", f"{min(found):.1f} to {max(found):.1f}"])
for reading in READINGS:
    found = [mean[reading, o] for o in OUTCOMES]
    rows.append(
        [f"what is kept (`{reading}` goes in)", f"{min(found):.1f} to {max(found):.1f}"]
    )
for reading in READINGS:
    fields = {"inputs": "measured", "reading": reading}
    found = [
        feature_series.accuracies(**fields, scale=s).mean() for s in ("symmetric", "positive")
    ]
    rows.append(
        [f"scaling (`{reading}`, probabilities)", f"{min(found):.1f} to {max(found):.1f}"]
    )
tables.table(["left open", "test accuracy, %"], rows)

# %% [markdown]
# An experiment described so loosely cannot be repeated, only re-invented. Three assumptions of another kind: the images are
# not flipped, rotated or shifted, although section 3.1 does that (the [second page](02-classical-baseline.ipynb) shows what it
# costs); the "validation set" is MNIST's test set; and a printed accuracy is one run of ours, which is the rule's main idea.
#
# And one choice of ours needs a word. The first reading that we registered for the hybrid keeps marginals, and by it the ledger
# judges the 94.5 %. That all probabilities give the number was found afterwards, among the readings of the table below, so the row
# says which of them agree, and its verdict stays. Batch sizes, widths and
# learning rates matter little beside these.
#
# ## Where the paper contradicts itself

# %% tags=["remove-input"]
claims.contradictions(results)

# %% [markdown]
# And between the versions: the classical network on the same 64 latents goes from 80.34 % to about 98 %, the hybrid from 94.5 %
# to about 75 %; in the first the hybrid is ahead, in the second it is far behind, and both abstracts say that it is behind.
#
# ## Transfer, for once
#
# The title says *transfer learning*: something learnt on one task is reused on another. In the paper nothing is; the encoder is
# trained on the images that are then classified. So here is the experiment: the encoder trained on MNIST's digits, frozen, and
# reused on the clothes of FashionMNIST, beside an encoder trained on FashionMNIST itself and one that was never trained.

# %% tags=["hide-input"]
encoders = {
    "mnist": "encoder of MNIST",
    "fashion": "of FashionMNIST",
    "untrained": "untrained encoder",
}
kinds = {"latents": "classical, 64 latents", "blocks": "hybrid, 13 blocks, marginals"}
kinds["pca-5"] = "hybrid, 5 components, probabilities"
accuracy = {}
for e in encoders:
    name = "transfer-fashion-own" if e == "fashion" else "transfer-fashion"
    for k in kinds:
        accuracy[e, k] = 100 * runs.history(name, f"{e}-{k}", "test_accuracy")[:, -1]
rows = [
    [words, *(tables.number(stats.mean_interval(accuracy[e, k])) for e in encoders)]
    for k, words in kinds.items()
]
rows.append(["runs", *(len(accuracy[e, "latents"]) for e in encoders)])
tables.table(["FashionMNIST, test accuracy, %", *encoders.values()], rows)

# %% tags=["hide-input"]
rows, gain = [], {}
for k, words in kinds.items():
    gain[k] = stats.paired_difference(accuracy["mnist", k], accuracy["untrained", k]).difference
    n_own = len(accuracy["fashion", k])
    own = stats.paired_difference(
        accuracy["mnist", k][:n_own], accuracy["fashion", k]
    ).difference
    rows.append([words, tables.number(gain[k]), tables.number(own)])
header = ["over an untrained encoder, points", "over FashionMNIST's own encoder, points"]
tables.table(["lead of MNIST's encoder on FashionMNIST", *header], rows)

# %% [markdown]
# (20 epochs for each classifier. Leads are paired by seed, with 95 % intervals.) So transfer there is:
# with the circuit and without, the encoder of digits beats an untrained one and is behind the one trained on clothes. The circuit
# takes accuracy away from every encoder.
#
# ## What we would tell the paper's readers

# %% tags=["hide-input"]
reproduced = claims.counts(results)["transfer"][Verdict.REPRODUCED]
fields = {"inputs": "measured", "outcome": "probabilities"}
brief = {
    "all": feature_series.accuracies(inputs="latents"),
    "blocks": feature_series.accuracies(**fields, reading="blocks", scale="positive"),
    "five": feature_series.accuracies(inputs="encoded", reading="pca-5"),
    "pca-5": feature_series.accuracies(**fields, reading="pca-5"),
}
after = {key: f"{tables.number(stats.mean_interval(v))} %" for key, v in brief.items()}
classical = stats.mean_interval(ours["transfer-classical/latents"])

# %% tags=["remove-input"]
Markdown(
    f"- The classical network on 64 latents is near {100 * classical.mean:.0f} %, close to what the second version says; the first version's "
    f"{printed['S3-validation-accuracy']:g} % is not what its description gives.\n"
    "- The best reading of the hybrid, thirteen circuits per image with exact probabilities and the better scaling, has "
    f"{after['blocks']} after 20 epochs. The classical network has {after['all']}: the circuit adds nothing.\n"
    f"- With five numbers in the circuit the hybrid has {after['pca-5']}, and a classical network on the same five numbers "
    f"{after['five']}.\n"
    "- What the circuit computes anyone can multiply out: CNOTs directly before the measurement only rename outcomes, and what "
    "is measured is five independent coins.\n"
    f"- Agreement in a number is not a repetition. The hybrid's {printed['S5-validation-accuracy']:g} % comes out of one "
    "reading among many, which the text does not describe.\n"
    f"- Transfer works, with the circuit and without: an encoder of digits is {tables.number(gain['latents'], 1)} points better for "
    f"clothes than an untrained one, classically. Behind it the circuit of thirteen blocks leaves {accuracy['mnist', 'blocks'].mean():.1f} % of "
    f"{accuracy['mnist', 'latents'].mean():.1f} %.\n"
    f"- Of the {len(results)} claims in the ledger, {reproduced} are reproduced."
)

# %% [markdown]
# ## All claims

# %% tags=["remove-input"]
HTML(claims.to_html(results))

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
verdict = {r.claim.id: r.judgement.verdict for r in results}
assert Verdict.NOT_YET not in verdict.values()
print("every claim has a verdict: holds")
assert verdict["S8-classical"] == Verdict.REPRODUCED
assert verdict["S3-validation-accuracy"] == Verdict.NOT_REPRODUCED
assert classical.low > max(v.mean() for one, v in ours.items() if "hybrid" in one)

assert abs(brief["blocks"].mean() - brief["all"].mean()) < 0.5
print("the classical network is ahead of, or level with, every hybrid: holds")
assert all(
    accuracy[e, "latents"].mean() > accuracy[e, k].mean()
    for e in encoders
    for k in kinds
    if k != "latents"
)
assert all(lead.low > 0 for lead in gain.values())
print("an encoder of digits is better for clothes than an untrained one: holds")
