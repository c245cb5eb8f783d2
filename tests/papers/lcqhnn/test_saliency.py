"""Heat maps over a series of runs: what is measured, and how it is compared, where the answer is known."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from hqnn import datasets, experiments, runs
from hqnn.papers.lcqhnn import gradcam, saliency
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.saliency import HeatMapCurves, agreement, correlations
from hqnn.records import Record, load
from tests import toy

CONFIG = toy.VARIANTS["hybrid"]
Images = tuple[torch.Tensor, torch.Tensor]


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Record]]:
    """Two runs of the toy, kept untrained and after four epochs."""
    root = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(experiments.EXPERIMENTS, "toy", toy.experiment({"hybrid": CONFIG}))
        runs.run("toy", root=root, progress=False)
        yield load("toy/hybrid", root=root)


@pytest.fixture(scope="module")
def images() -> Images:
    """The toy's test images and labels."""
    digits = datasets.load(CONFIG.dataset)
    test = datasets.subset(digits, classes=CONFIG.classes, n_train=CONFIG.n_train, n_val=CONFIG.n_val, n_test=16).test
    return datasets.to_float(test.images, 28), test.labels


def test_a_series_is_looked_at_run_by_run_and_epoch_by_epoch(series: list[Record], images: Images) -> None:
    seen = saliency.heat_map_curves(CONFIG, series, *images)
    assert seen.epochs == (0, 4)
    assert seen.accuracy[:, 1] == pytest.approx([record.history["test_accuracy"][-1] for record in series])
    assert set(seen.maps) == {0}  # of the paper's stages the toy keeps only the first
    assert seen.maps[0].shape == (2, 16, 14, 14)
    model = lcqhnn.Lcqhnn(CONFIG)
    model.load_state_dict(series[1].snapshot(4))
    attribution = gradcam.attribute(model, *images, layer=model.features.conv2)
    assert seen.consistency[1, 1] == pytest.approx(saliency.consistency(attribution.gradients, images[1]), abs=1e-6)
    for method, (window, rectify) in {
        "grad-cam": (None, False),
        "grad-cam-relu": (None, True),
        "window-3": (3, False),
        "window-1": (1, False),
    }.items():
        found = saliency.measures(gradcam.heat(attribution, window, rectify=rectify), images[0])
        means = {name: float(values.double().mean()) for name, values in found.items()}
        assert seen.measures[method]["focus"][1, 1] == pytest.approx(means["focus"], abs=1e-6)
        assert {name: curve[1, 1] for name, curve in seen.measures[method].items()} == pytest.approx(
            means if method == "grad-cam" else {"focus": means["focus"]}, abs=1e-6
        )
    again = HeatMapCurves.from_json(json.loads(json.dumps(seen.as_json())))
    assert again.epochs == seen.epochs
    for ours, theirs in ((again.accuracy, seen.accuracy), (again.consistency, seen.consistency)):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    for method, measures in seen.measures.items():
        assert set(again.measures[method]) == set(measures)
        for name, curve in measures.items():
            np.testing.assert_allclose(again.measures[method][name], curve, atol=1e-5)


def test_examples_are_labelled_by_method_and_stage(
    series: list[Record], images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saliency, "STAGES", (0, 4))
    maps = saliency.examples(CONFIG, series[0], *images, {"Grad-CAM": None})
    assert list(maps) == ["Grad-CAM, untrained", "Grad-CAM, epoch 4"]
    seen = saliency.heat_map_curves(CONFIG, series[:1], *images)
    for epoch, shown in zip((0, 4), maps.values(), strict=True):
        torch.testing.assert_close(shown, gradcam.upsample(seen.maps[epoch][0]))


def test_the_measures_of_the_templates_are_their_references(images: Images) -> None:
    limits = saliency.references(images[0])
    shape = saliency.measures(gradcam.shape_template(images[0], 14), images[0])
    edges = saliency.measures(gradcam.edge_template(images[0], 14), images[0])
    assert shape["shape"].tolist() == edges["edges"].tolist() == pytest.approx([1.0] * 16)
    assert float(shape["edges"].mean()) == pytest.approx(limits["shape-like-edges"])
    assert float(shape["focus"].mean()) == pytest.approx(limits["focus-of-shape"])
    assert limits["area"] < limits["focus-of-edges"] < limits["focus-of-shape"] < 1
    blank = saliency.measures(torch.zeros(16, 14, 14), images[0])
    assert blank["blank"].all() and not shape["blank"].any()
    assert float(blank["focus"].mean()) == pytest.approx(limits["area"])
    spot = torch.zeros(16, 14, 14)
    spot[:, 7, 7] = 1.0  # as wide as its peak's four pixels, which lie within its bilinear slope
    found, up = saliency.measures(spot, images[0]), gradcam.upsample(spot)
    hot = (up >= 0.9 * up.amax()).float()
    on = (hot * gradcam.object_mask(images[0])).sum((1, 2)) / gradcam.object_mask(images[0]).sum((1, 2))
    torch.testing.assert_close(found["saturation"], hot.mean((1, 2)))
    torch.testing.assert_close(found["saturation-on-object"], on)


def test_correlations_are_scipys_with_each_run_s_own_accuracy_and_with_all_others() -> None:
    rng = np.random.default_rng(1)
    curve, accuracy = rng.normal(size=(2, 4, 7))
    found = correlations(curve, accuracy)
    pairs = np.array([[spearmanr(a, b).statistic for b in accuracy] for a in curve])
    others = np.array([np.delete(row, k).mean() for k, row in enumerate(pairs)])
    steps = [spearmanr(np.diff(a), np.diff(b)).statistic for a, b in zip(curve, accuracy, strict=True)]
    assert found["correlation"] == pytest.approx(pairs.diagonal())
    assert found["correlation-of-changes"] == pytest.approx(steps)
    assert found["correlation-with-others"] == pytest.approx(others)
    assert found["correlation-beyond-others"] == pytest.approx(pairs.diagonal() - others)


def test_a_flat_curve_has_no_correlation() -> None:
    rising = np.tile(np.arange(5.0), (3, 1))
    flat = rising.copy()
    flat[1] = 1.0
    found = correlations(rising, flat)
    assert found["correlation"].tolist() == pytest.approx([1.0, np.nan, 1.0], nan_ok=True)
    assert found["correlation-with-others"].tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert correlations(flat, rising)["correlation-with-others"].tolist() == pytest.approx([1, np.nan, 1], nan_ok=True)


def test_agreement_is_between_different_runs() -> None:
    one = torch.rand(1, 4, 14, 14, generator=torch.Generator().manual_seed(0))
    assert agreement(torch.cat([one, one, one])) == pytest.approx([1.0] * 3, abs=1e-5)
    assert agreement(torch.cat([one, one, -one])) == pytest.approx([0.0, 0.0, -1.0], abs=1e-5)


def test_consistency_is_the_mean_cosine_between_images_of_a_class() -> None:
    gradients, labels = torch.randn(7, 4, 3, 3), torch.tensor([0, 1, 0, 0, 1, 0, 1])
    weights = torch.nn.functional.normalize(gradients.mean((2, 3)), dim=1)
    cosines = weights @ weights.T
    other = ~torch.eye(7, dtype=torch.bool)
    of_class = [cosines[other & (labels[:, None] == k) & (labels == k)].mean() for k in (0, 1)]
    assert saliency.consistency(gradients, labels) == pytest.approx(float(sum(of_class)) / 2, abs=1e-6)


def test_the_summary_compares_the_stages() -> None:
    base = torch.rand(1, 4, 14, 14, generator=torch.Generator().manual_seed(0)).expand(3, -1, -1, -1)
    focus = np.array([[0.3, 0.9, 0.5, 0.6], [0.4, 0.9, 0.6, 0.7], [0.5, 0.9, 0.7, 0.8]])
    curves = HeatMapCurves(
        epochs=(0, 1, 25, 50),
        accuracy=np.array([[0.5, 0.9, 0.7, 0.8]] * 3),
        measures={"grad-cam": {"focus": focus}, "window-1": {"focus": -focus}},
        consistency=np.array([[0.0, 0.1, 0.2, 0.3]] * 3),
        maps={0: -base, 25: base, 50: base},
    )
    summary = saliency.summarise(curves, area=0.25)
    assert {key: found.mean for key, found in summary.items()} == pytest.approx(
        {
            "focus-0-minus-area": 0.15,
            "focus-25-minus-0": 0.2,
            "focus-50-minus-25": 0.1,
            "correlation": 1.0,
            "consistency-50": 0.3,
            **{f"agreement-{epoch}": 1.0 for epoch in (0, 25, 50)},
            "similarity-0-50": -1.0,
            "similarity-25-50": 1.0,
        }
    )
    assert summary["focus-25-minus-0"].half_width == pytest.approx(0, abs=1e-9)
    assert summary["focus-0-minus-area"].n == 3
    late = saliency.focus_correlations(curves, "window-1")
    assert (late["correlation"].mean, late["late"].mean, late["late"].n) == pytest.approx((-1.0, -1.0, 3))
    swapped = np.array([[0.9, 0.1, 0.5, 0.6]] * 3)  # only the late epochs go with the accuracy
    found = saliency.focus_correlations(
        HeatMapCurves(
            epochs=curves.epochs,
            accuracy=curves.accuracy,
            measures={"grad-cam": {"focus": swapped}},
            consistency=curves.consistency,
            maps={},
        ),
        "grad-cam",
    )
    assert found["late"].mean == pytest.approx(1.0) and found["correlation"].mean < 0
