"""A change in words: its sign, what it is, where it is, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, takewhile
from typing import TypeAlias, cast

from archdsl.backends.words import amount, spell
from archdsl.ops.base import Init
from archdsl.passes.difference import Change, ChangeKind, Element, Figure, SettingChange

SIGNS: dict[ChangeKind, str] = {
    "added": "+",
    "removed": "−",
    "changed": "~",
    "replaced": "~",
    "rewired": "~",
    "renamed": ">",
    "moved": ">",
}
MEANING = {"+": "added", "−": "removed", "~": "changed", ">": "renamed or moved"}
LABELS = {
    "macs": "MACs",
    "inference memory": "memory, inference",
    "training memory": "memory, training",
}

_MOST_VALUES = 4
_FEW_TEXTS = 3
Segments: TypeAlias = tuple[str, ...]
NumberedPath: TypeAlias = tuple[int, Segments]


def title(change: Change) -> str:
    """Say what a change is: `conv: groups 1 → 32`, `BN → GN 32`, `3×3 conv, 64`."""
    before, after = change.places[0].before, change.places[0].after
    match change.kind:
        case "added" | "removed":
            steps = [step for place in change.places if (step := place.after or place.before) is not None]
            texts = list(dict.fromkeys(map(operator, steps)))
            return " / ".join(texts) if len(texts) <= _FEW_TEXTS else f"{texts[0]} … {texts[-1]}"
        case "changed":
            assert after is not None
            return f"{after.op}: {', '.join(map(setting, change.settings))}"
        case "replaced":
            assert before is not None
            assert after is not None
            return f"{operator(before)} → {operator(after)}"
        case "renamed":
            assert before is not None
            assert after is not None
            return f"{after.op}: {_last(before)} → {_last(after)}"
        case "moved":
            assert after is not None
            return f"{operator(after)}: moved"
        case "rewired":
            assert after is not None
            return f"{operator(after)}: reads other values"


def operator(step: Element) -> str:
    """Write a step as `3×3 conv, 64` or `bottleneck, 9 operators`."""
    if step.node.op is not None:
        return spell(step.node.op.describe())
    return f"{step.op}, {step.operators} operator{'' if step.operators == 1 else 's'}"


def setting(change: SettingChange) -> str:
    """Write a setting with its values before and after; of many, the first and the last."""
    pairs = [(value_text(before), value_text(after)) for before, after in change.values]
    if len(pairs) > _MOST_VALUES:
        (first, other), (last, final) = pairs[0], pairs[-1]
        ours = first if len({before for before, _ in pairs}) == 1 else f"{first}…{last}"
        theirs = other if len({after for _, after in pairs}) == 1 else f"{other}…{final}"
        return f"{change.name} {ours} → {theirs}"
    return f"{change.name} {', '.join(f'{before} → {after}' for before, after in pairs)}"


def value_text(value: object) -> str:
    """Write a value as specs do; a pair of equal numbers as one, and what is not set as `default`.

    >>> value_text((3, 3)), value_text((1, 7)), value_text(None), value_text(True)
    ('3', '[1, 7]', 'default', 'true')
    """
    if value is None:
        return "default"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Init):
        arguments = ", ".join(f"{name}={value_text(inner)}" for name, inner in value.arguments)
        return value.function.removesuffix("_") + (f"({arguments})" if arguments else "")
    if isinstance(value, tuple):
        items = cast("tuple[object, ...]", value)
        if len(items) == 2 and items[0] == items[1]:
            return value_text(items[0])
        return f"[{', '.join(map(value_text, items))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def places(change: Change) -> list[str]:
    """List where a change is, equal neighbours as one: `layer1.0–2.conv2`."""
    if change.kind == "moved":
        before, after = (
            fold_paths(p.path for p in steps if p is not None) for steps in zip(*_ends(change), strict=True)
        )
        return after if before == after else [f"{', '.join(before)} → {', '.join(after)}"]
    return fold_paths(place.path for place in change.places)


def fold_paths(paths: Iterable[str]) -> list[str]:
    """Write paths that differ in one counted name as one.

    >>> fold_paths(["layer1.0.conv1", "layer1.1.conv1", "layer2.0.conv1", "bn1", "bn2"])
    ['layer1.0–1.conv1', 'layer2.0.conv1', 'bn1–2']
    """
    split = [(index, tuple(path.split("."))) for index, path in enumerate(paths)]
    for at in reversed(range(max((len(path) for _, path in split), default=0))):
        split = sorted(_fold_at(split, at))
    return [".".join(path) for _, path in split]


def _fold_at(paths: Sequence[NumberedPath], at: int) -> Iterator[NumberedPath]:
    """Fold the names at one depth of paths that are else equal; each keeps the number of its first path."""
    groups: dict[tuple[Segments, Segments], list[NumberedPath]] = {}
    for number, path in paths:
        if at < len(path):
            groups.setdefault((path[:at], path[at + 1 :]), []).append((number, path))
        else:
            yield number, path
    for (start, end), group in groups.items():
        names = [path[at] for _, path in group]
        for first, name in _runs(names):
            yield group[first][0], (*start, name, *end)


def _runs(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Write neighbours in counting order as one, `0–2`; give the position of each run's first."""
    keyed = [(name, *_counted(name)) for name in names]
    for _, group in groupby(enumerate(keyed), key=lambda pair: (pair[1][1], pair[1][2] - pair[0])):
        run = [(index, name) for index, (name, _, _) in group]
        (first, name), (_, last) = run[0], run[-1]
        yield first, name if len(run) == 1 else f"{name}–{last[len(_counted(last)[0]) :]}"


def _counted(name: str) -> tuple[str, int]:
    """Split a name into what stands before its number, and the number; names without one are never neighbours."""
    digits = "".join(reversed(list(takewhile(lambda c: c.isascii() and c.isdigit(), reversed(name)))))
    return (name.removesuffix(digits), int(digits)) if digits else (name, -1)


def costs(parameters: int, macs: int) -> str:
    """Write a change in costs: `+4.33M parameters, −1.2G MACs`; nothing where there is none."""
    parts = [f"{signed(count)} {name}" for count, name in ((parameters, "parameters"), (macs, "MACs")) if count]
    return ", ".join(parts)


def signed(count: int) -> str:
    """Write a difference to three figures, with its sign."""
    return f"{'+' if count > 0 else '−' if count < 0 else '±'}{amount(abs(count))}"


def label(figure: Figure) -> str:
    """Return what a report calls a total."""
    return LABELS.get(figure.name, figure.name)


def figure_text(figure: Figure, count: int | None) -> str:
    """Write a total in full, bytes with a unit; `all` where a field has no bound."""
    if count is None:
        return "all"
    return bytes_text(count) if figure.unit == "bytes" else f"{count:,}"


def change_text(figure: Figure) -> str:
    """Write by how much a total changed."""
    if figure.change is None or figure.change == 0:
        return "" if figure.before == figure.after else "other"
    sign = "+" if figure.change > 0 else "−"
    size = abs(figure.change)
    return sign + (bytes_text(size) if figure.unit == "bytes" else f"{size:,}")


def ratio_text(figure: Figure) -> str:
    """Write a total's change in percent, or as a factor where it is more than doubled."""
    if not figure.change or figure.ratio is None:
        return ""
    if figure.ratio >= 2:
        return f"×{figure.ratio:.3g}"
    percent = 100 * (figure.ratio - 1)
    return f"{'+' if percent > 0 else '−'}{abs(percent):.1f}%" if abs(percent) >= 0.05 else "<0.1%"


def bytes_text(count: int) -> str:
    """Write a number of bytes with the largest unit that fits: `1.5 MiB`."""
    for limit, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= limit:
            return f"{count / limit:.1f} {unit}"
    return f"{count} B"


def _ends(change: Change) -> list[tuple[Element | None, Element | None]]:
    return [(place.before, place.after) for place in change.places]


def _last(step: Element) -> str:
    return step.path.rpartition(".")[2]
