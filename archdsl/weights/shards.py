"""Weights in several files, which an index or a folder holds together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, cast

from archdsl.text.failure import cannot
from archdsl.text.files import open_plain
from archdsl.weights.error import WeightsError
from archdsl.weights.foreign import refuse_folder
from archdsl.weights.stored import Stored, WeightsFile

if TYPE_CHECKING:
    import torch

INDEX = ".index.json"
_MAX_INDEX = 100_000_000


def find_index(folder: Path) -> Path:
    """Return the index of a folder, or the one safetensors file that it holds. Raises OSError.

    Errors: WeightsError where there are several, or none
    """
    names = sorted(path.name for path in folder.iterdir())
    for suffix in (INDEX, ".safetensors"):
        found = [name for name in names if name.endswith(suffix)]
        if len(found) > 1:
            listed = ", ".join(f"`{name}`" for name in found[:4]) + (", …" if len(found) > 4 else "")
            raise WeightsError(f"`{folder}` has several files of weights: {listed}", "name the one meant")
        if found:
            return folder / found[0]
    refuse_folder(folder, names)
    raise WeightsError(f"`{folder}` is a directory without `*{INDEX}` or `*.safetensors`", "name a file of weights")


@dataclass(frozen=True, slots=True)
class Shards:
    """Files of weights that an index names; `places` maps each key to the one that has it."""

    name: str
    files: Mapping[str, WeightsFile]
    places: Mapping[str, str]
    stored: Mapping[str, Stored]
    notes: tuple[str, ...] = ()
    is_in_order: bool = False

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        by_file: dict[str, list[str]] = {}
        for key in keys:
            by_file.setdefault(self.places[key], []).append(key)
        for name, inside in by_file.items():
            yield from self.files[name].read(inside)


def open_shards(path: Path, open_one: Callable[[Path], WeightsFile]) -> WeightsFile:
    """Read an index of weights, and what the files beside it hold. Files in other folders are not read.

    `open_one` opens one of them.
    Errors: WeightsError where the index, or a file of its, is damaged or missing
    """
    places = _read_index(path)
    files = {name: open_one(path.parent / name) for name in dict.fromkeys(places.values())}
    stored: dict[str, Stored] = {}
    for key, name in places.items():
        if key not in files[name].stored:
            raise WeightsError(f"`{path}` names `{key}` in `{name}`, which lacks it", "fetch or save all of them anew")
        stored[key] = files[name].stored[key]
    for name, file in files.items():
        # Of tied tensors the index may list one.
        tied = [key for key, kept in file.stored.items() if key not in stored and kept.twin is not None]
        stored |= {key: file.stored[key] for key in tied}
        places |= dict.fromkeys(tied, name)
    left = sum(key not in stored for file in files.values() for key in file.stored)
    notes = [note for file in files.values() for note in file.notes]
    notes += [f"{left:,} tensors of these files are not in the index"] if left else []
    return Shards(str(path), files, places, stored, tuple(notes))


def _read_index(path: Path) -> dict[str, str]:
    try:
        with open_plain(path) as file:
            content = file.read(_MAX_INDEX + 1)
        if len(content) > _MAX_INDEX:
            raise WeightsError(f"`{path}` has more than {_MAX_INDEX:,} bytes, too many for an index", "fetch it anew")
        index: object = json.loads(content)
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    except (ValueError, RecursionError):
        raise WeightsError(f"`{path}` is damaged: it is no JSON", "fetch or save it anew") from None
    found = cast("dict[str, object]", index).get("weight_map") if isinstance(index, dict) else None
    if not isinstance(found, dict) or not found:
        raise WeightsError(f"`{path}` is no index of weights: it has no `weight_map`", "name the weights themselves")
    places: dict[str, str] = {}
    for key, name in cast("dict[str, object]", found).items():
        if not isinstance(name, str) or not _is_beside(name):
            message = f"`{path}` names {json.dumps(name)[:80]}, and only files beside it are read"
            raise WeightsError(message, "put them into one folder, and name them without it")
        places[key] = name
    return places


def _is_beside(name: str) -> bool:
    """Return whether a name is that of a file in the same folder on every system, and of no further index.

    What a link of that name leads to is the reader's own doing: caches of models consist of links.
    """
    is_plain = all(kind(name).name == name and not kind(name).drive for kind in (PurePosixPath, PureWindowsPath))
    return is_plain and name not in ("", ".", "..") and "\0" not in name and not name.endswith(INDEX)
