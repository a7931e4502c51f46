"""Which calls of a block look alike, so that one picture of its inside serves them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from archdsl.backends.picture.chunks import is_simple
from archdsl.backends.picture.parts import Frame
from archdsl.backends.picture.symbols import INPUT_CHANNELS, Numbers, Symbols, common_bindings
from archdsl.ir.graph import Graph, Node
from archdsl.ir.walk import PerBody, outer_first
from archdsl.passes.tables import Tables


@dataclass(slots=True, eq=False)
class BlockVariant:
    """A block's calls that differ in numbers only."""

    name: str
    calls: list[Tables] = field(default_factory=list[Tables])
    letter: str = ""
    """Tells it from the block's other variants, where it has any."""

    @property
    def title(self) -> str:
        return f"{self.name} {self.letter}".rstrip()

    def frame(self) -> Frame:
        bindings: dict[str, Numbers] = common_bindings([_bindings(call) for call in self.calls])
        return Frame(tuple(self.calls), Symbols(bindings))


def _bindings(call: Tables) -> dict[str, object]:
    channels = {INPUT_CHANNELS: call.shapes.inputs[0][0]} if call.shapes.inputs else {}
    return {**call.shapes.graph.bindings, **channels}


def _called(call: Tables) -> Iterator[Tables]:
    return (call.inner(node) for node in call.graph.topological() if node.body is not None)


class BlockVariants:
    """The variants of every block that is called anywhere below a call, in the order of first use."""

    def __init__(self, root: Tables) -> None:
        self._signatures: dict[object, int] = {}
        self._signature = PerBody[Graph, int](self._sign)
        self.is_simple = PerBody[Graph, bool](lambda graph, _: is_simple(graph))
        self._found: dict[tuple[str, int], BlockVariant] = {}
        self._walk(root)
        self._letter()

    def __iter__(self) -> Iterator[BlockVariant]:
        return iter(self._found.values())

    def of(self, graph: Graph) -> BlockVariant:
        return self._found[graph.name, self._signature(graph)]

    def _walk(self, root: Tables) -> None:
        for call in outer_first(root, _called):
            graph = call.graph
            if graph.kind == "block" and not self.is_simple(graph):
                key = (graph.name, self._signature(graph))
                self._found.setdefault(key, BlockVariant(graph.name)).calls.append(call)

    def _letter(self) -> None:
        by_name: dict[str, list[BlockVariant]] = {}
        for variant in self._found.values():
            by_name.setdefault(variant.name, []).append(variant)
        for variants in by_name.values():
            for index, variant in enumerate(variants if len(variants) > 1 else ()):
                variant.letter = chr(ord("A") + index) if index < 26 else str(index + 1)

    def _sign(self, graph: Graph, below: Callable[[Graph], int]) -> int:
        """Return a number that two bodies share if they differ in numbers only."""
        nodes = tuple(_told(node, below) for node in graph.topological())
        return self._signatures.setdefault((nodes, graph.outputs), len(self._signatures))


def _told(node: Node, below: Callable[[Graph], int]) -> object:
    inside: object = None
    if node.body is not None:
        inside = (node.body.kind, below(node.body))
    elif node.op is not None:
        inside = type(node.op), tuple((t.form, t.value is None, t.silent) for t in node.op.describe())
    return node.names, node.inputs, node.reuses, inside
