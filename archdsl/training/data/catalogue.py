"""The data sets by what users call them. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from archdsl.ir.data_names import DATA_FORMS, wrong_name
from archdsl.text.failure import require
from archdsl.training.error import TrainingError

if TYPE_CHECKING:
    from archdsl.training.data.dataset import DataSet


def _digits(name: str, rest: str) -> DataSet:
    from archdsl.training.data.builtin import digits

    return digits()


def _synthetic(name: str, rest: str) -> DataSet:
    from archdsl.training.data.builtin import synthetic

    return synthetic(name, rest)


def _image_folder(name: str, rest: str) -> DataSet:
    from archdsl.training.data.imagefolder import image_folder

    return image_folder(name, Path(rest).expanduser())


def _table(name: str, rest: str) -> DataSet:
    from archdsl.training.data.table import table

    return table(name, Path(rest).expanduser())


def _pixels(name: str, rest: str) -> DataSet:
    from archdsl.training.data.pixels import pixels

    return pixels(name, Path(rest).expanduser())


def _pairs(name: str, rest: str) -> DataSet:
    from archdsl.training.data.pairs import pairs

    return pairs(name, Path(rest).expanduser())


_LOADERS: Mapping[str, Callable[[str, str], DataSet]] = MappingProxyType(
    {
        "digits": _digits,
        "imagefolder": _image_folder,
        "csv": _table,
        "pixels": _pixels,
        "pairs": _pairs,
        "synthetic": _synthetic,
    }
)
"""What lists or makes a data set, by what its name begins with."""


def load_data(text: str) -> DataSet:
    """Load a data set by its name, such as `digits` or `imagefolder:pets`; files are listed, and read later.

    Errors: TrainingError with E340 where there is none of the name, and E341 to E346 where it cannot be used; Failure
    where a package is absent
    """
    require("torch", "torchvision", "PIL", "sklearn", extra="train")
    wrong = wrong_name(text)
    if wrong is not None:
        is_folder = not wrong.form and "\0" not in text and Path(text).expanduser().is_dir()
        help = f"write `imagefolder:{text}` for images in a folder for each class" if is_folder else wrong.help
        help = f"write `{wrong.form}`" if wrong.form else help
        raise TrainingError(wrong.message, help, "E340")
    word, _, rest = text.partition(":")
    return _LOADERS[word](text, rest)


def load_again(text: str) -> DataSet:
    """Load the data that a run was trained on, by the name that it had then.

    Errors: as those of `load_data`; where it is not there any more, the help says how to name its new place
    """
    try:
        return load_data(text)
    except TrainingError as error:
        form = DATA_FORMS.get(text.partition(":")[0], "DATA")
        help = f"the run was trained on `{text}`; say where that is now: `--data {form}`"
        raise TrainingError(error.message, help, error.code) from None


def python_data(
    train: object,
    validation: object = None,
    test: object = None,
    *,
    classes: Sequence[str] = (),
    name: str = "python",
) -> DataSet:
    """Make a data set of sequences of pairs of an image and its target, such as a torchvision data set.

    `archdsl.training.data.python.python_data` says what images and targets may be.

    Errors: TrainingError with E349; Failure where a package is absent
    """
    require("torch", "torchvision", "PIL", extra="train")
    from archdsl.training.data import python

    return python.python_data(train, validation, test, classes=classes, name=name)
