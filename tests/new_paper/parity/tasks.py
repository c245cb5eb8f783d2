"""How a config of the paper is run."""

from hqnn.papers.parity.experiments import ParityConfig
from hqnn.papers.parity.model import Network
from torch import nn

from hqnn.tasks import Images, Task, drawn


class _Parity(Task[ParityConfig]):
    def images(self, config: ParityConfig) -> Images:
        return drawn(config.dataset, (0, 1), (config.n_train, config.n_val, config.n_test), config.data_seed, size=28)

    def build(self, config: ParityConfig) -> nn.Module:
        return Network(config)


TASKS = {ParityConfig: _Parity()}
