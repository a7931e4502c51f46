"""Safetensors files: their headers, read without any library, and their tensors."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from archdsl.text.failure import cannot, require
from archdsl.text.files import open_plain
from archdsl.weights.error import WeightsError
from archdsl.weights.stored import Stored

if TYPE_CHECKING:
    import torch

_MAX_HEADER = 10_000_000
"""Bytes, enough for the names and places of some 100,000 tensors."""
_LENGTH = 8
_ANEW = "fetch or save it anew"
# Names and sizes in bytes, of the safetensors format's types.
_TYPES: Mapping[str, tuple[str, int]] = {
    "BOOL": ("bool", 1), "U8": ("uint8", 1), "I8": ("int8", 1), "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1), "U16": ("uint16", 2), "I16": ("int16", 2), "F16": ("float16", 2),
    "BF16": ("bfloat16", 2), "U32": ("uint32", 4), "I32": ("int32", 4), "F32": ("float32", 4), "U64": ("uint64", 8),
    "I64": ("int64", 8), "F64": ("float64", 8), "C64": ("complex64", 8),
}  # fmt: skip


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

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        require("torch", "safetensors", extra="torch")
        from safetensors import SafetensorError, safe_open

        try:
            with cast("_Open", safe_open(self.path, framework="pt")) as file:
                yield from ((key, file.get_tensor(self.stored[key].twin or key)) for key in keys)
        except SafetensorError as error:
            raise WeightsError(f"`{self.path}` is damaged: {error}") from None


def read_header(path: Path) -> dict[str, Stored]:
    """Read which tensors a safetensors file holds, from its first bytes.

    Errors: WeightsError where it is damaged
    Source: the format's own page, https://github.com/huggingface/safetensors#format
    """
    try:
        with open_plain(path) as file:
            start = file.read(_LENGTH)
            length = struct.unpack("<Q", start)[0] if len(start) == _LENGTH else 0
            size = path.stat().st_size - _LENGTH - length
            if _MAX_HEADER < length <= size + length:
                message = f"`{path}` has a header of {length:,} bytes, where {_MAX_HEADER:,} are read at most"
                raise WeightsError(message, "save it in parts")
            if not 0 < length <= _MAX_HEADER:
                raise WeightsError(f"`{path}` is no safetensors file, or it is cut short", _ANEW)
            if size < 0:
                raise cut_short(path, -size)
            content = file.read(length)
        header: object = json.loads(content)
        found, end = _tensors(header)
        if end > size:
            raise cut_short(path, end - size)
        return found | _aliases(header, found)
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise WeightsError(f"`{path}` is damaged: its header does not fit the file", str(error)) from None


def cut_short(path: Path, missing: int) -> WeightsError:
    """Say that a file ends before it should."""
    return WeightsError(f"`{path}` is cut short: {missing:,} bytes are missing", _ANEW)


def _tensors(header: object) -> tuple[dict[str, Stored], int]:
    """Return a header's tensors and where the last of their bytes ends. Raises ValueError, KeyError or TypeError."""
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    found: dict[str, Stored] = {}
    last = 0
    for key, entry in cast("dict[str, dict[str, list[object]]]", header).items():
        if key == "__metadata__":
            continue
        start, end = map(_size, entry["data_offsets"])
        shape = tuple(map(_size, entry["shape"]))
        dtype, width = _TYPES[cast("str", entry["dtype"])]
        if end - start != prod(shape) * width:
            raise ValueError(f"`{key}` has {end - start:,} bytes, and its shape needs {prod(shape) * width:,}")
        found[key], last = Stored(shape, dtype), max(last, end)
    return found, last


def _aliases(header: object, found: Mapping[str, Stored]) -> dict[str, Stored]:
    """Return what `safetensors.torch.save_model` leaves out, since it is the same tensor as another, with the other."""
    metadata = cast("dict[str, object]", header).get("__metadata__")
    names = cast("dict[str, object]", metadata).items() if isinstance(metadata, dict) else ()
    aliases = {key: name for key, name in names if key not in found and isinstance(name, str) and name in found}
    kept = {name: name for name in aliases.values()}
    return {key: replace(found[name], twin=name) for key, name in (*aliases.items(), *kept.items())}


def _size(number: object) -> int:
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"{number!r} is no size")
    return number
