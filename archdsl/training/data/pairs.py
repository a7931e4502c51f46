"""Images whose targets are images too: masks with a class for each pixel, or pictures."""

# torch leaves much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from archdsl.training.data.dataset import IGNORED, BadSampleError, DataPart, DataSet
from archdsl.training.data.imagefolder import part_folders
from archdsl.training.data.listing import Listed, digest_of, left_aside, scan, usual_channels
from archdsl.training.data.samples import PairSamples
from archdsl.training.data.splits import completed
from archdsl.training.error import TrainingError
from archdsl.training.images.decode import decode_mask, mode_of

INPUTS, TARGETS, NAMES = "inputs", "targets", "classes.txt"
_LOOKED_AT = 500
"""So many masks tell how many classes there are, where no file names them."""
_MASK_MODES = {"1", "L", "P", "I", "I;16"}
_BRIGHT = 200
"""Photographs have values from here to 254, and few masks have so many classes."""


def pairs(name: str, root: Path) -> DataSet:
    """List the pairs of `inputs/` and `targets/`: files of the same names but for their suffixes.

    Both folders lie in the data's folder, or in one for each part there. Targets are masks where they are of one
    channel or a palette and their values are no photograph's: classes from 0, and 255 for what does not count; where
    there are 0 and 255 alone, 255 is class 1. `classes.txt`, a name a line, says what the classes are called, and that
    the targets are masks.

    Errors: TrainingError; E341 where there are no images, E346 where there is no pair or a value is no class
    """
    folders: dict[DataPart, str] = {"train": ""}
    notes: list[str] = []
    if not (root / INPUTS).is_dir():
        folders, notes = part_folders(root)
    others: Counter[str] = Counter()
    parts: dict[DataPart, Sequence[Listed]] = {}
    for part, folder in folders.items():
        parts[part] = _pairs(root, folder, others)
    whole, more = completed(parts, {part: [0] * len(rows) for part, rows in parts.items()})
    names = _names(root)
    every = [row for rows in whole.values() for row in rows]
    values = None if all(mode_of(root / row.other) not in _MASK_MODES for row in every[:1]) else _values(root, every)
    if values is None and names:
        raise TrainingError(f"`{root / NAMES}` names classes, and the targets are in colour", _HELP, "E346")
    is_mask = values is not None and (bool(names) or values == {0, IGNORED} or not _is_photograph(values))
    is_binary = is_mask and values == {0, IGNORED}
    classes: tuple[str, ...] = ()
    channels = 1
    if is_mask and values is not None:
        highest = 1 if is_binary else max(values - {IGNORED}, default=0)
        classes = names or tuple(str(value) for value in range(highest + 1))
        notes.append(_told(classes, is_binary=is_binary))
        if len(classes) < 2:
            raise TrainingError("the masks have one class, and nothing to tell it from", _HELP, "E342")
        wrong = sorted(value for value in values - {IGNORED} if value >= len(classes))
        if wrong and not is_binary:
            raise TrainingError(
                f"a mask has class {wrong[0]}, and `{root / NAMES}` names {len(classes)}, which count from 0",
                _HELP,
                "E346",
            )
    else:
        channels = usual_channels(root, [Listed(row.other) for row in every])
    digest, listing = digest_of(root, whole, classes)
    kind = "mask" if is_mask else "image"
    return DataSet(
        name=name,
        kind=kind,
        classes=classes,
        channels=usual_channels(root, whole["train"]),
        parts={
            part: PairSamples(root, [r.name for r in rows], [r.other for r in rows], kind, channels, is_binary)
            for part, rows in whole.items()
        },
        notes=(*more, *notes, *left_aside(others)),
        digest=digest,
        listing=listing,
    )


_HELP = f"`{INPUTS}/` has images, and `{TARGETS}/` a mask or an image of the same name for each"


def _pairs(root: Path, folder: str, others: Counter[str]) -> list[Listed]:
    found: list[Mapping[str, str]] = []
    for half in (INPUTS, TARGETS):
        place = root / folder / half
        if not place.is_dir():
            raise TrainingError(f"there is no folder `{place}`", _HELP, "E346")
        listed = scan(place)
        others += listed.others
        prefix = f"{folder}/{half}" if folder else half
        stems: dict[str, str] = {}
        for name in listed.names:
            stem = str(PurePosixPath(name).with_suffix(""))
            if stem in stems:
                raise TrainingError(f"two files in `{place}` are called `{stem}` but for their suffix", _HELP, "E346")
            stems[stem] = f"{prefix}/{name}"
        found.append(stems)
    inputs, targets = found
    if not inputs:
        raise TrainingError(f"there are no images in `{root / folder / INPUTS}`", _HELP, "E341")
    for mine, yours, half in ((inputs, targets, TARGETS), (targets, inputs, INPUTS)):
        alone = [name for stem, name in mine.items() if stem not in yours]
        if alone:
            more = f", nor for {len(alone) - 1} others" if len(alone) > 1 else ""
            raise TrainingError(f"there is nothing in `{half}` for `{alone[0]}`{more}", _HELP, "E346")
    return [Listed(name, 0, targets[stem]) for stem, name in inputs.items()]


def _names(root: Path) -> tuple[str, ...]:
    path = root / NAMES
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"cannot read `{path}`: {error}", code="E346") from None
    return tuple(line.strip() for line in lines if line.strip())


def _values(root: Path, rows: Sequence[Listed]) -> set[int] | None:
    """Return the values of some targets, evenly chosen; None where one is in colour."""
    values: set[int] = set()
    for row in rows[:: -(-len(rows) // _LOOKED_AT)]:
        try:
            if mode_of(root / row.other) in (None, *_MASK_MODES):
                values.update(decode_mask(root / row.other, row.other).unique().tolist())
            else:
                return None
        except BadSampleError:
            continue  # it is named when it is its turn
    return values or None


def _is_photograph(values: set[int]) -> bool:
    return any(value >= _BRIGHT for value in values - {IGNORED})


def _told(classes: Sequence[str], *, is_binary: bool) -> str:
    if is_binary:
        return f"targets are masks of 0 and {IGNORED}, which is class 1; name the classes in {NAMES} if it is not"
    return f"targets are masks of {len(classes)} classes; {IGNORED} does not count"
