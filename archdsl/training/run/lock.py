"""One program at a time writes to a run."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from archdsl.training.error import TrainingError
from archdsl.training.run.checkpoint import FOLDER

_NAME = ".lock"


@contextmanager
def locked(run: Path, inside: str = FOLDER) -> Generator[None]:
    """Keep other programs from writing to a run; it ends with the program, however that ends.

    The lock is a file in one of its folders.

    Nothing is kept where the system has no such locks, as Windows has none.
    Errors: TrainingError with E370 where another program writes to it
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    folder = run / inside
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield  # what cannot be written is told where it is needed
        return
    try:
        # Unlike those of flock, such a lock does not pass on to workers, which may outlive the program for a moment.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        help = "let it come to its end, or stop it first"
        raise TrainingError(f"`{run}` is being written by another program", help, "E370") from None
    try:
        yield
    finally:
        os.close(file)
