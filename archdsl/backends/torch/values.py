"""The values of a forward pass: each waits to be used inside the next expression until it needs a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from archdsl.backends.torch.code import PyExpression, PyName
from archdsl.backends.torch.in_place import one_name
from archdsl.backends.torch.names import variable_name
from archdsl.backends.torch.statements import Assign, PyStatement
from archdsl.ir.graph import Graph, Node, Output, Value

_LETTERS = ("x", "y", "z", *(f"x{i}" for i in range(1, 10_000)))


@dataclass
class Values:
    """What is known of the values of one graph while its forward pass is written, and the statements so far."""

    graph: Graph
    statements: list[PyStatement] = field(default_factory=list[PyStatement])
    code: dict[Value, PyExpression] = field(default_factory=dict[Value, PyExpression])
    waiting: list[Value] = field(default_factory=list[Value])
    uses: Counter[Value] = field(default_factory=Counter[Value])
    held: dict[str, Value] = field(default_factory=dict[str, Value])
    """What each variable holds."""
    read: dict[Value, frozenset[str]] = field(default_factory=dict[Value, frozenset[str]])
    """The variables that an expression reads, or the one that holds the value."""

    def __post_init__(self) -> None:
        for node in self.graph.topological():
            self.uses.update(self.sources(node))
        self.uses.update(map(self.result, self.graph.outputs))

    def sources(self, node: Node) -> list[Value]:
        """List the values that a node reads."""
        return [one_name(self.graph, value) for value in node.inputs]

    def result(self, output: Output) -> Value:
        """Return the value of an output."""
        return one_name(self.graph, output.value)

    def hold(self, name: str, value: Value) -> None:
        """Note that a variable holds a value."""
        self.held[name] = value
        self.code[value] = PyName(name)
        self.read[value] = frozenset({name})

    def release(self, name: str) -> None:
        """Let others have a variable once what is written next has read it."""
        self.held[name] = Value("")

    def wait(self, value: Value, code: PyExpression) -> None:
        """Keep the code of a value until it is used."""
        self.code[value] = code
        self.waiting.append(value)

    def take(self, value: Value) -> PyExpression:
        """Return the code of a value for one that reads it."""
        self.uses[value] -= 1
        if value in self.waiting:
            self.waiting.remove(value)
        return self.code[value]

    def is_last(self, values: Sequence[Value]) -> bool:
        """Return whether values are what was computed last: used inside one expression, they run in their turn."""
        return list(values) == self.waiting[len(self.waiting) - len(values) :]

    def flush(self) -> None:
        """Give names to all values that wait, in order, so that nothing is computed out of turn."""
        for value in list(self.waiting):
            self.settle(value)

    def settle(self, value: Value) -> None:
        """Give a value that waits a name, after those that were computed before it."""
        if value not in self.waiting:
            return
        for earlier in self.waiting[: self.waiting.index(value)]:
            self.settle(earlier)
        self.waiting.remove(value)
        code = self.code[value]
        name = self.variable(self.graph.nodes[value.node], value)
        self.statements.append(Assign(name, code))
        self.hold(name, value)

    def variable(self, node: Node, value: Value) -> str:
        """Choose a variable: one that this value is computed from and nothing reads any more, else a new one."""
        busy = {name for other in self.waiting for name in self.read[other]}
        free = [name for name, held in self.held.items() if self.uses[held] <= 0 and name not in busy]
        named = next((o.name for o in self.graph.outputs if self.result(o) == value and o.name), "")
        if named or (node.is_labelled and self.uses[value] > 1):
            name = variable_name(named or node.id)
            while name in self.held and name not in free:
                name += "_"
            return name
        letters = [name for name in free if name in _LETTERS]  # a label names its own value alone
        own = [name for name in letters if name in self.read[value]]
        return next(iter([*own, *letters]), None) or next(name for name in _LETTERS if name not in self.held)
