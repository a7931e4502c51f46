"""What a run's network says of images that it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from archdsl.training.data.statistics import Statistics
from archdsl.training.device import find_device
from archdsl.training.run.evaluation import Prepared
from archdsl.training.run.images import ImageFiles
from archdsl.training.run.loading import OpenRun, WhichWeights
from archdsl.training.run.record import RunRecord
from archdsl.training.tasks.dense import BRIGHTEST
from archdsl.training.tasks.fit import check_outputs
from archdsl.training.tasks.scikit import listed, whole

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
    files = ImageFiles(paths, record.size[0], run.recipe)
    feed = files.feed(run.recipe, record.size, Statistics(record.mean, record.deviation))
    prepared = Prepared(run.recipe, feed, run.module(which), place)
    for index, output in files.passed(feed, prepared):
        if isinstance(output, str):
            yield Prediction(paths[index], unread=output)
            continue
        main = output[0] if isinstance(output, tuple) else output
        assert isinstance(main, Tensor)
        yield _prediction(paths[index], main, record, top)


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
