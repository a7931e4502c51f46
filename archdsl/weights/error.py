"""The error of weights that cannot be read or do not fit."""

from __future__ import annotations

from archdsl.text.failure import Failure


class WeightsError(Failure):
    """Weights that cannot be read or do not fit, with a code that `archdsl explain` explains."""

    def __init__(self, message: str, help: str = "", code: str = "E301") -> None:
        super().__init__(message, help, code)
