# %% [markdown]
# # What a device would need
#
# None of the three papers ran its circuits on a quantum computer, as far as they say. What would the same trainings ask of a quantum computer?
#
# *Run time: seconds. Needs: only the repository. Counted from the circuits and configs that are trained here.*

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
from IPython.display import Markdown

from hqnn import figures, pages, tables
from hqnn.papers import devices
from hqnn.views import device

figures.style()
needs = devices.needs()
HOUR, DAY, YEAR = 3600, 86_400, 365.25 * 86_400

# %% tags=["remove-input"]
large, small = needs["HQNN-Parallel, MNIST"], needs["LCQHNN"]
Markdown(
    f"**Much patience.** To train HQNN-Parallel on MNIST once, with {devices.SHOTS:,} shots a circuit, takes "
    f"{large.training / 1e6:,.0f} million circuits: {large.seconds(large.training) / YEAR:.1f} years on the five-qubit device whose "
    f"calibration this book uses. The simulation takes minutes on one core. LCQHNN, with a hundredth as many circuits, needs "
    f"{small.seconds(small.training) / DAY:.0f} days."
)

# %% tags=["hide-input"]
rows = {
    name: {
        "on the device": need.seconds(need.training),
        "without its pauses": need.seconds(need.training, pause=False),
        "simulated here": need.recorded,
    }
    for name, need in needs.items()
}
figure, ax = plt.subplots(figsize=(5.4, 2.8))
figures.durations(ax, rows)
figures.show(
    figure,
    alt="Four rows on a logarithmic axis from a second to over a year. The simulated trainings take seconds to minutes, the same on the device hours for the transfer paper, days for LCQHNN and HQNN-Quanv, and over a year for HQNN-Parallel.",
    caption=f"One training of each hybrid: by the parameter-shift rule on a device with {devices.SHOTS:,} shots per circuit, and in our simulation (all layers, one core).",
)

# %% [markdown]
# ## Counting
#
# On a simulator a gradient costs a few times a forward pass, whatever the number of angles. On a device each angle is shifted
# twice ([the rule](primer.md)), and not only the trained ones: for the layers *before* the circuit the features' angles have to be
# shifted, too. So one image of one epoch takes $1 + 2\,(n_\text{weights} + n_\text{features})$ circuits, in each of the parallel
# circuits or of the positions of a kernel:

# %%
pages.source(device.executions)

# %% [markdown]
# The quanvolution sits on the pixels, with no layers before it. The third paper's circuit has no weights and its encoder is frozen,
# so it runs once for each image. All observables of each circuit can be measured in one go.

# %% tags=["hide-input"]
rows = [
    [
        name,
        f"{need.training:,}",
        need.inference,
        f"{1e6 * need.shot:.0f}",
        f"{need.seconds(need.inference):.2f}",
    ]
    for name, need in needs.items()
]
tables.table(
    ["network", "circuits, one training", "one image", "µs per shot", "seconds per image"],
    rows,
    caption="What each network would need of a quantum device: circuits to run, once through training and for one image, the time of a shot, and seconds for one image. *Computed from the calibration of a device of five qubits.*",
)

# %% [markdown]
# ## Where the time goes
#
# Not into the gates: they take a few microseconds, a measurement 5.4 µs. After each shot the qubits are left to relax for 250 µs,
# the default of `ibmq_manila`, whose calibration of May 2024 gives these times. Devices that reset their qubits do not have to
# wait, and would be where the light dots are. Compiling, loading and queueing are left out. So are noise, which costs more shots ([LCQHNN](lcqhnn/04-noise.ipynb)), and clever schemes that
# shift fewer angles.
#
# ## What follows
#
# Nothing about larger circuits: at 50 qubits no simulation would finish. But every circuit of these papers has four or five qubits.

# %% tags=["remove-input"]
slower = [need.seconds(need.training) / need.recorded for need in needs.values()]
unpaused = [need.seconds(need.training, pause=False) / need.recorded for need in needs.values()]
Markdown(
    f"For these the device is {min(slower):,.0f} to {max(slower):,.0f} times slower than the simulation, without pauses still "
    f"{min(unpaused):,.0f} to {max(unpaused):,.0f} times; and our recorded times are of a machine that did other things besides."
)

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
assert (
    1 < large.seconds(large.training) / YEAR < 3
    and 3 * DAY < small.seconds(small.training) < 10 * DAY
)
assert min(unpaused) > 3 and min(slower) > 100 and large.training > 100 * small.training
print("years for the largest, days for the smallest trained circuit: holds")
