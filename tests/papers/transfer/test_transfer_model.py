"""The transfer paper's networks and runs: shapes, stages, and what happens without an encoder."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from hqnn import experiments, runs, tasks
from hqnn.datasets import augmentation
from hqnn.errors import HqnnError
from hqnn.papers.transfer import tasks as transfer
from hqnn.papers.transfer.experiments import AutoencoderConfig, TransferConfig
from hqnn.papers.transfer.model import Autoencoder, Classifier, Standard
from hqnn.records import errors_of
from hqnn.tasks import Session

CODER = AutoencoderConfig(dataset="digits", epochs=1, batch_size=64, snapshots=(1,))
SHORT = TransferConfig(dataset="digits", encoder=CODER, epochs=1, batch_size=64, hidden=(8,))


def test_the_autoencoder_is_as_described() -> None:
    """[transfer, section 3.2]."""
    model = Autoencoder(AutoencoderConfig())
    widths = [(m.in_features, m.out_features) for m in model.modules() if isinstance(m, nn.Linear)]
    assert widths == [(784, 128), (128, 64), (64, 128), (128, 784)]
    out = model(torch.rand(3, 784))
    assert out.shape == (3, 784)
    assert 0 < out.min() <= out.max() < 1
    assert model.encoder(torch.rand(3, 784)).min() >= 0
    assert Autoencoder(AutoencoderConfig(latent="linear")).encoder(torch.rand(30, 784)).min() < 0


def test_the_classifier_is_as_described() -> None:
    """[transfer, section 3.3]."""
    model = Classifier(TransferConfig(), 64)
    kinds = [type(layer).__name__ for layer in model]
    assert kinds == 3 * ["Linear", "ReLU", "BatchNorm1d", "Dropout"] + ["Linear", "Identity"]
    assert model(torch.rand(4, 64)).shape == (4, 10)
    assert [type(layer).__name__ for layer in Classifier(TransferConfig(classifier="linear"), 5)] == [
        "Linear",
        "Identity",
    ]
    assert Classifier(TransferConfig(scores="relu"), 5)(torch.randn(50, 5)).min() == 0
    with pytest.raises(ValueError, match="an activation is 'tanh'"):
        Classifier(TransferConfig(activation="tanh"), 5)
    with pytest.raises(ValueError, match="classifier is 'forest'"):
        Classifier(replace(TransferConfig(), classifier="forest"), 5)  # type: ignore[arg-type]


def test_standardised_features() -> None:
    features = torch.randn(500, 3) * 7 + 2
    features[:, 1] = 4.0
    scaled = Standard(features)(features)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled.std(0), torch.tensor([1.0, 0.0, 1.0]))


def test_a_record_keeps_half_precision_from_which_the_same_error_is_measured(tmp_path: Path) -> None:
    outcome = runs.execute(CODER, seed=1, root=tmp_path)
    assert {tensor.dtype for tensor in outcome.snapshots.values()} == {torch.float16}
    measured = tasks.of(CODER).measure(CODER, outcome.weights(1))
    assert measured is not None
    assert measured["test_loss"] == pytest.approx(outcome.history["test_loss"][-1], rel=1e-3)


def test_an_encoder_outside_the_registry_is_trained_first() -> None:
    first, again = (transfer.trained_encoder(CODER, Session(seed=2, key="")).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    epochs: list[int] = []
    outcome = runs.execute(SHORT, seed=2, on_epoch=epochs.append)
    assert epochs == [1]
    confusion = torch.tensor(outcome.result["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum() == 449
    labels = transfer.images("digits")[0]["test"].targets.tolist()
    wrong = errors_of(outcome.result["errors"])
    assert len(outcome.result["errors"]) == 449
    assert sorted((labels[image], found) for image, found in wrong.items()) == [
        (true, found)
        for true, row in enumerate(confusion.tolist())
        for found, n in enumerate(row)
        for _ in range(n * (true != found))
    ]
    accuracy = float(confusion.diagonal().sum()) / 449
    assert accuracy == pytest.approx(outcome.history["test_accuracy"][-1], abs=1e-5)


def test_confusion_has_a_row_for_each_class_and_a_column_for_what_it_is_taken_for() -> None:
    found, true = torch.tensor([0, 1, 1, 2, 0, 0]), torch.tensor([0, 0, 0, 1, 2, 2])
    assert transfer.confusion(found, true).tolist() == [[1, 2, 0], [0, 0, 1], [2, 0, 0]]


def test_an_encoder_of_the_registry_is_read_from_its_record(tmp_path: Path) -> None:
    config = experiments.get("transfer-autoencoder").variants["mnist"]
    assert isinstance(config, AutoencoderConfig)
    kept = {name: torch.full_like(t, 0.25) for name, t in Autoencoder(config).state_dict().items()}
    asked = []

    def read(series: str, seed: int) -> dict[str, torch.Tensor]:
        asked.append((series, seed))
        return kept

    encoder = transfer.trained_encoder(config, Session(seed=7, key="", kept=read))
    assert asked == [("transfer-autoencoder/mnist", 7)]
    assert all((t == 0.25).all() for t in encoder.state_dict().values())
    with pytest.raises(HqnnError, match="not recorded: run `python -m hqnn run transfer-autoencoder --seeds 7` first"):
        runs.kept_weights("transfer-autoencoder/mnist", 7, root=tmp_path)


def test_zero_epochs_leave_the_encoder_as_drawn() -> None:
    encoder = transfer.trained_encoder(replace(CODER, epochs=0, snapshots=()), Session(seed=0, key=""))
    assert sum(p.numel() for p in encoder.parameters()) == 784 * 128 + 128 + 128 * 64 + 64


@pytest.mark.parametrize("inputs", ["latents", "encoded", "measured"])
def test_features_depend_on_the_seed_alone(inputs: str) -> None:
    config = replace(SHORT, inputs=inputs, reading="pca-5", shots=50)  # type: ignore[arg-type]
    (one, labels), (two, _) = (transfer.features(config, Session(seed=3, key=""))[0] for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (1348, {"latents": 64, "encoded": 5, "measured": 32}[inputs])
    assert labels.shape == (1348,)
    torch.testing.assert_close(one.mean(0), torch.zeros(one.shape[1]), atol=1e-4, rtol=0)


# --- modified copies of images


@pytest.mark.parametrize("test_too", [False, True])
def test_training_images_and_perhaps_test_images_are_modified_each_by_draws_of_their_own(test_too: bool) -> None:
    """Split and seed decide what is drawn: no two splits of any two seeds are modified alike."""
    coder = replace(CODER, epochs=0, snapshots=())
    config = replace(SHORT, encoder=coder, augment="all", augment_test=test_too)
    images, encoder = transfer.images("digits")[0], transfer.trained_encoder(coder, Session(seed=4, key=""))
    latents, labels = transfer.encoded(config, Session(seed=4, key=""))
    for split, stream in (("train", 8), ("test", 9)):
        pictures = images[split].inputs
        if split == "train" or test_too:
            pictures = augmentation.modified(pictures, "all", stream)
        with torch.no_grad():
            torch.testing.assert_close(latents[split], encoder(pictures.flatten(1)))
        assert torch.equal(labels[split], images[split].targets)


def test_images_are_left_alone_or_modified_in_a_known_way() -> None:
    images = torch.rand(6, 1, 28, 28)
    assert augmentation.modified(images, "none", 0) is images
    assert not torch.equal(augmentation.modified(images, "all", 1), augmentation.modified(images, "all", 2))
    with pytest.raises(ValueError, match="kind is 'crops'"):
        augmentation.modified(images, "crops", 0)  # type: ignore[arg-type]
