"""How long a test waits for what must not take long."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

PATIENCE = 15
"""Seconds of processor time: what grows with the square of its text takes minutes, and a test's machine may be slow."""


@contextmanager
def in_time(seconds: float = PATIENCE) -> Iterator[None]:
    """Fail if what is inside takes longer, whatever the tests before it left for the collector to look through."""
    gc.freeze()
    start = process_time()
    try:
        yield
        assert process_time() - start < seconds
    finally:
        gc.unfreeze()
