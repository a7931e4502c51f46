"""What a run's network says of images that it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from archdsl.recipes.images import Grey
from archdsl.recipes.updates import BatchSize
from archdsl.training.data.dataset import BadSampleError, DataSet
from archdsl.training.device import find_device
from archdsl.training.images.decode import decode
from archdsl.training.run.evaluation import Prepared, feed_of
from archdsl.training.run.loading import OpenRun, WhichWeights
from archdsl.training.run.record import RunRecord
from archdsl.training.tasks.base import as_outputs
from archdsl.training.tasks.dense import BRIGHTEST
from archdsl.training.tasks.fit import check_outputs
from archdsl.training.tasks.scikit import listed, whole

_BATCH = 16
_COLOURS = 256


@dataclass(frozen=True)
class Prediction:
    """What is predicted for one file.

    `ranked` are the top classes with their probabilities, of a mask its classes with their shares of the pixels;
    `number` is that of data with numbers; `picture` is a mask, whose palette's indices are classes, or an image, both
    as PNG. Where the file cannot be read there is only the reason, `unread`.
    """

    path: Path
    ranked: tuple[tuple[str, float], ...] = ()
    number: float | None = None
    picture: bytes | None = None
    unread: str = ""


def predict(
    run: OpenRun, paths: Sequence[Path], which: WhichWeights = "best", *, top: int = 5, device: str = "auto"
) -> Iterator[Prediction]:
    """Yield a prediction for each file, in their order; images are prepared as the run's `images eval` says.

    Errors: TrainingError with E361 where the network is not one for such data, E367 where the weights cannot be used,
    E368 where the device cannot
    """
    record = run.record
    check_outputs(run.network, record)
    place = find_device(device)
    files = _Files(paths, is_grey_only=record.size[0] == 1 and not any(isinstance(c, Grey) for c in run.recipe.eval))
    # To the feed, they are images of one class: nothing but the images is asked for.
    data = DataSet("files", "class", ("",), record.size[0], {"train": files, "test": files})
    batch_size = BatchSize(images=min(_BATCH, run.recipe.batch_size.images))
    few = OpenRun(run.path, record, run.network, run.recipe.model_copy(update={"batch_size": batch_size}))
    feed = feed_of(few, data, skip_bad=len(paths))
    prepared = Prepared(few, feed, which, place)
    told = 0
    with torch.inference_mode():
        for batch in feed.evaluate("test"):
            images = prepared.normalise(batch.images.to(place))
            with prepared.autocast():
                output = as_outputs(prepared.module(images))[0]
            for index, row in zip(whole(batch.indices), output.float().cpu(), strict=True):
                yield from files.unread(range(told, index))
                yield _prediction(paths[index], row, record, top)
                told = index + 1
    yield from files.unread(range(told, len(paths)))


class _Files:
    """Image files as a part of a data set, each with a class that means nothing."""

    def __init__(self, paths: Sequence[Path], *, is_grey_only: bool) -> None:
        self._paths, self._is_grey_only = paths, is_grey_only
        self._reasons: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def image(self, index: int) -> Tensor:
        try:
            image = decode(self._paths[index], self.name(index))
            if self._is_grey_only and len(image) != 1:
                raise BadSampleError(self.name(index), "it is in colour, and the network takes grey images")
        except BadSampleError as error:
            self._reasons[index] = error.reason
            raise
        return image

    def target(self, index: int) -> Tensor:
        return torch.tensor(0)

    def name(self, index: int) -> str:
        # Two files may be the same one, and the feed counts what it cannot read by name.
        return f"{index} {self._paths[index]}"

    def unread(self, places: range) -> Iterator[Prediction]:
        for index in places:
            yield Prediction(self._paths[index], unread=self._reasons[index])


def _prediction(path: Path, output: Tensor, record: RunRecord, top: int) -> Prediction:
    match record.kind:
        case "class":
            return Prediction(path, _ranked(output.softmax(0), record.classes, top))
        case "classes":
            return Prediction(path, _ranked(output.sigmoid(), record.classes, top))
        case "number":
            return Prediction(path, number=float(output))
        case "mask":
            mask = output.argmax(0)
            shares = torch.bincount(mask.flatten(), minlength=len(record.classes)) / mask.numel()
            ranked = tuple(pair for pair in _ranked(shares, record.classes, top) if pair[1] > 0)
            return Prediction(path, ranked, picture=_mask_png(mask))
        case "image":
            return Prediction(path, picture=_image_png(output))


def _ranked(values: Tensor, classes: Sequence[str], top: int) -> tuple[tuple[str, float], ...]:
    order = values.argsort(descending=True, stable=True)[:top]
    return tuple(zip((classes[place] for place in whole(order)), listed(values[order]), strict=True))


def _mask_png(mask: Tensor) -> bytes:
    image = Image.fromarray(mask.to(torch.uint8).numpy(), "P")
    image.putpalette([part for number in range(_COLOURS) for part in _colour(number)])
    return _png(image)


def _colour(number: int) -> tuple[int, int, int]:
    """Return a class's colour: its bits, the lowest first, are dealt to red, green and blue from the highest down.

    Source: the colour map of PASCAL VOC's development kit
    """
    colour = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            colour[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
    return colour[0], colour[1], colour[2]


def _image_png(output: Tensor) -> bytes:
    pixels = (output.clamp(0, 1) * BRIGHTEST).round().to(torch.uint8)
    return _png(Image.fromarray(pixels[0].numpy() if len(pixels) == 1 else pixels.permute(1, 2, 0).numpy()))


def _png(image: Image.Image) -> bytes:
    content = BytesIO()
    image.save(content, "PNG")
    return content.getvalue()
