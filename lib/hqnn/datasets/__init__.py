"""The papers' four datasets and a bundled stand-in: found, fetched, verified, put into one order, cut into subsets.

`load` reads this project's cache (`data/cache`, or `HQNN_CACHE`), else the read-only folder `HQNN_DATA` (its layout:
`data/README.md`). It never uses the network: `fetch`, behind `python -m hqnn data NAME`, downloads what neither has.
Whatever the source, the samples must have the dataset's fingerprint and are put into one order: one seed, one subset.
"""

from hqnn.datasets.sources import NAMES, Dataset, Split
from hqnn.datasets.store import (
    DamagedDatasetError,
    MissingDatasetError,
    cache_folder,
    fetch,
    is_available,
    load,
    published_files,
    status,
)
from hqnn.datasets.subsets import Subset, partition, partition_indices, subset, to_float

__all__ = [
    "NAMES",
    "DamagedDatasetError",
    "Dataset",
    "MissingDatasetError",
    "Split",
    "Subset",
    "cache_folder",
    "fetch",
    "is_available",
    "load",
    "partition",
    "partition_indices",
    "published_files",
    "status",
    "subset",
    "to_float",
]
