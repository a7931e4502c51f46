"""Bodies as lists of steps, with keys that tell equal ones apart from different ones without looking inside again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha1
from typing import TypeAlias

from archdsl.ir.graph import Graph, Node, Value
from archdsl.ir.walk import PerBody
from archdsl.ops.base import Op

Wire: TypeAlias = tuple[int, str]
"""Where a value comes from: the position of a step, or -1 - n for a body's input n; and the name of its output."""


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A step of a body; a repeated one is as many items.

    Items of one `identity` do the same with the same labels inside; those of one `form` differ in values of settings at
    most. Both are digests of content, so that neither depends on which network comes first. `weight` counts the
    operators inside, and the calls around them.
    """

    name: str
    label: str
    """The name that the spec gives it, or nothing: the other names are counted."""
    node: Node
    inputs: tuple[Wire, ...]
    identity: str
    form: str
    weight: int

    @property
    def op(self) -> Op | None:
        return self.node.op


@dataclass(frozen=True, slots=True, eq=False)
class ItemList:
    """A body's steps in the order of the text, inputs of blocks left aside; `outputs` maps names to wires."""

    graph: Graph
    items: tuple[Item, ...]
    outputs: tuple[tuple[str, Wire, bool], ...]
    identity: str
    form: str
    weight: int


class ItemLists:
    """Makes the level of each distinct body once."""

    def __init__(self) -> None:
        self.of = PerBody(self._list)
        self._of: dict[str, ItemList] = {}

    def _list(self, graph: Graph, of: Callable[[Graph], ItemList]) -> ItemList:
        level = _level(graph, of)
        self._of[level.form] = min(level, self._of.get(level.form, level), key=lambda one: one.identity)
        return level

    def inside(self, item: Item) -> ItemList:
        assert item.node.body is not None
        return self.of(item.node.body)

    def with_form(self, form: str) -> ItemList:
        """Return the level of this form that stands for all those made so far."""
        return self._of[form]


def _level(graph: Graph, of: Callable[[Graph], ItemList]) -> ItemList:
    wires: dict[str, int] = {}
    items: list[Item] = []
    arriving = 0
    for node in graph.topological():
        if node.is_input and node.op is None:
            arriving += 1
            wires[node.id] = -arriving
            continue
        items += _items(node, wires, len(items), of)
        wires[node.id] = len(items) - 1
    outputs = tuple((o.name, _wire(o.value, wires), o.is_training_only) for o in graph.outputs)
    identity = _digest([(i.label, i.identity, i.inputs) for i in items], outputs)
    form = _digest([(i.label, i.form, i.inputs) for i in items], outputs)
    return ItemList(graph, tuple(items), outputs, identity, form, 1 + sum(item.weight for item in items))


def _items(node: Node, wires: dict[str, int], position: int, of: Callable[[Graph], ItemList]) -> Iterator[Item]:
    if node.body is not None:
        level = of(node.body)
        identity, form, weight = level.identity, level.form, level.weight
    else:
        assert node.op is not None
        identity, form, weight = _digest(node.op.keyword, repr(node.op)), node.op.keyword, 1
    if node.reuses is not None:
        identity = _digest(identity, position - wires.get(node.reuses, position))
    inputs = tuple(_wire(value, wires) for value in node.inputs)
    for index, name in enumerate(node.names):
        arriving = inputs if index == 0 else ((position + index - 1, ""), *inputs[1:])
        yield Item(name, name if node.is_labelled else "", node, arriving, identity, form, weight)


def _wire(value: Value, wires: dict[str, int]) -> Wire:
    return wires[value.node], value.output


def _digest(*parts: object) -> str:
    return sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()
