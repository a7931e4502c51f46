"""The digits, their split, and what becomes of an image on its way to the network."""

from hashlib import sha256

import pytest
import torch

from archdsl.training import Recipe, TrainingError, load_data
from archdsl.training.augment import augment
from archdsl.training.data import ArrayDataSet, Batch, epoch_seed, fit
from archdsl.training.digits import digits

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def data() -> ArrayDataSet:
    return digits()


def labels_of(data: ArrayDataSet, recipe: Recipe, epoch: int) -> list[int]:
    return [int(label) for batch in data.train_batches(recipe, epoch) for label in batch.labels]


def test_the_split_is_stratified_and_never_moves(data: ArrayDataSet) -> None:
    assert (data.train_size, data.test_size) == (1437, 360)
    assert data.test.labels.bincount().tolist() == [36, 36, 36, 36, 37, 36, 36, 36, 35, 36]
    pixels = (data.test.images * 16).to(torch.uint8).numpy().tobytes()
    assert sha256(pixels).hexdigest()[:16] == "3a160a137c4b8e5c"


def test_no_test_image_is_trained_on(data: ArrayDataSet) -> None:
    train, test = ({image.numpy().tobytes() for image in part.images} for part in (data.train, data.test))
    assert len(train) == 1437
    assert not train & test


def test_images_are_normalised_by_the_training_set(data: ArrayDataSet) -> None:
    recipe = Recipe.of(augment="none")
    train = torch.cat([batch.images for batch in data.train_batches(recipe, 1)])
    test = torch.cat([batch.images for batch in data.test_batches(100)])
    assert abs(float(train.mean())) < 1e-5
    assert float(train.std()) == pytest.approx(1, abs=1e-5)
    assert abs(float(test.mean())) > 1e-5  # the test images' own mean was not taken away


def test_an_epoch_holds_every_image_once_in_even_batches(data: ArrayDataSet) -> None:
    batches = list(data.train_batches(Recipe.of(augment="none", batch_size=64), 1))
    assert {len(batch.labels) for batch in batches} == {62, 63}
    rows = torch.cat([batch.images for batch in batches]).flatten(1)
    assert len(rows.unique(dim=0)) == 1437


def test_the_order_follows_from_seed_and_epoch(data: ArrayDataSet) -> None:
    recipe = Recipe.of(seed=3)
    assert labels_of(data, recipe, 2) == labels_of(data, recipe, 2)
    assert labels_of(data, recipe, 2) != labels_of(data, recipe, 3)
    assert labels_of(data, recipe, 2) != labels_of(data, Recipe.of(seed=4), 2)
    assert len({epoch_seed(seed, epoch) for seed in range(50) for epoch in range(1, 300)}) == 50 * 299


def test_a_shift_moves_the_whole_image_by_a_pixel_at_most() -> None:
    images = torch.rand(64, 2, 5, 6) + 1
    moved = augment(images, "shift", torch.Generator().manual_seed(0))
    offsets: set[tuple[int, int]] = set()
    for before, after in zip(images, moved, strict=True):
        padded = torch.nn.functional.pad(before, [1] * 4)
        found = [(y, x) for y in range(3) for x in range(3) if padded[:, y : y + 5, x : x + 6].equal(after)]
        assert len(found) == 1
        offsets.update(found)
    assert len(offsets) == 9


def test_an_affine_change_turns_and_shifts_without_stretching() -> None:
    # A wide image of one soft dot: its distance from the middle is kept up to the shift, whatever the turn.
    ys, xs = torch.meshgrid(torch.arange(33.0), torch.arange(65.0), indexing="ij")
    dot = torch.exp(-((xs - 32 - 20) ** 2 + (ys - 16) ** 2) / 8)
    images = dot.expand(50, 1, 33, 65)
    moved = augment(images, "affine", torch.Generator().manual_seed(0))[:, 0]
    mass = moved.sum((1, 2))
    x, y = (moved * xs).sum((1, 2)) / mass - 32, (moved * ys).sum((1, 2)) / mass - 16
    assert torch.hypot(x, y).sub(20).abs().max() < 1.6
    assert 2 < y.abs().max() < 20 * 0.18 + 1.2


def test_images_are_fitted_to_the_network() -> None:
    images = torch.rand(4, 1, 8, 8)
    assert fit(images, (1, 8, 8)) is images or fit(images, (1, 8, 8)).equal(images)
    fitted = fit(images, (3, 32, 24))
    assert fitted.shape == (4, 3, 32, 24)
    assert fitted[:, 0].equal(fitted[:, 2])
    assert float(fitted.mean()) == pytest.approx(float(images.mean()), abs=0.02)


def test_a_constant_channel_stays_finite() -> None:
    part = Batch(torch.zeros(4, 1, 2, 2), torch.zeros(4, dtype=torch.int64))
    data = ArrayDataSet("black", ("only",), part, part)
    assert all(batch.images.isfinite().all() for batch in data.test_batches(3))


def test_an_unknown_data_set_is_named_with_the_nearest() -> None:
    with pytest.raises(TrainingError, match="no data set is called `digit`; the nearest is `digits`"):
        load_data("digit")
