"""One body as torch code: the members that hold its modules, and the statements of its `forward`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.backends.torch.code import (
    Call,
    DictOf,
    Expression,
    Infix,
    ListOf,
    Literal,
    Method,
    Name,
    Spread,
    TupleOf,
    flat,
)
from archdsl.backends.torch.fold import folded, folded_pairs
from archdsl.ir.graph import Graph, Node, Output, Value
from archdsl.ops.base import Op, TorchCall
from archdsl.ops.rearrange import Slice
from archdsl.passes.shapes import Shapes

# Gives the code that builds the class of a body that is not written in place.
Constructor: TypeAlias = Callable[[Shapes], Expression]

_LONGEST_ABSORBED = 42
_LETTERS = ("x", "y", "z", *(f"x{i}" for i in range(1, 10_000)))
_ABSORBED = frozenset({"norm", "activation", "regularise"})
# Names that generated code needs for something else.
RESERVED = frozenset(
    [
        "torch",
        "nn",
        "F",
        "Tensor",
        "OrderedDict",
        "NamedTuple",
        "Outputs",
        "TrainingOutputs",
        "self",
        "super",
        "x",
        "range",
        "print",
        "int",
        "float",
        "bool",
    ]
)


@dataclass(frozen=True, slots=True)
class Assign:
    """`targets = code`."""

    target: str
    code: Expression


@dataclass(frozen=True, slots=True)
class Return:
    code: Expression


@dataclass(frozen=True, slots=True)
class InTraining:
    """Statements that only run in training mode."""

    statements: tuple[Statement, ...]
    condition: str = "self.training"


Statement: TypeAlias = Assign | Return | InTraining


@dataclass(frozen=True, slots=True)
class Members:
    """What a class needs: modules by attribute in state_dict order, and the forward pass."""

    modules: Mapping[str, Expression]
    arguments: tuple[str, ...]
    forward: tuple[Statement, ...]


def is_sequential(graph: Graph) -> bool:
    """Tell whether a body can be an nn.Sequential: a chain of steps that all have a module form."""
    if not graph.is_chain:
        return False
    steps = [node for node in graph.topological() if not node.is_input]
    return all(_is_plain(node) for node in steps)


def _is_plain(node: Node) -> bool:
    if node.body is not None:
        return len(node.body.outputs) == 1
    return node.op is not None and not node.op.is_join and not node.op.is_parameter


def is_in_place(graph: Graph) -> bool:
    """Tell whether a body is written where it stands instead of as a class."""
    return graph.kind == "group" and is_sequential(graph)


def sequential(shapes: Shapes, constructor: Constructor) -> tuple[Expression, ...] | Mapping[str, Expression]:
    """Give the steps of a sequential body, by name where they are not just numbered."""
    graph = shapes.graph
    steps: list[tuple[str, Expression]] = []
    for node in graph.topological():
        if not node.is_input:
            code = module_form(node, shapes, constructor)
            steps += [(name, code) for name in node.names]
    if [name for name, _ in steps] == [str(i) for i in range(len(steps))]:
        return folded([code for _, code in steps])
    return dict(steps)


def sequential_call(shapes: Shapes, constructor: Constructor) -> Expression:
    """Give the nn.Sequential of a body that is written in place."""
    steps = sequential(shapes, constructor)
    if isinstance(steps, tuple):
        return Call("nn.Sequential", steps)
    return Call("nn.Sequential", (ordered(steps),))


def ordered(steps: Mapping[str, Expression]) -> Expression:
    """Give the OrderedDict of named steps."""
    pairs = folded_pairs(steps)
    if len(pairs) == 1 and isinstance(pairs[0], Spread):
        return Call("OrderedDict", (pairs[0].pairs,))
    if any(isinstance(pair, Spread) for pair in pairs):
        return Call("OrderedDict", (ListOf(pairs),))
    if all(name.isidentifier() for name in steps):
        return Call("OrderedDict", (), tuple(steps.items()))
    return Call("OrderedDict", (DictOf(tuple(steps.items())),))


def module_form(node: Node, shapes: Shapes, constructor: Constructor) -> Expression:
    """Give the code that builds the module of a node."""
    if node.body is not None:
        inner = shapes.inner[node.id]
        return sequential_call(inner, constructor) if is_in_place(node.body) else constructor(inner)
    assert node.op is not None
    call = node.op.to_torch(shapes.inputs_of(node))
    if call.stateless_module is not None:
        call = call.stateless_module
    return _call(call, runs_in_place(node, shapes.graph))


def _call(call: TorchCall, in_place: bool = False) -> Call:
    keywords = {**call.kwargs, "inplace": True} if in_place else call.kwargs
    return Call(
        call.target, tuple(map(Literal, call.args)), tuple((key, Literal(value)) for key, value in keywords.items())
    )


def runs_in_place(node: Node, graph: Graph) -> bool:
    """Tell whether an activation may overwrite its input: nobody else reads it, nor does a backward pass."""
    if node.op is None or not node.op.can_run_in_place or node.reuses is not None or node.repeat > 1:
        return False
    if node.is_labelled and any(other.reuses == node.id for other in graph.topological()):
        return False  # what it is applied to again may be needed
    (value,) = node.inputs
    return _readers(graph, value) == 1 and _is_disposable(graph, value)


def _readers(graph: Graph, value: Value) -> int:
    """Count how often a value is read, by nodes or as an output."""
    value = _one_name(graph, value)
    inside = [_one_name(graph, source) for reader in graph.consumers[value.node] for source in reader.inputs]
    return inside.count(value) + sum(_one_name(graph, output.value) == value for output in graph.outputs)


def _one_name(graph: Graph, value: Value) -> Value:
    """Give the name that all who read a value agree on: the main output of a body has two."""
    body = graph.nodes[value.node].body
    return Value(value.node) if body is not None and body.outputs[0].name == value.output else value


def _is_disposable(graph: Graph, value: Value) -> bool:
    """Tell whether a value is a tensor of its own that its operator does not need again."""
    node = graph.nodes[value.node]
    if node.body is not None:
        output = next((o for o in node.body.outputs if o.name == value.output), node.body.outputs[0])
        return _readers(node.body, output.value) == 1 and _is_disposable(node.body, output.value)
    op = node.op
    if op is None or node.reuses is not None:
        return False
    is_fresh = op.category in ("conv", "linear") or (op.category == "norm" and op.keyword != "none")
    return is_fresh or (op.keyword == "add" and len(node.inputs) > 1)


def members(shapes: Shapes, constructor: Constructor) -> Members:
    """Give the attributes and forward pass of a body that is a class of its own."""
    return _Writer(shapes, constructor).write()


@dataclass
class _Writer:
    """Writes one forward pass: values wait to be used inside the next expression until they need a name."""

    shapes: Shapes
    constructor: Constructor
    modules: dict[str, Expression] = field(default_factory=dict[str, Expression])
    statements: list[Statement] = field(default_factory=list["Statement"])
    code: dict[Value, Expression] = field(default_factory=dict[Value, Expression])
    waiting: list[Value] = field(default_factory=list[Value])
    uses: Counter[Value] = field(default_factory=Counter[Value])
    held: dict[str, Value] = field(default_factory=dict[str, Value])
    """What each variable holds."""
    read: dict[Value, frozenset[str]] = field(default_factory=dict[Value, frozenset[str]])
    """The variables that an expression reads, or the one that holds the value."""
    stateless: dict[Expression, str] = field(default_factory=dict[Expression, str])

    def write(self) -> Members:
        graph = self.shapes.graph
        for node in graph.topological():
            self.uses.update(self._sources(node))
        self.uses.update(map(self._result, graph.outputs))
        arguments = self._arguments()
        training = training_only(graph)
        outer = self.statements
        for node in graph.topological():
            if node.is_input or Value(node.id) in self.code:
                continue
            is_inside = self.statements is not outer
            if (node.id in training) != is_inside:
                self._flush()
                self.statements = [] if node.id in training else self._leave(outer)
            parts = _equal_parts(node, self.shapes)
            if parts:
                self._split(parts)
            else:
                self._node(node)
        if self.statements is not outer:
            self._flush()
            self.statements = self._leave(outer)
        self._return(graph)
        return Members(self.modules, arguments, tuple(self.statements))

    def _sources(self, node: Node) -> list[Value]:
        return [_one_name(self.shapes.graph, value) for value in node.inputs]

    def _result(self, output: Output) -> Value:
        return _one_name(self.shapes.graph, output.value)

    def _leave(self, outer: list[Statement]) -> list[Statement]:
        outer.append(InTraining(tuple(self.statements)))
        return outer

    def _arguments(self) -> tuple[str, ...]:
        inputs = self.shapes.graph.inputs
        names = ["x"] if len(inputs) == 1 else [self._legal(node.id) for node in inputs]
        for name, node in zip(names, inputs, strict=True):
            self._hold(name, Value(node.id))
        return tuple(names)

    def _hold(self, name: str, value: Value) -> None:
        self.held[name] = value
        self.code[value] = Name(name)
        self.read[value] = frozenset({name})

    @staticmethod
    def _legal(label: str) -> str:
        name = label.replace("-", "_")
        return name if name == "x" or (name.isidentifier() and name not in RESERVED) else f"v_{name}"

    def _node(self, node: Node) -> None:
        op = node.op
        absorbs = op is not None and (op.is_join or (op.category in _ABSORBED and not op.is_parameter))
        ready = [value for value in self._sources(node) if value in self.waiting]
        # What is computed inside this node's expression is what was computed last, so nothing runs out of turn.
        if not absorbs or ready != self.waiting[len(self.waiting) - len(ready) :]:
            absorbs = False
        for value in ready:
            if value in self.waiting and not (absorbs and self._is_short(value, op)):
                self._settle(value)
        value = Value(node.id)
        self.read[value] = frozenset().union(*(self.read[source] for source in self._sources(node)))
        sources = [self._take(source) for source in self._sources(node)]
        for index in range(node.repeat - 1):
            sources = [self._step(node, index, value, sources)]
        self.code[value] = self._apply(node, node.repeat - 1, sources)
        self.waiting.append(value)
        if node.body is not None and len(node.body.outputs) > 1:
            self._unpack(node, value)
        elif self.uses[value] != 1:
            self._settle(value)

    def _split(self, parts: Sequence[Node]) -> None:
        """Write slices that make up a value as one `chunk`."""
        (source,) = self._sources(parts[0])
        self._flush()
        code = self.code[source]
        self.uses[source] -= len(parts)
        names: list[str] = []
        for part in parts:
            value = Value(part.id)
            self.read[value] = self.read[source]
            names.append(self._name(part, value))
            self._hold(names[-1], value)
        self.statements.append(Assign(", ".join(names), Method(code, "chunk", (Literal(len(parts)), Name("dim=1")))))

    def _step(self, node: Node, index: int, value: Value, sources: Sequence[Expression]) -> Expression:
        """Write one of several repetitions; they take turns in one variable."""
        code = self._apply(node, index, sources)
        if index == 0:
            self.code[value] = code
            self.waiting.append(value)
            self._settle(value)
            (name,) = self.read[value]
            self.held[name] = Value("")  # free again once the next repetition has read it
        else:
            (name,) = self.read[value]
            self.statements.append(Assign(name, code))
        gives_tuple = node.body is not None and len(node.body.outputs) > 1
        return Name(f"{name}[0]" if gives_tuple else name)

    def _is_short(self, value: Value, op: Op | None) -> bool:
        code = self.code[value]
        is_join = op is not None and op.is_join
        return is_join or (not isinstance(code, Infix) and len(flat(code)) <= _LONGEST_ABSORBED)

    def _unpack(self, node: Node, value: Value) -> None:
        """Name the tuple that a body with several outputs gives; its items are read from it."""
        assert node.body is not None
        graph = self.shapes.graph
        results = [_one_name(graph, Value(node.id, output.name)) for output in node.body.outputs]
        self.uses[value] += sum(self.uses[result] for result in results if result != value)
        self._settle(value)
        name = flat(self.code[value])
        for index, result in enumerate(results):
            self.code[result] = Name(f"{name}[{index}]")
            self.read[result] = frozenset({name})
        self.code[value] = Name(f"{name}[0]")
        for result in results:
            if any(self._result(o) == result and o.is_training_only for o in graph.outputs):
                variable = self._name(node, result)
                self.statements.append(Assign(variable, self.code[result]))
                self._hold(variable, result)

    def _take(self, value: Value) -> Expression:
        self.uses[value] -= 1
        if value in self.waiting:
            self.waiting.remove(value)
        return self.code[value]

    def _flush(self) -> None:
        """Give names to all values that wait, in order, so that nothing is computed out of turn."""
        for value in list(self.waiting):
            if value in self.waiting:
                self._settle(value)

    def _settle(self, value: Value) -> None:
        """Give a waiting value a name, after those that were computed before it."""
        for earlier in self.waiting[: self.waiting.index(value)]:
            self._settle(earlier)
        self.waiting.remove(value)
        code = self.code[value]
        name = self._name(self.shapes.graph.nodes[value.node], value)
        self.statements.append(Assign(name, code))
        self._hold(name, value)

    def _name(self, node: Node, value: Value) -> str:
        """Choose a variable: one that this value is computed from and nothing reads any more, else a new one."""
        busy = {name for other in self.waiting for name in self.read[other]}
        free = [name for name, held in self.held.items() if self.uses[held] <= 0 and name not in busy]
        named = next((o.name for o in self.shapes.graph.outputs if self._result(o) == value and o.name), "")
        if named or (node.is_labelled and self.uses[value] > 1):
            name = self._legal(named or node.id)
            while name in self.held and name not in free:
                name += "_"
            return name
        letters = [name for name in free if name in _LETTERS]  # a label names its own value alone
        own = [name for name in letters if name in self.read[value]]
        return next(iter([*own, *letters]), None) or next(name for name in _LETTERS if name not in self.held)

    def _apply(self, node: Node, index: int, sources: Sequence[Expression]) -> Expression:
        if node.body is not None:
            return Call(self._attribute(node, index), tuple(sources))
        assert node.op is not None
        call = node.op.to_torch(self.shapes.inputs_of(node))
        arguments = tuple(map(Literal, call.args))
        keywords = tuple((key, Literal(value)) for key, value in call.kwargs.items())
        first = len(sources) - len(call.input_names)
        named = tuple(zip(call.input_names, sources[first:], strict=True))
        match call.kind:
            case "operator":
                return Infix(call.target, tuple(sources))
            case "function" if call.packs_inputs:
                return Call(call.target, (ListOf(tuple(sources)), *arguments), keywords)
            case "function":
                return Call(call.target, (*sources[:first], *arguments), (*named, *keywords))
            case "method":
                return Method(sources[0], call.target, (*sources[1:], *arguments))
            case "parameter":
                return Infix("*", (Name(self._attribute(node, index)), sources[0]))
            case "module":
                return Call(self._attribute(node, index), tuple(sources[:first]), named)

    def _attribute(self, node: Node, index: int) -> str:
        """Give `self.name` of a node's module, which is added to the members."""
        is_parameter = node.op is not None and node.op.is_parameter
        if node.reuses is not None:
            return self_attribute(node.reuses, "get_parameter" if is_parameter else "get_submodule")
        name = node.names[index]
        assert node.op is None or not node.is_input
        if is_parameter:
            assert node.op is not None
            self.modules[name] = _parameter(node.op.to_torch(self.shapes.inputs_of(node)))
            return self_attribute(name, "get_parameter")
        code = module_form(node, self.shapes, self.constructor)
        has_state = node.op is None or bool(node.op.state(self.shapes.inputs_of(node)))
        if not has_state and not node.is_labelled:
            name = self.stateless.setdefault(code, name)
        self.modules[name] = code
        return self_attribute(name)

    def _return(self, graph: Graph) -> None:
        extra = [output for output in graph.outputs if output.is_training_only]
        results = [output for output in graph.outputs if not output.is_training_only]
        if extra:
            self._flush()
            late = training_only(graph)
            names = dict.fromkeys(flat(self.code[self._result(o)]) for o in extra if o.value.node in late)
            if graph.kind == "model":
                self._return_in_training([*results, *extra], list(names))
            else:
                results = list(graph.outputs)
                self._declare(list(names))
        if len(results) == 1:
            self.statements.append(Return(self._take(self._result(results[0]))))
            return
        self._flush()
        fields = tuple(self._take(self._result(output)) for output in results)
        target = "Outputs" if graph.kind == "model" else ""
        self.statements.append(Return(Call(target, fields)))

    def _return_in_training(self, outputs: Sequence[Output], late: Sequence[str]) -> None:
        """Return the training-only outputs too; `late` are set in training only, which type checkers must see."""
        result = Return(Call("TrainingOutputs", tuple(self.code[self._result(output)] for output in outputs)))
        last = self.statements[-1] if self.statements else None
        if not late:
            self.statements.append(InTraining((result,)))
        elif isinstance(last, InTraining) and not any(isinstance(s, InTraining) for s in self.statements[:-1]):
            self.statements[-1] = InTraining((*last.statements, result))
        else:
            self._declare(late)
            self.statements.append(InTraining((result,), " and ".join(f"{name} is not None" for name in late)))

    def _declare(self, late: Sequence[str]) -> None:
        """Set variables to None before the first statements that run in training only."""
        if late:
            first = next(i for i, statement in enumerate(self.statements) if isinstance(statement, InTraining))
            self.statements.insert(first, Assign(" = ".join(late), Literal(None)))


def _equal_parts(node: Node, shapes: Shapes) -> list[Node]:
    """List the slices that, from this one on, cut a value into equal parts; none if they do not."""
    if not isinstance(node.op, Slice) or node.op.start != 0:
        return []
    parts = [
        reader
        for reader in shapes.graph.consumers[node.inputs[0].node]
        if isinstance(reader.op, Slice) and reader.inputs == node.inputs and reader.repeat == 1
    ]
    size = node.op.size
    starts = [part.op.start for part in parts if isinstance(part.op, Slice) and part.op.size == size]
    channels = shapes.of(node.inputs[0]).channels
    is_whole = len(parts) > 1 and starts == [i * size for i in range(len(parts))] and size * len(parts) == channels
    return parts if is_whole else []


def self_attribute(name: str, getter: str = "get_submodule") -> str:
    """Write the attribute of a submodule or parameter, whose name may be none that Python can spell."""
    return f"self.{name}" if name.isidentifier() else f'self.{getter}("{name}")'


def _parameter(call: TorchCall) -> Expression:
    size = TupleOf(tuple(map(Literal, call.args)))
    return Call("nn.Parameter", (Call("torch.full", (size, Literal(call.kwargs["value"]))),))


def training_only(graph: Graph) -> frozenset[str]:
    """List the nodes that only training-only outputs need."""
    if not any(output.is_training_only for output in graph.outputs):
        return frozenset()
    needed: set[str] = set()
    stack = [output.value.node for output in graph.outputs if not output.is_training_only]
    while stack:
        name = stack.pop()
        if name not in needed:
            needed.add(name)
            stack += [value.node for value in graph.nodes[name].inputs]
    return frozenset(graph.nodes) - needed
