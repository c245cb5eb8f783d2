"""The recipes of the recorded analyses, one module per paper: what is measured on trained weights and real images.

Each recipe takes the series of records it reads and its settings, and returns named numbers over seeds. Run them with
`python -m hqnn analyse NAME`; the results are stored by `hqnn.analyses` and judged by `hqnn.checks`.
"""

from hqnn.studies import hqnn, lcqhnn, transfer
from hqnn.studies.lcqhnn import encoded

__all__ = ["encoded", "hqnn", "lcqhnn", "transfer"]
