"""Two networks side by side as a tree: what is the same stays closed, what differs is opened, and shown once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from archdsl.passes.difference.align import Aligner
from archdsl.passes.difference.compare import Subject
from archdsl.passes.difference.items import Item, ItemLists
from archdsl.passes.difference.model import ChangeKind, Difference, Element, is_initial
from archdsl.passes.difference.walk import Cursor, outermost, settings_of

Settings = tuple[tuple[str, object, object], ...]


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A step of one or both networks, or equal ones that follow each other, as many as there are `names`.

    `kinds` say what differs in the step itself, `inside` what differs in a body; `alike` is the path of an earlier
    entry with the same differences inside, which are then not repeated.
    """

    before: Element | None
    after: Element | None
    names: tuple[tuple[str, ...], tuple[str, ...]]
    kinds: tuple[ChangeKind, ...] = ()
    settings: Settings = ()
    inside: tuple[OutlineEntry, ...] = ()
    alike: str = ""

    signature: Hashable = ()
    """Equal for entries that differ in the same way, whatever their numbers and what is the same in them."""

    @property
    def is_same(self) -> bool:
        return not self.kinds and not self.inside and not self.alike


def outline(before: Subject, after: Subject, difference: Difference) -> tuple[OutlineEntry, ...]:
    """Return the steps of two networks side by side.

    Requires: the difference of these very networks.
    """
    levels = ItemLists()
    ours, theirs = (outermost(subject.tables, levels) for subject in (before, after))
    marks: dict[tuple[str, str], list[ChangeKind]] = {}
    moved: tuple[set[str], set[str]] = set(), set()
    for change in difference.changes:
        for place in change.places:
            if change.kind == "moved" and place.before and place.after:
                moved[0].add(place.before.path)
                moved[1].add(place.after.path)
            elif not change.is_initial:
                key = place.before.path if place.before else "", place.after.path if place.after else ""
                marks.setdefault(key, []).append(change.kind)
    return tuple(_Outline(Aligner(levels), levels, marks, moved).entries(ours, theirs))


@dataclass(slots=True)
class _Outline:
    aligner: Aligner
    levels: ItemLists
    marks: dict[tuple[str, str], list[ChangeKind]]
    moved: tuple[set[str], set[str]]
    seen: dict[Hashable, str] = field(default_factory=dict[Hashable, str])

    def entries(self, one: Cursor, other: Cursor) -> Iterator[OutlineEntry]:
        yield from _joined(list(self._steps(one, other)))

    def _steps(self, one: Cursor, other: Cursor) -> Iterator[OutlineEntry]:
        ours, theirs = one.level.items, other.level.items
        left = right = 0
        for i, j in [*self.aligner.pairs(one.level, other.level), (len(ours), len(theirs))]:
            for item in ours[left:i]:
                yield self._single(one, item, is_before=True)
            for item in theirs[right:j]:
                yield self._single(other, item, is_before=False)
            left, right = i + 1, j + 1
            if i < len(ours):
                yield self._pair(one, other, ours[i], theirs[j])

    def _single(self, side: Cursor, item: Item, *, is_before: bool) -> OutlineEntry:
        step = side.step(item)
        is_moved = step.path in self.moved[0 if is_before else 1]
        kinds: tuple[ChangeKind, ...] = ("moved" if is_moved else "removed" if is_before else "added",)
        signature = kinds, item.label, step.op, step.operators
        if is_before:
            return OutlineEntry(step, None, ((item.name,), ()), kinds, signature=signature)
        return OutlineEntry(None, step, ((), (item.name,)), kinds, signature=signature)

    def _pair(self, one: Cursor, other: Cursor, x: Item, y: Item) -> OutlineEntry:
        before, after = one.step(x), other.step(y)
        names = (x.name,), (y.name,)
        kinds = tuple(self.marks.get((before.path, after.path), ()))
        signature: Hashable = kinds, x.label, y.label, before.op, after.op
        if x.op is not None or y.op is not None:
            is_alike = x.op is not None and y.op is not None and type(x.op) is type(y.op)
            settings = settings_of(x.op, y.op) if is_alike and x.op and y.op else ()
            lasting = tuple(setting for setting in settings if not is_initial(setting[0]))
            signature = signature, tuple(name for name, _, _ in lasting)
            return OutlineEntry(before, after, names, kinds, lasting, signature=signature)
        if x.identity == y.identity:
            return OutlineEntry(before, after, names, kinds, signature=signature)
        inside = tuple(self.entries(one.inside(x, self.levels), other.inside(y, self.levels)))
        different = tuple(entry.signature for entry in inside if not entry.is_same)
        if not different:
            return OutlineEntry(before, after, names, kinds, signature=signature)
        # A block's own name in the body around it does not matter for what differs inside.
        signature = kinds, bool(x.label), before.op, after.op, different
        if signature in self.seen:
            return OutlineEntry(before, after, names, kinds, alike=self.seen[signature], signature=signature)
        self.seen[signature] = after.path
        return OutlineEntry(before, after, names, kinds, (), inside, signature=signature)


def _joined(entries: Sequence[OutlineEntry]) -> Iterator[OutlineEntry]:
    """Make one entry of neighbours without labels that differ in the same way, and are closed."""
    last: OutlineEntry | None = None
    for entry in entries:
        if last is not None and _joins(last, entry):
            names = (*last.names[0], *entry.names[0]), (*last.names[1], *entry.names[1])
            last = replace(last, names=names)
            continue
        if last is not None:
            yield last
        last = entry
    if last is not None:
        yield last


def _joins(last: OutlineEntry, entry: OutlineEntry) -> bool:
    if last.inside or entry.inside or last.settings or last.is_same != entry.is_same or last.alike != entry.alike:
        return False
    steps = [step for step in (last.before, last.after, entry.before, entry.after) if step is not None]
    is_counted = all(not step.node.is_labelled and step.node.body is not None for step in steps)
    return is_counted and last.signature == entry.signature and not (entry.is_same and not entry.before)
