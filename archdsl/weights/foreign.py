"""Files that are no weights, told for what they are by their first bytes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from archdsl.weights.error import WeightsError

_ANEW = "fetch or save it anew"
_NAMES = "save the weights under their names: `torch.save(model.state_dict(), path)`, or as safetensors"
_CONVERT = "load it with its own library, and save the weights under their names as safetensors"
_ZIP = b"PK\x03\x04"

# The beginning of a file, what it then is, and what to do.
_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), kind, help)
    for pattern, kind, help in (
        (rb"\Z", "empty", _ANEW),
        (
            rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|\?xml|!--)",
            "a web page in place of the file",
            "fetch the file itself, not the page that shows it",
        ),
        (rb"version https://git-lfs", "a pointer of Git LFS in place of the file", "fetch the file: `git lfs pull`"),
        (rb"\x08[\x01-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]", "an ONNX model", _CONVERT),
        (rb"\x89HDF\r\n", "an HDF5 file, as Keras writes them", _CONVERT),
        (rb"....TFL3", "a TensorFlow Lite model", _CONVERT),
        (rb"GGUF", "a GGUF file", _CONVERT),
        (rb"\x93NUMPY", "a single NumPy array", _NAMES),
        (rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf", "compressed", "unpack it first"),
        (rb"\s*[\[{]", "JSON, and no index of weights, `*.index.json`", "name the weights that it goes with"),
    )
)
# A member that a ZIP archive of some kind has, what it then is, and what to do.
_ARCHIVES: Mapping[str, tuple[str, str]] = {
    r"(^|/)(constants\.pkl|code/.*\.py)$": (
        "a TorchScript archive, of code and weights",
        "if you trust it: `torch.save(torch.jit.load(path).state_dict(), other)`",
    ),
    r"(^|/)(archive_format|serialized_exported_program\.json|models/[^/]*\.json)$": (
        "a program of torch.export",
        "if you trust it: `torch.save(torch.export.load(path).state_dict, other)`",
    ),
    r"\.weights\.h5$": ("a Keras model", _CONVERT),
    r"\.npy$": ("an archive of NumPy arrays", _NAMES),
}


def refuse_foreign(path: Path, start: bytes) -> None:
    """Raise WeightsError where a file's first bytes say that it is no weights, or that its end is missing."""
    for pattern, kind, help in _KINDS:
        if pattern.match(start):
            raise WeightsError(f"`{path}` is {kind}", help)
    if start.startswith(_ZIP):
        _refuse_archive(path)


def _refuse_archive(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        raise WeightsError(f"`{path}` is cut short: the end of its ZIP archive is missing", _ANEW)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # what reads it says so
    for pattern, (kind, help) in _ARCHIVES.items():
        if any(re.search(pattern, name) for name in names):
            raise WeightsError(f"`{path}` is {kind}", help)
    if not any(name.endswith("data.pkl") for name in names):
        raise WeightsError(f"`{path}` is a ZIP archive that `torch.save` did not write", "unpack it first")
