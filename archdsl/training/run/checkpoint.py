"""Checkpoints: all that a run needs to go on, whole or not at all, and checked before they are used."""

# torch leaves some of its members partly untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import torch

from archdsl.text.files import cannot_write, write_atomically
from archdsl.training.error import TrainingError

FOLDER = "checkpoints"
KEPT = 2
"""How many are kept: the newest may be damaged."""
_MAGIC = b"archdsl-checkpoint-1\n"
_DIGEST = 32


def save_checkpoint(folder: Path, step: int, state: Mapping[str, object]) -> Path:
    """Write a checkpoint, and remove all but the last ones.

    Errors: TrainingError with E332 where it cannot be written, after which the earlier ones are as they were
    """
    content = BytesIO()
    torch.save(dict(state), content)
    payload = content.getvalue()
    path = folder / FOLDER / f"step-{step:010d}.ckpt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _MAGIC + sha256(payload).digest() + payload, is_durable=True)
    except OSError as error:
        failure = cannot_write(path, error)
        help = "make room, and go on with `archdsl train --resume`"
        raise TrainingError(failure.message, help, failure.code) from None
    for old in sorted(_all(folder))[:-KEPT]:
        with suppress(OSError):
            old.unlink()
    return path


def load_checkpoint(folder: Path) -> tuple[Path, dict[str, Any], tuple[str, ...]] | None:
    """Return the newest sound checkpoint with its state, and the names of newer ones that are damaged.

    Nothing in a file is run. None where there is no checkpoint at all.
    Errors: TrainingError with E370 where all are damaged
    """
    damaged: list[str] = []
    for path in sorted(_all(folder), reverse=True):
        state = _read(path)
        if state is not None:
            return path, state, tuple(damaged)
        damaged.append(path.name)
    if damaged:
        message = f"all checkpoints in {folder} are damaged: {', '.join(damaged)}"
        raise TrainingError(message, f"start from the weights: `archdsl train SPEC --weights {folder}`", "E370")
    return None


def has_checkpoint(folder: Path) -> bool:
    """Return whether a folder holds a checkpoint, sound or not."""
    return any(True for _ in _all(folder))


def _all(folder: Path) -> Iterator[Path]:
    return (folder / FOLDER).glob("step-*.ckpt")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    head, payload = content[: len(_MAGIC) + _DIGEST], content[len(_MAGIC) + _DIGEST :]
    if head != _MAGIC + sha256(payload).digest():
        return None
    try:
        return cast("dict[str, Any]", torch.load(BytesIO(payload), map_location="cpu", weights_only=True))
    except Exception:  # noqa: BLE001 -- whatever torch finds wrong with it, it is of no use
        return None
