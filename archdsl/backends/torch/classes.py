"""The classes of a file: one for each distinct block, whose constructor takes what differs between its uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword

from archdsl.backends.torch.code import Either, PyCall, PyExpression, PyName
from archdsl.backends.torch.forward import members
from archdsl.backends.torch.modules import is_sequential, ordered, sequential
from archdsl.backends.torch.names import RESERVED, class_name
from archdsl.backends.torch.order import grouped
from archdsl.backends.torch.parameters import ConstructorParameter, Signer, fill_statement
from archdsl.backends.torch.statements import (
    Members,
    Sequential,
    is_part_of,
    members_signature,
    unify_forward,
)
from archdsl.backends.torch.suffixes import BlockUse, BlockUses, suffixes
from archdsl.backends.torch.trials import TriedCall, TriedCalls
from archdsl.backends.torch.unify import Callables, unify
from archdsl.ir.graph import Graph
from archdsl.passes.shapes import Shapes


@dataclass(frozen=True, slots=True)
class ClassCode:
    """A class to be written, for all the uses of a block that share its code."""

    name: str
    doc: str
    parameters: tuple[ConstructorParameter, ...]
    members: Members
    graph: Graph
    refused: tuple[str, ...] = ()
    """Conditions on the parameters under which there is no such instance."""


def classes_below(shapes: Shapes, reserved: frozenset[str]) -> Classes:
    """Return the classes below a network's body, which take those parameters that they are seen to honour."""
    classes, trials = Classes(shapes, reserved), TriedCalls()
    for uses in classes.uses():
        trials.add(uses)
    return Classes(shapes, reserved, trials.found) if trials.found else classes


@dataclass
class Classes:
    """Works out the classes below a network's body, inner ones first.

    `trials` are calls that the network does not have, by which it shows what comes from which parameter.
    """

    root: Shapes
    reserved: frozenset[str]
    trials: Sequence[TriedCall] = ()
    found: list[ClassCode] = field(default_factory=list[ClassCode])
    owners: dict[Shapes, str] = field(default_factory=dict[Shapes, str])
    """The class of each body table that has one."""
    _callables: Callables = field(default_factory=Callables)
    _calls: dict[Shapes, PyExpression] = field(default_factory=dict[Shapes, PyExpression])
    _names: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self._names |= RESERVED | self.reserved
        self._made = frozenset(self.root.tables())
        self._like = {trial.table: trial.like for trial in self.trials if trial.table is not None}
        for tables in grouped(self.root, self._like):
            self._add(tables)

    def constructor(self, shapes: Shapes) -> PyExpression:
        """Return the call that builds a body's class."""
        return self._calls[shapes]

    def uses(self) -> Iterator[list[Shapes]]:
        """Yield the bodies that each class serves."""
        for code in self.found:
            yield [table for table, name in self.owners.items() if name == code.name]

    def _add(self, tables: Sequence[Shapes]) -> None:
        """Make the classes of one block: instances that differ in more than constants get classes of their own."""
        parts: dict[object, list[BlockUse]] = {}
        tried: list[BlockUse] = []
        for table in tables:
            use = BlockUse(table, self._members(table))
            if table in self._made:
                parts.setdefault(members_signature(use.code, self._callables), []).append(use)
            else:
                tried.append(use)
        groups = _merge_optional(list(parts.values()), self._callables)
        names = suffixes(groups) if groups else []  # some blocks are called in trials alone
        counts = [len(group) for group in groups]
        signatures = [{members_signature(use.code, self._callables) for use in group} for group in groups]
        for use in tried:
            self._place(use, groups, signatures)
        for group, count, suffix in zip(groups, counts, names, strict=True):
            self._make_class(group, count, suffix)

    def _place(self, use: BlockUse, groups: Sequence[list[BlockUse]], signatures: Sequence[set[object]]) -> None:
        """Put what was tried beside the calls that share its code; without any it has no class."""
        known, like = members_signature(use.code, self._callables), self._like.get(use.table)
        for group, signatures_there in zip(groups, signatures, strict=True):
            if like is not None and all(other.table is not like for other in group):
                continue  # it varies what this class has no need to take
            if known in signatures_there:
                group.append(use)
                return
        self._calls[use.table] = PyName(f"{use.table.graph.name} {len(self._calls)}")

    def _members(self, table: Shapes) -> Members:
        if not is_sequential(table.graph):
            return members(table, self.constructor)
        steps = sequential(table, self.constructor)
        return Members({}, (), (Sequential(steps if isinstance(steps, tuple) else (ordered(steps),)),))

    def _make_class(self, group: BlockUses, made: int, suffix: str) -> None:
        """Make one class; the first `made` of its uses are the network's own."""
        graph = group[0].table.graph
        fullest = max((code for _, code in group), key=lambda code: len(code.modules))
        signer = Signer([table for table, _ in group], made, list(fullest.modules))
        modules = {name: self._module(name, group, signer) for name in fullest.modules}
        kept: dict[str, PyExpression] = {}
        merged = unify_forward([code for _, code in group], self._callables)
        forward = tuple(fill_statement(statement, signer, kept) for statement in merged)
        name = self._unused_name(graph.name + suffix)
        parameters = signer.parameters()
        self._callables.positions[name] = tuple(parameter.name for parameter in parameters)
        self._callables.defaults[name] = {p.name: p.default for p in parameters if p.default is not None}
        code = Members({**modules, **kept}, fullest.arguments, forward)
        own = {table for table, _ in group}
        others = [trial.numbers for trial in self.trials if trial.like in own and trial.table not in own]
        self.found.append(ClassCode(name, _doc(graph), parameters, code, graph, tuple(signer.refusals(others))))
        for index, (table, _) in enumerate(group):
            self._calls[table] = signer.call(name, index)
            if index < made:
                self.owners[table] = name

    def _module(self, name: str, group: BlockUses, signer: Signer) -> PyExpression:
        """Return the code of an attribute; where some instances lack it, a flag decides."""
        versions = [code.modules.get(name) for _, code in group]
        merged = signer.fill(unify(versions, (name,), self._callables))
        if None not in versions:
            return merged
        flag = signer.flag(name, tuple(version is not None for version in versions))
        return Either(flag, merged, PyCall("nn.Identity"))

    def _unused_name(self, name: str) -> str:
        base = class_name(name, "Block")
        candidate, number = base, 2
        while candidate in self._names or iskeyword(candidate):
            candidate, number = f"{base}{number}", number + 1
        self._names.add(candidate)
        return candidate


def _merge_optional(parts: list[list[BlockUse]], callables: Callables) -> list[list[BlockUse]]:
    """Join parts that are equal but for modules that one of them lacks where the value passes unchanged."""
    result: list[list[BlockUse]] = []
    for part in sorted(parts, key=lambda group: -len(group[0].code.modules)):
        home = next((other for other in result if is_part_of(part[0].code, other[0].code, callables)), None)
        if home is None:
            result.append(part)
        else:
            home.extend(part)
    return result


def _doc(graph: Graph) -> str:
    return graph.doc or f"The {'block' if graph.kind == 'block' else 'part'} `{graph.name}`."
