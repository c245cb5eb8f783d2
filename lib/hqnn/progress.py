"""One bar over all epochs of all runs, wherever they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tqdm import tqdm


class Bar:
    """One bar over all epochs of all runs, wherever they run."""

    def __init__(self, epochs: Mapping[str, int], shown: bool) -> None:
        self._epochs = dict(epochs)
        self._reached: Counter[str] = Counter()
        self._stored: set[str] = set()
        self._bar = tqdm(total=sum(self._epochs.values()), unit="epoch", disable=not shown, smoothing=0.05)
        self._describe()

    def _describe(self) -> None:
        self._bar.set_description(f"{len(self._stored)} of {len(self._epochs)} runs stored")

    def reach(self, label: str, epoch: int) -> None:
        """Note that a run has done `epoch` epochs (fewer than before if it moved to another worker)."""
        if label in self._stored:  # a report that was overtaken by the result
            return
        self._bar.update(epoch - self._reached[label])
        self._reached[label] = epoch

    def finish(self, label: str) -> None:
        """Note that a run's record is stored."""
        self.reach(label, self._epochs[label])
        self._stored.add(label)
        self._describe()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
