"""A graph as a spec: one block for each distinct body that was one, levels for its groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from archdsl.backends.spec.level import BodyWriter, arrival
from archdsl.backends.spec.said import SaidOfWeights
from archdsl.backends.spec.steps import NOWHERE, call, name
from archdsl.ir.content import contents_of
from archdsl.ir.graph import Graph, Node
from archdsl.ir.walk import PerBody
from archdsl.ops import OPS
from archdsl.syntax import tree
from archdsl.syntax.parser import language_words
from archdsl.syntax.write import write

_MEANT = frozenset({"act", "freeze", "norm", "pass", "weights"})
"""What a block cannot be called beside operators and words of the language: of these a body means something else."""

_NOTHING = SaidOfWeights()


def spec_text(graph: Graph, said: SaidOfWeights = _NOTHING, *, is_plain: bool = False) -> str:
    """Return the text of a spec that lowers to the same graph; with `is_plain` joins are written by references alone.

    `said` is what it says of the weights besides.
    Requires: a graph whose names are no paths. Raises Unsayable for what the language has no words for.
    """
    return _Spec(graph, contents_of(graph, is_bare=True, tells_frozen=False), is_plain, said).text()


@dataclass
class _Spec:
    graph: Graph
    contents: Mapping[Graph, str]
    is_plain: bool
    said: SaidOfWeights
    blocks: dict[tuple[str, str], tree.Block] = field(default_factory=dict[tuple[str, str], tree.Block])
    docs: dict[str, str] = field(default_factory=dict[str, str])
    bodies: dict[Graph, tree.Body] = field(default_factory=dict[Graph, tree.Body])

    def text(self) -> str:
        body = self._body(self.graph)
        body = replace(body, statements=(*body.statements, *self.said.statements()))
        model = tree.Model(name(self.graph.name), (), body, NOWHERE)
        return write([*self.blocks.values(), model], {**self.docs, self.graph.name: self.graph.doc})

    def __post_init__(self) -> None:
        self.names_inside = PerBody[Graph, frozenset[str]](_names_inside)

    def _body(self, graph: Graph, given: Mapping[str, tree.Reference] | None = None) -> tree.Body:
        """Return the statements of a body, where the values that arrive in it are written as is `given`."""
        if given:
            return self._written(graph, given)
        if graph not in self.bodies:
            self.bodies[graph] = self._written(graph, {})
        return self.bodies[graph]

    def _written(self, graph: Graph, given: Mapping[str, tree.Reference]) -> tree.Body:
        writer = BodyWriter(graph, self._call, self._word, self.names_inside, given, self.is_plain)
        return tree.Body(tuple(writer.statements()), NOWHERE)

    def _word(self, node: Node) -> str:
        if node.op is not None:
            return node.op.keyword
        assert node.body is not None
        return "group" if node.body.kind == "group" else self._block(node.body).name.text

    def _call(self, node: Node, read: Mapping[int, tree.Reference]) -> tree.Action:
        if node.op is not None:
            return call(node.op, read)
        assert node.body is not None
        if node.body.kind == "group":
            entries = node.body.inputs
            given = {entries[index].id: reference for index, reference in read.items()}
            return tree.Group(self._body(node.body, given), NOWHERE)
        arguments = tuple(tree.Argument(None, reference, NOWHERE) for reference in read.values())
        return tree.Call(self._block(node.body).name, arguments, None, NOWHERE)

    def _block(self, graph: Graph) -> tree.Block:
        """Return the block of a body, which takes the values that it reads in the order in which it does."""
        key = (graph.name, self.contents[graph])
        if key not in self.blocks:
            taken = set(self.names_inside(graph)) | _MEANT | language_words()
            given: dict[str, tree.Reference] = {}
            for index in graph.entries_read[1:]:
                entry = graph.inputs[index].id
                word = _unlike(_identifier(entry, "value"), taken)
                taken.add(word)
                given[entry] = tree.Reference(tree.LabelText((word,), NOWHERE), (), NOWHERE)
            parameters = [tree.Parameter(name(arrival(one)), name("value"), None, NOWHERE) for one in given.values()]
            body = self._body(graph, given)
            chosen = self._free(graph.name)
            self.blocks[key] = tree.Block(name(chosen), tuple(parameters), body, False, NOWHERE)
            self.docs[chosen] = graph.doc
        return self.blocks[key]

    def _free(self, wanted: str) -> str:
        wanted = _identifier(wanted, "block")
        wanted = f"{wanted}_block" if wanted in OPS or wanted in _MEANT | language_words() else wanted
        taken = {block.name.text for block in self.blocks.values()} | {self.graph.name}
        found, number = wanted, 2
        while found in taken:
            found, number = f"{wanted}_{number}", number + 1
        return found


def _names_inside(graph: Graph, below: Callable[[Graph], frozenset[str]]) -> frozenset[str]:
    """List what may be labels in a body, and in the groups inside it that read values from around them."""
    found = {name for node in graph.nodes.values() if not node.is_input for name in node.names}
    groups = [node.body for node in graph.nodes.values() if node.body is not None and node.body.kind == "group"]
    return frozenset(found).union(*(below(body) for body in groups if len(body.inputs) > 1))


def _identifier(wanted: str, otherwise: str) -> str:
    wanted = wanted.replace("-", "_")
    return wanted if wanted.isidentifier() else f"{otherwise}_{wanted}"


def _unlike(wanted: str, taken: Collection[str]) -> str:
    while wanted in taken:
        wanted += "_"
    return wanted
