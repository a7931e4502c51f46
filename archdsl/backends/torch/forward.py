"""One body as torch code: the members that hold its modules, and the statements of its `forward`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from archdsl.backends.torch.calls import applied
from archdsl.backends.torch.code import Infix, Method, PyCall, PyExpression, PyLiteral, PyName
from archdsl.backends.torch.in_place import one_name
from archdsl.backends.torch.layout import flat
from archdsl.backends.torch.modules import Constructor, module_form, owned_form
from archdsl.backends.torch.names import self_attribute, variable_name
from archdsl.backends.torch.nested import nested
from archdsl.backends.torch.once import Once
from archdsl.backends.torch.returns import add_return, training_only
from archdsl.backends.torch.statements import Assign, InTraining, Members
from archdsl.backends.torch.values import Values
from archdsl.ir.graph import Node, Value
from archdsl.ops.base import KeptPart, TorchCall
from archdsl.passes.shapes import Shapes
from archdsl.passes.state import list_state

_LONGEST_ABSORBED = 42
_ABSORBED = frozenset({"norm", "activation", "regularise"})


def members(shapes: Shapes, constructor: Constructor, taps: Sequence[str] = ()) -> Members:
    """Return the attributes and forward pass of a body that is a class of its own; with `taps` it gives a dict."""
    made = _Writer(shapes, constructor, Values(shapes.graph)).write(taps)
    return nested(made, lambda: (key for key, _ in list_state(shapes)))


@dataclass
class _Writer:
    """Writes one forward pass, node by node."""

    shapes: Shapes
    constructor: Constructor
    values: Values
    modules: dict[str, PyExpression] = field(default_factory=dict[str, PyExpression])
    stateless: dict[PyExpression, str] = field(default_factory=dict[PyExpression, str])
    """The attribute of each module that several nodes can share, by its code."""

    def __post_init__(self) -> None:
        self.once = Once(self.shapes, self.values)

    def write(self, taps: Sequence[str]) -> Members:
        arguments = self._arguments()
        training = training_only(self.shapes.graph)
        for in_training, nodes in groupby(self._unwritten(), key=lambda node: node.id in training):
            if in_training:
                self._in_training(nodes)
            else:
                self._nodes(nodes)
        self.once.finish()
        add_return(self.values, taps)
        return Members(self.modules, arguments, tuple(self.values.statements))

    def _arguments(self) -> tuple[str, ...]:
        """Name what arrives: what flows into a body, or a model's only input, is `x`, the others are what they are."""
        graph, values = self.shapes.graph, self.values
        names: list[str] = []
        for node in graph.inputs:
            is_flow = not names and (graph.kind != "model" or len(graph.inputs) == 1)
            name = "x" if is_flow else variable_name(node.id)
            while name in names:
                name += "_"
            names.append(name)
            values.hold(name, Value(node.id))
        return tuple(names)

    def _unwritten(self) -> Iterator[Node]:
        """Yield the nodes in order, when asked for the next, without those that an earlier one has written."""
        for node in self.shapes.graph.topological():
            if not node.is_input and Value(node.id) not in self.values.code:
                yield node

    def _in_training(self, nodes: Iterable[Node]) -> None:
        """Write nodes that only training needs."""
        values = self.values
        values.flush()
        outer, values.statements = values.statements, []
        self._nodes(nodes)
        values.flush()
        values.statements = [*outer, InTraining(tuple(values.statements))]

    def _nodes(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            parts = _equal_parts(node, self.shapes)
            if parts:
                self._split(parts)
            else:
                self._node(node)

    def _node(self, node: Node) -> None:
        values = self.values
        if node.op is not None and node.op.is_source:
            self.once.start(Value(node.id), self._apply(node, 0, []))
            return
        self.once.settle_mixed(node)
        sources = values.sources(node)
        ready = [source for source in sources if source in values.waiting]
        absorbs = values.is_last(ready) and _absorbs(node) and (node.repeat == 1 or len(sources) == 1)
        for source in ready:
            if not (absorbs and self._is_short(source, node)):
                values.settle(source)
        value = Value(node.id)
        values.read[value] = frozenset().union(*(values.read[source] for source in sources))
        again = sources[1:] if node.repeat > 1 else []  # which the last repetition reads too
        values.uses.update(again)
        codes = self.once.given(node, [values.take(source) for source in sources])
        for index in range(node.repeat - 1):
            codes = [self._step(node, index, value, codes), *codes[1:]]
        values.uses.subtract(again)
        values.wait(value, self._apply(node, node.repeat - 1, codes))
        if node.body is not None and len(node.body.outputs) > 1:
            self._unpack(node, value)
        elif values.uses[value] != 1:
            values.settle(value)

    def _split(self, parts: Sequence[Node]) -> None:
        """Write slices that make up a value as one `chunk`."""
        values = self.values
        (source,) = values.sources(parts[0])
        values.flush()
        code = values.code[source]
        values.uses[source] -= len(parts)
        names: list[str] = []
        for part in parts:
            value = Value(part.id)
            values.read[value] = values.read[source]
            names.append(values.variable(part, value))
            values.hold(names[-1], value)
        part = _part(parts[0], self.shapes)
        assert part is not None
        chunk = Method(code, "chunk", (PyLiteral(len(parts)), PyName(f"dim={part.axis + 1}")))
        values.statements.append(Assign(", ".join(names), chunk))

    def _step(self, node: Node, index: int, value: Value, sources: Sequence[PyExpression]) -> PyExpression:
        """Write one of several repetitions; they take turns in one variable."""
        values = self.values
        code = self._apply(node, index, sources)
        if index == 0:
            values.wait(value, code)
            values.settle(value)
            (name,) = values.read[value]
            values.release(name)
        else:
            (name,) = values.read[value]
            values.statements.append(Assign(name, code))
        gives_tuple = node.body is not None and len(node.body.outputs) > 1
        return PyName(f"{name}[0]" if gives_tuple else name)

    def _is_short(self, source: Value, reader: Node) -> bool:
        """Return whether what a node reads can stand inside its expression."""
        code = self.values.code[source]
        is_join = reader.op is not None and reader.op.is_join
        return is_join or (not isinstance(code, Infix) and len(flat(code)) <= _LONGEST_ABSORBED)

    def _unpack(self, node: Node, value: Value) -> None:
        """Name the tuple that a body with several outputs gives; its items are read from it."""
        assert node.body is not None
        values = self.values
        results = [one_name(values.graph, Value(node.id, output.name)) for output in node.body.outputs]
        values.uses[value] += sum(values.uses[result] for result in results if result != value)
        values.settle(value)
        name = flat(values.code[value])
        for index, result in enumerate(results):
            values.code[result] = PyName(f"{name}[{index}]")
            values.read[result] = frozenset({name})
        values.code[value] = PyName(f"{name}[0]")
        for result in results:
            if any(values.result(o) == result and o.is_training_only for o in values.graph.outputs):
                variable = values.variable(node, result)
                values.statements.append(Assign(variable, values.code[result]))
                values.hold(variable, result)

    def _apply(self, node: Node, index: int, sources: Sequence[PyExpression]) -> PyExpression:
        if node.op is None:
            return PyCall(self._attribute(node, index), tuple(sources))
        call = node.op.to_torch(self.shapes.inputs_of(node))
        has_attribute = call.kind == "module" or call.is_owned
        return applied(call, sources, self._attribute(node, index) if has_attribute else "")

    def _attribute(self, node: Node, index: int) -> str:
        """Return `self.name` of a node's module, which is added to the members."""
        inputs = self.shapes.inputs_of(node)
        owned = node.op.to_torch(inputs) if node.op is not None and node.op.is_parameter else None
        if node.reuses is not None:
            return self_attribute(node.reuses, _getter(owned))
        name = node.names[index]
        if owned is not None:
            self.modules[name] = owned_form(owned)
            return self_attribute(name, _getter(owned))
        code = module_form(node, self.shapes, self.constructor)
        if node.op is not None and not node.op.state(inputs) and not node.is_labelled:
            name = self.stateless.setdefault(code, name)
        self.modules[name] = code
        return self_attribute(name)


def _getter(owned: TorchCall | None) -> str:
    """Return the method that finds what an attribute of no plain name holds."""
    return "get_submodule" if owned is None else f"get_{owned.kind}"


def _absorbs(node: Node) -> bool:
    """Return whether what a node reads may be computed inside the node's own expression."""
    op = node.op
    return op is not None and (op.is_join or (op.category in _ABSORBED and not op.is_parameter))


def _equal_parts(node: Node, shapes: Shapes) -> list[Node]:
    """List the slices that, from this one on, cut a value into equal parts; none if they do not."""
    first = _part(node, shapes)
    if first is None or first.places.start != 0:
        return []
    parts: list[Node] = []
    kept: list[range] = []
    for reader in shapes.graph.consumers[node.inputs[0].node]:
        part = _part(reader, shapes)
        if part is not None and part.axis == first.axis and reader.inputs == node.inputs and reader.repeat == 1:
            parts.append(reader)
            kept.append(part.places)
    size, total = len(first.places), shapes.of(node.inputs[0]).numbers()[first.axis]
    is_whole = len(parts) > 1 and kept == [range(i, i + size) for i in range(0, total, size)]
    return parts if is_whole else []


def _part(node: Node, shapes: Shapes) -> KeptPart | None:
    return node.op.kept_part(shapes.inputs_of(node)) if node.op is not None and not node.is_input else None
