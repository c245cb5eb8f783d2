"""How HQNN-Parallel, and what stands in its circuits' place, bear worse images."""

from collections.abc import Iterator

from hqnn import experiments, robustness, tasks
from hqnn.measurements import Measured, Series, Settings, intervals, measurement
from hqnn.papers.hqnn import parallel
from hqnn.papers.hqnn.tasks import as_input


@measurement(
    "hqnn-robustness",
    inputs=("hqnn-mnist/hqnn", "hqnn-mnist-weights/blocks", "hqnn-mnist-weights/identity"),
    every=4,
    strengths={"noise": [0.1, 0.2, 0.3], "blur": [1, 2], "shift": [2, 4]},
    attacks=[0.02, 0.05, 0.1],
)
def hqnn_robustness(series: Series, settings: Settings) -> Measured:
    """How trained networks bear worse test images, one in `every`; see `hqnn.robustness.compare`."""

    def networks() -> Iterator[robustness.Trained]:
        for name, records in series.items():
            config = experiments.config(name)
            test = tasks.of(config).images(config)[0]["test"]
            images = as_input(config, test.inputs[:: settings["every"]])
            labels = test.targets[:: settings["every"]]
            for record in records:
                model = parallel.build(config).eval()
                model.load_state_dict(record.snapshot(config.epochs))
                yield robustness.Trained(f"{config.dataset}/{record.variant}", model, images, labels, record.seed)

    return intervals(robustness.compare(networks(), "hqnn", settings)), {}
