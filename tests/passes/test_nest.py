"""Flat graphs nested again: the same names, values, outputs and order, or the path that stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.ir.content import content_of
from archdsl.ir.flatten import flatten
from archdsl.ir.graph import Graph
from archdsl.ir.value import Output, Value
from archdsl.ir.verify import verify
from archdsl.network import Network
from archdsl.ops import OPS
from archdsl.passes.nest import Obstacle, nest
from archdsl.specs import bundled_models
from tests.bundled import ENDS, tiered
from tests.ir.test_networkx import network_of
from tests.strategies import Spec, specs

if TYPE_CHECKING:
    from networkx import MultiDiGraph

QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
CHAIN = "model m { input [4, 8, 8]; a: { conv1: conv 4; act; conv2: conv 4 }; b: { conv1: conv 4; act }; last: conv 2 }"


def flat_content(graph: MultiDiGraph[str]) -> str:
    return content_of(archdsl.from_networkx(graph).graph, is_bare=True)


def nested(graph: MultiDiGraph[str]) -> Graph:
    found = nest(archdsl.from_networkx(graph).graph)
    assert isinstance(found, Graph)
    verify(found)
    assert flat_content(flatten(found)) == flat_content(graph)
    return found


def obstacle(graph: MultiDiGraph[str]) -> tuple[str, str]:
    found = nest(archdsl.from_networkx(graph).graph)
    assert isinstance(found, Obstacle)
    return found.path, found.reason


def check_written(network: Network) -> None:
    flat = archdsl.from_networkx(network.flatten())
    again = archdsl.load_text(flat.text(), network.name)
    assert again.state == network.state
    assert again.tables.costs.total == network.tables.costs.total
    assert list(again.outputs.items()) == list(network.outputs.items())
    assert flat_content(again.flatten()) == flat_content(network.flatten())


@pytest.mark.parametrize("name", [name for name, _ in bundled_models()][5::16])
def test_a_flat_bundled_network_is_written_as_the_same_network(name: str) -> None:
    check_written(network_of(name))


@pytest.mark.parametrize("name", tiered(ENDS))
def test_the_ends_of_every_file_are_written_from_flat_as_the_same_network(name: str) -> None:
    check_written(network_of(name))
    check_written(network_of(name).for_inference())


@QUICK
@given(specs())
def test_a_flat_random_network_is_nested_and_written_as_the_same(spec: Spec) -> None:
    network = archdsl.load_text(spec.text, spec.model)
    nested(network.flatten())
    check_written(network)


@QUICK
@given(specs(), st.data())
def test_a_rewired_random_network_is_written_as_the_same_or_not_at_all(spec: Spec, data: st.DataObject) -> None:
    graph = archdsl.load_text(spec.text, spec.model).flatten()
    order = list(graph)
    for _ in range(data.draw(st.integers(1, 3))):
        one, reader, key = data.draw(st.sampled_from(list(graph.edges(keys=True))))
        shape = graph.edges[one, reader, key].get("shape")
        earlier = order[: order.index(reader)]
        alike = [name for name in earlier if graph.nodes[name].get("shapes", {}).get("") == shape]
        if alike:
            attributes = graph.edges[one, reader, key]
            graph.remove_edge(one, reader, key)
            graph.add_edge(data.draw(st.sampled_from(alike)), reader, **attributes)
    outputs = [*graph.graph["outputs"], Output("more", Value(data.draw(st.sampled_from(order[1:]))))]
    graph.graph["outputs"] = tuple(outputs)
    try:
        network = archdsl.from_networkx(graph)
        text = network.text()
    except archdsl.SpecError:
        return
    again = archdsl.load_text(text, network.name)
    assert dict(again.state) == dict(network.state)
    assert flat_content(again.flatten()) == content_of(network.graph, is_bare=True)


def test_equal_bodies_are_one_block() -> None:
    graph = nested(archdsl.load("resnet18").flatten())
    layer = graph.nodes["layer1"].body
    assert layer is not None
    first, second = (layer.nodes[name].body for name in "01")
    assert first is second
    assert first is not None
    assert (first.kind, first.name) == ("block", "layer1_0")


def test_a_network_without_paths_stays_as_it_is() -> None:
    graph = archdsl.load("resnet18").graph
    assert nest(graph) is graph


def test_what_is_read_inside_a_body_becomes_an_output_of_it() -> None:
    graph = archdsl.load_text(CHAIN).flatten()
    graph.graph["outputs"] = (*graph.graph["outputs"], Output("tap", Value("a.conv1")))
    body = nested(graph).nodes["a"].body
    assert body is not None
    assert [output.name for output in body.outputs] == ["", "at_conv1"]
    assert "output at_conv1" in archdsl.from_networkx(graph).text()


def test_what_only_training_reads_of_a_body_is_given_in_training_only() -> None:
    graph = archdsl.load_text(CHAIN).flatten()
    graph.graph["outputs"] = (*graph.graph["outputs"], Output("tap", Value("a.conv1"), is_training_only=True))
    graph.graph["outputs"] += (Output("late", Value("b.act"), is_training_only=True),)
    found = nested(graph).nodes["a"].body
    assert found is not None
    assert [output.is_training_only for output in found.outputs] == [False, False]
    graph.add_edge("input", "a.act", port=0)
    graph.remove_edge("a.conv1", "a.act")
    found = nested(graph).nodes["a"].body
    assert found is not None
    assert [output.is_training_only for output in found.outputs] == [False, True]


def test_the_main_output_of_a_body_is_one_that_evaluation_needs() -> None:
    graph = archdsl.load_text(CHAIN).flatten()
    graph.remove_edge("a.conv2", "b.conv1")
    graph.add_edge("a.act", "b.conv1", port=0)
    graph.graph["outputs"] = (*graph.graph["outputs"], Output("aux", Value("a.conv2"), is_training_only=True))
    body = nested(graph).nodes["a"].body
    assert body is not None
    assert body.outputs == (Output("", Value("act")), Output("at_conv2", Value("conv2"), is_training_only=True))


def test_a_step_may_read_what_only_training_needs_of_a_body() -> None:
    graph = archdsl.load_text(CHAIN).flatten()
    graph.remove_edge("a.conv1", "a.act")
    graph.add_edge("input", "a.act", port=0)
    graph.add_node("head", op=OPS["relu"]())
    graph.add_edge("a.conv1", "head", port=0)
    graph.graph["outputs"] = (*graph.graph["outputs"], Output("aux", Value("head"), is_training_only=True))
    nested(graph)
    assert "@a.at_conv1" in archdsl.from_networkx(graph).text()


def test_outputs_of_a_body_have_names_of_their_own() -> None:
    text = "model m { input [4, 8, 8]; a: { b_c: conv 4; b: { c: conv 4; act }; last: act } }"
    graph = archdsl.load_text(text).flatten()
    taps = [Output("one", Value("a.b_c")), Output("two", Value("a.b.c"))]
    graph.graph["outputs"] = (*graph.graph["outputs"], *taps)
    body = nested(graph).nodes["a"].body
    assert body is not None
    assert [output.name for output in body.outputs] == ["", "at_b_c", "at_b_c_"]


def test_a_body_has_an_input_for_each_value_that_it_reads() -> None:
    graph = archdsl.load_text(CHAIN).flatten()
    graph.add_node("b.sum", op=OPS["add"]())
    graph.remove_edge("b.act", "last")
    graph.add_edges_from([("b.act", "b.sum", {"port": 0}), ("input", "b.sum", {"port": 1}), ("b.sum", "last", {})])
    call = nested(graph).nodes["b"]
    assert call.inputs == (Value("a"), Value("input"))
    assert call.body is not None
    assert [node.id for node in call.body.inputs] == ["input", "other"]
    assert "b: { conv1: conv 4; act: relu; add { pass; @after_input } }" in archdsl.from_networkx(graph).text()


def test_steps_among_those_of_a_body_stand_in_the_way() -> None:
    graph = archdsl.load_text(CHAIN).flatten()
    graph.remove_edge("b.act", "last")
    graph.add_node("a.late", op=OPS["relu"]())
    graph.add_edges_from([("b.act", "a.late", {"port": 0}), ("a.late", "last", {"port": 0})])
    path, reason = obstacle(graph)
    assert (path, reason) == ("a", "between whose steps others stand")
    network = archdsl.from_networkx(graph)
    assert '"a.late": relu' in network.text()
    check_written(network)


def test_an_input_inside_a_body_stands_in_the_way() -> None:
    graph = networkx.relabel_nodes(archdsl.load_text(CHAIN).flatten(), {"input": "a.input"})
    assert obstacle(graph) == ("a", "which holds an input of the network")


def test_weights_applied_again_from_another_body_stand_in_the_way() -> None:
    graph = archdsl.load_text(CHAIN).flatten()
    graph.nodes["b.conv1"]["reuses"] = "a.conv1"
    assert obstacle(graph) == ("b", "which applies the weights of `a` again in part")
    graph.nodes["b.conv1"]["reuses"] = "a.conv2"
    path, reason = obstacle(graph)
    assert path == "b.conv1"
    assert "`a.conv2`" in reason


def test_a_whole_body_applied_again_stays_one() -> None:
    inner = "b: { c: conv 4; reuse c }; reuse b"
    network = archdsl.load_text(f"model m {{ input [4, 8, 8]; a: {{ {inner} }}; act; reuse a; reuse a }}")
    graph = nested(network.flatten())
    assert [node.reuses for node in graph.topological() if node.body is not None] == [None, "a", "a"]
    check_written(network)
