"""A graph as a spec: one block for each distinct body that was one, levels for its groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archdsl.backends.spec.level import BodyWriter
from archdsl.backends.spec.steps import NOWHERE, call, name
from archdsl.ir.content import contents_of
from archdsl.ir.graph import Graph, Node
from archdsl.ops import OPS
from archdsl.syntax import tree
from archdsl.syntax.write import write

# What a block cannot be called, beside operators: words of the language, and names of the context.
_TAKEN = frozenset(
    [
        *("act", "allow", "and", "as", "assert", "block", "choose", "defaults", "double", "else", "false", "fn", "for"),
        *("if", "in", "inline", "keys", "let", "model", "norm", "not", "of", "or", "output", "pass", "remove"),
        *("replace", "residual", "reuse", "set", "shortcut", "split", "stages", "training", "true", "use", "variant"),
        *("when", "x"),
    ]
)


def spec_text(graph: Graph, *, is_plain: bool = False) -> str:
    """Return the text of a spec that lowers to the same graph; with `is_plain` joins are written by references alone.

    Requires: a graph whose names are no paths. Raises Unsayable for what the language has no words for.
    """
    return _Spec(graph, contents_of(graph, is_bare=True), is_plain).text()


@dataclass
class _Spec:
    graph: Graph
    contents: Mapping[Graph, str]
    is_plain: bool
    blocks: dict[tuple[str, str], tree.Block] = field(default_factory=dict[tuple[str, str], tree.Block])
    docs: dict[str, str] = field(default_factory=dict[str, str])
    bodies: dict[Graph, tree.Body] = field(default_factory=dict[Graph, tree.Body])

    def text(self) -> str:
        body = self._body(self.graph)
        model = tree.Model(name(self.graph.name), (), body, NOWHERE)
        return write([*self.blocks.values(), model], {**self.docs, self.graph.name: self.graph.doc})

    def _body(self, graph: Graph) -> tree.Body:
        if graph not in self.bodies:
            statements = BodyWriter(graph, self._call, self.is_plain).statements()
            self.bodies[graph] = tree.Body(tuple(statements), NOWHERE)
        return self.bodies[graph]

    def _call(self, node: Node) -> tuple[tree.Action, str]:
        if node.op is not None:
            return call(node.op), node.op.keyword
        assert node.body is not None
        if node.body.kind == "group":
            return tree.Group(self._body(node.body), NOWHERE), "group"
        block = self._block(node.body)
        return tree.Call(block.name, (), None, NOWHERE), block.name.text

    def _block(self, graph: Graph) -> tree.Block:
        key = (graph.name, self.contents[graph])
        if key not in self.blocks:
            body = self._body(graph)
            chosen = self._free(graph.name.replace("-", "_"))
            self.blocks[key] = tree.Block(name(chosen), (), body, False, NOWHERE)
            self.docs[chosen] = graph.doc
        return self.blocks[key]

    def _free(self, wanted: str) -> str:
        wanted = wanted if wanted.isidentifier() else f"block_{wanted}"
        wanted = f"{wanted}_block" if wanted in OPS or wanted in _TAKEN else wanted
        taken = {block.name.text for block in self.blocks.values()} | {self.graph.name}
        found, number = wanted, 2
        while found in taken:
            found, number = f"{wanted}_{number}", number + 1
        return found
