"""The data sets by name. Listing them imports neither torch nor scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from archdsl.text.failure import require
from archdsl.training.error import TrainingError

if TYPE_CHECKING:
    from archdsl.training.data import DataSet


def _digits() -> DataSet:
    require("torch", "sklearn", extra="train")
    from archdsl.training.digits import digits

    return digits()


DATA_SETS: Mapping[str, Callable[[], DataSet]] = MappingProxyType({"digits": _digits})


def load_data(name: str) -> DataSet:
    """Load a data set.

    Errors: TrainingError for an unknown name; Failure where a package it needs is absent
    """
    if name not in DATA_SETS:
        near = get_close_matches(name, DATA_SETS, n=1)
        help = f"the nearest is `{near[0]}`" if near else f"there is {', '.join(DATA_SETS)}"
        raise TrainingError(f"no data set is called `{name}`", help)
    return DATA_SETS[name]()
