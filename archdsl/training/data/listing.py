"""What a data set consists of: files below a folder, and the digest that tells one set from another."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from archdsl.text.failure import cannot
from archdsl.training.data.dataset import DataPart
from archdsl.training.error import TrainingError
from archdsl.training.images.decode import SUFFIXES, channels_of

DIGEST_LIMIT = 2**30
"""The most bytes that are read for a digest; of larger sets it has the sizes of files alone."""
_LOOKED_AT = 200
"""So many files tell whether most are grey."""
_SHOWN = 5


@dataclass(frozen=True)
class Listed:
    """An image of a data set: its name below the data's folder, its label, and the file that is its target."""

    name: str
    label: int | float | tuple[int, ...] = 0
    other: str = ""


@dataclass
class Scanned:
    """The images below a folder, by names relative to it, and what else lies there, counted by suffix."""

    names: list[str] = field(default_factory=lambda: list[str]())
    others: Counter[str] = field(default_factory=lambda: Counter[str]())


def scan(folder: Path) -> Scanned:
    """List the images below a folder, sorted, through links too; a folder is entered once, so circles end.

    A file is an image by its suffix. What is hidden, and what is no file, such as a pipe, is no image.
    Errors: TrainingError with E340
    """
    found = Scanned()
    waiting, entered = [""], set[tuple[int, int]]()
    while waiting:
        prefix = waiting.pop()
        place = folder / prefix
        try:
            status = place.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            raise TrainingError(cannot("read", place, error), code="E340") from None
        for entry in entries:
            name = f"{prefix}/{entry.name}" if prefix else entry.name
            if _is_folder(entry) and not entry.name.startswith("."):
                waiting.append(name)
            elif _is_image(entry):
                found.names.append(name)
            else:
                found.others[_kind(entry)] += 1
    found.names.sort()
    return found


def folders_in(folder: Path) -> list[str]:
    """List the folders in a folder, sorted, without hidden ones.

    Errors: TrainingError with E340
    """
    if not folder.exists():
        raise TrainingError(f"there is no folder `{folder}`", "name the folder that the images are in", "E340")
    if not folder.is_dir():
        raise TrainingError(f"`{folder}` is a file, and no folder", "name the folder that the images are in", "E340")
    try:
        return sorted(e.name for e in os.scandir(folder) if _is_folder(e) and not e.name.startswith("."))
    except OSError as error:
        raise TrainingError(cannot("read", folder, error), code="E340") from None


def images_in(folder: Path) -> list[str]:
    """List the images that lie in a folder itself, sorted."""
    return sorted(entry.name for entry in os.scandir(folder) if not _is_folder(entry) and _is_image(entry))


def left_aside(others: Counter[str]) -> list[str]:
    """Say what was left aside, if anything was."""
    count = others.total()
    if not count:
        return []
    shown = ", ".join(f"{number} {kind}" for kind, number in sorted(others.items())[:_SHOWN])
    more = ", …" if len(others) > _SHOWN else ""
    files = "file that is no image" if count == 1 else "files that are no images"
    return [f"{count} {files} by name, left aside: {shown}{more}"]


def digest_of(
    root: Path, parts: Mapping[DataPart, Sequence[Listed]], classes: Sequence[str]
) -> tuple[str, dict[str, str]]:
    """Return a digest of a set of files, whatever place it lies at, and what to show where it differs.

    The digest covers the parts, names, labels and byte sizes, and the contents where they are small enough.
    """
    names = {part: sorted((name, row) for row in rows for name in _files(row)) for part, rows in parts.items()}
    sizes = {name: _size(root / name) for found in names.values() for name, _ in found}
    whole = sum(max(size, 0) for size in sizes.values())
    total = hashlib.sha256(repr(tuple(classes)).encode("utf-8", "surrogatepass"))
    contents = hashlib.sha256()
    for part, found in sorted(names.items()):
        for name, row in found:
            line = f"{part}\0{name}\0{row.label!r}\0{sizes[name]}\n"
            total.update(line.encode("utf-8", "surrogatepass"))
            if whole < DIGEST_LIMIT and sizes[name] >= 0:
                # What cannot be read is named when it is its turn.
                with suppress(OSError), (root / name).open("rb") as file:
                    contents.update(hashlib.file_digest(file, "sha256").digest())
    total.update(contents.digest())
    shown = {"classes": ", ".join(classes)} if classes else {}
    for part, rows in parts.items():
        shown[part] = f"{len(rows)} images"
        counts = Counter(row.label for row in rows if isinstance(row.label, int)) if classes else Counter[int]()
        shown.update({f"{part} {classes[label]}": str(count) for label, count in sorted(counts.items())})
    shown["bytes"] = f"{whole:,}"
    shown["contents"] = contents.hexdigest()[:16] if whole < DIGEST_LIMIT else "not looked at: over 1 GiB"
    return total.hexdigest(), shown


def usual_channels(root: Path, rows: Sequence[Listed]) -> int:
    """Return how many channels most images have, 1 or 3, by the heads of some files."""
    step = max(1, len(rows) // _LOOKED_AT)
    counts = Counter(channels_of(root / row.name) for row in rows[::step])
    return 1 if counts[1] > counts[3] else 3


def _files(row: Listed) -> tuple[str, ...]:
    return (row.name, row.other) if row.other else (row.name,)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_image(entry: os.DirEntry[str]) -> bool:
    """Return whether a name is an image's. A link that leads nowhere is one too, which nobody can read."""
    if entry.name.startswith(".") or PurePosixPath(entry.name).suffix.lower() not in SUFFIXES:
        return False
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return entry.is_symlink()


def _kind(entry: os.DirEntry[str]) -> str:
    return "hidden" if entry.name.startswith(".") else PurePosixPath(entry.name).suffix.lower() or "without a suffix"


_LARGEST_TABLE = 2**30


def read_table(path: Path) -> bytes:
    """Read a table's file as a whole.

    Errors: OSError; TrainingError with E340 for what is no file, such as a device, which may never end, and with E345
    for one of more than a gigabyte
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise TrainingError(f"`{path}` is no file", "name the table's file", "E340")
    if found.st_size > _LARGEST_TABLE:
        raise TrainingError(
            f"`{path}` has more than {_LARGEST_TABLE // 2**20} MiB", "make several tables of it", "E345"
        )
    return path.read_bytes()
