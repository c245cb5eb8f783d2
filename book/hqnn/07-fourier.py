# %% [markdown]
# # How expressive is the layer? Its Fourier coefficients
#
# A circuit that embeds its inputs by rotations computes a truncated Fourier series
# [[Schuld et al., 2021](../references.md)]. In its appendix the paper samples the coefficients of one output of a quantum
# layer over random weights, finds them widely spread, and concludes from a zero determinant that they are independent
# [[hqnn](../references.md), app. A.2, fig. 10]. This page repeats both (claims H10 to H12) and asks what the determinant
# can show.
#
# *Run time: less than a minute. Needs: only the repository. Everything is computed here; nothing is trained.*

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
import numpy as np

from hqnn import figures, pages, tables
from hqnn.claims import report
from hqnn.papers.hqnn.circuits import reuploading, strongly_entangling
from hqnn.papers.hqnn.figures import coefficient_violins, eigenvalue_curves
from hqnn.views import fourier
from hqnn.views.gradients import jacobian, rank

figures.style()

# %% [markdown]
# ## The coefficients
#
# The last of the five outputs is, for weights $\theta$,
#
# $$f_\theta(x) = \sum_{\omega\in\{-1,0,1\}^5} c_\omega(\theta)\, e^{-i\,\omega\cdot x},$$
#
# because each input is embedded once. Such a sum is fixed by its values at three equidistant points of each input, so the
# $3^5$ coefficients come from a discrete Fourier transform, exactly. The weights are uniform in $[0, 2\pi]$ as in the paper,
# which takes 100 settings of them; we take more.

# %%
pc = strongly_entangling()
weights = fourier.random_weights(pc, 1000)
by_output = fourier.coefficients(pc, weights)
last = by_output[-1]
mirrored = last[:, ::-1, ::-1, ::-1, ::-1, ::-1]
print("coefficients of the last output:", last.shape[0], "settings x", last[0].size)
print("c(-ω) is the conjugate of c(ω):", np.allclose(last, np.conj(mirrored)))

# %% [markdown]
# ## Figure 10
#
# The paper shows the nine coefficients of the first two inputs, $c_{\omega_x,\omega_y}$, and does not say what the other three
# inputs are. There are two natural readings. Either they are held at a value, say 0, or the function is averaged over them,
# which picks out the coefficients with $\omega_3=\omega_4=\omega_5=0$.

# %% tags=["hide-input"]
readings = {"zero": "the other inputs at 0", "mean": "averaged over the other inputs"}
pairs = {how: fourier.of_first_inputs(last, others=how) for how in readings}
figure, axes = plt.subplots(2, 1, figsize=(5.4, 6.0), sharex=True)
for ax, (how, title) in zip(axes, readings.items(), strict=True):
    coefficient_violins(ax, pairs[how][:100]).set(title=title)
axes[0].set(xlabel="")
axes[0].legend(loc="lower left")
figures.show(
    figure,
    alt="Two rows of nine violins, real parts to the left in blue and imaginary parts to the right in orange. With the other inputs at zero they reach from about minus 0.1 to 0.1, the constant term's real part further; its imaginary part is a line at zero. Averaged, they are several times narrower, and the constant term is zero.",
    caption="Fourier coefficients of the last output in the first two inputs, like figure 10 of the paper: 100 random settings of the weights. *Computed on this page.*",
)

# %% tags=["hide-input"]
rows = []
for how, title in readings.items():
    parts = fourier.all_parts(pairs[how])
    spread, fixed = parts.std(axis=0), int((np.ptp(parts, axis=0) < 1e-12).sum())
    rows.append([title, fixed, f"{spread[spread > 1e-9].min():.3f}", f"{spread.max():.3f}"])
header = ["parts that never vary, of 18", "smallest s.d. of the others", "largest s.d."]
tables.table(
    ["reading", *header],
    rows,
    caption="The eighteen real and imaginary parts of the nine coefficients over 1,000 random settings of the weights: how many never vary, and the standard deviations of the others. *Computed on this page.*",
)

# %% [markdown]
# With the other inputs at 0 it looks like the paper's figure. One of the eighteen numbers cannot vary, so it is not "every
# coefficient" that is spread (claim H10-spread): the constant term of a real function is real. In the second reading the constant term vanishes altogether, for a reason that holds for all five
# inputs: averaging $R_X(x)|0\rangle$ over a turn leaves a qubit in no direction at all, $\tfrac12\mathbb1$, and on that every
# Pauli matrix averages to zero, whatever the weights do.
#
# ## All five inputs
#
# That is the only coefficient of the 243 that vanishes identically, for every output:

# %%
frequencies = fourier.frequencies(last)
for k, found in enumerate(by_output):
    never = np.abs(found).reshape(len(found), -1).max(axis=0) < 1e-12
    print(f"output {k}: zero for all weights:", *map(tuple, frequencies[never].tolist()))

# %%
mean_square = float((np.abs(last) ** 2).reshape(len(last), -1).sum(axis=1).mean())
haar = 1 / (2**pc.n_qubits + 1)
print(f"mean square of the output over weights and inputs: {mean_square:.4f}")
print(f"the same for a random unitary on five qubits:      {haar:.4f}")

# %% [markdown]
# How wide is "a wide range of possible solutions"? The squares of all coefficients add up to the mean square of the output,
# and that is what a unitary chosen at random would give, $1/(2^5+1)$. Being spread like that is not a sign of a powerful
# model: it is the value at which the output, which could reach $\pm1$, is nearly always close to 0, and it halves with every
# further qubit.
#
# ## The determinant
#
# "The determinant of the correlation matrix of all values was equal to zero for every output, demonstrating the independent
# and expressive nature of all the Fourier terms." A correlation matrix has determinant 1 if all its variables are
# uncorrelated, and 0 if one of them is a linear function of the others. So a zero says the opposite of what the paper reads
# from it. And which values are "all"? If real and imaginary parts are listed, it is zero for every circuit, because
# $c_{-\omega}=\overline{c_\omega}$: each number stands in the list twice. If all 243 coefficients are listed, it is zero for any
# 100 samples, since a hundred points span fewer than 243 directions. As nine complex numbers the coefficients of two inputs
# would give something, but that is not zero:

# %%
nine = []
for k, found in enumerate(by_output):
    pair = fourier.of_first_inputs(found)[:100].reshape(100, -1)
    nine.append(fourier.correlation_determinant(pair))
    print(f"output {k}, nine complex coefficients, 100 settings: {nine[k]:.2f}")

# %% [markdown]
#
# The remedy is to count each part once, leaving out those that never vary. Then the determinant says whether the others
# are correlated, and the eigenvalues of the covariance matrix say more: how many directions there are at all, and how many *equally strong* ones would concentrate the variance
# as much, $(\sum\lambda)^2/\sum\lambda^2$. We compare with the same layer with
# fewer repetitions of rotations and CNOTs, and so with fewer weights.

# %% tags=["hide-input"]
compared = {
    "three repetitions": pc,
    "two repetitions": strongly_entangling(n_layers=2),
    "one repetition": strongly_entangling(n_layers=1),
}
of_two, determinants = [], []
for title, one in compared.items():
    found = fourier.coefficients(one, fourier.random_weights(one, 500))[-1]
    pair = fourier.of_first_inputs(found)
    once = fourier.independent_parts(pair)
    both = [fourier.correlation_determinant(v) for v in (fourier.all_parts(pair), once)]
    spectrum = fourier.covariance_spectrum(once)
    effective = f"{fourier.effective_dimension(spectrum):.1f}"
    texts = [f"{abs(value):.2f}" for value in both]
    determinants.append(both)
    of_two.append([title, *texts, fourier.dimension(spectrum), effective])
header = ["determinant, all numbers", "each once", "directions, of 9", "effective"]
tables.table(
    ["circuit", *header],
    of_two,
    caption="Correlation of the coefficients of the first two inputs over 500 random settings of the weights, the others at 0: the determinant with all numbers and with each once, the independent directions and the effective number of them. *Computed on this page.*",
)

# %% [markdown]
# The first column is zero for all three, although the smallest layer has only a few of the nine numbers to vary. Counted once,
# those that vary are nearly uncorrelated for each of them. So not even the right determinant says how much a layer can do;
# the number of directions does, and two inputs are too few for it: with two repetitions of rotations and CNOTs all nine are
# there. (The effective number even falls from two repetitions to three, because the constant term then takes a larger part of the
# variance.) Now all five inputs:

# %% tags=["hide-input"]
spectra = {}
for title, one in compared.items():
    found = fourier.coefficients(one, fourier.random_weights(one, 1000))[-1]
    spectra[title] = fourier.covariance_spectrum(fourier.independent_parts(found))
figure, ax = plt.subplots(figsize=(5.4, 3.6))
eigenvalue_curves(ax, spectra).set(ylim=(3e-6, 1.2))
ax.legend()
figures.show(
    figure,
    alt="Eigenvalues of the covariance of the coefficients, largest first, on a logarithmic axis: the layer's fall slowly over all directions but one, those of fewer repetitions faster.",
    caption="The covariance of all coefficients of the last output, each number counted once: part of the variance in each direction. *Computed on this page, 1000 settings of the weights.*",
)

# %% tags=["hide-input"]
rng = np.random.default_rng(0)
inputs, of_all = rng.uniform(0, 2 * np.pi, (400, 5)), []
for title, one in compared.items():
    angles = rng.uniform(0, 2 * np.pi, one.n_weights)
    local = rank(jacobian(one, inputs, angles)[:, -1, 5:])
    effective = f"{fourier.effective_dimension(spectra[title]):.0f}"
    of_all.append([title, fourier.dimension(spectra[title]), effective, one.n_weights, local])
header = ["directions, of 243", "effective", "weights", "free at any one point"]
tables.table(
    ["circuit", *header],
    of_all,
    caption="The same for all five inputs: independent directions of all coefficients and the effective number of them, the weights, and the directions in which the last output moves at one point. *Computed on this page.*",
)

# %% [markdown]
# Over all weights the coefficients of the layer take up 242 directions, all but the constant term that must vanish. But they
# are functions of 45 weights, and at any point the last output moves in only as many directions as the last column says (the
# rank of [the page before](06-zx.ipynb)). The coefficients are nearly uncorrelated and yet far from independent: fix a few dozen of
# them, and the rest have no choice.
#
# ## An input embedded d times
#
# The paper counts $2d+1$ terms for an input that is embedded $d$ times. That is the most there can be. We embed one input
# $d$ times on one qubit, with free rotations in between and without:

# %% tags=["hide-input"]
rows = []
for d in range(1, 6):
    rows.append([d, 2 * d + 1])
    for trained in (True, False):
        one = reuploading(d, trained=trained)
        sampled = fourier.random_weights(one, 8)
        (found,) = fourier.coefficients(one, sampled, degree=d + 2, method="state")
        present = np.flatnonzero(np.abs(found).max(axis=0) > 1e-9) - (d + 2)
        rows[-1].append(", ".join(map(str, present)))
header = ["2d + 1", "frequencies, rotations between", "without"]
tables.table(
    ["d", *header],
    rows,
    caption="Frequencies of an input that is embedded $d$ times on one qubit, with trained rotations between the embeddings and without. *Computed on this page.*",
)

# %% [markdown]
# Without rotations in between the embeddings add up to one with the angle $dx$: three terms, whatever $d$. HQNN-Parallel
# embeds each input once, so its layer is a sum of products of single sines and cosines. In the network the linear layers around
# it do the rest.

# %% [markdown]
# ## Exercises
#
# **Try it** (the rocket at the top opens the page in Colab): take `strongly_entangling(entangle=False)` in the first cell below "The coefficients". Which coefficients of the last output are left?
#
# 1. How many real numbers fix a real function with frequencies −1, 0 and 1 in each of five inputs? How many weights has the circuit to choose them?

# %% tags=["hide-input"]
n_coefficients = 3**5
pages.solution(
    rf"$3^5 = {n_coefficients}$ complex coefficients, tied in pairs by $c_{{-\omega}} = \overline{{c_\omega}}$ with $c_0$ real: "
    f"{n_coefficients} real numbers. The circuit has {pc.n_weights} weights: it reaches a thin slice of these functions."
)

# %% [markdown]
# 2. You sample $\cos 2x$ at three equidistant points of a period, and look for frequencies −1, 0 and 1. What do you find?

# %% tags=["hide-input"]
thirds = 2 * np.pi * np.arange(3) / 3
pages.solution(
    rf"A cosine of frequency one: at these points $\cos 2x$ and $\cos x$ agree (checked: {np.allclose(np.cos(2 * thirds), np.cos(thirds))}). "
    "A frequency $d$ needs at least $2d + 1$ points; with fewer it appears as another one."
)

# %% [markdown]
# 3. Multiply an input by two before it enters. What happens to the frequencies, and does the function get richer?
#
# <details>
# <summary>Solution</summary>
#
# They become −2, 0 and 2: as many terms as before, and twice as fast. Richer it gets by entering the input twice with something in between, which gives −2 to 2.
#
# </details>
#
# ## The claims
#
# The rows of the [ledger](../scoreboard.ipynb) that this page is about:

# %% tags=["remove-input"]
report.in_short("H10", "H11", "H12")

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert np.abs(np.imag(pairs["zero"][:, 1, 1])).max() < 1e-12
assert np.abs(pairs["mean"][:, 1, 1]).max() < 1e-12
assert abs(mean_square / haar - 1) < 0.1
print("only the constant term vanishes, and the mean square is a random unitary's: holds")
assert all(0.1 < value < 1 for value in nine)
assert all(abs(twice) < 1e-9 for twice, _ in determinants) and determinants[0][1] > 0.8
assert of_two[0][3] == 9 > of_two[2][3]
print("the determinant of all parts is zero for every circuit, counted once it is not: holds")
assert of_all[0][1] == 242 and of_all[0][-1] == 40 < pc.n_weights
assert all(len(found.split()) == n and len(bare.split()) == 3 for _, n, found, bare in rows)
print("242 directions over all weights, 40 at any point, 2d + 1 frequencies: holds")
