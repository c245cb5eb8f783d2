"""How a config of the paper is run."""

from torch import nn

from hqnn.papers.sample.experiments import SampleConfig
from hqnn.papers.sample.model import Network
from hqnn.tasks import Images, Task, drawn


class _Sample(Task[SampleConfig]):
    def images(self, config: SampleConfig) -> Images:
        return drawn(config.dataset, (0, 1), (config.n_train, config.n_val, config.n_test), config.data_seed, size=28)

    def build(self, config: SampleConfig) -> nn.Module:
        return Network(config)


TASKS = {SampleConfig: _Sample()}
