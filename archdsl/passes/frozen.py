"""What of a network is frozen, told by paths: keys of tensors, and levels that are frozen as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archdsl.ir.freezing import Freezing
from archdsl.ir.graph import Node
from archdsl.ir.walk import PerBody
from archdsl.passes.shapes import Shapes
from archdsl.passes.tables import Tables

_MOST_EXCEPTIONS = 5
"""How many exceptions one statement has room for on a line."""


@dataclass(frozen=True, slots=True)
class Outermost:
    """The shortest lists of paths that cover all that is frozen and nothing else, and all that is not."""

    frozen: tuple[str, ...]
    trainable: tuple[str, ...]


def can_freeze(node: Node, shapes: Shapes) -> bool:
    """Return whether freezing a node changes anything: it has tensors, or does other in training than in evaluation."""
    if node.op is None or node.is_input or node.reuses is not None:
        return False
    return node.op.differs_in_training() or bool(node.op.state(shapes.inputs_of(node)))


def are_frozen(tables: Tables, nodes: Sequence[Node]) -> bool:
    """Return whether training leaves all that it could change of some nodes of a body as it is."""
    totals = [tables.costs.nodes[node.id] for node in nodes]
    if any(total.parameters for total in totals):
        return all(total.is_frozen or not total.parameters for total in totals)
    return any(node.is_frozen for node in nodes)


def frozen_keys(shapes: Shapes) -> frozenset[str]:
    """Return the keys of parameters and buffers that are frozen.

    Requires: shapes without errors, all numbers. Ensures: a reused module is listed once, as in `list_state`.
    """
    return PerBody[Shapes, frozenset[str]](_keys)(shapes)


def _keys(shapes: Shapes, below: Callable[[Shapes], frozenset[str]]) -> frozenset[str]:
    found: set[str] = set()
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        keys: Iterable[str] = ()
        if node.body is not None:
            keys = below(shapes.inner[node.id])
        elif node.op is not None and node.is_frozen:
            keys = [tensor.name for tensor in node.op.state(shapes.inputs_of(node))]
        found.update(f"{name}.{key}" if key else name for name in node.names for key in keys)
    return frozenset(found)


def keys_by_step(shapes: Shapes, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield the path of each operator that has tensors of its own, with their keys.

    Requires: shapes without errors, all numbers.
    """
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        tensors = node.op.state(shapes.inputs_of(node)) if node.op is not None else ()
        for name in node.names:
            if node.body is not None:
                yield from keys_by_step(shapes.inner[node.id], f"{path}{name}.")
            elif tensors:
                yield f"{path}{name}", [f"{path}{name}.{t.name}" if t.name else f"{path}{name}" for t in tensors]


def outermost(shapes: Shapes) -> Outermost:
    """Return the outermost paths below which all that can be frozen is, and those below which none of it is."""
    return _outermost(dict(_written_out(shapes, "")))


def outermost_parameters(shapes: Shapes) -> Outermost:
    """Return the outermost paths below which all parameters are frozen, and those below which none is."""
    return _outermost(dict(_written_out(shapes, "", is_of_parameters=True)))


def describe_frozen(shapes: Shapes) -> tuple[Freezing, ...]:
    """Return statements that freeze just what is frozen in a graph; nothing where nothing is.

    Requires: shapes without errors.
    """
    found = outermost(shapes)
    if not found.frozen:
        return ()
    if not found.trainable:
        return (Freezing(("*",)),)
    if len(found.trainable) < len(found.frozen) and len(found.trainable) <= _MOST_EXCEPTIONS:
        return (Freezing(("*",), found.trainable),)
    starts = range(0, len(found.frozen), _MOST_EXCEPTIONS)
    return tuple(Freezing(found.frozen[start : start + _MOST_EXCEPTIONS]) for start in starts)


def _written_out(shapes: Shapes, path: str, *, is_of_parameters: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the path of each operator that can be frozen, or has parameters, and whether it is."""
    for node in shapes.graph.topological():
        if node.is_input or node.reuses is not None:
            continue
        counts = can_freeze(node, shapes)
        if counts and is_of_parameters:
            assert node.op is not None
            counts = any(tensor.kind == "parameter" for tensor in node.op.state(shapes.inputs_of(node)))
        for name in node.names:
            if node.body is not None:
                yield from _written_out(shapes.inner[node.id], f"{path}{name}.", is_of_parameters=is_of_parameters)
            elif counts:
                yield f"{path}{name}", node.is_frozen


def _outermost(places: Mapping[str, bool]) -> Outermost:
    kinds: dict[str, set[bool]] = {}
    for path, is_frozen in places.items():
        for outer in _prefixes(path):
            kinds.setdefault(outer, set()).add(is_frozen)
    lists: dict[bool, dict[str, None]] = {True: {}, False: {}}
    for path, is_frozen in places.items():
        first = next(outer for outer in _prefixes(path) if len(kinds[outer]) == 1)
        lists[is_frozen].setdefault(first)
    return Outermost(tuple(lists[True]), tuple(lists[False]))


def _prefixes(path: str) -> list[str]:
    """Return the levels that a path leads through, outer ones first, itself last."""
    segments = path.split(".")
    return [".".join(segments[: index + 1]) for index in range(len(segments))]
