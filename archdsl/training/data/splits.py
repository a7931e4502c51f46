"""Parts that a data set does not have are cut from its training images, always the same ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from random import Random
from typing import TypeVar

from archdsl.training.data.dataset import DataPart
from archdsl.training.error import TrainingError

EVERY = 10
"""One image of so many goes to each part that is cut."""
FEWEST = EVERY // 2
"""With fewer images, a part that is cut would be empty."""
SEED = 0
"""Not the run's: another seed is another run on the same parts."""

T = TypeVar("T")


def cut(labels: Sequence[Hashable], parts: int) -> list[list[int]]:
    """Choose a tenth of all indices for each of some parts; what is left is for training. Each is in order.

    Labels have the shares that they have in the whole, to one image, and none is taken from training altogether.

    >>> [len(part) for part in cut(["cat"] * 60 + ["dog"] * 40, 2)]
    [10, 10]
    """
    left = Counter(labels)
    due = [FEWEST] * parts
    order = by_label(labels)
    found: dict[int, int] = {}
    # What classes of one image could not give is taken from others, in a second turn.
    for turn in (1, 0):
        for index in order:
            due = [count + turn for count in due]
            part = next((part for part, count in enumerate(due) if count >= EVERY), None)
            if part is not None and left[labels[index]] > 1 and index not in found:
                found[index] = part
                due[part] -= EVERY
                left[labels[index]] -= 1
    return [sorted(index for index, own in found.items() if own == part) for part in range(parts)]


def by_label(labels: Sequence[Hashable]) -> list[int]:
    """Return all indices, label by label, those of each shuffled."""
    random = Random(SEED)
    members: dict[Hashable, list[int]] = {label: [] for label in sorted(set(labels), key=repr)}
    for index, label in enumerate(labels):
        members[label].append(index)
    for indices in members.values():
        random.shuffle(indices)
    return [index for indices in members.values() for index in indices]


def completed(
    parts: Mapping[DataPart, Sequence[T]], labels: Mapping[DataPart, Sequence[Hashable]]
) -> tuple[dict[DataPart, Sequence[T]], list[str]]:
    """Return the parts with those that are missing cut from training, and a sentence for each.

    A test part is cut only where neither it nor validation is there: what was given as all but the test stays so.
    Errors: TrainingError with E341 where there are too few images
    """
    whole = parts["train"]
    absent: list[DataPart] = ["validation"] if "test" in parts else ["validation", "test"]
    if "validation" in parts:
        note = "there is no test part, and so there are no test figures"
        return dict(parts), [] if "test" in parts else [note]
    chosen = cut(labels["train"], len(absent))
    if not all(chosen):
        if len(whole) >= 2 * EVERY:
            raise TrainingError(
                f"nearly each of the {len(whole)} images has a class of its own, and training keeps one of each class",
                f"give classes of several images, or parts of their own, to cut {' and '.join(absent)} from",
                "E341",
            )
        raise TrainingError(
            f"{len(whole)} images are too few to cut {' and '.join(absent)} from",
            f"give {2 * EVERY} or more, or parts of their own",
            "E341",
        )
    gone = {index for part in chosen for index in part}
    found: dict[DataPart, Sequence[T]] = {"train": [row for index, row in enumerate(whole) if index not in gone]}
    notes: list[str] = []
    for part, indices in zip(absent, chosen, strict=True):
        found[part] = [whole[index] for index in indices]
        notes.append(f"{part}: {len(indices)} of the {len(whole)} training images, by seed {SEED}")
    return {**found, **{part: rows for part, rows in parts.items() if part == "test"}}, notes
