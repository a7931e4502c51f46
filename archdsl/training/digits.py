"""Handwritten digits: 1797 real images of 8 x 8 pixels that come with scikit-learn, without a download."""

# scikit-learn and torch leave these untyped.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import torch
from sklearn.datasets import load_digits

from archdsl.training.data import ArrayDataSet, Batch

BRIGHTEST = 16
TEST_EVERY = 5


def digits() -> ArrayDataSet:
    """Load the digits, 1437 for training and 360 for test.

    The split is stratified and always the same: of each class's images, shuffled with seed 0, every fifth
    is for test. The writers are not told apart in the data, so one writer's digits are on both sides.

    Source: Alpaydin and Kaynak 1998, UCI Optical Recognition of Handwritten Digits, its test part
    """
    pixels, classes = load_digits(return_X_y=True)
    images = torch.as_tensor(pixels, dtype=torch.float32).reshape(-1, 1, 8, 8) / BRIGHTEST
    labels = torch.as_tensor(classes, dtype=torch.int64)
    train, test = split([int(label) for label in labels])
    return ArrayDataSet(
        name="digits",
        classes=tuple("0123456789"),
        train=Batch(images[train], labels[train]),
        test=Batch(images[test], labels[test]),
    )


def split(labels: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the indices for training and for test, each in the data's own order."""
    random = Random(0)
    by_class: list[int] = []
    for label in sorted(set(labels)):
        members = [i for i, other in enumerate(labels) if other == label]
        random.shuffle(members)
        by_class += members
    test = set(by_class[::TEST_EVERY])
    return [i for i in range(len(labels)) if i not in test], sorted(test)
