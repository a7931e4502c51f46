"""Files that `torch.save` wrote, and state_dicts in memory."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch.serialization import safe_globals

from archdsl.text.failure import cannot
from archdsl.weights.error import WeightsError
from archdsl.weights.stored import Stored
from archdsl.weights.stranger import Stranger, stand_in_for

# Where training scripts put the weights beside other things, the one that counts most first.
WRAPPERS = (
    "state_dict", "model", "model_state_dict", "model_state", "module", "net", "params", "weights",
    "model_ema", "state_dict_ema", "ema_state_dict", "params_ema", "ema",
)  # fmt: skip
_DEEPEST = 4
# Bytes of a pickle: for what stands beside the tensors, and for the name, shape and place of each.
_PICKLED, _PICKLED_PER_TENSOR = 4_000_000, 4_000
_MOST_LISTED = 4
# How many classes and functions beside the tensors are stood in for; each is met in a reading of its own.
_MOST_STRANGERS = 64
_UNKNOWN = re.compile(r"GLOBAL (\S+) was not an allowed global")
_ONE_OF_THEM = "give the one meant: `torch.load(path, weights_only=True)[name]`, or save it alone"
_ALONE = "save the weights alone: `torch.save(model.state_dict(), path)`, or as safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state_dict: names and, where all is well, tensors."""

    name: str
    state: Mapping[str, object]
    notes: tuple[str, ...] = ()
    is_in_order: bool = True

    @property
    def stored(self) -> Mapping[str, Stored]:
        first: dict[object, str] = {}
        found: dict[str, Stored] = {}
        for key, value in self.state.items():
            place = _place(value)
            twin = None if place is None else first.setdefault(place, key)
            if twin is not None and twin != key:
                found[twin] = replace(found[twin], twin=twin)
            found[key] = replace(_describe(value), twin=twin if twin != key else None)
        return found

    def read(self, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        yield from ((key, value) for key in keys if isinstance(value := self.state[key], torch.Tensor))


def _describe(value: object) -> Stored:
    if not isinstance(value, torch.Tensor):
        return Stored(None, type(value).__name__)
    # Only a dense tensor has its elements in the order of its axes.
    if value.layout != torch.strided or value.is_quantized or value.is_nested:
        return Stored(None, "quantised values" if value.is_quantized else "sparse values")
    return Stored(tuple(value.shape), str(value.dtype).removeprefix("torch."))


def _place(value: object) -> object:
    """Return where a tensor lies in memory, by which it is told from others; None where it lies nowhere."""
    if _describe(value).shape is None or not isinstance(value, torch.Tensor) or value.is_meta or not value.numel():
        return None
    return value.data_ptr(), value.dtype, value.shape, value.stride()


def open_checkpoint(path: Path) -> Checkpoint:
    """Read what `torch.save` wrote, tensors and plain values only.

    Errors: WeightsError
    """
    strangers: list[str] = []
    try:
        content = _load(path, strangers)
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from None
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, zipfile.BadZipFile):
        # torch says of a file cut short that it failed to find a central directory, or ran out of input.
        raise WeightsError(f"`{path}` is damaged or cut short", "fetch or save it anew") from None
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    return _with_strangers(str(path), content, strangers)


def _with_strangers(name: str, content: object, strangers: Sequence[str]) -> Checkpoint:
    """Find the weights in what a file held, and say of what else there were objects."""
    if not strangers:
        return unwrap(name, content)
    try:
        found = unwrap(name, content)
    except WeightsError as error:
        message = f"{error.message}, but objects that only their code can load, such as `{strangers[0]}`"
        raise WeightsError(message, _ALONE) from None
    note = f"beside tensors there are objects that are passed over, and their code is not run: {_listed(strangers)}"
    return replace(found, notes=(*found.notes, note))


def _check_size(path: Path) -> None:
    """Refuse an archive whose parts, once unpacked, are more than its tensors can need."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    pickled = sum(part.file_size for part in parts if part.filename.endswith(".pkl"))
    allowed = _PICKLED + _PICKLED_PER_TENSOR * len(parts)
    if pickled > allowed:
        message = f"`{path}` has {pickled:,} bytes of descriptions, where its {len(parts):,} parts may need {allowed:,}"
        raise WeightsError(message, _ALONE)
    if any(part.file_size > part.compress_size for part in parts):
        raise WeightsError(f"`{path}` is compressed, as torch leaves no file", "save it by `torch.save`")


def _load(path: Path, strangers: list[str]) -> object:
    """Read a file by torch's own restricted reader; `strangers` gets what was met that it does not know."""
    _check_size(path)
    standing_in: list[Any] = []
    while True:
        try:
            with warnings.catch_warnings(), safe_globals(standing_in):
                # Of pickles that torch did not write; they are told from others by what comes of them.
                warnings.simplefilter("ignore")
                return _load_known(path)
        except pickle.UnpicklingError as error:
            unknown = _UNKNOWN.search(str(error))
            if unknown is None or len(strangers) == _MOST_STRANGERS:
                raise
            # The message names what Python has itself without its module.
            met = unknown[1] if "." in unknown[1] else f"builtins.{unknown[1]}"
            if met in strangers:
                raise
            strangers.append(met)
            standing_in.append(stand_in_for(met))


def _load_known(path: Path) -> object:
    try:
        # What is mapped is read when it is needed, and a report needs none of it.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except RuntimeError:
        if not zipfile.is_zipfile(path):
            raise
        return torch.load(path, map_location="cpu", weights_only=True)


def _refused(path: Path, message: str) -> WeightsError:
    if "persistent_load" in message:
        # The older format names a module's class where it has the place of numbers otherwise.
        return WeightsError(f"`{path}` holds modules, which only their code can load", _ALONE)
    found = re.search(r"GLOBAL ([\w.]*\w)", message)
    if found is None:
        return WeightsError(f"`{path}` holds something else than tensors, or is damaged", _ALONE)
    return WeightsError(f"`{path}` holds objects that only their code can load, such as `{found[1]}`", _ALONE)


def unwrap(name: str, content: object) -> Checkpoint:
    """Find the weights in what a file held.

    Errors: WeightsError where it has no tensors under names, or several that may be meant
    """
    path: list[str] = []
    passed: list[str] = []
    state = _mapping(content)
    for _ in range(_DEEPEST):
        inside = _inside(state) if state is not None else {}
        known = [key for key in WRAPPERS if key in inside]
        if state is None or not inside or (_has_weights(state) and not known):
            break
        if not known and len(inside) > 1:
            raise WeightsError(f"`{name}` holds several things: {_listed(inside)}", _ONE_OF_THEM)
        chosen, *others = known or inside
        path.append(chosen)
        passed += others
        state = inside[chosen]
    beside = f", not those under {_listed(passed)}" if passed else ""
    notes = (f"the weights are those under `{'.'.join(path)}`{beside}",) if path else ()
    if state is not None and any(isinstance(value, torch.Tensor) for value in state.values()):
        return Checkpoint(name, {str(key): value for key, value in state.items()}, notes)
    raise WeightsError(
        f"`{name}` holds {_kind(content if state is None else state)}, and no tensors under names", _ALONE
    )


def _inside(state: Mapping[object, object]) -> dict[str, Mapping[object, object]]:
    """Return the mappings in one, by name, below which there are tensors."""
    found = {key: inner for key, value in state.items() if isinstance(key, str) and (inner := _mapping(value))}
    return {key: inner for key, inner in found.items() if _holds_tensors(inner)}


def _holds_tensors(state: Mapping[object, object]) -> bool:
    """Return whether a mapping has tensors under names, or in mappings of its own."""
    level, seen = [state], {id(state)}
    for _ in range(_DEEPEST):
        # An optimizer numbers the parameters for which it keeps tensors.
        values = [value for mapping in level for key, value in mapping.items() if isinstance(key, str)]
        if any(isinstance(value, torch.Tensor) for value in values):
            return True
        # What a file has in many places is looked at once.
        below = {id(inner): inner for value in values if (inner := _mapping(value))}
        level = [inner for place, inner in below.items() if place not in seen]
        seen |= below.keys()
    return False


def _has_weights(state: Mapping[object, object]) -> bool:
    """Return whether a mapping's own tensors are weights, and not figures beside them: a key of one has a dot."""
    tensors = [key for key, value in state.items() if isinstance(value, torch.Tensor)]
    return any("." in str(key) for key in tensors) or 2 * len(tensors) > len(state)


def _listed(names: Iterable[str]) -> str:
    listed = [f"`{name}`" for name in names]
    return ", ".join(listed[:_MOST_LISTED]) + (", …" if len(listed) > _MOST_LISTED else "")


def _mapping(value: object) -> Mapping[object, object] | None:
    return cast("Mapping[object, object]", value) if isinstance(value, Mapping) else None


def _kind(value: object) -> str:
    state = _mapping(value)
    if isinstance(value, Stranger):
        return "an object"
    if state is None:
        name = type(value).__name__
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    keys = [f"`{key}`" for key in list(state)[:4]]
    return f"a dict of {', '.join(keys)}" if keys else "an empty dict"
