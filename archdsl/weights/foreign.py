"""Files that are no weights, told for what they are by their first bytes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from archdsl.weights.error import WeightsError

_ANEW = "fetch or save it anew"
_NAMES = "save the weights under their names: `torch.save(model.state_dict(), path)`, or as safetensors"
_CONVERT = "load it with its own library, and save the weights under their names as safetensors"
_OLD = "load it with its own PyTorch, and save it anew"
_ZIP = b"PK\x03\x04"
_MOST_SHOWN = 40

# The beginning of a file, what it then is, and what to do.
_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), kind, help)
    for pattern, kind, help in (
        (rb"\Z", "empty", _ANEW),
        (rb"<\?xml[^>]*>\s*<net\b", "the graph of an OpenVINO model", _CONVERT),
        (
            rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|\?xml|!--)",
            "a web page in place of the file",
            "fetch the file itself, not the page that shows it",
        ),
        (rb"version https://git-lfs", "a pointer of Git LFS in place of the file", "fetch the file: `git lfs pull`"),
        (rb"\0{64}", "nothing but zeros, as a download that was broken off leaves it", _ANEW),
        (rb"\x08\x01\x12", "the graph of a TensorFlow SavedModel", _CONVERT),
        (rb"\x08[\x02-\x1f]\x12[\x80-\xff]*[\x00-\x7f]\x0a", "a Core ML model", _CONVERT),
        (rb"\x08[\x02-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]", "an ONNX model", _CONVERT),
        (rb"\x89HDF\r\n", "an HDF5 file, as Keras writes them", _CONVERT),
        (rb"....TFL3", "a TensorFlow Lite model", _CONVERT),
        (rb"....ET\d\d", "an ExecuTorch program", _CONVERT),
        (rb"GGUF|GGML|lmgg|fmgg|tjgg", "a GGUF file, or one of the formats before it", _CONVERT),
        (rb"\x93NUMPY", "a single NumPy array", _NAMES),
        (rb"MATLAB 5\.0", "a file of MATLAB", _CONVERT),
        (rb"\0{4}[\x01\x02]\0{3}[\0-\x05]\0{3}", "a file of Darknet, which has no names", _CONVERT),
        (rb"([\x81-\x8f]|\xde..|\xdf....)([\xa1-\xbf]|\xd9.)\w", "a msgpack file, as Flax writes them", _CONVERT),
        (rb"(sys_info|pickle|storages|tensors)\0.{240,}ustar", "a tar archive, as PyTorch wrote before 0.1.10", _OLD),
        (
            rb"\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!|.{257}ustar",
            "an archive, or compressed",
            "unpack it first",
        ),
        (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|%PDF", "a picture or a document", "name the weights"),
        (rb"model_checkpoint_path:", "the list of a TensorFlow checkpoint's files", _CONVERT),
        (rb"\s*[\[{]", "JSON, and no index of weights, `*.index.json`", "name the weights that it goes with"),
        (
            # What begins with torch's own number is a file of torch.
            rb"\x80[\x02-\x05](?!(\x95.{8})?\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19)",
            "a pickle that `torch.save` did not write, as those of Paddle and scikit-learn",
            _CONVERT,
        ),
    )
)
# A name that the files of some library bear, what it then is, and what to do.
_FILES: Mapping[str, tuple[str, str]] = {
    r"\.data-\d{5}-of-\d{5}$|\.ckpt(-\d+)?\.(index|meta)$": ("a part of a TensorFlow checkpoint", _CONVERT),
    r"\.caffemodel$": ("a Caffe model", _CONVERT),
    r"\.pb$": ("a TensorFlow graph", _CONVERT),
}
# A file that a folder of some kind has, what the folder then is, and what to do.
_FOLDERS: Mapping[str, tuple[str, str]] = {
    "saved_model.pb": ("a TensorFlow SavedModel", _CONVERT),
    ".metadata": (
        "a distributed checkpoint of PyTorch",
        "make one file of it: `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER FILE`",
    ),
    "_CHECKPOINT_METADATA": ("a checkpoint of Orbax", _CONVERT),
    "Manifest.json": ("a Core ML package", _CONVERT),
}
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
        return
    for pattern, (kind, help) in _FILES.items():
        if re.search(pattern, path.name):
            raise WeightsError(f"`{path}` is {kind}", help)


def refuse_unknown(path: Path, start: bytes) -> None:
    """Raise WeightsError where a file begins as none that is known does, with how it begins."""
    if start.startswith((_ZIP, b"\x80")):
        return
    line = start.splitlines()[0][:_MOST_SHOWN] if start.strip() else b""
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if len(text) > 2 and text.isprintable():
        raise WeightsError(f"`{path}` is a text that begins with `{text}`", "fetch the file itself")
    raise WeightsError(f"`{path}` is no file of weights that is known: it begins with {start[:8].hex(' ')}", _CONVERT)


def refuse_folder(folder: Path, names: Collection[str]) -> None:
    """Raise WeightsError where the files of a folder say that it is a checkpoint of another kind."""
    for name, (kind, help) in _FOLDERS.items():
        if name in names:
            raise WeightsError(f"`{folder}` is {kind}", help)


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
