"""The task of lcqhnn: one network, one stage of training."""

from torch import nn

from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.experiments import LcqhnnConfig
from hqnn.tasks import Images, Task, drawn


class _Lcqhnn(Task[LcqhnnConfig]):
    def images(self, config: LcqhnnConfig) -> Images:
        sizes = (config.n_train, config.n_val, config.n_test)
        return drawn(config.dataset, tuple(config.classes), sizes, config.data_seed, size=lcqhnn.SIDE)

    def build(self, config: LcqhnnConfig) -> nn.Module:
        return lcqhnn.build(config)


TASKS = {LcqhnnConfig: _Lcqhnn()}
