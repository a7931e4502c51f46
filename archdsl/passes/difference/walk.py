"""Two networks side by side, step by step: every place where they differ, before equal changes are told as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archdsl.ir.graph import Node, NodeId
from archdsl.ops.base import Op
from archdsl.ops.shape import Shape
from archdsl.passes.costs import Total
from archdsl.passes.difference.align import Aligner
from archdsl.passes.difference.items import Item, ItemList, ItemLists, Wire
from archdsl.passes.difference.model import ChangeKind, Element, Site, is_initial
from archdsl.passes.tables import Tables


@dataclass(frozen=True, slots=True)
class Cursor:
    """One network's body at one of its places. `block` is the outermost block around it, called at `call`."""

    level: ItemList
    tables: Tables
    path: str = ""
    is_reused: bool = False
    block: str = ""
    call: str = ""

    def path_of(self, item: Item) -> str:
        return f"{self.path}.{item.name}" if self.path else item.name

    def step(self, item: Item) -> Element:
        """Describe a step with what it costs here."""
        node = item.node
        total = self.total(item)
        body = node.body
        name = node.op.keyword if node.op is not None else body.name if body is not None else ""
        operators = body.size if body is not None else 1
        inputs = tuple(self.tables.shapes.inputs_of(node))
        output = self.tables.shapes.results[node.id][""]
        return Element(self.path_of(item), name, node, total.parameters, total.macs, operators, inputs, output)

    def total(self, item: Item) -> Total:
        is_reused = self.is_reused or item.node.reuses is not None
        # What is frozen changes no step, and is told of the whole network.
        return replace(self.tables.costs.nodes[item.node.id].times(1, is_reused=is_reused), frozen=0)

    def shapes_of(self, item: Item) -> tuple[Sequence[Shape], Mapping[str, Shape]]:
        return self.tables.shapes.inputs_of(item.node), self.tables.shapes.results[item.node.id]

    def inside(self, item: Item, levels: ItemLists) -> Cursor:
        """Return the body of a call; an unlabelled name counts as one of several in the path within its block."""
        node, path = item.node, self.path_of(item)
        assert node.body is not None
        is_block = not self.block and node.body.kind == "block"
        return Cursor(
            levels.inside(item),
            self.tables.inner(node),
            path,
            self.is_reused or node.reuses is not None,
            node.body.name if is_block else self.block,
            path if is_block else self.call,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A difference at one place. `settings` are name, value before, value after; `items` the steps themselves."""

    kind: ChangeKind
    place: Site
    items: tuple[Item | None, Item | None]
    settings: tuple[tuple[str, object, object], ...] = ()
    block: str = ""
    relative: str = ""
    """The path within the block, or from the top where there is none, without the numbers of unlabelled steps."""
    sides: tuple[Cursor, Cursor] | None = None
    """The bodies that it stands in."""


@dataclass(slots=True)
class Walk:
    """Goes through both networks at once. `found` are the changes, `follows` the steps that only follow."""

    aligner: Aligner
    levels: ItemLists
    found: list[Found] = field(default_factory=list[Found])
    follows: list[Site] = field(default_factory=list[Site])
    paths: dict[str, str] = field(default_factory=dict[str, str])
    """Which path of the second network stands for one of the first: of operators, and of wholly equal steps."""
    _wires: dict[tuple[str, str], frozenset[int]] = field(default_factory=dict[tuple[str, str], frozenset[int]])

    def compare(self, one: Cursor, other: Cursor) -> None:
        ours, theirs = one.level.items, other.level.items
        pairs = self.aligner.pairs(one.level, other.level)
        rewired = self._rewired(one.level, other.level)
        same = {ours[i].node.id: theirs[j].node.id for i, j in pairs}
        left = right = 0
        for i, j in [*pairs, (len(ours), len(theirs))]:
            for item in ours[left:i]:
                self._single("removed", one, other, item)
            for item in theirs[right:j]:
                self._single("added", one, other, item)
            left, right = i + 1, j + 1
            if i < len(ours):
                self._pair(one, other, ours[i], theirs[j], same, is_rewired=j in rewired)
        if -1 in rewired:
            self._output(one, other)

    def _single(self, kind: ChangeKind, one: Cursor, other: Cursor, item: Item) -> None:
        own = one if kind == "removed" else other
        step = own.step(item)
        place = Site(step, None) if kind == "removed" else Site(None, step)
        items = (item, None) if kind == "removed" else (None, item)
        self._add(Found(kind, place, items), one, other)

    def _add(self, found: Found, one: Cursor, other: Cursor) -> None:
        own = one if found.place.after is None else other
        item = found.items[0] if found.place.after is None else found.items[1]
        step = found.place.after or found.place.before
        assert item is not None
        assert step is not None
        relative = step.path[len(own.call) :] if own.block else step.path
        names = ["*" if name.isdecimal() else name for name in relative.split(".") if name]
        if not item.label:
            names[-1] = "*"
        self.found.append(replace(found, block=own.block, relative=".".join(names), sides=(one, other)))

    def _pair(
        self, one: Cursor, other: Cursor, x: Item, y: Item, same: Mapping[NodeId, NodeId], *, is_rewired: bool
    ) -> None:
        weights = _reuse(x.node, y.node, same)
        if (
            not weights
            and x.identity == y.identity
            and x.label == y.label
            and not is_rewired
            and self._is_equal(one, other, x, y)
        ):
            self.paths[one.path_of(x)] = other.path_of(y)
            return
        place = Site(one.step(x), other.step(y))
        items = (x, y)
        if bool(x.label or y.label) and x.label != y.label:
            self._add(Found("renamed", _at_no_cost(place), items), one, other)
        if is_rewired:
            self._add(Found("rewired", _at_no_cost(place), items), one, other)
        if x.op is None and y.op is None:
            if weights:
                self._add(Found("changed", _at_no_cost(place), items, weights), one, other)
            self.compare(one.inside(x, self.levels), other.inside(y, self.levels))
            return
        if x.op is None or y.op is None or type(x.op) is not type(y.op):
            self._add(Found("replaced", place, items), one, other)
            if x.op is not None and y.op is not None and x.op.category == y.op.category:
                self.paths[one.path_of(x)] = other.path_of(y)
            return
        self.paths[one.path_of(x)] = other.path_of(y)
        settings = (*settings_of(x.op, y.op), *weights)
        # How tensors begin is told apart from what they are.
        initial = tuple(setting for setting in settings if is_initial(setting[0]))
        lasting = tuple(setting for setting in settings if not is_initial(setting[0]))
        if lasting:
            self._add(Found("changed", place, items, lasting), one, other)
        elif one.shapes_of(x) != other.shapes_of(y) or one.total(x) != other.total(y):
            self.follows.append(place)
        if initial:
            self._add(Found("changed", _at_no_cost(place), items, initial), one, other)

    def _is_equal(self, one: Cursor, other: Cursor, x: Item, y: Item) -> bool:
        """Return whether nothing differs in two equal steps: then their shapes and costs agree too."""
        is_same = one.shapes_of(x) == other.shapes_of(y)
        return is_same and one.total(x) == other.total(y)

    def _output(self, one: Cursor, other: Cursor) -> None:
        """Report that a body gives another step's result."""
        ours, theirs = (side.level.items[side.level.outputs[0][1][0]] for side in (one, other))
        place = _at_no_cost(Site(one.step(ours), other.step(theirs)))
        self._add(Found("rewired", place, (ours, theirs)), one, other)

    def _rewired(self, one: ItemList, other: ItemList) -> frozenset[int]:
        """Return the positions in `other` of the paired steps that read other values than in `one`; -1 for the output.

        Steps that were added or removed in between do not count: what is behind them only follows.
        """
        if one.identity == other.identity:
            return frozenset()
        key = one.identity, other.identity
        if key not in self._wires:
            self._wires[key] = frozenset(_Wiring(one, other, self.aligner.pairs(one, other)).rewired())
        return self._wires[key]


class _Wiring:
    """Where values come from in two levels whose steps are paired."""

    def __init__(self, one: ItemList, other: ItemList, pairs: Sequence[tuple[int, int]]) -> None:
        self._one, self._other, self._pairs = one, other, pairs
        self._image = {j: i for i, j in pairs}
        self._kept = {i for i, _ in pairs}
        self._left: dict[int, frozenset[int]] = {}
        self._right: dict[int, frozenset[int]] = {}
        for i, item in enumerate(one.items):
            self._left[i] = frozenset((i,)) if i in self._kept else self._sources(item, self._left)
        for j, item in enumerate(other.items):
            self._right[j] = frozenset((self._image[j],)) if j in self._image else self._sources(item, self._right)

    def _sources(self, item: Item, known: Mapping[int, frozenset[int]]) -> frozenset[int]:
        return frozenset[int]().union(*(self._through(wire, known) for wire in item.inputs))

    @staticmethod
    def _through(wire: Wire, known: Mapping[int, frozenset[int]]) -> frozenset[int]:
        """Return the steps of the first level, or its inputs, that a value comes from, past what has no counterpart."""
        return known[wire[0]] if wire[0] >= 0 else frozenset((wire[0],))

    def rewired(self) -> Iterator[int]:
        for i, j in self._pairs:
            if not self._agree(self._one.items[i].inputs, self._other.items[j].inputs):
                yield j
        ours, theirs = (level.outputs[0][1] for level in (self._one, self._other))
        if ours[0] >= 0 and theirs[0] >= 0 and not self._agree((ours,), (theirs,)):
            yield -1

    def _agree(self, ours: Sequence[Wire], theirs: Sequence[Wire]) -> bool:
        left = [self._through(wire, self._left) for wire in ours]
        right = [self._through(wire, self._right) for wire in theirs]
        if len(left) == len(right):
            return all(a & b or not (a or b) for a, b in zip(left, right, strict=True))
        reached, reaching = frozenset[int]().union(*left), frozenset[int]().union(*right)
        return all(a & reaching for a in left) and all(b & reached for b in right)


def _at_no_cost(place: Site) -> Site:
    """Return a place whose costs are told elsewhere: at what changed inside it, or as what follows."""
    assert place.before is not None
    assert place.after is not None
    return Site(replace(place.before, parameters=0, macs=0), replace(place.after, parameters=0, macs=0))


def settings_of(x: Op, y: Op) -> tuple[tuple[str, object, object], ...]:
    """Return the settings whose values differ in two operators of one class, with both values."""
    pairs = ((name, getattr(x, name), getattr(y, name)) for name in type(x).attribute_names())
    return tuple((name, before, after) for name, before, after in pairs if before != after)


def _reuse(x: Node, y: Node, same: Mapping[NodeId, NodeId]) -> tuple[tuple[str, object, object], ...]:
    """Tell where a step applies the weights of another one than its counterpart does."""
    expected = same.get(x.reuses) if x.reuses is not None else None
    if expected == y.reuses and (x.reuses is None) == (y.reuses is None):
        return ()
    return (("weights", f"of {x.reuses}" if x.reuses else "own", f"of {y.reuses}" if y.reuses else "own"),)


def outermost(tables: Tables, levels: ItemLists) -> Cursor:
    """Return a network's outermost body."""
    return Cursor(levels.of(tables.graph), tables)
