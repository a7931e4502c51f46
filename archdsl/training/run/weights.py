"""Weights to start from: a file, or the best ones of a run."""

from __future__ import annotations

from pathlib import Path

from archdsl.training.error import TrainingError
from archdsl.training.run.record import BEST, LAST, RECORD


def weights_file(given: Path | None) -> Path | None:
    """Return the file of weights that is meant: the best weights where a run's folder is given.

    Errors: TrainingError with E367 where the run has none
    """
    if given is None or not (given / RECORD).is_file():
        return given
    for name in (BEST, LAST):
        if (given / name).is_file():
            return given / name
    raise TrainingError(f"`{given}` has no weights yet", "let an epoch of it end first", "E367")
