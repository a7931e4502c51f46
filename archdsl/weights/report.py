"""What becomes of a file's weights in a network, written for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from archdsl.text.render.display import visible
from archdsl.weights.transfer import CAUSES, MISFITS, Entry, Transfer

_MOST_LINES = 8
_MEANING = {
    "matched": "same key and shape",
    "renamed": "another key in the file",
    "reshaped": "same elements in another shape",
    "adapted": "fitted to other input channels",
    "initial": "counts of batches that the file lacks, left at 0",
    "excepted": "drawn anew, as is asked",
    "dropped": "in the file, and needed for nothing",
    "guessed": "most likely another key in the file; not loaded",
    "new": "in the network, not in the file",
    "different": "another shape or type in the file",
    "unusable": "numbers that cannot be loaded",
    "unused": "in the file, not in the network",
}


def counts(transfer: Transfer) -> str:
    """Count what does not fit: "2 new, 1 unused"."""
    found = [(cause, len(transfer.of(cause))) for cause in MISFITS]
    return ", ".join(f"{count:,} {cause}" for cause, count in found if count)


def describe(transfer: Transfer) -> str:
    """Write a report as text: counts, and by module what does not fit or was reshaped."""
    lines: list[str] = []
    for cause in CAUSES:
        entries = transfer.of(cause)
        if not entries:
            continue
        origin = f", by the name map `{transfer.origin}`" if cause == "renamed" and transfer.origin else ""
        other = ", or there for other classes or channels" if cause == "new" and any(e.reason for e in entries) else ""
        lines.append(f"{cause:<10}{len(entries):>6,}  {_MEANING[cause]}{origin}{other}")
        if cause == "dropped":
            lines += _cut([f"{reason}: {count:,}" for reason, count in Counter(e.reason for e in entries).items()])
        elif cause == "guessed":
            lines += _cut(list(dict.fromkeys(map(_guessed, entries))))
        elif cause not in ("matched", "renamed", "initial"):
            lines += _cut(list(_modules(entries)))
    converted = sorted({f"{e.source_dtype} to {e.dtype}" for e in transfer.entries if e.is_converted})
    lines += [f"numbers are converted: {', '.join(converted)}"] if converted else []
    return "".join(f"{visible(line)}\n" for line in (*lines, *(f"note: {note}" for note in transfer.notes)))


def _cut(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _MOST_LINES + 1:
        return [f"  {line}" for line in lines]
    hidden = len(lines) - _MOST_LINES
    return [*(f"  {line}" for line in lines[:_MOST_LINES]), f"  … and {hidden} more modules"]


def _guessed(entry: Entry) -> str:
    """Say which module is guessed to be which, and by what."""
    assert entry.key is not None and entry.source is not None
    (ours, _, part), (theirs, _, other) = entry.key.rpartition("."), entry.source.rpartition(".")
    is_same = part == other and bool(ours and theirs)
    return f"{ours if is_same else entry.key} from {theirs if is_same else entry.source}, {entry.reason}"


def _modules(entries: Sequence[Entry]) -> Iterator[str]:
    """Write a line for each module, with its tensors."""
    modules: dict[str, list[str]] = {}
    for entry in entries:
        module, _, tensor = (entry.key or entry.source or "").rpartition(".")
        modules.setdefault(module, []).append(f"{tensor} {_shapes(entry)}")
    for module, tensors in modules.items():
        more = f", and {len(tensors) - 2} more" if len(tensors) > 2 else ""
        yield f"{module}{': ' if module else ''}{', '.join(tensors[:2])}{more}"


def _shapes(entry: Entry) -> str:
    if entry.cause == "unusable":
        return entry.reason
    ours, theirs = _shape(entry.shape, entry.dtype), _shape(entry.source_shape, entry.source_dtype)
    if entry.cause == "new":
        return f"{ours} ({entry.reason})" if entry.reason else ours
    if entry.cause not in ("reshaped", "adapted", "different"):
        return ours if entry.source is None else theirs
    if entry.cause == "different" and entry.shape == entry.source_shape:
        ours, theirs = str(entry.dtype), str(entry.source_dtype)
    place = f"{entry.source} " if entry.source != entry.key else ""
    way = f" by {entry.reason}" if entry.cause == "adapted" else ""
    return f"{ours} from {place}{theirs}{way}" if entry.is_loaded else f"{ours}, in the file {place}{theirs}"


def _shape(shape: tuple[int, ...] | None, dtype: str | None) -> str:
    return f"[{', '.join(map(str, shape))}]" if shape is not None else f"no tensor but {dtype}"


def record(transfer: Transfer) -> dict[str, object]:
    """Return a report as JSON has it: every key, by cause."""
    return {
        "fits": transfer.fits,
        "origin": transfer.origin,
        "counts": {cause: len(transfer.of(cause)) for cause in CAUSES},
        "notes": list(transfer.notes),
        "rules": list(transfer.rules),
        **{cause: [_row(entry) for entry in transfer.of(cause)] for cause in CAUSES},
    }


def _row(entry: Entry) -> dict[str, object]:
    ours = {"key": entry.key, "shape": _list(entry.shape), "dtype": entry.dtype}
    theirs = {"source": entry.source, "source_shape": _list(entry.source_shape), "source_dtype": entry.source_dtype}
    reason = {"reason": entry.reason} if entry.reason else {}
    return {**(ours if entry.key is not None else {}), **(theirs if entry.source is not None else {}), **reason}


def _list(shape: tuple[int, ...] | None) -> list[int] | None:
    return list(shape) if shape is not None else None
