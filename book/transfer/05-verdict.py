# %% [markdown]
# # Verdict: no lead of the hybrid, and an accuracy that hangs on the reading
#
# What became of the paper's claims in both published versions, what we had to assume, where the paper contradicts itself, and
# the experiment that its title promises and that it never does. Every number comes from the ledger, the records and the analyses
# of the pages before [[transfer](../references.md)].
#
# *Run time: under a minute. Needs: only the repository. All runs are recorded ones, on all of MNIST and FashionMNIST.*

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
from IPython.display import Markdown

from hqnn import claims, figures, records, stats, tables
from hqnn.claims import Verdict, report
from hqnn.papers.transfer.results import CLASSICAL, by_choice, compare, on_fashion, series

figures.style()
results = claims.evaluate("transfer")
printed = {claim.id: claim.value for claim in claims.load().claims}

# %% [markdown]
# ## What we would tell the paper's readers

# %% tags=["hide-input"]
kinds = {
    "latents": "classical, 64 latents",
    "blocks": "hybrid, 13 blocks, marginals",
    "pca-5": "hybrid, 5 components, probabilities",
}
over_untrained, over_own = (
    {k: compare(on_fashion("mnist", k), on_fashion(encoder, k)) for k in kinds}
    for encoder in ("untrained", "fashion")
)
classical = stats.mean_interval(records.final(CLASSICAL, "test_accuracy"))
best = compare(
    series(inputs="measured", reading="blocks", scale="positive"), series(inputs="latents")
)
linear = compare("transfer-hadamards/linear-all-exact", "transfer-hadamards/linear-inputs")
five = compare(
    series(inputs="measured", reading="pca-5"), series(inputs="encoded", reading="pca-5")
)

# %% tags=["remove-input"]
Markdown(
    f"- The classical network on 64 latents is near {100 * classical.mean:.0f} %, close to what the second version says; the first version's "
    f"{printed['S3-validation-accuracy']:g} % is not what its description gives.\n"
    "- The best reading of the hybrid, thirteen circuits per image with exact probabilities and the better scaling, has "
    f"{best.one:.2p} % after 20 epochs. The classical network has {best.other:.2p} %. No difference is seen: {best.lead:+z.2p} points.\n"
    f"- With five numbers in the circuit the hybrid has {five.one:.2p} %, and a classical network on the same five numbers "
    f'{five.other:.2p} %. The second version\'s "about {printed["S8-hybrid"]:g} %" is what five components of *linear* latents give: '
    f"{linear.one:.2p} % with the circuit, {linear.other:.2p} % without it.\n"
    "- What the circuit computes anyone can multiply out: CNOTs directly before the measurement only rename outcomes, and what "
    "is measured is five independent coins.\n"
    f"- Agreement in a number is not a repetition. The hybrid's {printed['S5-validation-accuracy']:g} % comes out of one "
    "reading among many, which the text does not describe.\n"
    f"- Transfer works, with the circuit and without: an encoder of digits is {over_untrained['latents'].lead:.1p} points better for "
    f"clothes than an untrained one, classically. Behind it the circuit of thirteen blocks leaves {100 * over_untrained['blocks'].one.mean:.2f} % of "
    f"{100 * over_untrained['latents'].one.mean:.2f} %."
)

# %% [markdown]
# ## The claims in numbers
#
# Each checkable sentence is a row of the ledger. The [ledger](../scoreboard.ipynb#paper=transfer) has every row with its evidence, the rule that
# decides, and the verdict by the first edition of that rule. Of those that report a result, by subject:

# %% tags=["remove-input"]
found = [row for row in results if row.claim.kind == "result"]
titles = claims.load().groups["transfer"]
report.by_subject(found, {titles[row.claim.group]: [row.claim.group] for row in found})

# %% [markdown]
# ## Two versions
#
# The first version of the paper (August 2024) and the second (July 2025) differ in method and result, under the same title.
# Ours beside both:

# %% tags=["hide-input"]
v1, v2 = printed["S5-validation-accuracy"], f"about {printed['S8-hybrid']}"
of_classical = printed["S3-validation-accuracy"], f"about {printed['S8-classical']}"
hybrids = {
    "transfer-hybrid/blocks-probabilities-1024": (
        "13 blocks of 5 latents, probabilities",
        v1,
        "",
    ),
    "transfer-hybrid/blocks-marginals-1024": ("13 blocks of 5 latents, marginals", v1, ""),
    "transfer-hybrid/first-5-probabilities-1024": ("first 5 latents, probabilities", v1, ""),
    "transfer-hybrid/pca-5-probabilities-exact": (
        "5 principal components, probabilities",
        "",
        v2,
    ),
    "transfer-hadamards/linear-all-exact": ("the same of linear latents", "", v2),
}
rows = [["classical network on 64 latents", *of_classical, f"{classical:.2p}"]]
reached = []
for name, (words, one, two) in hybrids.items():
    ours = stats.mean_interval(records.final(name, "test_accuracy"))
    rows.append([f"hybrid: {words}", one, two, f"{ours:.2p}"])
    reached.append(ours)
tables.table(
    ["network", "version 1", "version 2", "ours, 50 epochs"],
    rows,
    caption="Test accuracy in per cent as the two versions print it and as we find it: mean and 95 % interval over the runs. *Recorded runs, all of MNIST.*",
)

# %% [markdown]
# What the second version reports of the classical network, we find. What the first reports of it, no setting gave with clean
# images and a network that trains (the [second page](02-classical-baseline.ipynb) tried many). The first version's hybrid
# is what we get if *all* latents go in, thirteen circuits per image, and *all* probabilities come out, which the paper does not
# describe. In the second version five components go in, and the accuracy is that of five components of linear latents, with the circuit or
# without ([page 3](03-circuit-and-readings.ipynb)).
#
# ## What we had to assume
#
# How much the hybrid's accuracy moves with each choice that the paper leaves open, other things equal (exact features, 20
# epochs):

# %% tags=["hide-input"]
choices = by_choice()
heights = [len(rows) for rows in choices.values()]
figure, axes = plt.subplots(3, 1, figsize=(5.4, 4.8), sharex=True, height_ratios=heights)
for ax, (choice, rows) in zip(axes, choices.items(), strict=True):
    for row, of in enumerate(rows.values()):
        ax.plot((min(of), max(of)), (row, row), color=figures.GREY, linewidth=1.5, zorder=1)
        figures.dots(ax, of, row, colour=figures.BLUE, markersize=6)
    ax.set(title=choice, ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.grid(visible=False, axis="y")
axes[-1].set(xlabel="test accuracy, %", xlim=(0, 100))
figures.show(
    figure,
    alt="Three groups of rows with dots between seventeen and ninety-seven per cent, joined by lines. What goes in moves the accuracy by tens of points, what is kept by as much, the scaling by two to nearly forty.",
    caption="The hybrid's mean test accuracy on MNIST as one choice moves, given above each group, and what stands at the left stays; each dot is a reading. *Recorded runs.*",
)

# %% [markdown]
# An experiment described so loosely cannot be repeated, only re-invented. Three assumptions of another kind: the images are
# not flipped, rotated or shifted, although section 3.1 does that (the [second page](02-classical-baseline.ipynb) shows what it
# costs); the "validation set" is MNIST's test set; and a printed accuracy is one run of ours, which is the rule's main idea.
#
# And one choice of ours needs a word: by which reading of the hybrid the ledger judges the 94.5 %. We first named the reading
# with marginals, when two of its runs were done; six minutes later we took the one with all probabilities, which gives the
# number, and for two hours the row counted as reproduced; then we went back. Therefore read both rows as exploratory, though they
# stood before, changed since (*amended*): of 44 variants, four of them without a circuit, two
# give the training accuracy, three the validation accuracy ([amendments](../amendments.md)). Batch sizes, widths and
# learning rates matter little beside these.
#
# ## Where the paper contradicts itself
#
# No run can decide between two places of a text that exclude each other. The ledger has [all that we
# found](../scoreboard.ipynb#paper=transfer&verdict=contradicted+by+the+paper+itself); those that matter most:

# %% tags=["remove-input"]
matter = ("S6-lower", "S6-errors")
report.contradictions([row for row in results if row.claim.id in matter])

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
means = {}
for encoder, kind in product(encoders, kinds):
    runs = records.final(on_fashion(encoder, kind), "test_accuracy")
    means[encoder, kind] = stats.mean_interval(runs)
rows = [[text, *(f"{means[e, kind]:.2p}" for e in encoders)] for kind, text in kinds.items()]
rows.append(["runs", *(means[e, "latents"].n for e in encoders)])
tables.table(
    ["behind the encoder", *encoders.values()],
    rows,
    caption="Test accuracy on FashionMNIST in per cent, by what stands behind the encoder and what the encoder was trained on: mean and 95 % interval after 20 epochs. *Recorded runs.*",
)

# %% tags=["hide-input"]
rows = []
for kind, text in kinds.items():
    rows.append([text, *(f"{pair[kind].lead:z.2p}" for pair in (over_untrained, over_own))])
header = ["over an untrained encoder, points", "over FashionMNIST's own encoder, points"]
tables.table(
    ["behind the encoder", *header],
    rows,
    caption="What the encoder of MNIST's digits is worth on FashionMNIST, in points of test accuracy: mean and 95 % interval, paired by seed. *Recorded runs.*",
)

# %% [markdown]
# So transfer there is:
# with the circuit and without, the encoder of digits beats an untrained one. That it is behind the one trained on clothes is shown for
# the classical network only; for the hybrids the intervals are too wide. Behind each of
# the three encoders the classical network on all 64 latents is ahead of both hybrids. What part of that is the circuit's, and what
# part the choice of what is measured or let in, this experiment does not separate; on MNIST the [third
# page](03-circuit-and-readings.ipynb) does.

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
verdict = {
    one.claim.id: one.judgement.verdict for one in results if one.claim.kind != "question"
}
assert Verdict.NOT_YET not in verdict.values()
noted = {one.claim.id: one.note for one in results}
assert noted["S5-train-accuracy"].startswith("2 of 44 readings tried")
assert noted["S5-validation-accuracy"].startswith("3 of 44 readings tried")
print("every claim has a verdict: holds")
assert verdict["S8-classical"] == Verdict.REPRODUCED
assert verdict["S3-validation-accuracy"] == Verdict.NOT_REPRODUCED
assert classical.low > max(hybrid.mean for hybrid in reached)
assert abs(best.lead.mean) < 0.005
assert (
    verdict["S8-hybrid"] == Verdict.OTHER_READING
    and 0 < linear.lead.low < linear.lead.high < 0.01
)
print("the classical network is ahead of every hybrid but one, where no lead is seen: holds")
for encoder in encoders:
    assert max(kinds, key=lambda kind: means[encoder, kind].mean) == "latents"
assert all(pair.lead.low > 0 for pair in over_untrained.values())
print("an encoder of digits is better for clothes than an untrained one: holds")
