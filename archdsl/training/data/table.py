"""Images that a CSV table lists, with a class, several classes or a number each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor

from archdsl.text.failure import cannot
from archdsl.training.data.dataset import DataPart, DataSet, TargetKind
from archdsl.training.data.imagefolder import PART_FOLDERS
from archdsl.training.data.listing import Listed, digest_of, read_table, usual_channels
from archdsl.training.data.samples import FileSamples
from archdsl.training.data.splits import completed
from archdsl.training.error import TrainingError

_PATHS = ("path", "image", "file", "filename")
_LABELS = ("label", "class", "labels", "classes", "number", "target", "value")
_PARTS = ("part", "split")
# What a column's name says of its labels. `label` leaves it to the labels.
_KINDS: Mapping[str, TargetKind] = {
    "class": "class", "labels": "classes", "classes": "classes", "number": "number", "target": "number",
    "value": "number",
}  # fmt: skip
_HELP = "the first line names the columns, as in `path,label`; `part` is a third one, if there are parts"
_BETWEEN = "|"


@dataclass
class _Table:
    """What stands in a table: for each line its number, path, label and part."""

    column: str
    lines: list[tuple[int, str, str, DataPart]] = field(default_factory=lambda: list[tuple[int, str, str, DataPart]]())


def table(name: str, path: Path) -> DataSet:
    """List the images of a table, whose paths are relative to the folder that it lies in.

    The column `class` has a class; `labels` any number of them, with `|` between; `number` a number. In `label` the
    labels themselves tell: with a `|` anywhere they are several, and where all are numbers they are numbers.

    Errors: TrainingError; E345 where the table is not as it should be, E341 where it is empty, E342 for a single class,
    E343 where parts differ in their classes
    """
    found = _read(path)
    if not found.lines:
        raise TrainingError(f"`{path}` lists no images", _HELP, "E341")
    _check_files(path, found)
    labels = [label for _, _, label, _ in found.lines]
    kind = _KINDS.get(found.column) or _kind_of(labels)
    values, classes = _values(path, found, kind)
    parts: dict[DataPart, list[Listed]] = {}
    for (_, place, _, part), value in zip(found.lines, values, strict=True):
        parts.setdefault(part, []).append(Listed(place, value))
    if "train" not in parts:
        raise TrainingError(f"`{path}` has no training images", "let the column `part` say `train` for some", "E341")
    notes = _check_classes(path, parts, classes) if kind == "class" else []
    if kind == "number" and found.column == "label" and all(float(label).is_integer() for label in labels):
        notes.append("the labels are whole numbers, taken as numbers: call the column `class` if they are classes")
    whole, more = completed(
        parts, {part: [row.label if kind == "class" else 0 for row in rows] for part, rows in parts.items()}
    )
    digest, listing = digest_of(path.parent, whole, classes)
    return DataSet(
        name=name,
        kind=kind,
        classes=classes,
        channels=usual_channels(path.parent, whole["train"]),
        parts={
            part: FileSamples(path.parent, [row.name for row in rows], _targets(rows, len(classes)))
            for part, rows in whole.items()
        },
        notes=(*more, *notes),
        digest=digest,
        listing=listing,
    )


def _read(path: Path) -> _Table:
    try:
        text = read_table(path).decode("utf-8-sig")
    except OSError as error:
        raise TrainingError(cannot("read", path, error), "name the table's file", "E340") from None
    except UnicodeDecodeError as error:
        raise _wrong(path, f"no UTF-8 text: {error.reason} at byte {error.start}") from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise _wrong(path, f"no CSV table: {error}", reader.line_num) from None
    if not rows:
        return _Table("label")
    names = [name.strip().lower() for name in rows[0][1]]
    place, label = _column(path, names, _PATHS), _column(path, names, _LABELS)
    part = next((names.index(name) for name in _PARTS if name in names), None)
    found = _Table(names[label])
    for number, row in rows[1:]:
        if len(row) != len(names):
            raise _wrong(path, f"{len(row)} cells in a line where the first has {len(names)}", number)
        which: DataPart = "train"
        if part is not None:
            known = PART_FOLDERS.get(row[part].strip().lower())
            if known is None:
                raise _wrong(path, f"`{row[part].strip()}` for a part, which is train, validation or test", number)
            which = known
        found.lines.append((number, row[place].strip(), row[label].strip(), which))
    return found


def _column(path: Path, names: Sequence[str], wanted: Sequence[str]) -> int:
    found = [name for name in wanted if name in names]
    if len(found) != 1 or names.count(found[0]) > 1:
        fact = (
            f"both {' and '.join(f'`{name}`' for name in found)}" if len(found) > 1 else f"no one column `{wanted[0]}`"
        )
        raise _wrong(path, fact, 1)
    return names.index(found[0])


def _check_files(path: Path, found: _Table) -> None:
    missing = [(number, place) for number, place, _, _ in found.lines if not _is_file(path.parent / place)]
    if missing:
        number, place = missing[0]
        more = f", and {len(missing) - 1} others are missing too" if len(missing) > 1 else ""
        raise _wrong(
            path,
            f"`{place}`, and there is no such file{more}",
            number,
            f"paths are relative to the table's folder, `{path.parent}`",
        )
    lines: dict[str, int] = {}
    for number, place, _, _ in found.lines:
        if place in lines:
            raise _wrong(path, f"`{place}` a second time; it is on line {lines[place]} too", number, "keep one of both")
        lines[place] = number


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _kind_of(labels: Sequence[str]) -> TargetKind:
    if any(_BETWEEN in label for label in labels):
        return "classes"
    return "number" if all(_number(label) is not None for label in labels) else "class"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _values(
    path: Path, found: _Table, kind: TargetKind
) -> tuple[list[int] | list[float] | list[tuple[int, ...]], tuple[str, ...]]:
    """Return what stands for each label, and the classes, sorted."""
    if kind == "number":
        numbers: list[float] = []
        for line, _, label, _ in found.lines:
            value = _number(label)
            if value is None:
                raise _wrong(path, f"`{label}` where the others have a number", line)
            numbers.append(value)
        return numbers, ()
    if kind == "classes":
        sets = [sorted({name.strip() for name in label.split(_BETWEEN)} - {""}) for _, _, label, _ in found.lines]
        classes = tuple(sorted({name for names in sets for name in names}))
        if not classes:
            raise TrainingError(f"no image of `{path}` has a class", _HELP, "E341")
        places = {name: place for place, name in enumerate(classes)}
        return [tuple(places[name] for name in names) for names in sets], classes
    for line, _, label, _ in found.lines:
        if not label:
            raise _wrong(path, "no label", line)
    classes = tuple(sorted({label for _, _, label, _ in found.lines}))
    if len(classes) == 1:
        raise TrainingError(
            f"there is one class in `{path}`, `{classes[0]}`, and nothing to tell it from",
            "list images of other classes too",
            "E342",
        )
    places = {name: place for place, name in enumerate(classes)}
    return [places[label] for _, _, label, _ in found.lines], classes


def _check_classes(path: Path, parts: Mapping[DataPart, Sequence[Listed]], classes: Sequence[str]) -> list[str]:
    known = {row.label for row in parts["train"]}
    notes: list[str] = []
    for part, rows in parts.items():
        own = {row.label for row in rows}
        unknown = [label for index, label in enumerate(classes) if index in own - known]
        if unknown:
            raise TrainingError(
                f"the {part} part of `{path}` has a class that no training image has: `{unknown[0]}`",
                "give it training images, or leave it out",
                "E343",
            )
        missing = [label for index, label in enumerate(classes) if index not in own]
        notes += [f"{part} has no images of {', '.join(missing)}"] if missing else []
    return notes


def _targets(rows: Sequence[Listed], count: int) -> Tensor:
    labels = [row.label for row in rows]
    if not isinstance(labels[0], tuple):
        return torch.tensor(labels, dtype=torch.int64 if count else torch.float32)
    targets = torch.zeros(len(rows), count)
    for index, label in enumerate(labels):
        for place in label if isinstance(label, tuple) else ():
            targets[index, place] = 1
    return targets


def _wrong(path: Path, fact: str, line: int = 0, help: str = _HELP) -> TrainingError:
    where = f"line {line} of `{path}`" if line else f"`{path}`"
    return TrainingError(f"{where} has {fact}" if line else f"{where} is {fact}", help, "E345")
