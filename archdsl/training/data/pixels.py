"""Grey images that a CSV table holds pixel by pixel, with a class each: how MNIST and its kin are handed around."""

from __future__ import annotations

import gzip
import io
import zlib
from math import isqrt
from pathlib import Path

import numpy as np
import torch

from archdsl.text.failure import cannot
from archdsl.training.data.dataset import DataSet
from archdsl.training.data.listing import read_table
from archdsl.training.data.samples import in_memory
from archdsl.training.data.splits import completed
from archdsl.training.error import TrainingError

_LABELS = ("label", "class", "target")
_MOST_BYTES = 2**28
"""Of the table's text, unpacked: a small file may unpack to more than a computer holds. MNIST's 60,000 take 110 MB."""
_MOST_CLASSES = 100_000
_BRIGHTEST = 255
_HELP = "a line has the pixels of one image, whole numbers from 0 to 255, and its class"
_HEADER = "name the columns in the first line, and the column of classes `label`"


def pixels(name: str, path: Path) -> DataSet:
    """Read a table of one image a line: its pixels, row by row, and a whole number for its class.

    The first line may name the columns; then the classes are those of `label`, `class` or `target`. Without names they
    are the first or the last column: of the two the one whose numbers differ, since an image's corners are mostly of
    one colour. A file that ends in `.gz` is unpacked. Images are square.

    Errors: TrainingError; E340 where there is no such file, E345 where the table is not as it should be, E341 where it
    has too few images, E342 for a single class
    """
    table, head = _read(path)
    place = _place(path, table, head)
    labels, images = table[:, place], np.delete(table, place, axis=1)
    side = isqrt(images.shape[1])
    if not side or side * side != images.shape[1]:
        raise _wrong(path, f"lines of {images.shape[1]} pixels, which make no square image")
    if not np.all((labels >= 0) & (labels < _MOST_CLASSES) & (labels % 1 == 0)):
        row = int(np.argmin((labels >= 0) & (labels < _MOST_CLASSES) & (labels % 1 == 0)))
        raise _wrong(path, f"the class {labels[row]:g} in line {row + 1 + bool(head)}")
    with np.errstate(invalid="ignore"):  # of infinite ones
        is_pixel = ((images >= 0) & (images <= _BRIGHTEST) & (images % 1 == 0)).all(axis=1)
    if not is_pixel.all():
        raise _wrong(path, f"a pixel in line {int(np.argmin(is_pixel)) + 1 + bool(head)} that is none")
    known = [int(label) for label in np.unique(labels)]
    if len(known) == 1:
        raise TrainingError(
            f"there is one class, `{known[0]}`, and nothing to tell it from",
            "give images of two classes or more",
            "E342",
        )
    targets = [known.index(int(label)) for label in labels]
    parts, notes = completed({"train": range(len(targets))}, {"train": targets})
    whole = torch.as_tensor(images.astype(np.uint8)).reshape(-1, 1, side, side)
    return in_memory(name, tuple(map(str, known)), whole, torch.tensor(targets), parts, notes)


def _read(path: Path) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], list[str]]:
    """Return the numbers of a table, and the names of its columns; none where its first line has numbers."""
    try:
        packed = read_table(path)
        if path.suffix.lower() == ".gz":
            with gzip.open(io.BytesIO(packed)) as unpacked:
                packed = unpacked.read(_MOST_BYTES + 1)
    except EOFError:
        raise _wrong(path, "an end in the middle of what is packed") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _wrong(path, f"what cannot be unpacked: {error}") from None
    except OSError as error:
        raise TrainingError(cannot("read", path, error), "name the table's file", "E340") from None
    if len(packed) > _MOST_BYTES:
        raise _wrong(path, f"more than {_MOST_BYTES // 2**20} MiB of text")
    try:
        text = packed.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(path, f"no UTF-8 text: {error.reason} at byte {error.start}") from None
    text = text.lstrip("\r\n")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    cells = [cell.strip().strip('"').lower() for cell in first.split(delimiter)]
    head = cells if not all(map(_is_number, cells)) else []
    if not text.strip() or (head and "\n" not in text.strip()):
        raise TrainingError(f"`{path}` has no images", _HELP, "E341")
    try:
        table = np.loadtxt(
            io.StringIO(text), dtype=np.float32, delimiter=delimiter, skiprows=int(bool(head)), ndmin=2, comments=None
        )
    except ValueError as error:
        raise _wrong(path, f"what is no table of numbers: {' '.join(str(error).split())}") from None
    if head and len(head) != table.shape[1]:
        raise _wrong(path, f"{len(head)} names for {table.shape[1]} columns")
    return table, head


def _place(path: Path, table: np.ndarray[tuple[int, int], np.dtype[np.float32]], head: list[str]) -> int:
    """Return the column of the classes."""
    if head:
        named = [column for column, name in enumerate(head) if name in _LABELS]
        if len(named) != 1:
            raise _wrong(path, "no one column `label`", _HEADER)
        return named[0]
    varying = [column for column in (0, -1) if len(np.unique(table[:, column])) > 1]
    if len(varying) != 1:
        fact = (
            "numbers in its first and its last column that may both be classes" if varying else "no column of classes"
        )
        raise _wrong(path, fact, _HEADER)
    return varying[0]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _wrong(path: Path, fact: str, help: str = _HELP) -> TrainingError:
    return TrainingError(f"`{path}` has {fact}", help, "E345")
