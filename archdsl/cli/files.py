"""Files that commands write."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from archdsl.cli.failure import Failure


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file as a whole, so that no reader ever sees half of it. Text is written as UTF-8.

    Errors: Failure
    """
    path = path.resolve()
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a device or a pipe is written to, not replaced
            return
        with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            try:
                file.write(data)
                file.flush()
                temporary.chmod(_mode(path))
                temporary.replace(path)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise Failure(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from None


def _mode(path: Path) -> int:
    """Give the permissions that a plain `open` would leave."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
