"""Data sets from Python: any sequences of pairs of an image and what belongs to it."""

# What comes from Python may be anything.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from archdsl.training.data.dataset import BadSampleError, DataPart, DataSet, Samples, TargetKind
from archdsl.training.data.splits import completed
from archdsl.training.error import TrainingError
from archdsl.training.images.decode import as_tensor, pixels_of

_HELP = "an item is a pair (image, target), as a torchvision data set's is"


class PythonSamples:
    """Some items of a sequence."""

    def __init__(self, items: Any, rows: Sequence[int], noun: str, kind: TargetKind) -> None:
        self._items, self._rows, self._noun = items, rows, noun
        self.kind: TargetKind = kind
        self._last: tuple[int, Any] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def image(self, index: int) -> Tensor:
        """Return an image, whatever it is in Python, as uint8 [C, H, W].

        Errors: BadSampleError, also where the sequence raises anything
        """
        image, target = self.item(index)
        # The target is asked for next, and where an item is random it should be this one's.
        self._last = (index, target)
        try:
            return image_of(image)
        except (TypeError, ValueError, OSError) as error:
            raise BadSampleError(self.name(index), str(error)) from error

    def target(self, index: int) -> Tensor:
        """Return what belongs to an image.

        Errors: BadSampleError; TrainingError with E349 where it is of another kind than the first
        """
        last, self._last = self._last, None
        target = last[1] if last is not None and last[0] == index else self.item(index)[1]
        try:
            kind = kind_of(target)
            if kind == self.kind or {kind, self.kind} == {"class", "number"}:
                return _as_target(target, self.kind)
            fact = f"a target of the kind `{kind}`, and the first has the kind `{self.kind}`"
        except (TypeError, ValueError) as error:
            fact = f"a target that cannot be used: {error}"
        raise TrainingError(f"`{self.name(index)}` has {fact}", _HELP, "E349")

    def item(self, index: int) -> tuple[Any, Any]:
        """Return an item as the sequence gives it.

        Errors: BadSampleError; TrainingError with E349 where it is no pair
        """
        try:
            item: Any = self._items[self._rows[index]]
        except Exception as error:  # it is not our code that runs here
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise BadSampleError(self.name(index), reason) from error
        if not isinstance(item, tuple | list) or len(cast("Sequence[Any]", item)) != 2:
            raise TrainingError(f"`{self.name(index)}` is no pair", _HELP, "E349")
        image, target = cast("tuple[Any, Any]", item)
        return image, target

    def name(self, index: int) -> str:
        """Return the item's number in its sequence: `train 17`."""
        return f"{self._noun} {self._rows[index]}"


def python_data(
    train: Any, validation: Any = None, test: Any = None, *, classes: Sequence[str] = (), name: str = "python"
) -> DataSet:
    """Make a data set of sequences of pairs (image, target).

    An image is a Pillow image, a tensor [C, H, W] or an array [H, W, C], of uint8 or of fractions from 0 to 1. A target
    is a whole number, which is a class; a fraction; a tensor [K] of classes that are there or not; a mask [H, W] of
    whole numbers; or an image. `classes` are taken from the training sequence's own, where it has any. Parts that are
    missing are cut from training, in the classes' shares where the sequence has `targets`. Workers that cannot be
    forked need sequences that can be pickled. A digest covers the lengths, the classes and `targets` alone.

    Errors: TrainingError with E349
    """
    given: dict[DataPart, Any] = {"train": train, "validation": validation, "test": test}
    sequences: dict[DataPart, Any] = {part: items for part, items in given.items() if items is not None}
    for part, items in sequences.items():
        if not (hasattr(items, "__len__") and hasattr(items, "__getitem__") and len(items)):
            raise TrainingError(f"the {part} part is no sequence that holds anything", _HELP, "E349")
    first = PythonSamples(train, range(len(train)), "train", "class")
    try:
        image, target = first.item(0)
        kind, channels = kind_of(target), len(image_of(image))
    except (BadSampleError, TypeError, ValueError, OSError) as error:
        raise TrainingError(
            f"the first item cannot be used: {' '.join(map(str, error.args))}", _HELP, "E349"
        ) from error
    rows: dict[DataPart, Sequence[int]] = {part: range(len(items)) for part, items in sequences.items()}
    labels = {part: _labels(items, kind) for part, items in sequences.items()}
    found, notes = completed(rows, {part: labels[part] or [0] * len(rows[part]) for part in rows})
    parts: dict[DataPart, Samples] = {
        part: PythonSamples(sequences.get(part, train), chosen, part if part in sequences else "train", kind)
        for part, chosen in found.items()
    }
    names = tuple(classes) or _classes(train, kind, labels["train"], target, first)
    digest = hashlib.sha256(
        repr((name, names, sorted((part, [*map(int, chosen)]) for part, chosen in found.items()))).encode()
    )
    digest.update(repr(labels).encode())
    listing: dict[str, str] = {part: f"{len(chosen)} images" for part, chosen in found.items()}
    return DataSet(name, kind, names, channels, parts, tuple(notes), digest.hexdigest(), listing)


def image_of(image: Any) -> Tensor:
    """Return an image of any of Python's kinds as uint8 [C, H, W]. Raises TypeError or ValueError."""
    if isinstance(image, Image.Image):
        return as_tensor(pixels_of(image))
    if isinstance(image, Tensor):
        tensor = image[None] if image.dim() == 2 else image
    elif isinstance(image, np.ndarray):
        tensor = as_tensor(cast("np.ndarray[Any, Any]", image))
    else:
        raise TypeError(f"an image is a Pillow image, a tensor or an array, and this is a {type(image).__name__}")
    if tensor.dim() != 3 or tensor.shape[0] not in (1, 3) or not tensor.numel():
        raise ValueError(f"an image has 1 or 3 channels, height and width, and this is {tuple(image.shape)}")
    if tensor.dtype == torch.uint8:
        return tensor
    if not tensor.is_floating_point() or not bool(((tensor >= 0) & (tensor <= 1)).all()):
        raise ValueError("an image has numbers of uint8, or fractions from 0 to 1; leave normalising to the recipe")
    return (tensor * 255).round().to(torch.uint8)


def _as_target(target: Any, kind: TargetKind) -> Tensor:
    """Return a target as a tensor. Raises ValueError or TypeError."""
    match kind:
        case "class":
            if not float(target).is_integer():
                raise ValueError(f"{target} is no class")
            return torch.tensor(int(target))
        case "number":
            return torch.tensor(float(target), dtype=torch.float32)
        case "classes":
            return torch.as_tensor(target).to(torch.float32)
        case "mask":
            return torch.as_tensor(np.array(target) if isinstance(target, Image.Image) else target).to(torch.int64)
        case "image":
            return image_of(target)


def kind_of(target: Any) -> TargetKind:
    """Return what a target is. Raises TypeError."""
    if isinstance(target, Image.Image):
        return "mask" if target.mode in ("1", "L", "P", "I", "I;16") else "image"
    shape = getattr(target, "shape", ())
    if len(shape) == 0 and isinstance(target, int | float | np.number | Tensor):
        return "class" if float(target).is_integer() and not isinstance(target, float) else "number"
    if isinstance(target, Tensor | np.ndarray) and len(shape) <= 3:
        return ("classes", "mask", "image")[len(shape) - 1]
    raise TypeError(
        f"a target is a number, a tensor, an array or a Pillow image, and this is a {type(target).__name__}"
    )


def _labels(items: Any, kind: TargetKind) -> list[int] | None:
    """Return the classes of a sequence that has them at hand, as torchvision's have."""
    targets: Any = getattr(items, "targets", None)
    if kind != "class" or targets is None or len(targets) != len(items):
        return None
    return [int(target) for target in targets]


def _classes(
    train: Any, kind: TargetKind, labels: Sequence[int] | None, target: Any, samples: PythonSamples
) -> tuple[str, ...]:
    own: Any = getattr(train, "classes", None)
    match kind:
        case "number" | "image":
            return ()
        case "classes":
            count = len(target)
        case "class":
            if labels is None:
                labels = [int(samples.target(index)) for index in range(len(samples))]
            count = max(labels) + 1
        case "mask":
            count = 0
    if own is not None and len(own) >= count > 0:
        return tuple(str(label) for label in own)
    if kind == "mask":
        raise TrainingError("masks have classes whose number is not said", "give their names: classes=[…]", "E349")
    return tuple(str(label) for label in range(count))
