"""The papers' four datasets and a bundled stand-in: found, fetched, verified, put into one order, cut into subsets.

`load` reads a dataset from this project's cache (``data/cache``, or the folder named by ``HQNN_CACHE``), else from the
read-only folder named by ``HQNN_DATA`` (its layout: ``data/README.md``). It never uses the network: `fetch`, behind
``python -m hqnn data NAME``, downloads what neither has.

Whatever the source, the samples must have the dataset's fingerprint, a SHA-256 that does not depend on their order.
They are then sorted by label and, within a label, by the bytes of the image, so that an index means the same image on
every machine, and a seed the same subset.
"""

from hqnn.datasets.sources import NAMES, Dataset, Split
from hqnn.datasets.store import (
    DamagedDatasetError,
    MissingDatasetError,
    Status,
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
    "Status",
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
