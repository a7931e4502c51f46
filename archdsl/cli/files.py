"""Files that commands read and write."""

from __future__ import annotations

from pathlib import Path

from archdsl.text import files
from archdsl.text.failure import Failure, cannot

STDIN = "<stdin>"
"""What the text from stdin is called."""


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file as a whole, so that no reader ever sees half of it. Text is written as UTF-8.

    Errors: Failure
    """
    try:
        files.write_atomically(path, content)
    except OSError as error:
        raise Failure(cannot("write", path.resolve(), error)) from None
