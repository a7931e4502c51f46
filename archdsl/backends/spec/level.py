"""One body as the statements of the language: chains, joins with branches, references where neither will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archdsl.backends.spec.names import Unit, are_numbers, settle
from archdsl.backends.spec.steps import NOWHERE, Unsayable, name
from archdsl.ir.graph import Graph, Node
from archdsl.ir.value import Output, Value
from archdsl.ops.sugar import total
from archdsl.syntax import tree


@dataclass
class BodyWriter:
    """Writes one body. `call` gives the action of a node and the word that it goes by without a label."""

    graph: Graph
    call: Callable[[Node], tuple[tree.Action, str]]
    is_plain: bool
    """Whether joins are written by references alone, without branches."""
    units: list[Unit] = field(default_factory=list[Unit])
    made: dict[str, int] = field(default_factory=dict[str, int])
    """Which unit gives a node's results."""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    """Labels for what cannot bear one itself, by the node."""
    used: set[str] = field(default_factory=set[str])

    def statements(self) -> list[tree.Statement]:
        """Return the statements of the whole body."""
        arriving = [node for node in self.graph.inputs if node.op is None]
        if len(arriving) > 1:
            raise Unsayable(f"`{self.graph.name}` with {len(arriving)} inputs, where a body has one")
        entry = arriving[0].id if arriving else None
        start = Value(entry) if entry is not None else None
        nodes = [node for node in self.graph.topological() if node.id != entry]
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
        self.units = settle(self.units, entry)
        self._index()
        self._outputs(self.chain(0, len(self.units), start)[1])  # finds what needs a label
        body, flow = self.chain(0, len(self.units), start)
        body = [*body, *self._outputs(flow)]
        if entry in self.tags:
            body.insert(0, self._tag(entry))
        return body

    def _units(self, node: Node) -> list[Unit]:
        if node.reuses is not None:
            return [Unit(node, node.names, node.reuses)]
        _, hint = self.call(node)
        is_needed = not _is_join(node) and (node.is_labelled or self._is_far(node) or self._is_reused(node))
        if is_needed:
            return [Unit(node, (one,), hint, is_labelled=True) for one in node.names]
        return [Unit(node, node.names, hint)]

    def _is_reused(self, node: Node) -> bool:
        return any(other.reuses == node.id for other in self.graph.nodes.values())

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
                found.append(self._join(unit, [(0, 0, value) for value in unit.node.inputs], flow))
            else:
                if not unit.node.is_input and flow != (source := self._source(index)):
                    found.append(_step(self.refer(source)))
                found.append(self._step(index))
            flow = Value(unit.node.id)
            if unit.node.id in self.tags:
                found.append(self._tag(unit.node.id))
            index += 1
        return found, flow

    def _source(self, index: int) -> Value:
        """Return what a unit reads: the repeat before it, or what its node does."""
        unit = self.units[index]
        if index and self.units[index - 1].node is unit.node:
            return Value(unit.node.id)
        if len(unit.node.inputs) != 1:
            raise Unsayable(f"`{unit.names[0]}`, which reads {len(unit.node.inputs)} values and is no join")
        return unit.node.inputs[0]

    def _branches(self, low: int, high: int, flow: Value) -> tuple[int, list[tuple[int, int, Value]]] | None:
        """Return the nearest join that all units from here on lead to, and the units of each of its branches."""
        for end in range(low, high):
            if not self.units[end].is_join:
                continue
            parts: list[tuple[int, int, Value]] = []
            position = low
            for value in self.units[end].node.inputs:
                made = self.made.get(value.node, -1)
                if position <= made < end and not value.output:
                    parts.append((position, made + 1, value))
                    position = made + 1
                else:
                    parts.append((0, 0, value))
            starts = sum(value == flow or (lo < hi and self._starts(lo, flow)) for lo, hi, value in parts)
            if position == end and starts > 1 and position > low:
                return end, parts
        return None

    def _starts(self, index: int, flow: Value) -> bool:
        """Return whether a unit reads what flows into a join."""
        unit = self.units[index]
        if unit.is_join or unit.node.is_input:
            return flow in unit.node.inputs
        return self._source(index) == flow

    def _join(self, unit: Unit, parts: Sequence[tuple[int, int, Value]], flow: Value) -> tree.Statement:
        bodies = [self._branch(low, high, value, flow) for low, high, value in parts]
        action, _ = self.call(unit.node)
        assert isinstance(action, tree.Call)
        is_residual = len(parts) == 2 and parts[1][2] == flow and parts[0][0] < parts[0][1]
        if is_residual and action.name.text == total().keyword:
            return _step(tree.Residual(None, tree.Body(tuple(bodies[0]), NOWHERE), None, None, NOWHERE))
        statements = [one for body in bodies for one in _as_branch(body)]
        return _step(tree.Call(action.name, action.arguments, tree.Body(tuple(statements), NOWHERE), NOWHERE))

    def _branch(self, low: int, high: int, value: Value, flow: Value) -> list[tree.Statement]:
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
            return _step(tree.Reuse(tree.LabelText((first.id,), NOWHERE), NOWHERE))
        action, _ = self.call(unit.node)
        label = tree.LabelText((unit.names[0],), NOWHERE) if unit.is_labelled else None
        count = tree.Literal(len(unit.names), NOWHERE) if len(unit.names) > 1 else None
        return tree.Step(label, action, count, NOWHERE)

    def refer(self, value: Value) -> tree.Reference:
        """Return a reference to a value, whose step gets a label if it has none."""
        index = self.made.get(value.node, -1)
        unit = self.units[index] if index >= 0 else None
        if unit is not None and unit.is_labelled:
            label = unit.names[0]
        else:
            label = self.tags.setdefault(value.node, self._fresh(f"{'after_' if unit else ''}{value.node}"))
        outputs = (name(value.output),) if value.output else ()
        return tree.Reference(tree.LabelText((label,), NOWHERE), outputs, NOWHERE)

    def _fresh(self, wanted: str) -> str:
        """Return a label that no step goes by."""
        taken = {name for unit in self.units for name in unit.names} | set(self.tags.values())
        found = wanted
        while found in taken:
            found += "_"
        return found

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


def _is_join(node: Node) -> bool:
    return node.op is not None and node.op.is_join


def _step(action: tree.Action) -> tree.Step:
    return tree.Step(None, action, None, NOWHERE)


def _output(output: Output, body: tree.Body | None) -> tree.OutputStatement:
    return tree.OutputStatement(name(output.name), output.is_training_only, body, NOWHERE)


def _as_branch(statements: list[tree.Statement]) -> list[tree.Statement]:
    """Return a branch of a join: a step that says all, else a group of them."""
    only = statements[0] if len(statements) == 1 else None
    is_group = isinstance(only, tree.Step) and only.label is None and isinstance(only.action, tree.Group)
    if isinstance(only, tree.Step) and not is_group:
        return statements
    return [_step(tree.Group(tree.Body(tuple(statements), NOWHERE), NOWHERE))]
