"""Equal changes told as one: what a change in a block does to each of its calls is one change with many places."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import TypeVar

from archdsl.passes.difference.items import Item
from archdsl.passes.difference.model import Change, SettingChange, ValuePair, is_initial
from archdsl.passes.difference.walk import Found

_T = TypeVar("_T")


def fold(found: Sequence[Found]) -> tuple[Change, ...]:
    """Return the changes in the order of their first places.

    The same change of the same operator is one, wherever it is. Where only its values differ from place to place, as
    channels do, it is one for each step of a block.
    """
    order = {id(one): index for index, one in enumerate(found)}
    groups: list[list[Found]] = []
    for alike in _group(found, _sort):
        if len(set(map(_values, alike))) == 1:
            groups.append(alike)
            continue
        per_step = _group(alike, lambda one: (one.block, one.relative))
        # Two steps of a block that change in the same way, through the same values, are told as one again.
        merged = _group(per_step, lambda group: (group[0].block, tuple(dict.fromkeys(map(_values, group)))))
        groups += [sorted(chain.from_iterable(group), key=lambda one: order[id(one)]) for group in merged]
    return tuple(_change(group) for group in sorted(groups, key=lambda group: order[id(group[0])]))


def _group(items: Iterable[_T], key: Callable[[_T], Hashable]) -> list[list[_T]]:
    found: dict[Hashable, list[_T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())


def _sort(found: Found) -> Hashable:
    """Return what changes of one sort have in common: all but values and places."""
    names = tuple(name for name, _, _ in found.settings)
    x, y = found.items
    if found.kind == "changed":
        return found.kind, x and x.form if x is not None and x.op is not None else "", names
    if found.kind == "renamed":
        return found.kind, x and x.label, y and y.label
    if found.kind == "rewired":
        return found.kind, y and y.form, y and y.label
    if found.kind == "replaced":
        return found.kind, x and _look(x), y and _look(y)
    if found.kind == "moved":
        return found.kind, x and x.identity, x and x.label, y and y.label
    item = x or y
    assert item is not None
    return found.kind, item.form, item.label


def _look(item: Item) -> Hashable:
    """Tell operators apart by all but their initial values."""
    op = item.op
    if op is None:
        return item.identity
    return op.keyword, *(repr(getattr(op, name)) for name in type(op).attribute_names() if not is_initial(name))


def _values(found: Found) -> Hashable:
    if found.kind in ("added", "removed"):
        item = found.items[0] or found.items[1]
        step = found.place.before or found.place.after
        assert item is not None
        assert step is not None
        return item.identity, step.operators
    return tuple((repr(before), repr(after)) for _, before, after in found.settings)


def _change(group: Sequence[Found]) -> Change:
    first = group[0]
    places = tuple(one.place for one in group)
    settings = tuple(
        SettingChange(name, _distinct([(one.settings[at][1], one.settings[at][2]) for one in group]))
        for at, (name, _, _) in enumerate(first.settings)
    )
    block = first.block if len({one.block for one in group}) == 1 else ""
    parameters, macs = sum(place.parameters for place in places), sum(place.macs for place in places)
    return Change(first.kind, places, settings, parameters, macs, block)


def _distinct(values: Sequence[ValuePair]) -> tuple[ValuePair, ...]:
    return tuple({repr(pair): pair for pair in values}.values())
