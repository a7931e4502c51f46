"""Places for what a networkx graph has without a text: one line for every node, which shows its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from archdsl.ops.base import Op
from archdsl.text.source import Source, Span

if TYPE_CHECKING:
    from networkx import MultiDiGraph

MAX_DEPTH = 150
"""How deep bodies may stand in each other."""

NAME = "<networkx>"
"""What messages show in the place of a file's name."""


class Listing:
    """A source whose lines are a model and its nodes by path, each body's once, where it is first called."""

    def __init__(self, graph: MultiDiGraph[str]) -> None:
        self._lines: list[str] = []
        self._numbers: dict[tuple[int, str | None], int] = {}
        self.paths: dict[int, str] = {}
        """How the path of a body's nodes begins, by the body's identity."""
        name: object = graph.graph.get("name")
        self._add(graph, "", f"model {shown(name) if isinstance(name, str) and name else 'network'}")
        self.source = Source("\n".join(self._lines), NAME)

    def span(self, graph: MultiDiGraph[str], node: str | None = None) -> Span:
        """Return the line of a node, or with None that of the body itself."""
        number = self._numbers[id(graph), node]
        start = self.source.line_starts[number]
        return Span(start, start + len(self._lines[number]), self.source)

    def _add(self, graph: MultiDiGraph[str], path: str, title: str) -> None:
        if title:
            self._lines.append(title)
        self.paths[id(graph)] = path
        self._numbers[id(graph), None] = len(self._lines) - 1
        for node, data in graph.nodes(data=True):
            self._numbers[id(graph), node] = len(self._lines)
            op, body = data.get("op"), data.get("body")
            self._lines.append(" ".join(f"{path}{shown(node)}: {_title(op, body)}".split()))
            if is_graph(body) and id(body) not in self.paths and path.count(".") <= MAX_DEPTH:
                self._add(body, f"{path}{node}.", "")


def is_graph(value: object) -> TypeGuard[MultiDiGraph[str]]:
    """Return whether something is a directed graph of networkx."""
    from networkx import DiGraph

    return isinstance(value, DiGraph)


def shown(value: object) -> str:
    r"""Return a value in one short line, a text as it is: whatever a user put where we read, it can be told.

    >>> shown("conv1"), shown((1, "a\\nb")), shown(10**5000)
    ('conv1', "(1, 'a\\\\nb')", '<int>')
    """
    try:
        text = " ".join((value if isinstance(value, str) else repr(value)).split())
    except Exception:  # noqa: BLE001 -- whatever the class of a value raises: it is to be named, and not used
        text = f"<{type(value).__name__}>"
    return f"{text[:_LONGEST_SHOWN]}…" if len(text) > _LONGEST_SHOWN else text


_LONGEST_SHOWN = 200


def _title(op: object, body: object) -> str:
    if isinstance(op, Op):
        fields = type(op).model_fields.items()
        given = ((key, shown(getattr(op, key, field.default)), shown(field.default)) for key, field in fields)
        return " ".join([op.keyword, *(f"{key}={value}" for key, value, default in given if value != default)])
    return shown(body.graph.get("name", "body")) if is_graph(body) else "input"
