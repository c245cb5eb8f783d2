"""Heat maps over a series of runs: what is measured, and how it is compared, where the answer is known."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from hqnn import datasets, experiments, runs
from hqnn.papers.lcqhnn import gradcam, saliency
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.saliency import Looks, agreement, correlations, references, summarise
from tests import toy


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[runs.Record]:
    """Two runs of the toy, kept untrained and after four epochs."""
    root: Path = tmp_path_factory.mktemp("data")
    before = dict(experiments.EXPERIMENTS)
    experiments.EXPERIMENTS["toy"] = toy.experiment({"hybrid": toy.VARIANTS["hybrid"]})
    try:
        runs.run("toy", root=root, progress=False)
        return runs.load("toy", "hybrid", root=root)
    finally:
        experiments.EXPERIMENTS.clear()
        experiments.EXPERIMENTS.update(before)


@pytest.fixture(scope="module")
def images() -> tuple[torch.Tensor, torch.Tensor]:
    """The toy's test images and labels."""
    config = toy.BASE
    subset = datasets.subset(
        datasets.load(config.dataset), classes=config.classes, n_train=config.n_train, n_val=config.n_val, n_test=16
    )
    return datasets.to_float(subset.test.images, 28), subset.test.labels


def test_a_series_is_looked_at_run_by_run_and_epoch_by_epoch(
    series: list[runs.Record], images: tuple[torch.Tensor, torch.Tensor]
) -> None:
    config = toy.VARIANTS["hybrid"]
    seen = saliency.look(config, series, *images)
    assert seen.epochs == (0, 4)
    assert seen.accuracy[:, 1] == pytest.approx([record.history["test_accuracy"][-1] for record in series])
    assert seen.maps[0].shape == (2, 16, 14, 14)
    assert set(seen.maps) == {0}  # of the paper's stages the toy keeps only the first
    assert set(seen.measures) == {"grad-cam", "grad-cam-relu", "window-3", "window-1"}

    model = lcqhnn.Lcqhnn(config)
    model.load_state_dict(series[1].snapshot(4))
    attribution = gradcam.attribute(model, *images, layer=model.features.conv2)
    for method, (window, rectify) in saliency.READINGS.items():
        maps = gradcam.upsample(gradcam.heat(attribution, window, rectify=rectify))
        focus = gradcam.focus(maps, gradcam.object_mask(images[0])).mean().item()
        assert seen.measures[method]["focus"][1, 1] == pytest.approx(focus, abs=1e-6)

    again = saliency.recorded(json.loads(json.dumps(saliency.curves(seen))))
    assert again.epochs == seen.epochs
    assert again.accuracy == pytest.approx(seen.accuracy, abs=1e-5)
    assert again.consistency == pytest.approx(seen.consistency, abs=1e-5)
    for method, measures in seen.measures.items():
        assert set(again.measures[method]) == set(measures)
        for name, curve in measures.items():
            assert again.measures[method][name] == pytest.approx(curve, abs=1e-5)


def test_examples_are_labelled_by_method_and_stage(
    series: list[runs.Record], images: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saliency, "STAGES", (0, 4))
    config = toy.VARIANTS["hybrid"]
    maps = saliency.examples(config, series[0], *images, {"Grad-CAM": None})
    assert list(maps) == ["Grad-CAM, untrained", "Grad-CAM, epoch 4"]
    seen = saliency.look(config, series[:1], *images)
    assert torch.allclose(maps["Grad-CAM, epoch 4"], gradcam.upsample(seen.maps[4][0]))


def test_the_measures_of_the_templates_are_their_references(images: tuple[torch.Tensor, torch.Tensor]) -> None:
    limits = references(images[0])
    shape = saliency.measure(gradcam.shape_template(images[0], 14), images[0])
    edges = saliency.measure(gradcam.edge_template(images[0], 14), images[0])
    assert shape["shape"].tolist() == pytest.approx([1.0] * 16)
    assert edges["edges"].tolist() == pytest.approx([1.0] * 16)
    assert float(shape["edges"].mean()) == pytest.approx(limits["shape-like-edges"])
    assert float(shape["focus"].mean()) == pytest.approx(limits["focus-of-shape"])
    assert limits["area"] < limits["focus-of-edges"] < limits["focus-of-shape"] < 1
    blank = saliency.measure(torch.zeros(16, 14, 14), images[0])
    assert blank["blank"].tolist() == [1.0] * 16
    assert float(blank["focus"].mean()) == pytest.approx(limits["area"])
    assert not shape["blank"].any()


def test_a_shared_course_of_training_is_no_correlation_of_runs() -> None:
    rng = np.random.default_rng(0)
    time = np.linspace(0, 1, 9)
    shared = correlations(time + 1e-3 * rng.normal(size=(10, 9)), 2 * time + 1e-3 * rng.normal(size=(10, 9)))
    assert shared["correlation"] == pytest.approx(np.ones(10))
    assert shared["correlation-beyond-others"] == pytest.approx(np.zeros(10))
    own = rng.normal(size=(10, 9))
    paired = correlations(own, np.exp(own))
    assert paired["correlation"] == pytest.approx(np.ones(10))
    assert paired["correlation-of-changes"].mean() > 0.8
    assert abs(paired["correlation-with-others"].mean()) < 0.1
    assert paired["correlation-beyond-others"] == pytest.approx(1 - paired["correlation-with-others"])


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
    generator = torch.Generator().manual_seed(0)
    gradients, labels = torch.randn(7, 4, 3, 3, generator=generator), torch.tensor([0, 1, 0, 0, 1, 0, 1])
    weights = gradients.mean((2, 3)).numpy()
    by_class: dict[int, list[float]] = {0: [], 1: []}
    for i in range(7):
        for j in range(i):
            if labels[i] == labels[j]:
                norm = np.linalg.norm(weights[i]) * np.linalg.norm(weights[j])
                by_class[int(labels[i])].append(float(weights[i] @ weights[j] / norm))
    expected = np.mean([np.mean(cosines) for cosines in by_class.values()])
    assert saliency.consistency(gradients, labels) == pytest.approx(expected, abs=1e-6)
    same = torch.where(labels == 0, 1.0, -2.0)[:, None, None, None] * gradients[:1]
    assert saliency.consistency(same, labels) == pytest.approx(1.0)


def test_the_summary_compares_the_stages() -> None:
    base = torch.rand(1, 4, 14, 14, generator=torch.Generator().manual_seed(0)).expand(3, -1, -1, -1)
    focus = np.array([[0.3, 0.9, 0.5, 0.6], [0.4, 0.9, 0.6, 0.7], [0.5, 0.9, 0.7, 0.8]])
    looks = Looks(
        epochs=(0, 1, 25, 50),
        accuracy=np.array([[0.5, 0.9, 0.7, 0.8]] * 3),
        measures={"grad-cam": {"focus": focus}, "window-1": {"focus": -focus}},
        consistency=np.array([[0.0, 0.1, 0.2, 0.3]] * 3),
        maps={0: -base, 25: base, 50: base},
    )
    summary = summarise(looks, area=0.25)
    assert summary["focus-0-minus-area"].mean == pytest.approx(0.15)
    assert summary["focus-0-minus-area"].n == 3
    assert (summary["focus-25-minus-0"].mean, summary["focus-25-minus-0"].half_width) == pytest.approx(
        (0.2, 0), abs=1e-9
    )
    assert summary["focus-50-minus-25"].mean == pytest.approx(0.1)
    assert summary["correlation"].mean == pytest.approx(1.0)
    assert summary["consistency-50"].mean == pytest.approx(0.3)
    assert summary["agreement-50"].mean == pytest.approx(1.0)
    assert summary["similarity-0-50"].mean == pytest.approx(-1.0)
    assert summary["similarity-25-50"].mean == pytest.approx(1.0)
