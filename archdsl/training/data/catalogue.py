"""The data sets by what users call them. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

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


FORMS: Mapping[str, tuple[str, Callable[[str, str], DataSet]]] = MappingProxyType(
    {
        "digits": ("digits", _digits),
        "imagefolder": ("imagefolder:DIR", _image_folder),
        "csv": ("csv:FILE", _table),
        "pixels": ("pixels:FILE", _pixels),
        "pairs": ("pairs:DIR", _pairs),
        "synthetic": ("synthetic:3x224x224/1000", _synthetic),
    }
)
"""What a data set's name begins with: how it is written whole, and what lists or makes it."""


def load_data(text: str) -> DataSet:
    """Load a data set by its name, such as `digits` or `imagefolder:pets`; files are listed, and read later.

    Errors: TrainingError with E340 where there is none of the name, and E341 to E346 where it cannot be used; Failure
    where a package is absent
    """
    require("torch", "torchvision", "PIL", "sklearn", extra="train")
    word, colon, rest = text.partition(":")
    form, load = FORMS.get(word, ("", None))
    is_whole = bool(rest) if ":" in form else not colon
    if load is None or not is_whole or "\0" in text:
        raise _unknown(text, word, form)
    return load(text, rest)


def load_again(text: str) -> DataSet:
    """Load the data that a run was trained on, by the name that it had then.

    Errors: as those of `load_data`; where it is not there any more, the help says how to name its new place
    """
    try:
        return load_data(text)
    except TrainingError as error:
        form = FORMS.get(text.partition(":")[0], ("DATA", None))[0]
        help = f"the run was trained on `{text}`; say where that is now: `--data {form}`"
        raise TrainingError(error.message, help, error.code) from None


def _unknown(text: str, word: str, form: str) -> TrainingError:
    if form:
        return TrainingError(f"`{text}` is no data set", f"write `{form}`", "E340")
    forms = [form for form, _ in FORMS.values()]
    near = get_close_matches(word, FORMS, n=1)
    if near:
        help = f"the nearest is `{FORMS[near[0]][0]}`"
    elif "\0" not in text and Path(text).expanduser().is_dir():
        help = f"write `imagefolder:{text}` for images in a folder for each class"
    else:
        help = f"there is {', '.join(f'`{form}`' for form in forms)}"
    return TrainingError(f"no data set is called `{text}`", help, "E340")


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
