"""The task of HQNN-Quanv: one small network, one stage of training, tested on few images and on all there are."""

from torch import nn

from hqnn.papers.hqnn import quanv
from hqnn.papers.hqnn.quanv_experiments import QuanvConfig
from hqnn.tasks import Images, Task, drawn


class Quanv(Task[QuanvConfig]):
    """Runs of HQNN-Quanv and its rivals."""

    def images(self, config: QuanvConfig) -> Images:
        """The three splits, and all test images as `all`."""
        return drawn(
            config.dataset,
            tuple(range(quanv.N_CLASSES)),
            (config.n_train, config.n_val, config.n_test),
            config.data_seed,
            size=config.size,
            antialias=config.antialias,
            all_too=True,
        )

    def build(self, config: QuanvConfig) -> nn.Module:
        """See `hqnn.papers.hqnn.quanv`."""
        return quanv.build(config)
