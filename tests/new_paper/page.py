# %% [markdown]
# # Two qubits
#
# Two qubits tell zeros from ones, live. *Run time: seconds. Needs: only the repository.*

# %% tags=["hide-input"]
from hqnn.papers.parity.circuits import parity_circuit

from hqnn import pages, records

# %%
pages.source(parity_circuit)

# %%
final = records.final("parity-digits/hybrid", "test_accuracy")
print("runs:", len(final))
