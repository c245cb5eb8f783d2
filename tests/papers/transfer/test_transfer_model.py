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
from hqnn.papers.transfer.model import Autoencoder, Classifier, standard
from hqnn.records import errors_of
from hqnn.tasks import Session

CODER = AutoencoderConfig(dataset="digits", epochs=1, batch_size=64, snapshots=(1,))
UNTRAINED = replace(CODER, epochs=0, snapshots=())
SHORT = TransferConfig(dataset="digits", encoder=CODER, epochs=1, batch_size=64, hidden=(8,))


def test_the_networks_are_as_described() -> None:
    """[transfer, sections 3.2 and 3.3]."""
    model = Autoencoder(AutoencoderConfig())
    widths = [(m.in_features, m.out_features) for m in model.modules() if isinstance(m, nn.Linear)]
    assert widths == [(784, 128), (128, 64), (64, 128), (128, 784)]
    out = model(torch.rand(3, 784))
    assert out.shape == (3, 784) and 0 < out.min() <= out.max() < 1
    assert model.encoder(torch.rand(3, 784)).min() >= 0
    assert Autoencoder(AutoencoderConfig(latent="linear")).encoder(torch.rand(30, 784)).min() < 0
    kinds = [type(layer).__name__ for layer in Classifier(TransferConfig(), 64)]
    assert kinds == 3 * ["Linear", "ReLU", "BatchNorm1d", "Dropout"] + ["Linear", "Identity"]
    assert Classifier(TransferConfig(), 64)(torch.rand(4, 64)).shape == (4, 10)
    assert len(Classifier(TransferConfig(classifier="linear"), 5)) == 2
    assert Classifier(TransferConfig(scores="relu"), 5)(torch.randn(50, 5)).min() == 0
    with pytest.raises(ValueError, match="an activation is 'tanh'"):
        Classifier(TransferConfig(activation="tanh"), 5)


def test_standardised_features() -> None:
    features = torch.randn(500, 3) * 7 + 2
    features[:, 1] = 4.0
    scaled = standard(features)(features)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled.std(0), torch.tensor([1.0, 0.0, 1.0]))


def test_a_record_keeps_half_precision_from_which_the_same_error_is_measured(tmp_path: Path) -> None:
    outcome = runs.execute(CODER, seed=1, root=tmp_path)
    assert {tensor.dtype for tensor in outcome.snapshots.values()} == {torch.float16}
    measured = tasks.of(CODER).measure(CODER, outcome.weights(1))
    assert measured is not None
    assert measured["test_loss"] == pytest.approx(outcome.history["test_loss"][-1], rel=1e-3)


def test_an_encoder_outside_the_registry_is_trained_first() -> None:
    """And only the classifier's epochs are announced; what it says of the test images is counted."""
    epochs: list[int] = []
    outcome = runs.execute(SHORT, seed=2, on_epoch=epochs.append)
    assert epochs == [1]
    labels = transfer.images("digits")[0]["test"].targets
    told = labels.clone()
    for image, found in errors_of(outcome.result["errors"]).items():
        told[image] = found
    counted = torch.zeros(10, 10, dtype=torch.int64)
    for true, found in zip(labels, told, strict=True):
        counted[true, found] += 1
    assert outcome.result["confusion"] == counted.tolist()
    assert float((told == labels).double().mean()) == pytest.approx(outcome.history["test_accuracy"][-1], abs=1e-5)


def test_an_encoder_of_the_registry_is_read_from_its_record(tmp_path: Path) -> None:
    config = experiments.get("transfer-autoencoder").variants["mnist"]
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


@pytest.mark.parametrize("inputs", ["latents", "encoded", "measured"])
def test_features_depend_on_the_seed_alone(inputs: str) -> None:
    config = replace(SHORT, inputs=inputs, reading="pca-5", shots=50, encoder=UNTRAINED)  # type: ignore[arg-type]
    (one, labels), (two, _) = (transfer.features(config, Session(seed=3, key=""))[0] for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (1348, {"latents": 64, "encoded": 5, "measured": 32}[inputs])
    assert labels.shape == (1348,)
    torch.testing.assert_close(one.mean(0), torch.zeros(one.shape[1]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("test_too", [False, True])
def test_training_images_and_perhaps_test_images_are_modified_each_by_draws_of_their_own(test_too: bool) -> None:
    """Split and seed decide what is drawn: no two splits of any two seeds are modified alike."""
    config = replace(SHORT, encoder=UNTRAINED, augment="all", augment_test=test_too)
    images, encoder = transfer.images("digits")[0], transfer.trained_encoder(UNTRAINED, Session(seed=4, key=""))
    latents, labels = transfer.encoded(config, Session(seed=4, key=""))
    for split, stream in (("train", 8), ("test", 9)):
        pictures = images[split].inputs
        if split == "train" or test_too:
            pictures = augmentation.modified(pictures, "all", stream)
        with torch.no_grad():
            torch.testing.assert_close(latents[split], encoder(pictures.flatten(1)))
        assert torch.equal(labels[split], images[split].targets)
