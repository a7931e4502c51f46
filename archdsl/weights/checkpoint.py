"""Files that `torch.save` wrote, and state_dicts in memory."""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch

from archdsl.text.failure import cannot
from archdsl.weights.error import WeightsError
from archdsl.weights.transfer import Stored

# Where training scripts put the weights beside other things, the one that counts most first.
WRAPPERS = ("state_dict", "model", "model_state_dict", "model_state", "model_ema", "state_dict_ema")
_DEEPEST = 4
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
        return {key: _describe(value) for key, value in self.state.items()}

    def tensors(self, keys: Iterable[str]) -> Mapping[str, torch.Tensor]:
        return {key: value for key in keys if isinstance(value := self.state[key], torch.Tensor)}


def _describe(value: object) -> Stored:
    # Only a dense tensor has its elements in the order of its axes.
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_quantized:
        return Stored(None, type(value).__name__)
    return Stored(tuple(value.shape), str(value.dtype).removeprefix("torch."))


def open_checkpoint(path: Path) -> Checkpoint:
    """Read what `torch.save` wrote, tensors and plain values only.

    Errors: WeightsError
    """
    try:
        with warnings.catch_warnings():
            # Of pickles that torch did not write; they are told from others by what comes of them.
            warnings.simplefilter("ignore")
            content = _load(path)
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from None
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, zipfile.BadZipFile):
        # torch says of a file cut short that it failed to find a central directory, or ran out of input.
        raise WeightsError(f"`{path}` is damaged, cut short, or no file of PyTorch", "fetch or save it anew") from None
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    return unwrap(str(path), content)


def _load(path: Path) -> object:
    try:
        # What is mapped is read when it is needed, and a report needs none of it.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except RuntimeError:
        if not zipfile.is_zipfile(path):
            raise
        return torch.load(path, map_location="cpu", weights_only=True)


def _refused(path: Path, message: str) -> WeightsError:
    found = re.search(r"GLOBAL ([\w.]*\w)", message)
    if found is None:
        return WeightsError(f"`{path}` holds something else than tensors, or is damaged", _ALONE)
    return WeightsError(f"`{path}` holds objects that only their code can load, such as `{found[1]}`", _ALONE)


def unwrap(name: str, content: object) -> Checkpoint:
    """Find the weights in what a file held.

    Errors: WeightsError where it has no tensors under names
    """
    notes: list[str] = []
    found = content
    for _ in range(_DEEPEST):
        state = _mapping(found)
        there = [key for key in WRAPPERS if state is not None and isinstance(state.get(key), Mapping)]
        if state is None or not there:
            break
        others = ", ".join(f"`{key}`" for key in there[1:])
        notes.append(f"the weights are those under `{there[0]}`" + (f", not those under {others}" if others else ""))
        found = state[there[0]]
    state = _mapping(found)
    if state is not None and any(isinstance(value, torch.Tensor) for value in state.values()):
        return Checkpoint(name, {str(key): value for key, value in state.items()}, tuple(notes))
    raise WeightsError(f"`{name}` holds {_kind(found)}, and no tensors under names", _ALONE)


def _mapping(value: object) -> Mapping[object, object] | None:
    return cast("Mapping[object, object]", value) if isinstance(value, Mapping) else None


def _kind(value: object) -> str:
    state = _mapping(value)
    if state is None:
        name = type(value).__name__
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
    keys = [f"`{key}`" for key in list(state)[:4]]
    return f"a dict of {', '.join(keys)}" if keys else "an empty dict"
