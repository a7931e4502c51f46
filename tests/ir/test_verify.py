"""The verifier finds every rule that is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

import archdsl
from archdsl.ir.graph import Graph, Node, Output, Value
from archdsl.ir.verify import IllegalGraph, verify
from archdsl.specs import bundled_models

TEXT = """
model m {
  input [4, 8, 8]
  level: { conv 4; output early; conv 4 }
  shared: conv 4
  reuse shared
  act x 2
  add { pass; @level.early }
}
"""


def graph() -> Graph:
    return archdsl.load_text(TEXT).graph


def changed(before: Graph, nodes: Mapping[str, Node], outputs: tuple[Output, ...] | None = None) -> Graph:
    return Graph(before.name, before.kind, nodes, before.outputs if outputs is None else outputs, before.span)


def with_node(name: str, **changes: object) -> Callable[[Graph], Graph]:
    def change(before: Graph) -> Graph:
        node = replace(before.nodes[name], **changes)  # type: ignore[arg-type]
        return changed(before, {key: node if key == name else other for key, other in before.nodes.items()})

    return change


def moved(before: Graph) -> Graph:
    return changed(before, dict(reversed(list(before.nodes.items()))))


def refiled(before: Graph) -> Graph:
    return changed(before, {("other" if key == "shared" else key): node for key, node in before.nodes.items()})


def both(before: Graph) -> Graph:
    return with_node("level", op=before.nodes["shared"].op)(before)


def dotted(before: Graph) -> Graph:
    body = before.nodes["level"].body
    assert body is not None
    nodes = {f"a..{key}": replace(node, names=(f"a..{key}",)) for key, node in body.nodes.items()}
    return with_node("level", body=Graph("level", "group", nodes, body.outputs, body.span))(before)


def inner(before: Graph) -> Graph:
    body = before.nodes["level"].body
    assert body is not None
    return with_node("level", body=changed(body, body.nodes, ()))(before)


BROKEN: Mapping[str, tuple[Callable[[Graph], Graph], str]] = {
    "an output": (lambda g: changed(g, g.nodes, ()), "has no output"),
    "an inner output": (inner, "has no output"),
    "outputs of one name": (lambda g: changed(g, g.nodes, g.outputs * 2), "two outputs of one name"),
    "an output of no node": (lambda g: changed(g, g.nodes, (Output("a", Value("none")),)), "names no node"),
    "the file's name": (refiled, "filed under another name"),
    "an empty name": (with_node("act", names=("act", "")), "illegal name"),
    "an empty segment": (dotted, "illegal name"),
    "a name below another": (with_node("act", names=("act", "act.b")), "below another"),
    "a name twice": (with_node("act", names=("act", "act")), "repeats a name"),
    "another's name": (with_node("act", names=("act", "shared")), "name of another"),
    "operator and call": (both, "both an operator and a call"),
    "an input that reads": (with_node("input", inputs=(Value("shared"),)), "an input that reads"),
    "the order": (moved, "does not come before"),
    "an unknown output": (with_node("shared", inputs=(Value("level", "late"),)), "does not have"),
    "an operator's output": (with_node("act", inputs=(Value("shared", "early"),)), "does not have"),
    "a call's inputs": (with_node("level", inputs=(Value("input"), Value("input"))), "does not fit its body"),
    "an operator's inputs": (with_node("shared", inputs=(Value("input"), Value("input"))), "reads 2 values"),
    "a repeated reuse": (with_node("shared_2", names=("shared_2", "shared_3")), "no simple step"),
    "what is reused": (with_node("shared_2", reuses="none"), "not the same module"),
    "another operator reused": (with_node("shared_2", reuses="level"), "not the same module"),
}


@pytest.mark.parametrize(("change", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rule_is_found(change: Callable[[Graph], Graph], message: str) -> None:
    with pytest.raises(IllegalGraph, match=message):
        verify(change(graph()))


@pytest.mark.parametrize("name", sorted(name for name, _ in bundled_models())[::12])
def test_bundled_networks_are_legal(name: str) -> None:
    verify(archdsl.load(name).graph)


def test_an_unbroken_graph_is_legal() -> None:
    verify(graph())
    assert set(graph().nodes) == {"input", "level", "shared", "shared_2", "act", "add"}
