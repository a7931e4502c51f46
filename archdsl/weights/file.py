"""Files of weights: what they hold, read without running code from them, and without torch where it is not needed."""

from __future__ import annotations

from pathlib import Path

from archdsl.text.failure import cannot, require
from archdsl.text.files import open_plain
from archdsl.weights.error import WeightsError
from archdsl.weights.foreign import refuse_foreign, refuse_unknown
from archdsl.weights.safetensor import Safetensors, read_header
from archdsl.weights.shards import INDEX, find_index, open_shards
from archdsl.weights.stored import WeightsFile

_START = 512
# Where a safetensors file's JSON begins, behind the header's length.
_HEADER = 8


def open_weights(path: Path) -> WeightsFile:
    """Read what a file of weights holds: safetensors, or anything of tensors that `torch.save` wrote.

    Several such files are one by their index, `*.index.json`, or by the folder that holds it.
    Errors: WeightsError where there is no such file, or it is damaged or holds something else
    """
    try:
        path = find_index(path) if path.is_dir() else path
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    return open_shards(path, _open_one) if path.name.endswith(INDEX) else _open_one(path)


def _open_one(path: Path) -> WeightsFile:
    try:
        with open_plain(path) as file:
            start = file.read(_START)
    except OSError as error:
        raise WeightsError(cannot("read", path, error)) from None
    if start[_HEADER : _HEADER + 1] == b"{":
        return Safetensors(str(path), path, read_header(path))
    refuse_foreign(path, start)
    if path.suffix == ".safetensors" and len(start) <= _HEADER:
        return Safetensors(str(path), path, read_header(path))
    refuse_unknown(path, start)
    require("torch", extra="torch")
    from archdsl.weights.checkpoint import open_checkpoint

    return open_checkpoint(path)
