# %% [markdown]
# # Two qubits
#
# Two qubits tell zeros from ones; the runs are recorded. *Run time: seconds. Needs: only the repository.*

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from hqnn import figures, pages, records, stats, tables
from hqnn.papers.sample.circuits import sample_circuit

figures.style()

# %% [markdown]
# This is the circuit:

# %%
pages.source(sample_circuit)

# %% tags=["hide-input"]
figure, ax = plt.subplots(figsize=(4, 1.6))
figures.circuit_drawing(ax, sample_circuit())
figures.show(
    figure,
    alt="Two qubits: a rotation by a feature on each, a CNOT, a trained rotation on each.",
    caption="The circuit. Orange gates take data, blue gates are trained.",
)

# %% [markdown]
# ## What comes out

# %% tags=["hide-input"]
rows, found = [], {}
for name, title in {"hybrid": "two qubits", "linear": "none"}.items():
    found[name] = records.final(f"sample-digits/{name}", "test_accuracy")
    rows.append([title, len(found[name]), f"{stats.mean_interval(found[name]):.2p}"])
tables.table(
    ["network", "runs", "test accuracy, %"],
    rows,
    caption="Test accuracy of two networks on two of the bundled digits, in per cent: mean and 95 % interval over the runs. *Recorded runs.*",
)

# %% [markdown] tags=["remove-cell"]
# ## Checks

# %% tags=["remove-cell"]
print("both have the same seeds:", found["hybrid"].index.equals(found["linear"].index))
