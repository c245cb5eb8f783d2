# %% [markdown]
# # Scoreboard
#
# Every claim of the three papers, one row each, with what became of it. The rows are the ledger
# `data/claims`; the verdicts are computed on this page from the recorded runs, the recorded analyses, and
# from the circuits themselves. Nothing is typed in by hand.
#
# *Run time: a few seconds. Needs: nothing but the repository; no dataset, no network.*

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
    subprocess.run([*pip, "--constraint", keep, "--editable", f"{book}[book]"], check=True)
    sys.path.insert(0, str(book / "lib"))

# %% tags=["hide-input"]
from IPython.display import HTML

from hqnn import claims
from hqnn.claims import report

results = claims.evaluate()
HTML(report.counts_to_html(results))

# %% [markdown]
# A claim is counted *reproduced* by the rule below. The rule was written down before the first run and changed in places since,
# as did some of the rows; [amendments](amendments.md) says what was fixed before which runs, and what was changed after.
#
# The four other columns are kept apart on purpose: a number that our runs do not give (*not reproduced*) is something else than a
# number that another page of the same paper contradicts (*contradicted by the paper itself*), than a statement too vague to be
# tested (*not checkable*), and than one whose runs do not exist yet (*not yet evaluated*).

# %% [markdown]
# ## How a verdict is reached
#
# A paper prints one number $p$, most often from one run, with one seed and one random draw of test images. We have $n$
# runs with seeds of their own, with mean $m$ and standard deviation $s$: ten, or all seeds of an experiment that has fewer, but
# never under three. (At first ten were needed for every verdict; see [amendments](amendments.md).) Asking whether $p$ equals $m$
# would be the wrong question, since no single run does. We ask whether $p$ could have been one of our runs.
#
# **A value.** If the paper did what we did, $p - m$ scatters with variance
#
# $$V = \frac{s^2}{n} + \frac{s_p^2}{r} + v .$$
#
# The first term is the uncertainty of our mean. The second is the scatter of the paper's own number, an average over
# $r$ runs (nearly always $r = 1$) with the spread $s_p$ that the paper states or, where it states none, ours. (The only
# three rows of which a paper states spread and runs, HQNN-Quanv's accuracies, are judged without them: one run of ours is their whole procedure, so that its scatter holds theirs.) The third
# is due to the test images: the paper drew $k$ of the $K$ available ones, we drew another $k$, and because all our
# seeds share that draw, $s$ does not contain it; for an accuracy $a$ it is
#
# $$v = \frac{2 a (1 - a)}{k} \cdot \frac{K - k}{K - 1} .$$
#
# With $h = t \sqrt{V}$, where $t$ is the 97.5 % point of Student's distribution with $n - 1$ degrees of freedom, the
# value is *reproduced* if
#
# $$|p - m| \le \max(h, \tau) + \rho .$$
#
# Here $\rho$ is half a unit of the last printed digit, and $\tau$ a practical tolerance: near 100 % all seeds agree, and
# a difference of two images in 1,024 (0.2 points) should not decide anything. The table gives the right-hand side as
# the allowed difference. An interval that would agree with almost anything confirms nothing: if $p$ lies inside but $h$
# exceeds the resolution that the ledger states for the claim, if it states one, the claim is *not checkable*. (The resolution
# of HQNN-Quanv's three accuracies is in the history only since six minutes after the last of the runs that decide; without it
# all three would count as reproduced.)
#
# **A bound**, as "by epoch 6": reproduced if that interval reaches the claimed side.
#
# **A comparison**, as "A beats B by 5 points", is two claims. Differences are paired by seed. The *sign* is reproduced
# if the 95 % confidence interval of the mean difference lies wholly on the claimed side of zero. The *size* is judged
# as a value, with the claimed size as its resolution: an interval that cannot tell the difference from none cannot
# confirm it.
#
# **A speed-up**, as "75 % faster", is a ratio of epochs and is judged on its logarithm, on which twice as fast and half
# as fast are equally far from no effect. This point was settled after the runs on FashionMNIST: in percent a speed-up is
# unbounded below, and the interval around our own, negative ones would have taken in every value. It turned one row,
# L8-speed, from *not checkable* into *not reproduced*.
#
# **Equality**, as "no difference": reproduced if the confidence interval lies inside $\pm\tau$, not checkable if it
# straddles that limit.
#
# **Exact quantities**, as gates and parameter counts, are equal or not.
#
# About one true value in twenty fails a 95 % rule by chance. A verdict speaks about its row; the pattern over the rows
# says more. In the tables, "±" behind our value is the half width of the 95 % confidence interval of our mean, and n
# the number of seeds.

# %% [markdown]
# ## lcqhnn: the lean hybrid network
#
# A. Liu, C. Wen, J. Wang, *Lean classical-quantum hybrid neural network model for image classification*.

# %% tags=["remove-input"]
HTML(report.to_html([one for one in results if one.claim.paper == "lcqhnn"]))

# %% [markdown]
# ## hqnn: HQNN-Parallel and HQNN-Quanv
#
# A. Senokosov and others, *Quantum machine learning for image classification*.

# %% tags=["remove-input"]
HTML(report.to_html([one for one in results if one.claim.paper == "hqnn"]))

# %% [markdown]
# ## transfer: quantum transfer learning
#
# S. Sarkar, *Quantum Transfer Learning for MNIST Classification Using a Hybrid Quantum-Classical Approach*.

# %% tags=["remove-input"]
HTML(report.to_html([one for one in results if one.claim.paper == "transfer"]))

# %% [markdown]
# The same as a table in a terminal: `python -m hqnn claims`; for machines: `python -m hqnn claims --json`.

# %% [markdown] tags=["remove-cell"]
# ## Checks
#
# The verdicts above are those that were last looked at and stored with the repository.

# %% tags=["remove-cell"]
changes = claims.changes(results)
print(f"{len(results)} claims, {len(changes)} changes")
assert not changes
