"""Files that commands read and write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archdsl.text import files

STDIN = "<stdin>"
"""What the text from stdin is called."""


def write_output(path: Path, content: str | bytes, format: str, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Write what a command was asked for, text as UTF-8, with archdsl's mark where the format has a place for one.

    Errors: Failure where it is an input, is not archdsl's to overwrite, or cannot be written
    """
    data = content.encode() if isinstance(content, str) else content
    files.write_output(path, data, format, inputs=inputs, overwrite=overwrite)


def rewrite(path: Path, text: str) -> None:
    """Put another text into a spec that was read, as a whole, so that no reader ever sees half of it.

    Errors: Failure
    """
    try:
        files.write_atomically(path, text)
    except OSError as error:
        raise files.cannot_write(path, error) from None
