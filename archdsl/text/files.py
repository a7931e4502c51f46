"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file as a whole: readers, and a machine that loses power, see the old content or the new.

    Text is written as UTF-8. The file a link leads to is replaced, not the link; a device or a pipe is written to.
    Raises OSError.
    """
    path = path.resolve()
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(_mode(path))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def create(path: Path, content: str) -> None:
    """Write a file that does not exist yet; nothing is left of it where writing fails. Text is written as UTF-8.

    Whoever else creates it meanwhile keeps theirs, which a replaced file cannot promise. Raises OSError,
    FileExistsError among them.
    """
    with path.open("xb") as file:
        try:
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _mode(path: Path) -> int:
    """Return the permissions that a plain `open` would leave."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
