"""One body as the statements of the language: chains, joins with branches, references where neither will do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.backends.spec.names import Unit, are_numbers, settle
from archdsl.backends.spec.steps import NOWHERE, Unsayable, name
from archdsl.ir.graph import Graph, Node
from archdsl.ir.value import Output, Value
from archdsl.ops.sugar import total
from archdsl.syntax import tree


@dataclass
class BodyWriter:
    """Writes one body.

    `call` gives the action of a node, which is handed how the values that it reads beside what flows are written, and
    `word` what it goes by without a label. `given` says so of the values that arrive in the body itself.
    """

    graph: Graph
    call: Callable[[Node, Mapping[int, tree.Reference]], tree.Action]
    word: Callable[[Node], str]
    names_inside: Callable[[Graph], frozenset[str]]
    given: Mapping[str, tree.Reference]
    is_plain: bool
    """Whether joins are written by references alone, without branches."""
    units: list[Unit] = field(default_factory=list[Unit])
    made: dict[str, int] = field(default_factory=dict[str, int])
    """Which unit gives a node's results."""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    """Labels for what cannot bear one itself, by the node."""
    hidden: dict[str, frozenset[str]] = field(default_factory=dict[str, "frozenset[str]"])
    """What the labels in `tags` may not be besides, since levels inside that read them have steps of these names."""
    is_draft: bool = False
    """Whether it is only to be found what needs a label."""

    def statements(self) -> list[tree.Statement]:
        """Return the statements of the whole body."""
        entry = next((node.id for node in self.graph.inputs if node.op is None), None)
        start = Value(entry) if entry is not None else None
        nodes = [node for node in self.graph.topological() if not node.is_input or node.op is not None]
        if not nodes:
            raise Unsayable(f"`{self.graph.name}` without a step")
        self.units = [unit for node in nodes for unit in self._units(node)]
        if self._is_numbered(nodes, entry):
            self._index()
            return [*self.chain(0, len(self.units), start)[0], *self._plain_outputs()]
        if not any(unit.is_labelled for unit in self.units):
            first = next((unit for unit in self.units if not unit.has_own_name and len(unit.names) == 1), None)
            if first is not None:
                first.is_labelled = True
        self.units = settle(self.units, self._arriving(nodes, entry))
        self._index()
        self.is_draft = True
        self._outputs(self.chain(0, len(self.units), start)[1])
        self.is_draft = False
        body, flow = self.chain(0, len(self.units), start)
        body = [*body, *self._outputs(flow)]
        if entry in self.tags:
            body.insert(0, self._tag(entry))
        return body

    def _units(self, node: Node) -> list[Unit]:
        if node.reuses is not None:
            return [Unit(node, node.names, node.reuses)]
        hint = self.word(node)
        is_needed = not _is_join(node) and (node.is_labelled or self._is_far(node) or _is_reused(node, self.graph))
        if is_needed:
            return [Unit(node, (one,), hint, is_labelled=True) for one in node.names]
        return [Unit(node, node.names, hint)]

    def _is_far(self, node: Node) -> bool:
        """Return whether a named result of a node is read, which takes a reference."""
        values = [value for other in self.graph.nodes.values() for value in other.inputs]
        values += [output.value for output in self.graph.outputs]
        return any(value.node == node.id and value.output for value in values)

    def _is_numbered(self, nodes: Sequence[Node], entry: str | None) -> bool:
        flow = Value(entry) if entry is not None else None
        for node in nodes:
            is_plain = node.op is None or not (node.op.is_join or node.op.is_parameter)
            if not is_plain or node.reuses is not None or node.is_labelled:
                return False
            if not node.is_input and node.inputs != (flow,):
                return False
            flow = Value(node.id)
        outputs = self.graph.outputs
        is_one = len(outputs) == 1 and outputs[0].value == flow and not outputs[0].is_training_only
        return is_one and are_numbers(self.units)

    def _index(self) -> None:
        self.made = {unit.node.id: index for index, unit in enumerate(self.units)}

    def _arriving(self, nodes: Sequence[Node], entry: str | None) -> dict[str, list[str]]:
        """Map nodes to the words that the places go by where values arrive before them, in a block all at its start."""
        found: dict[str, list[str]] = {nodes[0].id: ["input"] if entry is not None else []}
        readers = {value.node: node.id for node in reversed(nodes) for value in node.inputs_read}
        for index in self.graph.entries_read[1:]:
            arrives = self.graph.inputs[index].id
            if arrives in self.given:
                reader = readers.get(arrives) if self.graph.kind == "group" else nodes[0].id
                found.setdefault(reader or "", []).append(arrival(self.given[arrives]))
        return found

    # Chains.

    def chain(self, low: int, high: int, flow: Value | None) -> tuple[list[tree.Statement], Value | None]:
        """Return the statements of some units, and what flows behind them."""
        found: list[tree.Statement] = []
        index = low
        while index < high:
            unit = self.units[index]
            branches = None if self.is_plain or flow is None else self._branches(index, high, flow)
            if branches is not None and flow is not None:
                end, parts = branches
                found.append(self._join(self.units[end], parts, flow))
                unit, index = self.units[end], end
            elif unit.is_join:
                if flow is None:
                    raise Unsayable("a join before any input")
                if unit.node.repeat > 1 and flow != (first := unit.node.inputs[0]):
                    found.append(_step(self.refer(first)))
                    flow = first
                found.append(self._join(unit, [(0, 0, value) for value in _joined(unit.node)], flow))
            else:
                if not _reads_nothing(unit.node) and flow != (source := self._source(index)):
                    found.append(_step(self.refer(source)))
                found.append(self._step(index))
            flow = Value(unit.node.id)
            if unit.node.id in self.tags and self.made[unit.node.id] == index:
                found.append(self._tag(unit.node.id))
            index += 1
        return found, flow

    def _source(self, index: int) -> Value:
        """Return what a unit reads: the repeat before it, or what its node does."""
        unit = self.units[index]
        if index and self.units[index - 1].node is unit.node:
            return Value(unit.node.id)
        return unit.node.inputs[0]

    def _branches(self, low: int, high: int, flow: Value) -> tuple[int, list[tuple[int, int, Value]]] | None:
        """Return the nearest join that all units from here on lead to, and the units of each of its branches."""
        for end in range(low, high):
            if not self.units[end].is_join or self.units[end].node.repeat > 1:
                continue
            parts: list[tuple[int, int, Value]] = []
            position = low
            for value in _joined(self.units[end].node):
                made = self.made.get(value.node, -1)
                if position <= made < end and not value.output:
                    parts.append((position, made + 1, value))
                    position = made + 1
                else:
                    parts.append((0, 0, value))
            starts = sum(value == flow or (lo < hi and self._starts(lo, flow)) for lo, hi, value in parts)
            apart = sum(lo < hi and not self._starts(lo, flow) for lo, hi, _ in parts)
            if position == end and starts > 0 and starts + apart > 1 and position > low:
                return end, parts
        return None

    def _starts(self, index: int, flow: Value) -> bool:
        """Return whether a unit reads what flows into a join."""
        unit = self.units[index]
        if _reads_nothing(unit.node):
            return not unit.node.is_input
        if unit.is_join:
            return flow in unit.node.inputs
        return self._source(index) == flow

    def _join(self, unit: Unit, parts: Sequence[tuple[int, int, Value]], flow: Value) -> tree.Statement:
        # A repeated join takes the flow up anew each time, and what it joins with it stays.
        flowing = [flow if index == 0 or unit.node.repeat == 1 else None for index in range(len(parts))]
        bodies = [self._branch(*part, starts) for part, starts in zip(parts, flowing, strict=True)]
        action = self._action(unit.node)
        assert isinstance(action, tree.Call)
        is_residual = len(parts) == 2 and parts[1][2] == flow and parts[0][0] < parts[0][1]
        if is_residual and action.name.text == total().keyword:
            return _step(tree.Residual(None, tree.Body(tuple(bodies[0]), NOWHERE), None, None, NOWHERE))
        statements = [one for body in bodies for one in _as_branch(body)]
        joined = tree.Call(action.name, action.arguments, tree.Body(tuple(statements), NOWHERE), NOWHERE)
        return tree.Step(None, joined, _times(unit), NOWHERE)

    def _branch(self, low: int, high: int, value: Value, flow: Value | None) -> list[tree.Statement]:
        if low < high:
            return self.chain(low, high, flow)[0]
        return [_step(tree.Call(name("pass"), (), None, NOWHERE) if value == flow else self.refer(value))]

    # Single steps.

    def _step(self, index: int) -> tree.Statement:
        unit = self.units[index]
        if unit.node.reuses is not None:
            first = self.graph.nodes[unit.node.reuses]
            if unit.is_join or first.repeat > 1:
                raise Unsayable(f"`{unit.names[0]}`, which reuses what cannot be named")
            if unit.node.inputs[1:] != first.inputs[1:]:
                raise Unsayable(f"`{unit.names[0]}`, which reuses `{first.id}` with other values")
            return _step(tree.Reuse(tree.LabelText((first.id,), NOWHERE), NOWHERE))
        label = tree.LabelText((unit.names[0],), NOWHERE) if unit.is_labelled else None
        return tree.Step(label, self._action(unit.node), _times(unit), NOWHERE)

    def _action(self, node: Node) -> tree.Action:
        """Return what a node does, with references to the values that it reads beside what flows."""
        if node.body is None:
            first = len(_joined(node)) if _is_join(node) else 1
            return self.call(node, {index: self.refer(node.inputs[index]) for index in range(first, len(node.inputs))})
        hidden = self.names_inside(node.body) if node.body.kind == "group" else frozenset[str]()
        read = {index: self.refer(node.inputs[index], hidden) for index in node.body.entries_read[1:]}
        if self.is_draft and read:
            return tree.Group(tree.Body((), NOWHERE), NOWHERE)
        return self.call(node, read)

    def refer(self, value: Value, hidden: frozenset[str] = frozenset()) -> tree.Reference:
        """Return a reference to a value, whose step gets a label if it has none that reaches past those `hidden`."""
        if value.node in self.given:
            return self.given[value.node]
        index = self.made.get(value.node, -1)
        unit = self.units[index] if index >= 0 else None
        if unit is not None and unit.is_labelled and unit.names[0] not in hidden:
            label = unit.names[0]
        else:
            self._tag_apart(value.node, f"{'after_' if unit else ''}{value.node}", hidden)
            label = self.tags[value.node]
        outputs = (tree.LabelText((value.output,), NOWHERE),) if value.output else ()
        return tree.Reference(tree.LabelText((label,), NOWHERE), outputs, NOWHERE)

    def _tag_apart(self, node: str, wanted: str, hidden: frozenset[str]) -> None:
        """Give a node's result a label that no other step goes by, here or where it is to be seen."""
        self.hidden[node] = hidden = self.hidden.get(node, frozenset()) | hidden
        taken = {name for unit in self.units for name in unit.names} | hidden
        taken |= {label for other, label in self.tags.items() if other != node}
        taken |= {arrival(reference) for reference in self.given.values()}
        found = self.tags.get(node, wanted)
        while found in taken:
            found += "_"
        self.tags[node] = found

    def _tag(self, node: str) -> tree.Statement:
        label = tree.LabelText((self.tags[node],), NOWHERE)
        return tree.Step(label, tree.Call(name("pass"), (), None, NOWHERE), None, NOWHERE)

    # Outputs.

    def _plain_outputs(self) -> list[tree.Statement]:
        return [_output(output, None) for output in self.graph.outputs if output.name]

    def _outputs(self, flow: Value | None) -> list[tree.Statement]:
        """Return what names the outputs, behind all steps; the main one is what flows last, unless it has a name."""
        named = [output for output in self.graph.outputs if output.name]
        named.sort(key=lambda output: not output.is_training_only)
        is_main_named = bool(self.graph.outputs[0].name)
        found: list[tree.Statement] = []
        for output in named:
            body = None if output.value == flow else tree.Body((_step(self.refer(output.value)),), NOWHERE)
            found.append(_output(output, body))
        if not is_main_named and flow != self.graph.main:
            found.append(_step(self.refer(self.graph.main)))
        elif not is_main_named and found:
            found.append(_step(tree.Call(name("pass"), (), None, NOWHERE)))
        return found


def arrival(reference: tree.Reference) -> str:
    """Return the word that the place goes by where a value arrives that is written so."""
    pieces = (reference.outputs[-1] if reference.outputs else reference.label).pieces
    return "".join(map(str, pieces))


def _times(unit: Unit) -> tree.Literal | None:
    return tree.Literal(len(unit.names), NOWHERE) if len(unit.names) > 1 else None


def _joined(node: Node) -> Sequence[Value]:
    """Return the values that a join joins, without those of its attributes."""
    assert node.op is not None
    return node.inputs[: len(node.inputs) - node.op.values_read()]


def _reads_nothing(node: Node) -> bool:
    return node.is_input or (node.op is not None and node.op.is_source)


def _is_join(node: Node) -> bool:
    return node.op is not None and node.op.is_join


def _step(action: tree.Action) -> tree.Step:
    return tree.Step(None, action, None, NOWHERE)


def _output(output: Output, body: tree.Body | None) -> tree.OutputStatement:
    label = tree.LabelText((output.name,), NOWHERE)
    return tree.OutputStatement(label, output.is_training_only, None, body, NOWHERE)


def _as_branch(statements: list[tree.Statement]) -> list[tree.Statement]:
    """Return a branch of a join: a step that says all, else a group of them."""
    only = statements[0] if len(statements) == 1 else None
    is_group = isinstance(only, tree.Step) and only.label is None and isinstance(only.action, tree.Group)
    if isinstance(only, tree.Step) and not is_group:
        return statements
    return [_step(tree.Group(tree.Body(tuple(statements), NOWHERE), NOWHERE))]


def _is_reused(node: Node, graph: Graph) -> bool:
    return any(other.reuses == node.id for other in graph.nodes.values())
