"""Files of weights: what they hold, read without running code from them, and without torch where it is not needed."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from archdsl.text.failure import cannot, require
from archdsl.weights.error import WeightsError
from archdsl.weights.transfer import Stored

if TYPE_CHECKING:
    import torch

_MAX_HEADER = 100_000_000
_LENGTH = 8
# Names and sizes in bytes, of the safetensors format's types.
_TYPES: Mapping[str, tuple[str, int]] = {
    "BOOL": ("bool", 1), "U8": ("uint8", 1), "I8": ("int8", 1), "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1), "U16": ("uint16", 2), "I16": ("int16", 2), "F16": ("float16", 2),
    "BF16": ("bfloat16", 2), "U32": ("uint32", 4), "I32": ("int32", 4), "F32": ("float32", 4), "U64": ("uint64", 8),
    "I64": ("int64", 8), "F64": ("float64", 8), "C64": ("complex64", 8),
}  # fmt: skip


class WeightsFile(Protocol):
    """A file of weights, or what stands in for one."""

    @property
    def name(self) -> str: ...

    @property
    def stored(self) -> Mapping[str, Stored]:
        """Map keys, in the file's order, to what they hold."""
        ...

    @property
    def is_in_order(self) -> bool:
        """Whether that order is the one of the state_dict that was saved."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the file."""
        ...

    def tensors(self, keys: Iterable[str]) -> Mapping[str, torch.Tensor]:
        """Read some tensors."""
        ...


def open_weights(path: Path) -> WeightsFile:
    """Read what a file of weights holds: safetensors, or anything of tensors that `torch.save` wrote.

    Errors: WeightsError where there is no such file, or it is damaged or holds something else
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LENGTH + 1)
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    # A pickle begins with byte 128 or, inside a zip archive, with "PK"; JSON follows the length of a header.
    if path.suffix == ".safetensors" or start[_LENGTH:] == b"{":
        return Safetensors(str(path), path, read_header(path))
    require("torch", extra="torch")
    from archdsl.weights.checkpoint import open_checkpoint

    return open_checkpoint(path)


class _Open(Protocol):
    """The part of `safetensors.safe_open`, which has no types, that is used."""

    def __enter__(self) -> _Open: ...

    def __exit__(self, *error: object) -> None: ...

    def get_tensor(self, key: str) -> torch.Tensor: ...


@dataclass(frozen=True, slots=True)
class Safetensors:
    """A safetensors file; its header tells what it holds."""

    name: str
    path: Path
    stored: Mapping[str, Stored]
    notes: tuple[str, ...] = ()
    is_in_order: bool = False  # the format sorts tensors by type and name

    def tensors(self, keys: Iterable[str]) -> Mapping[str, torch.Tensor]:
        require("torch", "safetensors", extra="torch")
        from safetensors import SafetensorError, safe_open

        try:
            with cast("_Open", safe_open(self.path, framework="pt")) as file:
                return {key: file.get_tensor(key) for key in keys}
        except SafetensorError as error:
            raise WeightsError(f"`{self.path}` is damaged: {error}") from None


def read_header(path: Path) -> dict[str, Stored]:
    """Read which tensors a safetensors file holds, from its first bytes.

    Errors: WeightsError where it is damaged
    Source: the format's own page, https://github.com/huggingface/safetensors#format
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LENGTH)
            length = struct.unpack("<Q", start)[0] if len(start) == _LENGTH else 0
            size = path.stat().st_size - _LENGTH - length
            if not 0 < length <= _MAX_HEADER or size < 0:
                raise WeightsError(f"`{path}` is no safetensors file, or it is cut short", "fetch or save it anew")
            content = file.read(length)
        return _tensors(json.loads(content), size)
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise WeightsError(f"`{path}` is damaged: its header does not fit the file", str(error)) from None


def _tensors(header: object, size: int) -> dict[str, Stored]:
    """Check a header against the size of what follows it. Raises ValueError, KeyError or TypeError."""
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    found: dict[str, Stored] = {}
    for key, entry in cast("dict[str, dict[str, list[object]]]", header).items():
        if key == "__metadata__":
            continue
        start, end = map(_size, entry["data_offsets"])
        shape = tuple(map(_size, entry["shape"]))
        dtype, width = _TYPES[cast("str", entry["dtype"])]
        if end - start != prod(shape) * width or end > size:
            raise ValueError(f"the bytes of `{key}` end at {end:,}, and the file has {size:,}")
        found[key] = Stored(shape, dtype)
    return found


def _size(number: object) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"{number!r} is no size")
    return number
