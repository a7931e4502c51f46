"""Values that are the same for every image: torch has them once, and they meet those of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.torch.code import Method, PyExpression, PyLiteral, PyName
from archdsl.backends.torch.layout import flat
from archdsl.backends.torch.values import Values
from archdsl.ir.graph import Node, Value
from archdsl.ops.base import TorchCall
from archdsl.passes.shapes import Shapes


class Once:
    """Which values of a body are computed once for all images, and how their code is written where that matters.

    What a learned tensor or a constant gives, and what is computed of such values alone, has a batch of one image, or
    none at all where it is the tensor itself. It stretches where an operator stretches axes of size 1; elsewhere it is
    expanded to the batch that it meets. What enters and leaves a body has the whole batch.
    """

    def __init__(self, shapes: Shapes, values: Values) -> None:
        self._shapes, self._values = shapes, values
        self._alone = self._find()
        self._bare: set[Value] = set()
        """Those that lack the axis of the batch."""
        graph = shapes.graph
        if any(values.result(output).node in self._alone for output in graph.outputs):
            values.uses[Value(graph.inputs[0].id)] += 1  # the batch's size is read from it

    def start(self, value: Value, code: PyExpression) -> None:
        """Note the code of a tensor, which is read from its attribute wherever it is used."""
        values = self._values
        values.code[value], values.read[value] = code, frozenset()
        node = self._shapes.graph.nodes[value.node]
        assert node.op is not None
        if len(self._call(node).args) == len(self._shapes.of(value)):
            self._bare.add(value)

    def settle_mixed(self, node: Node) -> None:
        """Give a name to what says how many images there are, where a node needs that."""
        if self._is_mixed(node) and not self._stretches(node):
            self._values.flush()

    def given(self, node: Node, codes: Sequence[PyExpression]) -> list[PyExpression]:
        """Return the codes of what a node reads, as it needs them."""
        sources = self._data(node)
        is_mixed, stretches = self._is_mixed(node), self._stretches(node)
        if is_mixed and stretches and self._call(node).kind == "operator":
            return list(codes)
        found: list[PyExpression] = []
        for source, code in zip(sources, codes, strict=False):
            if source.node not in self._alone:
                found.append(code)
            elif is_mixed and not stretches:
                batch = next(self._values.code[other] for other in sources if other.node not in self._alone)
                found.append(self._expanded(source, code, batch))
            else:
                found.append(Method(code, "unsqueeze", (PyLiteral(0),)) if source in self._bare else code)
        return [*found, *codes[len(found) :]]

    def finish(self) -> None:
        """Expand the outputs."""
        values, graph = self._values, self._shapes.graph
        results = [values.result(output) for output in graph.outputs]
        alone = [value for value in dict.fromkeys(results) if value.node in self._alone]
        if alone:
            values.flush()
            batch = values.code[Value(graph.inputs[0].id)]
            for value in alone:
                values.code[value] = self._expanded(value, values.code[value], batch)

    def _expanded(self, value: Value, code: PyExpression, batch: PyExpression) -> PyExpression:
        sizes = (PyLiteral(-1),) * len(self._shapes.of(value))
        return Method(code, "expand", (PyName(f"{flat(batch)}.shape[0]"), *sizes))

    def _is_mixed(self, node: Node) -> bool:
        return len({source.node in self._alone for source in self._data(node)}) > 1

    def _stretches(self, node: Node) -> bool:
        return node.op is not None and (self._call(node).stretches or self._call(node).kind == "operator")

    def _call(self, node: Node) -> TorchCall:
        assert node.op is not None
        return node.op.to_torch(self._shapes.inputs_of(node))

    def _data(self, node: Node) -> list[Value]:
        """List what a node reads, without values of which it reads the size alone."""
        sources = self._values.sources(node)
        return sources[: len(sources) - len(self._call(node).size_names)] if node.op is not None else sources

    def _find(self) -> frozenset[str]:
        """List the nodes that no image reaches."""
        found: set[str] = set()
        for node in self._shapes.graph.topological():
            if not node.is_input and all(value.node in found for value in self._data(node)):
                found.add(node.id)
        return frozenset(found)
