"""Data sets that need no files: handwritten digits, and images of noise."""

# scikit-learn leaves these untyped.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits

from archdsl.training.data.dataset import DataPart, DataSet
from archdsl.training.data.samples import in_memory
from archdsl.training.data.splits import by_label, completed
from archdsl.training.error import TrainingError

_BRIGHTEST = 16
_TEST_EVERY = 5
_MOST_BYTES = 2**28
_MOST, _FEWEST = 1024, 64
_LARGEST_SIDE, _MOST_CLASSES = 4096, 100_000
_SHAPE = re.compile(r"(\d{1,9})[x×](\d{1,9})[x×](\d{1,9})/(\d{1,9})")


def digits() -> DataSet:
    """Load scikit-learn's digits: 1797 real grey images of 8 x 8 pixels, without a download.

    The 360 for test are always the same: of each class's images, shuffled with seed 0, every fifth. Validation is cut
    from the other 1437. The writers are not told apart in the data, so one writer's digits are in all parts.

    Source: Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten Digits, its test part
    """
    pixels, classes = load_digits(return_X_y=True)
    scaled = torch.as_tensor(pixels, dtype=torch.float64).reshape(-1, 1, 8, 8) * (255 / _BRIGHTEST)
    images, targets = scaled.round().to(torch.uint8), torch.as_tensor(classes, dtype=torch.int64)
    labels = [int(label) for label in targets]
    test = sorted(by_label(labels)[::_TEST_EVERY])
    rest = sorted({*range(len(labels))} - {*test})
    parts, notes = completed({"train": rest, "test": test}, {"train": [labels[index] for index in rest]})
    return in_memory("digits", tuple("0123456789"), images, targets, parts, notes)


def synthetic(name: str, text: str) -> DataSet:
    """Make images of noise with classes in turn, as in `3x224x224/1000`: for measuring speed, not for learning.

    Errors: TrainingError with E340
    """
    match = _SHAPE.fullmatch(text)
    channels, height, width, count = map(int, match.groups()) if match else (0, 0, 0, 0)
    if channels not in (1, 3) or not (0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE):
        raise TrainingError(
            f"`synthetic:{text}` is no shape of images with a number of classes",
            "write channels (1 or 3), height, width and classes, as in synthetic:3x224x224/1000",
            "E340",
        )
    if not 1 < count <= _MOST_CLASSES:
        raise TrainingError(f"`synthetic:{text}` asks for {count} classes", "2 to 100,000 can be told apart", "E340")
    number = min(max(_MOST_BYTES // (channels * height * width), _FEWEST), _MOST)
    generator = torch.Generator().manual_seed(0)
    shape = (number + number // 4, channels, height, width)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    targets = torch.arange(len(images)) % count
    end = number + number // 8
    parts: dict[DataPart, Sequence[int]] = {
        "train": range(number), "validation": range(number, end), "test": range(end, len(images)),
    }  # fmt: skip
    classes = tuple(str(label) for label in range(count))
    return in_memory(name, classes, images, targets, parts, ["the images are noise: there is nothing to learn"])
