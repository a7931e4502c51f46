"""Files that are written whole or not at all, and never over what is not archdsl's to overwrite."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from errno import EINVAL, ELOOP, EPERM
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import monotonic, sleep
from typing import BinaryIO

from archdsl.text.failure import Failure, cannot
from archdsl.text.marks import has_mark, is_own, marked

_LARGEST = 100_000_000
"""A file that is longer, in bytes, is none that archdsl wrote."""
TEMPORARY = ".archdsl-*"
"""What files are called that are not whole yet."""
_SECONDS = 2.0
"""How long the reader of a named pipe may take to come."""
_PAUSE = 0.02


def write_output(
    path: Path, content: bytes, format: str = "", *, inputs: Iterable[Path] = (), overwrite: bool = False
) -> None:
    """Write a file that was asked for, with archdsl's mark where the format has a place for one.

    A link is followed, and what it leads to is written; so is a device or a pipe.
    Errors: Failure, E330 where it is one of the inputs; E331 where `overwrite` is not given and it is there already and
    neither empty nor as archdsl wrote it; E332 where it cannot be written
    """
    whole = marked(content, format)
    try:
        refuse_inputs(path, inputs)
        if not overwrite and path.is_file():
            _refuse_foreign(path, (content, whole))
        write_atomically(path, whole)
    except OSError as error:
        raise cannot_write(path, error) from None
    except ValueError:
        raise Failure(f"cannot write `{path}`: no file can be called that", code="E332") from None


def refuse_inputs(path: Path, inputs: Iterable[Path]) -> None:
    """Check that a file is none of those that were read, by whatever name or link.

    Errors: Failure with E330; OSError
    """
    if not path.is_file():
        return
    for given in inputs:
        with suppress(OSError):  # it is not there any more
            if path.samefile(given):
                raise Failure(f"`{path}` would be overwritten, and was read for this", "name another file", "E330")


def cannot_write(path: Path, error: OSError) -> Failure:
    """Return what to say where a file cannot be written."""
    return Failure(cannot("write", path, error), code="E332")


def _refuse_foreign(path: Path, own: tuple[bytes, ...]) -> None:
    size = path.stat().st_size
    try:
        content = path.read_bytes() if size <= _LARGEST else b"\0"
    except PermissionError:
        content = b"\0"
    if not content or content in own or is_own(content):
        return
    fact = "was edited since archdsl wrote it" if has_mark(content) else "is there already, and not archdsl's"
    raise Failure(f"`{path}` {fact}", "name another file, or say --overwrite", "E331")


def write_atomically(path: Path, content: str | bytes, *, is_durable: bool = False) -> None:
    """Replace a file as a whole: readers, and a machine that loses power, see the old content or the new.

    Text is written as UTF-8. The file a link leads to is replaced, not the link; a device or a pipe is written to, but
    no disk. With `is_durable` a loss of power after the call does not bring the old content back.
    Raises OSError, which names the file.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():
            _write_into(path, data)
        else:
            end = _followed(path)
            _replace(end, data)
            if is_durable:
                _sync_folder(end.parent)
    except OSError as error:
        # On a full disk the system names no file, and else perhaps the temporary one.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None


def _followed(path: Path) -> Path:
    """Return the file that a path leads to through links. Raises OSError where they lead in a circle."""
    end = Path(os.path.realpath(path))
    if end.is_symlink():
        raise OSError(ELOOP, os.strerror(ELOOP))
    return end


def _replace(path: Path, data: bytes) -> None:
    with NamedTemporaryFile("wb", dir=path.parent, prefix=TEMPORARY[:-1], delete=False) as file:
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


def _sync_folder(path: Path) -> None:
    """Let a folder's entries reach the disk, where the system lets a folder be opened."""
    with suppress(OSError):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _write_into(path: Path, data: bytes) -> None:
    """Write to a device or a pipe."""
    if path.is_block_device():
        raise OSError(EPERM, "it is a disk, which would be overwritten")
    file = _open_pipe(path) if path.is_fifo() else os.open(path, os.O_WRONLY)
    with os.fdopen(file, "wb") as stream:
        stream.write(data)


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading. Raises OSError, also for a pipe or a device, which may be endless or never begin."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(EINVAL, "it is a pipe or a device, and no file", str(path))
    return path.open("rb")


def _open_pipe(path: Path) -> int:
    """Open a pipe whose reader is there or comes soon; one without would hold the program for ever."""
    until = monotonic() + _SECONDS
    while True:
        try:
            file = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if monotonic() > until:
                raise OSError(error.errno, "nobody reads this pipe") from None
            sleep(_PAUSE)
        else:
            os.set_blocking(file, True)
            return file


def _mode(path: Path) -> int:
    """Return the permissions that a plain `open` would leave."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
