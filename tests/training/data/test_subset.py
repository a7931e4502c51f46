"""Parts of data sets: classes numbered anew, and few images of each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from archdsl.training.data.catalogue import load_data
from archdsl.training.data.dataset import DataSet
from archdsl.training.data.samples import MemorySamples, targets_of
from archdsl.training.data.subset import subset
from archdsl.training.error import TrainingError

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def digits() -> DataSet:
    return load_data("digits")


def names(data: DataSet) -> set[str]:
    samples = data.parts["train"]
    return {samples.name(index) for index in range(len(samples))}


def test_nothing_asked_for_is_the_whole(digits: DataSet) -> None:
    assert subset(digits) is digits


def test_classes_are_numbered_in_the_order_given_and_images_keep_their_names(digits: DataSet) -> None:
    some = subset(digits, (7, 2))
    assert some.classes == ("7", "2")
    for part, samples in some.parts.items():
        whole = digits.parts[part]
        labels = {whole.name(index): int(whole.target(index)) for index in range(len(whole))}
        assert len(samples) == sum(label in (7, 2) for label in labels.values())
        for index in range(0, len(samples), 7):
            assert labels[samples.name(index)] == (7, 2)[int(samples.target(index))]
    assert isinstance(some.parts["train"], MemorySamples), "batches are still taken at once"
    assert some.digest not in (digits.digest, subset(digits, (2, 7)).digest)


def test_shots_are_so_many_of_each_class_by_the_seed_and_more_hold_the_fewer(digits: DataSet) -> None:
    few, more = (subset(digits, (5, 6, 7), shots, seed=4) for shots in (3, 9))
    for shots, data in ((3, few), (9, more)):
        assert torch.bincount(targets_of(data.parts["train"])).tolist() == [shots] * 3
    assert names(few) < names(more)
    assert names(few) == names(subset(digits, (5, 6, 7), 3, seed=4))
    assert names(few) != names(subset(digits, (5, 6, 7), 3, seed=5))
    assert names(few) < names(subset(digits, (), 9, seed=4)), "whatever other classes there are"
    assert len(few.parts["test"]) == len(subset(digits, (5, 6, 7)).parts["test"])
    assert few.digest != more.digest


def test_files_are_still_read_from_where_they_lie(tmp_path: Path) -> None:
    from PIL import Image

    for label in "abc":
        (tmp_path / label).mkdir()
        for number in range(12):
            Image.new("L", (4, 4), 20 * number).save(tmp_path / label / f"{number}.png")
    data = subset(load_data(f"imagefolder:{tmp_path}"), (2, 0), 2)
    assert data.classes == ("c", "a")
    samples = data.parts["train"]
    assert len(samples) == 4
    for index in range(4):
        assert samples.name(index).split("/")[-2] == data.classes[int(samples.target(index))]
        assert samples.image(index).shape == (1, 4, 4)


@pytest.mark.parametrize(
    ("classes", "shots", "said"),
    [
        ((0, 10), None, "digits has no class 10"),
        ((0, -1), None, "digits has no class -1"),
        ((0, 0), None, "named twice"),
        ((3,), None, "nothing to be told from"),
        ((0, 1), 0, "nothing to learn from"),
        ((0, 1), 1000, "training images of class 0, and 1000 are asked for"),
    ],
)
def test_what_the_data_has_not_is_told(digits: DataSet, classes: tuple[int, ...], shots: int | None, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        subset(digits, classes, shots)


def test_data_without_classes_is_told(digits: DataSet) -> None:
    numbers = DataSet("numbers", "number", (), 1, digits.parts)
    with pytest.raises(TrainingError, match="with one class each"):
        subset(numbers, (), 3)
