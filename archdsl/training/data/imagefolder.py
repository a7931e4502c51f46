"""Images in folders that are called like their classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from archdsl.training.data.dataset import DataPart, DataSet
from archdsl.training.data.listing import (
    Listed,
    digest_of,
    folders_in,
    images_in,
    left_aside,
    scan,
    usual_channels,
)
from archdsl.training.data.samples import FileSamples
from archdsl.training.data.splits import completed
from archdsl.training.error import TrainingError

PART_FOLDERS: Mapping[str, DataPart] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
"""What folders of parts are called, in small letters."""


def image_folder(name: str, root: Path) -> DataSet:
    """List a folder of images: of classes, or of parts that are folders of classes.

    Classes are sorted as torchvision's ImageFolder does it, and images are found in folders below theirs too.

    Errors: TrainingError; E340 where it is no folder, E341 where it or a class is empty, E342 for a single class, E343
    where parts differ in their classes
    """
    folders, notes = part_folders(root)
    classes = _classes(root / folders["train"])
    others: Counter[str] = Counter()
    parts: dict[DataPart, Sequence[Listed]] = {}
    for part, folder in folders.items():
        if part != "train":
            notes += _compare(classes, _classes(root / folder), folders["train"], folder)
        parts[part] = _rows(root, folder, classes, others)
        if not parts[part]:
            raise TrainingError(f"there are no images in `{root / folder}`", code="E341")
    counts = Counter(row.label for row in parts["train"])
    empty = [label for index, label in enumerate(classes) if not counts[index]]
    if empty:
        raise TrainingError(
            f"class `{empty[0]}` has no images in `{root / folders['train'] / empty[0]}`",
            "remove its folder, or put images there",
            "E341",
        )
    if len(classes) == 1:
        raise TrainingError(
            f"there is one class, `{classes[0]}`, and nothing to tell it from",
            "put the images of each class into a folder of their own",
            "E342",
        )
    whole, more = completed(parts, {part: [row.label for row in rows] for part, rows in parts.items()})
    digest, listing = digest_of(root, whole, classes)
    return DataSet(
        name=name,
        kind="class",
        classes=tuple(classes),
        channels=usual_channels(root, whole["train"]),
        parts={
            part: FileSamples(root, [row.name for row in rows], torch.tensor([row.label for row in rows]))
            for part, rows in whole.items()
        },
        notes=(*more, *notes, *left_aside(others)),
        digest=digest,
        listing=listing,
    )


def part_folders(root: Path) -> tuple[dict[DataPart, str], list[str]]:
    """Return the folders of the parts, "" for a folder that has none, and notes on what lies beside them.

    `train` alone, or with another part's folder, means parts; among folders of other names it is a class.
    Errors: TrainingError with E340, or E341 where two folders are of one part
    """
    found: dict[DataPart, str] = {}
    names = folders_in(root)
    for name in names:
        part = PART_FOLDERS.get(name.lower())
        if part is None:
            continue
        if part in found:
            raise TrainingError(
                f"`{found[part]}` and `{name}` in `{root}` are both of the {part} part", "rename one", "E341"
            )
        found[part] = name
    if "train" not in found or (len(found) == 1 and len(names) > 1):
        return {"train": ""}, []
    beside = [name for name in names if name not in found.values()]
    return found, [f"folders beside the parts, left aside: {', '.join(beside)}"] if beside else []


def _classes(folder: Path) -> list[str]:
    found = folders_in(folder)
    if not found:
        here = images_in(folder)
        fact = f"`{folder}` has images and no folders" if here else f"there are no folders in `{folder}`"
        raise TrainingError(fact, "put the images of each class into a folder that is called like the class", "E341")
    return found


def _rows(root: Path, folder: str, classes: Sequence[str], others: Counter[str]) -> list[Listed]:
    """List the images of a part, class by class; images that lie in no class are counted with what is left aside."""
    rows: list[Listed] = []
    known = {label: index for index, label in enumerate(classes)}
    for label in folders_in(root / folder):
        found = scan(root / folder / label)
        others += found.others
        prefix = f"{folder}/{label}" if folder else label
        rows += [Listed(f"{prefix}/{name}", known[label]) for name in found.names]
    outside = len(images_in(root / folder))
    if outside:
        others["outside of the folders of classes"] += outside
    return rows


def _compare(classes: Sequence[str], others: Sequence[str], train: str, folder: str) -> list[str]:
    unknown = [label for label in others if label not in classes]
    missing = [label for label in classes if label not in others]
    if unknown:
        shown = ", ".join(f"`{label}`" for label in unknown[:3])
        lacking = f"; it lacks {', '.join(f'`{label}`' for label in missing[:3])}" if missing else ""
        raise TrainingError(
            f"`{folder}` has classes that `{train}` has not: {shown}{lacking}",
            "give all parts the same folders",
            "E343",
        )
    return [f"`{folder}` has no images of {', '.join(missing)}"] if missing else []
