"""Data sets from Python: any sequence of pairs."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from archdsl.recipes.recipe import Recipe
from archdsl.training.data.catalogue import python_data
from archdsl.training.data.feed import Feed
from archdsl.training.error import TrainingError
from tests.training.data.files import picture

pytestmark = pytest.mark.torch
SIZE = (3, 8, 8)


def bytes_of(feed: Feed, epoch: int) -> list[bytes]:
    return [batch.images.numpy().tobytes() + batch.targets.numpy().tobytes() for batch in feed.train(epoch)]


class Jittered(Dataset[Any]):
    """Random in every way that a user's own transforms are."""

    classes = ("even", "odd")
    targets = tuple(index % 2 for index in range(40))

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image = torch.full((3, 8, 8), index, dtype=torch.uint8)
        image[0] = random.randrange(256)
        image[1] = int(np.random.randint(256))
        image[2] = int(torch.randint(256, ()))
        return image, index % 2


@pytest.mark.parametrize("workers", [1, 3])
def test_random_items_are_the_same_with_any_number_of_workers(workers: int) -> None:
    data = python_data(Jittered())
    assert data.classes == ("even", "odd")
    alone, helped = Feed(data, Recipe(), SIZE), Feed(data, Recipe(), SIZE, workers=workers)
    states = torch.get_rng_state(), random.getstate()
    first = bytes_of(alone, 1)
    assert states[0].equal(torch.get_rng_state())
    assert states[1] == random.getstate()
    assert bytes_of(helped, 1) == first == bytes_of(alone, 1)
    assert bytes_of(alone, 2) != first
    assert [b.images.numpy().tobytes() for b in alone.evaluate("test")] == [
        b.images.numpy().tobytes() for b in helped.evaluate("test")
    ]
    helped.close()


def test_the_kind_is_that_of_the_first_target() -> None:
    image = picture(0)
    mask = np.zeros((16, 20), dtype=np.uint8)
    for target, kind in (
        (3, "class"),
        (np.int64(3), "class"),
        (torch.tensor(3), "class"),
        (0.5, "number"),
        (2.0, "number"),
        (torch.tensor([0, 1, 1]), "classes"),
        (image, "image"),
        (np.zeros((16, 20, 3), dtype=np.uint8), "image"),
    ):
        data = python_data([(image, target)] * 20)
        assert data.kind == kind
        batch = next(Feed(data, Recipe(), SIZE).train(1))
        assert batch.images.shape[1:] == SIZE
    assert python_data([(image, mask)] * 20, classes=("a", "b")).kind == "mask"
    assert len(python_data([(image, 3)] * 20).classes) == 4


def test_images_may_be_tensors_arrays_or_pillows() -> None:
    fractions = torch.rand(1, 8, 8)
    data = python_data(
        [(image, 1) for image in (picture(0), fractions.numpy()[0], fractions, np.zeros((8, 8, 3), np.uint8))] * 5
    )
    assert len(next(Feed(data, Recipe(), SIZE).train(1)).images) == 16
    assert python_data(TensorDataset(torch.rand(20, 3, 8, 8), torch.arange(20) % 2)).channels == 3


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([], "the train part is no sequence that holds anything"),
        (iter([1]), "the train part is no sequence"),
        ([1, 2], "`train 0` is no pair"),
        ([("a.png", 1)], "an image is a Pillow image, a tensor or an array, and this is a str"),
        ([(torch.rand(8, 8, 3), 1)], "an image has 1 or 3 channels"),
        ([(torch.randn(3, 8, 8), 1)], "leave normalising to the recipe"),
        ([(picture(0), "cat")], "a target is a number"),
        ([(picture(0), np.zeros((16, 20), np.uint8))] * 20, "masks have classes whose number is not said"),
    ],
)
def test_sequences_that_cannot_be_used(items: Any, told: str) -> None:
    with pytest.raises(TrainingError) as caught:
        python_data(items)
    assert caught.value.code == "E349"
    assert told in caught.value.message


def test_counts_of_classes_need_good_labels() -> None:
    items = [(picture(0), 0), (picture(1), 1)] * 10
    assert Feed(python_data(items, items, items), Recipe(), SIZE).class_counts() == (10, 10)
    with pytest.raises(TrainingError, match="an image has class 1, and the data's 1 classes"):
        Feed(python_data(items, items, items, classes=("a",)), Recipe(), SIZE).class_counts()


@pytest.mark.parametrize("workers", [0, 2])
def test_what_an_item_raises_or_holds_is_told_with_its_number(workers: int) -> None:
    class Failing(list[Any]):
        def __getitem__(self, index: Any) -> Any:
            if index == 7:
                raise KeyError("no such row")
            return super().__getitem__(index)

    def fails(items: Any, **more: Any) -> TrainingError:
        feed = Feed(python_data(items, items, items, **more), Recipe(), SIZE, workers=workers)
        with pytest.raises(TrainingError) as caught:
            list(feed.train(1))
        feed.close()
        return caught.value

    good = [(picture(0), 0), (picture(1), 1)] * 10
    error = fails(Failing(good), classes=("a", "b"))
    assert (error.code, error.message) == ("E344", "`train 7` cannot be read: KeyError: 'no such row'")
    error = fails([*good, (picture(0), 2)], classes=("a", "b"))
    assert (error.code, error.message) == ("E349", "`train 20` has class 2, and the data's 2 classes count from 0")
    error = fails([*good, (picture(0), 0.5)], classes=("a", "b"))
    assert (error.code, error.message) == ("E349", "`train 20` has a target that cannot be used: 0.5 is no class")
    error = fails([(picture(0), torch.zeros(3))] * 9 + [(picture(0), torch.zeros(4))])
    assert error.code == "E349"
